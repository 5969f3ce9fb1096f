"""The rule's own error rates: arms that change nothing, and simulated studies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special
from statsmodels.stats.proportion import proportion_confint

from pipeline.tables.schemas import SIMULATED_COLUMNS
from pipeline.verdicts import average as averages
from pipeline.verdicts import words
from pipeline.verdicts.estimate import quantile
from pipeline.verdicts.rule import Rule
from pipeline.verdicts.units import counts

#: True averages, as multiples of the margin.
TRUTHS = (0.0, 0.5, 1.0, 2.0)
COLUMNS = ["truth", "spread", "word", "share", "wrong"]


@dataclass(frozen=True, eq=False)
class Study:
    """A stored comparison of a family.

    Attributes:
        contributions: wᵢ of every unit, arrays `(seeds,)`.
        y: its effects `(K,)`.
        strata: that of each unit.
    """

    contributions: Sequence[np.ndarray]
    y: np.ndarray
    strata: Sequence[str]


def repeated(sets: pd.DataFrame, units: pd.DataFrame | None, delta: float, rule: Rule,
             family: bool = False) -> dict[str, float]:
    """What the rule finds where nothing was changed (A/A), or where half the data was taken away.

    Args:
        sets: the effects of the same network again, a row a data set (as `units.units`).
        units: what is averaged; None: nothing is.

    Returns:
        `comparisons`; `decisive`, how many sets are called better or worse; their `share`, with its
        exact `low` and `high` (C. J. Clopper and E. S. Pearson, Biometrika 26, 1934; of A/A the rule's
        own promise is 1 - confidence); `noise`, sd(y), beside `expected`, the root of the mean s² (of
        A/A a ratio well above 1 means that s is too small); `word`, that of the average.
    """
    found = counts(sets, delta, rule)
    hits, k = found["better"] + found["worse"], len(sets)
    low, high = proportion_confint(hits, k, alpha=1 - rule.confidence, method="beta")
    said = ""
    if units is not None and len(units):
        said = words.word(*averages.average(units, family).bounds(rule.tail), delta,
                          words.everywhere_within(units, delta, rule, family))
    return {"comparisons": k, "decisive": hits, "share": hits / k, "low": float(low),
            "high": float(high), "noise": float(sets["y"].std(ddof=1)) if k > 1 else math.nan,
            "expected": float(np.sqrt((sets["s"] ** 2).mean())), "word": said}


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


def simulated(studies: Sequence[Study], delta: float, rule: Rule, rng: np.random.Generator, *,
              draws: int = 4000) -> pd.DataFrame:
    """How often each word is said, and how often it is wrong, where the true average is known.

    Args:
        studies: stored comparisons; each is simulated equally often.
        delta: the margin.
        rng: the only source of randomness.
        draws: about how many simulated studies each truth has.

    Returns:
        `COLUMNS`: for each true average (a multiple of the margin), with and without spread between
        units, the share of answers that say a word and whether it is wrong. The shares of a truth
        sum to 1; open is never wrong. Where strata are found to differ, a study has two answers,
        of half a weight each.
    """
    rows, times = [], max(1, round(draws / len(studies)))
    for spread in (False, True):
        found = [draw(one.contributions, one.y, spread, times, rng) for one in studies]
        for truth in TRUTHS:
            parts = [said_of(y + truth * delta, delta, rule, one.strata)
                     for y, one in zip(found, studies, strict=True)]
            said, weight = (np.concatenate(some) for some in zip(*parts, strict=True))
            rows += [(truth, spread, str(name), float(weight[said == name].sum() / weight.sum()),
                      words.denied(str(name), truth * delta, delta)) for name in np.unique(said)]
    return pd.DataFrame(rows, columns=COLUMNS)


def said_of(y: np.ndarray, delta: float, rule: Rule, strata: Sequence[str] = ()
            ) -> tuple[np.ndarray, np.ndarray]:
    """The words for the averages of studies `(studies, K)`, by the t interval over units.

    Returns:
        The words and their weights: a study whose two strata differ has two of a half.
    """
    names = np.asarray(strata if len(strata) else [""] * y.shape[1])
    parts = [y[:, names == name] for name in dict.fromkeys(names)]
    one = _words(y, parts, delta, rule)
    if len(parts) != 2:
        return one, np.ones(len(one))
    apart = _welch(*parts) < rule.strata_level
    shared = rule.shared(2)
    each = [_words(part[apart], [part[apart]], delta, shared) for part in parts]
    return (np.concatenate([one[~apart], *each]),
            np.concatenate([np.ones((~apart).sum()), np.full(2 * apart.sum(), 0.5)]))


def _welch(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Two-sided p value of equal means in each study, as `average.strata_apart`."""
    a, b = (part.var(axis=1, ddof=1) / part.shape[1] for part in (first, second))
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = (first.mean(axis=1) - second.mean(axis=1)) / np.sqrt(a + b)
        freedom = (a + b) ** 2 / (a**2 / (first.shape[1] - 1) + b**2 / (second.shape[1] - 1))
    return np.where(a + b > 0, 2 * special.stdtr(freedom, -np.abs(distance)), 1.0)


