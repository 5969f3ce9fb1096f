"""Recordings of a file → arrays: whole sequences, or images, of which each seed takes a split.

Arrays, beside the scalars task, kind 'recordings', classes, train, validation, test:

- x ``(recordings, time, channels)`` float32, or ``(images, height, width, channels)``; of recordings
  of unequal length ``(steps of all, channels)``, end to end, and lengths ``(recordings,)`` int32;
- y ``(recordings,)`` int32, or ``(recordings, 1)`` float32;
- with groups: groups ``(recordings,)`` int32;
- about_…: file, sha256, used ('all' or 'drawn'), recordings (in the file), missing and duplicates
  (recordings left out), averaged (recordings longer than `length`), inputs (names of the channels, if
  they have any), classes (names).
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data.draw import Arrays, scalars
from pipeline.data.samples import Groups
from pipeline.data.samples import Rows as Drawn
from pipeline.data.sizes import pool_sizes
from pipeline.data.user_data import columns
from pipeline.data.user_data.location import folder_files
from pipeline.data.user_data.rows import Rows, open_rows, readable, require_moderate
from pipeline.data.user_data.times import Times
from pipeline.config.errors import ConfigError, shown
from pipeline.config.data_files import COLUMNS, RecordingsFile, ends

RECORDINGS = 20_000
#: Of a long table, whole recordings are drawn that have at most so many cells together; an array has at most so many.
CELLS, MOST = 20_000_000, 400_000_000
#: Types of the arrays that may stand beside x.
_KINDS = {"x": "biuf", "y": "biufSU", "length": "iu", "group": "biufSU", "names": "SU"}


@dataclass(frozen=True)
class _Read:
    """Recordings as a file has them, each `(place, x (time, channels), target, group)`."""

    items: list[tuple[str, np.ndarray, object, object]]
    #: Names of the channels, and of the classes where targets are their numbers.
    channels: list[str]
    classes: list[str] | None = None
    #: Whether all of the file was read.
    whole: bool = True


def recordings(entry: RecordingsFile, path: Path, digest: str) -> Arrays:
    """The arrays of recordings.

    Raises:
        ConfigError: names the file and the place in it, what was found and what is allowed.
    """
    if entry.file.endswith("/"):
        read = _folder(entry, path)
    elif ends(entry.file, COLUMNS):
        read = _long(entry, open_rows(entry, path))
    else:
        with readable(entry.file):
            read = (_npz if ends(entry.file, (".npz",)) else _ts)(entry, path)
    steps = [entry.carried(name) for name in read.channels] or entry.carried("")
    filled = [(place, _filled(x, steps, f"{entry.file}, {place}"), y, group) for place, x, y, group in read.items]
    known = [(place, x, y, group) for place, x, y, group in filled if not (
        np.isnan(x).any() or y is None or (entry.group_by and group is None))]
    length = entry.length or max([len(x) for _, x, _, _ in known], default=0)
    averaged = sum(len(x) > length for _, x, _, _ in known)
    known = [(place, _averaged(x, length), y, group) for place, x, y, group in known]
    frame = pd.DataFrame(known, columns=["place", "x", "y", "group"], dtype=object)
    if frame.empty:
        raise ConfigError(f"{entry.file}: found no recording without a missing value; allowed: one or more")
    drawn = Drawn(entry.rows or RECORDINGS)
    drawn.add(frame, np.array([_identity(x, y) for x, y in zip(frame["x"], frame["y"], strict=True)], np.uint64))
    frame, count, duplicates = drawn.result()
    used = "all" if read.whole and len(frame) == count - duplicates else "drawn"
    return _arrays(entry, frame, read.classes, read.channels) | columns.about(
        entry.file, digest, used, recordings=len(filled), missing=len(filled) - len(known), duplicates=duplicates,
        averaged=averaged, inputs=np.array(read.channels, str))


def _arrays(entry: RecordingsFile, frame: pd.DataFrame, classes: list[str] | None, channels: list[str]) -> Arrays:
    def where(at, _=None):
        return entry.file + (f", {frame['place'][at]}" if at is not None else "") + ": the target"

    task, y, names = columns.targets(entry, frame[["y"]], where)
    if names and classes is not None:
        if not all(label.isdigit() and int(label) < len(classes) for label in names):
            raise ConfigError(f"{entry.file}: y: found {', '.join(names[:5])}; allowed: whole numbers from 0, below the "
                              f"{len(classes)} of its `names`")
        names = [classes[int(label)] for label in names]
    groups = columns.codes(frame["group"].map(str))[0] if frame["group"].notna().any() else None
    sizes = pool_sizes(entry.split, len(frame), entry.file, "recordings", groups)
    if names:
        columns.require_rows_of_each_class(y, names, sizes, where(None))
    arrays = scalars(task, "recordings", *sizes, len(names)) | {"y": y, "about_classes": np.array(names, str)}
    lengths = np.array([len(x) for x in frame["x"]], np.int32)
    if (lengths == lengths[0]).all():
        arrays["x"] = np.stack(list(frame["x"]))
    else:
        arrays |= {"x": np.concatenate(list(frame["x"])), "lengths": lengths}
    flat = arrays["x"].reshape(-1, arrays["x"].shape[-1])
    columns.require_variety(entry.file, channels or [str(c + 1) for c in range(flat.shape[1])], flat)
    return arrays | ({} if groups is None else {"groups": groups})


def _filled(x: np.ndarray, steps, place: str) -> np.ndarray:
    """x with what may be carried forward; a missing value that no policy is about is refused, and so is an infinite one."""
    if np.isinf(x).any():
        raise ConfigError(f"{place}, step {np.argwhere(np.isinf(x))[0][0] + 1}: found an infinite number; allowed: finite "
                          "numbers")
    if not np.isnan(x).any():
        return x
    flat = x.reshape(len(x), -1)
    if steps is None:
        step, channel = np.argwhere(np.isnan(flat))[0]
        raise ConfigError(f"{place}, step {step + 1}, channel {channel + 1}: found a missing value; allowed: "
                          "a value; or its entry says missing: drop, or {carry: 3}", remedy={"missing": "drop"})
    steps = [steps] * flat.shape[1] if isinstance(steps, int) else steps
    return columns.carry(flat, [step or 0 for step in steps], np.array([0])).reshape(x.shape)


def _averaged(x: np.ndarray, length: int) -> np.ndarray:
    """Means of `length` bins of nearly as many steps each; a shorter recording stays as it is."""
    if len(x) <= length:
        return x
    edges = np.round(np.linspace(0, len(x), length + 1)).astype(int)
    sums = np.add.reduceat(x.astype(np.float64), edges[:-1], axis=0)
    return (sums / np.diff(edges)[:, None]).astype(np.float32)


def _identity(x: np.ndarray, y) -> int:
    """A 64-bit number of what a recording contains."""
    known = hashlib.blake2b(repr((x.shape, str(y))).encode(), digest_size=8)
    # Adding 0 makes -0.0 and 0.0 the same.
    known.update((x + 0).tobytes())
    return int.from_bytes(known.digest(), "big")


def _float32(x: np.ndarray) -> np.ndarray:
    """Numbers as networks read them: one beyond the largest float32 becomes infinite, and is refused."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(x).astype(np.float32)


