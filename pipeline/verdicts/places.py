"""Where to put a layer: the places of an `everywhere` experiment, ranked."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from pipeline.spec.claims import arm_name
from pipeline.spec.tables import PLACE_COLUMNS
from pipeline.verdicts.arms import Measured
from pipeline.verdicts.effects import paired
from pipeline.verdicts.rule import Rule
from pipeline.verdicts.scores import scores_of


def places(everywhere: Collection[str], comparisons: pd.DataFrame, measured: Measured, rule: Rule
           ) -> pd.DataFrame:
    """Each place of a network, its effect on each data set, and whether it is the best one.

    The intervals of a data set hold for all its places together, as they stand in `comparisons`.
    Of the places that can show something, the one of the largest effect `stands` best and that of
    the least worst; whether that is more than chance, `apart` says, see `contenders`.

    Args:
        everywhere: experiments whose variants are places, in the network's order.
        comparisons: the table that has their rows.
        measured: the runs.
        rule: the constants.

    Returns:
        `PLACE_COLUMNS`: those of `comparisons`, and `place`, `number` (its place in the network's
        order, from 1), `stands` (`best`, `worst` or ''), `may_be_best`, `may_be_worst` (whether the
        place is among those that may be), and `apart` (whether the best, or the worst, is the only
        one that may be).
    """
    rows = []
    for name in everywhere:
        labels = {arm_name(name, variant): variant for variant in measured.chosen.variants[name]}
        numbers = {label: number for number, label in enumerate(labels, start=1)}
        mine = comparisons[comparisons["treatment"].isin(list(labels))]
        for data, cells in mine.groupby("data", sort=False):
            stands = _stands(name, data, cells, labels, measured, rule)
            rows += [cell | {"experiment": name, "place": labels[cell["treatment"]],
                             "number": numbers[cell["treatment"]]} | stands[cell["treatment"]]
                     for cell in cells.to_dict("records")]
    return pd.DataFrame(rows, columns=PLACE_COLUMNS)


def _stands(name: str, data: str, cells: pd.DataFrame, labels: Mapping[str, str], measured: Measured,
            rule: Rule) -> dict[str, dict]:
    """Of one data set: treatment → what `places` says of how it stands among the others."""
    ranked = cells[(cells["position"] != "uninformative") & np.isfinite(cells["effect"].astype(float))]
    found = {treatment: {"stands": "", "may_be_best": False, "may_be_worst": False, "apart": False}
             for treatment in cells["treatment"]}
    if len(ranked) < 2:
        return found
    where = f"{name} on {data}"
    scored = measured.chosen.matched([(name, labels[t]) for t in ranked["treatment"]],
                                     [data] * len(ranked), where)
    scores = {t: scores_of(runs, "error", "best", where)
              for t, runs in zip(ranked["treatment"], scored, strict=True)}
    best, worst = contenders(scores, rule)
    effects = ranked.set_index("treatment")["effect"].astype(float)
    for treatment in ranked["treatment"]:
        found[treatment] |= {"may_be_best": treatment in best, "may_be_worst": treatment in worst}
    found[effects.idxmax()] |= {"stands": "best", "apart": len(best) == 1}
    found[effects.idxmin()] |= {"stands": "worst", "apart": len(worst) == 1}
    return found


def contenders(scores: Mapping[str, np.ndarray], rule: Rule) -> tuple[set[str], set[str]]:
    """The places that may be the best, and those that may be the worst.

    A place is out of the best if another one is shown to be better than it by a paired interval, of
    which those of one place share alpha (two-sided, so that the worst share it too). With a chance
    of 1 − alpha the places that are truly best and worst are among those left (J. C. Hsu, Annals of
    Statistics 12, 1984: multiple comparisons with the best; Bonferroni's instead of Dunnett's
    quantile). One place alone that is left is thus told apart from all others, although it was the
    data that picked it.

    Args:
        scores: place → scores `(seeds,)`, lower is better; entry i of all shares a seed. At least two.
    """
    better = {(one, other): paired(scores[other], scores[one], "log ratio", rule.alpha,
                                   len(scores) - 1).low > 0
              for one in scores for other in scores if one != other}
    best = {one for one in scores if not any(better.get((other, one)) for other in scores)}
    worst = {one for one in scores if not any(better.get((one, other)) for other in scores)}
    return best, worst
