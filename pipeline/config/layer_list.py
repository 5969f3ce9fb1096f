"""The grammar of a layer list: what may stand in one, and how it is written out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator

from pipeline.config.blocks import JOINS, WORDS, between, closing, mark, opening
from pipeline.config.errors import nearest, shown
from pipeline.config.layer_names import word_of

#: A list is repeated at most so often, and has at most so many layers.
MOST_TIMES, MOST_LAYERS = 100, 1000
#: No number of units, filters or steps is larger.
LARGEST = 1_000_000
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


def is_argument(name: str) -> bool:
    """Whether something can be the name of an argument."""
    return bool(_WORD.match(name))


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
        checked_layer(value)
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


def checked_layer(value):
    """A layer as a list has it; ValueError for what cannot be one."""
    if isinstance(value, str):
        if value in WORDS:
            raise ValueError(f"found '{value}', which begins a block; allowed: {{residual: [word, word]}}, or "
                             "{branches: [[word], [word]], join: add}")
        return checked_word(value)
    word, given = _one_entry(value, "a word or a mapping")
    if word in WORDS:
        raise ValueError(f"found {shown(value)}; allowed: a layer; blocks stand in lists of layers and in changes of them")
    if isinstance(given, list) and isinstance(word, str):
        raise ValueError(f"found {shown(value)}; allowed: a layer with its arguments, or a block, {{residual: [word, word]}}"
                         f"{nearest(word, WORDS)}")
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
        _inside(block, value, f"a list of layers to repeat, {{{times}: [word, word]}}")
    elif isinstance(value, dict) and "residual" in value:
        _inside(_one_entry(value, "")[1], value, "the layers beside a shortcut, {residual: [word, word]}")
    elif isinstance(value, dict) and {"branches", "join"} & value.keys():
        branches, join = value.get("branches"), value.get("join")
        if value.keys() != {"branches", "join"} or join not in JOINS or not isinstance(branches, list) or len(branches) < 2:
            raise ValueError(f"found {shown(value)}; allowed: two lists of layers or more, and how they are joined, "
                             f"{{branches: [[word], [word]], join: {' | '.join(JOINS)}}}")
        for branch in branches:
            if branch != []:  # The input itself.
                _inside(branch, branch, "a list of layers for each branch")
    else:
        return checked_layer(value)
    return value


def _inside(block, value, allowed: str) -> list:
    """The checked items of a list inside a list."""
    if not isinstance(block, list) or not block:
        raise ValueError(f"found {shown(value)}; allowed: {allowed}")
    return [_item(item) for item in block]


def _entry(value):
    """An entry of a flat list: a layer, or a mark of a block."""
    return value if mark(value) else checked_layer(value)


def _definition(value):
    if isinstance(value, list):
        return _items(_inside(value, value, "a layer, or a list of layers"))
    return checked_layer(value)


def checked_vocabulary(vocabulary: dict) -> dict:
    """The vocabulary; ValueError for a word that begins a block, and for lists that hold one another."""
    inside = {word: {word_of(layer) for layer in flat(meant)} if isinstance(meant, list) else set()
              for word, meant in vocabulary.items()}
    for word in vocabulary:
        if word in WORDS:
            raise ValueError(f"found the word '{word}', which begins a block; allowed: another word")
        reached, left = set(), inside[word]
        while left:
            reached |= left
            left = set().union(*(inside.get(one, ()) for one in left)) - reached
        if word in reached:
            raise ValueError(f"{word}: the list leads back to itself; allowed: lists of other words")
    return vocabulary


def _block(value):
    items = [] if value is None else value if isinstance(value, list) else [value]
    return flat(_items(_inside(items, value, "a layer, or a list of layers")))


def _items(items: list) -> list:
    """Items that stand for few enough layers; they are counted before they are written out."""
    if (count := _count(items)) > MOST_LAYERS:
        raise ValueError(f"the list has {count} layers; allowed: 1 to {MOST_LAYERS}")
    return items


def _count(items: list) -> int:
    """How many layers items stand for; a join counts as one."""
    count = 0
    for item in items:
        word = word_of(item)
        if isinstance(word, int):
            count += word * _count(item[word])
        elif word == "residual":
            count += 1 + _count(item[word])
        else:
            count += 1 + (sum(map(_count, item["branches"])) if word in WORDS else 0)
    return count


#: A layer: a word of the vocabulary, a Keras class name, or either with `{argument: value}`.
Layer = Annotated[str | dict[str, Any], PlainValidator(checked_layer)]
#: What a word of the vocabulary stands for: a layer, or a list of items.
Definition = Annotated[str | dict[str, Any] | list[Any], PlainValidator(_definition)]
#: An entry of a flat list: a layer, or a mark of a block.
Entry = Annotated[str | dict[str, Any], PlainValidator(_entry)]
#: A layer; `{8: [item, item]}`, which stands for these eight times; `{residual: [item, item]}`, to whose output its input
#: is added; or `{branches: [[item], [item]], join: add}`.
Item = Annotated[str | dict[str | int, Any], PlainValidator(_item)]
#: A list of items, not written out.
Items = Annotated[list[Item], Field(min_length=1), AfterValidator(_items)]
#: One item or a list of them, as a flat list.
Block = Annotated[list[Layer], PlainValidator(_block)]


def flat(items: Iterable, lists: Mapping = MappingProxyType({})) -> list:
    """A list of items written out: what is repeated as often as it is, blocks between their marks.

    Args:
        lists: the vocabulary, of which a word may stand for a list.

    Raises:
        ValueError: the words of the vocabulary make it too long.
    """
    found = [layer for layer, _ in islice(_written_out(items, lists), 2 * MOST_LAYERS + 1)]
    if len(found) > 2 * MOST_LAYERS:
        raise ValueError(f"the list has more than {MOST_LAYERS} layers; allowed: 1 to {MOST_LAYERS}")
    return found


def written_at(items: Sequence, lists: Mapping = MappingProxyType({})) -> list[str]:
    """Where each entry of `flat(items)` stands in a list of items: `[0]`, or `[0].2[1]` in what is repeated."""
    return [place for _, place in _written_out(items, lists)]


def _written_out(items: Iterable, lists: Mapping, at: str = "") -> Iterator[tuple[Any, str]]:
    """Each entry of a flat list, and where its item stands."""
    for number, item in enumerate(items):
        word, here = word_of(item), f"{at}[{number}]"
        if mark(item):  # Written out already.
            yield item, here
        elif isinstance(word, int):
            for _ in range(word):
                yield from _written_out(item[word], lists, f"{here}.{word}")
        elif word == "residual":
            yield opening(word), here
            yield from _written_out(item[word], lists, f"{here}.{word}")
            yield closing(word, "add"), here
        elif word in WORDS:
            for branch, inside in enumerate(item["branches"]):
                yield (between if branch else opening)("branches"), here
                yield from _written_out(inside, lists, f"{here}.branches[{branch}]")
            yield closing("branches", item["join"]), here
        elif isinstance(lists.get(word), list):
            yield opening(word), here
            yield from ((layer, here) for layer, _ in _written_out(lists[word], lists))
            yield closing(word), here
        else:
            yield item, here
