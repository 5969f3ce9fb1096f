"""An interval → the word for it: the first row that fits."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from pipeline.verdicts import average as averages
from pipeline.verdicts.estimate import Estimate
from pipeline.verdicts.rule import Rule

CLEARLY_HELPS, HELPS, HELPS_A_LITTLE = "helps clearly", "helps", "helps a little"
CLEARLY_HARMS, HARMS, HARMS_A_LITTLE = "harms clearly", "harms", "harms a little"
NO_DIFFERENCE, NONE_ON_AVERAGE = "makes no difference", "makes no difference on average"
NO_BENEFIT, NO_HARM, OPEN = "no benefit that matters", "no harm that matters", "open"
DEPENDS = "depends on the data"

HELP = frozenset({CLEARLY_HELPS, HELPS, HELPS_A_LITTLE})
HARM = frozenset({CLEARLY_HARMS, HARMS, HARMS_A_LITTLE})
NOTHING = frozenset({NO_DIFFERENCE, NONE_ON_AVERAGE})
#: The words, in the order in which they are tried.
WORDS = (CLEARLY_HELPS, HELPS_A_LITTLE, HELPS, CLEARLY_HARMS, HARMS_A_LITTLE, HARMS, NO_DIFFERENCE,
         NONE_ON_AVERAGE, NO_BENEFIT, NO_HARM, OPEN)


def word(low, high, delta: float, everywhere=False):
    """The first row that fits the interval of μ.

    Above 0, it helps: clearly if it lies above δ, a little if below δ, and neither is said if δ lies
    inside. Below 0 the same for harm. Else inside ±δ no difference, `everywhere` or on average;
    below δ no benefit that matters; above -δ no harm that matters; else open. A bound on the line
    itself is not beyond it. With δ = 0 (measures) what helps or harms does so clearly.

    Args:
        low, high: bounds of the interval, numbers or arrays of one shape.
        everywhere: whether no difference holds for other sets too, see `everywhere_within`.

    Returns:
        A word, or an array of them.
    """
    low, high = np.asarray(low), np.asarray(high)
    inside = (low > -delta) & (high < delta)
    fits = [low > delta, (low > 0) & (high < delta), low > 0,
            high < -delta, (high < 0) & (low > -delta), high < 0,
            inside & everywhere, inside, high < delta, low > -delta]
    found = np.select(fits, WORDS[:-1], default=OPEN)
    return found if found.ndim else str(found)


def everywhere_within(units: pd.DataFrame, delta: float, rule: Rule, family: bool) -> bool:
    """Whether the margin holds beyond the average.

    Of a family, if the range for another set lies inside ±δ; of named sets, which have no such
    range, if each one's own interval does.
    """
    if family:
        low, high = averages.another_set(units, rule)
    else:
        each = Estimate(*(units[name].to_numpy(float) for name in ("y", "s", "freedom")))
        lows, highs = each.bounds(rule.tail)
        low, high = lows.min(), highs.max()
    return bool(low > -delta and high < delta)


def denied(found: str, truth: float, delta: float) -> bool:
    """Whether a word is wrong of an average whose true value is known."""
    low, high = {
        CLEARLY_HELPS: (delta, math.inf), HELPS: (0, math.inf), HELPS_A_LITTLE: (0, delta),
        CLEARLY_HARMS: (-math.inf, -delta), HARMS: (-math.inf, 0), HARMS_A_LITTLE: (-delta, 0),
        NO_DIFFERENCE: (-delta, delta), NONE_ON_AVERAGE: (-delta, delta),
        NO_BENEFIT: (-math.inf, delta), NO_HARM: (-delta, math.inf),
        OPEN: (-math.inf, math.inf)}[found]
    return not low < truth < high
