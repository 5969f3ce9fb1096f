"""The probe watches the very run that is trained, changes nothing of it, and measures as it says."""

import json
import math

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from scipy import stats

from pipeline.data.sources import make, write
from pipeline.data.splits import Split, load
from pipeline.network.model import build
from pipeline.network.resolve import _own_layers, resolve
from pipeline.plan.code import pins
from pipeline.probe.__main__ import COLUMNS, main, probe
from pipeline.probe.measures import (
    by_unit, constant, correlation, drift, kurtosis, log_ratio, moment_distance, moments, norm,
    saturation, skewness, varies, zero_share)
from pipeline.probe.watch import MEASURES, Watched, _as_in_training, describe, kernels, watch, whole_batches
from pipeline.results import RUNS, RUNS_TABLE, read_table, write_table
from pipeline.spec.params import study_seeds
from pipeline.train.runs import WrongVersion
from pipeline.train.task import Task
from pipeline.train.trainer import batch_order
from pipeline.verdicts.arms import Study, scores_of

TRAINING = {"epochs": 3, "batch_size": 8, "optimizer": "Adam", "learning_rate": 0.01,
            "learning_rates": [0.01, 0.03], "tuning_seeds": 2, "scaling": "standard",
            "train_fraction": 1.0, "repetition": 0}


def network(*layers, head=()):
    return {part: [resolve(item, {}, part) for item in items]
            for part, items in (("layers", layers), ("head", head))}


def random_split(shape, classes, size=24, seed=0):
    generator = np.random.default_rng(seed)
    parts = []
    for _ in range(3):
        x = generator.standard_normal((size, *shape)).astype(np.float32)
        score = x.reshape(size, -1)[:, :1] + 0.3 * generator.standard_normal((size, 1))
        parts += [x, (score[:, 0] > 0.3).astype(np.int32) if classes else score.astype(np.float32)]
    return Split(*parts, task="classes" if classes else "regression", classes=classes)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


CNN_RNN = network(
    {"Conv1D": {"filters": 3, "kernel_size": 3, "padding": "causal"}}, "BatchNormalization",
    {"Activation": "tanh"}, {"Dropout": {"rate": 0.3}},
    {"SimpleRNN": {"units": 3, "recurrent_dropout": 0.2}})
#: Without anything random, so that Keras' own `training=True` is what the probe should see.
MLP = network({"Dense": {"units": 5, "kernel_regularizer": "l2"}}, {"BatchNormalization": {
    "momentum": 0.5}}, {"Activation": "sigmoid"}, head=[{"Activation": "softmax"}])
SOFTMAX = {"Activation": "softmax"}


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


# --- measures of arrays -------------------------------------------------------------------------

@pytest.fixture
def values():
    """Four units: normal, skewed, two-valued, and one that never changes."""
    generator = np.random.default_rng(0)
    return np.column_stack([generator.normal(3, 2, 500), generator.exponential(size=500) * [-1],
                            generator.integers(0, 2, 500) * 0.1, np.full(500, 0.7)])


def test_units_are_the_last_axis():
    outputs = normal(5, 3, 2, 4)
    values = by_unit(outputs)
    assert values.shape == (30, 4)
    np.testing.assert_allclose(values.mean(axis=0), outputs.mean(axis=(0, 1, 2)))
    assert by_unit(np.ones((2, 3), np.float32)).dtype == np.float64


def test_moments(values):
    mean, variance = moments(values)
    np.testing.assert_allclose(mean, np.mean(values, axis=0))
    np.testing.assert_allclose(variance[:3], np.var(values[:, :3], axis=0))
    assert variance[3] == 0.0
    by_hand = np.mean([abs(m) + abs(v - 1) for m, v in zip(mean, variance)])
    assert moment_distance(mean, variance) == pytest.approx(by_hand)
    assert moment_distance(np.zeros(3), np.ones(3)) == 0.0


def test_shape_of_the_distribution_equals_scipy(values):
    skews = [stats.skew(values[:, unit]) for unit in range(3)]
    assert min(skews) < -1  # so that the absolute value matters
    assert skewness(values) == pytest.approx(np.mean(np.abs(skews)))
    tails = [stats.kurtosis(values[:, unit]) for unit in range(3)]
    assert min(tails) < -1 and max(tails) > 1
    assert kurtosis(values) == pytest.approx(np.mean(np.abs(tails)))


def test_correlation_equals_numpy(values):
    mixed = values[:, :3] @ np.array([[1, 0.5, 0], [0, 1, -2], [0, 0, 1]])
    matrix = np.corrcoef(mixed.T)
    expected = np.mean(np.abs([matrix[0, 1], matrix[0, 2], matrix[1, 2]]))
    assert correlation(np.column_stack([mixed, values[:, 3]])) == pytest.approx(expected)
    assert correlation(np.column_stack([mixed[:, 0], -mixed[:, 0]])) == pytest.approx(1.0)


