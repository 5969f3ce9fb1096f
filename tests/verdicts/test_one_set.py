"""Effects on one data set against scipy, a bootstrap, exact shares and hand-made examples."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.verdicts.estimate import Estimate, apart
from pipeline.verdicts.one_set import (
    difference, epochs_to_target, log_ratio, mean, minus, score, share)


@pytest.fixture
def errors():
    rng = np.random.default_rng(7)
    shared = rng.normal(0, 0.3, 15)
    return [np.exp(shared + rng.normal(shift, 0.1, 15)) for shift in (0, -0.2, 0.1, 0)]


def test_log_ratio_by_hand():
    found = log_ratio([1, 3], [1, 1])
    assert found.y == pytest.approx(math.log(2))
    assert found.w == pytest.approx([0.5 - 1, 1.5 - 1])
    assert found.s == pytest.approx(0.5)


def test_log_ratio_has_the_error_of_a_t_test_of_its_contributions(errors):
    c, t, *_ = errors
    expected = stats.ttest_1samp(c / c.mean() - t / t.mean(), 0).confidence_interval(0.95)
    found = log_ratio(c, t).estimate.bounds(0.025)
    assert np.subtract(found, math.log(c.mean() / t.mean())) == pytest.approx(
        (expected.low, expected.high))


def test_the_error_agrees_with_a_bootstrap_of_the_ratio(errors):
    c, t, *_ = errors
    pick = np.random.default_rng(0).integers(0, 15, (20_000, 15))
    deviation = np.log(c[pick].mean(1) / t[pick].mean(1)).std()
    assert log_ratio(c, t).s == pytest.approx(deviation * math.sqrt(15 / 14), rel=0.05)


def test_exchanged_arms_turn_the_sign(errors):
    c, t, *_ = errors
    assert log_ratio(t, c).y == pytest.approx(-log_ratio(c, t).y)
    assert log_ratio(t, c).s == pytest.approx(log_ratio(c, t).s)


def test_difference_is_the_paired_t_test(errors):
    c, t, *_ = errors
    interval = stats.ttest_rel(t, c).confidence_interval(0.95)
    assert difference(c, t).estimate.bounds(0.025) == pytest.approx((interval.low, interval.high))
    assert difference(c, t, lower=True).y == pytest.approx(c.mean() - t.mean())
    assert difference(c, t).estimate.above(0) == pytest.approx(
        stats.ttest_rel(t, c, alternative="greater").pvalue)


def test_an_interaction_is_a_t_test_of_paired_differences(errors):
    c, t, c2, t2 = errors
    found = minus(difference(c, t), difference(c2, t2))
    expected = stats.ttest_rel(t - c, t2 - c2).confidence_interval(0.95)
    assert found.estimate.bounds(0.025) == pytest.approx((expected.low, expected.high))
    ratio = minus(log_ratio(c, t), log_ratio(c2, t2))
    assert ratio.y == pytest.approx(math.log(c.mean() * t2.mean() / t.mean() / c2.mean()))


def test_the_mean_of_effects_averages_seed_by_seed(errors):
    c, t, c2, t2 = errors
    found = mean([difference(c, t), difference(c2, t2)])
    expected = stats.ttest_1samp((t - c + t2 - c2) / 2, 0).confidence_interval(0.95)
    assert found.estimate.bounds(0.025) == pytest.approx((expected.low, expected.high))
    same = mean([log_ratio(c, t)] * 3)
    assert (same.y, same.s) == pytest.approx((log_ratio(c, t).y, log_ratio(c, t).s))


def test_shares_by_the_formula_for_matched_pairs():
    # b = 6 pairs with the event under the control alone, c = 1 under the treatment alone, n = 20.
    control, treatment = np.zeros(20, bool), np.zeros(20, bool)
    control[:6], treatment[6] = True, True
    found = share(control, treatment)
    b, c, n = 6.5, 1.5, 22
    assert found.y == pytest.approx(5 / 20)
    assert found.s == pytest.approx(math.sqrt(b + c - (b - c) ** 2 / n) / n)


def test_shares_without_any_discordant_pair_are_not_certain():
    none, every = np.zeros(15, bool), np.ones(15, bool)
    for arms in ((none, none), (every, every), (every, none)):
        assert share(*arms).s > 0.04
    assert mean([share(none, none)] * 2).s == pytest.approx(share(none, none).s / math.sqrt(2))
    assert minus(share(none, none), share(none, none)).s == pytest.approx(
        share(none, none).s * math.sqrt(2))


@pytest.mark.parametrize("p,q", [(0.05, 0.0), (0.5, 0.0), (0.3, 0.3), (0.95, 0.1)])
def test_intervals_of_shares_cover(p, q):
    """Exact: every outcome of two independent arms of 15 seeds, weighted by its chance."""
    n, covered = 15, 0.0
    cells = [p * (1 - q), (1 - p) * q]
    for b in range(n + 1):
        for c in range(n + 1 - b):
            control, treatment = np.zeros(n, bool), np.zeros(n, bool)
            control[:b], treatment[b:b + c] = True, True
            low, high = share(control, treatment).estimate.bounds(0.025)
            if low <= p - q <= high:
                covered += stats.multinomial.pmf([b, c, n - b - c], n, [*cells, 1 - sum(cells)])
    assert covered > 0.92


def test_effects_on_other_data_are_set_apart_as_welch_does(errors):
    c, t, *_ = errors
    other = np.random.default_rng(1).normal(0, 0.3, 30)
    found = apart(difference(c, t).estimate, Estimate(other.mean(), stats.sem(other), 29))
    expected = stats.ttest_ind(t - c, other, equal_var=False).confidence_interval(0.95)
    assert found.bounds(0.025) == pytest.approx((expected.low, expected.high))


def test_diverged_runs_score_what_the_trivial_predictor_scores():
    values, diverged = [0.2, math.nan, 40.0], [False, True, False]
    assert score(values, diverged, 1.0).tolist() == [0.2, 1.0, 40.0]
    assert score(values, diverged, [1.0, 0.9, 0.8], capped=True).tolist() == [0.2, 0.9, 0.8]
    with pytest.raises(ValueError, match="inf at entry 1"):
        score([0.1, math.inf], [False, False], 1.0)


@pytest.mark.parametrize("control,treatment,says", [
    ([1, 2], [1, 2, 3], "equal seeds"), ([1], [1], "at least two"), ([0, 0], [1, 1], "above 0"),
    ([1, math.nan], [1, 1], "finite"), ([1, 2], [-1, 4], "at least 0")])
def test_scores_that_make_no_ratio_are_refused(control, treatment, says):
    with pytest.raises(ValueError, match=says):
        log_ratio(control, treatment)


def test_effects_of_unequal_seeds_do_not_mix(errors):
    c, t, *_ = errors
    with pytest.raises(ValueError, match=r"\[15, 10\]"):
        minus(log_ratio(c, t), log_ratio(c[:10], t[:10]))


def test_epochs_to_target_by_hand():
    control = [[4.0, 2.0, 1.0, 1.1], [3.0, 2.0, 1.0, np.nan]]
    treatment = [[4.0, 2.0, 2.0, np.nan], [np.inf, np.nan, np.nan, np.nan]]
    # Seed 1: the greater of 1 and 2, times 1.1, here 2.2. Seed 2: the treatment has no loss at all,
    # so that the target is the control's own, and it counts one more than the control's three epochs.
    found = epochs_to_target(control, treatment, 1.1)
    assert [f.tolist() for f in found] == [[2, 3], [2, 4]]


def test_epochs_to_target_favour_neither_arm():
    rng = np.random.default_rng(5)
    falls = 1 / np.arange(1, 31)[None, :] + 0.2
    first, second = (falls * np.exp(rng.normal(0, 0.2, (400, 30))) for _ in range(2))
    found = epochs_to_target(first, second, 1.1)
    turned = epochs_to_target(second, first, 1.1)
    assert found[0].tolist() == turned[1].tolist() and found[1].tolist() == turned[0].tolist()
    # By the control's least loss alone, two arms of one kind would seem to differ.
    own = [(c <= 1.1 * first.min(1, keepdims=True)) for c in (first, second)]
    epochs = [np.where(c.any(1), c.argmax(1) + 1, 31).mean() for c in own]
    assert abs(log_ratio(*found).y) < 0.05 < math.log(epochs[1] / epochs[0])
