"""LSTMs that normalise inside, between their steps."""

from __future__ import annotations

from abc import ABC, abstractmethod

import keras
import tensorflow as tf
from keras import ops


class _NormalisedLSTM(keras.layers.Layer, ABC):
    """An LSTM that normalises W_x x, W_h h and, on its way to the output, the cell.

    A subclass says how by `_normalise`, where gammas start, and which parts have a beta. The
    kernels, their gates' order (input, forget, cell, output) and their start are those of
    Keras' LSTM.
    """

    gamma_start = 1.0
    shifted = ("recurrent", "input", "cell")

    def __init__(self, units: int, return_sequences: bool = False, epsilon: float = 1e-3, **kwargs):
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"units must be at least 1. Received: units={units}")
        self.units = units
        self.return_sequences = return_sequences
        self.epsilon = epsilon
        self.kernel_initializer = keras.initializers.GlorotUniform()
        self.recurrent_initializer = keras.initializers.Orthogonal()

    def build(self, input_shape):
        _, steps, channels = input_shape
        if steps is None:
            raise ValueError(f"the number of time steps must be known. Received: shape={input_shape}")
        width = 4 * self.units
        self.input_spec = keras.layers.InputSpec(shape=(None, steps, channels))
        self.sizes = {"recurrent": width, "input": width, "cell": self.units}
        self.kernel = self.add_weight((channels, width), self.kernel_initializer, name="kernel")
        self.recurrent_kernel = self.add_weight((self.units, width), self.recurrent_initializer,
                                                name="recurrent_kernel")
        self.bias = self.add_weight((width,), self._forget_nothing, name="bias")
        start = keras.initializers.Constant(self.gamma_start)
        self.gamma = {part: self.add_weight((size,), start, name=f"gamma_{part}")
                      for part, size in self.sizes.items()}
        self.beta = {part: self.add_weight((self.sizes[part],), "zeros", name=f"beta_{part}")
                     for part in self.shifted}

    def _forget_nothing(self, shape, dtype=None):
        """A bias of 1 for the forget gate, else of 0."""
        return ops.cast(ops.repeat(ops.array([0, 1, 0, 0]), self.units), dtype)

    def call(self, inputs, training=False):
        # As in Keras' BatchNormalization, a layer that is not trained does not follow the batch.
        training = training and self.trainable
        projected = ops.matmul(inputs, self.kernel)
        hidden, cells = self._loop(self._normalise("input", projected, training) + self.bias, training)
        if training:
            self._observe(projected, hidden, cells)
        return hidden if self.return_sequences else hidden[:, -1]

    def _loop(self, from_inputs, training):
        """Normalised inputs `(batch, time, 4 * units)` → h and c, each `(batch, time, units)`."""
        steps, dtype = from_inputs.shape[1], from_inputs.dtype
        # An unrolled loop takes XLA several times as long, to compile and to run.
        rows = tf.TensorArray(dtype, steps).unstack(ops.swapaxes(from_inputs, 0, 1))
        start = ops.zeros_like(from_inputs[:, 0, :self.units])
        kept = [tf.TensorArray(dtype, steps, element_shape=start.shape) for _ in range(2)]

        def step(number, hidden, cell, hiddens, cells):
            recurrent = ops.matmul(hidden, self.recurrent_kernel)
            gates = self._normalise("recurrent", recurrent, training, number) + rows.read(number)
            write, forget, new, show = ops.split(gates, 4, axis=-1)
            cell = ops.sigmoid(forget) * cell + ops.sigmoid(write) * ops.tanh(new)
            hidden = ops.sigmoid(show) * ops.tanh(self._normalise("cell", cell, training, number))
            return number + 1, hidden, cell, hiddens.write(number, hidden), cells.write(number, cell)

        found = tf.while_loop(lambda number, *_: number < steps, step, (0, start, start, *kept),
                              maximum_iterations=steps)
        return [ops.swapaxes(array.stack(), 0, 1) for array in found[3:]]

    @abstractmethod
    def _normalise(self, part, values, training, step=None):
        """A part's values of one step, or of all: `(batch, size)` or `(batch, time, size)`, kept."""

    def _scale(self, part, values, mean, variance):
        scaled = (values - mean) * (self.gamma[part] * ops.rsqrt(variance + self.epsilon))
        return scaled + self.beta[part] if part in self.shifted else scaled

    def _observe(self, projected, hidden, cells):
        """What a step of training leaves in the layer: nothing."""

    def compute_output_shape(self, input_shape):
        batch, steps, _ = input_shape
        return (batch, steps, self.units) if self.return_sequences else (batch, self.units)


