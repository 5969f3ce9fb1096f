"""A word of a layer list → a class and its checked arguments."""

from __future__ import annotations

import inspect
from functools import lru_cache

import keras

from pipeline.network import layers as ours
from pipeline.network import refused
from pipeline.network.arguments import (
    LAYERS, check_name, check_value, kind_of, name_and_arguments, parameters, resolve_activation, resolve_named)
from pipeline.network.meant import meant
from pipeline.config.blocks import mark
from pipeline.config.errors import ConfigError, shown


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
    if name not in known and name not in refused.LAYERS:
        raise ConfigError(f"{place}: unknown word or layer '{name}'; allowed: the words of 'layers', "
                          f"the classes of keras.layers and those of 'modules'"
                          f"{meant(name, words, {n: c for n, c in known.items() if n not in refused.LAYERS})}")
    reason = refused.LAYERS.get(name) or refused.LAYERS.get(known[name].__name__)
    if not reason and not _has_one_input(known[name]):
        reason = "it needs other inputs than the one that a list gives it"
    if reason:
        raise ConfigError(f"{place}: layer '{name}' may not be used: {reason}")
    return known[name]


def _arguments(cls: type, given: dict, place: str, words: dict) -> dict:
    """Checked arguments of a layer; a mapping, or a word, stands for a nested layer or an initialiser."""
    allowed = parameters(cls, keras.layers.Layer)
    resolved = {}
    for name, value in given.items():
        check_name(name, allowed, place, ("layer", cls.__name__), refused.ARGUMENTS)
        resolved[name] = _argument(cls, name, allowed[name], value, f"{place}.{name}", words)
    return resolved


def _argument(cls: type, name: str, parameter: inspect.Parameter, value, place: str, words: dict):
    """A checked argument's value."""
    kind = kind_of(name)
    if kind:
        return resolve_named(kind, value, place)
    if name in LAYERS and value is not None or isinstance(value, dict) and _is_custom(cls):
        if not isinstance(value, (str, dict)):
            raise ConfigError(f"{place}: found {shown(value)}; allowed: a layer")
        return resolve(value, words, place)
    if isinstance(value, dict):
        raise ConfigError(f"{place}: found {shown(value)}; allowed: a word or a number, or a list of them")
    if name.endswith("activation") and isinstance(value, str):
        return resolve_activation(value, place)
    check_value(value, parameter.default, place)
    return value


def _is_custom(cls: type) -> bool:
    """Whether a class comes from a file of one's own: any of its arguments may hold a layer."""
    return cls.__module__.partition(".")[0] not in ("keras", "pipeline")


def resolve(item, words: dict, place: str) -> dict:
    """An item of a layer list → `{'word', 'class', 'arguments'}`, the vocabulary substituted.

    A mark of a block stays as it is. `word` stands for its definition, `{word: {argument: value}}` for that with arguments changed;
    both keep the word, and so the start of their weights. A Keras class name is a word too.

    Raises:
        ConfigError: an unknown word, layer or argument (with the nearest valid one), or a layer
            that may not be used (with the reason).
    """
    if one := mark(item):
        return {"word": item, "class": str(one), "arguments": {}}
    word, more = name_and_arguments(item)
    definition = words.get(word, word)
    if isinstance(definition, list):
        raise ConfigError(f"{place}: '{word}' stands for a list of layers, which has no arguments; allowed: '{word}' alone, as "
                          "an item of a list")
    name, given = name_and_arguments(definition)
    merged = {}
    for part in (given, more):
        if name == "Activation" and isinstance(part, str):
            part = {"activation": part}  # `{Activation: relu}`
        if part is not None and not isinstance(part, dict):
            raise ConfigError(f"{place}: layer '{word}': found {part!r}; it needs a mapping of arguments")
        merged |= part or {}
    cls = layer_class(name, place, words)
    return {"word": word, "class": name, "arguments": _arguments(cls, merged, place, words)}
