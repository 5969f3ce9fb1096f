"""The layers that Keras lacks, against plain NumPy and against Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline import layers


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
    layer = layers.SqueezeExcite(ratio=4, squeeze=squeeze)
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
        layer = layers.SqueezeExcite(ratio=4, squeeze=squeeze)
        layer.build((None, 7, 10))
        counts.append(layer.count_params())
    assert counts == [2 * 10 * 2] * 2


def test_squeeze_excite_keeps_one_unit():
    layer = layers.SqueezeExcite(ratio=16)
    assert layer(np.ones((2, 3, 4), np.float32)).shape == (2, 3, 4)
    assert layer.weights[0].shape == (4, 1)


@pytest.mark.parametrize("ratio", [0, -1])
def test_squeeze_excite_refuses_a_ratio_below_one(ratio):
    with pytest.raises(ValueError, match=f"ratio must be at least 1. Received: ratio={ratio}"):
        layers.SqueezeExcite(ratio=ratio)


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
    network = keras.Model(inputs, layers.Conv1D(2, 3, padding="same")(inputs))
    reference = keras.layers.Conv1D(2, 3, padding="same")
    reference.build((None, None, 4))
    reference.set_weights(network.get_weights())
    x = generator.standard_normal((2, 9, 4)).astype(np.float32)
    np.testing.assert_allclose(network(x), reference(x), rtol=1e-5, atol=1e-6)


# --- dropout by a faster generator --------------------------------------------------------------

def trained(layer, inputs):
    """What a layer gives in training, in a compiled function, as the trainer calls it."""
    return tf.function(lambda x: layer(x, training=True), jit_compile=True)(inputs).numpy()


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_dropout_keeps_and_scales(rate):
    found = trained(layers.Dropout(rate, seed=1), np.ones((100, 21, 10), np.float32))
    assert set(np.unique(found)) == {np.float32(0), np.float32(1) / np.float32(1 - rate)}
    # Five standard errors of a share of 21,000 draws.
    assert abs((found == 0).mean() - rate) < 5 * (rate * (1 - rate) / found.size) ** 0.5


def test_dropout_draws_by_its_seed_and_anew_each_time():
    x = np.ones((50, 21, 10), np.float32)
    first, same, other = (layers.Dropout(0.3, seed=seed) for seed in (1, 1, 2))
    draws = [trained(first, x), trained(first, x), trained(same, x), trained(other, x)]
    np.testing.assert_array_equal(draws[0], draws[2])
    for different in (draws[1], draws[3]):
        agreeing = ((draws[0] == 0) == (different == 0)).mean()
        # Independent masks agree with probability 0.3² + 0.7².
        assert abs(agreeing - 0.58) < 0.03


def test_dropout_with_a_noise_shape_is_constant_over_time():
    found = trained(layers.Dropout(0.3, noise_shape=[None, 1, 10], seed=1),
                    np.ones((40, 21, 10), np.float32))
    assert np.ptp(found, axis=1).max() == 0
    assert 0.2 < (found[:, 0] == 0).mean() < 0.4


def test_alpha_dropout_has_keras_values_where_kept_and_where_dropped(generator):
    x = generator.standard_normal((100, 21, 10)).astype(np.float32)
    found = trained(layers.AlphaDropout(0.1, seed=1), x)
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


@pytest.mark.parametrize("cls", [layers.Dropout, layers.AlphaDropout])
def test_dropout_does_nothing_at_inference(cls, generator):
    x = generator.standard_normal((4, 5)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(cls(0.5)(x, training=False)), x)
