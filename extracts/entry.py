"""Which real sets may be in a family, and how long training takes: ``python extracts/entry.py``

Control networks only, on seeds that the study does not use. Each seed trains at every rate of the
set's grid, as in the study. Writes entry.csv, one row a control and data set:

- error: error rate, or the root of the mean squared error of standardised targets;
- of_trivial: the error of the kept runs over the trivial predictor's; a family takes sets below 0.9;
- test, errors: samples of a test split, and of classes how many of them are wrong; a family takes
  sets with 300 samples and, for classes, 60 errors;
- epochs, limit: the median of the epochs until a run stopped, and the share of all runs (of every
  rate) that the limit of epochs ended; `kept_limit` the same of the kept runs;
- rates: how many seeds kept each rate, from the smallest rate on;
- seconds: what a run took, compiling apart.
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config.schema import Train, load
from pipeline.config.task import Task
from pipeline.data.__main__ import arrays_of
from pipeline.data.split import load as load_split
from pipeline.plan.resolve import resolve
from pipeline.train.arm import select_rate
from pipeline.train.early_stopping import hit_limit
from pipeline.train.trainer import Trainer, batch_order

SEEDS = range(2_000, 2_004)
THREADS = 2
FILE = Path(__file__).with_name("entry.csv")


def arm_of(params, control: str, name: str, arrays: dict) -> dict:
    """The plan of a control on one data set."""
    split = load_split(arrays, SEEDS[0])
    about = {"digest": "", "shape": list(split.x_train.shape[1:]), "classes": split.classes,
             "targets": 1 if split.classes else split.y_train.shape[1], "train_size": len(split.x_train)}
    alone = params.model_copy(update={"experiments": {control: params.experiments[control].model_copy(
        update={"data": [name], "versus": None})}})
    return next(arm for arm in resolve(alone, control, {name: about})["arms"] if not arm.get("measuring"))


def trained(arm: dict, arrays: dict) -> tuple[dict[int, dict[float, dict]], float]:
    """The records of all runs by seed and rate, and the seconds that one took."""
    train = Train(**arm["train"])
    splits = {seed: load_split(arrays, seed, scaling=train.scaling) for seed in SEEDS}
    trainer = Trainer(arm["network"], splits[SEEDS[0]].x_train.shape[1:], Task.of(arm), train.optimizer)
    starts = {seed: trainer.start(seed, 0) for seed in SEEDS}

    def one(task):
        seed, rate = task
        order = batch_order(len(splits[seed].x_train), train.batch_size, train.epochs, seed)
        return trainer.run(starts[seed], splits[seed], order, rate, train.patience)

    tasks = [(seed, rate) for seed in SEEDS for rate in sorted(train.learning_rates)]
    first, began = one(tasks[0]), time.perf_counter()  # It pays for compiling.
    with ThreadPoolExecutor(THREADS) as pool:
        found = [first, *pool.map(one, tasks[1:])]
    seconds = (time.perf_counter() - began) / (len(tasks) - 1)
    return {seed: {rate: record for (own, rate), record in zip(tasks, found) if own == seed}
            for seed in SEEDS}, seconds


def row(params, control: str, name: str) -> dict:
    arrays = arrays_of(params.model_copy(), name)
    arm = arm_of(params, control, name, arrays)
    train, (records, seconds) = Train(**arm["train"]), trained(arm, arrays)
    rates = sorted(train.learning_rates)
    kept = {seed: select_rate(mine) for seed, mine in records.items()}
    best = [records[seed][rate] for seed, rate in kept.items()]
    every = [record for mine in records.values() for record in mine.values()]
    classes = bool(arm["task"]["classes"])
    # Of numbers, a run's error is the mean squared one.
    error, trivial = (np.mean([r[key] if classes else r[key] ** 0.5 for r in best])
                      for key in ("best_error", "trivial_error"))
    return {
        "control": control, "data": name, "family": params.data[name].family, "stratum": params.data[name].stratum,
        "unit": params.data[name].unit, "error": f"{error:.4f}", "of_trivial": f"{error / trivial:.3f}",
        "test": best[0]["test_size"], "errors": f"{error * best[0]['test_size']:.0f}" if classes else "",
        "epochs": int(np.median([r["last_epoch"] for r in every])),
        "limit": f"{np.mean([hit_limit(r, train) for r in every]):.2f}",
        "kept_limit": f"{np.mean([hit_limit(r, train) for r in best]):.2f}",
        "diverged": sum(r["diverged"] for r in best),
        "rates": " ".join(str(sum(rate == k for k in kept.values())) for rate in rates),
        "seconds": f"{seconds:.2f}"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("controls", nargs="*", help="by default those of verdicts.controls that run on families")
    parser.add_argument("--params", default="params.yaml", type=Path)
    parser.add_argument("--to", default=FILE, type=Path)
    given = parser.parse_args()
    params, rows = load(given.params), []
    for control in given.controls or params.controls:
        for name in params.data_sets(control) if control in params.experiments else ():
            if params.data[name].family:
                rows.append(row(params, control, name))
                print(*rows[-1].values(), flush=True)
    pd.DataFrame(rows).to_csv(given.to, index=False, lineterminator="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
