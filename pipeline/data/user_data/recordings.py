"""Recordings of a file → arrays: whole sequences, or images, of which each seed takes a split.

Arrays, beside the scalars task, kind 'recordings', classes, train, validation, test:

- x ``(recordings, time, channels)`` float32, or ``(images, height, width, channels)``; of recordings
  of unequal length ``(steps of all, channels)``, end to end, and lengths ``(recordings,)`` int32;
- y ``(recordings,)`` int32, or ``(recordings, 1)`` float32;
- with groups: groups ``(recordings,)`` int32;
- about_…: file, sha256, used ('all' or 'drawn'), recordings (in the file), missing and duplicates (recordings left
  out), averaged (recordings longer than `length`), inputs (names of the channels, if they have any), classes (names).
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config.data_files import COLUMNS, RecordingsFile, ends, listed
from pipeline.config.errors import ConfigError, shown
from pipeline.data.draw import Arrays, scalars
from pipeline.data.samples import drawn, identity
from pipeline.data.sizes import pool_sizes
from pipeline.data.user_data import columns
from pipeline.data.user_data.location import folder_files
from pipeline.data.user_data.rows import Rows, open_rows
from pipeline.data.user_data.times import Times
from pipeline.data.user_data.unpack import readable, require_moderate

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
    if ends(entry.file, COLUMNS):
        read = _long(entry, path)
    else:
        with readable(entry.file):
            read = (_npz if ends(entry.file, (".npz",)) else _ts)(entry, path)
    steps = [entry.carried(name) for name in read.channels] or entry.carried("")
    filled = [(place, _filled(x, steps, f"{entry.file}, {place}"), y, group) for place, x, y, group in read.items]
    known = [(place, x, y, group) for place, x, y, group in filled if not (
        np.isnan(x).any() or y is None or (entry.group_by and group is None))]
    if not known:
        raise ConfigError(f"{entry.file}: found no recording without a missing value; allowed: one or more")
    length = entry.length or max(len(x) for _, x, _, _ in known)
    averaged = sum(len(x) > length for _, x, _, _ in known)
    known = [(place, _averaged(x, length), y, group) for place, x, y, group in known]
    frame = pd.DataFrame(known, columns=["place", "x", "y", "group"], dtype=object)
    identities = np.array([_identity(x, y) for _, x, y, _ in known], np.uint64)
    repeated = pd.Series(identities).duplicated().to_numpy()
    kept = frame[~repeated][drawn(identities[~repeated], entry.rows or RECORDINGS)]
    used = "all" if read.whole and len(kept) == (~repeated).sum() else "drawn"
    return _arrays(entry, kept, read.classes, read.channels) | columns.about(
        entry.file, digest, used, recordings=len(filled), missing=len(filled) - len(known), duplicates=repeated.sum(),
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
    lengths = np.array([len(x) for x in frame["x"]], np.int32)
    equal = bool((lengths == lengths[0]).all())
    x = (np.stack if equal else np.concatenate)(list(frame["x"]))
    flat = x.reshape(-1, x.shape[-1])
    columns.require_variety(entry.file, channels or [str(c + 1) for c in range(flat.shape[1])], flat)
    return scalars(task, "recordings", *sizes, len(names)) | {"x": x, "y": y, "about_classes": np.array(names, str)} | (
        {} if equal else {"lengths": lengths}) | ({} if groups is None else {"groups": groups})


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
        require_moderate(sum(member.file_size for member in file.infolist()), path, entry.file)
    with np.load(path, allow_pickle=False) as file:
        held = {name.lower(): _array(entry, file, name) for name in file.files if name.lower() in _KINDS}
        if not held.keys() >= {"x", "y"}:
            raise ConfigError(f"{entry.file}: there is no array '{'y' if 'x' in held else 'x'}'; found: "
                              f"{', '.join(file.files)}; allowed: x and y, and if need be length, group and names")
    x, count = held["x"], len(held["x"])
    if x.ndim not in ((3, 4) if entry.images else (3,)) or not 0 < x.size <= MOST:
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
    if held["y"].dtype.kind == "f" and np.isnan(held["y"]).any():
        raise ConfigError(f"{entry.file}, recording {np.flatnonzero(np.isnan(held['y']))[0] + 1}: found a missing target; "
                          "allowed: a target")
    x = _float32(x[..., None] if entry.images and x.ndim == 3 else x)
    items = [(f"recording {number}", one[:length], str(target), group) for number, (one, length, target, group) in enumerate(
        zip(x, held["length"], held["y"], held["group"], strict=True), 1)]
    return _Read(items, [], [str(name) for name in held["names"].ravel()] if "names" in held else None)


def _array(entry: RecordingsFile, file, name: str) -> np.ndarray:
    try:
        found = file[name]
    except ValueError as error:
        if "pickle" not in str(error).lower():
            raise
        raise ConfigError(f"{entry.file}: {name}: found Python objects, which are pickled and could run code; allowed: "
                          "numbers or text") from None
    if found.dtype.kind not in _KINDS[name.lower()]:
        allowed = {"x": "numbers", "length": "whole numbers", "names": "text"}.get(name.lower(), "numbers or text")
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


def _tables(entry: RecordingsFile, path: Path) -> Iterator[tuple[Rows, dict[str, str]]]:
    """The file, or each file of a folder, and what all its rows have instead of columns.

    A folder's file is a recording; without a column of targets, its target is the name of the folder that it stands in.
    """
    if not entry.file.endswith("/"):
        yield open_rows(entry, path), {}
    for file in folder_files(path) if entry.file.endswith("/") else ():
        fixed = {"recording": file.relative_to(path).as_posix(), "target": file.parent.name}
        rows = open_rows(entry.model_copy(update={"file": file.as_posix()}), file)
        yield rows, {key: value for key, value in fixed.items() if getattr(entry, key) is None}


def _long(entry: RecordingsFile, path: Path) -> _Read:
    """The recordings of a long table, rows with the same word in the column `recording`, or of a folder of tables."""
    parts, inputs = [], None
    keys = {key: column for key, column in (("recording", entry.recording), ("target", entry.target), (
        "group", entry.group_by)) if column}
    for rows, fixed in _tables(entry, path):
        found = columns.inputs(entry, rows)
        words_only = [] if entry.inputs else rows.words_only(found)
        mine = [name for name in found if name not in words_only]
        inputs = inputs or mine
        if mine != inputs:
            raise ConfigError(f"{rows.name}: found the inputs {shown(mine)}; allowed: {shown(inputs)}, as in the files before")
        read, times = rows.read(inputs, [*keys.values(), *listed(entry.time)]), Times(entry, rows) if entry.time else None
        columns.gaps(entry, rows, read)
        # Inputs by their numbers, so that a column of the file may have any name.
        part = read[inputs].set_axis(range(len(inputs)), axis=1).assign(
            **fixed, **{key: read[column] for key, column in keys.items()}, **({"time": times.read(read)} if times else {}))
        # A row without its recording is none of any; the entry says that it may be left out.
        parts.append(part[part["recording"].notna()])
    whole = pd.concat(parts)
    if whole.empty:
        raise ConfigError(f"{entry.file}: found no rows; allowed: some of each recording")
    frame = whole[drawn(identity(whole[["recording"]].astype(object)), CELLS // len(inputs))]
    number, names = pd.factorize(frame["recording"])
    order = np.argsort(number, kind="stable")
    frame, number = frame.iloc[order], number[order]
    starts = np.searchsorted(number, np.arange(len(names)))
    for key, column in keys.items():
        cells = frame[key].to_numpy()
        for at in np.flatnonzero(cells != cells[starts][number])[:1]:
            raise ConfigError(f"{rows.place(int(frame.index[at]), column)}: found '{cells[at]}', but "
                              f"'{cells[starts][number[at]]}' in the first row of recording "
                              f"'{frame['recording'].iloc[at]}'; allowed: one for all rows of a recording")
    if times:
        times.check(frame, starts)
    first = frame.iloc[starts]
    groups = first["group"] if entry.group_by else [None] * len(first)
    x = np.split(frame[list(range(len(inputs)))].to_numpy(np.float32), starts[1:])
    return _Read([(f"recording '{name}'", part, target, group) for name, part, target, group in zip(
        first["recording"], x, first["target"], groups, strict=True)], inputs, whole=len(frame) == len(whole))
