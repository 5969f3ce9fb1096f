"""Invented results are what training would have stored, to whoever reads them."""

import numpy as np
import pytest

from pipeline.data.sources import make, write
from pipeline.tables.stored import COLUMNS, CURVE_COLUMNS, MEASURES, RUNS, STORE, Store, read_runs, verify
from tools.scale.runs import arm_runs, put, store
from pipeline.config.schema import study_seeds
from pipeline.train.runs import choose, train

SEEDS, RATES = study_seeds(4), [0.002, 0.02, 0.06]


def arm(variant="", data="sequences_1", classes=0):
    return {"variant": variant, "data": data, "shape": [8, 4], "task": {"classes": classes, "targets": 1, "quantiles": []},
            "network": {"layers": [{"word": "lstm", "class": "LSTM", "arguments": {}}], "head": []},
            "train": {"epochs": 5, "batch_size": 8, "optimizer": "Adam", "learning_rates": RATES}}


def plan(*arms):
    return {"experiment": "made_up", "arms": [*arms], "numerics": 1, "versions": {},
            "data": {one["data"]: {"seeds": len(SEEDS)} for one in arms}}


def test_every_seed_keeps_the_rate_of_its_least_loss():
    runs = arm_runs("made_up", arm(), SEEDS)
    assert list(runs.columns) == COLUMNS and len(runs) == len(SEEDS) * len(RATES)
    for seed, mine in runs.groupby("seed"):
        records = {row["learning_rate"]: row for row in mine.to_dict("records")}
        assert mine.loc[mine["chosen"], "learning_rate"].tolist() == [choose(records)], seed
    assert runs["key"].is_unique


def test_of_equal_losses_one_is_kept():
    # Among so many seeds some have two rates of the same rounded loss.
    runs = arm_runs("made_up", arm(), study_seeds(60_000))
    least = runs[runs["best_validation_loss"] == runs.groupby("seed")["best_validation_loss"].transform("min")]
    assert len(least) > runs["chosen"].sum() == 60_000 == runs[runs["chosen"]]["seed"].nunique()


def test_numbers_are_measured_as_numbers_and_classes_as_classes():
    numbers, classes = (arm_runs("made_up", arm(classes=count), SEEDS) for count in (0, 3))
    np.testing.assert_array_equal(numbers["best_error"], numbers["best_loss"])
    assert numbers["best_calibration_error"].isna().all() and classes["best_calibration_error"].notna().all()
    assert (classes["best_error"] < classes["best_loss"]).all()


def test_arms_of_a_data_set_share_a_part_of_their_error():
    # Otherwise pairing seeds would gain nothing, and no verdict would be what real ones are like.
    seeds = study_seeds(200)
    one, other, elsewhere = (np.log(arm_runs(name, arm(data=data), seeds).loc[::len(RATES), "best_loss"])
                             for name, data in (("a", "sequences_1"), ("b", "sequences_1"), ("a", "sequences_2")))
    assert np.corrcoef(one, other)[0, 1] > 0.8 > 0.3 > abs(np.corrcoef(one, elsewhere)[0, 1])


def test_what_is_stored_is_whole_and_is_read_like_real_results(tmp_path):
    store(tmp_path, plan(arm(), arm(data="sequences_2")), '{"record of": "{experiment}"}')
    verify(tmp_path / RUNS / "made_up")
    runs, curves = read_runs(["made_up"], tmp_path / RUNS)
    assert list(curves.columns) == CURVE_COLUMNS and set(runs["data"]) == {"sequences_1", "sequences_2"}
    ends = curves.groupby(["data", "seed"], sort=False).size()
    assert len(ends) == runs["chosen"].sum() and set(ends) == set(runs["stopped"])
    assert "made_up" in (tmp_path / RUNS / "made_up/record.ipynb").read_text()
    # As a fresh clone fills its store from the tables.
    held = Store(tmp_path / "held")
    assert held.fill(tmp_path / RUNS / "made_up") == len(runs)


def test_training_finds_every_run_that_was_put_ahead(tmp_path, monkeypatch):
    arrays = make("forecast", SEEDS, train=16, validation=16, test=16, window=8, channels=4)
    (tmp_path / "data").mkdir()
    write(arrays, tmp_path / "data/sequences_1.npz")
    put(tmp_path, plan(arm()), )
    # Training would have to load it; there is none of that name.
    monkeypatch.setattr("pipeline.train.runs._Arm._train", lambda *_: pytest.fail("something is trained"))
    runs, curves = train(plan(arm()), {"sequences_1": arrays}, Store(tmp_path / STORE))
    assert len(runs) == len(SEEDS) * len(RATES) and runs[MEASURES].notna().any(axis=0)["best_loss"]
    assert set(curves["seed"]) == set(SEEDS)
