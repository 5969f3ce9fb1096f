"""Averages against scipy, statsmodels, and what metafor's documentation prints for its data of BCG vaccines."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects, effectsize_2proportions
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from pipeline.findings.average import AnotherSet, Mean, Sample, Spread, apart, share_of_spread, together
from pipeline.findings.estimate import Estimate, combine

#: dat.bcg: tuberculosis cases and others, of the vaccinated and of controls.
BCG = np.array([
    [4, 119, 11, 128], [6, 300, 29, 274], [3, 228, 11, 209], [62, 13536, 248, 12619], [33, 5036, 47, 5761],
    [180, 1361, 372, 1079], [8, 2537, 10, 619], [505, 87886, 499, 87892], [29, 7470, 45, 7232], [17, 1699, 65, 1600],
    [186, 50448, 141, 27197], [5, 2493, 3, 2338], [27, 16886, 29, 17825]])
Y = np.random.default_rng(6).normal(0.05, 0.1, 20)
S = np.random.default_rng(7).uniform(0.01, 0.1, 20)


def sample(y=Y, s=S, freedom=14, kept=None):
    s = s if np.ndim(s) == 0 or np.shape(s)[-1] == np.shape(y)[-1] else s[:np.shape(y)[-1]]
    return Sample(np.asarray(y, float), np.broadcast_to(s, np.shape(y)), np.broadcast_to(freedom, np.shape(y)), kept)


def bcg():
    (a, b, c, d) = BCG.T
    return sample(np.log(a / (a + b)) - np.log(c / (c + d)), np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)))


def test_the_spread_of_the_bcg_trials_is_what_metafor_prints():
    # escalc(measure="RR", data=dat.bcg); rma(yi, vi, data=dat): tau^2 0.3132 (REML), 0.3088 (DL); I^2 92.22 %.
    found = {method: float(Spread(method)(bcg())) for method in ("REML", "DL")}
    assert found == pytest.approx({"REML": 0.3132, "DL": 0.3088}, abs=5e-5)
    assert float(share_of_spread(bcg(), found["REML"])) == pytest.approx(0.9222, abs=5e-5)


def test_the_weighted_mean_of_the_bcg_trials_is_what_metafor_prints():
    # rma(yi, vi, data=dat): -0.7145, se 0.1798, ci -1.0669 to -0.3622; with method="DL" -0.7141, ci -1.0644 to -0.3638.
    for method, mean, low, high in (("REML", -0.7145, -1.0669, -0.3622), ("DL", -0.7141, -1.0644, -0.3638)):
        found = Mean(precision=True, spread=Spread(method))(bcg())
        error = 1 / math.sqrt((1 / (bcg().s ** 2 + float(Spread(method)(bcg())))).sum())
        half = stats.norm.ppf(0.975) * error
        assert [float(found.value), found.value - half, found.value + half] == pytest.approx([mean, low, high], abs=1e-4)


def test_spread_and_weighted_mean_are_those_of_statsmodels():
    expected = combine_effects(Y, S**2, method_re="chi2", use_t=True)
    assert expected.tau2 > 0
    assert float(Spread("DL")(sample())) == pytest.approx(expected.tau2, rel=1e-4)
    found = Mean(precision=True, spread=Spread("DL"))(sample())
    # Its error of a random-effects mean, by Hartung and Knapp.
    assert (found.value, found.error) == pytest.approx((expected.mean_effect_re, expected.sd_eff_w_re_hksj), rel=1e-4)


def test_the_effects_of_the_bcg_trials_are_those_of_statsmodels():
    y, v = effectsize_2proportions(BCG[:, 0], BCG[:, :2].sum(axis=1), BCG[:, 2], BCG[:, 2:].sum(axis=1), statistic="risk-ratio")
    np.testing.assert_allclose(bcg().y, y)
    np.testing.assert_allclose(bcg().s ** 2, v)


def test_restricted_likelihood_is_largest_at_its_spread():
    def loglik(tau2, y, v):
        w = 1 / (v + tau2)
        mean = (w * y).sum() / w.sum()
        return 0.5 * np.log(w).sum() - 0.5 * np.log(w.sum()) - 0.5 * (w * (y - mean) ** 2).sum()

    rng = np.random.default_rng(3)
    for _ in range(40):
        k = rng.integers(3, 20)
        s, y = rng.uniform(0.01, 0.2, k), rng.normal(0, rng.uniform(0, 0.2), k)
        found, grid = float(Spread()(sample(y, s))), np.linspace(0, 0.3, 3001)
        best = max(grid, key=lambda tau2, y=y, s=s: loglik(tau2, y, s**2))
        assert loglik(found, y, s**2) >= loglik(best, y, s**2) - 1e-6


@pytest.mark.parametrize("method", ["REML", "DL"])
def test_without_more_variance_than_noise_there_is_no_spread(method):
    assert float(Spread(method)(sample([0.01, -0.01, 0.0, 0.005], 0.1))) == 0
    assert float(Spread(method)(sample([0.3], 0.1))) == 0


def test_an_average_is_the_t_interval_over_units():
    expected = stats.ttest_1samp(Y, 0).confidence_interval(0.95)
    assert Mean()(sample()).bounds(0.025) == pytest.approx((expected.low, expected.high))


def test_units_that_do_not_count_are_as_if_they_were_not_there():
    kept = np.ones((3, 20))
    kept[1, 4] = kept[2, :12] = 0
    for mean in (Mean(), Mean(precision=True), Mean(family=False), Mean(family=False, precision=True)):
        found = mean(sample(np.tile(Y, (3, 1)), S, kept=kept))
        for i in range(3):
            some = kept[i] > 0
            alone = mean(sample(Y[some], S[some]))
            assert [part[i] for part in (found.value, found.error, found.freedom)] == pytest.approx(
                [float(x) for x in (alone.value, alone.error, alone.freedom)])


def test_named_sets_have_the_error_of_their_seeds():
    found = Mean(family=False)(sample([0.2, 0.1], [0.03, 0.04], [14, 29]))
    assert float(found.error) == pytest.approx(math.hypot(0.03, 0.04) / 2)
    expected = (0.03**2 + 0.04**2) ** 2 / (0.03**4 / 14 + 0.04**4 / 29)
    assert float(found.freedom) == pytest.approx(expected)
    precise = Mean(family=False, precision=True)(sample([0.2, 0.1], [0.03, 0.04], [14, 29]))
    assert float(precise.value) == pytest.approx(np.average([0.2, 0.1], weights=[1 / 9, 1 / 16]))
    assert float(precise.error) == pytest.approx(1 / math.sqrt(1 / 0.03**2 + 1 / 0.04**2))


def test_one_set_is_its_own_average():
    found = Mean(family=False)(sample([0.2], [0.03]))
    assert [float(x) for x in (found.value, found.error, found.freedom)] == pytest.approx([0.2, 0.03, 14])


def test_the_difference_of_strata_is_welchs():
    first, second = (Mean()(sample(part)) for part in (Y[:12], Y[12:]))
    expected = CompareMeans(DescrStatsW(Y[:12]), DescrStatsW(Y[12:])).tconfint_diff(0.05, usevar="unequal")
    assert apart(first, second).bounds(0.025) == pytest.approx(expected)


def test_strata_count_equally():
    first, second = (Mean()(sample(part)) for part in (Y[:12], Y[12:]))
    found = together([first, second])
    assert found.value == pytest.approx((Y[:12].mean() + Y[12:].mean()) / 2)
    # Half of the interval of a sum: that of the difference from the turned second.
    expected = CompareMeans(DescrStatsW(Y[:12]), DescrStatsW(-Y[12:])).tconfint_diff(0.05, usevar="unequal")
    assert found.bounds(0.025) == pytest.approx(np.array(expected) / 2)
    assert together([first]) is first


def test_without_any_error_the_freedoms_add_up():
    found = combine([Estimate(1.0, 0.0, 3), Estimate(2.0, 0.0, 4)], [1, -1])
    assert (found.value, found.error, found.freedom) == (-1.0, 0.0, 7.0)
    assert (found.above(-1), found.below(0)) == (0.5, 0.0)


def test_the_range_for_another_set_is_a_prediction_interval():
    import statsmodels.api as sm
    expected = sm.OLS(Y, np.ones(20)).fit().get_prediction([[1]]).conf_int(obs=True, alpha=0.2)[0]
    assert AnotherSet()(Y) == pytest.approx(expected)
    assert AnotherSet()(Y[:1]) == (-math.inf, math.inf)


def test_the_range_catches_as_often_as_it_says():
    rng, hits = np.random.default_rng(1), []
    for _ in range(3000):
        y = rng.normal(0.1, 0.2, 9)
        low, high = AnotherSet()(y[:8])
        hits.append(low <= y[8] <= high)
    assert np.mean(hits) == pytest.approx(0.8, abs=0.025)


def test_what_was_caught_is_counted_with_the_others_range():
    y = np.array([0.0, 0.1, 0.2, 5.0])
    expected = [AnotherSet()(np.delete(y, i)) for i in range(4)]
    assert AnotherSet().caught(y) == np.mean([a <= one <= b for one, (a, b) in zip(y, expected, strict=True)])
    assert math.isnan(AnotherSet().caught(y[:2]))


@pytest.mark.parametrize("precision", [False, True])
def test_intervals_cover_as_often_as_they_say(precision):
    rng = np.random.default_rng(2)
    s = rng.uniform(0.02, 0.06, 10)
    y = 0.03 + rng.normal(0, 0.05, (4000, 10)) + rng.normal(0, s, (4000, 10))
    low, high = Mean(precision=precision)(sample(y, s)).bounds(0.025)
    assert ((low < 0.03) & (0.03 < high)).mean() == pytest.approx(0.95, abs=0.012)
