"""An entry and its reasons → lines of params.yaml, every other byte of which stays as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

from pipeline.cli.ask.guess import SEEDS
from pipeline.cli.ask.question import Guess, Question
from pipeline.config.errors import ConfigError, printable
from pipeline.config.data_files import listed
from pipeline.config.file_kinds import kind
from pipeline.config.schema import PARAMS, Params, parse

#: Words that are no text to YAML.
_NO_NAMES = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*\Z", re.ASCII)


def name_of(file: str, params: Params) -> str:
    """A name that is free: the file's own, in the letters that a name may have."""
    stem = re.sub(r"[^a-z0-9_]+", "_", Path(file).name.partition(".")[0].lower()).strip("_")[:80]
    if not stem[:1].isalpha() or stem in _NO_NAMES:  # YAML would read a number, or true.
        stem = f"data_{stem}".rstrip("_")
    taken = {*params.data, *(group for one in params.data.values() for group in one.groups)}
    return next(name for name in (stem, *(f"{stem}_{n}" for n in range(2, 10_000))) if name not in taken)


def block(name: str, entry: Mapping, guess: Guess) -> str:
    """The lines of an entry, a key each, its reason beside it."""
    lines = [f"  {name}:", "    # Guessed by `make ask`; what was not asked for, change at will.",
             *(f"    # Mind: {_line(text)}" for text in guess.mind)]
    for key, value in entry.items():
        reason = _line(guess.why.get(key, ""))
        lines.append(f"    {key}: {_flow(value)}" + (f"   # {reason}" if reason else ""))
    return "".join(f"{line}\n" for line in lines)


def _line(text: str) -> str:
    return printable(" ".join(text.split()))


def _flow(value) -> str:
    """A value as YAML writes it on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and _PLAIN.match(value) and value.lower() not in _NO_NAMES:
        return value
    return json.dumps(value, ensure_ascii=not (isinstance(value, str) and value.isprintable()))


def inserted(text: str, lines: str) -> str:
    """A params file's text with an entry behind the others of `data`; every other byte as it was."""
    section = YAML().load(text)
    keys = list(section)
    following = keys.index("data") + 1
    held = text.splitlines(keepends=True)
    at = section.lc.key(keys[following])[0] if following < len(keys) else len(held)
    # What stands right above the next section belongs to that.
    while at and (not held[at - 1].strip() or held[at - 1].startswith("#")):
        at -= 1
    before = "".join(held[:at])
    return before + ("" if before.endswith("\n") else "\n") + lines + "".join(held[at:])


def whole(question: Question, params: Params, guess: Guess) -> dict:
    """An entry with what every data set has: its group, the experiments that are tried on it, how networks train on it.

    Raises:
        ConfigError: params.yaml does not say what is tried.
    """
    group = "sequences" if kind(guess.entry) != "table" else "tables"
    if not params.ask.get(group):
        raise ConfigError(f"{PARAMS}: ask.{group}: missing; it is required: the experiments that `make ask` tries")
    like = next(one for one in params.data.values() if group in one.groups and not one.own)
    training = json.loads(like.train.model_dump_json(exclude_none=True))
    what = ", ".join(listed(guess.entry.get("target"))) or "y"
    ahead = f", {guess.entry['horizon']} ahead" if "horizon" in guess.entry else ""
    return {"own": True, "group": group, "experiments": list(params.ask[group]), **guess.entry, "seeds": SEEDS,
            **({"train": training} if training else {}), "title": f"{Path(question.file).name}: {what}{ahead}"}


def drafted(question: Question, params: Params, guess: Guess) -> tuple[str, str, Params]:
    """The name of an entry, the text of params.yaml with it, and the study that this is; nothing is written.

    Raises:
        ConfigError: the file would not be valid with it.
    """
    name, entry = name_of(question.file, params), whole(question, params, guess)
    new = inserted(PARAMS.read_text(encoding="utf-8"), block(name, entry, guess))
    content = YAML(typ="safe", pure=True).load(new)
    if content["data"].get(name) != entry:
        raise ConfigError(f"{PARAMS}: the entry of {question.file} cannot be written; write it by hand")
    return name, new, parse(content, PARAMS)
