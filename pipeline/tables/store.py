"""The store of finished runs: one SQLite file, in which nothing is overwritten."""

import contextlib
import errno
import hashlib
import json
import os
import re
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from pipeline.tables import run_record
from pipeline.tables.lock import Damaged, check
from pipeline.tables.run_record import CURVES, MEASURES
from pipeline.tables.stored import COLUMNS, CURVES_TABLE, CURVE_COLUMNS, RUNS_TABLE, read_table

#: What is kept between runs of the pipeline, beside the stored results.
STORE = Path(".runs")
FILE = "runs.sqlite"
#: Seconds that a process waits for another one which writes.
WAIT = 120
#: `complete`: the record has its curves. `digest`: of key and record. `seconds`, `host`: what the run took, and where.
_TABLES = """
CREATE TABLE IF NOT EXISTS runs (key TEXT PRIMARY KEY, record TEXT NOT NULL, complete INTEGER NOT NULL,
                                 digest TEXT NOT NULL, seconds REAL, host TEXT);
CREATE TABLE IF NOT EXISTS filled (digest TEXT PRIMARY KEY);
"""
#: A run that is stored without its curves takes them from whoever has them.
_PUT = """
INSERT INTO runs (key, record, complete, digest) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET record = excluded.record, complete = excluded.complete, digest = excluded.digest
WHERE excluded.complete > runs.complete
"""
#: So many keys are looked up at once.
_KEYS = 500
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")


def _check_key(key: str) -> None:
    if not isinstance(key, str) or not _KEY.match(key):
        raise Damaged(f"{str(key)[:80]!r}: it is not the key of a run; allowed: letters and digits")


def _row(key: str, record: Mapping) -> tuple[str, str, bool, str]:
    _check_key(key)
    text = json.dumps(record, sort_keys=True)
    return key, text, CURVES[0] in record, digest_of(key, text)


def digest_of(key: str, text: str) -> str:
    return hashlib.sha256(f"{key} {text}".encode()).hexdigest()


class Store:
    """Finished runs by key: whole or not there, on the disk once `put` returns.

    Any number of threads and processes of a machine may use it at the same time.
    """

    def __init__(self, folder: Path = STORE):
        self.folder = Path(folder)
        self.path = self.folder / FILE
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.RLock()

    # --- reading -------------------------------------------------------------------------------

    def get(self, key: str) -> dict | None:
        """The record of a run, or None; see `find`."""
        return self.find([key]).get(key)

    def find(self, keys: Iterable[str]) -> dict[str, dict]:
        """Key → record, of those runs that are stored. Raises Damaged: the file, or a record, is not what was put there."""
        keys, found = list(keys), {}
        for key in keys:
            _check_key(key)
        for start in range(0, len(keys), _KEYS):
            some = keys[start:start + _KEYS]
            for key, text, digest in self._read(
                    f"SELECT key, record, digest FROM runs WHERE key IN ({','.join('?' * len(some))})", some):
                if digest_of(key, text) != digest:
                    raise self._damaged(f"the run {key} is not what was stored")
                found[key] = json.loads(text)
        return found

    def keys(self) -> set[str]:
        """The keys of the runs that are stored."""
        return {key for key, in self._read("SELECT key FROM runs")}

    def count(self) -> int:
        """How many runs are stored."""
        return self._read("SELECT count(*) FROM runs")[0][0]

    def timings(self, keys: Iterable[str]) -> dict[str, tuple[float, dict]]:
        """Key → the seconds that a run took, and the host that trained it, of those of which it is known."""
        wanted = set(keys)
        return {key: (seconds, json.loads(host)) for key, seconds, host in self._read(
            "SELECT key, seconds, host FROM runs WHERE seconds IS NOT NULL") if key in wanted}

    # --- writing -------------------------------------------------------------------------------

    def put(self, key: str, record: Mapping) -> None:
        """Keep the record of a finished run; the same record once more changes nothing.

        Raises:
            ValueError: no run can have measured it, or another record is stored under its key.
        """
        run_record.check(record)
        row = _row(key, record)
        with self._writing() as connection:
            connection.execute(_PUT, row)
            stored, = connection.execute("SELECT record FROM runs WHERE key = ?", [key]).fetchone()
        if stored != row[1]:
            raise ValueError(f"{self.path}: another record of the run {key} is stored, and is not overwritten")

    def note_timing(self, keys: Iterable[str], seconds: float, host: Mapping) -> None:
        """Note what each of some runs took, and where: on this no result depends."""
        text = json.dumps(host)
        with self._writing() as connection:
            connection.executemany("UPDATE runs SET seconds = ?, host = ? WHERE key = ?", [(seconds, text, key) for key in keys])

    def fill(self, folders: Iterable[Path]) -> int:
        """Put the runs of stored tables into the store, all or none; the number added.

        A fresh clone has tables and no store: so it trains nothing that is measured already. Tables
        that were filled in before are not read again.

        Args:
            folders: of experiments; one without tables, or with tables of other columns, adds nothing.

        Raises:
            Damaged: the store is not what was stored, or a folder is not.
        """
        known = {digest for digest, in self._read("SELECT digest FROM filled")}
        versions = {folder: version for folder in map(Path, folders) if (version := _version(folder)) not in known}
        if not versions:
            return 0
        with self._writing() as connection:
            before, = connection.execute("SELECT count(*) FROM runs").fetchone()
            for folder, version in versions.items():
                connection.executemany(_PUT, _rows(folder))
                connection.execute("INSERT OR IGNORE INTO filled VALUES (?)", [version])
            return connection.execute("SELECT count(*) FROM runs").fetchone()[0] - before

    def restore(self, rows: Iterable[tuple]) -> int:
        """Put rows of another store, as SQLite gives them, into this one; how many they were."""
        with self._writing() as connection:
            connection.executemany("INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?, ?, ?)", rows)
            return connection.execute("SELECT count(*) FROM runs").fetchone()[0]

    # --- the file ------------------------------------------------------------------------------

    def _read(self, query: str, values: Iterable = ()) -> list[tuple]:
        with self._lock, self._explained():
            return self._open().execute(query, list(values)).fetchall()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: on the disk when the block ends, and nothing of it if the block fails."""
        with self._lock, self._explained():
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.path.is_dir():
                raise self._damaged("it is a folder")
            connection = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None, check_same_thread=False)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.executescript(_TABLES)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def close(self) -> None:
        """Leave one file and nothing beside it, if no other process uses it."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """What SQLite refuses, as the error that a person sees."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            refused = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_READONLY: errno.EROFS,
                       sqlite3.SQLITE_CANTOPEN: errno.EACCES}.get(code)
            if refused:
                raise OSError(refused, os.strerror(refused), str(self.path)) from None
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise RuntimeError(f"{self.path}: another process has been writing for {WAIT} s; run it again once that "
                                   "has ended") from None
            if code == sqlite3.SQLITE_IOERR:
                raise RuntimeError(f"{self.path}: the disk does not read or write it ({error})") from None
            raise self._damaged(f"it is not the database that was stored ({error})") from None

    def _damaged(self, what: str) -> Damaged:
        return Damaged(f"{self.path}: {what}; `python -m pipeline.tables.mend` sets the damaged file aside and keeps "
                       "what is readable")


