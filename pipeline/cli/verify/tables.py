"""What of the stored tables cannot be what training stored, seen without training: in every row, not in a sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.cli.verify.sample import Stored
from pipeline.tables.run_record import MEASURES
from pipeline.train.arm import select_rate
from pipeline.train.early_stopping import hit_limit

_RUN = ["variant", "data", "seed", "learning_rate"]
#: Of a curve's losses fewer digits are kept.
CLOSE = 1e-3


def faults(stored: Stored) -> list[str]:
    """A line for every row that stands twice, is missing or belongs to no plan, and for numbers that contradict others."""
    found = []
    for name, (runs, curves) in stored.tables.items():
        # What is said of a row that stands twice is not said again.
        mine = [*_rows(stored, name, runs)] or [*_choices(stored, name, runs), *_curves(runs, curves)]
        found += [f"{name}{line}" for line in mine]
    return found + [*_shared(stored.runs)]


def _said(variant: str, name: str, seed: int, rate: float | None = None) -> str:
    return f"{f'[{variant}]' if variant else ''} on {name}, seed {seed}{'' if rate is None else f', rate {rate:g}'}: "


def _rows(stored: Stored, name: str, runs: pd.DataFrame) -> Iterator[str]:
    """Rows that are not, each once and with its key, those that a plan asks for."""
    wanted = {(*place, seed, rate): arm.key(seed, rate) for (experiment, *place), arm in stored.arms.items()
              if experiment == name for seed in arm.seeds for rate in arm.rates}
    places = list(runs[_RUN].itertuples(index=False, name=None))
    for place, count in Counter(places).items():
        if place not in wanted:
            yield _said(*place) + "the plan asks for no such run"
        elif count > 1:
            yield _said(*place) + f"it stands {count} times"
    for place in wanted.keys() - {*places}:
        yield _said(*place) + "it is missing"
    other = [place for place, key in zip(places, runs["key"], strict=True) if key != wanted.get(place, key)]
    if places and len(other) == len(places):
        yield f": its runs are not those of plan/{name}.json; `make book` trains what has changed"
    else:
        yield from (_said(*place) + "its key is that of another run" for place in other)


def _choices(stored: Stored, name: str, runs: pd.DataFrame) -> Iterator[str]:
    """Seeds whose chosen rate is not that of the least validation loss, and runs whose end is not what their epochs say."""
    seeds: dict[tuple, dict] = {}
    for row in runs.to_dict("records"):
        *place, rate = (row[key] for key in _RUN)
        seeds.setdefault(tuple(place), {})[rate] = row
        if row["stopped"] != row["last_epoch"] or row["hit_limit"] != hit_limit(row, stored.arms[name, *place[:2]].train):
            yield _said(*place, rate) + "where it stopped is not what its epochs say"
    for place, records in seeds.items():
        if [rate for rate, row in records.items() if row["chosen"]] != [select_rate(records)]:
            yield _said(*place) + "another rate is chosen than that of the least validation loss"


def _curves(runs: pd.DataFrame, curves: pd.DataFrame) -> Iterator[str]:
    """Chosen runs whose curve has not their epochs, or another loss at the best or the last one; curves of no run."""
    epochs, losses = curves["epoch"].to_numpy(), curves["validation_loss"].to_numpy(float)
    lines = dict(curves.groupby(_RUN, sort=False).indices)
    for row in runs[runs["chosen"]].to_dict("records"):
        place = tuple(row[name] for name in _RUN)
        mine = lines.pop(place, np.zeros(0, int))
        if not np.array_equal(epochs[mine], np.arange(1, row["stopped"] + 1)):
            yield _said(*place) + "its curve has other epochs"
            continue
        at, ends = ([row[f"{end}_{what}"] for end in ("best", "last")] for what in ("epoch", "validation_loss"))
        if not row["diverged"] and not np.allclose(losses[mine][np.subtract(at, 1)], ends, rtol=CLOSE, equal_nan=True):
            yield _said(*place) + "its losses are not those of its curve"
    for place in lines:
        yield _said(*place) + "a curve of no chosen run"


def _shared(runs: pd.DataFrame) -> Iterator[str]:
    """Runs that several tables have, with other numbers."""
    numbers = runs[runs["key"].duplicated(keep=False)].drop_duplicates(["key", *MEASURES])
    for row in numbers[numbers["key"].duplicated()].to_dict("records"):
        yield (row["experiment"] + _said(*(row[name] for name in _RUN))
               + "another experiment has other numbers of the same run")
