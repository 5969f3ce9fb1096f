"""The choice of the learning rate, at which each seed of an arm is scored on a data set; and the scores there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.config.errors import ConfigError, nearest
from pipeline.config.metrics import METRICS
from pipeline.findings.arms import Arms, Grid
from pipeline.tables.schemas import EDGE_COLUMNS


@dataclass(frozen=True)
class ByOthers:
    """Each seed at the rate of the least mean validation loss of the *other* seeds; the least of equals.

    A rate that a seed chose for itself alone is nearly noise; chosen by all seeds but the one that is scored, it is
    one that somebody who tuned this network on these data would have used, and the score is not what it was
    chosen by.

    Attributes:
        logarithms: whether logarithms of the losses are averaged, so that no seed outweighs the others.
    """

    logarithms: bool = True

    @property
    def name(self) -> str:
        return f"other seeds, mean {'log ' * self.logarithms}loss"

    def __call__(self, grid: Grid, shared: np.ndarray) -> np.ndarray:
        """The column of each seed's run `(seeds,)`. `shared`: the rates that both arms of a comparison have."""
        losses = grid.losses()
        if len(losses) == 1:
            return losses.argmin(axis=1)
        losses = losses if self.logarithms else np.exp(losses)
        # Sums of the same numbers in another order differ by rounding, which must break no tie.
        return np.round(losses.sum(axis=0) - losses, 9).argmin(axis=1)


@dataclass(frozen=True)
class Own:
    """Each seed at the rate of its own least validation loss; a diverged run only where all are."""

    name: str = "own loss"

    def __call__(self, grid: Grid, shared: np.ndarray) -> np.ndarray:
        losses = np.where(grid["diverged"], np.inf, grid["best_validation_loss"].astype(float))
        return np.nan_to_num(losses, nan=np.inf).argmin(axis=1)


@dataclass(frozen=True)
class Middle:
    """All seeds at the middle one of the rates that both arms have, the lower one of two.

    Of a tuned arm, whose variants all have that rate, the other seeds choose the variant.
    """

    name: str = "middle rate"

    def __call__(self, grid: Grid, shared: np.ndarray) -> np.ndarray:
        rates = np.unique(shared if len(shared) else grid.rates)
        allowed = grid.rates == rates[(len(rates) - 1) // 2]
        losses = np.where(allowed, grid.losses(), np.inf)
        others = losses.sum(axis=0) - np.where(allowed, losses, 0.0) if len(losses) > 1 else losses
        return others.argmin(axis=1)


#: The rule, and what the multiverse puts in its place.
CHOSEN = ByOthers()
RULES = (CHOSEN, ByOthers(logarithms=False), Own(), Middle())


@dataclass(frozen=True, eq=False)
class Picked:
    """One run a seed: the columns of a grid `(seeds,)`."""

    grid: Grid
    index: np.ndarray

    def __getitem__(self, column: str) -> np.ndarray:
        return self.grid[column][np.arange(len(self.index)), self.index]

    def __contains__(self, column: str) -> bool:
        return column in self.grid

    @property
    def seeds(self) -> np.ndarray:
        return self.grid.seeds

    def share(self, column: str) -> float:
        """The mean of a column; NaN where there is none."""
        return float(self[column].mean()) if column in self else np.nan

    @property
    def at_edge(self) -> float:
        """The share of seeds at the least or the greatest rate of three or more."""
        return float(np.isin(self.grid.rates[self.index], _ends(self.grid.rates)).mean())


def _ends(rates: np.ndarray) -> list[float]:
    return [rates.min(), rates.max()] if len(np.unique(rates)) > 2 else []


def edges(arms: Arms, sweeps: Mapping[str, Sequence]) -> pd.DataFrame:
    """Which rate each arm is scored at on each data set, and whether it ends at an edge of its grid.

    Returns:
        `EDGE_COLUMNS`; `rate` is that of most seeds, `share` theirs; `at_least`, `at_greatest`: the share of seeds at
        either end; `edge`: `least` or `greatest` if at least half of them are there, of a grid of three or more.
    """
    rows = []
    for (experiment, variant, data), grid in arms.grids.items():
        if variant not in sweeps.get(experiment, [variant]):
            continue
        rates = grid.rates[CHOSEN(grid, grid.rates)]
        values, counts = np.unique(rates, return_counts=True)
        least, greatest = float(grid.rates.min()), float(grid.rates.max())
        low, high = float((rates == least).mean()), float((rates == greatest).mean())
        ends = bool(_ends(grid.rates))
        rows.append((experiment, variant, data, len(grid.rates), least, greatest, float(values[counts.argmax()]),
                     float(counts.max() / len(rates)), low if ends else 0.0, high if ends else 0.0,
                     "least" if ends and low >= 0.5 else "greatest" if ends and high >= 0.5 else ""))
    return pd.DataFrame(rows, columns=EDGE_COLUMNS)


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
