"""The stage `probe`: what the layers of one experiment do while they train."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from pipeline.data.sources import read
from pipeline.data.split import load as load_split
from pipeline.network.own import require
from pipeline.probe.watch import MEASURES, Watched, watch
from pipeline.tables.lock import trusted
from pipeline.tables.stored import (
    MEASURES_TABLE, PROBES, RUNS, RUNS_TABLE, read_needed, read_table, replace_folder, significant, write_table)
from pipeline.config.errors import ConfigError, complain
from pipeline.config.schema import Train, load
from pipeline.process.stage import run
from pipeline.config.task import Task
from pipeline.train.arm import planned_seeds
from pipeline.train.host import WrongVersion, check_versions
from pipeline.train.trainer import batch_order

#: Copied from the table of runs, which makes the two tables alike.
COPIED = ["learning_rate", "chosen", "stopped", "hit_limit", "diverged", "best_error", "trivial_error", "test_size"]
#: Beside the table: what it was made from, so that nothing is watched again because data that it does
#: not watch came or went.
MADE_FROM = "made_from.txt"
#: Raise it when a change of this room changes what it measures: all is watched again then.
WATCHED_BY = 1
COLUMNS = ["experiment", "variant", "data", "seed", *COPIED, *MEASURES]


def probe(plan: dict, arrays: dict[str, dict], runs: pd.DataFrame, seeds: int,
          watched: Collection[str] | None = None) -> pd.DataFrame:
    """The measures of a plan's runs at their chosen learning rates, with the columns `COLUMNS`.

    One row a layer, whose `variant` is the layer's name (in a sweep `variant,layer`), and one for
    the network, whose `variant` is the variant's own.

    Args:
        plan: a resolved plan file.
        arrays: data set → its arrays.
        runs: the experiment's table of runs.
        seeds: how many study seeds are watched: the first ones, or all of a data set with fewer.
        watched: the data sets on which runs are watched; without it, all.

    Raises:
        ValueError: the table of runs lacks a run that would be watched.
        WrongVersion: the installed packages are not those of the plan.
    """
    check_versions(plan["versions"])
    rows = []
    for arm in plan["arms"]:
        if arm.get("measuring") or (watched is not None and arm["data"] not in watched):
            continue
        place = {"experiment": plan["experiment"], "variant": arm["variant"], "data": arm["data"]}
        mine = runs[runs["chosen"] & (runs[[*place]] == [*place.values()]).all(axis=1)].set_index("seed")
        values = Train(**arm["train"])
        wanted = planned_seeds(plan, arm["data"])[:seeds]
        missing = [str(seed) for seed in wanted if seed not in mine.index]
        if missing:
            raise ValueError(f"{', '.join(filter(None, place.values()))}: the table of runs lacks the "
                             f"chosen runs of the seeds {', '.join(missing)}")
        trainer = Watched(arm["network"], tuple(arm["shape"]), Task.of(arm), values.optimizer)
        for seed in wanted:
            run = mine.loc[seed]
            split = load_split(arrays[arm["data"]], seed, values.train_fraction, values.scaling)
            # As many epochs as the run had before it stopped.
            order = batch_order(len(split.x_train), values.batch_size, int(run["stopped"]), seed, values.repetition)
            found = None if run["diverged"] else watch(
                trainer, trainer.start(seed, values.repetition), split, order, float(run["learning_rate"]))
            copied = {name: run[name] for name in COPIED} | {"diverged": found is None}
            for name in ("", *(layer.name for layer in trainer.layers)):
                variant = ",".join(filter(None, (arm["variant"], name)))
                measured = dict.fromkeys(MEASURES, math.nan) | {
                    k: significant(v) for k, v in (found or {}).get(name, {}).items()}
                rows.append(place | {"variant": variant, "seed": seed} | copied | measured)
    return pd.DataFrame(rows, columns=COLUMNS)


def made_from(runs: pd.DataFrame, seeds: int, watched: Collection[str]) -> str:
    """A digest of what the measures follow from: the chosen runs on the watched data, each of which has
    in its `key` all that decided it, and the number of the code that watches."""
    mine = runs[runs["chosen"] & runs["data"].isin(list(watched))]
    return hashlib.sha256(json.dumps([mine.to_csv(index=False), seeds, WATCHED_BY]).encode()).hexdigest()


def main() -> int:
    """Watch an experiment's runs and write the table of measures; without rows while it is being measured.

    What is stored stays if it was made from the same, and is what `dvc.lock` says.
    """
    parser = argparse.ArgumentParser(prog="python -m pipeline.probe", description=main.__doc__)
    parser.add_argument("experiment")
    name = parser.parse_args().experiment
    try:
        params = load()
        path = Path("plan") / f"{name}.json"
        if not path.exists():
            raise ConfigError(f"{path}: there is no such file; `make book` writes it")
        plan = json.loads(path.read_text(encoding="utf-8"))
        require(plan.get("modules", {}), str(path))
        watched = params.watched(name)
        runs = (read_table if plan.get("being_measured") else read_needed)(RUNS / name / RUNS_TABLE)
        digest = made_from(runs, params.probe.seeds, watched)
        stored = PROBES / name / MADE_FROM
        if trusted(PROBES / name) and stored.exists() and stored.read_text(encoding="utf-8") == f"{digest}\n":
            return 0
        arrays = {d: read(f"data/{d}.npz") for d in plan["data"]}
        with replace_folder(PROBES / name) as new:
            table = (pd.DataFrame(columns=COLUMNS) if plan.get("being_measured") else
                     probe(plan, arrays, runs, params.probe.seeds, watched))
            write_table(table, new / MEASURES_TABLE)
            (new / MADE_FROM).write_text(f"{digest}\n", encoding="utf-8")
    except (ConfigError, OSError, ValueError, WrongVersion) as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
