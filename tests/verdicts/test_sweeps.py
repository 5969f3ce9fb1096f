"""Sweeps: their variants, and mean scores by value."""

import pytest
from tests.verdicts.made_runs import RULE, arm, measured, together
from scipy import stats

from pipeline.spec.params import parse
from pipeline.verdicts.sweeps import doses, sweeps


def params(**vary):
    return parse(dict(
        data={"a": {"group": "g", "source": "noise", "seeds": 30}}, layers={"lstm": {"LSTM": {"units": 4}}},
        experiments={"net": {"data": "a", "layers": ["lstm"], **({"vary": vary} if vary else {})}},
        train={"epochs": 1, "batch_size": 1, "optimizer": "Adam", "learning_rates": [0.1]}))


def test_variants_are_the_full_grid_by_label():
    found = sweeps(params(**{"lstm.activation": ["tanh", "relu"], "learning_rate": [0.01, 1.0]}))["net"]
    assert list(found) == [
        "lstm.activation=tanh,learning_rate=0.01", "lstm.activation=tanh,learning_rate=1.0",
        "lstm.activation=relu,learning_rate=0.01", "lstm.activation=relu,learning_rate=1.0"]
    assert found["lstm.activation=relu,learning_rate=0.01"] == {
        "lstm.activation": "relu", "learning_rate": 0.01}
    assert sweeps(params())["net"] == {"": {}}


def test_doses_are_means_with_t_intervals():
    runs = together(*(arm("net", "a", level, variant=f"lstm.units={n}") for n, level in ((4, 1.0), (16, 0.5))))
    table = doses(measured(runs, sweeps=sweeps(params(**{"lstm.units": [4, 16]}))), RULE)
    assert table[["experiment", "key", "dose", "data", "seeds"]].values.tolist() == [
        ["net", "lstm.units", 4.0, "a", 30], ["net", "lstm.units", 16.0, "a", 30]]
    for (_, mine), row in zip(runs.groupby("variant", sort=False), table.itertuples(), strict=True):
        bounds = stats.ttest_1samp(mine["best_error"], 0).confidence_interval(0.95)
        assert (row.mean, row.low, row.high) == pytest.approx(
            (mine["best_error"].mean(), bounds.low, bounds.high))


@pytest.mark.parametrize("vary", [{"lstm.units": [4, 16], "epochs": [1]}, {"lstm.activation": ["tanh", "relu"]},
                                  {"lstm.use_bias": [True, False]}, {}])
def test_only_numbers_of_one_key_are_doses(vary):
    spec = sweeps(params(**vary))
    runs = together(*(arm("net", "a", variant=label) for label in spec["net"]))
    assert doses(measured(runs, sweeps=spec), RULE).empty
