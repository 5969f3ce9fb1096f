"""The grammar of a layer list, by examples made by hand."""

import pytest

from pipeline.config.errors import ConfigError
from pipeline.config.changes import Change, changed, find
from pipeline.config.sweeps import variants
from pipeline.config.layer_list import MOST_LAYERS, flat
from pipeline.config.layer_names import classes, names, places, words

#: A list in which a word stands twice, and layers have arguments of their own.
NET = ["conv", "tanh", {"dense": {"units": 3, "use_bias": False}}, "tanh", {"Activation": "relu"}]


def change(layers, /, **changes):
    """The list after changes in the order of the arguments: `before={"tanh": ["bn"]}`."""
    found = []
    for kind, given in changes.items():
        if kind == "without":
            given = dict.fromkeys(given)
        if kind == "layers":
            given = {"": given}
        found += [Change(kind=kind, place=place, value=value) for place, value in given.items()]
    return changed(layers, found, "params.yaml: experiments.x")


def message(call, *arguments, **named):
    with pytest.raises(ConfigError) as error:
        call(*arguments, **named)
    return str(error.value)


def test_names_are_those_of_the_models_layers():
    assert names(NET) == ["conv_1", "tanh_1", "dense_1", "tanh_2", "Activation_1"]


def test_places_are_in_front_of_the_list_and_behind_each_layer():
    assert places(["conv", "relu", "conv"]) == ["first", "after conv_1", "after relu_1", "after conv_2"]


@pytest.mark.parametrize(("items", "layers"), [
    (["a", {3: ["b", {"c": {"n": 1}}]}, "d"],
     ["a", "b", {"c": {"n": 1}}, "b", {"c": {"n": 1}}, "b", {"c": {"n": 1}}, "d"]),
    ([{1: ["a"]}, {2: ["b"]}], ["a", "b", "b"]),
    (["a", {"b": {"n": 2}}], ["a", {"b": {"n": 2}}]),
])
def test_a_repetition_is_written_out(items, layers):
    assert flat(items) == layers


@pytest.mark.parametrize(("changes", "expected"), [
    # every layer of a word, or one of them
    ({"before": {"tanh": ["bn"]}}, ["conv", "bn", "tanh", NET[2], "bn", "tanh", NET[4]]),
    ({"before": {"tanh_2": ["bn"]}}, ["conv", "tanh", NET[2], "bn", "tanh", NET[4]]),
    ({"after": {"tanh_1": ["bn", "dropout"]}}, ["conv", "tanh", "bn", "dropout", *NET[2:]]),
    ({"after": {"Activation": ["bn"]}}, [*NET, "bn"]),
    ({"without": ["tanh"]}, ["conv", NET[2], NET[4]]),
    ({"without": ["tanh_1", "conv"]}, NET[2:]),
    ({"replace": {"tanh": ["relu"]}}, ["conv", "relu", NET[2], "relu", NET[4]]),
    ({"replace": {"tanh_2": ["bn", "relu"]}}, [*NET[:3], "bn", "relu", NET[4]]),
    ({"replace": {"dense": [{"dense": {"units": 4}}]}}, ["conv", "tanh", {"dense": {"units": 4}}, *NET[3:]]),
    # arguments
    ({"set": {"conv.filters": 4}}, [{"conv": {"filters": 4}}, *NET[1:]]),
    ({"set": {"conv.filters": 4, "conv.strides": 2}}, [{"conv": {"filters": 4, "strides": 2}}, *NET[1:]]),
    ({"set": {"dense.units": 4}}, [*NET[:2], {"dense": {"units": 4, "use_bias": False}}, *NET[3:]]),
    ({"set": {"dense.use_bias": None}}, [*NET[:2], {"dense": {"units": 3}}, *NET[3:]]),
    ({"set": {"dense.use_bias": None, "dense.units": None}}, [*NET[:2], "dense", *NET[3:]]),
    ({"set": {"tanh_1.name_of": [1, 2]}}, ["conv", {"tanh": {"name_of": [1, 2]}}, *NET[2:]]),
    ({"set": {"Activation.activation": "selu"}}, [*NET[:4], {"Activation": {"activation": "selu"}}]),
    # several: places are those of the list before the change
    ({"before": {"tanh": ["bn"]}, "after": {"tanh": ["dropout"]}},
     ["conv", "bn", "tanh", "dropout", NET[2], "bn", "tanh", "dropout", NET[4]]),
    ({"replace": {"conv": ["tanh"]}, "before": {"tanh_1": ["bn"]}}, ["tanh", "bn", *NET[1:]]),
    ({"replace": {"tanh_1": ["relu"]}, "before": {"tanh_1": ["bn"]}}, ["conv", "bn", "relu", *NET[2:]]),
    ({"without": ["tanh_1"], "after": {"tanh_2": ["bn"]}}, ["conv", NET[2], "tanh", "bn", NET[4]]),
    ({"without": ["tanh_1"], "before": {"tanh_1": ["bn"]}}, ["conv", "bn", *NET[2:]]),
    ({"before": {"tanh": ["bn"], "tanh_1": ["se"]}}, ["conv", "bn", "se", "tanh", NET[2], "bn", "tanh", NET[4]]),
    ({"after": {"conv": ["bn"]}, "before": {"tanh_1": ["se"]}}, ["conv", "bn", "se", *NET[1:]]),
    ({"before": {"tanh_1": ["tanh"]}, "after": {"tanh_1": ["relu"]}}, ["conv", "tanh", "tanh", "relu", *NET[2:]]),
    ({"layers": ["flatten", "dense"]}, ["flatten", "dense"]),
])
def test_a_change(changes, expected):
    before = [*NET[:2], {"dense": {"units": 3, "use_bias": False}}, *NET[3:]]
    assert change(before, **changes) == expected
    assert before == NET  # nothing is changed in place


