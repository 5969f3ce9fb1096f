"""The exact checks hold, say what they measured, and notice a layer that breaks them."""

import keras
import numpy as np
import pytest

from pipeline import mechanics
from pipeline.results import read_table


@pytest.fixture(scope="module")
def table():
    return mechanics.checks()


#: Epsilon is part of the divisor, so this one must not hold.
FALSE = {"bn_divisor_is_the_deviation"}


def test_the_checks_hold_but_one_and_have_names_of_their_own(table):
    assert list(table.columns) == mechanics.COLUMNS
    assert table["check"].is_unique
    assert set(table.loc[~table["holds"], "check"]) == FALSE


def test_the_same_checks_give_the_same_numbers(table):
    assert table.equals(mechanics.checks())


def test_a_layer_without_epsilon_is_noticed(monkeypatch):
    own = keras.layers.BatchNormalization
    monkeypatch.setattr(keras.layers, "BatchNormalization",
                        lambda **arguments: own(**{"epsilon": 0.5} | arguments))
    found = {row["check"]: row["holds"] for row in mechanics.bn_by_hand()}
    # The formula is told the layer's own epsilon, and so still agrees with it.
    assert found["bn_by_hand_training"]
    monkeypatch.setattr(mechanics, "_normalised", lambda x, mean, variance, gamma, beta, epsilon:
                        gamma * (x - mean) / np.sqrt(variance) + beta)
    assert not any(row["holds"] for row in mechanics.bn_by_hand()
                   if row["check"].startswith("bn_by_hand"))


def test_a_mask_that_changes_over_time_is_noticed(monkeypatch):
    own = keras.layers.Dropout
    monkeypatch.setattr(keras.layers, "Dropout",
                        lambda rate, noise_shape=None, seed=None: own(rate, seed=seed))
    found = {row["check"]: row["holds"] for row in mechanics.noise_shape()}
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
        mechanics.bn_never_added()


def test_the_table_is_stored(tmp_path, table):
    mechanics.measure(tmp_path / "checks.csv")
    stored = read_table(tmp_path / "checks.csv")
    assert list(stored["check"]) == list(table["check"])
    assert list(stored["holds"]) == list(table["holds"])
