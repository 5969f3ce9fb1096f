"""A plan's arms → runs and learning curves; what is stored is not trained again."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
from filelock import FileLock

from pipeline.data.split import Split, digest, load
from pipeline.data.sources import read
from pipeline.tables.lock import trusted
from pipeline.tables.stored import (
    COLUMNS, CURVES_TABLE, CURVE_COLUMNS, LAYERS_TABLE, MEASURES, PROGRESS, RUNS, RUNS_TABLE, Store,
    building, write_table, write_text)
from pipeline.config.schema import Train, study_seeds
from pipeline.config.task import Task
from pipeline.train import layers
from pipeline.train.place import place


class WrongVersion(RuntimeError):
    """The installed packages are not the pinned ones."""


def check_versions(pinned: dict[str, str]) -> None:
    """Refuse an environment whose numbers would not be comparable.

    Raises:
        WrongVersion: a package that decides numbers has another version than its pin.
    """
    for package, version in pinned.items():
        found = importlib.metadata.version(package)
        if found != version:
            raise WrongVersion(f"requirements.txt pins {package} {version}, but {found} is "
                                    "installed; run `make` to install the pinned versions")


def choose(records: dict[float, dict]) -> float:
    """The learning rate that a seed keeps, of the records of its runs by rate.

    That of the least validation loss, the smaller one of equals. A run that diverged counts only
    where all have.
    """
    healthy = {rate: found for rate, found in records.items() if not found["diverged"]} or records

    def order(rate: float) -> tuple[float, float]:
        loss = healthy[rate]["best_validation_loss"]
        return (loss if math.isfinite(loss) else math.inf), rate

    return min(healthy, key=order)


def hit_limit(record: dict, train: Train) -> bool:
    """Whether a run ended at the limit of epochs, and had not stopped learning by then."""
    return bool(train.patience and not record["diverged"] and record["last_epoch"] == train.epochs
                and record["last_epoch"] - record["best_epoch"] < train.patience)


def canonical(value) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


class _Arm:
    """One network on one data set: its runs are looked up in the store, or trained."""

    def __init__(self, plan: dict, arm: dict, arrays: dict, store: Store, threads: int, finished):
        self.plan, self.arm, self.arrays, self.store = plan, arm, arrays, store
        self.train = Train(**arm["train"])
        self.threads, self.finished = threads, finished
        #: Compiled for the first run that is missing, for all threads; its starts by seed.
        self._trainer, self._starts = None, {}
        #: Of the arrays, by seed: a file's is long, and every rate asks for it.
        self._digests: dict[int, str] = {}

    def key(self, seed: int, rate: float) -> str:
        """The name of a run: the hash of everything that decides its numbers."""
        values = self.train.model_dump(exclude={"learning_rates"})
        if seed not in self._digests:
            self._digests[seed] = digest(self.arrays, seed)
        custom = {"custom_layers": self.plan["custom_layers"]} if "custom_layers" in self.plan else {}
        return hashlib.sha256(canonical({
            "network": self.arm["network"], "task": self.arm["task"], "train": values, "learning_rate": rate,
            "seed": seed, "data": self._digests[seed], "numerics": self.plan["numerics"],
            "versions": self.plan["versions"], **custom}).encode()).hexdigest()

    def split(self, seed: int) -> Split:
        return load(self.arrays, seed, train_fraction=self.train.train_fraction,
                         scaling=self.train.scaling)

    def runs(self, tasks: list[tuple[int, float]]) -> list[dict]:
        """The records of (seed, learning rate) pairs, in their order; trains what is missing."""
        keys = [self.key(seed, rate) for seed, rate in tasks]
        missing = [(key, *task) for key, task in zip(keys, tasks) if self.store.get(key) is None]
        for _ in range(len(tasks) - len(missing)):
            self.finished()
        if missing:
            self._train(missing)
        return [self.store.get(key) for key in keys]

    def _train(self, missing: list[tuple[str, int, float]]) -> None:
        """Train the (key, seed, learning rate) of runs that are not stored, and store them."""
        # Only now, because it loads TensorFlow.
        from pipeline.train.trainer import Trainer

        if self._trainer is None:
            first = self.split(missing[0][1])
            self._trainer = Trainer(self.arm["network"], first.x_train.shape[1:], Task.of(self.arm),
                                    self.arm["train"]["optimizer"])
        with ThreadPoolExecutor(self.threads) as pool:
            waiting = []
            for key, seed, rate in missing:
                # Networks are built in this thread: Keras' state is not made for several.
                if seed not in self._starts:
                    self._starts[seed] = self._trainer.start(seed, self.train.repetition)
                waiting.append(pool.submit(self._one, key, seed, rate))
            for future in waiting:
                future.result()

    def _one(self, key: str, seed: int, rate: float) -> None:
        from pipeline.train.trainer import batch_order

        split = self.split(seed)
        order = batch_order(len(split.x_train), self.train.batch_size, self.train.epochs, seed,
                            self.train.repetition)
        self.store.put(key, self._trainer.run(self._starts[seed], split, order, rate,
                                              self.train.patience))
        self.finished()

    def study(self, seeds: list[int]) -> list[tuple[int, dict[float, dict], float]]:
        """Each seed, the records of its runs by learning rate, and the rate that it keeps.

        The record of a kept run has its curves.
        """
        rates = sorted(self.train.learning_rates)
        found = iter(self.runs([(seed, rate) for seed in seeds for rate in rates]))
        records = {seed: {rate: next(found) for rate in rates} for seed in seeds}
        kept = {seed: choose(mine) for seed, mine in records.items()}
        # A run that was stored as one that was not chosen has no curves.
        bare = [(self.key(seed, rate), seed, rate) for seed, rate in kept.items()
                if "train_curve" not in records[seed][rate]]
        if bare:
            self._train(bare)
        for key, seed, rate in bare:
            records[seed][rate] = self.store.get(key)
        return [(seed, records[seed], kept[seed]) for seed in seeds]

    def rows(self, seeds: list[int]) -> tuple[list[dict], list[dict]]:
        """The rows of the tables of runs and of curves."""
        rows, curves = [], []
        for seed, records, kept in self.study(seeds):
            for rate, found in records.items():
                place = {"experiment": self.plan["experiment"], "variant": self.arm["variant"],
                         "data": self.arm["data"], "seed": seed, "learning_rate": rate}
                rows.append(place | {
                    "chosen": rate == kept, "stopped": found["last_epoch"],
                    "hit_limit": hit_limit(found, self.train), "key": self.key(seed, rate)}
                    | {name: found[name] for name in MEASURES})
                if rate == kept:
                    pairs = zip(found["train_curve"], found["validation_curve"], strict=True)
                    curves += [place | {"epoch": epoch, "train_loss": a, "validation_loss": b}
                               for epoch, (a, b) in enumerate(pairs, 1)]
        return rows, curves


def to_train(plan: dict) -> dict:
    """What of a plan is trained: all of it, or of an experiment that is being measured, what runs on own data.

    A reader's own data are no part of what is being measured, and wait for nothing.
    """
    if not plan.get("being_measured"):
        return plan
    own = {name: about for name, about in plan["data"].items() if about.get("own")}
    return plan | {"data": own, "arms": [arm for arm in plan["arms"] if arm["data"] in own]}


def train(plan: dict, arrays: dict[str, dict], store: Store, threads: int | None = None,
          progress: Callable[[int, int], None] = lambda done, total: None,
          ) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All runs of a plan, those in the store not trained again.

    Args:
        plan: a resolved plan file.
        arrays: data set → its arrays.
        store: where finished runs are kept, each as soon as it is finished.
        threads: how many networks train side by side; the results do not depend on it.
        progress: called with the runs done and the runs known to be needed.

    Returns:
        The tables `runs` and `curves`.

    Raises:
        WrongVersion: the installed packages are not those of the plan.
    """
    check_versions(plan["versions"])
    threads = threads or int(os.environ.get("TRAIN_THREADS", os.cpu_count() or 1))
    count = {"done": 0, "total": sum(len(arm["train"]["learning_rates"]) * plan["data"][arm["data"]]["seeds"]
                                     for arm in plan["arms"])}

    def finished():
        count["done"] += 1
        count["total"] = max(count["total"], count["done"])
        progress(count["done"], count["total"])

    rows, curves = [], []
    store.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(store.folder / "lock"):
        for arm in plan["arms"]:
            worker = _Arm(plan, arm, arrays[arm["data"]], store, threads, finished)
            more = worker.rows(study_seeds(plan["data"][arm["data"]]["seeds"]))
            rows, curves = rows + more[0], curves + more[1]
    return pd.DataFrame(rows, columns=COLUMNS), pd.DataFrame(curves, columns=CURVE_COLUMNS)


