"""The rule's constants, once; the method chapter prints them from here."""

import math
from dataclasses import dataclass, field, fields, replace

import pandas as pd

from pipeline.config.schema import Verdicts


def _constant(value, says: str, low: float, high: float):
    return field(default=value, metadata={"says": says, "low": low, "high": high})


@dataclass(frozen=True)
class Rule:
    """The constants of the rule.

    Raises:
        ValueError: a constant outside its range, by name.
    """

    confidence: float = _constant(0.95, "confidence of every interval", 0.5, 0.999)
    ratio_margin: float = _constant(1.10, "ratio of errors or losses that matters", 1.001, 10)
    epochs_margin: float = _constant(1.25, "ratio of epochs to the target that matters", 1.001, 10)
    share_margin: float = _constant(
        0.10, "difference of the shares of diverged or failed seeds, or of minority recall, that matters", 0.001, 1)
    calibration_margin: float = _constant(0.02, "difference of calibration error that matters", 0.001, 1)
    target_factor: float = _constant(
        1.1, "the target of a pair of runs is the greater of their least validation losses times this", 1, 10)
    range_share: float = _constant(0.8, "share of other data sets that the range for another set is made for", 0.5, 0.999)
    least_units: int = _constant(
        8, "units that an average needs to speak of data like these; fewer are named sets, and the words hold on "
        "these sets", 3, 100)
    fewest_seeds: int = _constant(10, "seeds on which a set must have a measure of layers", 2, 1000)
    q_level: float = _constant(
        0.05, "q value (Benjamini and Yekutieli) above which a difference may be luck among all comparisons", 0, 1)
    failed_share: float = _constant(0.9, "the error over the trivial predictor's above which a seed has failed", 0, 1)
    usable_share: float = _constant(
        0.5, "a learning rate is usable to a seed that keeps this share of what the network, at its best rate, gains "
        "over the trivial predictor", 0, 1)
    competent: float = _constant(
        1.05, "a control is competent, if its error is at most that of the best simple predictor times this", 1, 10)
    mean_prior: float = _constant(
        0.2, "standard deviation of the prior of an average effect, N(0, ·²), where the margin is ln 1.10; it scales "
        "with the margin", 0.001, 10)
    spread_prior: float = _constant(
        0.1, "scale of the prior of the spread between sets, half-normal; it scales with the margin", 0.001, 10)
    low_error: float = _constant(0.07, "error of a control below which the multiverse leaves its unit out once", 0, 1)
    high_error: float = _constant(
        0.8, "error of a control over the trivial predictor's above which the multiverse leaves its unit out once", 0, 1)
    narrower_margin: float = _constant(2 / 3, "factor of the narrower margin of the multiverse", 0, 1)
    wider_margin: float = _constant(1.5, "factor of the wider margin of the multiverse", 1, 10)

    def __post_init__(self):
        for one in fields(self):
            value, low, high = getattr(self, one.name), one.metadata["low"], one.metadata["high"]
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not (number and low <= value <= high):
                raise ValueError(f"verdicts.{one.name}: found {value!r}; allowed: a number from {low:g} to {high:g}")

    @property
    def tail(self) -> float:
        """Chance of a miss on each side of an interval, 0.025."""
        return (1 - self.confidence) / 2

    def shared(self, members: int) -> "Rule":
        """The rule for one of several intervals that share the chance of a miss (Bonferroni)."""
        return self if members <= 1 else replace(self, confidence=1 - (1 - self.confidence) / members)

    def margin(self, kind: str) -> float:
        """The least effect that matters, δ, on the effect's own scale.

        Args:
            kind: as `Metric.margin`: `ratio` (errors, log-losses), `epochs`, `divergence` (failures too),
                `recall`, `calibration`, or `measure` (0).

        Raises:
            ValueError: unknown kind.
        """
        margins = {"ratio": math.log(self.ratio_margin), "epochs": math.log(self.epochs_margin),
                   "divergence": self.share_margin, "recall": self.share_margin,
                   "calibration": self.calibration_margin, "measure": 0.0}
        if kind not in margins:
            raise ValueError(f"margin must be one of {', '.join(margins)}. Received: {kind!r}")
        return margins[kind]

    def table(self) -> pd.DataFrame:
        """Every constant: columns `name`, `value`, `says`."""
        return pd.DataFrame({
            "name": [one.name for one in fields(self)],
            "value": pd.Series([getattr(self, one.name) for one in fields(self)], dtype=object),
            "says": [one.metadata["says"] for one in fields(self)]})


def rule(section: Verdicts) -> Rule:
    """The constants, with those that params.yaml sets."""
    return Rule(confidence=section.confidence, ratio_margin=round(1 + section.margin, 12))
