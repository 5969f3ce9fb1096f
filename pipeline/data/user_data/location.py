"""A file's address → the file: fetched once, verified, kept."""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from pipeline.spec.base import ConfigError

#: Beside `data/`, which holds what can be made anew and is tidied.
FETCHED = Path(".fetched")
#: Seconds without an answer.
PATIENCE = 60
BLOCK = 1 << 20
#: Bytes of a file that is fetched, at most.
LARGEST = 10_000_000_000


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, read in pieces."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(address: str, expected: str, folder: Path = FETCHED, schemes: tuple = ("https",)) -> Path:
    """The file at an address, from `folder` if it has been fetched before.

    Args:
        expected: the SHA-256 that its content must have, today and whenever it is used again.
        schemes: what an address, and whatever it redirects to, may begin with.

    Raises:
        ConfigError: another scheme, no answer, or a content of another hash; nothing is kept then.
    """
    try:
        name = PurePosixPath(urlsplit(address).path).name
    except ValueError as error:
        raise ConfigError(f"{address}: is no address: {error}") from None
    path = Path(folder) / f"{expected[:16]}-{name}"
    if path.exists():
        if sha256(path) == expected:
            return path
        path.unlink()
    _require_scheme(address, schemes)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            found = _copy(address, file, schemes)
        if found != expected:
            raise ConfigError(f"{address}: found the SHA-256 {found}; allowed: {expected}, which its "
                              "entry names; the file is another one than it was")
        os.replace(beside, path)
    finally:
        Path(beside).unlink(missing_ok=True)
    return path


def _copy(address: str, file, schemes: tuple) -> str:
    """Write what is at an address to an open file; its SHA-256."""
    known = hashlib.sha256()
    opener = urllib.request.build_opener(_Redirects(schemes))
    try:
        with opener.open(address, timeout=PATIENCE) as answer:
            while block := answer.read(BLOCK):
                known.update(block)
                file.write(block)
                if file.tell() > LARGEST:
                    raise ConfigError(f"{address}: found more than {LARGEST} bytes; allowed: at most that many")
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise ConfigError(f"{address}: cannot be fetched: {getattr(error, 'reason', error)}") from None
    return known.hexdigest()


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirection only to an allowed scheme."""

    def __init__(self, schemes: tuple):
        self.schemes = schemes

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        _require_scheme(newurl, self.schemes)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _require_scheme(address: str, schemes: tuple) -> None:
    if urlsplit(address).scheme not in schemes:
        raise ConfigError(f"{address}: found the scheme '{urlsplit(address).scheme}'; allowed: "
                          f"{', '.join(schemes)}")
