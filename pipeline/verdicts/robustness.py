"""A decided claim, decided again under other choices."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from pipeline.verdicts.average import enough
from pipeline.verdicts.claims import UNDECIDED, verdict
from pipeline.verdicts.rule import Rule

COLUMNS = ["change", "verdict"]
MARKED, NARROWER, WIDER, SIGNED_RANK, MIDDLE_RATE, OTHER_ENDPOINT = (
    "without marked sets", "narrower margin", "wider margin", "signed-rank test", "middle learning rate",
    "other endpoint")


def robustness(region: str, quantifier: str, units: pd.DataFrame, delta: float, rule: Rule, *,
               family: bool, sensitive: Collection[str] | None = None, marked: Collection[str] = (),
               others: Mapping[str, pd.DataFrame] | None = None) -> pd.DataFrame:
    """The claim decided again under each change, on the same group of units and by the same
    kind of average.

    Args:
        region, quantifier, units, delta, family, sensitive: as for `claims.verdict`.
        marked: units whose control's error exceeds `rule.marked_share` of the trivial predictor's.
        others: further tables of the same units, by change: the family's middle rate for all, the
            other endpoint.

    Returns:
        `COLUMNS`, one row a change; the verdict is empty where a change does not apply: nothing is
        marked, the margin is 0, or the claim is not about an average over a family.
    """
    def again(some=units, factor=1.0, **test):
        if not enough(some, units, family):
            return UNDECIDED
        return verdict(region, quantifier, some, factor * delta, rule, sensitive=sensitive,
                       family=family, **test).verdict

    found = {f"without {unit}": again(units[np.arange(len(units)) != i])
             for i, unit in enumerate(units["unit"]) if len(units) > 1}
    kept = units[~units["unit"].isin(list(marked))]
    found[MARKED] = again(kept) if len(kept) < len(units) else ""
    found[NARROWER] = again(factor=rule.narrower_margin) if delta else ""
    found[WIDER] = again(factor=rule.wider_margin) if delta else ""
    ranks = quantifier == "generally" and family
    found[SIGNED_RANK] = again(signed_rank=True) if ranks else ""
    found |= {change: again(table) for change, table in (others or {}).items()}
    return pd.DataFrame(found.items(), columns=COLUMNS)


def fragile(decided: str, again: pd.DataFrame) -> bool:
    """Whether some change loses a verdict; an undecided claim has none to lose."""
    tried = again.loc[again["verdict"] != "", "verdict"]
    return decided != UNDECIDED and bool((tried != decided).any())
