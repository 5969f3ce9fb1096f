"""Corrections for many comparisons against statsmodels, R's example, and simulation."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from pipeline.findings.estimate import false_discovery, holm

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
