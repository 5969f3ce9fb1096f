"""Scores of an arm, one a seed."""

import numpy as np
import pandas as pd
import pytest
from tests.verdicts.made_runs import RULE, arm

from pipeline.config.errors import ConfigError
from pipeline.verdicts.arms import Arms
from pipeline.verdicts.scores import derive, events, scores_of

NET = ("net", "")


def scores(runs, metric, endpoint="best", **options):
    return scores_of(Arms(runs), NET, "a", metric, endpoint, "here", **options)


def test_derived_measures_by_hand():
    runs = pd.DataFrame({
        "experiment": "net", "variant": "", "data": "a", "learning_rate": [0.1, 0.2, 0.3],
        "best_loss": [0.5, 0.9, 1.0], "best_train_loss": [0.2, 0.8, 1.0], "best_error": [0.1, 0.46, 0.2],
        "last_loss": [0.7, np.nan, 1.0], "last_train_loss": [0.1, np.nan, 1.0],
        "last_error": [0.46, np.nan, 0.2], "trivial_error": 0.5, "diverged": [False, True, False],
        "trivial_loss": 0.69, "best_calibration_error": [0.1, 0.1, 0.1]})
    found = derive(runs, RULE)
    assert list(found["best_gap"].round(6)) == [0.3, 0.1, 0.0]
    assert found["last_gap"][0] == pytest.approx(0.6)
    # 0.46 is more than 0.9 of 0.5.
    assert list(found["best_failure"]) == [0, 1, 0] and list(found["last_failure"]) == [1, 1, 0]
    assert list(found["middle"]) == [False, True, False] and list(found["edge"]) == [True, False, True]


def test_errors_and_losses_are_at_most_the_trivial_predictors():
    runs = arm("net", "a", trivial=3.0, diverged=[1])
    runs.loc[2, ["best_error", "best_loss"]] = 1e6
    for metric, trivial in (("error", 3.0), ("loss", 6.0)):
        found = scores(runs, metric)
        assert found[1] == found[2] == trivial
        assert found[3:].tolist() == runs[f"best_{metric}"][3:].tolist()
    assert scores(runs, "error", capped=False)[1:3].tolist() == [3.0, 1e6]


def test_what_a_diverged_seed_guesses():
    runs = arm("net", "a", trivial=0.6, diverged=[1], classes=True)
    assert scores(runs, "calibration_error")[1] == 0.6
    assert scores(runs, "minority_recall")[1] == 0.0
    # Calibration may be worse than guessing; it is not bounded.
    runs.loc[2, "best_calibration_error"] = 0.9
    assert scores(runs, "calibration_error")[2] == 0.9
    assert events(Arms(runs), NET, "a", "divergence", "best", "here").tolist() == [False, True] + [False] * 13


def test_no_error_at_all_is_half_a_one_among_all_seeds():
    runs = arm("net", "a").assign(best_error=0.0)
    assert scores(runs, "error").mean() * 15 * 1000 == pytest.approx(0.5)
    runs.loc[0, "best_error"] = 0.001
    assert scores(runs, "error").tolist() == [0.001] + [0.0] * 14


def test_a_score_that_is_missing_is_refused_or_missing_throughout():
    runs = arm("net", "a")
    runs.loc[5, "best_error"] = np.nan
    with pytest.raises(ValueError, match="error is not finite for the seeds 3005"):
        scores(runs, "error")
    assert np.isnan(scores(arm("net", "a"), "calibration_error")).all()


def test_unknown_metrics_are_refused():
    with pytest.raises(ConfigError, match="here: metric: found 'eror'; .*did you mean 'error'"):
        scores(arm("net", "a"), "eror")
