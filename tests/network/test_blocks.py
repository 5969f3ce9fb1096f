"""Networks with blocks: what they compute, by numpy; how they train, by Keras' fit; where they start."""

import keras
import numpy as np
import pytest

from pipeline.config.errors import ConfigError
from pipeline.config.layer_list import flat
from pipeline.network.layers import SelfAttention
from pipeline.network.model import build
from pipeline.network.resolve import resolve
from tests.network.fits import differences
from tests.networks import random_split

WORDS = {
    "conv": {"Conv1D": {"filters": 3, "kernel_size": 3, "padding": "same"}},
    "wide": {"Conv1D": {"filters": 5, "kernel_size": 3, "padding": "same"}},
    "dense": {"Dense": {"units": 4}}, "relu": {"Activation": "relu"}, "bn": "BatchNormalization", "lstm": {"LSTM": {"units": 3}},
    "dropout": {"Dropout": {"rate": 0.3}}, "pool": "GlobalAveragePooling1D", "sigmoid": {"Activation": "sigmoid"},
    "excite": [{"branches": [[], ["pool", {"Dense": {"units": 3}}, "sigmoid"]], "join": "multiply"}],
    "attend": [{"residual": ["LayerNormalization", {"SelfAttention": {"num_heads": 2, "key_dim": 2}}]},
               {"residual": ["LayerNormalization", {"Dense": {"units": 8, "activation": "gelu"}}, {"Dense": {"units": 3}}]}],
}


def network(*items):
    return {"layers": [resolve(item, WORDS, "layers") for item in flat(items, WORDS)], "head": []}


def message(items, shape):
    with pytest.raises(ConfigError) as error:
        build(network(*items), shape, 1, place="there")
    return str(error.value)


def inner(model, name):
    """What a layer of a network gives on random inputs, and these."""
    x = np.random.default_rng(0).standard_normal((2, *model.input_shape[1:])).astype(np.float32)
    return x, keras.Model(model.input, model.get_layer(name).output)(x).numpy()


def test_a_residual_block_adds_its_input():
    model = build(network({"residual": ["dense"]}), (4,), 1, 3)
    x, found = inner(model, "residual_1")
    kernel, bias = model.get_layer("dense_1").get_weights()
    np.testing.assert_allclose(found, x + x @ kernel + bias, rtol=1e-5)


def test_a_shortcut_is_a_linear_map_where_the_shape_changes():
    model = build(network({"residual": ["dense"]}), (7,), 1, 3)
    x, found = inner(model, "residual_1")
    kernel, bias = model.get_layer("dense_1").get_weights()
    shortcut, = model.get_layer("residual_1_shortcut").get_weights()
    np.testing.assert_allclose(found, x @ shortcut + x @ kernel + bias, rtol=1e-4, atol=1e-5)