class BatchNormLSTM(_NormalisedLSTM):
    """An LSTM with batch normalisation inside.

    (f, i, o, g) = BN(W_h h; gamma_h, 0) + BN(W_x x; gamma_x, 0) + b
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(BN(c; gamma_c, beta_c))

    Mean and variance run over the batch, separately for each time step; moving averages of them
    serve at inference. The gammas start at 0.1: from 1, gradients would soon vanish.

    Shapes: `(batch, time, channels)`, its time fixed, to `(batch, units)`, or with
    `return_sequences` to `(batch, time, units)`.

    Args:
        units: at least 1.
        return_sequences: whether to give h of all steps rather than of the last.
        momentum: the moving averages keep this part of themselves in a step of training.
        epsilon: added to variances.

    Source: Cooijmans et al., "Recurrent Batch Normalization" (2016), section 3. The first h and c are 0.

    Raises:
        ValueError: `units` is below 1, or the number of time steps is unknown.
    """

    gamma_start = 0.1
    shifted = ("cell",)

    def __init__(self, units: int, return_sequences: bool = False, momentum: float = 0.99,
                 epsilon: float = 1e-3, **kwargs):
        super().__init__(units, return_sequences, epsilon, **kwargs)
        self.momentum = momentum

    def build(self, input_shape):
        super().build(input_shape)
        self.moving_mean, self.moving_variance = (
            {part: self.add_weight((input_shape[1], size), start, name=f"{name}_{part}", trainable=False)
             for part, size in self.sizes.items()}
            for name, start in (("moving_mean", "zeros"), ("moving_variance", "ones")))

    def _normalise(self, part, values, training, step=None):
        if training:
            return self._scale(part, values, *ops.moments(values, axes=0))
        mean, variance = self.moving_mean[part], self.moving_variance[part]
        if step is not None:
            mean, variance = ops.take(mean, step, axis=0), ops.take(variance, step, axis=0)
        return self._scale(part, values, mean, variance)

    def _observe(self, projected, hidden, cells):
        """Move the moving averages to the statistics of this batch."""
        before = ops.pad(hidden[:, :-1], ((0, 0), (1, 0), (0, 0)))
        seen = {"recurrent": ops.matmul(before, self.recurrent_kernel), "input": projected,
                "cell": cells}
        for part, values in seen.items():
            now = ops.moments(ops.stop_gradient(values), axes=0)
            for moving, value in zip((self.moving_mean[part], self.moving_variance[part]), now):
                moving.assign(self.momentum * moving + (1 - self.momentum) * value)


class LayerNormLSTM(_NormalisedLSTM):
    """An LSTM with layer normalisation inside.

    (f, i, o, g) = LN(W_h h; gamma_h, beta_h) + LN(W_x x; gamma_x, beta_x) + b
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(LN(c; gamma_c, beta_c))

    Mean and variance run over the units of one sample in one step, over those of all four gates
    together; training and inference are the same. Gammas start at 1, betas at 0.

    Shapes: `(batch, time, channels)`, its time fixed, to `(batch, units)`, or with
    `return_sequences` to `(batch, time, units)`.

    Args:
        units: at least 1.
        return_sequences: whether to give h of all steps rather than of the last.
        epsilon: added to variances.

    Source: Ba, Kiros & Hinton, "Layer Normalization" (2016), supplement, equations 20 to 22.

    Raises:
        ValueError: `units` is below 1, or the number of time steps is unknown.
    """

    def _normalise(self, part, values, training, step=None):
        return self._scale(part, values, *ops.moments(values, axes=-1, keepdims=True))
