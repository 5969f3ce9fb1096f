"""What is said of a mistake: where it is, what was found, what is allowed, and what was probably meant."""

from __future__ import annotations

import contextlib
import difflib
import errno
import json
import math
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pydantic
from pydantic import BaseModel, ConfigDict

from pipeline.config.elsewhere import ELSEWHERE, displaced

#: A message is printed no longer, and so many at a time.
LONGEST, MOST = 4_000, 100
_WORDS = re.compile(r"(?=.{1,100}\Z)[^\W_][\w-]*( [\w-]+)*\Z")
#: What a disk says that takes nothing, and what to do about it.
REFUSED = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room, then run it again"),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "make it writable, then run it again")}
#: Quotes that a word processor makes of straight ones.
CURLY, LETTERS = "“”„‘’", "“ and ” are letters to YAML: write \", or no quotes"


class ConfigError(ValueError):
    """A mistake in a file that a person edits; its message is all that the person sees.

    Attributes:
        remedy: the key and the value with which an entry would be accepted, if there is one.
        at: the place whose line is meant, where the message does not begin with it.
    """

    def __init__(self, message: str, remedy: tuple[str, Any] | None = None, at: str = ""):
        super().__init__(message)
        self.remedy, self.at = remedy, at

    @property
    def each(self) -> Sequence[ConfigError]:
        """The mistakes of which it tells."""
        return (self,)


class Mistakes(ConfigError):
    """Several mistakes, a line each."""

    def __init__(self, errors: Iterable[ConfigError]):
        self._each = tuple(errors)
        super().__init__("\n".join(map(str, self._each)))

    @property
    def each(self) -> Sequence[ConfigError]:
        return self._each


@contextlib.contextmanager
def gathered(found: list[ConfigError]) -> Iterator[None]:
    """Keep a mistake in a list and go on, so that a person hears of all at once."""
    try:
        yield
    except ConfigError as error:
        found.extend(error.each)


def tell(found: Sequence[ConfigError]) -> None:
    """Raise the mistakes that were found, each once, if there are any."""
    each = list({str(error): error for error in found}.values())
    if each:
        raise each[0] if len(each) == 1 else Mistakes(each)


