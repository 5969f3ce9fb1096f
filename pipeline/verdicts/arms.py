"""Arms: the runs of an experiment, or of a variant of its sweep, on a data set."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.spec.base import ConfigError, nearest
from pipeline.spec.claims import ARM, arm_name

PLAN = Path("plan")
OTHER = {"best": "last", "last": "best"}
#: An experiment and its variant, '' without a sweep.
Arm = tuple[str, str]
#: Experiment → the label of each variant of its sweep → its values by key.
Sweeps = Mapping[str, Mapping[str, Mapping]]


def classes_of(experiments: Iterable[str], folder: Path = PLAN) -> frozenset[str]:
    """The data sets whose targets are classes, as the plans of these experiments say.

    Raises:
        ConfigError: an experiment has no plan.
    """
    found = set()
    for name in experiments:
        path = Path(folder) / f"{name}.json"
        try:
            plan = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigError(f"{path}: there is no such file; `python -m pipeline.plan` writes it"
                              ) from None
        found |= {arm["data"] for arm in plan["arms"] if arm["task"]["classes"]}
    return frozenset(found)


@dataclass(frozen=True, eq=False)
class Measured:
    """All that verdicts rest on.

    Attributes:
        runs: one row per trained run.
        curves: one row per epoch of a study run; needed for epochs to target.
        classes: the data sets whose targets are classes.
        sweeps: the variants that count, see `Arms`.
        probed: what the probe measured, a layer a variant; for the claims that it decides.
    """

    runs: pd.DataFrame
    curves: pd.DataFrame | None = None
    classes: Collection[str] = ()
    sweeps: Sweeps | None = None
    probed: pd.DataFrame | None = None

    @cached_property
    def chosen(self) -> Arms:
        """The study's arms at the learning rates that were chosen."""
        return Arms(self.runs, self.curves, "chosen", self.classes, self.sweeps)

    @cached_property
    def default(self) -> Arms:
        """The study's arms at the study's default learning rate."""
        return Arms(self.runs, self.curves, "default", self.classes, self.sweeps)

    @cached_property
    def inside(self) -> Arms | None:
        """What the probe measured at the chosen learning rates; None without any."""
        if self.probed is None or not len(self.probed):
            return None
        return Arms(self.probed, classes=self.classes)


