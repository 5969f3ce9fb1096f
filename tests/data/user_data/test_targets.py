"""Several targets of a file: each as if it were the only one, and a network that tells all of them."""

import re

import numpy as np
import pandas as pd
import pytest

from pipeline.data.split import load
from pipeline.train.task import task_of
from pipeline.train.trainer import Trainer, batch_order
from tests.networks import network
from tests.own_files import entry, made, refused


def series():
    generator = np.random.default_rng(3)
    return pd.DataFrame({name: generator.normal(size=400).cumsum().round(3) for name in ("load", "wind", "sun")})


def table():
    generator = np.random.default_rng(4)
    frame = pd.DataFrame({name: generator.normal(size=300).round(4) for name in "abc"})
    return frame.assign(sum=frame.sum(axis=1).round(4), product=(frame["a"] * frame["b"]).round(4))


@pytest.mark.parametrize(("frame", "names", "more"), [
    (series(), ["wind", "load"], {"window": 5, "horizon": 2}), (series(), ["wind", "load"], {"window": 5, "horizon": 0}),
    (table(), ["sum", "product"], {})])
def test_each_of_several_targets_is_as_if_it_were_the_only_one(project, frame, names, more):
    arrays = made(frame, target=names, **more)
    split = load(arrays, 1)
    assert split.y_train.shape[1] == 2 and split.task == "regression"
    for number, name in enumerate(names):
        others = [one for one in names if one != name]
        alone = load(made(frame, target=name, **({"leave_out": others} if not more.get("horizon") else {}), **more), 1)
        for part in ("train", "validation", "test"):
            np.testing.assert_allclose(getattr(split, f"y_{part}")[:, [number]], getattr(alone, f"y_{part}"), rtol=1e-6)
            np.testing.assert_array_equal(getattr(split, f"x_{part}"), getattr(alone, f"x_{part}"))


def test_a_window_with_a_gap_in_one_of_its_targets_is_left_out(project):
    frame = series()
    frame.loc[200, "wind"] = np.nan
    both = made(frame, target=["load", "wind"], inputs=["sun"], window=4, missing="drop")
    one = made(frame, target="wind", inputs=["sun"], window=4, missing="drop")
    np.testing.assert_array_equal(both["last"], one["last"])
    assert 199 not in both["last"] and np.isfinite(both["y"][both["last"] + 1]).all()


def test_a_network_is_trained_on_quantiles_of_several_targets(project):
    split = load(made(table(), target=["sum", "product"]), 1)
    task = task_of(split, (0.1, 0.5, 0.9))
    trainer = Trainer(network({"Dense": {"units": 4}}), split.x_train.shape[1:], task, "Adam")
    found = trainer.run(trainer.start(1, 0), split, batch_order(len(split.x_train), 16, 3, 1), 0.01)
    assert task.outputs == 6 and not found["diverged"] and 0 < found["best_error"] < found["trivial_error"] * 1.5


@pytest.mark.parametrize(("given", "expected"), [
    ({"target": ["sum", "sum"]}, "target: 'sum' stands twice"),
    ({"target": ["sum", "a"], "task": "classes"}, "task: found classes beside several targets"),
    ({"target": ["sum", "a"], "inputs": ["a"]}, "inputs: 'a' is the target"),
    ({"target": ["a"], "window": 3, "horizon": 0, "leave_out": ["a"]}, "leave_out: 'a' is the target"),
    ({"target": ["a", "b"], "recording": "c"}, "target: found [\"a\", \"b\"]; allowed of recordings: one")])
def test_a_mistake_is_named(given, expected):
    with pytest.raises(ValueError, match=re.escape(expected)):
        entry(file="a.csv", **given)


def test_a_target_that_is_not_there_or_no_number_is_named(project):
    frame = table().assign(word=["x", "y"] * 150)
    refused("did you mean 'sum'?", frame=frame, target=["product", "summ"])
    refused("column 'word': found 'x'; allowed: a number", frame=frame, target=["product", "word"])
