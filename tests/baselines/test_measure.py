"""Baselines against their definitions, computed from the file."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from pipeline.baselines import measure
from pipeline.baselines.measure import errors
from pipeline.data.split import load, split
from tests.own_files import made


@pytest.fixture
def series(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(1)
    frame = pd.DataFrame({"y": generator.normal(size=600).cumsum().round(3), "z": generator.normal(size=600).round(3)})
    frame.to_csv("a.csv", index=False)
    return frame


def test_of_a_random_walk_persistence_and_the_linear_model_are_what_the_steps_say(series):
    arrays = made(target="y", window=5, horizon=2)
    found = errors(arrays, [0])
    train, _, test = split(arrays, 0)
    y, last = series["y"].to_numpy(), arrays["last"]
    deviation = y[last[train] + 2].std()
    steps = (y[last[test] + 2] - y[last[test]]) / deviation
    assert found["persistence"] == pytest.approx(math.sqrt((steps**2).mean()), rel=1e-4)
    means = (y[last[test] + 2] - y[last[train] + 2].mean()) / deviation
    assert found["trivial"] == pytest.approx(math.sqrt((means**2).mean()), rel=1e-4)
    # Nothing can foretell a random walk better than that it stays.
    assert 0.85 * found["persistence"] < found["linear"] < found["trivial"]


def test_a_gap_leaves_what_was_known_before_it(series):
    series.loc[::7, "y"] = np.nan
    series.to_csv("a.csv", index=False)
    arrays = made(target="y", window=3, inputs=["z"], missing={"y": "drop"})
    test = split(arrays, 1)[2]
    train = split(arrays, 1)[0]
    filled = series["y"].ffill().to_numpy()
    last = arrays["last"]
    deviation = series["y"].to_numpy()[last[train] + 1].std()
    steps = (series["y"].to_numpy()[last[test] + 1] - filled[last[test]]) / deviation
    assert errors(arrays, [1])["persistence"] == pytest.approx(math.sqrt((steps**2).mean()), rel=1e-4)


def test_classes_that_a_line_parts_are_learnt_and_have_no_persistence(series):
    frame = pd.DataFrame(np.random.default_rng(2).normal(size=(400, 4)).round(4), columns=list("abcd"))
    frame.assign(y=np.where(frame["a"] + frame["b"] > 0.5, "yes", "no")).to_csv("a.csv", index=False)
    arrays = made(target="y")
    found = errors(arrays, range(3))
    share = np.mean([np.bincount(arrays["y"][split(arrays, seed)[2]])[1] /
                     len(split(arrays, seed)[2]) for seed in range(3)])
    assert found["trivial"] == pytest.approx(share) and math.isnan(found["persistence"])
    assert found["linear"] < 0.08 and found["forest"] < 0.2
    assert found["forest"] == errors(arrays, range(3))["forest"]


def test_several_targets_share_one_number(series):
    both = errors(made(target=["y", "z"], window=4), [0])
    one, other = (errors(made(target=name, window=4), [0]) for name in ("y", "z"))
    for name in ("trivial", "persistence"):
        assert both[name] ** 2 == pytest.approx((one[name] ** 2 + other[name] ** 2) / 2, rel=1e-4)


def test_where_the_target_is_that_of_the_window_itself_nothing_persists(series):
    assert math.isnan(errors(made(target="y", window=4, horizon=0), [0])["persistence"])


def dated(values, step, start="2021-03-01", **more):
    """A series of one value a step, as a file."""
    times = pd.date_range(start, periods=len(values), freq=step)
    pd.DataFrame({"time": times, "y": values, **more}).to_csv("a.csv", index=False)


def waves(count, season, noise=0.1):
    """A wave of a season, and noise."""
    return (np.sin(2 * np.pi * np.arange(count) / season) + np.random.default_rng(3).normal(0, noise, count)).round(4)


@pytest.mark.parametrize(("step", "season", "horizon", "back"), [
    ("h", 24, 6, 24), ("h", 24, 30, 48), ("30min", 48, 48, 48), ("D", 7, 3, 7), ("B", 5, 1, 5), ("W", 52, 1, 52),
    ("MS", 12, 14, 24), ("QS", 4, 1, 4)])
def test_the_value_of_a_season_before_is_the_last_one_that_is_known(series, step, season, horizon, back):
    values = waves(600, season)
    dated(values, step, "1950-01-02")
    arrays = made(target="y", time="time", window=3, horizon=horizon)
    train, _, test = split(arrays, 0)
    target = arrays["last"] + horizon
    misses = (values[target[test]] - values[target[test] - back]) / values[target[train]].std()
    found = errors(arrays, [0])
    assert found["seasonal"] == pytest.approx(math.sqrt((misses**2).mean()), rel=1e-4) and found["seasonal"] < 0.5


def test_a_season_that_is_not_known_leaves_the_last_value_and_a_series_without_dates_has_none(series):
    values = waves(400, 24)
    values[::5] = np.nan
    dated(values, "h", z=np.arange(400) % 7)
    arrays = made(target="y", time="time", window=3, horizon=2, inputs=["z"], missing={"y": "drop"})
    train, _, test = split(arrays, 0)
    target = arrays["last"] + 2
    filled, before = pd.Series(values).ffill().to_numpy()[arrays["last"][test]], values[target[test] - 24]
    misses = (values[target[test]] - np.where(np.isnan(before), filled, before)) / values[target[train]].std()
    assert errors(arrays, [0])["seasonal"] == pytest.approx(math.sqrt((misses**2).mean()), rel=1e-4)
    for told in ({"leave_out": ["time"]}, {"time": "time", "resample": "1s"}):
        dated(waves(300, 24), "h" if "leave_out" in told else "s")
        assert math.isnan(errors(made(target="y", window=3, **told), [0])["seasonal"])


def test_a_group_has_seasons_of_its_own(series):
    values = np.concatenate([level + waves(60, 24) for level in range(8)])
    times = pd.concat([pd.Series(pd.date_range(f"2021-03-{1 + 3 * group:02}", periods=60, freq="h")) for group in range(8)])
    pd.DataFrame({"time": times, "y": values, "g": np.repeat(np.arange(8), 60)}).to_csv("a.csv", index=False)
    arrays = made(target="y", time="time", window=4, horizon=1, group_by="g")
    train, _, test = split(arrays, 0)
    last = arrays["last"]
    place = np.where(last[test] % 60 >= 23, last[test] - 23, last[test])  # nothing a day before, in the group's first day
    misses = (values[last[test] + 1] - values[place]) / values[last[train] + 1].std()
    assert errors(arrays, [0])["seasonal"] == pytest.approx(math.sqrt((misses**2).mean()), rel=1e-4)


def test_boosted_trees_are_those_of_scikit_learn_on_the_whole_training_part(series):
    frame = pd.DataFrame(np.random.default_rng(2).normal(size=(4000, 3)).round(4), columns=list("abc"))
    frame.assign(y=(frame["a"] * frame["b"]).round(4), kind=np.where(frame["a"] * frame["c"] > 0, "x", "z")).to_csv("a.csv", index=False)
    for target, model, left in (("y", HistGradientBoostingRegressor, "kind"), ("kind", HistGradientBoostingClassifier, "y")):
        arrays, found = made(target=target, leave_out=[left], split={"train": 2500, "validation": 500, "test": 500}), []
        for seed in (0, 1):
            one = load(arrays, seed)
            assert len(one.x_train) == 2500
            with threadpool_limits(1):
                predicted = model(random_state=seed).fit(one.x_train, one.y_train.ravel()).predict(one.x_test)
            found.append((predicted != one.y_test).mean() if left == "y" else math.sqrt(
                ((predicted - one.y_test[:, 0])**2).mean()))
        assert errors(arrays, [0, 1])["boosted"] == pytest.approx(np.mean(found))


def test_a_class_with_one_row_among_many_is_learnt_all_the_same():
    x, y = np.random.default_rng(0).normal(size=(10_001, 2)), np.zeros(10_001, int)
    y[:2_000], y[0] = 1, 2
    with threadpool_limits(1):
        assert set(measure._boosted(3, x, y, x[:50], 0)) <= {0, 1, 2}


def test_the_method_says_how_many_samples_are_learnt_from_at_most():
    assert f"{measure.MOST:,}" in (Path(__file__).parents[2] / "book/method.md").read_text()
