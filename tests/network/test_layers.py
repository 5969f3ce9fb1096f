"""The layers that Keras lacks, against plain NumPy and against Keras' own."""

import ast
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.network import layers
from pipeline.data.split import Split
from pipeline.network.layers import (
    AlphaDropout, BatchNoise, BatchNormLSTM, Conv1D, Dropout, FrozenBatchNormalization,
    GhostBatchNormalization, LayerNormLSTM, SqueezeExcite)
from pipeline.network.layers.normalised_lstm import _NormalisedLSTM
from pipeline.network.resolve import resolve
from pipeline.config.task import Task
from pipeline.train.trainer import Trainer, batch_order


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture
def generator():
    return np.random.default_rng(0)


# --- squeeze and excite ------------------------------------------------------------------------

@pytest.mark.parametrize("shape", [(3, 7, 8), (3, 5, 4, 8)], ids=["1d", "2d"])
@pytest.mark.parametrize("squeeze", [True, False])
def test_squeeze_excite_equals_numpy(generator, shape, squeeze):
    x = generator.standard_normal(shape).astype(np.float32)
    layer = SqueezeExcite(ratio=4, squeeze=squeeze)
    found = layer(x).numpy()
    reduce, expand = (w.numpy() for w in layer.weights)
    assert reduce.shape == (8, 2) and expand.shape == (2, 8)
    expected = np.empty_like(x)
    for sample in range(len(x)):
        for position in np.ndindex(shape[1:-1]):
            summary = x[sample].reshape(-1, 8).mean(axis=0) if squeeze else x[sample][position]
            gate = sigmoid(np.maximum(summary @ reduce, 0) @ expand)
            expected[sample][position] = x[sample][position] * gate
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_squeeze_excite_has_the_same_parameters_in_both_modes():
    counts = []
    for squeeze in (True, False):
        layer = SqueezeExcite(ratio=4, squeeze=squeeze)
        layer.build((None, 7, 10))
        counts.append(layer.count_params())
    assert counts == [2 * 10 * 2] * 2


def test_squeeze_excite_keeps_one_unit():
    layer = SqueezeExcite(ratio=16)
    assert layer(np.ones((2, 3, 4), np.float32)).shape == (2, 3, 4)
    assert layer.weights[0].shape == (4, 1)


@pytest.mark.parametrize("ratio", [0, -1])
def test_squeeze_excite_refuses_a_ratio_below_one(ratio):
    with pytest.raises(ValueError, match=f"ratio must be at least 1. Received: ratio={ratio}"):
        SqueezeExcite(ratio=ratio)


# --- convolutions as one matrix product --------------------------------------------------------

ONE = [
    {"padding": "valid"}, {"padding": "same"}, {"padding": "causal"},
    {"padding": "same", "kernel_size": 4}, {"padding": "valid", "kernel_size": 1},
    {"padding": "valid", "strides": 2}, {"padding": "same", "strides": 2},
    {"padding": "same", "strides": 3, "kernel_size": 2}, {"padding": "causal", "strides": 2},
    {"padding": "same", "strides": 4},
    {"padding": "valid", "dilation_rate": 2}, {"padding": "same", "dilation_rate": 3},
    {"padding": "causal", "dilation_rate": 2},
    {"padding": "causal", "use_bias": False}, {"padding": "same", "activation": "tanh"},
    {"padding": "same", "groups": 2},
]
TWO = [
    {"padding": "valid"}, {"padding": "same"}, {"padding": "same", "kernel_size": (2, 4)},
    {"padding": "valid", "strides": 2}, {"padding": "same", "strides": (2, 3)},
    {"padding": "same", "strides": 2, "kernel_size": 4},
    {"padding": "valid", "dilation_rate": 2}, {"padding": "same", "dilation_rate": (1, 2)},
    {"padding": "same", "use_bias": False, "activation": "relu"}, {"padding": "same", "groups": 2},
]
CASES = [("Conv1D", (11, 4), case) for case in ONE] + [("Conv2D", (9, 8, 4), case) for case in TWO]


@pytest.mark.parametrize(("name", "shape", "arguments"), CASES,
                         ids=[f"{n}-{'-'.join(map(str, c.values()))}" for n, _, c in CASES])
