"""Cells, guards, verdicts and words on small synthetic tables, checked by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from pipeline.book.words import sentence
from pipeline.spec.base import ConfigError
from pipeline.spec.claims import Claim, read_claims
from pipeline.spec.metrics import metric_of
from pipeline.spec.tables import CELL_COLUMNS, TRIVIAL
from pipeline.verdicts import cells as cells_module, error_rates
from pipeline.verdicts.__main__ import metrics
from pipeline.verdicts.arms import derive
from pipeline.verdicts.cells import comparisons
from pipeline.verdicts.decide import CHANGES, decide, needed, robustness, verdicts
from pipeline.verdicts.effects import detectable
from pipeline.verdicts.error_rates import blind_sets, decisive, simulated
from pipeline.verdicts.rule import Rule
from pipeline.verdicts.shares import share_interval

RULE = Rule()


# A factory of tables

def arm(experiment, data, level=1.0, *, seeds=30, variant="", noise=0.05, diverged=0,
        trivial=10.0, task="regression", test_size=1000, rate=0.01, chosen=True, default=True,
        last=None, **columns):
    """Runs of one arm on one data set; seeds share a part of their error."""
    text = f"{experiment}{variant}{data}{rate}"
    own = np.random.default_rng(sum(map(ord, text)) * 977 + len(text))
    shared = np.random.default_rng(sum(map(ord, data))).normal(0, 0.2, 500)[:seeds]
    error = level * np.exp(shared + own.normal(0, noise, seeds))
    later = error if last is None else error * last / level
    classes = task == "classes"
    table = pd.DataFrame({
        "experiment": experiment, "variant": variant, "data": data, "seed": range(seeds),
        "purpose": "study", "learning_rate": rate, "chosen": chosen, "default": default,
        "diverged": np.arange(seeds) < diverged, "parameters": 100,
        "best_error": error, "best_loss": 2 * error if classes else error,
        "last_error": later, "last_loss": 2 * later if classes else later,
        "best_calibration_error": 0.1 + 0.02 * own.normal(size=seeds) if classes else np.nan,
        "best_minority_recall": 0.5 + 0.02 * own.normal(size=seeds) if classes else np.nan,
        "best_validation_loss": error, "trivial_error": trivial, "trivial_loss": 2 * trivial
        if classes else trivial, "test_size": test_size})
    table.loc[table["diverged"], ["best_error", "best_loss", "last_error", "last_loss"]] = np.nan
    return table.assign(**columns)


def together(*arms):
    return pd.concat(arms, ignore_index=True)


def claim(region="better", quantifier="generally", treatment="new", control="old", **extra):
    content = {"slug": "a_claim", "rows": ["A1"], "who": "Q", "says": "It helps.", "topic": "test",
               "predicts": {"by": "ours", "region": region, "quantifier": quantifier}}
    if not {"contrasts", "baseline", "checks"} & set(extra):
        extra["contrasts"] = [{"treatment": treatment, "control": control}]
    return Claim(**(content | extra))


def one(claims, runs, curves=None, **options):
    table = cells_module.cells([claims], runs, curves, RULE, **options)
    assert len(table) == 1
    return table.iloc[0]


def curves(experiment, data, losses, rate=0.01):
    """Curves from validation losses `(seeds, epochs)`."""
    return pd.DataFrame([
        (experiment, "", data, seed, rate, epoch + 1, loss, loss)
        for seed, row in enumerate(losses) for epoch, loss in enumerate(row)],
        columns=["experiment", "variant", "data", "seed", "learning_rate", "epoch", "train_loss",
                 "validation_loss"])


# Cells

def test_a_cell_by_independent_computation():
    runs = together(arm("old", "a"), arm("new", "a", 0.8), arm("old", "b"), arm("new", "b"))
    table = cells_module.cells([claim()], runs, None, RULE)
    assert list(table["data"]) == ["a", "b"] and list(table["m"]) == [2, 2]
    row = table.iloc[0]
    c, t = (runs[(runs["experiment"] == e) & (runs["data"] == "a")]["best_error"].to_numpy()
            for e in ("old", "new"))
    bounds = scipy_stats.ttest_1samp(c / c.mean() - t / t.mean(), 0).confidence_interval(0.975)
    theta = np.log(c.mean() / t.mean())
    assert (row["low"], row["effect"], row["high"]) == pytest.approx(
        (theta + bounds.low, theta, theta + bounds.high))
    assert (row["label"], row["position"], row["sign"], row["seeds"]) == ("better", "for", "+", 30)
    assert row["margin"] == pytest.approx(math.log(1.1))
    assert (row["control_mean"], row["treatment_mean"]) == pytest.approx((c.mean(), t.mean()))
    assert row["detectable"] == pytest.approx(detectable(
        (c / c.mean() - t / t.mean()).std(ddof=1), 30, math.log(1.1), RULE, m=2))


def test_swapping_the_arms_flips_effect_and_label():
    runs = together(arm("old", "a"), arm("new", "a", 0.8))
    forth = one(claim(), runs)
    back = one(claim(treatment="old", control="new"), runs)
    assert (back["effect"], back["low"], back["high"]) == pytest.approx(
        (-forth["effect"], -forth["high"], -forth["low"]))
    assert (forth["label"], back["label"]) == ("better", "worse")
    assert (forth["position"], back["position"]) == ("for", "against")


def test_tuning_runs_do_not_count():
    study = together(arm("old", "a"), arm("new", "a", 0.8))
    tuning = study.assign(purpose="tuning", best_error=99.0)
    pd.testing.assert_frame_equal(cells_module.cells([claim()], study, None, RULE),
                                  cells_module.cells([claim()], together(tuning, study), None, RULE))


def test_the_learning_rate_is_chosen_or_the_default():
    runs = together(arm("old", "a"), arm("new", "a", 0.8, rate=0.1, default=False),
                    arm("new", "a", 1.0, rate=0.01, chosen=False))
    assert one(claim(), runs)["label"] == "better"
    assert one(claim(), runs, rate="default")["label"] == "equivalent"
    fixed = runs[~((runs["experiment"] == "new") & runs["default"])]
    assert one(claim(), fixed, rate="default")["label"] == "better"


def test_the_other_endpoint():
    runs = together(arm("old", "a"), arm("new", "a", 0.8, last=1.3))
    assert one(claim(), runs)["label"] == "better"
    other = one(claim(), runs, endpoint="other")
    assert (other["label"], other["endpoint"]) == ("worse", "last")


def test_margin_factor_scales_every_margin():
    runs = together(arm("old", "a"), arm("new", "a", 0.82))
    rows = [one(claim(), runs, margin_factor=f) for f in (0.5, 1, 2)]
    assert [row["label"] for row in rows] == ["better", "better", "undecided"]
    assert [row["margin"] / math.log(1.1) for row in rows] == pytest.approx([0.5, 1, 2])


def test_error_rates_have_an_absolute_margin_too():
    runs = together(arm("old", "a", 0.02, task="classes", trivial=0.5),
                    arm("new", "a", 0.02, task="classes", trivial=0.5))
    row = one(claim(), runs)
    assert row["margin"] == pytest.approx(math.log(1 + 0.005 / row["control_mean"]))
    assert one(claim(metric="loss"), runs)["margin"] == pytest.approx(math.log(1.1))


def test_calibration_and_recall_are_paired_differences_towards_better():
    runs = together(arm("old", "a", 0.1, task="classes", trivial=0.5),
                    arm("new", "a", 0.1, task="classes", trivial=0.5))
    new = runs["experiment"] == "new"
    runs.loc[new, "best_calibration_error"] -= 0.06
    runs.loc[new, "best_minority_recall"] -= 0.2
    calibration = one(claim(metric="calibration_error"), runs)
    recall = one(claim(metric="minority_recall"), runs)
    old = runs[~new].reset_index()
    bounds = scipy_stats.ttest_rel(
        old["best_calibration_error"],
        runs[new]["best_calibration_error"]).confidence_interval(0.95)
    assert (calibration["low"], calibration["high"]) == pytest.approx((bounds.low, bounds.high))
    assert (calibration["label"], calibration["margin"]) == ("better", 0.02)
    assert (recall["label"], recall["margin"]) == ("worse", 0.10)
    assert recall["effect"] == pytest.approx(-0.2, abs=0.02)


def test_divergence_has_an_exact_interval_and_no_guard():
    runs = together(arm("old", "a", diverged=20), arm("new", "a"))
    row = one(claim(metric="divergence"), runs)
    expected = share_interval(np.arange(30) < 20, np.zeros(30, bool), 0.025)
    assert (row["effect"], row["low"], row["high"]) == (
        expected.effect, expected.low, expected.high)
    assert (row["label"], row["position"]) == ("better", "for")
    assert row["endpoint"] == ""
    none = one(claim(metric="divergence"), together(arm("old", "a"), arm("new", "a")))
    assert (none["effect"], none["label"]) == (0, "undecided")
    many = together(arm("old", "a", seeds=60), arm("new", "a", seeds=60))
    assert one(claim(metric="divergence"), many)["label"] == "equivalent"


def test_parameters_are_exact():
    runs = together(arm("old", "a"), arm("new", "a", parameters=90))
    row = one(claim(metric="parameters"), runs)
    assert row["low"] == row["effect"] == row["high"] == pytest.approx(math.log(100 / 90))
    assert row["position"] == "for"
    same = one(claim(metric="parameters"), together(arm("old", "a"), arm("new", "a")))
    assert (same["effect"], same["position"]) == (0, "against")


def test_a_measure_is_a_difference_without_margin():
    rng = np.random.default_rng(0)
    runs = together(arm("old", "a", zero_share=rng.normal(0.5, 0.02, 30)),
                    arm("new", "a", zero_share=rng.normal(0.3, 0.02, 30)))
    row = one(claim("worse", metric="zero_share"), runs)
    assert (row["margin"], row["label"], row["position"]) == (0, "worse", "for")
    assert row["effect"] == pytest.approx(-0.2, abs=0.02)


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


def test_interaction():
    runs = together(arm("a", "x", 0.7), arm("b", "x"), arm("c", "x", 1.0), arm("d", "x"))
    spec = claim(contrasts=[{"treatment": "a", "control": "b",
                             "minus": {"treatment": "c", "control": "d"}}])
    row = one(spec, runs)
    a, b, c, d = (runs[runs["experiment"] == e]["best_error"].to_numpy() for e in "abcd")
    theta = math.log(b.mean() / a.mean()) - math.log(d.mean() / c.mean())
    w = b / b.mean() - a / a.mean() - d / d.mean() + c / c.mean()
    bounds = scipy_stats.ttest_1samp(w, 0).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((theta + bounds.low, theta + bounds.high))
    assert (row["minus_treatment"], row["minus_control"]) == ("c", "d")
    assert row["position"] == "for"


def test_an_interaction_of_error_rates_has_the_wider_of_its_margins():
    runs = together(*(arm(name, "x", level, task="classes", trivial=0.5) for name, level in
                      (("a", 0.1), ("b", 0.1), ("c", 0.02), ("d", 0.02))))
    spec = claim(contrasts=[{"treatment": "a", "control": "b",
                             "minus": {"treatment": "c", "control": "d"}}])
    mean = runs[runs["experiment"] == "d"]["best_error"].mean()
    assert one(spec, runs)["margin"] == pytest.approx(math.log(1 + 0.005 / mean))


# Epochs to target

def falling(start, seeds=30, epochs=40, floor=1.0):
    """Validation losses that reach `floor` after `start` epochs, later on some seeds."""
    losses = np.full((seeds, epochs), floor)
    for seed in range(seeds):
        losses[seed, :start + seed % 3] = 5.0
    return losses


def test_epochs_to_target_by_hand():
    runs = together(arm("old", "a"), arm("new", "a"))
    tables = together(curves("old", "a", falling(20)), curves("new", "a", falling(10)))
    row = one(claim(metric="epochs_to_target"), runs, tables)
    assert (row["control_mean"], row["treatment_mean"]) == (22, 12)
    assert row["effect"] == pytest.approx(math.log(22 / 12))
    assert (row["label"], row["margin"]) == ("better", math.log(1.25))


def test_the_target_is_the_controls_median_best_loss_times_a_factor():
    runs = together(arm("old", "a"), arm("new", "a"))
    near, far = (together(curves("old", "a", falling(20, floor=1.0)),
                          curves("new", "a", falling(10, floor=floor))) for floor in (1.09, 1.11))
    assert one(claim(metric="epochs_to_target"), runs, near)["treatment_mean"] == 12
    for table in (near, far):  # a few bad controls do not move the median
        table.loc[(table["experiment"] == "old") & (table["seed"] < 5), "validation_loss"] *= 9
    assert one(claim(metric="epochs_to_target"), runs, near)["treatment_mean"] == 12
    row = one(claim(metric="epochs_to_target"), runs, far)
    assert row["treatment_mean"] == 40  # the budget
    assert row["position"] == "open" and "never reached" in row["why"]


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


def test_a_diverged_seed_never_reaches_the_target():
    losses = falling(10)
    losses[0, 15:] = np.nan
    runs = together(arm("old", "a"), arm("new", "a", diverged=1))
    tables = together(curves("old", "a", falling(20)), curves("new", "a", losses))
    row = one(claim(metric="epochs_to_target"), runs, tables)
    assert row["treatment_mean"] == pytest.approx((12 * 30 - 11 + 40) / 30)


def test_constant_epochs_are_open_and_identical_runs_an_error():
    runs = together(arm("old", "a"), arm("new", "a"))
    steady = np.r_[np.full(10, 5.0), np.ones(10)] * np.ones((30, 1))
    tables = together(curves("old", "a", steady), curves("new", "a", steady))
    row = one(claim(metric="epochs_to_target"), runs, tables)
    assert row["position"] == "open" and "same on every seed" in row["why"]
    runs = together(arm("old", "a"), arm("old", "a").assign(experiment="new"))
    with pytest.raises(ValueError, match="new vs old on a: epochs_to_target does not vary"):
        one(claim(metric="epochs_to_target"), runs, tables)


def test_missing_curves_are_named():
    runs = together(arm("old", "a"), arm("new", "a"))
    with pytest.raises(ValueError, match="old on a: no curves"):
        one(claim(metric="epochs_to_target"), runs, curves("new", "a", falling(10)))
    short = together(curves("old", "a", falling(10, seeds=29)), curves("new", "a", falling(10)))
    with pytest.raises(ValueError, match="old on a: no curves for the seeds 29"):
        one(claim(metric="epochs_to_target"), runs, short)


# Guards

def test_a_diverged_seed_scores_the_trivial_predictor():
    runs = together(arm("old", "a"), arm("new", "a", 0.8, diverged=2, trivial=3.0))
    row = one(claim(), runs)
    kept = runs[(runs["experiment"] == "new") & ~runs["diverged"]]["best_error"]
    assert row["treatment_mean"] == pytest.approx((kept.sum() + 2 * 3.0) / 30)
    assert row["diverged_treatment"] == pytest.approx(2 / 30)


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
    assert "no effect can be computed" in sentence(row)


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


def test_half_data_arms_tell_blind_sets():
    runs = together(arm("old", "a"), arm("half", "a", 1.3), arm("old", "b"), arm("half", "b"),
                    arm("old", "c", 9.5), arm("half", "c", 20), arm("again", "a"),
                    arm("again", "b", 0.7))
    table = error_rates.arms({"again": "old"}, {"half": "old"}, runs, RULE)
    assert list(table["kind"]) == ["A/A"] * 2 + ["half the data"] * 3
    assert list(table["m"]) == [2, 2, 3, 3, 3]
    assert decisive(table) == 0.5
    # c is worse, but its control is near the trivial predictor.
    assert blind_sets(table) == {"b", "c"}
    empty = error_rates.arms({}, {}, runs, RULE)
    assert blind_sets(empty) == frozenset() and math.isnan(decisive(empty))


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


def test_missing_seeds_are_named():
    runs = together(arm("old", "a"), arm("new", "a"))
    runs = runs.drop(runs[(runs["experiment"] == "new") & runs["seed"].isin([4, 7])].index)
    with pytest.raises(ValueError, match="new on a lacks the seeds 4, 7"):
        one(claim(), runs)


def test_doubled_and_undefined_runs_are_named():
    runs = together(arm("old", "a"), arm("new", "a"))
    with pytest.raises(ValueError, match="new on a: more than one chosen run"):
        one(claim(), together(runs, runs[runs["experiment"] == "new"]))
    runs.loc[35, "best_error"] = np.nan
    with pytest.raises(ValueError, match="error is not finite for the seeds 5"):
        one(claim(), runs)
    with pytest.raises(ValueError, match="found 1 seed"):
        one(claim(), together(arm("old", "a", seeds=1), arm("new", "a", seeds=1)))


# The trivial predictor

def test_baseline_is_a_one_sided_paired_difference():
    trivial = np.random.default_rng(1).normal(0.33, 0.01, 30)
    runs = arm("net", "noise", 0.33, noise=0.02, trivial_error=trivial)
    runs["best_error"] = trivial + np.random.default_rng(2).normal(0.02, 0.01, 30)
    row = one(claim("not_better", baseline=["net"], data=["noise"]), runs)
    gain = trivial - runs["best_error"].to_numpy()
    t = scipy_stats.t.ppf(0.95, 29) * gain.std(ddof=1) / math.sqrt(30)
    assert (row["low"], row["high"]) == pytest.approx((gain.mean() - t, gain.mean() + t))
    assert (row["control"], row["margin"], row["position"]) == ("trivial predictor", 0, "for")
    runs["best_error"] = trivial - 0.02 + 0.001 * np.arange(30) / 30
    assert one(claim("not_better", baseline=["net"]), runs)["position"] == "against"
    words = sentence(row)
    assert "higher test error than the trivial predictor (95 % one-sided bounds" in words


def test_baseline_shares_alpha_among_its_experiments():
    runs = together(arm("a", "noise", 1.0), arm("b", "noise", 1.1)).assign(trivial_error=0.9)
    table = cells_module.cells([claim("not_better", baseline=["a", "b"])], runs, None, RULE)
    assert list(table["m"]) == [2, 2]
    gain = 0.9 - runs[runs["experiment"] == "a"]["best_error"].to_numpy()
    t = scipy_stats.t.ppf(1 - 0.05 / 2, 29) * gain.std(ddof=1) / math.sqrt(30)
    assert table["high"][0] - table["effect"][0] == pytest.approx(t)


# Names

def sweep():
    return together(arm("old", "a"), arm("new", "a", 0.8, variant="batch_size=8"),
                    arm("new", "a", 1.2, variant="batch_size=32"))


def test_variants_and_a_control_without_them():
    found = one(claim(treatment="new[batch_size=8]", control="old[batch_size=8]"), sweep())
    assert (found["treatment"], found["control"]) == ("new[batch_size=8]", "old")


@pytest.mark.parametrize("treatment, control, message", [
    ("new", "old", r"contrasts\[0\]: found 'new'; allowed: new\[batch_size=8\], "),
    ("old[batch_size=8]", "new[batch_size=8]", r"found 'old\[batch_size=8\]'; allowed: old"),
    ("old", "new[batch_size=9]", r"did you mean 'new\[batch_size=8\]'"),
    ("nwe", "old", "there is no experiment 'nwe'; allowed: old, new.*did you mean 'new'"),
])
def test_unknown_arms_are_refused(treatment, control, message):
    with pytest.raises(ConfigError, match=message):
        one(claim(treatment=treatment, control=control), sweep())


def test_data_sets_default_to_the_shared_ones():
    runs = together(arm("old", "a"), arm("old", "b"), arm("new", "b", 0.8), arm("new", "c"))
    assert one(claim(), runs)["data"] == "b"
    with pytest.raises(ConfigError, match="a_claim.data: found 'a', .*allowed: b"):
        one(claim(data=["a"]), runs)
    with pytest.raises(ConfigError, match="share no data set"):
        one(claim(), runs[~((runs["experiment"] == "new") & (runs["data"] == "b"))])


def test_m_counts_declared_cells_even_if_one_drops_out():
    runs = together(arm("old", "a"), arm("new", "a", 0.8), arm("old", "b", 9.9), arm("new", "b"))
    table = cells_module.cells([claim()], runs, None, RULE)
    assert list(table["position"]) == ["for", "uninformative"]
    assert list(table["m"]) == [2, 2]
    row = verdicts([claim()], table).iloc[0]
    assert (row["verdict"], row["D"], row["F"], row["k"]) == ("supported", 1, 1, 1)
    assert (row["scope"], row["reads"]) == ("a", "supported on a")


def test_unknown_metrics_are_refused():
    runs = together(arm("old", "a"), arm("new", "a"))
    with pytest.raises(ConfigError, match="metric: found 'eror'; .*did you mean 'error'"):
        one(claim(metric="eror"), runs)


# Verdicts

def by_hand(d, f, a, quantifier):
    """The table of quantifiers, written out once more."""
    if d == 0:
        return "undecided"
    if quantifier == "some":
        return "supported" if f else "contradicted" if a == d else "undecided"
    if quantifier == "always":
        return "contradicted" if a else "supported" if f == d else "undecided"
    k = {1: 1, 2: 2, 3: 2, 4: 2, 5: 3, 6: 3, 7: 4, 8: 4}[d]
    if f and a:
        return "mixed"
    return "supported" if f >= k else "contradicted" if a >= k else "undecided"


@pytest.mark.parametrize("quantifier", ["generally", "some", "always"])
def test_every_count_has_its_verdict(quantifier):
    for d in range(9):
        for f in range(d + 1):
            for a in range(d + 1 - f):
                assert decide(d, f, a, quantifier) == by_hand(d, f, a, quantifier), (
                    d, f, a)


@pytest.mark.parametrize("d, f, a, quantifier, verdict", [
    (3, 2, 0, "generally", "supported"), (3, 1, 0, "generally", "undecided"),
    (3, 2, 1, "generally", "mixed"), (3, 0, 2, "generally", "contradicted"),
    (1, 1, 0, "generally", "supported"), (5, 2, 0, "generally", "undecided"),
    (3, 1, 2, "some", "supported"), (3, 0, 2, "some", "undecided"),
    (3, 0, 3, "some", "contradicted"), (3, 3, 0, "always", "supported"),
    (3, 2, 0, "always", "undecided"), (3, 2, 1, "always", "contradicted"),
    (0, 0, 0, "some", "undecided"), (0, 0, 0, "always", "undecided"),
])
def test_verdicts_by_hand(d, f, a, quantifier, verdict):
    assert decide(d, f, a, quantifier) == verdict


def test_needed_cells():
    assert [needed(d) for d in range(9)] == [0, 1, 2, 2, 2, 3, 3, 4, 4]


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="F=2"):
        decide(2, 2, 1, "some")
    with pytest.raises(ValueError, match="Received: 'mostly'"):
        decide(2, 1, 1, "mostly")


def decided(spec, *levels, **options):
    runs = together(*(arm(name, f"d{i}", level) for i, new in enumerate(levels)
                      for name, level in (("old", 1.0), ("new", new))))
    table = cells_module.cells([spec], runs, None, RULE, **options)
    return verdicts([spec], table).iloc[0]


@pytest.mark.parametrize("region, levels, verdict, way", [
    ("better", (0.7, 0.7), "supported", ""),
    ("better", (1.4, 1.4), "contradicted", "the opposite effect"),
    ("better", (1.0, 1.0), "contradicted", "no effect of that size"),
    ("better", (1.4, 1.0), "contradicted", "no effect of that size"),
    ("better", (0.7, 1.4), "mixed", ""),
    ("worse", (0.7, 0.7), "contradicted", "the opposite effect"),
    ("worse", (1.0, 1.0), "contradicted", "no effect of that size"),
    ("equivalent", (1.0, 1.0), "supported", ""),
    ("equivalent", (0.7, 1.4), "contradicted", "a difference"),
    ("differs", (0.7, 1.4), "supported", ""),
    ("differs", (1.0, 1.0), "contradicted", "no effect of that size"),
    ("not_worse", (1.0, 0.7), "supported", ""),
    ("not_worse", (1.4, 1.4), "contradicted", "the opposite effect"),
    ("not_better", (0.7, 0.7), "contradicted", "the opposite effect"),
    ("positive", (0.93, 0.93), "supported", ""),
    ("positive", (1.4, 1.4), "contradicted", "the opposite effect"),
])
def test_regions_end_in_verdicts(region, levels, verdict, way):
    row = decided(claim(region), *levels)
    assert (row["verdict"], row["way"]) == (verdict, way)
    assert (row["D"], row["k"], row["scope"]) == (2, 2, "d0, d1")


def test_an_analogue_is_replicated_or_not():
    spec = claim(analogue=True)
    assert decided(spec, 0.7, 0.7)["reads"] == "replicated in our analogue"
    assert decided(spec, 1.4, 1.4)["reads"] == "not replicated in our analogue"
    assert decided(spec, 0.7, 1.4)["reads"] == "mixed"


def test_identities_are_true_or_false():
    spec = claim(checks=["formula", "inference"])
    empty = cells_module.cells([spec], together(arm("old", "a")), None, RULE)
    assert empty.empty and list(empty.columns) == CELL_COLUMNS
    for values, verdict in [((True, True), "true"), ((True, False), "false")]:
        checks = dict(zip(("formula", "inference"), values, strict=True))
        assert verdicts([spec], empty, checks=checks)["verdict"].item() == verdict
    with pytest.raises(ConfigError, match="checks.1.: found 'inference'.*did you mean 'inferenc'"):
        verdicts([spec], empty, checks={"formula": True, "inferenc": True})


# Robustness

def test_robustness_and_fragile():
    runs = together(
        *(arm("old", data) for data in "ab"),
        *(arm("new", data, 0.8, rate=0.1, default=False, last=1.3) for data in "ab"),
        *(arm("new", data, 1.0, chosen=False) for data in "ab"))
    spec = claim()
    table = robustness([spec], runs, None, RULE)
    assert list(table["change"]) == list(CHANGES)
    # ln(1 / 0.8) = 0.22 is near twice the margin, 0.19.
    assert list(table["verdict"])[0] == "supported"
    assert list(table["verdict"])[2:] == ["contradicted", "contradicted"]
    cells = cells_module.cells([spec], runs, None, RULE)
    row = verdicts([spec], cells, robustness=table).iloc[0]
    assert (row["verdict"], row["fragile"]) == ("supported", True)
    steady = table.assign(verdict=["supported", "undecided", "supported", "mixed"])
    assert not verdicts([spec], cells, robustness=steady)["fragile"].item()
    assert not verdicts([spec], cells)["fragile"].item()


def test_a_small_effect_turns_round_with_the_margin():
    runs = together(*(arm(name, data, level, noise=0.02) for data in "ab"
                      for name, level in (("old", 1.0), ("new", 0.93))))
    table = robustness([claim()], runs, None, RULE)
    cells = cells_module.cells([claim()], runs, None, RULE)
    row = verdicts([claim()], cells, robustness=table).iloc[0]
    assert (row["verdict"], row["way"]) == ("contradicted", "no effect of that size")
    assert table["verdict"][0] == "supported" and row["fragile"]


def test_changes_that_do_not_apply_are_empty():
    rng = np.random.default_rng(0)
    runs = together(*(arm(name, "a", zero_share=rng.normal(0.5, 0.02, 30))
                      for name in ("old", "new")))
    specs = [claim(metric="divergence", slug="one"), claim(metric="zero_share", slug="two"),
             claim(checks=["formula"], slug="three")]
    table = robustness(specs, runs, None, RULE)
    empty = table["verdict"].eq("").groupby(table["claim"]).agg(list)
    assert empty["one"] == [False, False, False, True]
    assert empty["two"] == [True, True, False, True]
    assert empty["three"] == [True] * 4


# Comparisons

def test_comparisons_share_alpha_among_their_data_sets():
    runs = together(*(arm("old", data) for data in "ab"),
                    *(arm("new", data, 0.7) for data in "ab"),
                    arm("alone", "a", 1.0, variant="units=2"),
                    arm("alone", "a", 1.4, variant="units=4"))
    table = comparisons({"new": "old", "alone": "old"}, runs, None, RULE)
    assert list(table["treatment"]) == ["new", "new", "alone[units=2]", "alone[units=4]"]
    assert list(table["m"]) == [2, 2, 1, 1]
    assert list(table["label"]) == ["better", "better", "equivalent", "worse"]
    assert set(table["claim"]) == set(table["position"]) == {""}
    blind = comparisons({"alone": "old"}, runs, None, RULE, blind={"a"})
    assert list(blind["label"]) == ["undecided", "worse"]
    assert list(blind["position"]) == ["open", ""]


def test_comparisons_agree_with_a_claim_on_the_same_cells():
    runs = together(*(arm(name, data, level) for data in "ab"
                      for name, level in (("old", 1.0), ("new", 0.9))))
    columns = ["data", "effect", "low", "high", "margin", "label", "detectable"]
    pd.testing.assert_frame_equal(
        comparisons({"new": "old"}, runs, None, RULE)[columns],
        cells_module.cells([claim()], runs, None, RULE)[columns])


def test_an_unknown_versus_is_refused():
    with pytest.raises(ConfigError, match="params.yaml: experiments.new.versus: found 'odl'"):
        comparisons({"new": "odl"}, together(arm("old", "a"), arm("new", "a")), None,
                             RULE)


# Simulated studies

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


# Words

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
    (cell(-0.02, -0.03, -0.01, control=TRIVIAL),
     "0.02 higher test error than the trivial predictor (95 % one-sided bounds 0.01 to 0.03)"),
])
def test_sentences(content, words):
    assert sentence(content) == words


def test_a_sentence_states_the_rules_confidence():
    assert "(90 % interval" in sentence(cell(0.1, 0.05, 0.2), Rule(alpha=0.1))


# Claims on disk

CLAIM = """
- slug: bn_after_lstm
  rows: [A2]
  who: Q
  says: It is sensible.
  topic: sequences
  predicts: {by: thread, region: better}
  contrasts:
    - {treatment: a, control: b, minus: {treatment: c, control: d}}
  data: [forecast]
