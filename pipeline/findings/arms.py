"""Arms, the runs of an experiment or of a variant of its sweep, as tables of seeds by learning rates; and what is compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeline.config.claims import ARM, arm_name
from pipeline.config.errors import ConfigError, nearest
from pipeline.config.metrics import Metric, TRIVIAL, metric_of
from pipeline.findings.rule import Rule
from pipeline.tables.stored import in_units_of_targets

#: An experiment and its variant, '' without a sweep.
Arm = tuple[str, str]
#: Experiment → the label of each variant of its sweep → its values by key.
Sweeps = Mapping[str, Mapping[str, Mapping]]
PLACE = ["experiment", "variant", "data"]
OTHER = {"best": "last", "last": "best"}
#: Of all variants of a sweep the one that the validation data choose; the learning rates of a sweep, as a ladder.
TUNED, LADDER = "tuned", "rates"


@dataclass(frozen=True, eq=False)
class Grid:
    """The runs of an arm on a data set: every seed at every rate.

    Attributes:
        seeds: `(seeds,)`, rising.
        rates: `(rates,)`, rising; of a tuned arm, those of one variant after those of the other.
        columns: name → `(seeds, rates)`, views of the sorted table.
    """

    seeds: np.ndarray
    rates: np.ndarray
    columns: Mapping[str, np.ndarray]

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]

    def __contains__(self, column: str) -> bool:
        return column in self.columns

    def losses(self) -> np.ndarray:
        """The logarithms of the validation losses `(seeds, rates)`.

        What diverged, or ended worse than the trivial predictor, counts as that one, as its test error does.
        """
        found, trivial = self["best_validation_loss"].astype(float), self["trivial_validation_loss"].astype(float)
        found = np.where(self["diverged"] | ~np.isfinite(found), trivial, np.minimum(found, trivial))
        return np.log(np.maximum(found, 1e-12))


def derive(runs: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Runs with what follows from them, at either endpoint.

    Errors of numbers are roots of the mean squared error, see `results.in_units_of_targets`. `gap`: test loss less
    training loss. `failure`: 1 for a seed whose error exceeds `rule.failed_share` of the trivial predictor's, or
    that diverged, else 0.
    """
    runs, added = in_units_of_targets(runs), {}
    for end in OTHER:
        added[f"{end}_gap"] = runs[f"{end}_loss"] - runs[f"{end}_train_loss"]
        lost = runs[f"{end}_error"] > rule.failed_share * runs["trivial_error"]
        added[f"{end}_failure"] = (lost | runs["diverged"].astype(bool)).astype(float)
    return runs.assign(**added)


class Arms:
    """All arms of a table of runs.

    Args:
        runs: one row a seed and learning rate.
        sweeps: the variants that count, and their values. Another stored variant of these experiments measures the
            rule: it is found by its name alone. Of an experiment that is not there, every stored variant counts.
        by_rate: whether a seed has a run at every rate; else it has one run, at the rate that it kept.

    Attributes:
        grids: (experiment, variant, data set) → its runs.
        variants: experiment → its variants that count.
        sets: arm → its data sets.

    Raises:
        ValueError: a seed that lacks a rate which another has, or has it twice.
    """

    def __init__(self, runs: pd.DataFrame, sweeps: Sweeps | None = None, by_rate: bool = True):
        self.sweeps = sweeps or {}
        self.grids: dict[tuple[str, str, str], Grid] = {}
        self.variants: dict[str, list[str]] = {}
        self.sets: dict[Arm, list[str]] = {}
        for (experiment, variant, data), grid in _grids(runs, by_rate):
            self.grids[experiment, variant, data] = grid
            self.sets.setdefault((experiment, variant), []).append(data)
            counting = self.variants.setdefault(experiment, [])
            if variant in self.sweeps.get(experiment, [variant]) and variant not in counting:
                counting.append(variant)
        self.same_as = self._same() if by_rate else {}

    def _same(self) -> dict[Arm, Arm]:
        """Arm → the arm with most data sets that trains the same network: their runs have the same keys."""
        owners: dict[tuple, list[Arm]] = {}
        for (experiment, variant, data), grid in self.grids.items():
            if "key" in grid:
                for key in grid["key"][0]:
                    owners.setdefault((data, key), []).append((experiment, variant))
        found = {}
        for arms in owners.values():
            first = max(arms, key=lambda arm: len(self.sets[arm]))
            for arm in arms:
                if arm != first and len(self.sets[first]) > len(self.sets[found.get(arm, arm)]):
                    found[arm] = first
        return found

    def find(self, name: str, where: str, fallback: bool = False) -> Arm:
        """The arm that `name` or `name[variant]` means; of networks that are the same, the one on most data sets.

        With `fallback`, an experiment without a sweep is meant whatever the variant.

        Raises:
            ConfigError: there is no such arm.
        """
        match = ARM.match(name)
        experiment, variant = (match[1], match[2] or "") if match else (name, "")
        if experiment not in self.variants:
            raise ConfigError(f"{where}: found '{name}'; there is no experiment '{experiment}'; allowed: "
                              f"{', '.join(self.variants)}{nearest(experiment, self.variants)}")
        variants = self.variants[experiment]
        if variant in (TUNED, LADDER) and len(variants) > 1:
            self._add_joined(experiment, variant)
        if (experiment, variant) in self.sets and (variant or "" in variants):
            return self.same_as.get((experiment, variant), (experiment, variant))
        if fallback and variants == [""]:
            return self.same_as.get((experiment, ""), (experiment, ""))
        names = [arm_name(experiment, v) for v in variants]
        raise ConfigError(f"{where}: found '{name}'; allowed: {', '.join(names)}{nearest(name, names)}")

    def _add_joined(self, experiment: str, name: str) -> None:
        """All variants of a sweep as one arm, whose rates stand beside one another."""
        arms = [(experiment, variant) for variant in self.variants[experiment]]
        if (experiment, name) in self.sets:
            return
        for data in self.shared(arms):
            grids = [self.grids[(*arm, data)] for arm in arms]
            columns = {column: np.concatenate([grid[column] for grid in grids], axis=1) for column in grids[0].columns}
            self.grids[experiment, name, data] = Grid(grids[0].seeds, np.concatenate([grid.rates for grid in grids]), columns)
            self.sets.setdefault((experiment, name), []).append(data)

    def shared(self, arms: Sequence[Arm]) -> list[str]:
        """The data sets that all arms have, in the order of the first."""
        others = set(self.sets[arms[0]]).intersection(*(self.sets[arm] for arm in arms[1:]))
        return [data for data in self.sets[arms[0]] if data in others]


