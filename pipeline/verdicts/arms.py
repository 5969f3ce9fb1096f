"""Arms: the runs of an experiment, or of a variant of its sweep, on a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.config.errors import ConfigError, nearest
from pipeline.config.claims import ARM, arm_name

#: An experiment and its variant, '' without a sweep.
Arm = tuple[str, str]
#: Experiment → the label of each variant of its sweep → its values by key.
Sweeps = Mapping[str, Mapping[str, Mapping]]
PLACE = ["experiment", "variant", "data"]
#: Which run of a seed counts: the one it keeps, or that at the (lower) middle rate of the arm's grid.
CHOSEN, MIDDLE = "chosen", "middle"


@dataclass(frozen=True, eq=False)
class Runs:
    """The runs of an arm on a data set, one a seed, in the order of the seeds.

    Attributes:
        table: whole columns of a table.
        part: which of its rows are these runs.
    """

    table: Mapping[str, np.ndarray]
    part: slice

    def __getitem__(self, column: str) -> np.ndarray:
        return self.table[column][self.part]

    def __len__(self) -> int:
        return self.part.stop - self.part.start

    def share(self, column: str) -> float:
        """The mean of a column; NaN where there is none."""
        return float(self[column].mean()) if column in self.table else np.nan


@dataclass(frozen=True, eq=False)
class Measured:
    """All that verdicts rest on.

    Attributes:
        runs: one row per seed and learning rate, with what `scores.derive` adds.
        curves: one row per epoch of a chosen run; needed for epochs to target.
        sweeps: the variants that count, see `Arms`.
        probed: what the probe measured, a layer a variant; for the claims that it decides.
    """

    runs: pd.DataFrame
    curves: pd.DataFrame | None = None
    sweeps: Sweeps | None = None
    probed: pd.DataFrame | None = None

    @cached_property
    def chosen(self) -> Arms:
        """Every seed's run at the learning rate that it keeps."""
        return Arms(self.runs, self.curves, CHOSEN, self.sweeps)

    @cached_property
    def middle(self) -> Arms:
        """Every seed's run at the middle rate of its arm's grid; they have no curves."""
        return Arms(self.runs, None, MIDDLE, self.sweeps)

    @cached_property
    def inside(self) -> Arms | None:
        """What the probe measured at the learning rates that were kept; None without any."""
        if self.probed is None or not len(self.probed):
            return None
        return Arms(self.probed)


