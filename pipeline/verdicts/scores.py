"""Scores of an arm, one a seed."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from pipeline.spec.base import ConfigError, nearest
from pipeline.spec.metrics import METRICS
from pipeline.verdicts.arms import OTHER, Arm, Arms
from pipeline.verdicts.rule import Rule

#: What a diverged seed scores: as the trivial predictor, which guesses. Naming the larger class with
#: certainty is miscalibrated by its error rate, and finds none of the rarer class.
GUESSED = {"error": "trivial_error", "loss": "trivial_loss", "calibration_error": "trivial_error"}
FOUND_NONE = "minority_recall"


def derive(runs: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Runs with what follows from their measures, at either endpoint.

    `gap`: test loss less training loss. `failure`: 1 for a seed whose error exceeds
    `rule.trivial_share` of the trivial predictor's, or that diverged, else 0.
    """
    added = {}
    for end in OTHER:
        added[f"{end}_gap"] = runs[f"{end}_loss"] - runs[f"{end}_train_loss"]
        lost = runs[f"{end}_error"] > rule.trivial_share * runs["trivial_error"]
        added[f"{end}_failure"] = (lost | runs["diverged"].astype(bool)).astype(float)
    return runs.assign(**added)


def scores_of(runs: pd.DataFrame, metric: str, endpoint: str, where: str) -> np.ndarray:
    """One score per seed; a diverged seed scores what the trivial predictor scores.

    Raises:
        ConfigError: there is no such metric, nor a numeric column of that name.
        ValueError: a named metric is not finite for a seed that did not diverge.
    """
    values = runs[_column(runs, metric, endpoint, where)].astype(float)
    if metric in GUESSED:
        values = values.where(~runs["diverged"], runs[GUESSED[metric]])
    elif metric == FOUND_NONE:
        values = values.where(~runs["diverged"], 0.0)
    if metric in METRICS and not np.isfinite(values).all():
        bad = values.index[~np.isfinite(values)]
        raise ValueError(f"{where}: {metric} is not finite for the seeds "
                         f"{', '.join(map(str, bad))}, which did not diverge")
    return values.to_numpy()


def _column(runs: pd.DataFrame, metric: str, endpoint: str, where: str) -> str:
    numeric = [c for c in runs.columns if pd.api.types.is_numeric_dtype(runs[c])]
    for name in (f"{endpoint}_{metric}", metric):
        if name in runs.columns:
            if name not in numeric:
                break
            return name
    bare = {c.removeprefix("best_").removeprefix("last_") for c in numeric}
    allowed = sorted({*METRICS, *bare})
    raise ConfigError(f"{where}: metric: found '{metric}'; allowed: {', '.join(allowed)}"
                      f"{nearest(metric, allowed)}")


def events(runs: pd.DataFrame, metric: str, endpoint: str, where: str) -> np.ndarray:
    """Which seeds diverged, or failed: booleans `(seeds,)`."""
    if metric == "divergence":
        return runs["diverged"].to_numpy()
    return scores_of(runs, metric, endpoint, where) > 0.5


def epochs_to_target(arms: Arms, treatment: Arm, control: Arm, data: str, rule: Rule
                     ) -> tuple[tuple[np.ndarray, np.ndarray], float]:
    """Epochs to target of the control and of the treatment, and how many seeds fell short of it.

    The target is the control's median best validation loss times `rule.target_factor`; a seed
    that never reaches it, or diverges, counts the budget.

    Returns:
        `(control, treatment)`, `(seeds,)` each, and the larger of their shares of such seeds, 0..1.
    """
    losses = {arm: arms.validation(arm, data) for arm in (control, treatment)}
    target = float(np.median(losses[control].min(axis=1))) * rule.target_factor
    budget = max(int(table.columns.max()) for table in losses.values())
    counts, short = [], 0.0
    for arm in (control, treatment):
        below = (losses[arm] <= target).to_numpy()
        reached = below.any(axis=1) & ~arms.runs[(*arm, data)]["diverged"].to_numpy()
        reached &= math.isfinite(target)
        first = losses[arm].columns.to_numpy()[below.argmax(axis=1)]
        counts.append(np.where(reached, first, budget).astype(float))
        short = max(short, 1 - reached.mean())
    return tuple(counts), short
