import math

import pytest

from pipeline.verdicts.rule import Rule, margin, rule
from pipeline.config.schema import Verdicts


def test_margins_by_hand():
    assert [margin(kind, Rule()) for kind in (
        "ratio", "epochs", "divergence", "recall", "calibration", "measure")] == pytest.approx(
        [0.0953102, 0.2231436, 0.1, 0.1, 0.02, 0.0], abs=1e-7)
    with pytest.raises(ValueError, match="Received: 'size'"):
        margin("size", Rule())


def test_levels_by_hand():
    assert Rule().tail == pytest.approx(0.025)
    assert Rule().proven_tail(20) == pytest.approx(0.00125)


def test_a_person_sets_confidence_and_margin():
    found = rule(Verdicts(confidence=0.9, margin=0.2))
    assert (found.confidence, found.ratio_margin) == (0.9, 1.2)
    assert margin("ratio", found) == pytest.approx(math.log(1.2))


@pytest.mark.parametrize("name,value", [("confidence", 1.0), ("least_units", 2), ("power", "much"),
                                        ("q_level", True), ("ratio_margin", math.nan)])
def test_a_constant_outside_its_range_is_named(name, value):
    with pytest.raises(ValueError, match=f"verdicts.{name}: found"):
        Rule(**{name: value})


def test_the_table_says_every_constant():
    table = Rule().table()
    assert table["name"].is_unique and (table["says"].str.len() > 20).all()
    assert dict(zip(table["name"], table["value"], strict=True))["least_units"] == 8
