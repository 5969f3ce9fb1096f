"""Columns of times → whole microseconds, checked to go forward in even steps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.data.user_data.rows import Rows
from pipeline.config.errors import ConfigError
from pipeline.config.data_files import FileSource, listed

SECOND = 1_000_000
#: Numbers of a larger size do not fit into 64 bits.
LARGEST = 9e12
#: Steps of a grid that a person would choose, in seconds.
STEPS = {f"{count}{unit}": count * seconds for unit, seconds, counts in (
    ("s", 1, (1, 5, 10, 15, 30)), ("min", 60, (1, 5, 10, 15, 30)), ("h", 3_600, (1, 2, 3, 4, 6, 12)), ("D", 86_400, (1, 7)))
    for count in counts}
#: A grid of irregular rows may leave this share of its steps empty.
EMPTY = 0.02


class Times:
    """Reads the column of times of a file, or its columns of dates and of hours, piece by piece.

    Times are dates, as ISO 8601 writes them or as the entry's `time_format` says, or numbers in a unit of their own;
    either become microseconds (of that unit), dates since 1970, in universal time.
    """

    def __init__(self, entry: FileSource, rows: Rows):
        self.entry, self.rows, self.form, self.columns = entry, rows, entry.time_format, listed(entry.time)
        self.dates: bool | None = True if self.form or len(self.columns) > 1 else None

    def read(self, piece: pd.DataFrame) -> np.ndarray:
        """The times of a piece, int64.

        Raises:
            ConfigError: a cell that is no time.
        """
        cells = piece[self.columns[0]]
        if self.dates is None:
            self.dates = bool(pd.to_numeric(cells, errors="coerce").isna().any())
        if self.dates:
            return self._dates(cells, *(piece[name] for name in self.columns[1:]))
        numbers = np.asarray(pd.to_numeric(cells, errors="coerce"), np.float64)
        self._require(~(np.abs(numbers) < LARGEST), cells, f"a number, as in the rows before it, below {LARGEST:g}")
        return np.round(numbers * SECOND).astype(np.int64)

    def _dates(self, cells: pd.Series, day: pd.Series | None = None) -> np.ndarray:
        hours = pd.to_numeric(day, errors="coerce") if day is not None else None
        whole = cells if day is None or hours.notna().all() else cells + " " + day
        try:
            times = dates(whole, self.form)
        except (ValueError, KeyError, OverflowError) as error:
            raise ConfigError(f"{self.rows.name}: time_format: found {self.form!r}; allowed: a form such as "
                              f"'%d.%m.%Y %H:%M' ({' '.join(str(error).split())[:100]})") from None
        if day is not None and hours.notna().all():
            times = times + pd.to_timedelta(hours.to_numpy(), unit="h")
        self._require(times.isna().to_numpy(), whole, f"a date as '{self.form}' reads it" if self.form else
                      "a date such as 2024-01-31 13:00, or numbers; for another form its entry says time_format")
        return times.dt.tz_localize(None).astype("datetime64[us]").to_numpy().astype(np.int64)

    def _require(self, wrong, cells: pd.Series, allowed: str) -> None:
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            place = self.rows.place(int(cells.index[at]), self.columns[0])
            raise ConfigError(f"{place}: found {str(cells.iloc[at])!r}; allowed: {allowed}")

    def text(self, time: int) -> str:
        """A time as a person writes it."""
        return str(np.datetime64(int(time), "us").item()) if self.dates else f"{time / SECOND:g}"

    def width(self, step: str | float) -> int:
        """Microseconds of a step such as '1h', or a number in the unit of number times.

        Raises:
            ConfigError: a step that fits the times in no way.
        """
        width = 0 if isinstance(step, str) or self.dates else round(step * SECOND)
        allowed = f"a number, in the unit of column '{self.columns[0]}'"
        if self.dates:
            allowed = "a length of time such as 10min, 1h or 1D, because the times are dates"
            try:
                width = pd.Timedelta(step) // pd.Timedelta(1, "us") if isinstance(step, str) else 0
            except (ValueError, OverflowError):
                width = 0
        if not width > 0:
            raise ConfigError(f"{self.rows.name}: resample: found {step!r}; allowed: {allowed}")
        return int(width)

    def check(self, frame: pd.DataFrame, segments: np.ndarray) -> None:
        """Refuse times that do not go forward in even steps inside a segment.

        Months and years, which are of unequal length, count as steps of one length, and so do the days from Monday to
        Friday.

        Args:
            frame: the rows, indexed by their numbers in the file, with `time` as `read` gives it.
            segments: the first row's position of each segment, ascending.
        """
        times = frame["time"].to_numpy()
        inside = np.ones(max(0, len(times) - 1), bool)
        inside[segments[1:] - 1] = False
        steps = np.diff(times)
        back = np.flatnonzero(inside & (steps <= 0))
        if len(back):
            raise self._wrong_order(frame, int(back[0]), (steps[inside] < 0).mean() > 0.5)
        months = _months(times) if self.dates and inside.any() else None
        steps = steps if months is None else np.diff(months)
        usual = int(pd.Series(steps[inside]).mode().iloc[0]) if inside.any() else 0
        uneven = inside & (np.abs(steps - usual) > (0 if self.dates else usual / 1000))
        if not uneven.any() or (self.dates and len(segments) == 1 and _workdays(times)):
            return
        at = int(np.flatnonzero(uneven)[0])
        length = self._length if months is None else "{} months".format
        grid = None if months is not None else self._grid(times, usual, (steps[inside] == usual).mean())
        hint = f"; resample: {grid} in its entry makes a regular grid, in which rows may be missing" if grid else ""
        raise ConfigError(
            f"{self.rows.place(int(frame.index[at + 1]), self.columns[0])}: found a step of {length(steps[at])}, from "
            f"{self.text(times[at])} to {self.text(times[at + 1])}; allowed: {length(usual)}, as most steps are{hint}; "
            "or steps: rows, if each row is a step", remedy={"resample": grid} if grid else {})

    def _wrong_order(self, frame: pd.DataFrame, at: int, turned: bool) -> ConfigError:
        first, second = frame["time"].iloc[at], frame["time"].iloc[at + 1]
        place = self.rows.place(int(frame.index[at + 1]), self.columns[0])
        what = "a second time" if first == second else "after a later time"
        if getattr(self.entry, "group_by", None) or "recording" in frame:
            what += f" in group '{frame['recording' if 'recording' in frame else 'group'].iloc[at]}'"
        hint = "sort the file, and keep one row a time; or its entry says group_by, of several series in one file"
        if turned:
            hint = "its entry says newest_first: true"
        elif self.dates and abs(second - first) < 3_600 * SECOND and self.text(second)[11:13] in ("00", "01", "02", "03"):
            hint = "if the clock was put back then, its entry says steps: rows"
        return ConfigError(f"{place}: found '{self.text(second)}' {what}; allowed: later than the row before it; {hint}")

    def _length(self, step: int) -> str:
        if not self.dates:
            return f"{step / SECOND:g}"
        return str(pd.Timedelta(int(step), "us")).removeprefix("0 days ").removesuffix(" 00:00:00")

    def _grid(self, times: np.ndarray, usual: int, share: float) -> str | float:
        """The usual step; where no step is usual, the finest that leaves few steps without a row."""
        if not self.dates:
            return usual / SECOND
        if share < 0.5:
            for name, seconds in STEPS.items():
                width = seconds * SECOND
                if len(np.unique(times // width)) >= (1 - EMPTY) * (times[-1] // width - times[0] // width + 1):
                    return name
        unit, seconds = next((one for one in (("D", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
                              if usual % (one[1] * SECOND) == 0), ("us", 1 / SECOND))
        return f"{round(usual / SECOND / seconds)}{unit}"


def dates(cells: pd.Series, form: str | None) -> pd.Series:
    """Texts as dates in universal time, NaT where one is none.

    Args:
        form: as `time_format` has it; None for ISO 8601.
    """
    if form == "unix":
        return pd.to_datetime(pd.to_numeric(cells, errors="coerce"), unit="s", utc=True, errors="coerce")
    if form and "%q" in form:  # The first month of a quarter.
        cells = cells.astype(str).str.replace(r"(?<=Q)[1-4]", lambda match: f"{3 * int(match[0]) - 2:02}", regex=True)
    form = form.replace("%q", "%m") if form else "ISO8601"
    return pd.to_datetime(cells, format=form, utc=True, errors="coerce")


def _months(times: np.ndarray) -> np.ndarray | None:
    """Months since year 0, of dates all on the same day of a month, or on its first or last days, as those of trade are."""
    days = pd.DatetimeIndex(times.astype("datetime64[us]"))
    left = days.days_in_month - days.day
    if not ((days.day == days.day[0]).all() or left.max() <= 3 or days.day.max() <= 4) or not (
            days.time == days.time[0]).all():
        return None
    return (12 * days.year + days.month).to_numpy()


def _workdays(times: np.ndarray) -> bool:
    return len(times) > 2 and pd.infer_freq(pd.DatetimeIndex(times.astype("datetime64[us]"))) == "B"
