"""Every score, once: what pages and findings read of it."""

import pytest

from pipeline.config.metrics import METRICS, metric_of
from pipeline.findings.rule import Rule


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_a_scale_a_margin_and_words(name):
    one = metric_of(name)
    assert one is METRICS[name] and one.judged and one.scale in ("log ratio", "difference", "share")
    assert Rule().margin(one.margin) >= 0
    assert (one.more, one.less) in (("higher", "lower"), ("more", "fewer"))
    assert (one.factor, one.unit) in ((1, ""), (100, "points"))


def test_what_is_counted_is_more_or_fewer():
    for name in ("epochs_to_target", "divergence", "failure", "parameters"):
        assert (metric_of(name).more, metric_of(name).less) == ("more", "fewer"), name
    assert metric_of("error").less == "lower"


def test_a_share_is_counted_in_a_sentence_and_measured_on_an_axis():
    one = metric_of("failure")
    assert (one.name, one.score) == ("seeds that fail", "share of failing seeds")
    assert metric_of("loss").score == "test loss"


@pytest.mark.parametrize(("name", "turn"), [("error", -1), ("minority_recall", 1), ("divergence", -1),
                                            ("largest_rate", 1), ("zero_share", 1)])
def test_a_positive_effect_turns_into_a_change_of_the_score(name, turn):
    assert metric_of(name).turn == turn


def test_another_column_is_a_measure_that_nobody_judges():
    one = metric_of("zero_share")
    assert (one.name, one.scale, one.judged) == ("zero share", "difference", False)
    assert Rule().margin(one.margin) == 0
