"""Which columns are times, in which form, and whether the rows are in their order."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.cli.ask.profile import TIME, Column, is_clock, is_hours
from pipeline.cli.ask.profile import column as profiled
from pipeline.cli.ask.question import NONE, Guess, Question, require_named
from pipeline.data.user_data.rows import Rows
from pipeline.data.user_data.times import dates
from pipeline.config.data_files import listed
from pipeline.config.errors import ConfigError

HOUR, DAY = 3_600, 86_400
#: Seconds since 1970 are between these; thousandths, between these times a thousand.
UNIX = (3e8, 4.2e9)
#: The longest time that a market is closed, in days.
CLOSED = 7
#: Steps of a grid that a person would choose, in seconds; of irregular rows it may leave this share of steps empty.
STEPS = {f"{count}{unit}": count * seconds for unit, seconds, counts in (
    ("s", 1, (1, 5, 10, 15, 30)), ("min", 60, (1, 5, 10, 15, 30)), ("h", HOUR, (1, 2, 3, 4, 6, 12)), ("D", DAY, (1, 7)))
    for count in counts}
EMPTY = 0.02


def find(guess: Guess, question: Question, rows: Rows, columns: dict[str, Column]) -> pd.Series | None:
    """Guess `time` and `time_format`; the times in seconds, NaN where one is missing. None, if there are none."""
    if question.time == NONE:
        return None
    names = require_named(rows, "TIME", question.time) if question.time else _looked_for(guess, columns)
    if not names:
        guess.said.append("no column of times was found: whether rows are in order, and none is missing, is not checked")
        return None
    first, *others = (columns[name] for name in names)
    hours = others[0].numbers if others and is_hours(others[0]) else 0
    whole = profiled(first.name, first.cells + " " + others[0].cells, ".") if others and not is_hours(others[0]) else first
    why = "its cells are dates" if not others else "dates and times of the day"
    guess.set("time", names if others else names[0], why, f"times are '{names[0]}' and '{names[1]}' together" if others else "")
    if not whole.forms and not _is_unix(whole):
        if whole.kind != "numbers":
            raise ConfigError(f"{rows.name}: time: found '{whole.cells.dropna().iloc[0]}' in column '{first.name}'; allowed: "
                              "dates in one form, such as 2024-01-31 13:00, or numbers; TIME=none where rows are in order")
        return whole.numbers
    parsed = {form: _seconds(whole.cells, form) for form in (["unix"] if _is_unix(whole) else whole.forms)}
    form = max(parsed, key=lambda one: (one is None, _evenness(parsed[one])))
    if form is not None:
        both = len({tuple(values.fillna(0)) for values in parsed.values()}) > 1
        why = f"'{whole.cells.dropna().iloc[0]}'" + ("; it could be read otherwise, with less even steps" if both else "")
        guess.set("time_format", form, why, f"times are read as {form}: {why}")
    return parsed[form] + hours * HOUR


def _looked_for(guess: Guess, columns: dict[str, Column]) -> list[str]:
    """The column whose cells are dates; with it that of the hours or times of a day, if days stand more than once."""
    free = [one for one in columns.values() if one.name not in guess.no_inputs]
    found = [one for one in free if one.kind == "dates" or one.forms or _is_unix(one)]
    if not found:
        return []
    first = max(found, key=lambda one: one.cells.nunique())
    hours = [one.name for one in free if one is not first and first.cells.duplicated().any() and (
        is_hours(one) or one.kind in ("words", "dates") and is_clock(one.cells))]
    return [first.name, *hours[:1]]


def _is_unix(one: Column) -> bool:
    values = one.numbers.dropna()
    return one.kind == "numbers" and not one.forms and bool(TIME.search(one.name)) and len(values) > 0 and any(
        (values >= UNIX[0] * unit).all() and (values <= UNIX[1] * unit).all() for unit in (1, 1_000))


def _seconds(cells: pd.Series, form: str | None) -> pd.Series:
    return (dates(cells, form) - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)


def _evenness(seconds: pd.Series) -> float:
    """The share of the commonest step, in seconds or in months."""
    times = pd.to_datetime(seconds.dropna(), unit="s")
    steps = [times.diff().dt.total_seconds().abs()]
    if times.dt.day.nunique() == 1:
        steps.append((12 * times.dt.year + times.dt.month).diff().abs())
    return max(one.value_counts(normalize=True).max() for one in steps) if len(times) > 1 else 0.0


def order(guess: Guess, question: Question, rows: Rows, columns: dict[str, Column], seconds: pd.Series | None) -> None:
    """Guess `group_by`, `newest_first` and `steps` of a series."""
    if question.group_by and question.group_by != NONE:
        guess.set("group_by", require_named(rows, "GROUP_BY", question.group_by)[0], "as was asked")
    if seconds is None:
        return
    is_date = "time_format" in guess.entry or isinstance(guess.entry.get("time"), list) or (
        columns[guess.entry["time"]].kind == "dates")
    if question.group_by is None and seconds.duplicated().any() and (name := _series_in_one(guess, columns, seconds, is_date)):
        count = columns[name].cells.nunique()
        guess.set("group_by", name, f"{count} series stand in one file; or GROUP_BY=none",
                  f"{count} series in one file, told apart by '{name}'")
    group = columns[guess.entry["group_by"]].cells if "group_by" in guess.entry else pd.Series("", seconds.index)
    steps = seconds.groupby(group, sort=False).diff()
    if (steps < 0).sum() > (steps > 0).sum():
        guess.set("newest_first", True, "the file begins with the latest row, so it is turned round",
                  "the newest row stands first: the file is turned round")
        steps = -steps
    back = steps[steps <= 0]
    if is_date and len(back) and len(back) <= max(2, len(seconds) / 2_000) and (back > -HOUR).all():
        cell = columns[listed(guess.entry["time"])[0]].cells[back.index[0]]
        guess.set("steps", "rows", f"the clock was put back at {cell}, and no row is missing by that",
                  f"the clock was put back at {cell}: each row counts as a step")
    elif is_date and not len(back) and _market(seconds[steps.index], steps):
        longest = int(steps.max() // DAY)
        guess.set("steps", "rows", f"days of trade: none is a Saturday or a Sunday, and the longest gap is {longest} days",
                  f"days of trade: each row counts as a step; the longest gap is {longest} days")
    elif is_date and not len(back) and "group_by" not in guess.entry and (grid := _grid(seconds.dropna().to_numpy())):
        span, other = f"{steps.min():g} to {steps.max():g} seconds apart", "or steps: rows, if each row is a step"
        guess.set("resample", grid, f"rows are {span}: means of each {grid}; {other}",
                  f"resample: {grid}, because rows are at irregular times, {span}; {other}")


def _series_in_one(guess: Guess, columns: dict[str, Column], seconds: pd.Series, is_date: bool) -> str | None:
    """The column of fewest words that tells apart rows of the same time."""
    back = seconds.diff()
    if is_date and (back <= 0).sum() <= max(2, len(seconds) / 2_000) and (back.dropna() > -HOUR).all():
        return None  # The clock was put back.
    found = [one for one in columns.values() if one.name not in guess.no_inputs and one.kind in ("words", "numbers")
             and 2 <= one.cells.nunique() <= len(seconds) / 2
             and not pd.DataFrame({"time": seconds, "group": one.cells}).duplicated().any()]
    return min(found, key=lambda one: (one.kind == "numbers", one.cells.nunique())).name if found else None


def _market(seconds: pd.Series, steps: pd.Series) -> bool:
    """Whether rows are days, none of them on a weekend, with a holiday now and then."""
    days = pd.DatetimeIndex(pd.to_datetime(seconds.dropna().sort_values().unique(), unit="s"))
    held = steps.dropna()
    return len(days) > 10 and bool((days.dayofweek < 5).all() and (days.normalize() == days).all()) and (
        held.max() <= CLOSED * DAY and (held == DAY).mean() > 0.6 and pd.infer_freq(days) != "B")


def _grid(seconds: np.ndarray) -> str | None:
    """Of rows of which no step is usual, the finest step of a grid that leaves few steps without a row."""
    steps = pd.Series(np.diff(np.sort(seconds)))
    months = pd.DatetimeIndex(pd.to_datetime(np.sort(seconds), unit="s")).to_period("M").astype("int64")
    if steps.value_counts(normalize=True).max() > 0.5 or np.diff(months).min() > 0:
        return None
    return next((name for name, width in STEPS.items() if len(np.unique(seconds // width)) >= (1 - EMPTY) * (
        seconds.max() // width - seconds.min() // width + 1)), None)


def in_order(seconds: pd.Series) -> bool:
    """Whether times only go forward, or only back."""
    steps = np.diff(seconds.dropna().to_numpy())
    return len(steps) > 2 and bool((steps > 0).all() or (steps < 0).all())
