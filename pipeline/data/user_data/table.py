"""A table of a file → arrays: independent rows, of which each seed takes a split.

Arrays, beside the scalars task, kind 'table', classes, train, validation, test:

- x ``(rows, numbers)`` float32, as in the file; y ``(rows,)`` int32, or ``(rows, targets)`` float32;
- with categories: codes ``(rows, categories)`` int32, and levels ``(categories,)``, how many each has;
- with `group_by`: groups ``(rows,)`` int32;
- row ``(rows,)`` int64: the row's number in the file, from 0;
- about_…: file, sha256, used ('all' or 'drawn'), rows (in the file), missing and duplicates (rows
  left out), inputs (names), categories ('column=level'), classes (names).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.data.user_data import columns
from pipeline.data.draw import Arrays, scalars
from pipeline.data.user_data.rows import Rows
from pipeline.data.samples import Rows as Drawn
from pipeline.data.samples import identity
from pipeline.data.sizes import pool_sizes
from pipeline.data.splits import PARTS
from pipeline.spec.base import ConfigError
from pipeline.spec.files import TableFile

ROWS = 20_000


def table(entry: TableFile, rows: Rows, digest: str) -> Arrays:
    """The arrays of a table.

    Raises:
        ConfigError: names the file, the line and the column, what was found and what is allowed.
    """
    numbers, categories = _inputs(entry, rows)
    words = list(categories)
    several = isinstance(entry.target, list)
    (numbers if several or entry.task == "regression" else words).extend(entry.targets)
    words += [entry.group_by] if entry.group_by and entry.group_by not in words else []
    drawn, missing = Drawn(entry.rows or ROWS), 0
    for piece in rows.pieces(numbers, words, entry.missing_as):
        whole = ~columns.gaps(entry, rows, piece).any(axis=1)
        missing += int((~whole).sum())
        piece = piece[whole].astype(dict.fromkeys(numbers, np.float32))
        # Adding 0 makes -0.0 and 0.0 the same row.
        piece[numbers] += 0
        drawn.add(piece, identity(piece.drop(columns=_only_groups(entry, categories))))
    frame, whole, duplicates = drawn.result()
    return _arrays(entry, rows, frame, [n for n in numbers if n not in entry.targets], categories) | (
        columns.about(rows.name, digest, "all" if len(frame) == whole - duplicates else "drawn",
                      rows=whole + missing, missing=missing, duplicates=duplicates))


def _inputs(entry: TableFile, rows: Rows) -> tuple[list[str], list[str]]:
    """The inputs that are numbers, and those that are categories."""
    found = columns.inputs(entry, rows, "categories")
    words = {*entry.categories, *rows.words_only(found, entry.missing_as)}
    return [c for c in found if c not in words], [c for c in found if c in words]


def _only_groups(entry: TableFile, categories: list[str]) -> list[str]:
    return [entry.group_by] if entry.group_by and entry.group_by not in categories else []


def _arrays(entry, rows: Rows, frame: pd.DataFrame, numbers, categories) -> Arrays:
    def where(row, column):
        return rows.name + f", column '{column}'" if row is None else rows.place(row, column)

    if frame.empty:
        raise ConfigError(f"{rows.name}: found no row without a missing value; allowed: one or more")
    task, y, classes = columns.targets(entry, frame[entry.targets], where)
    x = frame[numbers].to_numpy(np.float32)
    columns.require_variety(rows.name, numbers, x)
    for target in entry.targets:
        _refuse_target(rows, target, frame, [*numbers, *categories])
    groups = columns.codes(frame[entry.group_by])[0] if entry.group_by else None
    sizes = pool_sizes(entry.split, len(frame), rows.name, "rows", groups)
    if classes:
        require_rows_of_each_class(y, classes, sizes, where(None, entry.target))
    arrays = scalars(task, "table", *sizes, len(classes)) | {
        "x": x, "y": y, "row": frame.index.to_numpy(np.int64)}
    if categories:
        arrays |= _coded(rows.name, frame, categories)
    if groups is not None:
        arrays["groups"] = groups
    return arrays | {"about_inputs": np.array([*numbers, *categories]),
                     "about_classes": np.array(classes, str)}


def _coded(name: str, frame: pd.DataFrame, categories: list[str]) -> Arrays:
    coded = {column: columns.codes(frame[column]) for column in categories}
    for column, (_, levels) in coded.items():
        if not 2 <= len(levels) <= columns.MANY:
            raise ConfigError(f"{name}, column '{column}': found {len(levels)} different words ("
                              f"{', '.join(levels[:3])}{', …' if len(levels) > 3 else ''}); allowed of a "
                              f"category: 2 to {columns.MANY}; or its entry says leave_out: ['{column}']")
    return {
        "codes": np.stack([found for found, _ in coded.values()], axis=1),
        "levels": np.array([len(levels) for _, levels in coded.values()]),
        "about_categories": np.array([f"{c}={level}" for c, (_, ls) in coded.items() for level in ls])}


def _refuse_target(rows: Rows, target: str, frame: pd.DataFrame, inputs: list[str]) -> None:
    """Refuse an input that is the target under another name."""
    # Numbers as float32, because one of the two may have been read as text.
    numbers = pd.to_numeric(frame[target], errors="coerce").astype(np.float32)
    for column in inputs:
        as_number = pd.to_numeric(frame[column], errors="coerce").astype(np.float32)
        if (frame[column] == frame[target]).all() or (as_number == numbers).all():
            raise ConfigError(f"{rows.name}, column '{column}': found the target '{target}' in every row; "
                              f"allowed: what is known before it; its entry says leave_out: ['{column}']")


def require_rows_of_each_class(y: np.ndarray, classes: list[str], sizes, place: str) -> None:
    """Refuse a class of which a part of the split may have no row."""
    least = -(-len(y) // min(sizes))
    for label, count in enumerate(np.bincount(y, minlength=len(classes))):
        if count < max(3, least):
            smallest = PARTS[int(np.argmin(sizes))]
            raise ConfigError(f"{place}: found {count} of class '{classes[label]}' among {len(y)}; allowed: "
                              f"at least {max(3, least)}, so that each part has one, {smallest} with its "
                              f"{min(sizes)} too; a larger split.{smallest}, or a file without that class")
