"""What a sample that was trained again says of the stored runs, as a small file."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

import pipeline
from pipeline.tables.stored import (
    CERTIFICATES, CURVES_TABLE, RUNS, RUNS_TABLE, Store, read_table, seal, verify, write_table, write_text)
from pipeline.config.errors import ConfigError
from pipeline.train.place import settings
from pipeline.train.runs import choose, train
from pipeline.cli.verify import compare
from pipeline.cli.verify.sample import Tables, Unit, chance

#: What training took, and where, an experiment.
TIMINGS = Path("timings")
#: Decides, in the folder that it is started in.
STAGE = "pipeline.verdicts"
VERDICTS = Path("results/verdicts/verdicts.csv")
NAME = re.compile(r"[a-z0-9_-]{1,60}\Z")
#: What a sample can say; the last two are a failure.
SAME, CHANCE, NOT_REPRODUCED, MORE = (
    "the same bits", "other bits, as chance makes them", "not reproduced", "other bits, more than chance makes")
FAILED = (NOT_REPRODUCED, MORE)


def check_name(name: str) -> str:
    """A name that a file can have.

    Raises:
        ConfigError: it is none.
    """
    if not NAME.match(name):
        raise ConfigError(f"NAME={name}: allowed: up to 60 of a to z, 0 to 9, - and _")
    return name


def judge(sample: list[Unit], records: Mapping[str, Mapping], tables: Mapping[str, Tables],
          plans: Mapping[str, dict], data: Mapping[str, Mapping], families: Mapping[str, str], alike: bool | None = None) -> dict:
    """What the runs that were trained again say.

    A machine like the one that trained the stored runs gives their bits: a run that differs is not
    what it says. On another one, chance is asked whether it explains the differences. Where it is
    not known which of both this is, it is taken to be alike if it gives most of the stored bits.

    Args:
        alike: as `alike` gives it.
        sample: the units whose runs were trained again.
        records: by key, as trained again.
        tables: what is stored.
        plans, data: by name.
        families: data set → its family.
    """
    runs = pd.concat([table for table, _ in tables.values()], ignore_index=True)
    rows = {row["key"]: row for row in runs.to_dict("records")}
    keys = [key for unit in sample for _, key in unit.keys]
    other = {key: names for unit in sample
             for key, names in compare.differing(unit, records, plans, data, tables).items()}
    sizes = [abs(compare.change(records[key], rows[key])) for key in keys]
    found = {"runs": len(keys), "identical": len(keys) - len(other), "largest": float(max(sizes)),
             "median": float(np.median(sizes)), "tests": [],
             "differing": [_said(rows[key], names) for key, names in other.items()]}
    if not other:
        return found | {"says": SAME}
    if alike or (alike is None and 2 * len(other) < len(keys)):
        return found | {"says": NOT_REPRODUCED}
    changes = compare.scaled({unit.place: _change(unit, records, rows) for unit in sample}, runs)
    held = compare.noise(plans.values(), runs)
    table = compare.explained(_by_family((unit.family, changes[unit.place]) for unit in sample),
                              _by_family((families[name], value) for name, values in held.items() for value in values))
    # Where most differ, naming them says nothing.
    named = found["differing"] if 2 * len(other) < len(keys) else []
    return found | {"tests": table.to_dict("records"), "differing": named,
                    "says": CHANCE if table["explained"].all() else MORE}


def alike(experiments: Iterable[str], here: Mapping) -> bool | None:
    """Whether this machine computes like those that trained experiments; None if that was not written down.

    Args:
        here: where the sample was trained, as `place` gives it.
    """
    kind = ("processor", "instructions")
    found = []
    for name in experiments:
        path = TIMINGS / f"{name}.json"
        found.append(json.loads(path.read_text(encoding="utf-8")) if path.exists() else {})
    if {*settings()} - {"TRAIN_THREADS"}:
        return False
    if any(name not in about for about in (here, *found) for name in kind):
        return None
    return all(about[name] == here[name] for about in found for name in kind)


def _change(unit: Unit, records: Mapping, rows: Mapping) -> float:
    """Of the run that the seed keeps, then and now."""
    new, old = ({rate: found[key] for rate, key in unit.keys} for found in (records, rows))
    return compare.change(new[choose(new)], old[choose(old)])


def _by_family(pairs: Iterable[tuple[str, float]]) -> dict[str, np.ndarray]:
    found: dict[str, list] = {}
    for family, value in pairs:
        found.setdefault(family, []).append(value)
    return {family: np.array(values) for family, values in found.items()}


def _said(row: Mapping, names: list[str]) -> str:
    variant = f"[{row['variant']}]" if row["variant"] else ""
    return (f"{row['experiment']}{variant} on {row['data']}, seed {row['seed']}, rate {row['learning_rate']:g}: "
            f"{', '.join(names)}")


# --- verdicts ----------------------------------------------------------------------------------

def verdicts_with(records: Mapping[str, Mapping], plans: Iterable[dict], data: Mapping[str, Mapping],
                  root: Path = Path()) -> list[str]:
    """The verdicts that change when runs take the place of the stored ones: `slug: before → now`.

    The stage `verdicts` itself decides, in a scratch folder whose tables of runs are those that the
    stage `train` would write: whatever the rule is.

    Raises:
        RuntimeError: the stage fails.
    """
    root = Path(root).absolute()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        (scratch / "results").mkdir()
        for path in [*root.glob("*"), *(root / "results").glob("*")]:
            if path not in (root / "results", root / RUNS, root / VERDICTS.parent):
                (scratch / path.relative_to(root)).symlink_to(path)
        for plan in plans:
            folder = RUNS / plan["experiment"]
            if set(read_table(root / folder / RUNS_TABLE)["key"]) & records.keys():
                _with(records, plan, data, root / folder, scratch / folder)
            else:
                (scratch / folder).parent.mkdir(parents=True, exist_ok=True)
                (scratch / folder).symlink_to(root / folder)
        path = [str(Path(pipeline.__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.run([sys.executable, "-m", STAGE], cwd=scratch, text=True, capture_output=True,
                              env=os.environ | {"PYTHONPATH": os.pathsep.join(path)})
        if done.returncode:
            raise RuntimeError(f"python -m {STAGE}: {done.stderr.strip()}")
        return changed(read_table(root / VERDICTS), read_table(scratch / VERDICTS))


def _with(records: Mapping, plan: dict, data: Mapping, stored: Path, target: Path) -> None:
    """An experiment's folder with other records in the place of some of its runs."""
    shutil.copytree(stored, target)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        store.fill(stored)
        for key, record in records.items():
            store.put(key, dict(record))
        runs, curves = train(plan, data, store)
    write_table(runs, target / RUNS_TABLE)
    write_table(curves, target / CURVES_TABLE)
    seal(target)


