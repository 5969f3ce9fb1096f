import numpy as np
import pytest
from scipy import stats

from pipeline.verdicts.one_set import Effect
from pipeline.verdicts.rule import Rule
from pipeline.verdicts.units import COLUMNS, chances, counts, depends, units

RULE = Rule()


def test_sets_of_one_source_are_one_unit():
    rng = np.random.default_rng(2)
    w = {name: rng.normal(0, 1, 15) for name in "abc"}
    effects = {"a": Effect(0.1, w["a"]), "b": Effect(0.3, w["b"]), "c": Effect(0.5, w["c"])}
    strata = {"a": "forecasts", "c": "forecasts", "b": "classes"}
    found = units(effects, {"a": "load", "c": "load"}, strata)
    assert list(found.columns) == COLUMNS
    assert found["unit"].tolist() == ["load", "b"]
    assert found["sets"].tolist() == ["a, c", "b"]
    assert found["stratum"].tolist() == ["forecasts", "classes"]
    assert found["y"].tolist() == pytest.approx([0.3, 0.3])
    assert found["s"].tolist() == pytest.approx([stats.sem((w["a"] + w["c"]) / 2), stats.sem(w["b"])])
    with pytest.raises(ValueError, match="load in classes, forecasts"):
        units(effects, {"a": "load", "c": "load"}, strata | {"c": "classes"})


def test_counts_by_hand(table):
    # t(0.975, 14) = 2.145; for K = 5 a proof needs t(1 - 0.05 / 10, 14) = 2.977.
    found = counts(table([0.2, 0.12, 0.02, -0.0214, -0.0215]), 0.1, RULE)
    assert found == {"better": 2, "worse": 1, "above": 2, "below": 0,
                     "proven_above": 1, "proven_below": 0}


def test_a_proof_needs_the_chance_that_the_units_share(table):
    k, delta = 20, 0.1
    line = stats.t.isf(0.05 / (2 * k), 14) * 0.01
    for shift, proven in ((1e-6, True), (-1e-6, False)):
        y = [delta + line + shift, -delta - line - shift, *[0.0] * (k - 2)]
        assert depends(table(y), delta, RULE) == proven
    assert not depends(table([1.0] * 20), delta, RULE)


def test_chances_are_those_of_the_t_test(table):
    x = np.random.default_rng(9).normal(0.05, 0.1, (2, 15))
    found = chances(table(x.mean(1), stats.sem(x, axis=1)), 0.1)
    for name, point, side in (("above", 0.1, "greater"), ("below", 0.1, "less"),
                              ("positive", 0, "greater"), ("negative", 0, "less"),
                              ("above_minus", -0.1, "greater"), ("below_minus", -0.1, "less")):
        expected = stats.ttest_1samp(x, point, axis=1, alternative=side).pvalue
        assert found[name] == pytest.approx(expected)