def test_what_never_changes_has_no_shape(values):
    still = values[:, [3, 3]]
    for measure in (skewness, kurtosis, correlation):
        assert math.isnan(measure(still))
    assert math.isnan(correlation(values[:, [0, 3]]))  # one unit makes no pair


@pytest.mark.parametrize(("value", "spread", "expected"), [
    (1.0, 1e-5, True), (1.0, 1e-7, False), (1000.0, 1e-5, False), (0.0, 1e-9, True), (0.0, 0.0, False)])
def test_a_unit_is_constant_relative_to_its_size(value, spread, expected):
    assert varies(np.array([[value], [value + spread]])) == [expected]


def test_zero_share():
    assert zero_share(np.array([[0.0, 1.0], [-0.0, 1e-30], [2.0, 0.0]])) == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_saturation_equals_the_derivative(name):
    x = tf.constant(4 * normal(400, 3))
    activation = keras.activations.get(name)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = getattr(tf.math, name)(x)
    slopes = tape.gradient(y, x).numpy() * {"sigmoid": 4.0, "tanh": 1.0}[name]
    saturated, slope = saturation(activation, y.numpy())
    assert saturated == pytest.approx(np.mean(slopes < 0.1))
    assert 0.1 < saturated < 0.9
    assert slope == pytest.approx(np.mean(slopes))


def test_only_activations_with_bounds_saturate():
    assert np.isnan(saturation(keras.activations.relu, np.zeros((3, 2)))).all()
    assert np.isnan(saturation(None, np.zeros((3, 2)))).all()


def test_saturation_is_measured_of_layers_that_are_an_activation(some_way):
    trainer, split = some_way
    seen = trainer.look(split.x_train[:16], split.y_train[:16])
    rows = describe(trainer.layers, seen)
    y = seen[2].outputs.astype(np.float64)
    assert rows[2]["slope"] == pytest.approx(np.mean(y * (1 - y)) / 0.25)
    assert all(math.isnan(rows[i]["slope"]) for i in (0, 1, 3, 4))  # the last is a softmax


def test_norm_of_several_arrays_and_of_very_small_ones():
    assert norm([np.array([3.0]), np.array([[0.0, 4.0]])]) == pytest.approx(5.0)
    assert norm([np.full(4, 1e-30, np.float32)]) == pytest.approx(2e-30)
    assert math.isnan(norm([]))


def test_log_ratio_is_undefined_for_what_vanishes():
    assert log_ratio(8.0, 2.0) == pytest.approx(math.log(4))
    assert np.isnan([log_ratio(0.0, 1.0), log_ratio(1.0, 0.0),
                     log_ratio(math.nan, 1.0)]).all()


def moment(*pairs):
    return tuple(np.array(part, float) for part in zip(*pairs))


@pytest.mark.parametrize(("history", "expected"), [
    # two units; scales sqrt((4 + 0) / 2), sqrt((8 + 0) / 2); the dead unit divides nothing
    ([moment((0, 4), (1, 0)), moment((3, 8), (2, 0))],
     (3 + 1) / 2 / math.sqrt(2) + math.log(math.sqrt(4 / 2))),
    # shrinking counts like growing
    ([moment((0, 8)), moment((0, 2))], math.log(2)),
    # the mean of two epochs: moves of 1 and of 2 deviations
    ([moment((0, 1)), moment((1, 1)), moment((-1, 1))], 1.5),
    # an epoch at whose end the layer is dead is left out, and so is the next
    ([moment((0, 1)), moment((1, 1)), moment((5, 0)), moment((2, 1))], 1.0),
    ([moment((0, 1)), moment((0, 1))], 0.0),
    ([moment((0, 0)), moment((1, 0))], math.nan),
])
def test_drift_by_hand(history, expected):
    assert drift(history) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(("outputs", "expected"), [
    (np.zeros((5, 1)), 1.0), (np.array([[1.0], [1 + 1e-7]]), 1.0), (np.array([[1.0], [1.001]]), 0.0),
    (np.array([[0.5, 0.5], [0.5, 0.6]]), 0.0), (np.tile([0.2, 0.8], (4, 1)), 1.0)])
def test_constant_predictions(outputs, expected):
    assert constant(outputs) == expected


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
    kernel, bias = start
    found = watch(trainer, [kernel, bias - 100], split, order, 0.01)
    assert found[""]["constant"] == found[""]["constant_at_first_epoch"] == 1.0
    assert found["Activation_2"]["zero_share"] == 1.0
    assert math.isnan(found["Activation_2"]["drift"])
    assert math.isnan(found[""]["inference_gap"])
    alive = watch(trainer, [kernel, bias + 1], split, order, 0.01)
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


