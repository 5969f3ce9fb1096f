"""Tables and the store of runs: whole or not at all, and exact."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from pipeline.results import (
    COLUMNS, CURVES_TABLE, CURVE_COLUMNS, MEASURES, RUNS_TABLE, Store, read_runs, read_table,
    significant, write_table, write_text)


def record(seed, epochs=3):
    """What a run measured, as training stores it."""
    generator = np.random.default_rng(seed)
    found = {name: significant(generator.random() * 10.0 ** generator.integers(-8, 8))
             for name in MEASURES}
    found |= {"diverged": seed % 2 == 0, "parameters": 17, "best_epoch": 2, "last_epoch": 3,
              "test_size": 24, "best_calibration_error": float("nan"), "last_loss": float("inf")}
    found["train_curve"] = [significant(v, 5) for v in generator.random(epochs)]
    found["validation_curve"] = [significant(v, 5) for v in generator.random(epochs)]
    return found


def tables(count=4, experiment="one", purposes=("study",)):
    """The tables of runs, and key → record."""
    rows, curves, records = [], [], {}
    for number in range(count):
        found, key = record(number), f"{number:02d}{'ab' * 31}"
        records[key] = found
        place = {"experiment": experiment, "variant": "batch_size=8" if number % 3 == 0 else "",
                 "data": "waves", "seed": 1000 + number, "learning_rate": 0.003}
        purpose = purposes[number % len(purposes)]
        rows.append(place | {"purpose": purpose, "chosen": True, "default": False, "key": key}
                    | {name: found[name] for name in MEASURES})
        if purpose == "study":
            curves += [place | {"epoch": epoch, "train_loss": a, "validation_loss": b}
                       for epoch, (a, b) in enumerate(zip(
                           found["train_curve"], found["validation_curve"], strict=True), 1)]
        else:
            del found["train_curve"], found["validation_curve"]
    return (pd.DataFrame(rows, columns=COLUMNS), pd.DataFrame(curves, columns=CURVE_COLUMNS),
            records)


def write(folder, runs, curves):
    write_table(runs, folder / RUNS_TABLE)
    write_table(curves, folder / CURVES_TABLE)


def text(value):
    """A record as text, in which NaN equals NaN."""
    return json.dumps(value, sort_keys=True)


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


@pytest.mark.parametrize(("number", "digits", "expected"), [
    (1 / 3, 6, 0.333333), (123456.789, 6, 123457.0), (1.23456789e-9, 5, 1.2346e-9), (2.0, 6, 2.0)])
def test_significant(number, digits, expected):
    assert significant(number, digits) == expected


# --- tables ------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz"])
def test_a_table_comes_back_exactly(tmp_path, name):
    runs, curves, _ = tables()
    for table in (runs, curves):
        write_table(table, tmp_path / name)
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
    write_table(runs, tmp_path / "runs.csv")
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


def test_the_words_none_and_nan_stay_text(tmp_path):
    runs, _, _ = tables()
    words = ["scaling=none", "None", "NA", "nan"]
    runs["variant"] = words
    write_table(runs, tmp_path / "runs.csv")
    assert list(read_table(tmp_path / "runs.csv")["variant"]) == words


# --- the store ---------------------------------------------------------------------------------

def test_the_store_gives_back_what_was_put(tmp_path):
    store = Store(tmp_path)
    assert store.get("ab12") is None
    store.put("ab12", record(1))
    assert text(store.get("ab12")) == text(record(1))
    assert store.get("ab13") is None
    assert text(Store(tmp_path).get("ab12")) == text(record(1))


@pytest.mark.parametrize("damage", [b"", b'{"loss": 1.', b"\xff\xfe\x00", b"\x00" * 20])
def test_a_damaged_file_counts_as_absent(tmp_path, damage):
    store = Store(tmp_path)
    store.put("ab12", record(1))
    store.path("ab12").write_bytes(damage)
    assert store.get("ab12") is None
    store.put("ab12", record(1))
    assert text(store.get("ab12")) == text(record(1))


def test_tables_fill_the_store_with_the_records_they_were_made_of(tmp_path):
    runs, curves, records = tables(6, purposes=("study", "tuning"))
    write(tmp_path / "tables", runs, curves)
    store = Store(tmp_path / "store")
    assert store.fill(tmp_path / "tables") == 6
    for key, expected in records.items():
        assert text(store.get(key)) == text(expected)
    assert store.fill(tmp_path / "tables") == 0


def test_filling_leaves_what_is_there_and_mends_what_is_damaged(tmp_path):
    runs, curves, records = tables(3)
    write(tmp_path / "tables", runs, curves)
    store = Store(tmp_path / "store")
    there, damaged, _ = records
    store.put(there, {"mine": True})
    store.put(damaged, {})
    store.path(damaged).write_bytes(b"{")
    assert store.fill(tmp_path / "tables") == 2
    assert store.get(there) == {"mine": True}
    assert text(store.get(damaged)) == text(records[damaged])


def test_filling_from_nothing_or_from_other_columns_adds_nothing(tmp_path):
    store = Store(tmp_path / "store")
    assert store.fill(tmp_path / "missing") == 0
    runs, curves, _ = tables()
    write(tmp_path / "tables", runs.drop(columns="test_size"), curves)
    assert store.fill(tmp_path / "tables") == 0


def test_a_study_run_without_its_curve_is_not_filled(tmp_path):
    runs, curves, _ = tables(4)
    write(tmp_path / "tables", runs, curves[curves["seed"] != 1002])
    assert Store(tmp_path / "store").fill(tmp_path / "tables") == 3


# --- reading -----------------------------------------------------------------------------------

def test_runs_are_read_by_name_in_the_order_asked_for(tmp_path):
    for name in ("one", "two", "left_over"):
        runs, curves, _ = tables(2, experiment=name)
        write(tmp_path / name, runs, curves)
    runs, curves = read_runs(["two", "one"], tmp_path)
    assert list(runs["experiment"]) == ["two", "two", "one", "one"]
    assert list(curves["experiment"].unique()) == ["two", "one"]
    assert list(runs.index) == [0, 1, 2, 3]
    with pytest.raises(FileNotFoundError):
        read_runs(["three"], tmp_path)
