"""How long each step takes as a study grows: studies are invented in `.scale/`, and timed; results/scale/."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config.readings import READINGS, read_claims
from pipeline.config.errors import ConfigError, complain
from pipeline.config.given import option
from pipeline.config.read_yaml import read_yaml
from pipeline.config.schema import PARAMS, load, study_seeds
from pipeline.tables.schemas import SIMPLE, STORED
from pipeline.tables.stored import (
    COLUMNS, CURVE_COLUMNS, CURVES_TABLE, MECHANICS, PROBES, RUNS, RUNS_TABLE, SCALE, significant, write_table, write_tables)
from pipeline.train.host import host
from tools.tiny import begin, copied, dump

SCRATCH = Path(".scale")
#: A family's group and its data set, of which there are copies; every other one is in the group of a few, too.
FAMILIES = {"sequences": {"file": "extracts/smartwatch.npz"}, "tables": {"file": "extracts/letter.csv.xz", "target": "class"}}
GROUPS = {*FAMILIES, *(f"few_{name}" for name in FAMILIES)}
#: Besides what `make ask` tries: a sweep over places and two over values.
SWEEPS = {"bn_anywhere", "dropout_rate", "mlp_samples"}
#: The most seconds that a step may take, with up to 1,000 experiments.
LIMITS = {"nothing to do": 30.0, "one change": 120.0}
#: Writes every stage's entry of DVC's lock at once; `dvc commit` writes the whole lock anew for each.
COMMIT = """
from dvc.dvcfile import Lockfile
from dvc.repo import Repo

repo = Repo()
with repo.lock:
    stages = list(repo.index.stages)
    for stage in stages:
        stage.save()
    Lockfile(repo, "dvc.lock").dump_stages(stages)
"""


def study(experiments: int, sets: int) -> dict:
    """The params.yaml of an invented study: real networks again and again under other names, on copies of a data set.

    Args:
        experiments: how many there are.
        sets: how many data sets a family has.
    """
    real, written = load(), read_yaml(PARAMS)
    tried = SWEEPS | {name for some in real.ask.values() for name in some}
    tried |= {other for name in tried for other in (real.experiments[name].of, real.experiments[name].versus)}
    entries = {name: written["experiments"][name] | {
        "data": sorted(GROUPS.intersection([one.data] if isinstance(one.data, str) else one.data))}
        for name, one in real.experiments.items() if name in tried}
    made = {}
    for number in range(1 + experiments // len(entries)):
        end = f"_{number}" if number else ""
        made |= {name + end: entry | {key: entry[key] + end for key in ("of", "versus") if entry.get(key)}
                 for name, entry in entries.items()}
    return written | {
        "data": {f"{family}_{number}": entry | {
            "group": family, "also": [f"few_{family}"] if number % 2 else [], "unit": f"{family} {number}", "seeds": 15,
            "split": {"train": 256, "validation": 64, "test": 64}} for family, entry in FAMILIES.items() for number in range(sets)},
        "experiments": dict(list(made.items())[:experiments]), "ask": {}, "probe": {"experiments": []},
        "train": written["train"] | {"epochs": 5}, "verdicts": written["verdicts"] | {"controls": ["cnn_lstm"]}}


def store(root: Path, plan: Mapping) -> None:
    """Store invented results of an experiment, in the form in which training stores them; nothing is trained."""
    name, tables = plan["experiment"], []
    for arm in plan["arms"]:
        random = np.random.default_rng(zlib.crc32(f"{name} {arm['variant']} {arm['data']}".encode()))
        rates = sorted(arm["train"]["learning_rates"])
        runs = pd.DataFrame([(name, arm["variant"], arm["data"], seed, rate) for seed in study_seeds(15) for rate in rates],
                            columns=COLUMNS[:5])
        loss = np.round(0.5 * np.exp(random.normal(0, 0.2, len(runs))), 6)
        tables.append(runs.assign(
            stopped=8, hit_limit=False, diverged=False, parameters=1000, best_epoch=4, last_epoch=8, test_size=64,
            trivial_error=1.0, trivial_loss=1.0, trivial_validation_loss=1.0, key=[f"{name}{random.integers(2**62):x}" for _ in loss],
            chosen=pd.Series(loss).groupby(runs["seed"]).transform("idxmin") == runs.index,
            **{f"{end}_{score}": loss for end in ("best", "last") for score in ("validation_loss", "train_loss", "loss", "error")}))
    folder, runs = root / RUNS / name, pd.concat(tables, ignore_index=True).reindex(columns=COLUMNS)
    curves = runs[runs["chosen"]].merge(pd.DataFrame({"epoch": range(1, 9)}), how="cross")
    folder.mkdir(parents=True)
    write_table(runs, folder / RUNS_TABLE)
    write_table(curves.assign(train_loss=0.5, validation_loss=curves["best_loss"])[CURVE_COLUMNS], folder / CURVES_TABLE)
    shutil.copy(next(RUNS.glob("*/record.ipynb")), folder)


def run(root: Path, *command: str) -> tuple[float, float]:
    """Run a command in a folder: seconds on the clock, and of all cores' work; RuntimeError with its output if it fails."""
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(command, cwd=root, env=os.environ | {"PYTHONPATH": str(root.resolve())}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)[:80]}, in {root}: exit code {done.returncode}\n{done.stdout[-4000:]}")
    return time.perf_counter() - began, sum(os.times()[2:4]) - sum(before[2:4])


