"""The rule's own error rates: arms that change nothing, and simulated studies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from pipeline.verdicts import average as averages
from pipeline.verdicts import words
from pipeline.verdicts.rule import Rule
from pipeline.verdicts.units import counts

#: True averages, as multiples of the margin.
TRUTHS = (0.0, 0.5, 1.0, 2.0)
SIMULATED_COLUMNS = ["truth", "spread", "word", "share", "wrong"]


def repeated(units: pd.DataFrame, delta: float, rule: Rule) -> dict[str, float]:
    """What the rule finds where nothing was changed (A/A).

    Args:
        units: the effects of the same network from another start.

    Returns:
        `units`; `decisive`, the share of units called better or worse, with its exact `low` and
        `high` (C. J. Clopper and E. S. Pearson, Biometrika 26, 1934; the rule's own promise is
        1 - confidence); `noise`, sd(y), beside `expected`, the root of the mean s² (a ratio well
        above 1 means that s is too small); `word`, that of the average.
    """
    found = counts(units, delta, rule)
    hits, k = found["better"] + found["worse"], len(units)
    low, high = proportion_confint(hits, k, alpha=1 - rule.confidence, method="beta")
    family = averages.of_a_family(units, rule)
    mu = averages.average(units, rule)
    return {"units": k, "decisive": hits / k, "low": float(low), "high": float(high),
            "noise": float(units["y"].std(ddof=1)) if k > 1 else math.nan,
            "expected": float(np.sqrt((units["s"] ** 2).mean())),
            "word": words.word(*mu.bounds(rule.tail), delta,
                               words.everywhere_within(units, delta, rule, family))}


def spread_of(y: np.ndarray, s: np.ndarray) -> float:
    """τ, the spread of the true effects: sqrt(max(0, sd(y)² - mean s²)) (L. V. Hedges and
    I. Olkin, Statistical Methods for Meta-Analysis, 1985, section 9.3)."""
    return math.sqrt(max(0.0, float(np.var(y, ddof=1) - np.mean(np.square(s)))))


def draw(contributions: Sequence[np.ndarray], y: np.ndarray, spread: bool, studies: int,
         rng: np.random.Generator) -> np.ndarray:
    """Measured effects of simulated studies whose true average is 0: `(studies, K)`.

    Unit k: the mean of n contributions drawn with replacement from its own wᵢ, brought to mean 0 and
    to their unbiased spread; with `spread` also a true effect drawn from the observed ones, brought
    to mean 0 and to the spread τ, so that it is as skewed as they are.
    """
    noise = []
    for w in contributions:
        n = len(w)
        pool = (w - w.mean()) * math.sqrt(n / (n - 1))
        noise.append(rng.choice(pool, (studies, n)).mean(axis=1))
    found = np.stack(noise, axis=1)
    if spread and len(y) > 1:
        s = np.array([w.std(ddof=1) / math.sqrt(len(w)) for w in contributions])
        sd = y.std(ddof=1)
        true = (y - y.mean()) * (spread_of(y, s) / sd if sd else 0.0) * math.sqrt(len(y) / (len(y) - 1))
        found = found + rng.choice(true, found.shape)
    return found


def simulated(contributions: Sequence[np.ndarray], y, delta: float, rule: Rule,
              rng: np.random.Generator, *, studies: int = 1000) -> pd.DataFrame:
    """How often each word is said, and how often it is wrong, where the true average is known.

    Args:
        contributions: wᵢ of every unit of one stored comparison, arrays `(seeds,)`.
        y: its effects `(K,)`.
        delta: the margin.
        rng: the only source of randomness.
        studies: number of simulated studies for each truth.

    Returns:
        `SIMULATED_COLUMNS`: for each true average (a multiple of the margin), with and without
        spread between units, the share of studies that say a word and whether it is wrong. The
        shares of a truth sum to 1; open is never wrong. Strata are not told apart.
    """
    y, rows = np.asarray(y, float), []
    for spread in (False, True):
        found = draw(contributions, y, spread, studies, rng)
        for truth in TRUTHS:
            said = said_of(found + truth * delta, delta, rule)
            names, times = np.unique(said, return_counts=True)
            rows += [(truth, spread, str(name), count / studies,
                      words.denied(str(name), truth * delta, delta))
                     for name, count in zip(names, times, strict=True)]
    return pd.DataFrame(rows, columns=SIMULATED_COLUMNS)


def said_of(y: np.ndarray, delta: float, rule: Rule) -> np.ndarray:
    """The words for the averages of studies `(studies, K)`, by the t interval over units."""
    k = y.shape[1]
    mean, sd = y.mean(axis=1), y.std(axis=1, ddof=1)
    half = stats.t.isf(rule.tail, k - 1) * sd / math.sqrt(k)
    wide = stats.t.isf((1 - rule.range_share) / 2, k - 1) * sd * math.sqrt(1 + 1 / k)
    everywhere = (mean - wide > -delta) & (mean + wide < delta)
    return words.word(mean - half, mean + half, delta, everywhere)


def smallest_found(contributions: Sequence[np.ndarray], y, rule: Rule, rng: np.random.Generator, *,
                   studies: int = 2000) -> float:
    """The smallest true average that is found to help with a chance of `rule.power`.

    The interval lies above 0 where the truth exceeds what its lower bound falls short of the truth
    by; so it is that shortfall's quantile, with the spread between units.
    """
    y = np.asarray(y, float)
    found = draw(contributions, y, True, studies, rng)
    half = stats.t.isf(rule.tail, len(y) - 1) * found.std(axis=1, ddof=1) / math.sqrt(len(y))
    return float(np.quantile(half - found.mean(axis=1), rule.power))
