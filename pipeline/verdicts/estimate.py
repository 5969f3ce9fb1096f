"""A number with its standard error: the t interval, and the one-sided p values behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special


def quantile(tail: float, freedom):
    """What Student's t exceeds with a chance of `tail`; `scipy.stats.t.isf`, without its checks."""
    return -special.stdtrit(freedom, tail)


@dataclass(frozen=True)
class Estimate:
    """An estimate whose error over its standard error follows Student's t.

    Attributes:
        value: the estimate; positive = the treatment is better (measures: larger).
        error: its standard error, at least 0.
        freedom: degrees of freedom of that standard error.

    All three may be arrays of one shape.
    """

    value: float
    error: float
    freedom: float

    def bounds(self, tail: float):
        """value ± t(1 - tail, freedom) error: two numbers, or two arrays."""
        half = quantile(tail, self.freedom) * self.error
        return self.value - half, self.value + half

    def above(self, point: float):
        """One-sided p value of "it is at most `point`": small = proven above."""
        return special.stdtr(self.freedom, -self._distance(point))

    def below(self, point: float):
        """One-sided p value of "it is at least `point`": small = proven below."""
        return special.stdtr(self.freedom, self._distance(point))

    def _distance(self, point: float):
        # Without any spread the value is certain, and at the point itself neither side is proven.
        gap = np.subtract(self.value, point)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(gap == 0, 0.0, gap / self.error)


def combine(weights, errors, freedoms) -> tuple[float, float]:
    """Standard error and degrees of freedom of a weighted sum of independent estimates.

    SE² = Σ (aᵢ seᵢ)², ν = SE⁴ / Σ (aᵢ seᵢ)⁴ / νᵢ (F. E. Satterthwaite, Biometrics Bulletin 2,
    1946; B. L. Welch, Biometrika 34, 1947).

    Args:
        weights, errors, freedoms: `(parts,)`.

    Returns:
        The standard error and ν; where no part has an error, 0 and the sum of the νᵢ.
    """
    parts = np.asarray(weights, float) ** 2 * np.asarray(errors, float) ** 2
    freedoms = np.asarray(freedoms, float)
    total = parts.sum()
    if total == 0:
        return 0.0, float(freedoms.sum())
    shares = parts / total
    return float(np.sqrt(total)), float(1 / (shares**2 / freedoms).sum())


def apart(first: Estimate, second: Estimate) -> Estimate:
    """The difference of two independent estimates: two data sets, or two families."""
    error, freedom = combine([1, 1], [first.error, second.error], [first.freedom, second.freedom])
    return Estimate(first.value - second.value, error, freedom)
