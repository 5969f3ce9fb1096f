"""What is measured of arrays is what other libraries measure, or what a hand computes."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from pipeline.probe.measures import (
    by_unit, constant, correlation, drift, kurtosis, log_ratio, moment_distance, moments, norm,
    saturation, skewness, varies, zero_share)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.fixture
def values():
    """Four units: normal, skewed, two-valued, and one that never changes."""
    generator = np.random.default_rng(0)
    return np.column_stack([generator.normal(3, 2, 500), generator.exponential(size=500) * [-1],
                            generator.integers(0, 2, 500) * 0.1, np.full(500, 0.7)])


def test_units_are_the_last_axis():
    outputs = normal(5, 3, 2, 4)
    values = by_unit(outputs)
    assert values.shape == (30, 4)
    np.testing.assert_allclose(values.mean(axis=0), outputs.mean(axis=(0, 1, 2)))
    assert by_unit(np.ones((2, 3), np.float32)).dtype == np.float64


def test_moments(values):
    mean, variance = moments(values)
    np.testing.assert_allclose(mean, np.mean(values, axis=0))
    np.testing.assert_allclose(variance[:3], np.var(values[:, :3], axis=0))
    assert variance[3] == 0.0
    by_hand = np.mean([abs(m) + abs(v - 1) for m, v in zip(mean, variance)])
    assert moment_distance(mean, variance) == pytest.approx(by_hand)
    assert moment_distance(np.zeros(3), np.ones(3)) == 0.0


def test_shape_of_the_distribution_equals_scipy(values):
    skews = [stats.skew(values[:, unit]) for unit in range(3)]
    assert min(skews) < -1  # so that the absolute value matters
    assert skewness(values) == pytest.approx(np.mean(np.abs(skews)))
    tails = [stats.kurtosis(values[:, unit]) for unit in range(3)]
    assert min(tails) < -1 and max(tails) > 1
    assert kurtosis(values) == pytest.approx(np.mean(np.abs(tails)))


def test_correlation_equals_numpy(values):
    mixed = values[:, :3] @ np.array([[1, 0.5, 0], [0, 1, -2], [0, 0, 1]])
    matrix = np.corrcoef(mixed.T)
    expected = np.mean(np.abs([matrix[0, 1], matrix[0, 2], matrix[1, 2]]))
    assert correlation(np.column_stack([mixed, values[:, 3]])) == pytest.approx(expected)
    assert correlation(np.column_stack([mixed[:, 0], -mixed[:, 0]])) == pytest.approx(1.0)


def test_what_never_changes_has_no_shape(values):
    still = values[:, [3, 3]]
    for measure in (skewness, kurtosis, correlation):
        assert math.isnan(measure(still))
    assert math.isnan(correlation(values[:, [0, 3]]))  # one unit makes no pair


@pytest.mark.parametrize(("value", "spread", "expected"), [
    (1.0, 1e-5, True), (1.0, 1e-7, False), (1000.0, 1e-5, False), (0.0, 1e-9, True), (0.0, 0.0, False)])
def test_a_unit_is_constant_relative_to_its_size(value, spread, expected):
    assert varies(np.array([[value], [value + spread]])) == [expected]


def test_zero_share():
    assert zero_share(np.array([[0.0, 1.0], [-0.0, 1e-30], [2.0, 0.0]])) == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_saturation_equals_the_derivative(name):
    x = tf.constant(4 * normal(400, 3))
    activation = keras.activations.get(name)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = getattr(tf.math, name)(x)
    slopes = tape.gradient(y, x).numpy() * {"sigmoid": 4.0, "tanh": 1.0}[name]
    saturated, slope = saturation(activation, y.numpy())
    assert saturated == pytest.approx(np.mean(slopes < 0.1))
    assert 0.1 < saturated < 0.9
    assert slope == pytest.approx(np.mean(slopes))


def test_only_activations_with_bounds_saturate():
    assert np.isnan(saturation(keras.activations.relu, np.zeros((3, 2)))).all()
    assert np.isnan(saturation(None, np.zeros((3, 2)))).all()


def test_norm_of_several_arrays_and_of_very_small_ones():
    assert norm([np.array([3.0]), np.array([[0.0, 4.0]])]) == pytest.approx(5.0)
    assert norm([np.full(4, 1e-30, np.float32)]) == pytest.approx(2e-30)
    assert math.isnan(norm([]))


def test_log_ratio_is_undefined_for_what_vanishes():
    assert log_ratio(8.0, 2.0) == pytest.approx(math.log(4))
    assert np.isnan([log_ratio(0.0, 1.0), log_ratio(1.0, 0.0), log_ratio(math.nan, 1.0)]).all()


def moment(*pairs):
    return tuple(np.array(part, float) for part in zip(*pairs))


@pytest.mark.parametrize(("history", "expected"), [
    # two units; scales sqrt((4 + 0) / 2), sqrt((8 + 0) / 2); the dead unit divides nothing
    ([moment((0, 4), (1, 0)), moment((3, 8), (2, 0))],
     (3 + 1) / 2 / math.sqrt(2) + math.log(math.sqrt(4 / 2))),
    # shrinking counts like growing
    ([moment((0, 8)), moment((0, 2))], math.log(2)),
    # the mean of two epochs: moves of 1 and of 2 deviations
    ([moment((0, 1)), moment((1, 1)), moment((-1, 1))], 1.5),
    # an epoch at whose end the layer is dead is left out, and so is the next
    ([moment((0, 1)), moment((1, 1)), moment((5, 0)), moment((2, 1))], 1.0),
    ([moment((0, 1)), moment((0, 1))], 0.0),
    ([moment((0, 0)), moment((1, 0))], math.nan),
])
def test_drift_by_hand(history, expected):
    assert drift(history) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(("outputs", "expected"), [
    (np.zeros((5, 1)), 1.0), (np.array([[1.0], [1 + 1e-7]]), 1.0), (np.array([[1.0], [1.001]]), 0.0),
    (np.array([[0.5, 0.5], [0.5, 0.6]]), 0.0), (np.tile([0.2, 0.8], (4, 1)), 1.0)])
def test_constant_predictions(outputs, expected):
    assert constant(outputs) == expected