def test_the_same_change_of_two_layers_makes_two_layers():
    found = change(["a", "a"], set={"a.n": 1})
    assert found == [{"a": {"n": 1}}, {"a": {"n": 1}}] and found[0] is not found[1]


def test_a_word_that_looks_like_an_occurrence_is_a_word():
    layers = ["dense_64", "tanh", "dense_64"]
    assert find("dense_64", layers, "here") == [0, 2]
    assert find("dense_64_2", layers, "here") == [2]
    assert message(find, "a_2", ["a", "a_2", "a"], "here") == (
        "here: 'a_2' is a word of the list, and the name of another layer in it")


@pytest.mark.parametrize(("changes", "expected"), [
    ({"before": {"tan": ["bn"]}}, ".before: found 'tan'; allowed: conv, tanh, dense, Activation, tanh_1, "
                                  "tanh_2; did you mean 'tanh'?"),
    ({"without": ["tanh_3"]}, ".without: found 'tanh_3'; allowed: conv, tanh, dense, Activation, tanh_1, "
                              "tanh_2; did you mean 'tanh_2'?"),
    ({"set": {"cnv.filters": 3}}, ".set: found 'cnv'; allowed: conv, tanh, dense, Activation, tanh_1, tanh_2; "
                                  "did you mean 'conv'?"),
    ({"set": {"conv": 3}}, ".set: found 'conv'; allowed: conv.<argument>, tanh.<argument>, dense.<argument>, "
                           "Activation.<argument>"),
    ({"set": {"conv.": 3}}, ".set: found 'conv.'; allowed: conv.<argument>, tanh.<argument>, dense.<argument>, "
                            "Activation.<argument>"),
    ({"set": {"dense.unit": None}}, ".set: found 'dense.unit' with nothing, which takes an argument away; "
     "allowed: dense.units, dense.use_bias, which the list gives it; did you mean 'dense.units'?"),
    ({"set": {"conv.padding": None}}, ".set: found 'conv.padding' with nothing, which takes an argument away; "
                                      "allowed: none, which the list gives it"),
    ({"without": ["tanh"], "replace": {"tanh_2": ["relu"]}}, ".replace: 'tanh_2' is changed already, by "
     "without: tanh; a layer may be taken away, replaced, or given an argument, once"),
    ({"replace": {"tanh": ["relu"], "tanh_1": ["selu"]}}, ".replace: 'tanh_1' is changed already, by replace: "
     "tanh; a layer may be taken away, replaced, or given an argument, once"),
    ({"replace": {"conv": ["dense"]}, "set": {"conv.filters": 3}}, ".set: 'conv.filters' is changed already, by "
     "replace: conv; a layer may be taken away, replaced, or given an argument, once"),
    ({"set": {"tanh.n": 3, "tanh_2.n": 4}}, ".set: 'tanh_2.n' is changed already, by set: tanh.n; a layer may "
     "be taken away, replaced, or given an argument, once"),
    ({"without": ["conv", "tanh", "dense", "Activation"]}, ": the list has 0 layers; allowed: 1 to 1000"),
    ({"before": {"conv": ["bn"] * MOST_LAYERS}}, ": the list has 1005 layers; allowed: 1 to 1000"),
])
def test_a_change_that_cannot_be_followed(changes, expected):
    assert message(change, NET, **changes) == f"params.yaml: experiments.x{expected}"


# --- sweeps ------------------------------------------------------------------------------------

TRAINING = ("epochs", "batch_size")


def swept(vary=None, everywhere=None, layers=("conv", "lstm", {"lstm": {"units": 3, "dropout": 0.5}})):
    return variants(list(layers), vary, everywhere, TRAINING, "here")


