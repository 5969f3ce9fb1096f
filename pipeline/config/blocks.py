"""Blocks of a layer list: a list inside a list stands between two marks in the flat one.

`{residual: [bn, dense]}` is `residual [`, `bn`, `dense`, `] residual`. So a place inside a block is a place of the list
like any other. Nobody can write a mark: no word has a bracket.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: How branches are put together: elementwise, or their channels behind one another.
JOINS = ("add", "concatenate", "multiply")
#: What opens a block, and says how it ends.
WORDS = ("residual", "branches", "join")
_MARK = re.compile(rf"(\] )?(\w+?)(?: ({'|'.join(JOINS)}))?( \[)?\Z")


@dataclass(frozen=True)
class Mark:
    """Where a block, or a branch of one, begins or ends.

    Attributes:
        word: `residual`, `branches`, or the word of `layers` that stands for a list.
        join: how it ends; empty for a list, which is no more than its layers.
    """

    word: str
    opens: bool
    closes: bool
    join: str = ""

    def __str__(self) -> str:
        if self.opens:
            return "|" if self.closes else f"{self.word} ["
        return f"] {self.join}" if self.word == "branches" else "]"


def opening(word: str) -> str:
    """The mark at the beginning of a block."""
    return f"{word} ["


def between(word: str) -> str:
    """The mark between two branches of a block."""
    return f"] {word} ["


def closing(word: str, join: str = "") -> str:
    """The mark at the end of a block."""
    return f"] {word} {join}".rstrip()


def mark(layer) -> Mark | None:
    """The mark that an entry of a flat list is; None for a layer."""
    found = _MARK.match(layer) if isinstance(layer, str) and ("[" in layer or "]" in layer) else None
    return found and Mark(found[2], bool(found[4]), bool(found[1]), found[3] or "")


def end(layers: Sequence, start: int) -> int:
    """The position of the mark that closes the block which another one opens; a layer's own position."""
    depth = 0
    for position in range(start, len(layers)):
        one = mark(layers[position])
        depth += (one.opens - one.closes) if one else 0
        if depth == 0:
            return position
    raise ValueError(f"found {layers[start]} without its end")


def arrows(texts: Sequence[str]) -> str:
    """Layers in the network's order: `conv → residual [ bn → relu ] → lstm`."""
    return re.sub(r"(?<=[\[|]) → | → (?=[\]|])", " ", " → ".join(texts))
