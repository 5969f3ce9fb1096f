"""Runs that cost nothing, and a folder in which the stage can train."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.sources import make, write
from pipeline.config.schema import study_seeds
from pipeline.config.task import Task
from pipeline.train import trainer
from pipeline.train.arm import DataSet
from pipeline.train.trainer import Trainer
from tests.train.toy import a_plan


@pytest.fixture(scope="session")
def arrays():
    return {"tables": make("tabular", study_seeds(4), train=24, validation=24, test=24, features=4)}


@pytest.fixture
def data(arrays):
    return {name: DataSet(one) for name, one in arrays.items()}


@pytest.fixture
def counted(monkeypatch):
    """Runs cost nothing and are counted: their validation loss is least at the default rate."""
    rates = []

    def run(self, start, split, order, learning_rate, patience):
        rates.append(learning_rate)
        size = len(split.x_train) + len(split.x_test)
        loss = 1 + abs(np.log(learning_rate / 0.01))
        curves = np.full((len(order), 2), loss)
        prediction = np.full((size, 2), 0.5)
        return trainer.record(split, Task(2), curves, 1, prediction, prediction)

    monkeypatch.setattr(Trainer, "run", run)
    return rates


@pytest.fixture
def write_plan(tmp_path, arrays, monkeypatch):
    """A folder to work in, with a toy plan and its data; call it to write another plan."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RETRAIN", raising=False)
    write(arrays["tables"], Path("data/tables.npz"))
    Path("plan").mkdir()

    def write_plan(**changes):
        Path("plan/an_experiment.json").write_text(json.dumps(a_plan(**changes)))

    write_plan()
    return write_plan
