"""Runs by arm: the scores of an experiment, or of a variant, on a data set."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.spec.base import ConfigError, nearest
from pipeline.spec.claims import ARM, arm_name
from pipeline.spec.metrics import METRICS
from pipeline.verdicts.rule import Rule

OTHER = {"best": "last", "last": "best"}


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


class Study:
    """The study runs of one choice of learning rate, one frame per arm and data set."""

    def __init__(self, runs: pd.DataFrame, curves: pd.DataFrame | None, rate: str):
        if rate not in ("chosen", "default"):
            raise ValueError(f"rate must be chosen or default. Received: {rate!r}")
        needed = ["experiment", "variant", "data", "seed", "purpose", "learning_rate", "chosen",
                  "default", "diverged", "best_error", "trivial_error", "test_size"]
        absent = [column for column in needed if column not in runs.columns]
        if absent:
            raise ValueError(f"the table of runs lacks the columns {', '.join(absent)}")
        study = runs[runs["purpose"] == "study"]
        study = study.assign(variant=study["variant"].fillna("").astype(str),
                             **{c: study[c].astype(bool) for c in ("chosen", "default",
                                                                   "diverged")})
        # Calibration is defined for classes alone, so it tells the two tasks apart.
        calibration = [c for c in study.columns if c.endswith("_calibration_error")]
        known = study[calibration].notna().any(axis=1)
        self.classes = frozenset(study.loc[known, "data"])
        self.arms, self.variants, self.sets = {}, {}, {}
        for key, arm in study.groupby(["experiment", "variant", "data"], sort=False):
            wanted = arm[arm[rate]]
            if wanted.empty and rate == "default":
                # An arm whose learning rate is fixed has no other one to compare.
                wanted = arm[arm["chosen"]]
            seeds = wanted["seed"]
            if seeds.duplicated().any():
                raise ValueError(f"{arm_name(*key[:2])} on {key[2]}: more than one {rate} run "
                                 f"for the seeds {sorted(seeds[seeds.duplicated()].unique())}")
            if wanted.empty:
                raise ValueError(f"{arm_name(*key[:2])} on {key[2]}: no {rate} run")
            self.arms[key] = wanted.set_index("seed").sort_index()
            self.variants.setdefault(key[0], {})[key[1]] = None
            self.sets.setdefault(key[:2], []).append(key[2])
        for experiment in list(self.variants):
            self._add_tuned(experiment, runs[runs["purpose"] == "tuning"], rate)
            self._add_rates(experiment)
        self.curves = {}
        if curves is not None and len(curves):
            curves = curves.assign(variant=curves["variant"].fillna("").astype(str))
            self.curves = dict(iter(curves.groupby(["experiment", "variant", "data"],
                                                   sort=False)))

    def _add(self, experiment: str, variant: str, data: str, frame: pd.DataFrame) -> None:
        self.arms[experiment, variant, data] = frame
        self.sets.setdefault((experiment, variant), []).append(data)

    def _add_tuned(self, experiment: str, tuning: pd.DataFrame, rate: str) -> None:
        """`[tuned]`: per data set, the variant with the least validation loss in tuning."""
        variants = list(self.variants[experiment])
        mine = tuning[(tuning["experiment"] == experiment) & tuning[rate].astype(bool)]
        if len(variants) < 2 or mine["variant"].nunique() < len(variants):
            return
        losses = mine.groupby(["data", "variant"])["best_validation_loss"].mean()
        for data in self.sets[experiment, variants[0]]:
            best = losses[data].reindex(variants).idxmin()
            self._add(experiment, "tuned", data, self.arms[experiment, best, data])

    def _add_rates(self, experiment: str) -> None:
        """`[rates]`: the logarithm of the largest learning rate at which a seed does not fail.

        A seed that fails at every rate counts one step below the least.
        """
        rates = {variant: float(variant.removeprefix("learning_rate="))
                 for variant in self.variants[experiment]
                 if re.fullmatch(r"learning_rate=[0-9.e-]+", variant)}
        some = next(iter(self.arms.values()))
        if len(rates) < max(2, len(self.variants[experiment])) or "best_failure" not in some:
            return
        order = sorted(rates, key=rates.get)
        for data in self.sets[experiment, order[0]]:
            failed = pd.concat({rates[v]: self.arms[experiment, v, data]["best_failure"]
                                for v in order}, axis=1)
            below = rates[order[0]] ** 2 / rates[order[1]]
            largest = failed.apply(lambda row: max(row.index[row == 0], default=below), axis=1)
            frame = pd.DataFrame({"diverged": False, "largest_rate": np.log(largest)})
            self._add(experiment, "rates", data, frame)

    def find(self, name: str, where: str, fallback: bool = False) -> tuple[str, str]:
        """The (experiment, variant) that `name` or `name[variant]` means."""
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

    def shared(self, arms) -> list[str]:
        """The data sets that all arms have, in the order of the first."""
        return [data for data in self.sets[arms[0]]
                if all(data in self.sets[arm] for arm in arms)]

    def paired(self, arms, sets: Sequence[str], where: str) -> list[pd.DataFrame]:
        """The arms' runs, each on its data set; every arm must have the same seeds."""
        frames = [self.arms[(*arm, data)] for arm, data in zip(arms, sets, strict=True)]
        union = sorted(set().union(*(frame.index for frame in frames)))
        for arm, data, frame in zip(arms, sets, frames, strict=True):
            missing = [seed for seed in union if seed not in frame.index]
            if missing:
                raise ValueError(f"{where}: {arm_name(*arm)} on {data} lacks the seeds "
                                 f"{', '.join(map(str, missing))}, which another arm has")
        return frames

    def validation(self, arm, data: str) -> pd.DataFrame:
        """Validation losses `(seeds, epochs)` of an arm; infinite where not finite."""
        frame, key = self.arms[(*arm, data)], (*arm, data)
        if key not in self.curves:
            raise ValueError(f"{arm_name(*arm)} on {data}: no curves")
        curves = self.curves[key]
        rates = frame["learning_rate"].reindex(curves["seed"]).to_numpy()
        mine = curves[curves["learning_rate"].to_numpy() == rates]
        table = mine.pivot(index="seed", columns="epoch", values="validation_loss")
        missing = [seed for seed in frame.index if seed not in table.index]
        if missing:
            raise ValueError(f"{arm_name(*arm)} on {data}: no curves for the seeds "
                             f"{', '.join(map(str, missing))}")
        table = table.loc[frame.index].sort_index(axis=1)
        return table.where(np.isfinite(table), np.inf)