# --- tables ------------------------------------------------------------------------------------

def holding(keys: Collection[str], folders: Iterable[Path]) -> list[Path]:
    """The folders of experiments whose table has some of these runs; it is searched, not read."""
    wanted, found = {key.encode() for key in keys}, []
    for folder in folders:
        path = Path(folder) / RUNS_TABLE
        content = path.read_bytes() if wanted and path.exists() else b""
        # The key is the last column.
        if not wanted.isdisjoint(line.rpartition(b",")[2] for line in content.splitlines()):
            found.append(Path(folder))
    return found


def _version(folder: Path) -> str:
    """A digest of the tables of an experiment."""
    result = hashlib.sha256()
    for name in (RUNS_TABLE, CURVES_TABLE):
        path = folder / name
        result.update(hashlib.sha256(path.read_bytes()).digest() if path.exists() else b"")
    return result.hexdigest()


def _rows(folder: Path) -> list[tuple]:
    """The rows of the store that an experiment's tables are made of.

    A run that is chosen and has no curves is none.

    Raises:
        Damaged: the folder is not what was stored.
    """
    check(folder)
    if not (folder / RUNS_TABLE).exists() or not (folder / CURVES_TABLE).exists():
        return []
    runs, curves = read_table(folder / RUNS_TABLE), read_table(folder / CURVES_TABLE)
    if list(runs.columns) != COLUMNS or list(curves.columns) != CURVE_COLUMNS:
        return []
    where = ["variant", "data", "seed", "learning_rate"]
    losses = curves.groupby(where, sort=False)[["train_loss", "validation_loss"]].agg(list)
    curve_of = dict(zip(losses.index, losses.itertuples(index=False, name=None), strict=True))
    rows = []
    for place, key, chosen, record in zip(
            pd.MultiIndex.from_frame(runs[where]), runs["key"], runs["chosen"], runs[MEASURES].to_dict("records"),
            strict=True):
        if place in curve_of:
            record |= zip(CURVES, curve_of[place], strict=True)
        elif chosen:
            continue
        rows.append(_row(key, record))
    return rows
