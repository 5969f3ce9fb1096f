"""Baselines against their definitions, computed from the file."""

import math

import numpy as np
import pandas as pd
import pytest

from pipeline.baselines.measure import errors
from pipeline.data.split import split
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
