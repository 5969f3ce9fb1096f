"""Layers are listed as Keras counts them, and anew only where a network is another one."""

import keras
import pytest

from pipeline.tables.stored import LAYERS_TABLE, LAYER_COLUMNS, read_table, write_table
from pipeline.train import layers
from tests.networks import network
from tests.train.toy import FOLDER, a_plan, stage


def test_layers_are_those_of_keras_own_network():
    spec = network({"Conv1D": {"filters": 3, "kernel_size": 2, "padding": "same"}}, "Flatten")
    plan = a_plan(spec=spec, variants=("one", "two"))
    for arm in plan["arms"]:
        arm |= {"shape": [6, 4], "task": {"classes": 0, "targets": 1, "quantiles": []}}
    by_hand = keras.Sequential([keras.Input((6, 4)), keras.layers.Conv1D(3, 2, padding="same"),
                                keras.layers.Flatten(), keras.layers.Dense(1)])
    table = layers.layers(plan)
    assert list(table.columns) == LAYER_COLUMNS
    for variant, mine in table.groupby("variant"):
        assert variant in ("one", "two") and set(mine["data"]) == {"tables"}
        assert list(mine["class"]) == ["InputLayer", "Conv1D", "Flatten", "Dense"]
        assert list(mine["parameters"])[1:] == [layer.count_params() for layer in by_hand.layers]
        assert list(mine["shape"]) == ["(batch, 6, 4)", "(batch, 6, 3)", "(batch, 18)", "(batch, 1)"]


@pytest.fixture
def built(monkeypatch):
    """The plans whose networks were built to list their layers."""
    plans = []
    list_layers = layers.layers
    monkeypatch.setattr(layers, "layers", lambda plan, known: plans.append(plan) or list_layers(plan, known))
    return plans


def test_layers_are_listed_again_only_for_another_network(write_plan, counted, built):
    stage("store")
    assert len(built) == 1
    stage("store")
    stage("clone")
    assert len(built) == 1
    # Its runs are all stored: of the experiment's own past, or of another experiment.
    before = (FOLDER / LAYERS_TABLE).read_bytes()
    wider = network({"Dense": {"units": 6}}, head=[{"Activation": "softmax"}])
    write_plan(spec=wider)
    stage("store")
    assert len(built) == 2
    assert read_table(FOLDER / LAYERS_TABLE)["parameters"].sum() == 4 * 6 + 6 + 6 * 2 + 2
    write_plan()
    stage("store")
    assert len(built) == 3 and (FOLDER / LAYERS_TABLE).read_bytes() == before


def test_layers_are_listed_where_the_table_is_missing_or_lacks_a_variant(write_plan, counted, built):
    stage("store")
    (FOLDER / LAYERS_TABLE).unlink()
    stage("store")
    assert len(built) == 2
    write_plan(variants=("", "epochs=3"))
    stage("store")
    assert len(built) == 3
    found = read_table(FOLDER / LAYERS_TABLE)
    assert list(found["variant"].unique()) == ["", "epochs=3"]
    write_table(found[found["variant"] == ""], FOLDER / LAYERS_TABLE)
    stage("store")
    assert len(built) == 4
