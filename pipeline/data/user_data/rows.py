"""Files with rows and named columns, read in pieces: every format gives the same frames."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data.user_data.numbers import number_in
from pipeline.config.errors import ConfigError, nearest, shown
from pipeline.config.data_files import FileSource, ends

#: Cells that are read at once.
PIECE = 2_000_000
#: So many rows say whether a column holds numbers or words.
LOOK = 1_000
#: What means a missing number in text, and a missing class; in other columns of words only an empty cell does.
MISSING = ["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL"]
#: A file has at most so many columns, and so many cells in those that are read.
MOST_COLUMNS, MOST_CELLS = 10_000, 300_000_000
#: What is packed may hold so many bytes, or so many times its own size; what is read whole has so many at most.
MOST_UNPACKED, RATIO, MOST_WHOLE = 100_000_000, 200, 100_000_000


class Rows:
    """A file of rows and named columns.

    Attributes:
        name: the file as its entry names it.
        columns: the names in the file's order; a column without a name, which holds numbers of rows or nothing, is none.
    """

    def __init__(self, entry: FileSource, path: Path):
        self.entry, self.path, self.name = entry, path, entry.file
        with readable(self.name):
            self.columns = [str(name) for name in self._names() if str(name).strip()]
        if not self.columns:
            raise ConfigError(f"{self.place(-1)}: empty; allowed: a line with the columns' names")
        if len(self.columns) > MOST_COLUMNS:
            raise ConfigError(f"{self.place(-1)}: found {len(self.columns)} columns; allowed: {MOST_COLUMNS}")
        for name in self.columns if len({*self.columns}) < len(self.columns) else ():
            if self.columns.count(name) > 1:
                raise ConfigError(f"{self.place(-1)}: the name {shown(name)} stands twice; allowed: each once")

    def pieces(self, numbers: list[str], words: list[str], rows: int | None = None) -> Iterator[pd.DataFrame]:
        """Frames of rows that follow each other, indexed by the row's number from 0.

        Args:
            numbers: columns read as float64, NaN where a value is missing.
            words: columns read as text without spaces around it, None where a value is missing.
            rows: read only so many rows from the beginning.

        Raises:
            ConfigError: a cell of `numbers` that is no finite number, or a damaged file.
        """
        with readable(self.name):
            size, cells = max(1_000, PIECE // (len(self.columns) + 1)), 0
            for piece in self._raw(numbers, words, min(size, rows or size)):
                cells += piece.size
                if cells > MOST_CELLS:
                    raise ConfigError(f"{self.name}: found more than {MOST_CELLS} cells; allowed: fewer rows, or fewer "
                                      "columns: its entry says inputs")
                yield pd.DataFrame({name: self._numbers(piece[name]) if name in numbers else self._words(piece[name])
                                    for name in dict.fromkeys([*numbers, *words])}, index=piece.index)
                if rows is not None and piece.index[-1] + 1 >= rows:
                    return

    def words_only(self, columns: list[str]) -> list[str]:
        """Those of the columns that have a word and no number in the first `LOOK` rows."""
        missing, columns = {*MISSING, *self.entry.missing_as}, [c for c in columns if c not in self.entry.as_numbers]
        piece = next(self.pieces([], columns, LOOK), pd.DataFrame(columns=columns))
        held = {name: piece[name].dropna() for name in columns}
        held = {name: cells[~cells.isin(missing)] for name, cells in held.items()}
        return [name for name, cells in held.items() if len(cells) and self._parsed(cells).isna().all()]

    def place(self, row: int, column: str | None = None) -> str:
        """`file.xlsx, row 17, column 'pm25'`; row -1 holds the names."""
        return f"{self.name}, row {row + 2 + self.entry.skip_lines}" + (f", column '{column}'" if column else "")

    def _names(self) -> list[str]:
        raise NotImplementedError

    def _raw(self, numbers: list[str], words: list[str], size: int) -> Iterator[pd.DataFrame]:
        raise NotImplementedError

    def _words(self, cells: pd.Series) -> pd.Series:
        held = cells.notna().to_numpy()
        text = cells if pd.api.types.is_string_dtype(cells) and not held.all() else cells.where(held, "")
        text = text.map(_as_text).astype(str).str.strip()
        missing = [*(MISSING if cells.name in self.entry.targets else [""]), *self.entry.missing_as]
        text = text.astype(object)
        return text.where(held & ~text.isin(missing), None)

    def _numbers(self, cells: pd.Series) -> np.ndarray:
        if pd.api.types.is_numeric_dtype(cells):
            known, values = cells.notna().to_numpy(), np.asarray(cells, np.float64)
        else:
            text = cells.where(cells.notna(), "").map(_as_text).astype(str).str.strip()
            known = ~text.isin([*MISSING, *self.entry.missing_as]).to_numpy()
            values = np.full(len(cells), np.nan)
            values[known] = self._parsed(text[known])
        # Beyond the largest float32, which networks compute in, a number is infinite too.
        wrong = (np.abs(values) > np.finfo(np.float32).max) | (np.isnan(values) & known)
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise self._no_number(int(cells.index[at]), cells.name, cells.iloc[at])
        return values

    def _parsed(self, text: pd.Series) -> pd.Series:
        """Texts as numbers, NaN where one is none."""
        if text.name in self.entry.as_numbers:
            return text.map(lambda cell: number_in(str(cell), self.entry.decimal)).astype(np.float64)
        if self.entry.decimal == ",":
            text = text.astype(str).str.replace(",", ".", regex=False)
        return pd.to_numeric(text, errors="coerce").astype(np.float64)

    def _no_number(self, row: int, column: str, found) -> ConfigError:
        """The answer to a cell that is no number, or an infinite one."""
        place = self.place(row, column)
        if not np.isnan(pd.to_numeric(pd.Series([found], dtype=object), errors="coerce").iloc[0]):
            return ConfigError(f"{place}: found {found}; allowed: a finite number")
        text = f"'{str(found)[:40]}'"
        return ConfigError(f"{place}: found {text}; allowed: a number; if {text} means a missing value, its entry says "
                           f"missing_as: [{text}]; if numbers of this column have signs or units, as_numbers; if it holds "
                           "words, categories (of a table) or leave_out")


class _Text(Rows):
    """`.csv`, `.tsv`, `.txt`, plain or packed. A line is counted as an editor counts it, from 1."""

    @property
    def separator(self) -> str:
        return self.entry.separator or ("\t" if ".tsv" in self.name.lower()[-8:] else ",")

    @contextmanager
    def _open(self):
        """The file's text from the line of names on."""
        with unpacked(self.path, self.name) as content:
            start = content.peek(4)[:2]
            encoding = self.entry.encoding or (
                "utf-16" if start in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
            text = io.TextIOWrapper(content, encoding=encoding, newline="")
            for _ in range(self.entry.skip_lines):
                text.readline(PIECE)
            yield text

    @contextmanager
    def _lines(self):
        with self._open() as text:
            yield csv.reader(text, delimiter=self.separator, skipinitialspace=True)

    def _names(self):
        with self._lines() as lines:
            names, *some = [[cell.strip() for cell in line] for line in (next(lines, []) for _ in range(3))]
        if names and all(is_number(name) for name in names):
            raise ConfigError(f"{self.place(-1)}: found only numbers ({', '.join(names[:3])}, …); allowed: a line with the "
                              "columns' names")
        # As R writes it, rows have names, and these have none.
        if all(len(line) == len(names) + 1 for line in some) and [line[0] for line in some] == ["1", "2"]:
            names = ["", *names]
        if len([*filter(None, names)]) == 1 and (other := next((s for s in ";\t|," if s in names[0]), None)):
            raise ConfigError(f"{self.place(-1)}: found one column, {shown(names[0][:40])}; if {shown(other)} separates "
                              f"columns, its entry must say separator: {shown(other)}")
        self._all = [name or f"\0{number}" for number, name in enumerate(names)]
        return names

    def _raw(self, numbers, words, size):
        words = [*words, *(name for name in numbers if name in self.entry.as_numbers)]
        with self._open() as text:
            # All columns are read, because pandas looks for rows that are too long only then.
            reader = pd.read_csv(
                text, sep=self.separator, names=self._all, header=0, index_col=False, dtype=dict.fromkeys(words, str),
                na_values={name: [*MISSING, *self.entry.missing_as] for name in numbers if name not in words},
                keep_default_na=False, decimal=self.entry.decimal, skipinitialspace=True,
                skip_blank_lines=len(self._all) > 1, chunksize=size)
            while (piece := self._next(reader)) is not None:
                yield piece[[*dict.fromkeys([*numbers, *words])]]

    def _next(self, reader) -> pd.DataFrame | None:
        with warnings.catch_warnings():
            # A first row that is longer than the line of names; a column of two types.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            try:
                return next(reader, None)
            except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
                with self._lines() as lines:
                    for cells in lines:
                        if len(cells) > len(self._all):
                            raise ConfigError(
                                f"{self.name}, line {lines.line_num + self.entry.skip_lines}: found {len(cells)} cells; "
                                f"allowed: {len(self._all)}, as the columns' names are") from None
                raise ConfigError(f"{self.name}: is damaged: {error}") from None

    def place(self, row, column=None):
        line = row + 2
        # A quoted cell may hold several lines, and an empty line is no row: so they are counted.
        with self._lines() as lines:
            next(lines, None)
            for number, _ in enumerate(filter(None, lines) if len(self._all) > 1 else lines) if row >= 0 else ():
                if number == row:
                    line = lines.line_num
                    break
        return f"{self.name}, line {line + self.entry.skip_lines}" + (f", column '{column}'" if column else "")


class _Arrow(Rows):
    """`.parquet` and `.feather`, which pyarrow reads; an index that pandas stored is a column."""

    def place(self, row, column=None):
        return super().place(row - 1, column) if row >= 0 else self.name

    @contextmanager
    def _open(self):
        import pyarrow.parquet

        with (pyarrow.parquet.ParquetFile(self.path) if ends(self.name, (".parquet",)) else
              pyarrow.ipc.open_file(pyarrow.OSFile(str(self.path)))) as file:
            yield file

    def _names(self):
        with self._open() as file:
            names = (file.schema_arrow if ends(self.name, (".parquet",)) else file.schema).names
        return [name for name in names if not name.startswith("__index_level_")]

    def _batches(self, names, size):
        with self._open() as file:
            if ends(self.name, (".parquet",)):
                yield from file.iter_batches(batch_size=size, columns=names, use_threads=False)
                return
            for number in range(file.num_record_batches):
                batch = file.get_batch(number).select(names)
                yield from (batch.slice(start, size) for start in range(0, batch.num_rows, size))

    def _raw(self, numbers, words, size):
        start = 0
        for batch in self._batches([*dict.fromkeys([*numbers, *words])], size):
            if batch.num_rows:
                yield batch.to_pandas(ignore_metadata=True).set_axis(range(start, start + batch.num_rows))
            start += batch.num_rows


class _Whole(Rows):
    """`.xlsx`, of which the first sheet counts, `.json`, `.jsonl` and `.npy`: what is read at once."""

    def _names(self):
        if self.path.stat().st_size > MOST_WHOLE:
            raise ConfigError(f"{self.name}: has {self.path.stat().st_size} bytes; allowed of such a file: {MOST_WHOLE}; "
                              "store the table as .csv or .parquet")
        self.frame = {".xlsx": self._excel, ".npy": self._numpy}.get(self.path.suffix.lower(), self._json)()
        return list(self.frame.columns)

    def _raw(self, numbers, words, size):
        for start in range(0, len(self.frame), size):
            yield self.frame[[*dict.fromkeys([*numbers, *words])]].iloc[start:start + size]

    def _excel(self) -> pd.DataFrame:
        import openpyxl

        with zipfile.ZipFile(self.path) as archive:
            require_moderate(archive, self.path, self.name)
        with warnings.catch_warnings(action="ignore"):
            book = openpyxl.load_workbook(self.path, read_only=True, data_only=True)
            rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)][self.entry.skip_lines:]
            book.close()
        names, *rows = rows or [[]]
        names = ["" if name is None else _as_text(name).strip() for name in names]
        rows = [row for row in rows if any(cell is not None for cell in row)]
        return pd.DataFrame(rows, columns=names, dtype=object) if rows else pd.DataFrame(columns=names)

    def _json(self) -> pd.DataFrame:
        text = self.path.read_text(encoding=self.entry.encoding or "utf-8-sig")
        held = [json.loads(line) for line in text.splitlines() if line.strip()] if ends(self.name, (".jsonl",)) else (
            json.loads(text))
        if isinstance(held, dict):
            return pd.DataFrame(held)
        if not (isinstance(held, list) and all(isinstance(one, dict) for one in held)):
            raise ConfigError(f"{self.name}: found {shown(held)}; allowed: a list of rows, {{\"column\": value, …}} each, or "
                              "a list of values for each column")
        return pd.json_normalize(held)

    def _numpy(self) -> pd.DataFrame:
        held = np.load(self.path, allow_pickle=False)
        if held.dtype.names:
            return pd.DataFrame({name: held[name] for name in held.dtype.names})
        if held.ndim != 2:
            raise ConfigError(f"{self.name}: found an array of the shape {held.shape}; allowed: (rows, columns); recordings "
                              "stand in an .npz file with their targets: np.savez('recordings.npz', x=x, y=y)")
        return pd.DataFrame(held, columns=[str(number) for number in range(1, held.shape[1] + 1)])


