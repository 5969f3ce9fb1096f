"""Data sets → units: one row each, the sets of one source or one quantity averaged first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from pipeline.verdicts.estimate import Estimate
from pipeline.verdicts.one_set import Effect, mean
from pipeline.verdicts.rule import Rule

#: `y` the effect, `s` its standard error over seeds, `freedom` that error's degrees of freedom.
COLUMNS = ["unit", "stratum", "sets", "seeds", "y", "s", "freedom"]


def members(data: Iterable[str], unit_of: Mapping[str, str] | None = None) -> dict[str, list[str]]:
    """Unit → its data sets; a set without a unit is one of its own."""
    found: dict[str, list[str]] = {}
    for name in data:
        found.setdefault((unit_of or {}).get(name) or name, []).append(name)
    return found


def unit_effects(effects: Mapping[str, Effect], unit_of: Mapping[str, str] | None = None
                 ) -> dict[str, Effect]:
    """Unit → the mean of its data sets' effects, in the order of the data sets."""
    return {unit: mean([effects[data] for data in sets]) if len(sets) > 1 else effects[sets[0]]
            for unit, sets in members(effects, unit_of).items()}


def units(effects: Mapping[str, Effect], unit_of: Mapping[str, str] | None = None,
          stratum_of: Mapping[str, str] | None = None) -> pd.DataFrame:
    """One row a unit, in the order of the data sets.

    Args:
        effects: by data set.
        unit_of: the unit of a set that shares one; others are units of their own.
        stratum_of: the stratum of a set; '' for those without.

    Returns:
        `COLUMNS`; `sets` names a unit's data sets.

    Raises:
        ValueError: the sets of a unit lie in two strata, or share no seeds.
    """
    sets_of, rows = members(effects, unit_of), []
    for unit, effect in unit_effects(effects, unit_of).items():
        strata = {(stratum_of or {}).get(data, "") for data in sets_of[unit]}
        if len(strata) > 1:
            raise ValueError(f"the sets of a unit lie in one stratum. Received: {unit} in "
                             f"{', '.join(sorted(strata))}")
        rows.append((unit, strata.pop(), ", ".join(sets_of[unit]), len(effect.w), effect.y, effect.s,
                     len(effect.w) - 1))
    return pd.DataFrame(rows, columns=COLUMNS)


def chances(units: pd.DataFrame, delta: float) -> dict[str, np.ndarray]:
    """One-sided p values of every unit `(K,)`, by its own t test over seeds.

    Keys: `above` and `below` (the margin), `positive` and `negative` (0), `above_minus` and
    `below_minus` (minus the margin).
    """
    one = _alone(units)
    return {"above": one.above(delta), "below": one.below(delta),
            "positive": one.above(0.0), "negative": one.below(0.0),
            "above_minus": one.above(-delta), "below_minus": one.below(-delta)}


def _alone(units: pd.DataFrame) -> Estimate:
    """Each unit's own effect with its error, `(K,)`."""
    return Estimate(*(units[name].to_numpy(float) for name in ("y", "s", "freedom")))


def counts(units: pd.DataFrame, delta: float, rule: Rule, alone: Rule | None = None) -> dict[str, int]:
    """On how many units what was found.

    Keys: `better` and `worse` (the unit's own interval leaves 0 out), `above` and `below` (its
    effect lies beyond the margin either way), `proven_above` and `proven_below` (it is proven to,
    one-sided at 0.05 / 2K: Bonferroni over the K units).

    Args:
        rule: the constants; those of one group, if groups share the chance of a miss.
        alone: the constants for a unit's own interval, which no group shares; `rule` if not given.
    """
    p, tail, own = chances(units, delta), rule.proven_tail(len(units)), (alone or rule).tail
    found = {"better": p["positive"] < own, "worse": p["negative"] < own,
             "above": units["y"] > delta, "below": units["y"] < -delta,
             "proven_above": p["above"] < tail, "proven_below": p["below_minus"] < tail}
    return {name: int(which.sum()) for name, which in found.items()}


def depends(units: pd.DataFrame, delta: float, rule: Rule) -> bool:
    """Whether the effect depends on the data: one unit proven above δ, and one below -δ."""
    one, tail = _alone(units), rule.proven_tail(len(units))
    return bool((one.above(delta) < tail).any() and (one.below(-delta) < tail).any())
