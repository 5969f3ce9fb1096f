"""The posterior against brute force, and against studies drawn from its own priors."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.findings.posterior import BINS, Posterior, posterior, predictions, reliability
from pipeline.findings.rule import Rule

RULE, DELTA = Rule(), math.log(1.1)
Y = np.array([-0.06, -0.02, 0.03, -0.09, -0.11, 0.0])
S = np.array([0.02, 0.05, 0.03, 0.04, 0.02, 0.06])


def brute(function, y, s):
    """E[function(μ, τ)] summed over a fine grid of both, with scipy's densities."""
    mu, tau = np.meshgrid(np.linspace(-0.8, 0.8, 1601) + 1e-7, np.linspace(0, 0.8, 801))
    density = stats.norm.pdf(mu, 0, 0.2) * stats.halfnorm.pdf(tau, scale=0.1)
    for one, error in zip(y, s, strict=True):
        density = density * stats.norm.pdf(one, mu, np.hypot(error, tau))
    density[[0, -1]] /= 2
    return (function(mu, tau) * density).sum() / density.sum()


def test_probabilities_are_those_of_brute_force():
    found = Posterior()(Y, S)
    assert found.mean_above() == pytest.approx(brute(lambda mu, tau: mu > 0, Y, S), abs=2e-3)
    for point in (DELTA, -DELTA, 0.0):
        expected = brute(lambda mu, tau, point=point: stats.norm.sf(point, mu, np.maximum(tau, 1e-9)), Y, S)
        assert found.another_above(point) == pytest.approx(expected, abs=1e-4)
    expected = brute(lambda mu, tau: stats.norm.sf(0.05, mu, np.hypot(tau, 0.03)), Y, S)
    assert found.another_above(0.05, 0.03) == pytest.approx(expected, abs=1e-4)


def test_the_grid_is_fine_enough():
    few, many = Posterior()(Y, S), Posterior(points=1281)(Y, S)
    assert few.another(DELTA) == pytest.approx(many.another(DELTA), abs=1e-6)


def test_the_three_probabilities_sum_to_one_and_the_range_holds_its_share():
    found = Posterior()(Y, S)
    assert sum(found.another(DELTA)) == pytest.approx(1)
    low, high = found.range(0.8)
    assert found.another_above(low) - found.another_above(high) == pytest.approx(0.8)
    assert found.another_above(high) == pytest.approx(0.1)


def test_many_exact_effects_leave_no_doubt():
    y = np.random.default_rng(0).normal(0.15, 0.02, 400)
    found = Posterior()(y, np.full(400, 1e-3))
    assert found.mean_above() == pytest.approx(1)
    assert found.another_above(DELTA) == pytest.approx(stats.norm.sf(DELTA, y.mean(), y.std()), abs=0.01)


def test_priors_scale_with_the_margin():
    plain, wide = posterior(DELTA, RULE)(Y, S), posterior(3 * DELTA, RULE)(3 * Y, 3 * S)
    assert plain.another(DELTA) == pytest.approx(wide.another(3 * DELTA), abs=1e-9)
    assert (posterior(DELTA, RULE).mean_sd, posterior(DELTA, RULE).spread_scale) == pytest.approx((0.2, 0.1))


def studies(count, rng):
    """Units of studies drawn from the priors, as tables."""
    for _ in range(count):
        mu, tau, s = rng.normal(0, 0.2), abs(rng.normal(0, 0.1)), rng.uniform(0.01, 0.06, 9)
        y = rng.normal(mu, tau, 9) + rng.normal(0, s)
        yield pd.DataFrame({"unit": [f"{rng.integers(10**9)}" for _ in y], "y": y, "s": s}), DELTA


def test_what_is_foretold_from_the_others_happens_as_often_where_the_priors_hold():
    found = reliability(studies(250, np.random.default_rng(1)), RULE)
    assert set(found.event) == {"better", "within", "worse", "sign", "range"}
    parts = found[~found.whole]
    assert parts.off.mean() < 0.12
    assert (parts.groupby("event").predictions.sum() == 250 * 9).all()
    whole = found[found.whole].set_index("event")
    assert whole.happened["range"] == pytest.approx(0.8, abs=0.03)
    assert (whole.brier < whole.guessing)[["better", "within", "worse", "sign"]].all()


def test_a_bin_that_is_off_is_named():
    # One unit of each study is from elsewhere, so that what the others foretell of it is wrong.
    rng, tables = np.random.default_rng(5), []
    for table, delta in studies(60, rng):
        stranger = pd.DataFrame({"unit": [f"x{table.unit[0]}"], "y": [rng.normal(0, 1)], "s": [0.01]})
        tables.append((pd.concat([table, stranger]), delta))
    found = reliability(tables, RULE)
    assert found[found.event != "range"].off.any()


def test_predictions_leave_their_own_unit_out():
    table = pd.DataFrame({"unit": ["a", "b", "c"], "y": [0.0, 0.1, 5.0], "s": [0.01, 0.01, 0.01]})
    rows = [row for row in predictions(table, DELTA, RULE) if row[0] == "c"]
    better = next(row for row in rows if row[1] == "better")
    others = posterior(DELTA, RULE)(np.array([0, 0.1]), np.array([0.01, 0.01]))
    assert better[2] == pytest.approx(others.another(DELTA, 0.01)[0])
    assert better[3] is True


def test_bins_reach_from_nought_to_one():
    assert (BINS[0], BINS[-1]) == (0, 1) and list(BINS) == sorted(BINS)
