"""Arms that measure the rule: a control from another start, and on half the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from pipeline.config.schema import MEASURING, Params, control_arms
from pipeline.tables.schemas import DATA_SET_COLUMNS, DECISIVE_COLUMNS
from pipeline.verdicts import effects
from pipeline.verdicts.arms import Measured
from pipeline.verdicts.decide import Answer, answer
from pipeline.verdicts.error_rates import repeated
from pipeline.verdicts.rule import Rule, margin
from pipeline.verdicts.units import units

SAME, HALF = MEASURING
#: Kind of measurement → what was found, by test error at the best epoch.
Repetitions = Mapping[str, Sequence[Answer]]


def repetitions(params: Params, measured: Measured, rule: Rule) -> Repetitions:
    """Every control that is trained, against itself from another start and on half the data."""
    arms, found = measured.chosen, {kind: [] for kind in MEASURING}
    for control in params.controls:
        for kind, name in control_arms(control).items():
            experiment, _, variant = name.removesuffix("]").partition("[")
            if (experiment, variant) in arms.sets:
                found[kind] += [answer(one, measured, params, rule)
                                for one in effects.of_experiment(name, control, params, arms)]
    return found


def data_sets(found: Repetitions, measured: Measured, params: Params, rule: Rule) -> pd.DataFrame:
    """Of each control and data set, whether something can be shown there.

    Returns:
        `DATA_SET_COLUMNS`. `marked`: the control's mean error exceeds `rule.marked_share` of the
        trivial predictor's. `sensitive`: half the data raises it by more than the margin, as the
        estimate says (its interval, `half_low` to `half_high`, may reach further).
    """
    rows, delta = [], margin("ratio", rule)
    for half in found[HALF]:
        for one in half.found:
            about, runs = params.data[one.data], measured.chosen.runs
            name = one.row["control"]
            arm = measured.chosen.find(name, "verdicts.controls")
            trivial = float(runs[(*arm, one.data)]["trivial_error"].mean())
            share = one.row["control_mean"] / trivial
            low, high = (float(bound) for bound in one.effect.estimate.bounds(rule.tail))
            rows.append((one.data, about.family, about.stratum, effects.unit_of(one.data, about), name,
                         one.row["control_mean"], trivial, share, share > rule.marked_share,
                         one.effect.y, low, high, one.effect.y < -delta))
    return pd.DataFrame(rows, columns=DATA_SET_COLUMNS)


def decisive(found: Repetitions, rule: Rule) -> pd.DataFrame:
    """How often the rule finds a difference, by kind, control and family; then of a kind in all.

    Returns:
        `DECISIVE_COLUMNS`, see `error_rates.repeated`; `comparisons` counts data sets.
    """
    rows = []
    for kind, answers in found.items():
        for one in answers:
            family = bool(one.groups) and one.groups[0].family
            rows.append({"kind": kind, "control": one.comparison.contrasts[0].names[1],
                         "family": one.comparison.family} | repeated(
                             units(one.effects), one.units, one.delta, rule, family))
        if answers:
            every = pd.concat([units(one.effects) for one in answers], ignore_index=True)
            rows.append({"kind": kind, "control": "", "family": ""} | repeated(
                every, None, answers[0].delta, rule))
    return pd.DataFrame(rows, columns=DECISIVE_COLUMNS)
