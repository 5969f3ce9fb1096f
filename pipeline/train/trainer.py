"""One network, compiled once, trained from any seed's start."""

from __future__ import annotations

import math
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from types import MappingProxyType

import numpy as np
import tensorflow as tf

from pipeline.data.split import Split
from pipeline.network import model
from pipeline.network.losses import CROSS_ENTROPY, loss_of_samples
from pipeline.network.optimizers import make_optimizer
from pipeline.tables.run_record import MEASURES
from pipeline.tables.stored import significant
from pipeline.config.task import Task
from pipeline.train.compiled import Compiled
from pipeline.train.early_stopping import stops
from pipeline.train.schedule import Cosine, Plateau, schedule_of
from pipeline.train.task import balanced, loss_function, measures, probabilities, trivial_prediction


def batch_order(size: int, batch_size: int, epochs: int, seed: int, repetition: int = 0) -> np.ndarray:
    """Row numbers `(epochs, batches, batch_size)`: a permutation an epoch, the last part dropped.

    The same for every experiment that trains on equally many samples with this seed.
    """
    generator = np.random.default_rng([seed, repetition, 1])
    batches = size // batch_size
    return np.stack([generator.permutation(size)[:batches * batch_size].reshape(batches, batch_size)
                     for _ in range(epochs)]).astype(np.int32)


def _state(built) -> list:
    """All variables of a network: weights, noise, and what its layers count."""
    return [*built.variables, *built.metrics_variables]


class Trainer:
    """One network on one shape of data, compiled once, trained from any seed's start.

    All epochs run inside one XLA-compiled function: gather a batch, take a step, after an epoch
    measure the validation loss, keep the weights of the least, and go on or stop. `fit` pays for
    every step in Python; this pays once a run. Any number of threads may call `run` at once: each
    works on variables of its own, and none changes another's numbers.

    Of an optimiser with `use_ema`, the averages of the weights are what is validated, kept and
    measured, as with Keras' callback SwapEMAWeights; training goes on with the weights.

    Args:
        ways: `loss`, `class_weight` and `schedule`, as a plan has them.
    """

    def __init__(self, network: dict, shape: tuple[int, ...], task: Task, optimizer, ways: Mapping = MappingProxyType({})):
        self.network, self.shape, self.task = network, shape, task
        self.loss, self.schedule = ways.get("loss"), schedule_of(ways.get("schedule"))
        self.balances = ways.get("class_weight") == "balanced"
        self.model = model.build(network, shape, task.outputs)
        self._optimizer_spec = optimizer
        self.optimizer = self._optimizer_of(self.model)
        #: The network's variables, the optimiser's, and the network's at the best epoch.
        self._variables = [v.value for v in (*_state(self.model), *self.optimizer.variables)]
        self._variables += [tf.Variable(v.value) for v in _state(self.model)]
        self._run = Compiled(self._train, self._variables)
        self._predict = Compiled(self._predicted, self._variables)
        self._average = Compiled(self._averaged, self._variables)
        self._free: SimpleQueue = SimpleQueue()

    def _optimizer_of(self, built):
        """An optimiser that begins with a network, at a rate of 0."""
        optimizer = make_optimizer(self._optimizer_spec, 0.0)
        optimizer.build(built.trainable_variables)
        return optimizer

    def _parts(self, variables: list) -> tuple[list, list, list]:
        """A set of variables as the network's, the optimiser's, and the network's at its best."""
        first = len(_state(self.model))
        last = len(variables) - first
        return variables[:first], variables[first:last], variables[last:]

    def _train(self, x, y, x_validation, y_validation, order, patience):
        network, loss = self.model, loss_function(self.task, self.loss)
        variables, _, best = self._parts(self._variables)
        weights = network.trainable_variables
        rate, waited = tf.identity(self.optimizer.learning_rate.value), tf.constant(0)
        of_samples = loss_of_samples(self.loss or CROSS_ENTROPY, self.task) if self.balances else None
        weight_of = balanced(y, self.task) if self.balances else None
        epochs, batches = order.shape[0], order.shape[1]
        curves = tf.zeros((epochs, 2))
        lowest, finite = tf.constant(math.inf), tf.constant(True)
        epoch, best_epoch = tf.constant(0), tf.constant(0)
        for kept, variable in zip(best, variables):
            kept.assign(variable)
        while finite and epoch < epochs and not stops(epoch, best_epoch, patience):
            total = tf.constant(0.0)
            for batch in tf.range(batches):
                rows = order[epoch, batch]
                if isinstance(self.schedule, Cosine):
                    self._set_rate(rate * self.schedule.factor(epoch * batches + batch, epochs * batches))
                with tf.GradientTape() as tape:
                    if self.balances:
                        each = of_samples(tf.gather(y, rows), network(tf.gather(x, rows), training=True))
                        value = tf.reduce_mean(tf.gather(weight_of, rows) * each)
                    else:
                        value = loss(tf.gather(y, rows), network(tf.gather(x, rows), training=True))
                    scaled = self.optimizer.scale_loss(sum(map(tf.reduce_sum, network.losses), value))
                gradients = tape.gradient(scaled, [w.value for w in weights])
                self.optimizer.apply(gradients, weights)
                total += value
            trained = [tf.identity(w.value) for w in weights] if self.optimizer.use_ema else []
            self._averaged()
            validation = loss(y_validation, network(x_validation, training=False))
            measured = tf.stack([total / float(batches), validation])
            curves = tf.tensor_scatter_nd_update(curves, [[epoch]], [measured])
            if isinstance(self.schedule, Plateau):
                rate, waited = self.schedule.after(rate, validation < lowest, waited)
                self._set_rate(rate)
            epoch += 1
            finite = tf.reduce_all(tf.math.is_finite(measured))
            if validation < lowest:
                lowest, best_epoch = validation, epoch
                for kept, variable in zip(best, variables):
                    kept.assign(variable)
            for weight, value in zip(weights, trained):
                weight.assign(value)
        return curves, epoch

    def _set_rate(self, rate) -> None:
        self.optimizer.learning_rate.assign(rate)

    def _averaged(self) -> tuple:
        """Put the averages of an optimiser with `use_ema` in the weights' place; of others nothing changes."""
        self.optimizer.finalize_variable_values(self.model.trainable_variables)
        return (self.optimizer.iterations,)

    def _predicted(self, x) -> tuple:
        """What the network says of inputs; of classes, as probabilities."""
        outputs = self.model(x, training=False)
        return (probabilities(outputs, self.task, self.network["head"]),)

    def start(self, seed: int, repetition: int) -> list[np.ndarray]:
        """All variables at a seed's start: the network's, dropout's state included, and the optimiser's."""
        return self.start_of(model.build(self.network, self.shape, self.task.outputs, seed, repetition))

    def start_of(self, built) -> list[np.ndarray]:
        """All variables of a network as it was built, and of an optimiser that begins with it."""
        return [v.numpy() for v in (*_state(built), *self._optimizer_of(built).variables)]

    def _begin(self, variables: list, start: list[np.ndarray], learning_rate: float) -> None:
        """Put a set of variables at a run's start."""
        network, optimizer, _ = self._parts(variables)
        for variable, value in zip([*network, *optimizer], start, strict=True):
            variable.assign(value)
        for variable, own in zip(optimizer, self.optimizer.variables):
            if own is self.optimizer.learning_rate:
                variable.assign(learning_rate)

    def _epochs(self, variables: list, split: Split, order: np.ndarray, patience: int) -> np.ndarray:
        """Train a set of variables; the curves `(epochs run, 2)` of training and validation loss."""
        curves, epochs = self._run(variables, split.x_train, split.y_train, split.x_validation,
                                   split.y_validation, order, patience or len(order))
        return curves.numpy()[:int(epochs)]

    def run(self, start: list[np.ndarray], split: Split, order: np.ndarray, learning_rate: float,
            patience: int = 0) -> dict:
        """One run → its measures and its two curves. Uses nothing of an earlier run.

        It ends when the validation loss has not fallen for `patience` epochs, after the last epoch
        of `order`, or with a loss that is not finite.

        Args:
            start: as `start` gives it.
            order: row numbers `(epochs, batches, batch_size)`, as `batch_order` gives them.
            patience: in epochs; 0 trains all of them.
        """
        try:
            variables = self._free.get_nowait()
        except Empty:
            variables = [tf.Variable(variable) for variable in self._variables]
        try:
            self._begin(variables, start, learning_rate)
            curves = self._epochs(variables, split, order, patience)
            inputs = np.concatenate([split.x_train, split.x_test])
            network, optimizer, best = self._parts(variables)
            if self.optimizer.use_ema:
                self._average(variables)
            last, = self._predict(variables, inputs)
            at_best, = self._predict([*best, *optimizer, *network], inputs)
        finally:
            self._free.put(variables)
        return record(split, self.task, curves, self.model.count_params(), at_best.numpy(),
                      last.numpy())


