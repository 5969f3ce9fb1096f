"""Old code is tried as it stands, what happens is told in stable words, and the repairs run."""

import functools
import inspect
import warnings

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers

from pipeline.mechanics import old_code
from pipeline.mechanics.exact import COLUMNS
from pipeline.mechanics.old_code import (
    Feature, _classifier, _data, _softmax_loss, checks, descend, geometry, happens, helper,
    old_example, said, template, trains)


@pytest.fixture(scope="module")
def table():
    return old_code.table()


# --- what happened, in words -------------------------------------------------------------------

@pytest.mark.parametrize("message, expected", [
    ("No module named 'a.b'", "No module named 'a.b'"), ("first\nsecond", "first"),
    ("It is refused. Use another. Received: x=<f at 0x7f00>", "It is refused."), ("Not known Received: x=1", "Not known"),
    ("cannot import name 'a' from 'b' (/home/me/b.py)", "cannot import name 'a' from 'b'"),
    ("<function f at 0x7f3790e77890> fails", "<function f> fails"),
    ("<Dense name=dense_12, built=False>", "<Dense name=dense, built=False>"), ("lr=0.1 is ignored", "lr=0.1 is ignored"),
    ("", "")])
def test_a_message_is_told_without_what_differs_from_run_to_run(message, expected):
    assert said(message) == expected


def test_an_attempt_works_only_if_it_does_what_it_did():
    def warn():
        warnings.warn("Old. Do something else.", stacklevel=1)

    def fail():
        raise TypeError("no such argument. Received: 1")

    assert happens(lambda: None) == (True, "works")
    assert happens(warn) == (True, "works; warns: Old.")
    assert happens(lambda: warn() or "is ignored") == (False, "is ignored; warns: Old.")
    assert happens(fail) == (False, "TypeError: no such argument.")


# --- the features ------------------------------------------------------------------------------

def test_the_table_tells_each_feature(monkeypatch):
    monkeypatch.setattr(old_code, "FEATURES", [
        Feature("A", "one", lambda: None), Feature("B", "two", lambda: "is ignored", "three")])
    assert old_code.table().to_dict("list") == {
        "thread": ["A", "B"], "feature": ["one", "two"], "works": [True, False],
        "happens": ["works", "is ignored"], "repair": ["", "three"]}


def test_the_table_is_the_same_again_and_every_feature_that_fails_has_a_repair(table):
    assert table.equals(old_code.table()) and table["feature"].is_unique
    assert (table.loc[~table["works"], "repair"] != "").all()


@pytest.mark.parametrize("callable_, argument, feature", [
    (layers.BatchNormalization, "mode", "BatchNormalization(mode=0)"),
    (layers.BatchNormalization, "epsilon", "BatchNormalization(epsilon=1e-06, momentum=0.9)"),
    (layers.Dense, "init", "Dense(64, init='uniform')"), (layers.Dense, "use_bias", "Dense(64, use_bias=False)"),
    (layers.Conv2D, "border_mode", "Convolution2D(64, border_mode='same')"), (keras.optimizers.SGD, "lr", "SGD(lr=0.1)"),
    (keras.optimizers.SGD, "nesterov", "SGD(momentum=0.9, nesterov=True)"),
    (keras.Model.fit, "nb_epoch", "fit(nb_epoch=20)"), (keras.Model.fit, "show_accuracy", "fit(show_accuracy=True)"),
    (keras.Model.fit, "validation_split", "fit(batch_size=16, validation_split=0.2, verbose=2)")])
def test_an_argument_works_if_the_signature_has_it(table, callable_, argument, feature):
    row = table.set_index("feature").loc[feature]
    assert row["works"] == (argument in inspect.signature(callable_).parameters)
    assert row["works"] or argument in row["happens"]


def test_what_runs_but_does_something_else_does_not_work(table):
    rows = table.set_index("feature")
    assert rows.loc["Convolution2D(64, 3, 3)", "happens"].endswith("stride 3 x 3")
    assert rows.loc["SGD(decay=1e-06)", "happens"].startswith("is ignored")
    assert rows.loc["compile(loss='binary_crossentropy') after a softmax", "happens"].startswith("means something else")


