"""A network is trained again, and its layers are watched."""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from pipeline.data.split import Split
from pipeline.probe.measures import (
    accuracy, by_unit, constant, correlation, drift, kurtosis, log_ratio, moment_distance,
    moments, norm, saturation, skewness, zero_share)
from pipeline.config.task import Task
from pipeline.train.task import loss_function
from pipeline.train.trainer import Trainer

#: The batch that layers are looked at on has at most so many samples, or one training batch.
SAMPLES = 256
AT_START, AT_FIRST_EPOCH = "_at_start", "_at_first_epoch"
LAYER_MEASURES = ["mean", "variance", "moment_distance", "skewness", "kurtosis", "zero_share",
                  "saturated_share", "slope", "correlation", "gradient_norm", "gradient_imbalance",
                  "gradient_over_time", "gamma"]
NETWORK_MEASURES = ["constant", "inference_gap"]
MEASURES = [*(name + when for name in LAYER_MEASURES for when in ("", AT_START)), "drift",
            *(name + when for name in NETWORK_MEASURES for when in ("", AT_FIRST_EPOCH))]
#: Layers that are looked at as in training; besides Keras' BatchNormalization and its subclasses.
AS_IN_TRAINING = {"GhostBatchNormalization", "BatchNormLSTM", "LayerNormLSTM", "BatchNoise"}
#: How the names of weights begin that are no kernels, whatever their shape.
NO_KERNELS = ("bias", "gamma", "beta", "alpha")


@dataclass(frozen=True, eq=False)
class Seen:
    """What was seen of one layer on a batch.

    Attributes:
        outputs: `(batch, ..., units)`.
        gradients: of the loss by each kernel.
        ends: of the loss by the output at the first and at the last step, `(batch, channels)`
            both; empty unless the output is `(batch, time, channels)`.
        gammas: of a normalisation, `(units,)` each.
    """

    outputs: np.ndarray
    gradients: list[np.ndarray]
    ends: list[np.ndarray]
    gammas: list[np.ndarray]


def _as_in_training(layer) -> bool:
    return any(isinstance(part, keras.layers.BatchNormalization)
               or type(part).__name__ in AS_IN_TRAINING for part in layer._flatten_layers())


def kernels(layer) -> list:
    """The trained weights of a layer but biases, gammas, betas and the slopes of a PReLU."""
    return [w for w in layer.trainable_variables if len(w.shape) >= 2 and not w.name.startswith(NO_KERNELS)]


