import numpy as np
import pytest

from pipeline.verdicts.claims import verdict
from pipeline.verdicts.robustness import fragile, robustness
from pipeline.verdicts.rule import Rule

RULE, DELTA = Rule(), 0.1


def again(units, region="better", quantifier="generally", delta=DELTA, **options):
    found = robustness(region, quantifier, units, delta, RULE, family=len(units) >= 8, **options)
    return dict(zip(found["change"], found["verdict"], strict=True)), found


def test_what_all_units_show_is_robust(table):
    changes, found = again(table(0.3 + 0.01 * np.arange(10)))
    assert len(changes) == 14 and changes["without marked sets"] == ""
    assert set(changes.values()) == {"supported", ""}
    assert not fragile("supported", found)


def test_what_one_unit_carries_is_fragile(table):
    y = [0.001, 0.002, 0.06, 0.02, 0.03, 0.05, 0.02, 0.01, -0.019]
    assert verdict("better", "generally", table(y), DELTA, RULE, family=True).verdict == "supported"
    changes, found = again(table(y), marked=["set2"])
    assert changes["without set8"] == "supported"
    assert changes["without marked sets"] == changes["without set2"] == "no effect that matters"
    assert fragile("supported", found)
    assert not fragile("undecided", found)


def test_margins_of_another_size(table):
    # 0.04 ± 0.029, inside ±0.1 and ±0.15, and not inside ±0.0667; then 0.03 ± 0.029, inside them all.
    for shift, narrower in ((0.0, "undecided"), (-0.01, "supported")):
        quiet = table(np.tile([-0.02, 0.10], 10) + shift)
        changes, _ = again(quiet, "equivalent")
        assert (changes["wider margin"], changes["narrower margin"]) == ("supported", narrower)
    changes, _ = again(quiet, delta=0.0)
    assert changes["narrower margin"] == changes["wider margin"] == ""


def test_signed_ranks_resist_one_wild_unit(table):
    wild = table(np.r_[np.linspace(0.02, 0.06, 11), 5.0])
    assert verdict("better", "generally", wild, DELTA, RULE, family=True).verdict == "undecided"
    changes, _ = again(wild)
    assert changes["signed-rank test"] == changes["without set11"] == "supported"


def test_other_tables_and_too_few_units(table):
    units = table(0.3 + np.arange(8) / 100)
    changes, _ = again(units, others={"other endpoint": units.assign(y=-units["y"])})
    assert changes["other endpoint"] == "contradicted"
    assert changes["without set7"] == "supported"
    # Eight units less one are still judged by the spread between them: their own noise is tiny.
    changes, _ = again(table(np.r_[np.tile([-0.2, 0.4], 3), 0.5, 0.5]))
    assert set(changes.values()) == {"undecided", ""}
    changes, _ = again(table([0.3, 0.0, 0.0]), quantifier="some")
    assert changes["without set0"] == "contradicted" and changes["signed-rank test"] == ""


def test_a_stratum_left_with_one_unit_decides_nothing(table):
    units = table(0.3 + np.arange(10) / 100, strata=["a"] * 8 + ["b"] * 2)
    changes, found = again(units)
    assert changes["without set9"] == "undecided" and changes["without set0"] == "supported"
    assert fragile("supported", found)


def test_a_mistake_is_not_taken_for_too_few_units(table):
    with pytest.raises(ValueError, match="region must be one of"):
        again(table([0.1] * 9), "bigger")
