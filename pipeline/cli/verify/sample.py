"""Which of the stored runs are trained again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.tables.stored import CURVES_TABLE, RUNS, RUNS_TABLE, read_table
from pipeline.config.errors import ConfigError
from pipeline.train.arm import Arm, DataSet
from pipeline.train.worker import Job

#: Steps of this share of a line never fall into a pattern; the golden ratio.
STEP = (math.sqrt(5) - 1) / 2


#: An experiment's stored runs and curves.
Tables = tuple[pd.DataFrame, pd.DataFrame]


def stored(plans: Iterable[dict]) -> dict[str, Tables]:
    """Experiment → its stored runs and curves.

    Raises:
        Damaged: a table is missing, or not what was stored.
    """
    found = {}
    for plan in plans:
        paths = [RUNS / plan["experiment"] / name for name in (RUNS_TABLE, CURVES_TABLE)]
        found[plan["experiment"]] = tuple(map(read_table, paths))
    return found


@dataclass(frozen=True)
class Unit:
    """A seed's runs in one arm, at all rates: what is drawn.

    Attributes:
        places: experiment, variant, data set and seed; several, where experiments share the runs.
        keys: of the runs, by learning rate.
    """

    family: str
    places: tuple[tuple[str, str, str, int], ...]
    keys: tuple[tuple[float, str], ...]

    @property
    def place(self) -> tuple[str, str, str, int]:
        return self.places[0]


def units(tables: Mapping[str, Tables], families: Mapping[str, str]) -> list[Unit]:
    """Every stored seed's runs, each once.

    Args:
        families: data set → its family.
    """
    found: dict[tuple, list] = {}
    for experiment, (runs, _) in tables.items():
        for (variant, data, seed), mine in runs.groupby(["variant", "data", "seed"], sort=False):
            found.setdefault(tuple(zip(mine["learning_rate"], mine["key"])), []).append(
                (experiment, variant, data, int(seed)))
    return [Unit(families[places[0][2]], tuple(places), keys) for keys, places in found.items()]


def draw(population: Iterable[Unit], seed: int) -> Iterator[Unit]:
    """All units in a random order of which every beginning is spread over families, networks and data sets.

    They are put on a line, family after family, in it network after network, in it data set after
    data set, and taken in steps of the golden ratio of its length, from a random place on. Each is
    as likely as any other to be among the first n.
    """
    generator = np.random.default_rng(seed)
    population = sorted(population, key=lambda unit: (unit.family, unit.place))
    levels = [[unit.family for unit in population], [unit.place[:2] for unit in population],
              [unit.place[2] for unit in population], range(len(population))]
    lots = []
    for level in levels:
        names = dict.fromkeys(level)
        lots.append(dict(zip(names, generator.random(len(names)).tolist())))
    line = sorted(range(len(population)), key=lambda i: [lot[level[i]] for lot, level in zip(lots, levels)])
    place, left = generator.random(), set(range(len(line)))
    while left:
        number = int(place * len(line))
        if number in left:
            left.remove(number)
            yield population[line[number]]
        place = (place + STEP) % 1


def chance(population: int, falsified: int, drawn: int) -> float:
    """The chance that a sample has at least one of the falsified units, wherever they are.

    1 - C(N - F, n) / C(N, n), of the hypergeometric distribution.
    """
    return 1 - math.comb(population - falsified, drawn) / math.comb(population, drawn)


def arm(place: tuple, plans: Mapping[str, dict]) -> dict | None:
    """The plan's arm of a place, if it has one."""
    return next((arm for arm in plans[place[0]]["arms"] if (arm["variant"], arm["data"]) == place[1:3]), None)


def job(unit: Unit, plans: Mapping[str, dict], data: Mapping[str, DataSet]) -> Job:
    """What trains a unit again.

    Raises:
        ConfigError: the stored runs are not those of the plan.
    """
    experiment, variant, name, seed = unit.place
    plan, mine = plans[experiment], arm(unit.place, plans)
    one = mine and Arm(plan, mine, data[name])
    if not one or any(one.key(seed, rate) != key for rate, key in unit.keys):
        raise ConfigError(f"{RUNS / experiment / RUNS_TABLE}: the runs of '{variant}' on '{name}' are not those of "
                          f"plan/{experiment}.json; `make book` trains what has changed")
    return Job({k: v for k, v in plan.items() if k != "arms"}, mine,
               tuple((key, seed, rate) for rate, key in unit.keys))
