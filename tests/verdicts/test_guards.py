"""What keeps a cell from showing what its interval says."""

import numpy as np
import pytest
from tests.verdicts.made_runs import RULE, arm, cells_of, claim, curves, falling, measured, one, together

from pipeline.verdicts.cells import comparisons


def test_a_measure_needs_ten_seeds():
    def table(seeds):
        rng = np.random.default_rng(0)
        return together(arm("old", "a", seeds=seeds, zero_share=rng.normal(0.5, 0.02, seeds)),
                        arm("new", "a", seeds=seeds, zero_share=rng.normal(0.3, 0.02, seeds)))
    few = one(claim("worse", metric="zero_share"), table(9))
    assert few["position"] == "open" and "it needs 10" in few["why"]
    assert one(claim("worse", metric="zero_share"), table(10))["position"] == "for"
    gap = table(10)
    gap.loc[3, "zero_share"] = np.nan
    assert one(claim("worse", metric="zero_share"), gap)["position"] == "open"


@pytest.mark.parametrize("unreached, position", [(6, "for"), (7, "open")])
def test_epochs_are_open_if_over_a_fifth_is_unreached(unreached, position):
    losses = falling(5)
    losses[:unreached] = 5.0
    runs = together(arm("old", "a"), arm("new", "a"))
    tables = together(curves("old", "a", falling(35)), curves("new", "a", losses))
    assert one(claim(metric="epochs_to_target"), runs, tables)["position"] == position


def test_epochs_of_an_arm_that_mostly_diverged_are_open():
    losses = falling(10)
    losses[:12] = np.nan
    runs = together(arm("old", "a"), arm("new", "a", diverged=12))
    tables = together(curves("old", "a", falling(20)), curves("new", "a", losses))
    row = one(claim(metric="epochs_to_target"), runs, tables)
    assert row["position"] == "open" and "never reached" in row["why"]


def test_constant_epochs_are_open_and_identical_runs_an_error():
    runs = together(arm("old", "a"), arm("new", "a"))
    steady = np.r_[np.full(10, 5.0), np.ones(10)] * np.ones((30, 1))
    tables = together(curves("old", "a", steady), curves("new", "a", steady))
    row = one(claim(metric="epochs_to_target"), runs, tables)
    assert row["position"] == "open" and "same on every seed" in row["why"]
    runs = together(arm("old", "a"), arm("old", "a").assign(experiment="new"))
    with pytest.raises(ValueError, match="new vs old on a: epochs_to_target does not vary"):
        one(claim(metric="epochs_to_target"), runs, tables)


@pytest.mark.parametrize("diverged, label", [(3, "better"), (4, "undecided")])
def test_over_a_tenth_diverged_may_not_count_as_better(diverged, label):
    old, new = arm("old", "a", 5.0, diverged=diverged), arm("new", "a", 1.0)
    row = one(claim(), together(old, new))
    assert row["label"] == label
    assert row["position"] == {"better": "for", "undecided": "open"}[label]
    assert ("diverged" in row["why"]) == (label == "undecided")


def test_over_a_tenth_diverged_may_count_as_worse():
    runs = together(arm("old", "a"), arm("new", "a", diverged=15))
    assert one(claim("worse"), runs)["position"] == "for"
    assert one(claim("better"), runs)["position"] == "against"
    assert one(claim("positive"), runs)["position"] == "against"


def test_a_diverging_second_pair_opens_an_interaction():
    runs = together(arm("a", "x", 1.0), arm("b", "x", 0.3), arm("c", "x"),
                    arm("d", "x", diverged=9))
    spec = claim("worse", contrasts=[{"treatment": "a", "control": "b",
                                      "minus": {"treatment": "c", "control": "d"}}])
    row = one(spec, runs)
    assert row["sign"] == "-" and row["position"] == "open"


def test_all_diverged_is_open_rather_than_an_error():
    runs = together(arm("old", "a", diverged=30, trivial=1.0), arm("new", "a", diverged=30,
                                                                   trivial=1.0))
    row = one(claim(), runs)
    assert (row["position"], row["effect"]) == ("uninformative", 0)


