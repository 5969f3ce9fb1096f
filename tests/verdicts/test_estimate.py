"""t intervals and p values against scipy and statsmodels."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from pipeline.verdicts.estimate import Estimate, combine

X = np.random.default_rng(3).normal(0.1, 0.2, 20)
ONE = Estimate(X.mean(), X.std(ddof=1) / np.sqrt(20), 19)


def test_bounds_are_the_t_interval():
    expected = stats.ttest_1samp(X, 0).confidence_interval(0.95)
    assert ONE.bounds(0.025) == pytest.approx((expected.low, expected.high))
    assert ONE.bounds(0.025) == pytest.approx(DescrStatsW(X).tconfint_mean(0.05))


@pytest.mark.parametrize("point", [-0.1, 0.0, 0.1])
def test_p_values_are_those_of_the_t_test(point):
    assert ONE.above(point) == pytest.approx(stats.ttest_1samp(X, point, alternative="greater").pvalue)
    assert ONE.below(point) == pytest.approx(stats.ttest_1samp(X, point, alternative="less").pvalue)


def test_a_bound_is_where_its_p_value_is_the_tail():
    low, high = ONE.bounds(0.025)
    assert ONE.above(low) == pytest.approx(0.025)
    assert ONE.below(high) == pytest.approx(0.025)


def test_without_spread_only_the_value_itself_is_in_doubt():
    certain = Estimate(0.1, 0.0, 14)
    assert (certain.above(0), certain.below(0)) == (0, 1)
    assert (certain.above(0.1), certain.below(0.1)) == (0.5, 0.5)


def test_two_samples_combine_as_welch_says():
    other = np.random.default_rng(4).normal(0, 0.6, 9)
    error, freedom = combine([1, -1], [X.std(ddof=1) / np.sqrt(20), other.std(ddof=1) / 3], [19, 8])
    expected = stats.ttest_ind(X, other, equal_var=False)
    assert freedom == pytest.approx(expected.df)
    assert (X.mean() - other.mean()) / error == pytest.approx(expected.statistic)
    two = CompareMeans(DescrStatsW(X), DescrStatsW(other))
    assert error == pytest.approx(two.std_meandiff_separatevar)


def test_equal_parts_add_their_degrees_of_freedom():
    assert combine([0.25] * 4, [0.2] * 4, [14] * 4) == pytest.approx((0.1, 56))
    assert combine([1, 1], [0, 0], [14, 14]) == (0, 28)
    assert combine([1, 1], [0.3, 0], [14, 14]) == pytest.approx((0.3, 14))
