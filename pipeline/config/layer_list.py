"""The grammar of a layer list: what may stand in one, how it is changed, and what a sweep makes of it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator

from pipeline.config.errors import ConfigError, Spec, nearest, shown

#: A list is repeated at most so often, and has at most so many layers.
MOST_TIMES, MOST_LAYERS = 100, 1000
#: No number of units, filters or steps is larger.
LARGEST = 1_000_000
#: The grid of a sweep has at most so many members.
MOST_VARIANTS = 1_000
#: A word of a list, or the name of an argument; what an argument may say in words.
_WORD = re.compile(r"[A-Za-z0-9_]{1,100}\Z")
_TEXT = re.compile(r"[A-Za-z0-9_ .,:;>/+*^()-]{0,100}\Z")
Scalar = bool | int | Annotated[float, Field(allow_inf_nan=False)] | str | None


# What may stand in a list

def checked_word(word: str) -> str:
    """A word of a list, or the name of an argument; ValueError for what can be neither."""
    if not _WORD.match(word):
        raise ValueError(f"found {shown(word)}; allowed: a word of at most 100 letters, digits and _")
    return word


def checked_text(text: str) -> str:
    """What an argument says in words; ValueError for what no layer is told, and no page could show."""
    if not _TEXT.match(text):
        raise ValueError(f"found {shown(text)}; allowed: at most 100 letters, digits, spaces and _ . , : ; > / + "
                         "* ^ ( ) -")
    return text


def checked_argument(value):
    """An argument's value; ValueError for a number, a text or a type that no layer can have."""
    if isinstance(value, list):
        for one in value:
            if isinstance(one, dict):
                raise ValueError(f"found {shown(one)} in a list; allowed: words and numbers")
            checked_argument(one)
    elif isinstance(value, dict):
        _layer(value)
    elif isinstance(value, str):
        checked_text(value)
    elif not isinstance(value, int | float | None):
        raise ValueError(f"found {shown(value)}; allowed: a word, a number, a list of them, or a layer")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"found {shown(value)}; allowed: a finite number")
    elif value is not None and abs(value) > LARGEST:
        raise ValueError(f"found {shown(value)}; allowed: a number of at most {LARGEST}")
    return value


def _one_entry(value, allowed: str) -> tuple:
    """The only key of a mapping, and its value."""
    if not isinstance(value, dict):
        raise ValueError(f"found {shown(value)}; allowed: {allowed}")
    if len(value) != 1:
        raise ValueError(f"found {shown(value)}; allowed: at {'most' if value else 'least'} 1 entry")
    return next(iter(value.items()))


def _layer(value):
    if isinstance(value, str):
        return checked_word(value)
    word, given = _one_entry(value, "a word or a mapping")
    for key in (word, *(given if isinstance(given, dict) else ())):
        if not isinstance(key, str):
            raise ValueError(f"found the key {shown(key)}; allowed: words")
        checked_word(key)
    for argument in (given.values() if isinstance(given, dict) else (given,)):
        checked_argument(argument)
    return value


def _item(value):
    if isinstance(value, dict) and any(isinstance(k, int) and not isinstance(k, bool) for k in value):
        times, block = _one_entry(value, "")
        if not 1 <= times <= MOST_TIMES:
            raise ValueError(f"found {times} times; allowed: 1 to {MOST_TIMES}")
        if not isinstance(block, list) or not block:
            raise ValueError(f"found {shown(value)}; allowed: a list of layers to repeat, "
                             f"{{{times}: [word, word]}}")
        for layer in block:
            _layer(layer)
        return value
    return _layer(value)


def _block(value):
    if value is None or value == []:
        raise ValueError(f"found {shown(value)}; allowed: a layer, or a list of layers")
    return flat(_items([_item(item) for item in (value if isinstance(value, list) else [value])]))


def _items(items: list) -> list:
    """Items that stand for few enough layers; they are counted before they are written out."""
    count = sum(next(iter(item)) * len(next(iter(item.values()))) if _repeats(item) else 1 for item in items)
    if count > MOST_LAYERS:
        raise ValueError(f"the list has {count} layers; allowed: 1 to {MOST_LAYERS}")
    return items


def _repeats(item) -> bool:
    """Whether an item stands for a block that is repeated."""
    return isinstance(item, dict) and isinstance(next(iter(item)), int)


#: A layer: a word of the vocabulary, a Keras class name, or either with `{argument: value}`.
Layer = Annotated[str | dict[str, Any], PlainValidator(_layer)]
#: A layer, or `{8: [layer, layer]}`, which stands for these eight times.
Item = Annotated[str | dict[str | int, Any], PlainValidator(_item)]
#: A list of items, not written out.
Items = Annotated[list[Item], Field(min_length=1), AfterValidator(_items)]
#: One item or a list of them, as the flat list of its layers.
Block = Annotated[list[Layer], PlainValidator(_block)]


