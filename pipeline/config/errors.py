"""YAML in, frozen specs out; one message for one mistake."""

from __future__ import annotations

import difflib
import errno
import json
import math
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pydantic
from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode

#: A YAML file has at most so many bytes and so many entries, each alias counted as all that it stands
#: for, and is nested at most so deeply: nobody writes more by hand, and a short text can ask for far more.
MOST_BYTES, MOST_ENTRIES, DEEPEST = 1_000_000, 200_000, 40
#: A message is printed no longer.
LONGEST = 4_000
#: What a disk says that takes nothing, and what to do about it.
REFUSED = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room, then run it again"),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "make it writable, then run it again")}


class ConfigError(ValueError):
    """A mistake in a file that a person edits; its message is all that the person sees.

    Attributes:
        remedy: keys that would mend it, of the entry that it is about, and their values; empty if none would.
    """

    def __init__(self, message: str, remedy: dict[str, Any] | None = None):
        super().__init__(message)
        self.remedy = remedy or {}


def nearest(word: str, allowed) -> str:
    """`; did you mean 'x'?` for the allowed word most like `word`, else an empty string."""
    close = difflib.get_close_matches(str(word), [str(a) for a in allowed], n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""


class Spec(BaseModel):
    """Base of all specs: frozen, unknown keys forbidden, no silent change of type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Bounded(SafeConstructor):
    """Makes plain values of a document, once it is known how many."""

    def construct_document(self, node):
        _measure(node, {}, 0)
        return super().construct_document(node)


def _measure(node, known: dict[int, int | None], depth: int) -> int:
    """How many entries a node of a document stands for.

    Args:
        known: what was found of other nodes; None of those that hold this one.

    Raises:
        ValueError: they are too many, nested too deeply, or without end.
    """
    if isinstance(node, ScalarNode):
        if any("\ud800" <= c <= "\udfff" for c in node.value):
            raise ValueError(f"found {shown(node.value)}, with half a character")
        return 1
    found = known.get(id(node), 0)
    if found is None:
        raise ValueError("an entry holds itself")
    if depth >= DEEPEST:
        raise ValueError(f"it is nested too deeply; allowed: {DEEPEST} levels")
    if found == 0:
        known[id(node)] = None
        inner = (one for entry in node.value for one in (entry if isinstance(entry, tuple) else (entry,)))
        found = known[id(node)] = 1 + sum(_measure(one, known, depth + 1) for one in inner)
    if found > MOST_ENTRIES:
        raise ValueError(f"it stands for more than {MOST_ENTRIES} entries, with those that aliases repeat")
    return found


def _text(path: Path) -> str:
    """A file's text; ValueError if it is too long to be read."""
    with open(path, "rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"it is longer than {MOST_BYTES} bytes")
    return content.decode("utf-8")


def read_yaml(path: Path):
    """A YAML 1.2 file, as DVC reads it.

    Raises:
        ConfigError: the file is missing, broken (with line and column), has a duplicate key, or asks
            for more than anybody writes.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Bounded
    try:
        return yaml.load(_text(Path(path)))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except DuplicateKeyError as error:
        mark = error.problem_mark
        raise ConfigError(f"{path}, line {mark.line + 1}, column {mark.column + 1}: "
                          f"{str(error.problem).split(' with value')[0]}; a key may stand once") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(f"{path}, line {mark.line + 1}, column {mark.column + 1}: "
                          f"not YAML: {', '.join(filter(None, (error.context, error.problem)))}"
                          ) from None
    except RecursionError:
        raise ConfigError(f"{path}: not YAML: it is nested too deeply") from None
    except (YAMLError, ValueError) as error:  # ValueError: bytes, or a date or number, that cannot be
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())[:200]}") from None


def _allowed_keys(model: type[Spec], place: tuple) -> list[str]:
    """The keys that the spec at a place inside a model may have."""
    kinds = [model]
    for part in place:
        inner = []
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, Spec):
                inner += [field.annotation for name, field in kind.model_fields.items() if name == part]
            elif get_origin(kind) in (dict, list):
                inner.append(get_args(kind)[-1])
        kinds = [kind for one in inner for kind in _alternatives(one)]
    return [name for kind in kinds if isinstance(kind, type) and issubclass(kind, Spec)
            for name in kind.model_fields]


def _alternatives(kind) -> list:
    """The types that an annotation allows, without what validates them."""
    if get_origin(kind) is Annotated:
        return _alternatives(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [one for part in get_args(kind) for one in _alternatives(part)]
    return [kind]


#: What is allowed where pydantic finds another type.
_TYPES = {"string_type": "a word", "float_type": "a number", "int_type": "a whole number",
          "int_from_float": "a whole number", "bool_type": "true or false", "list_type": "a list",
          "dict_type": "a mapping", "model_type": "a mapping", "model_attributes_type": "a mapping"}
#: What is allowed where pydantic finds another value, with the fields of its error's context.
_VALUES = {"greater_than_equal": "a number of at least {ge}", "greater_than": "a number above {gt}",
           "less_than_equal": "a number of at most {le}", "less_than": "a number below {lt}",
           "too_short": "at least {min_length} entry", "too_long": "at most {max_length} entry",
           "literal_error": "{expected}", "finite_number": "a finite number",
           "string_pattern_mismatch": "text that matches {pattern}"}


def _place(error) -> tuple:
    """Where a mistake is, without pydantic's marks of the alternatives that it tried."""
    return tuple(p for p in error["loc"] if isinstance(p, int) or not (
        re.search(r"[\[(<]", p) or p in ("str", "int", "float", "bool")))


def shown(value) -> str:
    """A value as YAML shows it, on one short line."""
    if value is None:
        return "nothing"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' if value < 0 else ''}.inf"
    try:
        text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    except (TypeError, ValueError):  # Keys that JSON does not have, or a list that holds itself.
        try:
            text = repr(value)
        except ValueError:  # Python does not write a whole number that long.
            text = "a number of thousands of digits"
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= 80 else text[:79] + "…"


def explain(path: Path | str, model: type[Spec], error: pydantic.ValidationError,
            within: tuple = ()) -> ConfigError:
    """One message for one mistake: file, place, what was found, what is allowed.

    Of several mistakes an unknown key comes first, because a misspelt key is also a missing one.

    Args:
        within: where in the file the spec stands, `("experiments", "cnn")`.
    """
    errors = error.errors()
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    # A value of several allowed types gives an error for each; the deepest says most.
    place = _place(first)
    same = [e for e in errors if _place(e)[:len(place)] == place]
    place = max(map(_place, same), key=len)
    same = [e for e in same if _place(e) == place]
    first = next((e for e in same if e["type"] not in _TYPES), same[0])
    if first["type"] == "invalid_key" or first["loc"][-1:] == ("[key]",):
        *place, key = place
        return ConfigError(f"{_where(path, (*within, *place))}: found the key {shown(key)}; allowed: words")
    where = _where(path, (*within, *place))
    if first["type"] == "extra_forbidden":
        # The key itself may look like one of pydantic's marks.
        holder, key = _place({"loc": first["loc"][:-1]}), first["loc"][-1]
        allowed = _allowed_keys(model, holder)
        return ConfigError(f"{_where(path, (*within, *holder))}: unknown key '{key}'; allowed: "
                           f"{', '.join(allowed)}{nearest(key, allowed)}")
    if first["type"] == "missing":
        return ConfigError(f"{where}: missing; it is required")
    if first["type"] == "value_error":
        return ConfigError(f"{where}: {first['msg'].removeprefix('Value error, ')}")
    if first["type"] in _TYPES:
        wanted = list(dict.fromkeys(_TYPES[e["type"]] for e in same))
    elif first["type"] in _VALUES:
        wanted = [_VALUES[first["type"]].format(**first.get("ctx", {}))]
    else:
        return ConfigError(f"{where}: found {shown(first['input'])}; {first['msg']}")
    if first["input"] is None:
        return ConfigError(f"{where}: empty; it needs {' or '.join(wanted)}")
    near = (nearest(first["input"], re.findall(r"'(\w+)'", wanted[0]))
            if first["type"] == "literal_error" else "")
    return ConfigError(f"{where}: found {shown(first['input'])}; allowed: {' or '.join(wanted)}{near}")


def _where(path: Path | str, place: Iterable = ()) -> str:
    """`params.yaml: experiments.cnn.layers[0]`."""
    inside = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in place).lstrip(".")
    return f"{path}: {inside}" if inside else str(path)


def validate(path: Path, model: type[Spec], content, within: tuple = ()) -> Any:
    """`content` as a spec; ConfigError names the file and the place of a mistake.

    Args:
        within: where in the file the content stands.
    """
    where = _where(path, within)
    if not isinstance(content, dict):
        found = "empty" if content is None else f"found {shown(content)}"
        raise ConfigError(f"{where}: {found}; it needs a mapping with: "
                          f"{', '.join(model.model_fields)}")
    for key in content:
        if not isinstance(key, str):
            raise ConfigError(f"{where}: found the key {shown(key)}; allowed: "
                              f"{', '.join(model.model_fields)}")
    try:
        return model(**content)
    except pydantic.ValidationError as error:
        raise explain(path, model, error, within) from None


def refused(error: Exception) -> str:
    """What a disk refused, in a line; empty if the error is another one."""
    if not isinstance(error, OSError) or error.errno not in REFUSED:
        return ""
    return (f"{error.filename or 'a file'}: it cannot be written: {error.strerror}; {REFUSED[error.errno]}: what has "
            "finished is kept")


def printable(text: str) -> str:
    """A text without what a terminal obeys, and without half a character, which cannot be printed."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def complain(error: Exception) -> int:
    """Print a mistake as one message and return the exit code of a failed command."""
    text = printable(refused(error) or str(error))
    print(f"error: {text if len(text) <= LONGEST else text[:LONGEST - 1] + '…'}", file=sys.stderr)
    return 1
