"""What numbers can do to a run: each is counted in its record, and none ends the training."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pipeline.data.split import Split
from pipeline.config.task import Task
from pipeline.train.task import measures, trivial_prediction
from pipeline.train.trainer import Trainer, batch_order, record
from tests.networks import network, random_split

#: So small a rate moves no weight by as much as its last bit.
STILL = 1e-12


@pytest.fixture(scope="module")
def dead():
    """A network whose hidden units are 0 for every input, and so is what it predicts."""
    return Trainer(network({"Dense": {"units": 4, "kernel_initializer": "zeros"}}, {"Activation": "relu"}), (3,), Task(), "SGD")


@pytest.fixture(scope="module")
def split():
    return random_split((3,), 0)


def trained(trainer, split, rate=STILL, batch=8):
    return trainer.run(trainer.start(0, 0), split, batch_order(len(split.x_train), batch, 2, seed=0), rate)


def scores(found):
    names = ("best_error", "best_loss", "last_error", "last_loss", "best_validation_loss", "trivial_error")
    return [found[name] for name in names]


def test_a_dead_network_is_no_divergence_and_has_the_error_of_zero(dead, split):
    found = trained(dead, split)
    assert found["diverged"] is False and np.isfinite(scores(found)).all()
    assert found["best_error"] == pytest.approx(np.mean(split.y_test ** 2), rel=1e-5)
    assert found["trivial_error"] == pytest.approx(np.mean((split.y_test - split.y_train.mean()) ** 2), rel=1e-5)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("part", ["x_train", "y_train"])
def test_an_infinite_number_in_training_is_counted_as_divergence(dead, split, part, value):
    values = getattr(split, part).copy()
    values[0, 0] = value
    found = trained(dead, replace(split, **{part: values}))
    assert found["diverged"] is True
    # It ended with the first epoch, whose loss is not finite.
    assert len(found["train_curve"]) == 1 and not math.isfinite(found["train_curve"][0])


def test_constant_inputs_are_trained_on(dead, split):
    found = trained(dead, replace(split, x_train=np.zeros_like(split.x_train)), 0.01)
    assert found["diverged"] is False and np.isfinite(scores(found)).all()


def test_parts_of_one_sample_have_their_measures(dead, split):
    one = Split(*(values[:1] for values in (split.x_train, split.y_train, split.x_validation, split.y_validation,
                                            split.x_test, split.y_test)), split.task, split.classes)
    found = trained(dead, one, batch=1)
    assert found["diverged"] is False and found["test_size"] == 1
    assert found["best_error"] == pytest.approx(float(split.y_test[0, 0]) ** 2, rel=1e-5)


def of_classes(y_train, y_test, classes=3):
    x = np.zeros((1, 2), np.float32)
    return Split(x.repeat(len(y_train), 0), np.array(y_train, np.int32), x, np.array([0], np.int32),
                 x.repeat(len(y_test), 0), np.array(y_test, np.int32), "classes", classes)


def test_a_network_that_tells_no_class_from_another_has_the_log_loss_of_chance():
    split = of_classes([0, 1, 2, 2], [0, 1, 2, 2, 2])
    found = measures(split.y_test, np.full((5, 3), 1 / 3, np.float32), split, Task(3))
    # Of equals the first is guessed.
    assert found["error"] == pytest.approx(4 / 5) and found["loss"] == pytest.approx(math.log(3))
    assert found["calibration_error"] == pytest.approx(abs(1 / 5 - 1 / 3))


def test_the_recall_of_a_class_that_the_test_lacks_is_missing_and_the_rest_is_not():
    split = of_classes([0, 0, 1, 1, 2], [0, 1, 1])
    found = measures(split.y_test, np.eye(3, dtype=np.float32)[[0, 1, 0]], split, Task(3))
    assert math.isnan(found["minority_recall"]) and found["error"] == pytest.approx(1 / 3)
    assert np.isfinite([found["loss"], found["calibration_error"]]).all()


def test_a_class_that_training_lacks_has_a_finite_loss_for_who_guesses_by_frequency():
    split = of_classes([0, 0, 1], [2, 0])
    guess = trivial_prediction(split, 2, Task(3))
    assert guess.tolist() == [[2 / 3, 1 / 3, 0]] * 2
    found = measures(split.y_test, guess, split, Task(3))
    # A share of 0 counts as 10⁻⁷.
    assert found["loss"] == pytest.approx(-(math.log(1e-7) + math.log(2 / 3)) / 2)
    assert found["error"] == 0.5 and found["minority_recall"] == 0


@pytest.mark.parametrize("curves", [[[math.nan, math.nan]], [[0.5, math.inf]], [[0.5, 0.5], [math.inf, math.nan]]])
def test_a_loss_that_is_not_finite_is_counted_whenever_it_comes(curves):
    split = of_classes([0, 1, 2], [0, 1, 2])
    prediction = np.full((6, 3), math.nan, np.float32)
    found = record(split, Task(3), np.array(curves), 1, prediction, prediction)
    assert found["diverged"] is True and found["best_epoch"] == 1 and found["last_epoch"] == len(curves)
    assert math.isnan(found["best_error"]) and math.isfinite(found["trivial_error"])