def train_plan(path: str, store: Store | None = None) -> Path:
    """Train a plan file and write its tables; what the lab record calls first.

    Stored runs count, and so do those of the stored tables where these are what `dvc.lock` says.
    What training took, and where, goes to `timings/`, on which no result depends.

    Returns:
        The new folder that the tables are in, which `replace_folder` puts in its place.

    Raises:
        Damaged: a stored table, or a run in the store, is not what was stored.
        WrongVersion: the installed packages are not those of the plan.
    """
    with open(path, encoding="utf-8") as file:
        plan = to_train(json.load(file))
    if "modules" in plan:
        # Only where it is needed, because it loads TensorFlow.
        from pipeline.network.own import require

        require(plan["modules"], path)
    store = store or Store()
    folder = RUNS / plan["experiment"]
    if trusted(folder):
        store.fill(folder)
    arrays = {name: read(f"data/{name}.npz") for name in plan["data"]}
    state = store.folder / PROGRESS

    shown = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal shown
        if done == total or time.perf_counter() - shown > 0.2:  # Stored runs come by the hundred.
            write_text(state, json.dumps({"done": done, "total": total}))
            shown = time.perf_counter()

    held, began = store.keys(), time.perf_counter()
    runs, curves = train(plan, arrays, store, progress=progress)
    # What a reader's own data took is no part of what the study took, and goes with them.
    mine = runs["data"].isin([name for name, about in plan["data"].items() if about.get("own")])
    seconds, trained = time.perf_counter() - began, len({*runs.loc[~mine, "key"]} - held)
    known = layers.stored(folder, runs) if trusted(folder) else None
    new = building(folder)
    for name, table in ((RUNS_TABLE, runs), (CURVES_TABLE, curves),
                        (LAYERS_TABLE, layers.layers(plan) if known is None else known)):
        write_table(table, new / name)
    if trained:
        write_text(Path("timings") / f"{plan['experiment']}.json", json.dumps({
            "seconds": round(seconds, 1), "trained": trained, "runs": int((~mine).sum()),
            **place(), **plan["versions"]}, indent=1) + "\n")
    return new
