"""A column of times → whole microseconds, checked to go forward in even steps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.data.user_data.rows import Rows
from pipeline.spec.base import ConfigError

SECOND = 1_000_000
#: Numbers of a larger size do not fit into 64 bits.
LARGEST = 9e12


class Clock:
    """Reads a column of times piece by piece.

    Times are dates, as ISO 8601 writes them or as `form` says, or numbers in a unit of their own;
    either become microseconds (of that unit), dates since 1970, in universal time.
    """

    def __init__(self, rows: Rows, column: str, form: str | None = None, group: str | None = None):
        self.rows, self.column, self.form, self.group = rows, column, form, group
        self.dates: bool | None = True if form else None
        self._last: dict = {}

    def read(self, piece: pd.DataFrame) -> np.ndarray:
        """The times of a piece, int64.

        Raises:
            ConfigError: a cell that is no time, or no later than the one before it in its group.
        """
        cells = piece[self.column]
        if self.dates is None:
            self.dates = bool(pd.to_numeric(cells, errors="coerce").isna().any())
        times = self._dates(cells) if self.dates else self._numbers(cells)
        self._check_order(piece, times)
        return times

    def _dates(self, cells: pd.Series) -> np.ndarray:
        try:
            times = pd.to_datetime(cells, format=self.form or "ISO8601", utc=True, errors="coerce")
        except (ValueError, KeyError, OverflowError) as error:
            raise ConfigError(f"{self.rows.name}: time_format: found {self.form!r}; allowed: a form such as "
                              f"'%d.%m.%Y %H:%M' ({' '.join(str(error).split())[:100]})") from None
        if times.isna().any():
            as_form = f"a date as '{self.form}' reads it"
            hint = "a date such as 2024-01-31 13:00, or numbers; for another form its entry says time_format"
            raise self._wrong(cells, times.isna(), as_form if self.form else hint)
        return times.dt.tz_localize(None).astype("datetime64[us]").to_numpy().astype(np.int64)

    def _numbers(self, cells: pd.Series) -> np.ndarray:
        numbers = np.asarray(pd.to_numeric(cells, errors="coerce"), np.float64)
        wrong = ~(np.abs(numbers) < LARGEST)
        if wrong.any():
            raise self._wrong(cells, wrong, f"a number, as in the rows before it, below {LARGEST:g}")
        return np.round(numbers * SECOND).astype(np.int64)

    def _wrong(self, cells: pd.Series, wrong, allowed: str) -> ConfigError:
        first = int(np.flatnonzero(wrong)[0])
        place = self.rows.place(int(cells.index[first]), self.column)
        return ConfigError(f"{place}: found {str(cells.iloc[first])!r}; allowed: {allowed}")

    def _check_order(self, piece: pd.DataFrame, times: np.ndarray) -> None:
        groups = piece[self.group].to_numpy() if self.group else np.zeros(len(piece), int)
        for group, where in pd.Series(range(len(piece))).groupby(groups, sort=False).indices.items():
            mine = times[where]
            before = np.concatenate([[self._last.get(group, np.iinfo(np.int64).min)], mine[:-1]])
            back = np.flatnonzero(mine <= before)
            if len(back):
                at, cells = where[back[0]], piece[self.column]
                what = "a second time" if mine[back[0]] == before[back[0]] else "after a later time"
                inside = f" in group '{group}'" if self.group else ""
                raise ConfigError(f"{self.rows.place(int(piece.index[at]), self.column)}: found "
                                  f"'{cells.iloc[at]}' {what}{inside}; allowed: later than the row before "
                                  "it; sort the file, and keep one row a time")
            self._last[group] = mine[-1]

    def text(self, time: int) -> str:
        """A time as a person writes it."""
        return str(np.datetime64(int(time), "us").item()) if self.dates else f"{time / SECOND:g}"

    def width(self, step: str | float, place: str) -> int:
        """Microseconds of a step such as '1h', or a number in the unit of number times.

        Raises:
            ConfigError: a step that fits the times in no way.
        """
        if self.dates:
            try:
                length = pd.Timedelta(step) if isinstance(step, str) else pd.Timedelta(0)
                width = 0 if pd.isna(length) else length // pd.Timedelta(1, "us")
            except (ValueError, OverflowError):
                width = 0
            allowed = "a length of time such as 10min, 1h or 1D, because the times are dates"
        else:
            width = 0 if isinstance(step, str) else round(step * SECOND)
            allowed = f"a number, in the unit of column '{self.column}'"
        if width < 1:
            raise ConfigError(f"{place}: resample: found {step!r}; allowed: {allowed}")
        return width

    def require_even(self, frame: pd.DataFrame, segments: np.ndarray) -> None:
        """Refuse steps of unequal length inside a segment.

        Months and years, which are of unequal length, count as steps of one length, and so do the days
        from Monday to Friday.

        Args:
            frame: the rows, indexed by their numbers in the file, with `time` as `read` gives it.
            segments: the first row's position of each segment, ascending.
        """
        times = frame["time"].to_numpy()
        inside = np.ones(max(0, len(times) - 1), bool)
        inside[segments[1:] - 1] = False
        if not inside.any():
            return
        months = _months(times) if self.dates else None
        steps = np.diff(times if months is None else months)
        usual = int(pd.Series(steps[inside]).mode().iloc[0])
        uneven = inside & (np.abs(steps - usual) > (0 if self.dates else usual / 1000))
        if not uneven.any() or (self.dates and len(segments) == 1 and _workdays(times)):
            return
        at = int(np.flatnonzero(uneven)[0])
        length = self._length if months is None else "{} months".format
        hint = "" if months is not None else (
            f"; resample: {self._resample(usual)} in its entry makes a regular grid, in which rows may be "
            "missing")
        raise ConfigError(
            f"{self.rows.place(int(frame.index[at + 1]), self.column)}: found a step of {length(steps[at])}, "
            f"from {self.text(times[at])} to {self.text(times[at + 1])}; allowed: {length(usual)}, as most "
            f"steps are{hint}")

    def _length(self, step: int) -> str:
        if not self.dates:
            return f"{step / SECOND:g}"
        return str(pd.Timedelta(int(step), "us")).removeprefix("0 days ").removesuffix(" 00:00:00")

    def _resample(self, step: int) -> str:
        if not self.dates:
            return f"{step / SECOND:g}"
        for unit, seconds in (("D", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
            if step % (seconds * SECOND) == 0:
                return f"{step // (seconds * SECOND)}{unit}"
        return f"{step}us"


def _months(times: np.ndarray) -> np.ndarray | None:
    """Months since year 0, of dates that are all on the same day of a month, or all on the last."""
    dates = pd.DatetimeIndex(times.astype("datetime64[us]"))
    same = dates.is_month_end.all() or (dates.day == dates.day[0]).all()
    if not same or not (dates.time == dates.time[0]).all():
        return None
    return (12 * dates.year + dates.month).to_numpy()


def _workdays(times: np.ndarray) -> bool:
    dates = pd.DatetimeIndex(times.astype("datetime64[us]"))
    return len(dates) > 2 and pd.infer_freq(dates) == "B"
