"""Effects and intervals, against scipy, statsmodels, simulation and hand."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.power import TTestPower

from pipeline.verdicts import effects
from pipeline.verdicts.effects import detectable, log_ratio, median_interval, paired
from pipeline.verdicts.error_rates import draw_errors
from pipeline.verdicts.rule import Rule

RULE = Rule()


@pytest.fixture
def errors():
    rng = np.random.default_rng(7)
    shared = rng.normal(0, 0.3, 30)
    return (np.exp(shared + rng.normal(0, 0.1, 30)),
            np.exp(shared + rng.normal(-0.2, 0.1, 30)),
            np.exp(shared + rng.normal(0.1, 0.1, 30)),
            np.exp(shared + rng.normal(0.0, 0.1, 30)))


def test_log_ratio_by_hand():
    effect, w = log_ratio([1, 3], [1, 1])
    assert effect == pytest.approx(math.log(2))
    assert w == pytest.approx([0.5 - 1, 1.5 - 1])


def test_log_ratio_interval_is_the_t_interval_of_its_contributions(errors):
    c, t, *_ = errors
    found = paired(c, t, "log ratio", 0.05, m=4)
    w = c / c.mean() - t / t.mean()
    expected = scipy_stats.ttest_1samp(w, 0).confidence_interval(1 - 0.05 / 4)
    theta = math.log(c.mean() / t.mean())
    assert (found.low, found.effect, found.high) == pytest.approx(
        (theta + expected.low, theta, theta + expected.high))
    assert found.seeds == 30


def test_contributions_agree_with_a_bootstrap(errors):
    c, t, *_ = errors
    pick = np.random.default_rng(0).integers(0, 30, (20_000, 30))
    deviation = np.log(c[pick].mean(1) / t[pick].mean(1)).std()
    found = paired(c, t, "log ratio", 0.05)
    assert found.spread / math.sqrt(30) == pytest.approx(deviation, rel=0.05)


def test_difference_is_the_paired_t_interval(errors):
    c, t, *_ = errors
    found = paired(c, t, "difference", 0.05, m=3)
    expected = scipy_stats.ttest_rel(t, c).confidence_interval(1 - 0.05 / 3)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.effect == pytest.approx(np.mean(t - c))


def test_one_sided_bounds_are_those_of_two_one_sided_tests(errors):
    c, t, *_ = errors
    found = paired(c, t, "difference", 0.05, sides=1)
    low = scipy_stats.ttest_rel(t, c, alternative="greater").confidence_interval(0.95).low
    high = scipy_stats.ttest_rel(t, c, alternative="less").confidence_interval(0.95).high
    assert (found.low, found.high) == pytest.approx((low, high))


def test_interaction_is_a_difference_of_effects_and_contributions(errors):
    a, b, c, d = errors
    found = paired(a, b, "log ratio", 0.05, m=2, minus=(c, d))
    w = a / a.mean() - b / b.mean() - c / c.mean() + d / d.mean()
    theta = math.log(a.mean() * d.mean() / b.mean() / c.mean())
    expected = scipy_stats.ttest_1samp(w, 0).confidence_interval(1 - 0.05 / 2)
    assert (found.low, found.high) == pytest.approx((theta + expected.low, theta + expected.high))


@pytest.mark.parametrize("scale", ["log ratio", "difference"])
def test_swapping_the_arms_flips_the_interval(errors, scale):
    c, t, *_ = errors
    one, other = paired(c, t, scale, 0.05), paired(t, c, scale, 0.05)
    assert (one.effect, one.low, one.high) == pytest.approx(
        (-other.effect, -other.high, -other.low))


def test_interval_misses_about_as_often_as_it_says():
    control, treatment = draw_errors([0.1], 6000, 30, np.random.default_rng(3))
    found = paired(control, treatment, "log ratio", 0.05)
    missed = ((found.low > 0.1) | (found.high < 0.1)).mean()
    assert 0.042 < missed < 0.066


def test_a_mean_of_zero_has_no_ratio():
    effect, _ = log_ratio([0.0, 0.0], [1.0, 2.0])
    assert np.isnan(effect)


@pytest.mark.parametrize("arguments, message", [
    (([1, 2], [1, 2, 3], "difference", 0.05), "equal seeds"),
    (([1], [2], "difference", 0.05), "at least 2 seeds"),
    (([1, 2], [2, 1], "ratio", 0.05), "scale must be one of"),
    (([1, 2], [2, 1], "difference", 0.05, 0), "m must be at least 1"),
])
def test_impossible_comparisons_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        paired(*arguments)


def test_the_median_interval_is_that_of_the_sign_test():
    w = np.array([3.0, -1.0, 2.0, 2.0, 5.0, 0.0, 1.0, 4.0, 2.0, 6.0])
    found = median_interval(w, 0.025)
    # By hand, for ten pairs: P(at most 1 head) = 11/1024 <= 0.025 < P(at most 2) = 56/1024.
    assert (found.effect, found.low, found.high, found.seeds) == (2.0, 0.0, 5.0, 10)
    # A value outside the interval is one that the two-sided sign test refuses.
    for value, refused in ((-0.5, True), (0.5, False), (5.5, True)):
        above = int((w > value).sum())
        assert (scipy_stats.binomtest(above, 10).pvalue <= 0.05) == refused


def test_a_median_of_equal_differences_has_no_width():
    found = paired(np.zeros(30), np.full(30, 0.7), "median", 0.05)
    assert (found.effect, found.low, found.high) == (0.7, 0.7, 0.7)
    less = paired(np.zeros(30), np.full(30, 0.7), "median", 0.05,
                        minus=(np.zeros(30), np.full(30, 0.2)))
    assert less.effect == pytest.approx(0.5)


def test_too_few_seeds_give_no_bound_of_a_median():
    found = median_interval(np.arange(3.0), 0.025)
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_the_median_interval_keeps_its_coverage():
    rng = np.random.default_rng(5)
    draws = rng.geometric(0.4, (4000, 30)) + 0.0  # its median is 2
    found = [median_interval(w, 0.025) for w in draws]
    assert np.mean([f.low <= 2 <= f.high for f in found]) >= 0.95


@pytest.mark.parametrize("seeds, m, power", [(10, 1, 0.8), (30, 4, 0.8), (60, 6, 0.9)])
def test_detectable_agrees_with_statsmodels(seeds, m, power):
    rule = Rule(power=power)
    size = TTestPower().solve_power(nobs=seeds, alpha=0.05 / (2 * m), power=power,
                                    alternative="larger")
    assert detectable(0.3, seeds, 0.1, rule, m) == pytest.approx(0.1 + 0.3 * size, rel=1e-4)


def test_detectable_effect_is_detected_that_often():
    margin, spread, seeds = math.log(1.1), 0.15, 30
    effect = detectable(spread, seeds, margin, RULE, 3)
    draws = np.random.default_rng(1).normal(effect, spread, (20_000, seeds))
    found = effects.interval(draws.mean(1), draws, 0.05, 3)
    assert (found.low > margin).mean() == pytest.approx(0.8, abs=0.01)
