"""For another data set: how probable it is that a change is better, or worse, by enough to matter.

y_k ~ N(θ_k, s_k²), θ_k ~ N(μ, τ²), μ ~ N(0, 0.2²), τ ~ half-normal(0.1): the normal model of a random-effects
meta-analysis, exact given τ, which is summed over on a grid.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import integrate, optimize, special
from statsmodels.stats.proportion import proportion_confint

from pipeline.findings.rule import Rule
from pipeline.tables.schemas import RELIABILITY_COLUMNS

#: Probabilities are compared with what happened in bins of these bounds.
BINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0)


@dataclass(frozen=True, eq=False)
class Belief:
    """What is believed of an average and of another set: a mixture of normal distributions, one a τ.

    Attributes:
        weight, tau, mean, sd: of each point of the grid `(points,)`; `mean` and `sd` are those of μ.
    """

    weight: np.ndarray
    tau: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    def mean_above(self, point: float = 0.0) -> float:
        """P(μ > point)."""
        return float(self.weight @ special.ndtr((self.mean - point) / self.sd))

    def another_above(self, point: float, noise: float = 0.0) -> float:
        """P(θ > point) for another set; with `noise`, of an effect measured there with this standard error."""
        return float(self.weight @ special.ndtr((self.mean - point) / self._wide(noise)))

    def another(self, margin: float, noise: float = 0.0) -> tuple[float, float, float]:
        """P(better by more than the margin), P(within it), P(worse by more than it) for another set."""
        above, below = self.another_above(margin, noise), 1 - self.another_above(-margin, noise)
        return above, 1 - above - below, below

    def range(self, share: float, noise: float = 0.0) -> tuple[float, float]:
        """The central interval that holds another set's effect with this probability."""
        reach = float(np.abs(self.mean).max() + 12 * self._wide(noise).max())
        return tuple(optimize.brentq(lambda x, p=p: self.another_above(x, noise) - p, -reach, reach)
                     for p in ((1 + share) / 2, (1 - share) / 2))

    def _wide(self, noise: float) -> np.ndarray:
        return np.sqrt(self.sd**2 + self.tau**2 + noise**2)


@dataclass(frozen=True)
class Posterior:
    """The model.

    Attributes:
        mean_sd: of the prior of μ.
        spread_scale: of the half-normal prior of τ.
        points: of the grid of τ, which reaches to eight times that scale.
    """

    mean_sd: float = 0.2
    spread_scale: float = 0.1
    points: int = 321

    def __call__(self, y: np.ndarray, s: np.ndarray) -> Belief:
        """
        Args:
            y, s: effects of units and their standard errors `(units,)`.
        """
        tau = np.linspace(0, 8 * self.spread_scale, self.points)
        v = np.maximum(np.square(s), 1e-12) + tau[:, None] ** 2
        precision = 1 / self.mean_sd**2 + (1 / v).sum(axis=1)
        mean = (y / v).sum(axis=1) / precision
        # The marginal likelihood of y given τ, with μ integrated out.
        log = -0.5 * (np.log(v).sum(axis=1) + (y**2 / v).sum(axis=1) + np.log(precision) - mean**2 * precision)
        log = log - 0.5 * (tau / self.spread_scale) ** 2
        weight = np.exp(log - log.max()) * _simpson(self.points)
        return Belief(weight / weight.sum(), tau, mean, 1 / np.sqrt(precision))


@functools.cache
def _simpson(points: int) -> np.ndarray:
    """Weights of equally spaced points, but for a factor."""
    return integrate.simpson(np.eye(points), axis=1)


def posterior(margin: float, rule: Rule) -> Posterior:
    """The model for effects whose margin is this: the priors scale with it."""
    scale = margin / np.log(1.1)
    return Posterior(rule.mean_prior * scale, rule.spread_prior * scale)


