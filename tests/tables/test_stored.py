"""Tables and folders: whole or not at all, and exact."""

import errno
import gzip
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.config.schema import load
from pipeline.tables.run_record import MEASURES
from pipeline.tables.schemas import FOUND, STORED
from pipeline.tables.stored import (
    COLUMNS, CURVES_TABLE, CURVE_COLUMNS, Damaged, RUNS_TABLE, building, in_units_of_targets, read_json, read_table, records,
    remove_temporary, replace_folder, significant, write_bytes, write_table, write_tables, write_text)


def record(seed, epochs=3):
    """What a run measured, as training stores it: of no meaning, but such as a run can be."""
    generator = np.random.default_rng(seed)
    found = {name: significant(generator.random() * 10.0 ** generator.integers(-8, 8)) for name in MEASURES}
    found["train_curve"] = [significant(v, 5) for v in generator.random(epochs)]
    found["validation_curve"] = [0.75, significant(0.5 * generator.random(), 4), 0.75]
    found |= {name: significant(generator.random()) for name in ("last_calibration_error", "last_minority_recall")}
    return found | {
        "diverged": seed % 2 == 0, "parameters": 17, "best_epoch": 2, "last_epoch": epochs, "test_size": 24,
        "best_validation_loss": found["validation_curve"][1], "best_minority_recall": 1.0,
        "best_calibration_error": float("nan"), "last_loss": float("inf")}


def tables(count=4, experiment="one", chosen=(True,)):
    """The tables of runs, and key → record."""
    rows, curves, records = [], [], {}
    for number in range(count):
        found, key = record(number), f"{number:02d}{'ab' * 31}"
        records[key] = found
        place = {"experiment": experiment, "variant": "batch_size=8" if number % 3 == 0 else "",
                 "data": "waves", "seed": 1000 + number, "learning_rate": 0.003}
        kept = chosen[number % len(chosen)]
        rows.append(place | {"chosen": kept, "stopped": 3, "hit_limit": False, "key": key}
                    | {name: found[name] for name in MEASURES})
        if kept:
            curves += [place | {"epoch": epoch, "train_loss": a, "validation_loss": b}
                       for epoch, (a, b) in enumerate(zip(
                           found["train_curve"], found["validation_curve"], strict=True), 1)]
        else:
            del found["train_curve"], found["validation_curve"]
    return (pd.DataFrame(rows, columns=COLUMNS), pd.DataFrame(curves, columns=CURVE_COLUMNS), records)


def write(folder, runs, curves):
    write_tables(folder, {RUNS_TABLE: runs, CURVES_TABLE: curves})


# --- files -------------------------------------------------------------------------------------

def test_write_text_makes_folders_and_replaces(tmp_path):
    path = tmp_path / "a" / "b" / "file.txt"
    write_text(path, "one\n")
    write_text(path, "zwö\n")
    assert path.read_bytes() == "zwö\n".encode()
    assert os.listdir(path.parent) == ["file.txt"]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "file.txt"
    write_text(path, "old\n")

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="no space left"):
        write_text(path, "new\n")
    assert path.read_text() == "old\n"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_what_a_killed_write_left_is_removed_and_nothing_else(tmp_path):
    code = ("import os, signal, sys; from pathlib import Path; from pipeline.tables.stored import write_bytes\n"
            "os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL); write_bytes(Path(sys.argv[1]), b'new')")
    write_bytes(tmp_path / "a.npz", b"old")
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.npz"], env=os.environ | {"PYTHONPATH": os.getcwd()})
    assert done.returncode == -9 and len(os.listdir(tmp_path)) == 2
    for name in (".building", ".gitkeep", "b.csv"):
        (tmp_path / name).write_text("x")
    remove_temporary(tmp_path)
    assert set(os.listdir(tmp_path)) == {"a.npz", ".building", ".gitkeep", "b.csv"}
    assert (tmp_path / "a.npz").read_bytes() == b"old"
    remove_temporary(tmp_path / "missing")


def test_a_disk_that_is_full_is_told_with_the_file(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError) as error:
        write_bytes(tmp_path / "a.npz", b"new")
    assert error.value.filename == str(tmp_path / "a.npz") and not os.listdir(tmp_path)