class Watched(Trainer):
    """A trainer that stops after each epoch, so that its network can be looked at."""

    def __init__(self, network: dict, shape: tuple[int, ...], task: Task, optimizer):
        super().__init__(network, shape, task, optimizer)
        #: In the network's order, which is a chain.
        self.layers = [layer for layer in self.model.layers if not isinstance(layer, keras.layers.InputLayer)]
        self._look = tf.function(self._see, jit_compile=True)
        self._together = tf.function(lambda x: self._outputs(x)[-1], jit_compile=True)

    def _outputs(self, x) -> list:
        """What each layer gives. All variables are afterwards as they were."""
        before = [tf.identity(v.value) for v in self.model.variables]
        outputs = []
        for layer in self.layers:
            x = layer(x, training=_as_in_training(layer))
            outputs.append(x)
        for variable, value in zip(self.model.variables, before):
            variable.assign(value)
        return outputs

    def _see(self, x, y):
        weights = [kernels(layer) for layer in self.layers]
        with tf.GradientTape() as tape:
            tape.watch(x)  # A first layer that does nothing gives the input itself.
            outputs = self._outputs(x)
            loss = loss_function(self.task)(y, outputs[-1])
        over_time = [[o] if len(o.shape) == 3 else [] for o in outputs]
        of_weights, of_outputs = tape.gradient(
            loss, ([[w.value for w in some] for some in weights], over_time),
            unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return outputs, of_weights, [[g[:, step] for g in one for step in (0, -1)] for one in of_outputs]

    def begin(self, start: list[np.ndarray], learning_rate: float) -> None:
        """Put everything at a run's start; `start` as `Trainer.start` gives it."""
        self._begin(self._variables, start, learning_rate)

    def epoch(self, split: Split, order: np.ndarray) -> np.ndarray:
        """Go on for one epoch; its training and validation loss, as in `Trainer.run`'s curves.

        Args:
            order: the epoch's row numbers `(batches, batch_size)`.
        """
        return self._epochs(self._variables, split, order[None], patience=0)[0]

    def look(self, x: np.ndarray, y: np.ndarray) -> list[Seen]:
        """What each layer does on a batch now. Changes nothing."""
        outputs, gradients, ends = self._look(tf.constant(x), tf.constant(y))
        return [Seen(output.numpy(), [g.numpy() for g in some], [e.numpy() for e in end],
                     [w.numpy() for w in layer.weights if w.name.startswith("gamma")])
                for layer, output, some, end in zip(self.layers, outputs, gradients, ends)]

    def inference_gap(self, x: np.ndarray, y: np.ndarray) -> float:
        """Accuracy with the statistics of this batch less accuracy at inference, in -1..1."""
        together = self._together(tf.constant(x)).numpy()
        inference, = self._predict(self._variables, x)
        return accuracy(y, together) - accuracy(y, inference.numpy())


def describe(layers: list, seen: list[Seen]) -> list[dict[str, float]]:
    """`LAYER_MEASURES` of each layer, from one look at them."""
    norms = [norm(one.gradients) for one in seen]
    reference = dict(zip((layer.name for layer in layers), norms)).get("output_1", math.nan)
    rows = []
    for layer, one, size in zip(layers, seen, norms, strict=True):
        values = by_unit(one.outputs)
        mean, variance = moments(values)
        activation = layer.activation if isinstance(layer, keras.layers.Activation) else None
        saturated, slope = saturation(activation, values)
        rows.append({
            "mean": mean.mean(), "variance": variance.mean(), "moment_distance": moment_distance(mean, variance),
            "skewness": skewness(values), "kurtosis": kurtosis(values),
            "zero_share": zero_share(values), "saturated_share": saturated, "slope": slope,
            "correlation": correlation(values), "gradient_norm": size,
            "gradient_imbalance": abs(log_ratio(size, reference)),
            "gradient_over_time": log_ratio(norm(one.ends[:1]), norm(one.ends[1:])),
            "gamma": float(np.abs(np.concatenate(one.gammas)).mean()) if one.gammas else math.nan})
    return rows


def whole_batches(size: int, batch_size: int) -> int:
    """How many of `size` samples fill whole batches; all of them if they fill none."""
    return size // batch_size * batch_size or size


def watch(trainer: Watched, start: list[np.ndarray], split: Split, order: np.ndarray,
          learning_rate: float) -> dict[str, dict[str, float]] | None:
    """One run → its measures by layer name, the network's under the empty name; None if it diverges.

    Args:
        start: as `Trainer.start` gives it.
        order: the row numbers of all epochs, `(epochs, batches, batch_size)`.
    """
    batch_size = order.shape[2]
    count = whole_batches(min(max(SAMPLES, batch_size), len(split.x_train)), batch_size)
    x, y = split.x_train[:count], split.y_train[:count]
    held = slice(whole_batches(len(split.x_validation), batch_size))
    trainer.begin(start, learning_rate)
    seen = trainer.look(x, y)
    if not all(np.isfinite(one.outputs).all() for one in seen):
        return None
    history = [[moments(by_unit(one.outputs)) for one in seen]]
    at_start, network = describe(trainer.layers, seen), {}
    for number, rows in enumerate(order, 1):
        losses = trainer.epoch(split, rows)
        seen = trainer.look(x, y)
        if not all(np.isfinite(values).all() for values in (losses, *(one.outputs for one in seen))):
            return None
        history.append([moments(by_unit(one.outputs)) for one in seen])
        if number in (1, len(order)):
            gap = (trainer.inference_gap(split.x_validation[held], split.y_validation[held]) if split.classes else math.nan)
            now = {"constant": constant(seen[-1].outputs), "inference_gap": gap}
            for when in (AT_FIRST_EPOCH,) * (number == 1) + ("",) * (number == len(order)):
                network |= {name + when: value for name, value in now.items()}
    found = {"": network}
    for place, (layer, before, now) in enumerate(zip(
            trainer.layers, at_start, describe(trainer.layers, seen), strict=True)):
        found[layer.name] = now | {name + AT_START: value for name, value in before.items()} | {
            "drift": drift([moment[place] for moment in history])}
    return found