def test_a_shortcut_skips_the_steps_that_a_block_skips():
    halved = {"Conv1D": {"filters": 5, "kernel_size": 3, "padding": "same", "strides": 2}}
    model = build(network({"residual": ["relu", halved]}, "pool"), (8, 3), 1, 3)
    x, found = inner(model, "residual_1_shortcut")
    shortcut, = model.get_layer("residual_1_shortcut").get_weights()
    np.testing.assert_allclose(found, x[:, ::2] @ shortcut[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("join", "expected"), [
    ("add", lambda a, b: a + b), ("multiply", lambda a, b: a * b), ("concatenate", lambda a, b: np.concatenate([a, b], -1))])
def test_branches_are_joined(join, expected):
    model = build(network({"branches": [[], ["relu"]], "join": join}), (4,), 1)
    x, found = inner(model, "branches_1")
    np.testing.assert_allclose(found, expected(x, np.maximum(x, 0)), rtol=1e-6)


def test_a_list_with_branches_is_squeeze_and_excite():
    model = build(network("excite", "pool"), (8, 3), 1, 3)
    x, found = inner(model, "branches_1")
    kernel, bias = model.get_layer("Dense_1").get_weights()
    np.testing.assert_allclose(found, x / (1 + np.exp(-(x.mean(1) @ kernel + bias)))[:, None], rtol=1e-4)


@pytest.mark.parametrize("causal", [False, True])
def test_self_attention_is_that_of_keras(causal):
    layer = SelfAttention(2, 3, use_causal_mask=causal)
    x = np.random.default_rng(0).standard_normal((2, 6, 4)).astype(np.float32)
    mask = np.array([[True] * 6, [True] * 4 + [False] * 2])
    found = layer(x, mask=mask)
    keras_own = keras.layers.MultiHeadAttention(2, 3)
    keras_own.build(x.shape, x.shape)
    keras_own.set_weights(layer.get_weights())
    expected = keras_own(x, x, query_mask=mask, value_mask=mask, use_causal_mask=causal)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_word_that_stands_for_a_list_is_that_list():
    one = build(network("excite", "pool"), (8, 3), 1, 3)
    other = build(network(*WORDS["excite"], "pool"), (8, 3), 1, 3)
    x = np.ones((2, 8, 3), np.float32)
    np.testing.assert_array_equal(one(x), other(x))


@pytest.mark.parametrize(("items", "shape"), [
    (["dense", {4: [{"residual": ["bn", "relu", "dense", "dropout"]}]}], (6,)),
    ([{"residual": ["dense", "bn"]}, "relu", {"residual": [{"Dense": {"units": 9}}, {"residual": ["relu"]}]}], (6,)),
    (["conv", "excite", {"residual": ["wide", "relu"]}, "lstm"], (8, 2)),
    ([{"branches": [["conv"], ["wide", "dropout"], []], "join": "concatenate"}, "lstm"], (8, 2)),
    (["conv", "attend", "pool"], (8, 2))], ids=str)
def test_a_network_with_blocks_trains_as_in_fit(items, shape):
    assert not differences(network(*items), random_split(shape, 0), jit=True, kept=("SelfAttention",))


def test_every_part_of_a_block_starts_where_the_seed_says():
    items, shape = ["conv", "attend", {"residual": ["wide"]}, "pool"], (8, 2)
    starts = [[v.numpy() for v in build(network(*items), shape, 1, *which).variables] for which in
              ((1, 0), (1, 0), (2, 0), (1, 1))]
    assert all(map(np.array_equal, starts[0], starts[1]))
    for other in starts[2:]:
        assert not any(np.array_equal(one, its) for one, its in zip(starts[0], other) if one.ndim > 1 and one.std() > 0)


def test_a_layer_put_into_a_block_leaves_the_start_of_the_others():
    plain = build(network("conv", {"residual": ["wide", "relu"]}, "lstm"), (8, 2), 1, 3)
    grown = build(network("conv", {"residual": ["bn", "wide", "bn", "relu"]}, "lstm"), (8, 2), 1, 3)
    for name in ("conv_1", "wide_1", "residual_1_shortcut", "lstm_1", "output_1"):
        for one, other in zip(plain.get_layer(name).get_weights(), grown.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("items", "shape", "expected"), [
    ([{"residual": [{"Conv1D": {"filters": 2, "kernel_size": 3}}]}, "lstm"], (8, 2),
     "there.layers[2]: the block makes shape (None, 6, 2) of (None, 8, 2), and no shortcut does; allowed: as many steps"),
    ([{"residual": ["lstm"]}], (8, 2), "there.layers[2]: the block makes shape (None, 3) of (None, 8, 2)"),
    ([{"branches": [["conv"], ["wide"]], "join": "add"}, "lstm"], (8, 2),
     "there.layers[4]: add cannot join the branches of 'branches_1', of shapes (None, 8, 3) and (None, 8, 5)"),

])
def test_a_block_that_cannot_be_built_says_why(items, shape, expected):
    assert message(items, shape).startswith(expected)
