"""The t interval against scipy."""

import numpy as np
import pytest
from scipy import stats

from pipeline.findings.estimate import Estimate, combine

Y = np.random.default_rng(1).normal(0.3, 1, 12)
ONE = Estimate(Y.mean(), stats.sem(Y), 11)


def test_bounds_and_p_values_are_those_of_the_t_test():
    expected = stats.ttest_1samp(Y, 0).confidence_interval(0.95)
    assert ONE.bounds(0.025) == pytest.approx((expected.low, expected.high))
    for point in (0.0, 0.2, -1.0):
        assert ONE.above(point) == pytest.approx(stats.ttest_1samp(Y, point, alternative="greater").pvalue)
        assert ONE.below(point) == pytest.approx(stats.ttest_1samp(Y, point, alternative="less").pvalue)


def test_a_bound_beyond_a_point_and_a_p_value_below_the_tail_are_one():
    for point in np.linspace(-2, 2, 41):
        low, high = ONE.bounds(0.025)
        assert (low > point) == (ONE.above(point) < 0.025)
        assert (high < point) == (ONE.below(point) < 0.025)


def test_turned_round_it_is_its_mirror():
    assert (-ONE).above(0.1) == pytest.approx(ONE.below(-0.1))


def test_arrays_are_many_estimates():
    many = Estimate(np.array([0.1, -0.2]), np.array([0.05, 0.1]), np.array([5.0, 9.0]))
    for i in range(2):
        alone = Estimate(many.value[i], many.error[i], many.freedom[i])
        assert [bound[i] for bound in many.bounds(0.025)] == pytest.approx(alone.bounds(0.025))
    both = combine([many, ONE], [1, -1])
    assert both.value[0] == pytest.approx(0.1 - Y.mean())
    assert both.freedom[0] == pytest.approx(combine([Estimate(0.1, 0.05, 5.0), ONE], [1, -1]).freedom)
