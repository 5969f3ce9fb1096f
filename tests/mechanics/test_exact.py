"""The exact checks hold, say what they measured, and notice a layer that breaks them."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from pipeline.mechanics import exact
from pipeline.mechanics import applications
from pipeline.mechanics.exact import (
    COLUMNS, _counted, _differs, _normal, _random_bn, _row, bias_before_bn, bn_axis, bn_by_hand,
    bn_never_added, measure, order_in_applications, pooling, shift, softmax_cross_entropies,
    squeeze_excite)
from pipeline.network.layers import SqueezeExcite
from pipeline.tables.stored import read_table

COUNTS = pd.DataFrame([("one", "One", 5, 3, 1, 1, 4, 1), ("two", "Two", 4, 1, 2, 1, 0, 4),
                       ("three", "Three", 0, 0, 0, 0, 0, 0)], columns=applications.COLUMNS)
FEATURES = pd.DataFrame([("A", "a", True, "works", ""), ("B", "b", False, "is ignored", "c")],
                        columns=["thread", "feature", "works", "happens", "repair"])


#: Stands for the checks of old code, which have tests of their own.
OLD = {"check": "old", "statement": "a", "expected": "b", "found": "c", "tolerance": 0.0,
       "holds": True}


@pytest.fixture(autouse=True)
def no_old_code(monkeypatch):
    monkeypatch.setattr("pipeline.mechanics.old_code.checks",
                        lambda features: [OLD | {"found": str(len(features))}])


@pytest.fixture
def table():
    return exact.checks(COUNTS, FEATURES)


#: What a thread says, or what one might take from it, and what is not so.
FALSE = {
    "bn_divisor_is_the_deviation",  # epsilon is part of it
    "bn_and_average_pooling_commute_in_training", "bn_and_max_pooling_commute_for_any_gamma",
    "two_way_softmax_binary_cross_entropy_in_keras", "bn_after_ignores_a_shift", "bn_axis_first",
    "applications_bn_after_activation_is_the_habit",
}


def held(rows):
    return {row["check"]: row["holds"] for row in rows}


def test_the_checks_hold_but_the_false_ones_and_have_names_of_their_own(table):
    assert list(table.columns) == COLUMNS
    assert table["check"].is_unique
    assert set(table.loc[~table["holds"], "check"]) == FALSE
    assert table.notna().all(axis=None)


def test_the_same_checks_give_the_same_numbers(table):
    assert table.equals(exact.checks(COUNTS, FEATURES))


def test_the_checks_of_old_code_are_among_them(table):
    assert table.iloc[-1].to_dict() == OLD | {"found": "2"}


def test_a_difference_is_held_against_its_tolerance():
    assert _row("a", "b", 1e-5, 1e-5)["holds"]
    assert not _row("a", "b", 1.1e-5, 1e-5)["holds"]
    assert not _row("a", "b", float("nan"), 1e-5)["holds"]
    assert _differs("a", "b", 1.1e-5, 1e-5)["holds"]
    assert not _differs("a", "b", 1e-5, 1e-5)["holds"]
    assert not _differs("a", "b", float("nan"), 1e-5)["holds"]
    assert _counted("a", "b", 2, 2)["holds"]
    assert not _counted("a", "b", 3, 2)["holds"]


def test_a_layer_without_epsilon_is_noticed(monkeypatch):
    own = keras.layers.BatchNormalization
    monkeypatch.setattr(keras.layers, "BatchNormalization",
                        lambda **arguments: own(**{"epsilon": 0.5} | arguments))
    found = held(bn_by_hand())
    # The formula is told the layer's own epsilon, and so still agrees with it.
    assert found["bn_by_hand_training"]
    monkeypatch.setattr(exact, "_normalised", lambda x, mean, variance, gamma, beta, epsilon:
                        gamma * (x - mean) / np.sqrt(variance) + beta)
    assert not any(row["holds"] for row in bn_by_hand()
                   if row["check"].startswith("bn_by_hand"))


def test_a_mask_that_changes_over_time_is_noticed(monkeypatch):
    own = keras.layers.Dropout
    monkeypatch.setattr(keras.layers, "Dropout",
                        lambda rate, noise_shape=None, seed=None: own(rate, seed=seed))
    found = held(exact.noise_shape())
    assert not found["noise_shape_mask"] and not found["noise_shape_equals_spatial_dropout"]


def test_a_layer_that_is_added_after_all_is_noticed(monkeypatch):
    own = keras.Sequential

    class Eager(own):
        def add(self, layer, **named):
            super().add(layer, **named)
            if getattr(layer, "units", None) == 2 and next(networks):
                super().add(keras.layers.BatchNormalization())

    networks = iter([False, True])
    monkeypatch.setattr(keras, "Sequential", Eager)
    with pytest.raises(ValueError):  # other weights than the network without it
        bn_never_added()


def test_pooling_of_equal_neighbours_commutes_with_everything(monkeypatch):
    own = _normal

    def pairs(shape, *arguments):
        x = own(shape, *arguments)
        return np.repeat(x[:, ::2], 2, axis=1) if np.ndim(x) == 3 else x

    monkeypatch.setattr(exact, "_normal", pairs)
    assert all(held(pooling()).values())


def test_a_normalisation_that_is_not_linear_does_not_commute(monkeypatch):
    monkeypatch.setattr(exact, "_random_bn",
                        lambda shape, gamma: lambda x, training: np.asarray(x) ** 2)
    assert not held(pooling())["bn_and_average_pooling_commute"]


def test_squeeze_and_excite_without_its_squeeze_does_not_look_ahead(monkeypatch):
    own = SqueezeExcite
    monkeypatch.setattr(exact, "SqueezeExcite", lambda ratio: own(ratio, squeeze=False))
    assert not held(squeeze_excite())["squeeze_excite_looks_ahead"]
    monkeypatch.setattr(exact, "SqueezeExcite", lambda ratio: own(ratio - 1))
    assert not held(squeeze_excite())["squeeze_excite_bottleneck"]


def test_a_convolution_that_looks_ahead_is_noticed(monkeypatch):
    own = keras.layers.Conv1D
    monkeypatch.setattr(keras.layers, "Conv1D", lambda filters, size, padding: own(
        filters, size, padding="same"))
    assert not held(squeeze_excite())["causal_convolution_does_not_look_ahead"]


def test_three_classes_have_two_cross_entropies():
    found = held(softmax_cross_entropies(classes=3))
    assert not found["two_way_softmax_binary_cross_entropy"]
    assert not found["two_way_softmax_binary_cross_entropy_gradient"]


def test_a_softmax_that_is_not_remembered_has_the_loss_of_its_probabilities(monkeypatch):
    monkeypatch.setattr(keras.layers, "Softmax", lambda: lambda x: tf.nn.softmax(x))
    found = held(softmax_cross_entropies())
    assert found["two_way_softmax_binary_cross_entropy_in_keras"]
    assert not found["two_way_softmax_trains_as_two_sigmoids"]


def test_without_relu_a_shift_is_ignored_after_it_too(monkeypatch):
    monkeypatch.setattr(keras.layers, "ReLU", lambda: lambda x: x)
    assert all(held(shift()).values())


class Still(keras.layers.BatchNormalization):
    """Normalises by its moving statistics, in training too."""

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=False, mask=mask)


def test_fixed_statistics_notice_a_shift_and_a_bias(monkeypatch):
    monkeypatch.setattr(keras.layers, "BatchNormalization", Still)
    assert not any(held(shift()).values())
    found = held(bias_before_bn())
    assert not found["bias_before_bn_changes_nothing"]
    assert not found["bias_before_bn_has_no_gradient"]
    assert found["bias_before_bn_weights"]


def test_a_bias_that_is_kept_is_counted(monkeypatch):
    own = keras.layers.Dense
    monkeypatch.setattr(keras.layers, "Dense", lambda units, use_bias=True: own(units))
    assert not held(bias_before_bn())["bias_before_bn_weights"]


def test_the_axis_is_what_differs(monkeypatch):
    own = _random_bn
    monkeypatch.setattr(exact, "_random_bn", lambda shape, axis=-1: own(shape))
    assert all(held(bn_axis()).values())
    monkeypatch.setattr(exact, "_random_bn", lambda shape, axis=-1: own(
        shape, axis=1 if axis == 3 else axis))
    assert not any(held(bn_axis()).values())


def test_the_habit_follows_the_counts():
    row, = order_in_applications(COUNTS)
    assert not row["holds"]
    assert row["found"] == ("3 after, 4 before, 2 neither, of 9; more after in 1 of 2 families that "
                            "have any")
    more, = order_in_applications(COUNTS.assign(after_activation=[2, 3, 0]))
    assert more["holds"]
    equal, = order_in_applications(COUNTS.assign(after_activation=[2, 2, 0]))
    assert not equal["holds"]


def test_the_tables_are_stored(tmp_path, monkeypatch, table):
    monkeypatch.setattr("pipeline.mechanics.applications.table", lambda: COUNTS)
    monkeypatch.setattr("pipeline.mechanics.old_code.table", lambda: FEATURES)
    monkeypatch.setattr(exact, "checks", lambda counts, features: table)
    tables = measure(tmp_path)
    assert set(tables) == {"checks", "applications", "old_code"}
    stored = read_table(tmp_path / "checks.csv")
    assert list(stored["check"]) == list(table["check"])
    assert list(stored["holds"]) == list(table["holds"])
    assert read_table(tmp_path / "applications.csv").equals(COUNTS)
    assert read_table(tmp_path / "old_code.csv").equals(FEATURES)


def test_measuring_is_quiet_so_that_its_record_is_stable(tmp_path, monkeypatch, table):
    heard = []
    logger = tf.get_logger()
    monkeypatch.setattr(logger, "handle", lambda record: heard.append(record.getMessage()))

    def checks(counts, features):
        logger.warning("at 0x7f15d8237b00")
        return table

    monkeypatch.setattr("pipeline.mechanics.applications.table", lambda: COUNTS)
    monkeypatch.setattr("pipeline.mechanics.old_code.table", lambda: FEATURES)
    monkeypatch.setattr(exact, "checks", checks)
    measure(tmp_path)
    assert heard == []
    logger.warning("afterwards")
    assert heard == ["afterwards"]
