"""A series of a file → arrays: windows in order of time, of which each seed takes a stretch.

Arrays, beside the scalars task, kind 'windows', classes, train, validation, test, window, horizon and
carried (over how many steps a last value may have been carried forward):

- x ``(rows, channels)`` float32, as in the file, NaN where nothing is known;
- y ``(rows,)`` int32 for classes, -1 where none is known, or ``(rows, targets)`` float32;
- last ``(windows,)`` int64: the row of each window's last known values; the window is the `window`
  rows up to it, its target y `horizon` rows after it;
- with `group_by`: groups ``(windows,)`` int32;
- about_…: file, sha256, used ('all', 'latest' or 'whole groups'), rows (in the file), windows,
  windows_dropped (they touch a missing value), inputs, classes (names), times ``(rows,)`` int64:
  microseconds since 1970, or millionths of a number's unit; row numbers where there is no `time`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.data.user_data import columns
from pipeline.data.user_data.times import Clock
from pipeline.data.draw import Arrays, scalars
from pipeline.data.user_data.rows import Rows
from pipeline.data.user_data.table import require_rows_of_each_class
from pipeline.data.samples import Groups, Latest
from pipeline.data.sizes import pool_sizes, series_sizes
from pipeline.spec.base import ConfigError
from pipeline.spec.files import SeriesFile

ROWS = 200_000
#: A grid, and the windows of a split, hold at most so many numbers.
CELLS = 100_000_000


def series(entry: SeriesFile, rows: Rows, digest: str) -> Arrays:
    """The arrays of a series.

    Raises:
        ConfigError: names the file, the line and the column, what was found and what is allowed.
    """
    inputs = columns.inputs(entry, rows, "time")
    words_only = rows.words_only(list(dict.fromkeys([*inputs, *entry.targets])), entry.missing_as)
    if entry.inputs is None:
        inputs = [name for name in inputs if name not in words_only]
    is_number = isinstance(entry.target, list) or entry.task == "regression" or (
        entry.task is None and entry.target not in words_only)
    reader = _Reader(entry, rows, inputs, is_number)
    frame, count, used = reader.read()
    frame = frame.reset_index(names="row")
    segments = _segments(frame)
    if entry.time and not entry.resample:
        reader.clock.require_even(frame.set_index("row"), segments)
    return _arrays(entry, rows, frame, segments, inputs, is_number) | columns.about(
        rows.name, digest, used, rows=count, inputs=np.array(inputs), times=frame["time"].to_numpy(np.int64))


class _Reader:
    """Pieces of the file → one frame, group by group.

    Its columns are `target` (of several `target 1`, …), `time`, `group`, and the inputs by their
    numbers, so that a column of the file may have any name.
    """

    def __init__(self, entry: SeriesFile, rows: Rows, inputs: list[str], is_number: bool):
        self.entry, self.rows, self.inputs = entry, rows, inputs
        self.numbers = list(dict.fromkeys([*inputs, *(entry.targets if is_number else [])]))
        self.words = [] if is_number else entry.targets
        self.clock = Clock(rows, entry.time, entry.time_format, entry.group_by) if entry.time else None
        self.limit = entry.rows or ROWS
        #: Whether a grid was longer than is used.
        self.cut = False

    def read(self) -> tuple[pd.DataFrame, int, str]:
        """The rows that are used, how many the file has, and which are used."""
        sample = Groups(self.limit, "group") if self.entry.group_by else Latest(self.limit)
        grid, count = [], 0
        for piece in self._pieces():
            count += len(piece)
            (grid.append(_sums(piece, self._width())) if self.entry.resample else sample.add(piece))
        if count == 0:
            raise ConfigError(f"{self.rows.name}: found no rows; allowed: more than the window's "
                              f"{self.entry.window}")
        if self.entry.resample:
            sample.add(self._on_the_grid(pd.concat(grid)))
        frame = sample.result()
        if self.entry.group_by:
            # Groups in the order in which they begin; their rows, in the file's.
            frame = frame.iloc[np.argsort(pd.factorize(frame["group"])[0], kind="stable")]
        used = "all" if len(frame) == sample.count and not self.cut else (
            "whole groups" if self.entry.group_by else "latest")
        return frame, count, used

    def _pieces(self):
        entry, named = self.entry, [n for n in (self.entry.time, self.entry.group_by) if n]
        words = list(dict.fromkeys([*self.words, *named]))
        for piece in self.rows.pieces(self.numbers, words, entry.missing_as):
            missing = columns.gaps(entry, self.rows, piece)
            # Without its time or its group, a row stands nowhere.
            piece = piece[~missing[named].any(axis=1)]
            found = piece[self.inputs].astype(np.float32).set_axis(range(len(self.inputs)), axis=1)
            # The target stands beside the inputs, of which it may be one, and is never filled.
            for key, name in _targets(entry).items():
                found[key] = piece[name]
            found["time"] = self.clock.read(piece) if self.clock else piece.index
            found["group"] = piece[entry.group_by] if entry.group_by else ""
            yield found

    def _width(self) -> int:
        return self.clock.width(self.entry.resample, self.rows.name)

    def _on_the_grid(self, parts: pd.DataFrame) -> pd.DataFrame:
        """Means of the rows of each step of a regular grid; steps without rows are missing."""
        whole = parts.groupby(level=[0, 1], sort=True)
        sums = whole[[c for c in parts if c[1] != "last"]].sum()
        sums.columns = pd.MultiIndex.from_tuples(sums.columns)
        counts = sums.xs("count", axis=1, level=1)
        means = sums.xs("sum", axis=1, level=1) / counts.where(counts > 0)
        if self.words:
            means["target"] = whole[[("target", "last")]].last()
        width, full, held = self._width(), [], 0
        for group, part in means.groupby(level=0, sort=False):
            part = part.droplevel(0)
            # No more steps than are used, however far apart two rows are.
            first = max(part.index[0], part.index[-1] - (self.limit - 1) * width)
            self.cut |= bool(first > part.index[0])
            steps = int((part.index[-1] - first) // width) + 1
            held += steps * (len(self.inputs) + 1)
            if held > CELLS:
                raise ConfigError(f"{self.rows.name}: resample: found {self.entry.resample!r}, which makes more "
                                  f"than {CELLS} cells; allowed: a longer step, or fewer `rows`")
            part = part.reindex(np.arange(first, part.index[-1] + width, width))
            full.append(part.rename_axis("time").reset_index().assign(group=group))
        frame = pd.concat(full, ignore_index=True)
        self._require_full(frame)
        return frame

    def _require_full(self, frame: pd.DataFrame) -> None:
        for key, column in [*enumerate(self.inputs), *_targets(self.entry).items()]:
            held = frame[key]
            if self.entry.carried(column) is None and held.isna().any():
                at = int(np.flatnonzero(held.isna())[0])
                time = self.clock.text(frame["time"].iloc[at])
                raise ConfigError(f"{self.rows.name}, column '{column}': found no row in the step of "
                                  f"{self.entry.resample} that begins at {time}; allowed: one or more; or "
                                  f"its entry says missing: {{{column}: drop}}, or {{{column}: {{carry: 3}}}}")


def _targets(entry: SeriesFile) -> dict[str, str]:
    """What a frame calls each target, and the column that it is."""
    if not isinstance(entry.target, list):
        return {"target": entry.target}
    return {f"target {number}": name for number, name in enumerate(entry.target, 1)}


def _sums(piece: pd.DataFrame, width: int) -> pd.DataFrame:
    """Sums and counts of the rows of each group and step, which pieces may share."""
    numbers = piece.drop(columns=["time", "group"])
    words = numbers.select_dtypes(exclude="number").columns
    keys = [piece["group"], piece["time"] // width * width]
    grouped = numbers.drop(columns=words).astype(np.float64).groupby(keys, sort=False)
    found = grouped.agg(["sum", "count"])
    for word in words:
        found[word, "last"] = piece[word].groupby(keys, sort=False).last()
    return found.set_axis(pd.Index(list(found.columns), tupleize_cols=False), axis=1)


def _segments(frame: pd.DataFrame) -> np.ndarray:
    """The position of the first row of each group."""
    group = frame["group"].to_numpy()
    return np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))


def _arrays(entry: SeriesFile, rows: Rows, frame: pd.DataFrame, segments, inputs, is_number) -> Arrays:
    def where(at, column):
        if at is None or entry.resample:
            return f"{rows.name}, column '{column}'"
        return rows.place(int(frame["row"][at]), column)

    task = entry.task or ("regression" if is_number else "classes")
    task, y, classes = columns.targets(
        entry.model_copy(update={"task": task}), frame[list(_targets(entry))], where)
    x = frame[list(range(len(inputs)))].to_numpy(np.float32)
    columns.require_variety(rows.name, inputs, x)
    for name, values in zip(entry.targets, _numbers_of(y, classes).T, strict=True):
        if np.isfinite(values).any():
            _refuse_what_knows_the_target(rows.name, entry, name, inputs, x, values, segments)
    carried = [entry.carried(name) or 0 for name in inputs]
    x = columns.carry(x, carried, segments)
    last, possible = _windows(entry, x, y, segments, rows.name)
    arrays = {"window": np.array(entry.window), "horizon": np.array(entry.horizon),
              "carried": np.array(max(carried)), "x": x, "y": y, "last": last,
              "about_windows": np.array(possible), "about_windows_dropped": np.array(possible - len(last)),
              "about_classes": np.array(classes, str)}
    if entry.group_by:
        number = np.searchsorted(segments, last, side="right") - 1
        arrays["groups"] = np.unique(number, return_inverse=True)[1].astype(np.int32)
        sizes = pool_sizes(entry.split, len(last), rows.name, "windows", arrays["groups"])
        if classes:
            require_rows_of_each_class(y[last + entry.horizon], classes, sizes, where(None, entry.target))
    else:
        reach = entry.window + entry.horizon - 1 + max(carried)
        sizes = series_sizes(entry.split, last, reach, rows.name)
    if sum(sizes) * entry.window * len(inputs) > CELLS:
        raise ConfigError(f"{rows.name}: found {sum(sizes)} windows of {entry.window} rows and {len(inputs)} "
                          f"inputs; allowed: {CELLS} numbers together; a shorter window, fewer inputs, or a "
                          "smaller split")
    return scalars(task, "windows", *sizes, len(classes)) | arrays


def _windows(entry: SeriesFile, x, y, segments, name: str) -> tuple[np.ndarray, int]:
    """The last rows of the windows that touch no missing value, and how many windows there are."""
    window, horizon = entry.window, entry.horizon
    ends = np.append(segments[1:], len(x))
    last = np.concatenate([np.arange(start + window - 1, end - horizon, entry.stride)
                           for start, end in zip(segments, ends, strict=True)])
    known = np.isfinite(x).all(axis=1)
    missing = np.concatenate([[0], np.cumsum(~known)])
    whole = missing[last + 1] == missing[last + 1 - window]
    whole &= (y >= 0)[last + horizon] if y.dtype == np.int32 else np.isfinite(y).all(axis=1)[last + horizon]
    if not whole.any():
        inside = " of one group" if len(segments) > 1 else ""
        raise ConfigError(f"{name}: found no window of {window} rows{inside} with a target {horizon} rows "
                          f"later among {len(x)} rows ({len(last)} windows, all of which touch a missing "
                          "value); allowed: a longer file, a shorter window, or fewer missing values")
    return last[whole], len(last)


def _numbers_of(y: np.ndarray, classes: list[str]) -> np.ndarray:
    """Targets ``(rows, targets)`` as the file has them, NaN where none is known, or where they are words."""
    if not classes:
        return y
    names = np.asarray(pd.to_numeric(pd.Series(classes), errors="coerce"), np.float32)
    return np.where((y < 0) | np.isnan(names).any(), np.float32("nan"), names[y])[:, None]


def _refuse_what_knows_the_target(name, entry, target, inputs, x, y, segments) -> None:
    """Refuse an input that holds the target of later under another name, or that of now if asked for."""
    lags = range(1, min(entry.horizon, len(y) - 1) + 1) if entry.horizon else [0]
    for column, values in zip(inputs, x.T, strict=True):
        for lag in lags:
            ahead, now = y[lag:], values[:len(values) - lag]
            inside = np.ones(len(now), bool)
            for start in segments[1:]:
                inside[max(0, start - lag):start] = False
            known = np.isfinite(ahead) & np.isfinite(now) & inside
            if known.any() and (ahead == now)[known].all():
                when = "of the same row" if lag == 0 else f"of {lag} rows later"
                raise ConfigError(f"{name}, column '{column}': found the target '{target}' {when} in "
                                  "every row; allowed: what is known at the time; its entry says leave_out: "
                                  f"['{column}']")
