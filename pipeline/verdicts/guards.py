"""Why a comparison cannot show anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.spec.metrics import Metric
from pipeline.verdicts.arms import scores_of
from pipeline.verdicts.effects import Estimate, difference, log_ratio
from pipeline.verdicts.rule import Rule


def same_runs(control: pd.DataFrame, treatment: pd.DataFrame) -> bool:
    columns = [c for c in ("best_error", "best_loss", "best_validation_loss", "last_loss")
               if c in control.columns]
    return all(np.array_equal(control[c].to_numpy(), treatment[c].to_numpy(), equal_nan=True)
               for c in columns)


def is_constant(scores, estimate: Estimate, spec: Metric) -> bool:
    """Whether the contributions of a pair, or their difference, do not vary over the seeds."""
    spreads = [float(estimate.spread)]
    for c, t in scores:
        effect, w = (log_ratio if spec.scale == "log ratio" else difference)(c, t)
        scale = 1.0 if spec.scale == "log ratio" else max(np.abs(c).max(), np.abs(t).max(), 1e-300)
        spreads.append(float(w.std(ddof=1) / scale))
    return any(not spread > 1e-12 for spread in spreads)


def uninformative(frames, endpoint: str, classes: Sequence[bool], rule: Rule, where: str) -> str:
    """Why a cell can show nothing, or ''."""
    for control in frames[1::2]:
        mean = scores_of(control, "error", endpoint, where).mean()
        if mean > rule.trivial_share * control["trivial_error"].mean():
            return (f"the control's error exceeds {rule.trivial_share:g} of the "
                    "trivial predictor's")
    for arm, counts in zip(frames, classes, strict=True):
        if counts:
            wrong = scores_of(arm, "error", endpoint, where) * arm["test_size"].to_numpy()
            if round(float(wrong.sum())) < rule.test_errors:
                return f"an arm made under {rule.test_errors} test errors in total"
    return ""
