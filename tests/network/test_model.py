"""Layer lists → networks: what may stand in a list, and what a seed decides."""

import keras
import numpy as np
import pytest

from pipeline.network.layers import Conv1D, Conv2D, SqueezeExcite
from pipeline.network.model import build
from pipeline.network.resolve import layer_class, resolve
from pipeline.config.errors import ConfigError

WORDS = {
    "conv": {"Conv1D": {"filters": 3, "kernel_size": 3, "padding": "causal"}},
    "lstm": {"LSTM": {"units": 3}},
    "noisy_lstm": {"LSTM": {"units": 3, "recurrent_dropout": 0.2}},
    "bn": "BatchNormalization",
    "dropout": {"Dropout": {"rate": 0.5}},
    "relu": {"Activation": "relu"},
    "both": {"Bidirectional": {"layer": "lstm"}},
}


def network(*items, head=()):
    return {"layers": [resolve(i, WORDS, "layers") for i in items],
            "head": [resolve(i, WORDS, "head") for i in head]}


def weights(built):
    """Layer → its variables."""
    return {layer.name: [v.numpy() for v in layer.variables] for layer in built.layers}


def message(call, *arguments, **named):
    with pytest.raises(ConfigError) as error:
        call(*arguments, **named)
    return str(error.value)


# --- resolve -----------------------------------------------------------------------------------

@pytest.mark.parametrize(("item", "expected"), [
    ("bn", {"word": "bn", "class": "BatchNormalization", "arguments": {}}),
    ("relu", {"word": "relu", "class": "Activation", "arguments": {"activation": "relu"}}),
    ("LayerNormalization", {"word": "LayerNormalization", "class": "LayerNormalization",
                            "arguments": {}}),
    ({"GroupNormalization": {"groups": 2}},
     {"word": "GroupNormalization", "class": "GroupNormalization", "arguments": {"groups": 2}}),
    ({"BatchNormalization": None}, {"word": "BatchNormalization", "class": "BatchNormalization",
                                    "arguments": {}}),
    ({"SqueezeExcite": {"ratio": 2}}, {"word": "SqueezeExcite", "class": "SqueezeExcite",
                                       "arguments": {"ratio": 2}}),
    ("both", {"word": "both", "class": "Bidirectional", "arguments": {
        "layer": {"word": "lstm", "class": "LSTM", "arguments": {"units": 3}}}}),
    ({"TimeDistributed": {"layer": {"Dense": {"units": 2}}}},
     {"word": "TimeDistributed", "class": "TimeDistributed", "arguments": {
         "layer": {"word": "Dense", "class": "Dense", "arguments": {"units": 2}}}}),
])
def test_resolve(item, expected):
    assert resolve(item, WORDS, "here") == expected


def test_our_layers_come_before_keras_own():
    assert layer_class("Conv1D", "") is Conv1D
    assert layer_class("Conv2D", "") is Conv2D
    assert layer_class("SqueezeExcite", "") is SqueezeExcite
    assert layer_class("Dense", "") is keras.layers.Dense


@pytest.mark.parametrize(("item", "parts"), [
    ("BatchNormalisation", ["unknown word or layer 'BatchNormalisation'",
                            "did you mean 'BatchNormalization'?"]),
    ("drpout", ["unknown word or layer 'drpout'", "did you mean 'dropout'?"]),
    ("Lambda", ["'Lambda' may not be used", "foreign code"]),
    ("TFSMLayer", ["may not be used", "foreign code"]),
    ("JaxLayer", ["may not be used", "foreign code"]),
    ("Layer", ["'Layer' may not be used", "a base"]),
    ("Wrapper", ["may not be used", "a base"]),
    ("InputLayer", ["may not be used", "a base"]),
    ("Add", ["'Add' may not be used", "merges several inputs"]),
    ("Concatenate", ["may not be used", "merges several inputs"]),
    ("Attention", ["'Attention' may not be used", "needs several inputs"]),
    ("HashedCrossing", ["may not be used", "needs several inputs"]),
    ({"MultiHeadAttention": {"num_heads": 1, "key_dim": 2}},
     ["'MultiHeadAttention' may not be used", "needs a query and a value"]),
    ({"LSTMCell": {"units": 2}}, ["'LSTMCell' may not be used", "one step of a recurrent layer"]),
    ({"GRUCell": {"units": 2}}, ["'GRUCell' may not be used", "one step of a recurrent layer"]),
    ({"Dense": {"unit": 2}}, ["'Dense' has no argument 'unit'", "did you mean 'units'?"]),
    ({"Dense": {"units": 2, "name": "x"}}, ["'Dense' may not be given 'name'"]),
    ({"Dropout": {"rate": 0.5, "seed": 1}}, ["'Dropout' may not be given 'seed'"]),
    ({"LSTM": {"units": 2, "return_state": True}}, ["'LSTM' may not be given 'return_state'", "several outputs"]),
    ({"Dense": 5}, ["layer 'Dense': found 5", "a mapping of arguments"]),
    ({"Bidirectional": {"layer": "lstmm"}}, ["here.layer: unknown word or layer 'lstmm'",
                                             "did you mean 'lstm'?"]),
    ({"TimeDistributed": {"layer": {"Lambda": {"function": "x"}}}},
     ["here.layer: layer 'Lambda' may not be used"]),
    ({"TimeDistributed": {"layer": {"Dense": {"unit": 2}}}},
     ["here.layer: layer 'Dense' has no argument 'unit'"]),
])
def test_resolve_says_what_may_not_stand_in_a_list(item, parts):
    found = message(resolve, item, WORDS, "here")
    assert found.startswith("here")
    for part in parts:
        assert part in found


