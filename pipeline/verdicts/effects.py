"""Paired effects, intervals, regions and margins; it knows runs' numbers, not claims.

Effects are oriented so that positive means "the treatment is better", except for measures,
where positive means "the treatment's value is larger". The seed is the unit of replication:
the last axis of every array is `(seeds,)`, and entry i of two arrays shares a seed.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import optimize, special, stats

from pipeline.verdicts.estimate import Estimate, pairs
from pipeline.verdicts.rule import Rule
from pipeline.verdicts.shares import share_interval, share_limit

SCALES = ("log ratio", "difference", "share", "median")


def log_ratio(control, treatment):
    """The effect ln(mean control / mean treatment) and its per-seed contributions.

    The contributions w = c / mean c - t / mean t are the first-order (delta method) terms of
    the logarithm of a ratio of paired means; a mean that is not positive gives NaN.

    Args:
        control, treatment: non-negative scores `(..., seeds)`, lower is better.

    Returns:
        The effect `(...)`, positive = treatment better, and w `(..., seeds)`.
    """
    control, treatment = pairs(control, treatment)
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
    control, treatment = pairs(control, treatment)
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


def median_interval(w, tail: float) -> Estimate:
    """Interval for the median of paired differences that only takes few values.

    The values that the sign test does not refuse, from one difference to another (W. J. Conover,
    Practical Nonparametric Statistics, 1999, section 3.2). Ties make it cautious; it needs no
    deviation.

    Args:
        w: differences `(seeds,)`.
        tail: chance of a miss on each side, 0..0.5.

    Returns:
        The estimate; the bounds are infinite where the seeds are too few for `tail`.
    """
    w = np.asarray(w, float)
    found = stats.quantile_test(w, q=0, p=0.5).confidence_interval(1 - 2 * tail)
    low = -math.inf if math.isnan(found.low) else float(found.low)
    high = math.inf if math.isnan(found.high) else float(found.high)
    return Estimate(float(np.median(w)), low, high, math.nan, len(w))


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
    if not share_limit(seeds, seeds, 0, tail) > margin:
        return math.nan
    few, enough = 0, seeds
    while enough - few > 1:
        middle = (few + enough) // 2
        if share_limit(seeds, middle, 0, tail) > margin:
            enough = middle
        else:
            few = middle
    return float(special.betaincinv(enough, seeds - enough + 1, rule.power))


def _tail(alpha: float, m: int, sides: int = 2) -> float:
    if m < 1 or sides not in (1, 2):
        raise ValueError(f"m must be at least 1 and sides 1 or 2. Received: m={m}, sides={sides}")
    return alpha / (sides * m)
