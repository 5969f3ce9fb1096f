"""What a sweep makes of a layer list: its variants."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from pipeline.config.errors import ConfigError, nearest, shown
from pipeline.config.blocks import mark
from pipeline.config.changes import Change, changed, find
from pipeline.config.layer_list import MOST_LAYERS, flat, is_argument
from pipeline.config.layer_names import given, names, places, shown_value, word_of

#: The grid of a sweep has at most so many members.
MOST_VARIANTS = 1_000
#: The value that takes a layer away.
NONE = "none"
#: The last place of a list.
OUTPUT = "output"


@dataclass(frozen=True)
class Variant:
    """One member of a sweep; without one, an experiment has a single variant, whose name is empty."""

    #: For print and for tables: `lstm.units=8,batch_size=4`, or a place, `after conv_1`.
    name: str
    #: What is swept: key -> value; of `everywhere`, `place` -> its name.
    values: Mapping[str, Any]
    layers: Sequence
    #: Those of the values that are training values.
    training: Mapping[str, Any]
    #: Whether it measures the rule, and is no part of what the experiment asks.
    measuring: bool = False


def variants(layers: Sequence, vary: Mapping[str, Sequence] | None, everywhere: Sequence | None,
             training: Collection[str], where: str, lists: Mapping = MappingProxyType({}),
             left_out: Sequence[str] = ()) -> list[Variant]:
    """The members of a sweep: the full grid of `vary`, or `everywhere` put in at each place.

    Args:
        training: the keys of `vary` that are training values; others are `word.argument`, or a word whose layers the
            values replace.
        where: the file and the experiment, for messages.
        lists: the vocabulary, of which a word may stand for a list.
        left_out: places at which `everywhere` is not put in; `output` is the one before the output.

    Raises:
        ConfigError: an unknown key, a value that stands twice, or both kinds of sweep at once.
    """
    if vary and everywhere:
        raise ConfigError(f"{where}: found vary and everywhere; an experiment sweeps values or places")
    if everywhere:
        if len(layers) + len(everywhere) > MOST_LAYERS:
            raise ConfigError(f"{where}.everywhere: the list has {len(layers) + len(everywhere)} layers; "
                              f"allowed: 1 to {MOST_LAYERS}")
        all_places = places(layers)
        for place in left_out:
            if place not in (*all_places, OUTPUT):
                raise ConfigError(f"{where}.except: found '{place}'; allowed: {', '.join([*all_places, OUTPUT])}"
                                  f"{nearest(place, all_places)}")
        out = {all_places[-1] if place == OUTPUT else place for place in left_out}
        return [Variant(place, {"place": place}, [*layers[:i], *everywhere, *layers[i:]], {})
                for i, place in enumerate(all_places) if place not in out]
    if left_out:
        raise ConfigError(f"{where}: found except without everywhere; allowed: both")
    found = [Variant("", {}, layers, {})]
    count = math.prod(map(len, (vary or {}).values()))
    if count > MOST_VARIANTS:
        raise ConfigError(f"{where}.vary: found {shown(count)} combinations of values; allowed: at most "
                          f"{MOST_VARIANTS}")
    for key, values in (vary or {}).items():
        _check_sweep(key, values, layers, training, f"{where}.vary")
        put = _trained if key in training else _given if "." in key else partial(_replaced, lists=lists)
        found = [_varied(one, key, value, put, f"{where}.vary") for one in found for value in values]
    return found


def _check_sweep(key: str, values: Sequence, layers: Sequence, training: Collection[str], where: str) -> None:
    word, _, argument = key.partition(".")
    listed = [*dict.fromkeys(map(word_of, layers))]
    if key not in training and ("." in key and not is_argument(argument) or word not in {*listed, *names(layers)}):
        allowed = [*training, *listed, *(f"{one}.<argument>" for one in listed)]
        raise ConfigError(f"{where}: unknown key '{key}'; allowed: {', '.join(allowed)}{nearest(key, allowed)}")
    if key not in training and "." not in key:
        for value in values:
            if not isinstance(value, str | dict | None):
                raise ConfigError(f"{where}.{key}: found {shown(value)}; allowed: layers that stand in its place, or {NONE}")
    twice = [label for label, count in Counter(map(str, values)).items() if count > 1]
    if twice:
        raise ConfigError(f"{where}.{key}: found {twice[0]} twice; a value may stand once")


def _varied(variant: Variant, key: str, value, put: Callable, where: str) -> Variant:
    """A variant with one more value.

    Args:
        put: what the value does to the variant's layers and training values.
    """
    layers, training = put(variant, key, value, where)
    text = shown_value(value) if isinstance(value, dict) else value
    return Variant(f"{variant.name},{key}={text}".lstrip(","), {**variant.values, key: text}, layers, training)


def _trained(variant: Variant, key: str, value, where: str) -> tuple[Sequence, Mapping]:
    return variant.layers, {**variant.training, key: value}


def _given(variant: Variant, key: str, value, where: str) -> tuple[Sequence, Mapping]:
    """The layers of a word with a value of an argument."""
    word, _, argument = key.partition(".")
    layers = list(variant.layers)
    for i in find(word, layers, where):
        if mark(layers[i]):
            raise ConfigError(f"{where}: '{key}': '{word}' is a block; allowed: an argument of a layer in it")
        layers[i] = {word_of(layers[i]): given(layers[i]) | {argument: value}}
    return layers, variant.training


def _replaced(variant: Variant, key: str, value, where: str, lists: Mapping) -> tuple[Sequence, Mapping]:
    """Another layer in the place of a word's, or, of `none`, no layer."""
    change = (Change(kind="without", place=key) if value in (None, NONE) else
              Change(kind="replace", place=key, value=flat([value], lists)))
    return changed(variant.layers, [change], where), variant.training
