"""What is measured of a run is what Keras' `evaluate` and scikit-learn measure, and layers of one's own train as in `fit`."""

import keras
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, recall_score

from pipeline.config.errors import ConfigError
from pipeline.config.task import Task
from pipeline.data.split import Split
from pipeline.network.model import build
from pipeline.plan.resolve import _require_probabilities
from pipeline.train.task import measures
from pipeline.train.trainer import Trainer
from tests.network.fits import BATCH, EPOCHS, RATE, SEED, differences, fitted
from tests.networks import network, random_split

SIGMOID = [{"Activation": "sigmoid"}]
#: Heads that make probabilities of classes.
HEADS = {"softmax": [{"Activation": "softmax"}], "layer": ["Softmax"], "normalised": ["BatchNormalization", "Softmax"],
         "dense": [{"Dense": {"units": 3, "activation": "softmax"}}], "sigmoid": SIGMOID,
         "hard": [{"Activation": "hard_sigmoid"}],
         "dense sigmoid": [{"Dense": {"units": 3, "activation": "sigmoid"}}]}


def classes_split(classes=3):
    split = random_split((5,), classes, 48)
    generator = np.random.default_rng(1)
    return Split(*(part if part.dtype == np.float32 else generator.integers(0, classes, len(part)).astype(np.int32)
                   for part in (split.x_train, split.y_train, split.x_validation, split.y_validation, split.x_test,
                                split.y_test)), task="classes", classes=classes)


def run(spec, split, optimizer="Adam"):
    trainer = Trainer(spec, (5,), Task(split.classes), optimizer)
    order = np.stack([np.arange(len(split.x_train), dtype=np.int32).reshape(-1, BATCH)] * EPOCHS)
    return trainer.run(trainer.start(SEED, 0), split, order, RATE)


def evaluated(theirs, split):
    return theirs.evaluate(split.x_test, split.y_test, verbose=0, return_dict=True)


@pytest.mark.parametrize("head", HEADS)
def test_measures_of_classes_are_those_of_evaluate_and_scikit_learn(head):
    spec, split = network({"Dense": {"units": 6, "activation": "tanh"}}, head=HEADS[head]), classes_split()
    # By SGD, as Adam makes whole steps of a bias's rounding before a normalisation.
    record = run(spec, split, "SGD")
    theirs, curves = fitted(spec, split, "SGD")
    for part, x, y in (("loss", split.x_test, split.y_test), ("train_loss", split.x_train, split.y_train)):
        found = theirs.evaluate(x, y, verbose=0, return_dict=True)
        assert record[f"last_{part}"] == pytest.approx(found["loss"], rel=2e-5) == pytest.approx(found["metric"], rel=2e-5)
    assert record["last_error"] == pytest.approx(1 - evaluated(theirs, split)["accuracy"], abs=1e-5)
    assert record["last_validation_loss"] == pytest.approx(curves[-1, 1], rel=2e-5)
    outputs = theirs.predict(split.x_test, verbose=0).astype(np.float64)
    if "sigmoid" in head:
        # Keras' cross-entropy takes the logits of a sigmoid as those of a softmax.
        odds = outputs / (1 - outputs)
        probability = odds / odds.sum(axis=1, keepdims=True)
    else:
        clipped = np.clip(outputs, 1e-7, 1 - 1e-7)
        probability = clipped / clipped.sum(axis=1, keepdims=True)
    guess = probability.argmax(axis=1)
    assert record["last_error"] == pytest.approx(1 - accuracy_score(split.y_test, guess), abs=1e-5)
    assert record["last_loss"] == pytest.approx(log_loss(split.y_test, probability, labels=range(3)), rel=2e-5)
    rarest = np.bincount(split.y_train).argmin()
    assert record["last_minority_recall"] == pytest.approx(
        recall_score(split.y_test, guess, labels=[rarest], average="macro"), rel=1e-5)
    found = measures(split.y_test, probability, split, Task(3))
    assert record["last_calibration_error"] == pytest.approx(found["calibration_error"], rel=1e-3)


def test_measures_of_numbers_are_those_of_evaluate():
    spec, split = network({"Dense": {"units": 6, "activation": "tanh", "kernel_regularizer": "l2"}}), random_split((5,), 0, 48)
    record, (theirs, _) = run(spec, split), fitted(spec, split, "Adam")
    metric = evaluated(theirs, split)["metric"]
    assert record["last_loss"] == record["last_error"] == pytest.approx(metric, rel=2e-5)


