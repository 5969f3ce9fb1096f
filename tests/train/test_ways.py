"""Losses, weights of classes and schedules: trained by us and by Keras' fit, from the same start on the same batches."""

import keras
import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from pipeline.config.experiments import WAYS
from pipeline.config.schema import Train
from pipeline.config.task import Task
from pipeline.data.split import Split
from pipeline.network import model
from pipeline.network.losses import CLASSES, NUMBERS
from pipeline.network.optimizers import make_optimizer
from pipeline.train.trainer import Trainer
from tests.networks import network, random_split

SEED, BATCH, EPOCHS, RATE = 3, 8, 6, 0.05
SOFTMAX = [{"Activation": "softmax"}]


def split_of(classes):
    """48 samples of five inputs; of classes, the third is rare."""
    split = random_split((5,), classes, 48)
    if not classes:
        return split
    generator = np.random.default_rng(1)
    parts = (split.x_train, split.y_train, split.x_validation, split.y_validation, split.x_test, split.y_test)
    return Split(*(part if part.dtype == np.float32 else
                   generator.choice(3, len(part), p=[0.6, 0.3, 0.1]).astype(np.int32) for part in parts),
                 task="classes", classes=3)


def ours(split, ways, optimizer="SGD"):
    spec = network({"Dense": {"units": 6, "activation": "tanh"}}, head=SOFTMAX if split.classes else ())
    trainer = Trainer(spec, (5,), Task(split.classes), optimizer, ways)
    trainer._begin(trainer._variables, trainer.start(SEED, 0), RATE)
    order = np.stack([np.arange(48, dtype=np.int32).reshape(-1, BATCH)] * EPOCHS)
    curves = trainer._epochs(trainer._variables, split, order, 0)
    return [v.numpy() for v in trainer.model.trainable_variables], curves


def theirs(split, loss, optimizer="SGD", rate=RATE, callbacks=(), **fit):
    spec = network({"Dense": {"units": 6, "activation": "tanh"}}, head=SOFTMAX if split.classes else ())
    built = model.build(spec, (5,), split.classes or 1, SEED, 0)
    built.compile(make_optimizer(optimizer, rate), loss=loss, jit_compile=True)
    sparse = isinstance(loss, keras.losses.SparseCategoricalCrossentropy)
    y, y_validation = (one if sparse or not split.classes else np.eye(3, dtype=np.float32)[one]
                       for one in (split.y_train, split.y_validation))
    found = built.fit(split.x_train, y, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0, callbacks=list(callbacks),
                      validation_data=(split.x_validation, y_validation), validation_batch_size=48, **fit).history
    return [v.numpy() for v in built.trainable_variables], np.column_stack([found["loss"], found["val_loss"]])


