"""Disturb runs of a tiny project at random moments, and store what came of it."""

import argparse
import hashlib
import importlib.metadata as packages
import json
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from pipeline.config.errors import ConfigError, complain
from pipeline.config.given import option, whole
from pipeline.tables.schemas import STORED
from pipeline.tables.stored import MECHANICS, PROBES, TORTURE, write_tables
from pipeline.train.host import host
from tools.tiny import begin, project, shrink
from tools.torture.disturb import FULL, READ_ONLY, SILENT, TWICE, Run, kill, kinds, mounted, mounts, processes, struck, with_mounts

#: The tiny project has two networks, two data sets, and not the stages that write as `train` does.
EXPERIMENTS, DATA = ("mlp_tanh", "mlp_bn_before_tanh"), ("synthetic_tables", "many_class_tables")
WITHOUT = ("mechanics", "probe")
COMMAND = "python -m pipeline.plan --tidy && dvc repro"
#: What stages and DVC write; of that, what is complete only once its stage has ended.
WRITTEN, GROWS = ("data", "plan", "results", "build/html", "dvc.lock"), ("dvc.lock", "data/made.json")
#: A run that fails so often in a row does not go on; but one that says that another one is at work is to wait for it.
TRIES, BUSY = 3, re.compile("Unable to acquire lock|is busy")


