"""What the book asks of the averages: the guide's situations, and the answers that open a chapter."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import Field

from pipeline.config.errors import ConfigError, Spec, read_yaml, shown, validate

GUIDE, ANSWERS = Path("book/guide.yaml"), Path("book/answers.yaml")


class Asked(Spec):
    """What rests on one claim; `instead`: what its two ways are called where it is a choice between them, first the
    one that it tries."""

    claim: str
    instead: Annotated[list[str], Field(min_length=2, max_length=2)] = []

    @pydantic.field_validator("instead")
    @classmethod
    def _two_ways(cls, ways: list[str]) -> list[str]:
        if ways[0] == ways[1]:
            raise ValueError(f"found '{ways[0]}' twice; a choice is between two ways")
        return ways


class Situation(Asked):
    """A question of the guide."""

    situation: str


class Answer(Asked):
    """An answer of a chapter: the `change` that its claim tries, or of an identity a sentence for each outcome."""

    change: str = ""
    true: str = ""
    false: str = ""

    @pydantic.model_validator(mode="after")
    def _a_change_or_two_sentences(self):
        if (bool(self.change), bool(self.true), bool(self.false)) not in ((True, False, False), (False, True, True)):
            raise ValueError('it needs "change", or of an identity "true" and "false"')
        return self


class Chapter(Spec):
    """A chapter: its question, its answers, experiments that are drawn together, and those that try every place."""

    question: str
    answers: list[Answer] = []
    sweeps: list[list[str]] = []
    places: list[str] = []


def read_guide(root: Path) -> tuple[dict[str, Any], ...]:
    """The fields of each situation that the file gives, in its order; none without the file.

    Raises:
        ConfigError: an entry has a mistake.
    """
    content = _content(Path(root), GUIDE, list, "a list of situations")
    return tuple(validate(GUIDE, Situation, entry, (i,)).model_dump(exclude_unset=True)
                 for i, entry in enumerate(content))


def read_answers(root: Path) -> dict[str, dict[str, Any]]:
    """The fields of each chapter that the file gives, in its order; none without the file.

    Raises:
        ConfigError: a chapter has a mistake.
    """
    content = _content(Path(root), ANSWERS, dict, "chapters by their topics")
    return {str(topic): validate(ANSWERS, Chapter, chapter, (topic,)).model_dump(exclude_unset=True)
            for topic, chapter in content.items()}


def _content(root: Path, file: Path, kind: type, words: str):
    path = root / file
    content = read_yaml(path) if path.exists() else None
    if content is None:
        return kind()
    if not isinstance(content, kind):
        raise ConfigError(f"{file}: found {shown(content)}; it needs {words}")
    return content
