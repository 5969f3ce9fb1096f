"""What the layers of a flat list are called: a word, a name, a place, all of them in the network's order."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pipeline.config.blocks import arrows, mark


def word_of(layer) -> str:
    """The word of a layer, without its arguments; of a mark, that of its block."""
    one = mark(layer)
    return one.word if one else layer if isinstance(layer, str) else next(iter(layer))


def names(layers: Iterable) -> list[str]:
    """The name of each layer of a list as the model has it: its word and its occurrence, `tanh_2`.

    All marks of a block have the block's name, `residual_1`.
    """
    seen: Counter[str] = Counter()
    found, blocks = [], []
    for layer in layers:
        one = mark(layer)
        if one and one.closes:
            found.append(blocks[-1] if one.opens else blocks.pop())
            continue
        word = word_of(layer)
        seen[word] += 1
        found.append(f"{word}_{seen[word]}")
        blocks += found[-1:] if one else []
    return found


def places(layers: Sequence) -> list[str]:
    """Every place at which something can be put into a list: `first`, `after conv_1`, …, in its order."""
    found, branches = ["first"], Counter()
    for layer, name in zip(layers, names(layers)):
        one = mark(layer)
        if one and one.opens:
            branches[name] += 1
            found.append(f"first in {name}" + (f" branch {branches[name]}" if one.closes else ""))
        else:
            found.append(f"after {name}")
    return found


def words(layers: Iterable) -> list[str]:
    """The word of each layer of a list, with its arguments where they are given inline."""
    return [str(mark(item) or item) if isinstance(item, str) else _word(*next(iter(item.items()))) for item in layers]


def chain(layers: Iterable) -> str:
    """The words of a list in the network's order, with arrows."""
    return arrows(words(layers))


def _word(name: str, given) -> str:
    given = given if isinstance(given, dict) else {"": given}
    details = ", ".join(f"{k}={shown_value(v)}" if k else shown_value(v) for k, v in given.items())
    return f"{name}({details})" if details else name


def shown_value(value) -> str:
    """A value of an argument, or a layer, for a name."""
    if isinstance(value, dict):
        return words([value])[0]
    return str(value).lower() if isinstance(value, bool) else str(value)


def given(layer) -> dict:
    """The arguments that a list itself gives a layer."""
    found = {} if isinstance(layer, str) else next(iter(layer.values()))
    return dict(found) if isinstance(found, dict) else {} if found is None else {"activation": found}


def classes(layers: Iterable, vocabulary: Mapping) -> list[tuple[str, Mapping]]:
    """The Keras class of each layer of a list, with its arguments."""
    found = []
    for layer in layers:
        if mark(layer):
            continue
        meant = vocabulary.get(word_of(layer), word_of(layer))
        found.append((word_of(meant), given(meant) | given(layer)))
    return found
