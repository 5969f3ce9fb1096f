"""An arm's runs: keys, rows, and rates are chosen as said."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from pipeline.config.task import Task
from pipeline.data.split import digest
from pipeline.tables.store import Store
from pipeline.tables.stored import COLUMNS, CURVE_COLUMNS
from pipeline.train import trainer as trainer_module
from pipeline.train.arm import Arm, DataSet, arms, select_rate
from pipeline.train.trainer import Trainer
from tests.networks import network
from tests.train.toy import a_plan, trained


def test_tables_do_not_depend_on_the_number_of_threads(data, tmp_path):
    tables = [trained(a_plan(seeds=3), data, Store(tmp_path / str(threads)), threads=threads) for threads in (1, 2)]
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


def test_what_decides_a_run_is_in_its_key(arrays):
    def key(change=None, rate=0.01, seed=3000, held=arrays, quantiles=(), **training):
        changed = a_plan(**training) | (change or {})
        changed["arms"][0]["task"]["quantiles"] = list(quantiles)
        return Arm(changed, changed["arms"][0], DataSet(held["tables"])).key(seed, rate)

    other = dict(arrays["tables"]) | {"x_3000": arrays["tables"]["x_3000"] + 1}
    elsewhere = dict(arrays["tables"]) | {"x_3001": arrays["tables"]["x_3001"] + 1}
    base = key()
    same = [key({"experiment": "other"}), key(held={"tables": elsewhere}), key(seeds=4), key(learning_rates=[0.01])]
    assert set(same) == {base}
    different = [key(rate=0.003), key(seed=3001), key(epochs=4), key(patience=2), key(batch_size=4),
                 key(optimizer="SGD"), key(scaling="none"), key(repetition=1),
                 key(train_fraction=0.5), key({"numerics": 2}), key({"custom_layers": {"Mine": "0"}}),
                 key({"versions": {"keras": "0"}}), key(held={"tables": other}),
                 key(spec=network({"Dense": {"units": 6}})), key(quantiles=[0.5])]
    assert len({base, *different}) == 1 + len(different)


def test_a_key_is_the_hash_of_all_that_decides_a_run_as_one_json(arrays):
    """As the stored keys were made: in one piece."""
    plan = a_plan() | {"custom_layers": {"Mine": "0"}}
    arm = plan["arms"][0]
    training = {name: value for name, value in arm["train"].items() if name != "learning_rates"}
    whole = {"network": arm["network"], "task": arm["task"], "train": training, "learning_rate": 0.01, "seed": 3001,
             "data": digest(arrays["tables"], 3001), "numerics": 1, "versions": plan["versions"],
             "custom_layers": plan["custom_layers"]}
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"))
    assert Arm(plan, arm, DataSet(arrays["tables"])).key(3001, 0.01) == hashlib.sha256(text.encode()).hexdigest()


def test_data_are_digested_once_a_seed_for_all_arms(arrays, monkeypatch):
    seen = []
    monkeypatch.setattr("pipeline.data.split.digest", lambda _, seed: seen.append(seed) or "0")
    plan, data = a_plan(seeds=3, variants=("a", "b")), {"tables": DataSet(arrays["tables"])}
    for arm in arms(plan, data):
        for seed in arm.seeds:
            arm.keys(seed)
    assert seen == [3000, 3001, 3002]


def test_seeds_may_keep_other_rates_and_one_that_diverged_is_not_kept(data, tmp_path, monkeypatch):
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
    runs, curves = trained(a_plan(), data, Store(tmp_path))
    assert runs.loc[runs["chosen"], "learning_rate"].tolist() == [0.003, 0.03]
    assert runs.loc[runs["learning_rate"] == 0.01, "diverged"].all()
    assert curves[["seed", "learning_rate"]].drop_duplicates().to_numpy().tolist() == [[3000, 0.003], [3001, 0.03]]


def test_a_run_ends_when_it_has_stopped_learning_and_says_so(data, tmp_path):
    patient = {"epochs": 60, "patience": 2, "learning_rates": [0.3]}
    runs, curves = trained(a_plan(**patient), data, Store(tmp_path))
    short = runs["stopped"] < 60
    assert short.any() and not runs.loc[short, "hit_limit"].any()
    assert (runs["stopped"] - runs["best_epoch"])[short].tolist() == [2] * short.sum()
    assert curves.groupby("seed")["epoch"].max().tolist() == runs["stopped"].tolist()
    limited, _ = trained(a_plan(**patient | {"epochs": 2, "patience": 2}), data, Store(tmp_path))
    np.testing.assert_array_equal(limited["hit_limit"], limited["best_epoch"] > 0)
    fixed, _ = trained(a_plan(**patient | {"epochs": 5, "patience": 0}), data, Store(tmp_path))
    assert set(fixed["stopped"]) == {5} and not fixed["hit_limit"].any()


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
    assert select_rate({rate: {"best_validation_loss": loss, "diverged": rate in diverged}
                   for rate, loss in losses.items()}) == kept
