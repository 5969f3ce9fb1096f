"""The exact interval of paired shares, against enumeration, simulation and statsmodels."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import proportion_confint

from pipeline.verdicts.effects import detectable_share, paired
from pipeline.verdicts.rule import Rule
from pipeline.verdicts.shares import share_interval

RULE = Rule()


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


def test_detectable_share_is_detected_that_often():
    share = detectable_share(30, 0.1, RULE, 2)
    counts = np.arange(31)
    better = [share_interval(*events(30, int(k), 0), 0.05 / 4).low > 0.1 for k in counts]
    assert scipy_stats.binom.pmf(counts, 30, share)[better].sum() == pytest.approx(0.8)


def test_too_few_seeds_detect_no_share():
    assert math.isnan(detectable_share(3, 0.5, RULE, 10))
