"""Squeeze-and-excite: a gate a channel."""

from __future__ import annotations

import keras
from keras import ops


class SqueezeExcite(keras.layers.Layer):
    """Squeeze-and-excite: scales each channel by a gate that the whole sample decides.

    gate = sigmoid(W2 relu(W1 mean(x))), output = x * gate; the mean runs over all axes between
    batch and channels, over the steps that a mask leaves alone if there is one. W1 has
    `channels // ratio` units (at least one), neither has a bias.

    Shapes: `(batch, time, channels)` or `(batch, height, width, channels)`, kept.

    Args:
        ratio: channels per unit of the bottleneck, at least 1.
        squeeze: whether the gate sees the mean over all steps. Without it, every step makes its
            own gate from the same number of weights: the control for the added parameters.

    Source: Hu, Shen & Sun, "Squeeze-and-Excitation Networks" (2018), equations 2 to 4.

    Raises:
        ValueError: `ratio` is below 1.
    """

    def __init__(self, ratio: int = 4, squeeze: bool = True, **kwargs):
        super().__init__(**kwargs)
        if ratio < 1:
            raise ValueError(f"ratio must be at least 1. Received: ratio={ratio}")
        self.ratio = ratio
        self.squeeze = squeeze
        self.supports_masking = True
        self.reduce_initializer = keras.initializers.HeNormal()
        self.expand_initializer = keras.initializers.HeNormal()

    def build(self, input_shape):
        channels = input_shape[-1]
        units = max(channels // self.ratio, 1)
        self.reduce = self.add_weight((channels, units), self.reduce_initializer, name="reduce")
        self.expand = self.add_weight((units, channels), self.expand_initializer, name="expand")

    def call(self, inputs, mask=None):
        summary = inputs
        between = tuple(range(1, len(inputs.shape) - 1))
        if self.squeeze and mask is None:
            summary = ops.mean(inputs, axis=between, keepdims=True)
        elif self.squeeze:
            shown = ops.cast(mask[..., None], inputs.dtype)
            count = ops.maximum(ops.sum(shown, axis=between, keepdims=True), 1)
            summary = ops.sum(inputs * shown, axis=between, keepdims=True) / count
        hidden = ops.relu(ops.matmul(summary, self.reduce))
        return inputs * ops.sigmoid(ops.matmul(hidden, self.expand))

    def compute_output_shape(self, input_shape):
        return input_shape
