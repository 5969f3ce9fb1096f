"""A claim in words: every prediction reads well, and a verdict says what it rests on."""

import math
import re

import pytest

from pipeline.book.words.claim import (
    BADGES, OF_NUMBER, OF_SIZE, all_verdicts, prediction, region, short, threads, verdict_sentence, verdict_words)
from pipeline.config.claims import Claim
from pipeline.config.metrics import METRICS, metric_of
from pipeline.tables.schemas import DECIDED
from pipeline.verdicts.claims import REGIONS


@pytest.mark.parametrize(("metric", "name", "words"), [
    ("error", "better", "test error lower"), ("error", "worse", "test error higher"),
    ("error", "equivalent", "test error the same, within the margin"),
    ("error", "not_worse", "test error not higher by more than the margin"),
    ("error", "not_better", "test error not lower by more than the margin"),
    ("error", "differs", "test error different, in either direction"),
    ("loss", "positive", "test loss lower"), ("minority_recall", "better", "minority recall higher"),
    ("minority_recall", "not_worse", "minority recall not lower by more than the margin"),
    ("failure", "better", "fewer seeds that fail"), ("failure", "worse", "more seeds that fail"),
    ("failure", "equivalent", "as many seeds that fail, within the margin"),
    ("failure", "not_worse", "not more seeds that fail, by more than the margin"),
    ("failure", "differs", "more or fewer seeds that fail"),
    ("epochs_to_target", "not_better", "not fewer epochs to the target, by more than the margin"),
    # These have no margin.
    ("parameters", "better", "fewer parameters"), ("parameters", "differs", "more or fewer parameters"),
    ("zero_share", "better", "zero share higher"), ("drift", "not_better", "drift not higher"),
    ("drift", "differs", "drift different, in either direction")])
def test_what_a_region_predicts(metric, name, words):
    assert region(metric_of(metric), name) == words


@pytest.mark.parametrize("some", [False, True])
@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("metric", [*METRICS, "gradient_norm"])
def test_every_prediction_is_said_in_the_words_of_its_score(metric, name, some):
    spec = metric_of(metric)
    words = region(spec, name, some)
    assert spec.name in words and set(OF_SIZE) == set(OF_NUMBER) == set(REGIONS)
    # More and fewer stand before what is counted, higher and lower behind what is measured.
    for word in ("more", "fewer", "higher", "lower"):
        for found in re.finditer(rf"\b{word}\b(?! than)", words):
            assert (found.start() < words.index(spec.name)) == (word in ("more", "fewer")), words
    # Of an average, help is help however little; of one set it must be proven beyond the margin.
    beyond = spec.margin != "measure" and (some or name in ("not_worse", "not_better"))
    assert ("margin" in words) == (beyond or name == "equivalent")


def claim(**values):
    return Claim(**{"slug": "a", "rows": ["A1"], "who": "someone", "says": "It is so.", "topic": "order",
                    "predicts": {"by": "thread", "region": "better"},
                    "contrasts": [{"treatment": "new", "control": "old"}]} | values)


def test_a_prediction_says_who_how_generally_and_where_it_is_measured():
    assert prediction(claim(), "the 20 data sets of the family *tables*") == (
        "The thread's prediction: test error lower, on average over the 20 data sets of the family *tables*.")
    ours = claim(predicts={"by": "ours", "region": "worse", "quantifier": "some"}, metric="failure",
                 endpoint="last")
    assert prediction(ours) == (
        "Our prediction, as the thread makes none: more seeds that fail, by more than the margin, on at least "
        "one of the data sets. Measured at the last epoch.")
    assert prediction(claim(), "noise", several=False).endswith("lower, on noise.")
    always = claim(predicts={"by": "thread", "region": "better", "quantifier": "always"})
    assert "on every one of the data sets." in prediction(always)
    probed = prediction(claim(metric="drift", probe=True))
    assert probed.endswith("Measured inside the networks while they train, on a few seeds.")
    guessing = claim(contrasts=[], baseline=["new"], predicts={"by": "thread", "region": "not_better"})
    assert "test error not lower than the trivial predictor scores, on" in prediction(guessing)
    exact = claim(contrasts=[], checks=["one"], predicts=None)
    assert prediction(exact) == "An identity: it holds exactly, or it does not."


ROW = {"verdict": "supported", "reads": "supported", "group": "", "fragile": False, "word": "helps", "why": ""}
AVERAGE = {"metric": "error", "endpoint": "best", "scale": "log ratio", "control": "old", "family": "tables",
           "group": "", "units": 20, "sets": 20, "mean": -math.log(1.1), "low": -math.log(1.2), "high": -math.log(1.05),
           "range_low": -math.log(1.3), "range_high": math.log(1.1), "better": 2, "worse": 9, "above": 1, "below": 6,
           "proven_above": 1, "proven_below": 4, "margin": math.log(1.1), "word": "harms", "depends": False}


def test_a_verdict_has_its_badge_and_where_strata_differ_its_stratum():
    assert verdict_words(ROW) == "{bdg-primary}`supported`"
    printed = ROW | {"verdict": "no effect that matters", "reads": "no benefit that matters", "fragile": True}
    assert verdict_words(printed) == "{bdg-info}`no benefit that matters` {bdg-danger-line}`fragile`"
    both = all_verdicts([ROW | {"group": "classes"}, ROW | {"group": "forecasts"}])
    assert both == "{bdg-primary}`supported` (classes); {bdg-primary}`supported` (forecasts)"
    assert set(DECIDED) < set(BADGES)


@pytest.mark.parametrize(("row", "values", "words"), [
    ({"verdict": "not measured"}, {}, "No stored result decides this claim yet."),
    ({"verdict": "being measured"}, {}, "An experiment that it needs is being measured; nothing is said before."),
    ({"verdict": "true"}, {"contrasts": [], "checks": ["a", "b"]},
     "2 exact checks decide it; no statistics are needed."),
    ({"verdict": "false"}, {"contrasts": [], "checks": ["a"]}, "1 exact check decides it; no statistics are needed.")])
def test_a_claim_without_an_average_says_why(row, values, words):
    assert verdict_sentence(claim(**values), ROW | row, None) == words


def test_a_verdict_rests_on_one_average():
    text = verdict_sentence(claim(), ROW | {"word": "harms"}, AVERAGE)
    assert text.startswith("10 % more error on average (+5 to +20 %), worse on 9 of 20 ")
    assert text.endswith("In the rule's words, this *harms*.")
    found = verdict_sentence(claim(), ROW | {"word": "open", "verdict": "undecided", "why": "not shown there"},
                             AVERAGE | {"depends": True})
    assert "this is *open*. It depends on the data" in found and found.endswith("Undecided, because it is not shown there.")
    some = verdict_sentence(claim(), ROW | {"word": ""}, AVERAGE)
    assert "proven to help on 1, and to harm on 4, of 20 units." in some


def test_slugs_and_threads_by_name():
    assert short("bn_before_lstm") == "BN before LSTM" and short("it_depends") == "It depends"
    assert threads(["A1", "A2"]) == "“Batch normalization layer for CNN-LSTM”"
    assert threads(["A1", "B2"]).count("“") == 2 and "](https://" in threads(["B2"])
