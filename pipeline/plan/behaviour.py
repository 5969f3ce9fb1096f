"""A built network is tried: its seed decides its start, its variables all it computes, and masks do what they say."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from pipeline.network.own import file_of
from pipeline.config.errors import ConfigError

#: Samples on which a mask is tried.
_SAMPLES = 4


def _name(layer: keras.layers.Layer) -> str:
    """A layer for a message: its file if it is one of one's own, and its class."""
    name, file = type(layer).__name__, file_of(type(layer).__name__)
    return f"{file}: class '{name}'" if file else f"layer '{layer.name}' ({name})"


def require_one_start(built: keras.Model, again: keras.Model, place: str) -> None:
    """Refuse a layer whose weights begin elsewhere each time: both networks were built of one seed."""
    for one, other in zip(built.layers, again.layers, strict=True):
        for first, second in zip(one.variables, other.variables, strict=True):
            if not np.array_equal(first.numpy(), second.numpy(), equal_nan=True):
                raise ConfigError(
                    f"{_name(one)}: its weight '{first.name}' begins elsewhere each time; allowed: an initialiser of "
                    f"keras.initializers, which gets the run's seed, as in add_weight(initializer='glorot_uniform') "
                    f"({place})")


def require_state_alone(built: keras.Model, other: keras.Model, samples: int, place: str) -> None:
    """Refuse a layer in which more than its variables decides what it computes.

    A network is compiled once, and then trained from the start of every seed.

    Args:
        other: the same network, built of another seed; both get the same variables.
        samples: of a batch.
    """
    # 0 and 1, because an embedding takes them for words.
    inputs = np.random.default_rng(0).integers(0, 2, (samples, *built.input_shape[1:])).astype(np.float32)
    for mine, its in zip(built.variables, other.variables, strict=True):
        its.assign(mine)
    each = [keras.Model(one.input, [layer.output for layer in one.layers[1:]]) for one in (built, other)]
    for training in (True, False):
        for layer, ones, twos in zip(built.layers[1:], *(one(tf.constant(inputs), training=training) for one in each), strict=True):
            if not np.allclose(ones, twos, rtol=1e-4, atol=1e-5, equal_nan=True):
                raise ConfigError(
                    f"{_name(layer)}: more than its variables decides what it computes; allowed: noise by a "
                    "keras.random.SeedGenerator and numbers by add_weight, each kept in an attribute of the layer "
                    f"({place})")


def _called(layer: keras.layers.Layer, inputs, training: bool):
    """What a layer gives, in training or not."""
    return layer(inputs, **({"training": training} if layer._call_has_training_arg else {}))


def require_masks_kept(built: keras.Model, place: str) -> None:
    """Refuse a layer in which what a mask hides changes what it does not hide."""
    for layer in built.layers[1:]:
        # What joins branches does so step by step.
        mask = None if isinstance(layer.input, list) else getattr(layer.input, "_keras_mask", None)
        if mask is not None and not _keeps_mask(layer, mask.shape[1:]):
            raise ConfigError(f"{_name(layer)}: it has a mask, and what the mask hides changes what it gives all the "
                              f"same; allowed: a layer that heeds masks, or none that makes one before it ({place})")


def _keeps_mask(layer: keras.layers.Layer, shape: tuple[int, ...]) -> bool:
    """Whether a layer gives the same, in training too, whatever stands where a mask of `shape` hides it."""
    generator = np.random.default_rng(0)
    mask = generator.random((_SAMPLES, *shape)) < 0.5
    mask[:, :1] = True
    values = generator.standard_normal((2, _SAMPLES, *layer.input.shape[1:])).astype(np.float32)
    hidden = mask.reshape(*mask.shape, *[1] * (values.ndim - 1 - mask.ndim))
    before = [variable.numpy() for variable in layer.variables]
    for training in (True, False):
        outputs, kept = [], True
        for inputs in (values[0], np.where(hidden, values[0], values[1])):
            for variable, value in zip(layer.variables, before):
                variable.assign(value)
            inputs = tf.constant(inputs)
            inputs._keras_mask = tf.constant(mask)
            output = _called(layer, inputs, training)
            after = getattr(output, "_keras_mask", None)
            kept = kept if after is None else after.numpy()
            outputs.append(output.numpy())
        shown = np.broadcast_to(np.reshape(kept, np.shape(kept) + (1,) * (outputs[0].ndim - np.ndim(kept))),
                                outputs[0].shape)
        if not np.allclose(outputs[0][shown], outputs[1][shown], rtol=1e-4, atol=1e-5):
            return False
    for variable, value in zip(layer.variables, before):
        variable.assign(value)
    return True
