"""The rule's margins, labels and regions, by hand."""

import dataclasses
import math

import pytest

from pipeline.spec.params import Verdicts
from pipeline.verdicts.rule import REGIONS, Rule, label_of, margin, position_of, rule, sign

RULE = Rule()


@pytest.mark.parametrize("kind, mean, expected", [
    ("ratio", 3.0, math.log(1.10)),
    ("error rate", 0.20, math.log(1.10)),
    ("error rate", 0.05, math.log(1.10)),       # 0.005 of 0.05 is just 10 %
    ("error rate", 0.02, math.log(1.25)),
    ("error rate", 0.0, math.log(1.10)),
    ("epochs", math.nan, math.log(1.25)),
    ("divergence", math.nan, 0.10),
    ("recall", math.nan, 0.10),
    ("calibration", math.nan, 0.02),
    ("measure", math.nan, 0.0),
])
def test_margins(kind, mean, expected):
    assert margin(kind, RULE, mean) == pytest.approx(expected)


def test_unknown_margin_and_region_are_refused():
    with pytest.raises(ValueError, match="Received: 'accuracy'"):
        margin("accuracy", RULE)
    with pytest.raises(ValueError, match="Received: 'best'"):
        position_of(0, 1, 0.1, "best")


# interval: label, sign, and its position in the seven regions
# (better, worse, equivalent, not_worse, not_better, differs, positive), margin 0.1
F, A, O = "for", "against", "open"


INTERVALS = {
    (0.2, 0.4): ("better", "+", (F, A, A, F, A, F, F)),
    (0.05, 0.2): ("undecided", "+", (O, A, O, F, O, O, F)),
    (0.02, 0.08): ("equivalent", "+", (A, A, F, F, F, A, F)),
    (-0.05, 0.05): ("equivalent", "", (A, A, F, F, F, A, O)),
    (-0.05, 0.2): ("undecided", "", (O, A, O, F, O, O, O)),
    (-0.2, 0.2): ("undecided", "", (O, O, O, O, O, O, O)),
    (-0.2, 0.05): ("undecided", "", (A, O, O, O, F, O, O)),
    (-0.08, -0.02): ("equivalent", "-", (A, A, F, F, F, A, A)),
    (-0.2, -0.05): ("undecided", "-", (A, O, O, O, F, O, A)),
    (-0.4, -0.2): ("worse", "-", (A, F, A, A, F, F, A)),
}


@pytest.mark.parametrize("interval", INTERVALS)
def test_labels_and_regions(interval):
    label, way, positions = INTERVALS[interval]
    assert label_of(*interval, 0.1) == label
    assert sign(*interval) == way
    assert tuple(position_of(*interval, 0.1, region) for region in REGIONS) == positions


def test_a_measure_has_no_margin():
    assert [label_of(*i, 0.0) for i in [(0.1, 0.2), (-0.2, -0.1), (-0.1, 0.1)]] == [
        "better", "worse", "undecided"]


def test_rule_is_frozen_documented_and_settable():
    rule = Rule(**{"alpha": 0.1, "test_errors": 5})
    assert (rule.alpha, rule.test_errors, rule.ratio_margin) == (0.1, 5, 1.10)
    with pytest.raises(dataclasses.FrozenInstanceError):
        rule.alpha = 0.2
    table = rule.table()
    assert list(table["name"]) == [field.name for field in dataclasses.fields(Rule)]
    assert table["says"].str.len().min() > 10
    assert table.set_index("name")["value"]["test_errors"] == 5


def test_the_section_of_params_sets_the_chance_of_a_miss_and_the_margin():
    found = rule(Verdicts(confidence=0.9, margin=0.2))
    assert (found.alpha, found.ratio_margin) == (0.1, 1.2)
    assert dataclasses.replace(found, alpha=0.05, ratio_margin=1.1) == Rule() == rule(Verdicts())
