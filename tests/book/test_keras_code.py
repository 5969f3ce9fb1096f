"""Keras code to paste: it is the network that the study trains, and Keras runs it as it stands."""

import json
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from pipeline.book import keras_code as written
from pipeline.book.keras_code import keras_code
from pipeline.config.layer_list import flat
from pipeline.config.task import Task
from pipeline.network import layers as ours
from pipeline.network.model import build, create
from pipeline.network.optimizers import _NO_KERNELS, optimizers
from pipeline.network.refused import LAYERS, OPTIMIZERS
from pipeline.network.resolve import resolve
from pipeline.tables.schemas import FOUND
from pipeline.tables.stored import LAYER_COLUMNS
from pipeline.train.layers import layers
from tests.network.fits import classes
from tests.network.registry import cases, layer_classes
from tests.networks import TRAINING, random_split

EDGES = pd.DataFrame(columns=list(FOUND["edges"].columns))
WORDS = {"excite": [{"branches": [[], ["GlobalAveragePooling1D", {"Dense": {"units": 3, "activation": "sigmoid"}}]],
                     "join": "multiply"}]}
CONV = {"Conv1D": {"filters": 3, "kernel_size": 2, "padding": "same"}}
HALVED = {"Conv1D": {"filters": 4, "kernel_size": 2, "padding": "same", "strides": 2}}


def planned(*items, shape=(8, 3), head=(), classes=0, quantiles=(), train=()):
    network = {part: [resolve(one, WORDS, part) for one in flat(some, WORDS)]
               for part, some in (("layers", items), ("head", head))}
    arm = {"variant": "", "data": "waves", "shape": list(shape), "network": network, "train": TRAINING | dict(train),
           "task": {"classes": classes, "targets": 1, "quantiles": list(quantiles)}}
    return {"experiment": "mine", "arms": [arm]}


def made(plan, calls=False):
    """The printed code, and the model that it makes."""
    text, room = keras_code(plan, layers(plan), EDGES, calls), {}
    exec(text.partition("\noptimizer =")[0], room)
    return text, room["model"]


def require_same(plan, calls=False):
    """Both models have the same weights, and give the same from the same ones; in training too, where nothing is drawn."""
    (arm,), generator = plan["arms"], np.random.default_rng(0)
    mine, its = build(arm["network"], tuple(arm["shape"]), Task.of(arm).outputs), made(plan, calls)[1]
    for one, other in zip(mine.weights, its.weights, strict=True):
        assert one.shape == other.shape and one.trainable == other.trainable
        value = generator.normal(0, 0.3, one.shape)
        for weight in (one, other):
            weight.assign(abs(value) if "variance" in one.name else value)
    tokens = arm["network"]["layers"][0]["class"] == "Embedding"
    x = (generator.integers(0, 60, (32, *arm["shape"])) if tokens else generator.normal(size=(32, *arm["shape"]))).astype("f4")
    draws = any("seed_generator" in one.path for one in mine.variables)
    for training in [False] if draws else [False, True]:
        np.testing.assert_allclose(mine(x, training=training), its(x, training=training), atol=1e-5)


def stored():
    """Experiments whose networks no experiment before them has, with their first arm."""
    known, found = set(), {}
    for path in sorted(Path("plan").glob("*.json")):
        plan = json.loads(path.read_text())
        for arm in plan["arms"]:
            network = json.dumps(arm["network"])
            if arm["data"] == plan["arms"][0]["data"] and network not in known:
                known.add(network)
                found[f"{path.stem}[{arm['variant']}]"] = plan | {"arms": [arm]}
    return found


STORED = stored()


@pytest.mark.parametrize("name", STORED)
def test_the_code_of_the_study_makes_the_networks_that_it_trains(name):
    require_same(STORED[name])