def test_convolution_equals_keras(generator, name, shape, arguments):
    arguments = {"filters": 6, "kernel_size": 3} | arguments
    x = tf.constant(generator.standard_normal((3, *shape)), tf.float32)
    found = []
    weights = None
    for cls in (getattr(keras.layers, name), getattr(layers, name)):
        layer = cls(**arguments)
        layer.build(x.shape)
        weights = weights or [generator.standard_normal(w.shape) for w in layer.weights]
        layer.set_weights(weights)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            # A different factor for each output, so that no two gradients cancel.
            value = tf.reduce_sum(y * tf.reshape(tf.range(tf.size(y), dtype=tf.float32), y.shape)
                                  / tf.size(y, tf.float32))
        gradients = tape.gradient(value, [x, *(w.value for w in layer.trainable_variables)])
        assert y.shape == layer.compute_output_shape(x.shape)
        found.append([y, *gradients])
    for theirs, ours in zip(*found, strict=True):
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(ours / scale, theirs / scale, rtol=1e-5, atol=1e-5)


def test_convolution_of_unknown_length_takes_keras_own_way(generator):
    inputs = keras.Input((None, 4))
    network = keras.Model(inputs, Conv1D(2, 3, padding="same")(inputs))
    reference = keras.layers.Conv1D(2, 3, padding="same")
    reference.build((None, None, 4))
    reference.set_weights(network.get_weights())
    x = generator.standard_normal((2, 9, 4)).astype(np.float32)
    np.testing.assert_allclose(network(x), reference(x), rtol=1e-5, atol=1e-6)


# --- pooling -------------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments", [
    {}, {"pool_size": 3}, {"pool_size": (1, 4)}, {"pool_size": (4, 1)}, {"pool_size": (2, 3)}, {"pool_size": 1},
    {"strides": 1}, {"pool_size": 3, "strides": 2}, {"padding": "same"}],
    ids=lambda arguments: "-".join(map(str, arguments.values())) or "default")
