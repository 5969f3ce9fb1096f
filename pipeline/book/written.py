"""What a person writes for the book alone.

book/answers.yaml: the cards of the first page, and what chapters draw of the findings. book/evidence.yaml: what others
found, shown beside ours and never averaged with them.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from pipeline.config.errors import ConfigError, Spec, nearest, shown, validate
from pipeline.config.read_yaml import read_yaml
from pipeline.config.references import NAME as TOPIC

ANSWERS = Path("book/answers.yaml")


class Named(Spec):
    """A finding of a card, and what its change is called there."""

    id: str
    name: str


class Card(Spec):
    """A kind of network on a kind of data, and the findings that speak of it."""

    title: str
    stratum: str
    topic: str
    findings: Annotated[list[Named], Field(min_length=1)]


class Chapter(Spec):
    """A chapter: experiments that are drawn together, and those that try every place."""

    sweeps: list[list[str]] = []
    places: list[str] = []


def read_cards(root: Path) -> tuple[dict[str, Any], ...]:
    """The cards in their order; none without the file. Raises ConfigError: a card has a mistake."""
    return tuple(validate(ANSWERS, Card, entry, ("cards", i)).model_dump()
                 for i, entry in enumerate(_content(root, "cards", list)))


def read_answers(root: Path) -> dict[str, dict[str, Any]]:
    """The fields of each chapter that the file gives, in its order; none without the file.

    Raises:
        ConfigError: a chapter has a mistake.
    """
    chapters = _content(root, "chapters", dict)
    for topic in chapters:
        # It names a page.
        if not (isinstance(topic, str) and TOPIC.match(topic)):
            raise ConfigError(f"{ANSWERS}: found the topic {shown(topic)}; allowed: lower-case letters, digits and _, at most 100")
    return {topic: validate(ANSWERS, Chapter, chapter, ("chapters", topic)).model_dump(exclude_unset=True)
            for topic, chapter in chapters.items()}


def _content(root: Path, key: str, kind: Callable):
    path = Path(root) / ANSWERS
    content = (read_yaml(path) if path.exists() else None) or {}
    if not isinstance(content, dict) or set(content) - {"cards", "chapters"}:
        raise ConfigError(f"{ANSWERS}: found {shown(content)}; allowed: cards, and chapters by their topics")
    found = content.get(key) or kind()
    if not isinstance(found, kind):
        raise ConfigError(f"{ANSWERS}: {key}: found {shown(found)}; it needs a {'list' if kind is list else 'mapping'}")
    return found


FILE, SOURCES = Path("book/evidence.yaml"), Path("book/references.bib")
KEY = re.compile(r"^@\w+\{([^,\s]+),", flags=re.M)


class Evidence(Spec):
    """A sentence about rows of the ledger, with its source; `claims` are those whose comparison it is about."""

    rows: Annotated[list[Annotated[str, Field(pattern=r"^[AB]\d+$")]], Field(min_length=1)]
    says: str
    cite: str
    claims: list[str] = []


def read_evidence(root: Path) -> tuple[dict[str, Any], ...]:
    """The fields of each `Evidence` of a project, in the file's order; none without the file.

    Raises:
        ConfigError: an entry has a mistake, or cites what references.bib does not have.
    """
    path = Path(root) / FILE
    if not path.exists():
        return ()
    content = read_yaml(path)
    if not isinstance(content, list):
        raise ConfigError(f"{FILE}: found {shown(content)}; it needs a list of findings")
    found = [validate(FILE, Evidence, entry, (i,)) for i, entry in enumerate(content)]
    sources = Path(root) / SOURCES
    keys = KEY.findall(sources.read_text(encoding="utf-8")) if sources.exists() else []
    for i, entry in enumerate(found):
        if entry.cite not in keys:
            raise ConfigError(f"{FILE}: [{i}].cite: found '{entry.cite}'; {SOURCES} has no such entry{nearest(entry.cite, keys)}")
    return tuple(entry.model_dump() for entry in found)
