"""Controls: what half the data costs on each data set, and how near the control is to guessing, and to simple predictors."""

import difflib
import functools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.config.claims import arm_name, base
from pipeline.config.layer_names import words
from pipeline.config.schema import Params
from pipeline.findings.arms import Arm, Comparison, GUESSING, Pair
from pipeline.findings.compare import scored
from pipeline.findings.scales import Effect
from pipeline.findings.study import Study, kind_of, stratum_of
from pipeline.tables.schemas import DATA_SET_CONTROL_COLUMNS, SIMPLE

#: Control → data set → the effect of half the data.
Halves = Mapping[str, Mapping[str, Effect]]


def nearest_control(arm: Arm, data: str, halves: Halves, params: Params) -> str:
    """The control that is most like an arm, of those with half the data on a data set; empty without any.

    It is the arm itself or what it is a change of, as far as that goes back; else the one whose layers are most alike.
    """
    there = [control for control, effects in halves.items() if data in effects]
    name: str | None = arm[0]
    if arm_name(*arm) in there:
        return arm_name(*arm)
    while name:
        if name in there:
            return name
        name = params.experiments[name].of or params.experiments[name].versus
    mine = words(params.experiments[arm[0]].layers)
    return max(there, default="", key=lambda one: difflib.SequenceMatcher(
        None, mine, words(params.experiments[base(one)].layers)).ratio())


def share_of_half(comparison: Comparison, effects: Mapping[str, Effect], halves: Halves, params: Params) -> float:
    """The mean effect over the units of some data sets as a share of what half the data costs there, positive = better.

    NaN for what is no plain comparison of errors, for a network whose rate is fixed, which the controls' is not, where a
    set has no control, or if half the data costs less than one per cent on average, so that nothing can be compared.
    """
    pair = comparison.pairs[0][1]
    if comparison.metric != "error" or len(comparison.pairs) > 1 or pair.control == GUESSING or not effects:
        return np.nan
    network = params.experiments[pair.control[0]]
    if network.learning_rate is not None or "learning_rate" in (network.vary or {}):
        return np.nan
    nearest = {data: nearest_control(pair.control, data, halves, params) for data in effects}
    table = pd.DataFrame({"unit": [params.data[data].unit or data for data in effects], "y": [one.y for one in effects.values()],
                          "half": [halves[control][data].y if control else np.nan for data, control in nearest.items()]})
    y, half = table.groupby("unit")[["y", "half"]].agg(lambda values: values.mean(skipna=False)).mean(skipna=False)
    return float(y / -half) if half < -0.01 else np.nan


def data_sets(halves: Halves, study: Study) -> pd.DataFrame:
    """`DATA_SET_CONTROL_COLUMNS`: of each control and data set the errors, and what half the data does.

    `of_trivial`: the control's error over the trivial predictor's; `half`, with its interval: the effect of half the
    data; `reacts`: whether that interval leaves 0 out. Without simple predictors, `best_simple` is empty.
    """
    rows, params = [], study.params
    for control, effects in halves.items():
        arm = study.arms.find(control, "verdicts.controls")
        for data, effect in effects.items():
            error, trivial = levels(arm, data, study)
            low, high = effect.estimate.bounds(study.rule.tail)
            rows.append((data, kind_of(data, params), stratum_of(data, params), params.data[data].unit or data, control,
                         error, trivial, error / trivial, *study.simple.get(data, ("", np.nan)), is_competent(arm, data, study),
                         effect.y, low, high, high < 0 or low > 0))
    return pd.DataFrame(rows, columns=DATA_SET_CONTROL_COLUMNS)


def best_simple(baselines: pd.DataFrame) -> dict[str, tuple[str, float]]:
    """Data set → the simple predictor of the least error there, and that error, of the table of baselines."""
    known = baselines.set_index("data")[SIMPLE].astype(float).dropna(how="all")
    return dict(zip(known.index, zip(known.idxmin(axis=1), known.min(axis=1), strict=True), strict=True))


def is_competent(arm: Arm, data: str, study: Study) -> bool:
    """Whether the mean error of an arm on a data set is near that of the best simple predictor on the same seeds, or below."""
    return data in study.simple and (*arm, data) in study.arms.grids and (
        levels(arm, data, study)[0] <= study.rule.competent * study.simple[data][1])


def has_competent_controls(comparison: Comparison, data: str, study: Study) -> bool:
    """Whether every control of a comparison is competent on a data set; one inside whose layers the probe looks, as a whole."""
    return all(is_competent((pair.control[0], "") if comparison.probe else pair.control, pair.data or data, study)
               for _, pair in comparison.pairs)


@functools.cache
def levels(arm: Arm, data: str, study: Study) -> tuple[float, float]:
    """The mean error of an arm on a data set, and the trivial predictor's."""
    found = scored(Pair(arm, arm), data, Comparison(()), study)
    return float(found.control.mean()), found.runs[0].share("trivial_error")
