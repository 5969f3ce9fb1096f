"""A comparison in words."""

import math

import pytest

from pipeline.book.words.comparison import change, counted, direction, directions, interval, sentence
from pipeline.spec.metrics import metric_of
from pipeline.spec.tables import TRIVIAL
from pipeline.verdicts.rule import Rule
from tests.book.made import cells


def cell(effect, low, high, metric="error", minus=False, control="old"):
    scale = metric_of(metric).scale if control == "old" else "difference"
    return {"effect": effect, "low": low, "high": high, "metric": metric, "control": control,
            "minus_treatment": "c" if minus else "", "scale": scale, "why": ""}


def lower(percent):
    """The log ratio of an error that is so many percent lower."""
    return -math.log(1 - percent / 100)


@pytest.mark.parametrize("content, words", [
    (cell(lower(12), lower(8), lower(16)), "12 % lower test error (95 % interval 8 % to 16 %)"),
    (cell(lower(-12), lower(-16), lower(-8)),
     "12 % higher test error (95 % interval 8 % to 16 %)"),
    (cell(lower(3), lower(-2.5), lower(8)),
     "3 % lower test error (95 % interval 2.5 % higher to 8 % lower)"),
    (cell(lower(30), lower(20), lower(40), "epochs_to_target"),
     "30 % fewer epochs to the target (95 % interval 20 % to 40 %)"),
    (cell(0.2, 0.05, 0.4, "divergence"),
     "20 points fewer diverged seeds (95 % interval 5 points to 40 points)"),
    (cell(-0.03, -0.05, -0.01, "calibration_error"),
     "3 points higher calibration error (95 % interval 1 point to 5 points)"),
    (cell(0.03, 0.01, 0.05, "minority_recall"),
     "3 points higher minority recall (95 % interval 1 point to 5 points)"),
    (cell(-0.2, -0.3, -0.1, "zero_share"), "0.2 lower zero share (95 % interval 0.1 to 0.3)"),
    (cell(lower(10), lower(10), lower(10), "parameters"), "10 % fewer parameters"),
    (cell(0.0, 0.0, 0.0, "parameters"), "as many parameters"),
    (cell(math.log(1.2), math.log(1.1), math.log(1.3), minus=True),
     "test error: the ratio of control to treatment is 1.20 times that of the other contrast "
     "(95 % interval 1.10 to 1.30)"),
    (cell(1.0, 0.8, 1.0, "failure"),
     "100 points fewer seeds that fail (95 % interval 80 points to 100 points)"),
    (cell(math.log(9), math.log(3), math.log(10), "largest_rate"),
     "largest usable learning rate is 9.00 times the control's (median; 95 % interval 3.00 to 10.00)"),
    (cell(math.nan, math.nan, math.nan) | {"why": "a mean of 0 has no ratio"},
     "no effect can be computed: a mean of 0 has no ratio"),
    (cell(-0.02, -0.03, -0.01, control=TRIVIAL),
     "0.02 higher test error than the trivial predictor (95 % one-sided bounds 0.01 to 0.03)"),
])
def test_sentences(content, words):
    assert sentence(content) == words


def test_a_sentence_states_the_rules_confidence():
    assert "(90 % interval" in sentence(cell(0.1, 0.05, 0.2), Rule(alpha=0.1))


@pytest.mark.parametrize(("label", "sign", "expected"), [
    ("better", "+", "better"), ("undecided", "+", "better"), ("undecided", "", "unclear"),
    ("equivalent", "+", "same"), ("undecided", "-", "worse"), ("worse", "-", "worse")])
def test_a_direction_is_clear_where_the_interval_leaves_zero_out(label, sign, expected):
    assert direction({"label": label, "sign": sign}) == expected
    assert directions(cells({"label": label, "sign": sign})) == [expected]


@pytest.mark.parametrize("effect, metric, scale, expected", [
    (math.log(2), "error", "log ratio", -50),
    (-math.log(2), "loss", "log ratio", 100),
    (0.1, "minority_recall", "difference", 10),
    (0.1, "divergence", "share", -10),
    (0.1, "some_measure", "difference", 0.1)])
def test_change_is_that_of_the_score(effect, metric, scale, expected):
    assert change(effect, metric, scale) == pytest.approx(expected)


def test_an_interval_runs_from_the_least_change_to_the_greatest():
    ratio = {"metric": "error", "scale": "log ratio", "effect": math.log(2), "low": 0.0, "high": math.log(4)}
    assert interval(ratio) == "−50 % (−75 to 0 %)"
    share = {"metric": "minority_recall", "scale": "difference", "effect": 0.1, "low": -0.2, "high": 0.3}
    assert interval(share) == "+10 (−20 to +30)"


def test_what_can_show_something_is_counted_the_best_first():
    table = cells({"data": "a", "effect": 0.1}, {"data": "b", "effect": 0.3},
                  {"data": "c", "effect": 0.9, "position": "uninformative"}, {"data": "d", "effect": math.nan})
    assert list(counted(table)["data"]) == ["b", "a"]
