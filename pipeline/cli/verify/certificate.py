"""What a sample that was trained again says of the stored runs, as a small file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.cli.verify import compare
from pipeline.cli.verify.sample import Tables, Unit, chance
from pipeline.config.errors import ConfigError
from pipeline.tables.stored import CERTIFICATES, write_text
from pipeline.train.arm import DataSet, select_rate
from pipeline.train.host import settings
from pipeline.train.timings import TIMINGS

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
          plans: Mapping[str, dict], data: Mapping[str, DataSet], families: Mapping[str, str], alike: bool | None = None) -> dict:
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
        here: where the sample was trained, as `host` gives it.
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
    return compare.change(new[select_rate(new)], old[select_rate(old)])


def _by_family(pairs: Iterable[tuple[str, float]]) -> dict[str, np.ndarray]:
    found: dict[str, list] = {}
    for family, value in pairs:
        found.setdefault(family, []).append(value)
    return {family: np.array(values) for family, values in found.items()}


def _said(row: Mapping, names: list[str]) -> str:
    variant = f"[{row['variant']}]" if row["variant"] else ""
    return (f"{row['experiment']}{variant} on {row['data']}, seed {row['seed']}, rate {row['learning_rate']:g}: "
            f"{', '.join(names)}")


# --- the file ----------------------------------------------------------------------------------

def certificate(found: Mapping, seed: int, population: int, drawn: int, readings: list[str] | None, place: Mapping,
                versions: Mapping) -> dict:
    """All that is kept.

    Args:
        found: as `judge` gives it.
        population, drawn: how many units are stored, and were drawn.
        readings: those that changed; None where none are stored.
        place: where the sample was trained.
    """
    return {**place, "settings": settings(), "versions": dict(versions), "seed": seed, "stored_seeds": population,
            "sampled_seeds": drawn, "false_alarms": compare.FALSE_ALARMS,
            "chance_of_one_in_a_hundred": chance(population, max(1, population // 100), drawn),
            **found, "verdicts_changed": readings}


def write(name: str, content: Mapping) -> Path:
    """Keep a certificate beside the others."""
    path = CERTIFICATES / f"{check_name(name)}.json"
    write_text(path, json.dumps(content, indent=1, default=lambda value: value.item()) + "\n")
    return path