@pytest.mark.parametrize(("items", "shape"), [
    ([CONV, {"residual": [HALVED]}, {"LSTM": {"units": 3}}], (8, 3)),
    ([{"residual": [{"residual": ["LayerNormalization", {"Dense": {"units": 4}}]}, {"Dense": {"units": 6}}]}], (4,)),
    ([{"residual": [{"SelfAttention": {"num_heads": 2, "key_dim": 2, "use_causal_mask": True}}]}, "Flatten"], (8, 3)),
    ([{"branches": [[], [CONV], [{"residual": [CONV]}, "BatchNormalization"]], "join": "concatenate"}, {"GRU": {"units": 2}}],
     (8, 3)),
    (["excite", {"Conv1D": {"filters": 3, "kernel_size": 2}}, "excite", "Flatten"], (8, 3)),
    ([{"Conv2D": {"filters": 4, "kernel_size": 2}}, {"SqueezeExcite": {"ratio": 2}}, "Flatten"], (6, 6, 3)),
    ([{"Dense": {"units": 6}}, {"SqueezeExcite": {"ratio": 3}}], (4,)),
    ([{"Embedding": {"input_dim": 60, "output_dim": 4, "mask_zero": True}}, "SqueezeExcite", {"LSTM": {"units": 3}}], (8,)),
], ids=str)
def test_blocks_and_layers_that_keras_lacks_are_the_same_in_calls(items, shape):
    require_same(planned(*items, shape=shape))


def test_a_list_of_layers_may_be_written_as_calls():
    plan = planned(CONV, "ReLU", {"LSTM": {"units": 3}})
    assert "Sequential" in made(plan)[0] and "Sequential" not in made(plan, calls=True)[0]
    require_same(plan, calls=True)


SEQUENTIAL = """\
# mine on waves
# x: (samples, 8, 3), as it was measured
# y: (samples,), a class from 0 to 3
# of the training samples a share of 0.5 was used
import keras
from keras import layers
from pipeline.network.layers import GhostBatchNormalization  # of this project: Keras has none

model = keras.Sequential([
    keras.Input((8, 3)),
    layers.Conv1D(3, 2, padding="same"),
    GhostBatchNormalization(size=8),
    layers.Activation("relu"),
    layers.Bidirectional(layers.LSTM(3, recurrent_initializer=keras.initializers.Orthogonal(gain=0.5))),
    layers.Dropout(0.5),
    layers.Dense(4, activation="softmax"),
])

# for most seeds the best on validation of 0.003, 0.01, 0.03
optimizer = keras.optimizers.SGD(learning_rate=0.03, momentum=0.9)
model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(
    x_train, y_train,
    validation_data=(x_validation, y_validation),
    batch_size=8,
    epochs=3,
    callbacks=[
        keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
    ],
)
"""
CALLS = """\
inputs = keras.Input((8, 3))
x = layers.Conv1D(3, 2, padding="same")(inputs)
residual_1 = x
x = layers.BatchNormalization()(residual_1)
x = layers.Activation("relu")(x)
x = layers.Conv1D(4, 2, padding="same", strides=2)(x)
residual_1 = layers.Conv1D(4, 1, strides=2, use_bias=False)(residual_1)
x = layers.Add()([residual_1, x])
branches_1 = x
x = layers.Multiply()([branches_1, branches_1])
x = layers.Flatten()(x)
x = layers.Dense(1)(x)
model = keras.Model(inputs, x)
"""


def test_a_list_of_layers_is_printed_whole():
    lstm = {"LSTM": {"units": 3, "recurrent_initializer": {"Orthogonal": {"gain": 0.5}}}}
    plan = planned(CONV, {"GhostBatchNormalization": {"size": 8}}, {"Activation": "relu"}, {"Bidirectional": {"layer": lstm}},
                   {"Dropout": {"rate": 0.5}}, head=[{"Activation": "softmax"}], classes=4, train={
                       "scaling": "none", "train_fraction": 0.5, "patience": 2, "optimizer": {"sgd": {"momentum": 0.9}}})
    rates = pd.DataFrame({"experiment": "mine", "variant": "", "data": ["hills", "waves"], "rate": [0.01, 0.03]})
    assert keras_code(plan, layers(plan), rates) == SEQUENTIAL


@pytest.mark.parametrize(("files", "line"), [
    (["own/my_layers.py"], "from own.my_layers import Gate  # own/my_layers.py"), (["a.py", "b.py"], "from a import *  # a.py")])
def test_a_layer_that_somebody_wrote_is_imported_from_its_file(files, line):
    plan = planned() | {"modules": dict.fromkeys(files, "0"), "custom_layers": {"Gate": "0"}}
    plan["arms"][0]["network"]["layers"] = [{"word": "Gate", "class": "Gate", "arguments": {"rate": 0.5}}]
    text = keras_code(plan, pd.DataFrame(columns=LAYER_COLUMNS), EDGES)
    assert f"\n{line}\n" in text and "\n    Gate(rate=0.5),\n" in text


