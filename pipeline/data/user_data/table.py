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

from pipeline.data.draw import Arrays, scalars
from pipeline.data.sizes import drawn, identity, most_rows, pool_sizes
from pipeline.data.user_data import columns
from pipeline.data.user_data.rows import Rows
from pipeline.config.errors import ConfigError
from pipeline.config.data_files import listed
from pipeline.config.file_kinds import TableFile

ROWS = 20_000


def table(entry: TableFile, rows: Rows, digest: str) -> Arrays:
    """The arrays of a table; a ConfigError names the file, the line and the column, what was found and what is allowed."""
    found = columns.inputs(entry, rows)
    words = {*entry.categories, *rows.words_only(found)}
    numbers, categories = [c for c in found if c not in words], [c for c in found if c in words]
    as_numbers = len(entry.targets) > 1 or entry.task == "regression" or (
        entry.task is None and entry.target in entry.as_numbers)
    read = [*numbers, *(entry.targets if as_numbers else [])]
    named = dict.fromkeys([*categories, *([] if as_numbers else entry.targets), *listed(entry.group_by)])
    frame = rows.read(read, list(named))
    missing = columns.gaps(entry, rows, frame).any(axis=1)
    frame = frame[~missing].copy()
    # Adding 0 makes -0.0 and 0.0 the same row.
    frame[read] = frame[read] + 0
    content = frame.drop(columns=[name for name in listed(entry.group_by) if name not in categories])
    identities = identity(content if entry.equal_rows == "drop" else pd.DataFrame({"row": frame.index}))
    repeated = pd.Series(identities).duplicated().to_numpy()
    kept = frame[~repeated][drawn(identities[~repeated], most_rows(entry, ROWS, len(found)))]
    return _arrays(entry, rows, kept, numbers, categories) | columns.about(
        rows.name, digest, "all" if len(kept) == (~repeated).sum() else "drawn", rows=len(missing), missing=missing.sum(),
        duplicates=repeated.sum())


def _arrays(entry, rows: Rows, frame: pd.DataFrame, numbers, categories) -> Arrays:
    def where(row, column):
        return rows.name + f", column '{column}'" if row is None else rows.place(row, column)

    if frame.empty:
        raise ConfigError(f"{rows.name}: found no row without a missing value; allowed: one or more")
    task = "regression" if pd.api.types.is_float_dtype(frame[entry.targets[0]]) else entry.task
    task, y, classes = columns.targets(entry.model_copy(update={"task": task}), frame[entry.targets], where)
    x = frame[numbers].to_numpy(np.float32)
    columns.require_variety(rows.name, numbers, x)
    for target in entry.targets:
        for column in [*numbers, *categories]:
            if _same(frame[column], frame[target]):
                raise columns.no_input(rows.name, column, f"found the target '{target}' in every row; allowed: what is "
                                                          "known before it")
    groups = columns.codes(frame[entry.group_by])[0] if entry.group_by else None
    sizes = pool_sizes(entry, len(frame), "rows", groups)
    arrays = scalars(task, "table", *sizes, len(classes)) | {
        "x": x, "y": y, "row": frame.index.to_numpy(np.int64)} | _coded(rows.name, frame, categories)
    return arrays | ({} if groups is None else {"groups": groups}) | {
        "about_inputs": np.array([*numbers, *categories]), "about_classes": np.array(classes, str)}


def _same(one: pd.Series, other: pd.Series) -> bool:
    """Whether two columns are the same, as text or as numbers, of which one may have been read as text."""
    as_numbers = [pd.to_numeric(cells, errors="coerce").astype(np.float32) for cells in (one, other)]
    return bool((one == other).all() or (as_numbers[0] == as_numbers[1]).all())


def _coded(name: str, frame: pd.DataFrame, categories: list[str]) -> Arrays:
    coded = {column: columns.codes(frame[column]) for column in categories}
    for column, (_, levels) in coded.items():
        if not 2 <= len(levels) <= columns.MANY:
            some = f"{', '.join(levels[:3])}{', …' if len(levels) > 3 else ''}"
            raise columns.no_input(name, column, f"found {len(levels)} different words ({some}); allowed of a category: 2 "
                                                 f"to {columns.MANY}")
    return {"codes": np.stack([found for found, _ in coded.values()], axis=1),
            "levels": np.array([len(levels) for _, levels in coded.values()]),
            "about_categories": np.array([f"{c}={level}" for c, (_, ls) in coded.items() for level in ls])
            } if categories else {}
