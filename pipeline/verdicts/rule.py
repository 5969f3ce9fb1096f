"""The rule's constants, once; the method chapter prints them from here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace

import pandas as pd

from pipeline.config.schema import Verdicts


def _constant(value, says: str, low: float, high: float):
    return field(default=value, metadata={"says": says, "low": low, "high": high})


@dataclass(frozen=True)
class Rule:
    """The constants of the verdict rule.

    Raises:
        ValueError: a constant outside its range, by name.
    """

    confidence: float = _constant(
        0.95, "confidence of every interval; 1 less this, shared by K units, is the chance with "
        "which any of them is wrongly proven to lie beyond the margin", 0.5, 0.999)
    ratio_margin: float = _constant(1.10, "ratio of errors or losses that matters", 1.001, 10)
    epochs_margin: float = _constant(1.25, "ratio of epochs to target that matters", 1.001, 10)
    share_margin: float = _constant(
        0.10, "difference of the shares of diverged or failed seeds, or of minority recall, that "
        "matters", 0.001, 1)
    calibration_margin: float = _constant(
        0.02, "difference of calibration error that matters", 0.001, 1)
    target_factor: float = _constant(
        1.1, "the target of a pair of runs is the greater of their least validation losses times "
        "this", 1, 10)
    range_share: float = _constant(
        0.8, "share of other data sets that the range for another set is made for", 0.5, 0.999)
    least_units: int = _constant(
        8, "units that an average over a family needs; fewer are judged as named sets, and the words "
        "hold on these sets", 3, 100)
    fewest_seeds: int = _constant(10, "seeds on which a set must have the measure", 2, 1000)
    strata_level: float = _constant(
        0.01, "p value (Welch's t test) below which two strata differ, and each gets its own verdict; the "
        "two then share the chance of a miss, so that each has intervals of half of it", 0, 1)
    q_level: float = _constant(
        0.05, "q value (Benjamini and Hochberg) up to which a verdict becomes advice", 0, 1)
    marked_share: float = _constant(
        0.9, "the error over the trivial predictor's above which a control's set is marked, and a seed "
        "has failed; errors and losses above the trivial predictor's count as that one's", 0, 1)
    narrower_margin: float = _constant(2 / 3, "factor of the narrower margin of robustness", 0, 1)
    wider_margin: float = _constant(1.5, "factor of the wider margin of robustness", 1, 10)
    power: float = _constant(
        0.8, "chance with which the smallest average that can be found is found", 0.5, 0.999)

    def __post_init__(self):
        for one in fields(self):
            value, low, high = getattr(self, one.name), one.metadata["low"], one.metadata["high"]
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not (number and low <= value <= high):
                raise ValueError(f"verdicts.{one.name}: found {value!r}; "
                                 f"allowed: a number from {low:g} to {high:g}")

    @property
    def tail(self) -> float:
        """Chance of a miss on each side of an interval, 0.025."""
        return (1 - self.confidence) / 2

    def proven_tail(self, units: int) -> float:
        """One-sided level at which one of K units is proven to lie beyond the margin, 0.05 / 2K."""
        return self.tail / units

    def shared(self, groups: int) -> Rule:
        """The rule for one of several groups that share the chance of a miss (Bonferroni)."""
        return self if groups == 1 else replace(self, confidence=1 - (1 - self.confidence) / groups)

    def table(self) -> pd.DataFrame:
        """Every constant: columns `name`, `value`, `says`."""
        return pd.DataFrame({
            "name": [one.name for one in fields(self)],
            "value": pd.Series([getattr(self, one.name) for one in fields(self)], dtype=object),
            "says": [one.metadata["says"] for one in fields(self)]})


def margin(kind: str, rule: Rule) -> float:
    """The least effect that matters, δ, on the effect's own scale.

    Args:
        kind: as `Metric.margin`: `ratio` (errors, log-losses), `epochs`, `divergence` (failures
            too), `recall`, `calibration`, or `measure` (0).

    Raises:
        ValueError: unknown kind.
    """
    margins = {"ratio": math.log(rule.ratio_margin), "epochs": math.log(rule.epochs_margin),
               "divergence": rule.share_margin, "recall": rule.share_margin,
               "calibration": rule.calibration_margin, "measure": 0.0}
    if kind not in margins:
        raise ValueError(f"margin must be one of {', '.join(margins)}. Received: {kind!r}")
    return margins[kind]


def rule(section: Verdicts) -> Rule:
    """The constants, with those that params.yaml sets."""
    return Rule(confidence=section.confidence, ratio_margin=round(1 + section.margin, 12))