def stage(root: Path, name: str, *arguments: str) -> tuple[float, float]:
    """As `run`, of a stage."""
    return run(root, sys.executable, "-m", f"pipeline.{name}", *arguments)


def invent(root: Path, experiments: int, sets: int) -> dict:
    """Make the folder of an invented study, with data, plans and results that nobody trained; its params.yaml."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    copied(root)
    params = study(experiments, sets)
    dump(params, root / PARAMS)
    dump([entry for claim, entry in zip(read_claims(), read_yaml(READINGS), strict=True) if claim.experiments and not claim.probe
          and {*claim.experiments} <= {*params["experiments"]} and {*(claim.data or GROUPS)} <= GROUPS], root / READINGS)
    shutil.copytree(MECHANICS, root / MECHANICS)
    for empty in (root / PROBES, root / "timings"):
        empty.mkdir()
    begin(root)
    for name in ("data", "plan"):
        stage(root, name)
    table = STORED["baselines"]
    write_tables(root / table.path().parent, {table.path().name: pd.DataFrame({"data": list(params["data"])}).assign(
        seeds=15, **dict.fromkeys(["trivial", *SIMPLE], 0.5), key="").reindex(columns=list(table.columns))})
    for path in (root / "plan").glob("*.json"):
        store(root, json.loads(path.read_text(encoding="utf-8")))
    return params


def measure(root: Path, experiments: int, sets: int) -> Iterator[tuple]:
    """Invent a study, and time every step on it: rows of the stored table `scale`."""
    params = invent(root, experiments, sets)

    def row(step: str, unit: str, value: float, work: float = np.nan) -> tuple:
        return (step, experiments, sets, unit, significant(value, 4), significant(work, 4),
                LIMITS.get(step, np.nan) if experiments <= 1000 else np.nan)

    for step, name, *arguments in (("checking", "plan", "--check"), ("planning", "plan"), ("findings",) * 2, ("the book", "book")):
        yield row(step, "seconds", *stage(root, name, *arguments))
    yield row("all pages", "bytes", sum(path.stat().st_size for path in (root / "build/html").rglob("*") if path.is_file()))
    run(root, sys.executable, "-c", COMMIT)
    yield row("nothing to do", "seconds", *run(root, "dvc", "repro"))
    # What `make book` does after an edit, but for the training that an edit may ask for.
    params["experiments"]["cnn_lstm"]["note"] = "Edited."
    dump(params, root / PARAMS)
    parts = stage(root, "plan", "--tidy"), run(root, "dvc", "repro")
    yield row("one change", "seconds", *map(sum, zip(*parts, strict=True)))


def numbers(text: str, name: str, least: int) -> list[int]:
    """A list of sizes such as `150,300`; ConfigError for anything else."""
    parts = text.split(",")
    if not all(part.strip().isdecimal() and least <= int(part) <= 100_000 for part in parts):
        raise ConfigError(f"{name}={text}: allowed: numbers from {least} on, with commas between them")
    return sorted(map(int, parts))


def main() -> int:
    """Time every step with each number of experiments, then of data sets, the other at its smallest."""
    parser = argparse.ArgumentParser(prog="python -m tools.scale", description=main.__doc__)
    option(parser, "experiments", "150,300,1000", help="numbers, with commas between them")
    option(parser, "sets", "10,20,50", help="of data sets in each family")
    given, rows = parser.parse_args(), []
    try:
        experiments, sets = numbers(given.experiments, "EXPERIMENTS", 30), numbers(given.sets, "SETS", 4)
        for size in dict.fromkeys([*((one, sets[0]) for one in experiments), *((experiments[0], one) for one in sets)]):
            for row in measure(SCRATCH, *size):
                rows.append(row)
                print(*row, sep="\t", flush=True)
        write_tables(SCALE, {"measured.csv": pd.DataFrame(rows, columns=list(STORED["scale"].columns))},
                     {"place.json": json.dumps(host(), indent=1) + "\n"})
    except (OSError, RuntimeError, ValueError) as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
