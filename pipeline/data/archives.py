"""Real data that come with an installed package."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pipeline.data.draw import Arrays, Count, scalars


def digits(seeds: Iterable[int] = (), train: Count = 1079, validation: Count = 359, test: Count = 359) -> Arrays:
    """Optical digits: x ``(1797, 8, 8, 1)``, grey levels 0 to 16, y ``(1797,)``, ten classes."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return scalars("classes", "pool", train, validation, test, classes=10) | {
        "x": x.reshape(-1, 8, 8, 1).astype(np.float32), "y": y.astype(np.int32)}
