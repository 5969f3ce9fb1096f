"""The probe watches the very run that is trained, changes nothing of it, and sees its layers."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.network.model import build
from pipeline.network.resolve import _own_layers
from pipeline.probe.watch import Watched, _as_in_training, describe, kernels, watch, whole_batches
from pipeline.config.task import Task
from pipeline.train.trainer import batch_order
from tests.networks import network, random_split

CNN_RNN = network(
    {"Conv1D": {"filters": 3, "kernel_size": 3, "padding": "causal"}}, "BatchNormalization",
    {"Activation": "tanh"}, {"Dropout": {"rate": 0.3}},
    {"SimpleRNN": {"units": 3, "recurrent_dropout": 0.2}})
#: Without anything random, so that Keras' own `training=True` is what the probe should see.
MLP = network({"Dense": {"units": 5, "kernel_regularizer": "l2"}}, {"BatchNormalization": {
    "momentum": 0.5}}, {"Activation": "sigmoid"}, head=[{"Activation": "softmax"}])


def state(trainer):
    return [v.numpy().copy() for v in trainer.model.variables]


@pytest.fixture(scope="module")
def recurrent():
    """A trainer of the recurrent network, shared because compiling it takes longest."""
    return Watched(CNN_RNN, (6, 4), Task(), "Adam")


@pytest.fixture(scope="module")
def mlp():
    return Watched(MLP, (4,), Task(2), {"SGD": {"momentum": 0.9}})


@pytest.fixture
def some_way(mlp):
    """The MLP after some epochs, its gammas, betas and moving statistics away from their start."""
    split = random_split((4,), 2)
    mlp.begin(mlp.start(1, 0), 0.3)
    for rows in batch_order(24, 8, 8, 1):
        mlp.epoch(split, rows)
    return mlp, split


# --- the run is that of the trainer -------------------------------------------------------------

def test_a_watched_run_is_the_run(recurrent, monkeypatch):
    """One compiled function of all epochs, and one epoch after another with looks between."""
    split = random_split((6, 4), 0)
    order = batch_order(24, 8, 4, seed=3)
    start = recurrent.start(3, 0)
    # The record keeps four digits.
    monkeypatch.setattr("pipeline.train.trainer.record", lambda split, task, curves, *others: curves)
    whole = recurrent.run(start, split, order, 0.01)

    recurrent.begin(start, 0.01)
    watched = []
    for rows in order:
        recurrent.look(split.x_train[:16], split.y_train[:16])
        watched.append(recurrent.epoch(split, rows))
    assert len(np.unique(whole)) == whole.size
    np.testing.assert_allclose(watched, whole, rtol=1e-5)


def test_looking_changes_nothing(recurrent, some_way):
    split = random_split((6, 4), 0)
    recurrent.begin(recurrent.start(1, 0), 0.01)
    before = state(recurrent), [v.numpy() for v in recurrent.optimizer.variables]
    recurrent.look(split.x_train[:16], split.y_train[:16])
    after = state(recurrent), [v.numpy() for v in recurrent.optimizer.variables]
    for one, two in zip(before, after, strict=True):
        for a, b in zip(one, two, strict=True):
            np.testing.assert_array_equal(a, b)

    trainer, split = some_way
    before = state(trainer)
    trainer.inference_gap(split.x_validation, split.y_validation)
    for a, b in zip(before, state(trainer), strict=True):
        np.testing.assert_array_equal(a, b)


class BatchNoise(keras.layers.Layer):
    """Noise that belongs to a normalisation, recognised by its name."""

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training:
            return inputs
        return inputs + keras.random.uniform((inputs.shape[-1],), seed=self.seed_generator)


def test_noise_of_a_normalisation_works_and_its_state_is_put_back(monkeypatch):
    known = _own_layers() | {"BatchNoise": BatchNoise}
    monkeypatch.setattr("pipeline.network.model._own_layers", lambda: known)
    trainer = Watched(network("BatchNoise"), (4,), Task(), "SGD")
    x = np.zeros((8, 4), np.float32)
    y = np.zeros((8, 1), np.float32)
    before = state(trainer)
    first, again = (trainer.look(x, y)[0].outputs for _ in range(2))
    assert (first > 0).all() and (first == first[0]).all()
    np.testing.assert_array_equal(first, again)
    for a, b in zip(before, state(trainer), strict=True):
        np.testing.assert_array_equal(a, b)


# --- what is seen of layers ---------------------------------------------------------------------

def test_normalisation_sees_the_batch_and_dropout_masks_nothing(recurrent):
    split = random_split((6, 4), 0)
    recurrent.begin(recurrent.start(1, 0), 0.01)
    recurrent.epoch(split, batch_order(24, 8, 1, 1)[0])
    x, y = split.x_train[:16], split.y_train[:16]
    names = [layer.name for layer in recurrent.layers]
    assert names == ["Conv1D_1", "BatchNormalization_1", "Activation_1", "Dropout_1", "SimpleRNN_1",
                     "output_1"]
    conv, bn, tanh, dropped, recurred, output = (s.outputs for s in recurrent.look(x, y))
    layer = recurrent.layers[1]
    expected = (conv - conv.mean((0, 1))) / np.sqrt(conv.var((0, 1)) + layer.epsilon)
    expected = expected * layer.gamma.numpy() + layer.beta.numpy()
    np.testing.assert_allclose(bn, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(tanh, np.tanh(bn), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(dropped, tanh)
    np.testing.assert_allclose(recurred, recurrent.layers[4](dropped, training=False), rtol=1e-4,
                               atol=1e-5)
    assert output.shape == (16, 1)


def test_gradients_are_those_of_the_whole_model(some_way):
    trainer, split = some_way
    x, y = split.x_train[:16], split.y_train[:16]
    seen = trainer.look(x, y)
    kernels = [trainer.model.get_layer(name).kernel.value for name in ("Dense_1", "output_1")]
    kept = state(trainer)
    with tf.GradientTape() as tape:
        prediction = trainer.model(x, training=True)
        loss = -tf.reduce_mean(tf.math.log(tf.gather(prediction, y, batch_dims=1)))
    expected = tape.gradient(loss, kernels)
    for variable, value in zip(trainer.model.variables, kept):
        variable.assign(value)
    np.testing.assert_allclose(seen[-1].outputs, prediction, rtol=1e-4)
    found = dict(zip((layer.name for layer in trainer.layers), (one.gradients for one in seen)))
    assert [name for name, some in found.items() if some] == ["Dense_1", "output_1"]
    for name, gradient in zip(("Dense_1", "output_1"), expected):
        np.testing.assert_allclose(found[name][0], gradient, rtol=1e-3, atol=1e-6)

    rows = dict(zip(found, describe(trainer.layers, seen)))
    norms = [np.linalg.norm(gradient) for gradient in expected]
    assert rows["Dense_1"]["gradient_norm"] == pytest.approx(norms[0], rel=1e-3)
    assert rows["Dense_1"]["gradient_imbalance"] == pytest.approx(
        abs(math.log(norms[0] / norms[1])), rel=1e-3)
    assert rows["output_1"]["gradient_imbalance"] == 0.0
    assert math.isnan(rows["Activation_1"]["gradient_norm"])
    assert math.isnan(rows["Activation_1"]["gradient_imbalance"])


def test_gradients_equal_finite_differences():
    """The loss is quadratic in the output's kernel, so a central difference is exact."""
    split = random_split((4,), 0)
    trainer = Watched(network({"Dense": {"units": 2}}), (4,), Task(), "SGD")
    x, y = split.x_train, split.y_train
    found = trainer.look(x, y)[1].gradients[0]
    w1, b1, w2, b2 = (v.numpy().astype(np.float64) for v in trainer.model.trainable_variables)

    def loss(kernel):
        return np.mean(((x @ w1 + b1) @ kernel + b2 - y) ** 2)

    expected = np.zeros_like(w2)
    for place in np.ndindex(w2.shape):
        step = np.zeros_like(w2)
        step[place] = 1e-3
        expected[place] = (loss(w2 + step) - loss(w2 - step)) / 2e-3
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_gradient_over_time_of_a_linear_recurrence():
    """h_t = x_t + w h_(t-1): the gradient by x_1 is w^(T-1) times that by x_T."""
    spec = network({"Activation": "linear"}, {"SimpleRNN": {"units": 1, "activation": "linear"}})
    trainer = Watched(spec, (5, 1), Task(), "SGD")
    kernel, recurrent, bias = trainer.model.get_layer("SimpleRNN_1").get_weights()
    trainer.model.get_layer("SimpleRNN_1").set_weights([kernel, np.full_like(recurrent, 0.5), bias])
    split = random_split((5, 1), 0)
    rows = describe(trainer.layers, trainer.look(split.x_train, split.y_train))
    assert rows[0]["gradient_over_time"] == pytest.approx(4 * math.log(0.5), rel=1e-5)
    assert math.isnan(rows[1]["gradient_over_time"])  # its output has no time


