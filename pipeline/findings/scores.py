"""Scores of an arm on a data set, one a seed."""

from dataclasses import dataclass

import numpy as np

from pipeline.config.errors import ConfigError, nearest
from pipeline.config.metrics import METRICS
from pipeline.findings.arms import Grid
from pipeline.findings.rates import Picked

#: What a diverged seed scores: as the trivial predictor, which guesses. Naming the larger class with certainty is
#: miscalibrated by its error rate, and finds none of the rarer class.
GUESSED = {"error": "trivial_error", "loss": "trivial_loss", "calibration_error": "trivial_error"}
#: What ends worse than the trivial predictor scores as it does too: else a run that blew up without an infinite number
#: outweighs all others, and counts for worse than one that diverged.
CAPPED = ("error", "loss")
FOUND_NONE = "minority_recall"
EVENTS = ("divergence", "failure")


@dataclass(frozen=True)
class Score:
    """A metric at an endpoint.

    Attributes:
        capped: whether a run scores no worse than the trivial predictor; not where it is compared with that one.
    """

    metric: str
    endpoint: str = "best"
    capped: bool = True

    def __call__(self, runs: Picked, where: str) -> np.ndarray:
        """One score a seed `(seeds,)`; NaN where the data set has no such score, or a seed no such measure.

        Raises:
            ConfigError: there is no such metric, nor a numeric column of that name.
            ValueError: a named metric is not finite for a seed that did not diverge.
        """
        if self.metric == "divergence":
            return runs["diverged"]
        values, diverged = runs[self._column(runs, where)].astype(float), runs["diverged"]
        if self.metric not in METRICS or not np.isfinite(values[~diverged]).any() and not diverged.all():
            return np.where(np.isfinite(values), values, np.nan)
        bad = ~(np.isfinite(values) | diverged)
        if bad.any():
            raise ValueError(f"{where}: {self.metric} is not finite for the seeds "
                             f"{', '.join(map(str, runs.seeds[bad]))}, which did not diverge")
        values = self._guessed(values, diverged, runs)
        if self.metric == "error" and not values.any() and "test_size" in runs:
            # No error at all on any seed: half a one among them, as a ratio needs some.
            values = values + 0.5 / runs["test_size"].sum()
        return values > 0.5 if self.metric in EVENTS else values

    def _guessed(self, values: np.ndarray, diverged: np.ndarray, runs: Picked) -> np.ndarray:
        if self.metric == FOUND_NONE:
            return np.where(diverged, 0.0, values)
        if self.metric not in GUESSED:
            return values
        trivial = runs[GUESSED[self.metric]].astype(float)
        found = np.where(diverged, trivial, values)
        return np.minimum(found, trivial) if self.capped and self.metric in CAPPED else found

    def _column(self, runs: Picked, where: str) -> str:
        for name in (f"{self.endpoint}_{self.metric}", self.metric):
            if name in runs and runs[name].dtype.kind in "bif":
                return name
        numeric = [name for name in runs.grid.columns if runs[name].dtype.kind in "bif"]
        allowed = sorted({*METRICS, *(name.removeprefix("best_").removeprefix("last_") for name in numeric)})
        raise ConfigError(f"{where}: metric: found '{self.metric}'; allowed: {', '.join(allowed)}"
                          f"{nearest(self.metric, allowed)}")


def largest_rates(ladder: Grid, usable_share: float) -> np.ndarray:
    """The logarithm of the largest learning rate of a sweep that is usable to each seed `(seeds,)`.

    A rate is usable to a seed whose error keeps `usable_share` of what the network, at its best rate, gains over the
    trivial predictor on average. A seed to which none is counts one step below the least.
    """
    order = np.argsort(ladder.rates)
    rates = ladder.rates[order]
    errors = np.stack([Score("error")(Picked(ladder, np.full(len(ladder.seeds), i)), "") for i in order], axis=1)
    trivial = ladder["trivial_error"].astype(float)[:, 0]
    best = errors.mean(axis=0).min()
    usable = errors <= trivial[:, None] - usable_share * np.maximum(trivial.mean() - best, 0.0)
    step = np.where(usable, np.arange(1, len(rates) + 1), 0).max(axis=1)
    return np.log(np.concatenate([[rates[0] ** 2 / rates[1]], rates])[step])
