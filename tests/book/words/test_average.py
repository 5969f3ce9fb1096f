"""An average in words: per cent of the error, an interval, counts, and a range."""

import math

import pytest

from pipeline.book.words.average import changed, counts, elsewhere, finding


def row(**values):
    return {"metric": "error", "scale": "log ratio", "control": "plain", "family": "tables", "units": 20, "sets": 20,
            "mean": math.log(1 / 1.07), "low": math.log(1 / 1.12), "high": math.log(1 / 1.02), "better": 1, "worse": 9,
            "range_low": math.log(1 / 1.22), "range_high": math.log(1 / 0.94)} | values


def test_an_average_in_words():
    assert finding(row()) == ("7 % more error on average (+2 to +12 %), worse on 9 of 20 sets, better on 1; on another "
                              "set −6 to +22 %")


def test_bounds_have_signs_as_the_range_has():
    assert changed(row(mean=0.05, low=0.01, high=0.09)) == "4.9 % less error on average (−8.6 to −1 %)"
    assert changed(row(mean=0.02, low=-0.05, high=0.09)) == "2 % less error on average (−8.6 to +5.1 %)"
    assert changed(row(mean=0.0, low=-0.05, high=0.05)) == "as much error on average (−4.9 to +5.1 %)"


@pytest.mark.parametrize(("metric", "scale", "mean", "words"), [
    ("epochs_to_target", "log ratio", math.log(2), "50 % fewer epochs to the target"),
    ("divergence", "share", -0.03, "3 points more diverged seeds"),
    ("calibration_error", "difference", 0.025, "2.5 points lower calibration error"),
    ("minority_recall", "difference", 0.12, "12 points higher minority recall"),
    ("drift", "difference", -1.5, "1.5 lower drift")])
def test_other_scores_have_their_own_words(metric, scale, mean, words):
    ends = {"low": mean - 0.01, "high": mean + 0.01}
    assert changed(row(metric=metric, scale=scale, mean=mean, **ends)).startswith(f"{words} on average (")


def test_an_interaction_is_the_change_of_a_change():
    assert changed(row(minus=True)).startswith("the change of the test error lies 7 % higher than that of the other")


def test_sets_are_counted_the_more_frequent_way_first():
    assert counts(row(better=12, worse=0)) == "better on 12 of 20 sets, worse on none"
    assert counts(row(better=0, worse=0)) == "better or worse on none of 20 sets"
    assert counts(row(units=18, sets=22, better=12, worse=2)) == "better on 12 of 18 units, worse on 2"
    assert counts(row(units=1, sets=1, better=0, worse=1)) == "clearly worse"
    assert counts(row(metric="drift", better=3, worse=1)) == "larger on 3 of 20 sets, smaller on 1"


def test_named_sets_say_nothing_of_another():
    assert elsewhere(row(family="")) == "" == elsewhere(row(range_low=-math.inf, range_high=math.inf))
    assert elsewhere(row(range_low=math.nan, range_high=math.nan)) == ""
