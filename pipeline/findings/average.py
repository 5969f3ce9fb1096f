"""Effects of data sets → units → their average: its interval, the spread between units, and the range for another set.

The last axis of every array is that of the units; others may be analyses that are averaged at once.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.config.schema import Params
from pipeline.findings import scales
from pipeline.findings.estimate import Estimate, combine
from pipeline.findings.scales import Effect
from pipeline.findings.study import stratum_of

#: The least variance that is divided by.
_TINY = 1e-20


@dataclass(frozen=True, eq=False)
class Sample:
    """Effects of units.

    Attributes:
        y, s, freedom: effects, their standard errors over seeds, and these errors' degrees of freedom `(..., units)`.
        kept: which units count, 1 or 0 `(..., units)`; None: all.
    """

    y: np.ndarray
    s: np.ndarray
    freedom: np.ndarray
    kept: np.ndarray | None = None

    @property
    def k(self):
        """How many units count."""
        return self.mask.sum(axis=-1)

    @functools.cached_property
    def mask(self) -> np.ndarray:
        return np.ones_like(self.y) if self.kept is None else np.broadcast_to(self.kept, self.y.shape)

    @functools.cached_property
    def variance(self) -> np.ndarray:
        return np.maximum(np.square(self.s), _TINY)


def _sum(values: np.ndarray) -> np.ndarray:
    return values.sum(axis=-1, keepdims=True)


def _likelihood(tau2: np.ndarray, sample: Sample) -> np.ndarray:
    """The logarithm of the restricted likelihood of τ² `(..., 1)`, but for a constant."""
    v = np.where(sample.mask > 0, sample.variance + tau2, 1.0)
    w = sample.mask / v
    mean = _sum(w * sample.y) / _sum(w)
    return -0.5 * (_sum(np.log(v)) + np.log(_sum(w)) + _sum(w * (sample.y - mean) ** 2))


@dataclass(frozen=True)
class Spread:
    """τ², the variance of the true effects between units; at least 0.

    Attributes:
        method: `REML` (restricted maximum likelihood: W. Viechtbauer, J. Educ. Behav. Stat. 30, 2005) or `DL`
            (R. DerSimonian and N. Laird, Controlled Clinical Trials 7, 1986).
    """

    method: str = "REML"

    def __call__(self, sample: Sample) -> np.ndarray:
        return np.maximum((self._moments if self.method == "DL" else self._restricted)(sample), 0.0)[..., 0]

    @staticmethod
    def _moments(sample: Sample) -> np.ndarray:
        w = sample.mask / sample.variance
        q = _sum(w * (sample.y - _sum(w * sample.y) / _sum(w)) ** 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (q - (_sum(sample.mask) - 1)) / (_sum(w) - _sum(w**2) / _sum(w))
        return np.where(_sum(sample.mask) > 1, found, 0.0)

    @staticmethod
    def _restricted(sample: Sample) -> np.ndarray:
        # The likelihood may have two tops, so the highest of a grid is found first, and then its top.
        centre = _sum(sample.mask * sample.y) / _sum(sample.mask)
        most = _sum(sample.mask * (sample.y - centre) ** 2)
        grid = np.concatenate([[0.0], np.geomspace(1e-6, 1, 60)])
        best = np.argmax(np.stack([_likelihood(share * most, sample) for share in grid]), axis=0)
        low, high = (most * grid[np.clip(best + step, 0, len(grid) - 1)] for step in (-1, 1))
        for _ in range(50):
            first, second = low + 0.382 * (high - low), high - 0.382 * (high - low)
            left = _likelihood(first, sample) >= _likelihood(second, sample)
            low, high = np.where(left, low, first), np.where(left, second, high)
        better = _likelihood(high, sample) > _likelihood(0 * high, sample)
        return np.where((_sum(sample.mask) > 1) & better, high, 0.0)


def share_of_spread(sample: Sample, tau2: np.ndarray) -> np.ndarray:
    """I²: the share of the variance of measured effects that is one of true effects.

    τ² / (τ² + v), v = (K - 1) Σw / ((Σw)² - Σw²), w = 1 / s² (J. P. T. Higgins and S. G. Thompson, Statistics in
    Medicine 21, 2002). NaN with fewer than two units.
    """
    w = sample.mask / sample.variance
    with np.errstate(divide="ignore", invalid="ignore"):
        typical = (sample.k - 1) * w.sum(axis=-1) / (w.sum(axis=-1) ** 2 - (w**2).sum(axis=-1))
        return np.where(sample.k > 1, tau2 / (tau2 + typical), np.nan)


@dataclass(frozen=True)
class Mean:
    """The mean over units with its error.

    Attributes:
        family: whether the units stand for others like them, so that the spread between them is the error; else they
            stand for themselves, and the spread of seeds is.
        precision: whether units weigh by their precision, else equally. With equal weights, of a family, the interval
            is that of `scipy.stats.ttest_1samp`; with precision, of Hartung and Knapp (G. Knapp and J. Hartung,
            Statistics in Medicine 22, 2003).
        spread: how τ² is found for that.
    """

    family: bool = True
    precision: bool = False
    spread: Spread = Spread()

    def __call__(self, sample: Sample) -> Estimate:
        w, k = self._weights(sample), sample.k
        w = w / _sum(w)
        value = (w * sample.y).sum(axis=-1)
        if self.family:
            error = np.sqrt((w * (sample.y - value[..., None]) ** 2).sum(axis=-1) / np.maximum(k - 1, 1))
            return Estimate(value, np.where(k > 1, error, np.inf), np.maximum(k - 1, 1))
        parts = w**2 * np.square(sample.s)
        total = parts.sum(axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = total**2 / (parts**2 / sample.freedom).sum(axis=-1)
        return Estimate(value, np.sqrt(total), np.where(total > 0, freedom, (sample.mask * sample.freedom).sum(axis=-1)))

    def _weights(self, sample: Sample) -> np.ndarray:
        if not self.precision:
            return sample.mask
        tau2 = self.spread(sample)[..., None] if self.family else 0.0
        return sample.mask / (sample.variance + tau2)


def together(strata: Sequence[Estimate]) -> Estimate:
    """The mean of the strata's means; half of the interval that Welch's test gives for a sum of two."""
    return combine(strata, [1 / len(strata)] * len(strata)) if len(strata) > 1 else strata[0]


def apart(first: Estimate, second: Estimate) -> Estimate:
    """The first stratum's mean less the second's, with Welch's interval."""
    return combine([first, second], [1, -1])