@pytest.mark.parametrize("values", [2, 5, 1000], ids=["many equals", "some equals", "few equals"])
def test_max_pooling_equals_keras_to_the_bit(generator, arguments, values):
    x = tf.constant(generator.integers(-values, values, (6, 7, 8, 5)) / 7, tf.float32)

    def found(layer):
        @tf.function(jit_compile=True)
        def run(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = layer(x)
                value = tf.reduce_sum(y * tf.reshape(tf.range(tf.size(y), dtype=tf.float32), y.shape))
            return y, tape.gradient(value, x)
        return run(x)

    theirs, ours = found(keras.layers.MaxPooling2D(**arguments)), found(layers.MaxPooling2D(**arguments))
    assert ours[0].shape == layers.MaxPooling2D(**arguments).compute_output_shape(x.shape)
    for one, other in zip(theirs, ours, strict=True):
        np.testing.assert_array_equal(one, other)


def test_max_pooling_of_unknown_space_takes_keras_own_way(generator):
    inputs = keras.Input((None, 8, 3))
    network = keras.Model(inputs, layers.MaxPooling2D()(inputs))
    x = generator.standard_normal((2, 9, 8, 3)).astype(np.float32)
    np.testing.assert_array_equal(network(x), x[:, :8].reshape(2, 4, 2, 4, 2, 3).max(axis=(2, 4)))


# --- dropout by a faster generator --------------------------------------------------------------

def trained(layer, inputs):
    """What a layer gives in training, in a compiled function, as the trainer calls it."""
    return tf.function(lambda x: layer(x, training=True), jit_compile=True)(inputs).numpy()


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_dropout_keeps_and_scales(rate):
    found = trained(Dropout(rate, seed=1), np.ones((100, 21, 10), np.float32))
    assert set(np.unique(found)) == {np.float32(0), np.float32(1) / np.float32(1 - rate)}
    # Five standard errors of a share of 21,000 draws.
    assert abs((found == 0).mean() - rate) < 5 * (rate * (1 - rate) / found.size) ** 0.5


def test_dropout_draws_by_its_seed_and_anew_each_time():
    x = np.ones((50, 21, 10), np.float32)
    first, same, other = (Dropout(0.3, seed=seed) for seed in (1, 1, 2))
    draws = [trained(first, x), trained(first, x), trained(same, x), trained(other, x)]
    np.testing.assert_array_equal(draws[0], draws[2])
    for different in (draws[1], draws[3]):
        agreeing = ((draws[0] == 0) == (different == 0)).mean()
        # Independent masks agree with probability 0.3² + 0.7².
        assert abs(agreeing - 0.58) < 0.03


def test_dropout_with_a_noise_shape_is_constant_over_time():
    found = trained(Dropout(0.3, noise_shape=[None, 1, 10], seed=1),
                    np.ones((40, 21, 10), np.float32))
    assert np.ptp(found, axis=1).max() == 0
    assert 0.2 < (found[:, 0] == 0).mean() < 0.4


def test_alpha_dropout_has_keras_values_where_kept_and_where_dropped(generator):
    x = generator.standard_normal((100, 21, 10)).astype(np.float32)
    found = trained(AlphaDropout(0.1, seed=1), x)
    keras_own = np.asarray(keras.layers.AlphaDropout(0.1, seed=1)(x, training=True))
    # Keras' dropped units share one value, and its kept ones are an affine function of the input.
    values, counts = np.unique(keras_own, return_counts=True)
    dropped = values[counts.argmax()]
    kept = keras_own != dropped
    slope, intercept = np.polyfit(x[kept], keras_own[kept], 1)
    off = np.isclose(found, dropped, atol=1e-5)
    np.testing.assert_allclose(found[~off], slope * x[~off] + intercept, atol=1e-4)
    assert abs(off.mean() - 0.1) < 0.01
    assert abs(found.mean()) < 0.03 and abs(found.std() - 1) < 0.03


@pytest.mark.parametrize("cls", [Dropout, AlphaDropout])
def test_dropout_does_nothing_at_inference(cls, generator):
    x = generator.standard_normal((4, 5)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(cls(0.5)(x, training=False)), x)


# --- noise of a batch ---------------------------------------------------------------------------

def test_batch_noise_is_one_shift_and_one_factor_a_channel(generator):
    x = generator.standard_normal((32, 21, 500)).astype(np.float32)
    found = trained(BatchNoise(shift=0.5, scale=0.25, seed=1), x)
    flat, noisy = x.reshape(-1, 500), found.reshape(-1, 500)
    # A line through the two samples that lie furthest apart.
    low, high = flat.argmin(axis=0), flat.argmax(axis=0)
    channel = np.arange(500)
    factor = (noisy[high, channel] - noisy[low, channel]) / (flat[high, channel] - flat[low, channel])
    shift = noisy[low, channel] - factor * flat[low, channel]
    np.testing.assert_allclose(noisy, flat * factor + shift, atol=1e-5)
    for drawn, middle, reach in ((shift, 0, 0.5), (factor, 1, 0.25)):
        assert np.abs(drawn - middle).max() <= reach + 1e-5
        # Five standard errors of mean and variance of 500 uniform draws.
        assert abs(drawn.mean() - middle) < 5 * reach / (3 * 500) ** 0.5
        assert abs(drawn.var() - reach**2 / 3) < 5 * reach**2 * (4 / 45 / 500) ** 0.5
    assert abs(np.corrcoef(shift, factor)[0, 1]) < 0.2


def test_batch_noise_draws_by_its_seed_and_anew_each_time():
    x = np.ones((2, 3, 5), np.float32)
    first, same, other = (BatchNoise(seed=seed) for seed in (1, 1, 2))
    draws = [trained(first, x), trained(first, x), trained(same, x), trained(other, x)]
    np.testing.assert_array_equal(draws[0], draws[2])
    for different in (draws[1], draws[3]):
        assert np.abs(draws[0] - different).max() > 0.01


def test_batch_noise_does_nothing_at_inference_and_without_reach(generator):
    x = generator.standard_normal((4, 3, 5)).astype(np.float32)
    np.testing.assert_array_equal(BatchNoise()(x, training=False), x)
    np.testing.assert_array_equal(BatchNoise(shift=0, scale=0)(x, training=True), x)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"shift": -0.1}, "shift must be at least 0. Received: shift=-0.1"),
    ({"scale": -0.1}, "scale must be at least 0 and below 1. Received: scale=-0.1"),
    ({"scale": 1}, "scale must be at least 0 and below 1. Received: scale=1"),
])
def test_batch_noise_refuses_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        BatchNoise(**arguments)


