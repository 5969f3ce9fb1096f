"""A plan's runs: rates are chosen as said, nothing is trained twice, and nothing damaged counts."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.results import (
    COLUMNS, CURVES_TABLE, CURVE_COLUMNS, LAYERS_TABLE, RUNS_TABLE, Damaged, Store, read_table)
from pipeline.train import trainer as trainer_module
from pipeline.train.runs import (
    EXTENSIONS, WrongVersion, _Arm, choose_rate, extend, train, train_plan)
from pipeline.train.task import Task
from pipeline.train.trainer import Trainer
from tests.networks import network
from tests.train.toy import FOLDER, VERSIONS, a_plan, another_bit, stage

# --- learning rates ----------------------------------------------------------------------------

@pytest.mark.parametrize(("losses", "chosen"), [
    # gains of 0.01: -1, -1; of 0.001: 0.5 and 0.5, whose standard error is 0
    ({0.001: [0.5, 1.5], 0.003: [1.0, 2.0], 0.01: [2.0, 3.0]}, 0.001),
    # gains 1.0 and 0.0: mean 0.5, standard error 0.5; not more than one, so the default stays
    ({0.001: [0.0, 1.0], 0.003: [1.0, 1.0]}, 0.003),
    # gains 1.0 and 0.2: mean 0.6, standard error 0.4
    ({0.001: [0.0, 0.8], 0.003: [1.0, 1.0]}, 0.001),
    # both gain more than one standard error: the larger gain
    ({0.001: [0.5, 0.5], 0.003: [1.0, 1.0], 0.01: [0.2, 0.3]}, 0.01),
    # equal everywhere: the default
    ({0.001: [1.0, 1.0], 0.003: [1.0, 1.0], 0.01: [1.0, 1.0]}, 0.003),
    # two rates gain the same: the smaller rate
    ({0.01: [0.5, 0.5], 0.003: [1.0, 1.0], 0.001: [0.5, 0.5]}, 0.001),
    ({0.003: [1.0, 2.0]}, 0.003),
])
def test_choose_rate(losses, chosen):
    assert choose_rate(losses, 0.003) == chosen


@pytest.mark.parametrize(("rates", "chosen", "further"), [
    ([0.001, 0.003, 0.01], 0.003, None),
    ([0.001, 0.003, 0.01], 0.001, 0.00033),
    ([0.001, 0.003, 0.01], 0.01, 0.033),
    ([0.01, 0.001, 0.1], 0.1, 1.0),
    ([0.003], 0.003, None),
])
def test_extend(rates, chosen, further):
    assert extend(rates, chosen) == further


# --- a plan's runs -----------------------------------------------------------------------------

def test_tables_do_not_depend_on_the_number_of_threads(arrays, tmp_path):
    tables = [train(a_plan(seeds=3), arrays, Store(tmp_path / str(threads)), threads=threads)
              for threads in (1, 2)]
    for one, two in zip(*tables, strict=True):
        pd.testing.assert_frame_equal(one, two, check_exact=True)
    runs, curves = tables[0]
    assert list(runs.columns) == COLUMNS and list(curves.columns) == CURVE_COLUMNS
    assert runs["key"].is_unique
    study = runs[runs["purpose"] == "study"]
    assert set(study["seed"]) == {2000, 2001, 2002}
    assert study["best_loss"].nunique() == len(study)
    assert len(curves) == 3 * len(study)
    place = ["seed", "learning_rate"]
    least = curves.groupby(place)["validation_loss"].min().sort_index()
    kept = study.set_index(place)["best_validation_loss"].sort_index()
    np.testing.assert_allclose(least, kept, rtol=1e-3)  # curves are kept with fewer digits


def test_finished_runs_are_not_trained_again(arrays, tmp_path, counted):
    store = Store(tmp_path)
    first = train(a_plan(), arrays, store, threads=1)
    assert len(counted) == 3 * 2 + 2
    again = train(a_plan(), arrays, store, threads=1)
    assert len(counted) == 8
    for one, two in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(one, two)
    train(a_plan(seeds=4), arrays, store, threads=1)
    assert counted[8:] == [0.01, 0.01]


def test_what_decides_a_run_is_in_its_key(arrays, tmp_path):
    def key(change=None, rate=0.01, seed=2000, held=arrays, **training):
        changed = a_plan(**training) | (change or {})
        return _Arm(changed, changed["arms"][0], held["tables"], Store(tmp_path), 1,
                          None).key(seed, rate)

    other = dict(arrays["tables"]) | {"x_2000": arrays["tables"]["x_2000"] + 1}
    elsewhere = dict(arrays["tables"]) | {"x_2001": arrays["tables"]["x_2001"] + 1}
    base = key()
    same = [key({"experiment": "other"}), key(held={"tables": elsewhere}), key(seeds=4),
            key(learning_rates=[0.01]), key(tuning_seeds=3)]
    assert set(same) == {base}
    different = [key(rate=0.003), key(seed=2001), key(epochs=4), key(patience=2), key(batch_size=4),
                 key(optimizer="SGD"), key(scaling="none"), key(repetition=1),
                 key(train_fraction=0.5), key({"code": {"train": "1"}}),
                 key({"versions": {"keras": "0"}}), key(held={"tables": other}),
                 key(spec=network({"Dense": {"units": 6}}))]
    assert len({base, *different}) == 1 + len(different)


def test_how_files_are_split_is_in_the_keys_of_their_runs_alone(arrays, tmp_path):
    def key(held, **code):
        plan = a_plan()
        plan["code"] = plan["code"] | code
        return _Arm(plan, plan["arms"][0], held, Store(tmp_path), 1, None).key(2000, 0.01)

    x = np.arange(60, dtype=np.float32)[:, None]
    own = {name: np.array(value) for name, value in {
        "task": "regression", "kind": "table", "classes": 0, "train": 20, "validation": 20, "test": 20}.items()}
    own |= {"x": x, "y": x}
    assert key(arrays["tables"]) == key(arrays["tables"], files="one") == key(arrays["tables"], files="two")
    assert len({key(own), key(own, files="one"), key(own, files="two")}) == 3


def test_the_default_rate_is_studied_beside_another_choice(arrays, tmp_path, counted, monkeypatch):
    runs, _ = train(a_plan(learning_rate=0.003), arrays, Store(tmp_path), threads=1)
    study = runs[runs["purpose"] == "study"]
    assert study.groupby("learning_rate")[["chosen", "default"]].first().to_dict("index") == {
        0.003: {"chosen": False, "default": True}, 0.01: {"chosen": True, "default": False}}


def test_a_choice_at_the_edge_extends_the_grid(arrays, tmp_path, counted):
    runs, _ = train(a_plan(learning_rate=0.1, learning_rates=[0.1, 0.3]), arrays,
                          Store(tmp_path), threads=1)
    tried = sorted(runs.loc[runs["purpose"] == "tuning", "learning_rate"].unique())
    assert tried == [0.0037, 0.011, 0.033, 0.1, 0.3]
    assert set(runs.loc[runs["chosen"], "learning_rate"]) == {0.011}


def test_a_grid_is_not_extended_for_ever(arrays, tmp_path, counted):
    runs, _ = train(a_plan(learning_rate=100.0, learning_rates=[100.0, 200.0]), arrays,
                          Store(tmp_path), threads=1)
    assert runs.loc[runs["purpose"] == "tuning", "learning_rate"].nunique() == 2 + EXTENSIONS


def test_a_grid_of_one_rate_is_not_tuned(arrays, tmp_path, counted):
    runs, _ = train(a_plan(learning_rates=[0.01]), arrays, Store(tmp_path), threads=1)
    assert set(runs["purpose"]) == {"study"} and counted == [0.01, 0.01]


def test_a_diverged_tuning_run_counts_as_the_trivial_prediction(arrays, tmp_path, monkeypatch):
    def run(self, start, split, order, learning_rate, patience):
        curves = np.full((len(order), 2), 0.1 if learning_rate == 0.01 else np.nan)
        prediction = np.full((len(split.x_train) + len(split.x_test), 2), 0.5)
        return trainer_module.record(split, Task(2), curves, 1, prediction, prediction)

    monkeypatch.setattr(Trainer, "run", run)
    runs, curves = train(a_plan(learning_rate=0.03), arrays, Store(tmp_path), threads=1)
    assert set(runs.loc[runs["chosen"], "learning_rate"]) == {0.01}
    assert runs.loc[runs["learning_rate"] == 0.03, "diverged"].all()


def test_progress_ends_complete(arrays, tmp_path, counted):
    seen = []
    train(a_plan(variants=("a", "b")), arrays, Store(tmp_path), threads=1,
                progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == 2 * (3 * 2 + 2)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_another_version_is_refused(arrays, tmp_path):
    wrong = a_plan() | {"versions": VERSIONS | {"numpy": "0.1"}}
    with pytest.raises(WrongVersion, match=r"pins numpy 0\.1, but .* installed; run `make`"):
        train(wrong, arrays, Store(tmp_path))


# --- a plan's tables ---------------------------------------------------------------------------

def test_stored_tables_count_as_finished_runs(write_plan, counted, monkeypatch):
    stage("first")
    assert len(counted) == 8
    runs = read_table(FOLDER / RUNS_TABLE)
    assert len(runs) == 8 and list(runs.columns) == COLUMNS
    assert list(read_table(FOLDER / CURVES_TABLE).columns) == CURVE_COLUMNS
    written = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    stage("clone")
    assert len(counted) == 8
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == written
    monkeypatch.setenv("RETRAIN", "1")
    stage("retrained")
    assert len(counted) == 16
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == written
    assert Path("timings/an_experiment.json").exists()


def another_digit(path):
    """A number of the table, changed by hand as an editor would."""
    text = path.read_text()
    assert "0.5" in text
    path.write_text(text.replace("0.5", "0.4", 1))


@pytest.mark.parametrize(("table", "damage"), [
    (RUNS_TABLE, another_digit), (CURVES_TABLE, another_bit), (LAYERS_TABLE, another_bit)])
def test_a_changed_table_is_refused_on_a_fresh_clone_and_stays(write_plan, counted, table, damage):
    stage("first")
    damage(FOLDER / table)
    changed = (FOLDER / table).read_bytes()
    with pytest.raises(Damaged, match=rf"^results/runs/an_experiment/{table}: its content is not what "
                       r"was stored .*`git checkout -- results/runs/an_experiment`"):
        train_plan("plan/an_experiment.json", Store("clone"))
    with pytest.raises(Damaged, match=table):
        stage("clone")
    assert Store("clone").count() == 0 and (FOLDER / table).read_bytes() == changed


def test_a_changed_table_is_made_anew_once_its_folder_is_removed(write_plan, counted):
    stage("first")
    before = (FOLDER / RUNS_TABLE).read_bytes()
    another_digit(FOLDER / RUNS_TABLE)
    shutil.rmtree(FOLDER)
    stage("clone")
    assert len(counted) == 16 and (FOLDER / RUNS_TABLE).read_bytes() == before


def test_retraining_does_not_look_at_what_is_distrusted(write_plan, counted, monkeypatch):
    stage("first")
    before = (FOLDER / RUNS_TABLE).read_bytes()
    another_digit(FOLDER / RUNS_TABLE)
    monkeypatch.setenv("RETRAIN", "1")
    stage("retrained")
    assert (FOLDER / RUNS_TABLE).read_bytes() == before


def test_a_damaged_run_in_the_store_is_refused_by_name(write_plan, counted):
    stage("store")
    key = read_table(FOLDER / RUNS_TABLE)["key"].iloc[0]
    path = Store("store").path(key)
    another_digit(path)
    before = (FOLDER / RUNS_TABLE).read_bytes()
    shutil.rmtree(FOLDER)
    with pytest.raises(Damaged, match=rf"{key}\.json: its content is not what was stored; remove it"):
        stage("store")
    path.unlink()
    stage("store")
    assert len(counted) == 9 and (FOLDER / RUNS_TABLE).read_bytes() == before