def require_same(one, other):
    for mine, its in zip(one[0], other[0], strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-3, atol=2e-5)
    np.testing.assert_allclose(one[1], other[1], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("loss", [
    *CLASSES, {"CategoricalCrossentropy": {"label_smoothing": 0.2}}, {"CategoricalFocalCrossentropy": {"gamma": 1.0}}], ids=str)
def test_a_loss_of_classes_trains_as_in_fit(loss):
    name, given = (loss, {}) if isinstance(loss, str) else next(iter(loss.items()))
    split = split_of(3)
    require_same(ours(split, {"loss": loss}), theirs(split, getattr(keras.losses, name)(**given)))


@pytest.mark.parametrize("loss", [*NUMBERS, {"Huber": {"delta": 0.3}}], ids=str)
def test_a_loss_of_numbers_trains_as_in_fit(loss):
    name, given = (loss, {}) if isinstance(loss, str) else next(iter(loss.items()))
    split = split_of(0)
    found = ours(split, {"loss": loss})
    require_same(found, theirs(split, getattr(keras.losses, name)(**given)))
    if name != "MeanSquaredError":
        assert not np.allclose(found[0][0], ours(split, {})[0][0], rtol=1e-3)


@pytest.mark.parametrize("loss", [None, {"CategoricalCrossentropy": {"label_smoothing": 0.2}}], ids=str)
def test_balanced_classes_train_as_in_fit(loss):
    split = split_of(3)
    weights = dict(enumerate(compute_class_weight("balanced", classes=np.arange(3), y=split.y_train)))
    made = keras.losses.CategoricalCrossentropy(label_smoothing=0.2) if loss else keras.losses.SparseCategoricalCrossentropy()
    found = ours(split, {"loss": loss, "class_weight": "balanced"})
    require_same(found, theirs(split, made, class_weight=weights))
    assert not np.allclose(found[0][0], ours(split, {"loss": loss})[0][0], rtol=1e-2)


@pytest.mark.parametrize(("warmup", "final"), [(0.0, 0.0), (0.25, 0.0), (0.5, 0.2)])
def test_a_cosine_is_that_of_keras(warmup, final):
    split, steps = split_of(0), EPOCHS * 48 // BATCH
    rising = round(warmup * steps)
    decay = keras.optimizers.schedules.CosineDecay(
        0.0 if rising else RATE, steps - rising, alpha=final, warmup_target=RATE if rising else None, warmup_steps=rising)
    found = ours(split, {"schedule": {"cosine": {"warmup": warmup, "final": final}}}, {"SGD": {"momentum": 0.9}})
    require_same(found, theirs(split, keras.losses.MeanSquaredError(), {"SGD": {"momentum": 0.9}}, decay))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own callback
def test_a_plateau_is_that_of_keras():
    split = split_of(0)
    still = Split(split.x_train, split.y_train, split.x_validation, -5 * split.y_validation, split.x_test, split.y_test,
                  "regression", 0)
    callback = keras.callbacks.ReduceLROnPlateau(factor=0.3, patience=2, min_delta=0.0)
    found = ours(still, {"schedule": {"plateau": {"factor": 0.3, "patience": 2}}})
    require_same(found, theirs(still, keras.losses.MeanSquaredError(), callbacks=[callback]))
    assert not np.allclose(found[0][0], ours(still, {})[0][0], rtol=1e-3)


def test_what_is_not_asked_for_stands_in_no_plan():
    asked = {"epochs": 2, "batch_size": 8, "optimizer": "Adam", "learning_rates": [0.01]}
    assert not set(WAYS) & Train(**asked).model_dump().keys()
    assert Train(**asked, schedule="cosine").model_dump()["schedule"] == "cosine"
    assert Train(**asked, schedule={"cosine": {}}).model_dump()["schedule"] == {"cosine": {"warmup": 0.0, "final": 0.0}}


def test_decay_may_leave_out_all_but_kernels():
    """A step with decay is one without, less rate · decay · weight of what decays."""
    spec = network({"Dense": {"units": 6, "activation": "tanh"}}, "BatchNormalization", "LayerNormalization", "PReLU")
    split, order = split_of(0), np.arange(BATCH, dtype=np.int32)[None, None]
    after = {}
    for decay in (None, 0.5):
        given = {"weight_decay": decay, "decay_kernels_only": True} if decay else {}
        trainer = Trainer(spec, (5,), Task(), {"SGD": given})
        start = trainer.start(SEED, 0)
        # A bias or a beta of 0 would not show its decay.
        start = [value + 0.3 if value.ndim == 1 and value.dtype == np.float32 else value for value in start]
        trainer._begin(trainer._variables, start, RATE)
        before = [v.numpy() for v in trainer.model.trainable_variables]
        trainer._epochs(trainer._variables, split, order, 0)
        after[decay] = [v.numpy() for v in trainer.model.trainable_variables]
    for variable, weight, plain, decayed in zip(trainer.model.trainable_variables, before, *after.values(), strict=True):
        share = RATE * 0.5 if variable.name == "kernel" else 0
        np.testing.assert_allclose(plain - decayed, share * weight, atol=1e-6, err_msg=variable.path)
