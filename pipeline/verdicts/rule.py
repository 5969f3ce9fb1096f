"""The rule: its constants, its margins, and where an interval lies."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

import pandas as pd

from pipeline.spec.params import Verdicts

REGIONS = ("better", "worse", "equivalent", "not_worse", "not_better", "differs", "positive")
LABELS = ("better", "worse", "equivalent", "undecided")


def _constant(value, says: str):
    return field(default=value, metadata={"says": says})


@dataclass(frozen=True)
class Rule:
    """The constants of the verdict rule; `rule` takes those that params.yaml sets, validated, from it."""

    alpha: float = _constant(0.05, "chance of a miss, shared by the cells of a claim")
    ratio_margin: float = _constant(
        1.10, "ratio of mean squared errors, log-losses or error rates that matters")
    error_rate_margin: float = _constant(0.005, "least difference of error rates that matters")
    epochs_margin: float = _constant(1.25, "ratio of epochs to target that matters")
    divergence_margin: float = _constant(
        0.10, "difference of the shares of diverged seeds that matters")
    recall_margin: float = _constant(0.10, "difference of minority recall that matters")
    calibration_margin: float = _constant(0.02, "difference of calibration error that matters")
    target_factor: float = _constant(
        1.1, "the target is the control's median best validation loss times this")
    unreached_share: float = _constant(
        0.20, "share of seeds short of the target above which a cell is open")
    diverged_share: float = _constant(
        0.10, "share of diverged seeds above which a cell counts as worse or open")
    trivial_share: float = _constant(
        0.8, "the control's error over the trivial predictor's above which a cell is "
        "uninformative")
    test_errors: int = _constant(
        20, "test errors of an arm, all seeds together, below which a cell is uninformative")
    measure_seeds: int = _constant(10, "least number of seeds of a measure")
    majority: float = _constant(0.5, "share of the informative cells that `generally` asks for")
    least_cells: int = _constant(
        2, "cells that `generally` asks for at least, where there are as many")
    margin_halved: float = _constant(0.5, "factor of the narrower margin of robustness")
    margin_doubled: float = _constant(2.0, "factor of the wider margin of robustness")
    power: float = _constant(0.8, "chance with which the smallest detectable effect is detected")

    def table(self) -> pd.DataFrame:
        """Every constant: columns `name`, `value`, `says`."""
        return pd.DataFrame({
            "name": [one.name for one in fields(self)],
            "value": pd.Series([getattr(self, one.name) for one in fields(self)], dtype=object),
            "says": [one.metadata["says"] for one in fields(self)]})


def margin(kind: str, rule: Rule, control_mean: float = math.nan) -> float:
    """The least effect that matters, on the effect's own scale.

    Args:
        kind: `ratio` (mean squared error, log-loss), `error rate`, `epochs`, `divergence`,
            `recall`, `calibration`, or `measure` (0).
        rule: the constants.
        control_mean: mean error rate of the control, 0..1, for `error rate`.

    Raises:
        ValueError: unknown kind.
    """
    ratio = math.log(rule.ratio_margin)
    if kind == "error rate":
        if not control_mean > 0:
            return ratio
        return max(ratio, math.log1p(rule.error_rate_margin / control_mean))
    margins = {"ratio": ratio, "epochs": math.log(rule.epochs_margin),
               "divergence": rule.divergence_margin, "recall": rule.recall_margin,
               "calibration": rule.calibration_margin, "measure": 0.0}
    if kind not in margins:
        raise ValueError(f"margin must be one of error rate, {', '.join(margins)}. "
                         f"Received: {kind!r}")
    return margins[kind]


def label_of(low: float, high: float, margin: float) -> str:
    """better (above the margin), worse (below its negative), equivalent, else undecided."""
    if low > margin:
        return "better"
    if high < -margin:
        return "worse"
    return "equivalent" if low > -margin and high < margin else "undecided"


def sign(low: float, high: float) -> str:
    """'+' or '-' where the interval excludes 0, else ''."""
    return "+" if low > 0 else "-" if high < 0 else ""


def position_of(low: float, high: float, margin: float, region: str) -> str:
    """`for` if the interval lies inside the region, `against` if outside it, else `open`.

    Raises:
        ValueError: unknown region.
    """
    inside = {"better": low > margin,
              "worse": high < -margin,
              "equivalent": low > -margin and high < margin,
              "not_worse": low > -margin,
              "not_better": high < margin,
              "differs": low > margin or high < -margin,
              "positive": low > 0}
    outside = {"better": high <= margin,
               "worse": low >= -margin,
               "equivalent": low >= margin or high <= -margin,
               "not_worse": high <= -margin,
               "not_better": low >= margin,
               "differs": low >= -margin and high <= margin,
               "positive": high <= 0}
    if region not in inside:
        raise ValueError(f"region must be one of {', '.join(REGIONS)}. Received: {region!r}")
    return "for" if inside[region] else "against" if outside[region] else "open"


def rule(section: Verdicts) -> Rule:
    """The constants of the rule, with those that the section `verdicts` of params.yaml sets."""
    return Rule(alpha=round(1 - section.confidence, 12), ratio_margin=round(1 + section.margin, 12))
