"""A network's spec and an input shape → a Keras model whose start the seed alone decides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import keras

from pipeline.network.resolve import _keras_layers, _own_layers
from pipeline.config.errors import ConfigError


def _create(item: dict, place: str, name: str | None = None):
    """The Keras layer of a resolved item."""
    known = _keras_layers() | _own_layers()
    arguments = {k: _create(v, place) if isinstance(v, dict) and "class" in v else v
                 for k, v in item["arguments"].items()}
    try:
        return known[item["class"]](**arguments, **({"name": name} if name else {}))
    except Exception as error:
        raise ConfigError(f"{place}: Keras refuses the arguments of '{item['word']}' "
                          f"({item['class']}): {first_lines(error)}") from None


def first_lines(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:300] + ("…" if len(text) > 300 else "")


def _seed(*parts) -> int:
    """A number below 2**31 that the parts decide."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:4], "big") >> 1


def _set_seeds(layer, *parts) -> None:
    """Give every initialiser and every source of noise inside a layer a seed of its own."""
    for number, part in enumerate(layer._flatten_layers()):
        for attribute, value in sorted(vars(part).items()):
            if isinstance(value, keras.initializers.Initializer) and hasattr(value, "seed"):
                # A copy: Keras may share one initialiser between layers.
                copy = value.__class__.from_config(value.get_config() | {"seed": None})
                copy.seed = _seed(*parts, number, part.__class__.__name__, attribute)
                setattr(part, attribute, copy)
            elif isinstance(value, keras.random.SeedGenerator):
                start = _seed(*parts, number, part.__class__.__name__, attribute)
                value.state.assign([start, 0])


def _lost_steps(last) -> str:
    """What to do about a recurrent layer that gives its last step alone, where the next layer needs all."""
    if getattr(last, "return_sequences", None) is not False:
        return ""
    return f"; {{{last.name.rpartition('_')[0]}: {{return_sequences: true}}}} in front of it keeps the steps"


def build(network: dict, shape: tuple[int, ...], outputs: int, seed: int = 0, repetition: int = 0,
          place: str = "network", written: Sequence[str] = ()) -> keras.Model:
    """A Keras model of a resolved network.

    Each initialiser's seed comes from (seed, the layer's word, its occurrence), so that putting a
    layer in leaves the start of the others as it was. Dropout's masks likewise.

    Args:
        network: `{'layers': [...], 'head': [...]}` of resolved items.
        shape: of one sample, `(time, channels)`, `(features,)` or `(height, width, channels)`.
        outputs: how many numbers the network gives a sample.
        seed, repetition: decide the initial weights and the noise.
        place: where the network stands, for messages.
        written: where each of its layers does, if not in a list there.

    Raises:
        ConfigError: Keras cannot connect the layers; the message names the layer.
    """
    inputs = tensor = keras.Input(shape, name="input")
    last = None
    occurrence: dict[str, int] = {}
    output = {"word": "output", "class": "Dense", "arguments": {"units": outputs}}
    written = written or [f"{place}.layers[{i}]" for i in range(len(network["layers"]))]
    items = list(zip(written, network["layers"], strict=True))
    items += [(f"{place}.head", output)]
    items += [(f"{place}.head[{i}]", item) for i, item in enumerate(network["head"])]
    for where, item in items:
        word = item["word"]
        occurrence[word] = occurrence.get(word, 0) + 1
        layer = _create(item, where, f"{word}_{occurrence[word]}".replace("/", "_"))
        if item is output and len(tensor.shape) != 2:
            raise ConfigError(f"{where}: the output needs one vector a sample, but the last layer "
                              f"gives shape {tuple(tensor.shape)}; add Flatten or a pooling (an output a step is out "
                              "of reach)")
        _set_seeds(layer, seed, repetition, word, occurrence[word])
        try:
            after = layer(tensor)
        except Exception as error:
            raise ConfigError(f"{where}: Keras cannot put '{word}' ({item['class']}) after shape "
                              f"{tuple(tensor.shape)}: {first_lines(error)}{_lost_steps(last)}") from None
        if not hasattr(after, "shape"):
            raise ConfigError(f"{where}: '{word}' gives several outputs, and a list needs one")
        tensor, last = after, layer
    if tuple(tensor.shape) != (None, outputs):
        raise ConfigError(f"{place}.head: it gives shape {tuple(tensor.shape)}; the task needs "
                          f"{(None, outputs)}")
    return keras.Model(inputs, tensor)
