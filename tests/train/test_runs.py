"""A plan's runs: rates are chosen as said, nothing is trained twice, and nothing damaged counts."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.tables.stored import (
    COLUMNS, CURVES_TABLE, CURVE_COLUMNS, LAYERS_TABLE, RUNS_TABLE, Damaged, Store, read_table)
from pipeline.config.experiments import Train
from pipeline.config.task import Task
from pipeline.train import trainer as trainer_module
from pipeline.train.runs import WrongVersion, _Arm, choose, hit_limit, train, train_plan
from pipeline.train.trainer import Trainer
from tests.locked import lock
from tests.networks import TRAINING, network
from tests.train.toy import FOLDER, VERSIONS, a_plan, another_bit, stage

# --- learning rates ----------------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(("losses", "diverged", "kept"), [
    ({0.001: 0.5, 0.003: 0.2, 0.01: 0.4}, (), 0.003),
    ({0.001: 0.5, 0.003: 0.2, 0.01: 0.1}, (), 0.01),
    # equal: the smaller rate, however the grid is written
    ({0.01: 0.2, 0.003: 0.2, 0.001: 0.3}, (), 0.003),
    # the loss fell lowest before it diverged
    ({0.001: 0.5, 0.003: 0.4, 0.01: 0.1}, (0.01,), 0.003),
    ({0.001: NAN, 0.003: 0.9}, (0.001,), 0.003),
    # all diverged
    ({0.001: 0.5, 0.003: 0.2, 0.01: INF}, (0.001, 0.003, 0.01), 0.003),
    ({0.001: NAN, 0.003: 0.2}, (0.001, 0.003), 0.003),
    ({0.003: NAN, 0.001: NAN}, (0.001, 0.003), 0.001),
    ({0.003: 1.0}, (), 0.003),
])
def test_a_seed_keeps_the_rate_of_least_validation_loss(losses, diverged, kept):
    assert choose({rate: {"best_validation_loss": loss, "diverged": rate in diverged}
                   for rate, loss in losses.items()}) == kept


@pytest.mark.parametrize(("best", "last", "patience", "diverged", "hit"), [
    (9, 10, 3, False, True), (10, 10, 3, False, True),
    (7, 10, 3, False, False),  # it stopped learning just then
    (4, 7, 3, False, False), (9, 10, 0, False, False), (9, 10, 3, True, False)])
def test_a_limit_is_hit_by_a_run_that_would_have_gone_on(best, last, patience, diverged, hit):
    training = Train(**TRAINING | {"epochs": 10, "patience": patience})
    assert hit_limit({"best_epoch": best, "last_epoch": last, "diverged": diverged}, training) is hit


# --- a plan's runs -----------------------------------------------------------------------------

def test_tables_do_not_depend_on_the_number_of_threads(arrays, tmp_path):
    tables = [train(a_plan(seeds=3), arrays, Store(tmp_path / str(threads)), threads=threads)
              for threads in (1, 2)]
    for one, two in zip(*tables, strict=True):
        pd.testing.assert_frame_equal(one, two, check_exact=True)
    runs, curves = tables[0]
    assert list(runs.columns) == COLUMNS and list(curves.columns) == CURVE_COLUMNS
    assert runs["key"].is_unique
    assert [*zip(runs["seed"], runs["learning_rate"])] == [
        (seed, rate) for seed in (3000, 3001, 3002) for rate in (0.003, 0.01, 0.03)]
    assert runs["best_loss"].nunique() == len(runs) and set(runs["stopped"]) == {3}
    # A seed keeps one run, and that alone has its curves.
    kept = runs[runs["chosen"]].set_index("seed")
    assert list(kept.index) == [3000, 3001, 3002]
    np.testing.assert_array_equal(kept["best_validation_loss"], runs.groupby("seed")["best_validation_loss"].min())
    assert len(curves) == 3 * len(kept)
    place = ["seed", "learning_rate"]
    least = curves.groupby(place)["validation_loss"].min()
    np.testing.assert_allclose(least, kept.set_index("learning_rate", append=True)["best_validation_loss"],
                               rtol=1e-3)  # curves are kept with fewer digits


def test_finished_runs_are_not_trained_again(arrays, tmp_path, counted):
    store = Store(tmp_path)
    first = train(a_plan(), arrays, store, threads=1)
    assert len(counted) == 2 * 3
    again = train(a_plan(), arrays, store, threads=1)
    assert len(counted) == 6
    for one, two in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(one, two)
    train(a_plan(seeds=4), arrays, store, threads=1)
    assert sorted(counted[6:]) == [0.003, 0.003, 0.01, 0.01, 0.03, 0.03]


def test_what_decides_a_run_is_in_its_key(arrays, tmp_path):
    def key(change=None, rate=0.01, seed=3000, held=arrays, quantiles=(), **training):
        changed = a_plan(**training) | (change or {})
        changed["arms"][0]["task"]["quantiles"] = list(quantiles)
        return _Arm(changed, changed["arms"][0], held["tables"], Store(tmp_path), 1,
                          None).key(seed, rate)

    other = dict(arrays["tables"]) | {"x_3000": arrays["tables"]["x_3000"] + 1}
    elsewhere = dict(arrays["tables"]) | {"x_3001": arrays["tables"]["x_3001"] + 1}
    base = key()
    same = [key({"experiment": "other"}), key(held={"tables": elsewhere}), key(seeds=4),
            key(learning_rates=[0.01])]
    assert set(same) == {base}
    different = [key(rate=0.003), key(seed=3001), key(epochs=4), key(patience=2), key(batch_size=4),
                 key(optimizer="SGD"), key(scaling="none"), key(repetition=1),
                 key(train_fraction=0.5), key({"numerics": 2}), key({"custom_layers": {"Mine": "0"}}),
                 key({"versions": {"keras": "0"}}), key(held={"tables": other}),
                 key(spec=network({"Dense": {"units": 6}})), key(quantiles=[0.5])]
    assert len({base, *different}) == 1 + len(different)


def test_a_fixed_rate_is_kept_by_every_seed(arrays, tmp_path, counted):
    runs, _ = train(a_plan(learning_rates=[0.03]), arrays, Store(tmp_path), threads=1)
    assert counted == [0.03, 0.03] and runs["chosen"].all()


def test_seeds_may_keep_other_rates_and_one_that_diverged_is_not_kept(arrays, tmp_path, monkeypatch):
    best = iter([0.003, 0.03])
    wanted = {}

    def run(self, start, split, order, learning_rate, patience):
        seed = split.x_test.tobytes()
        if seed not in wanted:
            wanted[seed] = next(best)
        curves = np.full((len(order), 2), 0.2 if learning_rate == wanted[seed] else 0.5)
        if learning_rate == 0.01:
            curves[:] = [[0.1, 0.1], [np.nan, np.nan], [np.nan, np.nan]]
        prediction = np.full((len(split.x_train) + len(split.x_test), 2), 0.5)
        return trainer_module.record(split, Task(2), curves, 1, prediction, prediction)

    monkeypatch.setattr(Trainer, "run", run)
    runs, curves = train(a_plan(), arrays, Store(tmp_path), threads=1)
    assert runs.loc[runs["chosen"], "learning_rate"].tolist() == [0.003, 0.03]
    assert runs.loc[runs["learning_rate"] == 0.01, "diverged"].all()
    assert curves[["seed", "learning_rate"]].drop_duplicates().to_numpy().tolist() == [[3000, 0.003], [3001, 0.03]]


def test_a_run_ends_when_it_has_stopped_learning_and_says_so(arrays, tmp_path):
    patient = {"epochs": 60, "patience": 2, "learning_rates": [0.3]}
    runs, curves = train(a_plan(**patient), arrays, Store(tmp_path), threads=1)
    short = runs["stopped"] < 60
    assert short.any() and not runs.loc[short, "hit_limit"].any()
    assert (runs["stopped"] - runs["best_epoch"])[short].tolist() == [2] * short.sum()
    assert curves.groupby("seed")["epoch"].max().tolist() == runs["stopped"].tolist()
    limited, _ = train(a_plan(**patient | {"epochs": 2, "patience": 2}), arrays, Store(tmp_path), threads=1)
    np.testing.assert_array_equal(limited["hit_limit"], limited["best_epoch"] > 0)
    fixed, _ = train(a_plan(**patient | {"epochs": 5, "patience": 0}), arrays, Store(tmp_path), threads=1)
    assert set(fixed["stopped"]) == {5} and not fixed["hit_limit"].any()


def test_a_run_that_is_chosen_later_gets_its_curves(write_plan, counted):
    """Of a run that was not chosen the tables keep no curves, and a clone has nothing else."""
    stage("first")
    write_plan(learning_rates=[0.003, 0.03])
    stage("first")
    assert len(counted) == 6
    write_plan()
    stage("first")
    write_plan(learning_rates=[0.03])
    stage("clone")
    assert counted[6:] == [0.03, 0.03]
    runs, curves = read_table(FOLDER / RUNS_TABLE), read_table(FOLDER / CURVES_TABLE)
    assert runs["chosen"].all() and len(curves) == 2 * 3


def test_progress_ends_complete(arrays, tmp_path, counted):
    seen = []
    train(a_plan(variants=("a", "b")), arrays, Store(tmp_path), threads=1,
                progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == 2 * 3 * 2
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_another_version_is_refused(arrays, tmp_path):
    wrong = a_plan() | {"versions": VERSIONS | {"numpy": "0.1"}}
    with pytest.raises(WrongVersion, match=r"pins numpy 0\.1, but .* installed; run `make`"):
        train(wrong, arrays, Store(tmp_path))


# --- a plan's tables ---------------------------------------------------------------------------

def test_stored_tables_count_as_finished_runs(write_plan, counted, monkeypatch):
    stage("first")
    assert len(counted) == 6
    runs = read_table(FOLDER / RUNS_TABLE)
    assert len(runs) == 6 and list(runs.columns) == COLUMNS
    assert list(read_table(FOLDER / CURVES_TABLE).columns) == CURVE_COLUMNS
    written = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    stage("clone")
    assert len(counted) == 6
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == written
    monkeypatch.setenv("RETRAIN", "1")
    stage("retrained")
    assert len(counted) == 12
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == written
    assert Path("timings/an_experiment.json").exists()


def another_digit(path):
    """A number of the table, changed by hand as an editor would."""
    text = path.read_text()
    changed = re.sub(r"\b0\.(\d)", lambda found: f"0.{(int(found[1]) + 1) % 10}", text, count=1)
    assert changed != text
    path.write_text(changed)


@pytest.mark.parametrize(("table", "damage"), [
    (RUNS_TABLE, another_digit), (CURVES_TABLE, another_bit), (LAYERS_TABLE, another_bit)])
def test_a_changed_table_is_refused_on_a_fresh_clone_and_stays(write_plan, counted, table, damage):
    stage("first")
    lock(train=(["plan/an_experiment.json"], [FOLDER]))
    damage(FOLDER / table)
    changed = (FOLDER / table).read_bytes()
    with pytest.raises(Damaged, match=r"^results/runs/an_experiment: its content is not what was stored .*`git checkout -- "
                       "results/runs/an_experiment`"):
        stage("clone")
    assert Store("clone").count() == 0 and (FOLDER / table).read_bytes() == changed


def test_no_number_of_a_changed_table_comes_back_when_its_plan_changes(write_plan, counted):
    """From the store the right runs come, and without one they are trained; a fresh clone takes what the lock says."""
    stage("store")
    lock(train=(["plan/an_experiment.json"], [FOLDER]))
    right = (FOLDER / RUNS_TABLE).read_bytes()
    write_plan(seeds=3)
    stage("clone")
    assert len(counted) == 6 + 3
    more = (FOLDER / RUNS_TABLE).read_bytes()
    for store, trained in (("store", 3), ("empty", 9)):
        counted.clear()
        (FOLDER / RUNS_TABLE).write_bytes(right)
        another_digit(FOLDER / RUNS_TABLE)
        stage(store)
        assert len(counted) == trained and (FOLDER / RUNS_TABLE).read_bytes() == more
    # As after a kill before DVC wrote its lock: the folder is new, and the lock is not.
    counted.clear()
    stage("store")
    assert not counted and (FOLDER / RUNS_TABLE).read_bytes() == more


def test_tables_that_the_lock_does_not_name_are_not_taken_for_runs(write_plan, counted):
    stage("first")
    lock(train_at_another=([], ["plan"]))
    another_digit(FOLDER / RUNS_TABLE)
    counted.clear()
    stage("clone")
    assert len(counted) == 6


def test_a_changed_table_is_made_anew_once_its_folder_is_removed(write_plan, counted):
    stage("first")
    before = (FOLDER / RUNS_TABLE).read_bytes()
    another_digit(FOLDER / RUNS_TABLE)
    shutil.rmtree(FOLDER)
    stage("clone")
    assert len(counted) == 12 and (FOLDER / RUNS_TABLE).read_bytes() == before


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
    assert len(counted) == 7 and (FOLDER / RUNS_TABLE).read_bytes() == before
