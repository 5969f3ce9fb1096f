"""The queue: exactly what is missing, a network's jobs together, and nothing is kept that was not asked for."""

import json
import math
from pathlib import Path

import pytest

from pipeline.tables.store import Store
from pipeline.tables.stored import RUNS_TABLE, read_table
from pipeline.train import queue
from pipeline.train.arm import tables
from pipeline.train.queue import jobs, ordered, read_plans, train
from tests.networks import network
from tests.train.toy import FOLDER, InTurn, a_plan, content, stage, trained, with_own_data

OTHER = network({"Dense": {"units": 4}}, head=[{"Activation": "softmax"}])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_that_is_missing_is_trained_and_nothing_twice(data, folder, counted):
    plan, store = a_plan(seeds=3), Store("s")
    assert train([plan], InTurn(workers=2), data, store, None)[0] == 9 == len(counted) == store.count()
    assert train([plan], InTurn(), data, store, None)[0] == 0
    # In whatever order, and in how many pieces.
    other = Store("other")
    train([plan], InTurn(), data, other, None)
    assert content(other) == content(store)


def test_a_run_of_several_experiments_is_trained_once_and_stored_ones_never(data, folder, counted):
    plans, store = [a_plan(seeds=2), a_plan(seeds=3) | {"experiment": "another"}], Store("s")
    trained(a_plan(seeds=2, learning_rates=[0.01]), data, store)
    counted.clear()
    assert train(plans, InTurn(), data, store, None)[0] == len(counted) == 3 * 3 - 2


def test_the_layers_of_what_was_trained_come_with_it(data, folder, counted):
    plan = a_plan(variants=("", "epochs=4"))
    plan["arms"][1]["train"]["epochs"] = 4
    _, layers = train([plan], InTurn(), data, Store("s"), None)
    assert set(layers) == {("an_experiment", variant, "tables") for variant in ("", "epochs=4")}
    assert [row["class"] for row in layers["an_experiment", "", "tables"]] == [
        "InputLayer", "Dense", "BatchNormalization", "Dropout", "Dense", "Activation"]


def test_a_run_that_is_chosen_and_has_no_curves_is_trained_again(write_plan, data, counted):
    """Of a run that was not chosen the tables keep no curves, and a clone has nothing else."""
    stage("first")
    store = Store("clone")
    store.fill([FOLDER])
    assert read_table(FOLDER / RUNS_TABLE)["chosen"].sum() == 2
    counted.clear()
    # 0.01 is the best, and alone has curves; without it, a run without curves is chosen.
    plan = a_plan(learning_rates=[0.003, 0.03])
    assert train([plan], InTurn(), data, store, None)[0] == 2
    assert counted == [0.03, 0.03]
    tables(plan, data, store)


def test_a_choice_that_a_new_rate_brings_is_followed(write_plan, data, counted):
    """That an old run without curves is better than the new one shows only in a second round."""
    stage("first")
    store = Store("clone")
    store.fill([FOLDER])
    counted.clear()
    plan = a_plan(learning_rates=[0.003, 0.03, 0.1])
    assert train([plan], InTurn(), data, store, None)[0] == 4
    assert counted == [0.1, 0.1, 0.03, 0.03]
    tables(plan, data, store)


def test_jobs_of_one_network_follow_each_other_and_all_workers_have_some(data, folder, monkeypatch):
    plans = [a_plan(seeds=4), a_plan(seeds=4, spec=OTHER) | {"experiment": "b"},
             a_plan(seeds=4, batch_size=4) | {"experiment": "c"}]
    found = jobs(plans, data, Store("s"))
    assert [len(job.runs) for job in found] == [12, 12, 12]
    networks = [job.network for job in ordered([found[1], found[0], *found[1:]], workers=1)]
    assert len(set(networks)) == 2 and networks == sorted(networks, key=networks.index)
    # With few jobs for many workers, arms are cut between seeds; with many, they are left whole.
    assert len(ordered(found, workers=100)) == 12
    assert len(ordered(found * 20, workers=4)) == 60
    # One worker compiles a network once, however small its pieces are.
    monkeypatch.setattr(queue, "RUNS_A_PIECE", 6)
    for workers, count in ((1, 6), (2, 12)):
        pieces = ordered(found, workers)
        assert len(pieces) == count
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


