"""The stage `plan`: one resolved file an experiment."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Collection
from pathlib import Path

from pipeline.data import sources, split as splits
from pipeline.data.user_data.read import changed
from pipeline.plan.code import warning
from pipeline.plan.lock import LOCK, mend, prune
from pipeline.tables.stored import PROBES, RUNS, SUMS, Store, seal, sweep, verify, write_text
from pipeline.config.errors import ConfigError, complain
from pipeline.config.claims import check_claims, read_claims
from pipeline.process.cycles import search_seldom
from pipeline.config.data_files import FileSource
from pipeline.config.schema import PARAMS, Params, load
from pipeline.process.stage import run

PLAN = Path("plan")
DATA = Path("data")
TIMINGS = Path("timings")


def describe(params: Params, folder: Path = DATA) -> dict[str, dict]:
    """What plans need to know of each data set on disk."""
    about = {}
    for name in params.data:
        path = folder / f"{name}.npz"
        arrays = sources.read(path)
        split = splits.load(arrays, params.seeds(name)[0])
        about[name] = {"digest": hashlib.sha256(path.read_bytes()).hexdigest()[:16],
                       "shape": list(split.x_train.shape[1:]), "classes": split.classes,
                       "targets": 1 if split.classes else split.y_train.shape[1],
                       "train_size": len(split.x_train)}
    return about


def tidy(folder: Path, kept) -> None:
    """Remove the folders, plans and timings inside `folder` that are not named in `kept`."""
    for inner in Path(folder).glob("*"):
        if inner.is_dir() and inner.name not in kept:
            shutil.rmtree(inner)
        elif inner.suffix == ".json" and inner.stem not in kept:
            inner.unlink()


def remember(kept) -> None:
    """Keep the runs of experiments that are not named in `kept` in the store, before they are tidied away.

    So an experiment that has only got another name is not trained again. Tables that are not what
    was stored are not kept.
    """
    for folder in RUNS.glob("*"):
        if folder.name not in kept and not os.environ.get("RETRAIN"):
            try:
                verify(folder)
                Store().fill(folder)
            except ValueError:
                pass


def checked_before() -> set[str]:
    """What the plans that are there say was checked."""
    from pipeline.plan.check import checked

    found = set()
    for path in PLAN.glob("*.json"):
        try:
            found |= checked(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError):  # Made by an older version of this stage.
            pass
    return found


def resolved(params: Params) -> dict[str, str]:
    """The text of every plan, the networks of each checked unless they were before.

    Raises:
        ConfigError: a network that cannot be built or trained.
    """
    # Only now, because they load TensorFlow.
    from pipeline.network.own import register
    from pipeline.plan.check import check, checked
    from pipeline.plan.resolve import resolve

    register(params.modules, f"{PARAMS}: modules")
    about = describe(params)
    plans = {name: resolve(params, name, about) for name in params.experiments}
    known = checked_before()
    for name, plan in plans.items():
        if not checked(plan) <= known:
            print(f"checking the networks of {name}", flush=True)
            known |= check(plan, f"{PARAMS}: experiments.{name}", known)
    return {name: json.dumps(plan, indent=1, sort_keys=True) + "\n" for name, plan in plans.items()}


def write(plans: dict[str, str]) -> None:
    """Write plans, and their seal last: a kill in between leaves none, and plans are made again."""
    for folder in (PLAN, TIMINGS):
        sweep(folder)
    (PLAN / SUMS).unlink(missing_ok=True)
    for name, text in plans.items():
        path = PLAN / f"{name}.json"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)
    tidy(PLAN, plans)
    seal(PLAN)


def _make_anew_if_changed(entry: FileSource, path: Path) -> None:
    """Remove the arrays of a file that has changed since, so that its stage makes them again."""
    if path.exists() and changed(entry, sources.read(path)):
        path.unlink()
        print(f"{entry.file} has changed: {path} is made again", flush=True)


def _make_anew_if_edited(files: Collection[str]) -> None:
    """Remove the seal of plans that are of other layer classes than those in the files: all are made again."""
    for path in PLAN.glob("*.json") if files else ():
        known = json.loads(path.read_text(encoding="utf-8")).get("modules", {})
        for file, digest in known.items():
            if file in files and Path(file).is_file() and hashlib.sha256(Path(file).read_bytes()).hexdigest() != digest:
                (PLAN / SUMS).unlink(missing_ok=True)
                print(f"{file} has changed: {path} is made again", flush=True)


def _read() -> Params:
    """The checked params.yaml; ConfigError for a mistake in it, in the claims, or a changed plan."""
    params = load()
    # DVC reads this list itself, and has only words of its own if there is none.
    if "experiments" not in params.probe.model_fields_set:
        raise ConfigError(f"{PARAMS}: probe.experiments: missing; allowed: a list of "
                          "experiments, also an empty one, []")
    for name, entry in params.data.items():
        if isinstance(entry, FileSource):
            _make_anew_if_changed(entry, DATA / f"{name}.npz")
        else:
            sources.check(entry.source, f"{PARAMS}: data.{name}", **entry.arguments)
    check_claims(read_claims(), params)
    # A plan is made from params.yaml, which may change; without a seal it is simply made again.
    if (PLAN / SUMS).exists():
        verify(PLAN)
        _make_anew_if_edited(params.modules)
    return params


def main() -> int:
    """Write `plan/`, tidy what was taken out of params.yaml; with `--check`, only check params.yaml."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.plan", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="check params.yaml and claims, write nothing")
    only_check = parser.parse_args().check
    try:
        params = _read()
        if only_check:
            mend()
            return 0
        print(warning(), end="\n" if warning() else "", file=sys.stderr)
        plans = resolved(params)
        lock = LOCK.read_text(encoding="utf-8") if LOCK.exists() else ""
        pruned = prune(lock, {"train": plans, "probe": params.probe.experiments})
    except (ConfigError, ValueError) as error:
        return complain(error)
    write(plans)
    remember(plans)
    for folder in (RUNS, TIMINGS):
        tidy(folder, plans)
    tidy(PROBES, params.probe.experiments)
    if pruned != lock:
        write_text(LOCK, pruned)
    return 0


if __name__ == "__main__":
    search_seldom()
    sys.exit(run(main))
