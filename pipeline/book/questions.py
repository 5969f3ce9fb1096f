"""What book/answers.yaml asks of the findings: the cards of the first page, and what chapters draw."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from pipeline.config.errors import ConfigError, Spec, shown, validate
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
    """A chapter: its question, experiments that are drawn together, and those that try every place."""

    question: str
    sweeps: list[list[str]] = []
    places: list[str] = []


def read_cards(root: Path) -> tuple[dict[str, Any], ...]:
    """The cards in their order; none without the file.

    Raises:
        ConfigError: a card has a mistake.
    """
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
