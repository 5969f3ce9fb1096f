"""The trainer is equal to Keras' own loop, and a seed decides its run."""

import copy

import keras
import numpy as np
import pytest
from sklearn.metrics import log_loss

from pipeline.config.task import Task
from pipeline.data.split import Split
from pipeline.network.model import build
from pipeline.tables.run_record import MEASURES
from pipeline.train import trainer as trainer_module
from pipeline.train.task import measures
from pipeline.train.trainer import Trainer, batch_order
from tests.networks import network, random_split

CNN_LSTM = network(
    {"Conv1D": {"filters": 3, "kernel_size": 3, "padding": "causal"}}, "BatchNormalization",
    {"Activation": "relu"}, {"Dropout": {"rate": 0.3}},
    {"LSTM": {"units": 3, "recurrent_dropout": 0.2}})
MLP = network({"Dense": {"units": 5, "kernel_regularizer": "l2"}}, "BatchNormalization",
              {"Dropout": {"rate": 0.3}}, head=[{"Activation": "softmax"}])


@pytest.fixture(scope="module")
def mlp():
    """A trainer of the classifier, shared because compiling it takes longest."""
    return Trainer(MLP, (4,), Task(2), {"SGD": {"momentum": 0.9}})


@pytest.fixture(scope="module")
def mlp_split():
    return random_split((4,), 2)


# --- the epoch function against Keras' fit -----------------------------------------------------

@pytest.mark.parametrize(("spec", "shape", "classes", "optimizer"), [
    (CNN_LSTM, (6, 4), 0, "Adam"),
    (MLP, (4,), 2, {"SGD": {"momentum": 0.9, "nesterov": True}}),
], ids=["cnn_lstm", "mlp"])
def test_epochs_equal_keras_fit(spec, shape, classes, optimizer):
    split = random_split(shape, classes)
    order = batch_order(24, 8, 4, seed=3)
    trainer = Trainer(spec, shape, Task(classes), optimizer)
    # Not `run`: its record keeps five digits.
    curves = raw_curves(trainer, trainer.start(3, 0), split, order, 0.01)

    name, arguments = (optimizer, {}) if isinstance(optimizer, str) else [*optimizer.items()][0]
    reference = build(spec, shape, classes or 1, 3, 0)
    pure = "SparseCategoricalCrossentropy" if classes else "MeanSquaredError"
    # The metric is the loss without the penalty of a regulariser.
    reference.compile(getattr(keras.optimizers, name)(learning_rate=0.01, **arguments),
                      loss=getattr(keras.losses, pure)(), jit_compile=True,
                      weighted_metrics=[getattr(keras.metrics, pure)(name="metric")])
    fit = {"loss": [], "validation": []}
    for epoch in order:
        rows = epoch.ravel()
        logs = reference.fit(split.x_train[rows], split.y_train[rows], batch_size=8, shuffle=False,
                             validation_data=(split.x_validation, split.y_validation),
                             validation_batch_size=24, verbose=0).history
        fit["loss"] += logs["metric"]
        fit["validation"] += logs["val_metric"]
    np.testing.assert_allclose(curves[:, 0], fit["loss"], rtol=1e-5)
    np.testing.assert_allclose(curves[:, 1], fit["validation"], rtol=1e-5)
    for ours, theirs in zip(trainer.model.variables, reference.variables, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-4, atol=1e-5)


def raw_curves(trainer, start, split, order, rate, patience=0):
    """A run's curves, not rounded; leaves the weights of the last epoch in the network."""
    trainer._begin(trainer._variables, start, rate)
    return trainer._epochs(trainer._variables, split, order, patience)


# --- a run -------------------------------------------------------------------------------------

def test_a_seed_decides_a_run(mlp, mlp_split):
    def run(seed, repetition=0):
        order = batch_order(24, 8, 4, seed, repetition)
        return mlp.run(mlp.start(seed, repetition), mlp_split, order, 0.01)

    first = run(1)
    assert run(2) != first
    assert run(1, repetition=1) != first
    assert run(1) == first  # and nothing of the runs between is left


