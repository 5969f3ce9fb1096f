"""The recurrent twins against Keras' own layers: outputs, gradients, losses."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.network import layers
from pipeline.network.layers import recurrent

BATCH, STEPS, CHANNELS, UNITS = 6, 7, 5, 4
SWITCHES = ("return_sequences", "go_backwards", "use_bias")
#: Of each two switches, every pair of values.
ARGUMENTS = [dict(zip(SWITCHES, (a, b, a ^ b))) for a, b in itertools.product((True, False), repeat=2)]
ARGUMENTS += [{"unit_forget_bias": False, "kernel_initializer": "he_normal"},
              {"kernel_regularizer": "l2", "recurrent_constraint": "max_norm"}]


@pytest.fixture
def x():
    return tf.constant(np.random.default_rng(0).standard_normal((BATCH, STEPS, CHANNELS)), tf.float32)


@pytest.fixture
def twins(monkeypatch):
    """Counts the calls that the twins compute themselves."""
    calls = []
    for name in ("_lstm", "_gru"):
        own = getattr(recurrent, name)
        monkeypatch.setattr(recurrent, name, lambda *a, own=own: calls.append(1) or own(*a))
    return calls


def pair(name, x, **arguments):
    """Keras' layer and ours with the same weights, biases that are not 0 among them."""
    both = [getattr(room, name)(UNITS, seed=3, **arguments) for room in (keras.layers, layers)]
    generator = np.random.default_rng(1)
    for layer in both:
        layer.build(x.shape)
    weights = [generator.normal(scale=0.5, size=w.shape) for w in both[0].weights if "seed" not in w.path]
    for layer in both:
        for weight, value in zip(layer.trainable_weights, weights, strict=True):
            weight.assign(value)
    return both


def computed(layer, x, compiled, training=True):
    """Outputs, and the gradients of a sum of them, each with a factor of its own."""
    @tf.function(jit_compile=compiled, reduce_retracing=True)
    def outputs_and_gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
            factors = tf.reshape(tf.range(1, tf.size(y) + 1, dtype=tf.float32), tf.shape(y))
            value = tf.reduce_sum(y * factors) / tf.cast(tf.size(y), tf.float32)
        return [y, *tape.gradient(value, [x, *(w.value for w in layer.trainable_variables)])]
    return outputs_and_gradients(x)


