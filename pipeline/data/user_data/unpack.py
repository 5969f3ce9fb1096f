"""Bytes of a reader's file, unpacked in bounds; what cannot be read is one message that names the file."""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.config.errors import ConfigError

#: What is packed may hold so many bytes, or so many times its own size.
MOST_UNPACKED, RATIO = 100_000_000, 200


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


def require_moderate(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    """Refuse a packed file that holds far more than it seems to."""
    _require(sum(member.file_size for member in archive.infolist()), _most(path), name)


def _most(path: Path) -> int:
    return max(MOST_UNPACKED, RATIO * path.stat().st_size)


def _require(held: int, most: float, name: str) -> None:
    if held > most:
        raise ConfigError(f"{name}: holds more than {most} bytes; allowed: at most {MOST_UNPACKED}, or {RATIO} times the "
                          "size of the packed file")


class _Bounded(io.RawIOBase):
    """Bytes that are counted while they are read, so that a small file cannot fill the memory."""

    def __init__(self, content, most: float, name: str):
        self.content, self.most, self.name, self.held = content, most, name, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        block = self.content.read(len(buffer))
        buffer[:len(block)] = block
        self.held += len(block)
        _require(self.held, self.most, self.name)
        return len(block)


@contextmanager
def unpacked(path: Path, name: str) -> Iterator[io.BufferedReader]:
    """A file's unpacked content, as bytes."""
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.namelist() if not m.endswith("/") and not m.startswith("__MACOSX/")]
            if len(members) != 1:
                raise ConfigError(f"{name}: holds {len(members)} files ({', '.join(members[:5])}); allowed: one")
            with archive.open(members[0]) as content:
                yield io.BufferedReader(_Bounded(content, _most(path), name), 1 << 18)
    else:
        opener = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix.lower())
        with (opener or open)(path, "rb") as content:
            yield io.BufferedReader(_Bounded(content, _most(path) if opener else float("inf"), name), 1 << 18)
