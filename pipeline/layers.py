"""The layers that Keras lacks, and faster twins of four that it has."""

from __future__ import annotations

import itertools

import keras
import tensorflow as tf
from keras import ops


class SqueezeExcite(keras.layers.Layer):
    """Squeeze-and-excite: scales each channel by a gate that the whole sample decides.

    gate = sigmoid(W2 relu(W1 mean(x))), output = x * gate; the mean runs over all axes between
    batch and channels, W1 has `channels // ratio` units (at least one), neither has a bias.

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
        self.reduce_initializer = keras.initializers.HeNormal()
        self.expand_initializer = keras.initializers.HeNormal()

    def build(self, input_shape):
        channels = input_shape[-1]
        units = max(channels // self.ratio, 1)
        self.reduce = self.add_weight((channels, units), self.reduce_initializer, name="reduce")
        self.expand = self.add_weight((units, channels), self.expand_initializer, name="expand")

    def call(self, inputs):
        summary = inputs
        if self.squeeze:
            between = tuple(range(1, len(inputs.shape) - 1))
            summary = ops.mean(inputs, axis=between, keepdims=True)
        hidden = ops.relu(ops.matmul(summary, self.reduce))
        return inputs * ops.sigmoid(ops.matmul(hidden, self.expand))

    def compute_output_shape(self, input_shape):
        return input_shape


def _unfold(inputs, sizes, strides, dilations):
    """Every window of a channels-last array, flattened: `(batch, *positions, window * channels)`."""
    counts = [(length - dilation * (size - 1) - 1) // stride + 1 for length, size, stride, dilation
              in zip(inputs.shape[1:-1], sizes, strides, dilations)]
    pieces = []
    for offset in itertools.product(*map(range, sizes)):
        index = [slice(None)]
        for start, count, stride, dilation in zip(offset, counts, strides, dilations):
            first = start * dilation
            index.append(slice(first, first + stride * (count - 1) + 1, stride))
        pieces.append(inputs[tuple(index)])
    return ops.concatenate(pieces, axis=-1)


class _AsMatrixProduct:
    """Computes a convolution as one matrix product of unfolded windows.

    The same function as Keras' layer up to rounding. XLA on a CPU takes several times as long for
    the gradient of a small convolution as for the product.
    """

    def call(self, inputs):
        """`inputs` `(batch, *space, channels)` of known space; else Keras' own way is taken."""
        if self.groups != 1 or self.data_format != "channels_last" or None in inputs.shape[1:-1]:
            return super().call(inputs)
        pads = [(0, 0)] * self.rank
        for axis, length in enumerate(inputs.shape[1:-1]):
            extent = self.dilation_rate[axis] * (self.kernel_size[axis] - 1) + 1
            stride = self.strides[axis]
            if self.padding == "causal":
                pads[axis] = (extent - 1, 0)
            elif self.padding == "same":
                total = max((-(-length // stride) - 1) * stride + extent - length, 0)
                pads[axis] = (total // 2, total - total // 2)
        padded = ops.pad(inputs, [(0, 0), *pads, (0, 0)])
        windows = _unfold(padded, self.kernel_size, self.strides, self.dilation_rate)
        width = windows.shape[-1]
        outputs = ops.matmul(ops.reshape(windows, (-1, width)),
                             ops.reshape(self.kernel, (width, self.filters)))
        if self.use_bias:
            outputs = outputs + self.bias
        outputs = ops.reshape(outputs, (-1, *windows.shape[1:-1], self.filters))
        return self.activation(outputs) if self.activation is not None else outputs


class Conv1D(_AsMatrixProduct, keras.layers.Conv1D):
    """Keras' Conv1D, computed as one matrix product. `(batch, time, channels)`."""


class Conv2D(_AsMatrixProduct, keras.layers.Conv2D):
    """Keras' Conv2D, computed as one matrix product. `(batch, height, width, channels)`."""


def _kept(layer, shape):
    """A mask of `shape`, 1 with probability `1 - layer.rate`, else 0; the layer's state moves on.

    Keras leaves the choice of the generator to XLA, whose own takes many times as long on a
    CPU as Threefry (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
    """
    state = ops.mod(layer.seed_generator.next(), 2**31 - 1)
    # Outside a compiled function TensorFlow has no Threefry on a CPU.
    generator = "philox" if tf.executing_eagerly() else "threefry"
    drawn = tf.random.stateless_uniform(shape, ops.cast(state, "int32"), alg=generator)
    return ops.cast(drawn >= layer.rate, layer.compute_dtype)


class Dropout(keras.layers.Dropout):
    """Keras' Dropout, its mask drawn by a faster generator: `inputs * mask / (1 - rate)`."""

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        sizes = self.noise_shape or (None,) * len(inputs.shape)
        shape = [ops.shape(inputs)[i] if n is None else n for i, n in enumerate(sizes)]
        return inputs * _kept(self, shape) / (1 - self.rate)


class AlphaDropout(keras.layers.AlphaDropout):
    """Keras' AlphaDropout, its mask drawn by a faster generator.

    Dropped units become `alpha' = -scale * alpha` of SELU; then `a x + b` restores mean 0 and
    variance 1, with q = 1 - rate, a = (q + alpha'^2 q (1 - q))^(-1/2), b = -a (1 - q) alpha'.

    Source: Klambauer et al., "Self-Normalizing Neural Networks" (2017), section "New dropout
    technique".
    """

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        sizes = self.noise_shape or (None,) * len(inputs.shape)
        shape = [ops.shape(inputs)[i] if n is None else n for i, n in enumerate(sizes)]
        kept = _kept(self, shape)
        low = -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717
        q = 1 - self.rate
        a = (q + low**2 * q * (1 - q)) ** -0.5
        return a * (inputs * kept + low * (1 - kept)) - a * (1 - q) * low
