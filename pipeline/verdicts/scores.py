"""Scores of an arm, one a seed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.tables.stored import in_units_of_targets
from pipeline.config.errors import ConfigError, nearest
from pipeline.config.metrics import METRICS
from pipeline.verdicts.arms import PLACE, Arm, Arms, Runs
from pipeline.verdicts.one_set import score
from pipeline.verdicts.rule import Rule

OTHER = {"best": "last", "last": "best"}
#: What a diverged seed scores: as the trivial predictor, which guesses. Naming the larger class with
#: certainty is miscalibrated by its error rate, and finds none of the rarer class.
GUESSED = {"error": "trivial_error", "loss": "trivial_loss", "calibration_error": "trivial_error"}
#: What ends worse than the trivial predictor scores as it does too.
CAPPED = ("error", "loss")
FOUND_NONE = "minority_recall"
#: Metrics whose scores are logarithms: the difference of two is that of a ratio.
LOGARITHMS = ("largest_rate",)


def derive(runs: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Runs with what follows from them, of measures at either endpoint.

    Errors of numbers are roots of the mean squared error, see `results.in_units_of_targets`.

    `gap`: test loss less training loss. `failure`: 1 for a seed whose error exceeds
    `rule.marked_share` of the trivial predictor's, or that diverged, else 0. `middle`: whether the
    run's rate is the middle one of its arm's grid, the lower one of two. `edge`: whether it is the
    least or the greatest of a grid of three or more.
    """
    runs, added = in_units_of_targets(runs), {}
    for end in OTHER:
        added[f"{end}_gap"] = runs[f"{end}_loss"] - runs[f"{end}_train_loss"]
        lost = runs[f"{end}_error"] > rule.marked_share * runs["trivial_error"]
        added[f"{end}_failure"] = (lost | runs["diverged"].astype(bool)).astype(float)
    arm = runs.groupby(PLACE, sort=False, dropna=False).ngroup()
    rank = runs["learning_rate"].groupby(arm).rank("dense")
    rates = rank.groupby(arm).transform("max")
    added["middle"] = rank == (rates + 1) // 2
    added["edge"] = ((rank == 1) | (rank == rates)) & (rates > 2)
    return runs.assign(**added)


def scores_of(arms: Arms, arm: Arm, data: str, metric: str, endpoint: str, where: str, *,
              capped: bool = True) -> np.ndarray:
    """One score per seed `(seeds,)`; of a measure, NaN where there is none.

    Errors and losses are those of the trivial predictor where a run diverged, or (`capped`) ended
    worse than that. NaN throughout if the data set has no such score: classes have no calibration
    of numbers.

    Raises:
        ConfigError: there is no such metric, nor a numeric column of that name.
        ValueError: a named metric is not finite for a seed that did not diverge.
    """
    key = (*arm, data, metric, endpoint, capped)
    if key not in arms.scored:
        arms.scored[key] = _scores(arms.runs[(*arm, data)], metric, endpoint, where, capped)
    return arms.scored[key]


def _scores(runs: Runs, metric: str, endpoint: str, where: str, capped: bool) -> np.ndarray:
    values, diverged = runs[_column(runs, metric, endpoint, where)].astype(float), runs["diverged"]
    if metric not in METRICS or not np.isfinite(values[~diverged]).any() and not diverged.all():
        return np.where(np.isfinite(values), values, np.nan)
    bad = ~(np.isfinite(values) | diverged)
    if bad.any():
        raise ValueError(f"{where}: {metric} is not finite for the seeds "
                         f"{', '.join(map(str, runs['seed'][bad]))}, which did not diverge")
    if metric in GUESSED:
        values = score(values, diverged, runs[GUESSED[metric]], capped=capped and metric in CAPPED)
    elif metric == FOUND_NONE:
        values = np.where(diverged, 0.0, values)
    if metric == "error" and not values.any() and "test_size" in runs.table:
        # No error at all on any seed: half a one among them, as a ratio needs some.
        values = values + 0.5 / runs["test_size"].sum()
    return values


def _column(runs: Runs, metric: str, endpoint: str, where: str) -> str:
    numeric = [name for name, values in runs.table.items() if values.dtype.kind in "bif"]
    for name in (f"{endpoint}_{metric}", metric):
        if name in numeric:
            return name
    bare = {c.removeprefix("best_").removeprefix("last_") for c in numeric}
    allowed = sorted({*METRICS, *bare})
    raise ConfigError(f"{where}: metric: found '{metric}'; allowed: {', '.join(allowed)}"
                      f"{nearest(metric, allowed)}")


def events(arms: Arms, arm: Arm, data: str, metric: str, endpoint: str, where: str) -> np.ndarray:
    """Which seeds diverged, or failed: booleans `(seeds,)`."""
    if metric == "divergence":
        return arms.runs[(*arm, data)]["diverged"]
    return scores_of(arms, arm, data, metric, endpoint, where) > 0.5
