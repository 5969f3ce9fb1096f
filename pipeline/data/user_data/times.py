"""Columns of times → whole microseconds, checked to go forward in even steps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.config.data_files import FileSource, listed
from pipeline.config.errors import ConfigError
from pipeline.data.user_data.rows import Rows

SECOND = 1_000_000
#: Numbers of a larger size do not fit into 64 bits.
LARGEST = 9e12


class Times:
    """Reads the column of times of a file, or its columns of dates and of hours, piece by piece.

    Times are dates, as ISO 8601 writes them or as the entry's `time_format` says, or numbers in a unit of their own;
    either become microseconds (of that unit), dates since 1970, in universal time.
    """

    def __init__(self, entry: FileSource, rows: Rows):
        self.entry, self.rows, self.form, self.columns = entry, rows, entry.time_format, listed(entry.time)
        self.dates: bool | None = True if self.form or len(self.columns) > 1 else None

    def read(self, piece: pd.DataFrame) -> np.ndarray:
        """The times of a piece, int64; ConfigError, if a cell is none."""
        cells, *day = (piece[name] for name in self.columns)
        if self.dates is None:
            self.dates = bool(pd.to_numeric(cells, errors="coerce").isna().any())
        if self.dates:
            hours = pd.to_numeric(day[0], errors="coerce") if day else pd.Series(0, cells.index)
            cells = cells + " " + day[0] if hours.isna().any() else cells
            times = dates(cells, self.form) + pd.to_timedelta(hours.fillna(0), unit="h")
            wrong, numbers = times.isna(), times.dt.tz_localize(None).astype("datetime64[us]").to_numpy().astype(np.int64)
        else:
            numbers = np.asarray(pd.to_numeric(cells, errors="coerce"), np.float64)
            wrong = pd.Series(~(np.abs(numbers) < LARGEST))
            numbers = np.round(np.where(wrong, 0, numbers) * SECOND).astype(np.int64)
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            allowed = (f"a number, as in the rows before it, below {LARGEST:g}" if not self.dates else
                       f"a date as '{self.form}' reads it" if self.form else
                       "a date such as 2024-01-31 13:00, or numbers; for another form its entry says time_format")
            raise ConfigError(f"{self.rows.place(int(cells.index[at]), self.columns[0])}: found {str(cells.iloc[at])!r}; "
                              f"allowed: {allowed}")
        return numbers

    def text(self, time: int) -> str:
        """A time as a person writes it."""
        return str(np.datetime64(int(time), "us").item()) if self.dates else f"{time / SECOND:g}"

    def width(self, step: str | float) -> int:
        """Microseconds of a step such as '1h', or a number in the unit of number times; ConfigError, if it fits neither."""
        try:
            width = round(step * SECOND) if not self.dates else pd.Timedelta(step) // pd.Timedelta(1, "us") if (
                isinstance(step, str)) else 0
        except (TypeError, ValueError, OverflowError):
            width = 0
        if not width > 0:
            allowed = ("a length of time such as 10min, 1h or 1D, because the times are dates" if self.dates else
                       f"a number, in the unit of column '{self.columns[0]}'")
            raise ConfigError(f"{self.rows.name}: resample: found {step!r}; allowed: {allowed}")
        return int(width)

    def check(self, frame: pd.DataFrame, segments: np.ndarray) -> None:
        """Refuse times that do not go forward in even steps inside a segment.

        Months and the like, which are of unequal length, are even steps, and so are the days from Monday to Friday.

        Args:
            frame: the rows, indexed by their numbers in the file, with `time` as `read` gives it.
            segments: the first row's position of each segment, ascending.
        """
        times = frame["time"].to_numpy()
        months = _months(times) if self.dates else None
        inside, steps = np.ones(max(0, len(times) - 1), bool), np.diff(times if months is None else months)
        inside[segments[1:] - 1] = False
        usual = int(pd.Series(steps[inside]).mode().iloc[0]) if inside.any() else 0
        uneven = inside & (np.abs(steps - usual) > (0 if self.dates else usual / 1000))
        back = np.flatnonzero(inside & (np.diff(times) <= 0))
        if not len(back) and (not uneven.any() or self.dates and all(map(_workdays, np.split(times, segments[1:])))):
            return
        at = int(back[0] if len(back) else np.flatnonzero(uneven)[0])
        first, second = self.text(times[at]), self.text(times[at + 1])
        place = self.rows.place(int(frame.index[at + 1]), self.columns[0])
        if len(back):
            named = next((f" in group '{frame[key].iloc[at]}'" for key in ("recording", "group")
                          if key in frame and frame[key].iloc[at] != ""), "")
            hint = "sort the file, and keep one row a time; or its entry says group_by, of several series in one file"
            if (np.diff(times)[inside] < 0).mean() > 0.5:
                hint = "its entry says newest_first: true"
            elif self.dates and times[at] - times[at + 1] < 3_600 * SECOND and second[11:13] in ("00", "01", "02", "03"):
                hint = "if the clock was put back then, its entry says steps: rows"
            raise ConfigError(f"{place}: found '{second}' {'a second time' if first == second else 'after a later time'}{named}"
                              f"; allowed: later than the row before it; {hint}")
        grid = None if months is not None else ("resample", self._resample(usual))
        hint = f"resample: {grid[1]} in its entry makes a regular grid, in which rows may be missing; or " if grid else ""
        one, most = (f"{step} months" if months is not None else self._length(step) for step in (steps[at], usual))
        raise ConfigError(f"{place}: found a step of {one}, from {first} to {second}; allowed: {most}, as most steps are; "
                          f"{hint}steps: rows, if each row is a step", remedy=grid)

    def _length(self, step: int) -> str:
        return str(pd.Timedelta(int(step), "us")).removeprefix("0 days ").removesuffix(" 00:00:00") if self.dates else (
            f"{step / SECOND:g}")

    def _resample(self, step: int) -> str | float:
        units = (("D", 86_400), ("h", 3_600), ("min", 60), ("s", 1), ("us", 1 / SECOND))
        return step / SECOND if not self.dates else next(
            f"{round(step / SECOND / seconds)}{unit}" for unit, seconds in units if step % round(seconds * SECOND) == 0)


def dates(cells: pd.Series, form: str | None) -> pd.Series:
    """Texts as dates in universal time, NaT where one is none.

    Args:
        form: as `time_format` has it, with %q for a quarter, of which the first month counts, and `unix` for seconds or
            thousandths since 1970; None for ISO 8601.

    Raises:
        ConfigError: there is no such form.
    """
    if form == "unix":
        numbers = pd.to_numeric(cells, errors="coerce")
        return pd.to_datetime(numbers, unit="ms" if numbers.abs().max() > 1e11 else "s", utc=True, errors="coerce")
    if form and "%q" in form:
        cells = cells.astype(str).str.replace(r"(?<=Q)[1-4]", lambda match: f"{3 * int(match[0]) - 2:02}", regex=True)
    try:
        return pd.to_datetime(cells, format=form.replace("%q", "%m") if form else "ISO8601", utc=True, errors="coerce")
    except (ValueError, KeyError, OverflowError) as error:
        raise ConfigError(f"time_format: found {form!r}; allowed: a form such as '%d.%m.%Y %H:%M' "
                          f"({' '.join(str(error).split())[:100]})") from None


def _months(times: np.ndarray) -> np.ndarray | None:
    """Months since year 0, of dates all on the same day of a month, or on its first or last days, as those of trade are."""
    days = pd.DatetimeIndex(times.astype("datetime64[us]"))
    months = (12 * days.year + days.month).to_numpy()
    same = days.day.nunique() == 1 or (days.days_in_month - days.day).max() <= 3 or days.day.max() <= 4
    return months if same and len({*days.time}) == 1 and np.diff(months).all() else None


def _workdays(times: np.ndarray) -> bool:
    return len(times) < 3 or pd.infer_freq(pd.DatetimeIndex(times.astype("datetime64[us]"))) == "B"
