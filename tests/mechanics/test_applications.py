"""The order around batch normalisation is counted right, on networks made by hand."""

import keras
import pytest
from keras import layers

from pipeline.mechanics import applications
from pipeline.mechanics.applications import COUNTS, FAMILIES, count, network


def model(*stack):
    inputs = outputs = keras.Input((8, 8, 3))
    for layer in stack:
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)


def counts(bn, before=0, after=0, neither=0, without=0, kept=0):
    return dict(zip(COUNTS, (bn, before, after, neither, without, kept), strict=True))


def bn():
    return layers.BatchNormalization()


def conv(**arguments):
    return layers.Conv2D(4, 3, **arguments)


@pytest.mark.parametrize("stack, expected", [
    (lambda: [conv(), bn(), layers.ReLU()], counts(1, before=1, kept=1)),
    (lambda: [conv(use_bias=False), layers.ReLU(), bn()], counts(1, after=1)),
    (lambda: [conv(use_bias=False), bn(), layers.Activation("tanh")], counts(1, before=1, without=1)),
    (lambda: [conv(activation="relu"), bn()], counts(1, after=1, kept=1)),
    (lambda: [conv(activation="linear"), bn(), conv(activation="relu")], counts(1, neither=1, kept=1)),
    (lambda: [conv(), bn(), layers.Activation("linear")], counts(1, neither=1, kept=1)),
    (lambda: [layers.PReLU(), bn(), layers.LeakyReLU()], counts(1, before=1, after=1)),
    (lambda: [layers.MaxPooling2D(), bn(), layers.Dropout(0.5), layers.ReLU()], counts(1, neither=1)),
    (lambda: [conv(), bn(), layers.ReLU(), conv(use_bias=False), layers.ReLU(), bn()],
     counts(2, before=1, after=1, kept=1)), (lambda: [conv(), layers.LayerNormalization(), layers.ReLU()], counts(0))])
def test_the_neighbours_of_each_normalisation_are_counted(stack, expected):
    assert count(model(*stack())) == expected


def test_a_sum_is_no_activation_and_one_of_several_branches_is_enough():
    inputs = keras.Input((8, 8, 3))
    first = bn()(conv(padding="same")(inputs))  # to a sum alone
    second = bn()(conv(padding="same")(inputs))  # to a sum and an activation
    outputs = layers.Add()([first, second])
    found = count(keras.Model(inputs, [layers.ReLU()(outputs), layers.ReLU()(second)]))
    assert found == counts(2, before=1, neither=1, kept=2)


def test_what_is_built_on_a_network_does_not_belong_to_it():
    inputs = keras.Input((8, 8, 3))
    outputs = bn()(conv()(inputs))
    layers.ReLU()(outputs)
    assert count(keras.Model(inputs, outputs)) == counts(1, neither=1, kept=1)


def test_a_normalisation_inside_a_layer_is_refused():
    with pytest.raises(ValueError, match="must stand in the model itself.*Received"):
        count(model(model(conv(), bn())))


def test_every_family_of_keras_is_counted_once():
    everything = [value for name, value in vars(keras.applications).items() if name[0].isupper()]
    families = [vars(keras.applications)[name].__module__ for name in FAMILIES.values()]
    # Keras keeps the two VGG networks in two modules.
    others = {value.__module__ for value in everything} - {keras.applications.VGG19.__module__}
    assert sorted(families) == sorted(others)


def test_no_weights_are_fetched(monkeypatch):
    monkeypatch.setattr(keras.applications, "VGG16", lambda **arguments: arguments)
    assert network("VGG16")["weights"] is None


def test_the_table_has_a_row_a_family(monkeypatch):
    networks = {"One": model(conv(), bn(), layers.ReLU()), "Two": model(layers.ReLU())}
    monkeypatch.setattr(applications, "FAMILIES", {"first": "One", "second": "Two"})
    monkeypatch.setattr(applications, "network", networks.get)
    table = applications.table()
    assert list(table.columns) == ["family", "network", *COUNTS]
    assert table.values.tolist() == [["first", "One", 1, 1, 0, 0, 0, 1], ["second", "Two", 0, 0, 0, 0, 0, 0]]
