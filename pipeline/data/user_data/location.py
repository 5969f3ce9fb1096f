"""Where a reader's file is: inside the project, or at an address, from which it is fetched once; and its bytes, unpacked."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import urlsplit

import requests
import urllib3

from pipeline.config.data_files import COLUMNS, ends
from pipeline.config.errors import ConfigError, nearest

#: Beside `data/`, which holds what can be made anew and is tidied.
FETCHED = Path(".fetched")
#: Seconds without an answer; bytes of a file that are fetched at once, and at most; files of a folder, at most.
PATIENCE, BLOCK, LARGEST, MOST_FILES = 60, 1 << 20, 10_000_000_000, 20_000
#: What is packed may hold so many bytes, or so many times its own size; so many of them are kept in memory.
MOST_UNPACKED, RATIO, IN_MEMORY = 100_000_000, 200, 50_000_000


def regular(path: str | Path, name: str = "", outside: bool = False, kind: int = stat.S_IFREG) -> Path:
    """A reader's file as it lies on the disk, behind symbolic links: the one way to a file that is opened.

    Args:
        name: what a message calls it.
        outside: whether it may lie outside the project.
        kind: the kind of file that is allowed, a regular one or a folder.

    Raises:
        ConfigError: there is none, it has no end as a pipe or a device has none, or it is a link out of the project.
    """
    path, name, what = Path(path), name or str(path), "a folder" if kind == stat.S_IFDIR else "a file"
    try:
        real = path.resolve(strict=True)
        found = real.stat()
    except FileNotFoundError:
        beside = [one.name for one in path.parent.glob("*")] if path.parent.is_dir() else []
        raise ConfigError(f"{name}: there is no such file{nearest(path.name, beside)}") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    for wrong, words in ((stat.S_IFMT(found.st_mode) != kind, f"is no file; allowed: {what}, no pipe or device"),
                         (not (outside or real.is_relative_to(Path.cwd().resolve())),
                          f"is a symbolic link out of the project; allowed: {what} inside it; copy it there"),
                         (found.st_size > LARGEST, f"has {found.st_size} bytes; allowed: at most {LARGEST}"),
                         (not os.access(real, os.R_OK), "cannot be read; allowed: a file that you may read")):
        if wrong:
            raise ConfigError(f"{name}: {words}")
    return real


def folder_files(folder: Path, outside: bool = False) -> list[Path]:
    """The files with columns of a folder and of those inside it, in the order of their names.

    Raises:
        ConfigError: there is no such folder, it has none, or more than `MOST_FILES`.
    """
    regular(folder, f"{folder}/", outside, stat.S_IFDIR)
    held = (path for path in folder.rglob("*") if ends(path.name, COLUMNS) and not path.name.startswith("."))
    found = sorted(islice(held, MOST_FILES + 1))
    if not 0 < len(found) <= MOST_FILES:
        raise ConfigError(f"{folder}/: found {len(found)} files with columns; allowed: 1 to {MOST_FILES}")
    return [path for path in found if regular(path, outside=outside)]


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file's content, read in pieces."""
    with open(regular(path, outside=True), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(name: str, path: Path, outside: bool = False) -> str:
    """The SHA-256 of an entry's file, or of a folder's files and their names.

    Args:
        name: as the entry has it; a folder's ends in `/`.
        outside: whether a folder may lie outside the project.
    """
    known = [f"{sha256(one)} {one.relative_to(path).as_posix()}\n" for one in folder_files(path, outside)] if (
        name.endswith("/")) else []
    return hashlib.sha256("".join(known).encode()).hexdigest() if known else sha256(path)


def located(file: str, expected: str | None, folder: Path = FETCHED, schemes: tuple = ("https",)) -> Path:
    """An entry's file on this machine; one at an address is fetched, unless it is in `folder` already.

    Args:
        expected: the SHA-256 that the content at an address must have, today and whenever it is used again.
        schemes: what an address, and whatever it redirects to, may begin with.

    Raises:
        ConfigError: another scheme, no answer, or a content of another hash; nothing is kept then.
    """
    if "://" not in file:
        return Path(file)
    try:
        parts = urlsplit(file)
    except ValueError as error:
        raise ConfigError(f"{file}: is no address: {error}") from None
    path = Path(folder) / f"{expected[:16]}-{PurePosixPath(parts.path).name.encode()[-200:].decode(errors='ignore')}"
    if path.exists() and sha256(path) == expected:
        return path
    if parts.scheme not in schemes:
        raise ConfigError(f"{file}: found the scheme '{parts.scheme}'; allowed: {', '.join(schemes)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as beside:
        with open(Path(beside) / "new", "wb") as new:
            found = _fetched(file, new, schemes)
        if found != expected:
            raise ConfigError(f"{file}: found the SHA-256 {found}; allowed: {expected}, which its entry names; the file is "
                              "another one than it was")
        os.replace(Path(beside) / "new", path)
    return path


def _fetched(address: str, file, schemes: tuple) -> str:
    """Write what is at an address to an open file; its SHA-256."""
    known = hashlib.sha256()
    with requests.Session() as session:
        for scheme in {"http", "https"} - {*schemes}:
            del session.adapters[f"{scheme}://"]  # Nor is one redirected to.
        try:
            # As it is stored there: a file that is packed stays so.
            with session.get(address, stream=True, timeout=PATIENCE, headers={"Accept-Encoding": "identity"}) as answer:
                answer.raise_for_status()
                for block in answer.raw.stream(BLOCK, decode_content=False):
                    known.update(block)
                    if file.write(block) and file.tell() > LARGEST:
                        raise ConfigError(f"{address}: found more than {LARGEST} bytes; allowed: at most that many")
        except (urllib3.exceptions.ProtocolError, requests.exceptions.ChunkedEncodingError):
            raise ConfigError(f"{address}: cannot be fetched: it ended before it was whole; try again") from None
        except ConfigError:
            raise
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise ConfigError(f"{address}: cannot be fetched: {' '.join(str(error).split())[:300]}") from None
    return known.hexdigest()


@contextmanager
def readable(name: str):
    """What cannot be read is said in one message that names the file, whatever its reader ends in."""
    try:
        yield
    except ConfigError:
        raise
    except UnicodeError as error:
        raise ConfigError(f"{name}: is not UTF-8 text: {error}; its entry says encoding, such as cp1252",
                          remedy=("encoding", "cp1252")) from None
    except ImportError as error:
        raise ConfigError(f"{name}: reading it needs the package {error.name}, which is not installed; run `make`, or "
                          "store the table as .csv.gz") from None
    except MemoryError:
        raise ConfigError(f"{name}: needs more memory than a file may; allowed: fewer rows or columns") from None
    except Exception as error:  # A damaged file ends in many ways, and so do other projects' readers.
        raise ConfigError(f"{name}: is damaged: {' '.join(str(error).split())[:200] or type(error).__name__}") from None


def require_moderate(held: int, path: Path, name: str) -> None:
    """Refuse a packed file that holds far more bytes than it seems to."""
    if held > max(MOST_UNPACKED, RATIO * path.stat().st_size):
        raise ConfigError(f"{name}: holds more than it seems to; allowed: at most {MOST_UNPACKED} bytes, or {RATIO} times the "
                          "size of the packed file")


@contextmanager
def unpacked(path: Path, name: str) -> Iterator[BinaryIO]:
    """A file with the unpacked content of a file."""
    suffix = path.suffix.lower()
    if suffix not in (".gz", ".xz", ".zip"):
        with open(path, "rb") as plain:
            yield plain
        return
    with ExitStack() as opened:
        packed = opened.enter_context({".zip": zipfile.ZipFile, ".gz": gzip.open, ".xz": lzma.open}[suffix](path))
        if suffix == ".zip":
            members = [m for m in packed.namelist() if not m.endswith("/") and not m.startswith("__MACOSX/")]
            if len(members) != 1:
                raise ConfigError(f"{name}: holds {len(members)} files ({', '.join(members[:5])}); allowed: one")
            packed = opened.enter_context(packed.open(members[0]))
        plain = opened.enter_context(tempfile.SpooledTemporaryFile(IN_MEMORY))
        while block := packed.read(BLOCK):
            plain.write(block)
            require_moderate(plain.tell(), path, name)
        plain.seek(0)
        yield plain