# --- batch normalisation without a batch ---------------------------------------------------------

@pytest.mark.parametrize("training", [True, False])
def test_frozen_normalisation_is_a_scale_and_a_shift(generator, training):
    x = (5 + 3 * generator.standard_normal((4, 7, 6))).astype(np.float32)
    layer = FrozenBatchNormalization(epsilon=0.1)
    layer.build(x.shape)
    gamma, beta = generator.standard_normal((2, 6))
    layer.set_weights([gamma, beta, np.zeros(6), np.ones(6)])
    expected = gamma * x / np.sqrt(1.1) + beta
    np.testing.assert_allclose(layer(x, training=training), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(6))
    np.testing.assert_array_equal(layer.moving_variance, np.ones(6))


def test_frozen_normalisation_still_learns(generator):
    x = tf.constant(generator.standard_normal((8, 3)), tf.float32)
    layer = FrozenBatchNormalization()
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(layer(x, training=True) ** 2)
    weights = layer.trainable_variables
    assert [w.name for w in weights] == ["gamma", "beta"]
    gradients = tape.gradient(value, [w.value for w in weights])
    # With gamma 1 and beta 0, y = x / sqrt(1.001).
    np.testing.assert_allclose(gradients[0], 2 * np.sum(x**2, axis=0) / 1.001, rtol=1e-5)
    np.testing.assert_allclose(gradients[1], 2 * np.sum(x, axis=0) / 1.001**0.5, rtol=1e-4, atol=1e-5)


# --- batch normalisation in groups ----------------------------------------------------------------

