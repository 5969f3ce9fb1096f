"""The folder of an invented study: made once, grown from size to size, and known to DVC."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from pipeline.tables.stored import MECHANICS, PROBES, RUNS
from tools.scale.runs import RECORD, put, store
from tools.scale.study import AFTER, EDITED, Size, claimed, invented
from pipeline.config.errors import ConfigError, read_yaml
from pipeline.config.claims import CLAIMS, read_claims
from pipeline.config.schema import PARAMS, load
from tools.tiny import INIT, copied

PLAN, LOCK, BUILD = Path("plan"), Path("dvc.lock"), Path("build")
LEDGER = BUILD / "html/claims.html"


@dataclass(frozen=True)
class Spent:
    """Seconds on the clock, and of all cores' work."""

    seconds: float
    work: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.seconds + other.seconds, self.work + other.work)


class Project:
    """An invented study in a folder of its own; the real one, in the current folder, is only read."""

    def __init__(self, root: Path):
        self.root = Path(root)

    def begin(self) -> None:
        """Make the folder: the real study's code and prose, and no result but the exact checks, which no size changes."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        copied(self.root)
        shutil.copytree(MECHANICS, self.root / MECHANICS)
        (self.root / PROBES).mkdir(parents=True)
        for command in INIT:
            self.run("dvc", *command)

    def grow(self, size: Size) -> None:
        """Give it a size: its params.yaml and claims, its data as their stage makes them, invented results."""
        self.write(size)
        self.stage("data")
        self.plan()
        self.stage("baselines")
        record = _record()
        for path in sorted((self.root / PLAN).glob("*.json")):
            store(self.root, json.loads(path.read_text(encoding="utf-8")), record)

    def write(self, size: Size, edited: bool = False) -> None:
        """Write params.yaml and claims.yaml; with `edited`, the line of one experiment is another."""
        written = read_yaml(PARAMS)
        content = invented(load(), written, size)
        if edited:
            content["experiments"][EDITED] = dict(AFTER)
        _dump(content, self.root / PARAMS)
        _dump(claimed(read_claims(), read_yaml(CLAIMS), content["experiments"]), self.root / CLAIMS)

    def train_ahead(self, size: Size) -> None:
        """Put invented runs of what the edited experiment will ask for into the store: training is not what is measured."""
        self.write(size, edited=True)
        self.stage("data")
        self.plan()
        put(self.root, json.loads((self.root / PLAN / f"{EDITED}.json").read_text(encoding="utf-8")))

    def plan(self) -> None:
        """Make the plans without building their networks: these are networks of the real study, or were built before."""
        self.run("python", "-c", _PLAN)

    def record(self) -> None:
        """Tell DVC that everything is as its stages would make it, in one go: `dvc commit` writes the lock anew for each."""
        self.run("python", "-c", _COMMIT)

    def stage(self, name: str, *arguments: str) -> Spent:
        """Run a stage's command."""
        return self.run("python", "-m", f"pipeline.{name}", *arguments)

    def run(self, program: str, *arguments: str) -> Spent:
        """Run a program of this environment in the folder.

        Raises:
            RuntimeError: it failed; with the end of what it said.
        """
        programs = Path(sys.executable).parent
        environment = os.environ | {"PYTHONPATH": str(self.root.resolve()),
                                    "PATH": os.pathsep.join([str(programs), os.environ.get("PATH", "")])}
        began, before = time.perf_counter(), _work()
        done = subprocess.run([str(programs / program), *arguments], cwd=self.root, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        spent = Spent(time.perf_counter() - began, _work() - before)
        if done.returncode:
            raise RuntimeError(f"{' '.join([program, *arguments])[:80]}, in {self.root}: exit code {done.returncode}\n"
                               f"{done.stdout[-4000:]}")
        return spent

    def forget(self, path: Path) -> None:
        """Remove a folder, so that what makes it begins from nothing."""
        shutil.rmtree(self.root / path, ignore_errors=True)

    def bytes(self, path: Path) -> int:
        """Of a file, or of all files of a folder."""
        found = self.root / path
        return sum(one.stat().st_size for one in ([found] if found.is_file() else found.rglob("*")) if one.is_file())


_PLAN = """
import sys
from pipeline.plan import check
from pipeline.plan.__main__ import main

check.check = lambda plan, place, known: check.checked(plan)
sys.argv = ["plan"]
sys.exit(main())
"""
#: What a fresh process does in the folder: every stage's entry of the lock, written together.
_COMMIT = """
from dvc.dvcfile import Lockfile
from dvc.repo import Repo

repo = Repo()
with repo.lock:
    stages = list(repo.index.stages)
    for stage in stages:
        stage.save()
    Lockfile(repo, "dvc.lock").dump_stages(stages)
"""


def _work() -> float:
    """Seconds of all cores' work that finished children took."""
    times = os.times()
    return times.children_user + times.children_system


def _record() -> str:
    """The text of a stored lab record, `{experiment}` in place of its experiment's name."""
    for folder in sorted(RUNS.glob("*")):
        if (folder / RECORD).exists():
            return (folder / RECORD).read_text(encoding="utf-8").replace(folder.name, "{experiment}")
    raise ConfigError(f"{RUNS}: no lab record is stored; `make book` trains the study")


def _dump(content: Mapping | list, path: Path) -> None:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.sort_base_mapping_type_on_output = False, False
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)
