"""One network, compiled once, trained from any seed's start."""

from __future__ import annotations

import math

import keras
import numpy as np
import tensorflow as tf

from pipeline.data import splits as data
from pipeline.network import model
from pipeline.results import MEASURES, significant

CALIBRATION_BINS = 15


def loss_function(classes: int):
    """Mean squared error for regression (`classes` = 0), else cross-entropy; one value a batch."""
    if classes:
        return lambda y, p: tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, p))
    return lambda y, p: tf.reduce_mean(keras.losses.mean_squared_error(y, p))


def make_optimizer(spec, learning_rate: float) -> keras.optimizers.Optimizer:
    """A Keras optimiser from its name or from `{Name: {argument: value}}`."""
    name, arguments = (spec, {}) if isinstance(spec, str) else next(iter(spec.items()))
    return keras.optimizers.get({"class_name": name,
                                 "config": {**arguments, "learning_rate": learning_rate}})


def batch_order(size: int, batch_size: int, epochs: int, seed: int, repetition: int = 0) -> np.ndarray:
    """Row numbers `(epochs, batches, batch_size)`: a permutation an epoch, the last part dropped.

    The same for every experiment that trains on equally many samples with this seed.
    """
    generator = np.random.default_rng([seed, repetition, 1])
    batches = size // batch_size
    return np.stack([generator.permutation(size)[:batches * batch_size].reshape(batches, batch_size)
                     for _ in range(epochs)]).astype(np.int32)


class Trainer:
    """One network on one shape of data, compiled once, trained from any seed's start.

    All epochs run inside one XLA-compiled function: gather a batch, take a step, after an epoch
    measure the validation loss and keep the weights of the least. `fit` pays for every step in
    Python; this pays once a run.
    """

    def __init__(self, network: dict, shape: tuple[int, ...], classes: int, optimizer):
        self.network, self.shape, self.classes = network, shape, classes
        self.model = model.build(network, shape, classes)
        self.optimizer = make_optimizer(optimizer, 0.0)
        self.optimizer.build(self.model.trainable_variables)
        self._optimizer_start = [v.numpy() for v in self.optimizer.variables]
        self._best = [tf.Variable(v.value) for v in self.model.variables]
        self._run = tf.function(self._train, jit_compile=True)
        self._predict = tf.function(lambda x: self.model(x, training=False), jit_compile=True)

    def _train(self, x, y, x_validation, y_validation, order):
        network, loss = self.model, loss_function(self.classes)
        variables = [v.value for v in network.variables]
        weights = network.trainable_variables
        epochs, batches = order.shape[0], order.shape[1]
        curves = tf.zeros((epochs, 2))
        lowest = tf.constant(math.inf)
        for kept, variable in zip(self._best, variables):
            kept.assign(variable)
        for epoch in tf.range(epochs):
            total = tf.constant(0.0)
            for batch in tf.range(batches):
                rows = order[epoch, batch]
                with tf.GradientTape() as tape:
                    value = loss(tf.gather(y, rows), network(tf.gather(x, rows), training=True))
                    penalised = value + sum(network.losses) if network.losses else value
                gradients = tape.gradient(penalised, [w.value for w in weights])
                self.optimizer.apply(gradients, weights)
                total += value
            validation = loss(y_validation, network(x_validation, training=False))
            if validation < lowest:
                lowest = validation
                for kept, variable in zip(self._best, variables):
                    kept.assign(variable)
            measured = tf.stack([total / float(batches), validation])
            curves = tf.tensor_scatter_nd_update(curves, [[epoch]], [measured])
        return curves

    def start(self, seed: int, repetition: int) -> list[np.ndarray]:
        """All variables of the network at a seed's start, dropout's state included."""
        fresh = model.build(self.network, self.shape, self.classes, seed, repetition)
        return [v.numpy() for v in fresh.variables]

    def run(self, start: list[np.ndarray], split: data.Split, order: np.ndarray,
            learning_rate: float) -> dict:
        """One run → its measures and its two curves. Uses nothing of an earlier run."""
        for variable, value in zip(self.model.variables, start):
            variable.assign(value)
        for variable, value in zip(self.optimizer.variables, self._optimizer_start):
            variable.assign(value)
        self.optimizer.learning_rate.assign(learning_rate)
        curves = self._run(*map(tf.constant, (split.x_train, split.y_train, split.x_validation,
                                              split.y_validation, order))).numpy()
        inputs = tf.constant(np.concatenate([split.x_train, split.x_test]))
        last = self._predict(inputs).numpy()
        for kept, variable in zip(self._best, self.model.variables):
            variable.assign(kept)
        best = self._predict(inputs).numpy()
        return record(split, curves, self.model.count_params(), best, last)


