"""Specs → the plan of an experiment: all that its training depends on, nothing else."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras

from pipeline.network.own import file_of, files_of
from pipeline.network.resolve import resolve as resolve_layer
from pipeline.plan.code import NUMERICS, digest_of_class, pins
from pipeline.config.errors import ConfigError, gathered, nearest, tell
from pipeline.config.layer_list import Variant, names, places, word_of, written_at
from pipeline.config.schema import PARAMS, Experiment, Params


@functools.cache
def _pinned(folder: Path) -> dict[str, str]:
    """The versions that the project in a folder, the current one, pins."""
    return pins()


@functools.cache
def _optimizers() -> dict[str, type]:
    """Keras' optimisers by name."""
    return {name: cls for name, cls in vars(keras.optimizers).items() if inspect.isclass(cls)
            and issubclass(cls, keras.optimizers.Optimizer) and name != "Optimizer"}


def check_optimizer(spec, place: str) -> None:
    """Refuse an optimiser that Keras does not have, or an argument that it does not take.

    Raises:
        ConfigError: with the nearest valid word.
    """
    known = _optimizers()
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


def _place(experiment: Experiment, variant: Variant, number: int, place: str) -> str:
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
        return f"{place}.layers{written_at(experiment.items)[number]}"
    for change in experiment.changes:
        if change.kind == "set" and change.place.partition(".")[0] in (word_of(layer), name):
            return f"{place}.set"
        if isinstance(change.value, list) and layer in change.value:
            return f"{place}.{change.kind}{f'.{change.place}' if change.place else ''}"
    return f"{place}: layer {name}"


def written(params: Params, name: str, path: Path = PARAMS) -> dict[str, list[str]]:
    """Variant of an experiment → where in the file each layer of its list was written."""
    experiment, place = params.experiments[name], f"{path}: experiments.{name}"
    return {one.name: [_place(experiment, one, number, place) for number in range(len(one.layers))]
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
    size = round(known["train_size"] * train.train_fraction)
    if train.batch_size > size:
        raise ConfigError(f"{place}: batch_size {train.batch_size} is more than the {size} "
                          f"training samples of '{data_set}'")
    network = {"layers": layers,
               "head": head(params.experiments[name], known["classes"], params.layers, place)}
    return {"variant": variant.name, "data": data_set, "shape": known["shape"],
            "task": _task(params.experiments[name], data_set, known, place),
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
    experiment = params.experiments[name]
    place = f"{path}: experiments.{name}"
    arms, sweep = [], params.sweep(name, place)
    for variant, layers in zip(sweep, _layers(params, sweep, written(params, name, path)), strict=True):
        # The rule is not measured on a reader's own data, which it decides nothing about.
        arms += [_arm(params, name, variant, layers, data_set, about[data_set], place)
                 for data_set in params.data_sets(name) if not (variant.measuring and params.data[data_set].own)]
    used = {item["class"] for arm in arms for part in arm["network"].values() for item in nested(part)}
    custom = {cls: file for cls in sorted(used) if (file := file_of(cls))}
    found = {"experiment": name, "arms": arms, "numerics": NUMERICS, "versions": dict(_pinned(Path.cwd())),
             "data": {d: {"digest": about[d]["digest"], "seeds": params.data[d].seeds}
                      | ({"own": True} if params.data[d].own else {}) for d in params.data_sets(name)}}
    if custom:
        found |= {"modules": files_of(custom),
                  "custom_layers": {cls: digest_of_class(Path(file), cls) for cls, file in custom.items()}}
    return found | ({"being_measured": True} if name in params.being_measured else {})


def nested(items):
    """Resolved items and the layers nested in them."""
    for item in items:
        yield item
        yield from nested([v for v in item["arguments"].values() if isinstance(v, dict) and "class" in v])