def _column(arm: pd.DataFrame, metric: str, endpoint: str, where: str) -> str:
    for name in (f"{endpoint}_{metric}", metric):
        if name in arm.columns:
            if not pd.api.types.is_numeric_dtype(arm[name]):
                break
            return name
    columns = [c for c in arm.columns if pd.api.types.is_numeric_dtype(arm[c])]
    bare = {c.removeprefix("best_").removeprefix("last_") for c in columns}
    allowed = sorted({*METRICS, *bare})
    raise ConfigError(f"{where}: metric: found '{metric}'; allowed: {', '.join(allowed)}"
                      f"{nearest(metric, allowed)}")


def scores_of(arm: pd.DataFrame, metric: str, endpoint: str, where: str) -> np.ndarray:
    """One score per seed; a diverged seed scores what the trivial predictor scores."""
    values = arm[_column(arm, metric, endpoint, where)].astype(float)
    if metric in ("error", "loss", "calibration_error"):
        # Naming the larger class with certainty is miscalibrated by its error rate.
        trivial = arm["trivial_loss" if metric == "loss" else "trivial_error"]
        values = values.where(~arm["diverged"], trivial)
    elif metric == "minority_recall":
        values = values.where(~arm["diverged"], 0.0)
    if metric in METRICS and not np.isfinite(values).all():
        bad = values.index[~np.isfinite(values)]
        raise ValueError(f"{where}: {metric} is not finite for the seeds "
                         f"{', '.join(map(str, bad))}, which did not diverge")
    return values.to_numpy()


def epochs(study: Study, treatment, control, data: str, rule: Rule):
    """Epochs to target of both arms `(seeds,)`, and whether each seed reached it.

    The target is the control's median best validation loss times `rule.target_factor`; a seed
    that never reaches it, or diverges, counts the budget.
    """
    losses = {arm: study.validation(arm, data) for arm in (control, treatment)}
    target = float(np.median(losses[control].min(axis=1))) * rule.target_factor
    budget = max(int(table.columns.max()) for table in losses.values())
    result = []
    for arm in (control, treatment):
        below = (losses[arm] <= target).to_numpy()
        reached = below.any(axis=1) & ~study.arms[(*arm, data)]["diverged"].to_numpy()
        reached &= math.isfinite(target)
        first = losses[arm].columns.to_numpy()[below.argmax(axis=1)]
        result.append((np.where(reached, first, budget).astype(float), reached))
    return result


def frame(rows: list[dict], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns)
