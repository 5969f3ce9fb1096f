"""What is measured of a layer's outputs and weights."""

from __future__ import annotations

import math

import keras
import numpy as np

#: Values that differ by at most this share of the largest of them are rounding.
TOLERANCE = 1e-6
#: The derivative, over its maximum, of an activation with bounds, from the activation's output.
SLOPES = {keras.activations.sigmoid: lambda y: 4 * y * (1 - y), keras.activations.tanh: lambda y: 1 - y**2}
#: An output is saturated where the derivative is below this share of its maximum.
SATURATED = 0.1


def by_unit(outputs: np.ndarray) -> np.ndarray:
    """`(batch, ..., units)` → `(samples, units)` in double precision."""
    return np.asarray(outputs, np.float64).reshape(-1, outputs.shape[-1])


def varies(values: np.ndarray) -> np.ndarray:
    """Which units are not constant, `(units,)`: their range exceeds `TOLERANCE` of the largest value."""
    return np.ptp(values, axis=0) > TOLERANCE * np.abs(values).max(axis=0)


def moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each unit, `(units,)` both; the variance of a constant unit is 0."""
    return values.mean(axis=0), np.where(varies(values), values.var(axis=0), 0.0)


def moment_distance(mean: np.ndarray, variance: np.ndarray) -> float:
    """How far units are from mean 0 and variance 1: the mean over units of |mean| + |variance - 1|."""
    return float((np.abs(mean) + np.abs(variance - 1)).mean())


def _standardised(values: np.ndarray) -> np.ndarray:
    """The units that vary, with mean 0 and variance 1."""
    values = values[:, varies(values)]
    return (values - values.mean(axis=0)) / values.std(axis=0)


def _moment(values: np.ndarray, power: int, normal: float) -> float:
    z = _standardised(values)
    return float(np.abs((z**power).mean(axis=0) - normal).mean()) if z.size else math.nan


def skewness(values: np.ndarray) -> float:
    """The mean over units that vary of |E z^3|; NaN if none does."""
    return _moment(values, 3, 0)


def kurtosis(values: np.ndarray) -> float:
    """The mean over units that vary of |E z^4 - 3|, 0 for a normal distribution; NaN if none does."""
    return _moment(values, 4, 3)


def correlation(values: np.ndarray) -> float:
    """The mean |Pearson correlation| of pairs of units that vary, in 0..1; NaN without a pair."""
    z = _standardised(values)
    units = z.shape[1]
    if units < 2:
        return math.nan
    pairs = np.abs(z.T @ z / len(z))[np.triu_indices(units, 1)]
    return float(pairs.mean())


def zero_share(values: np.ndarray) -> float:
    """The share of exact zeros, in 0..1."""
    return float((values == 0).mean())


def saturation(activation, values: np.ndarray) -> tuple[float, float]:
    """`saturated_share` and `slope` of an activation's outputs, both in 0..1.

    The share of outputs at which the derivative is below a tenth of its maximum, and the mean
    derivative over its maximum; NaN but for sigmoid (y (1 - y), at most 1/4) and tanh (1 - y^2).
    """
    if activation not in SLOPES:
        return math.nan, math.nan
    slopes = SLOPES[activation](values)
    return float((slopes < SATURATED).mean()), float(slopes.mean())


def norm(arrays: list[np.ndarray]) -> float:
    """The Euclidean norm of all entries together; NaN without any array.

    In double precision: the square of a vanishing gradient is below the least single number.
    """
    if not arrays:
        return math.nan
    return math.sqrt(sum(float((np.asarray(a, np.float64)**2).sum()) for a in arrays))


def log_ratio(a: float, b: float) -> float:
    """ln(a / b); NaN unless both are above 0."""
    return math.log(a / b) if a > 0 and b > 0 else math.nan


def drift(history: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """How far a layer's distribution moves in an epoch.

    The mean over epochs k of mean over units |mean_k - mean_(k-1)| / s_(k-1) + |ln(s_k / s_(k-1))|, with s the root of the
    mean variance over units. An epoch before or after which s is 0 is left out; NaN if none is left.

    Args:
        history: what `moments` gave before the first step, then after each epoch.
    """
    steps = []
    for (mean, variance), (mean_after, variance_after) in zip(history, history[1:]):
        scale, after = math.sqrt(variance.mean()), math.sqrt(variance_after.mean())
        if scale > 0 and after > 0:
            steps.append(np.abs(mean_after - mean).mean() / scale + abs(math.log(after / scale)))
    return float(np.mean(steps)) if steps else math.nan


def constant(outputs: np.ndarray) -> float:
    """1.0 if no output varies, so that the network predicts the same for every sample, else 0.0."""
    return float(not varies(by_unit(outputs)).any())


def accuracy(y: np.ndarray, prediction: np.ndarray) -> float:
    """The share of samples whose likeliest class is theirs."""
    return float((prediction.argmax(axis=1) == y).mean())
