"""The exact checks hold, say what they measured, and notice a layer that breaks them."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from pipeline.mechanics import applications, exact, old_code
from pipeline.mechanics.exact import COLUMNS, _counted, _normal, _random_bn, _row, measure, order_in_applications
from pipeline.network.layers import SqueezeExcite
from pipeline.tables.stored import read_table

COUNTS = pd.DataFrame([("one", "One", 5, 3, 1, 1, 4, 1), ("two", "Two", 4, 1, 2, 1, 0, 4),
                       ("three", "Three", 0, 0, 0, 0, 0, 0)], columns=applications.COLUMNS)
FEATURES = pd.DataFrame([("A", "a", True, "works", ""), ("B", "b", False, "is ignored", "c")], columns=old_code.COLUMNS)
#: Stands for the checks of old code, which have tests of their own.
OLD = {"check": "old", "statement": "a", "expected": "b", "found": "2", "tolerance": 0.0, "holds": True}
#: What a thread says, or what one might take from it, and what is not so.
FALSE = {
    "bn_divisor_is_the_deviation",  # epsilon is part of it
    "bn_and_average_pooling_commute_in_training", "bn_and_max_pooling_commute_for_any_gamma",
    "two_way_softmax_binary_cross_entropy_in_keras", "bn_after_ignores_a_shift", "bn_axis_first",
    "applications_bn_after_activation_is_the_habit"}


@pytest.fixture(scope="module")
def table():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(old_code, "checks", lambda features: [OLD | {"found": str(len(features))}])
        first, again = (exact.checks(COUNTS, FEATURES) for _ in range(2))
    assert first.equals(again)
    return first


def test_the_checks_hold_but_the_false_ones_and_have_names_of_their_own(table):
    assert list(table.columns) == COLUMNS and table["check"].is_unique and table.notna().all(axis=None)
    assert set(table.loc[~table["holds"], "check"]) == FALSE
    assert table.iloc[-1].to_dict() == OLD


@pytest.mark.parametrize(("difference", "most", "above"), [
    (1e-5, True, False), (1.1e-5, False, True), (float("nan"), False, False)])
def test_a_difference_is_held_against_its_tolerance(difference, most, above):
    assert _row("a", "b", difference, 1e-5)["holds"] == most
    assert _row("a", "b", difference, 1e-5, above=True)["holds"] == above
    assert _counted("a", "b", 2, 2)["holds"] and not _counted("a", "b", 3, 2)["holds"]


# --- what is noticed ----------------------------------------------------------------------------

BN, DENSE, DROPOUT = keras.layers.BatchNormalization, keras.layers.Dense, keras.layers.Dropout


class Still(BN):
    """Normalises by its moving statistics, in training too."""

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=False, mask=mask)


def pairs(shape, *arguments):
    """Equal neighbours in time."""
    x = _normal(shape, *arguments)
    return np.repeat(x[:, ::2], 2, axis=1) if np.ndim(x) == 3 else x


def without_epsilon(x, mean, variance, gamma, beta, epsilon):
    return gamma * (x - mean) / np.sqrt(variance) + beta


BY_HAND = {"bn_by_hand_training", "bn_by_hand_inference"}
TWO_WAY = {f"two_way_softmax_binary_cross_entropy{end}" for end in ("", "_gradient")}
SIGMOIDS = "two_way_softmax_trains_as_two_sigmoids"
SHIFTS = {"bn_before_ignores_a_shift", "bn_after_ignores_a_shift"}
BIAS = {"bias_before_bn_changes_nothing", "bias_before_bn_has_no_gradient"}
#: The check, what is put in the place of what, and which of its rows do not hold then.
NOTICED = {
    "a formula without epsilon": (exact.bn_by_hand, {(exact, "_normalised"): without_epsilon, (
        keras.layers, "BatchNormalization"): lambda: BN(epsilon=0.5)}, BY_HAND | {"bn_divisor_is_the_deviation"}),
    "the formula is told the layer's own epsilon": (exact.bn_by_hand, {(keras.layers, "BatchNormalization"): lambda: BN(
        epsilon=0.5)}, {"bn_divisor_is_the_deviation"}),
    "a mask that changes over time": (exact.noise_shape, {(keras.layers, "Dropout"): lambda rate, noise_shape, seed: DROPOUT(
        rate, seed=seed)}, {"noise_shape_mask", "noise_shape_equals_spatial_dropout"}),
    "equal neighbours": (exact.pooling, {(exact, "_normal"): pairs}, set()),
    "a normalisation that is not linear": (exact.pooling, {(exact, "_random_bn"): lambda shape, gamma: (
        lambda x, training: np.asarray(x) ** 2)}, {f"bn_and_{end}" for end in (
            "average_pooling_commute", "average_pooling_commute_in_training", "max_pooling_commute",
            "max_pooling_commute_for_any_gamma")}),
    "no squeeze": (exact.squeeze_excite, {(exact, "SqueezeExcite"): lambda ratio: SqueezeExcite(ratio, squeeze=False)},
                   {"squeeze_excite_looks_ahead"}),
    "another ratio": (exact.squeeze_excite, {(exact, "SqueezeExcite"): lambda ratio: SqueezeExcite(ratio - 1)},
                      {"squeeze_excite_bottleneck"}),
    "a convolution that looks ahead": (exact.squeeze_excite, {(keras.layers, "Conv1D"): lambda filters, size, padding, own=(
        keras.layers.Conv1D): own(filters, size, padding="same")}, {"causal_convolution_does_not_look_ahead"}),
    "three classes": (lambda: exact.softmax_cross_entropies(classes=3), {}, TWO_WAY | {
        "two_way_softmax_binary_cross_entropy_in_keras"}),
    "a softmax that is not remembered": (exact.softmax_cross_entropies, {(keras.layers, "Softmax"): lambda: tf.nn.softmax},
                                         {SIGMOIDS}),
    "no relu": (exact.shift, {(keras.layers, "ReLU"): lambda: lambda x: x}, set()),
    "fixed statistics and a shift": (exact.shift, {(keras.layers, "BatchNormalization"): Still}, SHIFTS),
    "fixed statistics and a bias": (exact.bias_before_bn, {(keras.layers, "BatchNormalization"): Still}, BIAS),
    "a bias that is kept": (exact.bias_before_bn, {(keras.layers, "Dense"): lambda units, use_bias=True: DENSE(units)},
                            {"bias_before_bn_weights"}),
    "no other axis": (exact.bn_axis, {(exact, "_random_bn"): lambda shape, axis=-1: _random_bn(shape)}, set()),
    "always another axis": (exact.bn_axis, {(exact, "_random_bn"): lambda shape, axis=-1: _random_bn(
        shape, axis=1 if axis == 3 else axis)}, {"bn_axis_last", "bn_axis_first"})}


@pytest.mark.parametrize("name", NOTICED)
def test_what_is_otherwise_is_noticed(monkeypatch, name):
    check, changes, expected = NOTICED[name]
    for (holder, attribute), other in changes.items():
        monkeypatch.setattr(holder, attribute, other)
    rows = check()
    assert {row["check"] for row in rows if not row["holds"]} == expected


def test_a_layer_that_is_added_after_all_is_noticed(monkeypatch):
    class Eager(keras.Sequential):
        def add(self, layer, **named):
            super().add(layer, **named)
            if getattr(layer, "units", None) == 2 and next(networks):
                super().add(BN())

    networks = iter([False, True])
    monkeypatch.setattr(keras, "Sequential", Eager)
    with pytest.raises(ValueError):  # other weights than the network without it
        exact.bn_never_added()


@pytest.mark.parametrize(("after", "holds"), [([1, 2, 0], False), ([2, 3, 0], True), ([2, 2, 0], False)])
def test_the_habit_follows_the_counts(after, holds):
    row, = order_in_applications(COUNTS.assign(after_activation=after))
    assert row["holds"] == holds
    if sum(after) == 3:
        assert row["found"] == "3 after, 4 before, 2 neither, of 9; more after in 1 of 2 families that have any"


def test_the_tables_are_stored_and_measuring_is_quiet_so_that_its_record_is_stable(tmp_path, monkeypatch, table):
    heard, logger = [], tf.get_logger()
    monkeypatch.setattr(logger, "handle", lambda record: heard.append(record.getMessage()))
    monkeypatch.setattr(applications, "table", lambda: COUNTS)
    monkeypatch.setattr(old_code, "table", lambda: FEATURES)
    monkeypatch.setattr(exact, "checks", lambda counts, features: logger.warning("at 0x7f15d8237b00") or table)
    assert set(measure(tmp_path)) == {"checks", "applications", "old_code"}
    assert heard == []
    logger.warning("afterwards")
    assert heard == ["afterwards"]
    pd.testing.assert_frame_equal(read_table(tmp_path / "checks.csv")[["check", "holds"]], table[["check", "holds"]])
    assert read_table(tmp_path / "applications.csv").equals(COUNTS) and read_table(tmp_path / "old_code.csv").equals(FEATURES)
