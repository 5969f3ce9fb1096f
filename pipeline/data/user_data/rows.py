"""Files with rows and columns, read in pieces: every format gives the same frames."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import lzma
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from pipeline.spec.base import ConfigError, nearest

#: Cells that are read at once.
PIECE = 2_000_000
#: So many rows say whether a column holds numbers or words.
LOOK = 1_000
#: What means a missing number in a text file; in a column of words only an empty cell does.
MISSING = ["", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL"]
#: A line has at most so many bytes and cells, and rows that are read at once so many bytes.
LONGEST_LINE, MOST_COLUMNS, MOST_AT_ONCE = 1_000_000, 10_000, 500_000_000
#: What is packed may hold so many bytes, or so many times its own size; more is no data.
MOST_UNPACKED, RATIO = 100_000_000, 200
#: What a damaged file ends in, by format; of a packed one also what this Python cannot unpack.
_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile, struct.error,
            NotImplementedError, RuntimeError, OSError, csv.Error, ValueError, OverflowError)


class Rows(Protocol):
    """A file of rows and named columns.

    `name` is the file as its entry names it; `columns` are the names in the file's order.
    """

    name: str
    columns: list[str]

    def pieces(self, numbers: list[str], words: list[str], missing_as: list[str] = (),
               rows: int | None = None) -> Iterator[pd.DataFrame]:
        """Frames of rows that follow each other, indexed by the row's number from 0.

        Args:
            numbers: columns read as float64, NaN where a value is missing.
            words: columns read as text, None where a value is missing.
            missing_as: words that mean a missing value, beside those that always do.
            rows: read only so many rows from the beginning.

        Raises:
            ConfigError: a cell of `numbers` that is no finite number, or a damaged file.
        """

    def words_only(self, columns: list[str], missing_as: list[str] = ()) -> list[str]:
        """Those of the columns that have a word and no number in the first `LOOK` rows."""

    def place(self, row: int, column: str | None = None) -> str:
        """`file.csv, line 17, column 'pm25'`."""


def open_rows(path: Path, name: str, separator: str = ",") -> Rows:
    """A file of rows and columns.

    Raises:
        ConfigError: there is no such file, or no names in its first line.
    """
    if not path.is_file():
        raise ConfigError(f"{name}: there is no such file")
    return _Parquet(path, name) if path.suffix == ".parquet" else _Text(path, name, separator)


def require_columns(rows: Rows, key: str, names: list[str]) -> None:
    """Refuse the name of a column that a file does not have, and name the nearest."""
    for name in names:
        if name not in rows.columns:
            raise ConfigError(f"{rows.name}: {key}: there is no column '{name}'; allowed: "
                              f"{', '.join(rows.columns)}{nearest(name, rows.columns)}")


class _Text:
    """`.csv`, plain or packed. A line is counted as an editor counts it, from 1."""

    def __init__(self, path: Path, name: str, separator: str):
        self.path, self.name, self.separator = path, name, separator
        with self._lines() as lines:
            self.columns = next(lines, [])
        self._check_names()

    @contextmanager
    def _open(self):
        """The file's content as text."""
        with readable(self.name):
            with _unpacked(self.path, self.name) as content:
                bounded = io.BufferedReader(_Bounded(content, self.path, self.name), 1 << 18)
                yield io.TextIOWrapper(bounded, encoding="utf-8-sig", newline="")

    @contextmanager
    def _lines(self):
        with self._open() as text:
            yield csv.reader(text, delimiter=self.separator, skipinitialspace=True)

    def _check_names(self) -> None:
        names = self.columns
        allowed = "allowed: a first line with the columns' names"
        if not any(names):
            raise ConfigError(f"{self.name}, line 1: empty; {allowed}")
        if all(map(_is_number, names)):
            raise ConfigError(f"{self.name}, line 1: found only numbers ({', '.join(names[:3])}, …); "
                              f"{allowed}")
        if len(names) > MOST_COLUMNS:
            raise ConfigError(f"{self.name}, line 1: found {len(names)} columns; allowed: {MOST_COLUMNS}")
        for position, column in enumerate(names, 1):
            if not column:
                raise ConfigError(f"{self.name}, line 1: the name of column {position} is empty; {allowed}")
            if names.count(column) > 1:
                raise ConfigError(f"{self.name}, line 1: the name '{column}' stands twice; {allowed}, each "
                                  "once")
        if len(names) == 1 and (other := next((s for s in ";\t|," if s in names[0]), None)):
            raise ConfigError(f"{self.name}, line 1: found one column, '{names[0][:40]}'; if "
                              f"{other!r} separates columns, its entry must say separator: {other!r}")

    def pieces(self, numbers, words, missing_as=(), rows=None):
        missing = {c: [*MISSING, *missing_as] for c in numbers} | {c: ["", *missing_as] for c in words}
        with self._open() as text:
            # All columns are read, because pandas looks for rows that are too long only then.
            reader = pd.read_csv(
                text, sep=self.separator, names=self.columns, header=0, index_col=False,
                dtype=dict.fromkeys(words, str), na_values=missing, keep_default_na=False,
                skipinitialspace=True, skip_blank_lines=len(self.columns) > 1,
                chunksize=max(1_000, PIECE // len(self.columns)), nrows=rows)
            while (piece := self._next(reader)) is not None:
                text.buffer.raw.begin()
                piece = piece[[*numbers, *words]].copy()
                for column in numbers:
                    piece[column] = _numbers(self, piece[column])
                yield _with_none(piece, words)

    def _next(self, reader) -> pd.DataFrame | None:
        with warnings.catch_warnings():
            # A first row that is longer than the line of names; a column of two types.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            try:
                return next(reader, None)
            except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
                raise ConfigError(self._ragged() or f"{self.name}: {error}") from None

    def words_only(self, columns, missing_as=()):
        return _words_only(self.pieces([], columns, [*MISSING, *missing_as], LOOK), columns)

    def place(self, row, column=None):
        line = row + 2
        # A quoted cell may hold several lines, and an empty line is no row: so they are counted.
        with self._lines() as lines:
            next(lines)
            for number, _ in enumerate(filter(None, lines) if len(self.columns) > 1 else lines):
                if number == row:
                    line = lines.line_num
                    break
        return f"{self.name}, line {line}" + (f", column '{column}'" if column else "")

    def _ragged(self) -> str | None:
        """Which line has more cells than the first."""
        with self._lines() as lines:
            for cells in lines:
                if len(cells) > len(self.columns):
                    return (f"{self.name}, line {lines.line_num}: found {len(cells)} cells; allowed: "
                            f"{len(self.columns)}, as the first line has")
        return None


class _Parquet:
    """`.parquet`, which pyarrow reads. A row is counted from 1."""

    def __init__(self, path: Path, name: str):
        if importlib.util.find_spec("pyarrow") is None:
            raise ConfigError(f"{name}: reading .parquet needs the package pyarrow, which is not "
                              "installed; run `pip install pyarrow`, or store the table as .csv.gz")
        self.path, self.name = path, name
        with self._file() as file:
            self.columns = list(file.schema_arrow.names)

    @contextmanager
    def _file(self):
        import pyarrow
        import pyarrow.parquet

        try:
            with pyarrow.parquet.ParquetFile(self.path) as file:
                yield file
        except pyarrow.ArrowInvalid as error:
            raise ConfigError(f"{self.name}: is damaged or no .parquet file: {error}") from None

    def pieces(self, numbers, words, missing_as=(), rows=None):
        size = max(1_000, PIECE // max(1, len(numbers) + len(words)))
        with self._file() as file:
            start = 0
            for batch in file.iter_batches(batch_size=min(size, rows or size), columns=[*numbers, *words]):
                if rows is not None and start >= rows:
                    return
                piece = batch.to_pandas()
                piece.index = range(start, start + len(piece))
                start += len(piece)
                for column in numbers:
                    piece[column] = self._numbers(piece[column], missing_as)
                for column in words:
                    filled = piece[column].notna() & ~piece[column].isin(["", *missing_as])
                    piece[column] = piece[column].map(_as_text).where(filled)
                yield _with_none(piece, words)

    def _numbers(self, cells: pd.Series, missing_as) -> np.ndarray:
        if not pd.api.types.is_numeric_dtype(cells):
            cells = cells.mask(cells.isin([*MISSING, *missing_as]))
        return _numbers(self, cells)

    def words_only(self, columns, missing_as=()):
        return _words_only(self.pieces([], columns, [*MISSING, *missing_as], LOOK), columns)

    def place(self, row, column=None):
        return f"{self.name}, row {row + 1}" + (f", column '{column}'" if column else "")


def _numbers(rows: Rows, cells: pd.Series) -> np.ndarray:
    values = np.asarray(pd.to_numeric(cells, errors="coerce"), np.float64)
    # Beyond the largest float32, which networks compute in, a number is infinite too.
    wrong = (np.abs(values) > np.finfo(np.float32).max) | (np.isnan(values) & cells.notna().to_numpy())
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise _no_number(rows, int(cells.index[first]), cells.name, cells.iloc[first])
    return values


def _no_number(rows: Rows, row: int, column: str, found) -> ConfigError:
    """The answer to a cell that is no number, or an infinite one."""
    place, shown = rows.place(row, column), f"'{str(found)[:40]}'"
    if _is_number(found):
        return ConfigError(f"{place}: found {found}; allowed: a finite number")
    return ConfigError(f"{place}: found {shown}; allowed: a number; if {shown} means a missing value, its "
                       f"entry says missing_as: [{shown}]; if the column holds words, categories (of a "
                       "table) or leave_out")


def _is_number(text) -> bool:
    return not np.isnan(pd.to_numeric(pd.Series([text], dtype=object), errors="coerce").iloc[0])


def _as_text(value) -> str:
    """A cell as a text file would have it: whole floats and instants of a table are no exception."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _with_none(piece: pd.DataFrame, words: list[str]) -> pd.DataFrame:
    for column in words:
        cells = piece[column].astype(object)
        piece[column] = cells.where(cells.notna(), None)
    return piece


def _words_only(pieces: Iterator[pd.DataFrame], columns: list[str]) -> list[str]:
    piece = next(iter(pieces), None)
    if piece is None:
        return []
    held = {column: piece[column].dropna() for column in columns}
    return [column for column, cells in held.items()
            if len(cells) and pd.to_numeric(cells, errors="coerce").isna().all()]


@contextmanager
def readable(name: str):
    """What cannot be read is said in words that name the file."""
    try:
        yield
    except ConfigError:
        raise
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: is not UTF-8 text: {error.reason}") from None
    except _DAMAGED as error:
        raise ConfigError(f"{name}: is damaged: {' '.join(str(error).split())[:200]}") from None


def most_unpacked(path: Path) -> int:
    """How many bytes a packed file may hold."""
    return max(MOST_UNPACKED, RATIO * path.stat().st_size)


class _Bounded(io.RawIOBase):
    """Bytes that are counted while they are read, so that a small file cannot fill the memory."""

    def __init__(self, content, path: Path, name: str):
        self.content, self.name = content, name
        self.most = float("inf") if path.suffix == ".csv" else most_unpacked(path)
        self.read_so_far = self.line = self.at_once = 0

    def readable(self) -> bool:
        return True

    def begin(self) -> None:
        """Other rows are read from here on."""
        self.at_once = 0

    def readinto(self, buffer) -> int:
        block = self.content.read(len(buffer))
        buffer[:len(block)] = block
        self.read_so_far += len(block)
        self.at_once += len(block)
        self._count_line(block)
        if self.read_so_far > self.most:
            raise ConfigError(f"{self.name}: holds more than {self.most} bytes; allowed: at most {MOST_UNPACKED}"
                              f", or {RATIO} times the size of the packed file")
        if self.at_once > MOST_AT_ONCE:
            raise ConfigError(f"{self.name}: found more than {MOST_AT_ONCE} bytes in rows that are read at "
                              "once; a quote may not be closed")
        return len(block)

    def _count_line(self, block: bytes) -> None:
        """Refuse a line that is too long; a block is shorter than the longest one."""
        first = min(at for at in (block.find(b"\n"), block.find(b"\r"), len(block)) if at >= 0)
        if self.line + first > LONGEST_LINE:
            raise ConfigError(f"{self.name}: found a line of more than {LONGEST_LINE} bytes; allowed: at most "
                              "that many")
        last = max(block.rfind(b"\n"), block.rfind(b"\r"))
        self.line = self.line + len(block) if last < 0 else len(block) - last - 1


@contextmanager
def _unpacked(path: Path, name: str):
    """A file's unpacked content, as bytes."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.namelist() if not m.endswith("/")]
            if len(members) != 1:
                raise ConfigError(f"{name}: holds {len(members)} files ({', '.join(members[:5])}); "
                                  "allowed: one")
            with archive.open(members[0]) as content:
                yield content
    else:
        opener = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
        with opener(path, "rb") as content:
            yield content
