"""A project that is small enough to be run again and again, and what its files are."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from pipeline.tables.stored import MECHANICS
from tools.tiny import INIT, project, shrink

EXPERIMENTS = ("mlp_tanh", "mlp_bn_before_tanh")
DATA = {"tabular": "synthetic_tables", "many_classes": "many_class_tables"}
SEEDS, RATES = 2, [0.003, 0.03]
#: Stages that a tortured project has not: they write as `train` does, and are its most expensive ones.
WITHOUT = {"mechanics", "probe"}
#: What stages write, and DVC.
WRITTEN = ("data", "plan", "results", "build/html", "dvc.lock")
#: Complete only once its stage has ended; the others are replaced whole.
GROWS = ("dvc.lock", "data/made.json")
#: What training took: measured, never the same, and part of the book.
TIMINGS = "timings"
CHECK = "python -m pipeline.plan --check"


@dataclass(frozen=True)
class Leg:
    """A part of a round.

    Attributes:
        command: for the shell; run until it succeeds.
        disturbances: so many are meant for it.
        kernel: whether a stage of it has one.
    """

    command: str
    disturbances: int
    kernel: bool


#: The book shows what training took, so it is built of the undisturbed run's timings.
LEGS = (Leg(f"{CHECK} && dvc repro verdicts baselines", 7, True), Leg(f"{CHECK} && dvc repro", 2, False))


def profile(params: dict) -> dict:
    """Two networks on two invented data sets, two seeds, two rates, two epochs."""
    params["experiments"]["mlp_tanh"]["data"] = list(DATA.values())
    params["data"] = {name: params["data"][name] for name in DATA}
    params["verdicts"]["controls"] = []
    params.pop("probe", None)
    params = shrink(params, EXPERIMENTS)
    for entry in params["data"].values():
        entry["seeds"] = SEEDS
        entry["train"]["learning_rates"] = RATES
    return params | {"probe": {"experiments": []}}


def make(folder: Path) -> None:
    """The project, before its first run."""
    folder.mkdir(parents=True)
    project(folder, profile)
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    content = yaml.load((folder / "dvc.yaml").read_text(encoding="utf-8"))
    content["stages"] = {name: stage for name, stage in content["stages"].items() if name not in WITHOUT}
    for stage in content["stages"].values():
        stage = stage.get("do", stage)
        stage["deps"] = [name for name in stage["deps"] if name != "results/probe"]
    with open(folder / "dvc.yaml", "w", encoding="utf-8") as file:
        yaml.dump(content, file)
    shutil.copytree(MECHANICS, folder / MECHANICS)
    init(folder)


def init(folder: Path) -> None:
    """Make a folder one of DVC's."""
    for command in INIT:
        subprocess.run(["dvc", *command], cwd=folder, env=environment(folder), check=True)


def environment(folder: Path) -> dict[str, str]:
    """Of every process of a project: all that it writes is beside the project, and so on the same disk."""
    beside = folder.parent / "beside"
    beside.mkdir(exist_ok=True)
    return os.environ | {"PYTHONPATH": str(folder), "TMPDIR": str(beside), "DVC_SITE_CACHE_DIR": str(beside / "dvc"),
                         "DVC_NO_ANALYTICS": "1", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                         "TRAIN_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def files(folder: Path) -> dict[str, str]:
    """Every written file, hidden ones too → the SHA-256 of its bytes."""
    paths = [path for name in WRITTEN for path in [folder / name, *sorted((folder / name).rglob("*"))] if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def partial(folder: Path, undisturbed: Mapping[str, str]) -> list[str]:
    """The files that somebody who reads now would take for whole ones, and that are not those of the undisturbed run."""
    return [name for name, digest in files(folder).items() if undisturbed.get(name) != digest and name not in GROWS
            and not any(part.startswith(".") for part in Path(name).parts)]


def differing(folder: Path, undisturbed: Mapping[str, str]) -> list[str]:
    """The files that are not, to the byte, those of the undisturbed run, that it has not, or that only it has."""
    found = files(folder)
    return sorted(name for name in {*found, *undisturbed} if found.get(name) != undisturbed.get(name))


def trained(folder: Path) -> int:
    """How many runs a project's store holds."""
    return len(list((folder / ".runs").glob("*/*.json")))


def describe(undisturbed: Mapping[str, str]) -> str:
    """One digest of all files."""
    return hashlib.sha256(json.dumps(undisturbed, sort_keys=True).encode()).hexdigest()[:16]
