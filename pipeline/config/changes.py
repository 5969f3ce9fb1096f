"""How a layer list is changed: places found, layers put in, taken away, replaced, or given an argument."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pipeline.config.blocks import closing, end, mark, opening
from pipeline.config.errors import ConfigError, Spec, nearest
from pipeline.config.layer_list import MOST_LAYERS, is_argument
from pipeline.config.layer_names import given, names, word_of


class Change(Spec):
    """One elementary change of a layer list.

    `value` holds the layers that are put in (`replace`, `before`, `after`, `layers`), the value of
    the argument `word.argument` (`set`; None takes it away), or None (`without`).
    """

    kind: Literal["without", "replace", "set", "before", "after", "layers"]
    #: The word as it was written, of all its layers or, `tanh_2`, of one; empty for `layers`.
    place: str = ""
    value: Any = None


def find(place: str, layers: Sequence, where: str) -> list[int]:
    """The positions in a list that a word, or a word with its occurrence, means.

    Raises:
        ConfigError: the list has no such layer, or the word could mean two.
    """
    all_words, all_names = list(map(word_of, layers)), names(layers)
    ends = {i for i, layer in enumerate(layers) if (one := mark(layer)) and one.closes}
    by_word, by_name = ([i for i, one in enumerate(found) if one == place and i not in ends]
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
                at_end = change.kind == "after"
                parts[end(layers, i) if at_end else i][2 if at_end else 0].extend(change.value)
                continue
            block = range(i, end(layers, i) + 1)
            if argument and len(block) > 1:
                raise ConfigError(f"{at}: '{place}' is a block; allowed: an argument of a layer in it")
            earlier = next((done[key] for inside in block for key in ((inside, None), (inside, argument)) if key in done), None)
            if earlier:
                raise ConfigError(f"{at}: '{change.place}' is changed already, by "
                                  f"{earlier.kind}: {earlier.place}; a layer may be taken away, replaced, or "
                                  "given an argument, once")
            for inside in block:
                done[inside, argument] = change
                now = parts[inside][1]
                now[:] = [with_argument(now[0], argument, change.value, at)] if argument else []
            if change.kind == "replace":
                parts[i][1].extend(change.value)
    found = [layer for part in parts for group in part for layer in group]
    count = sum(not mark(layer) for layer in found)
    if not 1 <= count <= MOST_LAYERS:
        raise ConfigError(f"{where}: the list has {count} layers; allowed: 1 to {MOST_LAYERS}")
    empty = [name for layer, after, name in zip(found, found[1:], names(found))
             if (layer, after) == (opening("residual"), closing("residual", "add"))]
    if empty:
        raise ConfigError(f"{where}: {empty[0]} has no layers left; allowed: without: {empty[0]}")
    return found


def _argument(place: str, layers: Sequence, where: str) -> tuple[str, str]:
    """The word and the argument of `word.argument`."""
    word, dot, argument = place.partition(".")
    if not dot or not word or not is_argument(argument):
        raise ConfigError(f"{where}: found '{place}'; allowed: "
                          f"{', '.join(f'{w}.<argument>' for w in dict.fromkeys(map(word_of, layers)))}")
    return word, argument


def with_argument(layer, argument: str, value, where: str):
    """A layer with an argument of another value; None takes away what the list gave."""
    word, now = word_of(layer), given(layer)
    if value is not None:
        return {word: now | {argument: value}}
    if argument not in now:
        allowed = [f"{word}.{name}" for name in now]
        raise ConfigError(f"{where}: found '{word}.{argument}' with nothing, which takes an argument away; "
                          f"allowed: {', '.join(allowed) or 'none'}, which the list gives it"
                          f"{nearest(f'{word}.{argument}', allowed)}")
    del now[argument]
    return {word: now} if now else word