def test_blocks_are_printed_as_calls():
    text, _ = made(planned(CONV, {"residual": ["BatchNormalization", {"Activation": "relu"}, HALVED]},
                           {"branches": [[], []], "join": "multiply"}, "Flatten"))
    assert CALLS in text and "# no run is stored: the first of 0.003, 0.01, 0.03\noptimizer" in text


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own callback
@pytest.mark.parametrize(("classes", "train", "parts"), [
    (3, {"loss": {"CategoricalCrossentropy": {"label_smoothing": 0.1}}},
     ["loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1)", "x_train, keras.utils.to_categorical(y_train, 3),"]),
    (3, {"class_weight": "balanced"}, ["import numpy as np", "counts = np.bincount(y_train, minlength=3)"]),
    (0, {"loss": "MeanAbsoluteError", "schedule": "plateau"},
     ['loss=keras.losses.MeanAbsoluteError(), metrics=["mean_squared_error"]',
      "ReduceLROnPlateau(factor=0.1, patience=5, min_delta=0)"]),
    (0, {"schedule": "cosine", "learning_rates": [0.01]},
     ["steps = 3 * (len(x_train) // 8)\nrate = keras.optimizers.schedules.CosineDecay(0.01, steps, alpha=0.0)\noptimizer"]),
    (0, {"schedule": {"cosine": {"warmup": 0.1, "final": 0.2}}},
     ["warmup = round(0.1 * steps)", "0.0, steps - warmup, alpha=0.2, warmup_target=0.003, warmup_steps=warmup"]),
    (0, {"optimizer": {"AdamW": {"weight_decay": 0.01, "decay_kernels_only": True, "use_ema": True}}},
     ["AdamW(learning_rate=0.003, use_ema=True, weight_decay=0.01)", f'var_names=[r"{_NO_KERNELS[0]}"]', "SwapEMAWeights"]),
], ids=str)
def test_what_training_is_asked_for_is_printed_and_runs(classes, train, parts):
    plan, split = planned({"Dense": {"units": 3}}, shape=(4,), head=["Softmax"] * bool(classes), classes=classes,
                          train=train), random_split((4,), classes)
    text = keras_code(plan, layers(plan), EDGES)
    assert all(part in text for part in parts)
    exec(text, vars(split) | {"__name__": "pasted"})


def test_the_printed_loss_of_quantiles_is_that_of_the_study():
    plan, room = planned({"Dense": {"units": 3}}, shape=(4,), quantiles=(0.1, 0.5)), {}
    exec(keras_code(plan, layers(plan), EDGES).partition("model =")[0], room)
    # 1 above 0 and 3 below 4: 0.1 * 1 and 0.5 * 3; then 0.9 * 1 and 0.5 * 2.
    found = room["pinball"](keras.ops.array([[1.0], [1.0]]), keras.ops.array([[0.0, -2.0], [2.0, 3.0]]))
    np.testing.assert_allclose(found, [0.8, 0.95], rtol=1e-6)


def configured(layer):
    """What a layer is configured to, without names."""
    if isinstance(layer, dict):
        return {key: configured(value) for key, value in layer.items() if key not in ("name", "seed", "shared_object_id")}
    return [configured(one) for one in layer] if isinstance(layer, list | tuple) else layer


@pytest.mark.parametrize("name", [name for name in layer_classes() if name not in LAYERS])
def test_any_layer_is_printed_as_keras_makes_it(name):
    network = written._Network(planned(), pd.DataFrame())
    with classes(own=False):
        for case in cases(name):
            item = resolve({name: case.arguments}, {}, "here")
            printed = network.layer(item)
            its = eval(printed, {"keras": keras, "layers": keras.layers, **vars(ours)})
            assert configured(its.get_config()) == configured(create(item, "here").get_config()), printed


def test_it_knows_what_keras_has():
    assert {name for name in ours.__all__ if not hasattr(keras.layers, name)} == written.OWN
    assert {*optimizers()} - {*OPTIMIZERS} == {*written.OPTIMIZERS} and [written.NO_KERNELS] == _NO_KERNELS