def record(split: Split, task: Task, curves: np.ndarray, parameters: int, best: np.ndarray,
           last: np.ndarray) -> dict:
    """What is kept of a run: measures at the epoch of least validation loss and at the last one.

    Args:
        curves: `(epochs, 2)` of training and validation loss, as many as were run.
        best, last: predictions on the training split, then on the test split, at that epoch.
    """
    finite = bool(np.isfinite(curves).all())
    epoch = int(np.nanargmin(curves[:, 1])) if np.isfinite(curves[:, 1]).any() else 0
    found = {"diverged": not finite, "parameters": parameters}
    for name, at, prediction in (("best", epoch, best), ("last", len(curves) - 1, last)):
        on_train, on_test = np.split(prediction, [len(split.x_train)])
        found |= {f"{name}_epoch": at + 1, f"{name}_validation_loss": curves[at, 1],
                  f"{name}_train_loss": measures(split.y_train, on_train, split, task)["loss"]}
        found |= {f"{name}_{k}": v for k, v in measures(split.y_test, on_test, split, task).items()}
    trivial, before = (measures(y, trivial_prediction(split, len(y), task), split, task)
                       for y in (split.y_test, split.y_validation))
    found |= {"trivial_error": trivial["error"], "trivial_loss": trivial["loss"],
              "trivial_validation_loss": before["loss"],
              "test_size": len(split.y_test)}
    found = {k: significant(v) if isinstance(v, (float, np.floating)) else v
             for k, v in found.items()}
    return {name: found[name] for name in MEASURES} | {
        "train_curve": [significant(v, 4) for v in curves[:, 0]],
        "validation_curve": [significant(v, 4) for v in curves[:, 1]]}
