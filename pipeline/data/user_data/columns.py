"""Columns of a file: which are inputs, what is missing, what the target and the groups are."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from pipeline.config.data_files import FileSource, listed
from pipeline.config.errors import ConfigError
from pipeline.data.user_data.rows import Rows, require_columns

#: A target without `task` is a class if it has so many different whole numbers at most; more classes or levels than the
#: other are names of rows, not of classes.
FEW, MANY = 20, 100
#: An index of a cell or None, the name of a column → the place that an error names.
Where = Callable[[int | None, str], str]


def inputs(entry: FileSource, rows: Rows) -> list[str]:
    """The input columns, in the file's order unless the entry lists them.

    Raises:
        ConfigError: a column that does not exist, or no input is left.
    """
    for key in ("target", "inputs", "leave_out", "group_by", "categories", "as_numbers", "recording", "time"):
        require_columns(rows, key, listed(getattr(entry, key, None)))
    if isinstance(entry.missing, dict) and "carry" not in entry.missing:
        require_columns(rows, "missing", list(entry.missing))
    left_out = {*entry.leave_out, *entry.no_inputs()}
    found = entry.inputs or [name for name in rows.columns if name not in left_out]
    if not found:
        raise ConfigError(f"{rows.name}: inputs: found none; allowed: one column or more beside {', '.join(sorted(left_out))}")
    return found


def gaps(entry: FileSource, rows: Rows, piece: pd.DataFrame) -> pd.DataFrame:
    """Which cells are missing; those of a column without a policy are refused."""
    missing = piece.isna()
    for column in piece.columns[missing.any()]:
        if entry.carried(column) is None:
            first = int(missing.index[missing[column]][0])
            carry = f", or {{{column}: {{carry: 3}}}}" if entry.may_carry(column) else ""
            raise ConfigError(f"{rows.place(first, column)}: found a missing value; allowed: a value; or its "
                              f"entry says missing: {{{column}: drop}}{carry}", remedy=("missing", "drop"))
    return missing


def carry(x: np.ndarray, steps: list[int], segments: np.ndarray) -> np.ndarray:
    """x ``(rows, channels)`` with up to so many missing values, by channel, filled from before.

    Args:
        segments: the first rows of the segments, over whose beginnings nothing is carried.
    """
    groups, x = np.searchsorted(segments, np.arange(len(x)), side="right"), x.copy()
    for channel in np.flatnonzero(steps):
        x[:, channel] = pd.Series(x[:, channel]).groupby(groups).ffill(limit=steps[channel])
    return x


def codes(values: Iterable) -> tuple[np.ndarray, list[str]]:
    """Names as int32 numbers from 0, -1 for None, and the names in their order.

    Names that are all numbers are in the order of the numbers, others in that of the alphabet.
    """
    values = pd.Series(values, dtype=object)
    names = sorted(values.dropna().unique())
    names = sorted(names, key=float) if are_numbers(names) else names
    return pd.Categorical(values, names).codes.astype(np.int32), names


def are_numbers(names: Iterable) -> bool:
    """Whether all names are numbers."""
    return bool(pd.to_numeric(pd.Series(names, dtype=object), errors="coerce").notna().all())


def targets(entry: FileSource, cells: pd.DataFrame, where: Where) -> tuple[str, np.ndarray, list[str]]:
    """The task, the targets (int32 classes ``(rows,)``, -1 for None, or float32 numbers ``(rows, targets)``), the
    classes' names.

    Args:
        cells: a column of text or numbers for each of the entry's targets, in their order.

    Raises:
        ConfigError: targets that are neither, one class only, or too many.
    """
    names = entry.targets or ["y"]
    if len(names) > 1 or (entry.task or _task(cells.iloc[:, 0], names[0], where)) == "regression":
        y = [_numbers(cells.iloc[:, number], name, where) for number, name in enumerate(names)]
        return "regression", np.stack(y, axis=1), []
    y, classes = codes(cells.iloc[:, 0])
    if not 2 <= len(classes) <= MANY:
        some = f" ({', '.join(classes[:3])}{', …' if len(classes) > 3 else ''})"
        numbers = len(classes) > MANY and are_numbers(classes)
        raise ConfigError(f"{where(None, names[0])}: found {len(classes)} classes{some}; allowed: 2 to {MANY}"
                          + ("; for numbers its entry says task: regression" if numbers else ""),
                          remedy=("task", "regression") if numbers and entry.task is None else None)
    return "classes", y, classes


def _task(cells: pd.Series, name: str, where: Where) -> str:
    """Classes or regression, of a target that does not say so itself."""
    held = cells.dropna()
    numbers = pd.to_numeric(held, errors="coerce")
    if numbers.notna().all():
        return "classes" if (numbers == np.round(numbers)).all() and numbers.nunique() <= FEW else "regression"
    if numbers.notna().mean() > 0.5 and held.nunique() > FEW:
        odd = numbers.index[numbers.isna()][0]
        raise ConfigError(f"{where(odd, name)}: found {held[odd]!r}; allowed: a number, as most targets are; or "
                          "its entry says task: classes")
    return "classes"


def _numbers(cells: pd.Series, name: str, where: Where) -> np.ndarray:
    """A column of targets as float32, NaN for None."""
    exact = np.asarray(pd.to_numeric(cells, errors="coerce"), np.float64)
    # Beyond the largest float32, which networks compute in, a number is infinite too.
    wrong = np.flatnonzero(~(np.abs(exact) <= np.finfo(np.float32).max) & cells.notna().to_numpy())
    if len(wrong):
        at = cells.index[wrong[0]]
        raise ConfigError(f"{where(at, name)}: found {str(cells[at])[:40]!r}; allowed: a finite number")
    held = exact[np.isfinite(exact)].astype(np.float32)
    if len(held) and held.min() == held.max():
        raise ConfigError(f"{where(None, name)}: found {held[0]:g} in every row; allowed: a target that varies")
    return exact.astype(np.float32)


def require_variety(name: str, columns: list[str], x: np.ndarray) -> None:
    """Refuse an input ``(rows, columns)`` that is the same in every row."""
    held = pd.DataFrame(x)
    for column in np.flatnonzero(~(held.min() < held.max())):
        raise no_input(name, columns[column], f"found {x[0, column]:g} in every row that is used; allowed: values that vary")


def no_input(file: str, column: str, text: str) -> ConfigError:
    """The answer to a column that cannot be an input."""
    return ConfigError(f"{file}, column '{column}': {text}; or its entry says leave_out: ['{column}']",
                       remedy=("leave_out", [column]))


def about(file: str, digest: str, used: str, **counts) -> dict[str, np.ndarray]:
    """What a book may say of a file: entries that no split depends on."""
    return {f"about_{key}": np.array(value) for key, value in ({"file": file, "sha256": digest, "used": used} | counts).items()}
