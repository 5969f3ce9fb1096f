"""The stored runs of a study, and which of them are trained again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.tables.stored import CURVES_TABLE, RUNS, RUNS_TABLE, read_table
from pipeline.config.errors import ConfigError
from pipeline.train.arm import Arm, DataSet
from pipeline.train.worker import Job

#: Steps of this share of a line never fall into a pattern; the golden ratio.
STEP = (math.sqrt(5) - 1) / 2


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


class Stored:
    """A study's plans, data sets and their families by name, and what is stored: experiment → its runs and curves.

    Raises:
        Damaged: a table is missing, or not what was stored.
    """

    def __init__(self, plans: Iterable[dict], data: Mapping[str, DataSet], families: Mapping[str, str]):
        self.plans, self.data, self.families = {plan["experiment"]: plan for plan in plans}, data, families
        self.tables = {name: (read_table(RUNS / name / RUNS_TABLE), read_table(RUNS / name / CURVES_TABLE))
                       for name in self.plans}

    @cached_property
    def runs(self) -> pd.DataFrame:
        """All stored runs."""
        return pd.concat([runs for runs, _ in self.tables.values()], ignore_index=True)

    @cached_property
    def arms(self) -> dict[tuple[str, str, str], Arm]:
        """The arms of all plans by experiment, variant and data set."""
        return {(name, arm["variant"], arm["data"]): Arm(plan, arm, self.data[arm["data"]])
                for name, plan in self.plans.items() for arm in plan["arms"]}

    def units(self) -> list[Unit]:
        """Every stored seed's runs, each once."""
        found: dict[tuple, list] = {}
        for (*arm, seed), mine in self.runs.groupby(["experiment", "variant", "data", "seed"], sort=False):
            found.setdefault(tuple(zip(mine["learning_rate"], mine["key"])), []).append((*arm, int(seed)))
        return [Unit(self.families[places[0][2]], tuple(places), keys) for keys, places in found.items()]

    def job(self, unit: Unit) -> Job:
        """What trains a unit again; ConfigError, if the stored runs are not those of the plan."""
        *place, seed = unit.places[0]
        experiment, variant, name = place
        plan, arm = self.plans[experiment], self.arms.get(tuple(place))
        if not arm or any(arm.key(seed, rate) != key for rate, key in unit.keys):
            raise ConfigError(f"{RUNS / experiment / RUNS_TABLE}: the runs of '{variant}' on '{name}' are not those of "
                              f"plan/{experiment}.json; `make book` trains what has changed")
        mine = next(one for one in plan["arms"] if (one["variant"], one["data"]) == (variant, name))
        return Job({k: v for k, v in plan.items() if k != "arms"}, mine, tuple((key, seed, rate) for rate, key in unit.keys))


def draw(population: Iterable[Unit], seed: int) -> Iterator[Unit]:
    """All units in a random order of which every beginning is spread over families, networks and data sets.

    They are put on a line, family after family, in it network after network, in it data set after data set, and taken in
    steps of the golden ratio of its length, from a random place on. Each is as likely as any other to be among the first n.
    """
    generator = np.random.default_rng(seed)
    population = sorted(population, key=lambda unit: (unit.family, unit.places[0]))
    levels = [[unit.family for unit in population], [unit.places[0][:2] for unit in population],
              [unit.places[0][2] for unit in population], range(len(population))]
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
