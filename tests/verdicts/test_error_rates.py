"""The rule's own error rates, where the truth is known."""

import math

import numpy as np
import pandas as pd
import pytest
from tests.verdicts.made_runs import RULE, arm, measured, together

from pipeline.spec.params import parse
from pipeline.verdicts.__main__ import metrics
from pipeline.verdicts.cells import comparisons
from pipeline.verdicts.error_rates import (
    arms, blind_sets, data_sets, decisive, draw_errors, label_counts, measuring, simulated)
from pipeline.verdicts.sweeps import doses


def test_half_data_arms_tell_blind_sets():
    runs = together(arm("old", "a"), arm("half", "a", 1.3), arm("old", "b"), arm("half", "b"),
                    arm("old", "c", 9.5), arm("half", "c", 20), arm("again", "a"),
                    arm("again", "b", 0.7))
    table = arms({"A/A": {"again": "old"}, "half the data": {"half": "old"}}, measured(runs), RULE)
    assert list(table["kind"]) == ["A/A"] * 2 + ["half the data"] * 3
    assert list(table["m"]) == [2, 2, 3, 3, 3]
    assert decisive(table) == 0.5
    # c is worse, but its control is near the trivial predictor.
    assert blind_sets(table) == {"b", "c"}
    assert data_sets(table).to_dict("list") == {"data": ["a", "b", "c"], "blind": [False, True, True]}
    assert label_counts(table).to_dict("list") == {
        "kind": ["A/A", "half the data"], "comparisons": [2, 2], "decisive": [1, 1]}
    empty = arms({"A/A": {}}, measured(runs), RULE)
    assert blind_sets(empty) == frozenset() and math.isnan(decisive(empty))
    assert list(data_sets(empty).columns) == ["data", "blind"] and data_sets(empty).empty
    assert list(label_counts(empty).columns) == ["kind", "comparisons", "decisive"]


def test_one_blind_network_makes_a_data_set_blind():
    runs = together(arm("old", "a"), arm("half", "a", 1.3), arm("other", "a"), arm("fewer", "a"))
    table = arms({"half the data": {"half": "old", "fewer": "other"}}, measured(runs), RULE)
    assert data_sets(table).to_dict("list") == {"data": ["a"], "blind": [True]}


def test_measuring_variants_meet_their_control_and_are_no_part_of_its_sweep():
    parts = [arm("net", "a", variant=v) for v in ("size=8", "size=8,repetition=1")]
    runs = together(*parts, arm("net", "a", 1.4, variant="size=8,train_fraction=0.5"), arm("old", "a"))
    pairs = {"A/A": {"net[size=8,repetition=1]": "net[size=8]"},
             "half the data": {"net[size=8,train_fraction=0.5]": "net[size=8]"}}
    known = measured(runs, sweeps={"net": {"size=8": {"size": 8}}, "old": {"": {}}})
    table = arms(pairs, known, RULE)
    assert table[["kind", "control", "label"]].values.tolist() == [
        ["A/A", "net[size=8]", "equivalent"], ["half the data", "net[size=8]", "worse"]]
    assert list(comparisons({"net": "old"}, known, RULE)["treatment"]) == ["net[size=8]"]
    assert list(doses(known, RULE)["dose"]) == [8.0]


def test_the_arms_that_measure_the_rule_are_those_of_the_controls():
    params = parse(dict(
        data={"d": {"group": "g", "source": "noise", "seeds": 3}}, layers={},
        experiments={"old": {"data": "d", "layers": ["Dense"]}},
        train={"epochs": 1, "batch_size": 1, "optimizer": "Adam", "learning_rates": [0.1]},
        verdicts={"controls": ["old"]}))
    assert measuring(params) == {
        "A/A": {"old[repetition=1]": "old"}, "half the data": {"old[train_fraction=0.5]": "old"}}


def test_simulated_error_rates():
    table = simulated(RULE, 1, studies=400)
    assert table.groupby(["scenario", "unit"])["share"].sum().to_numpy() == pytest.approx(1)
    wrong = table[table["wrong"]].groupby(["scenario", "unit"])["share"].sum()
    assert wrong.max() < 0.05
    share = table[table["unit"] == "claim"].set_index(["scenario", "outcome"])["share"]
    assert share["no effect", "contradicted"] > 0.9
    assert share["an effect at the margin", "undecided"] > 0.95
    assert share["a real effect", "supported"] > 0.95
    assert share["opposite effects", "mixed"] > 0.95
    missed = table[table["outcome"] == "missed"]["share"]
    assert missed.between(0.004, 0.025).all()  # 0.05 shared by four cells


def test_simulation_depends_on_the_seed_alone():
    first, again, other = (simulated(RULE, s, studies=50) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_draws_depend_on_the_seed_alone():
    draw = [draw_errors([0.2], 5, 10, np.random.default_rng(s)) for s in (1, 1, 2)]
    np.testing.assert_array_equal(draw[0], draw[1])
    assert not np.array_equal(draw[0], draw[2])


def test_drawn_errors_have_the_stated_effects():
    control, treatment = draw_errors([0.0, 0.3], 200, 500, np.random.default_rng(0))
    assert control.shape == (200, 2, 500)
    ratio = np.log(control.mean((0, 2)) / treatment.mean((0, 2)))
    assert ratio == pytest.approx([0, 0.3], abs=0.003)


def test_the_metrics_count_verdicts_and_decisive_labels_of_equal_networks():
    table = pd.DataFrame({"verdict": ["mixed", "true", "mixed"], "fragile": [True, False, True]})
    same = pd.DataFrame({"kind": ["A/A"] * 5 + ["half the data"], "position": [""] * 4 + [
        "uninformative", ""], "label": ["better", "equivalent", "undecided", "equivalent", "worse",
                                        "worse"]})
    assert metrics(table, same) == {
        "claims": {"supported": 0, "contradicted": 0, "mixed": 2, "undecided": 0, "true": 1,
                   "false": 0}, "fragile": 2, "decisive": 0.25}
    assert metrics(table, same[5:])["decisive"] is None
