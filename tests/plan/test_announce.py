"""What is said before training is what is then trained, and about how long such trainings took."""

import hashlib
import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipeline.data import sources
from pipeline.plan import announce
from pipeline.plan.announce import New, agreed, duration, kind, missing, paces, said, seconds
from pipeline.tables.store import Store
from pipeline.tables.stored import RUNS, RUNS_TABLE
from pipeline.train.arm import DataSets, arms
from pipeline.train.queue import jobs
from tests.locked import lock
from tests.networks import network

DENSE, LSTM, CONV = (network(item) for item in ({"Dense": {"units": 2}}, {"LSTM": {"units": 2}},
                                                {"Conv2D": {"filters": 2, "kernel_size": 2}}))
TRAIN = {"epochs": 20, "batch_size": 8, "optimizer": "Adam", "learning_rates": [0.01, 0.1], "patience": 5}


def plan(name, spec=DENSE, seeds=3, data="table", **training):
    arm = {"variant": "", "data": data, "shape": [4], "task": {"classes": 2, "targets": 1, "quantiles": []},
           "network": spec, "train": TRAIN | training}
    return {"experiment": name, "arms": [arm], "numerics": 1, "versions": {"keras": "1"},
            "data": {data: {"digest": "0", "seeds": seeds}}}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RETRAIN", raising=False)
    arrays = sources.make("tabular", range(3000, 3008), train=16, validation=8, test=8, features=4)
    sources.write(arrays, Path("data/table.npz"))


def texts(*plans):
    return {one["experiment"]: json.dumps(one) for one in plans}


def keys(one):
    return [key for arm in arms(one, DataSets()) for seed in arm.seeds for key in arm.keys(seed).values()]


def stored(name, some):
    """A table of runs with some keys."""
    path = RUNS / name / RUNS_TABLE
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"experiment": name, "stopped": 10, "key": some}).to_csv(path, index=False)


def test_what_is_missing_is_what_the_queue_would_train(project):
    plans = [plan("one"), plan("same"), plan("other", LSTM, seeds=2), plan("longer", epochs=30)]
    new = missing(texts(*plans))
    store = Store()
    queued = jobs(plans, DataSets(), store)
    store.close()
    assert [(one.experiment, one.runs) for one in new] == [(job.plan["experiment"], len(job.runs)) for job in queued]
    # Three seeds at two rates; `same` needs no run of its own.
    assert [(one.experiment, one.kind, one.runs, one.epochs) for one in new] == [
        ("one", "others", 6, 20), ("other", "recurrent", 4, 20), ("longer", "others", 6, 30)]


def test_runs_in_any_table_or_in_the_store_are_not_missing_unless_stored_results_are_distrusted(project, monkeypatch):
    one = plan("one")
    first, second, third, *rest = keys(one)
    stored("one", [first])
    stored("gone", [second, "of another"])
    monkeypatch.setattr(Store, "keys", lambda self: {third})
    Store().folder.mkdir()
    Store().path.touch()
    assert missing(texts(one)) == [New("one", "others", len(rest), 20, True)]
    monkeypatch.setenv("RETRAIN", "1")
    assert missing(texts(one))[0].runs == len(rest) + 2


def test_of_a_plan_that_was_trained_as_it_is_no_data_are_read(project):
    text = texts(plan("one"))
    Path("plan").mkdir()
    Path("plan/one.json").write_text(text["one"])
    Path("dvc.yaml").write_text("stages: {}\n")
    lock(train_at_one=(["plan/one.json"], ["results/runs/one"]))
    assert f"md5: {hashlib.md5(text['one'].encode()).hexdigest()}" in Path("dvc.lock").read_text()
    stored("one", ["another"])
    Path("data/table.npz").unlink()
    assert missing(text) == []
    with pytest.raises(FileNotFoundError):
        missing(texts(plan("one", seeds=4)))


def test_looking_writes_nothing(project):
    before = {path for path in Path().rglob("*")}
    missing(texts(plan("one")))
    assert {path for path in Path().rglob("*")} == before


def test_what_is_being_measured_is_not_trained(project):
    assert missing(texts(plan("one") | {"being_measured": True})) == []


