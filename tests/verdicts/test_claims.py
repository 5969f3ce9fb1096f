"""Verdicts against the table of the rule, written out by hand, and against their own error rate."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.verdicts.average import over_units
from pipeline.verdicts.claims import (
    REGIONS, Verdict, average_chances, decide, says_nothing_happens, table as rows, verdict as decided)
from pipeline.verdicts.error_rates import said_of
from pipeline.verdicts.rule import Rule
from pipeline.verdicts.words import WORDS

RULE, DELTA = Rule(), 0.1


def verdict(region, quantifier, units, delta, rule, **options):
    """Eight units or more are a family's."""
    return decided(region, quantifier, units, delta, rule, family=len(units) >= 8, **options)


S, C, N, U = "supported", "contradicted", "no effect that matters", "undecided"
#: Helps clearly, a little, of open size; harms likewise; no difference, none on average; no benefit;
#: no harm; open.
EXPECTED = {
    "better":     [S, S, S, C, C, C, N, N, N, U, U],
    "positive":   [S, S, S, C, C, C, N, N, N, U, U],
    "worse":      [C, C, C, S, S, S, N, N, U, N, U],
    "equivalent": [C, S, U, C, S, U, S, S, U, U, U],
    "not_worse":  [S, S, S, C, S, U, S, S, U, S, U],
    "not_better": [C, S, U, S, S, S, S, S, S, U, U],
    "differs":    [S, S, S, S, S, S, C, N, U, U, U]}


@pytest.mark.parametrize("region", REGIONS)
def test_the_table(region):
    assert [decide(region, word) for word in WORDS] == EXPECTED[region]


def test_the_printed_table_is_the_one_that_decides():
    for row in rows().to_dict("records"):
        for word, decided in zip(WORDS, EXPECTED[row["predicts"]], strict=True):
            column = {S: "supported", C: "contradicted", N: "decided besides"}.get(decided)
            found = [name for name in ("supported", "contradicted", "decided besides")
                     if word in row[name].split("; ")]
            assert found == ([column] if column else [])
    assert rows()["predicts"].tolist() == list(REGIONS)


def test_a_difference_between_data_sets_is_a_difference():
    assert [decide("differs", word, depends=True) for word in WORDS] == [S] * len(WORDS)
    assert decide("better", "open", depends=True) == U


@pytest.mark.parametrize("mean,sd,word", [
    (0.2, 0.1, "helps clearly"), (0.05, 0.02, "helps a little"), (0.1, 0.1, "helps"),
    (-0.2, 0.1, "harms clearly"), (0.0, 0.05, "makes no difference"),
    (0.0, 0.1, "makes no difference on average"), (0.06, 0.2, "no harm that matters"),
    (0.0, 0.4, "open")])
def test_an_average_by_hand(mean, sd, word, table):
    # Half-width 2.093 sd / sqrt(20) = 0.468 sd; range ± 1.328 sd sqrt(1.05) = 1.361 sd.
    y = np.tile([-1.0, 1.0], 10)
    units = table(mean + sd * y / y.std(ddof=1), 1.0)
    assert verdict("better", "generally", units, DELTA, RULE).word == word


def test_the_verdict_prints_what_the_table_says(table):
    none = table(np.tile([-0.1, 0.1], 10))
    assert verdict("better", "generally", none, DELTA, RULE).reads == "no benefit that matters"
    assert verdict("worse", "generally", none, DELTA, RULE).reads == "no harm that matters"
    assert verdict("differs", "generally", none, DELTA, RULE).reads == "no difference on average"


def test_opposite_sets_are_never_no_difference(table):
    y = np.zeros(40)
    y[:2] = 0.2, -0.2
    found = verdict("differs", "generally", table(y), DELTA, RULE)
    assert (found.verdict, found.word, found.depends) == (S, "makes no difference on average", True)


