"""Invented results of a plan, in the form in which training stores them: nothing is trained."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data.sources import read
from pipeline.tables.stored import (
    COLUMNS, CURVES_TABLE, CURVE_COLUMNS, LAYERS_TABLE, LAYER_COLUMNS, MEASURES, RUNS, RUNS_TABLE, STORE, Store, seal,
    write_table)
from pipeline.config.schema import study_seeds
from pipeline.train.place import place
from pipeline.train.runs import _Arm

#: Of every run.
EPOCHS = 8
RECORD = "record.ipynb"


def _random(*words) -> np.random.Generator:
    """A source of randomness of its own for each list of words."""
    return np.random.default_rng(zlib.crc32(repr(words).encode()))


def arm_runs(experiment: str, arm: Mapping, seeds: list[int]) -> pd.DataFrame:
    """The rows of an arm: every seed at every rate; errors share a part with those of other arms on the data set."""
    rates = sorted(arm["train"]["learning_rates"])
    shared = _random(arm["data"]).normal(0, 0.2, len(seeds))
    level = _random(experiment, arm["variant"]).normal(0, 0.1)
    own = _random(experiment, arm["variant"], arm["data"]).normal(0, 0.05, (len(seeds), len(rates)))
    loss = np.round(0.5 * np.exp(level + shared[:, None] + own), 6)
    # Of equal losses the first, as training chooses.
    kept = (np.arange(len(rates)) == loss.argmin(axis=1)[:, None]).ravel()
    loss = loss.ravel()
    classes = bool(arm["task"]["classes"])
    found = {name: np.nan for name in MEASURES} | {
        "diverged": False, "parameters": 1000, "best_epoch": EPOCHS // 2, "last_epoch": EPOCHS,
        "trivial_error": 0.5 if classes else 1.0, "trivial_loss": 0.7 if classes else 1.0,
        "trivial_validation_loss": 0.7 if classes else 1.0, "test_size": 1000}
    for end, times in (("best", 1.0), ("last", 1.1)):
        found |= {f"{end}_{name}": np.round(times * loss, 6) for name in ("validation_loss", "train_loss", "loss")}
        found[f"{end}_error"] = np.round(times * loss * (0.5 if classes else 1), 6)
        if classes:
            found |= {f"{end}_calibration_error": 0.1, f"{end}_minority_recall": 0.5}
    return pd.DataFrame({
        "experiment": experiment, "variant": arm["variant"], "data": arm["data"], "seed": np.repeat(seeds, len(rates)),
        "learning_rate": np.tile(rates, len(seeds)), "chosen": kept, "stopped": EPOCHS, "hit_limit": False, **found,
        "key": [hashlib.sha256(repr((experiment, arm["variant"], arm["data"], i)).encode()).hexdigest()
                for i in range(len(loss))]})[COLUMNS]


def curves(runs: pd.DataFrame) -> pd.DataFrame:
    """The learning curves of the chosen runs, which fall to their loss."""
    mine = runs[runs["chosen"]]
    long = mine.loc[mine.index.repeat(EPOCHS), ["experiment", "variant", "data", "seed", "learning_rate"]]
    epoch = np.tile(np.arange(1, EPOCHS + 1), len(mine))
    loss = np.repeat(mine["best_loss"].to_numpy(), EPOCHS) * (1 + 1 / epoch)
    return long.assign(epoch=epoch, train_loss=np.round(0.9 * loss, 6), validation_loss=np.round(loss, 6))[CURVE_COLUMNS]


def layers(plan: Mapping) -> pd.DataFrame:
    """A row a layer of every network; shapes and numbers of weights are invented."""
    rows = [(arm["variant"], arm["data"], f"{item['word']}_{i}", item["class"], "(batch, 8, 10)", 100)
            for arm in plan["arms"] for i, item in enumerate(arm["network"]["layers"], 1)]
    return pd.DataFrame(rows, columns=LAYER_COLUMNS)


def put(root: Path, plan: Mapping) -> None:
    """Put invented runs of a plan into the store of the folder `root`, under the keys that training looks for."""
    held = Store(Path(root) / STORE)
    for arm in plan["arms"]:
        seeds = study_seeds(plan["data"][arm["data"]]["seeds"])
        worker = _Arm(plan, arm, read(Path(root) / "data" / f"{arm['data']}.npz"), held, 1, None)
        runs = arm_runs(plan["experiment"], arm, seeds)
        losses = curves(runs.assign(chosen=True)).groupby(["seed", "learning_rate"], sort=False)
        curve = {place: [some[name].tolist() for name in ("train_loss", "validation_loss")] for place, some in losses}
        for row in runs.to_dict("records"):
            place = row["seed"], row["learning_rate"]
            held.put(worker.key(*place), {name: row[name] for name in MEASURES} | dict(
                zip(("train_curve", "validation_curve"), curve[place], strict=True)))


def store(root: Path, plan: Mapping, record: str) -> None:
    """Store invented results of an experiment, a lab record and its timing among them.

    Args:
        root: the folder of the invented study.
        record: the text of a lab record, in which `{experiment}` is the name.
    """
    name = plan["experiment"]
    folder = Path(root) / RUNS / name
    folder.mkdir(parents=True, exist_ok=True)
    runs = pd.concat([arm_runs(name, arm, study_seeds(plan["data"][arm["data"]]["seeds"])) for arm in plan["arms"]],
                     ignore_index=True)
    for file, table in ((RUNS_TABLE, runs), (CURVES_TABLE, curves(runs)), (LAYERS_TABLE, layers(plan))):
        write_table(table, folder / file)
    (folder / RECORD).write_text(record.replace("{experiment}", name), encoding="utf-8")
    seal(folder)
    timing = Path(root) / "timings" / f"{name}.json"
    timing.parent.mkdir(exist_ok=True)
    timing.write_text(json.dumps({"seconds": 1.0, "trained": len(runs), "runs": len(runs), **place(), **plan["versions"]},
                                 indent=1) + "\n", encoding="utf-8")
