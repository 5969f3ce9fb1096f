"""Real data that come with installed packages."""

import datetime
import socket
from pathlib import Path

import aeon.datasets
import numpy as np
import pandas as pd
import pytest
import statsmodels.datasets.co2
from aeon.datasets import load_japanese_vowels
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.preprocessing import StandardScaler

from pipeline.data import splits
from pipeline.data.sources import make
from pipeline.data.splits import load


def test_vowels_hold_all_recordings(made):
    arrays = made["vowels"]
    x, y = load_japanese_vowels()
    assert len(x) == len(arrays["y"]) == 640
    np.testing.assert_array_equal(arrays["lengths"], [recording.shape[1] for recording in x])
    np.testing.assert_array_equal(arrays["x"], np.concatenate(x, axis=1).T.astype(np.float32))
    np.testing.assert_array_equal(arrays["y"], np.asarray(y, int) - 1)


def test_vowels_are_padded_on_the_left_after_scaling(made):
    arrays = made["vowels"]
    ends = np.cumsum(arrays["lengths"])
    recordings = np.split(arrays["x"].astype(np.float64), ends[:-1])
    train, validation, _ = splits.split(arrays, 4)
    scaler = StandardScaler().fit(np.concatenate([recordings[item] for item in train]))
    split, raw = load(arrays, 4), load(arrays, 4, scaling="none")
    for item, loaded, unscaled in zip(
        validation, split.x_validation, raw.x_validation, strict=True
    ):
        length = len(recordings[item])
        assert (loaded[: 29 - length] == 0).all() and (unscaled[: 29 - length] == 0).all()
        expected = scaler.transform(recordings[item])
        np.testing.assert_allclose(loaded[29 - length :], expected, atol=1e-5)
        np.testing.assert_array_equal(unscaled[29 - length :], recordings[item].astype("f4"))
    np.testing.assert_array_equal(split.y_validation, arrays["y"][validation])


def test_power_is_that_of_the_archive(made):
    folder = Path(aeon.datasets.__file__).parent / "data" / "ItalyPowerDemand"
    days, seasons = [], []
    for part in ("TRAIN", "TEST"):
        text = (folder / f"ItalyPowerDemand_{part}.ts").read_text()
        for line in text.split("@data")[1].split():
            day, season = line.split(":")
            days.append([float(value) for value in day.split(",")])
            seasons.append(int(season))
    x, y = made["power"]["x"], made["power"]["y"]
    assert x.shape == (1096, 24, 1)
    np.testing.assert_array_equal(x[..., 0], np.array(days, np.float32))
    np.testing.assert_array_equal(y, np.array(seasons) - 1)
    # As published: the first day's first hours.
    np.testing.assert_allclose(x[0, :3, 0], [-0.71051757, -1.1833204, -1.3724416])
    assert y[0] == 0


def test_power_has_three_years_of_two_seasons(made):
    x, y = made["power"]["x"][..., 0].astype(float), made["power"]["y"]
    # 1096 days are three years, one of them a leap year.
    first = datetime.date(1995, 1, 1)
    months = [(first + datetime.timedelta(day)).month for day in range(1096)]
    summer = sum(4 <= month <= 9 for month in months)
    assert list(np.bincount(y)) == [1096 - summer, summer] == [547, 549]
    np.testing.assert_allclose(x.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=1, ddof=1), 1, atol=1e-5)
    # It is dark at six in the evening from October to March.
    assert x[y == 0, 18].mean() > x[y == 1, 18].mean() + 0.5


def test_recordings_need_no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection was opened")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for source in ("power", "vowels"):
        assert len(make(source, [])["y"]) in (1096, 640)


def test_pools_of_scikit_learn(made):
    x, y = load_breast_cancer(return_X_y=True)
    np.testing.assert_array_equal(made["cancer"]["x"], x.astype(np.float32))
    np.testing.assert_array_equal(made["cancer"]["y"], y)
    images = load_digits()
    np.testing.assert_array_equal(made["digits"]["x"][..., 0], images.images)
    np.testing.assert_array_equal(made["digits"]["y"], images.target)


@pytest.mark.parametrize(("window", "horizon"), [(21, 8), (5, 1)])
def test_co2_windows_recomputed_with_pandas(window, horizon):
    arrays = make("co2", [0], window=window, horizon=horizon)
    level = statsmodels.datasets.co2.load_pandas().data["co2"]
    expected = pd.DataFrame(
        {
            f"before_{lag}": level.shift(lag) - level for lag in reversed(range(window))
        }
        | {"change": level.shift(-horizon) - level}
    )
    possible = expected.iloc[window - 1 : len(level) - horizon]
    kept = possible.dropna()
    weeks = level.index.get_indexer(kept.index)
    np.testing.assert_array_equal(arrays["week"], weeks)
    np.testing.assert_allclose(arrays["x"][..., 0], kept.iloc[:, :-1], atol=1e-4)
    np.testing.assert_allclose(arrays["y"][:, 0], kept["change"], atol=1e-4)
    assert arrays["windows_dropped"] == len(possible) - len(kept) > 0
    assert arrays["weeks"] == 2284 and arrays["weeks_missing"] == level.isna().sum() == 59
    missing = np.flatnonzero(level.isna())
    for week in arrays["week"]:
        assert not np.isin(missing, np.arange(week - window + 1, week + 1)).any()
        assert week + horizon not in missing
