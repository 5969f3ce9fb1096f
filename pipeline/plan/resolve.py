"""Specs → the plan of an experiment: all that its training depends on, nothing else."""

from __future__ import annotations

import inspect
from pathlib import Path

import keras
from pydantic import ValidationError

from pipeline.network.resolve import _own_layers
from pipeline.network.resolve import resolve as resolve_layer
from pipeline.plan.code import DECIDE, LAYERS, digest, pins
from pipeline.spec.base import ConfigError, explain, nearest
from pipeline.spec.params import Experiment, Params, Train


def variants(experiment: Experiment, words: dict, place: str) -> list[tuple[str, dict, dict]]:
    """The members of a sweep: (name, varied training values, vocabulary with varied words).

    Without `vary` there is one, whose name is empty. Several keys make the full grid.
    """
    found = [("", {}, words)]
    listed = [item if isinstance(item, str) else next(iter(item)) for item in experiment.layers]
    for key, values in (experiment.vary or {}).items():
        grown = []
        for name, training, vocabulary in found:
            for value in values:
                label = f"{name},{key}={value}".lstrip(",")
                if key in Train.model_fields:
                    grown.append((label, training | {key: value}, vocabulary))
                    continue
                word, _, argument = key.partition(".")
                if not argument or word not in listed:
                    allowed = list(Train.model_fields) + [f"{w}.<argument>" for w in listed]
                    raise ConfigError(f"{place}.vary: unknown key '{key}'; allowed: "
                                      f"{', '.join(allowed)}{nearest(key, allowed)}")
                # Of the vocabulary so far: another key may have changed the same word.
                definition = vocabulary.get(word, word)
                cls, given = (definition, {}) if isinstance(definition, str) else next(
                    iter(definition.items()))
                changed = {cls: (given if isinstance(given, dict) else {"activation": given})
                           | {argument: value}}
                grown.append((label, training, vocabulary | {word: changed}))
        found = grown
    return found


def check_optimizer(spec, place: str) -> None:
    """Refuse an optimiser that Keras does not have, or an argument that it does not take.

    Raises:
        ConfigError: with the nearest valid word.
    """
    known = {name: cls for name, cls in vars(keras.optimizers).items() if inspect.isclass(cls)
             and issubclass(cls, keras.optimizers.Optimizer) and name != "Optimizer"}
    name, arguments = (spec, {}) if isinstance(spec, str) else next(iter(spec.items()))
    found = {word.lower(): cls for word, cls in known.items()}.get(name.lower())
    if found is None:
        raise ConfigError(f"{place}: unknown optimiser '{name}'; allowed: {', '.join(sorted(known))}"
                          f"{nearest(name, known)}")
    allowed = set(inspect.signature(found.__init__).parameters) - {
        "self", "learning_rate", "name", "kwargs"}
    for argument in arguments:
        if argument not in allowed:
            more = "; the rate is set by learning_rate" if argument == "learning_rate" else ""
            raise ConfigError(f"{place}: optimiser '{name}' has no argument '{argument}'; allowed: "
                              f"{', '.join(sorted(allowed))}{nearest(argument, allowed)}{more}")


def head(experiment: Experiment, classes: int, words: dict, place: str) -> list[dict]:
    """What follows the output's linear layer: from the task, unless the experiment says."""
    items = experiment.head
    if items is None:
        items = [{"Activation": "softmax"}] if classes else []
    elif isinstance(items, str):
        try:
            keras.activations.get(items)
        except ValueError:
            allowed = [a for a in dir(keras.activations) if a.islower() and not a.startswith("_")]
            raise ConfigError(f"{place}.head: unknown activation '{items}'; allowed: "
                              f"{', '.join(allowed)}; or a list of layers{nearest(items, allowed)}"
                              ) from None
        items = [{"Activation": items}]
    return [resolve_layer(item, words, f"{place}.head[{i}]") for i, item in enumerate(items)]


def resolve(params: Params, name: str, about: dict[str, dict], path: Path = Path("params.yaml")) -> dict:
    """The plan of an experiment.

    Args:
        about: data set → its `digest`, `shape` of a sample, `classes` and `train_size`.

    Raises:
        ConfigError: a word, layer or argument that cannot be used.
    """
    experiment = params.experiments[name]
    place = f"{path}: experiments.{name}"
    words = params.layers
    arms = []
    for variant, varied, vocabulary in variants(experiment, words, place):
        layers = [resolve_layer(item, vocabulary, f"{place}.layers[{i}]")
                  for i, item in enumerate(experiment.layers)]
        for data_set in params.data_sets(name):
            try:
                train = params.training(name, data_set, **varied)
            except ValidationError as error:
                raise explain(f"{place}.vary", Train, error) from None
            check_optimizer(train.optimizer, f"{place}.optimizer on '{data_set}'")
            known = about[data_set]
            size = round(known["train_size"] * train.train_fraction)
            if train.batch_size > size:
                raise ConfigError(f"{place}: batch_size {train.batch_size} is more than the {size} "
                                  f"training samples of '{data_set}'")
            arms.append({
                "variant": variant, "data": data_set, "shape": known["shape"],
                "classes": known["classes"], "train": train.model_dump(),
                "network": {"layers": layers,
                            "head": head(experiment, known["classes"], vocabulary, place)}})
    used = {item["class"] for arm in arms for part in arm["network"].values() for item in _all(part)}
    code = {room: digest(files, names) for room, (files, names) in DECIDE.items()}
    own = sorted(used & set(_own_layers()))
    code["layers"] = {cls: digest(LAYERS, (cls,)) for cls in own}
    # Part of no run's key: editing how a rate is chosen writes the tables anew, and trains nothing.
    tables = {"train": digest(("train/runs.py",), ("train",)),
              "config": digest(("spec/params.py",), ("study_seeds", "tuning_seeds"))}
    return {"experiment": name, "arms": arms, "code": code, "tables": tables, "versions": pins(),
            "data": {d: {"digest": about[d]["digest"], "seeds": params.data[d].seeds}
                     for d in params.data_sets(name)}}


def _all(items):
    """Resolved items and the layers nested in them."""
    for item in items:
        yield item
        yield from _all([v for v in item["arguments"].values() if isinstance(v, dict) and "class" in v])
