"""What is about to be trained, said before it is: how many experiments and new runs, and about how long."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.config.errors import complain
from pipeline.config.schema import study_seeds
from pipeline.plan.tidy import DATA, PLAN, TIMINGS
from pipeline.process.stage import run
from pipeline.tables.lock import distrusted, lock_of, trusted
from pipeline.tables.store import Store
from pipeline.tables.stored import RUNS, RUNS_TABLE, read_json
from pipeline.train.arm import DataSet, DataSets, arms, to_train

#: Of a stage in `dvc.lock`: by which plan an experiment was trained.
_PLAN = re.compile(r"    - path: plan/\S+\n      hash: md5\n      md5: (\w+)\n")
#: From so many seconds on, a person is asked.
LONG = 3600
#: What starting and writing down an experiment takes, in seconds.
START = 8
#: Of networks of which no training was timed: seconds that an epoch of a run keeps a core busy, and the epochs of a run.
UNKNOWN = 0.03, 40.0


@dataclass(frozen=True)
class New:
    """Runs of one network on one data set that are stored nowhere."""

    experiment: str
    #: The kind of network, whose trainings take about the same time.
    kind: str
    runs: int
    #: How long a run may be, and whether it ends before when it has stopped learning.
    epochs: int
    patient: bool


def kind(network: Mapping) -> str:
    """What decides most how long a network trains: whether it has recurrent layers, or works on images."""
    text = json.dumps(network)
    return next((name for name, words in (("recurrent", ("LSTM", "GRU", "RNN")), ("images", ("2D",)))
                 if any(word in text for word in words)), "others")


def missing(texts: Mapping[str, str], data: Mapping[str, DataSet] | None = None) -> list[New]:
    """The runs that plans need and that are in no stored table and in no store, each once.

    Args:
        texts: experiment → its plan, as its file holds it.
        data: data set by name; only asked for those of plans that have changed since they were trained.
    """
    done = {} if distrusted() else _trained_by()
    plans = [to_train(json.loads(text)) for name, text in texts.items()
             if done.get(name) != hashlib.md5(text.encode()).hexdigest() or not (RUNS / name / RUNS_TABLE).exists()]
    data, held, found = DataSets(DATA) if data is None else data, _held() if plans else set(), []
    for plan in plans:
        for arm in arms(plan, data):
            keys = {key for seed in arm.seeds for key in arm.keys(seed).values()} - held
            held |= keys
            if keys:
                found.append(New(plan["experiment"], kind(arm.network), len(keys), arm.train.epochs,
                                 arm.train.patience > 0))
    return found


def _trained_by() -> dict[str, str]:
    """Experiment → the MD5 of the plan that its stored runs were trained by, as DVC's lock says."""
    lock = lock_of(PLAN)
    return {name.partition("@")[2]: plan[1] for name, entry in (lock.stages if lock else {}).items()
            if name.startswith("train@") and (plan := _PLAN.search(entry))}


def _held() -> set[str]:
    """The keys of the runs in the store, and in every stored table that is what `dvc.lock` says."""
    with contextlib.closing(Store()) as store:
        keys = store.keys() if store.path.exists() else set()
    for table in filter(lambda table: trusted(table.parent), RUNS.glob(f"*/{RUNS_TABLE}")):
        try:
            keys |= set(pd.read_csv(table, usecols=["key"], dtype=str)["key"])
        except ValueError:  # No table of runs: training says what is wrong with it.
            pass
    return keys


def paces() -> dict[str, tuple[float, float]]:
    """Kind of network → seconds that an epoch of a run keeps a core busy, and how many epochs runs had that could end."""
    rows = []
    for path in TIMINGS.glob("*.json"):
        # What is missing or damaged says nothing of how long anything takes.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, IndexError):
            took, plan = (read_json(folder / path.name) for folder in (TIMINGS, PLAN))
            epochs = pd.read_csv(RUNS / path.stem / RUNS_TABLE, usecols=["stopped"])["stopped"].mean()
            rows.append({"kind": kind(plan["arms"][0]["network"]), "busy": took["seconds"] * took["cores"],
                         "trained": took["trained"], "epochs": took["trained"] * epochs})
    sums = pd.DataFrame(rows, columns=["kind", "busy", "trained", "epochs"]).groupby("kind").sum()
    return {name: (row["busy"] / row["epochs"], row["epochs"] / row["trained"])
            for name, row in sums.iterrows() if row["epochs"]}


def seconds(new: Iterable[New], cores: int | None = None) -> float:
    """About how long runs take on this machine, as trainings of such networks took."""
    new, known, cores = list(new), paces(), cores or os.cpu_count() or 1
    busy = 0.0
    for one in new:
        pace, epochs = known.get(one.kind, UNKNOWN)
        busy += one.runs * pace * (min(one.epochs, epochs) if one.patient else one.epochs)
    return busy / cores + START * len({one.experiment for one in new})


def said(new: list[New]) -> str:
    """What is about to be trained, in a line."""
    if not new:
        return "nothing to train: every run is stored"
    count, runs = len({one.experiment for one in new}), sum(one.runs for one in new)
    return (f"to train: {_count(count, 'experiment')}, {_count(runs, 'new run')}, about {duration(seconds(new))} "
            f"({os.cpu_count()} cores); Ctrl-C keeps what is done")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """A time in words, in the unit that suits it."""
    for unit, size, limit in (("minute", 60, 90), ("hour", 3600, 48), ("day", 86400, math.inf)):
        if seconds / size < limit:
            break
    return _count(max(1, round(seconds / size)), unit)


def agreed(new: list[New]) -> bool:
    """Say what is about to be trained; whether to go on, which a person in a terminal is asked where it takes long."""
    print(said(new), flush=True)
    if not new or seconds(new) < LONG or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    try:
        return input("go on? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def main() -> int:
    """Say what of the plans is to be trained, and ask if it takes long; of those that are named, else of all."""
    names = sys.argv[1:] or [path.stem for path in sorted(PLAN.glob("*.json"))]
    try:
        new = missing({name: (PLAN / f"{name}.json").read_text(encoding="utf-8") for name in names})
    except ValueError as error:
        return complain(error)
    return 0 if agreed(new) else complain(RuntimeError("nothing was trained, and params.yaml stays as it is"))


if __name__ == "__main__":
    sys.exit(run(main))
