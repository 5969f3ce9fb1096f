"""Why a cell may not show what its interval says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.spec.metrics import METRICS, Metric, metric_of
from pipeline.verdicts.arms import Arm
from pipeline.verdicts.effects import difference, log_ratio
from pipeline.verdicts.estimate import Estimate
from pipeline.verdicts.rule import Rule, label_of, position_of, sign
from pipeline.verdicts.scores import scores_of


class Reason(Enum):
    """Why a cell stands where it stands, in the words that are stored."""

    NEAR_TRIVIAL = "the control's error exceeds {rule.trivial_share:g} of the trivial predictor's"
    FEW_ERRORS = "an arm made under {rule.test_errors} test errors in total"
    FEW_SEEDS = "{seeds} seeds have the measure; it needs {rule.measure_seeds}"
    ALL_DIVERGED = "every seed of every arm diverged"
    CONSTANT = "the difference is the same on every seed"
    NO_RATIO = "a mean of 0 has no ratio"
    UNREACHED = "over {unreached:.0f} % of an arm never reached the target"
    DIVERGED = "over {diverged:.0f} % of an arm diverged, so it may only count as worse"
    ONE_FUNCTION = "the same on every seed: one function"
    BLIND = "half the data did no worse, so the set cannot show that there is no difference"
    IT_DIVERGED = "every seed diverged"
    IT_MOSTLY_DIVERGED = "over {diverged:.0f} % diverged, so it may only count as worse"

    @property
    def position(self) -> str:
        """`uninformative`, `open`, or '' where the interval keeps its say."""
        if self in (Reason.NEAR_TRIVIAL, Reason.FEW_ERRORS):
            return "uninformative"
        return "" if self is Reason.ONE_FUNCTION else "open"

    def text(self, rule: Rule, seeds: int = 0) -> str:
        """The stored words, with the rule's numbers."""
        return self.value.format(rule=rule, seeds=seeds, unreached=100 * rule.unreached_share,
                                 diverged=100 * rule.diverged_share)


@dataclass(frozen=True)
class Side:
    """One arm of a cell: its runs on its data set, and whether the targets there are classes."""

    arm: Arm
    data: str
    runs: pd.DataFrame
    classes: bool

    @property
    def diverged(self) -> float:
        """The share of seeds that diverged, 0..1."""
        return float(self.runs["diverged"].mean())


@dataclass(frozen=True, eq=False)
class Seen:
    """What a cell has measured, for the guards to judge.

    Attributes:
        where: the place and the arms, for messages.
        metric, endpoint, region: what is compared, and what is predicted ('' without a claim).
        sides: treatment and control, then those of a second contrast.
        scores: `(control, treatment)` of each contrast, towards better, `(seeds,)` each.
        estimate: None where a measure has too few seeds.
        margin: on the effect's own scale.
        unreached: the largest share of seeds short of the target, 0..1.
        blind: whether half the data did no worse on a data set of the cell.
        identity: whether the arms may give the same on every seed.
    """

    where: str
    metric: str
    endpoint: str
    region: str
    sides: Sequence[Side]
    scores: Sequence[tuple[np.ndarray, np.ndarray]]
    estimate: Estimate | None
    margin: float
    unreached: float = 0.0
    blind: bool = False
    identity: bool = False

    @property
    def spec(self) -> Metric:
        return metric_of(self.metric)

    @property
    def seeds(self) -> int:
        return len(self.scores[0][0])

    @property
    def bounds(self) -> tuple[float, float, float]:
        """Effect, lower and upper bound; NaN without an estimate."""
        one = self.estimate
        return (float(one.effect), float(one.low), float(one.high)) if one else (math.nan,) * 3

    @property
    def label(self) -> str:
        return label_of(*self.bounds[1:], self.margin)

    @property
    def sign(self) -> str:
        return sign(*self.bounds[1:])

    @property
    def stand(self) -> str:
        """Where the interval lies by the predicted region; '' without one."""
        return position_of(*self.bounds[1:], self.margin, self.region) if self.region else ""

    @property
    def all_diverged(self) -> bool:
        return all(side.diverged == 1 for side in self.sides)

    @cached_property
    def constant(self) -> bool:
        """Whether a contrast, or the difference of the two, does not vary over the seeds.

        Shares, medians and counts of parameters may.
        """
        if self.estimate is None or self.metric == "parameters" or (
                self.spec.scale not in ("log ratio", "difference")):
            return False
        return is_constant(self.scores, self.estimate, self.spec.scale)

    @property
    def identical(self) -> bool:
        """Whether the arms are one function, as their claim says."""
        return self.identity and self.constant and self.bounds[0] == 0


def is_constant(scores, estimate: Estimate, scale: str) -> bool:
    """Whether the contributions of a pair, or their difference, do not vary over the seeds."""
    spreads = [float(estimate.spread)]
    for control, treatment in scores:
        ratio = scale == "log ratio"
        _, w = (log_ratio if ratio else difference)(control, treatment)
        size = 1.0 if ratio else max(np.abs(control).max(), np.abs(treatment).max(), 1e-300)
        spreads.append(float(w.std(ddof=1) / size))
    return any(not spread > 1e-12 for spread in spreads)


