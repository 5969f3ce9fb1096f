"""How far an undecided claim is from a decision, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.book.words.comparison import RATIOS, change
from pipeline.book.words.numbers import short, signed
from pipeline.config.metrics import metric_of

SUPPORTED, CONTRADICTED, NO_EFFECT = "supported", "contradicted", "no effect that matters"
#: Region → what would decide it: the verdict, and the ends of the interval that must lie beyond a line.
#: A line is 0, or the margin with its sign.
LINES = {
    "better": ((SUPPORTED, {"low": 0}), (CONTRADICTED, {"high": 0}), (NO_EFFECT, {"high": 1})),
    "worse": ((SUPPORTED, {"high": 0}), (CONTRADICTED, {"low": 0}), (NO_EFFECT, {"low": -1})),
    "equivalent": ((SUPPORTED, {"low": -1, "high": 1}), (CONTRADICTED, {"low": 1}), (CONTRADICTED, {"high": -1})),
    "not_worse": ((SUPPORTED, {"low": -1}), (CONTRADICTED, {"high": -1})),
    "not_better": ((SUPPORTED, {"high": 1}), (CONTRADICTED, {"low": 1})),
    "differs": ((SUPPORTED, {"low": 0}), (SUPPORTED, {"high": 0}), (NO_EFFECT, {"low": -1, "high": 1}))}
#: More than so many times the units are not named.
FAR = 10
LINES["positive"] = LINES["better"]


@dataclass(frozen=True)
class Missed:
    """A verdict that an interval does not reach.

    Attributes:
        verdict: that verdict.
        end, line: the end of the interval that misses most, and the line that it should lie beyond.
        by: how far it is from that line, above 0.
        units: about how many units would reach it, were the average and the spread to stay.
    """

    verdict: str
    end: str
    line: float
    by: float
    units: int


def missed(region: str, average: Mapping) -> list[Missed]:
    """What would decide an averaged claim, the nearest first; only what its average itself allows.

    The interval's half width scales with one over the root of the number of units.

    Args:
        region: of the prediction.
        average: with `mean`, `low`, `high`, `margin`, `units`.
    """
    half, found = (average["high"] - average["low"]) / 2, []
    for verdict, ends in LINES[region]:
        # How far the average itself lies beyond each line, and how far the interval's end does.
        rooms = {end: (average["mean"] - line * average["margin"]) * (1 if end == "low" else -1)
                 for end, line in ends.items()}
        if min(rooms.values()) <= 0:
            continue
        end = min(rooms, key=rooms.get)
        units = math.ceil(average["units"] * (half / rooms[end]) ** 2)
        found.append(Missed(verdict, end, ends[end] * average["margin"], half - rooms[end], units))
    return sorted((one for one in found if one.by > 0), key=lambda one: one.units)


def distance(region: str, average: Mapping) -> str:
    """How far an undecided claim is from each verdict that its average allows, as Markdown.

    Args:
        average: a row of the averages, with `scale`.
    """
    return "\n".join(_line(one, average) for one in missed(region, average))


def _line(one: Missed, average: Mapping) -> str:
    metric, scale = average["metric"], average["scale"]
    end, line = (change(value, metric, scale) for value in (average[one.end], one.line))
    unit = " %" if scale in RATIOS else (f" {metric_of(metric).unit}" if metric_of(metric).unit else "")
    gap = short(abs(end - line)) if abs(end - line) >= 0.05 else f"{abs(end - line):.1g}"
    gap += " percentage points" if scale in RATIOS else unit
    which = "lower" if end < change(average["mean"], metric, scale) else "upper"
    more = one.units - int(average["units"])
    reach = (f"With the same average and spread, about {more} more units would do it" if one.units <= FAR * average["units"]
             else f"With the same average and spread, not even {FAR} times as many units would do it")
    return (f"- *{one.verdict}*: the interval's {which} end, {signed(end, unit)}, would have to lie beyond "
            f"{signed(line, unit)}; it misses that by {gap}. {reach}.")