def _grids(table: pd.DataFrame, by_rate: bool) -> list[tuple[tuple[str, str, str], Grid]]:
    """The rows of each arm and data set, in the table's order of these."""
    number = table.groupby(PLACE, sort=False, dropna=False).ngroup().to_numpy()
    rate = table["learning_rate"].to_numpy(float) if by_rate else np.zeros(len(table))
    order = np.lexsort((rate, table["seed"].to_numpy(), number))
    columns = {name: table[name].to_numpy()[order] for name in table.columns}
    columns["diverged"] = columns["diverged"].astype(bool)
    rate, starts = rate[order], np.flatnonzero(np.diff(number[order], prepend=-1))
    found = []
    for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=False):
        rates = np.unique(rate[start:stop])
        seeds = np.unique(columns["seed"][start:stop])
        key = tuple(str(columns[name][start]) for name in PLACE)
        if (stop - start != len(rates) * len(seeds) or (rate[start:stop].reshape(-1, len(rates)) != rates).any()
                or (columns["seed"][start:stop].reshape(len(seeds), -1) != seeds[:, None]).any()):
            raise ValueError(f"{arm_name(*key[:2])} on {key[2]}: {stop - start} runs of {len(seeds)} seeds at "
                             f"{len(rates)} rates; each seed needs one at each")
        parts = {name: values[start:stop].reshape(len(seeds), len(rates)) for name, values in columns.items()}
        found.append((key, Grid(seeds, rates, parts)))
    return found


#: Guessing, as the control of a comparison.
GUESSING: Arm = (TRIVIAL, "")


@dataclass(frozen=True)
class Pair:
    """A treatment and its control; `data`: the data set, if it is not the comparison's own."""

    treatment: Arm
    control: Arm
    data: str = ""

    def __str__(self) -> str:
        return f"{arm_name(*self.treatment)} and {arm_name(*self.control)}" + f" on {self.data}" * bool(self.data)


@dataclass(frozen=True)
class Comparison:
    """A weighted sum of pairs' effects, and what is measured.

    One pair is a plain comparison; a second one of weight -1 makes an interaction; a pair for each dose, with weights
    of sum 0, a slope over the doses.

    Attributes:
        pairs: each with its weight.
        probe: whether the probe measured it, inside the networks.
        slope: what the doses are, of a slope.
    """

    pairs: tuple[tuple[float, Pair], ...]
    metric: str = "error"
    endpoint: str = "best"
    probe: bool = False
    slope: str = field(default="", compare=False)

    @property
    def about(self) -> Metric:
        return metric_of(self.metric)

    @property
    def arms(self) -> list[Arm]:
        """Every arm but guessing, each once."""
        every = [arm for _, pair in self.pairs for arm in (pair.treatment, pair.control) if arm != GUESSING]
        return list(dict.fromkeys(every))

    @property
    def key(self) -> tuple:
        """What two comparisons share that ask the same, in either direction."""
        both = [self._sums(), self._sums(-1)]
        return min(both, key=repr), self.metric, self.endpoint if self.about.endpoint else "", self.probe

    @property
    def turn(self) -> int:
        """1, or -1 if another comparison of this key in the other direction has 1."""
        return 1 if self._sums() == self.key[0] else -1

    def _sums(self, sign: int = 1) -> tuple:
        """Each arm with its weight in the whole, the treatments' positive."""
        found: dict[tuple, float] = {}
        for weight, pair in self.pairs:
            for arm, part in ((pair.treatment, weight), (pair.control, -weight)):
                found[arm, pair.data] = round(found.get((arm, pair.data), 0.0) + sign * part, 9)
        return tuple(sorted((arm, data, weight) for (arm, data), weight in found.items() if weight))
