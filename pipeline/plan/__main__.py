"""The stage `plan`: one resolved file an experiment."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

from pipeline.data import load as splits, sources
from pipeline.plan.code import warning
from pipeline.plan.tidy import DATA, PLAN, tidy
from pipeline.plan.words import check_words
from pipeline.tables.lock import check_edited
from pipeline.tables.stored import replace_folder, write_text
from pipeline.config.errors import ConfigError, complain
from pipeline.config.claims import check_claims, read_claims
from pipeline.process.cycles import search_seldom
from pipeline.config.data_files import FileSource
from pipeline.config.schema import PARAMS, Params, load
from pipeline.process.stage import run


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


def checked_before() -> set[str]:
    """What the plans that are there say was checked, whoever wrote them: a check that is left out shows in training."""
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
    """Write plans, together or not at all.

    Raises:
        Damaged: the plans that are there were changed, see `lock.check_edited`.
    """
    with replace_folder(PLAN) as new:
        for name, text in plans.items():
            write_text(new / f"{name}.json", text)


def _read() -> Params:
    """The checked params.yaml.

    Raises:
        ConfigError: a mistake in it, or in the claims.
        Damaged: `dvc.lock` is not whole, or a plan was changed.
    """
    params = load()
    # DVC reads this list itself, and has only words of its own if there is none.
    if "experiments" not in params.probe.model_fields_set:
        raise ConfigError(f"{PARAMS}: probe.experiments: missing; allowed: a list of "
                          "experiments, also an empty one, []")
    for name, entry in params.data.items():
        if not isinstance(entry, FileSource):
            sources.check(entry.source, f"{PARAMS}: data.{name}", **entry.arguments)
    check_claims(read_claims(), params)
    check_words(params, PLAN.glob("*.json"))
    return params


def main() -> int:
    """Write `plan/`; with `--check`, only check params.yaml; with `--tidy`, put in order what DVC does not."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.plan", description=main.__doc__)
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--check", action="store_true", help="check params.yaml and claims, write nothing")
    asked.add_argument("--tidy", action="store_true", help="check, then mend what a kill left, and remove what was taken "
                       "out of params.yaml; what `make` calls before DVC")
    given = parser.parse_args()
    try:
        params = _read()
        if given.tidy:
            tidy(params)
        check_edited(PLAN)
        if given.check or given.tidy:
            return 0
        print(warning(), end="\n" if warning() else "", file=sys.stderr)
        write(resolved(params))
    except (ConfigError, ValueError) as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    search_seldom()
    sys.exit(run(main))
