"""A number with its standard error: its t interval, and the one-sided p values behind it; and corrections for many."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats


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


def false_discovery(p) -> np.ndarray:
    """Benjamini and Yekutieli's q of each p value: what is called at q ≤ 0.05 is wrong in one of twenty cases at most.

    It holds whatever the comparisons share (Y. Benjamini and D. Yekutieli, Annals of Statistics 29, 2001); and they
    share controls, and data sets.

    Args:
        p: `(..., comparisons)`; NaN where nothing is tested.
    """
    p = np.asarray(p, float)
    known = np.isfinite(p).all(axis=tuple(range(p.ndim - 1)))
    q = np.full(p.shape, np.nan)
    if known.any():
        q[..., known] = stats.false_discovery_control(p[..., known], axis=-1, method="by")
    return q


def holm(p) -> np.ndarray:
    """S. Holm's adjusted p values (Scandinavian Journal of Statistics 6, 1979).

    The chance that any true null hypothesis has one of at most α is at most α. (`multipletests` of statsmodels gives
    the same, and collects the whole memory's garbage each time.)

    Args:
        p: `(hypotheses,)`.
    """
    p = np.asarray(p, float)
    order = np.argsort(p)
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(adjusted, 1.0)[np.argsort(order)]
