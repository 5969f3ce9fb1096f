"""Findings and readings again, as their stage makes them: of the stored runs, or with others in their place."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

import pipeline
from pipeline.cli.verify.sample import Stored
from pipeline.tables.schemas import FOUND
from pipeline.tables.lock import LOCK
from pipeline.tables.store import Store
from pipeline.tables.stored import CURVES_TABLE, RUNS, RUNS_TABLE, read_table, write_table
from pipeline.train.arm import tables

#: Finds and reads, in the folder that it is started in.
STAGE = "pipeline.findings"
READINGS = FOUND["readings"].path()
#: Numbers of another machine may differ by so much, as a share or at all.
CLOSE, NOTHING = 1e-3, 1e-6


@contextlib.contextmanager
def decided(records: Mapping[str, Mapping], stored: Stored) -> Iterator[Path]:
    """Yields a folder with the findings' tables, made when some runs take the place of the stored ones.

    The stage itself decides, in a scratch folder whose tables of runs are those that the stage
    `train` would write: whatever the rule is.

    Args:
        records: by key; without any, the stored runs decide.

    Raises:
        RuntimeError: the stage fails.
    """
    root = Path.cwd()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        (scratch / RUNS).mkdir(parents=True)
        # What is decided there is none of what the lock names, or git knows.
        for path in {*root.glob("*"), *(root / "results").glob("*")} - {
                root / one for one in (Path("results"), RUNS, READINGS.parent, LOCK, ".git")}:
            (scratch / path.relative_to(root)).symlink_to(path)
        for name, (runs, _) in stored.tables.items():
            if {*runs["key"]} & records.keys():
                _with(records, name, stored, scratch / RUNS / name)
            else:
                (scratch / RUNS / name).symlink_to(root / RUNS / name)
        path = [str(Path(pipeline.__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.run([sys.executable, "-m", STAGE], cwd=scratch, text=True, capture_output=True,
                              env=os.environ | {"PYTHONPATH": os.pathsep.join(path)})
        if done.returncode:
            raise RuntimeError(f"python -m {STAGE}: {done.stderr.strip()}")
        yield scratch / READINGS.parent


def _with(records: Mapping, name: str, stored: Stored, target: Path) -> None:
    """An experiment's folder with other records in the place of some of its runs."""
    shutil.copytree(RUNS / name, target)
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Store(folder)) as store:
        for key, record in records.items():
            store.put(key, record)
        store.fill([RUNS / name])  # What is there already stays.
        runs, curves = tables(stored.plans[name], stored.data, store)
    write_table(runs, target / RUNS_TABLE)
    write_table(curves, target / CURVES_TABLE)


def changed(before: Path, now: Path) -> list[str]:
    """What differs between two tables of readings: `slug: before → now`."""
    before, now = (read_table(path).set_index("slug")["reads"] for path in (before, now))
    both = pd.DataFrame({"before": before, "now": now}).fillna("none")
    return [f"{row.Index}: {row.before} → {row.now}" for row in both.itertuples() if row.before != row.now]


def differing(stored: Path, found: Path) -> list[str]:
    """What in a folder of tables is not what was found again: a line a table, with the first place where it differs.

    Numbers of another machine may differ in their last digits.
    """
    lines = []
    for name in sorted({path.name for folder in (stored, found) for path in folder.glob("*.csv")}):
        if not (stored / name).exists() or not (found / name).exists():
            lines.append(f"{stored / name}: {'it is missing' if (found / name).exists() else 'no stage makes it'}")
        elif place := _first(read_table(stored / name), read_table(found / name)):
            lines.append(f"{stored / name}: {place}")
    return lines


def _first(stored: pd.DataFrame, found: pd.DataFrame) -> str:
    """The first place where two tables differ; empty if they do not."""
    if list(stored.columns) != list(found.columns) or len(stored) != len(found):
        return (f"found {len(stored)} rows of {len(stored.columns)} columns; the stored runs give {len(found)} of "
                f"{len(found.columns)}")
    for column in stored.columns:
        one, other = stored[column], found[column]
        if one.dtype.kind == other.dtype.kind == "f":
            same = np.isclose(one, other, rtol=CLOSE, atol=NOTHING, equal_nan=True)
        else:
            same = ((one == other) | (one.isna() & other.isna())).to_numpy(bool)
        if not same.all():
            row = int(np.flatnonzero(~same)[0])
            return f"line {row + 2}: {column}: found {one[row]}; the stored runs give {other[row]}"
    return ""
