"""What of the stored tables cannot be what training stored, seen without training: in every row, not in a sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from pipeline.cli.verify.sample import Tables
from pipeline.tables.run_record import MEASURES
from pipeline.train.arm import Arm, DataSet, select_rate
from pipeline.train.early_stopping import hit_limit

_PLACE = ["variant", "data", "seed"]
#: What a row says of its run's end and of its seed's choice.
_SAID = ["learning_rate", "chosen", "stopped", "hit_limit", "diverged", *(
    f"{end}_{what}" for end in ("best", "last") for what in ("epoch", "validation_loss"))]
#: Of a curve's losses fewer digits are kept.
CLOSE = 1e-3


def faults(plans: Iterable[dict], tables: Mapping[str, Tables], data: Mapping[str, DataSet]) -> list[str]:
    """A line for every row that stands twice, is missing or belongs to no plan, and for numbers that contradict others.

    Args:
        tables: experiment → its runs and curves.
        data: data set by name.
    """
    found = []
    for plan in plans:
        runs, curves = tables[plan["experiment"]]
        arms = {(arm["variant"], arm["data"]): Arm(plan, arm, data[arm["data"]]) for arm in plan["arms"]}
        mine = [*_rows(plan, arms, runs)]
        # What is said of a row that stands twice is not said again.
        rows = runs[[*_PLACE, *_SAID]].to_dict("records")
        found += [f"{plan['experiment']}{line}" for line in mine or [*_choices(arms, rows), *_curves(rows, curves)]]
    return found + [*_shared(tables)]


def _said(variant: str, name: str, seed: int, rate: float | None = None) -> str:
    return f"{f'[{variant}]' if variant else ''} on {name}, seed {seed}{'' if rate is None else f', rate {rate:g}'}: "


def _rows(plan: dict, arms: Mapping[tuple, Arm], runs: pd.DataFrame) -> Iterator[str]:
    """Rows that are not, each once and with its key, those that a plan asks for."""
    wanted = {(*place, seed, rate): arm.key(seed, rate) for place, arm in arms.items()
              for seed in arm.seeds for rate in arm.rates}
    places = list(runs[[*_PLACE, "learning_rate"]].itertuples(index=False, name=None))
    for place, count in Counter(places).items():
        if place not in wanted:
            yield _said(*place) + "the plan asks for no such run"
        elif count > 1:
            yield _said(*place) + f"it stands {count} times"
    for place in wanted.keys() - {*places}:
        yield _said(*place) + "it is missing"
    other = [place for place, key in zip(places, runs["key"], strict=True) if key != wanted.get(place, key)]
    if places and len(other) == len(places):
        yield f": its runs are not those of plan/{plan['experiment']}.json; `make book` trains what has changed"
    else:
        yield from (_said(*place) + "its key is that of another run" for place in other)


def _choices(arms: Mapping[tuple, Arm], rows: Iterable[dict]) -> Iterator[str]:
    """Seeds whose chosen rate is not that of the least validation loss, and runs whose end is not what their epochs say."""
    seeds: dict[tuple, dict] = {}
    for row in rows:
        place = tuple(row[name] for name in _PLACE)
        seeds.setdefault(place, {})[row["learning_rate"]] = row
        if row["stopped"] != row["last_epoch"] or row["hit_limit"] != hit_limit(row, arms[place[:2]].train):
            yield _said(*place, row["learning_rate"]) + "where it stopped is not what its epochs say"
    for place, records in seeds.items():
        if [rate for rate, row in records.items() if row["chosen"]] != [select_rate(records)]:
            yield _said(*place) + "another rate is chosen than that of the least validation loss"


def _curves(rows: Iterable[dict], curves: pd.DataFrame) -> Iterator[str]:
    """Chosen runs whose curve has not their epochs, or another loss at the best or the last one; curves of no run."""
    epochs, losses = curves["epoch"].to_numpy(), curves["validation_loss"].to_numpy(float)
    lines = dict(curves.groupby([*_PLACE, "learning_rate"], sort=False).indices)
    for row in rows:
        place = tuple(row[name] for name in (*_PLACE, "learning_rate"))
        if not row["chosen"]:
            continue
        mine = lines.pop(place, np.zeros(0, int))
        if not np.array_equal(epochs[mine], np.arange(1, row["stopped"] + 1)):
            yield _said(*place) + "its curve has other epochs"
            continue
        at, ends = [row["best_epoch"] - 1, row["last_epoch"] - 1], [row["best_validation_loss"], row["last_validation_loss"]]
        if not row["diverged"] and not np.allclose(losses[mine][at], ends, rtol=CLOSE, equal_nan=True):
            yield _said(*place) + "its losses are not those of its curve"
    for place in lines:
        yield _said(*place) + "a curve of no chosen run"


def _shared(tables: Mapping[str, Tables]) -> Iterator[str]:
    """Runs that several tables have, with other numbers."""
    every = pd.concat([runs[["experiment", *_PLACE, "learning_rate", "key", *MEASURES]] for runs, _ in tables.values()],
                      ignore_index=True)
    several = every[every["key"].duplicated(keep=False)]
    numbers = several.drop_duplicates(["key", *MEASURES])
    for row in numbers[numbers["key"].duplicated()].to_dict("records"):
        yield (row["experiment"] + _said(*(row[name] for name in (*_PLACE, "learning_rate")))
               + "another experiment has other numbers of the same run")