@pytest.mark.parametrize(("spec", "expected"), [(DENSE, "others"), (LSTM, "recurrent"), (CONV, "images")])
def test_kinds_of_networks(spec, expected):
    assert kind(spec) == expected


def timed(name, spec, seconds, trained, cores=2):
    Path("plan").mkdir(exist_ok=True)
    Path("timings").mkdir(exist_ok=True)
    Path(f"plan/{name}.json").write_text(json.dumps(plan(name, spec)))
    Path(f"timings/{name}.json").write_text(json.dumps({"seconds": seconds, "trained": trained, "cores": cores}))
    stored(name, ["a", "b"])  # of 10 epochs each


def test_the_time_is_that_of_trainings_of_such_networks_by_runs_and_epochs(project):
    timed("a", LSTM, 100, 100)
    timed("b", LSTM, 50, 200)
    timed("c", DENSE, 10, 100, cores=4)
    # Two cores busy for 100 and for 50 seconds, with 300 runs of 10 epochs.
    assert paces() == {"recurrent": (pytest.approx(300 / 3000), 10), "others": (pytest.approx(40 / 1000), 10)}
    # A run that may end before does so after as many epochs as others; one that may not has all.
    assert seconds([New("x", "recurrent", 60, 200, True)], cores=3) == pytest.approx(announce.START + 60 * 10 * 0.1 / 3)
    assert seconds([New("x", "recurrent", 60, 4, True)], cores=1) == pytest.approx(announce.START + 60 * 4 * 0.1)
    assert seconds([New("x", "others", 60, 200, False)], cores=1) == pytest.approx(announce.START + 60 * 200 * 0.04)
    assert seconds([New("x", "images", 10, 5, False)], cores=1) == pytest.approx(
        announce.START + 10 * 5 * announce.UNKNOWN[0])
    Path("timings/a.json").write_text("{")
    Path("timings/b.json").write_text('{"seconds": 3}')
    assert list(paces()) == ["others"]


@pytest.mark.parametrize(("taken", "words"), [
    (3, "1 minute"), (80, "1 minute"), (100, "2 minutes"), (5300, "88 minutes"), (5500, "2 hours"),
    (100_000, "28 hours"), (200_000, "2 days")])
def test_a_time_is_said_in_the_unit_that_suits_it(taken, words):
    assert duration(taken) == words


def test_the_line_counts_experiments_and_runs(project):
    new = [New("a", "others", 1000, 1, False), New("a", "others", 200, 1, False), New("b", "others", 1, 1, False)]
    assert said(new).startswith("to train: 2 experiments, 1,201 new runs, about 1 minute (")
    assert said(new).endswith("; Ctrl-C keeps what is done")
    assert said(new[2:]).startswith("to train: 1 experiment, 1 new run, about ")
    assert said([]) == "nothing to train: every run is stored"


@pytest.mark.parametrize(("runs", "terminal", "answer", "goes_on"), [
    (10, True, None, True), (0, True, None, True), (10 ** 7, False, None, True), (10 ** 7, True, "y", True),
    (10 ** 7, True, "Yes ", True), (10 ** 7, True, "", False), (10 ** 7, True, "no", False), (10 ** 7, True, EOFError, False)])
def test_a_person_in_a_terminal_is_asked_if_it_takes_long(project, monkeypatch, capsys, runs, terminal, answer, goes_on):
    asked = []

    def ask(text):
        asked.append(text)
        if answer is EOFError:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", ask)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    assert agreed([New("a", "others", runs, 10, False)] if runs else []) is goes_on
    assert len(asked) == (answer is not None) and capsys.readouterr().out.count("\n") == 1


def test_the_command_speaks_of_the_plans_that_are_named(project, monkeypatch, capsys):
    Path("plan").mkdir()
    for one in (plan("one"), plan("other", LSTM)):
        Path(f"plan/{one['experiment']}.json").write_text(json.dumps(one))
    for names, words in (([], "2 experiments, 12 new runs"), (["other"], "1 experiment, 6 new runs")):
        monkeypatch.setattr(sys, "argv", ["announce", *names])
        assert announce.main() == 0 and words in capsys.readouterr().out
    monkeypatch.setattr(announce, "agreed", lambda new: False)
    assert announce.main() == 1 and "nothing was trained" in capsys.readouterr().err
