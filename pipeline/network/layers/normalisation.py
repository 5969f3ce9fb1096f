"""Batch normalisation with other statistics: none, or those of small groups."""

from __future__ import annotations

import keras
from keras import ops


class FrozenBatchNormalization(keras.layers.BatchNormalization):
    """Keras' BatchNormalization whose statistics stay at their start, mean 0 and variance 1.

    output = gamma * input / sqrt(1 + epsilon) + beta, in training too, gamma and beta trained: it
    neither normalises nor lets samples of a batch see each other. The control for both.

    Shapes: `(batch, ..., channels)`, kept.
    """

    def __init__(self, epsilon: float = 1e-3, **kwargs):
        super().__init__(epsilon=epsilon, **kwargs)

    def call(self, inputs, training=False):
        return super().call(inputs, training=False)


class GhostBatchNormalization(keras.layers.Layer):
    """BatchNormalization that takes its statistics, in training, from small groups of the batch.

    Every `size` consecutive samples are normalised by the mean and variance over them and over
    all axes between batch and channels, those steps alone that a mask leaves alone if there is one.
    At inference the moving averages serve, as in Keras' layer; with `size` equal to the batch both
    are the same.

    The moving averages take one step a batch, to the mean of the groups' means and of their
    variances, so that they are as slow as Keras'. The source takes one step a group, and averages
    standard deviations.

    Shapes: `(batch, ..., channels)`, kept.

    Args:
        size: samples of a group, at least 2; in training it divides the batch.
        momentum: the moving averages keep this part of themselves in a step.
        epsilon: added to variances.

    Source: Hoffer, Hubara & Soudry, "Train longer, generalize better" (2017), algorithm 1.

    Raises:
        ValueError: `size` is below 2, or does not divide the batch in training.
    """

    def __init__(self, size: int, momentum: float = 0.99, epsilon: float = 1e-3, **kwargs):
        super().__init__(**kwargs)
        if size < 2:
            raise ValueError(f"size must be at least 2. Received: size={size}")
        self.size = size
        self.momentum = momentum
        self.epsilon = epsilon
        self.supports_masking = True

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(shape, "ones", name="gamma")
        self.beta = self.add_weight(shape, "zeros", name="beta")
        self.moving_mean = self.add_weight(shape, "zeros", name="moving_mean", trainable=False)
        self.moving_variance = self.add_weight(shape, "ones", name="moving_variance", trainable=False)

    def call(self, inputs, training=False, mask=None):
        # As in Keras' layer, one that is not trained does not follow the batch either.
        if not (training and self.trainable):
            return self._normalise(inputs, self.moving_mean, self.moving_variance)
        batch, *rest = ops.shape(inputs)
        if inputs.shape[0] is not None and batch % self.size:
            raise ValueError(f"size must divide the batch. Received: size={self.size}, batch={batch}")
        groups = ops.reshape(inputs, (-1, self.size, *rest))
        shown = None if mask is None else ops.reshape(mask, (-1, self.size, *ops.shape(mask)[1:], 1))
        mean, variance = self._moments(groups, shown)
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            now = ops.mean(now, axis=tuple(range(len(now.shape) - 1)))
            moving.assign(self.momentum * moving + (1 - self.momentum) * now)
        return ops.reshape(self._normalise(groups, mean, variance), (batch, *rest))

    def _moments(self, groups, shown):
        """Mean and variance of each group, of what a mask `(groups, size, ..., 1)` shows alone."""
        axes = tuple(range(1, len(groups.shape) - 1))
        if shown is None:
            return ops.moments(groups, axes=axes, keepdims=True)
        shown = ops.cast(shown, groups.dtype)
        # As in Keras' layer.
        count = ops.sum(shown, axis=axes, keepdims=True) + keras.config.epsilon()
        mean = ops.sum(groups * shown, axis=axes, keepdims=True) / count
        return mean, ops.sum(ops.square(groups - mean) * shown, axis=axes, keepdims=True) / count

    def _normalise(self, values, mean, variance):
        return (values - mean) * (self.gamma * ops.rsqrt(variance + self.epsilon)) + self.beta

    def compute_output_shape(self, input_shape):
        return input_shape
