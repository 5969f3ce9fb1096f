"""Faster twins of Keras' convolutions."""

from __future__ import annotations

import itertools

import keras
from keras import ops


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
