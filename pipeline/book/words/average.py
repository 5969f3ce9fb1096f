"""An average in words: the change, its interval, on how many sets, and what to expect on another."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pipeline.book.words.comparison import RATIOS, change
from pipeline.book.words.numbers import count, short, signed
from pipeline.config.metrics import Metric, metric_of
from pipeline.tables.schemas import TRIVIAL


def finding(row: Mapping) -> str:
    """An average in a few words, e.g. "7 % more error on average (+2 to +12 %), worse on 9 of 20
    sets, better on 1; on another set −6 to +22 %".

    Args:
        row: of the averages, with `scale` (that of its effects) besides, and `minus` where these are
            differences of two changes.
    """
    parts = [f"{changed(row)}, {counts(row)}", elsewhere(row)]
    return "; ".join(part for part in parts if part)


def changed(row: Mapping) -> str:
    """The change of the score with its interval; a bound above 0 is more of it."""
    metric = metric_of(row["metric"])
    middle, low, high = (_change(row, row[name]) for name in ("mean", "low", "high"))
    low, high = sorted((low, high))
    unit = unit_of(row)
    ends = f"{signed(low)} to {signed(high, unit)}"
    if row.get("minus"):
        return (f"the change of the {metric.score} lies {short(abs(middle))}{unit} "
                f"{'lower' if middle < 0 else 'higher'} than that of the other comparison ({ends})")
    where = "on average" if row["units"] > 1 else "on the one set measured"
    if not round(abs(middle), 1 if abs(middle) < 9.95 else 0):
        return f"{_no_change(metric)} {where} ({ends})"
    return f"{_amount(abs(middle), unit, middle < 0, row, metric)} {where} ({ends})"


def counts(row: Mapping) -> str:
    """On how many sets the change was worse and better, the more frequent first.

    On how many units, where a unit has several sets.
    """
    names = ("larger", "smaller") if not metric_of(row["metric"]).judged else ("better", "worse")
    found = sorted(zip(names, (int(row["better"]), int(row["worse"])), strict=True), key=lambda one: -one[1])
    (first, many), (second, few) = found
    total = int(row["units"])
    noun = "set" if int(row["sets"]) == total else "unit"
    if total == 1:
        return f"clearly {first}" if many else f"not clearly {names[0]} or {names[1]}"
    if not many:
        return f"{first} or {second} on none of {total} {noun}s"
    return f"{first} on {many} of {count(total, noun)}, {second} on {few or 'none'}"


def elsewhere(row: Mapping) -> str:
    """Where the change falls on another set, in about four of five; empty where nothing says so."""
    ends = [_change(row, row[name]) for name in ("range_low", "range_high")]
    if not row["family"] or not all(math.isfinite(end) for end in ends):
        return ""
    low, high = sorted(ends)
    return f"on another set {signed(low)} to {signed(high, unit_of(row))}"


def unit_of(row: Mapping) -> str:
    """The unit of a change, with the blank before it; empty of a measure that has none."""
    if row["scale"] in RATIOS:
        return " %"
    unit = metric_of(row["metric"]).unit
    return f" {unit}" if unit else ""


def _change(row: Mapping, effect: float) -> float:
    if not math.isfinite(effect):
        return effect
    return change(effect, row["metric"], row["scale"])


def _amount(size: float, unit: str, fewer: bool, row: Mapping, metric: Metric) -> str:
    """How much more or less of the score there is."""
    less, more = (metric.less, metric.more) if row["metric"] != "error" else ("less", "more")
    name = "error" if row["metric"] == "error" else metric.name
    than = f" than the {TRIVIAL}" if row["control"] == TRIVIAL else ""
    return f"{short(size)}{unit} {less if fewer else more} {name}{than}"


def _no_change(metric: Metric) -> str:
    return f"as {'many' if metric.more == 'more' else 'much'} {metric.name.removeprefix('test ')}"
