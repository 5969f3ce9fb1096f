"""Many comparisons at once."""

import numpy as np
from scipy import stats


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