def test_a_gradient_by_time_needs_time(some_way):
    trainer, split = some_way
    assert not any(one.ends for one in trainer.look(split.x_train[:16], split.y_train[:16]))


def test_kernels_are_neither_biases_nor_gammas_nor_slopes():
    spec = network({"Conv2D": {"filters": 2, "kernel_size": 2}}, "PReLU",
                   {"SqueezeExcite": {"ratio": 2}},
                   {"TimeDistributed": {"layer": {"GRU": {"units": 3}}}}, "Flatten")
    built = build(spec, (4, 4, 1), 1)
    names = {layer.name: [w.name for w in kernels(layer)] for layer in built.layers}
    assert names == {"input": [], "Conv2D_1": ["kernel"], "PReLU_1": [],
                     "SqueezeExcite_1": ["reduce", "expand"],
                     "TimeDistributed_1": ["kernel", "recurrent_kernel"], "Flatten_1": [],
                     "output_1": ["kernel"]}
    # What is left out here has several axes.
    assert len(built.get_layer("PReLU_1").alpha.shape) == 3


def test_a_normalisation_inside_a_wrapper_sees_the_batch():
    inner = keras.layers.TimeDistributed(keras.layers.BatchNormalization())
    assert _as_in_training(inner)
    assert not _as_in_training(keras.layers.TimeDistributed(keras.layers.Dropout(0.5)))