# --- build: what a seed decides ----------------------------------------------------------------

def same(one, two):
    return all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_a_seed_decides_the_start():
    spec = network("conv", "dropout", "noisy_lstm")
    starts = [weights(build(spec, (5, 4), 1, *which)) for which in
              ((1, 0), (1, 0), (2, 0), (1, 1))]
    for name in ("conv_1", "dropout_1", "noisy_lstm_1", "output_1"):
        assert same(starts[0][name], starts[1][name])
        assert not same(starts[0][name], starts[2][name])
        assert not same(starts[0][name], starts[3][name])


def test_a_start_does_not_depend_on_keras_global_seed():
    spec = network("conv", "dropout", "noisy_lstm")
    keras.utils.set_random_seed(1)
    one = weights(build(spec, (5, 4), 1, 3))
    keras.utils.set_random_seed(2)
    two = weights(build(spec, (5, 4), 1, 3))
    assert all(same(one[name], two[name]) for name in one)


@pytest.mark.parametrize("inserted", [
    ("conv", "dropout", "relu", "noisy_lstm"), ("bn", "conv", "relu", "noisy_lstm"),
    ("conv", "relu", "bn", "noisy_lstm", "bn", "dropout")])
def test_a_layer_put_in_leaves_the_start_of_the_others(inserted):
    plain = weights(build(network("conv", "relu", "noisy_lstm"), (5, 4), 2, 7))
    grown = weights(build(network(*inserted), (5, 4), 2, 7))
    for name in ("conv_1", "noisy_lstm_1", "output_1"):
        assert same(plain[name], grown[name])


def test_a_noise_seed_stays_where_another_source_of_noise_is_put_before():
    plain = weights(build(network("conv", "dropout", "lstm"), (5, 4), 1, 7))
    spec = network({"GaussianNoise": {"stddev": 1.0}}, "conv", "dropout", "lstm")
    grown = weights(build(spec, (5, 4), 1, 7))
    assert same(plain["dropout_1"], grown["dropout_1"])


def test_occurrences_of_a_word_start_differently():
    built = weights(build(network({"Dense": {"units": 4}}, {"Dense": {"units": 4}}, "dropout",
                                        "dropout"), (4,), 1, 7))
    assert not np.array_equal(built["Dense_1"][0], built["Dense_2"][0])
    assert not np.array_equal(built["dropout_1"][0], built["dropout_2"][0])


def test_both_directions_of_a_bidirectional_layer_have_starts_of_their_own():
    kernels = [v for v in weights(build(network("both"), (5, 4), 1, 7))["both_1"]
               if v.shape == (4, 12)]
    assert len(kernels) == 2 and not np.array_equal(*kernels)


def test_starts_have_the_initialiser_that_was_asked_for():
    dense = {"Dense": {"units": 400, "kernel_initializer": "he_normal"}}
    kernel = weights(build(network(dense), (100,), 1, 1))["Dense_1"][0]
    assert kernel.std() == pytest.approx(np.sqrt(2 / 100), rel=0.02)
    recurrent = weights(build(network("lstm"), (5, 4), 1, 1))["lstm_1"][1]
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(3), atol=1e-5)


# --- build: the output -------------------------------------------------------------------------

def test_the_output_follows_the_task():
    assert build(network("lstm"), (5, 4), 1).output_shape == (None, 1)
    softmax = build(network("lstm", head=[{"Activation": "softmax"}]), (5, 4), 3)
    assert softmax.output_shape == (None, 3)
    np.testing.assert_allclose(np.sum(softmax(np.ones((2, 5, 4))), axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(("items", "head", "shape", "parts"), [
    (["conv"], [], (5, 4), ["there.head: the output needs one vector a sample", "(None, 5, 3)",
                            "add Flatten or a pooling"]),
    (["lstm", "conv"], [], (5, 4), ["there.layers[1]: Keras cannot put 'conv' (Conv1D) after shape "
                                    "(None, 3)"]),
    ([{"Dense": {"units": -1}}], [], (4,),
     ["there.layers[0]: Keras refuses the arguments of 'Dense'"]),
    (["lstm"], [{"Dense": {"units": 5}}], (5, 4),
     ["there.head: it gives shape (None, 5); the task needs (None, 1)"]),
])
def test_build_says_where_keras_cannot_connect(items, head, shape, parts):
    found = message(build, network(*items, head=head), shape, 1, place="there")
    for part in parts:
        assert part in found
    assert len(found) < 500
