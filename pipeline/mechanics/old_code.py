"""What becomes of the threads' code on today's Keras: tried, feature by feature."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
from keras import layers

from pipeline.network.layers.squeeze_excite import SqueezeExcite

COLUMNS = ["thread", "feature", "works", "happens", "repair"]
SEED = 20


@dataclass(frozen=True)
class Feature:
    """An argument, a name or an import path that a thread uses.

    Attributes:
        thread: "A" or "B".
        feature: as the thread writes it.
        attempt: uses it; gives a text where it does something else than it did, which says what.
        repair: what says the same today; empty if nothing needs it.
    """

    thread: str
    feature: str
    attempt: Callable[[], object]
    repair: str = ""


def said(message: object) -> str:
    """The first sentence of an error or a warning, without paths, addresses and counted names."""
    text = str(message).strip().partition("\n")[0].partition(" Received:")[0]
    text = re.sub(r" \([^()]*[/\\][^()]*\)", "", text)
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    text = re.sub(r"(name=\w+?)_\d+\b", r"\1", text)
    return re.match(r".*?[.!?](?=\s|$)|.*", text).group()


def happens(attempt: Callable[[], object]) -> tuple[bool, str]:
    """Whether an attempt does what it did (gives no text), and what happened."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            otherwise = attempt()
        except Exception as error:
            return False, f"{type(error).__name__}: {said(error)}"
    warned = [f"warns: {said(warning.message)}" for warning in caught]
    works = not isinstance(otherwise, str)
    return works, "; ".join(["works" if works else otherwise, *dict.fromkeys(warned)])


def _data() -> tuple[np.ndarray, np.ndarray]:
    """Inputs `(80, 14)` and one-hot pairs `(80, 2)`."""
    generator = np.random.default_rng(SEED)
    x = generator.normal(size=(80, 14)).astype(np.float32)
    return x, np.eye(2, dtype=np.float32)[(x[:, 0] > 0).astype(int)]


def _classifier() -> keras.Model:
    model = keras.Sequential([keras.Input((14,)), layers.Dense(2, activation="softmax")])
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.SGD())
    return model


def _fit(**arguments) -> None:
    # `verbose` prints.
    with contextlib.redirect_stdout(io.StringIO()):
        _classifier().fit(*_data(), **arguments)


def descend(optimizer: keras.optimizers.Optimizer, updates: int = 3) -> float:
    """Where a variable ends that starts at 0 and has gradient 1."""
    variable = keras.Variable(0.0)
    for _ in range(updates):
        optimizer.apply([np.float32(1)], [variable])
    return float(variable.numpy())


def _changes(**arguments) -> bool | str:
    """Give SGD arguments that must change where it goes."""
    return descend(keras.optimizers.SGD(**arguments)) != descend(keras.optimizers.SGD()) or "is ignored"


def _softmax_loss() -> bool | str:
    model, (x, y) = _classifier(), _data()
    probability = np.asarray(model(x), np.float64)
    entropy = -np.mean(y * np.log(probability) + (1 - y) * np.log(1 - probability))
    return bool(abs(model.test_on_batch(x, y) - entropy) < 1e-4) or "means something else: the loss of a sigmoid for each output"


def geometry(layer) -> str:
    """The kernel and the stride of a convolution, in words."""
    kernel, stride = (" x ".join(map(str, numbers)) for numbers in (layer.kernel_size, layer.strides))
    return f"kernel {kernel}, stride {stride}"


def _positions() -> bool | str:
    found = geometry(layers.Convolution2D(64, 3, 3))
    return found == "kernel 3 x 3, stride 1 x 1" or f"means something else: {found}"


def _product() -> bool | str:
    gated = layers.multiply([np.full((2, 5, 3), 2.0), np.full((2, 1, 3), 3.0)])
    return bool(np.all(np.asarray(gated) == 6)) or "is no product"


