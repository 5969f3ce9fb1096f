"""Where the networks that come with Keras put batch normalisation: counted, not remembered."""

from __future__ import annotations

import keras
import pandas as pd

#: Every family of `keras.applications`, by its smallest member.
FAMILIES = {
    "VGG": "VGG16", "ResNet": "ResNet50", "ResNetV2": "ResNet50V2", "Inception": "InceptionV3",
    "InceptionResNet": "InceptionResNetV2", "Xception": "Xception", "MobileNet": "MobileNet",
    "MobileNetV2": "MobileNetV2", "MobileNetV3": "MobileNetV3Small", "DenseNet": "DenseNet121",
    "NASNet": "NASNetMobile", "EfficientNet": "EfficientNetB0",
    "EfficientNetV2": "EfficientNetV2B0", "ConvNeXt": "ConvNeXtTiny"}
COUNTS = ["bn_layers", "before_activation", "after_activation", "neither", "without_bias", "with_bias"]
COLUMNS = ["family", "network", *COUNTS]
ACTIVATIONS = (keras.layers.Activation, keras.layers.ReLU, keras.layers.LeakyReLU,
               keras.layers.PReLU, keras.layers.ELU, keras.layers.Softmax)



def _activates(operation) -> bool:
    """Whether an operation ends in a non-linearity: as a layer of its own, or as its argument."""
    inside = getattr(operation, "activation", None)
    return isinstance(operation, ACTIVATIONS) if inside is None else inside is not keras.activations.linear


def count(model: keras.Model) -> dict[str, int]:
    """What stands directly before and after each BatchNormalization of a functional model.

    Returns, by `COUNTS`: the BN layers; those of which an activation takes the output
    (`before_activation`); those whose input an activation gives, the `activation` argument of a
    layer included (`after_activation`); those with neither; and those whose input comes from a
    layer that has its bias left out or kept. A BN layer between two activations counts in both of
    the first two; one after a sum or a pooling in neither of the last two.

    Raises:
        ValueError: a BN layer is inside another layer, where its neighbours are not seen.
    """
    inside, rows = {id(operation) for operation in model.operations}, []
    for layer in model._flatten_layers():
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        if id(layer) not in inside:
            raise ValueError("BatchNormalization must stand in the model itself, not in a layer of it. "
                             f"Received: {layer.name} in {model.name}")
        before = [parent.operation for node in layer._inbound_nodes for parent in node.parent_nodes]
        after = [node.operation for node in layer._outbound_nodes if id(node.operation) in inside]
        leads = any(isinstance(one, ACTIVATIONS) and _activates(one) for one in after)
        follows = any(map(_activates, before))
        biases = [operation.use_bias for operation in before if hasattr(operation, "use_bias")]
        rows.append((True, leads, follows, not (leads or follows), False in biases, True in biases))
    return {name: sum(row[number] for row in rows) for number, name in enumerate(COUNTS)}


def network(name: str) -> keras.Model:
    """A network of `keras.applications` without its classifier, its weights drawn, none fetched."""
    return getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(None, None, 3))


def table() -> pd.DataFrame:
    """The counts of every family, one row each."""
    return pd.DataFrame([{"family": family, "network": name} | count(network(name)) for family, name in FAMILIES.items()],
                        columns=COLUMNS)
