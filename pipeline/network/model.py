"""A network's spec and an input shape → a Keras model whose start the seed alone decides."""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections import Counter
from collections.abc import Sequence

import keras

from pipeline.network.arguments import create_named, first_lines
from pipeline.network.resolve import _keras_layers, _own_layers
from pipeline.config.errors import ConfigError


def create(item: dict, place: str, name: str | None = None):
    """The Keras layer of a resolved item."""
    known = _keras_layers() | _own_layers()
    arguments = {key: _made(value, f"{place}.{key}") for key, value in item["arguments"].items()}
    try:
        return known[item["class"]](**arguments, **({"name": name} if name else {}))
    except Exception as error:
        raise ConfigError(f"{place}: Keras refuses the arguments of '{item['word']}' "
                          f"({item['class']}): {first_lines(error)}") from None


def _made(value, place: str):
    """An argument's value, with what it describes made."""
    if not isinstance(value, dict):
        return value
    return create(value, place) if "word" in value else create_named(value, place)


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


@contextlib.contextmanager
def _drawn_by(*parts):
    """Let the parts decide the seeds that Keras takes from Python's generator, and give that back as it was.

    They are those of initialisers and noise that nobody gave a seed: a layer may make some, and
    further layers, only when it is built.
    """
    before = random.getstate()
    random.seed(_seed(*parts))
    try:
        yield
    finally:
        random.setstate(before)


class _Chain:
    """A network as far as it is built: a tensor, and which layer made its mask."""

    def __init__(self, tensor):
        self.tensor, self.masked_by, self.last = tensor, "", None

    def add(self, layer, item: dict, where: str) -> None:
        """Put a layer behind the others; ConfigError if it does not fit, or something gets lost in it."""
        word = f"'{item['word']}' ({item['class']})"
        if self.masked_by and not layer.supports_masking:
            raise ConfigError(f"{where}: {word} drops the mask that '{self.masked_by}' makes, so that padding would "
                              "count; allowed: layers that keep a mask, such as Dense, or that use it up, such as LSTM")
        try:
            after = layer(self.tensor)
        except Exception as error:
            raise ConfigError(f"{where}: Keras cannot put {word} after shape "
                              f"{tuple(self.tensor.shape)}: {first_lines(error)}{_lost_steps(self.last)}") from None
        if after is self.tensor:
            raise ConfigError(f"{where}: {word} gives its input itself, on which Keras can build no network; allowed: a "
                              "layer that gives another tensor")
        if not hasattr(after, "shape"):
            raise ConfigError(f"{where}: '{item['word']}' gives several outputs, and a list needs one")
        if None in after.shape[1:]:
            raise ConfigError(f"{where}: {word} gives shape {tuple(after.shape)}; allowed: a shape that is known but "
                              "for the samples of a batch")
        self.masked_by = (self.masked_by or layer.name) if getattr(after, "_keras_mask", None) is not None else ""
        self.tensor, self.last = after, layer


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
        ConfigError: Keras cannot connect the layers, or one drops a mask; the message names the layer.
    """
    inputs = keras.Input(shape, name="input")
    chain, occurrence = _Chain(inputs), Counter()
    output = {"word": "output", "class": "Dense", "arguments": {"units": outputs}}
    written = written or [f"{place}.layers[{i}]" for i in range(len(network["layers"]))]
    items = list(zip(written, network["layers"], strict=True))
    items += [(f"{place}.head", output)]
    items += [(f"{place}.head[{i}]", item) for i, item in enumerate(network["head"])]
    for where, item in items:
        word = item["word"]
        occurrence[word] += 1
        if item is output and len(chain.tensor.shape) != 2:
            raise ConfigError(f"{where}: the output needs one vector a sample, but the last layer "
                              f"gives shape {tuple(chain.tensor.shape)}; add Flatten or a pooling (an output a step "
                              "is out of reach)")
        with _drawn_by(seed, repetition, word, occurrence[word]):
            layer = create(item, where, f"{word}_{occurrence[word]}".replace("/", "_"))
            _set_seeds(layer, seed, repetition, word, occurrence[word])
            chain.add(layer, item, where)
    if tuple(chain.tensor.shape) != (None, outputs):
        raise ConfigError(f"{place}.head: it gives shape {tuple(chain.tensor.shape)}; the task needs "
                          f"{(None, outputs)}")
    if chain.masked_by:
        raise ConfigError(f"{place}.head: the mask that '{chain.masked_by}' makes reaches the output, so that whole "
                          "samples would not count; allowed: a layer that uses it up, such as LSTM")
    return keras.Model(inputs, chain.tensor)
