"""Specs → the plan of an experiment: all that its training depends on, nothing else."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.network.arguments import resolve_activation
from pipeline.network.model import build
from pipeline.network.losses import check_loss
from pipeline.network.optimizers import check_optimizer
from pipeline.network.own import file_of, files_of
from pipeline.network.resolve import resolve as resolve_layer
from pipeline.plan.code import NUMERICS, digest_of_class, pins
from pipeline.config.experiments import FIRST_SEED, AnyDataSet
from pipeline.config.errors import ConfigError, gathered, tell
from pipeline.config.layer_list import written_at
from pipeline.config.layer_names import names, places, word_of
from pipeline.config.schema import PARAMS, Experiment, Params
from pipeline.config.sweeps import Variant
from pipeline.config.task import Task
from pipeline.train.arm import canonical


@functools.cache
def _pinned(folder: Path) -> dict[str, str]:
    """The versions that the project in a folder, the current one, pins."""
    return pins()


def head(experiment: Experiment, classes: int, words: dict, place: str) -> list[dict]:
    """What follows the output's linear layer: from the task, unless the experiment says."""
    items = experiment.head
    if items is None:
        items = [{"Activation": "softmax"}] if classes else []
    elif isinstance(items, str):
        items = [{"Activation": resolve_activation(items, f"{place}.head")}]
    found = [resolve_layer(item, words, f"{place}.head[{i}]") for i, item in enumerate(items)]
    if classes:
        _require_probabilities(found, classes, place)
    return found


def _require_probabilities(items: list[dict], classes: int, place: str) -> None:
    """Refuse a head that makes no probabilities of classes."""
    try:
        least, most = _range(canonical(items), classes)
    except ConfigError as error:
        raise ConfigError(f"{place}{error}") from None
    if not (least >= -1e-6 and most <= 1 + 1e-6):
        raise ConfigError(f"{place}.head: it gives a class {least:.3g} to {most:.3g}, which are no probabilities; "
                          "allowed: what stays within 0..1, such as softmax, which stands there without `head`, or sigmoid")


@functools.cache
def _range(head: str, classes: int) -> tuple[float, float]:
    """The least and the greatest that a head gives, of logits of every size."""
    logits = 10 * np.random.default_rng(0).standard_normal((100, classes)).astype(np.float32)
    outputs = build({"layers": [], "head": json.loads(head)}, (classes,), classes, place="")(logits).numpy()
    return float(outputs.min()), float(outputs.max())


def _place(experiment: Experiment, variant: Variant, number: int, place: str, lists: Mapping) -> str:
    """Where in the file a layer of a variant's list was written, for messages.

    Of an experiment that is a change of another, that is the change that brought the layer, or
    else the layer's name: its list stands nowhere.
    """
    layer, name = variant.layers[number], names(variant.layers)[number]
    if experiment.everywhere:
        start = places(experiment.layers).index(variant.values["place"])
        if start <= number < start + len(experiment.everywhere):
            return f"{place}.everywhere"
        number -= len(experiment.everywhere) if number >= start else 0
    if experiment.items:
        return f"{place}.layers{written_at(experiment.items, lists)[number]}"
    for change in experiment.changes:
        if change.kind == "set" and change.place.partition(".")[0] in (word_of(layer), name):
            return f"{place}.set"
        if isinstance(change.value, list) and layer in change.value:
            return f"{place}.{change.kind}{f'.{change.place}' if change.place else ''}"
    return f"{place}: layer {name}"


def written(params: Params, name: str, path: Path = PARAMS) -> dict[str, list[str]]:
    """Variant of an experiment → where in the file each layer of its list was written."""
    experiment, place = params.experiments[name], f"{path}: experiments.{name}"
    return {one.name: [_place(experiment, one, number, place, params.layers) for number in range(len(one.layers))]
            for one in params.sweep(name)}


def _layers(params: Params, sweep: Sequence[Variant], places: Mapping[str, Sequence[str]]) -> list[list[dict]]:
    """The resolved layers of each variant; ConfigError with every layer that cannot be."""
    lists, found = [], []
    for variant in sweep:
        lists.append([])
        for layer, place in zip(variant.layers, places[variant.name], strict=True):
            with gathered(found):
                lists[-1].append(resolve_layer(layer, params.layers, place))
    tell(found)
    return lists