class Spec(BaseModel):
    """Base of all specs: frozen, unknown keys forbidden, no silent change of type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


# Words

def nearest(word: str, allowed, most: int = 1) -> str:
    """`; did you mean 'x'?` for the allowed words most like `word`, else an empty string."""
    known = {one.lower(): one for one in map(str, allowed)}
    close = difflib.get_close_matches(str(word).strip(CURLY).lower(), known, n=most, cutoff=0.5)
    curly = f"; {LETTERS}" if set(CURLY) & set(str(word)) else ""
    return curly + (f"; did you mean {' or '.join(repr(known[one]) for one in close)}?" if close else "")


def mistyped(text: str) -> str:
    """What is wrong with a word that holds what belongs between words; empty of others."""
    if match := re.match(r"[-{\[ ]*([\w.]+)(:[^\s:/]|\s*[{\[=])", text):
        sign = match[2].strip()[0]
        return (f"; a space is missing behind '{match[1]}:'" if sign == ":" else
                f"; ':' is meant instead of '='" if sign == "=" else f"; a ':' is missing behind '{match[1]}'")
    return f"; {LETTERS}" if set(CURLY) & set(text) else ""


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


def words(text: str) -> str:
    """What is called by some words, or by none; ValueError for anything else, as pages and figures show it."""
    if text and not _WORDS.match(text):
        raise ValueError(f"found {shown(text)}; allowed: words of letters, digits, _ and -, one blank between them, at "
                         "most 100 characters")
    return text


# What pydantic finds

def _fields(model: type[Spec], place: tuple) -> list[str]:
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


def explain(path: Path | str, model: type[Spec], error: pydantic.ValidationError, within: tuple = (),
            ) -> ConfigError:
    """Each mistake of a spec in a line: file, place, what was found, what is allowed.

    Args:
        within: where in the file the spec stands, `("experiments", "cnn")`.
    """
    left = error.errors()
    unknown = [e for e in left if e["type"] == "extra_forbidden"]
    # A misspelt key is also a missing one.
    near = {(*_place({"loc": e["loc"][:-1]}), word) for e in unknown for word in difflib.get_close_matches(
        str(e["loc"][-1]), _fields(model, _place({"loc": e["loc"][:-1]})), n=1, cutoff=0.5)}
    left = [e for e in left if e not in unknown and not (e["type"] == "missing" and _place(e) in near)]
    found = [_unknown(path, model, e, within) for e in unknown]
    while left:
        # A value of several allowed types gives an error for each; the deepest says most.
        first = _place(left[0])
        same = [e for e in left if _place(e)[:len(first)] == first]
        left = [e for e in left if e not in same]
        place = max(map(_place, same), key=len)
        found.append(_wrong(path, [e for e in same if _place(e) == place], (*within, *place)))
    return found[0] if len(found) == 1 else Mistakes(found)


def _unknown(path: Path | str, model: type[Spec], error, within: tuple) -> ConfigError:
    """A key that a spec does not have."""
    # The key itself may look like one of pydantic's marks.
    holder, key = _place({"loc": error["loc"][:-1]}), error["loc"][-1]
    allowed, where = _fields(model, holder), _where(path, (*within, *holder))
    at, first = f"{where}{'.' if within or holder else ': '}{key}", key.partition(" ")[0]
    if key in ELSEWHERE:
        return ConfigError(f"{where}: unknown key '{key}': {ELSEWHERE[key]}", at=at)
    hint = mistyped(key) or (f"; a ':' is missing behind '{first}'" if first != key and first in allowed else
                             displaced(within or holder, key, error["input"]))
    return ConfigError(f"{where}: unknown key '{key}'" + (
        hint or f"; allowed: {', '.join(allowed)}{nearest(key, allowed)}"), at=at)


def _wrong(path: Path | str, errors: list, place: tuple) -> ConfigError:
    """A value that is missing or not allowed, by pydantic's errors of all alternatives for it."""
    first = next((e for e in errors if e["type"] not in _TYPES), errors[0])
    if first["type"] == "invalid_key" or first["loc"][-1:] == ("[key]",):
        *place, key = place
        return ConfigError(f"{_where(path, place)}: found the key {shown(key)}; allowed: words")
    where, found = _where(path, place), first["input"]
    if first["type"] == "missing":
        return ConfigError(f"{where}: missing; it is required")
    if first["type"] == "value_error":
        return ConfigError(f"{where}: {first['msg'].removeprefix('Value error, ')}")
    if first["type"] in _TYPES:
        wanted = list(dict.fromkeys(_TYPES[e["type"]] for e in errors))
    elif first["type"] in _VALUES:
        wanted = [_VALUES[first["type"]].format(**first.get("ctx", {}))]
    else:
        return ConfigError(f"{where}: found {shown(found)}; {first['msg']}")
    if found is None:
        return ConfigError(f"{where}: empty; it needs {' or '.join(wanted)}")
    hint = (nearest(found, re.findall(r"'(\w+)'", wanted[0])) if first["type"] == "literal_error" else
            mistyped(found) if isinstance(found, str) else "")
    return ConfigError(f"{where}: found {shown(found)}; allowed: {' or '.join(wanted)}{hint}")


def _where(path: Path | str, place: Iterable = ()) -> str:
    """`params.yaml: experiments.cnn.layers[0]`."""
    inside = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in place).lstrip(".")
    return f"{path}: {inside}" if inside else str(path)


def validate(path: Path, model: type[Spec], content, within: tuple = ()) -> Any:
    """`content` as a spec; ConfigError names the file and the place of each mistake.

    Args:
        within: where in the file the content stands.
    """
    where = _where(path, within)
    if not isinstance(content, dict):
        found = "empty" if content is None else f"found {shown(content)}"
        hint = "".join(map(mistyped, (one for one in (content, *within[-1:]) if isinstance(one, str)))) or (
            displaced(within[:-1], within[-1], content) if within else "")
        raise ConfigError(f"{where}: {found}" + (
            hint or f"; it needs a mapping with: {', '.join(model.model_fields)}"))
    for key in content:
        if not isinstance(key, str):
            raise ConfigError(f"{where}: found the key {shown(key)}; allowed: "
                              f"{', '.join(model.model_fields)}")
    try:
        return model(**content)
    except pydantic.ValidationError as error:
        raise explain(path, model, error, within) from None


# To a person

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
    """Print each mistake in a line, with that of its file, and return the exit code of a failed command."""
    # Only now: reading needs what stands above.
    from pipeline.config.read_yaml import in_order

    texts = in_order(error.each) if isinstance(error, ConfigError) else [refused(error) or str(error)]
    for text in [*texts[:MOST], *([f"{len(texts) - MOST} more mistakes"] if len(texts) > MOST else [])]:
        text = printable(text)
        print(f"error: {text if len(text) <= LONGEST else text[:LONGEST - 1] + '…'}", file=sys.stderr)
    return 1