def test_no_sweep_is_one_variant_without_a_name():
    [found] = swept()
    assert (found.name, found.values, found.training, found.measuring) == ("", {}, {}, False)
    assert found.layers == ["conv", "lstm", {"lstm": {"units": 3, "dropout": 0.5}}]


def test_a_training_value_is_swept():
    found = swept({"batch_size": [4, 8]})
    assert [(one.name, one.values, one.training) for one in found] == [
        ("batch_size=4", {"batch_size": 4}, {"batch_size": 4}),
        ("batch_size=8", {"batch_size": 8}, {"batch_size": 8})]
    assert all(one.layers == swept()[0].layers for one in found)


def test_an_argument_is_swept_in_every_layer_of_its_word_also_where_the_list_gives_it():
    found = swept({"lstm.units": [2, 4]})
    assert [(one.name, one.values, one.training) for one in found] == [
        ("lstm.units=2", {"lstm.units": 2}, {}), ("lstm.units=4", {"lstm.units": 4}, {})]
    assert [one.layers for one in found] == [
        ["conv", {"lstm": {"units": n}}, {"lstm": {"units": n, "dropout": 0.5}}] for n in (2, 4)]


def test_an_argument_of_one_layer_is_swept():
    [found] = swept({"lstm_2.units": [7]})
    assert found.layers == ["conv", "lstm", {"lstm": {"units": 7, "dropout": 0.5}}]


def test_several_keys_make_the_grid_in_the_order_of_the_keys():
    found = swept({"batch_size": [4, 8], "conv.filters": [2, 5]})
    assert [(one.name, one.training, one.layers[0]["conv"]["filters"]) for one in found] == [
        ("batch_size=4,conv.filters=2", {"batch_size": 4}, 2),
        ("batch_size=4,conv.filters=5", {"batch_size": 4}, 5),
        ("batch_size=8,conv.filters=2", {"batch_size": 8}, 2),
        ("batch_size=8,conv.filters=5", {"batch_size": 8}, 5)]
    found = swept({"conv.filters": [2, 5], "conv.strides": [1, 3]})
    assert [one.layers[0]["conv"] for one in found] == [
        {"filters": filters, "strides": strides} for filters in (2, 5) for strides in (1, 3)]


def test_everywhere_is_a_sweep_over_places():
    found = swept(everywhere=["bn"], layers=["conv", "relu"])
    assert [(one.name, one.values, one.layers) for one in found] == [
        ("first", {"place": "first"}, ["bn", "conv", "relu"]),
        ("after conv_1", {"place": "after conv_1"}, ["conv", "bn", "relu"]),
        ("after relu_1", {"place": "after relu_1"}, ["conv", "relu", "bn"])]


def test_everywhere_takes_a_list_and_keeps_its_order():
    found = swept(everywhere=["bn", {"dropout": {"rate": 0.1}}], layers=["conv"])
    assert [one.layers for one in found] == [["bn", {"dropout": {"rate": 0.1}}, "conv"],
                                             ["conv", "bn", {"dropout": {"rate": 0.1}}]]


@pytest.mark.parametrize(("vary", "expected"), [
    ({"batchsize": [1]}, "here.vary: unknown key 'batchsize'; allowed: epochs, batch_size, conv, lstm, "
                         "conv.<argument>, lstm.<argument>; did you mean 'batch_size'?"),
    ({"dense.units": [1]}, "here.vary: unknown key 'dense.units'; allowed: epochs, batch_size, conv, lstm, "
                           "conv.<argument>, lstm.<argument>"),
    ({"lstm": [1]}, "here.vary.lstm: found 1; allowed: layers that stand in its place, or none"),
    ({"epochs": [3, 4, 3]}, "here.vary.epochs: found 3 twice; a value may stand once"),
])
def test_a_sweep_that_cannot_be_followed(vary, expected):
    assert message(swept, vary).startswith(expected)


def test_a_sweep_is_over_values_or_places():
    assert message(swept, {"epochs": [1]}, ["bn"]) == (
        "here: found vary and everywhere; an experiment sweeps values or places")


# --- words and classes -------------------------------------------------------------------------

def test_words_show_the_arguments_that_a_list_gives():
    assert words(NET) == ["conv", "tanh", "dense(units=3, use_bias=false)", "tanh", "Activation(relu)"]


def test_classes_join_the_vocabularys_arguments_and_the_lists():
    vocabulary = {"conv": {"Conv1D": {"filters": 3, "padding": "same"}}, "tanh": {"Activation": "tanh"},
                  "bn": "BatchNormalization"}
    assert classes([{"conv": {"filters": 5}}, "tanh", "bn", "Flatten", {"bn": None}], vocabulary) == [
        ("Conv1D", {"filters": 5, "padding": "same"}), ("Activation", {"activation": "tanh"}),
        ("BatchNormalization", {}), ("Flatten", {}), ("BatchNormalization", {})]
