"""A network trained by our trainer and by Keras' own `fit`: the same start, batches and noise."""

from __future__ import annotations

import json
from contextlib import contextmanager
from unittest.mock import patch

import keras
import numpy as np
import tensorflow as tf

from pipeline.data.split import Split
from pipeline.network import model
from pipeline.network.optimizers import make_optimizer
from pipeline.network.resolve import _keras_layers, _own_layers, resolve
from pipeline.config.task import Task
from pipeline.train.trainer import Trainer

SEED, BATCH, EPOCHS, RATE = 3, 8, 2, 0.05
OPTIMIZER = {"SGD": {"momentum": 0.9}}


def _drawn_as_keras(generator, shape):
    """Numbers in [0, 1) as Keras draws them."""
    return tf.random.stateless_uniform(shape, tf.cast(generator.next(), tf.int32))


@contextmanager
def same_noise():
    """Let our layers draw as Keras' do."""
    with patch("pipeline.network.layers.dropout.uniform", _drawn_as_keras), \
            patch("pipeline.network.layers.noise.uniform", _drawn_as_keras):
        yield


class Branches(keras.layers.Layer):
    """Several lists of layers side by side, whose vectors are put behind one another: one network tries them all.

    Args:
        lists: JSON of pairs of lists of resolved layers; lists with the same first part share it.
    """

    def __init__(self, lists: str, **kwargs):
        super().__init__(**kwargs)
        pairs = [tuple(map(json.dumps, pair)) for pair in json.loads(lists)]
        self.before = {text: self._made(text) for text, _ in pairs}
        self.after = [(text, self._made(rest)) for text, rest in pairs]
        self.all_layers = [layer for part in (*self.before.values(), *(rest for _, rest in self.after)) for layer in part]

    def _made(self, text: str) -> list:
        return [model.create(item, "a branch") for item in json.loads(text)]

    def build(self, shape):
        """Build each layer outside of any graph, as in a network that is a list."""
        self.call(keras.ops.zeros((1, *shape[1:])))
        self.built = True

    def call(self, inputs, training=False):
        before = {text: self._through(layers, inputs, training) for text, layers in self.before.items()}
        outputs = [self._through(layers, before[text], training) for text, layers in self.after]
        together = keras.ops.concatenate([keras.ops.cast(output, "float32") for output in outputs], axis=-1)
        return together / together.shape[-1] ** 0.5  # So that a step is no larger where more is tried.

    def _through(self, layers, value, training):
        for layer in layers:
            value = layer(value, **({"training": training} if layer._call_has_training_arg else {}))
        return value


def branches(*pairs: tuple[list, list]) -> dict:
    """A network that tries several layer lists at once, each in two parts."""
    resolved = [[[resolve(item, {}, "a list") for item in part] for part in pair] for pair in pairs]
    return {"layers": [{"word": "branches", "class": "Branches", "arguments": {"lists": json.dumps(resolved)}}], "head": []}


@contextmanager
def classes(own: bool = True, kept=()):
    """Let networks be built of our layers where there are some, or of Keras' own but for those that are kept."""
    known = {name: cls for name, cls in _own_layers().items() if own or name not in _keras_layers() or name in kept}
    with patch("pipeline.network.model._own_layers", lambda: known | {"Branches": Branches}):
        yield


def fitted(network: dict, split: Split, optimizer=OPTIMIZER, rate: float = RATE, kept=(), jit=False) -> tuple[keras.Model, np.ndarray]:
    """A network of Keras' layers after `fit`, and its curves of the loss, `(epochs, 2)`.

    Args:
        kept: layers of ours that are used all the same.
        jit: whether XLA compiles it: noise is another there, and so is rounding.
    """
    with classes(own=False, kept=kept):
        built = model.build(network, split.x_train.shape[1:], split.classes or split.y_train.shape[1], SEED, 0)
    made, name = make_optimizer(optimizer, rate), "SparseCategoricalCrossentropy" if split.classes else "MeanSquaredError"
    # The metric is the loss without the penalties of regularisers.
    built.compile(made, loss=getattr(keras.losses, name)(), run_eagerly=not jit, jit_compile=jit,
                  weighted_metrics=[getattr(keras.metrics, name)(name="metric"), "accuracy"])
    found = built.fit(split.x_train, split.y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0,
                      validation_data=(split.x_validation, split.y_validation), validation_batch_size=len(split.x_train),
                      callbacks=[keras.callbacks.SwapEMAWeights()] if made.use_ema else []).history
    return built, np.column_stack([found["metric"], found["val_metric"]])


def trained(network: dict, split: Split, optimizer=OPTIMIZER, rate: float = RATE) -> tuple[Trainer, np.ndarray]:
    """A trainer after a run, its variables as they were at the end, and its curves."""
    size = len(split.x_train)
    task = Task(split.classes, 1 if split.classes else split.y_train.shape[1])
    with classes():
        trainer = Trainer(network, split.x_train.shape[1:], task, optimizer)
        trainer._begin(trainer._variables, trainer.start(SEED, 0), rate)
    order = np.stack([np.arange(size, dtype=np.int32).reshape(-1, BATCH)] * EPOCHS)
    curves = trainer._epochs(trainer._variables, split, order, 0)
    if trainer.optimizer.use_ema:
        trainer._average(trainer._variables)
    return trainer, curves


def differences(network: dict, split: Split, optimizer=OPTIMIZER, rate: float = RATE, kept=(), jit=False) -> list[str]:
    """Where our trainer and `fit` differ by more than rounding: a weight, a number of the optimiser, a loss."""
    with same_noise():
        theirs, fit = fitted(network, split, optimizer, rate, kept, jit)
        ours, curves = trained(network, split, optimizer, rate)
    pairs = [*zip(ours.model.variables, theirs.variables, strict=True),
             *zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True)]
    found = [mine.path for mine, its in pairs if not same(mine.numpy(), its.numpy())]
    found = found[:5] + [f"and {len(found) - 5} more"] * (len(found) > 5)
    assert np.isfinite(fit).all(), "the network must not diverge, or nothing is compared"
    return found + [f"losses {curves.tolist()} instead of {fit.tolist()}"] * (not same(curves, fit))


def same(one, other) -> bool:
    """Whether two arrays are equal up to rounding."""
    scale = max(np.abs(other).max(initial=0), 1e-3)
    return np.allclose(one / scale, other / scale, rtol=1e-4, atol=2e-5)
