"""How a quantity grows with a size: the power of it that the measurements follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

#: A row of what was measured: a step's `value` in `unit` at a size; of seconds, `work` is what all cores did together,
#: and `limit` the most that the value may be there.
MEASURED_COLUMNS = ["step", "experiments", "sets", "unit", "value", "work", "limit"]
#: How a step grows `along` a size: by the power of it, over all sizes and over the last two.
GROWTH_COLUMNS = ["step", "along", "smallest", "largest", "power", "last", "faster"]
#: What may vary along a size.
ALONG = ("experiments", "sets")
#: A power above this is growth faster than in proportion; measurements are not exact.
LINEAR = 1.15


def power(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The power p of `value ~ size ** p`: the slope of a line through the logarithms, by least squares.

    Raises:
        ValueError: fewer than two sizes, or a number that is not positive.
    """
    sizes, values = np.asarray(sizes, float), np.asarray(values, float)
    if len(set(sizes)) < 2 or not ((sizes > 0).all() and (values > 0).all()):
        raise ValueError("growth needs two sizes or more, and positive numbers. "
                         f"Received: sizes {sizes.tolist()}, values {values.tolist()}")
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def growth(measured: pd.DataFrame) -> pd.DataFrame:
    """How every step grows along each size, the other at its smallest.

    The power over the last two sizes counts: what every run takes, as starting a program does, hides the growth of
    small sizes.

    Args:
        measured: the columns `MEASURED_COLUMNS`. Of seconds, the cores' work grows: a busy machine stretches the clock.
    """
    rows = []
    for step, mine in measured.groupby("step", sort=False):
        for along, other in (ALONG, ALONG[::-1]):
            line = mine[mine[other] == mine[other].min()].sort_values(along)
            if line[along].nunique() < 2:
                continue
            values = line["work"].fillna(line["value"])
            last = power(line[along][-2:], values[-2:])
            rows.append((step, along, int(line[along].iloc[0]), int(line[along].iloc[-1]),
                         power(line[along], values), last, last > LINEAR))
    return pd.DataFrame(rows, columns=GROWTH_COLUMNS)