def test_the_repairs_run(table):
    model, (x, y) = _classifier(), _data()
    names = {**vars(layers), "keras": keras, "SGD": keras.optimizers.SGD, "Input": keras.Input,
             "InverseTimeDecay": keras.optimizers.schedules.InverseTimeDecay,
             "fit": functools.partial(model.fit, x, y, verbose=0), "compile": model.compile, "tensor": keras.Input((5, 3))}
    repairs = set(table["repair"]) - {""}
    assert len(repairs) > 5
    for repair in repairs:
        exec(repair, dict(names))


def test_the_repaired_rate_falls_as_the_old_one_did():
    rate = keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 0.5)
    expected = -0.1 * sum(1 / (1 + 0.5 * updates) for updates in range(3))
    assert descend(keras.optimizers.SGD(rate)) == pytest.approx(expected, rel=1e-6)
    assert descend(keras.optimizers.SGD(0.1)) == pytest.approx(-0.3, rel=1e-6)


def test_a_loss_that_takes_the_probabilities_works(monkeypatch):
    def classifier():
        softmax = layers.Dense(2, activation=lambda x: tf.identity(tf.nn.softmax(x)))
        model = keras.Sequential([keras.Input((14,)), softmax])
        model.compile(loss="binary_crossentropy", optimizer="sgd")
        return model

    monkeypatch.setattr(old_code, "_classifier", classifier)
    assert _softmax_loss() is True


def test_the_geometry_of_a_convolution():
    assert geometry(layers.Conv2D(4, (3, 5))) == "kernel 3 x 5, stride 1 x 1"
    assert geometry(layers.Conv2D(4, 3, 2)) == "kernel 3 x 3, stride 2 x 2"


# --- the checks --------------------------------------------------------------------------------

def network(rate=0.1, bias=True, loss="mse"):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, use_bias=bias)])
    model.compile(keras.optimizers.SGD(rate), loss, run_eagerly=True)
    return model


def test_training_is_noticed():
    x, y = np.ones((8, 3), np.float32), np.ones((8, 2), np.float32)
    assert trains(network(), x, y) == (True, "a finite loss, 2 of 2 arrays moved")
    assert trains(network(bias=False), x, y, validation_split=0.5) == (True, "a finite loss, 1 of 1 arrays moved")
    assert trains(network(rate=0.0), x, y) == (False, "a finite loss, 0 of 2 arrays moved")
    assert trains(network(), x * np.nan, y) == (False, "no finite loss, 2 of 2 arrays moved")


def rows(found):
    return {row["check"]: row for row in found}


def test_a_template_that_is_taken_is_noticed(monkeypatch):
    own = keras.Model

    def lenient(inputs, outputs):
        return own(inputs, outputs(inputs) if isinstance(outputs, layers.Layer) else outputs)

    monkeypatch.setattr(keras, "Model", lenient)
    monkeypatch.setattr(old_code, "trains", lambda *_, **__: (False, "no finite loss"))
    found = rows(template())
    assert found["template_runs"]["holds"]
    assert not found["template_repaired_runs"]["holds"]


def test_the_helper_of_an_older_keras_would_run(monkeypatch):
    own = layers.Conv2D

    def old(filters, height, width=None, border_mode="valid", padding=None):
        return own(filters, height if width is None else (height, width), padding=padding or border_mode)

    monkeypatch.setattr(layers, "Conv2D", old)
    assert all(row["holds"] for row in helper())


def test_an_example_runs_unchanged_if_no_feature_fails(monkeypatch):
    monkeypatch.setattr(old_code, "trains", lambda *_, **__: (True, "a finite loss"))
    features = pd.DataFrame({"thread": ["A", "B", "B"], "works": [True, False, True]})
    found = rows(old_example(features))["old_example_runs_unchanged"]
    assert not found["holds"]
    assert found["found"] == "1 of 3 features fail (thread A: 0 of 1, thread B: 1 of 2)"
    assert rows(old_example(features.assign(works=True)))["old_example_runs_unchanged"]["holds"]


def test_old_code_fails_and_all_repairs_train(table):
    found = pd.DataFrame(checks(table))
    assert list(found.columns) == COLUMNS and found["check"].is_unique and found["holds"].dtype == bool
    found = found.set_index("check")
    assert set(found.index[~found["holds"]]) == {
        "template_runs", "helper_positional_arguments", "helper_border_mode", "old_example_runs_unchanged"}
    assert "KerasTensor" in found.loc["template_runs", "found"]