@pytest.mark.parametrize(("number", "digits", "expected"), [
    (1 / 3, 6, 0.333333), (123456.789, 6, 123457.0), (1.23456789e-9, 5, 1.2346e-9), (2.0, 6, 2.0)])
def test_significant(number, digits, expected):
    assert significant(number, digits) == expected


# --- tables ------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz"])
def test_a_table_comes_back_exactly(tmp_path, name):
    runs, curves, _ = tables()
    for table in (runs, curves):
        write_tables(tmp_path, {name: table})
        pd.testing.assert_frame_equal(read_table(tmp_path / name), table, check_exact=True)


def test_a_table_has_the_same_bytes_every_time(tmp_path):
    runs, _, _ = tables()
    for name in ("one.csv.gz", "two.csv.gz"):
        write_table(runs, tmp_path / name)
    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "two.csv.gz").read_bytes()
    write_table(read_table(tmp_path / "one.csv.gz"), tmp_path / "again.csv.gz")
    assert (tmp_path / "again.csv.gz").read_bytes() == (tmp_path / "one.csv.gz").read_bytes()


def test_empty_text_is_text_and_an_empty_number_is_nan(tmp_path):
    runs, _, _ = tables()
    runs["variant"] = ""
    runs["best_calibration_error"] = np.nan
    write_tables(tmp_path, {"runs.csv": runs})
    found = read_table(tmp_path / "runs.csv")
    assert (found["variant"] == "").all()
    assert found["best_calibration_error"].isna().all()
    assert found["diverged"].dtype == bool


def test_a_name_made_of_digits_stays_text(tmp_path):
    runs, curves, _ = tables(experiment="007")
    runs["data"] = curves["data"] = "12"
    write(tmp_path, runs, curves)
    pd.testing.assert_frame_equal(read_table(tmp_path / RUNS_TABLE), runs)
    pd.testing.assert_frame_equal(read_table(tmp_path / CURVES_TABLE), curves)


def test_readings_that_are_all_true_or_false_stay_text(tmp_path):
    write_tables(tmp_path, {"readings.csv": pd.DataFrame({"slug": ["a", "b"], "reading": ["true", "false"],
                                                         "reads": ["true", "false"]})})
    found = read_table(tmp_path / "readings.csv")
    assert list(found["reading"]) == list(found["reads"]) == ["true", "false"]


def test_the_words_none_and_nan_stay_text(tmp_path):
    runs, _, _ = tables()
    words = ["scaling=none", "None", "NA", "nan"]
    runs["variant"] = words
    write_tables(tmp_path, {"runs.csv": runs})
    assert list(read_table(tmp_path / "runs.csv")["variant"]) == words


def test_json_that_is_none_is_named(tmp_path):
    for damage in ("{", "[" * 100_000, "\0"):
        (tmp_path / "a.json").write_text(damage)
        with pytest.raises(Damaged, match="a.json: it is no JSON"):
            read_json(tmp_path / "a.json")


# --- folders -----------------------------------------------------------------------------------

@pytest.fixture
def folder(tmp_path):
    """A folder with the tables of an experiment, and a file that nobody reads as a table."""
    runs, curves, _ = tables()
    write_tables(tmp_path / "one", {RUNS_TABLE: runs, CURVES_TABLE: curves}, {"record.ipynb": "{}\n"})
    return tmp_path / "one"


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_folder_is_replaced_whole_and_loses_what_is_no_longer_stored(folder):
    (folder / ".DS_Store").write_text("x")
    with replace_folder(folder) as new:
        (new / "two.csv").write_text("a\n")
        assert (folder / RUNS_TABLE).exists() and not (folder / "two.csv").exists()
    assert content(folder) == {"two.csv": b"a\n", ".DS_Store": b"x"}


def test_a_replacement_that_fails_leaves_the_old_content(folder):
    before = content(folder)
    with pytest.raises(KeyError), replace_folder(folder) as new:
        (new / "two.csv").write_text("a\n")
        raise KeyError
    assert content(folder) == before
    with pytest.raises(KeyError), replace_folder(folder.parent / "new"):
        raise KeyError
    assert not (folder.parent / "new").exists()