@pytest.mark.parametrize("name", ["linear", "tanh", "relu", "exponential", "softplus", "log_softmax", "gelu"])
def test_a_head_that_gives_classes_no_probabilities_is_refused(name):
    head = network(head=[{"Activation": name}])["head"]
    with pytest.raises(ConfigError, match=r"^params.yaml: x.head: it gives a class -?\d.* to .*, which are no probabilities"):
        _require_probabilities(head, 3, "params.yaml: x")
    for fine in HEADS.values():
        _require_probabilities(network(head=fine)["head"], 3, "params.yaml: x")


# --- layers of one's own -----------------------------------------------------------------------

class Penalised(keras.layers.Layer):
    """Adds two penalties, counts its calls, and draws noise."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seen = keras.metrics.Mean(name="seen")
        self.noise = keras.random.SeedGenerator()

    def call(self, inputs, training=False):
        self.add_loss(0.1 * keras.ops.mean(inputs**2))
        self.add_loss(0.1 * keras.ops.sum(keras.ops.abs(inputs)))
        self.seen.update_state(keras.ops.mean(inputs))
        return inputs + 0.1 * keras.random.normal(keras.ops.shape(inputs), seed=self.noise) if training else inputs


class Attentive(keras.layers.Layer):
    """Holds layers that make further layers, initialisers and noise when they are built."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attention = keras.layers.MultiHeadAttention(2, 3, dropout=0.2)
        self.cells = keras.layers.RNN([keras.layers.LSTMCell(3, recurrent_dropout=0.2), keras.layers.GRUCell(4)],
                                      return_sequences=True)
        self.both = keras.layers.Bidirectional(keras.layers.SimpleRNN(3, dropout=0.2), merge_mode="sum")

    def call(self, inputs, training=False):
        steps = keras.ops.reshape(inputs, (-1, 5, 1))
        found = self.attention(steps, steps, training=training)
        return self.both(self.cells(found, training=training), training=training)


class Unfinished(keras.layers.Layer):
    """Has a weight that nothing uses."""

    def build(self, shape):
        self.unused = self.add_weight(shape=(2,), initializer="glorot_uniform" if len(shape) > 9 else "ones")
        self.factor = self.add_weight(shape=(shape[-1],), initializer="random_normal")

    def call(self, inputs):
        return inputs * self.factor


@pytest.fixture(params=[Penalised, Attentive, Unfinished], ids=lambda cls: cls.__name__)
def own(request, monkeypatch):
    monkeypatch.setattr("pipeline.network.layers." + request.param.__name__, request.param, raising=False)
    return request.param.__name__


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_a_layer_of_ones_own_trains_as_in_fit(own):
    assert not differences(network(own, {"Dense": {"units": 4}}), random_split((5,), 0), jit=True)


def test_a_layer_of_ones_own_starts_where_the_seed_says(own):
    spec = network(own, {"Dense": {"units": 4}})
    starts = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(len(starts))
        starts.append([v.numpy() for v in build(spec, (5,), 1, seed).variables])
    assert all(map(np.array_equal, starts[0], starts[1]))
    assert not all(map(np.array_equal, starts[0], starts[2]))


def test_layers_that_a_layer_makes_start_differently(monkeypatch):
    monkeypatch.setattr("pipeline.network.layers.Attentive", Attentive, raising=False)
    attention = build(network("Attentive"), (5,), 1, 3).layers[1].attention
    kernels = [part.kernel.numpy() for part in (attention.query_dense, attention.key_dense, attention.value_dense)]
    assert not np.array_equal(kernels[0], kernels[1]) and not np.array_equal(kernels[1], kernels[2])


# --- averages of weights -----------------------------------------------------------------------

def test_what_is_kept_of_averaged_weights_is_what_was_validated():
    split = random_split((5,), 0, 48)
    spec = network({"Dense": {"units": 6, "activation": "tanh"}})
    optimizer = {"SGD": {"use_ema": True, "ema_momentum": 0.9}}
    same = Split(split.x_train, split.y_train, split.x_test, split.y_test, split.x_test, split.y_test, "regression", 0)
    record = run(spec, same, optimizer)
    for when in ("best", "last"):
        assert record[f"{when}_loss"] == pytest.approx(record[f"{when}_validation_loss"], rel=1e-5)
    theirs, curves = fitted(spec, same, optimizer)
    assert record["last_loss"] == pytest.approx(evaluated(theirs, split)["metric"], rel=2e-5)
    assert record["last_loss"] != pytest.approx(run(spec, same, "SGD")["last_loss"], rel=1e-3)
