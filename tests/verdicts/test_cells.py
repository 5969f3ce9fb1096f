"""Cells of claims and comparisons, on small tables, by hand and by scipy."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from tests.verdicts.made_runs import RULE, arm, cells_of, claim, curves, falling, measured, one, together
from scipy import stats as scipy_stats

from pipeline.spec.base import ConfigError
from pipeline.spec.params import parse
from pipeline.verdicts.arms import Measured
from pipeline.verdicts.cells import compare, comparisons
from pipeline.verdicts.decide import verdicts
from pipeline.verdicts.effects import detectable
from pipeline.verdicts.shares import share_interval


def test_a_cell_by_independent_computation():
    runs = together(arm("old", "a"), arm("new", "a", 0.8), arm("old", "b"), arm("new", "b"))
    table = cells_of([claim()], runs)
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
    pd.testing.assert_frame_equal(cells_of([claim()], study),
                                  cells_of([claim()], together(tuning, study)))


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


def test_failing_seeds_are_compared_by_an_exact_interval():
    runs = together(arm("old", "a").assign(best_failure=1.0), arm("new", "a").assign(best_failure=0.0))
    row = one(claim(metric="failure"), runs)
    assert row["effect"] == 1 and row["label"] == "better" and row["scale"] == "share"


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
        cells_of([claim(contrasts=[{"treatment": "new", "control": "old",
                                          "minus": minus | {"data": "text"}}])], runs)


def test_a_claim_of_the_probe_is_decided_by_what_the_probe_measured():
    runs = together(arm("old", "a"), arm("new", "a", 0.5))
    layers = together(*(arm("net", "a", variant=layer, seeds=12) for layer in ("relu_1", "dense_1")))
    layers["zero_share"] = np.where(layers["variant"] == "relu_1", 0.5, 0.0) + layers["seed"] / 1e3 * (
        layers["variant"] == "relu_1")
    found = claim(treatment="net[relu_1]", control="net[dense_1]", metric="zero_share", probe=True)
    row = one(found, runs, probed=layers)
    assert row["effect"] == pytest.approx(0.5 + np.arange(12).mean() / 1e3)
    assert row["position"] == "for" and row["seeds"] == 12
    with pytest.raises(ConfigError, match="nothing that the probe measured is stored"):
        cells_of([found], runs)
    # A measure that never differs is open, not a mistake.
    row = one(found, runs, probed=layers.assign(zero_share=0.0))
    assert row["position"] == "open"


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


def test_baseline_shares_alpha_among_its_experiments():
    runs = together(arm("a", "noise", 1.0), arm("b", "noise", 1.1)).assign(trivial_error=0.9)
    table = cells_of([claim("not_better", baseline=["a", "b"])], runs)
    assert list(table["m"]) == [2, 2]
    gain = 0.9 - runs[runs["experiment"] == "a"]["best_error"].to_numpy()
    t = scipy_stats.t.ppf(1 - 0.05 / 2, 29) * gain.std(ddof=1) / math.sqrt(30)
    assert table["high"][0] - table["effect"][0] == pytest.approx(t)


def test_data_sets_default_to_the_shared_ones():
    runs = together(arm("old", "a"), arm("old", "b"), arm("new", "b", 0.8), arm("new", "c"))
    assert one(claim(), runs)["data"] == "b"
    with pytest.raises(ConfigError, match="a_claim.data: found 'a', .*allowed: b"):
        one(claim(data=["a"]), runs)
    with pytest.raises(ConfigError, match="share no data set"):
        one(claim(), runs[~((runs["experiment"] == "new") & (runs["data"] == "b"))])


def test_m_counts_declared_cells_even_if_one_drops_out():
    runs = together(arm("old", "a"), arm("new", "a", 0.8), arm("old", "b", 9.9), arm("new", "b"))
    table = cells_of([claim()], runs)
    assert list(table["position"]) == ["for", "uninformative"]
    assert list(table["m"]) == [2, 2]
    row = verdicts([claim()], table).iloc[0]
    assert (row["verdict"], row["D"], row["F"], row["k"]) == ("supported", 1, 1, 1)
    assert (row["scope"], row["reads"]) == ("a", "supported on a")


def test_comparisons_share_alpha_among_their_data_sets():
    runs = together(*(arm("old", data) for data in "ab"),
                    *(arm("new", data, 0.7) for data in "ab"),
                    arm("alone", "a", 1.0, variant="units=2"),
                    arm("alone", "a", 1.4, variant="units=4"))
    table = comparisons({"new": "old", "alone": "old"}, measured(runs), RULE)
    assert list(table["treatment"]) == ["new", "new", "alone[units=2]", "alone[units=4]"]
    assert list(table["m"]) == [2, 2, 1, 1]
    assert list(table["label"]) == ["better", "better", "equivalent", "worse"]
    assert set(table["claim"]) == set(table["position"]) == {""}
    blind = comparisons({"alone": "old"}, measured(runs), RULE, blind={"a"})
    assert list(blind["label"]) == ["undecided", "worse"]
    assert list(blind["position"]) == ["open", ""]


def test_comparisons_agree_with_a_claim_on_the_same_cells():
    runs = together(*(arm(name, data, level) for data in "ab"
                      for name, level in (("old", 1.0), ("new", 0.9))))
    columns = ["data", "effect", "low", "high", "margin", "label", "detectable"]
    pd.testing.assert_frame_equal(
        comparisons({"new": "old"}, measured(runs), RULE)[columns],
        cells_of([claim()], runs)[columns])


def test_one_experiment_is_compared_as_all_are(tmp_path, monkeypatch):
    layers = {"data": ["a", "b"], "layers": ["Dense"]}
    params = parse(dict(
        data={d: {"group": "g", "source": "noise", "seeds": 30} for d in "ab"}, layers={},
        experiments={"old": layers, "new": layers | {"versus": "old", "vary": {"batch_size": [8, 32]}}},
        train={"epochs": 1, "batch_size": 8, "optimizer": "Adam", "learning_rates": [0.1]}))
    runs = together(*(arm("old", d, 0.02, task="classes", trivial=0.5) for d in "ab"),
                    *(arm("new", d, 0.01, variant=f"batch_size={size}", task="classes", trivial=0.5)
                      for size in (8, 32) for d in "ab"),
                    arm("new", "a", 0.01, variant="batch_size=8,repetition=1", task="classes", trivial=0.5))
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan/new.json").write_text(json.dumps(
        {"arms": [{"data": "a", "task": {"classes": 2, "targets": 1, "quantiles": []}}, {"data": "b", "task": {"classes": 3, "targets": 1, "quantiles": []}}]}))
    monkeypatch.chdir(tmp_path)
    table = compare("new", params, runs, None, RULE)
    expected = comparisons({"new": "old"}, measured(runs[~runs["variant"].str.contains("repetition")]), RULE)
    pd.testing.assert_frame_equal(table, expected)
    assert list(table["treatment"]) == ["new[batch_size=8]"] * 2 + ["new[batch_size=32]"] * 2
    # Of error rates as small as these, half a percentage point is more than a tenth.
    assert (table["margin"] > math.log(1.1)).all()
    given = compare("new", params, runs, None, RULE, classes=(), blind={"b"})
    assert given["margin"].tolist() == pytest.approx([math.log(1.1)] * 4)
    assert compare("old", params, runs, None, RULE).empty
    (tmp_path / "plan/new.json").unlink()
    with pytest.raises(ConfigError, match="plan/new.json: there is no such file; `python -m pipeline.plan`"):
        compare("new", params, runs, None, RULE)


def test_the_places_of_a_network_share_alpha():
    places = ["first", "after conv_1", "after relu_1"]
    runs = together(*(arm("old", d) for d in "ab"),
                    *(arm("new", d, 0.8, variant=place) for place in places for d in "ab"))
    known = measured(runs, sweeps={"new": {place: {"place": place} for place in places}, "old": {"": {}}})
    assert list(comparisons({"new": "old"}, known, RULE)["m"]) == [2] * 6
    row = comparisons({"new": "old"}, known, RULE, everywhere=["new"]).iloc[2]
    assert (row["treatment"], row["m"]) == ("new[after conv_1]", 3)
    c, t = (runs[(runs["experiment"] == e) & (runs["variant"] == v) & (runs["data"] == "a")][
        "best_error"].to_numpy() for e, v in (("old", ""), ("new", "after conv_1")))
    bounds = scipy_stats.ttest_1samp(c / c.mean() - t / t.mean(), 0).confidence_interval(1 - 0.05 / 3)
    effect = math.log(c.mean() / t.mean())
    assert (row["low"], row["high"]) == pytest.approx((effect + bounds.low, effect + bounds.high))


def test_classes_are_what_the_plan_says_not_what_the_scores_look_like():
    runs = together(arm("old", "a", 0.02, task="classes", trivial=0.5),
                    arm("new", "a", 0.02, task="classes", trivial=0.5)).drop(columns="task")
    table = comparisons({"new": "old"}, Measured(runs), RULE)
    assert table["margin"][0] == pytest.approx(math.log(1.1))
    runs["best_calibration_error"] = np.nan  # every run diverged, say
    table = comparisons({"new": "old"}, Measured(runs, classes={"a"}), RULE)
    assert table["margin"][0] == pytest.approx(math.log(1 + 0.005 / table["control_mean"][0]))


def test_epochs_of_a_second_contrast_are_counted_on_its_own_data_set():
    runs = together(*(arm(name, "text") for name in ("new", "old")),
                    *(arm(name, "waves") for name in ("more", "bare")))
    tables = together(*(curves(name, data, falling(start)) for name, data, start in (
        ("new", "text", 10), ("old", "text", 20), ("more", "waves", 10), ("bare", "waves", 30))))
    minus = {"treatment": "more", "control": "bare", "data": "waves"}
    row = one(claim("differs", metric="epochs_to_target", contrasts=[
        {"treatment": "new", "control": "old", "minus": minus}]), runs, tables)
    assert row["effect"] == pytest.approx(math.log(22 / 12) - math.log(32 / 12))


def test_an_unknown_versus_is_refused():
    with pytest.raises(ConfigError, match="params.yaml: experiments.new.versus: found 'odl'"):
        comparisons({"new": "odl"}, measured(together(arm("old", "a"), arm("new", "a"))), RULE)