KILLED = """
import os, pathlib, signal, sys
from pipeline.tables.stored import replace_folder
left = int(sys.argv[2])

def or_killed(step):
    def wrapped(*given, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*given, **named)
    return wrapped

with replace_folder(pathlib.Path(sys.argv[1])) as new:
    (new / "runs.csv").write_text("new")
    (new / "layers.csv").write_text("new, too")
    os.replace, os.rmdir, os.unlink = or_killed(os.replace), or_killed(os.rmdir), or_killed(os.unlink)
    pathlib.Path.rename = or_killed(pathlib.Path.rename)
    pathlib.Path.unlink = or_killed(pathlib.Path.unlink)
"""


@pytest.mark.parametrize("steps", range(11))
def test_a_kill_at_any_step_leaves_the_old_content_or_the_new(folder, steps):
    """Steps: the list of names, the folder's renaming, old files go, new ones come, the list and the folder go."""
    old = content(folder)
    done = subprocess.run([sys.executable, "-c", KILLED, folder, str(steps)], env=os.environ | {"PYTHONPATH": os.getcwd()})
    assert done.returncode == (-9 if steps < 10 else 0)
    with pytest.raises(KeyError), replace_folder(folder):  # The next write finds a whole folder.
        raise KeyError
    found = content(folder)
    assert found == old or found == {RUNS_TABLE: b"new", "layers.csv": b"new, too"}
    assert (found == old) == (steps < 2) and not building(folder).exists()


def test_errors_of_numbers_are_shown_as_roots_and_those_of_classes_and_quantiles_as_they_are():
    table = pd.DataFrame({
        "experiment": ["mean", "mean", "classes", "classes", "quantiles"], "data": ["series", "series", "pool", "pool", "series"],
        "best_error": [0.25, math.nan, 0.25, math.nan, 0.25], "last_error": [4.0, math.nan, 0.5, math.nan, 0.5],
        "trivial_error": [1.44, 1.44, 0.5, 0.5, 0.81], "trivial_loss": [1.44, 1.44, 0.69, 0.69, 0.81],
        "best_calibration_error": [math.nan, math.nan, 0.1, math.nan, 0.05]})
    kept = table.copy()
    found = in_units_of_targets(table)
    assert found["trivial_error"].tolist() == pytest.approx([1.2, 1.2, 0.5, 0.5, 0.81])
    assert found["best_error"].dropna().tolist() == pytest.approx([0.5, 0.25, 0.25])
    assert found["last_error"].dropna().tolist() == pytest.approx([2.0, 0.5, 0.5])
    pd.testing.assert_frame_equal(table, kept)


def test_rows_are_those_of_pandas_of_plain_values():
    table = pd.DataFrame({"name": ["a", None], "count": [1, 2], "y": [0.5, math.nan], "found": [True, False],
                          "of": [[1, 2], {"b": 3}]}, index=[7, 7])
    found, theirs = records(table), table.to_dict("records")
    assert repr(found) == repr(theirs)
    assert [type(value) for value in found[0].values()] == [str, int, float, bool, list]


def test_rows_of_an_empty_table_and_of_one_kind_of_numbers():
    table = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    assert records(table) == [{"a": 1, "b": 3}, {"a": 2, "b": 4}] and type(records(table)[0]["a"]) is int
    assert records(table.iloc[:0]) == []


@pytest.mark.parametrize("name", STORED)
def test_what_is_stored_has_the_columns_of_the_contract(name):
    params, table = load(), STORED[name]
    owners = params.probe.experiments if name == "measures" else params.experiments
    if name == "layers":  # Which training writes; nothing is trained of what is being measured.
        owners = [owner for owner in owners if owner not in params.being_measured]
    paths = {table.path(owner) for owner in owners}
    if name in ("disturbances", "scale"):  # Nothing is made from these, so a study may be without.
        paths = {path for path in paths if path.exists()}
    for path in paths:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
            assert file.readline().rstrip("\n").split(",") == list(table.columns), path


def test_every_stored_table_is_in_the_contract():
    known = {path for name in load().experiments for path in (one.path(name) for one in STORED.values())}
    stored = {path for kind in ("*.csv", "*.csv.gz") for path in Path("results").rglob(kind)}
    assert stored <= known | {table.path() for table in FOUND.values()}
