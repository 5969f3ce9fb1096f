"""A toy plan: a small network on a small table, and an executor without processes."""

import contextlib
import json
from unittest import mock

from pipeline.plan.code import pins
from pipeline.tables.store import Store
from pipeline.tables.stored import RUNS
from pipeline.train import __main__ as stage_module
from pipeline.train.arm import tables
from pipeline.train.queue import train
from pipeline.train.worker import work
from tests.networks import TRAINING, network

MLP = network({"Dense": {"units": 5, "kernel_regularizer": "l2"}}, "BatchNormalization",
              {"Dropout": {"rate": 0.3}}, head=[{"Activation": "softmax"}])
VERSIONS = pins()
FOLDER = RUNS / "an_experiment"


def a_plan(seeds=2, spec=MLP, variants=("",), **training):
    arms = [{"variant": variant, "data": "tables", "shape": [4], "task": {"classes": 2, "targets": 1, "quantiles": []}, "network": spec,
             "train": TRAINING | training} for variant in variants]
    return {"experiment": "an_experiment", "arms": arms, "numerics": 1,
            "versions": VERSIONS, "data": {"tables": {"digest": "0", "seeds": seeds}}}


def with_own_data(plan):
    """A plan with the same arms once more, on a data set `mine` of a reader's own."""
    mine = [arm | {"data": "mine"} for arm in plan["arms"]]
    return plan | {"arms": plan["arms"] + mine, "data": plan["data"] | {"mine": {"digest": "0", "seeds": 3, "own": True}}}


class InTurn:
    """An executor that does one job after the other, in this process."""

    def __init__(self, workers=1, threads=1):
        self.number, self.threads, self.done = workers, threads, []

    def workers(self, jobs):
        return self.number

    def results(self, waiting, data, store):
        for job in waiting:
            self.done.append(job)
            yield job, self.answer(job, data, store)

    def answer(self, job, data, store):
        return work(job, data[job.arm["data"]].arrays, self.threads, str(store.folder) if store else None)


def trained(plan, data, store, **executor):
    """The tables of runs and of curves, of which nothing that is stored was trained again."""
    train([plan], InTurn(**executor), data, store, None)
    return tables(plan, data, store)


def stage(store, experiment="an_experiment"):
    """What the stage does with the toy plan, but for processes and the lab record."""
    with mock.patch.object(stage_module, "executor", lambda _: contextlib.nullcontext(InTurn())), \
            mock.patch.object(stage_module, "report", lambda *_: None), contextlib.closing(Store(store)) as store:
        stage_module.experiment(experiment, store)


def text(record):
    """A record as text, in which NaN equals NaN."""
    return json.dumps(record, sort_keys=True)


def content(store):
    """All that a store holds, but for what runs took."""
    return {key: text(record) for key, record in store.find(store.keys()).items()}


def another_bit(path):
    """A bit of a file turned, as a broken disk would."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
