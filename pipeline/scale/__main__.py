"""How long each step takes as a study grows, measured on invented studies in `.scale/`: results/scale/."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from pipeline.results import SCALE, significant, write_tables
from pipeline.scale.growth import MEASURED_COLUMNS, growth
from pipeline.scale.project import BUILD, LEDGER, Project
from pipeline.scale.study import Size
from pipeline.spec.base import ConfigError, complain
from pipeline.spec.given import option
from pipeline.train.place import place

SCRATCH = Path(".scale")
EXPERIMENTS, SETS = (150, 300, 1000), (10, 20, 50)
#: Fewer leave no experiment to edit, or a family without an average.
FEWEST = {"experiments": 30, "sets": 4}
#: The most seconds that a step may take with so many experiments or fewer.
LIMITS = {"nothing to do": 30.0, "one change": 120.0}
LIMITED = 1000


def sizes(experiments: Iterable[int], sets: Iterable[int]) -> list[Size]:
    """The sizes to measure: each number of experiments with the fewest sets, then each of sets with the fewest experiments."""
    experiments, sets = sorted(set(experiments)), sorted(set(sets))
    return list(dict.fromkeys([*(Size(one, sets[0]) for one in experiments), *(Size(experiments[0], one) for one in sets)]))


def measure(project: Project, size: Size) -> Iterator[tuple[str, str, float, float]]:
    """Every step at a size: its name, unit, value, and of seconds the work of all cores.

    The order matters: verdicts and book are made before DVC is told of them, and the edit comes last.
    """
    project.grow(size)
    steps = {"checking": lambda: project.stage("plan", "--check"),
             "planning": lambda: project.stage("plan"),
             "verdicts": lambda: project.stage("verdicts"),
             "the book": lambda: project.stage("book"),
             "nothing to do": lambda: project.run("dvc", "repro"),
             "one change": lambda: _change(project, size)}
    for name, step in steps.items():
        if name == "the book":
            project.forget(BUILD)
        if name == "nothing to do":
            yield "the ledger", "bytes", project.bytes(LEDGER), math.nan
            yield "all pages", "bytes", project.bytes(LEDGER.parent), math.nan
            project.record()
        spent = step()
        yield name, "seconds", spent.seconds, spent.work


def _change(project: Project, size: Size):
    """What `make book` does after an edit of one experiment; what it asks for is trained already."""
    project.write(size, edited=True)
    return project.stage("plan", "--check") + project.run("dvc", "repro")


def numbers(text: str, name: str) -> list[int]:
    """A list of sizes such as `150,300`; ConfigError for anything else."""
    parts = text.split(",")
    if not all(part.strip().isdecimal() and FEWEST[name] <= int(part) <= 100_000 for part in parts):
        raise ConfigError(f"{name.upper()}={text}: allowed: numbers from {FEWEST[name]} on, with commas between them")
    return [int(part) for part in parts]


def table(rows: Iterable[tuple]) -> pd.DataFrame:
    """The rows of `measure`, each behind its size, with the limits."""
    return pd.DataFrame(
        [(name, size.experiments, size.sets, unit, significant(value, 4), significant(work, 4),
          LIMITS.get(name, math.nan) if size.experiments <= LIMITED else math.nan)
         for size, name, unit, value, work in rows], columns=MEASURED_COLUMNS)


def main() -> int:
    """Measure every step at every size, print and store what was found."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.scale", description=main.__doc__)
    for name, default in (("experiments", EXPERIMENTS), ("sets", SETS)):
        option(parser, name, help=f"numbers, with commas between them; by default {','.join(map(str, default))}")
    given = parser.parse_args()
    try:
        wanted = sizes(numbers(given.experiments, "experiments") if given.experiments else EXPERIMENTS,
                       numbers(given.sets, "sets") if given.sets else SETS)
        project, rows = Project(SCRATCH), []
        print(f"{SCRATCH}/: {len(wanted)} sizes; load {os.getloadavg()[0]:.1f}", flush=True)
        project.begin()
        project.train_ahead(wanted[0])
        for size in wanted:
            for row in measure(project, size):
                rows.append((size, *row))
                print(said(*rows[-1]), flush=True)
        found = table(rows)
        grown = growth(found)
        store(found, grown)
    except KeyboardInterrupt:
        return complain(RuntimeError("interrupted; nothing is stored"))
    except (RuntimeError, ValueError) as error:
        return complain(error)
    for row in grown.to_dict("records"):
        print(f"{row['step']} by {row['along']}: power {row['power']:.2f}, at last {row['last']:.2f}"
              f"{': FASTER than in proportion' if row['faster'] else ''}")
    for row in found[found["value"] > found["limit"]].to_dict("records"):
        print(f"{row['step']} with {row['experiments']} experiments: {row['value']:.0f} s, more than {row['limit']:.0f} s")
    return 0


def said(size: Size, name: str, unit: str, value: float, work: float) -> str:
    """A row, for the terminal."""
    amount = f"{value:10.1f} s ({work:.1f} s of all cores)" if unit == "seconds" else f"{value / 1e6:10.2f} MB"
    return f"{size.experiments:6} experiments, {size.sets:3} sets: {name:14}{amount}"


def store(found: pd.DataFrame, grown: pd.DataFrame) -> None:
    """Store what was measured, how it grows, and where it was measured."""
    rounded = grown.assign(power=grown["power"].map(significant), last=grown["last"].map(significant))
    write_tables(SCALE, {"measured.csv": found, "growth.csv": rounded},
                 {"place.json": json.dumps(place(), indent=1) + "\n"})


if __name__ == "__main__":
    sys.exit(main())
