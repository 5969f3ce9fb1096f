"""Sweeps: which values their variants have, and mean scores by value."""

from __future__ import annotations

import pandas as pd

from pipeline.spec.claims import arm_name
from pipeline.spec.params import Params
from pipeline.spec.tables import DOSE_COLUMNS
from pipeline.verdicts.arms import Measured, Sweeps
from pipeline.verdicts.effects import interval
from pipeline.verdicts.rule import Rule
from pipeline.verdicts.scores import scores_of


def sweeps(params: Params) -> Sweeps:
    """Experiment → the label of each variant → its values by key; '' and none without a sweep."""
    return {name: params.variants(name) for name in params.experiments}


def everywhere(params: Params) -> list[str]:
    """The experiments whose variants are the places of a network."""
    return [name for name, one in params.experiments.items() if one.everywhere]


def doses(measured: Measured, rule: Rule) -> pd.DataFrame:
    """Mean test error, best epoch, by the value of a sweep, each with a t interval of its own.

    Args:
        measured: the runs, of which the sweeps of one key with numbers are shown; a diverged seed
            scores what the trivial predictor scores.

    Returns:
        `DOSE_COLUMNS`. The intervals show the spread of seeds; differences between experiments
        are paired, and narrower.
    """
    arms, rows = measured.chosen, []
    for name, variants in (measured.sweeps or {}).items():
        keys = {key for values in variants.values() for key in values}
        if len(keys) != 1 or not all(_number(v) for values in variants.values() for v in values.values()):
            continue
        key, = keys
        for variant in arms.variants.get(name, ()):
            for data in arms.sets[name, variant]:
                where = arm_name(name, variant)
                scores = scores_of(arms.runs[name, variant, data], "error", "best", where)
                one = interval(scores.mean(), scores, rule.alpha)
                rows.append((name, key, float(variants[variant][key]), data, len(scores),
                             float(one.effect), float(one.low), float(one.high)))
    return pd.DataFrame(rows, columns=DOSE_COLUMNS)


def _number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
