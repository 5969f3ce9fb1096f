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


def _uniform(layer, shape):
    """Numbers of `shape` in [0, 1), by the generator of `_kept`; the layer's state moves on."""
    state = ops.mod(layer.seed_generator.next(), 2**31 - 1)
    generator = "philox" if tf.executing_eagerly() else "threefry"
    drawn = tf.random.stateless_uniform(shape, ops.cast(state, "int32"), alg=generator)
    return ops.cast(drawn, layer.compute_dtype)


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
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training:
            return inputs
        shift, factor = ops.unstack(2 * _uniform(self, (2, inputs.shape[-1])) - 1)
        return inputs * (1 + self.scale * factor) + self.shift * shift

    def compute_output_shape(self, input_shape):
        return input_shape


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
    all axes between batch and channels. At inference the moving averages serve, as in Keras'
    layer; with `size` equal to the batch both are the same.

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

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(shape, "ones", name="gamma")
        self.beta = self.add_weight(shape, "zeros", name="beta")
        self.moving_mean = self.add_weight(shape, "zeros", name="moving_mean", trainable=False)
        self.moving_variance = self.add_weight(shape, "ones", name="moving_variance", trainable=False)

    def call(self, inputs, training=False):
        # As in Keras' layer, one that is not trained does not follow the batch either.
        if not (training and self.trainable):
            return self._normalise(inputs, self.moving_mean, self.moving_variance)
        batch, *rest = ops.shape(inputs)
        if inputs.shape[0] is not None and batch % self.size:
            raise ValueError(f"size must divide the batch. Received: size={self.size}, batch={batch}")
        groups = ops.reshape(inputs, (-1, self.size, *rest))
        mean, variance = ops.moments(groups, axes=tuple(range(1, len(groups.shape) - 1)), keepdims=True)
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            now = ops.mean(now, axis=tuple(range(len(now.shape) - 1)))
            moving.assign(self.momentum * moving + (1 - self.momentum) * now)
        return ops.reshape(self._normalise(groups, mean, variance), (batch, *rest))

    def _normalise(self, values, mean, variance):
        return (values - mean) * (self.gamma * ops.rsqrt(variance + self.epsilon)) + self.beta

    def compute_output_shape(self, input_shape):
        return input_shape


class _NormalisedLSTM(keras.layers.Layer):
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

    def _normalise(self, part, values, training, step=None):
        """A part's values of one step, or of all: `(batch, size)` or `(batch, time, size)`, kept."""
        raise NotImplementedError

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
