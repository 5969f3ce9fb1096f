"""A comparison in words: its change of the score, its interval, its direction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum

import numpy as np
import pandas as pd

from pipeline.book.words.numbers import factor, short, signed
from pipeline.spec.metrics import Metric, metric_of
from pipeline.spec.tables import TRIVIAL
from pipeline.verdicts.rule import Rule

#: Scales whose effects are logarithms of ratios.
RATIOS = ("log ratio", "median")
#: The letter of a label, where there is little room; undecided has none.
LETTERS = {"better": "B", "worse": "W", "equivalent": "E"}


class Way(StrEnum):
    """The direction of a comparison."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    UNCLEAR = "unclear"


def direction(cell: Mapping) -> Way:
    """Better or worse where the whole interval is on one side of zero, the same where it lies within
    the margin, else unclear."""
    if cell["label"] == "equivalent":
        return Way.SAME
    return {"+": Way.BETTER, "-": Way.WORSE}.get(cell["sign"], Way.UNCLEAR)


def directions(cells: pd.DataFrame) -> list[Way]:
    """The direction of every row."""
    return [direction({"label": label, "sign": sign})
            for label, sign in zip(cells["label"], cells["sign"], strict=True)]


def counted(cells: pd.DataFrame) -> pd.DataFrame:
    """The comparisons that can show something, the best first."""
    informative = cells["position"] != "uninformative"
    return cells[informative & np.isfinite(cells["effect"].astype(float))].sort_values(
        "effect", ascending=False, kind="stable")


def better(metric: Metric) -> str:
    """What a score with a positive effect is: lower, more, …"""
    return metric.less if metric.lower else metric.more


def worse(metric: Metric) -> str:
    """What a score with a negative effect is."""
    return metric.more if metric.lower else metric.less


def change(effect: float, metric: str, scale: str) -> float:
    """An effect as the change of the score: in per cent for ratios, else in the score's unit.

    Args:
        effect: as in a table of cells, positive = better.
        metric: of the cell; an unknown one is a measure, whose effect is its change.
        scale: `log ratio`, `median`, `difference` or `share`.
    """
    score = metric_of(metric)
    if scale in RATIOS:
        return 100 * math.expm1(score.turn * effect)
    return score.turn * score.factor * effect


def interval(cell: Mapping) -> str:
    """A comparison's change of the score with its interval, in few characters."""
    middle, *ends = (change(float(cell[k]), cell["metric"], cell["scale"])
                     for k in ("effect", "low", "high"))
    low, high = sorted(ends)
    unit = " %" if cell["scale"] in RATIOS else ""
    return f"{signed(middle, unit)} ({signed(low)} to {signed(high, unit)})"


def sentence(cell: Mapping, rule: Rule = Rule()) -> str:
    """A cell in words, e.g. "12 % lower test error (95 % interval 8 % to 16 %)".

    Args:
        cell: a row of `cells` or `comparisons`.
        rule: for the confidence; the interval holds for all cells of the claim together.
    """
    if not math.isfinite(float(cell["effect"])):
        return f"no effect can be computed: {cell['why']}"
    metric = metric_of(cell["metric"])
    say = _medians if metric.scale == "median" else _interaction if cell["minus_treatment"] else (
        _parameters if cell["metric"] == "parameters" else _plain)
    kind = "one-sided bounds" if cell["control"] == TRIVIAL else "interval"
    return say(cell, metric, f"{short(100 * (1 - rule.alpha))} % {kind}")


def _ends(cell: Mapping) -> tuple[float, float, float]:
    return tuple(float(cell[name]) for name in ("effect", "low", "high"))


def _medians(cell: Mapping, metric: Metric, confidence: str) -> str:
    effect, low, high = map(factor, _ends(cell))
    than = "that of the other contrast" if cell["minus_treatment"] else "the control's"
    gain = "the gain in the " if cell["minus_treatment"] else ""
    return f"{gain}{metric.name} is {effect} times {than} (median; {confidence} {low} to {high})"


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
