"""Words and numbers: what every interval says, and that no printed number misleads."""

import ast
import math
import re
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.metrics import METRICS, metric_of
from pipeline.findings import numbers, words
from pipeline.findings.numbers import number, share, span
from pipeline.findings.words import DIRECTED, Word, choose, denied, said, sentence

DELTA = math.log(1.1)
RNG = np.random.default_rng(3)
#: Word → whether an interval (low, high) with the margin d says so, as the method words it.
MEANS = {
    Word.A_LITTLE_BETTER: lambda low, high, d: 0 < low and high < d,
    Word.BETTER: lambda low, high, d: 0 < low and high >= d,
    Word.NOTHING: lambda low, high, d: -d < low <= 0 <= high < d,
    Word.A_LITTLE_WORSE: lambda low, high, d: -d < low and high < 0,
    Word.WORSE: lambda low, high, d: low <= -d and high < 0,
    Word.UNCLEAR: lambda low, high, d: low <= 0 <= high and (low <= -d or high >= d)}


def row(low=0.02, effect=0.05, high=0.08, metric="error", **more):
    return {"effect": effect, "low": low, "high": high, "metric": metric, "margin": DELTA, "stratum": "forecasts",
            "scope": "family", "units": 8, "sets": 11, "better": 6, "worse": 0, "range_low": -0.02, "range_high": 0.12,
            "minus_treatment": "", "slope": "", "control": "old", "q": 0.001, "q_level": 0.05, "comparisons": 100,
            "apart": math.nan, "of_half": math.nan, "word": said(choose(low, high, DELTA), metric)} | more


def test_every_interval_has_the_one_word_that_it_means():
    ends = np.sort(RNG.normal(0, 0.1, (4000, 2)), axis=1).tolist() + [
        [a, b] for a in (-DELTA, 0, DELTA, -0.05, 0.05) for b in (-DELTA, 0, DELTA, -0.05, 0.05) if a <= b]
    for low, high in ends:
        for delta in (DELTA, 0.0):
            meant = [word for word, means in MEANS.items() if means(low, high, delta)]
            if delta == 0 and low <= 0 <= high:
                meant = [Word.UNCLEAR]  # Without a margin nothing can be little.
            assert [choose(low, high, delta)] == meant, (low, high, delta)


def test_many_intervals_at_once_are_each_alone():
    low, high = np.sort(RNG.normal(0, 0.1, (2, 50)), axis=0)
    assert choose(low, high, DELTA).tolist() == [str(choose(a, b, DELTA)) for a, b in zip(low, high, strict=True)]


def test_turned_round_a_word_is_its_opposite():
    mirror = {Word.BETTER: Word.WORSE, Word.A_LITTLE_BETTER: Word.A_LITTLE_WORSE, Word.NOTHING: Word.NOTHING,
              Word.UNCLEAR: Word.UNCLEAR, Word.WORSE: Word.BETTER, Word.A_LITTLE_WORSE: Word.A_LITTLE_BETTER}
    for low, high in np.sort(RNG.normal(0, 0.1, (300, 2)), axis=1):
        assert choose(-high, -low, DELTA) == mirror[choose(low, high, DELTA)]


def test_a_word_is_wrong_only_if_its_interval_missed():
    for low, high in np.sort(RNG.normal(0, 0.1, (500, 2)), axis=1):
        word = choose(low, high, DELTA)
        for truth in np.linspace(low, high, 7)[1:-1]:
            assert not denied(word, truth, DELTA)


def test_a_measure_that_nobody_judges_never_helps_or_harms():
    for word in DIRECTED:
        assert said(word, "saturated_share") in ("higher", "lower")
        text = sentence(row(metric="saturated_share", margin=0.0, word=said(word, "saturated_share")))
        assert not re.search(r"better|worse|harm|help", text)
    assert said(choose(-0.3, -0.1, 0.0), "saturated_share") == "lower"


@pytest.mark.parametrize("metric", [*METRICS, "drift", "gap"])
def test_no_sentence_has_a_bound_twice_or_a_nan_or_a_minus_nought(metric):
    for _ in range(400):
        scale = 10.0 ** RNG.uniform(-6, 0)
        low, effect, high = np.sort(RNG.normal(RNG.normal(0, 2), 1, 3)) * scale
        margin = 0.0 if metric_of(metric).margin == "measure" else DELTA
        text = sentence(row(low, effect, high, metric, margin=margin, better=int(low > 0), worse=int(high < 0),
                            range_low=low - scale, range_high=high + scale, q=RNG.uniform(0, 0.2),
                            word=said(choose(low, high, margin), metric)))
        assert "nan" not in text and "inf" not in text and not re.search(r"−0(?!\.\d*[1-9])", text), text
        inside = re.search(r"\(([^()]*)\)", text)[1]
        first, second = re.split(r" to ", inside)
        number = [re.search(r"[\d.]+", part)[0] for part in (first, second)]
        assert number[0] != number[1] or ("more" in first) != ("more" in second) or metric_of(metric).more in inside, text