#: In the order of each thread. What is the same in all versions (`Sequential`, `Dropout(0.5)`) is left out, and so is
#: what was wrong in its day.
FEATURES = [
    Feature("A", "from keras.layers import multiply", _product),
    Feature("A", "from keras.models import Model",
            lambda: importlib.import_module("keras.models").Model is keras.Model or "is another class"),
    Feature("A", "import keras.backend as K", lambda: importlib.import_module("keras.backend")),
    Feature("A", "K.int_shape(tensor)", lambda: keras.backend.int_shape(keras.Input((5, 3))), "tensor.shape"),
    Feature("A", "Input(batch_shape=(32, 21, 20))",
            lambda: keras.Input(batch_shape=(32, 21, 20)).shape == (32, 21, 20) or "gives another shape"),
    Feature("A", "Conv1D(filters=10, kernel_size=3, padding='causal')",
            lambda: layers.Conv1D(filters=10, kernel_size=3, padding="causal")(np.zeros((2, 5, 3), np.float32)).shape
            == (2, 5, 10) or "gives another shape"),
    Feature("A", "LSTM(16, recurrent_dropout=0.2)",
            lambda: layers.LSTM(16, recurrent_dropout=0.2).recurrent_dropout == 0.2 or "is ignored"),
    Feature("A", "compile('nadam', 'mse')", lambda: _classifier().compile("nadam", "mse")),
    Feature("A", "train_on_batch(x, y)", lambda: _classifier().train_on_batch(*_data())),
    Feature("B", "keras.layers.normalization.BatchNormalization", lambda: layers.normalization.BatchNormalization,
            "keras.layers.BatchNormalization"),
    Feature("B", "from keras.layers.normalization import BatchNormalization",
            lambda: importlib.import_module("keras.layers.normalization"), "from keras.layers import BatchNormalization"),
    Feature("B", "BatchNormalization(mode=0)", lambda: layers.BatchNormalization(mode=0), "BatchNormalization()"),
    Feature("B", "BatchNormalization(weights=None)", lambda: layers.BatchNormalization(weights=None), "BatchNormalization()"),
    Feature("B", "BatchNormalization(epsilon=1e-06, momentum=0.9)",
            lambda: layers.BatchNormalization(epsilon=1e-6, momentum=0.9)),
    Feature("B", "Dense(64, input_dim=14)",
            lambda: keras.Sequential([layers.Dense(64, input_dim=14)]).input_shape == (None, 14) or "is ignored", "Input((14,))"),
    Feature("B", "Dense(64, init='uniform')", lambda: layers.Dense(64, init="uniform"),
            "Dense(64, kernel_initializer='random_uniform')"),
    Feature("B", "SGD(lr=0.1)", lambda: _changes(lr=0.1), "SGD(learning_rate=0.1)"),
    # So large that three updates would show it.
    Feature("B", "SGD(decay=1e-06)", lambda: _changes(decay=0.5), "SGD(learning_rate=InverseTimeDecay(0.1, 1, 1e-06))"),
    Feature("B", "SGD(momentum=0.9, nesterov=True)", lambda: _changes(momentum=0.9, nesterov=True)),
    Feature("B", "compile(loss='binary_crossentropy') after a softmax", _softmax_loss,
            "compile(loss='categorical_crossentropy')"),
    Feature("B", "fit(nb_epoch=20)", lambda: _fit(nb_epoch=20), "fit(epochs=20)"),
    Feature("B", "fit(show_accuracy=True)", lambda: _fit(show_accuracy=True), "compile(metrics=['accuracy'])"),
    Feature("B", "fit(batch_size=16, validation_split=0.2, verbose=2)",
            lambda: _fit(batch_size=16, validation_split=0.2, verbose=2)),
    Feature("B", "Dense(64, use_bias=False)", lambda: layers.Dense(64, use_bias=False).use_bias is False or "is ignored"),
    Feature("B", "Convolution2D", lambda: layers.Convolution2D is layers.Conv2D or "is another layer"),
    Feature("B", "Convolution2D(64, 3, 3)", _positions, "Conv2D(64, (3, 3))"),
    Feature("B", "Convolution2D(64, border_mode='same')", lambda: layers.Convolution2D(64, 3, border_mode="same"),
            "Conv2D(64, (3, 3), padding='same')"),
    Feature("B", "BatchNormalization(axis=3)", lambda: layers.BatchNormalization(axis=3).axis == 3 or "is ignored"),
]


def table() -> pd.DataFrame:
    """Every feature, whether it still does what it did, and what happens when it is used."""
    rows = [(one.thread, one.feature, *happens(one.attempt), one.repair) for one in FEATURES]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(check: str, statement: str, expected: str, found: str, holds: bool) -> dict:
    return {"check": check, "statement": statement, "expected": expected, "found": found,
            "tolerance": 0.0, "holds": bool(holds)}


def _runs(check: str, statement: str, attempt: Callable[[], object]) -> dict:
    """A check that code does what it did."""
    holds, found = happens(attempt)
    return _row(check, statement, "works", found, holds)


