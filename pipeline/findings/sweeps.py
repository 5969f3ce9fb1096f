"""Sweeps: the mean test error by the value that is swept."""

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.config.claims import arm_name
from pipeline.findings.rates import CHOSEN
from pipeline.findings.scores import Score
from pipeline.findings.study import Study
from pipeline.tables.schemas import DOSE_COLUMNS


def doses(study: Study) -> pd.DataFrame:
    """Mean test error, best epoch, by the value of a sweep, each with a t interval of its own.

    Returns:
        `DOSE_COLUMNS`, of the sweeps of one key with numbers. The intervals show the spread of seeds; differences
        between experiments are paired, and narrower.
    """
    rows, arms = [], study.arms
    for name, variants in arms.sweeps.items():
        keys = {key for values in variants.values() for key in values}
        if len(keys) != 1 or not all(_number(v) for values in variants.values() for v in values.values()):
            continue
        key, = keys
        for variant in (one for one in variants if one in arms.variants.get(name, ())):
            for data in arms.sets[name, variant]:
                scores = Score("error")(study.picked(arms, (name, variant, data), CHOSEN), arm_name(name, variant))
                half = stats.t.isf(study.rule.tail, len(scores) - 1) * stats.sem(scores) if len(scores) > 1 else np.nan
                rows.append((name, key, float(variants[variant][key]), data, len(scores), scores.mean(),
                             scores.mean() - half, scores.mean() + half))
    return pd.DataFrame(rows, columns=DOSE_COLUMNS)


def _number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