def _words(y: np.ndarray, parts: Sequence[np.ndarray], delta: float, rule: Rule) -> np.ndarray:
    mean, half = _interval(parts, rule)
    k = y.shape[1]
    wide = (quantile((1 - rule.range_share) / 2, k - 1) * y.std(axis=1, ddof=1) * math.sqrt(1 + 1 / k))
    centre = y.mean(axis=1)
    everywhere = (centre - wide > -delta) & (centre + wide < delta)
    return words.word(mean - half, mean + half, delta, everywhere)


def _interval(parts: Sequence[np.ndarray], rule: Rule) -> tuple[np.ndarray, np.ndarray]:
    """Mean and half the interval of each study, as `average.over_units`; parts are strata."""
    h = len(parts)
    shares = np.array([part.var(axis=1, ddof=1) / part.shape[1] / h**2 for part in parts])
    variance = shares.sum(axis=0)
    least = np.array([[part.shape[1] - 1] for part in parts])
    with np.errstate(invalid="ignore"):
        freedom = variance**2 / (shares**2 / least).sum(axis=0)
    freedom = np.where(variance > 0, freedom, least.sum())
    return (np.mean([part.mean(axis=1) for part in parts], axis=0),
            quantile(rule.tail, freedom) * np.sqrt(variance))


def smallest_found(studies: Sequence[Study], rule: Rule, rng: np.random.Generator, *,
                   draws: int = 4000) -> float:
    """The smallest true average that is found to help with a chance of `rule.power`.

    The interval lies above 0 where the truth exceeds what its lower bound falls short of the truth
    by; so it is that shortfall's quantile, with the spread between units. Strata are not told apart.
    """
    short, times = [], max(1, round(draws / len(studies)))
    for one in studies:
        found = draw(one.contributions, one.y, True, times, rng)
        names = np.asarray(one.strata)
        mean, half = _interval([found[:, names == name] for name in dict.fromkeys(names)], rule)
        short.append(half - mean)
    return float(np.quantile(np.concatenate(short), rule.power))


def families(studies: Mapping[str, Sequence[Study]], delta: float, rule: Rule, seed: int, *,
             draws: int = 4000) -> pd.DataFrame:
    """`simulated` and `smallest_found` of every family.

    Args:
        studies: family → its stored comparisons.
        seed: of the only source of randomness.

    Returns:
        `SIMULATED_COLUMNS`; `units` is the median number of them, `smallest` on the scale of effects.
    """
    tables = []
    for family, child in zip(sorted(studies), np.random.SeedSequence(seed).spawn(len(studies)), strict=True):
        mine, rng = studies[family], np.random.default_rng(child)
        tables.append(simulated(mine, delta, rule, rng, draws=draws).assign(
            family=family, comparisons=len(mine), units=int(np.median([len(one.y) for one in mine])),
            smallest=smallest_found(mine, rule, rng, draws=draws)))
    return (pd.concat(tables, ignore_index=True)[SIMULATED_COLUMNS] if tables else
            pd.DataFrame(columns=SIMULATED_COLUMNS))
