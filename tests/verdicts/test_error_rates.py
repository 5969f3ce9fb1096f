"""What the rule says of itself, against hand-made arms, closed forms and the same seed twice."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from pipeline.tables.schemas import SIMULATED_COLUMNS
from pipeline.verdicts.average import groups
from pipeline.verdicts.claims import verdict
from pipeline.verdicts.error_rates import (
    TRUTHS, Study, draw, families, repeated, said_of, simulated, smallest_found, spread_of)
from pipeline.verdicts.rule import Rule

RULE, DELTA = Rule(), math.log(1.1)
RNG = np.random.default_rng(12)
W = [RNG.normal(0, scale, 15) for scale in RNG.uniform(0.05, 0.2, 20)]
Y = 0.08 * RNG.normal(0, 1, 20)
S = np.array([stats.sem(w) for w in W])
STUDY = Study(W, Y, [""] * 20)


def test_repeated_arms_by_hand(table):
    y = np.r_[np.zeros(18), 0.03, -0.03]
    found = repeated(table(y), table(y), DELTA, RULE, family=True)
    assert (found["comparisons"], found["decisive"], found["share"]) == (20, 2, 0.1)
    assert (found["low"], found["high"]) == pytest.approx(
        (stats.beta.ppf(0.025, 2, 19), stats.beta.ppf(0.975, 3, 18)))
    assert found["noise"] == pytest.approx(y.std(ddof=1))
    assert found["expected"] == pytest.approx(0.01)
    assert found["word"] == "makes no difference"


def test_drawn_effects_have_the_noise_and_the_spread_of_the_stored_ones():
    for spread, tau in ((False, 0.0), (True, spread_of(Y, S))):
        found = draw(W, Y, spread, 20_000, np.random.default_rng(0))
        assert found.shape == (20_000, 20)
        assert found.mean(0) == pytest.approx(np.zeros(20), abs=0.005)
        assert found.std(0) == pytest.approx(np.sqrt(S**2 + tau**2), rel=0.03)


def test_spread_is_none_where_noise_explains_all():
    assert spread_of(np.array([-0.1, 0.1]), np.array([0.2, 0.2])) == 0
    assert spread_of(np.array([-0.1, 0.1]), np.array([0.1, 0.1])) == pytest.approx(0.1)


def test_the_same_seed_gives_the_same_table():
    tables = [simulated([STUDY], DELTA, RULE, np.random.default_rng(seed), draws=300)
              for seed in (1, 1, 2)]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert not tables[0].equals(tables[2])


def test_simulated_words_are_whole_and_seldom_wrong():
    found = simulated([STUDY, STUDY], DELTA, RULE, np.random.default_rng(4), draws=2000)
    sums = found.groupby(["truth", "spread"])["share"].sum()
    assert len(sums) == 2 * len(TRUTHS) and sums.tolist() == pytest.approx([1] * 8)
    wrong = found[found["wrong"]].groupby(["truth", "spread"])["share"].sum()
    assert (wrong < 0.08).all()
    # At 0, helps and harms are the wrong words, each in about one of forty studies.
    zero = found[(found["truth"] == 0) & ~found["spread"] & found["wrong"]]
    assert set(zero["word"]) <= {"helps", "helps a little", "harms", "harms a little"}
    assert 0.03 < zero["share"].sum() < 0.07
    assert not found.loc[found["word"] == "open", "wrong"].any()


def test_said_of_says_what_a_claim_says(table):
    y = np.random.default_rng(5).normal(0.05, 0.1, (50, 20))
    said, weight = said_of(y, DELTA, RULE)
    assert said.tolist() == [verdict("better", "generally", table(one, 1.0), DELTA, RULE, family=True).word
                             for one in y]
    assert weight.tolist() == [1] * 50


def test_said_of_tells_strata_apart_as_the_rule_does(table):
    strata = ["a"] * 12 + ["b"] * 8
    y = np.random.default_rng(5).normal(0.05, 0.1, (60, 20)) + np.r_[[0.1] * 12, [0.0] * 8]
    expected = []
    for one in y:
        found = groups(table(one, 1.0, strata), True, RULE)
        rule = RULE.shared(len(found))
        for units in found.values():
            expected += [(verdict("better", "generally", units, DELTA, rule, family=True).word, 1 / len(found))]
    said, weight = said_of(y, DELTA, RULE, strata)
    assert {0.5, 1} == set(weight) and weight.sum() == pytest.approx(60)
    assert sorted(zip(said.tolist(), weight.tolist(), strict=True)) == sorted(expected)


@pytest.mark.parametrize("strata", [[""] * 16, ["a"] * 8 + ["b"] * 8])
def test_splitting_strata_does_not_raise_wrong_words(strata):
    """Skewed effects as large as the margin, whose strata are alike; 10,000 studies."""
    y = np.random.default_rng(7).gamma(4, 0.05, (10_000, 16))
    said, weight = said_of(y - 0.2, DELTA, RULE, strata)
    wrong = np.isin(said, ["helps", "helps a little", "helps clearly", "harms", "harms a little", "harms clearly"])
    assert (weight * wrong).sum() / 10_000 < 0.075


def test_the_smallest_average_found_is_that_of_the_power_of_a_t_test():
    w = [np.random.default_rng(i).normal(0, 0.4, 30) for i in range(20)]
    s = np.array([stats.sem(one) for one in w])
    # Without spread there is the units' noise alone: nearly normal, of about one size.
    study = Study(w, 0.1 * s, [""] * 20)
    found = smallest_found([study], RULE, np.random.default_rng(0), draws=20_000)
    expected = TTestPower().solve_power(nobs=20, alpha=0.05, power=0.8) * math.sqrt((s**2).mean())
    assert found == pytest.approx(expected, rel=0.05)


def test_every_family_is_simulated_and_the_seed_alone_decides_how():
    both = {"tables": [STUDY], "images": [STUDY, STUDY]}
    one, same, other = (families(both, DELTA, RULE, seed, draws=100) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert not one.equals(other)
    assert list(one.columns) == SIMULATED_COLUMNS
    assert one.groupby("family")["comparisons"].first().to_dict() == {"tables": 1, "images": 2}
    assert families({}, DELTA, RULE, 1).empty