@pytest.mark.parametrize("factor, position", [(1.30, "for"), (1.20, "uninformative")])
def test_a_control_near_the_trivial_predictor_is_uninformative(factor, position):
    old = arm("old", "a")
    trivial = factor * old["best_error"].mean()  # 1 / 0.8 = 1.25
    runs = together(old, arm("new", "a", 0.5)).assign(trivial_error=trivial)
    row = one(claim(), runs)
    assert row["position"] == position and row["label"] == "better"
    assert bool(row["why"]) == (position == "uninformative")


def test_the_control_s_error_decides_for_log_loss_too():
    runs = together(arm("old", "a", 0.2, task="classes", trivial=0.21),
                    arm("new", "a", 0.1, task="classes", trivial=0.21)).assign(trivial_loss=3.0)
    assert one(claim(), runs)["position"] == "uninformative"
    assert one(claim(metric="loss"), runs)["position"] == "uninformative"


@pytest.mark.parametrize("wrong, position", [(19, "uninformative"), (20, "for")])
def test_under_twenty_test_errors_are_uninformative(wrong, position):
    old = arm("old", "a", 0.2, task="classes", trivial=0.5, test_size=100)
    new = arm("new", "a", 0.2, task="classes", trivial=0.5, test_size=100)
    new["best_error"] = 0.0
    new.loc[:wrong - 1, "best_error"] = 0.01
    assert one(claim(), together(old, new))["position"] == position


def test_arms_without_errors_are_uninformative():
    runs = together(arm("old", "a", task="classes", trivial=0.5),
                    arm("new", "a", task="classes", trivial=0.5)).assign(best_error=0.0)
    row = one(claim(), runs)
    assert row["position"] == "uninformative" and np.isnan(row["effect"])


# On a set that cannot show a difference: interval, region, position without and with it
@pytest.mark.parametrize("level, region, before, after", [
    (1.0, "equivalent", "for", "open"),
    (1.0, "not_worse", "for", "open"),
    (1.0, "not_better", "for", "open"),
    (1.0, "better", "against", "open"),
    (1.0, "differs", "against", "open"),
    (0.7, "better", "for", "for"),
    (0.7, "not_worse", "for", "for"),
    (0.7, "equivalent", "against", "against"),
    (1.4, "better", "against", "against"),
    (1.4, "worse", "for", "for"),
    (0.94, "positive", "for", "for"),
])
def test_a_blind_set_shows_no_absence(level, region, before, after):
    runs = together(arm("old", "a"), arm("new", "a", level))
    assert one(claim(region), runs)["position"] == before
    row = one(claim(region), runs, blind={"a"})
    assert row["position"] == after
    assert bool(row["why"]) == (before != after)
    assert one(claim(region), runs, blind={"b"})["position"] == before


def test_identical_arms_are_an_error():
    runs = together(arm("old", "a"), arm("old", "a").assign(experiment="new"))
    with pytest.raises(ValueError, match=r"a_claim.contrasts\[0\]: new vs old on a: error does "
                                         "not vary"):
        one(claim(), runs)
    four = together(runs, arm("c", "a"), arm("d", "a"))
    minus = claim(contrasts=[{"treatment": "c", "control": "d",
                              "minus": {"treatment": "new", "control": "old"}}])
    with pytest.raises(ValueError, match="does not vary"):
        one(minus, four)


def test_one_function_is_a_finding_only_where_a_claim_says_so():
    old = arm("old", "a")
    runs = together(old, old.assign(experiment="new"))
    found = claim("equivalent")
    with pytest.raises(ValueError, match="the arms are one network, or it is an identity"):
        cells_of([found], runs)
    row = one(found.model_copy(update={"identity": True}), runs)
    assert (row["effect"], row["low"], row["high"]) == (0, 0, 0)
    assert row["label"] == "equivalent" and row["position"] == "for"
    # Another network that differs on some seed is compared as ever.
    other = together(old, arm("new", "a", 0.5))
    assert one(found.model_copy(update={"identity": True}), other)["position"] == "against"
    table = comparisons({"new": "old"}, measured(runs), RULE, identities={("new", "old")})
    assert table["label"].tolist() == ["equivalent"]
