"""The t interval against scipy."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from pipeline.findings.estimate import Estimate, combine, false_discovery, holm

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


P = np.random.default_rng(1).uniform(0, 1, 40) ** 3


def test_q_is_that_of_statsmodels():
    np.testing.assert_allclose(false_discovery(P), multipletests(P, method="fdr_by")[1])


def test_what_is_not_tested_does_not_count():
    some = P.copy()
    some[[3, 17]] = np.nan
    found = false_discovery(some)
    assert np.isnan(found[[3, 17]]).all()
    np.testing.assert_allclose(found[~np.isnan(some)], multipletests(some[~np.isnan(some)], method="fdr_by")[1])
    assert np.isnan(false_discovery([np.nan, np.nan])).all() and len(false_discovery([])) == 0


def test_many_studies_at_once_are_each_alone():
    many = np.random.default_rng(2).uniform(0, 1, (5, 8)) ** 2
    np.testing.assert_allclose(false_discovery(many), [false_discovery(one) for one in many])


def test_holm_is_what_the_book_says():
    # p.adjust(c(0.01, 0.02, 0.03, 0.04), "holm") in R.
    assert holm([0.01, 0.02, 0.03, 0.04]).tolist() == pytest.approx([0.04, 0.06, 0.06, 0.06])
    np.testing.assert_allclose(holm(P), multipletests(P, method="holm")[1])
    assert len(holm([])) == 0


def test_false_discoveries_are_seldom_though_comparisons_share_a_control():
    rng = np.random.default_rng(3)
    from scipy import stats
    z = rng.normal(0, 1, (4000, 30)) * np.sqrt(0.5) + rng.normal(0, 1, (4000, 1)) * np.sqrt(0.5)
    z[:, :5] += 4
    called = false_discovery(2 * stats.norm.sf(np.abs(z))) <= 0.05
    false = called[:, 5:].sum(axis=1) / np.maximum(called.sum(axis=1), 1)
    assert false.mean() < 0.05
