"""The average over the units of a family, and the range for another data set.

A table of units is that of `units.units`: one row a unit, with `stratum`, `y`, `s`, `freedom`.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pandas as pd

from pipeline.verdicts.estimate import Estimate, apart, combine, quantile
from pipeline.verdicts.rule import Rule


def average(units: pd.DataFrame, family: bool) -> Estimate:
    """μ: over a family, else over the named sets."""
    return over_units(units) if family else over_named_sets(units)


def of_a_family(units: pd.DataFrame, rule: Rule) -> bool:
    """Whether the units are enough for an average that speaks of a family.

    They are from `rule.least_units` on, with at least two in every stratum.
    """
    return len(units) >= rule.least_units and min(map(len, _strata(units))) >= 2


def enough(some: pd.DataFrame, units: pd.DataFrame, family: bool) -> bool:
    """Whether some of the units allow the kind of average that all of them had.

    Of a family, two in every stratum that it had; else one at all.
    """
    strata = _strata(some)
    return len(some) > 0 and (not family or
                              len(strata) == len(_strata(units)) and min(map(len, strata)) >= 2)


def over_units(units: pd.DataFrame) -> Estimate:
    """The mean of the strata's plain means, with the spread between units as its error.

    SE² = Σ sd²ₕ / Kₕ / H² over H strata, Satterthwaite's degrees of freedom. For one stratum this
    is the t interval of `scipy.stats.ttest_1samp`; for two, half of the interval that Welch's test
    gives for a sum of two means.

    Raises:
        ValueError: a stratum has fewer than two units.
    """
    strata = _strata(units)
    sizes = np.array([len(y) for y in strata])
    if not len(sizes) or sizes.min() < 2:
        raise ValueError("the spread between units needs two of them in every stratum. "
                         f"Received: {sizes.tolist()}")
    errors = [y.std(ddof=1) / math.sqrt(len(y)) for y in strata]
    error, freedom = combine([1 / len(strata)] * len(strata), errors, sizes - 1)
    return Estimate(float(np.mean([y.mean() for y in strata])), error, freedom)


def _strata(units: pd.DataFrame) -> list[np.ndarray]:
    """The effects of each stratum."""
    y, stratum = units["y"].to_numpy(float), units["stratum"].to_numpy()
    return [y[stratum == name] for name in dict.fromkeys(stratum)]


def over_named_sets(units: pd.DataFrame) -> Estimate:
    """The plain mean of m named sets, with the spread between seeds as its error.

    SE = sqrt(Σ s²) / m, Satterthwaite's degrees of freedom. It says nothing about other sets.

    Raises:
        ValueError: no unit.
    """
    m = len(units)
    if not m:
        raise ValueError("an average needs at least one data set. Received: 0")
    error, freedom = combine([1 / m] * m, units["s"], units["freedom"])
    return Estimate(float(units["y"].mean()), error, freedom)


def strata_apart(units: pd.DataFrame) -> float:
    """Two-sided p value of equal means of two strata, by Welch's t test; NaN for one stratum.

    Welch's, because the average's own standard error pools no variances either.
    """
    strata = _strata(units)
    if len(strata) != 2 or min(map(len, strata)) < 2:
        return math.nan
    gap = apart(*(Estimate(y.mean(), y.std(ddof=1) / math.sqrt(len(y)), len(y) - 1) for y in strata))
    return float(2 * min(gap.above(0), gap.below(0)))


def groups(units: pd.DataFrame, family: bool, rule: Rule) -> dict[str, pd.DataFrame]:
    """The units that share a verdict: all of them as '', or where two strata differ, each its own.

    Only strata of a family are told apart; `rule.shared` gives the rule for one of two.
    """
    if family and strata_apart(units) < rule.strata_level:
        return {name: part for name, part in units.groupby("stratum", sort=False)}
    return {"": units}


def another_set(units: pd.DataFrame, rule: Rule) -> tuple[float, float]:
    """Where the effect measured on another such set falls, in about `rule.range_share` of cases.

    mean ± t(0.90, K - 1) sd(y) sqrt(1 + 1/K): the prediction interval of a normal sample (J. P. T.
    Higgins, S. G. Thompson and D. J. Spiegelhalter, J. R. Stat. Soc. A 172, 2009, for effects of
    studies; here y holds the noise of its seeds, so that it is for a measured effect). Infinite
    with fewer than two units.
    """
    y = units["y"].to_numpy(float)
    if len(y) < 2:
        return -math.inf, math.inf
    half = _reach(len(y), rule) * y.std(ddof=1)
    return float(y.mean() - half), float(y.mean() + half)


def _reach(k: int, rule: Rule) -> float:
    """t(0.90, K - 1) sqrt(1 + 1/K)."""
    return float(quantile((1 - rule.range_share) / 2, k - 1)) * math.sqrt(1 + 1 / k)


def caught(units: pd.DataFrame, rule: Rule) -> float:
    """The share of units that lie in the range made of all the others, 0..1; NaN below three."""
    y, k = units["y"].to_numpy(float), len(units)
    if k < 3:
        return math.nan
    others = np.tile(y, (k, 1))[~np.eye(k, dtype=bool)].reshape(k, k - 1)
    half = _reach(k - 1, rule) * others.std(axis=1, ddof=1)
    return float((np.abs(y - others.mean(axis=1)) <= half).mean())


def signed_rank_bounds(units: pd.DataFrame, tail: float) -> tuple[float, float]:
    """The interval for the centre of y that Wilcoxon's signed-rank test gives.

    Its bounds are the c-th least and greatest mean of two units (a unit with itself included), c the
    greatest number for which W⁺ < c has a chance of at most `tail` (M. Hollander, D. A. Wolfe and
    E. Chicken, Nonparametric Statistical Methods, 2014, section 3.3; J. Demšar, J. Mach. Learn.
    Res. 7, 2006, for data sets as units). Strata are not told apart. Infinite where the units are
    too few for `tail`.
    """
    y = units["y"].to_numpy()
    rows, columns = np.triu_indices(len(y))
    means = np.sort((y[rows] + y[columns]) / 2)
    c = _least_rank_sums(len(y), tail)
    return (float(means[c - 1]), float(means[-c])) if c else (-math.inf, math.inf)


@lru_cache(maxsize=256)
def _least_rank_sums(k: int, tail: float) -> int:
    # Ways in which a subset of the ranks 1 ... K has each sum: the exact distribution of W⁺.
    ways = np.ones(1)
    for rank in range(1, k + 1):
        ways = np.convolve(ways, np.r_[1, np.zeros(rank - 1), 1])
    return int((np.cumsum(ways) / ways.sum() <= tail).sum())
