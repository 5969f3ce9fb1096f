"""What a sample that was trained again says of the stored runs, as a small file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from pipeline.tables.stored import CERTIFICATES
from pipeline.config.errors import ConfigError
from pipeline.train.arm import select_rate
from pipeline.train.host import settings
from pipeline.train.timings import TIMINGS
from pipeline.cli.verify import compare
from pipeline.cli.verify.sample import Stored, Unit, chance

NAME = re.compile(r"[a-z0-9_-]{1,60}\Z")
#: What a sample can say; the last two are a failure.
SAME, CHANCE, NOT_REPRODUCED, MORE = (
    "the same bits", "other bits, as chance makes them", "not reproduced", "other bits, more than chance makes")
FAILED = (NOT_REPRODUCED, MORE)


def path_of(name: str) -> Path:
    """Where a certificate is kept; ConfigError, if no file can have the name."""
    if not NAME.match(name):
        raise ConfigError(f"NAME={name}: allowed: up to 60 of a to z, 0 to 9, - and _")
    return CERTIFICATES / f"{name}.json"


def judge(sample: list[Unit], records: Mapping[str, Mapping], stored: Stored, alike: bool | None = None) -> dict:
    """What the runs that were trained again say.

    A machine like the one that trained the stored runs gives their bits: a run that differs is not
    what it says. On another one, chance is asked whether it explains the differences. Where it is
    not known which of both this is, it is taken to be alike if it gives most of the stored bits.

    Args:
        sample: the units whose runs were trained again.
        records: by key, as trained again.
        alike: as `alike` gives it.
    """
    rows = {row["key"]: row for row in stored.runs.to_dict("records")}
    keys = [key for unit in sample for _, key in unit.keys]
    other = {key: names for unit in sample for key, names in compare.differing(unit, records, stored).items()}
    sizes = [abs(compare.change(records[key], rows[key])) for key in keys]
    most = 2 * len(other) >= len(keys)
    found = {"runs": len(keys), "identical": len(keys) - len(other), "largest": float(max(sizes)),
             "median": float(np.median(sizes)), "tests": [],
             "differing": [_said(rows[key], names) for key, names in other.items()]}
    if not other:
        return found | {"says": SAME}
    if alike or (alike is None and not most):
        return found | {"says": NOT_REPRODUCED}
    changes = compare.scaled({unit.places[0]: _change(unit, records, rows) for unit in sample}, stored.runs)
    held = compare.noise(stored.plans.values(), stored.runs)
    table = compare.explained(_by_family((unit.family, [changes[unit.places[0]]]) for unit in sample),
                              _by_family((stored.families[name], values) for name, values in held.items()))
    # Where most differ, naming them says nothing.
    return found | {"tests": table.to_dict("records"), "differing": [] if most else found["differing"],
                    "says": CHANCE if table["explained"].all() else MORE}


def alike(experiments: Iterable[str], here: Mapping) -> bool | None:
    """Whether this machine computes like those that trained experiments; None if that was not written down.

    Args:
        here: where the sample was trained, as `host` gives it.
    """
    if {*settings()} - {"TRAIN_THREADS"}:
        return False
    paths = [TIMINGS / f"{name}.json" for name in experiments]
    found = [json.loads(path.read_text(encoding="utf-8")) if path.exists() else {} for path in paths]
    kinds = [[about.get(name) for name in ("processor", "instructions")] for about in (here, *found)]
    return None if any(None in kind for kind in kinds) else all(kind == kinds[0] for kind in kinds)


def _change(unit: Unit, records: Mapping, rows: Mapping) -> float:
    """Of the run that the seed keeps, then and now."""
    new, old = ({rate: found[key] for rate, key in unit.keys} for found in (records, rows))
    return compare.change(new[select_rate(new)], old[select_rate(old)])


def _by_family(pairs: Iterable[tuple[str, Iterable[float]]]) -> dict[str, np.ndarray]:
    found: dict[str, list] = {}
    for family, values in pairs:
        found.setdefault(family, []).extend(values)
    return {family: np.array(values) for family, values in found.items()}


def _said(row: Mapping, names: list[str]) -> str:
    variant = f"[{row['variant']}]" if row["variant"] else ""
    return (f"{row['experiment']}{variant} on {row['data']}, seed {row['seed']}, rate {row['learning_rate']:g}: "
            f"{', '.join(names)}")


def certificate(found: Mapping, about: Mapping, population: int, drawn: int) -> str:
    """All that is kept: where and of which seed the sample was, how much of all it is, and what `judge` found."""
    content = {**about, "stored_seeds": population, "sampled_seeds": drawn, "false_alarms": compare.FALSE_ALARMS,
               "chance_of_one_in_a_hundred": chance(population, max(1, population // 100), drawn), **found}
    return json.dumps(content, indent=1, default=lambda value: value.item()) + "\n"
