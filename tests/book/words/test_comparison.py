"""An effect in words."""

import math

import numpy as np
import pandas as pd
import pytest

from pipeline.book.words.comparison import by_effect, change, direction, interval, sentence
from pipeline.config.metrics import metric_of
from pipeline.tables.schemas import TRIVIAL
from pipeline.verdicts.rule import Rule


def row(y, low, high, metric="error", minus=False, control="old"):
    scale = metric_of(metric).scale if control == "old" else "difference"
    return {"y": y, "low": low, "high": high, "metric": metric, "control": control,
            "minus_treatment": "c" if minus else "", "scale": scale}


def lower(percent):
    """The log ratio of an error that is so many percent lower."""
    return -math.log(1 - percent / 100)


@pytest.mark.parametrize("content, words", [
    (row(lower(12), lower(8), lower(16)), "12 % lower test error (95 % interval 8 % to 16 %)"),
    (row(lower(-12), lower(-16), lower(-8)), "12 % higher test error (95 % interval 8 % to 16 %)"),
    (row(lower(3), lower(-2.5), lower(8)), "3 % lower test error (95 % interval 2.5 % higher to 8 % lower)"),
    (row(lower(30), lower(20), lower(40), "epochs_to_target"),
     "30 % fewer epochs to the target (95 % interval 20 % to 40 %)"),
    (row(0.2, 0.05, 0.4, "divergence"), "20 points fewer diverged seeds (95 % interval 5 points to 40 points)"),
    (row(-0.03, -0.05, -0.01, "calibration_error"),
     "3 points higher calibration error (95 % interval 1 point to 5 points)"),
    (row(0.03, 0.01, 0.05, "minority_recall"), "3 points higher minority recall (95 % interval 1 point to 5 points)"),
    (row(-0.2, -0.3, -0.1, "zero_share"), "0.2 lower zero share (95 % interval 0.1 to 0.3)"),
    (row(lower(10), lower(10), lower(10), "parameters"), "10 % fewer parameters"),
    (row(0.0, 0.0, 0.0, "parameters"), "as many parameters"),
    (row(math.log(1.2), math.log(1.1), math.log(1.3), minus=True),
     "test error: the ratio of control to treatment is 1.20 times that of the other contrast "
     "(95 % interval 1.10 to 1.30)"),
    (row(math.nan, math.nan, math.nan), "no effect can be computed"),
    (row(-0.02, -0.03, -0.01, control=TRIVIAL),
     "0.02 higher test error than the trivial predictor (95 % interval 0.01 to 0.03)")])
def test_sentences(content, words):
    assert sentence(content) == words


def test_a_sentence_states_the_rules_confidence():
    assert "(90 % interval" in sentence(row(0.1, 0.05, 0.2), Rule(confidence=0.9))


@pytest.mark.parametrize(("low", "high", "expected"), [
    (0.01, 0.5, "better"), (-0.5, -0.01, "worse"), (-0.05, 0.05, "same"), (-0.05, 0.2, "unclear"),
    (-0.2, 0.05, "unclear")])
def test_a_direction_is_clear_where_the_interval_leaves_zero_out(low, high, expected):
    assert direction({"low": low, "high": high, "margin": 0.1}) == expected


@pytest.mark.parametrize("effect, metric, scale, expected", [
    (math.log(2), "error", "log ratio", -50), (-math.log(2), "loss", "log ratio", 100),
    (0.1, "minority_recall", "difference", 10), (0.1, "divergence", "share", -10),
    (0.1, "some_measure", "difference", 0.1)])
def test_change_is_that_of_the_score(effect, metric, scale, expected):
    assert change(effect, metric, scale) == pytest.approx(expected)


def test_an_interval_runs_from_the_least_change_to_the_greatest():
    assert interval(row(math.log(2), 0.0, math.log(4))) == "−50 % (−75 to 0 %)"
    assert interval(row(0.1, -0.2, 0.3, "minority_recall")) == "+10 points (−20 to +30 points)"
    assert interval({**row(0, -0.1, 0.1), "mean": math.log(2)}, "mean").startswith("−50 %")


def test_the_best_effect_stands_first_and_one_that_could_not_be_computed_nowhere():
    table = pd.DataFrame({"data": list("abc"), "y": [0.1, 0.3, np.nan]})
    assert list(by_effect(table)["data"]) == ["b", "a"]
