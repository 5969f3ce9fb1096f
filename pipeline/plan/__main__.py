"""The stage `plan`: one resolved file an experiment."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path

from pipeline.data import sources, splits
from pipeline.results import PROBES, RUNS, write_text
from pipeline.spec.base import ConfigError, complain
from pipeline.spec.claims import check_claims, read_claims
from pipeline.spec.params import Params, load

PLAN = Path("plan")
DATA = Path("data")


def describe(params: Params, folder: Path = DATA) -> dict[str, dict]:
    """What plans need to know of each data set on disk."""
    about = {}
    for name in params.data:
        path = folder / f"{name}.npz"
        arrays = sources.read(path)
        split = splits.load(arrays, params.seeds(name)[0])
        about[name] = {"digest": hashlib.sha256(path.read_bytes()).hexdigest()[:16],
                       "shape": list(split.x_train.shape[1:]), "classes": split.classes,
                       "train_size": len(split.x_train)}
    return about


def tidy(folder: Path, kept) -> None:
    """Remove the folders, and the JSON files, inside `folder` that are not named in `kept`."""
    for inner in Path(folder).glob("*"):
        if inner.is_dir() and inner.name not in kept:
            shutil.rmtree(inner)
        elif inner.suffix == ".json" and inner.stem not in kept:
            inner.unlink()


def main() -> int:
    """Write `plan/`, tidy what a deleted experiment left; with `--check`, only check params.yaml."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.plan", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="check params.yaml and claims, write nothing")
    only_check = parser.parse_args().check
    try:
        params = load()
        # DVC reads this list itself, and has only words of its own if there is none.
        if "experiments" not in params.probe.model_fields_set:
            raise ConfigError("params.yaml: probe.experiments: missing; allowed: a list of "
                              "experiments, also an empty one, []")
        for name, entry in params.data.items():
            sources.check(entry.source, f"params.yaml: data.{name}", **entry.arguments)
        check_claims(read_claims(), params)
        if only_check:
            return 0
        # Only now, because they load TensorFlow.
        from pipeline.plan.check import check, networks
        from pipeline.plan.resolve import resolve

        about = describe(params)
        plans = {}
        for name in params.experiments:
            plans[name] = json.dumps(resolve(params, name, about), indent=1, sort_keys=True) + "\n"
        for name, text in plans.items():
            path = PLAN / f"{name}.json"
            plan = json.loads(text)
            if not path.exists() or networks(json.loads(path.read_text())) != networks(plan):
                print(f"checking the networks of {name}", flush=True)
                check(plan, f"params.yaml: experiments.{name}")
    except (ConfigError, ValueError) as error:
        return complain(error)
    for name, text in plans.items():
        write_text(PLAN / f"{name}.json", text)
    for folder in (PLAN, RUNS, Path("timings")):
        tidy(folder, plans)
    tidy(PROBES, params.probe.experiments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
