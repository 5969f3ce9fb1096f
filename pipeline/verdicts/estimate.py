"""An effect with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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


def pairs(control, treatment):
    control, treatment = np.asarray(control, float), np.asarray(treatment, float)
    if control.shape != treatment.shape or control.ndim == 0 or control.shape[-1] == 0:
        raise ValueError("pairs need equal seeds, at least one. "
                         f"Received: {control.shape} and {treatment.shape}")
    return control, treatment
