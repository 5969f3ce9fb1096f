"""Blocks in a layer list, by examples made by hand."""

import pytest

from pipeline.config.changes import Change, changed
from pipeline.config.errors import ConfigError
from pipeline.config.layer_list import flat, written_at
from pipeline.config.layer_names import chain, names, places
from pipeline.config.schema import parse
from pipeline.config.sweeps import variants

RESIDUAL = {"residual": ["bn", "relu", "dense"]}
BRANCHES = {"branches": [[], ["pool", "dense"]], "join": "multiply"}
#: Items → how they are shown.
SHOWN = [
    (["dense", RESIDUAL, "relu"], "dense → residual [ bn → relu → dense ] → relu"),
    ([{2: [RESIDUAL, "relu"]}], "residual [ bn → relu → dense ] → relu → residual [ bn → relu → dense ] → relu"),
    ([{"residual": ["a", {"residual": ["b"]}]}], "residual [ a → residual [ b ] ]"),
    (["conv", BRANCHES], "conv → branches [ | pool → dense ] multiply"),
    ([{"branches": [["a"], [RESIDUAL], ["b"]], "join": "add"}],
     "branches [ a | residual [ bn → relu → dense ] | b ] add"),
]


@pytest.mark.parametrize(("items", "expected"), SHOWN)
def test_a_block_is_shown_between_brackets(items, expected):
    layers = flat(items)
    assert chain(layers) == expected
    assert len(written_at(items)) == len(names(layers)) == len(places(layers)) - 1 == len(layers)


def test_a_place_inside_a_block_is_a_place_of_the_list():
    layers = flat(["dense", RESIDUAL, {"branches": [["relu"], []], "join": "add"}])
    assert names(layers) == ["dense_1", "residual_1", "bn_1", "relu_1", "dense_2", "residual_1", "branches_1", "relu_2",
                             "branches_1", "branches_1"]
    assert places(layers) == [
        "first", "after dense_1", "first in residual_1", "after bn_1", "after relu_1", "after dense_2", "after residual_1",
        "first in branches_1", "after relu_2", "first in branches_1 branch 2", "after branches_1"]


def test_where_an_item_of_a_block_was_written():
    assert written_at(["a", {"residual": ["b", {2: ["c"]}]}, {"branches": [["d"], ["e"]], "join": "add"}]) == [
        "[0]", "[1]", "[1].residual[0]", "[1].residual[1].2[0]", "[1].residual[1].2[0]", "[1]",
        "[2]", "[2].branches[0][0]", "[2]", "[2].branches[1][0]", "[2]"]


@pytest.mark.parametrize(("change", "expected"), [
    ({"before": {"relu": ["ln"]}}, "dense → residual [ bn → ln → relu → dense ]"),
    ({"after": {"dense_2": ["ln"]}}, "dense → residual [ bn → relu → dense → ln ]"),
    ({"replace": {"bn": ["ln", "dropout"]}}, "dense → residual [ ln → dropout → relu → dense ]"),
    ({"without": {"bn": None}}, "dense → residual [ relu → dense ]"),
    ({"set": {"dense.units": 3}}, "dense(units=3) → residual [ bn → relu → dense(units=3) ]"),
    # The block as a whole.
    ({"before": {"residual": ["ln"]}}, "dense → ln → residual [ bn → relu → dense ]"),
    ({"after": {"residual_1": ["ln"]}}, "dense → residual [ bn → relu → dense ] → ln"),
    ({"replace": {"residual": ["ln"]}}, "dense → ln"),
    ({"without": {"residual": None}}, "dense"),
    ({"after": {"bn": flat([{"residual": ["a"]}])}}, "dense → residual [ bn → residual [ a ] → relu → dense ]"),
])
def test_changes_reach_inside_a_block_and_take_it_whole(change, expected):
    (kind, given), = change.items()
    found = changed(flat(["dense", RESIDUAL]), [Change(kind=kind, place=place, value=value) for place, value in given.items()],
                    "here")
    assert chain(found) == expected


@pytest.mark.parametrize(("changes", "expected"), [
    ([Change(kind="set", place="residual.units", value=3)], "here.set: 'residual' is a block; allowed: an argument of a layer"),
    ([Change(kind="without", place=one) for one in ("bn", "relu", "dense_2")], "here: residual_1 has no layers left"),
    ([Change(kind="without", place="residual"), Change(kind="set", place="bn.axis", value=1)],
     "here.set: 'bn.axis' is changed already, by without: residual"),
    ([Change(kind="without", place="residual_2")], "here.without: found 'residual_2'; allowed: dense, residual, bn"),
])
def test_a_change_that_cannot_be_made(changes, expected):
    with pytest.raises(ConfigError) as error:
        changed(flat(["dense", RESIDUAL]), changes, "here")
    assert str(error.value).startswith(expected)


def test_layers_are_put_in_at_every_place_inside_and_outside():
    found = variants(flat(["dense", RESIDUAL]), None, ["ln"], (), "here")
    assert [chain(one.layers) for one in found][1:4] == [
        "dense → ln → residual [ bn → relu → dense ]", "dense → residual [ ln → bn → relu → dense ]",
        "dense → residual [ bn → ln → relu → dense ]"]
    assert len(found) == 7


