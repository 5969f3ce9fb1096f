"""All that a person wrote, read and checked: params.yaml, claims, and the networks that they make."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pipeline.config import readings
from pipeline.config import schema
from pipeline.config.readings import READINGS, check_claims
from pipeline.config.data_files import FileSource
from pipeline.config.errors import ConfigError, gathered
from pipeline.config.layer_list import flat
from pipeline.config.layer_names import word_of
from pipeline.config.read_yaml import read_yaml
from pipeline.config.schema import PARAMS, Params
from pipeline.data import sources, split as splits
from pipeline.data.__main__ import arrays_of, is_current
from pipeline.plan.tidy import DATA, PLAN
from pipeline.train.arm import DataSet


def read(found: list[ConfigError]) -> Params | None:
    """What can be understood of params.yaml, its claims checked too; mistakes are added to `found`."""
    params = written = None
    with gathered(found):
        written = read_yaml(PARAMS)
        params = schema.understood(written, PARAMS, found)
    claims = []
    with gathered(found):
        claims = readings.understood(read_yaml(READINGS), READINGS, found)
    if params is None:
        return None
    # DVC reads this list itself, and has only words of its own if there is none.
    if "experiments" not in params.probe.model_fields_set:
        found.append(ConfigError(f"{PARAMS}: probe.experiments: missing; allowed: a list of experiments, also an empty "
                                 "one, []"))
    for name, entry in params.data.items():
        if not isinstance(entry, FileSource):
            with gathered(found):
                sources.check(entry.source, f"{PARAMS}: data.{name}", **entry.arguments)
    wrong = written["experiments"].keys() - params.experiments.keys()
    with gathered(found):
        check_claims([claim for claim in claims if not wrong & {*claim.experiments}], params)
    return params


# The data that plans depend on

def facts(arrays: Mapping, content: bytes, seed: int) -> dict:
    """What plans need to know of a data set.

    Args:
        content: of its file.
    """
    split = splits.load(arrays, seed)
    return {"digest": hashlib.sha256(content).hexdigest()[:16], "shape": list(split.x_train.shape[1:]),
            "classes": split.classes, "targets": 1 if split.classes else split.y_train.shape[1],
            "train_size": len(split.x_train)}


def describe(params: Params, folder: Path = DATA) -> dict[str, dict]:
    """What plans need to know of each data set on disk."""
    return {name: facts(sources.read(path := folder / f"{name}.npz"), path.read_bytes(), params.seeds(name)[0])
            for name in params.data}


class Arrays(dict):
    """Data set by name, from the disk, or made now without a file, when it is first asked for."""

    def __init__(self, params: Params):
        super().__init__()
        self.params = params

    def __missing__(self, name: str) -> DataSet:
        self[name] = found = DataSet(sources.read(DATA / f"{name}.npz") if is_current(self.params, name) else
                                     arrays_of(self.params, name))
        return found


class Facts(dict):
    """What plans need to know of data sets, found when it is asked for; nothing is written."""

    def __init__(self, params: Params):
        super().__init__()
        self.params, self.data = params, Arrays(params)

    def __missing__(self, name: str) -> dict:
        made = self.data[name].arrays
        self[name] = found = facts(made, sources.content(made), self.params.seeds(name)[0])
        return found


# Plans

def stored_plans() -> list[dict]:
    """The plans that are there, but for those that an older version of this room has made."""
    found = []
    for path in sorted(PLAN.glob("*.json")):
        try:
            plan = json.loads(path.read_text(encoding="utf-8"))
            if all(arm["data"] in plan["data"] and arm["task"] and arm["shape"] for arm in plan["arms"]):
                found.append(plan)
        except (ValueError, KeyError, TypeError):
            pass
    return found


def text(plan: dict) -> str:
    """A plan as its file holds it."""
    return json.dumps(plan, indent=1, sort_keys=True) + "\n"


def resolved(params: Params, about: Mapping[str, dict], found: list[ConfigError]) -> tuple[dict[str, dict], list[str]]:
    """The plan of every experiment, and the names of those whose networks are new, which are built.

    Mistakes are added to `found`, and of their experiments there may be no plan.
    """
    # Only now, because they load TensorFlow.
    from pipeline.network.own import register
    from pipeline.network.resolve import resolve as resolve_layer
    from pipeline.plan.check import check, checked, same_as_control
    from pipeline.plan.resolve import resolve, written

    try:
        register(params.modules, f"{PARAMS}: modules")
    except ConfigError as error:  # Its classes are words.
        found.extend(error.each)
        return {}, []
    mine: dict[str, list[ConfigError]] = {name: [] for name in params.experiments}
    wrong = _wrong_words(params, found, resolve_layer)
    plans: dict[str, dict] = {}
    for name in params.experiments:
        if not wrong & {word_of(layer) for variant in params.sweep(name) for layer in variant.layers}:
            with gathered(mine[name]):
                plans[name] = resolve(params, name, about)
    known: set[str] = set()
    for plan in stored_plans():
        with contextlib.suppress(KeyError, TypeError):  # Made by an older version of this room.
            known |= checked(plan)
    new = [name for name, plan in plans.items() if not checked(plan) <= known]
    for name in new:
        if not checked(plans[name]) <= known and not any(mine[one] for one in _bases(params, name)):
            print(f"checking the networks of {name}", flush=True)
            with gathered(mine[name]):
                known |= check(plans[name], f"{PARAMS}: experiments.{name}", known, written(params, name))
    for name in same_as_control(plans, {name: one.versus for name, one in params.experiments.items()}):
        mine[name].append(ConfigError(
            f"{PARAMS}: experiments.{name}: its networks are those of its control '{params.experiments[name].versus}', and "
            "trained alike; allowed: a change, or versus: null"))
    # What is wrong with an experiment is not said of its changes again.
    found.extend(error for name, errors in mine.items() if not any(mine[one] for one in _bases(params, name))
                 for error in errors)
    return plans, new


def _wrong_words(params: Params, found: list[ConfigError], resolve_layer: Callable) -> set[str]:
    """The words of the vocabulary that no layer can be made of."""
    wrong = set()
    for word in params.layers:
        try:
            for layer in flat([word], params.layers):
                resolve_layer(layer, params.layers, f"{PARAMS}: layers.{word}")
        except ConfigError as error:
            found.extend(error.each)
            wrong.add(word)
    return wrong


def _bases(params: Params, name: str) -> Iterator[str]:
    """The experiments of which one is a change, the nearest first."""
    while (name := params.experiments[name].of) in params.experiments:
        yield name
