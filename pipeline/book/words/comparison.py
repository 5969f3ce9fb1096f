"""An effect on one data set in words: the change of the score, its interval, its direction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum

import numpy as np
import pandas as pd

from pipeline.book.words.numbers import factor, short, signed
from pipeline.verdicts.rule import Rule
from pipeline.config.metrics import Metric, metric_of
from pipeline.tables.schemas import TRIVIAL

#: Scales whose effects are logarithms of ratios.
RATIOS = ("log ratio",)


class Way(StrEnum):
    """The direction of an effect."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    UNCLEAR = "unclear"


def direction(row: Mapping) -> Way:
    """Better or worse where the whole interval is on one side of zero, the same where it lies within
    the margin, else unclear."""
    low, high = float(row["low"]), float(row["high"])
    if low > 0 or high < 0:
        return Way.BETTER if low > 0 else Way.WORSE
    return Way.SAME if -row["margin"] < low and high < row["margin"] else Way.UNCLEAR


def by_effect(effects: pd.DataFrame) -> pd.DataFrame:
    """The effects that could be computed, the best first."""
    return effects[np.isfinite(effects["y"].astype(float))].sort_values("y", ascending=False, kind="stable")


def better(metric: Metric) -> str:
    """What a score with a positive effect is: lower, more, …"""
    return metric.less if metric.lower else metric.more


def worse(metric: Metric) -> str:
    """What a score with a negative effect is."""
    return metric.more if metric.lower else metric.less


def change(effect: float, metric: str, scale: str) -> float:
    """An effect as the change of the score: in per cent for ratios, else in the score's unit.

    Args:
        effect: as in a table of effects, positive = better.
        metric: of the effect; an unknown one is a measure, whose effect is its change.
        scale: `log ratio`, `difference` or `share`.
    """
    score = metric_of(metric)
    if scale in RATIOS:
        return 100 * math.expm1(score.turn * effect)
    return score.turn * score.factor * effect


def interval(row: Mapping, effect: str = "y") -> str:
    """A change of the score with its interval, in few characters.

    Args:
        row: with `metric`, `scale`, `low`, `high`, and the effect.
        effect: the effect's column.
    """
    middle, *ends = (change(float(row[k]), row["metric"], row["scale"]) for k in (effect, "low", "high"))
    low, high = sorted(ends)
    score = metric_of(row["metric"]).unit
    unit = " %" if row["scale"] in RATIOS else f" {score}" if score else ""
    return f"{signed(middle, unit)} ({signed(low)} to {signed(high, unit)})"


def sentence(row: Mapping, rule: Rule = Rule()) -> str:
    """An effect in words, e.g. "12 % lower test error (95 % interval 8 % to 16 %)".

    Args:
        row: of the table of effects.
        rule: for the confidence.
    """
    if not math.isfinite(float(row["y"])):
        return "no effect can be computed"
    metric = metric_of(row["metric"])
    say = _interaction if row["minus_treatment"] else _parameters if row["metric"] == "parameters" else _plain
    return say(row, metric, f"{short(100 * rule.confidence)} % interval")


def _ends(cell: Mapping) -> tuple[float, float, float]:
    return tuple(float(cell[name]) for name in ("y", "low", "high"))


def _interaction(cell: Mapping, metric: Metric, confidence: str) -> str:
    if metric.scale == "log ratio":
        effect, low, high = map(factor, _ends(cell))
        return (f"{metric.name}: the ratio of control to treatment is {effect} times that "
                f"of the other contrast ({confidence} {low} to {high})")
    effect, low, high = (f"{metric.factor * v:+.3g}".replace("-", "−") for v in _ends(cell))
    unit = f" {metric.unit}" if metric.unit else ""
    gain = "change" if metric.margin == "measure" else "gain"
    return (f"{metric.name}: the {gain} differs from that of the other contrast by "
            f"{effect}{unit} ({confidence} {low} to {high}{unit})")


def _parameters(cell: Mapping, metric: Metric, confidence: str) -> str:
    effect, _, _ = _ends(cell)
    return _amount(effect, cell, metric, True) + f" {metric.name}" if effect else "as many parameters"


def _plain(cell: Mapping, metric: Metric, confidence: str) -> str:
    effect, low, high = _ends(cell)
    both = low < 0 < high
    if effect < 0 and not both:
        low, high = high, low  # The smaller change first.
    bounds = " to ".join(_amount(v, cell, metric, both) for v in (low, high))
    than = f" than the {TRIVIAL}" if cell["control"] == TRIVIAL else ""
    return f"{_amount(effect, cell, metric, True)} {metric.name}{than} ({confidence} {bounds})"


def _amount(value: float, cell: Mapping, metric: Metric, word: bool) -> str:
    """How far apart two scores are, e.g. "12 % lower"; the word is left out where it was just said."""
    if cell["scale"] == "log ratio":
        amount = f"{short(abs(100 * math.expm1(-value)))} %"
    elif metric.unit and cell["control"] != TRIVIAL:
        number = short(abs(metric.factor * value))
        amount = f"{number} {metric.unit.removesuffix('s') if number == '1' else metric.unit}"
    else:
        amount = f"{abs(value):.3g}"
    return f"{amount} {better(metric) if value >= 0 else worse(metric)}" if word else amount
