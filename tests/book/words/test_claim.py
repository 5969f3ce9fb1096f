"""A claim in words: every prediction reads well, and a verdict says what it rests on."""

import re

import pytest

from pipeline.book.words.claim import (
    OF_NUMBER, OF_SIZE, effect, prediction, region, short, sureness, threads, verdict_sentence,
    verdict_words)
from pipeline.spec.claims import Claim
from pipeline.spec.metrics import METRICS, metric_of
from pipeline.verdicts.rule import REGIONS, Rule
from tests.book.made import cells


@pytest.mark.parametrize(("metric", "name", "words"), [
    ("error", "better", "test error lower by more than the margin"),
    ("error", "worse", "test error higher by more than the margin"),
    ("error", "equivalent", "test error the same, within the margin"),
    ("error", "not_worse", "test error not higher by more than the margin"),
    ("error", "not_better", "test error not lower by more than the margin"),
    ("error", "differs", "test error different by more than the margin, in either direction"),
    ("loss", "positive", "test loss lower, however little"),
    ("minority_recall", "better", "minority recall higher by more than the margin"),
    ("minority_recall", "not_worse", "minority recall not lower by more than the margin"),
    ("calibration_error", "worse", "calibration error higher by more than the margin"),
    ("failure", "better", "fewer seeds that fail, by more than the margin"),
    ("failure", "worse", "more seeds that fail, by more than the margin"),
    ("failure", "equivalent", "as many seeds that fail, within the margin"),
    ("failure", "not_worse", "not more seeds that fail, by more than the margin"),
    ("failure", "differs", "more or fewer seeds that fail, by more than the margin"),
    ("divergence", "worse", "more diverged seeds, by more than the margin"),
    ("divergence", "positive", "fewer diverged seeds, however little the difference"),
    ("epochs_to_target", "better", "fewer epochs to the target, by more than the margin"),
    ("epochs_to_target", "not_better", "not fewer epochs to the target, by more than the margin"),
    # These have no margin.
    ("parameters", "better", "fewer parameters"), ("parameters", "differs", "more or fewer parameters"),
    ("largest_rate", "better", "largest usable learning rate higher"),
    ("zero_share", "better", "zero share higher"), ("zero_share", "worse", "zero share lower"),
    ("drift", "not_better", "drift not higher"), ("drift", "differs", "drift different, in either direction")])
def test_what_a_region_predicts(metric, name, words):
    assert region(metric_of(metric), name) == words


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("metric", [*METRICS, "gradient_norm"])
def test_every_prediction_is_said_in_the_words_of_its_score(metric, name):
    spec = metric_of(metric)
    words = region(spec, name)
    assert spec.name in words and set(OF_SIZE) == set(OF_NUMBER) == set(REGIONS)
    # More and fewer stand before what is counted, higher and lower behind what is measured.
    for word in ("more", "fewer", "higher", "lower"):
        for found in re.finditer(rf"\b{word}\b(?! than)", words):
            assert (found.start() < words.index(spec.name)) == (word in ("more", "fewer")), words
    assert ("margin" in words) == (spec.margin != "measure" and name != "positive") or name == "equivalent"


def claim(**values):
    return Claim(**{"slug": "a", "rows": ["A1"], "who": "someone", "says": "It is so.", "topic": "order",
                    "predicts": {"by": "thread", "region": "better"},
                    "contrasts": [{"treatment": "new", "control": "old"}]} | values)


def test_a_prediction_says_who_how_generally_and_where_it_is_measured():
    assert prediction(claim()) == (
        "The thread's prediction: test error lower by more than the margin, in at least half of the "
        "comparisons (and in two, if there are), and against it in none.")
    ours = claim(predicts={"by": "ours", "region": "worse", "quantifier": "some"}, metric="failure",
                 endpoint="last")
    assert prediction(ours) == (
        "Our prediction, as the thread makes none: more seeds that fail, by more than the margin, in at least "
        "one comparison. Measured at the last epoch.")
    probed = prediction(claim(metric="drift", probe=True))
    assert probed.endswith("in none. Measured inside the networks while they train, on a few seeds.")
    guessing = claim(contrasts=[], baseline=["new"], predicts={"by": "thread", "region": "not_better"})
    assert "test error not lower than the trivial predictor scores, in" in prediction(guessing)
    exact = claim(contrasts=[], checks=["one"], predicts=None)
    assert prediction(exact) == "An identity: it holds exactly, or it does not."


ROW = {"verdict": "supported", "reads": "supported on forecast", "way": "", "fragile": False, "D": 2, "F": 1,
       "A": 0, "scope": "forecast"}


def test_a_verdict_has_its_badge_its_direction_and_its_scope():
    assert verdict_words(ROW) == "{bdg-primary}`supported on forecast`"
    turned = ROW | {"verdict": "contradicted", "reads": "", "way": "the opposite effect", "fragile": True}
    assert verdict_words(turned) == (
        "{bdg-warning}`contradicted` the opposite effect. {bdg-danger-line}`fragile`")


@pytest.mark.parametrize(("row", "values", "words"), [
    ({}, {}, "1 of 2 comparisons on forecast came out as predicted, 0 did not, 1 stayed open."),
    ({"verdict": "not measured"}, {}, "No stored result decides this claim yet."),
    ({"D": 0}, {}, "No comparison can show anything, so nothing is decided."),
    ({}, {"contrasts": [], "checks": ["a", "b"]}, "2 exact checks decide it; no statistics are needed.")])
def test_what_a_verdict_rests_on(row, values, words):
    assert verdict_sentence(claim(**values), ROW | row) == words


def test_an_effect_is_the_best_comparison_and_the_worst():
    assert effect(claim(), cells(), Rule()) == "–"
    assert effect(claim(contrasts=[], checks=["a"]), cells(), Rule()) == "exact"
    two = cells({"effect": 0.3, "low": 0.2, "high": 0.4}, {"effect": -0.1, "low": -0.2, "high": -0.05, "data": "co2"})
    # exp(-0.3) - 1 = -0.2592, exp(0.1) - 1 = 0.1052
    assert effect(claim(), two, Rule()) == (
        "between 26 % lower test error (95 % interval 18 % to 33 %) on vowels and 11 % higher test error "
        "(95 % interval 5.1 % to 22 %) on co2")
    assert effect(claim(), two.iloc[:1], Rule()).startswith("26 % lower")


def test_how_sure_a_verdict_is():
    text = sureness(claim(), ROW, cells({"seeds": 30}, {"seeds": 60}))
    assert text == "{bdg-primary}`supported on forecast` 1 of 2 comparisons as predicted, 0 against; 30 to 60 seeds each"
    assert sureness(claim(), ROW | {"D": 0}, cells()) == "{bdg-primary}`supported on forecast`"


def test_slugs_and_threads_by_name():
    assert short("bn_before_lstm") == "BN before LSTM" and short("it_depends") == "It depends"
    assert threads(["A1", "A2"]) == "“Batch normalization layer for CNN-LSTM”"
    assert threads(["A1", "B2"]).count("“") == 2 and "](https://" in threads(["B2"])