# --- a plan -------------------------------------------------------------------------------------

SEEDS = [100, 101, 102]


@pytest.fixture(scope="module")
def arrays():
    sizes = {"train": 24, "validation": 24, "test": 24}
    return {"table": make("tabular", SEEDS, features=4, **sizes),
            "waves": make("forecast", SEEDS, window=5, channels=2, **sizes)}


VERSIONS = pins()


def a_plan(seeds=2, arms=3):
    """A sweep of two on a table, and one of them on sequences."""
    listed = [{"variant": f"units={units}", "data": name, "shape": shape, "classes": classes,
               "train": TRAINING, "network": network(
                   *(["GlobalAveragePooling1D"] if name == "waves" else []),
                   {"Dense": {"units": units}}, "BatchNormalization",
                   head=[SOFTMAX] if classes else [])}
              for name, shape, classes, units in (("table", [4], 2, 2), ("table", [4], 2, 3),
                                                  ("waves", [5, 2], 0, 3))]
    return {"experiment": "an_experiment", "arms": listed[:arms], "versions": VERSIONS,
            "data": {name: {"digest": "0", "seeds": seeds} for name in ("table", "waves")}}


def runs_of(spec, seeds, rate=0.03):
    """A table of runs: the chosen rate, and beside it what must not be taken."""
    rows = []
    for arm in spec["arms"]:
        for seed in seeds:
            for purpose, tried, chosen in (("study", rate, True), ("study", 0.01, False),
                                           ("tuning", 1e12, True)):
                rows.append({
                    "experiment": spec["experiment"], "variant": arm["variant"], "data": arm["data"],
                    "seed": seed, "purpose": purpose, "learning_rate": tried, "chosen": chosen,
                    "default": tried == 0.01, "diverged": False, "best_error": seed / 1000,
                    "trivial_error": 0.5, "test_size": 24})
    return pd.DataFrame(rows)


@pytest.fixture(autouse=True)
def few_seeds(monkeypatch):
    """Seeds that are none of the study."""
    monkeypatch.setattr("pipeline.probe.__main__.study_seeds", lambda count: SEEDS[:count])


@pytest.fixture(scope="module")
def table(arrays):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.probe.__main__.study_seeds", lambda count: SEEDS[:count])
        return probe(a_plan(), arrays, runs_of(a_plan(), SEEDS), 10)


def test_one_row_a_seed_and_layer_and_one_a_network(table):
    assert list(table.columns) == COLUMNS
    layers = {"waves": ["GlobalAveragePooling1D_1", "Dense_1", "BatchNormalization_1", "output_1"],
              "table": ["Dense_1", "BatchNormalization_1", "output_1", "Activation_1"]}
    expected = {(name, seed, variant) for seed in SEEDS[:2] for name, sweep in (
                    ("table", "units=2"), ("table", "units=3"), ("waves", "units=3"))
                for variant in (sweep, *(f"{sweep},{layer}" for layer in layers[name]))}
    found = list(zip(table["data"], table["seed"], table["variant"]))
    assert len(found) == len(expected) and set(found) == expected


def test_measures_are_numbers_where_they_are_defined(table):
    layer = table["variant"].str.contains(",")
    for name in ("mean", "variance_at_start", "drift", "zero_share", "moment_distance"):
        assert table.loc[layer, name].notna().all() and table.loc[~layer, name].isna().all()
    for name in ("constant", "constant_at_first_epoch"):
        assert table.loc[~layer, name].notna().all() and table.loc[layer, name].isna().all()
    gap = table.loc[~layer].groupby("data")["inference_gap"]
    assert gap.count().to_dict() == {"table": 4, "waves": 0}
    bn = table[table["variant"].str.endswith("BatchNormalization_1")]
    np.testing.assert_allclose(bn["mean_at_start"], 0, atol=1e-6)
    assert bn["gamma"].notna().all() and table["gamma"].notna().sum() == len(bn)
    numbers = table[MEASURES].to_numpy()
    numbers = numbers[np.isfinite(numbers)]
    assert all(float(f"{number:.6g}") == number for number in numbers)


def test_rows_are_of_the_chosen_run(table, arrays):
    assert set(table["learning_rate"]) == {0.03} and set(table["purpose"]) == {"study"}
    assert table["chosen"].all() and not table["default"].any() and not table["diverged"].any()
    np.testing.assert_allclose(table["best_error"], table["seed"] / 1000)
    arm = a_plan()["arms"][0]
    split = load(arrays["table"], 100)
    trainer = Watched(arm["network"], (4,), Task(2), "Adam")
    found = watched(trainer, split, batch_order(24, 8, 3, 100), seed=100, rate=0.03)
    row = table[(table["data"] == "table") & (table["seed"] == 100)
                & (table["variant"] == "units=2,Dense_1")].iloc[0]
    assert row["drift"] == pytest.approx(found["Dense_1"]["drift"], rel=1e-4)


