"""What the columns of a file hold: numbers, dates, words, or nothing; and which of them are times."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeline.data.user_data.numbers import NUMBER, TIMES, number_in
from pipeline.data.user_data.rows import MISSING
from pipeline.data.user_data.times import dates

#: A column with this share of numbers holds numbers, and its few odd words mean missing values.
NUMBERS, ODD_WORDS = 0.95, 20
#: So many different cells say how a column is written.
SOME = 1_000
_DAYS = [*("".join(order).replace("/", separator) for separator in "./-" for order in itertools.chain(
    itertools.product(("%d/%m/", "%m/%d/"), ("%Y", "%y")), [("%Y/%m/%d",)])),
    "%Y%m%d", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%d/%b/%Y", "%a, %d %b %Y",
    "%b-%y", "%b-%Y", "%b %Y", "%B %Y", "%Y-%m", "%Y/%m", "%m/%Y", "%Y%m", "%YQ%q", "%Y-Q%q", "%Y Q%q", "Q%q %Y", "Q%q-%Y"]
_TIMES = ["", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S %Z", "T%H:%M:%S", " %H:%M %Z", " %H:%M:%S.%f"]
_FORMS = [f"{day}{time}" for time in _TIMES for day in _DAYS]
#: What dates and numbers begin with, so that words are not tried as either.
_DATE = re.compile(r"(?=.*\d)[\w/.,: +-]{4,40}\Z")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?\Z")
#: Names of columns of times, and of hours of a day.
TIME = re.compile(r"time|date|stamp|day|month|period|quarter|datum|zeit|fecha|utc", re.I)
HOUR = re.compile(r"\A(hour|hr|h|time|stunde|hora|heure)\w{0,4}\Z", re.I)


@dataclass
class Column:
    """What a column holds.

    Attributes:
        cells: as text, None where nothing stands.
        kind: 'numbers', 'words', 'dates', 'mixed' (numbers and many words) or 'empty'.
        numbers: float64, NaN where a cell is none.
        odd: of a column of numbers, the words among them, which mean missing values.
        signed: whether signs or units stand beside the numbers.
        forms: the forms in which all its cells are dates.
    """

    name: str
    cells: pd.Series
    kind: str
    numbers: pd.Series
    odd: list[str] = field(default_factory=list)
    signed: bool = False
    forms: list[str | None] = field(default_factory=list)

    @property
    def missing(self) -> pd.Series:
        """Which cells hold no value."""
        return self.numbers.isna() if self.kind == "numbers" else self.cells.isna()


def column(name: str, cells: pd.Series, decimal: str) -> Column:
    """What a column holds."""
    held = cells[cells.notna() & ~cells.isin(MISSING)]
    if not len(held):
        return Column(name, cells, "empty", pd.Series(np.nan, cells.index))
    counts = held.value_counts()
    plain = counts.index.to_series().astype(str)
    plain = plain.str.replace(",", ".", regex=False) if decimal == "," else plain
    parsed = pd.to_numeric(plain, errors="coerce").astype(float)
    units = {unit_in(cell, decimal) for cell in counts.index[:SOME]}
    signs = parsed.isna().any() and len(units - {""}) <= 1
    if signs:
        parsed = parsed.fillna(counts.index.to_series().map(lambda cell: number_in(str(cell), decimal)))
    share = counts[parsed.notna().to_numpy()].sum() / counts.sum()
    odd = [str(cell) for cell in counts.index[parsed.isna().to_numpy()]]
    numbers = cells.map(parsed.to_dict()).astype(float)
    if share >= NUMBERS and len(odd) <= ODD_WORDS and (not odd or counts.sum() >= 20):
        signed = bool(signs and (pd.to_numeric(plain, errors="coerce").isna() & parsed.notna().to_numpy()).any())
        # Of numbers, ISO 8601 would be read as numbers again.
        forms = [form for form in _forms(counts.index[:SOME]) if form] if TIME.search(name) else []
        return Column(name, cells, "numbers", numbers, odd, signed, forms)
    forms = _forms(counts.index[:SOME])
    return Column(name, cells, "dates" if forms else "mixed" if share > 0.5 and len(odd) > ODD_WORDS else "words", numbers,
                  forms=forms)


def _forms(cells) -> list[str | None]:
    """The forms in which all of some cells are dates."""
    cells = pd.Series([str(cell) for cell in cells])
    if not cells.map(lambda cell: bool(_DATE.match(cell))).all():
        return []
    shape = _shape(cells.iloc[0])
    return [form for form in (None, *_FORMS) if (form is None or shape == _shape(re.sub(
        "%[a-zA-Z]", lambda one: "a" if one[0] in ("%b", "%B", "%a", "%p", "%Z") else "0", form)))
        and dates(cells, form).notna().all()]


def _shape(text: str) -> str:
    """A text with a letter for each word and a digit for each number: dates of one form have one shape."""
    return re.sub(r"\d+", "0", re.sub(r"[^\W\d_]+", "a", text))


def unit_in(text: str, decimal: str = ".") -> str:
    """What stands behind the number in a text, but for what multiplies it."""
    match = NUMBER[decimal].match(text.strip())
    unit = (match["unit"] or "").strip() if match else ""
    return "" if unit in TIMES else unit


def is_clock(cells: pd.Series) -> bool:
    """Whether all cells are times of a day, as 13:00 or 1:00 PM."""
    return bool(cells.dropna().map(lambda cell: bool(_CLOCK.match(str(cell)))).all())


def is_hours(found: Column) -> bool:
    """Whether a column holds the hours of a day."""
    values = found.numbers.dropna()
    return bool(found.kind == "numbers" and HOUR.match(found.name) and len(values) and (values == values.round()).all()
                and values.between(0, 24).all())