def test_gamma_is_read_from_every_kind_of_normalisation(some_way):
    trainer, split = some_way
    rows = describe(trainer.layers, trainer.look(split.x_train[:16], split.y_train[:16]))
    gamma = trainer.model.get_layer("BatchNormalization_1").gamma.numpy()
    assert (gamma != 1).any()
    assert rows[1]["gamma"] == pytest.approx(np.abs(gamma).mean())
    assert all(math.isnan(rows[i]["gamma"]) for i in (0, 2, 3, 4))


def test_saturation_is_measured_of_layers_that_are_an_activation(some_way):
    trainer, split = some_way
    seen = trainer.look(split.x_train[:16], split.y_train[:16])
    rows = describe(trainer.layers, seen)
    y = seen[2].outputs.astype(np.float64)
    assert rows[2]["slope"] == pytest.approx(np.mean(y * (1 - y)) / 0.25)
    assert all(math.isnan(rows[i]["slope"]) for i in (0, 1, 3, 4))  # the last is a softmax


def test_the_gap_is_between_batch_statistics_and_inference(some_way):
    trainer, split = some_way
    x, y = 5 + 3 * split.x_validation, split.y_validation  # far from the moving statistics
    found = trainer.inference_gap(x, y)
    inference, together = (  # in this order: Keras' training moves the statistics
        np.mean([row.argmax() == label for row, label in zip(np.asarray(prediction), y)])
        for prediction in (trainer.model(x, training=False), trainer.model(x, training=True)))
    assert abs(found) > 0.1
    assert found == pytest.approx(together - inference)