def assert_equal(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(ours / scale, theirs / scale, atol=1e-5)


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_a_twin_equals_keras(x, twins, name, arguments):
    if name == "GRU":
        arguments = {k: v for k, v in arguments.items() if k != "unit_forget_bias"}
    theirs, ours = pair(name, x, **arguments)
    assert_equal(computed(ours, x, arguments.get("return_sequences", False)), computed(theirs, x, False))
    assert twins


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_a_twin_equals_keras_with_a_batch_of_unknown_size(x, twins, name):
    theirs, ours = pair(name, x)
    found = tf.function(ours, input_signature=[tf.TensorSpec((None, STEPS, CHANNELS))])(x)
    np.testing.assert_allclose(found, theirs(x), atol=1e-6)
    assert twins


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_a_twin_inside_bidirectional_equals_keras(x, twins, name, merge):
    both = [keras.layers.Bidirectional(getattr(room, name)(UNITS, return_sequences=True), merge_mode=merge)
            for room in (keras.layers, layers)]
    for layer in both:
        layer.build(x.shape)
    both[1].set_weights(both[0].get_weights())
    assert_equal(computed(both[1], x, True), computed(both[0], x, False))
    assert len(twins) == 2


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
@pytest.mark.parametrize("rates", [{"dropout": 0.4}, {"recurrent_dropout": 0.4},
                                   {"dropout": 0.3, "recurrent_dropout": 0.5}], ids=str)
def test_a_twin_with_dropout_equals_keras_with_its_masks(x, twins, monkeypatch, name, rates):
    theirs, ours = pair(name, x, **rates)
    drawn = []
    own = ours._mask
    monkeypatch.setattr(ours, "_mask", lambda rate, shape: drawn.append(own(rate, shape)) or drawn[-1])
    # Not compiled, so that the masks can be taken out.
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = ours(x, training=True)
        value = tf.reduce_sum(y**2)
    found = [y, *tape.gradient(value, [x, *(w.value for w in ours.trainable_variables)])]

    masks = [mask.numpy() for mask in drawn]
    assert len(masks) == len(rates) and twins
    recurrent_mask = masks.pop() if "recurrent_dropout" in rates else None
    input_mask = masks.pop() if "dropout" in rates else None
    gates = 4 if name == "LSTM" else 3
    if input_mask is not None:
        assert input_mask.shape == (gates if recurrent_mask is not None else 1, CHANNELS, 1, BATCH)
        # What Keras' cell holds: a mask (batch, channels), or a list of one for each gate.
        per_gate = [tf.constant(mask[:, 0].T) for mask in input_mask]
        kept = per_gate if recurrent_mask is not None else per_gate[0]
        monkeypatch.setattr(theirs.cell, "get_dropout_mask", lambda inputs: kept)
    if recurrent_mask is not None:
        assert recurrent_mask.shape == (gates, UNITS, BATCH)
        of_hidden = [tf.constant(mask.T) for mask in recurrent_mask]
        monkeypatch.setattr(theirs.cell, "get_recurrent_dropout_mask", lambda state: of_hidden)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = theirs(x, training=True)
        value = tf.reduce_sum(y**2)
    expected = [y, *tape.gradient(value, [x, *(w.value for w in theirs.trainable_variables)])]
    assert_equal(found, expected)
    np.testing.assert_allclose(ours(x, training=False), theirs(x, training=False), atol=1e-6)


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_dropout_drops_its_share_and_keeps_the_mean(name):
    layer = getattr(layers, name)(500, dropout=0.2, recurrent_dropout=0.4, seed=1)
    for rate, shape in ((0.2, (4, 30, 1, 100)), (0.4, (4, 50, 100))):
        mask = layer._mask(rate, shape).numpy()
        np.testing.assert_allclose(np.unique(mask), [0, 1 / (1 - rate)], rtol=1e-6)
        assert (mask == 0).mean() == pytest.approx(rate, abs=0.02)
        assert mask.mean() == pytest.approx(1, abs=0.03)


def test_each_call_draws_masks_of_its_own_and_only_in_training(x):
    layer = layers.LSTM(UNITS, recurrent_dropout=0.5, seed=1)
    layer.build(x.shape)
    call = tf.function(layer, jit_compile=True)
    first, second = call(x, training=True), call(x, training=True)
    assert np.abs(first - second).max() > 1e-3
    state = layer.cell.seed_generator.state.numpy()
    np.testing.assert_array_equal(call(x, training=False), call(x, training=False))
    np.testing.assert_array_equal(layer.cell.seed_generator.state.numpy(), state)


@pytest.mark.parametrize(("name", "arguments"), [
    ("LSTM", {"activation": "relu"}), ("LSTM", {"recurrent_activation": "hard_sigmoid"}),
    ("LSTM", {"unroll": True}), ("LSTM", {"return_state": True}), ("LSTM", {"stateful": True}),
    ("GRU", {"activation": "relu"}), ("GRU", {"reset_after": False}), ("GRU", {"unroll": True}),
], ids=str)
def test_what_a_twin_does_not_do_is_keras_own(x, twins, name, arguments):
    theirs, ours = pair(name, x, **arguments)
    for found, expected in zip(tf.nest.flatten(ours(x)), tf.nest.flatten(theirs(x)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    assert not twins


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_masked_steps_and_a_given_state_are_keras_own(x, twins, name):
    theirs, ours = pair(name, x)
    mask = tf.constant(np.arange(STEPS) < np.arange(1, BATCH + 1)[:, None])
    states = [tf.ones((BATCH, UNITS))] * (2 if name == "LSTM" else 1)
    for given in ({"mask": mask}, {"initial_state": states}):
        np.testing.assert_allclose(ours(x, **given), theirs(x, **given), rtol=1e-6, atol=1e-7)
    assert not twins


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_an_unknown_number_of_steps_is_keras_own(x, twins, name):
    inputs = keras.Input((None, CHANNELS))
    _, ours = pair(name, x)
    found = tf.function(keras.Model(inputs, ours(inputs)),
                        input_signature=[tf.TensorSpec((None, None, CHANNELS))])(x)
    assert not twins
    np.testing.assert_allclose(found, ours(x), atol=1e-6)


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_a_twin_learns_as_keras_layer_does(name):
    """20 epochs of `fit`, same weights, same batches."""
    generator = np.random.default_rng(0)
    x = generator.standard_normal((64, STEPS, CHANNELS)).astype(np.float32)
    y = x[:, -2:, :2].sum(axis=(1, 2))[:, None]
    losses, weights = [], None
    for room in (keras.layers, layers):
        network = keras.Sequential([keras.Input((STEPS, CHANNELS)), getattr(room, name)(
            UNITS, return_sequences=True), getattr(room, name)(UNITS), keras.layers.Dense(1)])
        weights = weights or network.get_weights()
        network.set_weights(weights)
        network.compile(keras.optimizers.Adam(0.01), "mean_squared_error", jit_compile=True)
        losses.append(network.fit(x, y, batch_size=16, epochs=20, shuffle=False, verbose=0).history["loss"])
    assert losses[0][-1] < 0.9 * losses[0][0]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