@pytest.mark.parametrize("shape", [(6, 5), (6, 7, 5), (6, 3, 4, 5)], ids=["flat", "1d", "2d"])
def test_ghost_normalisation_equals_numpy(generator, shape):
    x = (2 + 3 * generator.standard_normal(shape)).astype(np.float32)
    layer = GhostBatchNormalization(size=2, momentum=0.9, epsilon=0.01)
    layer.build(shape)
    gamma, beta, mean, variance = generator.uniform(0.5, 2, (4, 5)).astype(np.float32)
    layer.set_weights([gamma, beta, mean, variance])
    at_inference = gamma * (x - mean) / np.sqrt(variance + 0.01) + beta
    np.testing.assert_allclose(layer(x, training=False), at_inference, rtol=1e-4, atol=1e-5)
    expected = np.empty_like(x)
    means, variances = [], []
    for first in (0, 2, 4):
        group = x[first:first + 2].reshape(-1, 5)
        means.append(group.mean(axis=0))
        variances.append(group.var(axis=0))
        normal = (x[first:first + 2] - means[-1]) / np.sqrt(variances[-1] + 0.01)
        expected[first:first + 2] = gamma * normal + beta
    np.testing.assert_allclose(trained(layer, x), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(layer.moving_mean, 0.9 * mean + 0.1 * np.mean(means, axis=0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, 0.9 * variance + 0.1 * np.mean(variances, axis=0),
                               rtol=1e-5)


def test_ghost_normalisation_of_one_group_equals_keras(generator):
    x = tf.constant(3 + generator.standard_normal((8, 7, 5)), tf.float32)
    towards = generator.standard_normal((8, 7, 5))
    found = []
    for layer in (keras.layers.BatchNormalization(momentum=0.8, epsilon=0.01),
                  GhostBatchNormalization(8, momentum=0.8, epsilon=0.01)):
        layer.build(x.shape)
        names = [(w.name, w.trainable, w.numpy().tolist()) for w in layer.weights]
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            value = tf.reduce_sum(y * towards)
        gradients = tape.gradient(value, [x, *(w.value for w in layer.trainable_variables)])
        found.append((names, [y, *gradients, *layer.weights, layer(x, training=False)]))
    assert found[0][0] == found[1][0]
    for theirs, ours in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_ghost_normalisation_that_is_not_trained_stays_as_it_is(generator):
    x = generator.standard_normal((4, 5)).astype(np.float32)
    layer = GhostBatchNormalization(size=2, trainable=False)
    np.testing.assert_array_equal(layer(x, training=True), layer(x, training=False))
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(5))


@pytest.mark.parametrize("size", [1, 0])
def test_ghost_normalisation_refuses_a_group_of_one(size):
    with pytest.raises(ValueError, match=f"size must be at least 2. Received: size={size}"):
        GhostBatchNormalization(size)


def test_ghost_normalisation_refuses_a_batch_of_broken_groups():
    layer = GhostBatchNormalization(4)
    x = np.ones((6, 5), np.float32)
    assert layer(x, training=False).shape == x.shape
    with pytest.raises(ValueError, match="size must divide the batch. Received: size=4, batch=6"):
        layer(x, training=True)
    unknown = tf.function(lambda x: layer(x, training=True),
                          input_signature=[tf.TensorSpec((None, 5), tf.float32)])
    assert unknown(np.ones((8, 5), np.float32)).shape == (8, 5)
    with pytest.raises(tf.errors.InvalidArgumentError):
        unknown(x)


# --- LSTMs with a normalisation inside --------------------------------------------------------------

BATCH, STEPS, CHANNELS, UNITS = 6, 5, 3, 4
LSTMS = [BatchNormLSTM, LayerNormLSTM]


def normalised_lstm(generator, cls, **arguments):
    """A layer in double precision with random weights, and these by their names."""
    layer = cls(UNITS, epsilon=0.01, dtype="float64", **arguments)
    layer.build((None, STEPS, CHANNELS))
    layer.set_weights([generator.uniform(0.5, 1.5, w.shape) if "variance" in w.name
                       else generator.standard_normal(w.shape) for w in layer.weights])
    return layer, {w.name: w.numpy() for w in layer.weights}


def by_hand(cls, x, w, training):
    """h of all steps, and means and variances of each part and step, in plain NumPy."""
    seen = {}

    def normal(part, values, step):
        if cls is LayerNormLSTM:
            mean, variance = values.mean(axis=1, keepdims=True), values.var(axis=1, keepdims=True)
        elif training:
            mean, variance = values.mean(axis=0), values.var(axis=0)
            seen[part, step] = mean, variance
        else:
            mean, variance = w[f"moving_mean_{part}"][step], w[f"moving_variance_{part}"][step]
        return (w[f"gamma_{part}"] * (values - mean) / np.sqrt(variance + 0.01)
                + w.get(f"beta_{part}", 0))

    h, c, outputs = np.zeros((len(x), UNITS)), np.zeros((len(x), UNITS)), []
    for step in range(STEPS):
        gates = (normal("recurrent", h @ w["recurrent_kernel"], step)
                 + normal("input", x[:, step] @ w["kernel"], step) + w["bias"])
        i, f, g, o = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(normal("cell", c, step))
        outputs.append(h)
    return np.stack(outputs, axis=1), seen


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("cls", LSTMS)
def test_normalised_lstm_equals_numpy(generator, cls, training):
    x = generator.standard_normal((BATCH, STEPS, CHANNELS))
    layer, w = normalised_lstm(generator, cls, return_sequences=True)
    expected, _ = by_hand(cls, x, w, training)
    np.testing.assert_allclose(layer(x, training=training), expected, rtol=1e-9, atol=1e-9)
    assert layer.compute_output_shape(x.shape) == expected.shape
    layer.set_weights([w[weight.name] for weight in layer.weights])
    layer.return_sequences = False
    np.testing.assert_allclose(layer(x, training=training), expected[:, -1], rtol=1e-9, atol=1e-9)
    assert layer.compute_output_shape(x.shape) == (BATCH, UNITS)


@pytest.mark.parametrize("cls", LSTMS)
def test_normalised_lstm_has_the_gradients_of_numpy(generator, cls):
    x = generator.standard_normal((BATCH, STEPS, CHANNELS))
    layer, w = normalised_lstm(generator, cls, return_sequences=True)
    factors = generator.standard_normal((BATCH, STEPS, UNITS))

    @tf.function(jit_compile=True)
    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(layer(x, training=True) * factors)
        return tape.gradient(value, [x, *(v.value for v in layer.trainable_variables)])

    names = ["x", *(v.name for v in layer.trainable_variables)]
    for name, gradient in zip(names, gradients(tf.constant(x)), strict=True):
        values = {**w, "x": x}
        direction = generator.standard_normal(values[name].shape)
        ends = []
        for move in (1e-5, -1e-5):
            moved = values | {name: values[name] + move * direction}
            ends.append(np.sum(by_hand(cls, moved["x"], moved, True)[0] * factors))
        slope = (ends[0] - ends[1]) / 2e-5
        assert np.abs(slope) > 1e-3
        np.testing.assert_allclose(np.sum(gradient * direction), slope, rtol=1e-5, err_msg=name)


def test_batch_norm_lstm_moves_its_averages_to_the_batch(generator):
    x = generator.standard_normal((BATCH, STEPS, CHANNELS))
    layer, w = normalised_lstm(generator, BatchNormLSTM, momentum=0.9)
    trained(layer, tf.constant(x))
    _, seen = by_hand(BatchNormLSTM, x, w, True)
    found = {v.name: v.numpy() for v in layer.non_trainable_variables}
    assert len(found) == 6
    for (part, step), values in seen.items():
        for kind, value in zip(("mean", "variance"), values):
            name = f"moving_{kind}_{part}"
            assert found[name].shape == (STEPS, 4 * UNITS if part != "cell" else UNITS)
            np.testing.assert_allclose(found[name][step], 0.9 * w[name][step] + 0.1 * value,
                                       rtol=1e-9)


def test_batch_norm_lstm_that_does_not_normalise_equals_keras_lstm(generator):
    x = generator.standard_normal((BATCH, STEPS, CHANNELS)).astype(np.float32)
    theirs = keras.layers.LSTM(UNITS, bias_initializer="random_normal", return_sequences=True)
    expected = theirs(x)
    ours = BatchNormLSTM(UNITS, return_sequences=True)
    ours.build(x.shape)
    for weight, value in zip((ours.kernel, ours.recurrent_kernel, ours.bias), theirs.weights):
        weight.assign(value)
    for gamma in ours.gamma.values():
        gamma.assign(gamma * 0 + 1.001**0.5)  # cancels the start's variance plus epsilon
    np.testing.assert_allclose(ours(x, training=False), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("cls", "gamma", "shifted"), [
    (BatchNormLSTM, 0.1, {"cell"}),
    (LayerNormLSTM, 1, {"recurrent", "input", "cell"}),
])
def test_normalised_lstm_starts_as_its_source_says(cls, gamma, shifted):
    layer, theirs = cls(UNITS), keras.layers.LSTM(UNITS)
    for either in (layer, theirs):
        either.build((None, STEPS, CHANNELS))
    np.testing.assert_array_equal(layer.bias, theirs.cell.bias)
    recurrent = layer.recurrent_kernel.numpy()
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(UNITS), atol=1e-5)
    limit = (6 / (CHANNELS + 4 * UNITS)) ** 0.5
    assert 0.8 * limit < np.abs(layer.kernel).max() <= limit
    for weight in layer.gamma.values():
        np.testing.assert_array_equal(weight, np.full(weight.shape, gamma, np.float32))
    assert set(layer.beta) == shifted and all(not np.any(beta) for beta in layer.beta.values())


