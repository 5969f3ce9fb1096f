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

from pipeline.data.draw import Arrays, scalars
from pipeline.data.sizes import drawn, identity, most_rows, pool_sizes, series_sizes
from pipeline.data.user_data import columns
from pipeline.data.user_data.rows import Rows
from pipeline.data.user_data.times import Times
from pipeline.config.errors import ConfigError
from pipeline.config.data_files import listed
from pipeline.config.file_kinds import SeriesFile

ROWS = 200_000
#: A grid, and the windows of a split, hold at most so many numbers.
CELLS = 100_000_000


def series(entry: SeriesFile, rows: Rows, digest: str) -> Arrays:
    """The arrays of a series; a ConfigError names the file, the line and the column, what was found and what is allowed."""
    inputs = columns.inputs(entry, rows)
    words_only = rows.words_only(list(dict.fromkeys([*inputs, *entry.targets])))
    inputs = entry.inputs or [name for name in inputs if name not in words_only]
    is_number = len(entry.targets) > 1 or entry.task == "regression" or (
        entry.task is None and entry.target not in words_only)
    times = Times(entry, rows) if entry.time else None
    frame, count, used = _used(entry, rows, inputs, is_number, times)
    group = frame["group"].to_numpy()
    segments = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    if times and not entry.resample and entry.steps == "time":
        times.check(frame.set_index("row"), segments)
    return _arrays(entry, rows, frame, segments, inputs, is_number) | columns.about(
        rows.name, digest, used, rows=count, inputs=np.array(inputs), times=frame["time"].to_numpy(np.int64))


def _used(entry: SeriesFile, rows: Rows, inputs: list[str], is_number: bool, times: Times | None,
          ) -> tuple[pd.DataFrame, int, str]:
    """The rows that are used, group by group; how many the file has; and which are used.

    The frame's columns are `row`, `time`, `group`, the targets ('target 0', …), and the inputs by their numbers, so that
    a column of the file may have any name.
    """
    named, limit = [*listed(entry.time), *listed(entry.group_by)], most_rows(entry, ROWS, len(inputs))
    read = rows.read([*inputs, *(entry.targets if is_number else [])], [*([] if is_number else entry.targets), *named])
    # Without its time or its group, a row stands nowhere.
    whole = read[~columns.gaps(entry, rows, read)[named].any(axis=1)]
    frame = whole[inputs].set_axis(range(len(inputs)), axis=1)
    # The target stands beside the inputs, of which it may be one, and is never filled.
    frame = frame.assign(**{f"target {number}": whole[name] for number, name in enumerate(entry.targets)},
                         time=times.read(whole) if times else whole.index,
                         group=whole[entry.group_by] if entry.group_by else "")
    if frame.empty:
        raise ConfigError(f"{rows.name}: found no rows; allowed: more than the window's {entry.window}")
    frame = _on_a_grid(entry, rows, inputs, frame, times, limit) if entry.resample else (
        frame[::-1] if entry.newest_first else frame)
    used = frame[drawn(identity(frame[["group"]].astype(object)), limit)] if entry.group_by else frame
    # Groups in the order in which they begin; their rows, in that of time.
    used = used.iloc[np.argsort(pd.factorize(used["group"])[0], kind="stable")].iloc[-limit:]
    words = "all" if len(used) == len(frame) and not frame.attrs.get("cut") else "whole groups" if entry.group_by else "latest"
    return used.reset_index(names="row"), len(read), words


