"""Effects on one data set against derivatives, the bootstrap and published formulas."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.findings.scales import (
    Difference, Effect, MeanOfRatios, RatioOfMeans, Ranks, Share, epochs_to_target, mean, weighted)

RNG = np.random.default_rng(5)
SHARED = RNG.normal(0, 0.3, 15)
C, T = np.exp(SHARED + RNG.normal(0, 0.1, 15)), 0.9 * np.exp(SHARED + RNG.normal(0, 0.1, 15))


def test_a_ratio_of_means_is_positive_where_the_treatment_is_better():
    assert RatioOfMeans()(C, T).y == pytest.approx(math.log(C.mean() / T.mean()))
    assert RatioOfMeans()(C, 0.5 * C).y == pytest.approx(math.log(2))


def test_contributions_are_the_derivatives_of_the_effect_to_each_seeds_weight():
    def y(weights):
        return math.log(np.average(C, weights=weights) / np.average(T, weights=weights))

    step, found = 1e-6, RatioOfMeans()(C, T).w
    for i in range(15):
        weights = np.ones(15)
        weights[i] += step
        assert 15 * (y(weights) - y(np.ones(15))) / step == pytest.approx(found[i], abs=1e-4)


def test_the_error_of_a_ratio_is_that_of_the_bootstrap():
    picks = RNG.integers(0, 15, (40_000, 15))
    spread = np.log(C[picks].mean(axis=1) / T[picks].mean(axis=1)).std() * math.sqrt(15 / 14)
    assert RatioOfMeans()(C, T).s == pytest.approx(spread, rel=0.03)


def test_mean_ratios_and_differences_are_paired_t_intervals():
    for scale, w in ((MeanOfRatios(), np.log(C / T)), (Difference(lower=True), C - T), (Difference(), T - C),
                     (Difference(lower=True, unit=2.0), (C - T) / 2)):
        expected = stats.ttest_1samp(w, 0).confidence_interval(0.95)
        assert scale(C, T).estimate.bounds(0.025) == pytest.approx((expected.low, expected.high))


def test_no_error_counts_as_half_a_one():
    assert MeanOfRatios(0.005)([0.0, 0.01], [0.01, 0.01]).y == pytest.approx(math.log(0.5) / 2)


def test_shares_have_the_error_of_agresti_and_min():
    # Pairs: 6 control only, 1 treatment only, 8 the same, of n = 15; with half a pair more in each of four ways.
    control, treatment = np.array([1] * 6 + [0] * 9, bool), np.array([0] * 6 + [1] + [0] * 8, bool)
    b, c, n = 6.5, 1.5, 17
    found = Share()(control, treatment)
    assert found.y == pytest.approx(5 / 15)
    assert found.s == pytest.approx(math.sqrt((b + c) - (b - c) ** 2 / n) / n)
    assert Share()(control, control).s > 0


def test_ranks_count_seeds_and_are_never_certain():
    found = Ranks(lower=True)(C, T)
    assert found.y == np.sign(C - T).mean()
    assert found.s == Share()(C > T, T > C).s
    assert Ranks()(C, 2 * C).y == 1 and Ranks()(C, 2 * C).s > 0


def test_weighted_effects_of_the_same_seeds_need_not_be_independent():
    one, other = RatioOfMeans()(C, T), RatioOfMeans()(C, 1.2 * T)
    difference = weighted([one, other], [1, -1])
    assert difference.y == pytest.approx(math.log(1.2)) and difference.s == pytest.approx(0, abs=1e-12)
    assert mean([one]) is one
    assert mean([one, other]).y == pytest.approx((one.y + other.y) / 2)


def test_a_seed_that_one_lacks_counts_in_none():
    first = Effect(1.0, np.array([1.0, 2.0, 3.0]), np.array([1, 2, 3]))
    second = Effect(2.0, np.array([5.0, 7.0]), np.array([1, 3]))
    found = weighted([first, second], [1, -1])
    assert (found.y, found.w.tolist(), found.seeds.tolist()) == (-1.0, [-4.0, -4.0], [1, 3])
    with pytest.raises(ValueError, match="equal seeds"):
        weighted([Effect(1.0, np.ones(3)), Effect(1.0, np.ones(2))], [1, 1])


@pytest.mark.parametrize("scores", [([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([1.0, np.nan], [1.0, 1.0]),
                                    ([0.0, 0.0], [1.0, 1.0]), ([-1.0, 2.0], [1.0, 1.0])])
def test_scores_that_make_no_ratio_are_refused(scores):
    with pytest.raises(ValueError, match="need|finite"):
        RatioOfMeans()(*scores)


def test_epochs_are_counted_to_a_target_that_both_reach():
    control = [[1.0, 0.5, 0.4, 0.45], [1.0, np.nan, np.nan, np.nan]]
    treatment = [[0.9, 0.6, 0.5, np.nan], [np.inf, np.nan, np.nan, np.nan]]
    c, t = epochs_to_target(control, treatment, 1.1)
    assert (c.tolist(), t.tolist()) == ([2.0, 1.0], [3.0, 2.0])
    assert [one.tolist() for one in epochs_to_target(treatment, control, 1.1)] == [t.tolist(), c.tolist()]