# Guards: each says why a cell does not show what its interval says, or None.

def uninformative(seen: Seen, rule: Rule) -> Reason | None:
    """A control near the trivial predictor, or an arm with hardly an error, shows nothing."""
    if not seen.spec.skill:
        return None
    for control in seen.sides[1::2]:
        mean = scores_of(control.runs, "error", seen.endpoint, seen.where).mean()
        if mean > rule.trivial_share * control.runs["trivial_error"].mean():
            return Reason.NEAR_TRIVIAL
    for side in seen.sides:
        if side.classes:
            errors = scores_of(side.runs, "error", seen.endpoint, seen.where)
            if round(float((errors * side.runs["test_size"].to_numpy()).sum())) < rule.test_errors:
                return Reason.FEW_ERRORS
    return None


def few_seeds(seen: Seen, rule: Rule) -> Reason | None:
    """A measure that too few seeds have."""
    return Reason.FEW_SEEDS if seen.estimate is None else None


def constant(seen: Seen, rule: Rule) -> Reason | None:
    """Nothing varies, so the interval has no width to trust."""
    if not seen.constant or seen.identical:
        return None
    if seen.all_diverged:
        return Reason.ALL_DIVERGED
    return None if seen.unreached > rule.unreached_share else Reason.CONSTANT


def no_ratio(seen: Seen, rule: Rule) -> Reason | None:
    return None if math.isfinite(seen.bounds[0]) else Reason.NO_RATIO


def unreached(seen: Seen, rule: Rule) -> Reason | None:
    return Reason.UNREACHED if seen.unreached > rule.unreached_share else None


def diverged(seen: Seen, rule: Rule) -> Reason | None:
    """Where too many seeds diverged, only a treatment that is worse for it is a finding."""
    if seen.spec.margin == "divergence" or seen.metric == "parameters":
        return None
    shares = [side.diverged for side in seen.sides]
    worse_counts = (seen.label == "worse" and seen.spec.judged
                    and max(shares[2:], default=0) <= rule.diverged_share)
    return Reason.DIVERGED if max(shares) > rule.diverged_share and not worse_counts else None


def one_function(seen: Seen, rule: Rule) -> Reason | None:
    return Reason.ONE_FUNCTION if seen.identical else None


def blind(seen: Seen, rule: Rule) -> Reason | None:
    """A difference that was found stands; only its absence proves nothing on such a set."""
    if not (seen.spec.skill and seen.blind):
        return None
    if seen.label in ("better", "worse") or seen.region == "positive" and seen.sign:
        return None
    concluded = seen.label == "equivalent" or seen.stand in ("for", "against")
    return Reason.BLIND if concluded else None


#: In this order; the first that has a reason decides.
GUARDS = (uninformative, few_seeds, constant, no_ratio, unreached, diverged, one_function, blind)


def judge(seen: Seen, rule: Rule) -> Reason | None:
    """The reason why a cell does not show what its interval says, or None.

    Raises:
        ValueError: the arms gave the same on every seed, and are not said to be one function.
    """
    found = next((reason for guard in GUARDS if (reason := guard(seen, rule))), None)
    shown = math.isfinite(seen.bounds[0]) or found is None or found.position != "uninformative"
    if seen.constant and not seen.identical and not seen.all_diverged and shown:
        refuse_one_network(seen)
    return found


def refuse_one_network(seen: Seen) -> None:
    """Counts and shares may truly be constant; identical runs are a mistake."""
    pairs = zip(seen.sides[1::2], seen.sides[::2], strict=True)
    if seen.metric in ("error", "loss", "calibration_error") or seen.metric in METRICS and any(
            same_runs(control.runs, treatment.runs) for control, treatment in pairs):
        raise ValueError(f"{seen.where}: {seen.metric} does not vary between the arms over "
                         f"{seen.seeds} seeds; the arms are one network, or it is an identity")


def same_runs(control: pd.DataFrame, treatment: pd.DataFrame) -> bool:
    """Whether two arms' runs have the same numbers."""
    columns = [c for c in ("best_error", "best_loss", "best_validation_loss", "last_loss")
               if c in control.columns]
    return all(np.array_equal(control[c].to_numpy(), treatment[c].to_numpy(), equal_nan=True)
               for c in columns)


def judge_alone(estimate: Estimate, label: str, share: float, size: float, rule: Rule, where: str
                ) -> Reason | None:
    """As `judge`, for one arm against the trivial predictor.

    Args:
        label: what the interval says.
        share: of the arm's seeds that diverged, 0..1.
        size: the trivial predictor's largest score; less than 1e-12 of it is rounding.
    """
    if not estimate.spread > 1e-12 * size:
        if share < 1:
            raise ValueError(f"{where}: the difference is the same on every seed")
        return Reason.IT_DIVERGED
    if share > rule.diverged_share and label != "worse":
        return Reason.IT_MOSTLY_DIVERGED
    return None
