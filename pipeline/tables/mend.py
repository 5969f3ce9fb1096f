"""A damaged store is set aside, and what is readable of it is kept: `python -m pipeline.tables.mend`."""

import contextlib
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.tables.store import FILE, STORE, Store, digest_of

#: A row takes at least so many bytes of the file.
ROW = 200


def mend(folder: Path = STORE) -> tuple[int, Path]:
    """Set a damaged store aside, and make a new one of all runs in it that are readable and right.

    Runs of the stored tables are filled in again when they are needed, and others trained again.

    Returns:
        How many runs are kept, and where the damaged store lies now.
    """
    folder = Path(folder)
    aside = next(path for number in range(1, 1_000_000) if not (path := folder / f"damaged-{number}.sqlite").exists())
    for suffix in ("", "-wal", "-shm"):
        if (path := folder / f"{FILE}{suffix}").exists():
            path.rename(f"{aside}{suffix}")
    with contextlib.closing(Store(folder)) as store:
        return store.restore(_readable(aside)), aside


def _readable(path: Path) -> Iterator[tuple]:
    """The rows of a damaged store that are readable and right."""
    if not path.is_file():
        return
    size = sum(beside.stat().st_size for beside in path.parent.glob(f"{path.name}*"))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for number in range(1, size // ROW + 2):
            with contextlib.suppress(sqlite3.Error, UnicodeError):
                row = connection.execute("SELECT key, record, complete, digest, seconds, host FROM runs "
                                         "WHERE rowid = ?", [number]).fetchone()
                if row and row[3] == digest_of(row[0], row[1]):
                    yield row


def main() -> int:
    """Mend the store of this project."""
    kept, aside = mend()
    print(f"{STORE / FILE}: {kept} runs are kept; what was damaged is {aside}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
