"""Files with rows and named columns: every format gives the same frames."""

from __future__ import annotations

import csv
import io
import json
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config.data_files import FileSource, ends
from pipeline.config.errors import ConfigError, nearest, shown
from pipeline.data.user_data.numbers import number_in
from pipeline.data.user_data.location import readable, require_moderate, unpacked

#: Cells that are read at once.
PIECE = 2_000_000
#: So many rows say whether a column holds numbers or words.
LOOK = 1_000
#: What means a missing number in text, and a missing class; in other columns of words only an empty cell does.
MISSING = ["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL"]
#: A file has at most so many columns, in those that are read so many cells, and so many bytes if it is read at once.
MOST_COLUMNS, MOST_CELLS, MOST_WHOLE = 10_000, 300_000_000, 100_000_000


class Rows:
    """A file of rows and named columns: each format has `_names`, and `_pieces`, frames of so many rows that follow each
    other, with the cells of some columns as the file has them.

    Attributes:
        name: the file as its entry names it.
        columns: the names in the file's order; a column without a name, which holds numbers of rows or nothing, is none.
    """

    def __init__(self, entry: FileSource, path: Path):
        self.entry, self.path, self.name = entry, path, entry.file
        with readable(self.name):
            self.columns = [str(name) for name in self._names() if str(name).strip()]
        (name, times), count = Counter(self.columns or [""]).most_common(1)[0], len(self.columns)
        if times > 1 or not 0 < count <= MOST_COLUMNS:
            found = "nothing" if not count else f"the name {shown(name)} twice" if times > 1 else f"{count} columns"
            raise ConfigError(f"{self.place(-1)}: found {found}; allowed: the columns' names, each once, at most {MOST_COLUMNS}")

    def read(self, numbers: list[str], words: list[str], rows: int | None = None) -> pd.DataFrame:
        """Rows, indexed by their numbers from 0.

        Args:
            numbers: columns read as float32, NaN where a value is missing.
            words: columns read as text without spaces around it, None where a value is missing.
            rows: read only so many rows from the beginning.

        Raises:
            ConfigError: a cell of `numbers` that is no finite number, or a damaged file.
        """
        names, cells, read = list(dict.fromkeys([*numbers, *words])), 0, []
        with readable(self.name):
            for piece in self._pieces(names, numbers, max(1_000, PIECE // (len(self.columns) + 1))):
                piece, cells = piece if rows is None else piece[:rows], cells + piece.size
                if cells > MOST_CELLS:
                    raise ConfigError(f"{self.name}: found more than {MOST_CELLS} cells; allowed: fewer rows, or fewer "
                                      "columns: its entry says inputs")
                read.append(pd.DataFrame({name: (self._numbers if name in numbers else self._words)(piece[name])
                                          for name in names}, index=piece.index))
                if rows is not None:
                    break
        return pd.concat(read) if read else pd.DataFrame({name: [] for name in names}, dtype=object)

    def words_only(self, columns: list[str]) -> list[str]:
        """Those of the columns that have a word and no number in the first `LOOK` rows."""
        columns = [name for name in columns if name not in self.entry.as_numbers]
        held = {name: cells[cells.notna() & ~cells.isin([*MISSING, *self.entry.missing_as])]
                for name, cells in self.read([], columns, LOOK).items()}
        return [name for name, cells in held.items() if len(cells) and self._parsed(cells).isna().all()]

    def place(self, row: int, column: str | None = None) -> str:
        """`file.xlsx, row 17, column 'pm25'`; row -1 holds the names."""
        return f"{self.name}, row {row + 2 + self.entry.skip_lines}" + (f", column '{column}'" if column else "")

    def _words(self, cells: pd.Series) -> pd.Series:
        text = _texts(cells).astype(object)
        return text.where(~text.isin([*(MISSING if cells.name in self.entry.targets else [""]), *self.entry.missing_as]), None)

    def _numbers(self, cells: pd.Series) -> np.ndarray:
        if pd.api.types.is_numeric_dtype(cells):
            known, values = cells.notna().to_numpy(), np.asarray(cells, np.float64)
        else:
            text = _texts(cells)
            known, values = ~text.isin([*MISSING, *self.entry.missing_as]).to_numpy(), np.full(len(cells), np.nan)
            values[known] = self._parsed(text[known])
        # Beyond the largest float32, which networks compute in, a number is infinite too.
        wrong = (np.abs(values) > np.finfo(np.float32).max) | (np.isnan(values) & known)
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            place, found = self.place(int(cells.index[at]), cells.name), cells.iloc[at]
            if is_number(found):
                raise ConfigError(f"{place}: found {found}; allowed: a finite number")
            text = f"'{str(found)[:40]}'"
            raise ConfigError(f"{place}: found {text}; allowed: a number; if {text} means a missing value, its entry says "
                              f"missing_as: [{text}]; if numbers of this column have signs or units, as_numbers; if it "
                              "holds words, categories (of a table) or leave_out")
        return values.astype(np.float32)

    def _parsed(self, text: pd.Series) -> pd.Series:
        """Texts as numbers, NaN where one is none."""
        if text.name in self.entry.as_numbers:
            return text.map(lambda cell: number_in(str(cell), self.entry.decimal)).astype(np.float64)
        text = text.astype(str).str.replace(",", ".", regex=False) if self.entry.decimal == "," else text
        return pd.to_numeric(text, errors="coerce").astype(np.float64)


class _Text(Rows):
    """`.csv`, `.tsv`, `.txt`, plain or packed. A line is counted as an editor counts it, from 1."""

    @property
    def _separator(self) -> str:
        return self.entry.separator or ("\t" if ".tsv" in self.name.lower()[-8:] else ",")

    @contextmanager
    def _open(self):
        """The file's text from the line of names on."""
        with unpacked(self.path, self.name) as content:
            is_utf16 = content.read(2) in (b"\xff\xfe", b"\xfe\xff")
            content.seek(0)
            text = io.TextIOWrapper(content, self.entry.encoding or ("utf-16" if is_utf16 else "utf-8-sig"), newline="")
            for _ in range(self.entry.skip_lines):
                text.readline(PIECE)
            yield text

    @contextmanager
    def _lines(self):
        with self._open() as text:
            yield csv.reader(text, delimiter=self._separator, skipinitialspace=True)

    def _names(self):
        with self._lines() as lines:
            names, *some = [[cell.strip() for cell in line] for line in (next(lines, []) for _ in range(3))]
        if names and all(map(is_number, names)):
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

    def _pieces(self, names, numbers, size):
        plain = [name for name in numbers if name not in self.entry.as_numbers]
        with self._open() as text:
            # All columns are read, because pandas looks for rows that are too long only then.
            reader = pd.read_csv(
                text, sep=self._separator, names=self._all, header=0, index_col=False,
                dtype={name: str for name in names if name not in plain}, decimal=self.entry.decimal,
                na_values=dict.fromkeys(plain, [*MISSING, *self.entry.missing_as]), keep_default_na=False,
                skipinitialspace=True, skip_blank_lines=len(self._all) > 1, chunksize=size)
            while (piece := self._next(reader)) is not None:
                yield piece[names]

    def _next(self, reader) -> pd.DataFrame | None:
        with warnings.catch_warnings():
            # A first row that is longer than the line of names; a column of two types.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            try:
                return next(reader, None)
            except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
                with self._lines() as lines:
                    cells = next((len(line) for line in lines if len(line) > len(self._all)), None)
                    place = f"{self.name}, line {lines.line_num + self.entry.skip_lines}"
                raise ConfigError(f"{place}: found {cells} cells; allowed: {len(self._all)}, as the columns' names are"
                                  if cells else f"{self.name}: is damaged: {error}") from None

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

    def _open(self):
        import pyarrow.parquet

        return pyarrow.parquet.ParquetFile(self.path) if ends(self.name, (".parquet",)) else (
            pyarrow.ipc.open_file(pyarrow.OSFile(str(self.path))))

    def _names(self):
        with self._open() as file:
            schema = getattr(file, "schema_arrow", file.schema)
        return [name for name in schema.names if not name.startswith("__index_level_")]

    def _pieces(self, names, numbers, size):
        start = 0
        with self._open() as file:
            batches = file.iter_batches(size, columns=names, use_threads=False) if ends(self.name, (".parquet",)) else (
                file.get_batch(number).select(names) for number in range(file.num_record_batches))
            for batch in batches:
                for at in range(0, batch.num_rows, size):
                    piece = batch.slice(at, size).to_pandas(ignore_metadata=True)
                    yield piece.set_axis(range(start, start + len(piece)))
                    start += len(piece)


class _Whole(Rows):
    """`.xlsx`, of which the first sheet counts, `.json`, `.jsonl` and `.npy`: what is read at once."""

    def _names(self):
        if self.path.stat().st_size > MOST_WHOLE:
            raise ConfigError(f"{self.name}: has {self.path.stat().st_size} bytes; allowed of such a file: {MOST_WHOLE}; "
                              "store the table as .csv or .parquet")
        self.frame = {".xlsx": self._excel, ".npy": self._numpy}.get(self.path.suffix.lower(), self._json)()
        return list(self.frame.columns)

    def _pieces(self, names, numbers, size):
        yield from (self.frame[names].iloc[start:start + size] for start in range(0, len(self.frame), size))

    def _excel(self) -> pd.DataFrame:
        import openpyxl

        with zipfile.ZipFile(self.path) as archive:
            require_moderate(sum(member.file_size for member in archive.infolist()), self.path, self.name)
        with warnings.catch_warnings(action="ignore"):
            book = openpyxl.load_workbook(self.path, read_only=True, data_only=True)
            names, *rows = [*book.worksheets[0].iter_rows(values_only=True)][self.entry.skip_lines:] or [[]]
            book.close()
        return pd.DataFrame([row for row in rows if any(cell is not None for cell in row)], dtype=object,
                            columns=["" if name is None else _as_text(name).strip() for name in names])

    def _json(self) -> pd.DataFrame:
        text = self.path.read_text(encoding=self.entry.encoding or "utf-8-sig")
        held = [json.loads(line) for line in text.splitlines() if line.strip()] if ends(self.name, (".jsonl",)) else (
            json.loads(text))
        if isinstance(held, dict) or isinstance(held, list) and all(isinstance(one, dict) for one in held):
            return pd.DataFrame(held) if isinstance(held, dict) else pd.json_normalize(held)
        raise ConfigError(f"{self.name}: found {shown(held)}; allowed: a list of rows, {{\"column\": value, …}} each, or a "
                          "list of values for each column")

    def _numpy(self) -> pd.DataFrame:
        held = np.load(self.path, allow_pickle=False)
        if held.dtype.names or held.ndim == 2:
            return pd.DataFrame({name: held[name] for name in held.dtype.names} if held.dtype.names else {
                str(number): column for number, column in enumerate(held.T, 1)})
        raise ConfigError(f"{self.name}: found an array of the shape {held.shape}; allowed: (rows, columns); recordings stand "
                          "in an .npz file with their targets: np.savez('recordings.npz', x=x, y=y)")


def open_rows(entry: FileSource, path: Path) -> Rows:
    """A file of rows and columns, as its entry says that it is written.

    Raises:
        ConfigError: it is damaged, or has no columns with names.
    """
    whole = ends(entry.file, (".xlsx", ".json", ".jsonl", ".npy"))
    return (_Arrow if ends(entry.file, (".parquet", ".feather")) else _Whole if whole else _Text)(entry, path)


def require_columns(rows: Rows, key: str, names: list[str]) -> None:
    """Refuse the name of a column that a file does not have, and name the nearest."""
    for name in names:
        if name not in rows.columns:
            raise ConfigError(f"{rows.name}: {key}: there is no column '{name}'; allowed: "
                              f"{', '.join(rows.columns)}{nearest(name, rows.columns)}")


def is_number(text) -> bool:
    """Whether a cell is a number, as Python writes it."""
    return not np.isnan(pd.to_numeric(pd.Series([text], dtype=object), errors="coerce").astype(float).iloc[0])


def _texts(cells: pd.Series) -> pd.Series:
    """Cells as text without spaces around it, empty where a value is missing."""
    return cells.astype(object).where(cells.notna(), "").map(_as_text).astype(str).str.strip()


def _as_text(value) -> str:
    """A cell as a text file would have it: whole floats and instants of a table are no exception."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
