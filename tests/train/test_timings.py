"""What training took is told of the study's runs, and a full account is never overwritten by a part."""

import json
from pathlib import Path

import pytest

from pipeline.tables.store import Store
from pipeline.train import timings
from pipeline.train.arm import DataSet
from tests.train.toy import a_plan, trained, with_own_data

HOST = {"processor": "a processor", "cores": 2}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def a_table(data, plan, store, seconds=None, host=HOST, of=None):
    """The table of runs of a plan; what those took of which it shall be known."""
    runs, _ = trained(plan, data, store)
    store.note_timing(runs["key"], None, {})
    if seconds:
        store.note_timing(runs["key"][:of], seconds, host)
    return runs


def written():
    path = Path("timings/an_experiment.json")
    return json.loads(path.read_text()) if path.exists() else None


def test_what_runs_took_is_added_up(data, counted):
    plan, store = a_plan(seeds=3), Store("s")
    timings.write(plan, a_table(data, plan, store), store)
    assert written() is None
    runs = a_table(data, plan, store, seconds=0.25)
    store.note_timing(runs["key"][:2], 1.0, {"cores": 64})
    timings.write(plan, runs, store)
    assert written() == {"seconds": 3.8, "trained": 9, "runs": 9, **HOST, **plan["versions"]}


def test_a_part_does_not_take_the_place_of_more(data, counted):
    plan, store = a_plan(seeds=3), Store("s")
    for of, kept in ((4, 4), (2, 4), (6, 6), (9, 9), (5, 9), (None, 9)):
        timings.write(plan, a_table(data, plan, store, seconds=0.5, of=of), store)
        assert written()["trained"] == kept
    # An account of fewer runs is a full one once the experiment has no more.
    fewer = a_plan(seeds=2)
    timings.write(fewer, a_table(data, fewer, store, seconds=0.5, of=5), store)
    assert written()["runs"] == 9
    timings.write(fewer, a_table(data, fewer, store, seconds=0.5), store)
    assert (written()["trained"], written()["runs"]) == (6, 6)


def test_what_a_readers_own_data_took_is_no_part_of_it(arrays, counted):
    plan, store = with_own_data(a_plan(seeds=2)), Store("s")
    plan["arms"][1]["train"] = plan["arms"][1]["train"] | {"epochs": 4}
    data = {name: DataSet(arrays["tables"]) for name in ("tables", "mine")}
    timings.write(plan, a_table(data, plan, store, seconds=0.5), store)
    assert (written()["trained"], written()["runs"], written()["seconds"]) == (6, 6, 3.0)


def test_training_notes_what_it_took(data, counted):
    store = Store("s")
    runs, _ = trained(a_plan(), data, store)
    found = store.timings(runs["key"])
    assert len(found) == 6 and all(seconds > 0 and "instructions" in host for seconds, host in found.values())