def test_a_place_may_be_left_out():
    layers = flat(["dense", RESIDUAL])
    found = variants(layers, None, ["ln"], (), "here", left_out=["after relu_1", "output"])
    assert [one.name for one in found] == ["first", "after dense_1", "first in residual_1", "after bn_1", "after dense_2"]
    assert chains(["conv", "relu"], everywhere="bn", **{"except": ["output", "first"]}) == {"after conv_1": "conv → bn → relu"}


def params(layers, vocabulary=None, **experiment):
    return parse({"data": {"waves": {"group": "sequences", "source": "noise", "seeds": 3}},
                  "layers": {"bn": "BatchNormalization", **(vocabulary or {})},
                  "experiments": {"net": {"data": "waves", "layers": layers}, **(
                      {"new": {"of": "net", **experiment}} if experiment else {})},
                  "train": {"epochs": 2, "batch_size": 8, "optimizer": "Adam", "learning_rates": [0.01]}})


def chains(*arguments, **named):
    given = params(*arguments, **named)
    return {variant.name: chain(variant.layers) for variant in given.sweep("new" if named else "net")}


LISTS = {"excite": [{"branches": [[], ["pool", "dense"]], "join": "multiply"}], "twice": [{2: ["relu", "excite"]}]}


def test_a_word_may_stand_for_a_list():
    shown = "excite [ branches [ | pool → dense ] multiply ]"
    assert chains(["conv", "excite"], LISTS) == {"": f"conv → {shown}"}
    assert chains(["twice"], LISTS) == {"": f"twice [ relu → {shown} → relu → {shown} ]"}
    assert chains(["conv"], LISTS, after={"conv": "excite"}) == {"": f"conv → {shown}"}
    assert chains(["conv", "excite"], LISTS, without="excite") == {"": "conv"}
    assert chains(["conv"], LISTS, everywhere="excite")["first"] == f"{shown} → conv"
    assert chains(["conv"], LISTS, after={"conv": [{"residual": ["excite"]}]}) == {"": f"conv → residual [ {shown} ]"}


def test_kinds_of_layers_are_values_of_a_sweep():
    found = chains(["conv", "bn", "relu", "bn"], LISTS, vary={"bn": ["bn", {"GroupNormalization": {"groups": 1}}, "excite", "none"]})
    assert found == {
        "bn=bn": "conv → bn → relu → bn",
        "bn=GroupNormalization(groups=1)":
            "conv → GroupNormalization(groups=1) → relu → GroupNormalization(groups=1)",
        "bn=excite": "conv → excite [ branches [ | pool → dense ] multiply ] → relu → "
                     "excite [ branches [ | pool → dense ] multiply ]",
        "bn=none": "conv → relu"}
    assert chains(["conv", "bn"], vary={"bn_1": ["bn", "none"]})["bn_1=none"] == "conv"


def test_an_optimiser_with_arguments_is_a_value_of_a_sweep():
    found = params(["conv"], vary={"optimizer": ["Adam", {"AdamW": {"weight_decay": 0.1}}]})
    assert {one.name: dict(one.training) for one in found.sweep("new")} == {
        "optimizer=Adam": {"optimizer": "Adam"},
        "optimizer=AdamW(weight_decay=0.1)": {"optimizer": {"AdamW": {"weight_decay": 0.1}}}}


@pytest.mark.parametrize(("layers", "vocabulary", "expected"), [
    ([{"residual": []}], {}, "experiments.net.layers[0]: found {\"residual\": []}; allowed: the layers beside a shortcut"),
    ([{"residual": "bn"}], {}, "experiments.net.layers[0]: found {\"residual\": \"bn\"}; allowed: the layers beside"),
    ([{"branches": [["bn"], []]}], {}, "experiments.net.layers[0]: found"),
    ([{"branches": [["bn"]], "join": "add"}], {}, "experiments.net.layers[0]: found"),
    ([{"branches": [["bn"], []], "join": "stack"}], {}, "experiments.net.layers[0]: found"),
    ([{"residul": ["bn", {"Dense": {"units": 3}}]}], {}, "experiments.net.layers[0]: found {\"residul\": [\"bn\", {\"Dense\": "
     "{\"units\": 3}}]}; allowed: a layer with its arguments, or a block, {residual: [word, word]}; did you mean 'residual'?"),
    (["residual"], {}, "experiments.net.layers[0]: found 'residual', which begins a block; allowed: {residual: [word, word]}"),
    (["residual ["], {}, "experiments.net.layers[0]: found 'residual ['; allowed: a word"),
    (["] residual add"], {}, "experiments.net.layers[0]: found '] residual add'; allowed: a word"),
    ([{100: [{100: ["bn"]}]}], {}, "experiments.net.layers: the list has 10000 layers; allowed: 1 to 1000"),
    (["conv"], {"join": "bn"}, "layers: found the word 'join', which begins a block"),
    (["conv"], {"a": ["b"], "b": [{"residual": ["a"]}]}, "layers: a: the list leads back to itself"),
    (["conv"], {"a": []}, "layers.a: found []; allowed: a layer, or a list of layers"),
    (["a"], {"a": [{100: ["b"]}], "b": [{100: ["bn"]}]}, "experiments.net: the list has more than 1000 layers"),
])
def test_a_block_that_cannot_be(layers, vocabulary, expected):
    with pytest.raises(ConfigError) as error:
        params(layers, vocabulary)
    assert str(error.value).startswith(f"params.yaml: {expected}")