def _npz(entry: RecordingsFile, path: Path) -> _Read:
    """The arrays x, y and, if need be, length, group and names, in letters of any size."""
    with zipfile.ZipFile(path) as file:
        require_moderate(file, path, entry.file)
    with np.load(path, allow_pickle=False) as file:
        named = {name.lower(): name for name in file.files}
        for name in ("x", "y"):
            if name not in named:
                raise ConfigError(f"{entry.file}: there is no array '{name}'; found: {', '.join(file.files)}; "
                                  "allowed: x and y, and if need be length, group and names")
        held = {name: _array(entry, file, named[name], name) for name in _KINDS if name in named}
    x, count = held["x"], len(held["x"])
    wanted = (3, 4) if entry.images else (3,)
    if x.ndim not in wanted or not x.size or x.size > MOST:
        form = "(images, height, width), or with channels" if entry.images else (
            "(recordings, time, channels), also of a single channel; images have `images: true` in their entry")
        raise ConfigError(f"{entry.file}: x: found the shape {x.shape}; allowed: the shape {form}, at most {MOST} numbers")
    held = {"length": np.full(count, x.shape[1]), "group": np.full(count, None), **held}
    held["y"] = held["y"][:, 0] if held["y"].shape == (count, 1) else held["y"]
    for name in ("y", "length", "group"):
        if held[name].shape != (count,):
            raise ConfigError(f"{entry.file}: {name}: found the shape {held[name].shape}; allowed: ({count},), one for each "
                              "recording")
    wrong = np.flatnonzero((held["length"] < 1) | (held["length"] > x.shape[1]))
    if len(wrong):
        raise ConfigError(f"{entry.file}: length of recording {wrong[0] + 1}: found "
                          f"{held['length'][wrong[0]]}; allowed: 1 to {x.shape[1]}")
    x = _float32(x[..., None] if entry.images and x.ndim == 3 else x)
    if held["y"].dtype.kind == "f" and np.isnan(held["y"]).any():
        raise ConfigError(f"{entry.file}, recording {np.flatnonzero(np.isnan(held['y']))[0] + 1}: found a missing target; "
                          "allowed: a target")
    items = [(f"recording {number}", one[:length], str(target), group) for number, (one, length, target, group) in enumerate(
        zip(x, held["length"], held["y"], held["group"], strict=True), 1)]
    return _Read(items, [], [str(name) for name in held["names"].ravel()] if "names" in held else None)


