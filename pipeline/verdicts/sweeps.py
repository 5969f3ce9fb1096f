"""Mean scores by the value of a sweep."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pipeline.spec.tables import DOSE_COLUMNS
from pipeline.verdicts.arms import Study, frame, scores_of
from pipeline.verdicts.effects import interval
from pipeline.verdicts.rule import Rule


def doses(sweeps: Mapping[str, str], runs: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Mean test error, best epoch, by the value of a sweep, each with a t interval of its own.

    Args:
        sweeps: experiment -> the one key that it varies, with numbers.
        runs: as for `cells`; a diverged seed scores what the trivial predictor scores.

    Returns:
        `DOSE_COLUMNS`. The intervals show the spread of seeds; differences between experiments
        are paired, and narrower.
    """
    study, rows = Study(runs, None, "chosen"), []
    for name, key in sweeps.items():
        for variant in study.variants.get(name, ()):
            for data in study.sets[name, variant]:
                scores = scores_of(study.arms[name, variant, data], "error", "best", name)
                one = interval(scores.mean(), scores, rule.alpha)
                rows.append((name, key, float(variant.partition("=")[2]), data, len(scores),
                             float(one.effect), float(one.low), float(one.high)))
    return frame(rows, DOSE_COLUMNS)
