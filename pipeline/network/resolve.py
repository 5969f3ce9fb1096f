"""A word of a layer list → a class and its checked arguments."""

from __future__ import annotations

import inspect
from functools import lru_cache

import keras

from pipeline.network import layers as ours
from pipeline.network.meant import meant
from pipeline.config.elsewhere import ELSEWHERE
from pipeline.config.errors import ConfigError, nearest, shown

#: Layers that may not stand in a list, and why.
REFUSED = {
    **dict.fromkeys(("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"),
                    "it runs foreign code, which params.yaml cannot describe"),
    **dict.fromkeys(("StringLookup", "IntegerLookup", "TextVectorization"),
                    "it may read files of any place, which params.yaml cannot describe"),
    **dict.fromkeys(("Layer", "Wrapper", "InputLayer"), "it is a base, not a layer of a network"),
    **dict.fromkeys(("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply",
                     "Subtract"), "it merges several inputs, and a list has one; a layer of `modules` may hold a whole "
                    "block, with its shortcut"),
    **dict.fromkeys(("Attention", "AdditiveAttention", "HashedCrossing"),
                    "it needs several inputs, and a list has one"),
}
#: Arguments that the pipeline sets itself.
OURS = ("name", "seed", "dtype", "input_shape", "batch_input_shape", "batch_size", "batch_shape",
        "weights", "activity_regularizer", "args", "kwargs", "self")


@lru_cache(maxsize=None)
def _has_one_input(cls) -> bool:
    required = [p for p in list(inspect.signature(cls.call).parameters.values())[1:]
                if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(required) == 1


def _own_layers() -> dict[str, type]:
    return {n: c for n, c in vars(ours).items() if inspect.isclass(c) and not n.startswith("_")
            and issubclass(c, keras.layers.Layer)}


def _keras_layers() -> dict[str, type]:
    return {n: c for n, c in vars(keras.layers).items()
            if inspect.isclass(c) and issubclass(c, keras.layers.Layer)}


def layer_class(name: str, place: str, words=()) -> type:
    """The layer class of a name: ours, else Keras'; ConfigError says why one may not be used.

    `words`, the vocabulary, is only for the message.
    """
    known = _keras_layers() | _own_layers()
    if name in REFUSED:
        raise ConfigError(f"{place}: layer '{name}' may not be used: {REFUSED[name]}")
    if name not in known:
        raise ConfigError(f"{place}: unknown word or layer '{name}'; allowed: the words of 'layers', "
                          f"the classes of keras.layers and those of 'modules'{meant(name, words, {n: c for n, c in known.items() if n not in REFUSED})}")
    if not _has_one_input(known[name]):
        raise ConfigError(f"{place}: layer '{name}' may not be used: it needs other inputs than the "
                          "one that a list gives it")
    return known[name]


def _arguments(cls: type, given: dict, place: str, words: dict) -> dict:
    """Checked arguments of a layer; a mapping, or a word, stands for a nested layer."""
    allowed = {}
    for base in cls.__mro__:
        if "__init__" in vars(base) and issubclass(base, keras.layers.Layer):
            allowed |= inspect.signature(base.__init__).parameters
    allowed["trainable"] = None
    for name in OURS:
        allowed.pop(name, None)
    resolved = {}
    for name, value in given.items():
        if name not in allowed:
            if name in OURS and name in ELSEWHERE:
                raise ConfigError(f"{place}: layer '{cls.__name__}' has no argument '{name}': {ELSEWHERE[name]}")
            raise ConfigError(f"{place}: layer '{cls.__name__}' has no argument '{name}'; allowed: "
                              f"{', '.join(sorted(allowed))}{nearest(name, allowed)}")
        if isinstance(value, dict) and name.endswith(("_initializer", "_regularizer", "_constraint")):
            raise ConfigError(f"{place}: found {name}: {shown(value)}; allowed: a word; one with arguments needs a "
                              f"layer of `modules`{meant(next(iter(value), ''), (), {})}")
        if isinstance(value, dict) or (name in ("layer", "backward_layer")):
            value = resolve(value, words, f"{place}.{name}")
        resolved[name] = value
    return resolved


def resolve(item, words: dict, place: str) -> dict:
    """An item of a layer list → `{'word', 'class', 'arguments'}`, the vocabulary substituted.

    `word` stands for its definition, `{word: {argument: value}}` for that with arguments changed;
    both keep the word, and so the start of their weights. A Keras class name is a word too.

    Raises:
        ConfigError: an unknown word, layer or argument (with the nearest valid one), or a layer
            that may not be used (with the reason).
    """
    word, more = (item, {}) if isinstance(item, str) else next(iter(item.items()))
    definition = words.get(word, word)
    name, given = (definition, {}) if isinstance(definition, str) else next(iter(definition.items()))
    merged = {}
    for part in (given, more):
        if name == "Activation" and isinstance(part, str):
            part = {"activation": part}  # `{Activation: relu}`
        if part is not None and not isinstance(part, dict):
            raise ConfigError(f"{place}: layer '{word}': found {part!r}; it needs a mapping of arguments")
        merged |= part or {}
    cls = layer_class(name, place, words)
    return {"word": word, "class": name, "arguments": _arguments(cls, merged, place, words)}
