"""*Some* and *always* by hand: δ = 0.1, s = 0.01, so that an interval of one's own is ± 0.0214."""

import numpy as np
import pytest
from scipy import stats

from pipeline.verdicts.claims import verdict
from pipeline.verdicts.quantifiers import set_chances
from pipeline.verdicts.rule import Rule

RULE, DELTA = Rule(), 0.1
S, C, U = "supported", "contradicted", "undecided"


@pytest.mark.parametrize("region,y,expected", [
    ("better", [0.2, -0.2, 0, 0], S), ("better", [0.07, 0, -0.3, 0], C),
    ("better", [0.09, 0, -0.3, 0], U), ("better", [0.12, 0, 0, 0], U),
    ("worse", [-0.2, 0.2, 0, 0], S), ("worse", [-0.07, 0, 0.3, 0], C), ("worse", [-0.09, 0, 0, 0], U),
    ("differs", [-0.2, 0, 0, 0], S), ("differs", [0.05, -0.05, 0, 0], C),
    ("equivalent", [0.0, 0.3, 0.3, -0.3], S), ("equivalent", [0.13, -0.13, 0.2, 0.2], C),
    ("not_worse", [0.0, -0.3, -0.3, -0.3], S), ("not_worse", [-0.13, -0.3, -0.3, -0.3], C),
    ("not_better", [0.0, 0.3, 0.3, 0.3], S), ("not_better", [0.13, 0.3, 0.3, 0.3], C)])
def test_some(region, y, expected, table):
    assert verdict(region, "some", table(y), DELTA, RULE, family=False).verdict == expected


@pytest.mark.parametrize("region,y,expected", [
    ("better", [0.03, 0.03, 0.3, 0.3], S), ("better", [0.02, 0.03, 0.3, 0.3], U),
    ("better", [-0.15, 0.3, 0.3, 0.3], C), ("better", [-0.05, 0.3, 0.3, 0.3], U),
    ("worse", [-0.03, -0.03, -0.3, -0.3], S), ("worse", [0.15, -0.3, -0.3, -0.3], C),
    ("equivalent", [0.07, -0.07, 0, 0], S), ("equivalent", [0.07, -0.15, 0, 0], C),
    ("not_worse", [-0.07, 0, 0.3, 0.3], S), ("not_worse", [-0.15, 0, 0.3, 0.3], C),
    ("not_better", [0.07, 0, -0.3, 0], S), ("not_better", [0.15, 0, -0.3, 0], C),
    ("differs", [0.03, -0.03, 0.3, -0.3], S), ("differs", [0.0, -0.2, 0.3, 0.2], C)])
def test_always(region, y, expected, table):
    assert verdict(region, "always", table(y), DELTA, RULE, family=False).verdict == expected


def test_one_of_k_sets_needs_k_times_the_proof(table):
    y = np.array([0.15, 0.0, 0.0, 0.0, 0.0])
    one = stats.t.sf((0.15 - DELTA) / 0.01, 14)
    supported, contradicted = set_chances("better", "some", table(y), DELTA)
    assert supported == pytest.approx(5 * one)
    assert contradicted == pytest.approx(1 - one)


def test_that_nothing_happens_on_any_set_needs_a_set_that_could_show_it(table):
    units = table([0.0, 0.01, 0.02])
    assert verdict("better", "some", units, DELTA, RULE, family=False, sensitive=["set1"]).verdict == C
    assert verdict("better", "some", units, DELTA, RULE, family=False, sensitive=[]).verdict == U
    worse = table([-0.2, 0.3, 0.3])
    assert verdict("better", "always", worse, DELTA, RULE, family=False, sensitive=[]).verdict == C
