"""Effects, intervals, margins and regions against scipy, statsmodels, simulation and hand."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

from pipeline.verdicts import effects, rule as rule_module
from pipeline.verdicts.effects import (
    detectable, detectable_share, log_ratio, median_interval, paired)
from pipeline.verdicts.error_rates import draw_errors
from pipeline.verdicts.rule import REGIONS, Rule, label_of, position_of
from pipeline.verdicts.shares import share_interval

RULE = Rule()


@pytest.fixture
def errors():
    rng = np.random.default_rng(7)
    shared = rng.normal(0, 0.3, 30)
    return (np.exp(shared + rng.normal(0, 0.1, 30)),
            np.exp(shared + rng.normal(-0.2, 0.1, 30)),
            np.exp(shared + rng.normal(0.1, 0.1, 30)),
            np.exp(shared + rng.normal(0.0, 0.1, 30)))


# Effects and intervals

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


# Exact paired interval

def events(n, b, c, both=0):
    """n pairs: b where only the control, c where only the treatment has the event."""
    control, treatment = np.zeros((2, n), bool)
    control[:b + both] = True
    treatment[b:b + both + c] = True
    return control, treatment


@pytest.mark.parametrize("n", [10, 30, 60, 100])
def test_share_interval_without_events_has_its_closed_form(n):
    found = share_interval(*events(n, 0, 0), 0.025)
    assert found.effect == 0
    assert (found.low, found.high) == pytest.approx(
        (0.025 ** (1 / n) - 1, 1 - 0.025 ** (1 / n)), abs=1e-6)


def test_share_interval_covers_whatever_the_shares():
    """Exact enumeration: neither side misses more often than it may, for any pair of shares."""
    n, tail = 12, 0.025
    outcomes = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]
    limits = np.array([[(e := share_interval(*events(n, b, c), tail)).low, e.high]
                       for b, c in outcomes])
    worst = 0.0
    for p in np.linspace(0, 1, 21):
        for q in np.linspace(0, 1 - p, 21):
            chance = scipy_stats.multinomial.pmf(
                [(b, c, n - b - c) for b, c in outcomes], n, [p, q, max(0.0, 1 - p - q)])
            above = chance[limits[:, 0] > p - q + 1e-7].sum()
            below = chance[limits[:, 1] < p - q - 1e-7].sum()
            worst = max(worst, above, below)
    assert worst <= tail + 1e-6
    assert worst > tail / 2  # not needlessly wide either


def test_share_interval_covers_in_simulation():
    rng = np.random.default_rng(5)
    p, q, n = 0.25, 0.05, 30
    draws = rng.multinomial(n, [p, q, 1 - p - q], 1500)
    covered = 0
    for b, c, _ in draws:
        found = share_interval(*events(n, b, c), 0.025)
        covered += found.low <= p - q <= found.high
    assert covered / len(draws) >= 0.945


@pytest.mark.parametrize("b, c", [(0, 3), (5, 0), (5, 2), (12, 1), (30, 0), (15, 15)])
def test_share_interval_is_within_the_sum_of_two_exact_intervals(b, c):
    n, tail = 30, 0.01
    found = share_interval(*events(n, b, c), tail)
    (low_b, high_b), (low_c, high_c) = (
        proportion_confint(k, n, alpha=tail, method="beta") for k in (b, c))
    assert low_b - high_c - 1e-6 <= found.low <= found.effect <= found.high
    assert found.high <= high_b - low_c + 1e-6
    swapped = share_interval(*events(n, c, b), tail)
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))


def test_share_interval_counts_discordant_pairs_only():
    one = share_interval(*events(30, 6, 1), 0.025)
    other = share_interval(*events(30, 6, 1, both=9), 0.025)
    assert (one.effect, one.low, one.high) == (other.effect, other.low, other.high)
    assert one.effect == pytest.approx(5 / 30)


def test_share_interval_narrows_with_its_level():
    wide, narrow = (paired(*events(40, 12, 2), "share", 0.05, m) for m in (5, 1))
    assert wide.low < narrow.low < narrow.effect < narrow.high < wide.high


def test_interaction_of_shares_adds_exact_intervals_at_half_the_level():
    first, second = events(30, 10, 1), events(30, 2, 3)
    found = paired(*first, "share", 0.05, 2, minus=second)
    one, other = (share_interval(*pair, 0.05 / 8) for pair in (first, second))
    assert found.effect == pytest.approx(9 / 30 + 1 / 30)
    assert (found.low, found.high) == (one.low - other.high, one.high - other.low)


# Margins, labels, regions

@pytest.mark.parametrize("kind, mean, expected", [
    ("ratio", 3.0, math.log(1.10)),
    ("error rate", 0.20, math.log(1.10)),
    ("error rate", 0.05, math.log(1.10)),       # 0.005 of 0.05 is just 10 %
    ("error rate", 0.02, math.log(1.25)),
    ("error rate", 0.0, math.log(1.10)),
    ("epochs", math.nan, math.log(1.25)),
    ("divergence", math.nan, 0.10),
    ("recall", math.nan, 0.10),
    ("calibration", math.nan, 0.02),
    ("measure", math.nan, 0.0),
])
def test_margins(kind, mean, expected):
    assert rule_module.margin(kind, RULE, mean) == pytest.approx(expected)


def test_unknown_margin_and_region_are_refused():
    with pytest.raises(ValueError, match="Received: 'accuracy'"):
        rule_module.margin("accuracy", RULE)
    with pytest.raises(ValueError, match="Received: 'best'"):
        position_of(0, 1, 0.1, "best")


# interval: label, sign, and its position in the seven regions
# (better, worse, equivalent, not_worse, not_better, differs, positive), margin 0.1
F, A, O = "for", "against", "open"
INTERVALS = {
    (0.2, 0.4): ("better", "+", (F, A, A, F, A, F, F)),
    (0.05, 0.2): ("undecided", "+", (O, A, O, F, O, O, F)),
    (0.02, 0.08): ("equivalent", "+", (A, A, F, F, F, A, F)),
    (-0.05, 0.05): ("equivalent", "", (A, A, F, F, F, A, O)),
    (-0.05, 0.2): ("undecided", "", (O, A, O, F, O, O, O)),
    (-0.2, 0.2): ("undecided", "", (O, O, O, O, O, O, O)),
    (-0.2, 0.05): ("undecided", "", (A, O, O, O, F, O, O)),
    (-0.08, -0.02): ("equivalent", "-", (A, A, F, F, F, A, A)),
    (-0.2, -0.05): ("undecided", "-", (A, O, O, O, F, O, A)),
    (-0.4, -0.2): ("worse", "-", (A, F, A, A, F, F, A)),
}


@pytest.mark.parametrize("interval", INTERVALS)
def test_labels_and_regions(interval):
    label, sign, positions = INTERVALS[interval]
    assert label_of(*interval, 0.1) == label
    assert rule_module.sign(*interval) == sign
    assert tuple(position_of(*interval, 0.1, region) for region in REGIONS) == positions


def test_a_measure_has_no_margin():
    assert [label_of(*i, 0.0) for i in [(0.1, 0.2), (-0.2, -0.1), (-0.1, 0.1)]] == [
        "better", "worse", "undecided"]


# Smallest detectable effect

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


def test_detectable_share_is_detected_that_often():
    share = detectable_share(30, 0.1, RULE, 2)
    counts = np.arange(31)
    better = [share_interval(*events(30, int(k), 0), 0.05 / 4).low > 0.1 for k in counts]
    assert scipy_stats.binom.pmf(counts, 30, share)[better].sum() == pytest.approx(0.8)


def test_too_few_seeds_detect_no_share():
    assert math.isnan(detectable_share(3, 0.5, RULE, 10))


# Simulated errors

def test_draws_depend_on_the_seed_alone():
    draw = [draw_errors([0.2], 5, 10, np.random.default_rng(s)) for s in (1, 1, 2)]
    np.testing.assert_array_equal(draw[0], draw[1])
    assert not np.array_equal(draw[0], draw[2])


def test_drawn_errors_have_the_stated_effects():
    control, treatment = draw_errors([0.0, 0.3], 200, 500, np.random.default_rng(0))
    assert control.shape == (200, 2, 500)
    ratio = np.log(control.mean((0, 2)) / treatment.mean((0, 2)))
    assert ratio == pytest.approx([0, 0.3], abs=0.003)


# The constants

def test_rule_is_frozen_documented_and_settable():
    rule = Rule(**{"alpha": 0.1, "test_errors": 5})
    assert (rule.alpha, rule.test_errors, rule.ratio_margin) == (0.1, 5, 1.10)
    with pytest.raises(dataclasses.FrozenInstanceError):
        rule.alpha = 0.2
    table = rule.table()
    assert list(table["name"]) == [field.name for field in dataclasses.fields(Rule)]
    assert table["says"].str.len().min() > 10
    assert table.set_index("name")["value"]["test_errors"] == 5


@pytest.mark.parametrize("section", [{"alpha": 0}, {"alpha": 2}, {"ratio_margin": 0.9},
                                     {"power": "high"}, {"trivial_share": float("nan")},
                                     {"diverged_share": True}])
def test_rule_refuses_impossible_constants(section):
    with pytest.raises(ValueError, match=f"params.yaml: verdicts.{next(iter(section))}: found"):
        Rule(**section)


# Medians

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
