"""All that findings rest on: the runs, and what params.yaml says of data sets and sweeps."""

import functools
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from pipeline.config.claims import arm_name
from pipeline.config.errors import ConfigError
from pipeline.config.schema import Params
from pipeline.findings.arms import Arm, Arms, Comparison, derive
from pipeline.findings.rates import Picked, Score
from pipeline.findings.rule import Rule


class Study:
    """All that findings rest on.

    Args:
        runs: one row a seed and learning rate.
        params: the data sets, the sweeps.
        rule: the constants.
        curves: of an experiment, one row an epoch of each seed's own run; needed for epochs to the target.
        probed: what the probe measured, a layer a variant.
        simple: data set → the simple predictor of the least error there, and that error.
    """

    def __init__(self, runs: pd.DataFrame, params: Params, rule: Rule,
                 curves: Callable[[str], pd.DataFrame | None] = lambda name: None,
                 probed: pd.DataFrame | None = None, simple: Mapping[str, tuple[str, float]] | None = None):
        self.params, self.rule, self.simple = params, rule, simple or {}
        self.arms = Arms(derive(runs, rule), {name: params.variants(name) for name in params.experiments})
        self.inside = Arms(probed, by_rate=False) if probed is not None and len(probed) else None
        self._read_curves = curves

    def of(self, comparison: Comparison) -> Arms:
        """The arms that a comparison is about. Raises ConfigError: the probe's, and nothing that it measured is stored."""
        if comparison.probe and self.inside is None:
            raise ConfigError("results/probe: nothing that the probe measured is stored")
        return self.inside if comparison.probe else self.arms

    @functools.cache
    def picked(self, arms: Arms, place: tuple[str, str, str], rate, shared: tuple[float, ...] = ()) -> Picked:
        """The run of each seed that a rate rule scores.

        Args:
            place: experiment, variant, data set.
            shared: the rates that both arms of a pair have; the middle rate is one of them.
        """
        grid = arms.grids[place]
        if len(grid.rates) == 1:
            return Picked(grid, np.zeros(len(grid.seeds), int))
        return Picked(grid, rate(grid, np.array(shared)))

    @functools.cache
    def score(self, arms: Arms, place: tuple[str, str, str], chosen: tuple, score: Score) -> np.ndarray:
        """The scores of an arm on a data set, one a seed; `chosen`: the last two arguments of `picked`."""
        return score(self.picked(arms, place, *chosen), f"{arm_name(*place[:2])} on {place[2]}")

    @functools.cache
    def _curves(self, experiment: str) -> dict[tuple[str, str], pd.DataFrame]:
        found = self._read_curves(experiment)
        return {} if found is None else dict(list(found.groupby(["variant", "data"], sort=False)))

    def validation(self, arm: Arm, data: str) -> np.ndarray:
        """Validation losses `(seeds, epochs)` of each seed's own run; NaN after it has stopped.

        Raises:
            ValueError: a seed has no curve.
        """
        curves, seeds = self._curves(arm[0]).get((arm[1], data)), self.arms.grids[(*arm, data)].seeds
        missing = sorted(set(seeds.tolist()) - set([] if curves is None else curves["seed"].tolist()))
        if missing:
            raise ValueError(f"{arm_name(*arm)} on {data}: no curves for the seeds {', '.join(map(str, missing))}")
        table = np.full((len(seeds), int(curves["epoch"].max())), np.nan)
        table[np.searchsorted(seeds, curves["seed"]), curves["epoch"].astype(int) - 1] = curves["validation_loss"]
        return table


def kind_of(data: str, params: Params) -> str:
    """The kind of network and data that a set stands for: its family, or itself, if it is invented or a reader's own."""
    return params.data[data].family or data


def stratum_of(data: str, params: Params) -> str:
    """The part of its kind that a set is averaged in."""
    return params.data[data].stratum or kind_of(data, params)
