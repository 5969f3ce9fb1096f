"""How a learning rate changes during a run: inside the compiled run, as Keras' schedules and callbacks do it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import tensorflow as tf

from pipeline.network.arguments import name_and_arguments


@dataclass(frozen=True)
class Cosine:
    """A rise to the rate over the first steps, and a fall along half a cosine over the rest.

    Attributes:
        warmup: the share of all steps over which the rate rises from 0, in 0..1.
        final: the share of the rate that is left at the end, in 0..1.

    Source: Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), equation 5, without
    restarts; as `keras.optimizers.schedules.CosineDecay`.
    """

    warmup: float = 0.0
    final: float = 0.0

    def factor(self, step, steps: int):
        """The share of the rate at a step, from 0 on, of all steps of the limit of epochs."""
        rising = round(self.warmup * steps)
        falling = max(steps - rising, 1)
        at = tf.minimum(tf.cast(step - rising, tf.float32), float(falling)) / float(falling)
        fallen = self.final + (1 - self.final) * 0.5 * (1 + tf.cos(math.pi * at))
        return tf.where(step < rising, tf.cast(step, tf.float32) / float(max(rising, 1)), fallen)


@dataclass(frozen=True)
class Plateau:
    """A rate that falls where the validation loss has not, as Keras' callback ReduceLROnPlateau with min_delta 0.

    Attributes:
        factor: by which the rate is multiplied, between 0 and 1.
        patience: epochs without a new least loss, before it is.
    """

    factor: float = 0.1
    patience: int = 5

    def after(self, rate, fell, waited):
        """The rate after an epoch, and how many epochs it has waited for a new least loss.

        Args:
            fell: whether the epoch's validation loss is a new least one.
        """
        waited = tf.where(fell, 0, waited + 1)
        falls = waited >= self.patience
        return tf.where(falls, rate * self.factor, rate), tf.where(falls, 0, waited)


def schedule_of(spec) -> Cosine | Plateau | None:
    """The schedule that `cosine`, `plateau` or `{name: {argument: value}}` means; TypeError for other arguments."""
    if spec is None:
        return None
    name, given = name_and_arguments(spec)
    return {"cosine": Cosine, "plateau": Plateau}[name](**given)
