"""Series of files: windows, gaps, grids and groups, recomputed with pandas; every mistake by its line."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data.split import load, split
from tests import own_files


def rows(count=400, seed=0):
    generator = np.random.default_rng(seed)
    return pd.DataFrame({
        "when": pd.date_range("2024-01-01", periods=count, freq="h").astype(str),
        "load": generator.normal(size=count).cumsum().round(3), "wind": generator.normal(size=count).round(3),
        "sky": generator.choice(["clear", "cloudy"], count)})


def made(frame, **given):
    return own_files.made(frame, **{"target": "load", "time": "when", "window": 6, "horizon": 2} | given)


def refused(frame, *words, **given):
    own_files.refused(*words, call=made, frame=frame, **given)


def windows_by_pandas(frame, inputs, target, window, horizon, by=None):
    """Windows ``(windows, time, channels)``, targets and last rows, from shifted columns."""
    groups = frame.groupby(by, sort=False) if by else None

    def shifted(column, lag):
        return (groups[column] if by else frame[column]).shift(lag)

    parts = {f"{name} {lag} before": shifted(name, lag) for lag in range(window - 1, -1, -1) for name in inputs}
    wide = pd.DataFrame(parts | {"y": shifted(target, -horizon)}).dropna()
    x = wide.drop(columns="y").to_numpy().reshape(len(wide), window, len(inputs))
    return x, wide["y"].to_numpy(), wide.index.to_numpy()


@pytest.mark.parametrize(("window", "horizon"), [(6, 2), (1, 1), (24, 12)])
def test_windows_are_those_of_pandas(project, window, horizon):
    frame = rows()
    arrays = made(frame, window=window, horizon=horizon)
    x, y, last = windows_by_pandas(frame, ["load", "wind"], "load", window, horizon)
    np.testing.assert_array_equal(arrays["last"], last)
    assert arrays["about_inputs"].tolist() == ["load", "wind"]
    loaded, parts = load(arrays, 1, scaling="none"), split(arrays, 1)
    for name, part in zip(("train", "validation", "test"), parts, strict=True):
        np.testing.assert_array_equal(getattr(loaded, f"x_{name}"), x[part].astype("f4"))
    mean, deviation = y[parts[0]].mean(), y[parts[0]].std()
    np.testing.assert_allclose(loaded.y_test[:, 0], (y[parts[2]] - mean) / deviation, atol=1e-4)
    np.testing.assert_array_equal(arrays["about_times"], pd.to_datetime(frame["when"]).astype("datetime64[us]").astype(int))


def test_a_stride_takes_every_so_many_windows(project):
    whole, some = made(rows(900)), made(rows(900), stride=5)
    np.testing.assert_array_equal(some["last"], whole["last"][::5])


def test_windows_that_touch_a_missing_value_are_left_out(project):
    frame = rows()
    frame.loc[[50, 51, 200], "load"] = np.nan
    frame.loc[120, "wind"] = np.nan
    arrays = made(frame, missing="drop")
    _, _, last = windows_by_pandas(frame, ["load", "wind"], "load", 6, 2)
    np.testing.assert_array_equal(arrays["last"], last)
    possible = 400 - 5 - 2
    assert int(arrays["about_windows"]) == possible
    assert int(arrays["about_windows_dropped"]) == possible - len(last) > 20
    refused(frame, "a.csv, line 52, column 'load': found a missing value; allowed: a value; or its entry says "
            "missing: {load: drop}, or {load: {carry: 3}}", missing={"wind": "drop"})


def test_the_last_value_is_carried_forward_as_pandas_does_and_never_into_a_target(project):
    frame = rows()
    frame.loc[[50, 51, 200, 201, 202, 203], "wind"] = np.nan
    frame.loc[[300, 301], "load"] = np.nan
    arrays = made(frame, missing={"wind": {"carry": 2}, "load": {"carry": 1}})
    filled = frame.assign(wind=frame["wind"].ffill(limit=2), held=frame["load"].ffill(limit=1))
    np.testing.assert_array_equal(arrays["x"], filled[["held", "wind"]].astype("f4"))
    x, _, last = windows_by_pandas(filled, ["held", "wind"], "load", 6, 2)
    np.testing.assert_array_equal(arrays["last"], last)
    assert int(arrays["carried"]) == 2
    # A target that is missing is not made up, though the same value as an input is.
    assert not {298, 299} & set(last.tolist()) and 300 + 4 not in last - 2


def test_inputs_may_be_chosen_and_the_target_need_not_be_one(project):
    arrays = made(rows(), inputs=["wind"])
    np.testing.assert_array_equal(arrays["x"][:, 0], rows()["wind"].astype("f4"))
    np.testing.assert_array_equal(arrays["y"][:, 0], rows()["load"].astype("f4"))
    assert made(rows(), leave_out=["wind"])["about_inputs"].tolist() == ["load"]


def test_classes_of_now(project):
    arrays = made(rows(), target="sky", horizon=0, split={"train": 200, "validation": 60, "test": 60})
    assert str(arrays["task"]) == "classes" and arrays["about_inputs"].tolist() == ["load", "wind"]
    loaded, part = load(arrays, 0), split(arrays, 0)[2]
    names = arrays["about_classes"][loaded.y_test]
    np.testing.assert_array_equal(names, rows()["sky"].iloc[arrays["last"][part]])


def test_columns_may_have_any_name(project):
    frame = rows().rename(columns={"load": "target", "wind": "group", "when": "row"}).assign(time=np.sin(np.arange(400)))
    arrays = made(frame, target="target", time="row")
    assert arrays["about_inputs"].tolist() == ["target", "group", "time"]
    np.testing.assert_array_equal(arrays["x"], frame[["target", "group", "time"]].astype("f4"))


# --- grids -----------------------------------------------------------------------------------


def test_a_grid_is_that_of_pandas(project):
    frame = rows(4_000)
    times = pd.date_range("2024-01-01", periods=4_000, freq="7min")
    keep = np.random.default_rng(1).random(4_000) < 0.8
    keep[700:760] = False
    frame = frame.assign(when=times.astype(str))[keep]
    arrays = made(frame, resample="1h", missing="drop")
    expected = frame.set_index(pd.to_datetime(frame["when"]))[["load", "wind"]].resample("1h").mean()
    np.testing.assert_allclose(arrays["x"], expected, atol=1e-5)
    assert np.isnan(arrays["x"]).any()
    np.testing.assert_array_equal(arrays["about_times"], expected.index.astype("datetime64[us]").astype(int))
    _, _, last = windows_by_pandas(expected.reset_index(drop=True), ["load", "wind"], "load", 6, 2)
    np.testing.assert_array_equal(arrays["last"], last)
    refused(frame, "a.csv, column 'load': found no row in the step of 1h that begins at 2024-01-04 10:00:00; "
            "allowed: one or more; or its entry says missing: {load: drop}", resample="1h")


def test_a_grid_does_not_depend_on_the_pieces(project, monkeypatch):
    frame = rows(3_000).assign(when=np.arange(3_000) * 0.25)
    whole = made(frame, resample=2.0)
    monkeypatch.setattr("pipeline.data.user_data.rows.PIECE", 4)
    pieces = made(frame, resample=2.0)
    np.testing.assert_allclose(pieces["x"], whole["x"], rtol=1e-6)
    np.testing.assert_array_equal(pieces["last"], whole["last"])
    expected = frame.groupby(np.arange(3_000) // 8)[["load", "wind"]].mean()
    np.testing.assert_allclose(whole["x"], expected, atol=1e-5)


def test_classes_on_a_grid_are_the_last_of_their_step(project):
    frame = rows(1_200)
    arrays = made(frame, target="sky", resample="3h", horizon=1, window=4,
                  split={"train": 100, "validation": 50, "test": 50})
    names = arrays["about_classes"][arrays["y"]]
    np.testing.assert_array_equal(names, frame["sky"].iloc[2::3])


# --- groups ----------------------------------------------------------------------------------


def grouped(people=12, count=60):
    frame = pd.concat([rows(count, seed).assign(who=f"p{seed}") for seed in range(people)])
    return frame.reset_index(drop=True)


def test_windows_of_groups_are_those_of_pandas(project):
    frame = grouped()
    arrays = made(frame, group_by="who")
    x, y, last = windows_by_pandas(frame, ["load", "wind"], "load", 6, 2, by="who")
    np.testing.assert_array_equal(arrays["last"], last)
    np.testing.assert_array_equal(arrays["groups"], last // 60)
    part = split(arrays, 0)[0]
    np.testing.assert_array_equal(load(arrays, 0, scaling="none").x_train, x[part].astype("f4"))


def test_groups_in_turns_are_those_in_blocks(project):
    frame = grouped()
    blocks = made(frame, group_by="who")
    turns = made(frame.sort_values(["when", "who"], key=lambda c: c if c.name == "when" else c.str[1:].astype(int)),
                 group_by="who")
    for key in ("x", "y", "last", "groups"):
        np.testing.assert_array_equal(turns[key], blocks[key])


def test_nothing_is_carried_from_one_group_to_the_next(project):
    frame = grouped()
    frame.loc[[59, 60, 61], "wind"] = np.nan
    arrays = made(frame, group_by="who", missing={"wind": {"carry": 5}})
    expected = frame.groupby("who", sort=False)["wind"].ffill(limit=5)
    np.testing.assert_array_equal(arrays["x"][:, 1], expected.astype("f4"))
    assert np.isnan(arrays["x"][60:62, 1]).all() and not np.isnan(arrays["x"][59, 1])


def test_a_grid_of_groups(project):
    arrays = made(grouped(), group_by="who", resample="2h")
    frame = grouped()
    expected = frame.groupby([frame["who"], frame.index // 2], sort=False)["wind"].mean()
    np.testing.assert_allclose(np.sort(arrays["x"][:, 1]), np.sort(expected), atol=1e-6)
    assert len(np.unique(arrays["groups"])) == 12


# --- long files ------------------------------------------------------------------------------


def test_of_a_long_series_the_latest_rows_are_used(project):
    frame = rows(2_000)
    arrays = made(frame, rows=500)
    np.testing.assert_array_equal(arrays["x"], frame[["load", "wind"]].iloc[-500:].astype("f4"))
    assert str(arrays["about_used"]) == "latest" and int(arrays["about_rows"]) == 2_000


def test_of_many_groups_whole_ones_are_used(project):
    arrays = made(grouped(40), group_by="who", rows=900)
    assert len(arrays["x"]) == 900 and str(arrays["about_used"]) == "whole groups"
    assert (np.bincount(arrays["groups"]) == 60 - 5 - 2).all()


# --- mistakes --------------------------------------------------------------------------------


def test_times_that_cannot_be_are_refused(project):
    frame = rows()
    turned = frame.copy()
    turned.loc[[9, 10], "when"] = frame.loc[[10, 9], "when"].to_numpy()
    refused(turned, "a.csv, line 12, column 'when': found '2024-01-01 09:00:00' after a later time")
    refused(pd.concat([frame.iloc[:9], frame.iloc[8:]]), "a.csv, line 11, column 'when': found", "a second time")
    refused(frame.drop(index=30), "a.csv, line 32, column 'when': found a step of 02:00:00, from "
            "2024-01-02 05:00:00 to 2024-01-02 07:00:00; allowed: 01:00:00, as most steps are; resample: 1h")
    refused(frame, "a.csv: time: there is no column 'wen'", "did you mean 'when'?", time="wen")
    refused(frame, "a.csv: resample: found 'hourly'; allowed: a length of time such as 10min", resample="hourly")


def test_inputs_that_know_the_target_are_refused(project):
    frame = rows()
    refused(frame.assign(tomorrow=frame["load"].shift(-2).fillna(0.5)), "a.csv, column 'tomorrow': found the target "
            "'load' of 2 rows later in every row; allowed: what is known at the time")
    refused(frame.assign(soon=frame["load"].shift(-1).fillna(0.5)), "column 'soon': found the target 'load' of 1 rows "
            "later")
    refused(frame.assign(copy=frame["load"]), "column 'copy': found the target 'load' of the same row", horizon=0)
    coded = frame.assign(state=np.arange(400) // 7 % 3)
    refused(coded.assign(copy=coded["state"]), "column 'copy': found the target 'state' of the same row", horizon=0,
            target="state", task="classes")
    # Its own past may be known under any name.
    made(frame.assign(copy=frame["load"], before=frame["load"].shift(3).fillna(0)))


def test_a_series_that_is_too_short_or_says_nothing_is_refused(project):
    refused(rows(7), "a.csv: found no window of 6 rows with a target 2 rows later among 7 rows (0 windows")
    refused(rows(0), "a.csv: found no rows")
    refused(rows(30), "split: found {train: 3, validation: 1, test: 2}; allowed: at least 10 each, unless its entry "
            "says less; the 23 windows of a.csv hold the three parts and two gaps of 7 rows")
    refused(rows(), "split: found {train: 300, validation: 60, test: 60}; allowed: fewer; the 393 windows",
            split={"train": 300, "validation": 60, "test": 60})
    refused(rows().assign(wind=0.0), "a.csv, column 'wind': found 0 in every row that is used")
    frame = rows()
    frame["load"] = np.where(np.arange(400) % 5 == 0, np.nan, frame["load"])
    refused(frame, "found no window of 6 rows", "393 windows, all of which touch a missing value", missing="drop")
    refused(rows().assign(sky="clear"), "column 'sky': found 1 classes (clear)", target="sky")
    refused(rows().assign(load=["x", *rows()["load"][1:]]), "a.csv, line 2, column 'load': found 'x'; allowed: a number")
    refused(rows().assign(load=1.0), "column 'load': found 1 in every row; allowed: a target that varies")


def test_a_time_far_away_costs_no_memory(project):
    frame = rows(600)
    frame.loc[0, "when"] = "1970-01-01 00:00:00"
    arrays = made(frame, resample="1h", missing="drop", rows=1_000)
    assert len(arrays["x"]) == 1_000 and str(arrays["about_used"]) == "latest"
    np.testing.assert_allclose(arrays["x"][-599:], frame[["load", "wind"]].iloc[1:], atol=1e-5)
