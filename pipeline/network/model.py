"""A network's spec and an input shape → a Keras model whose start the seed alone decides."""

from __future__ import annotations

import contextlib
import hashlib
import math
import random
from collections import Counter
from collections.abc import Callable, Sequence

import keras

from pipeline.network.arguments import create_named, first_lines
from pipeline.network.resolve import _keras_layers, _own_layers
from pipeline.config.blocks import mark
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
    """A network as far as it is built: a tensor, and which layer made its mask; the blocks that are open."""

    def __init__(self, tensor):
        self.tensor, self.masked_by, self.last = tensor, "", None
        #: Of each open block its input, and what the branches gave that have ended, each with what made its mask.
        self.blocks: list[tuple[tuple, list[tuple]]] = []

    def begin(self) -> None:
        """Open a block."""
        self.blocks.append(((self.tensor, self.masked_by), []))

    def branch(self) -> None:
        """End a branch; the next one begins with the block's input."""
        start, ended = self.blocks[-1]
        ended.append((self.tensor, self.masked_by))
        (self.tensor, self.masked_by), self.last = start, None

    def end(self, name: str, join: str, make: Callable, where: str) -> None:
        """Close a block, its branches joined; without `join` it was no more than its layers.

        Args:
            make: of an item and a name, the layer, as the seed decides it.
        """
        (start, masked_by), ended = self.blocks.pop()
        if not join:
            return
        ended.append((self.tensor, self.masked_by))
        if len(ended) == 1:  # Beside a shortcut.
            shortcut = _Chain(start)
            shortcut.masked_by = masked_by
            if item := projection(start.shape, ended[0][0].shape, where):
                shortcut.add(make(item, f"{name}_shortcut"), item, where)
            ended.insert(0, (shortcut.tensor, shortcut.masked_by))
        item = {"word": name, "class": join.capitalize(), "arguments": {}}
        try:
            self.tensor = make(item, name)([tensor for tensor, _ in ended])
        except ValueError:
            shapes = " and ".join(str(tuple(tensor.shape)) for tensor, _ in ended)
            raise ConfigError(f"{where}: {join} cannot join the branches of '{name}', of shapes {shapes}; allowed: equal "
                              "ones, but for the channels of concatenate") from None
        masks = [masked_by for _, masked_by in ended if masked_by]
        kept = getattr(self.tensor, "_keras_mask", None) is not None
        if masks and not kept:
            raise ConfigError(f"{where}: '{name}' drops the mask that '{masks[0]}' makes, so that padding would count; "
                              "allowed: branches that all keep it")
        self.masked_by, self.last = masks[0] if masks else "", None

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


def projection(before: tuple, after: tuple, where: str) -> dict | None:
    """What a shortcut needs where a block changes the shape: one linear map of each step's channels, with strides.

    Returns:
        A resolved layer; None where the shapes are equal.

    Source: He et al., "Deep Residual Learning for Image Recognition" (2016), equation 2 and option B.
    """
    before, after = tuple(before[1:]), tuple(after[1:])
    if before == after:
        return None
    if len(before) == len(after) == 1:
        return {"word": "shortcut", "class": "Dense", "arguments": {"units": after[-1], "use_bias": False}}
    strides = [math.ceil(one / other) if other else 0 for one, other in zip(before[:-1], after[:-1])]
    fits = len(before) == len(after) and all(
        stride and math.ceil(one / stride) == other for one, stride, other in zip(before, strides, after[:-1]))
    if not fits:
        raise ConfigError(f"{where}: the block makes shape {(None, *after)} of {(None, *before)}, and no shortcut does; "
                          "allowed: as many steps as before, or a whole fraction of them; padding: same keeps them")
    return {"word": "shortcut", "class": f"Conv{len(strides)}D", "arguments": {
        "filters": after[-1], "kernel_size": 1, "strides": strides, "use_bias": False, "padding": "same"}}


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
    open_blocks: list[str] = []

    def make(item: dict, name: str):
        """A layer of a block's own, as its name and the seed decide it."""
        layer = create(item, where, name)
        _set_seeds(layer, seed, repetition, name)
        return layer

    written = written or [f"{place}.layers[{i}]" for i in range(len(network["layers"]))]
    items = list(zip(written, network["layers"], strict=True))
    items += [(f"{place}.head", output)]
    items += [(f"{place}.head[{i}]", item) for i, item in enumerate(network["head"])]
    for where, item in items:
        word, one = item["word"], mark(item["word"])
        if one and one.closes:
            if one.opens:
                chain.branch()
            else:
                chain.end(open_blocks.pop(), one.join, make, where)
            continue
        word = one.word if one else word
        occurrence[word] += 1
        if one:
            chain.begin()
            open_blocks.append(f"{word}_{occurrence[word]}")
            continue
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
