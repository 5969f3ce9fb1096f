"""Scores of an arm, one a seed."""

import math

import numpy as np
import pandas as pd
import pytest
from tests.verdicts.made_runs import RULE, arm, claim, curves, falling, one, together

from pipeline.spec.base import ConfigError
from pipeline.verdicts.scores import derive


def test_derived_measures_by_hand():
    runs = pd.DataFrame({
        "best_loss": [0.5, 0.9], "best_train_loss": [0.2, 0.8], "best_error": [0.1, 0.45],
        "last_loss": [0.7, np.nan], "last_train_loss": [0.1, np.nan], "last_error": [0.41, np.nan],
        "trivial_error": [0.5, 0.5], "diverged": [False, True]})
    found = derive(runs, RULE)
    assert list(found["best_gap"].round(6)) == [0.3, 0.1]
    assert found["last_gap"][0] == pytest.approx(0.6)
    assert list(found["best_failure"]) == [0, 1] and list(found["last_failure"]) == [1, 1]


def test_a_diverged_seed_scores_the_trivial_predictor():
    runs = together(arm("old", "a"), arm("new", "a", 0.8, diverged=2, trivial=3.0))
    row = one(claim(), runs)
    kept = runs[(runs["experiment"] == "new") & ~runs["diverged"]]["best_error"]
    assert row["treatment_mean"] == pytest.approx((kept.sum() + 2 * 3.0) / 30)
    assert row["diverged_treatment"] == pytest.approx(2 / 30)


def test_unknown_metrics_are_refused():
    runs = together(arm("old", "a"), arm("new", "a"))
    with pytest.raises(ConfigError, match="metric: found 'eror'; .*did you mean 'error'"):
        one(claim(metric="eror"), runs)


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


def test_a_diverged_seed_never_reaches_the_target():
    losses = falling(10)
    losses[0, 15:] = np.nan
    runs = together(arm("old", "a"), arm("new", "a", diverged=1))
    tables = together(curves("old", "a", falling(20)), curves("new", "a", losses))
    row = one(claim(metric="epochs_to_target"), runs, tables)
    assert row["treatment_mean"] == pytest.approx((12 * 30 - 11 + 40) / 30)


def test_missing_curves_are_named():
    runs = together(arm("old", "a"), arm("new", "a"))
    with pytest.raises(ValueError, match="old on a: no curves"):
        one(claim(metric="epochs_to_target"), runs, curves("new", "a", falling(10)))
    short = together(curves("old", "a", falling(10, seeds=29)), curves("new", "a", falling(10)))
    with pytest.raises(ValueError, match="old on a: no curves for the seeds 29"):
        one(claim(metric="epochs_to_target"), runs, short)
