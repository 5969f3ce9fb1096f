"""Averages over units against scipy, statsmodels and simulated coverage."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from pipeline.verdicts.average import (
    another_set, average, caught, groups, of_a_family, over_named_sets, over_units, signed_rank_bounds,
    strata_apart)
from pipeline.verdicts.rule import Rule

RULE = Rule()
Y = np.random.default_rng(6).normal(0.05, 0.1, 20)
F, C = Y[:12], Y[12:]
STRATA = ["forecasts"] * 12 + ["classes"] * 8


def test_an_average_is_the_t_interval_over_units(table):
    expected = stats.ttest_1samp(Y, 0).confidence_interval(0.95)
    found = average(table(Y), True)
    assert found.bounds(0.025) == pytest.approx((expected.low, expected.high))
    assert (found.value, found.freedom) == pytest.approx((Y.mean(), 19))


def test_two_strata_count_equally(table):
    found = over_units(table(Y, strata=STRATA))
    assert found.value == pytest.approx((F.mean() + C.mean()) / 2)
    assert found.error == pytest.approx(math.sqrt(F.var(ddof=1) / 12 + C.var(ddof=1) / 8) / 2)
    # The interval of a sum of two means: that of a difference, with one sample's sign turned.
    low, high = CompareMeans(DescrStatsW(F), DescrStatsW(-C)).tconfint_diff(usevar="unequal")
    assert found.bounds(0.025) == pytest.approx((low / 2, high / 2))


def test_strata_are_told_apart_by_welchs_test(table):
    assert strata_apart(table(Y, strata=STRATA)) == pytest.approx(
        CompareMeans(DescrStatsW(F), DescrStatsW(C)).ttest_ind(usevar="unequal")[1])
    assert math.isnan(strata_apart(table(Y)))


def test_strata_that_differ_get_their_own_averages(table):
    together = groups(table(Y, strata=STRATA), True, RULE)
    assert list(together) == [""] and len(together[""]) == 20
    moved = table(Y + np.r_[[0.5] * 12, [0] * 8], strata=STRATA)
    assert {name: len(part) for name, part in groups(moved, True, RULE).items()} == {
        "forecasts": 12, "classes": 8}
    # Named sets are not told apart.
    assert list(groups(moved, False, RULE)) == [""]


@pytest.mark.parametrize("shift,apart", [(0.20, True), (0.12, False)])
def test_strata_differ_below_one_per_cent_only(table, shift, apart):
    y = np.r_[F - F.mean() + shift, C - C.mean()]
    p = stats.ttest_ind(y[:12], y[12:], equal_var=False).pvalue
    assert p < 0.05 and (p < 0.01) == apart
    assert (len(groups(table(y, strata=STRATA), True, RULE)) == 2) == apart


def test_a_family_needs_eight_units_and_two_in_every_stratum(table):
    assert of_a_family(table(Y[:8]), RULE) and not of_a_family(table(Y[:7]), RULE)
    assert of_a_family(table(Y, strata=STRATA), RULE)
    assert not of_a_family(table(Y[:9], strata=["a"] * 8 + ["b"]), RULE)


def test_named_sets_average_as_a_fixed_effect_of_equal_weights(table):
    y, s = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.1, 0.2, 0.05, 0.1])
    found = average(table(y, s), False)
    assert (found.value, found.error) == pytest.approx((0.25, math.sqrt((s**2).sum()) / 4))
    assert found.freedom == pytest.approx((s**2).sum() ** 2 / (s**4 / 14).sum())
    same = combine_effects(y, np.full(4, 0.01), method_re="dl")
    assert over_named_sets(table(y, 0.1)).error == pytest.approx(same.sd_eff_w_fe)


def test_eight_units_make_a_family_and_seven_do_not(table):
    found = [average(units, of_a_family(units, RULE)).freedom for units in (table(Y[:8]), table(Y[:7]))]
    assert found == pytest.approx([7, 7 * 14])


def test_the_range_is_that_of_a_regression_on_a_constant(table):
    fit = sm.OLS(Y, np.ones(20)).fit().get_prediction([1.0]).summary_frame(alpha=0.2)
    assert another_set(table(Y), RULE) == pytest.approx(
        (fit["obs_ci_lower"][0], fit["obs_ci_upper"][0]))


def test_left_out_units_are_caught_by_hand(table):
    # Leaving 100 out, the others are all 0 or 1: far away. Leaving another out, the range is wide.
    assert caught(table([0, 1, 0, 1, 0, 1, 0, 1, 0, 100]), RULE) == pytest.approx(0.9)
    # 0 and 1 reach to 3.2 (t(0.9, 1) = 3.08), which misses 5; with 5 among them they reach to 7.8.
    assert caught(table([0, 1, 5]), RULE) == pytest.approx(2 / 3)
    assert math.isnan(caught(table([1, 2]), RULE))


def test_averages_and_ranges_cover_as_often_as_they_say(table):
    """Units of unequal noise and skewed true effects; 500 studies of 16, so ± 0.04 at most."""
    rng, studies = np.random.default_rng(1), 500
    s = np.tile([0.02, 0.1], 8)
    normal = rng.normal(0, 0.1, (studies, 17))
    skewed = 0.07 * (rng.exponential(1, (studies, 17)) - 1)
    for true, least in ((normal, 0.92), (skewed, 0.87)):
        noise = rng.normal(0, 1, (studies, 17)) * np.r_[s, 0.06]
        covered, fell = [], []
        for y in true + noise:
            units = table(y[:16], s)
            low, high = over_units(units).bounds(0.025)
            covered.append(low < 0 < high)
            low, high = another_set(units, RULE)
            fell.append(low < y[16] < high)
        assert least < np.mean(covered) < 0.98
        assert 0.75 < np.mean(fell) < 0.89


@pytest.mark.parametrize("k", [8, 9, 20])
def test_the_signed_rank_interval_is_what_wilcoxon_does_not_reject(k, table):
    low, high = signed_rank_bounds(table(Y[:k]), 0.025)
    for point, inside in ((low - 1e-9, False), (low + 1e-9, True), (high - 1e-9, True),
                          (high + 1e-9, False)):
        p = stats.wilcoxon(Y[:k] - point, method="exact").pvalue
        assert (p > 0.05) == inside
    assert signed_rank_bounds(table(Y[:5]), 0.025) == (-math.inf, math.inf)