def predictions(units: pd.DataFrame, margin: float, rule: Rule) -> list[tuple]:
    """Each unit's effect, and what the others made believe of it: rows of unit, event, probability, whether it happened.

    Args:
        units: `unit`, `y`, `s` of one finding in one stratum.
    """
    rows, model = [], posterior(margin, rule)
    y, s = units["y"].to_numpy(float), units["s"].to_numpy(float)
    for i, unit in enumerate(units["unit"]):
        belief = model(np.delete(y, i), np.delete(s, i))
        low, high = belief.range(rule.range_share, s[i])
        happened = (y[i] > margin, -margin <= y[i] <= margin, y[i] < -margin)
        rows += [(unit, event, p, bool(hit)) for event, p, hit in
                 zip(("better", "within", "worse"), belief.another(margin, s[i]), happened, strict=True)]
        rows += [(unit, "sign", belief.another_above(0, s[i]), bool(y[i] > 0)),
                 (unit, "range", rule.range_share, bool(low <= y[i] <= high))]
    return rows


def reliability(tables: Iterable[tuple[pd.DataFrame, float]], rule: Rule) -> pd.DataFrame:
    """How well the probabilities hold, each unit foretold from the others of its finding.

    A prediction is of the effect that was measured, so it holds that one's noise.

    Args:
        tables: of each finding and stratum its units and its margin.

    Returns:
        `RELIABILITY_COLUMNS`, a row for each event and bin of probability, then one for all of an event: `predicted`
        and `happened` are mean shares, `low` to `high` the 95 % interval of what happened, see `_interval`; `off`:
        whether it leaves `predicted` out; `brier` is the mean squared error of the probabilities, `guessing` that of
        the event's share.
    """
    rows = [(i, *row) for i, (table, margin) in enumerate(tables) for row in predictions(table, margin, rule)]
    found = pd.DataFrame(rows, columns=["finding", "unit", "event", "p", "happened"])
    found = found.astype({"p": float, "happened": float})
    parts = []
    for event, mine in found.groupby("event", sort=False):
        bins = [(a, b, mine[(mine["p"] >= a) & ((mine["p"] < b) | (b == 1))]) for a, b in zip(BINS, BINS[1:])]
        for low, high, some in [*bins, (0.0, 1.0, mine)] if event != "range" else [(0.0, 1.0, mine)]:
            if len(some):
                parts.append({"event": event, "from": low, "to": high, "whole": some is mine} | _row(some, rule))
    return pd.DataFrame(parts, columns=RELIABILITY_COLUMNS)


def _row(some: pd.DataFrame, rule: Rule) -> Mapping:
    p, happened = some["p"].to_numpy(), some["happened"].to_numpy()
    low, high = _interval(some, rule)
    share = happened.mean()
    return {"predictions": len(some), "predicted": p.mean(), "happened": share, "low": low, "high": high,
            "off": bool(p.mean() < low or p.mean() > high),
            "brier": ((p - happened) ** 2).mean(), "guessing": share * (1 - share)}


def _interval(some: pd.DataFrame, rule: Rule) -> Sequence[float]:
    """The interval of a share whose predictions come in clusters: a unit is in several findings, a finding has several.

    By Wilson's formula for a sample whose size is cut by the design effect, the ratio of the clusters' variance of the
    share to that of single predictions (L. Kish, Survey Sampling, 1965), the greater one of the two kinds of clusters.
    """
    share, n = some["happened"].mean(), len(some)
    size = n / max(1.0, *(_design_effect(some, share, kind) for kind in ("unit", "finding")))
    return proportion_confint(share * size, size, alpha=1 - rule.confidence, method="wilson")


def _design_effect(some: pd.DataFrame, share: float, kind: str) -> float:
    sums, single = (some["happened"] - share).groupby(some[kind]).sum(), len(some) * share * (1 - share)
    if len(sums) < 2 or not single:  # Nothing to see of a cluster's own variance: a cluster counts once.
        return len(some) / len(sums)
    return float((sums**2).sum() * len(sums) / (len(sums) - 1) / single)
