"""Paired effects, intervals, regions and margins; it knows runs' numbers, not claims.

Effects are oriented so that positive means "the treatment is better", except for measures,
where positive means "the treatment's value is larger". The seed is the unit of replication:
the last axis of every array is `(seeds,)`, and entry i of two arrays shares a seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

REGIONS = ("better", "worse", "equivalent", "not_worse", "not_better", "differs", "positive")
LABELS = ("better", "worse", "equivalent", "undecided")
SCALES = ("log ratio", "difference", "share", "median")


def _constant(value, says: str, low: float = 0.0, high: float = math.inf):
    return field(default=value, metadata={"says": says, "low": low, "high": high})


@dataclass(frozen=True)
class Rule:
    """The constants of the verdict rule; `Rule(**section)` overrides them by name.

    Raises:
        ValueError: a constant outside its range, by name.
    """

    alpha: float = _constant(0.05, "chance of a miss, shared by the cells of a claim", 0, 1)
    ratio_margin: float = _constant(
        1.10, "ratio of mean squared errors, log-losses or error rates that matters", 1)
    error_rate_margin: float = _constant(
        0.005, "least difference of error rates that matters", 0, 1)
    epochs_margin: float = _constant(1.25, "ratio of epochs to target that matters", 1)
    divergence_margin: float = _constant(
        0.10, "difference of the shares of diverged seeds that matters", 0, 1)
    recall_margin: float = _constant(
        0.10, "difference of minority recall that matters", 0, 1)
    calibration_margin: float = _constant(
        0.02, "difference of calibration error that matters", 0, 1)
    target_factor: float = _constant(
        1.1, "the target is the control's median best validation loss times this", 1)
    unreached_share: float = _constant(
        0.20, "share of seeds short of the target above which a cell is open", 0, 1)
    diverged_share: float = _constant(
        0.10, "share of diverged seeds above which a cell counts as worse or open", 0, 1)
    trivial_share: float = _constant(
        0.8, "the control's error over the trivial predictor's above which a cell is "
        "uninformative")
    test_errors: int = _constant(
        20, "test errors of an arm, all seeds together, below which a cell is uninformative")
    measure_seeds: int = _constant(10, "least number of seeds of a measure", 2)
    majority: float = _constant(
        0.5, "share of the informative cells that `generally` asks for", 0, 1)
    least_cells: int = _constant(
        2, "cells that `generally` asks for at least, where there are as many", 1)
    margin_halved: float = _constant(0.5, "factor of the narrower margin of robustness", 0, 1)
    margin_doubled: float = _constant(2.0, "factor of the wider margin of robustness", 1)
    power: float = _constant(
        0.8, "chance with which the smallest detectable effect is detected", 0, 1)

    def __post_init__(self):
        for one in fields(self):
            value, low, high = getattr(self, one.name), one.metadata["low"], one.metadata["high"]
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not (number and low <= value <= high):
                raise ValueError(
                    f"params.yaml: verdicts.{one.name}: found {value!r}; "
                    f"allowed: a number from {low:g} to {high:g}")
        for name in ("alpha", "power"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(
                    f"params.yaml: verdicts.{name}: found {getattr(self, name)!r}; "
                    "allowed: strictly between 0 and 1")

    def table(self) -> pd.DataFrame:
        """Every constant: columns `name`, `value`, `says`."""
        return pd.DataFrame({
            "name": [one.name for one in fields(self)],
            "value": pd.Series([getattr(self, one.name) for one in fields(self)], dtype=object),
            "says": [one.metadata["says"] for one in fields(self)]})


@dataclass(frozen=True)
class Estimate:
    """An effect with its interval; numbers, or arrays of one shape `(...,)`.

    Attributes:
        effect: natural logarithm of a ratio of means, or a difference of means.
        low, high: bounds of the interval.
        spread: sample deviation of the per-seed contributions; NaN for shares.
        seeds: number of pairs.
    """

    effect: float
    low: float
    high: float
    spread: float
    seeds: int


def log_ratio(control, treatment):
    """The effect ln(mean control / mean treatment) and its per-seed contributions.

    The contributions w = c / mean c - t / mean t are the first-order (delta method) terms of
    the logarithm of a ratio of paired means; a mean that is not positive gives NaN.

    Args:
        control, treatment: non-negative scores `(..., seeds)`, lower is better.

    Returns:
        The effect `(...)`, positive = treatment better, and w `(..., seeds)`.
    """
    control, treatment = _pairs(control, treatment)
    c, t = control.mean(-1, keepdims=True), treatment.mean(-1, keepdims=True)
    positive = (c > 0) & (t > 0)
    c, t = np.where(positive, c, np.nan), np.where(positive, t, np.nan)
    return np.log(c / t)[..., 0], control / c - treatment / t


def difference(control, treatment):
    """The effect mean treatment - mean control and its per-seed contributions.

    Args:
        control, treatment: scores `(..., seeds)`, higher is better; negate both otherwise.

    Returns:
        The effect `(...)` and the paired differences `(..., seeds)`.
    """
    control, treatment = _pairs(control, treatment)
    w = treatment - control
    return w.mean(-1), w


def interval(effect, w, alpha: float, m: int = 1, sides: int = 2) -> Estimate:
    """effect +- t(1 - alpha / (sides m), n - 1) sd(w) / sqrt(n).

    Args:
        effect: `(...)`.
        w: per-seed contributions `(..., seeds)`, at least two seeds.
        alpha: chance of a miss, 0..1, shared by m cells (Bonferroni).
        m: number of declared cells.
        sides: 2, or 1 where either bound is read alone (a one-sided comparison).

    Raises:
        ValueError: fewer than two seeds, m below 1, or sides not 1 or 2.
    """
    w = np.asarray(w, float)
    seeds = w.shape[-1]
    tail = _tail(alpha, m, sides)
    if seeds < 2:
        raise ValueError(f"an interval needs at least 2 seeds. Received: {seeds}")
    spread = w.std(-1, ddof=1)
    half = stats.t.isf(tail, seeds - 1) * spread / math.sqrt(seeds)
    return Estimate(effect, effect - half, effect + half, spread, seeds)


def paired(control, treatment, scale: str, alpha: float, m: int = 1, *, minus=None,
           sides: int = 2) -> Estimate:
    """A paired effect with its interval, or the difference of two (an interaction).

    Args:
        control, treatment: scores `(..., seeds)`: lower is better for `log ratio`, higher for
            `difference` and, as `(seeds,)`, for `median`; booleans `(seeds,)`, true = the event,
            for `share`.
        scale: `log ratio`, `difference`, `share` (exact interval) or `median` (of differences).
        alpha, m, sides: see `interval`.
        minus: `(control, treatment)` of a second contrast on the same seeds.

    Raises:
        ValueError: unknown scale, unequal or too few seeds.
    """
    pairs = [(control, treatment)] if minus is None else [(control, treatment), tuple(minus)]
    if scale == "share":
        # Two exact intervals at half the chance of a miss bound their difference exactly.
        tail = _tail(alpha, m, sides) / len(pairs)
        parts = [share_interval(c, t, tail) for c, t in pairs]
        if minus is None:
            return parts[0]
        first, second = parts
        if first.seeds != second.seeds:
            raise ValueError(
                f"pairs need equal seeds. Received: {first.seeds} and {second.seeds}")
        return Estimate(first.effect - second.effect, first.low - second.high,
                        first.high - second.low, math.nan, first.seeds)
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(SCALES)}. Received: {scale!r}")
    if scale == "median":
        w = difference(*pairs[0])[1] - (difference(*pairs[1])[1] if minus is not None else 0)
        return median_interval(w, _tail(alpha, m, sides))
    contributions = log_ratio if scale == "log ratio" else difference
    parts = [contributions(c, t) for c, t in pairs]
    effect, w = parts[0]
    if minus is not None:
        if w.shape != parts[1][1].shape:
            raise ValueError(
                f"pairs need equal seeds. Received: {w.shape} and {parts[1][1].shape}")
        effect, w = effect - parts[1][0], w - parts[1][1]
    return interval(effect, w, alpha, m, sides)


def share_interval(control, treatment, tail: float) -> Estimate:
    """Exact interval for share(control) - share(treatment) of paired events.

    With b pairs where only the control and c where only the treatment has the event, the
    outcomes are ordered by L(b) - U(c), L and U being Clopper-Pearson limits, and each limit
    is the tightest one that keeps its coverage for that order whatever the shares are
    (R. J. Buehler, J. Am. Stat. Assoc. 52, 1957; C. J. Lloyd and P. Kabaila, Aust. N. Z. J.
    Stat. 45, 2003). It is never wider than L(b) - U(c) to U(b) - L(c).

    Args:
        control, treatment: booleans `(seeds,)`, true = the event (a divergence).
        tail: chance of a miss on each side, 0..0.5.

    Returns:
        The estimate, positive = fewer events under the treatment, range -1..1.
    """
    control, treatment = np.asarray(control, bool), np.asarray(treatment, bool)
    _pairs(control, treatment)
    n = len(control)
    b = int((control & ~treatment).sum())
    c = int((treatment & ~control).sum())
    return Estimate((b - c) / n, _share_limit(n, b, c, tail), -_share_limit(n, c, b, tail),
                    math.nan, n)


@lru_cache(maxsize=4096)
def _share_limit(n: int, b: int, c: int, tail: float) -> float:
    """Lower Buehler limit of p - q, p and q the shares of pairs behind b and c."""
    counts = np.arange(n + 1)
    # tail / 2 each: L - U is then itself a limit, so that Buehler's can only be tighter.
    lower = np.where(counts > 0, special.betaincinv(
        np.maximum(counts, 1), n - np.maximum(counts, 1) + 1, tail / 2), 0.0)
    upper = 1 - lower[::-1]
    order = lower[b] - upper[c]
    # The order rises with b and falls with c: for each c' the extreme outcomes are b' >= least.
    reached = lower[None, :] >= order + upper[:, None] - 1e-12
    feasible = counts[None, :] + counts[:, None] <= n
    extreme = reached & feasible
    rows = np.flatnonzero(extreme.any(1))
    least = extreme[rows].argmax(1)

    def chance(q, gap):
        """P(extreme) with shares p = q + gap and q; q `(grid,)`."""
        q = np.atleast_1d(q)[:, None]
        p = np.clip((q + gap) / np.maximum(1 - q, 1e-300), 0, 1)
        tails = np.where(least > 0, special.betainc(
            np.maximum(least, 1), n - rows - np.maximum(least, 1) + 1, p), 1.0)
        return (stats.binom.pmf(rows, n, q) * tails).sum(1)

    # q runs from its least to its greatest value, densely near both ends.
    unit = (1 - np.cos(np.linspace(0, np.pi, 121))) / 2

    def excess(gap):
        start, end = max(0.0, -gap), (1 - gap) / 2
        grid = start + (end - start) * unit
        values = chance(grid, gap)
        top = int(values.argmax())
        near = grid[max(top - 1, 0)], grid[min(top + 1, len(grid) - 1)]
        best = optimize.minimize_scalar(
            lambda q: -chance(q, gap)[0], bounds=near, method="bounded",
            options={"xatol": 1e-9})
        return max(values[top], -best.fun) - tail

    if excess(-1 + 1e-9) > 0:
        return -1.0
    return optimize.brentq(excess, -1 + 1e-9, 1 - 1e-9, xtol=1e-9)


def median_interval(w, tail: float) -> Estimate:
    """Interval for the median of paired differences that only takes few values.

    The k-th least and the k-th greatest difference, k the largest number for which fewer than k
    of n fair coins show heads with a chance of at most `tail` (W. J. Conover, Practical
    Nonparametric Statistics, 1999, section 3.2). Ties make it cautious; it needs no deviation.

    Args:
        w: differences `(seeds,)`.
        tail: chance of a miss on each side, 0..0.5.

    Returns:
        The estimate; the bounds are infinite where the seeds are too few for `tail`.
    """
    w = np.sort(np.asarray(w, float))
    n = len(w)
    k = int((stats.binom.cdf(np.arange(n), n, 0.5) <= tail).sum())
    low, high = (w[k - 1], w[n - k]) if k else (-math.inf, math.inf)
    return Estimate(float(np.median(w)), float(low), float(high), math.nan, n)


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


def label(low: float, high: float, margin: float) -> str:
    """better (above the margin), worse (below its negative), equivalent, else undecided."""
    if low > margin:
        return "better"
    if high < -margin:
        return "worse"
    return "equivalent" if low > -margin and high < margin else "undecided"


def sign(low: float, high: float) -> str:
    """'+' or '-' where the interval excludes 0, else ''."""
    return "+" if low > 0 else "-" if high < 0 else ""


def position(low: float, high: float, margin: float, region: str) -> str:
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


def detectable(spread: float, seeds: int, margin: float, rule: Rule, m: int = 1,
               sides: int = 2) -> float:
    """The smallest true effect that is labelled better with chance `rule.power`.

    margin + nc sd / sqrt(n), where nc is the noncentrality at which a noncentral t with n - 1
    degrees of freedom exceeds the interval's quantile with that chance (J. Cohen, Statistical
    Power Analysis for the Behavioral Sciences, 1988).
    """
    if not math.isfinite(spread):
        return math.nan
    shift = _noncentrality(seeds, _tail(rule.alpha, m, sides), rule.power)
    return margin + shift * spread / math.sqrt(seeds)


@lru_cache(maxsize=1024)
def _noncentrality(seeds: int, tail: float, power: float) -> float:
    quantile = stats.t.isf(tail, seeds - 1)
    reach = stats.norm.ppf(power)
    return optimize.brentq(
        lambda shift: 1 - special.nctdtr(seeds - 1, shift, quantile) - power,
        min(0.0, quantile + reach) - 5, 3 * quantile + 3 * abs(reach) + 5, xtol=1e-10)


def detectable_share(seeds: int, margin: float, rule: Rule, m: int = 1) -> float:
    """The smallest difference of shares labelled better with chance `rule.power`.

    For a treatment under which nothing diverges: the share p of the control at which a
    binomial count reaches the least count that is labelled better; NaN if none is.
    """
    tail = _tail(rule.alpha, m)
    if not _share_limit(seeds, seeds, 0, tail) > margin:
        return math.nan
    few, enough = 0, seeds
    while enough - few > 1:
        middle = (few + enough) // 2
        if _share_limit(seeds, middle, 0, tail) > margin:
            enough = middle
        else:
            few = middle
    return float(special.betaincinv(enough, seeds - enough + 1, rule.power))


def draw_errors(effects, studies: int, seeds: int, rng: np.random.Generator, *,
                shared: float = 0.2, own: float = 0.1):
    """Simulated paired errors whose true effects are known.

    Errors are log-normal: a part that both arms of a seed share (its data) and a part of each
    arm's own (its training), so that E[control] / E[treatment] = exp(effect).

    Args:
        effects: true effects `(sets,)`, logarithms of ratios.
        studies, seeds: numbers of independent studies, and of seeds in each.
        rng: the only source of randomness.
        shared, own: standard deviations of the logarithm's two parts.

    Returns:
        control, treatment: `(studies, sets, seeds)`.
    """
    effects = np.asarray(effects, float)
    shape = (studies, len(effects), seeds)
    common = rng.normal(0, shared, shape)
    control = np.exp(common + rng.normal(0, own, shape))
    treatment = np.exp(common + rng.normal(0, own, shape) - effects[None, :, None])
    return control, treatment


def _tail(alpha: float, m: int, sides: int = 2) -> float:
    if m < 1 or sides not in (1, 2):
        raise ValueError(f"m must be at least 1 and sides 1 or 2. Received: m={m}, sides={sides}")
    return alpha / (sides * m)


def _pairs(control, treatment):
    control, treatment = np.asarray(control, float), np.asarray(treatment, float)
    if control.shape != treatment.shape or control.ndim == 0 or control.shape[-1] == 0:
        raise ValueError("pairs need equal seeds, at least one. "
                         f"Received: {control.shape} and {treatment.shape}")
    return control, treatment
