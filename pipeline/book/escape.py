"""The one place where texts that a person or a table gives become harmless.

`inert` turns all of them, as they are read, into Markdown that shows them as they are: they can stand anywhere in
a page, but nothing in them may be replaced, or cut, any more. Where no Markdown is read they are `raw` again: in
figures, and in what the other functions here write.
"""

import dataclasses
import datetime
import functools
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from pipeline.findings.numbers import BLANK

#: What Markdown, MyST and HTML read as more than text: anywhere, and where a line begins. A `|` is text
#: but in a table, which `markdown.table` knows; a `_` inside a word is.
_MARKUP = re.compile(r"[\\`*{}\[\]<>&$~^#]|(?<![^\W_])_|_(?![^\W_])")
_BEGINNING = re.compile(r"(?<=\A)[+:=%(-]|(?<=\A)(\d+)([.)])(?=\s|\Z)")
#: Blanks that are one.
_BLANKS = re.compile(r"[^\S\u00a0]+")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
#: Names of entries and of their variants. They are looked up and become names of files: they stay as they are.
NAME = re.compile(r"[A-Za-z0-9_]{1,100}(\[[A-Za-z0-9_ .,:;>/+*^()=-]*\])?\Z")
#: Fields of params.yaml that say which layers there are and how they are trained. The spec allows harmless letters
#: alone in them, and what they say is computed with.
_LAYERS = frozenset({"layers", "changes", "everywhere", "vary", "head", "train"})


@functools.lru_cache(maxsize=100_000)
def plain(text: str) -> str:
    """Markdown that shows a text as it is, on one line: nothing in it is markup, and nothing runs.

    The blank between a number and its unit stays one at which no line breaks.
    """
    text = _BLANKS.sub(" ", "".join(c if c.isprintable() or c == BLANK else " " for c in text)).strip()
    return _BEGINNING.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[0]}", _MARKUP.sub(r"\\\g<0>", text))


def raw(value: Any) -> Any:
    """The text that Markdown of `plain` shows; of a table, or of what JSON holds, with all of its texts."""
    match value:
        case str():
            return _ESCAPED.sub(r"\1", value)
        case Mapping():
            return {raw(key): raw(one) for key, one in value.items()}
        case list():
            return list(map(raw, value))
        case pd.DataFrame():
            return _texts(value, raw)
    return value


def inert(value: Any) -> Any:
    """A value of which every text is Markdown that shows it as it is; names stay.

    Args:
        value: a spec, a table, an array, a dataclass of such, or what JSON and YAML hold.
    """
    match value:
        case None | bool() | int() | float() | np.number() | np.bool_() | datetime.date():
            return value
        case str():
            return value if NAME.match(value) else plain(value)
        case Mapping():
            return {inert(key): inert(one) for key, one in value.items()}
        case list() | tuple():
            return type(value)(map(inert, value))
        case pd.DataFrame():
            return _texts(value, inert)
        case np.ndarray():
            return np.array(list(map(inert, value.flat))).reshape(value.shape) if value.dtype.kind == "U" else value
        case BaseModel():
            given = {name: getattr(value, name) for name in type(value).model_fields if name not in _LAYERS}
            return value.model_copy(update={name: new for name, old in given.items() if (new := inert(old)) != old})
    if dataclasses.is_dataclass(value):
        return dataclasses.replace(value, **{one.name: inert(getattr(value, one.name)) for one in dataclasses.fields(value)})
    return plain(str(value))


def _texts(table: pd.DataFrame, change) -> pd.DataFrame:
    """A table whose texts are changed."""
    found = {}
    for name in table:
        if not pd.api.types.is_numeric_dtype(table[name]):
            others = {text: other for text in table[name].dropna().unique() if (other := change(text)) != text}
            if others:
                found[name] = table[name].map(lambda text, others=others: others.get(text, text))
    return table.assign(**found)


def spaced(text: str) -> str:
    """An `inert` name with blanks for its underscores."""
    return plain(raw(text).replace("_", " "))


def code(text: str) -> str:
    """A text in a line, as code, which nothing in the text can end."""
    return _quoted(raw(text))


def _quoted(text: str) -> str:
    text = text.replace("\n", " ")
    fence = _fence(text, 1)
    blank = " " if text[:1] in ("`", " ", "") or text[-1:] in ("`", " ") else ""
    return f"{fence}{blank}{text}{blank}{fence}"


def fenced(text: str, language: str) -> str:
    """Lines as a block of code, which nothing in them can end."""
    fence = _fence(text, 3)
    return f"{fence}{language}\n{text}\n{fence}\n"


def _fence(text: str, least: int) -> str:
    return "`" * max(least, 1 + max(map(len, re.findall("`+", text)), default=0))


def role(name: str, text: str) -> str:
    """A role with a text, which is no Markdown inside."""
    return f"{{{name}}}{code(text)}"


def badge(colour: str, text: str) -> str:
    """A text as a badge; what follows a semicolon would be its tooltip."""
    return f"{{bdg-{colour}}}" + _quoted(re.sub(r"[\\;]", r"\\\g<0>", raw(text)))


def option(text: str) -> str:
    """A text, as it is, as the value of an option of a directive."""
    return json.dumps(text, ensure_ascii=False)
