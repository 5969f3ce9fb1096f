"""A run ends when it has stopped learning, and runs side by side are the runs one by one."""

import threading
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.config.experiments import Train
from pipeline.config.task import Task
from pipeline.data.split import Split
from pipeline.network.model import build
from pipeline.network.resolve import resolve
from pipeline.train.compiled import Compiled
from pipeline.train.early_stopping import hit_limit, stops
from pipeline.train.trainer import Trainer, batch_order
from tests.networks import TRAINING

LAYERS = [resolve(item, {}, "layers") for item in (
    {"Dense": {"units": 16}}, "BatchNormalization", {"Activation": "relu"}, {"Dropout": {"rate": 0.2}})]
NETWORK = {"layers": LAYERS, "head": []}
EPOCHS = 60


@pytest.fixture(scope="module")
def trainer():
    return Trainer(NETWORK, (4,), Task(), "Adam")


@pytest.fixture(scope="module")
def split():
    """Few samples and much noise: a network soon learns them by heart."""
    generator = np.random.default_rng(0)
    parts = []
    for _ in range(3):
        x = generator.standard_normal((24, 4)).astype(np.float32)
        parts += [x, (x[:, :1] + generator.standard_normal((24, 1))).astype(np.float32)]
    return Split(*parts, "regression", 0)


def run(trainer, split, patience, seed=0, rate=0.03, epochs=EPOCHS):
    order = batch_order(24, 8, epochs, seed)
    return trainer.run(trainer.start(seed, 0), split, order, rate, patience)


@pytest.mark.parametrize(("patience", "seed"), [(1, 0), (3, 1), (8, 2)])
def test_a_run_stops_where_keras_early_stopping_does(trainer, split, patience, seed):
    order = batch_order(24, 8, EPOCHS, seed)
    reference = build(NETWORK, (4,), 1, seed, 0)
    reference.compile(keras.optimizers.Adam(0.03), "mean_squared_error", jit_compile=True)
    stop = keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True)

    # One pass over the batches of all epochs, in their order.
    rows = tf.data.Dataset.from_tensor_slices(order.reshape(-1, order.shape[2]))
    batches = rows.map(lambda row: (tf.gather(split.x_train, row), tf.gather(split.y_train, row)))
    history = reference.fit(batches, epochs=EPOCHS, steps_per_epoch=order.shape[1], shuffle=False, verbose=0,
                            callbacks=[stop], validation_batch_size=24,
                            validation_data=(split.x_validation, split.y_validation)).history
    found = run(trainer, split, patience, seed)
    assert found["last_epoch"] == len(found["train_curve"]) == len(history["val_loss"])
    assert found["best_epoch"] == int(np.argmin(history["val_loss"])) + 1
    np.testing.assert_allclose(found["validation_curve"], history["val_loss"], rtol=2e-3)
    predicted = reference(split.x_test, training=False)
    assert found["best_error"] == pytest.approx(float(np.mean((predicted - split.y_test) ** 2)), rel=1e-3)
    assert found["last_epoch"] - found["best_epoch"] == patience < EPOCHS - found["best_epoch"]


def test_patience_changes_nothing_of_the_epochs_that_are_run(trainer, split):
    whole, short = run(trainer, split, 0), run(trainer, split, 3)
    assert whole["last_epoch"] == EPOCHS > short["last_epoch"]
    for name in ("train_curve", "validation_curve"):
        assert whole[name][:short["last_epoch"]] == short[name]
    ended = run(trainer, split, 0, epochs=short["last_epoch"])
    np.testing.assert_equal(ended, short)


def test_a_run_that_still_learns_ends_with_the_order(split):
    trainer = Trainer({"layers": LAYERS[:1], "head": []}, (4,), Task(), "SGD")
    same = Split(*(split.x_train, split.y_train) * 3, "regression", 0)
    found = run(trainer, same, 5, rate=1e-3, epochs=8)
    assert found["last_epoch"] == found["best_epoch"] == 8


@pytest.mark.parametrize("patience", [0, 5])
def test_a_loss_that_is_not_finite_ends_a_run(split, patience):
    trainer = Trainer({"layers": LAYERS[:1], "head": []}, (4,), Task(), "SGD")
    found = run(trainer, split, patience, rate=1e3)
    assert found["diverged"] is True
    curves = np.array([found["train_curve"], found["validation_curve"]])
    assert np.isfinite(curves[:, :-1]).all() and not np.isfinite(curves[:, -1]).all()
    assert found["last_epoch"] == curves.shape[1] < EPOCHS
    assert np.isfinite(found["trivial_error"])


# --- side by side -------------------------------------------------------------------------------

def test_runs_side_by_side_are_the_runs_one_by_one(trainer, split):
    tasks = [(seed, rate, patience) for seed in range(4) for rate in (0.003, 0.03) for patience in (0, 3)]

    def record(task):
        return run(trainer, split, task[2], task[0], task[1])

    alone = [record(task) for task in tasks]
    for threads in (2, 4):
        with ThreadPoolExecutor(threads) as pool:
            np.testing.assert_equal(list(pool.map(record, tasks)), alone)
    assert len({tuple(found["train_curve"]) for found in alone}) > len(tasks) // 2


def counter():
    """A compiled function that counts calls in a variable, and how often it was traced."""
    own, traced = tf.Variable(0.0), []

    def add(x):
        traced.append(1)
        own.assign_add(tf.reduce_sum(x))
        return (own * 1.0,)

    return Compiled(add, [own]), own, traced


def test_one_compiled_function_serves_many_sets_of_variables():
    add, own, traced = counter()
    others = [tf.Variable(float(number)) for number in range(3)]
    for number, variable in enumerate(others):
        found, = add([variable], np.ones(2, np.float32))
        assert float(found) == float(variable) == number + 2
    assert float(own) == 0 and len(traced) == 1


def test_threads_that_begin_at_once_trace_once():
    add, _, traced = counter()
    barrier = threading.Barrier(4)

    def begin(number):
        variable = tf.Variable(0.0)
        barrier.wait()
        for _ in range(5):
            add([variable], np.full(2, number, np.float32))
        return float(variable)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(begin, range(4))) == [0, 10, 20, 30]
    assert len(traced) == 1


def test_a_variable_that_would_be_shared_is_refused():
    forgotten = tf.Variable(0.0)
    add = Compiled(lambda x: (forgotten.assign_add(x),), [tf.Variable(0.0)])
    with pytest.raises(ValueError, match="not among its own"):
        add([tf.Variable(0.0)], np.float32(1))


@pytest.mark.parametrize(("best", "last", "patience", "diverged", "hit"), [
    (9, 10, 3, False, True), (10, 10, 3, False, True),
    (7, 10, 3, False, False),  # it stopped learning just then
    (4, 7, 3, False, False), (9, 10, 0, False, False), (9, 10, 3, True, False)])
def test_a_limit_is_hit_by_a_run_that_would_have_gone_on(best, last, patience, diverged, hit):
    training = Train(**TRAINING | {"epochs": 10, "patience": patience})
    assert hit_limit({"best_epoch": best, "last_epoch": last, "diverged": diverged}, training) is hit


@pytest.mark.parametrize(("epoch", "best", "patience", "stopped"), [
    (3, 3, 1, False), (4, 3, 1, True), (9, 1, 8, True), (8, 1, 8, False), (20, 1, 8, True)])
def test_a_run_stops_so_many_epochs_after_its_best(epoch, best, patience, stopped):
    assert stops(epoch, best, patience) is stopped
    assert bool(tf.function(stops)(*map(tf.constant, (epoch, best, patience)))) is stopped