def test_the_rule_reads_the_table(table):
    study = Study(table, None, "chosen")
    arm = study.find("an_experiment[units=3,Dense_1]", "here")
    frame, = study.paired([arm], ["table"], "here")
    assert list(frame.index) == SEEDS[:2]
    scores = scores_of(frame, "drift", "best", "here")
    np.testing.assert_array_equal(scores, frame["drift"])


@pytest.mark.parametrize(("asked", "seeds"), [(2, [100, 101]), (10, [100, 101, 102])])
def test_as_many_seeds_as_are_asked_for_or_as_there_are(arrays, monkeypatch, asked, seeds):
    monkeypatch.setattr("pipeline.probe.__main__.watch", lambda *given: {})
    spec = a_plan(seeds=3, arms=1)
    assert list(probe(spec, arrays, runs_of(spec, SEEDS), asked)["seed"].unique()) == seeds


def test_seeds_are_those_of_the_study(arrays, monkeypatch):
    monkeypatch.setattr("pipeline.probe.__main__.study_seeds", study_seeds)
    spec = a_plan(seeds=2, arms=1)
    with pytest.raises(ValueError, match=f"lacks the chosen runs of the seeds {study_seeds(2)[1]}$"):
        probe(spec, arrays, runs_of(spec, study_seeds(1)), 10)


def test_a_run_that_diverged_in_the_table_is_not_watched(arrays, monkeypatch):
    trained = []
    monkeypatch.setattr("pipeline.probe.__main__.watch", lambda *given: trained.append(given) or {
        "": {"constant": 0.0}})
    spec = a_plan(arms=1)
    runs = runs_of(spec, SEEDS)
    runs.loc[(runs["seed"] == 101) & runs["chosen"], "diverged"] = True
    table = probe(spec, arrays, runs, 2).set_index("seed")
    assert len(trained) == 1
    assert table.loc[101, "diverged"].all() and not table.loc[100, "diverged"].any()
    assert table["constant"].notna().sum() == 1


def test_a_run_that_diverges_has_no_measures(arrays):
    spec = a_plan(arms=1)
    runs = runs_of(spec, SEEDS)
    runs.loc[(runs["seed"] == 101) & runs["chosen"], "learning_rate"] = 1e38
    table = probe(spec, arrays, runs, 2).set_index("seed")
    assert table.loc[101, "diverged"].all() and table.loc[101, MEASURES].isna().all(axis=None)
    assert len(table.loc[101]) == len(table.loc[100]) == 5
    assert not table.loc[100, "diverged"].any()
    assert table.loc[100, "drift"].notna().sum() == 4


def test_runs_that_are_missing_are_named(arrays):
    with pytest.raises(ValueError, match="an_experiment, units=2, table: the table of runs lacks the "
                                         "chosen runs of the seeds 101, 102"):
        probe(a_plan(seeds=3), arrays, runs_of(a_plan(), SEEDS[:1]), 3)


def test_another_version_is_refused(arrays):
    wrong = a_plan() | {"versions": VERSIONS | {"numpy": "0.1"}}
    with pytest.raises(WrongVersion):
        probe(wrong, arrays, runs_of(wrong, SEEDS), 2)


# --- the command --------------------------------------------------------------------------------

def test_the_command_writes_the_table(table, arrays, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    spec = a_plan()
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "an_experiment.json").write_text(json.dumps(spec))
    for name, held in arrays.items():
        write(held, tmp_path / "data" / f"{name}.npz")
    write_table(runs_of(spec, SEEDS), RUNS / "an_experiment" / RUNS_TABLE)
    asked = []

    class Params:
        class probe:
            seeds = 17

    monkeypatch.setattr("pipeline.probe.__main__.load", lambda: Params)
    monkeypatch.setattr("pipeline.probe.__main__.probe", lambda *given: asked.append(given) or table)
    monkeypatch.setattr("sys.argv", ["probe", "an_experiment"])
    assert main() == 0
    (given_plan, given_arrays, given_runs, seeds), = asked
    assert given_plan == spec and set(given_arrays) == {"table", "waves"} and seeds == 17
    pd.testing.assert_frame_equal(given_runs, runs_of(spec, SEEDS))
    pd.testing.assert_frame_equal(
        read_table("results/probe/an_experiment/measures.csv"), table)

    monkeypatch.setattr("sys.argv", ["probe", "an_experimnt"])
    assert main() == 1
    assert capsys.readouterr().err == (
        "error: plan/an_experimnt.json: there is no such file; `make book` writes it\n")
