"""A plan's arms → runs and learning curves; what is stored is not trained again."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock

from pipeline.data.load import digest, is_own, load
from pipeline.data.sources import read
from pipeline.data.splits import Split
from pipeline.results import (
    COLUMNS, CURVES_TABLE, CURVE_COLUMNS, LAYERS_TABLE, MEASURES, PROGRESS, RUNS, RUNS_TABLE, Store,
    building, distrusted, seal, significant, write_table, write_text)
from pipeline.spec.params import Train, study_seeds, tuning_seeds
from pipeline.train import layers

#: A grid is extended at most so often at either edge.
EXTENSIONS = 3


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


def choose_rate(losses: dict[float, list[float]], default: float) -> float:
    """The learning rate of an arm, from validation losses of the tuning seeds (paired by place).

    The default stays unless another rate's paired gain exceeds one standard error; of those that
    do, the one with the largest gain is taken.
    """
    best, most = default, 0.0
    for rate in sorted(losses):
        gains = np.subtract(losses[default], losses[rate])
        error = gains.std(ddof=1) / math.sqrt(len(gains))
        if rate != default and gains.mean() > error and gains.mean() > most:
            best, most = rate, gains.mean()
    return best


def extend(rates: list[float], chosen: float) -> float | None:
    """The rate to try next to a choice at the grid's edge, or None for a choice inside it."""
    rates = sorted(rates)
    if len(rates) < 2 or chosen not in (rates[0], rates[-1]):
        return None
    step = rates[1] / rates[0] if chosen == rates[0] else rates[-2] / rates[-1]
    return significant(chosen / step, 2)


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

    def key(self, seed: int, rate: float) -> str:
        """The name of a run: the hash of everything that decides its numbers."""
        values = self.train.model_dump(exclude={"learning_rate", "learning_rates", "tuning_seeds"})
        # How files are split decides nothing of a run on another data set.
        code = {k: v for k, v in self.plan["code"].items() if k != "files" or is_own(self.arrays)}
        return hashlib.sha256(canonical({
            "network": self.arm["network"], "train": values, "learning_rate": rate, "seed": seed,
            "data": digest(self.arrays, seed), "code": code,
            "versions": self.plan["versions"]}).encode()).hexdigest()

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
        # Only now, because they load TensorFlow.
        from pipeline.train.task import task_of
        from pipeline.train.trainer import Trainer

        if self._trainer is None:
            first = self.split(missing[0][1])
            self._trainer = Trainer(self.arm["network"], first.x_train.shape[1:], task_of(first),
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

    def tune(self) -> tuple[float, list[tuple[int, float]]]:
        """The chosen learning rate, and the (seed, rate) pairs that were tried for it."""
        rates, tried = list(self.train.learning_rates), {}
        seeds = tuning_seeds(self.train.tuning_seeds, self.train.repetition)
        default = self.train.learning_rate
        if len(rates) == 1:
            return default, []
        while True:
            tasks = [(seed, rate) for rate in rates if rate not in tried for seed in seeds]
            for (seed, rate), found in zip(tasks, self.runs(tasks)):
                loss = found["trivial_validation_loss"] if found["diverged"] else found["best_validation_loss"]
                tried.setdefault(rate, []).append(loss)
            chosen = choose_rate(tried, default)
            further = extend(rates, chosen)
            if further is None or len(rates) >= len(self.train.learning_rates) + EXTENSIONS:
                return chosen, [(seed, rate) for rate in sorted(tried) for seed in seeds]
            rates.append(further)


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
    planned = [len(a["train"]["learning_rates"]) * a["train"]["tuning_seeds"] * (
        len(a["train"]["learning_rates"]) > 1) + plan["data"][a["data"]]["seeds"] for a in plan["arms"]]
    count = {"done": 0, "total": sum(planned)}

    def finished():
        count["done"] += 1
        count["total"] = max(count["total"], count["done"])
        progress(count["done"], count["total"])

    rows, curves = [], []
    store.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(store.folder / "lock"):
        for arm in plan["arms"]:
            worker = _Arm(plan, arm, arrays[arm["data"]], store, threads, finished)
            default = worker.train.learning_rate
            chosen, tuning = worker.tune()
            seeds = study_seeds(plan["data"][arm["data"]]["seeds"])
            count["total"] += len(seeds) * (chosen != default)
            study = [(seed, rate) for rate in dict.fromkeys((chosen, default)) for seed in seeds]
            tuned = [store.get(worker.key(*task)) for task in tuning]
            for purpose, tasks, records in (("tuning", tuning, tuned),
                                            ("study", study, worker.runs(study))):
                for (seed, rate), found in zip(tasks, records):
                    place = {"experiment": plan["experiment"], "variant": arm["variant"],
                             "data": arm["data"], "seed": seed, "learning_rate": rate}
                    rows.append(place | {"purpose": purpose, "chosen": rate == chosen,
                                         "default": rate == default, "key": worker.key(seed, rate)}
                                | {name: found[name] for name in MEASURES})
                    if purpose == "study":
                        pairs = zip(found["train_curve"], found["validation_curve"])
                        curves += [place | {"epoch": epoch, "train_loss": a, "validation_loss": b}
                                   for epoch, (a, b) in enumerate(pairs, 1)]
    return pd.DataFrame(rows, columns=COLUMNS), pd.DataFrame(curves, columns=CURVE_COLUMNS)


def train_plan(path: str, store: Store | None = None) -> Path:
    """Train a plan file and write its tables; what the lab record calls first.

    Stored runs count, and so do those of the stored tables, unless stored results are distrusted.
    What training took, and where, goes to `timings/`, on which no result depends.

    Returns:
        The new folder that the tables are in, which `results.rewritten` puts in its place.

    Raises:
        Damaged: a stored table, or a run in the store, is not what was stored.
        WrongVersion: the installed packages are not those of the plan.
    """
    with open(path, encoding="utf-8") as file:
        plan = json.load(file)
    store = store or Store()
    folder = RUNS / plan["experiment"]
    if not distrusted():
        store.fill(folder)
    arrays = {name: read(f"data/{name}.npz") for name in plan["data"]}
    state = store.folder / PROGRESS

    shown = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal shown
        if done == total or time.perf_counter() - shown > 0.2:  # Stored runs come by the hundred.
            write_text(state, json.dumps({"done": done, "total": total}))
            shown = time.perf_counter()

    held, began = store.count(), time.perf_counter()
    runs, curves = train(plan, arrays, store, progress=progress)
    seconds, trained = time.perf_counter() - began, store.count() - held
    known = None if distrusted() else layers.stored(folder, runs)
    new = building(folder)
    for name, table in ((RUNS_TABLE, runs), (CURVES_TABLE, curves),
                        (LAYERS_TABLE, layers.layers(plan) if known is None else known)):
        write_table(table, new / name)
    seal(new)
    if trained:
        write_text(Path("timings") / f"{plan['experiment']}.json", json.dumps({
            "seconds": round(seconds, 1), "trained": trained, "runs": len(runs),
            "python": platform.python_version(), "machine": platform.machine(),
            "cores": os.cpu_count(), **plan["versions"]}, indent=1) + "\n")
    return new
