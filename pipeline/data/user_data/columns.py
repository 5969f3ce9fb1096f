"""Columns of a file: which are inputs, what is missing, what the target and the groups are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from pipeline.data.user_data.rows import Rows, require_columns
from pipeline.spec.base import ConfigError
from pipeline.spec.files import FileSource

#: A target without `task` is a class if it has so many different whole numbers at most.
FEW = 20
#: More classes or levels than this are names of rows, not of classes.
MANY = 100


def inputs(entry: FileSource, rows: Rows, *named: str) -> list[str]:
    """The input columns, in the file's order unless the entry lists them.

    Args:
        named: keys of the entry that name columns, checked to exist.

    Raises:
        ConfigError: a column that does not exist, or no input is left.
    """
    for key in ("target", "inputs", "leave_out", "group_by", *named):
        value = getattr(entry, key)
        require_columns(rows, key, value if isinstance(value, list) else [value] if value else [])
    if isinstance(entry.missing, dict) and "carry" not in entry.missing:
        require_columns(rows, "missing", list(entry.missing))
    left_out = {*entry.leave_out, *entry.no_inputs()}
    found = entry.inputs or [name for name in rows.columns if name not in left_out]
    if not found:
        raise ConfigError(f"{rows.name}: inputs: found none; allowed: one column or more beside "
                          f"{', '.join(sorted(left_out))}")
    return found


def gaps(entry: FileSource, rows: Rows, piece: pd.DataFrame) -> pd.DataFrame:
    """Which cells are missing; those of a column without a policy are refused."""
    missing = piece.isna()
    for column in piece.columns[missing.any()]:
        if entry.carried(column) is None:
            first = int(missing.index[missing[column]][0])
            carry = f", or {{{column}: {{carry: 3}}}}" if entry.may_carry(column) else ""
            raise ConfigError(f"{rows.place(first, column)}: found a missing value; allowed: a value; or its "
                              f"entry says missing: {{{column}: drop}}{carry}")
    return missing


def carry(x: np.ndarray, steps: list[int], segments: np.ndarray) -> np.ndarray:
    """x ``(rows, channels)`` with up to so many missing values, by channel, filled from before.

    Args:
        segments: the first rows of the segments, over whose beginnings nothing is carried.
    """
    x = x.copy()
    positions = np.arange(len(x))
    start = segments[np.searchsorted(segments, positions, side="right") - 1]
    for channel in np.flatnonzero(steps):
        known = np.maximum.accumulate(np.where(np.isnan(x[:, channel]), -1, positions))
        near = (known >= start) & (positions - known <= steps[channel])
        x[near, channel] = x[known[near], channel]
    return x


def codes(values: Iterable) -> tuple[np.ndarray, list[str]]:
    """Names as int32 numbers from 0, -1 for None, and the names in their order.

    Names that are all numbers are in the order of the numbers, others in that of the alphabet.
    """
    values = pd.Series(values, dtype=object)
    names = list(values.dropna().unique())
    numbers = pd.to_numeric(pd.Series(names, dtype=object), errors="coerce")
    names = [n for _, n in sorted(zip(numbers, names))] if not numbers.isna().any() else sorted(names)
    place = {name: number for number, name in enumerate(names)}
    return values.map(place).fillna(-1).to_numpy(np.int32), names


def targets(entry: FileSource, cells: pd.DataFrame, where) -> tuple[str, np.ndarray, list[str]]:
    """As `target`, of one column or of several of numbers; numbers are `(rows, targets)`.

    Args:
        cells: a column for each of the entry's targets, in their order.
        where: (index of a cell, name of the column) → the place that an error names.
    """
    if not isinstance(entry.target, list):
        task, values, names = target(entry, cells.iloc[:, 0], lambda at: where(at, entry.target))
        return task, values if names else values[:, None], names
    entry = entry.model_copy(update={"task": "regression"})
    found = [target(entry, cells.iloc[:, number], lambda at, name=name: where(at, name))[1]
             for number, name in enumerate(entry.target)]
    return "regression", np.stack(found, axis=1), []


def target(entry: FileSource, cells: pd.Series, where) -> tuple[str, np.ndarray, list[str]]:
    """The task, the targets (int32 classes, -1 for None, or float32 numbers), the classes' names.

    Args:
        cells: the target column as text or numbers.
        where: (index of a cell) → the place that an error names.

    Raises:
        ConfigError: targets that are neither, one class only, or too many.
    """
    held = cells.dropna()
    numbers = pd.to_numeric(held, errors="coerce")
    task = entry.task
    if task is None and numbers.notna().all():
        few = (numbers == np.round(numbers)).all() and numbers.nunique() <= FEW
        task = "classes" if few else "regression"
    elif task is None and numbers.notna().mean() > 0.5 and held.nunique() > FEW:
        odd = numbers.index[numbers.isna()][0]
        raise ConfigError(f"{where(odd)}: found {held[odd]!r}; allowed: a number, as most targets are; or "
                          "its entry says task: classes")
    elif task is None:
        task = "classes"
    if task == "regression":
        exact = np.asarray(pd.to_numeric(cells, errors="coerce"), np.float64)
        # Beyond the largest float32, which networks compute in, a number is infinite too.
        wrong = ~(np.abs(exact) <= np.finfo(np.float32).max) & cells.notna().to_numpy()
        if wrong.any():
            at = cells.index[np.flatnonzero(wrong)[0]]
            raise ConfigError(f"{where(at)}: found {str(cells[at])[:40]!r}; allowed: a finite number")
        values = exact.astype(np.float32)
        held = values[np.isfinite(values)]
        if len(held) and held.min() == held.max():
            raise ConfigError(f"{where(None)}: found {held[0]:g} in every row; allowed: a target that varies")
        return task, values, []
    values, names = codes(cells)
    if not 2 <= len(names) <= MANY:
        shown = f" ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"
        hint = "; for numbers its entry says task: regression" if len(names) > MANY else ""
        raise ConfigError(f"{where(None)}: found {len(names)} classes{shown}; allowed: 2 to {MANY}{hint}")
    return task, values, names


def require_variety(name: str, columns: list[str], x: np.ndarray) -> None:
    """Refuse an input ``(rows, columns)`` that is the same in every row."""
    low, high = np.nanmin(x, axis=0), np.nanmax(x, axis=0)
    for column in np.flatnonzero(~(low < high)):
        raise ConfigError(f"{name}, column '{columns[column]}': found {x[0, column]:g} in every row that is "
                          f"used; allowed: values that vary; or its entry says leave_out: "
                          f"['{columns[column]}']")


def about(rows_name: str, digest: str, used: str, **counts) -> dict[str, np.ndarray]:
    """What a book may say of a file: entries that no split depends on."""
    entries = {"file": rows_name, "sha256": digest, "used": used} | counts
    return {f"about_{key}": np.array(value) for key, value in entries.items()}
