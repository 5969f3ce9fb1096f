"""A loss's name and arguments → a Keras loss of each sample."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from pipeline.config.errors import ConfigError, nearest
from pipeline.config.task import Task
from pipeline.network.arguments import check_name, check_value, first_lines, name_and_arguments, parameters

#: What the data of classes decide.
CROSS_ENTROPY = "CategoricalCrossentropy"
#: What a network may be trained on, besides what the data decide.
CLASSES = (CROSS_ENTROPY, "CategoricalFocalCrossentropy", "KLDivergence")
NUMBERS = ("MeanAbsoluteError", "MeanSquaredError", "Huber", "LogCosh")
#: Argument → why it may not be given.
ARGUMENTS = {
    "name": "it changes nothing", "dtype": "all networks compute in float32",
    "reduction": "a batch has the mean of its samples", "axis": "the classes are the last axis",
    "from_logits": "a head says whether it gives logits", "class_weight": "class_weight stands beside the loss",
}


def check_loss(spec, task: Task, place: str) -> None:
    """Refuse a loss that is none for a task, and arguments that it does not take.

    Args:
        spec: a name, or `{name: {argument: value}}`.

    Raises:
        ConfigError: with the reason, or the nearest valid word.
    """
    name, arguments = name_and_arguments(spec)
    allowed = CLASSES if task.classes else NUMBERS
    if task.quantiles:
        raise ConfigError(f"{place}: found {name}; quantiles have a loss of their own")
    if name not in allowed:
        kind = "classes" if task.classes else "numbers"
        raise ConfigError(f"{place}: found loss '{name}'; allowed for {kind}: {', '.join(allowed)}{nearest(name, allowed)}")
    known = parameters(getattr(keras.losses, name), object)
    for argument, value in arguments.items():
        check_name(argument, known, place, ("loss", name), ARGUMENTS)
        check_value(value, known[argument].default, f"{place}.{argument}")
    try:
        getattr(keras.losses, name)(**arguments)
    except Exception as error:
        raise ConfigError(f"{place}: Keras refuses the arguments of '{name}': {first_lines(error)}") from None


def loss_of_samples(spec, task: Task) -> Callable:
    """(y, prediction) → the loss of each sample; what a network of classes says it compares with a 1 at the class."""
    name, arguments = name_and_arguments(spec)
    made = getattr(keras.losses, name)(**arguments)
    if not task.classes:
        return made.call
    return lambda y, prediction: made.call(tf.one_hot(y, task.classes), prediction)