def test_intervals_have_digits_that_tell_their_bounds_apart():
    metric = metric_of("zero_share")
    for _ in range(2000):
        low, middle, high = np.sort(RNG.normal(RNG.normal(), 10.0 ** RNG.uniform(-6, 0), 3))
        text = numbers.interval([middle, low, high], metric)
        bounds = re.search(r"\((\S+) to (\S+)\)", text)
        assert bounds[1] != bounds[2], text
        assert (low > 0) == bounds[1].startswith("+") and (high < 0) == bounds[2].startswith("−"), text
    assert numbers.interval([0.06, 0.03, 0.1], metric) == "+0.06 (+0.03 to +0.10)"


def test_numbers_have_the_digits_they_deserve():
    assert [numbers.plain(x, d) for x, d in ((-0.04, 1), (12.3, 0), (5.0, 1), (-2.55, 1), (math.nan, 1))] == [
        "0", "12", "5", "−2.5", "unknown"]
    assert numbers.signed(0.0, 1) == "0" and numbers.signed(2.5, 1) == "+2.5" and numbers.signed(-2.5, 1) == "−2.5"
    assert numbers.with_unit("1", "points") == "1\u00a0point" and numbers.with_unit("−1", "points").endswith("point")
    assert numbers.with_unit("105", "points") == "105\u00a0points"
    assert numbers.digits([0.031, 0.034]) == 3 and numbers.digits([12.2, 30]) == 0 and numbers.digits([5e-16]) == 1


def test_a_change_is_that_of_the_score():
    assert numbers.change(DELTA, metric_of("error")) == pytest.approx(100 * (1 / 1.1 - 1))
    assert numbers.change(-DELTA, metric_of("error")) == pytest.approx(10)
    assert numbers.change(0.9, metric_of("failure")) == pytest.approx(-90)
    assert numbers.change(0.1, metric_of("minority_recall")) == pytest.approx(10)
    assert numbers.change(-0.3, metric_of("saturated_share")) == pytest.approx(-0.3)


def test_a_finding_is_told_in_one_sentence():
    text = sentence(row(-0.092, -0.060, -0.028, better=0, worse=5, range_low=-0.13, range_high=0.01)).replace("\u00a0", " ")
    assert text == ("On forecasts, 6.2 % more test error (2.8 to 9.6 % more): a little worse; clearly worse on 5 of 8 "
                    "sources, better on none; on yours, probably between 1 % less and 14 % more.")
    text = sentence(row(-0.03, 0.01, 0.12, better=1, worse=0, q=0.5)).replace("\u00a0", " ")
    assert "1 % less test error (11 % less to 3 % more): unclear, but not more than 10 % worse; clearly better on 1" in text
    assert "could be luck among 100 comparisons" in sentence(row(q=0.2))
    assert "could be luck" not in sentence(row()) + sentence(row(q=math.nan)) + sentence(row(-0.1, 0, 0.01, q=0.9))


def test_named_sets_are_said_to_be_these():
    text = sentence(row(scope="these sets", units=2, sets=2, range_low=-math.inf, range_high=math.inf))
    assert "on these" in text and "on yours" not in text and text.startswith("On the 2 sets of forecasts that were tried")
    assert sentence(row(scope="these sets", units=1, sets=1)).startswith("On forecasts, ")


def test_what_is_ruled_out_follows_the_margin():
    assert words.ruled_out(row(-0.3, -0.1, 0.05)).replace("\u00a0", " ") == "not more than 9 % better"
    assert words.ruled_out(row(-0.05, 0.1, 0.3)).replace("\u00a0", " ") == "not more than 10 % worse"
    assert words.ruled_out(row(-0.3, 0.0, 0.3)) == ""
    assert words.ruled_out(row(-0.3, 0, 0.05, "failure", margin=0.1)) == "not more than 10\u00a0points better"


def test_interactions_slopes_and_halves_are_told_as_such():
    assert "the effect on the test error differs from the other one by" in sentence(row(minus_treatment="x"))
    assert "from the least to the greatest ratio" in sentence(row(slope="ratio"))
    assert words.of_half(row(of_half=-0.6)) == "costs 60\u00a0% of what halving the data costs"
    assert words.of_half(row(of_half=0.25)).startswith("gains 25") and words.of_half(row()) == ""
    assert words.strata(row()) == ""
    assert "the two differ by +5" in words.strata(row(apart=-0.05, apart_low=-0.08, apart_high=-0.01))
    assert sentence(row(effect=math.nan)) == "No effect can be computed."


def test_words_for_findings_are_chosen_in_one_place_only():
    home = Path(words.__file__)
    vocabulary = {str(word) for word in Word} - {"better", "worse"}
    for path in home.parent.glob("*.py"):
        texts = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        assert path == home or not texts & (vocabulary - {"no difference that matters"}), path


def test_a_number_has_a_true_minus_and_keeps_its_unit():
    assert number(-0.012, ".2g") == "−0.012" and share(0.0414, ".1f") == "4.1\u00a0%"


def test_spans_are_said_once():
    assert span([3, 1, 2]) == "1 to 3" and span([2, 2]) == "2"
