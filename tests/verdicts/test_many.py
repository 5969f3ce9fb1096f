import numpy as np
import pytest
from scipy import stats

from pipeline.verdicts.many import q_values, wrong_words
from pipeline.verdicts.rule import Rule


def test_q_values_are_those_of_scipy_and_leave_identities_out():
    p = np.array([0.001, np.nan, 0.04, 0.8, 0.01, 1.0])
    known = np.isfinite(p)
    q = q_values(p)
    assert q[known] == pytest.approx(stats.false_discovery_control(p[known], method="bh"))
    assert np.isnan(q[1])
    assert np.isnan(q_values([np.nan])).all()


def test_undecided_claims_make_advice_dearer():
    assert q_values([0.03])[0] == pytest.approx(0.03)
    assert q_values([0.03, 1.0, 1.0])[0] == pytest.approx(0.09)


def test_wrong_words_by_hand():
    assert wrong_words(120, Rule()) == pytest.approx(6)


def test_advice_is_seldom_wrong_for_claims_that_share_a_control():
    """Effects that share half the variance of their noise; the direction counts; 400 studies."""
    rng, wrong = np.random.default_rng(2), []
    truth = np.r_[np.zeros(30), np.full(30, 0.1)]
    for _ in range(400):
        y = truth + 0.07 * rng.normal(size=(20, 1)) + 0.07 * rng.normal(size=(20, 60))
        test = stats.ttest_1samp(y, 0)
        said = q_values(test.pvalue) <= 0.05
        false = said & ((truth <= 0) | (test.statistic < 0))
        wrong.append(false.sum() / max(1, said.sum()))
    assert np.mean(wrong) < 0.06
