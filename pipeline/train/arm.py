"""One network on one data set: what its runs are called, what they train on, and their rows of the tables."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config.experiments import FIRST_SEED, Train
from pipeline.config.schema import study_seeds
from pipeline.config.task import Task
from pipeline.data import split as splits
from pipeline.data.sources import read
from pipeline.tables.run_record import MEASURES
from pipeline.tables.stored import COLUMNS, CURVE_COLUMNS
from pipeline.train.early_stopping import hit_limit


def canonical(value) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


class DataSet:
    """The arrays of a data set; what a seed's runs depend on in them is found out once."""

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        self.arrays = arrays
        self._digests: dict[int, str] = {}

    def digest(self, seed: int) -> str:
        """SHA-256 of all that a seed's split depends on."""
        if seed not in self._digests:
            self._digests[seed] = splits.digest(self.arrays, seed)
        return self._digests[seed]

    def split(self, seed: int, train: Train) -> splits.Split:
        """A seed's training, validation and test arrays."""
        return splits.load(self.arrays, seed, train_fraction=train.train_fraction, scaling=train.scaling)


class DataSets(dict):
    """Data set by name, read when it is first asked for.

    Args:
        folder: where the stage `data` wrote them.
    """

    def __init__(self, folder: Path = Path("data")):
        super().__init__()
        self.folder = Path(folder)

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.npz"

    def __missing__(self, name: str) -> DataSet:
        self[name] = found = DataSet(read(self.path(name)))
        return found


def planned_seeds(plan: Mapping, data: str) -> list[int]:
    """The seeds that a plan asks a data set for."""
    about = plan["data"][data]
    return study_seeds(about["seeds"], about.get("first_seed", FIRST_SEED))


class Arm:
    """One network on one data set, as a plan has it.

    Attributes:
        place: experiment, variant and data set.
        seeds, rates: a run for each pair.
    """

    def __init__(self, plan: Mapping, arm: Mapping, data_set: DataSet):
        self.network, self.shape, self.task = arm["network"], tuple(arm["shape"]), Task.of(arm)
        self.place = {"experiment": plan["experiment"], "variant": arm["variant"], "data": arm["data"]}
        self.train = Train(**arm["train"])
        self.seeds = planned_seeds(plan, arm["data"])
        self.rates = sorted(self.train.learning_rates)
        self.data_set = data_set
        decides = {"network": self.network, "task": arm["task"], "numerics": plan["numerics"],
                   "versions": plan["versions"], "train": self.train.model_dump(exclude={"learning_rates"})}
        if "custom_layers" in plan:
            decides["custom_layers"] = plan["custom_layers"]
        #: As text, because all but the last lines of every key are the same.
        self._decides = {name: canonical(value) for name, value in decides.items()}

    def key(self, seed: int, rate: float) -> str:
        """The name of a run: the hash of everything that decides its numbers."""
        decides = self._decides | {"data": canonical(self.data_set.digest(seed)), "seed": canonical(seed),
                                   "learning_rate": canonical(rate)}
        text = ",".join(f'"{name}":{decides[name]}' for name in sorted(decides))
        return hashlib.sha256(f"{{{text}}}".encode()).hexdigest()

    def keys(self, seed: int) -> dict[float, str]:
        """Learning rate → the key of a seed's run."""
        return {rate: self.key(seed, rate) for rate in self.rates}

    def split(self, seed: int) -> splits.Split:
        return self.data_set.split(seed, self.train)

    def rows(self, seeds: Iterable[int], records: Mapping[str, Mapping]) -> tuple[list[dict], list[dict]]:
        """The rows of the tables of runs and of curves.

        Args:
            records: of every run of these seeds, by key.

        Raises:
            KeyError: a run is missing, or a chosen one has no curves.
        """
        rows, curves = [], []
        for seed in seeds:
            keys = self.keys(seed)
            mine = {rate: records[key] for rate, key in keys.items()}
            kept = select_rate(mine)
            for rate, record in mine.items():
                place = self.place | {"seed": seed, "learning_rate": rate}
                rows.append(place | {
                    "chosen": rate == kept, "stopped": record["last_epoch"], "hit_limit": hit_limit(record, self.train),
                    "key": keys[rate]} | {name: record[name] for name in MEASURES})
                if rate == kept:
                    losses = zip(record["train_curve"], record["validation_curve"], strict=True)
                    curves += [place | {"epoch": epoch, "train_loss": train, "validation_loss": validation}
                               for epoch, (train, validation) in enumerate(losses, 1)]
        return rows, curves


def arms(plan: Mapping, data: Mapping[str, DataSet]) -> list[Arm]:
    """The arms of a plan, in its order."""
    return [Arm(plan, arm, data[arm["data"]]) for arm in plan["arms"]]


def tables(plan: Mapping, data: Mapping[str, DataSet], records) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `runs` and `curves` of a plan.

    Args:
        records: has `find`, which gives the records of keys; a store, in which no run of the plan is missing.
    """
    rows, curves = [], []
    for arm in arms(plan, data):
        found = records.find(key for seed in arm.seeds for key in arm.keys(seed).values())
        more = arm.rows(arm.seeds, found)
        rows, curves = rows + more[0], curves + more[1]
    return pd.DataFrame(rows, columns=COLUMNS), pd.DataFrame(curves, columns=CURVE_COLUMNS)


def to_train(plan: dict) -> dict:
    """What of a plan is trained: all of it, or of an experiment that is being measured, what runs on own data.

    A reader's own data are no part of what is being measured, and wait for nothing.
    """
    if not plan.get("being_measured"):
        return plan
    own = {name: about for name, about in plan["data"].items() if about.get("own")}
    return plan | {"data": own, "arms": [arm for arm in plan["arms"] if arm["data"] in own]}


def select_rate(records: Mapping[float, Mapping]) -> float:
    """The learning rate that a seed keeps, of the records of its runs by rate.

    That of the least validation loss, the smaller one of equals. A run that diverged counts only
    where all have.
    """
    healthy = {rate: record for rate, record in records.items() if not record["diverged"]} or records

    def order(rate: float) -> tuple[float, float]:
        loss = healthy[rate]["best_validation_loss"]
        return (loss if math.isfinite(loss) else math.inf), rate

    return min(healthy, key=order)