class Arms:
    """One run a seed of every arm and data set.

    Args:
        runs: one row per seed and learning rate.
        curves: one row per epoch of a run; None where no epochs are counted.
        rate: a column of `runs` that is true of the runs that count, `CHOSEN` or `MIDDLE`.
        sweeps: the variants that count, and their values. Another stored variant of these
            experiments measures the rule: it is found by its name alone. Of an experiment that is
            not there, every stored variant counts, and none has values.

    Attributes:
        runs: (experiment, variant, data set) → its runs.
        variants: experiment → its variants that count, in the order of the runs.
        sets: (experiment, variant) → its data sets.

    Raises:
        ValueError: a missing column, or an arm with two runs of a seed.
    """

    def __init__(self, runs: pd.DataFrame, curves: pd.DataFrame | None = None, rate: str = CHOSEN,
                 sweeps: Sweeps | None = None):
        absent = [name for name in (*PLACE, "seed", rate, "diverged") if name not in runs.columns]
        if absent:
            raise ValueError(f"the table of runs lacks the columns {', '.join(absent)}")
        self.sweeps, self.scored = sweeps or {}, {}
        self.runs, self.variants, self.sets, self._losses = {}, {}, {}, {}
        for key, mine in _parts(runs[runs[rate].astype(bool)]):
            where = f"{arm_name(*key[:2])} on {key[2]}"
            twice = mine["seed"][1:][np.diff(mine["seed"]) == 0]
            if len(twice):
                raise ValueError(f"{where}: more than one {rate} run for the seeds "
                                 f"{', '.join(map(str, twice))}")
            self._add(*key, mine)
            if key[1] in self.sweeps.get(key[0], [key[1]]):
                self.variants.setdefault(key[0], {})[key[1]] = None
        for experiment in self.variants:
            self._add_rates(experiment)
        if curves is not None and len(curves):
            self._losses = {key: mine for key, mine in _parts(curves, "epoch")}

    def _add(self, experiment: str, variant: str, data: str, runs: Runs) -> None:
        self.runs[experiment, variant, data] = runs
        self.sets.setdefault((experiment, variant), []).append(data)

    def _add_rates(self, experiment: str) -> None:
        """`[rates]`: the logarithm of the largest learning rate at which a seed does not fail.

        A seed that fails at every rate counts one step below the least.
        """
        values = {v: self.sweeps.get(experiment, {}).get(v, {}) for v in self.variants[experiment]}
        if len(values) < 2 or any(set(own) != {"learning_rate"} for own in values.values()):
            return
        rates = {variant: float(own["learning_rate"]) for variant, own in values.items()}
        order = sorted(rates, key=rates.get)
        ladder = np.array([rates[order[0]] ** 2 / rates[order[1]], *(rates[v] for v in order)])
        for data in self.sets[experiment, order[0]]:
            runs = [self.runs[experiment, variant, data] for variant in order]
            if "best_failure" not in runs[0].table:
                return
            works = np.array([one["best_failure"] == 0 for one in runs])
            step = np.where(works, np.arange(1, len(order) + 1)[:, None], 0).max(axis=0)
            table = {"seed": runs[0]["seed"], "diverged": np.zeros(len(step), bool),
                     "largest_rate": np.log(ladder[step])}
            self._add(experiment, "rates", data, Runs(table, slice(0, len(step))))

    def _add_tuned(self, experiment: str) -> None:
        """`[tuned]`: of all variants, each seed keeps the one of least validation loss, the first of equals.

        One that diverged is kept only where all have.
        """
        variants = list(self.variants[experiment])
        shared = [] if (experiment, "tuned") in self.sets else self.shared([(experiment, v) for v in variants])
        for data in shared:
            runs = self.matched([(experiment, v) for v in variants], data, experiment)
            losses = np.array([np.where(one["diverged"], np.inf, one["best_validation_loss"]) for one in runs])
            kept = np.nan_to_num(losses, nan=np.inf).argmin(axis=0), np.arange(losses.shape[1])
            table = {name: np.array([one[name] for one in runs])[kept] for name in runs[0].table}
            self._add(experiment, "tuned", data, Runs(table, slice(0, losses.shape[1])))

    def find(self, name: str, where: str, fallback: bool = False) -> Arm:
        """The arm that `name` or `name[variant]` means.

        With `fallback`, an experiment without a sweep is meant whatever the variant.

        Raises:
            ConfigError: there is no such arm.
        """
        match = ARM.match(name)
        experiment, variant = (match[1], match[2] or "") if match else (name, "")
        if experiment not in self.variants:
            raise ConfigError(f"{where}: found '{name}'; there is no experiment '{experiment}'; "
                              f"allowed: {', '.join(self.variants)}"
                              f"{nearest(experiment, self.variants)}")
        variants = self.variants[experiment]
        if variant == "tuned" and len(variants) > 1:
            self._add_tuned(experiment)
        if variant in variants or variant and (experiment, variant) in self.sets:
            return experiment, variant
        if fallback and list(variants) == [""]:
            return experiment, ""
        names = [arm_name(experiment, v) for v in variants]
        raise ConfigError(f"{where}: found '{name}'; allowed: {', '.join(names)}"
                          f"{nearest(name, names)}")

    def shared(self, arms: Sequence[Arm]) -> list[str]:
        """The data sets that all arms have, in the order of the first."""
        others = set(self.sets[arms[0]]).intersection(*(self.sets[arm] for arm in arms[1:]))
        return [data for data in self.sets[arms[0]] if data in others]

    def matched(self, arms: Sequence[Arm], data: str, where: str) -> list[Runs]:
        """The arms' runs on a data set.

        Raises:
            ValueError: an arm lacks a seed that another one has.
        """
        found = [self.runs[(*arm, data)] for arm in arms]
        first = found[0]["seed"]
        if all(np.array_equal(runs["seed"], first) for runs in found):
            return found
        union = sorted(set().union(*(runs["seed"].tolist() for runs in found)))
        for arm, runs in zip(arms, found, strict=True):
            missing = [seed for seed in union if seed not in runs["seed"]]
            if missing:
                raise ValueError(f"{where}: {arm_name(*arm)} on {data} lacks the seeds "
                                 f"{', '.join(map(str, missing))}, which another arm has")

    def validation(self, arm: Arm, data: str) -> np.ndarray:
        """Validation losses `(seeds, epochs)` of an arm; NaN after a run has stopped.

        Raises:
            ValueError: a seed has no curve.
        """
        key = (*arm, data)
        if key not in self._losses:
            raise ValueError(f"{arm_name(*arm)} on {data}: no curves")
        curves, seeds = self._losses[key], self.runs[key]["seed"]
        missing = sorted(set(seeds.tolist()) - set(curves["seed"].tolist()))
        if missing:
            raise ValueError(f"{arm_name(*arm)} on {data}: no curves for the seeds "
                             f"{', '.join(map(str, missing))}")
        table = np.full((len(seeds), int(curves["epoch"].max())), np.nan)
        table[np.searchsorted(seeds, curves["seed"]), curves["epoch"].astype(int) - 1] = (
            curves["validation_loss"])
        return table


def _parts(table: pd.DataFrame, *within: str) -> list[tuple[tuple[str, str, str], Runs]]:
    """The rows of each experiment, variant and data set, by seed; in the table's order of these."""
    number = table.groupby(PLACE, sort=False, dropna=False).ngroup().to_numpy()
    keys = (*(table[name].to_numpy() for name in reversed(within)), table["seed"].to_numpy(), number)
    order = np.lexsort(keys)
    columns = {name: table[name].to_numpy()[order] for name in table.columns}
    if "diverged" in columns:
        columns["diverged"] = columns["diverged"].astype(bool)
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    stops = [*starts[1:].tolist(), len(order)]
    return [(tuple(str(columns[name][a]) for name in PLACE), Runs(columns, slice(a, b)))
            for a, b in zip(starts.tolist(), stops, strict=False)]
