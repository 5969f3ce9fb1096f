"""The same data in every form that files come in give the same arrays; whatever stands in a file, it is asked or refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from pipeline.data.__main__ import make_missing
from pipeline.data.sources import read
from pipeline.config.schema import load
from tests.hostile import changed_bytes, counted
from tests.own_files import FORMATS, rows, stored

HOURS, DAYS = pd.date_range("2023-12-30", periods=500, freq="h"), pd.date_range("2023-11-03", periods=500)
MONTHS, QUARTERS = pd.date_range("1980-01-01", periods=400, freq="MS"), pd.date_range("1920-01-01", periods=400, freq="QS")


def arrays_of(asked, file, *arguments):
    """The entry that is written, and the arrays that it makes."""
    out, err, code = asked(file, *arguments, "--look")
    assert (err, code) == ("", 0), err
    name = load().own[-1]
    make_missing(load())
    return load().data[name], read(f"data/{name}.npz"), out


@pytest.mark.parametrize(("times", "form"), [
    (HOURS, "%Y-%m-%d %H:%M:%S"), (HOURS, "%Y-%m-%dT%H:%M:%SZ"), (HOURS, "%Y-%m-%d %H:%M UTC"), (HOURS, "%d.%m.%Y %H:%M"),
    (HOURS, "%d/%m/%Y %H:%M:%S"), (HOURS, "%m/%d/%Y %I:%M:%S %p"), (HOURS, "%d.%m.%y %H:%M"), (HOURS, "%m/%d/%y %I:%M %p"),
    (HOURS, "%d-%b-%Y %H:%M"), (HOURS, "%s"), (DAYS, "%d-%m-%Y"), (DAYS, "%m-%d-%Y"), (DAYS, "%Y/%m/%d"), (DAYS, "%Y%m%d"),
    (DAYS, "%b %d, %Y"), (DAYS, "%d %B %Y"), (DAYS, "%a, %d %b %Y"), (DAYS, "%m/%d/%Y"), (MONTHS, "%b-%y"), (MONTHS, "%B %Y"),
    (MONTHS, "%Y-%m"), (MONTHS, "%m/%Y"), (MONTHS, "%m/%d/%Y"), (MONTHS, "%d/%m/%Y"), (QUARTERS, "%YQ%q"), (QUARTERS, "Q%q %Y")])
def test_every_form_of_dates_is_read_as_it_is_meant(project, asked, times, form):
    cells = [str(int(one.timestamp())) if form == "%s" else one.strftime(form.replace("%q", str(one.quarter))) for one in times]
    values = np.random.default_rng(0).normal(size=len(times)).cumsum().round(3)
    pd.DataFrame({"date": cells, "value": values}).to_csv("a.csv", index=False)
    entry, arrays, _ = arrays_of(asked, "a.csv", "--target", "value", "--window", 6)
    assert entry.time == "date" and entry.resample is None and entry.steps == "time"
    np.testing.assert_array_equal(arrays["about_times"], times.astype("datetime64[us]").astype("int64"))
    # The same, the newest first.
    pd.DataFrame({"date": cells[::-1], "value": values[::-1]}).to_csv("b.csv", index=False)
    turned = arrays_of(asked, "b.csv", "--target", "value", "--window", 6)[1]
    np.testing.assert_array_equal(turned["x"], arrays["x"])


TABLE = pd.DataFrame({
    "größe": np.random.default_rng(1).normal(size=200).round(3), "gewicht": np.random.default_rng(2).normal(60, 5, 200).round(2),
    "farbe": np.random.default_rng(3).choice(["rot", "grün"], 200), "art": np.random.default_rng(4).choice(["a", "b"], 200)})


@pytest.mark.parametrize(("name", "how"), [*((name, {}) for name in FORMATS), *(("a.csv", {"encoding": one}) for one in (
    "utf-16", "utf-8-sig", "cp1252")), ("a.csv", {"separator": ";"}), ("a.txt", {"separator": ";", "encoding": "cp1252"}),
    ("columns.json", {})])
def test_every_format_gives_the_same_arrays(project, asked, name, how):
    stored(name, TABLE, **how)
    if name == "columns.json":
        Path(name).write_text(json.dumps(TABLE.to_dict("list")), encoding="utf-8")
    _, arrays, _ = arrays_of(asked, name, "--target", "art")
    np.testing.assert_array_equal(arrays["x"], TABLE[["größe", "gewicht"]].astype("f4"))
    np.testing.assert_array_equal(np.array(["a", "b"])[arrays["y"]], TABLE["art"])
    assert arrays["about_categories"].tolist() == ["farbe=grün", "farbe=rot"]


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("by_column", [True, False])
def test_the_files_of_a_folder_are_recordings(project, asked, inside, by_column):
    generator, folder = np.random.default_rng(0), (project if inside else project.parent) / "walks"
    steps = {}
    for number in range(80):
        kind = "run" if number % 2 else "walk"
        path = folder / kind / f"{number:02}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        steps[f"{kind}/{number:02}.csv"] = frame = pd.DataFrame(generator.normal(size=(9, 2)).round(3), columns=["x", "y"])
        (frame.assign(label=kind) if by_column else frame).to_csv(path, index=False)
    entry, arrays, out = arrays_of(asked, folder, *(["--target", "label"] if by_column else []))
    assert entry.file == ("walks/" if inside else "own/walks/") and ("is copied" in out) is not inside
    assert len(arrays["y"]) == 80 and arrays["about_classes"].tolist() == ["run", "walk"]
    np.testing.assert_array_equal(arrays["x"], np.stack([steps[name] for name in sorted(steps)]).astype("f4"))
    # Asked again, it is the same; another file more, and it is another folder.
    assert "asks this already" in asked(folder, *(["--target", "label"] if by_column else []), "--look")[0]


def test_jitter_of_the_times_makes_a_grid(project, asked):
    times = pd.date_range("2024-01-01", periods=900, freq="min") + pd.to_timedelta(np.random.default_rng(0).integers(0, 20, 900), "s")
    pd.DataFrame({"time": times.astype(str), "v": np.sin(np.arange(900) / 9)}).to_csv("a.csv", index=False)
    entry, arrays, out = arrays_of(asked, "a.csv", "--target", "v", "--window", 6)
    assert entry.resample == "1min" and len(arrays["x"]) == 900 and "rows are at irregular times" in " ".join(out.split())


def leak(**columns):
    generator = np.random.default_rng(5)
    frame = pd.DataFrame({"a": generator.normal(size=400).round(4), "b": generator.normal(size=400).round(4)})
    return frame.assign(**{name: make(frame) for name, make in columns.items()})


@pytest.mark.parametrize(("frame", "arguments", "words"), [
    (leak(y=lambda f: (f["a"] + f["b"]).round(4)), [], "a linear model of the inputs tells the target"),
    (leak(y=lambda f: f["a"] ** 3 + 7), [], "'a' alone tells the target"),
    (leak(y=lambda f: np.where(f["a"] > 1, "ill", "well")), [], "'a' alone tells the target"),
    (leak(y=lambda f: np.exp(3 * f["a"])), [], "the target is skewed"),
    (leak(when=lambda f: pd.date_range("2024-01-01", periods=400).astype(str), y=lambda f: f["a"].cumsum(),
          tomorrow=lambda f: f["a"].cumsum().shift(-1).fillna(0).round(1)), ["--window", 5], "'tomorrow' nearly is the target of 1")])
def test_what_gives_the_target_away_is_said(project, asked, frame, arguments, words):
    frame.to_csv("a.csv", index=False)
    text = " ".join(arrays_of(asked, "a.csv", "--target", "y", *arguments)[2].split())
    assert f"Mind: {words}" in text
    assert f"# Mind: {words}" in (project / "params.yaml").read_text(encoding="utf-8")


def test_honest_data_get_no_caution(project, asked):
    leak(y=lambda f: (f["a"] + np.random.default_rng(6).normal(size=400)).round(3)).to_csv("a.csv", index=False)
    assert "Mind" not in arrays_of(asked, "a.csv", "--target", "y")[2]


def test_whatever_a_file_holds_it_is_asked_or_gets_one_message(project, asked):
    before = (project / "params.yaml").read_text(encoding="utf-8")

    @counted(50)
    @given(changed_bytes(rows().encode()))
    def check(content):
        (project / "params.yaml").write_text(before, encoding="utf-8")
        (project / "a.csv").write_bytes(content)
        for arguments in (["--target", "y"], ["--target", "a", "--window", 3]):
            out, err, code = asked("a.csv", *arguments, "--look")
            assert code == 0 and err == "" or code == 1 and err.startswith("error: ") and err.count("\n") == 1
            assert "\x1b" not in out and (code == 0) == bool(load().own)
            (project / "params.yaml").write_text(before, encoding="utf-8")

    check()