def test_best_is_the_state_at_the_least_validation_loss(mlp, mlp_split):
    # The validation labels are turned round, so that learning soon makes them worse.
    turned = copy.copy(vars(mlp_split)) | {"y_validation": 1 - mlp_split.y_validation}
    split = Split(**turned)
    order = batch_order(24, 8, 4, seed=5)
    record = mlp.run(mlp.start(5, 0), split, order, 0.1)
    best = record["best_epoch"]
    assert best < 4 == record["last_epoch"]
    assert record["validation_curve"][best - 1] == min(record["validation_curve"])
    shorter = mlp.run(mlp.start(5, 0), split, order[:best], 0.1)
    assert shorter["last_epoch"] == best
    for measure in ("error", "loss", "calibration_error", "minority_recall", "train_loss",
                    "validation_loss"):
        assert record[f"best_{measure}"] == pytest.approx(shorter[f"last_{measure}"], rel=1e-5)
    assert record["last_loss"] != record["best_loss"]
    assert record["train_curve"][:best] == pytest.approx(shorter["train_curve"])


def test_a_record_holds_what_the_tables_need(mlp, mlp_split):
    record = mlp.run(mlp.start(1, 0), mlp_split, batch_order(24, 8, 4, 1), 0.01)
    assert list(record) == [*MEASURES, "train_curve", "validation_curve"]
    assert record["parameters"] == 4 * 5 + 5 + 4 * 5 + 5 * 2 + 2
    assert record["test_size"] == 24
    majority = np.bincount(mlp_split.y_train).argmax()
    frequencies = np.bincount(mlp_split.y_train) / 24
    assert record["trivial_error"] == pytest.approx(np.mean(mlp_split.y_test != majority), rel=1e-5)
    assert record["trivial_loss"] == pytest.approx(
        log_loss(mlp_split.y_test, np.tile(frequencies, (24, 1))), rel=1e-5)


@pytest.mark.parametrize(("curve", "epoch"), [
    ([3.0, 1.0, 1.0, 2.0], 2), ([np.nan, 2.0, np.inf, 3.0], 2), ([np.nan] * 4, 1)])
def test_the_best_epoch_is_the_earliest_of_the_least(curve, epoch):
    split = random_split((4,), 0)
    prediction = np.zeros((48, 1), np.float32)
    curves = np.column_stack([np.ones(4), curve])
    record = trainer_module.record(split, Task(), curves, 7, prediction, prediction)
    assert record["best_epoch"] == epoch
    assert record["diverged"] == (not np.isfinite(curve).all())


# --- measures ----------------------------------------------------------------------------------


def test_calibration_error_by_hand():
    # Bins of width 1/15. 0.90 and 0.92 share the bin [13/15, 14/15), 0.60 lies in [9/15, 10/15),
    # 1.00 in the last. Accuracies 1/2, 1, 0; confidences 0.91, 0.60, 1.00; weights 2, 1, 1.
    confidence = np.array([0.90, 0.92, 0.61, 1.00])
    prediction = np.column_stack([confidence, 1 - confidence])
    y = np.array([0, 1, 0, 1])
    split = Split(None, y, None, None, None, y, "classes", 2)
    expected = (2 * abs(1 / 2 - 0.91) + abs(1 - 0.61) + abs(0 - 1.00)) / 4
    assert measures(y, prediction, split, Task(2))["calibration_error"] == pytest.approx(expected)


def test_measures_of_certainty_that_is_wrong_are_finite_and_those_of_nothing_finite_are_missing():
    y = np.array([0, 1])
    split = Split(None, y, None, None, None, y, "classes", 2)
    assert np.isfinite(measures(y, np.array([[0.0, 1.0], [0.0, 1.0]]), split, Task(2))["loss"])
    assert np.isnan(list(measures(y, np.full((2, 2), np.nan), split, Task(2)).values())).all()


def test_batch_order_is_a_permutation_an_epoch_without_what_fills_no_batch_and_comes_from_seed_and_repetition():
    order = batch_order(23, 5, 6, seed=1)
    assert order.shape == (6, 4, 5) and order.dtype == np.int32
    assert all(len(set(epoch)) == 20 for epoch in order.reshape(6, -1))
    assert len({epoch.tobytes() for epoch in order}) == 6
    np.testing.assert_array_equal(order[:2], batch_order(23, 5, 2, 1))
    others = [batch_order(23, 5, 6, *which) for which in ((2, 0), (1, 1))]
    assert not any((order == other).all() for other in others)