def test_chances_are_those_of_the_t_tests_that_the_words_need(table):
    y = np.random.default_rng(0).normal(0.05, 0.1, 20)
    units = table(y, 1.0)

    def p(point, side):
        return stats.ttest_1samp(y, point, alternative=side).pvalue

    inside = max(p(-DELTA, "greater"), p(DELTA, "less"))
    outside = min(p(DELTA, "greater"), p(-DELTA, "less"))
    expected = {
        "better": (p(0, "greater"), p(0, "less"), p(DELTA, "less")),
        "worse": (p(0, "less"), p(0, "greater"), p(-DELTA, "greater")),
        "equivalent": (inside, outside, 1), "not_better": (p(DELTA, "less"), p(DELTA, "greater"), 1),
        "not_worse": (p(-DELTA, "greater"), p(-DELTA, "less"), 1),
        "differs": (min(p(0, "greater"), p(0, "less")), inside, inside)}
    for region, three in expected.items():
        assert average_chances(region, over_units(units), units, DELTA) == pytest.approx(three), region


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("quantifier", ["generally", "some", "always"])
def test_a_claim_is_decided_exactly_where_its_p_value_is_below_five_per_cent(
        region, quantifier, table):
    rng, seen = np.random.default_rng(3), set()
    for _ in range(60):
        k = rng.choice([3, 8, 20])
        y = rng.choice([-0.2, -0.05, 0, 0.05, 0.2]) + rng.choice([0.01, 0.1, 0.3]) * rng.normal(0, 1, k)
        found = verdict(region, quantifier, table(y, rng.choice([0.005, 0.05])), DELTA, RULE)
        assert (found.p < 0.05) == (found.verdict != U)
        seen.add(found.verdict)
    assert len(seen) > 1


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("truth", [-DELTA, 0.0, DELTA])
def test_verdicts_are_wrong_in_at_most_one_of_twenty_cases(region, truth):
    """At the truths where words go wrong most easily; 4,000 studies, so within 0.05 + 0.01."""
    allowed = {"better": {S: truth > 0, C: truth < 0, N: truth < DELTA},
               "worse": {S: truth < 0, C: truth > 0, N: truth > -DELTA},
               "equivalent": {S: abs(truth) < DELTA, C: abs(truth) > DELTA},
               "not_worse": {S: truth > -DELTA, C: truth < -DELTA},
               "not_better": {S: truth < DELTA, C: truth > DELTA},
               "differs": {S: truth != 0, C: abs(truth) < DELTA, N: abs(truth) < DELTA}}
    allowed = allowed["better" if region == "positive" else region]
    words, _ = said_of(np.random.default_rng(8).normal(truth, 0.11, (4000, 12)), DELTA, RULE)
    found = pd.Series(words).map(lambda word: decide(region, word))
    assert (~found.map(lambda one: allowed.get(one, True))).mean() < 0.06


def test_nothing_happens_must_hold_where_half_the_data_does_worse(table):
    blunt, sharp = np.zeros(10), np.tile([0.05, 0.25], 5)
    sensitive = [f"set{i}" for i in range(10, 20)]
    # The mean of the sensitive units: 0.015 ± 0.011, inside the margin; 0.105, not inside.
    for factor, expected in ((0.1, S), (0.7, U)):
        units = table(np.r_[blunt, sharp * factor] - 0.02)
        assert verdict("equivalent", "generally", units, DELTA, RULE).verdict == S
        found = verdict("equivalent", "generally", units, DELTA, RULE, sensitive=sensitive)
        assert (found.verdict, found.reads) == (expected, expected)
        assert bool(found.why) == (found.p > 0.05) == (expected == U)
    # What was found stands, whatever half the data does; what was not found needs such a set.
    helps = table(sharp)
    assert verdict("better", "generally", helps, DELTA, RULE, sensitive=[]).verdict == S
    assert verdict("equivalent", "generally", units, DELTA, RULE, sensitive=[]).verdict == U


@pytest.mark.parametrize("region,word,decided,nothing", [
    ("better", "no benefit that matters", N, True), ("better", "harms", C, False),
    ("better", "helps", S, False), ("equivalent", "helps a little", S, True),
    ("not_worse", "helps", S, False), ("not_worse", "no harm that matters", S, True),
    ("not_worse", "harms a little", S, True), ("not_better", "harms clearly", S, False),
    ("differs", "makes no difference", C, True), ("equivalent", "harms clearly", C, False)])
def test_which_verdicts_say_that_nothing_happens(region, word, decided, nothing):
    found = Verdict(decided, decided, word, False, 0.01)
    assert says_nothing_happens(found, region, "generally") == nothing


def test_fewer_than_eight_units_speak_of_these_sets(table):
    y = [0.3, 0.05, 0.2, 0.02]
    assert stats.ttest_1samp(y, 0).pvalue > 0.05
    assert verdict("better", "generally", table(y), DELTA, RULE).word == "helps clearly"
    assert verdict("better", "generally", table(y * 2), DELTA, RULE).word == "helps"


def test_unknown_words_are_refused(table):
    with pytest.raises(ValueError, match="region must be one of better"):
        verdict("bigger", "generally", table([0.1] * 8), DELTA, RULE)
    with pytest.raises(ValueError, match="quantifier must be one of generally"):
        verdict("better", "mostly", table([0.1] * 8), DELTA, RULE)
