"""An exact interval for the difference of two shares of paired events."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import optimize, special, stats

from pipeline.verdicts.estimate import Estimate, pairs


def share_interval(control, treatment, tail: float) -> Estimate:
    """Exact interval for share(control) - share(treatment) of paired events.

    With b pairs where only the control and c where only the treatment has the event, the
    outcomes are ordered by L(b) - U(c), L and U being Clopper-Pearson limits, and each limit
    is the tightest one that keeps its coverage for that order whatever the shares are
    (R. J. Buehler, J. Am. Stat. Assoc. 52, 1957; C. J. Lloyd and P. Kabaila, Aust. N. Z. J.
    Stat. 45, 2003). It is never wider than L(b) - U(c) to U(b) - L(c).

    Args:
        control, treatment: booleans `(seeds,)`, true = the event (a divergence).
        tail: chance of a miss on each side, 0..0.5.

    Returns:
        The estimate, positive = fewer events under the treatment, range -1..1.
    """
    control, treatment = np.asarray(control, bool), np.asarray(treatment, bool)
    pairs(control, treatment)
    n = len(control)
    b = int((control & ~treatment).sum())
    c = int((treatment & ~control).sum())
    return Estimate((b - c) / n, share_limit(n, b, c, tail), -share_limit(n, c, b, tail),
                    math.nan, n)


@lru_cache(maxsize=4096)
def share_limit(n: int, b: int, c: int, tail: float) -> float:
    """Lower Buehler limit of p - q, p and q the shares of pairs behind b and c."""
    counts = np.arange(n + 1)
    # tail / 2 each: L - U is then itself a limit, so that Buehler's can only be tighter.
    lower = np.where(counts > 0, special.betaincinv(
        np.maximum(counts, 1), n - np.maximum(counts, 1) + 1, tail / 2), 0.0)
    upper = 1 - lower[::-1]
    order = lower[b] - upper[c]
    # The order rises with b and falls with c: for each c' the extreme outcomes are b' >= least.
    reached = lower[None, :] >= order + upper[:, None] - 1e-12
    feasible = counts[None, :] + counts[:, None] <= n
    extreme = reached & feasible
    rows = np.flatnonzero(extreme.any(1))
    least = extreme[rows].argmax(1)

    def chance(q, gap):
        """P(extreme) with shares p = q + gap and q; q `(grid,)`."""
        q = np.atleast_1d(q)[:, None]
        p = np.clip((q + gap) / np.maximum(1 - q, 1e-300), 0, 1)
        tails = np.where(least > 0, special.betainc(
            np.maximum(least, 1), n - rows - np.maximum(least, 1) + 1, p), 1.0)
        return (stats.binom.pmf(rows, n, q) * tails).sum(1)

    # q runs from its least to its greatest value, densely near both ends.
    unit = (1 - np.cos(np.linspace(0, np.pi, 121))) / 2

    def excess(gap):
        start, end = max(0.0, -gap), (1 - gap) / 2
        grid = start + (end - start) * unit
        values = chance(grid, gap)
        top = int(values.argmax())
        near = grid[max(top - 1, 0)], grid[min(top + 1, len(grid) - 1)]
        best = optimize.minimize_scalar(
            lambda q: -chance(q, gap)[0], bounds=near, method="bounded",
            options={"xatol": 1e-9})
        return max(values[top], -best.fun) - tail

    if excess(-1 + 1e-9) > 0:
        return -1.0
    return optimize.brentq(excess, -1 + 1e-9, 1 - 1e-9, xtol=1e-9)
