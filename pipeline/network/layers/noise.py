"""Numbers drawn in training, and a layer of noise."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import ops


def uniform(generator: keras.random.SeedGenerator, shape):
    """Numbers of `shape` in [0, 1), float32; the generator's state moves on.

    Keras leaves the choice of the algorithm to XLA, whose own takes many times as long on a CPU as
    Threefry (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
    """
    state = ops.mod(generator.next(), 2**31 - 1)
    # Outside a compiled function TensorFlow has no Threefry on a CPU.
    algorithm = "philox" if tf.executing_eagerly() else "threefry"
    return tf.random.stateless_uniform(shape, ops.cast(state, "int32"), alg=algorithm)


class BatchNoise(keras.layers.Layer):
    """Moves and stretches each channel in training by amounts that change from step to step.

    output = input * factor + shift, with the shift from U(-shift, shift) and the factor from
    U(1 - scale, 1 + scale), one of each for a channel, shared by all samples and positions of the
    batch. Put after a normalisation, it makes the distribution unstable again. Nothing happens at
    inference.

    This simplifies the noise of its source, which draws a mean and a variance for each activation
    in each step, and then the noise of each sample from these.

    Shapes: `(batch, ..., channels)`, kept.

    Args:
        shift: the largest shift, at least 0, in units of the input.
        scale: the largest relative change, at least 0 and below 1.
        seed: decides the draws.

    Source: Santurkar et al., "How Does Batch Normalization Help Optimization?" (2018), section 2
    and appendix A.

    Raises:
        ValueError: `shift` or `scale` is outside its range.
    """

    def __init__(self, shift: float = 0.5, scale: float = 0.25, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        if shift < 0:
            raise ValueError(f"shift must be at least 0. Received: shift={shift}")
        if not 0 <= scale < 1:
            raise ValueError(f"scale must be at least 0 and below 1. Received: scale={scale}")
        self.shift = shift
        self.scale = scale
        self.supports_masking = True
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training:
            return inputs
        shift, factor = ops.unstack(
            2 * ops.cast(uniform(self.seed_generator, (2, inputs.shape[-1])), self.compute_dtype) - 1)
        return inputs * (1 + self.scale * factor) + self.shift * shift

    def compute_output_shape(self, input_shape):
        return input_shape