@pytest.mark.parametrize("cls", LSTMS)
def test_normalised_lstm_keeps_nothing_between_calls(generator, cls):
    x, other = generator.standard_normal((2, BATCH, STEPS, CHANNELS))
    layer, w = normalised_lstm(generator, cls)
    first = layer(x, training=False)
    layer(100 * other, training=False)
    np.testing.assert_array_equal(layer(x, training=False), first)
    layer(other, training=True)
    layer.set_weights([w[weight.name] for weight in layer.weights])
    np.testing.assert_array_equal(layer(x, training=False), first)


def test_layer_norm_lstm_treats_each_sample_alone(generator):
    x = generator.standard_normal((BATCH, STEPS, CHANNELS))
    layer, _ = normalised_lstm(generator, LayerNormLSTM)
    np.testing.assert_allclose(layer(x, training=True)[:1], layer(x[:1], training=False), rtol=1e-9)


def test_batch_norm_lstm_that_is_not_trained_stays_as_it_is(generator):
    x = generator.standard_normal((BATCH, STEPS, CHANNELS))
    layer, w = normalised_lstm(generator, BatchNormLSTM, trainable=False)
    np.testing.assert_array_equal(layer(x, training=True), layer(x, training=False))
    for weight in layer.weights:
        np.testing.assert_array_equal(weight, w[weight.name])