def flat(items: Iterable) -> list:
    """The layers of a list of items, those that are repeated written out."""
    found = []
    for item in items:
        if _repeats(item):
            times, block = next(iter(item.items()))
            found += block * times
        else:
            found.append(item)
    return found


# The names of layers

def word_of(layer) -> str:
    """The word of a layer, without its arguments."""
    return layer if isinstance(layer, str) else next(iter(layer))


def names(layers: Iterable) -> list[str]:
    """The name of each layer of a list as the model has it: its word and its occurrence, `tanh_2`."""
    seen: Counter[str] = Counter()
    found = []
    for word in map(word_of, layers):
        seen[word] += 1
        found.append(f"{word}_{seen[word]}")
    return found


def places(layers: Sequence) -> list[str]:
    """Every place at which something can be put into a list: `first`, `after conv_1`, …, in its order."""
    return ["first", *(f"after {name}" for name in names(layers))]


def words(layers: Iterable) -> list[str]:
    """The word of each layer of a list, with its arguments where they are given inline."""
    return [item if isinstance(item, str) else _word(*next(iter(item.items()))) for item in layers]


def _word(name: str, given) -> str:
    given = given if isinstance(given, dict) else {"": given}
    details = ", ".join(f"{k}={_value(v)}" if k else _value(v) for k, v in given.items())
    return f"{name}({details})" if details else name


def _value(value) -> str:
    if isinstance(value, dict):
        return words([value])[0]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _given(layer) -> dict:
    """The arguments that a list itself gives a layer."""
    given = {} if isinstance(layer, str) else next(iter(layer.values()))
    return dict(given) if isinstance(given, dict) else {} if given is None else {"activation": given}


def classes(layers: Iterable, vocabulary: Mapping) -> list[tuple[str, Mapping]]:
    """The Keras class of each layer of a list, with its arguments."""
    found = []
    for layer in layers:
        meant = vocabulary.get(word_of(layer), word_of(layer))
        found.append((word_of(meant), _given(meant) | _given(layer)))
    return found


# How a list is changed

class Change(Spec):
    """One elementary change of a layer list.

    `value` holds the layers that are put in (`replace`, `before`, `after`, `layers`), the value of
    the argument `word.argument` (`set`; None takes it away), or None (`without`).
    """

    kind: Literal["without", "replace", "set", "before", "after", "layers"]
    #: The word as it was written, of all its layers or, `tanh_2`, of one; empty for `layers`.
    place: str = ""
    value: Any = None


def written_at(items: Sequence) -> list[str]:
    """Where each layer of `flat(items)` stands in a list of items: `[0]`, or `[0].2[1]` in what is repeated."""
    found = []
    for number, item in enumerate(items):
        if _repeats(item):
            times, block = next(iter(item.items()))
            found += [f"[{number}].{times}[{inner}]" for inner in range(len(block))] * times
        else:
            found.append(f"[{number}]")
    return found


def find(place: str, layers: Sequence, where: str) -> list[int]:
    """The positions in a list that a word, or a word with its occurrence, means.

    Raises:
        ConfigError: the list has no such layer, or the word could mean two.
    """
    all_words, all_names = list(map(word_of, layers)), names(layers)
    by_word, by_name = ([i for i, one in enumerate(found) if one == place]
                        for found in (all_words, all_names))
    if by_word and by_name and by_word != by_name:
        raise ConfigError(f"{where}: '{place}' is a word of the list, and the name of another layer in it")
    if not by_word and not by_name:
        counts = Counter(all_words)
        allowed = [*counts, *(n for n, w in zip(all_names, all_words) if counts[w] > 1)]
        raise ConfigError(f"{where}: found '{place}'; allowed: {', '.join(allowed)}{nearest(place, allowed)}")
    return by_word or by_name