# --- a run --------------------------------------------------------------------------------------

@pytest.mark.parametrize(("size", "batch_size", "expected"), [
    (256, 32, 256), (250, 32, 224), (20, 32, 20), (300, 300, 300)])
def test_whole_batches(size, batch_size, expected):
    assert whole_batches(size, batch_size) == expected


def watched(trainer, split, order, seed=0, rate=0.01):
    return watch(trainer, trainer.start(seed, 0), split, order, rate)


def test_a_run_is_measured_at_its_start_after_an_epoch_and_at_its_end(mlp):
    split = random_split((4,), 2)
    order = batch_order(24, 8, 3, 0)
    found = watched(mlp, split, order)
    x, y = split.x_train, split.y_train
    mlp.begin(mlp.start(0, 0), 0.01)
    looks, gaps = [mlp.look(x, y)], []
    for rows in order:
        mlp.epoch(split, rows)
        looks.append(mlp.look(x, y))
        gaps.append(mlp.inference_gap(split.x_validation, split.y_validation))
    start, *_, end = [describe(mlp.layers, look) for look in looks]
    assert list(found) == ["", *(layer.name for layer in mlp.layers)]
    for place, layer in enumerate(mlp.layers):
        row = found[layer.name]
        assert row["mean"] == pytest.approx(end[place]["mean"])
        assert row["gradient_norm_at_start"] == pytest.approx(start[place]["gradient_norm"], nan_ok=True)
        means = [np.mean(look[place].outputs, axis=0, dtype=float) for look in looks]
        scales = [np.sqrt(np.var(look[place].outputs, axis=0, dtype=float).mean()) for look in looks]
        steps = [np.abs(b - a).mean() / s + abs(np.log(t / s))
                 for a, b, s, t in zip(means, means[1:], scales, scales[1:])]
        assert len(steps) == 3
        assert row["drift"] == pytest.approx(np.mean(steps), rel=1e-6)
    assert found["Dense_1"]["mean"] != found["Dense_1"]["mean_at_start"]
    assert found[""] == {"constant": 0.0, "inference_gap": gaps[-1], "constant_at_first_epoch": 0.0,
                         "inference_gap_at_first_epoch": gaps[0]}


def test_a_dead_head_is_constant():
    """A bias far below zero kills a relu head for every sample."""
    spec = network({"Activation": "linear"}, head=[{"Activation": "relu"}])
    split = random_split((4,), 0)
    trainer = Watched(spec, (4,), Task(), "SGD")
    start = trainer.start(0, 0)
    order = batch_order(24, 8, 2, 0)
    kernel, bias, *others = start
    found = watch(trainer, [kernel, bias - 100, *others], split, order, 0.01)
    assert found[""]["constant"] == found[""]["constant_at_first_epoch"] == 1.0
    assert found["Activation_2"]["zero_share"] == 1.0
    assert math.isnan(found["Activation_2"]["drift"])
    assert math.isnan(found[""]["inference_gap"])
    alive = watch(trainer, [kernel, bias + 1, *others], split, order, 0.01)
    assert alive[""]["constant"] == 0.0


def test_a_run_of_one_epoch_ends_after_its_first(mlp):
    found = watched(mlp, random_split((4,), 2), batch_order(24, 8, 1, 0))
    assert found[""]["inference_gap"] == found[""]["inference_gap_at_first_epoch"]


def test_divergence_gives_nothing():
    trainer = Watched(network({"Dense": {"units": 2}}), (4,), Task(), "SGD")
    split = random_split((4,), 0)
    order = batch_order(24, 8, 3, 0)
    assert watched(trainer, split, order, rate=1e12) is None
    assert watched(trainer, split, order, rate=0.01) is not None
