"""A file of one's own → its entry: what is guessed is true and said, nothing else of params.yaml changes."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pipeline
from pipeline.cli.ask import __main__ as ask
from pipeline.cli.ask.guess import SEEDS
from pipeline.data.__main__ import make_missing
from pipeline.config.schema import load
from tests.cli.ask.conftest import PARAMS
from tests.book.test_ranked import FINDINGS, SETS

ROOT = Path(pipeline.__file__).parents[1]


def series(count=600, seed=0):
    generator = np.random.default_rng(seed)
    return pd.DataFrame({
        "when": pd.date_range("2024-01-01", periods=count, freq="h").astype(str),
        "price": generator.normal(size=count).cumsum().round(3), "wind": generator.normal(size=count).round(3),
        "sky": generator.choice(["clear", "cloudy"], count)})


def table(count=300):
    generator = np.random.default_rng(1)
    frame = pd.DataFrame({"id": range(1, count + 1), "size": generator.normal(size=count).round(3),
                          "weight": generator.normal(size=count).round(3),
                          "color": generator.choice(["red", "green", "blue"], count), "unit": 1.0})
    return frame.assign(label=np.where(frame["size"] > 0.3, "big", "small"))


def entry():
    params = load()
    name, = params.own
    return name, params.data[name]


def test_a_series_is_looked_at_and_written_and_nothing_else_changes(project, asked):
    frame = series()
    frame.loc[100, "wind"] = np.nan
    frame.to_csv("my prices.csv", index=False)
    out, err, code = asked("my prices.csv", "--target", "price", "--window", 6, "--horizon", 2)
    assert (err, code) == ("", 0)
    name, found = entry()
    assert name == "my_prices" and found.own and found.group == "sequences" and found.seeds == SEEDS
    assert (found.time, found.window, found.horizon, found.missing, found.task) == ("when", 6, 2, "drop", "regression")
    assert found.experiments == ["after"] and [
        one for one in load().experiments if name in load().data_sets(one)] == ["plain", "after"]
    text = Path("params.yaml").read_text()
    lines = text.splitlines(keepends=True)
    start = lines.index("  my_prices:\n")
    end = next(i for i in range(start + 1, len(lines)) if not lines[i].startswith("    "))
    assert "".join(lines[:start] + lines[end:]) == PARAMS
    mine = "".join(lines[start:end])
    assert "time: when   # its cells are dates" in mine and "missing: drop   # 1 of 600 rows have a missing value: wind 1" in mine
    assert "task: regression   # numbers from" in mine and "# of 587 windows, without 6 that touch a missing value" in mine
    assert "written into params.yaml as data.my_prices" in out and "2 networks on 5 seeds: about 2 minutes more" in out
    make_missing(load())
    assert Path("data/my_prices.npz").exists()


def test_asked_again_nothing_is_written_and_another_question_is_another_entry(project, asked):
    series().to_csv("a.csv", index=False)
    arguments = ("a.csv", "--target", "price", "--window", 6)
    asked(*arguments)
    first = Path("params.yaml").read_text()
    # What a person has changed in it since stays.
    Path("params.yaml").write_text(first.replace("seeds: 5", "seeds: 6"))
    out, err, code = asked(*arguments)
    assert (err, code) == ("", 0) and "asks this already, as data.a" in out
    assert Path("params.yaml").read_text() == first.replace("seeds: 5", "seeds: 6")
    assert asked(*arguments, "--horizon", 3)[2] == 0
    assert load().own == ["a", "a_2"] and load().data["a_2"].horizon == 3


def test_a_table_is_looked_at_and_trained_as_the_study_trains_tables(project, asked):
    table().to_csv("t.csv", index=False, sep=";")
    assert asked("t.csv", "--target", "label")[1:] == ("", 0)
    found = entry()[1]
    assert (found.separator, found.task, found.categories) == (";", "classes", ["color"])
    assert found.leave_out == ["id", "unit"] and found.train.batch_size == 4
    assert found.train.optimizer == {"SGD": {"momentum": 0.9}} and found.experiments == ["mlp_relu"]
    text = Path("params.yaml").read_text()
    assert "# 2 classes: big, small\n" in text
    assert "# id: it numbers the rows; unit: 1.0 in every row" in text


@pytest.mark.parametrize(("change", "expected"), [
    (lambda f: f.assign(when=pd.to_datetime(f["when"]).dt.strftime("%d.%m.%Y %H:%M")), {"time_format": "%d.%m.%Y %H:%M"}),
    (lambda f: f.drop(index=[50, 51]), {"resample": "1h", "missing": "drop"}),
    (lambda f: f.drop(columns="when"), {"time": None}),
    (lambda f: f.assign(wind=f["wind"].astype(str).where(f.index != 9, "?")), {"missing_as": ["?"], "missing": "drop"}),
    (lambda f: f.assign(price=f["sky"]), {"task": "classes"}),
    (lambda f: f.assign(same=3), {"leave_out": ["sky", "same"]})])
def test_what_the_file_needs_is_written(project, asked, change, expected):
    change(series()).to_csv("a.csv", index=False)
    out, err, code = asked("a.csv", "--target", "price", "--window", 4)
    assert (err, code) == ("", 0)
    found = entry()[1]
    assert {key: getattr(found, key) for key in expected} == expected


def test_recordings_and_several_targets(project, asked):
    generator = np.random.default_rng(0)
    np.savez("r.npz", x=generator.normal(size=(200, 7, 2)), y=np.arange(200) % 2)
    assert asked("r.npz")[1:] == ("", 0)
    long = pd.DataFrame({"who": np.repeat(range(100), 5), "a": generator.normal(size=500),
                         "kind": np.repeat(np.arange(100) % 3, 5)})
    long.to_csv("long.csv", index=False)
    assert asked("long.csv", "--target", "kind", "--recording", "who")[1:] == ("", 0)
    series().to_csv("a.csv", index=False)
    assert asked("a.csv", "--target", "price,wind", "--window", 5)[1:] == ("", 0)
    data = load().data
    assert data["r"].group == data["long"].group == "sequences" and data["long"].recording == "who"
    assert data["a"].targets == ["price", "wind"]


def test_a_file_from_elsewhere_is_copied_and_says_so(project, asked):
    path = project.parent / "far.csv"
    series().to_csv(path, index=False)
    out, err, code = asked(path, "--target", "price", "--window", 4)
    assert (err, code) == ("", 0) and f"{path} is copied to own/far.csv" in out
    assert entry()[1].file == "own/far.csv" and Path("own/far.csv").read_bytes() == path.read_bytes()
    assert "is copied" not in asked(path, "--target", "price", "--window", 4)[0]
    assert "/own/" in (ROOT / ".gitignore").read_text().splitlines()


def test_files_of_one_name_from_two_folders_are_two(project, asked):
    for number, folder in enumerate(("one", "two")):
        (project.parent / folder).mkdir()
        series(seed=number).to_csv(project.parent / folder / "far.csv", index=False)
        for _ in range(2):
            assert asked(project.parent / folder / "far.csv", "--target", "price", "--window", 4)[2] == 0
    assert {name: one.file for name, one in load().data.items() if one.own} == {"far": "own/far.csv", "far_2": "own/far_2.csv"}
    for folder, copy in (("one", "far.csv"), ("two", "far_2.csv")):
        assert (project.parent / folder / "far.csv").read_bytes() == Path("own", copy).read_bytes()


@pytest.mark.parametrize(("file", "name"), [
    ("2024.csv", "data_2024"), ("true.csv", "data_true"), ("UPPER.CSV", "upper"), (".csv", "data"), ("1e3.csv", "data_1e3"),
    ("Größe 1.csv", "gr_e_1"), ("null.csv.gz", "data_null"), ("x" * 150 + ".csv", "x" * 80), ("- a: b #.csv", "a_b")])
def test_any_name_of_a_file_gives_an_entry(project, asked, file, name):
    series().to_csv(file, index=False)
    assert asked(project / file, "--target", "price", "--window", 4)[1:] == ("", 0)
    assert entry()[0] == name and entry()[1].file == file


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to(path)])
def test_what_is_no_file_is_refused(project, asked, make):
    make(project / "a.csv")
    out, err, code = asked("a.csv", "--target", "price")
    assert code == 1 and err.startswith(("error: FILE: a.csv: ", "error: a.csv/: ")) and err.count("\n") == 1


def test_it_ends_with_the_ranking_or_with_the_failure_of_the_training(project, asked):
    series().to_csv("mine.csv", index=False)

    def reproduce():
        for name, rows in (("findings", FINDINGS), ("sets", SETS)):
            path = Path(f"results/findings/{name}.csv")
            path.parent.mkdir(parents=True, exist_ok=True)
            rows.to_csv(path, index=False, na_rep="NaN")
        return 0

    arguments = ("mine.csv", "--target", "price", "--window", 4)
    assert asked(*arguments, reproduce=lambda: 3)[2] == 3
    out, _, code = asked(*arguments, reproduce=reproduce)
    assert code == 0 and "  1  best   0.4     −20\u00a0% (−24 to −16\u00a0%)" in out and out.rstrip().endswith("own/mine.html")
    assert asked(*arguments, "--look", reproduce=lambda: 9)[2] == 0


@pytest.mark.parametrize(("file", "arguments", "expected"), [
    ("b.csv", ["--target", "price"], "FILE: b.csv: there is no such file; did you mean 'a.csv'?"),
    ("a.csv", [], "TARGET: missing; it is required: the column of a.csv"),
    ("a.csv", ["--target", "prise", "--window", 4], "a.csv: TARGET: there is no column 'prise'; allowed: when, price, "
     "wind, sky; did you mean 'price'?"),
    ("a.csv", ["--target", "price", "--horizon", 4], "HORIZON: found without WINDOW"),
    ("a.csv", ["--target", "price", "--minutes", "0.5"], "MINUTES: found '0.5'; allowed: a whole number from 1 on"),
    ("a.csv", ["--target", "price", "--window", 5000], "FILE: a.csv: found no window of 5000 rows"),
    ("a.csv", ["--target", "price", "--window", 0], "WINDOW: found '0'; allowed: a whole number from 1 on"),
    ("a.csv", ["--target", "when"], "FILE: a.csv, column 'when': found 600 classes"),
    ("a.pdf", ["--target", "price"], "params.yaml: file: found 'a.pdf', which ends in .pdf"),
    ("r.npz", ["--target", "y"], "TARGET: found 'y'; allowed: none")])
def test_a_mistake_writes_nothing(project, asked, file, arguments, expected):
    series().to_csv("a.csv", index=False)
    shutil.copy("a.csv", "a.pdf")
    np.savez("r.npz", x=np.zeros((2, 3, 1)), y=[0, 1])
    out, err, code = asked(file, *arguments)
    assert code == 1 and err.startswith(f"error: {expected}") and err.count("\n") == 1
    assert Path("params.yaml").read_text() == PARAMS


def test_a_study_that_asks_nothing_of_such_files_says_so(project, asked):
    series().to_csv("a.csv", index=False)
    Path("params.yaml").write_text(PARAMS.replace("ask: {sequences: [after], tables", "ask: {tables"))
    assert asked("a.csv", "--target", "price", "--window", 4)[1].startswith(
        "error: params.yaml, line 16: ask.sequences: missing")