def _on_a_grid(entry: SeriesFile, rows: Rows, inputs: list[str], frame: pd.DataFrame, times: Times, limit: int,
               ) -> pd.DataFrame:
    """Means of the rows of each step of a regular grid; of classes, the last. Steps without rows are missing.

    A grid that would be longer than is used is cut, which is said in the frame's `attrs`.
    """
    width, full, held, cut = times.width(entry.resample), [], 0, False
    values = frame.drop(columns=["time", "group"])
    steps = values.groupby([frame["group"], frame["time"] // width * width])
    numbers = list(values.select_dtypes("number"))
    means = steps.last()
    means[numbers] = steps[numbers].mean()
    for group, part in means.groupby(level=0, sort=False):
        part = part.droplevel(0)
        # No more steps than are used, however far apart two rows are.
        first = max(part.index[0], part.index[-1] - (limit - 1) * width)
        cut |= bool(first > part.index[0])
        held += (int((part.index[-1] - first) // width) + 1) * part.shape[1]
        if held > CELLS:
            raise ConfigError(f"{rows.name}: resample: found {entry.resample!r}, which makes more than {CELLS} cells; "
                              "allowed: a longer step, or fewer `rows`")
        part = part.reindex(np.arange(first, part.index[-1] + width, width))
        full.append(part.rename_axis("time").reset_index().assign(group=group))
    grid = pd.concat(full, ignore_index=True)
    for key in grid.columns[grid.isna().any()]:
        name = inputs[key] if isinstance(key, int) else entry.targets[int(key.split()[1])]
        if entry.carried(name) is None:
            time = times.text(grid["time"][int(np.flatnonzero(grid[key].isna())[0])])
            raise ConfigError(f"{rows.name}, column '{name}': found no row in the step of {entry.resample} that begins at "
                              f"{time}; allowed: one or more; or its entry says missing: {{{name}: drop}}, or {{{name}: "
                              "{carry: 3}}", remedy=("missing", "drop"))
    grid.attrs["cut"] = cut
    return grid


def _arrays(entry: SeriesFile, rows: Rows, frame: pd.DataFrame, segments, inputs, is_number) -> Arrays:
    def where(at, column):
        return f"{rows.name}, column '{column}'" if at is None or entry.resample else rows.place(int(frame["row"][at]), column)

    task = entry.task or ("regression" if is_number else "classes")
    targets = frame[[f"target {number}" for number in range(len(entry.targets))]]
    task, y, classes = columns.targets(entry.model_copy(update={"task": task}), targets, where)
    x = frame[list(range(len(inputs)))].to_numpy(np.float32)
    columns.require_variety(rows.name, inputs, x)
    numbers = np.asarray(targets.apply(pd.to_numeric, errors="coerce"), np.float32)
    _refuse_what_knows_a_target(entry, rows.name, inputs, x, numbers, segments)
    carried = [entry.carried(name) or 0 for name in inputs]
    x, reach = columns.carry(x, carried, segments), entry.window + entry.horizon - 1 + max(carried)
    last, possible = _windows(entry, x, y, segments, rows.name)
    groups = np.unique(np.searchsorted(segments, last, side="right"), return_inverse=True)[1].astype(np.int32)
    room = max(1, CELLS // (entry.window * len(inputs)))
    sizes = pool_sizes(entry, min(len(last), room) if entry.own else len(last), "windows", groups) if entry.group_by else (
        series_sizes(entry, last, reach, room))
    if sum(sizes) * entry.window * len(inputs) > CELLS:
        raise ConfigError(f"{rows.name}: found {sum(sizes)} windows of {entry.window} rows and {len(inputs)} "
                          f"inputs; allowed: {CELLS} numbers together; a shorter window, fewer inputs, or a smaller split")
    return scalars(task, "windows", *sizes, len(classes)) | ({"groups": groups} if entry.group_by else {}) | {
        "window": np.array(entry.window), "horizon": np.array(entry.horizon), "carried": np.array(max(carried)), "x": x,
        "y": y, "last": last, "about_windows": np.array(possible),
        "about_windows_dropped": np.array(possible - len(last)), "about_classes": np.array(classes, str)}


def _windows(entry: SeriesFile, x, y, segments, name: str) -> tuple[np.ndarray, int]:
    """The last rows of the windows that touch no missing value, and how many windows there are."""
    window, horizon = entry.window, entry.horizon
    last = np.concatenate([np.arange(start + window - 1, end - horizon, entry.stride)
                           for start, end in zip(segments, [*segments[1:], len(x)], strict=True)])
    missing = np.concatenate([[0], np.cumsum(~np.isfinite(x).all(axis=1))])
    whole = missing[last + 1] == missing[last + 1 - window]
    whole &= (y >= 0)[last + horizon] if y.dtype == np.int32 else np.isfinite(y).all(axis=1)[last + horizon]
    if not whole.any():
        inside = " of one group" if len(segments) > 1 else ""
        raise ConfigError(f"{name}: found no window of {window} rows{inside} with a target {horizon} rows "
                          f"later among {len(x)} rows ({len(last)} windows, all of which touch a missing "
                          "value); allowed: a longer file, a shorter window, or fewer missing values")
    return last[whole], len(last)


def _refuse_what_knows_a_target(entry: SeriesFile, name: str, inputs, x, targets, segments) -> None:
    """Refuse an input that holds a target of later under another name, or that of now if asked for."""
    segment = np.searchsorted(segments, np.arange(len(x)), side="right")
    for target, y in zip(entry.targets, targets.T, strict=True):
        for lag in range(1, min(entry.horizon, len(y) - 1) + 1) if entry.horizon else [0]:
            now, ahead = x[:len(x) - lag], y[lag:, None]
            known = np.isfinite(ahead) & np.isfinite(now) & (segment[lag:] == segment[:len(x) - lag])[:, None]
            for column in np.flatnonzero(known.any(axis=0) & ((now == ahead) | ~known).all(axis=0)):
                when = "of the same row" if lag == 0 else f"of {lag} rows later"
                raise columns.no_input(name, inputs[column], f"found the target '{target}' {when} in every row; allowed: what "
                                                             "is known at the time")