def _array(entry: RecordingsFile, file, key: str, name: str) -> np.ndarray:
    try:
        found = file[key]
    except ValueError as error:
        if "pickle" in str(error).lower():
            raise ConfigError(f"{entry.file}: {name}: found Python objects, which are pickled and could run code; allowed: "
                              "numbers or text") from None
        raise
    if found.dtype.kind not in _KINDS[name]:
        allowed = {"x": "numbers", "length": "whole numbers", "names": "text"}.get(name, "numbers or text")
        raise ConfigError(f"{entry.file}: {name}: found {found.dtype}; allowed: {allowed}")
    return found


def _ts(entry: RecordingsFile, path: Path) -> _Read:
    # Imported here because it is slow.
    from aeon.datasets import load_from_ts_file

    held, targets = load_from_ts_file(str(path), return_type="auto")
    if not len(held):
        raise ConfigError(f"{entry.file}: found no recording; allowed: lines of recordings after a line @data")
    return _Read([(f"recording {number}", _float32(np.asarray(x).T), str(target), None)
                  for number, (x, target) in enumerate(zip(held, targets, strict=True), 1)], [])


def _long(entry: RecordingsFile, rows: Rows) -> _Read:
    """The recordings of a long table: rows with the same word in the column `recording`."""
    inputs = _channels(entry, rows)
    keys = {"recording": entry.recording, "target": entry.target}
    keys |= {"group": entry.group_by} if entry.group_by else {}
    frame, times, whole = _frame(entry, rows, inputs, keys)
    # A row without its recording is none of any; the entry says that it may be left out.
    number, names = pd.factorize(frame["recording"])
    order = np.argsort(number, kind="stable")
    frame, number = frame.iloc[order], number[order]
    starts = np.searchsorted(number, np.arange(len(names)))
    for key, column in keys.items():
        cells = frame[key].to_numpy()
        other = np.flatnonzero(cells != cells[starts][number])
        if len(other):
            at = other[0]
            raise ConfigError(f"{rows.place(int(frame.index[at]), column)}: found '{cells[at]}', but "
                              f"'{cells[starts][number[at]]}' in the first row of recording "
                              f"'{frame['recording'].iloc[at]}'; allowed: one for all rows of a recording")
    if times:
        times.check(frame, starts)
    first, x = frame.iloc[starts], frame[list(range(len(inputs)))].to_numpy()
    groups = first["group"] if entry.group_by else [None] * len(first)
    items = [(f"recording '{name}'", part, target, group) for name, part, target, group in zip(
        first["recording"], np.split(x, starts[1:]), first["target"], groups, strict=True)]
    return _Read(items, inputs, whole=whole)


def _channels(entry: RecordingsFile, rows: Rows) -> list[str]:
    found = columns.inputs(entry, rows)
    words_only = [] if entry.inputs else rows.words_only(found)
    return [name for name in found if name not in words_only]


def _frame(entry: RecordingsFile, rows: Rows, inputs: list[str], keys: dict[str, str]):
    """Rows with inputs by their numbers, so that a column may have any name, and `keys`; their times; if all are there."""
    times = Times(entry, rows) if entry.time else None
    drawn = Groups(max(1, CELLS // len(inputs)), "recording")
    named = list(dict.fromkeys([*keys.values(), *([entry.time] if entry.time else [])]))
    for piece in rows.pieces(inputs, named):
        columns.gaps(entry, rows, piece)
        found = piece[inputs].astype(np.float32).set_axis(range(len(inputs)), axis=1)
        for key, column in keys.items():
            found[key] = piece[column]
        if times:
            found["time"] = times.read(piece)
        drawn.add(found[found["recording"].notna()])
    if not drawn.count:
        raise ConfigError(f"{rows.name}: found no rows; allowed: some of each recording")
    frame = drawn.result()
    return frame, times, len(frame) == drawn.count


def _folder(entry: RecordingsFile, path: Path) -> _Read:
    """The recordings of a folder, a file each; a target is that of the first row, or the name of the file's folder."""
    items, channels = [], None
    for file in folder_files(path):
        one = entry.model_copy(update={"file": file.as_posix()})
        rows = open_rows(one, file)
        mine = _channels(one, rows)
        channels = channels or mine
        if mine != channels:
            raise ConfigError(f"{rows.name}: found the inputs {shown(mine)}; allowed: {shown(channels)}, as the files before "
                              "it")
        words = [name for name in (entry.target, entry.group_by) if name]
        frame = pd.concat([piece for piece in rows.pieces(channels, words)] or [pd.DataFrame(columns=[*channels, *words])])
        columns.gaps(one, rows, frame)
        if frame.empty:
            raise ConfigError(f"{rows.name}: found no rows; allowed: one or more")
        target, group = (frame[name].iloc[0] if name else None for name in (entry.target, entry.group_by))
        items.append((file.relative_to(path).as_posix(), frame[channels].to_numpy(np.float32),
                      target if entry.target else file.parent.name, group))
    return _Read(items, channels)
