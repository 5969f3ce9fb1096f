"""YAML text → plain values, its mistakes in words, and the line on which a place of a file stands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pipeline.config.errors import ConfigError, mistyped, shown

#: A YAML file has at most so many bytes and so many entries, each alias counted as all that it stands
#: for, and is nested at most so deeply: nobody writes more by hand, and a short text can ask for far more.
MOST_BYTES, MOST_ENTRIES, DEEPEST = 1_000_000, 200_000, 40
#: What git leaves in a file that two branches changed.
CONFLICT = re.compile(r"(<<<<<<<|>>>>>>>) |=======$")


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
    """A file's text.

    Raises:
        ValueError: it is too long to be read.
        ConfigError: it is not UTF-8; names the line.
    """
    with open(path, "rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"it is longer than {MOST_BYTES} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line}: found the byte {content[error.start]:#04x}; allowed: text in UTF-8, as "
                          "every editor can save it") from None


def read_yaml(path: Path):
    """A YAML 1.2 file, as DVC reads it.

    Raises:
        ConfigError: the file is missing, broken (with line and column), has a duplicate key, or asks
            for more than anybody writes.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Bounded
    text = ""
    try:
        text = _text(Path(path))
        return yaml.load(text)
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
        line, words = _in_words(text.splitlines(), error)
        where = f"line {line}" if line else f"line {mark.line + 1}, column {mark.column + 1}"
        raise ConfigError(f"{path}, {where}: not YAML: "
                          f"{words or ', '.join(filter(None, (error.context, error.problem)))}") from None
    except RecursionError:
        raise ConfigError(f"{path}: not YAML: it is nested too deeply") from None
    except ConfigError:
        raise
    except (YAMLError, ValueError) as error:  # ValueError: a date or number that cannot be
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())[:200]}") from None


def conflict(text: str) -> int | None:
    """The first line that git left in a text that two branches changed."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if CONFLICT.match(line)), None)


def _in_words(lines: list[str], error: MarkedYAMLError) -> tuple[int | None, str]:
    """The line of a mistake of grammar, from 1, and what it is; nothing where only the parser's words say it."""
    mark, problem = error.problem_mark or error.context_mark, str(error.problem)
    opened = error.context_mark or mark
    at = min(mark.line, len(lines) - 1)
    before = next((n for n in range(at - 1, -1, -1) if lines[n].strip()), at)
    if number := conflict("\n".join(lines)):
        return number, "git left both sides of a conflict; keep one, without the lines of <, = and >"
    if "\t" in lines[at][:mark.column + 1]:
        return at + 1, "found a tab; allowed: spaces"
    if "'@'" in problem or "'%'" in problem or "'`'" in problem:
        return at + 1, f"{problem.partition('found ')[2]}; allowed: such a text in quotes"
    for number in (at, before):
        if hint := mistyped(lines[number].strip()):
            return number + 1, f"found {shown(lines[number].strip())}{hint}"
    if "mapping values" in problem:
        if ":" not in lines[before] and lines[before].strip()[:1] not in "-#":
            return before + 1, f"found {shown(lines[before].strip())}; a ':' is missing behind the key"
        return at + 1, "found a second ': '; allowed: a text that holds one in quotes"
    if "end of stream" in problem:
        return opened.line + 1, "a quote that opens here is not closed"
    if "block" in str(error.context):
        if "'}'" in problem or "']'" in problem:
            return at + 1, f"found {problem.rpartition('found ')[2]}, which nothing opens"
        above = len(lines[before]) - len(lines[before].lstrip())
        return at + 1, (f"found {mark.column} spaces before {shown(lines[at].strip()[:30])}, and {above} in the line above; "
                        "entries of a block stand equally far in")
    if "flow" in str(error.context):
        bracket = "{" if "mapping" in error.context else "["
        if at > opened.line:
            return opened.line + 1, f"a '{bracket}' that opens here is not closed"
        found = problem.rpartition("got ")[2]
        return at + 1, {"'['": "a ':' or a ',' is missing before '['", "'{'": "a ':' or a ',' is missing before '{'",
                        "':'": "a ',' is missing before the key"}.get(
                            found, f"found {found}, where '{bracket}' is not closed yet")
    return None, ""


# Lines of places

def located(error: ConfigError) -> tuple[int, str]:
    """The line that a mistake's place has in its file, 0 if it names none, and its message with that line.

    `params.yaml: experiments.cnn.set: …` becomes `params.yaml, line 123: experiments.cnn.set: …`.
    """
    text = str(error)
    match = re.match(r"([\w./-]+\.yaml): ", error.at or text)
    if not match:
        line = re.match(r"[\w./-]+\.yaml, line (\d+)", text)
        return int(line[1]) if line else 0, text
    line = line_of(Path(match[1]), (error.at or text)[match.end():])
    return line, f"{match[1]}, line {line}: {text[match.end():]}" if line else text


def line_of(path: Path, place: str) -> int:
    """The line on which a place stands, or the innermost one around it that the file has; 0 if there is none.

    Args:
        place: `experiments.cnn.layers[0]`, or `slug.contrasts[1].control` of a list of claims; what follows does not
            matter.
    """
    try:
        node = _composed(_text(path))
    except (OSError, YAMLError, ValueError, RecursionError):
        return 0
    line = 0
    while found := _inner(node, place):
        start, node, place = found
        line = start.line + 1
    return line


@lru_cache(maxsize=4)
def _composed(text: str) -> Node:
    """A text's nodes, which know where they stand."""
    return YAML(typ="safe", pure=True).compose(text)


def _inner(node: Node, place: str):
    """Where the first part of a place begins in a node, what it holds, and the rest of the place; or None."""
    if isinstance(node, SequenceNode):
        number = re.match(r"\[(\d+)\]\.?", place)
        if number and int(number[1]) < len(node.value):
            one = node.value[int(number[1])]
            return one.start_mark, one, place[number.end():]
        named = [(_name(one, n), one.start_mark, one) for n, one in enumerate(node.value, 1)]
    elif isinstance(node, MappingNode):
        named = [(str(key.value), key.start_mark, one) for key, one in node.value]
    else:
        return None
    # Names may hold dots: the longest one that fits.
    fits = [one for one in named if re.match(re.escape(one[0]) + r"(?![\w-])", place)]
    if not fits:
        return None
    name, mark, one = max(fits, key=lambda one: len(one[0]))
    return mark, one, re.sub(r"^\.", "", place[len(name):])


def _name(node: Node, number: int) -> str:
    """What a message calls an entry of a list of claims."""
    entries = node.value if isinstance(node, MappingNode) else ()
    return next((str(one.value) for key, one in entries if key.value == "slug" and one.value), f"claim {number}")


def in_order(errors: Iterable[ConfigError]) -> list[str]:
    """Messages with their lines, each once, in the order of their files and lines."""
    found = [(text.partition(".yaml")[0], line, text) for line, text in map(located, errors)]
    files = [file for file, *_ in found]
    return [text for *_, text in sorted(dict.fromkeys(found), key=lambda one: (files.index(one[0]), one[1]))]