def files(folder: Path) -> dict[str, str]:
    """Every written file, hidden ones too → the SHA-256 of its bytes."""
    paths = [path for name in WRITTEN for path in [folder / name, *(folder / name).rglob("*")] if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def partial(folder: Path, undisturbed: Mapping[str, str]) -> list[str]:
    """The files that somebody who reads now would take for whole ones, and that are not those of the undisturbed run."""
    return [name for name, digest in files(folder).items() if undisturbed.get(name) != digest and name not in GROWS
            and not any(part.startswith(".") for part in Path(name).parts)]


def differing(folder: Path, undisturbed: Mapping[str, str]) -> list[str]:
    """The files that are not, to the byte, those of the undisturbed run, that it has not, or that only it has."""
    return sorted({name for name, _ in files(folder).items() ^ undisturbed.items()})


def until_done(folder: Path, command: str, planned: Sequence[tuple[str, float]], undisturbed: Mapping[str, str]) -> list[dict]:
    """Run a command until it succeeds, disturbed on the way; rows of `disturbances` without `round` and `equal`.

    Args:
        planned: kinds of disturbances and their moments, as long as there is a run to do them to.
    """
    found, tries, planned = [], 0, list(planned)
    while tries < TRIES:
        run = Run(folder, command)
        if planned and (said := struck(run, *planned[0])):
            (kind, moment), tries, done = planned.pop(0), 0, not run.shell.returncode
            found.append({"kind": kind, "moment": round(moment, 2), "stage": run.stage(), "message": said.message(),
                          "clear": said.clear(silent=kind in SILENT or not said.shell.returncode),
                          "whole": not partial(folder, undisturbed), "went_on": done or kind != TWICE})
            if done:
                break
        elif not run.wait():
            break
        elif any(map(BUSY.search, run.lines)):
            run.gone()  # Of a shell that was killed, DVC lives on: it is to finish first.
            tries += 1
            found[-1:] = [one | {"message": run.message(), "clear": run.clear()} for one in found[-1:]]
        else:
            tries += 1
            found[-1:] = [one | {"message": f"then: {run.message()}", "went_on": False} for one in found[-1:]]
    return found


def rounds(work: Path, make: Callable[[Path], None], command: str, moments: int, seed: int) -> tuple[dict, list[dict]]:
    """The files of an undisturbed run, and so many disturbances, as rows of `disturbances`.

    Args:
        work: an empty folder.
        make: makes the project in a folder.
        seed: of kinds and moments; what a second is worth, the machine decides.

    Raises:
        ConfigError: the project fails undisturbed.
        RuntimeError: its runs are too short to be disturbed.
    """
    template, folder, timings = work / "template", work / "project", work / "timings"
    make(template)
    shutil.copytree(template, folder)
    began = time.monotonic()
    if (run := Run(folder, command)).wait():
        raise ConfigError(f"{command}: it fails without a disturbance: {run.message()}")
    seconds, undisturbed, generator, found = time.monotonic() - began, files(folder), random.Random(seed), []
    (folder / "timings").mkdir(exist_ok=True)
    shutil.copytree(folder / "timings", timings)
    for number in range(1, 2 * moments + 6):
        shutil.rmtree(folder)
        shutil.copytree(template, folder)
        some = generator.sample(kinds(), len(kinds()))[:moments - len(found)]
        rows = until_done(folder, command, [(kind, generator.random() * 2 * seconds / len(some)) for kind in some], undisturbed)
        # The book shows what training took: it is made once more, of what the undisturbed run took.
        shutil.copytree(timings, folder / "timings", dirs_exist_ok=True)
        Run(folder, command).wait()
        other = differing(folder, undisturbed)
        print(*(f"round {number}: not as in the undisturbed run: {name}" for name in other),
              *(f"{one['kind']} in {one['stage']}: {one['message']}" for one in rows), sep="\n", flush=True)
        found += [{"round": number, **one, "equal": not other} for one in rows]
        if len(found) >= moments:
            return undisturbed, found
    raise RuntimeError(f"only {len(found)} of {moments} disturbances in {number} rounds: runs end before their moment")


def make(folder: Path) -> None:
    """The tiny project, before its first run."""
    def profile(params: dict) -> dict:
        params["experiments"]["mlp_tanh"]["data"] = list(DATA)
        params["data"] = {name: params["data"][name] for name in DATA}
        params["verdicts"]["controls"], params["probe"] = [], {"experiments": []}
        params = shrink(params, EXPERIMENTS)
        for entry in params["data"].values():
            entry["seeds"] = 2
            entry["train"]["learning_rates"] = [0.003, 0.03]
        return params

    folder.mkdir()
    project(folder, profile, WITHOUT)
    shutil.copytree(MECHANICS, folder / MECHANICS)
    (folder / PROBES).mkdir()
    begin(folder)


def main() -> int:
    """Disturb runs of a tiny project, and store what came of it; 1 if one did not go on, or ended in other bytes."""
    parser = argparse.ArgumentParser(prog="python -m tools.torture", description=main.__doc__)
    option(parser, "moments", "36", help="how many disturbances")
    option(parser, "seed", str(secrets.randbelow(2 ** 32)), help="of their kinds and moments; printed")
    given = parser.parse_args()
    try:
        moments, seed = whole("MOMENTS", given.moments, least=1), whole("SEED", given.seed)
    except ConfigError as error:
        return complain(error)
    command = [sys.executable, *sys.orig_argv[1:]]
    if not mounts() and (other := with_mounts(command)) != command:
        os.execvp(other[0], other)
    print(f"SEED={seed}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # So that nothing is left running.
    folder = Path(tempfile.mkdtemp()).resolve()
    try:
        with mounted(folder, ["-t", "tmpfs", "-o", "size=600m", "none"]):
            undisturbed, rows = rounds(folder, make, COMMAND, moments, seed)
        table = pd.DataFrame(rows, columns=list(STORED["disturbances"].columns))
        about = {**host(), "system": sys.platform, "seed": seed, "files": len(undisturbed), "without": WITHOUT,
                 "left_out": sorted({FULL, READ_ONLY} - {*kinds()}),
                 "versions": {name: packages.version(name) for name in ("dvc", "papermill", "tensorflow")}}
        write_tables(TORTURE, {"disturbances.csv": table}, {"about.json": json.dumps(about, indent=1) + "\n"})
    except KeyboardInterrupt:
        return complain(RuntimeError("interrupted; no outcome is stored"))
    except (OSError, RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
        return complain(error)
    finally:
        kill(processes(folder))
        shutil.rmtree(folder, ignore_errors=True)
    held = table[["clear", "whole", "went_on", "equal"]].all(axis=1)
    print(f"{held.sum()} of {len(table)} disturbances told why in a line, left only whole files, went on and ended in the "
          f"same bytes: {TORTURE}")
    return 0 if held.all() else 1


if __name__ == "__main__":
    sys.exit(main())
