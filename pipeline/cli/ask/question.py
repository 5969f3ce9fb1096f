"""What is asked of a file: what to predict, and from what."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.data.user_data.rows import Rows, open_rows, require_columns
from pipeline.config.errors import ConfigError, shown, validate
from pipeline.config.data_files import ARRAYS, COLUMNS, ends, listed
from pipeline.config.file_kinds import TableFile
from pipeline.config.given import whole
from pipeline.config.schema import PARAMS

#: What is given instead of a column, where there is none.
NONE = "none"


@dataclass(frozen=True)
class Question:
    """What is asked of a file.

    Attributes:
        file: its path inside the project; a folder's ends in `/`.
        time, group_by: columns as they are given, or `none`; None where nothing is given, and they are looked for.
    """

    file: str
    target: str | None = None
    window: int | None = None
    horizon: int | None = None
    recording: str | None = None
    task: str | None = None
    time: str | None = None
    group_by: str | None = None

    @property
    def has_columns(self) -> bool:
        """Whether the file is one with rows and named columns."""
        return ends(self.file, COLUMNS) and not self.file.endswith("/")

    def said(self, columns: list[str]) -> dict[str, Any]:
        """The keys of an entry that say it.

        Args:
            columns: those of the file; a name with a comma in it is one, before it is several.
        """
        found: dict[str, Any] = {"file": self.file}
        if self.target:
            names = named(self.target, columns)
            found["target"] = names[0] if len(names) == 1 else names
        if self.window is not None:
            found |= {"window": self.window, "horizon": 1 if self.horizon is None else self.horizon}
        return found | {key: value for key, value in (("recording", self.recording), ("task", self.task)) if value}


def question(file: str, given: dict[str, str | None]) -> Question:
    """A question as it was given: `TARGET`, `WINDOW` and the like, by their names in small letters.

    Raises:
        ConfigError: what was given cannot be, or the target is missing.
    """
    found = Question(file, **given | {"window": whole("WINDOW", given["window"], least=1),
                                      "horizon": whole("HORIZON", given["horizon"])})
    if not ends(file, (*COLUMNS, *ARRAYS)):
        validate(PARAMS, TableFile, {"file": file, "target": "y"})
    if found.horizon is not None and found.window is None:
        raise ConfigError("HORIZON: found without WINDOW; allowed: both, of a series, whose rows are in order of time")
    if found.task not in (None, "classes", "regression"):
        raise ConfigError(f"TASK: found {shown(found.task)}; allowed: classes or regression")
    if found.has_columns and not found.target:
        raise ConfigError(f"TARGET: missing; it is required: the column of {file} that is to be predicted")
    if found.target and not ends(file, COLUMNS):
        raise ConfigError(f"TARGET: found '{found.target}'; allowed: none, because '{file}' has no columns")
    return found


def named(text: str, columns: list[str]) -> list[str]:
    """The columns that a text names: one, or several with commas between them."""
    return [text] if text in columns else [part.strip() for part in text.split(",")]


def rows_of(file: str, layout: dict[str, Any], target: str | list[str] = "y") -> Rows:
    """A file's rows, of which only the layout is known."""
    return open_rows(validate(PARAMS, TableFile, {"file": file, "target": target, **layout}), Path(file))


def require_named(rows: Rows, name: str, text: str) -> list[str]:
    """The columns that `TIME=` or the like names; ConfigError, if the file has none of that name."""
    require_columns(rows, name, found := named(text, rows.columns))
    return found


@dataclass
class Guess:
    """An entry of a file with what was guessed.

    Attributes:
        entry: its keys that are about the file.
        why: a reason by key.
        said: what was found, for a person to read: rows, inputs, what was left out and dropped.
        mind: what deserves a look.
    """

    entry: dict[str, Any]
    why: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    mind: list[str] = field(default_factory=list)

    def set(self, key: str, value, why: str, said: str = "") -> None:
        """Guess a key, and say so."""
        self.entry[key], self.why[key] = value, why
        self.said += [said] if said else []

    def add(self, key: str, value: str, why: str) -> None:
        """Add to a key that is a list, and a reason to its reasons."""
        if value not in self.entry.setdefault(key, []):
            self.entry[key].append(value)
            self.why[key] = "; ".join(filter(None, [self.why.get(key), f"{value}: {why}"]))

    @property
    def no_inputs(self) -> set[str]:
        """The columns that are left out, or say something else than an input."""
        return {name for key in ("leave_out", "target", "time", "group_by", "recording") for name in listed(self.entry.get(key))}