def changed(layers: Sequence, changes: Iterable[Change], where: str) -> list:
    """A list after its changes; all their places are those of the list before them.

    Args:
        changes: in the order without, replace, set, before, after; or one of kind `layers`.
        where: the file and the experiment, for messages.

    Raises:
        ConfigError: a place that is not in the list, two changes of which one undoes the other, or
            a list without layers, or with more than `MOST_LAYERS`.
    """
    # The layers in front of each place, at it, and behind it.
    parts = [([], [layer], []) for layer in layers]
    done: dict[tuple, Change] = {}
    for change in changes:
        at = f"{where}.{change.kind}"
        if change.kind == "layers":
            parts = [([], change.value, [])]
            continue
        place, argument = change.place, None
        if change.kind == "set":
            place, argument = _argument(change.place, layers, at)
        if place == "output":
            beside = {"before": f"after: {{{word_of(layers[-1])}: …}} puts layers in front of it",
                      "after": "head: [bn, Softmax] puts layers behind it"}
            raise ConfigError(f"{at}: the output is no layer of the list; {beside.get(change.kind, 'see head')}")
        for i in find(place, layers, at):
            if change.kind in ("before", "after"):
                parts[i][0 if change.kind == "before" else 2].extend(change.value)
                continue
            earlier = done.get((i, None)) or done.get((i, argument))
            if earlier:
                raise ConfigError(f"{at}: '{change.place}' is changed already, by "
                                  f"{earlier.kind}: {earlier.place}; a layer may be taken away, replaced, or "
                                  "given an argument, once")
            done[i, argument] = change
            now = parts[i][1]
            now[:] = ([] if change.kind == "without" else change.value if change.kind == "replace" else
                      [_with(now[0], argument, change.value, at)])
    found = [layer for part in parts for group in part for layer in group]
    if not 1 <= len(found) <= MOST_LAYERS:
        raise ConfigError(f"{where}: the list has {len(found)} layers; allowed: 1 to {MOST_LAYERS}")
    return found


def _argument(place: str, layers: Sequence, where: str) -> tuple[str, str]:
    """The word and the argument of `word.argument`."""
    word, dot, argument = place.partition(".")
    if not dot or not word or not _WORD.match(argument):
        raise ConfigError(f"{where}: found '{place}'; allowed: "
                          f"{', '.join(f'{w}.<argument>' for w in dict.fromkeys(map(word_of, layers)))}")
    return word, argument


def _with(layer, argument: str, value, where: str):
    """A layer with an argument of another value; None takes away what the list gave."""
    word, given = word_of(layer), _given(layer)
    if value is not None:
        return {word: given | {argument: value}}
    if argument not in given:
        allowed = [f"{word}.{name}" for name in given]
        raise ConfigError(f"{where}: found '{word}.{argument}' with nothing, which takes an argument away; "
                          f"allowed: {', '.join(allowed) or 'none'}, which the list gives it"
                          f"{nearest(f'{word}.{argument}', allowed)}")
    del given[argument]
    return {word: given} if given else word


# Sweeps

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
             training: Collection[str], where: str) -> list[Variant]:
    """The members of a sweep: the full grid of `vary`, or `everywhere` put in at each place.

    Args:
        training: the keys of `vary` that are training values; others are `word.argument`.
        where: the file and the experiment, for messages.

    Raises:
        ConfigError: an unknown key, a value that stands twice, or both kinds of sweep at once.
    """
    if vary and everywhere:
        raise ConfigError(f"{where}: found vary and everywhere; an experiment sweeps values or places")
    if everywhere:
        if len(layers) + len(everywhere) > MOST_LAYERS:
            raise ConfigError(f"{where}.everywhere: the list has {len(layers) + len(everywhere)} layers; "
                              f"allowed: 1 to {MOST_LAYERS}")
        return [Variant(place, {"place": place}, [*layers[:i], *everywhere, *layers[i:]], {})
                for i, place in enumerate(places(layers))]
    found = [Variant("", {}, layers, {})]
    count = math.prod(map(len, (vary or {}).values()))
    if count > MOST_VARIANTS:
        raise ConfigError(f"{where}.vary: found {shown(count)} combinations of values; allowed: at most "
                          f"{MOST_VARIANTS}")
    for key, values in (vary or {}).items():
        _check_sweep(key, values, layers, training, f"{where}.vary")
        found = [_varied(one, key, value, key in training, where) for one in found for value in values]
    return found


def _check_sweep(key: str, values: Sequence, layers: Sequence, training: Collection[str], where: str) -> None:
    word, _, argument = key.partition(".")
    listed = [*dict.fromkeys(map(word_of, layers))]
    if key not in training and (not _WORD.match(argument) or word not in {*listed, *names(layers)}):
        allowed = [*training, *(f"{one}.<argument>" for one in listed)]
        raise ConfigError(f"{where}: unknown key '{key}'; allowed: {', '.join(allowed)}{nearest(key, allowed)}")
    twice = [label for label, count in Counter(map(str, values)).items() if count > 1]
    if twice:
        raise ConfigError(f"{where}.{key}: found {twice[0]} twice; a value may stand once")


def _varied(variant: Variant, key: str, value, trains: bool, where: str) -> Variant:
    """A variant with one more value."""
    layers = list(variant.layers)
    if not trains:
        word, _, argument = key.partition(".")
        for i in find(word, layers, f"{where}.vary"):
            layers[i] = {word_of(layers[i]): _given(layers[i]) | {argument: value}}
    return Variant(f"{variant.name},{key}={value}".lstrip(","), {**variant.values, key: value}, layers,
                   {**variant.training, key: value} if trains else variant.training)