@dataclass(frozen=True)
class AnotherSet:
    """Where the effect measured on another such set falls, in about `share` of cases.

    mean ± t((1 + share) / 2, K - 1) sd(y) sqrt(1 + 1/K): the prediction interval of a normal sample (J. P. T. Higgins,
    S. G. Thompson and D. J. Spiegelhalter, J. R. Stat. Soc. A 172, 2009, for effects of studies; here y holds the
    noise of its seeds, so that it is for a measured effect). Infinite with fewer than two units.
    """

    share: float = 0.8

    def __call__(self, y: np.ndarray) -> tuple[float, float]:
        k = len(y)
        if k < 2:
            return -math.inf, math.inf
        half = -special.stdtrit(k - 1, (1 - self.share) / 2) * math.sqrt(1 + 1 / k) * y.std(ddof=1)
        return float(y.mean() - half), float(y.mean() + half)

    def caught(self, y: np.ndarray) -> float:
        """The share of units that lie in the range made of all the others; NaN below three."""
        if len(y) < 3:
            return math.nan
        ranges = [(self(np.delete(y, i)), one) for i, one in enumerate(y)]
        return float(np.mean([low <= one <= high for (low, high), one in ranges]))


@dataclass(frozen=True, eq=False)
class Units:
    """The units of a comparison: the sets of one source or one quantity are averaged first, seed by seed.

    Attributes:
        names, strata: `(units,)`.
        sets: the data sets of each.
        effects: of each.
    """

    names: tuple[str, ...]
    strata: tuple[str, ...]
    sets: tuple[tuple[str, ...], ...]
    effects: tuple[Effect, ...]

    def sample(self, stratum: str | None = None) -> Sample:
        """The effects with their errors, of one stratum or of all."""
        mine = [e for e, name in zip(self.effects, self.strata, strict=True) if stratum in (None, name)]
        return Sample(*(np.array([f(e) for e in mine], float) for f in (lambda e: e.y, lambda e: e.s, lambda e: len(e.w) - 1)))

    def of(self, stratum: str) -> "Units":
        """The units of one stratum."""
        kept = [i for i, name in enumerate(self.strata) if name == stratum]
        return Units(*(tuple(part[i] for i in kept) for part in (self.names, self.strata, self.sets, self.effects)))


def units(effects: Mapping[str, Effect], params: Params) -> Units:
    """The units of data sets; a set without a unit is one of its own. Raises ValueError: the sets of a unit lie in two strata."""
    members: dict[str, list[str]] = {}
    for data in effects:
        members.setdefault(params.data[data].unit or data, []).append(data)
    strata = [{stratum_of(data, params) for data in sets} for sets in members.values()]
    for name, several in zip(members, strata, strict=True):
        if len(several) > 1:
            raise ValueError(f"the sets of a unit lie in one stratum. Received: {name} in {', '.join(sorted(several))}")
    return Units(tuple(members), tuple(one.pop() for one in strata), tuple(map(tuple, members.values())),
                 tuple(scales.mean([effects[data] for data in sets]) for sets in members.values()))
