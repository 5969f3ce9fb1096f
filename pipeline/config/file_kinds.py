"""What an entry under `data:` may say of a table, of a series and of recordings, and which of them it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import pydantic
from pydantic import Field

from pipeline.config.data_files import ARRAYS, COLUMNS, FARTHEST, LARGEST, Count, FileSource, ends, is_carry, listed
from pipeline.config.errors import Spec, nearest, shown


class TableFile(FileSource):
    """A table: one row an example, a column the target.

    `rows`: at most 20,000 by default; of more, that many are drawn.
    """

    NAME: ClassVar[str] = "a table, which has no `window` and no `length`"
    #: Whether rows that are equal count once, as repeats, or each, as when many people give the same answers.
    equal_rows: Literal["drop", "keep"] = "drop"
    #: Columns whose values are names; a column without any number is one without being listed.
    categories: list[str] = []

    @pydantic.model_validator(mode="after")
    def _rows_are_independent(self):
        for column in (self.missing if isinstance(self.missing, dict) else {}):
            if is_carry(self.missing) or self.carried(column):
                place = "missing" if is_carry(self.missing) else f"missing.{column}"
                raise ValueError(f"{place}: found carry; allowed: drop; a row of a table has none before it")
        for name in self.categories:
            if name in self.no_inputs() or name in self.leave_out:
                raise ValueError(f"categories: '{name}' is {self._role_of(name)}, and cannot be an input")
            if self.inputs and name not in self.inputs:
                raise ValueError(f"categories: '{name}' is not one of the inputs{nearest(name, self.inputs)}")
        return self


class SeriesFile(FileSource):
    """A series: rows in order of time, of which windows are cut; or many, each a `group_by`.

    A window is the `window` rows up to now, its target the target's value `horizon` rows later.
    `rows`: at most 200,000 by default; of a longer series the latest, of many whole ones.
    """

    NAME: ClassVar[str] = "a series, which has a `window`"
    window: Count
    #: 0: the target of the window's own last row, which then may not be among the inputs.
    horizon: Annotated[int, Field(ge=0, le=FARTHEST)] = 1
    #: Rows from one window to the next.
    stride: Count = 1
    #: The column of times: dates as in 2024-01-31 13:00 (or as `time_format` says), or numbers; or a column of dates
    #: and one of hours or times of the day.
    time: str | Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    #: A form such as '%d.%m.%Y %H:%M', with %q for a quarter; `unix` for seconds since 1970.
    time_format: str | None = None
    #: What a step is: a length of `time`, which is checked, or a row, as for days on which a market is open.
    steps: Literal["time", "rows"] = "time"
    #: Whether the last row of the file is the first in time.
    newest_first: bool = False
    #: The step of a regular grid on which rows are averaged: '1h', or a number for number times.
    resample: str | Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] | None = None

    def may_carry(self, column: str) -> bool:
        return column in (self.inputs or [column]) and column not in (self.group_by, *listed(self.time))

    @pydantic.model_validator(mode="after")
    def _times_are_known(self):
        for key in ("resample", "time_format"):
            if getattr(self, key) is not None and self.time is None:
                raise ValueError(f"{key}: needs `time`, the name of the column of times")
        if self.resample is not None and self.steps == "rows":
            raise ValueError("resample: found beside steps: rows; allowed: one of the two")
        for name in self.targets if self.horizon == 0 else ():
            if name in self.leave_out:
                raise ValueError(f"leave_out: '{name}' is the target, which is no input anyway")
        return self


class RecordingsFile(FileSource):
    """Recordings, each with one target: arrays of `.npz`, `.ts`, rows of one `recording`, or files of a folder.

    In a folder each file is a recording; its target is a column, or the name of the folder that it stands in. `.npz`
    holds `x` (recordings, time, channels), `y`, and it may hold `length` (steps that are real; others are padding),
    `group` and `names` (of the classes). `rows`: at most 20,000 recordings by default; of more, that many are drawn.
    Equal recordings count once.
    """

    NAME: ClassVar[str] = "recordings, which have a `length` or a `recording`"
    #: Steps of all recordings: longer ones are averaged into so many bins. Default: the longest.
    length: Annotated[int, Field(ge=2, le=LARGEST)] | None = None
    #: The column that says to which recording a row belongs, and that of the times inside it.
    recording: str | None = None
    time: str | None = None
    time_format: str | None = None
    #: x are images: (images, height, width), or with channels.
    images: bool = False

    _SUFFIXES = COLUMNS + ARRAYS

    @pydantic.model_validator(mode="after")
    def _has_one_target(self):
        if isinstance(self.target, list):
            raise ValueError(f"target: found {shown(self.target)}; allowed of recordings: one column; "
                             "tables and series may have several targets")
        return self

    @pydantic.model_validator(mode="after")
    def _columns_where_there_are_some(self):
        if ends(self.file, COLUMNS):
            if self.recording is None and not self.file.endswith("/"):
                raise ValueError("recording: missing; it is required: the column that says to which "
                                 "recording a row belongs")
            if self.images:
                raise ValueError("images: only arrays of an .npz file can be images")
            return self
        columns = ("target", "inputs", "leave_out", "group_by", "recording", "time", "time_format")
        for key in columns:
            if getattr(self, key):
                raise ValueError(f"{key}: '{self.file}' has no columns; an .npz file holds x, y and, if "
                                 "need be, length, group and names; a .ts file recordings and targets")
        if isinstance(self.missing, dict) and self.missing and not is_carry(self.missing):
            raise ValueError(f"missing: '{self.file}' has no columns; allowed: drop or {{carry: 3}}")
        if self.images and (self.length or not ends(self.file, (".npz",))):
            raise ValueError("images: only arrays of an .npz file can be images, and without `length`")
        return self


KINDS: dict[str, type[FileSource]] = {"table": TableFile, "series": SeriesFile, "recordings": RecordingsFile}


def kind(entry: Mapping[str, Any]) -> str | None:
    """Which of `KINDS` an entry is, by the words that only one of them has; None: it has no `file`.

    `window` and its like make it a series; `length`, `recording`, `images`, .npz or .ts recordings; else it is a table.
    """
    if "file" not in entry:
        return None
    if entry.keys() & {"window", "horizon", "stride", "resample"}:
        return "series"
    if entry.keys() & {"length", "recording", "images"} or ends(str(entry["file"]), (*ARRAYS, "/")):
        return "recordings"
    return "table"


def kinds(common: type[Spec]) -> dict[str, type[FileSource]]:
    """`KINDS`, each with the fields of `common` besides: what every data set has."""
    return {name: pydantic.create_model(cls.__name__, __base__=(cls, common), __doc__=cls.__doc__)
            for name, cls in KINDS.items()}