def changed(before: pd.DataFrame, now: pd.DataFrame) -> list[str]:
    """What differs between two tables of verdicts: `slug: before → now`."""
    place = [name for name in ("slug", "group") if name in before.columns]
    both = before[[*place, "verdict"]].fillna("").merge(now[[*place, "verdict"]].fillna(""), on=place, how="outer",
                                                       suffixes=("", "_now")).fillna("none")
    return [f"{' '.join(row[name] for name in place).strip()}: {row['verdict']} → {row['verdict_now']}"
            for row in both.to_dict("records") if row["verdict"] != row["verdict_now"]]


# --- the file ----------------------------------------------------------------------------------

def certificate(found: Mapping, seed: int, population: int, drawn: int, verdicts: list[str] | None, place: Mapping,
                versions: Mapping) -> dict:
    """All that is kept.

    Args:
        found: as `judge` gives it.
        population, drawn: how many units are stored, and were drawn.
        verdicts: those that changed; None where none are stored.
        place: where the sample was trained.
    """
    return {**place, "settings": settings(), "versions": dict(versions), "seed": seed, "stored_seeds": population,
            "sampled_seeds": drawn, "false_alarms": compare.FALSE_ALARMS,
            "chance_of_one_in_a_hundred": chance(population, max(1, population // 100), drawn),
            **found, "verdicts_changed": verdicts}


def write(name: str, content: Mapping) -> Path:
    """Keep a certificate beside the others, and seal them.

    Raises:
        Damaged: the certificates that are there are not what was stored.
    """
    verify(CERTIFICATES)
    path = CERTIFICATES / f"{check_name(name)}.json"
    write_text(path, json.dumps(content, indent=1, default=lambda value: value.item()) + "\n")
    seal(CERTIFICATES)
    return path