"""


def test_claims_are_read(tmp_path):
    path = tmp_path / "claims.yaml"
    path.write_text(CLAIM)
    found, = read_claims(path)
    assert found.contrasts[0].minus.control == "d"
    assert (found.predicts.quantifier, found.endpoint, found.metric) == (
        "generally", "best", "error")
    with pytest.raises(ValueError, match="frozen"):
        found.slug = "other"


@pytest.mark.parametrize("old, new, message", [
    ("rows:", "row:", "claims.yaml: bn_after_lstm.row: unknown key; .*did you mean 'rows'"),
    ("region: better", "region: beter", r"bn_after_lstm.predicts.region: found 'beter'.*"
                                        "did you mean 'better'"),
    ("control: d", "contrl: d", r"contrasts\[0\].minus.contrl: unknown key; allowed: "
                                  "treatment, control, data; did you mean 'control'"),
    ("by: thread, ", "by: thread, sure: 1, ", "predicts.sure: unknown key; allowed: by, region"),
    ("control: b", "control: a", r"contrasts\[0\]: found 'a' twice"),
    ("treatment: a", "treatment: A b", r"found 'A b'; allowed: name, or name\[variant\]"),
    ("  data:", "  checks: [x]\n  data:", "found contrasts, checks; exactly one of"),
    ("  predicts: {by: thread, region: better}\n", "", "predicts is missing"),
    ("better}", "equivalent}\n  metric: zero_share", "cannot show it"),
    ("[forecast]", "[a, a]", "a data set may stand once"),
    (CLAIM, CLAIM + CLAIM, "the slug 'bn_after_lstm' stands twice"),
    (CLAIM, "a: b", "allowed: a list of claims"),
    (CLAIM, "- 3", "claim 1: found 3"),
])
def test_mistakes_in_claims_are_named(tmp_path, old, new, message):
    path = tmp_path / "claims.yaml"
    path.write_text(CLAIM.replace(old, new, 1) if old != CLAIM else new)
    with pytest.raises(ConfigError, match=message):
        read_claims(path)


# Derived measures, tuned arms, rates, and another data set's contrast

def test_derived_measures_by_hand():
    runs = pd.DataFrame({
        "best_loss": [0.5, 0.9], "best_train_loss": [0.2, 0.8], "best_error": [0.1, 0.45],
        "last_loss": [0.7, np.nan], "last_train_loss": [0.1, np.nan], "last_error": [0.41, np.nan],
        "trivial_error": [0.5, 0.5], "diverged": [False, True]})
    found = derive(runs, RULE)
    assert list(found["best_gap"].round(6)) == [0.3, 0.1]
    assert found["last_gap"][0] == pytest.approx(0.6)
    assert list(found["best_failure"]) == [0, 1] and list(found["last_failure"]) == [1, 1]


def test_a_tuned_arm_is_the_variant_that_tuning_prefers_on_each_data_set():
    parts = [arm("old", data) for data in "ab"]
    for variant, level in (("rate=1", 0.5), ("rate=2", 0.9)):
        for data in "ab":
            parts.append(arm("new", data, level, variant=variant))
            # In tuning, the second is preferred on b, though its test error is the higher one.
            score = level if data == "a" else 1 - level
            parts.append(arm("new", data, variant=variant, seeds=5, purpose="tuning").assign(
                best_validation_loss=score))
    runs = together(*parts)
    table = cells_module.cells([claim(treatment="new[tuned]")], runs, None, RULE)
    plain = cells_module.cells([claim(treatment="new[rate=1]"), claim(treatment="new[rate=2]")], runs,
                           None, RULE)
    assert list(table["treatment"]) == ["new[tuned]"] * 2
    assert table["effect"][0] == plain[(plain["data"] == "a")]["effect"].iloc[0]
    assert table["effect"][1] == plain[(plain["data"] == "b")]["effect"].iloc[1]


def test_a_sweep_of_rates_gives_the_largest_rate_that_works():
    def sweep(name, works):
        """Seed s works up to the rate number works[s]."""
        return [arm(name, "a", seeds=12, variant=f"learning_rate={rate}", rate=rate).assign(
            best_failure=[float(i > w) for w in works]) for i, rate in enumerate((0.1, 0.3, 1.0))]

    runs = together(*sweep("old", [0] * 11 + [-1]), *sweep("new", [2] * 6 + [1] * 6))
    row = one(claim(treatment="new[rates]", control="old[rates]", metric="largest_rate"), runs)
    # Gains: five of ln 3, one of ln 9 (the seed that never worked counts 0.1 / 3), six of ln 10.
    assert row["effect"] == pytest.approx((math.log(9) + math.log(10)) / 2)
    assert row["low"] == pytest.approx(math.log(3)) and row["high"] == pytest.approx(math.log(10))
    assert row["position"] == "for" and row["scale"] == "median"
    assert "times the control's (median; 95 % interval 3.00 to 10.00)" in sentence(row)


def test_failing_seeds_are_compared_by_an_exact_interval():
    runs = together(arm("old", "a").assign(best_failure=1.0), arm("new", "a").assign(best_failure=0.0))
    row = one(claim(metric="failure"), runs)
    assert row["effect"] == 1 and row["label"] == "better" and row["scale"] == "share"
    assert "100 points fewer seeds that fail" in sentence(row)


def test_a_contrast_less_that_on_another_data_set():
    runs = together(arm("old", "text"), arm("new", "text", 0.8), arm("bare", "waves"),
                    arm("more", "waves", 0.5))
    minus = {"treatment": "more", "control": "bare", "data": "waves"}
    row = one(claim("differs", contrasts=[
        {"treatment": "new", "control": "old", "minus": minus}]), runs)
    first, second = (one(claim(treatment=t, control=c), runs) for t, c in (
        ("new", "old"), ("more", "bare")))
    assert row["effect"] == pytest.approx(first["effect"] - second["effect"])
    assert (row["data"], row["minus_data"]) == ("text", "waves") and row["position"] == "for"
    with pytest.raises(ConfigError, match="minus.data: found 'text'; allowed: waves"):
        cells_module.cells([claim(contrasts=[{"treatment": "new", "control": "old",
                                          "minus": minus | {"data": "text"}}])], runs, None, RULE)


def test_a_claim_of_the_probe_is_decided_by_what_the_probe_measured():
    runs = together(arm("old", "a"), arm("new", "a", 0.5))
    layers = together(arm("net", "a", variant="relu_1", seeds=12), arm("net", "a", variant="dense_1", seeds=12))
    layers["zero_share"] = np.where(layers["variant"] == "relu_1", 0.5, 0.0) + layers["seed"] / 1e3 * (
        layers["variant"] == "relu_1")
    found = claim(treatment="net[relu_1]", control="net[dense_1]", metric="zero_share", probe=True)
    row = one(found, runs, probed=layers)
    assert row["effect"] == pytest.approx(0.5 + np.arange(12).mean() / 1e3)
    assert row["position"] == "for" and row["seeds"] == 12
    with pytest.raises(ConfigError, match="nothing that the probe measured is stored"):
        cells_module.cells([found], runs, None, RULE)
    # A measure that never differs is open, not a mistake.
    row = one(found, runs, probed=layers.assign(zero_share=0.0))
    assert row["position"] == "open"


def test_the_metrics_count_verdicts_and_decisive_labels_of_equal_networks():
    table = pd.DataFrame({"verdict": ["mixed", "true", "mixed"], "fragile": [True, False, True]})
    same = pd.DataFrame({"kind": ["A/A"] * 5 + ["half the data"], "position": [""] * 4 + [
        "uninformative", ""], "label": ["better", "equivalent", "undecided", "equivalent", "worse",
                                        "worse"]})
    assert metrics(table, same) == {
        "claims": {"supported": 0, "contradicted": 0, "mixed": 2, "undecided": 0, "true": 1,
                   "false": 0}, "fragile": 2, "decisive": 0.25}
    assert metrics(table, same[5:])["decisive"] is None


def test_one_function_is_a_finding_only_where_a_claim_says_so():
    old = arm("old", "a")
    runs = together(old, old.assign(experiment="new"))
    found = claim("equivalent")
    with pytest.raises(ValueError, match="the arms are one network, or it is an identity"):
        cells_module.cells([found], runs, None, RULE)
    row = one(found.model_copy(update={"identity": True}), runs)
    assert (row["effect"], row["low"], row["high"]) == (0, 0, 0)
    assert row["label"] == "equivalent" and row["position"] == "for"
    # Another network that differs on some seed is compared as ever.
    other = together(old, arm("new", "a", 0.5))
    assert one(found.model_copy(update={"identity": True}), other)["position"] == "against"
    table = comparisons({"new": "old"}, runs, None, RULE, identities={("new", "old")})
    assert table["label"].tolist() == ["equivalent"]
