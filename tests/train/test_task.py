"""Losses, measures and constants of each task, against NumPy and scikit-learn."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss, mean_pinball_loss, mean_squared_error

from pipeline.config.task import Task
from pipeline.data.split import Split
from pipeline.network.resolve import resolve
from pipeline.train.task import loss_function, measures, task_of, trivial_prediction
from pipeline.train.trainer import Trainer, batch_order

QUANTILES = (0.1, 0.5, 0.9)


def a_split(targets=1, size=96):
    """Targets of which the first channel says the centre, and the noise has a size of its own."""
    generator = np.random.default_rng(0)
    parts = []
    for _ in range(3):
        x = generator.standard_normal((size, 4)).astype(np.float32)
        parts += [x, (x[:, :1] * np.arange(1, targets + 1) + 0.3 * generator.standard_normal((size, targets))).astype(np.float32)]
    return Split(*parts, "regression", 0)


@pytest.mark.parametrize(("task", "outputs"), [
    (Task(7), 7), (Task(), 1), (Task(targets=3), 3), (Task(targets=2, quantiles=QUANTILES), 6)])
def test_outputs(task, outputs):
    assert task.outputs == outputs


def test_the_task_is_that_of_the_targets():
    assert task_of(a_split(3)) == Task(targets=3)
    assert task_of(a_split(2), list(QUANTILES)) == Task(targets=2, quantiles=QUANTILES)
    classes = Split(*[None] * 6, "classes", 4)
    assert task_of(classes) == Task(4)


def pinball(y, prediction):
    """Of `(samples, targets)` and `(samples, targets * quantiles)`, by scikit-learn."""
    of_each = prediction.reshape(len(y), -1, len(QUANTILES))
    return np.mean([mean_pinball_loss(y, of_each[..., i], alpha=q) for i, q in enumerate(QUANTILES)])


@pytest.mark.parametrize("targets", [1, 3])
def test_pinball_loss_equals_scikit_learn(targets):
    generator = np.random.default_rng(0)
    y = generator.standard_normal((50, targets)).astype(np.float32)
    p = generator.standard_normal((50, targets * 3)).astype(np.float32)
    task = Task(targets=targets, quantiles=QUANTILES)
    assert float(loss_function(task)(tf.constant(y), tf.constant(p))) == pytest.approx(pinball(y, p), rel=1e-5)
    found = measures(y, p, a_split(targets), task)
    assert found["loss"] == found["error"] == pytest.approx(pinball(y, p), rel=1e-6)
    below = [(y[:, t] <= p.reshape(50, targets, 3)[:, t, i]).mean() - q for t in range(targets) for i, q in enumerate(QUANTILES)]
    assert found["calibration_error"] == pytest.approx(np.abs(below).mean())


def test_squared_error_of_several_targets_equals_scikit_learn():
    y, p = np.random.default_rng(0).standard_normal((2, 50, 3)).astype(np.float32)
    expected = mean_squared_error(y, p)
    task = Task(targets=3)
    assert float(loss_function(task)(tf.constant(y), tf.constant(p))) == pytest.approx(expected, rel=1e-5)
    found = measures(y, p, a_split(3), task)
    assert found["error"] == found["loss"] == pytest.approx(expected, rel=1e-5)
    assert np.isnan([found["calibration_error"], found["minority_recall"]]).all()


def test_cross_entropy_equals_scikit_learn():
    generator = np.random.default_rng(0)
    y, p = generator.integers(0, 3, 50), generator.dirichlet([1, 1, 1], 50).astype(np.float32)
    assert float(loss_function(Task(3))(tf.constant(y), tf.constant(p))) == pytest.approx(
        log_loss(y, p, labels=range(3)), rel=1e-4)


def test_the_trivial_prediction_of_targets_is_each_ones_mean():
    split = a_split(3)
    found = trivial_prediction(split, 5, Task(targets=3))
    np.testing.assert_allclose(found, np.tile([column.mean() for column in split.y_train.T], (5, 1)), rtol=1e-5)


def test_the_trivial_quantiles_have_the_least_pinball_loss_of_all_constants():
    split = a_split(2)
    task = Task(targets=2, quantiles=QUANTILES)
    found = trivial_prediction(split, 1, task)[0].reshape(2, 3)
    for target, column in enumerate(split.y_train.T.astype(np.float64)):
        for i, q in enumerate(QUANTILES):
            def loss(constant):
                return mean_pinball_loss(column, np.full(len(column), constant), alpha=q)
            best = minimize_scalar(loss, bounds=(column.min(), column.max()), method="bounded")
            assert loss(found[target, i]) == pytest.approx(best.fun, rel=0.01)


@pytest.mark.parametrize(("targets", "quantiles"), [(3, ()), (2, QUANTILES)])
def test_a_network_learns_several_targets_and_quantiles(targets, quantiles):
    split = a_split(targets)
    task = task_of(split, quantiles)
    network = {"layers": [resolve({"Dense": {"units": 8, "activation": "relu"}}, {}, "")], "head": []}
    trainer = Trainer(network, (4,), task, "Adam")
    record = trainer.run(trainer.start(0, 0), split, batch_order(96, 16, 60, 0), 0.02)
    assert record["best_error"] < 0.6 * record["trivial_error"]
    assert record["best_error"] == record["best_loss"]
    assert np.isfinite(record["best_calibration_error"]) == bool(quantiles)
    if quantiles:
        assert record["best_calibration_error"] < 0.15