def test_what_finished_before_a_failure_is_stored(data, folder, counted):
    class Ends(InTurn):
        def results(self, waiting, data, store):
            yield next(super().results(waiting, data, store))
            raise RuntimeError("a worker ended")

    store = Store("s")
    with pytest.raises(RuntimeError, match="a worker ended"):
        train([a_plan(seeds=4)], Ends(workers=2), data, store, None)
    assert store.count() == len(counted) == 3
    assert len(store.timings(store.keys())) == 3
    assert train([a_plan(seeds=4)], InTurn(), data, store, None)[0] == 9


# --- what workers send back --------------------------------------------------------------------

class Lies(InTurn):
    """Its answers are changed, and it stores nothing itself."""

    def __init__(self, change):
        super().__init__()
        self.change = change

    def answer(self, job, data, store):
        done = super().answer(job, data, None)
        self.change(done["records"])
        return done


def first(records):
    return next(iter(records))


def with_changed(**change):
    def apply(records):
        records[first(records)].update(change)
    return apply


@pytest.mark.parametrize(("change", "said"), [
    (lambda records: records.pop(first(records)), "lacks 1 runs"),
    (lambda records: records.clear(), "lacks 3 runs"),
    (lambda records: records.update({"f" * 64: records[first(records)]}), "holds, unasked, 1 runs, as fff"),
    (lambda records: records.update({first(records): None}), "allowed: the measures of a run"),
    (lambda records: records.update({first(records): {}}), "is missing"),
    (lambda records: records[first(records)].pop("train_curve"), "'train_curve' is missing"),
    (with_changed(best_error="0.1"), "best_error: found '0.1'"), (with_changed(trivial_error=math.nan), "trivial_error"),
    (with_changed(best_validation_loss=math.nan), "best_validation_loss"), (with_changed(best_epoch=100), "best_epoch"),
    (with_changed(test_size=-1), "test_size"), (with_changed(extra=1), "'extra' is no measure")])
def test_what_is_not_what_was_asked_for_is_refused_and_not_stored(data, folder, counted, change, said):
    store = Store("s")
    with pytest.raises(ValueError, match=f"^an_experiment on tables: what a worker sent back .*{said}"):
        train([a_plan(seeds=1)], Lies(change), data, store, None)
    assert store.count() == 0
    assert train([a_plan(seeds=1)], InTurn(), data, store, None)[0] == 3


def test_a_run_of_another_experiment_is_not_overwritten(data, folder, counted):
    store = Store("s")
    trained(a_plan(seeds=1), data, store)
    before, keys = content(store), sorted(store.keys())

    def other(records):
        records[keys[0]] = records.pop(first(records))

    with pytest.raises(ValueError, match="holds, unasked,|lacks"):
        train([a_plan(seeds=1, epochs=4)], Lies(other), data, store, None)
    assert content(store) == before


def test_an_executor_that_leaves_jobs_out_is_not_asked_for_ever(data, folder, counted):
    class Forgets(InTurn):
        def results(self, waiting, data, store):
            yield from super().results(waiting[:-1], data, store)

    store = Store("s")
    with pytest.raises(RuntimeError, match="3 runs were asked for, and no worker sent them back"):
        train([a_plan(seeds=4)], Forgets(workers=2), data, store, None)
    assert store.count() == len(counted) == 9


# --- what is seen ------------------------------------------------------------------------------

class Terminal:
    def __init__(self, is_one):
        self.is_one, self.text = is_one, ""

    def isatty(self):
        return self.is_one

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_a_bar_counts_what_is_trained_and_not_what_is_stored_and_files_get_a_line(data, folder, counted):
    store = Store("s")
    trained(a_plan(seeds=1), data, store)
    terminal = Terminal(True)
    train([a_plan(seeds=3)], InTurn(), data, store, terminal)
    assert "0/6" in terminal.text and "6/6" in terminal.text and "an_experiment" in terminal.text
    file = Terminal(False)
    train([a_plan(seeds=4), a_plan(seeds=1, epochs=4) | {"experiment": "another"}], InTurn(), data, store, file)
    assert file.text == "2 experiments: 6 runs to train\n"
    train([a_plan(seeds=4)], InTurn(), data, store, file)
    assert file.text.count("\n") == 1