def record(split: data.Split, curves: np.ndarray, parameters: int, best: np.ndarray,
           last: np.ndarray) -> dict:
    """What is kept of a run: measures at the epoch of least validation loss and at the last one.

    Args:
        curves: `(epochs, 2)` of training and validation loss.
        best, last: predictions on the training split, then on the test split, at that epoch.
    """
    finite = bool(np.isfinite(curves).all())
    epoch = int(np.nanargmin(curves[:, 1])) if np.isfinite(curves[:, 1]).any() else 0
    found = {"diverged": not finite, "parameters": parameters}
    for name, at, prediction in (("best", epoch, best), ("last", len(curves) - 1, last)):
        on_train, on_test = np.split(prediction, [len(split.x_train)])
        found |= {f"{name}_epoch": at + 1, f"{name}_validation_loss": curves[at, 1],
                  f"{name}_train_loss": measures(split.y_train, on_train, split)["loss"]}
        found |= {f"{name}_{k}": v for k, v in measures(split.y_test, on_test, split).items()}
    trivial = measures(split.y_test, trivial_prediction(split, len(split.y_test)), split)
    before = measures(split.y_validation, trivial_prediction(split, len(split.y_validation)), split)
    found |= {"trivial_error": trivial["error"], "trivial_loss": trivial["loss"],
              "trivial_validation_loss": before["loss"],
              "test_size": len(split.y_test)}
    found = {k: significant(v) if isinstance(v, (float, np.floating)) else v
             for k, v in found.items()}
    return {name: found[name] for name in MEASURES} | {
        "train_curve": [significant(v, 4) for v in curves[:, 0]],
        "validation_curve": [significant(v, 4) for v in curves[:, 1]]}


def trivial_prediction(split: data.Split, size: int) -> np.ndarray:
    """`size` times the best constant prediction: the training mean, or the training frequencies of the classes."""
    if split.classes:
        counts = np.bincount(split.y_train, minlength=split.classes)
        constant = counts / counts.sum()
    else:
        constant = split.y_train.mean(axis=0)
    return np.tile(constant, (size, 1))


def measures(y: np.ndarray, prediction: np.ndarray, split: data.Split) -> dict[str, float]:
    """Measures of a prediction `(samples, outputs)` of the targets `y`.

    Regression: error and loss are the mean squared error. Classes: error rate, log-loss, expected
    calibration error (Guo et al. 2017, equation 3, 15 bins of equal width), recall of the class
    that is rarest in training; each in 0..1 but the loss.
    """
    prediction = prediction.astype(np.float64)
    if not split.classes:
        error = float(np.mean((prediction - y) ** 2))
        return {"error": error, "loss": error, "calibration_error": math.nan,
                "minority_recall": math.nan}
    if not np.isfinite(prediction).all():
        return dict.fromkeys(("error", "loss", "calibration_error", "minority_recall"), math.nan)
    guess, confidence = prediction.argmax(axis=1), prediction.max(axis=1)
    right = guess == y
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = [abs(right[bins == b].sum() - confidence[bins == b].sum()) for b in np.unique(bins)]
    rarest = np.bincount(split.y_train, minlength=split.classes).argmin()
    chosen = np.clip(prediction[np.arange(len(y)), y], 1e-7, 1.0)
    return {"error": float(1 - right.mean()), "loss": float(-np.log(chosen).mean()),
            "calibration_error": float(sum(gaps) / len(y)),
            "minority_recall": float(right[y == rarest].mean()) if (y == rarest).any() else math.nan}
