"""Sweeps: their variants, and mean scores by value."""

import pytest
from scipy import stats
from tests.verdicts.made_runs import RULE, arm, measured, study, together

from pipeline.verdicts.sweeps import doses, sweeps

DATA = {"a": {"group": "g", "source": "noise", "seeds": 15}}


def params(**vary):
    return study(DATA, {"net": {"data": "a", "layers": [{"LSTM": {"units": 4}}],
                                **({"vary": vary} if vary else {})}})


def test_variants_are_the_full_grid_by_label():
    found = sweeps(params(**{"LSTM.activation": ["tanh", "relu"], "learning_rate": [0.01, 1.0]}))["net"]
    assert list(found) == [
        "LSTM.activation=tanh,learning_rate=0.01", "LSTM.activation=tanh,learning_rate=1.0",
        "LSTM.activation=relu,learning_rate=0.01", "LSTM.activation=relu,learning_rate=1.0"]
    assert found["LSTM.activation=relu,learning_rate=0.01"] == {
        "LSTM.activation": "relu", "learning_rate": 0.01}
    assert sweeps(params())["net"] == {"": {}}


def test_doses_are_means_with_t_intervals():
    runs = together(*(arm("net", "a", level, variant=f"LSTM.units={n}") for n, level in ((4, 1.0), (16, 0.5))))
    table = doses(measured(runs, params(**{"LSTM.units": [4, 16]})), RULE)
    assert table[["experiment", "key", "dose", "data", "seeds"]].values.tolist() == [
        ["net", "LSTM.units", 4.0, "a", 15], ["net", "LSTM.units", 16.0, "a", 15]]
    for (_, mine), row in zip(runs.groupby("variant", sort=False), table.itertuples(), strict=True):
        bounds = stats.ttest_1samp(mine["best_error"], 0).confidence_interval(0.95)
        assert (row.mean, row.low, row.high) == pytest.approx(
            (mine["best_error"].mean(), bounds.low, bounds.high))


@pytest.mark.parametrize("vary", [{"LSTM.units": [4, 16], "epochs": [1]}, {"LSTM.activation": ["tanh", "relu"]},
                                  {"LSTM.use_bias": [True, False]}, {}])
def test_only_numbers_of_one_key_are_doses(vary):
    spec = params(**vary)
    runs = together(*(arm("net", "a", variant=label) for label in spec.variants("net")))
    assert doses(measured(runs, spec), RULE).empty
