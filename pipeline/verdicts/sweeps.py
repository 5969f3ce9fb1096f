"""Sweeps: which values their variants have, mean scores by value, and which rates seeds keep."""

from __future__ import annotations

import pandas as pd

from pipeline.config.claims import arm_name
from pipeline.config.schema import Params
from pipeline.tables.schemas import DOSE_COLUMNS, RATE_COLUMNS
from pipeline.verdicts.arms import Measured, Sweeps
from pipeline.verdicts.one_set import difference
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
        measured: the runs, of which the sweeps of one key with numbers are shown; errors as in
            `scores.scores_of`.

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
            if variant not in variants:
                continue
            for data in arms.sets[name, variant]:
                scores = scores_of(arms, (name, variant), data, "error", "best", arm_name(name, variant))
                one = difference(0 * scores, scores).estimate
                rows.append((name, key, float(variants[variant][key]), data, len(scores), one.value,
                             *(float(bound) for bound in one.bounds(rule.tail))))
    return pd.DataFrame(rows, columns=DOSE_COLUMNS)


def _number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def rates(runs: pd.DataFrame) -> pd.DataFrame:
    """How many seeds kept each learning rate.

    Args:
        runs: with what `scores.derive` adds.

    Returns:
        `RATE_COLUMNS`; `edge`: whether the rate is the least or the greatest of three or more.
    """
    place = ["experiment", "variant", "data", "learning_rate"]
    found = runs.assign(chosen=runs["chosen"].astype(bool)).groupby(place, sort=False).agg(
        seeds=("chosen", "sum"), edge=("edge", "first")).reset_index()
    return found.rename(columns={"learning_rate": "rate"})[RATE_COLUMNS]
