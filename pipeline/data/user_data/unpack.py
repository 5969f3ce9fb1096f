"""Bytes of a reader's file, unpacked in bounds; what cannot be read is one message that names the file."""

from __future__ import annotations

import gzip
import lzma
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pipeline.config.errors import ConfigError

#: What is packed may hold so many bytes, or so many times its own size; as many are unpacked at once, or in memory.
MOST_UNPACKED, RATIO, BLOCK, IN_MEMORY = 100_000_000, 200, 1 << 20, 50_000_000


@contextmanager
def readable(name: str):
    """What cannot be read is said in one message that names the file, whatever its reader ends in."""
    try:
        yield
    except ConfigError:
        raise
    except UnicodeError as error:
        raise ConfigError(f"{name}: is not UTF-8 text: {error}; its entry says encoding, such as cp1252",
                          remedy={"encoding": "cp1252"}) from None
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
    with zipfile.ZipFile(path) if suffix == ".zip" else {".gz": gzip.open, ".xz": lzma.open}[suffix](path, "rb") as packed, \
            tempfile.SpooledTemporaryFile(IN_MEMORY) as plain:
        if suffix == ".zip":
            members = [m for m in packed.namelist() if not m.endswith("/") and not m.startswith("__MACOSX/")]
            if len(members) != 1:
                raise ConfigError(f"{name}: holds {len(members)} files ({', '.join(members[:5])}); allowed: one")
            packed = packed.open(members[0])
        while block := packed.read(BLOCK):
            plain.write(block)
            require_moderate(plain.tell(), path, name)
        plain.seek(0)
        yield plain
