"""The grammar of a layer list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

Scalar = bool | int | float | str | None
#: A layer: a word of the vocabulary, a Keras class name, or either with `{argument: value}`.
Layer = str | Annotated[dict[str, dict[str, Any] | Scalar | list[Any]], Field(min_length=1, max_length=1)]


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


def classes(layers: Iterable, vocabulary: Mapping) -> list[tuple[str, Mapping]]:
    """The Keras class of each layer of a list, with its arguments."""
    found = []
    for item in layers:
        word, given = (item, {}) if isinstance(item, str) else next(iter(item.items()))
        meant = vocabulary.get(word, word)
        cls, own = (meant, {}) if isinstance(meant, str) else next(iter(meant.items()))
        own, given = (v if isinstance(v, dict) else {"activation": v} for v in (own, given))
        found.append((cls, {**own, **given}))
    return found
