"""A toy plan: a small network on a small table."""

from __future__ import annotations

from pipeline.plan.code import pins
from pipeline.tables.stored import RUNS, Store, replace_folder
from pipeline.train.runs import train_plan
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


def stage(store):
    """What the stage does with the toy plan, but for the lab record."""
    with replace_folder(FOLDER):
        train_plan("plan/an_experiment.json", Store(store))


def another_bit(path):
    """A bit of a file turned, as a broken disk would."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
