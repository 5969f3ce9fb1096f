"""A network in words, and a change as the change it is."""

import pytest

from pipeline.book.words.network import chain, change, changed, kind
from pipeline.config.changes import Change
from pipeline.config.schema import parse
from pipeline.config.metrics import TRIVIAL

DATA = {"forecast": {"group": "sequences", "source": "forecast", "seeds": 30}}
LAYERS = {"conv": {"Conv1D": {"filters": 10, "kernel_size": 3}}, "dense": {"Dense": {"units": 8}},
          "relu": {"Activation": "relu"}, "tanh": {"Activation": "tanh"}, "lstm": {"LSTM": {"units": 15}},
          "bn": "BatchNormalization", "se": {"SqueezeExcite": {"ratio": 2}}}
TRAIN = {"epochs": 2, "batch_size": 8, "optimizer": "Adam", "learning_rates": [0.01]}


@pytest.fixture
def params():
    return parse({"data": DATA, "layers": LAYERS, "train": TRAIN, "experiments": {
        "plain": {"data": "sequences", "layers": ["conv", "relu", "lstm"]},
        "before": {"of": "plain", "before": {"relu": "bn"}},
        "many": {"of": "plain", "replace": {"relu": "tanh"}, "set": {"lstm.units": 4},
                 "after": {"conv": ["bn", "se"]}, "batch_size": 4, "head": "relu"},
        "without": {"of": "before", "without": "bn", "versus": "plain"},
        "written": {"data": "sequences", "layers": ["conv", "bn", "lstm"], "versus": "plain"},
        "everywhere": {"of": "plain", "everywhere": ["bn", "se"]},
        "swept": {"of": "plain", "vary": {"batch_size": [4, 8]}},
        "stacked": {"data": "sequences", "layers": [
            "conv", "PReLU", {"lstm": {"return_sequences": True}}, "lstm"]},
        "pooled": {"data": "sequences", "layers": ["conv", "tanh", "Flatten"]},
        "images": {"data": "sequences", "layers": [{"Conv2D": {"filters": 2, "kernel_size": 3}}, "Flatten"]},
        "texts": {"data": "sequences", "layers": [{"Embedding": {"input_dim": 9, "output_dim": 2}}, "lstm"]},
        "table": {"data": "sequences", "layers": ["Flatten", "dense", "relu", "dense", "relu"]}}})


@pytest.mark.parametrize(("one", "words"), [
    ({"kind": "without", "place": "se"}, "without `se`"),
    ({"kind": "replace", "place": "tanh_2", "value": ["relu"]}, "`relu` instead of `tanh_2`"),
    ({"kind": "set", "place": "lstm.units", "value": 20}, "`lstm.units: 20`"),
    ({"kind": "set", "place": "conv.use_bias", "value": False}, "`conv.use_bias: false`"),
    ({"kind": "set", "place": "conv.use_bias", "value": None}, "without `conv.use_bias`"),
    ({"kind": "before", "place": "relu", "value": ["bn"]}, "`bn` before `relu`"),
    ({"kind": "after", "place": "lstm", "value": ["bn", {"dropout": {"rate": 0.1}}]},
     "`bn → dropout(rate=0.1)` after `lstm`"),
    ({"kind": "layers", "value": ["dense", "relu"]}, "the layers `dense → relu`")])
def test_an_elementary_change(one, words):
    assert change(Change(**one)) == words


@pytest.mark.parametrize(("new", "old", "words"), [
    ("before", "plain", "`bn` before `relu`"),
    ("many", "plain", "`tanh` instead of `relu`, `lstm.units: 4`, `bn → se` after `conv`, output `relu`, "
                      "`batch_size: 4`"),
    ("written", "plain", "`conv → bn → lstm` instead of `conv → relu → lstm`"),
    # Not what it is a change of: both lists; here they are the same.
    ("without", "plain", "the same network"),
    ("everywhere", "plain", "`bn → se` at every place, one at a time"),
    ("swept[batch_size=4]", "plain", "at `batch_size = 4`"),
    ("plain", TRIVIAL, "`conv → relu → lstm` instead of guessing")])
def test_a_change_is_shown_as_it_is_written(params, new, old, words):
    assert changed(params, new, old) == words


def test_a_chain_names_a_head_that_is_not_the_usual_one(params):
    assert chain(params.experiments["plain"]) == "`conv → relu → lstm`"
    assert chain(params.experiments["many"]).endswith("→ output → relu`")


@pytest.mark.parametrize(("name", "words"), [
    ("plain", "Conv1D and LSTM"), ("stacked", "Conv1D and stacked LSTMs"), ("pooled", "Conv1D without LSTM"),
    ("images", "Conv2D"), ("texts", "text: embedding, Conv1D, LSTM"), ("table", "dense layers (MLP)")])
def test_a_network_is_named_by_its_layers(params, name, words):
    assert kind(params, name) == words