def _task(experiment: Experiment, data_set: str, known: dict, place: str) -> dict:
    """What a network is asked to tell of a data set, as `spec.task.Task` has it."""
    quantiles = experiment.quantiles or []
    if quantiles and known["classes"]:
        raise ConfigError(f"{place}.quantiles: found {quantiles}, but '{data_set}' has classes; allowed: "
                          "data sets whose targets are numbers")
    return {"classes": known["classes"], "targets": known["targets"], "quantiles": quantiles}


def _arm(params: Params, name: str, variant: Variant, layers: list[dict], data_set: str, known: dict,
         place: str) -> dict:
    """The plan of one variant on one data set."""
    train = params.training(name, data_set, **variant.training)
    check_optimizer(train.optimizer, f"{place}.optimizer on '{data_set}'")
    task = _task(params.experiments[name], data_set, known, place)
    if train.loss:
        check_loss(train.loss, Task.of({"task": task}), f"{place}.loss on '{data_set}'")
    if train.class_weight and not known["classes"]:
        raise ConfigError(f"{place}.class_weight: '{data_set}' has numbers; allowed: data sets with classes")
    size = round(known["train_size"] * train.train_fraction)
    if train.batch_size > size:
        raise ConfigError(f"{place}: batch_size {train.batch_size} is more than the {size} "
                          f"training samples of '{data_set}'")
    network = {"layers": layers,
               "head": head(params.experiments[name], known["classes"], params.layers, place)}
    return {"variant": variant.name, "data": data_set, "shape": known["shape"],
            "task": task,
            "train": train.model_dump(), "network": network} | (
                {"measuring": True} if variant.measuring else {})


def resolve(params: Params, name: str, about: dict[str, dict], path: Path = PARAMS) -> dict:
    """The plan of an experiment.

    Its arms are those of the experiment's variants, each on every data set; then those that only
    measure the rule, which alone have an entry `measuring`. The plan of an experiment that is not
    trained yet has an entry `being_measured`, so that its stage trains own data alone until it is taken off that list;
    that of one with layer classes of one's own an entry `modules`, their files with their SHA-256.

    Args:
        about: data set → its `digest`, `shape` of a sample, `classes` (0: numbers), `targets`, `train_size`.

    Raises:
        ConfigError: a word, layer or argument that cannot be used.
    """
    place = f"{path}: experiments.{name}"
    arms, sweep = [], params.sweep(name, place)
    for variant, layers in zip(sweep, _layers(params, sweep, written(params, name, path)), strict=True):
        # The rule is not measured on a reader's own data, which it decides nothing about.
        arms += [_arm(params, name, variant, layers, data_set, about[data_set], place)
                 for data_set in params.data_sets(name) if not (variant.measuring and params.data[data_set].own)]
    used = {item["class"] for arm in arms for part in arm["network"].values() for item in nested(part)}
    custom = {cls: file for cls in sorted(used) if (file := file_of(cls))}
    found = {"experiment": name, "arms": arms, "numerics": NUMERICS, "versions": dict(_pinned(Path.cwd())),
             "data": {d: _about(params.data[d], about[d]["digest"]) for d in params.data_sets(name)}}
    if custom:
        found |= {"modules": files_of(custom),
                  "custom_layers": {cls: digest_of_class(Path(file), cls) for cls, file in custom.items()}}
    return found | ({"being_measured": True} if name in params.being_measured else {})


def _about(entry: AnyDataSet, digest: str) -> dict:
    """What a plan says of a data set; what is as usual it leaves out."""
    return {"digest": digest, "seeds": entry.seeds} | ({"own": True} if entry.own else {}) | (
        {"first_seed": entry.first_seed} if entry.first_seed != FIRST_SEED else {})


def nested(items):
    """Resolved items and the layers nested in them."""
    for item in items:
        yield item
        yield from nested([v for v in item["arguments"].values() if isinstance(v, dict) and "word" in v])