@pytest.mark.parametrize("cls", LSTMS)
def test_normalised_lstm_refuses_what_it_cannot_do(cls):
    with pytest.raises(ValueError, match="units must be at least 1. Received: units=0"):
        cls(0)
    with pytest.raises(ValueError, match="the number of time steps must be known"):
        cls(UNITS).build((None, None, CHANNELS))
    layer = cls(UNITS)
    layer.build((None, STEPS, CHANNELS))
    with pytest.raises(ValueError, match="incompatible with the layer"):
        layer(np.ones((BATCH, STEPS + 1, CHANNELS), np.float32))


def test_a_normalised_lstm_that_does_not_say_how_cannot_be_made():
    with pytest.raises(TypeError, match="abstract method '?_normalise"):
        _NormalisedLSTM(UNITS)


# --- all of them ------------------------------------------------------------------------------------

@pytest.mark.parametrize(("cls", "arguments"), [
    (BatchNormLSTM, {"units": 3, "return_sequences": True, "momentum": 0.8, "epsilon": 0.1}),
    (LayerNormLSTM, {"units": 3, "return_sequences": True, "epsilon": 0.1}),
    (GhostBatchNormalization, {"size": 4, "momentum": 0.8, "epsilon": 0.1}),
    (FrozenBatchNormalization, {"epsilon": 0.1}),
    (BatchNoise, {"shift": 0.1, "scale": 0.2, "seed": 3}),
])
def test_layers_are_made_again_from_their_arguments(cls, arguments):
    again = cls.from_config(cls(**arguments).get_config())
    held = {name: getattr(again, name) for name in arguments if name != "seed"}
    assert held == {name: value for name, value in arguments.items() if name != "seed"}

@pytest.mark.parametrize("item", [
    {"BatchNormLSTM": {"units": 4}}, {"LayerNormLSTM": {"units": 4}},
    {"GhostBatchNormalization": {"size": 4}}, "FrozenBatchNormalization",
    {"BatchNoise": {"shift": 0.2, "scale": 0.1}},
], ids=lambda item: item if isinstance(item, str) else next(iter(item)))
def test_a_network_with_the_layer_learns_and_repeats_itself(generator, item):
    tail = [] if "LSTM" in str(item) else ["GlobalAveragePooling1D"]
    items = [{"Conv1D": {"filters": 4, "kernel_size": 3, "padding": "causal"}}, item, *tail]
    network = {"layers": [resolve(entry, {}, "layers") for entry in items], "head": []}
    x = generator.standard_normal((64, 6, 3)).astype(np.float32)
    y = x[:, -3:, :1].mean(axis=1)
    split = Split(x, y, x, y, x, y, task="regression", classes=0)
    trainer = Trainer(network, (6, 3), Task(), "Adam")
    starts = [trainer.start(seed, 0) for seed in (1, 1, 2)]
    for same, one in zip(starts[0], starts[1], strict=True):
        np.testing.assert_array_equal(same, one)
    assert any(np.any(one != other) for one, other in zip(starts[0], starts[2], strict=True))
    order = batch_order(64, 8, 40, seed=1)
    first, again, other = (trainer.run(start, split, order, 0.01) for start in starts)
    curves = [run["train_curve"] + run["validation_curve"] for run in (first, again, other)]
    assert curves[0] == curves[1] != curves[2]
    # The variance of y is what the best constant leaves.
    assert first["best_loss"] < 0.3 * y.var()


def test_no_two_files_of_layers_define_one_name():
    """The digest of a layer's code follows names through all files."""
    defined = [node.name for file in Path(layers.__file__).parent.glob("*.py")
               for node in ast.parse(file.read_text()).body
               if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    assert len(defined) == len(set(defined)) > 20