class Arms:
    """The study's runs at one choice of learning rate, one frame per arm and data set.

    Args:
        runs: one row per trained run; study runs count, tuning runs choose `[tuned]`.
        curves: one row per epoch of a study run; None where no epochs are counted.
        rate: `chosen`, or the study's `default` (an arm without one keeps its own).
        classes: the data sets whose targets are classes.
        sweeps: the variants that count, and their values. Another stored variant of these
            experiments measures the rule: it is found by its name alone. Of an experiment that is
            not there, every stored variant counts, and none has values.

    Attributes:
        runs: (experiment, variant, data set) → its runs by seed.
        variants: experiment → its variants that count, in the order of the runs.
        sets: (experiment, variant) → its data sets.

    Raises:
        ValueError: an unknown rate, a missing column, an arm without a run of that rate, or with
            two of a seed.
    """

    def __init__(self, runs: pd.DataFrame, curves: pd.DataFrame | None = None, rate: str = "chosen",
                 classes: Collection[str] = (), sweeps: Sweeps | None = None):
        if rate not in ("chosen", "default"):
            raise ValueError(f"rate must be chosen or default. Received: {rate!r}")
        self.classes, self.sweeps = frozenset(classes), sweeps or {}
        self.runs, self.variants, self.sets = {}, {}, {}
        for (experiment, variant, data), arm in _study(runs).groupby(
                ["experiment", "variant", "data"], sort=False):
            self._add(experiment, variant, data, _at(rate, arm, f"{arm_name(experiment, variant)} on {data}"))
            if variant in self.sweeps.get(experiment, [variant]):
                self.variants.setdefault(experiment, {})[variant] = None
        for experiment in self.variants:
            self._add_tuned(experiment, runs[runs["purpose"] == "tuning"], rate)
            self._add_rates(experiment)
        self._curves = {}
        if curves is not None and len(curves):
            curves = curves.assign(variant=curves["variant"].fillna("").astype(str))
            self._curves = dict(iter(curves.groupby(["experiment", "variant", "data"], sort=False)))

    def _add(self, experiment: str, variant: str, data: str, runs: pd.DataFrame) -> None:
        self.runs[experiment, variant, data] = runs
        self.sets.setdefault((experiment, variant), []).append(data)

    def _add_tuned(self, experiment: str, tuning: pd.DataFrame, rate: str) -> None:
        """`[tuned]`: per data set, the variant with the least validation loss in tuning."""
        variants = list(self.variants[experiment])
        mine = tuning[(tuning["experiment"] == experiment) & tuning["variant"].isin(variants)
                      & tuning[rate].astype(bool)]
        if len(variants) < 2 or mine["variant"].nunique() < len(variants):
            return
        losses = mine.groupby(["data", "variant"])["best_validation_loss"].mean()
        for data in self.sets[experiment, variants[0]]:
            best = losses[data].reindex(variants).idxmin()
            self._add(experiment, "tuned", data, self.runs[experiment, best, data])

    def _add_rates(self, experiment: str) -> None:
        """`[rates]`: the logarithm of the largest learning rate at which a seed does not fail.

        A seed that fails at every rate counts one step below the least.
        """
        values = {v: self.sweeps.get(experiment, {}).get(v, {}) for v in self.variants[experiment]}
        if len(values) < 2 or any(set(own) != {"learning_rate"} for own in values.values()):
            return
        rates = {variant: float(own["learning_rate"]) for variant, own in values.items()}
        order = sorted(rates, key=rates.get)
        for data in self.sets[experiment, order[0]]:
            runs = [self.runs[experiment, variant, data] for variant in order]
            if "best_failure" not in runs[0]:
                return
            failed = pd.concat({rates[variant]: one["best_failure"] for variant, one in
                                zip(order, runs, strict=True)}, axis=1)
            below = rates[order[0]] ** 2 / rates[order[1]]
            largest = failed.apply(lambda row: max(row.index[row == 0], default=below), axis=1)
            self._add(experiment, "rates", data, pd.DataFrame(
                {"diverged": False, "largest_rate": np.log(largest)}))

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
        if variant in variants or variant and (experiment, variant) in self.sets:
            return experiment, variant
        if fallback and list(variants) == [""]:
            return experiment, ""
        names = [arm_name(experiment, v) for v in variants]
        raise ConfigError(f"{where}: found '{name}'; allowed: {', '.join(names)}"
                          f"{nearest(name, names)}")

    def shared(self, arms: Sequence[Arm]) -> list[str]:
        """The data sets that all arms have, in the order of the first."""
        return [data for data in self.sets[arms[0]]
                if all(data in self.sets[arm] for arm in arms)]

    def matched(self, arms: Sequence[Arm], sets: Sequence[str], where: str) -> list[pd.DataFrame]:
        """The arms' runs, each on its data set.

        Raises:
            ValueError: an arm lacks a seed that another one has.
        """
        found = [self.runs[(*arm, data)] for arm, data in zip(arms, sets, strict=True)]
        union = sorted(set().union(*(runs.index for runs in found)))
        for arm, data, runs in zip(arms, sets, found, strict=True):
            missing = [seed for seed in union if seed not in runs.index]
            if missing:
                raise ValueError(f"{where}: {arm_name(*arm)} on {data} lacks the seeds "
                                 f"{', '.join(map(str, missing))}, which another arm has")
        return found

    def validation(self, arm: Arm, data: str) -> pd.DataFrame:
        """Validation losses `(seeds, epochs)` of an arm; infinite where not finite.

        Raises:
            ValueError: a seed has no curve.
        """
        runs, key = self.runs[(*arm, data)], (*arm, data)
        if key not in self._curves:
            raise ValueError(f"{arm_name(*arm)} on {data}: no curves")
        curves = self._curves[key]
        rates = runs["learning_rate"].reindex(curves["seed"]).to_numpy()
        mine = curves[curves["learning_rate"].to_numpy() == rates]
        table = mine.pivot(index="seed", columns="epoch", values="validation_loss")
        missing = [seed for seed in runs.index if seed not in table.index]
        if missing:
            raise ValueError(f"{arm_name(*arm)} on {data}: no curves for the seeds "
                             f"{', '.join(map(str, missing))}")
        table = table.loc[runs.index].sort_index(axis=1)
        return table.where(np.isfinite(table), np.inf)


def _study(runs: pd.DataFrame) -> pd.DataFrame:
    """The study's rows of a table of runs, with what is read of them in its type."""
    needed = ["experiment", "variant", "data", "seed", "purpose", "learning_rate", "chosen",
              "default", "diverged", "best_error", "trivial_error", "test_size"]
    absent = [column for column in needed if column not in runs.columns]
    if absent:
        raise ValueError(f"the table of runs lacks the columns {', '.join(absent)}")
    study = runs[runs["purpose"] == "study"]
    return study.assign(variant=study["variant"].fillna("").astype(str),
                        **{c: study[c].astype(bool) for c in ("chosen", "default", "diverged")})


def _at(rate: str, arm: pd.DataFrame, where: str) -> pd.DataFrame:
    """An arm's runs at a choice of learning rate, by seed."""
    wanted = arm[arm[rate]]
    if wanted.empty and rate == "default":
        # An arm whose learning rate is fixed has no other one to compare.
        wanted = arm[arm["chosen"]]
    seeds = wanted["seed"]
    if seeds.duplicated().any():
        raise ValueError(f"{where}: more than one {rate} run for the seeds "
                         f"{sorted(seeds[seeds.duplicated()].unique())}")
    if wanted.empty:
        raise ValueError(f"{where}: no {rate} run")
    return wanted.set_index("seed").sort_index()
