"""Disturb runs of a tiny project at random moments, and store what came of it."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import secrets
import signal
import sys
import tempfile
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from pipeline.results import TORTURE, write_tables
from pipeline.spec.base import ConfigError, complain
from pipeline.spec.given import option, whole
from pipeline.spec.tables import STORED
from pipeline.torture import disturb, project
from pipeline.torture.disturb import KINDS
from pipeline.torture.rounds import rounds
from pipeline.train.place import place

MOMENTS, MEGABYTES = 36, 600
TABLE = STORED["disturbances"]
ABOUT = "about.json"
VERSIONS = ("dvc", "papermill", "tensorflow")


def about(seed: int, kinds: tuple[str, ...], files: int) -> dict:
    """Where and how: all that is kept beside the table."""
    return {**place(), "system": sys.platform, "versions": {name: importlib.metadata.version(name) for name in VERSIONS},
            "seed": seed, "files": files, "ways": disturb.ways(), "left_out": [kind for kind in KINDS if kind not in kinds],
            "without": sorted(project.WITHOUT)}


def main() -> int:
    """Kill, starve and lock out runs of a tiny project; 1 if one did not go on, or ended in other bytes."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.torture", description=main.__doc__)
    option(parser, "moments", help=f"how many disturbances; by default {MOMENTS}")
    option(parser, "seed", help="of their kinds and moments; by default a random one, which is printed")
    given = parser.parse_args()
    try:
        moments, seed = whole("MOMENTS", given.moments, least=1) or MOMENTS, whole("SEED", given.seed)
    except ConfigError as error:
        return complain(error)
    if not disturb.mounts() and (command := disturb.with_mounts([sys.executable, *sys.orig_argv[1:]])):
        os.execvpe(command[0], command, os.environ | {"TORTURE_MOUNTS": "1"})
    seed = secrets.randbelow(2 ** 32) if seed is None else seed
    kinds = tuple(kind for kind in KINDS if disturb.ways().get(kind, "yes"))
    print(f"SEED={seed}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # So that nothing is left running.
    try:
        with tempfile.TemporaryDirectory() as folder, tqdm(total=moments, unit="disturbance") as bar:
            def shown(one):
                bar.write(f"{one.kind} in {one.stage or 'no stage yet'}: {one.message}", file=sys.stdout)
                sys.stdout.flush()
                bar.update()

            folder = Path(folder).resolve()
            with disturb.small_disk(folder, MEGABYTES):
                reference, rows = rounds(folder, project.make, project.LEGS, kinds, moments, seed, shown)
        table = pd.DataFrame(rows, columns=list(TABLE.columns))
        write_tables(TORTURE, {TABLE.path().name: table}, {
            ABOUT: json.dumps(about(seed, kinds, len(reference.files)), indent=1) + "\n"})
    except KeyboardInterrupt:
        return complain(RuntimeError("interrupted; no outcome is stored"))
    except (OSError, RuntimeError, ValueError) as error:
        return complain(error)
    held = table[["clear", "whole", "went_on", "equal"]].all(axis=1) if len(table) else pd.Series(dtype=bool)
    print(f"{held.sum()} of {len(table)} disturbances told why in a line, left only whole files, went on and ended in the "
          f"same bytes: {TABLE.path()}")
    return 0 if held.all() else 1


if __name__ == "__main__":
    sys.exit(main())
