"""A column of times: what it reads, and what it refuses by its line."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data.user_data.rows import open_rows
from pipeline.data.user_data.times import Times
from pipeline.config.errors import ConfigError
from pipeline.config.file_kinds import SeriesFile


def timed(tmp_path, cells, form=None, groups=None, piece=None, **entry):
    """The reader of times, and the frame of those that it read, from a file in pieces."""
    frame = pd.DataFrame({"when": cells, "x": 1} | ({"who": groups} if groups else {})).astype(object)
    frame.to_csv(tmp_path / "a.csv", index=False)
    entry = SeriesFile(**{"file": "a.csv", "target": "x", "window": 1, "time": "when", "time_format": form,
                          "group_by": "who" if groups else None} | entry)
    rows = open_rows(entry, tmp_path / "a.csv")
    times = Times(entry, rows)
    read = rows.read([], ["when"] + (["who"] if groups else []))
    parts = [read.iloc[i:i + (piece or len(read))] for i in range(0, len(read), piece or len(read))]
    read = read.assign(time=np.concatenate([times.read(part) for part in parts]))
    return times, read.assign(group=read["who"] if groups else "")


def checked(tmp_path, cells, **options):
    """The same, in order and in even steps."""
    times, frame = timed(tmp_path, cells, **options)
    frame = frame.sort_values("group", kind="stable")
    times.check(frame, np.flatnonzero((frame["group"] != frame["group"].shift()).to_numpy()))
    return times, frame


@pytest.mark.parametrize(("cells", "form"), [
    (["2024-01-31 13:00", "2024-01-31 14:00", "2024-01-31 15:00"], None),
    (["2024-01-31T13:00:00.5", "2024-01-31T13:00:01"], None),
    (["2024-01-31T13:00:00+01:00", "2024-01-31T13:00:00+00:00"], None),
    (["1890-01-01", "1890-02-01", "2290-01-01"], None), (["31/01/2024", "01/02/2024"], "%d/%m/%Y")])
def test_dates_are_those_of_pandas(tmp_path, cells, form):
    times, frame = timed(tmp_path, cells, form)
    epoch = pd.Timestamp("1970-01-01", tz="UTC")
    expected = [(pd.to_datetime(cell, format=form, utc=True) - epoch) // pd.Timedelta(1, "us") for cell in cells]
    assert frame["time"].tolist() == expected
    assert times.dates


def test_numbers_are_millionths_of_their_unit(tmp_path):
    times, frame = timed(tmp_path, [0, "0.02", "0.04", 7])
    assert frame["time"].tolist() == [0, 20_000, 40_000, 7_000_000] and not times.dates


@pytest.mark.parametrize("piece", [None, 2])
@pytest.mark.parametrize(("cells", "message"), [
    (["2024-01-01", "2024-01-03", "2024-01-02", "2024-01-04"], "a.csv, line 4, column 'when': found '2024-01-02 "
     "00:00:00' after a later time; allowed: later than the row before it; sort the file"),
    (["2024-01-01", "2024-01-02", "2024-01-02"], "a.csv, line 4, column 'when': found '2024-01-02 00:00:00' a "
     "second time; allowed: later"),
    (["2024-01-03", "2024-01-02", "2024-01-01"], "its entry says newest_first: true"),
    (["2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00"], "if the clock was put back then, its entry says "
     "steps: rows"),
    ([3, 4, 1], "a.csv, line 4, column 'when': found '1' after a later time"),
    (["2024-01-01", "2024-01-02", "soon"], "a.csv, line 4, column 'when': found 'soon'; allowed: a date such "
     "as 2024-01-31 13:00"),
    (["31/12/2023", "01/01/2024"], "a.csv, line 2, column 'when': found '31/12/2023'; allowed: a date"),
    ([1, 2, 1e300], "a.csv, line 4, column 'when': found '1e+300'; allowed: a number"),
    ([1, 2, "noon"], "a.csv, line ")])
def test_a_time_that_cannot_be_or_goes_back(tmp_path, cells, message, piece):
    with pytest.raises(ConfigError) as error:
        checked(tmp_path, cells, piece=piece)
    assert message in str(error.value)


def test_each_group_has_its_own_order(tmp_path):
    checked(tmp_path, [1, 1, 2, 2], groups=["a", "b", "a", "b"], piece=1)
    with pytest.raises(ConfigError, match="line 5, column 'when': found '1' after a later time in group 'a'"):
        checked(tmp_path, [0, 1, 2, 1, 3], groups=["a", "b", "a", "a", "a"], piece=1)


@pytest.mark.parametrize("cells", [
    pd.date_range("2024-01-01", periods=9, freq="h").astype(str).tolist(),
    pd.date_range("2024-01-01", periods=30, freq="MS").astype(str).tolist(),
    pd.date_range("2024-01-01", periods=30, freq="ME").astype(str).tolist(),
    pd.date_range("2024-01-01", periods=9, freq="YS").astype(str).tolist(),
    pd.date_range("2024-01-01", periods=30, freq="B").astype(str).tolist(),
    # The last and the first day of trade of each month.
    pd.date_range("2005-01-01", periods=180, freq="BME").astype(str).tolist(),
    pd.date_range("2005-01-01", periods=180, freq="BMS").astype(str).tolist(),
    [0.02, 0.04, 0.0600001, 0.08],
    [7]])
def test_even_steps(tmp_path, cells):
    checked(tmp_path, cells)


@pytest.mark.parametrize(("cells", "message"), [
    (["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 02:00", "2024-01-01 05:00", "2024-01-01 06:00"],
     "a.csv, line 5, column 'when': found a step of 03:00:00, from 2024-01-01 02:00:00 to 2024-01-01 05:00:00"),
    (["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 02:00", "2024-01-01 05:00", "2024-01-01 06:00"],
     "; allowed: 01:00:00, as most steps are; resample: 1h in its entry makes a regular grid"),
    ([1, 2, 3, 5, 6], "a.csv, line 5, column 'when': found a step of 2, from 3 to 5; allowed: 1, as most"),
    (["2024-01-01", "2024-02-01", "2024-03-01", "2024-05-01"], "line 5, column 'when': found a step of 2 months, from "
     "2024-03-01 00:00:00 to 2024-05-01 00:00:00; allowed: 1 months, as most steps are")])
def test_uneven_steps_are_refused_and_say_what_helps(tmp_path, cells, message):
    with pytest.raises(ConfigError) as error:
        checked(tmp_path, cells)
    assert message in str(error.value)


def test_steps_between_groups_do_not_count(tmp_path):
    times, frame = checked(tmp_path, [1, 2, 3, 0, 1, 2], groups=list("aaabbb"))
    with pytest.raises(ConfigError, match="line 5"):
        times.check(frame, np.array([0, 2]))


def test_the_step_of_a_grid(tmp_path):
    dates, _ = timed(tmp_path, ["2024-01-01", "2024-01-02"])
    assert dates.width("1h") == 3_600_000_000
    numbers, _ = timed(tmp_path, [1, 2])
    assert numbers.width(0.5) == 500_000
    for times, step, allowed in ((dates, 60.0, "a length of time such as 10min"), (dates, "soon", "a length of time"),
                                 (dates, "-1h", "a length of time"), (numbers, "1h", "a number, in the unit of")):
        with pytest.raises(ConfigError, match=f"a.csv: resample: found .*; allowed: {allowed}"):
            times.width(step)