def trains(model: keras.Model, x, y, **arguments) -> tuple[bool, str]:
    """Whether one epoch gives finite losses and moves every trainable array, and what it did.

    The `arguments` are those of `fit`.
    """
    before = [weight.numpy() for weight in model.trainable_weights]
    history = model.fit(x, y, epochs=1, verbose=0, **arguments).history
    finite = bool(np.isfinite(list(history.values())).all())
    moved = sum(not np.array_equal(old, weight.numpy()) for old, weight in
                zip(before, model.trainable_weights, strict=True))
    return (finite and moved == len(before),
            f"{'a' if finite else 'no'} finite loss, {moved} of {len(before)} arrays moved")


def _trained(check: str, statement: str, model: keras.Model, x, y, **arguments) -> dict:
    holds, found = trains(model, x, y, **arguments)
    return _row(check, statement, "a finite loss, and every trainable array moved", found, holds)


def template() -> list[dict]:
    """A27: an output layer that is created, but not applied to the network's last tensor."""
    def unapplied():
        inputs = keras.Input((21, 3))
        layers.LSTM(4)(inputs)
        keras.Model(inputs, layers.Dense(1, activation="relu"))

    keras.utils.set_random_seed(SEED)
    model = keras.Sequential([
        keras.Input(batch_shape=(32, 21, 20)),
        layers.Conv1D(10, 3, padding="causal", use_bias=False, kernel_initializer="lecun_normal"),
        layers.BatchNormalization(scale=False), layers.Activation("selu"), layers.AlphaDropout(0.1), SqueezeExcite(4),
        layers.LSTM(16, recurrent_dropout=0.2), layers.Dense(1, activation="relu")])
    model.compile("nadam", "mse")
    generator = np.random.default_rng(SEED)
    x = generator.normal(size=(32, 21, 20)).astype(np.float32)
    y = generator.uniform(0, 2, (32, 1)).astype(np.float32)
    return [_runs("template_runs", "a model can be made from an output layer that is not applied", unapplied),
            _trained("template_repaired_runs", "with its output layer applied, the template's network trains one step",
                     model, x, y)]


def helper() -> list[dict]:
    """B20: the helper's numbers by position, its border mode, and both repaired."""
    found = geometry(layers.Conv2D(4, 3, 3))
    expected = "kernel 3 x 3, stride 1 x 1"
    keras.utils.set_random_seed(SEED)
    model = keras.Sequential([keras.Input((6, 6, 3)), layers.Conv2D(4, (3, 3), padding="same"), layers.Activation("relu"),
                              layers.BatchNormalization()])
    model.compile("sgd", "mse")
    generator = np.random.default_rng(SEED)
    x = generator.normal(size=(32, 6, 6, 3)).astype(np.float32)
    y = generator.normal(size=(32, 6, 6, 4)).astype(np.float32)
    return [
        _row("helper_positional_arguments", "the numbers of Conv2D(4, 3, 3) are its filters and the height and width of its "
             "kernel", expected, found, found == expected),
        _runs("helper_border_mode", "Conv2D takes border_mode='same'",
              lambda: layers.Conv2D(4, (3, 3), border_mode="same")),
        _trained("helper_repaired_runs", "with the kernel as a pair and padding='same', convolution, relu and batch "
                 "normalisation train one step", model, x, y)]


def old_example(features: pd.DataFrame) -> list[dict]:
    """B24: an old example as it stands (`features` as `table` gives them), and repaired."""
    parts = [f"thread {thread}: {int((~part['works']).sum())} of {len(part)}" for thread, part in features.groupby("thread")]
    fail = int((~features["works"]).sum())
    keras.utils.set_random_seed(SEED)
    model = keras.Sequential([keras.Input((14,))])
    for units, activation in ((64, "tanh"), (64, "tanh"), (2, "softmax")):
        model.add(layers.Dense(units, kernel_initializer="random_uniform"))
        model.add(layers.BatchNormalization(epsilon=1e-6, momentum=0.9))
        model.add(layers.Activation(activation))
        if activation == "tanh":
            model.add(layers.Dropout(0.5))
    # The old decay divided the rate by 1 + decay * updates.
    rate = keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 1e-6)
    model.compile(loss="categorical_crossentropy", metrics=["accuracy"],
                  optimizer=keras.optimizers.SGD(rate, momentum=0.9, nesterov=True))
    return [
        _row("old_example_runs_unchanged", "an old example still runs on today's Keras", "every feature does what it did",
             f"{fail} of {len(features)} features fail ({', '.join(parts)})", fail == 0),
        _trained("old_example_repaired_runs", "with every feature repaired, it trains one epoch",
                 model, *_data(), batch_size=16, validation_split=0.2)]


def checks(features: pd.DataFrame) -> list[dict]:
    """All checks of old code, one row each; `features` as `table` gives them."""
    return [*template(), *helper(), *old_example(features)]
