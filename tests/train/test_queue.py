"""The queue: exactly what is missing, a network's jobs together, every run in the store as it is."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.tables.stored import RUNS_TABLE, Store, read_table
from pipeline.train import missing, queue
from pipeline.train.queue import OtherCode, jobs, ordered, read_plans, train_all, work
from pipeline.train.runs import WrongVersion, train
from tests.networks import network
from tests.train.toy import FOLDER, a_plan, stage, with_own_data

OTHER = network({"Dense": {"units": 4}}, head=[{"Activation": "softmax"}])


class InTurn:
    """An engine that does one job after the other, here."""

    def __init__(self, workers=1):
        self.workers, self.done = workers, []

    def results(self, waiting, data, store):
        for job in waiting:
            self.done.append(job)
            yield job, work(job, data[job.arm["data"]])


def content(store):
    return {path.name: path.read_bytes() for path in store.folder.glob("*/*.json")}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_queue_leaves_the_same_store_as_the_stage(arrays, folder, counted):
    plan = a_plan(seeds=3)
    train(plan, arrays, Store("stage"), threads=1)
    assert train_all([plan], arrays, Store("queue"), InTurn(workers=2)) == 9
    assert content(Store("queue")) == content(Store("stage"))
    counted.clear()
    train(plan, arrays, Store("queue"), threads=1)
    assert not counted
    assert train_all([plan], arrays, Store("queue"), InTurn()) == 0


def test_a_run_of_several_experiments_is_trained_once_and_stored_ones_never(arrays, folder, counted):
    plans = [a_plan(seeds=2), a_plan(seeds=3) | {"experiment": "another"}]
    train(a_plan(seeds=2, learning_rates=[0.01]), arrays, Store("s"), threads=1)
    counted.clear()
    assert train_all(plans, arrays, Store("s"), InTurn()) == len(counted) == 3 * 3 - 2
    assert json.loads(Path("timings/an_experiment.json").read_text())["trained"] == 4
    about = json.loads(Path("timings/another.json").read_text())
    assert (about["trained"], about["runs"]) == (3, 9) and {"seconds", "processor", "keras"} <= about.keys()


def test_a_run_that_is_chosen_and_has_no_curves_is_trained_again(write_plan, arrays, counted):
    """Of a run that was not chosen the tables keep no curves, and a clone has nothing else."""
    write_plan()
    stage("first")
    store = Store("clone")
    store.fill(FOLDER)
    assert read_table(FOLDER / RUNS_TABLE)["chosen"].sum() == 2
    counted.clear()
    # 0.01 is the best, and alone has curves; without it, a run without curves is chosen.
    plan = a_plan(learning_rates=[0.003, 0.03])
    assert train_all([plan], arrays, store, InTurn()) == 2
    assert counted == [0.03, 0.03]
    counted.clear()
    train(plan, arrays, store, threads=1)
    assert not counted


def test_a_choice_that_a_new_rate_brings_is_followed(write_plan, arrays, counted):
    """That an old run without curves is better than the new one shows only in a second round."""
    stage("first")
    store = Store("clone")
    store.fill(FOLDER)
    counted.clear()
    plan = a_plan(learning_rates=[0.003, 0.03, 0.1])
    train_all([plan], arrays, store, InTurn())
    assert counted == [0.1, 0.1, 0.03, 0.03]
    counted.clear()
    train(plan, arrays, store, threads=1)
    assert not counted


def test_jobs_of_one_network_follow_each_other_and_all_workers_have_some(arrays, folder):
    plans = [a_plan(seeds=4), a_plan(seeds=4, spec=OTHER) | {"experiment": "b"},
             a_plan(seeds=4, batch_size=4) | {"experiment": "c"}]
    found = list(jobs(plans, arrays, Store("s")))
    assert [len(job.runs) for job in found] == [12, 12, 12]
    networks = [job.network for job in ordered([found[1], found[0], *found[1:]], workers=1)]
    assert len(set(networks)) == 2 and networks == sorted(networks, key=networks.index)
    # With few jobs for many workers, arms are cut between seeds; with many, they are left whole.
    assert len(ordered(found, workers=100)) == 12
    assert len(ordered(found * 20, workers=4)) == 60
    pieces = ordered(found, workers=1)
    assert len(pieces) == 6
    for job in pieces:
        assert len(job.runs) == 3 * len({seed for _, seed, _ in job.runs})
    assert sorted(run for job in pieces for run in job.runs) == sorted(run for job in found for run in job.runs)


def test_what_is_being_measured_elsewhere_is_left_alone(folder):
    Path("plan").mkdir()
    for name, more in (("a", {}), ("b", {"being_measured": True}), ("c", {"being_measured": False})):
        Path(f"plan/{name}.json").write_text(json.dumps(a_plan() | {"experiment": name} | more))
    assert [plan["experiment"] for plan in read_plans()] == ["a", "c"]


def test_own_data_do_not_wait_for_what_is_being_measured(folder):
    Path("plan").mkdir()
    plan = a_plan() | {"being_measured": True}
    Path("plan/a.json").write_text(json.dumps(with_own_data(plan)))
    found, = read_plans()
    assert [arm["data"] for arm in found["arms"]] == [*found["data"]] == ["mine"]
    # Once it is no longer on the list, all of it is trained.
    Path("plan/a.json").write_text(json.dumps(with_own_data(a_plan())))
    assert read_plans() == [with_own_data(a_plan())]


def test_what_finished_before_a_failure_is_stored(arrays, folder, counted):
    class Ends(InTurn):
        def results(self, waiting, data, store):
            first, *_ = waiting
            yield first, work(first, data["tables"])
            raise RuntimeError("a worker ended")

    store = Store("s")
    with pytest.raises(RuntimeError, match="a worker ended"):
        train_all([a_plan(seeds=4)], arrays, store, Ends())
    assert store.count() == len(counted) == 3
    assert json.loads(Path("timings/an_experiment.json").read_text())["trained"] == 3
    assert train_all([a_plan(seeds=4)], arrays, store, InTurn()) == 9


def test_a_worker_with_other_packages_or_other_code_is_refused(arrays):
    plan = a_plan()
    job = next(jobs([plan | {"versions": plan["versions"] | {"keras": "0.1"}}], arrays, Store("none")))
    with pytest.raises(WrongVersion, match=r"pins keras 0\.1"):
        work(job, arrays["tables"])
    job = replace(next(jobs([plan], arrays, Store("none"))), code="other")
    with pytest.raises(OtherCode, match="check out the same commit"):
        work(job, arrays["tables"])


def test_the_code_of_a_worker_is_told_by_every_byte_of_it(tmp_path, monkeypatch):
    for name in ("data/load.py", "network/layers/own.py", "config/errors.py", "train/runs.py", "tables/stored.py", "book/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1\n")
    monkeypatch.setattr(queue, "PACKAGE", tmp_path)
    before = queue.code()
    (tmp_path / "book/x.py").write_text("2\n")
    assert queue.code() == before
    seen = {before}
    for name in ("tables/stored.py", "network/layers/own.py"):
        (tmp_path / name).write_text("2\n")
        seen.add(queue.code())
    assert len(seen) == 3


def test_what_a_readers_own_data_took_is_not_written_down(arrays, folder, counted):
    plan = a_plan(seeds=2)
    plan["data"] |= {"mine": {"digest": "1", "seeds": 2, "own": True}}
    plan["arms"].append(plan["arms"][0] | {"data": "mine", "train": plan["arms"][0]["train"] | {"epochs": 4}})
    assert train_all([plan], arrays | {"mine": arrays["tables"]}, Store("s"), InTurn()) == 12
    about = json.loads(Path("timings/an_experiment.json").read_text())
    assert (about["trained"], about["runs"]) == (6, 6)


def test_the_command_says_what_there_is_to_do(write_plan, counted, monkeypatch, capsys):
    monkeypatch.delenv("CLUSTER", raising=False)
    monkeypatch.setattr("pipeline.train.engines.Here.results", lambda _, *given: InTurn().results(*given))
    assert missing.main() == 0
    assert "6 runs trained; `make book` shows them" in capsys.readouterr().out
    assert missing.main() == 0
    assert "no run is missing" in capsys.readouterr().out
    stage(Store().folder)
    assert len(counted) == 6
    Path("plan/an_experiment.json").unlink()
    assert missing.main() == 1
    assert "there is no plan to train" in capsys.readouterr().err
