"""A number with its standard error: the t interval, and the one-sided p values behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Estimate:
    """An estimate whose error over its standard error follows Student's t.

    Attributes:
        value: the estimate; positive = the treatment is better (of a measure that nobody judges: larger).
        error: its standard error, at least 0.
        freedom: degrees of freedom of that standard error.

    All three may be arrays of one shape.
    """

    value: np.ndarray | float
    error: np.ndarray | float
    freedom: np.ndarray | float

    def bounds(self, tail: float):
        """value ± t(1 - tail, freedom) error: two numbers, or two arrays."""
        half = -special.stdtrit(self.freedom, tail) * self.error
        return self.value - half, self.value + half

    def above(self, point: float = 0.0):
        """One-sided p value of "it is at most `point`": small = proven above."""
        return special.stdtr(self.freedom, -self._distance(point))

    def below(self, point: float = 0.0):
        """One-sided p value of "it is at least `point`": small = proven below."""
        return special.stdtr(self.freedom, self._distance(point))

    def _distance(self, point: float):
        # Without any spread the value is certain, and at the point itself neither side is proven.
        gap = np.subtract(self.value, point)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(gap == 0, 0.0, gap / self.error)

    def __neg__(self) -> "Estimate":
        return Estimate(-self.value, self.error, self.freedom)


def combine(parts: Sequence[Estimate], weights: Sequence[float]) -> Estimate:
    """A weighted sum of independent estimates.

    SE² = Σ (aᵢ seᵢ)², ν = SE⁴ / Σ (aᵢ seᵢ)⁴ / νᵢ (F. E. Satterthwaite, Biometrics Bulletin 2, 1946; B. L. Welch,
    Biometrika 34, 1947). Where no part has an error, ν is the sum of the νᵢ.
    """
    value = np.asarray(sum(a * np.asarray(part.value) for a, part in zip(weights, parts, strict=True)))
    squares = np.stack([np.broadcast_to(np.square(a * np.asarray(part.error, float)), value.shape)
                        for a, part in zip(weights, parts, strict=True)])
    freedoms = np.stack([np.broadcast_to(part.freedom, value.shape) for part in parts]).astype(float)
    total = squares.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.where(total > 0, total**2 / (squares**2 / freedoms).sum(axis=0), freedoms.sum(axis=0))
    return Estimate(_plain(value), _plain(np.sqrt(total)), _plain(freedom))


def _plain(values):
    return values if np.ndim(values) else float(values)
