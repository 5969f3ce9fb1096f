"""Arrays of any kind and a seed → a split."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.data import parts, splits
from pipeline.data.splits import Split

#: Kinds of arrays that come from a file of one's own; those of the sources have others.
OWN = ("table", "windows", "recordings")


def is_own(arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether arrays were made from a file of one's own, not by a source."""
    return str(arrays["kind"]) in OWN


def load(arrays: Mapping[str, np.ndarray], seed: int, train_fraction: float = 1.0,
         scaling: str = "standard") -> Split:
    """One seed's training, validation and test arrays; see `splits.load` and `parts.load_split`."""
    chosen = parts.load_split if is_own(arrays) else splits.load
    return chosen(arrays, seed, train_fraction, scaling)


def digest(arrays: Mapping[str, np.ndarray], seed: int) -> str:
    """SHA-256 of all that a seed's split depends on in the arrays."""
    return parts.digest(arrays) if is_own(arrays) else splits.digest(arrays, seed)