def open_rows(entry: FileSource, path: Path) -> Rows:
    """A file of rows and columns, as its entry says that it is written.

    Raises:
        ConfigError: it is damaged, or has no columns with names.
    """
    if ends(entry.file, (".parquet", ".feather")):
        return _Arrow(entry, path)
    return (_Whole if ends(entry.file, (".xlsx", ".json", ".jsonl", ".npy")) else _Text)(entry, path)


def require_columns(rows: Rows, key: str, names: list[str]) -> None:
    """Refuse the name of a column that a file does not have, and name the nearest."""
    for name in names:
        if name not in rows.columns:
            raise ConfigError(f"{rows.name}: {key}: there is no column '{name}'; allowed: "
                              f"{', '.join(rows.columns)}{nearest(name, rows.columns)}")


def is_number(text) -> bool:
    """Whether a cell is a number, as Python writes it."""
    return not np.isnan(pd.to_numeric(pd.Series([text], dtype=object), errors="coerce").astype(float).iloc[0])


def _as_text(value) -> str:
    """A cell as a text file would have it: whole floats and instants of a table are no exception."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@contextmanager
def readable(name: str):
    """What cannot be read is said in one message that names the file, whatever its reader ends in."""
    try:
        yield
    except ConfigError:
        raise
    except UnicodeError as error:
        raise ConfigError(f"{name}: is not UTF-8 text: {error}; its entry says encoding, such as cp1252") from None
    except ImportError as error:
        raise ConfigError(f"{name}: reading it needs the package {error.name}, which is not installed; run `make`, or "
                          "store the table as .csv.gz") from None
    except MemoryError:
        raise ConfigError(f"{name}: needs more memory than a file may; allowed: fewer rows or columns, or a smaller "
                          "file") from None
    except Exception as error:  # A damaged file ends in many ways, and so do other projects' readers.
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise ConfigError(f"{name}: is damaged: {text}") from None


def most_unpacked(path: Path) -> int:
    """How many bytes a packed file may hold."""
    return max(MOST_UNPACKED, RATIO * path.stat().st_size)


def require_moderate(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    """Refuse a packed file that holds far more than it seems to."""
    held = sum(member.file_size for member in archive.infolist())
    if held > most_unpacked(path):
        raise ConfigError(f"{name}: holds {held} bytes; allowed: at most {MOST_UNPACKED}, or {RATIO} times the size of the "
                          "packed file")


class _Bounded(io.RawIOBase):
    """Bytes that are counted while they are read, so that a small file cannot fill the memory."""

    def __init__(self, content, most: float, name: str):
        self.content, self.left, self.most, self.name = content, most, most, name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        block = self.content.read(len(buffer))
        buffer[:len(block)] = block
        self.left -= len(block)
        if self.left < 0:
            raise ConfigError(f"{self.name}: holds more than {self.most} bytes; allowed: at most {MOST_UNPACKED}, or "
                              f"{RATIO} times the size of the packed file")
        return len(block)


@contextmanager
def unpacked(path: Path, name: str) -> Iterator[io.BufferedReader]:
    """A file's unpacked content, as bytes."""
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.namelist() if not m.endswith("/") and not m.startswith("__MACOSX/")]
            if len(members) != 1:
                raise ConfigError(f"{name}: holds {len(members)} files ({', '.join(members[:5])}); allowed: one")
            with archive.open(members[0]) as content:
                yield io.BufferedReader(_Bounded(content, most_unpacked(path), name), 1 << 18)
    else:
        opener, most = {".gz": (gzip.open, most_unpacked(path)), ".xz": (lzma.open, most_unpacked(path))}.get(
            suffix, (open, float("inf")))
        with opener(path, "rb") as content:
            yield io.BufferedReader(_Bounded(content, most, name), 1 << 18)
