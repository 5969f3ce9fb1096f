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
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config.data_files import COLUMNS, ends, listed
from pipeline.config.file_kinds import RecordingsFile
from pipeline.config.errors import ConfigError, shown
from pipeline.data.draw import Arrays, scalars
from pipeline.data.sizes import drawn, identity, most_rows, pool_sizes
from pipeline.data.user_data import columns
from pipeline.data.user_data.rows import Rows, open_rows
from pipeline.data.user_data.times import Times
from pipeline.data.user_data.location import folder_files, readable, require_moderate

RECORDINGS = 20_000
#: Of a long table, whole recordings are drawn that have at most so many cells together; an array has at most so many.
CELLS, MOST = 20_000_000, 400_000_000
#: Types of the arrays that may stand beside x, and what they are called.
_KINDS = {"x": ("biuf", "numbers"), "y": ("biufSU", "numbers or text"), "length": ("iu", "whole numbers"),
          "group": ("biufSU", "numbers or text"), "names": ("SU", "text")}
#: Recordings as a file has them, a frame of `place`, `x` (time, channels), `y` and `group`; the names of the channels, and
#: of the classes where targets are their numbers; whether all of the file was read.
Read = tuple[pd.DataFrame, list[str], list[str] | None, bool]


def recordings(entry: RecordingsFile, path: Path, digest: str) -> Arrays:
    """The arrays of recordings; a ConfigError names the file and the place in it, what was found and what is allowed."""
    with readable(entry.file) if not ends(entry.file, COLUMNS) else nullcontext():
        read, channels, classes, whole = (
            _long if ends(entry.file, COLUMNS) else _npz if ends(entry.file, (".npz",)) else _ts)(entry, path)
    steps = [entry.carried(name) for name in channels] or entry.carried("")
    read["x"] = [_filled(x, steps, f"{entry.file}, {place}") for place, x in zip(read["place"], read["x"], strict=True)]
    missing = read["x"].map(lambda x: bool(np.isnan(x).any())) | read["y"].isna() | (read["group"].isna() & bool(entry.group_by))
    frame = read[~missing].reset_index(drop=True)
    if frame.empty:
        raise ConfigError(f"{entry.file}: found no recording without a missing value; allowed: one or more")
    lengths = frame["x"].map(len)
    length = entry.length or lengths.max()
    frame["x"] = [_averaged(x, length) for x in frame["x"]]
    identities = np.array([_identity(x, y) for x, y in zip(frame["x"], frame["y"], strict=True)], np.uint64)
    repeated = pd.Series(identities).duplicated().to_numpy()
    kept = frame[~repeated][drawn(identities[~repeated], most_rows(entry, RECORDINGS, 1))]
    used = "all" if whole and len(kept) == (~repeated).sum() else "drawn"
    return _arrays(entry, kept, classes, channels) | columns.about(
        entry.file, digest, used, recordings=len(read), missing=missing.sum(), duplicates=repeated.sum(),
        averaged=(lengths > length).sum(), inputs=np.array(channels, str))


def _frame(x, y, group, places=None) -> pd.DataFrame:
    """Recordings with their places, which are their numbers where they have no names."""
    return pd.DataFrame({"place": places or [f"recording {number}" for number in range(1, len(y) + 1)], "x": list(x),
                         "y": y, "group": list(group)}, dtype=object)


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
    sizes = pool_sizes(entry, len(frame), "recordings", groups)
    lengths = np.array([len(x) for x in frame["x"]], np.int32)
    equal = bool((lengths == lengths[0]).all())
    x = (np.stack if equal else np.concatenate)(list(frame["x"]))
    columns.require_variety(entry.file, channels or [str(c + 1) for c in range(x.shape[-1])], x.reshape(-1, x.shape[-1]))
    return scalars(task, "recordings", *sizes, len(names)) | {"x": x, "y": y, "about_classes": np.array(names, str)} | (
        {} if equal else {"lengths": lengths}) | ({} if groups is None else {"groups": groups})


def _filled(x: np.ndarray, steps, place: str) -> np.ndarray:
    """x with what may be carried forward; a missing value that no policy is about is refused, and so is an infinite one."""
    flat = x.reshape(len(x), -1)
    for wrong, what, hint, remedy in (
            (np.isinf(flat), "an infinite number; allowed: finite numbers", "", None),
            (np.isnan(flat) & (steps is None), "a missing value; allowed: a value",
             "; or its entry says missing: drop, or {carry: 3}", ("missing", "drop"))):
        for step, channel in np.argwhere(wrong)[:1]:
            raise ConfigError(f"{place}, step {step + 1}, channel {channel + 1}: found {what}{hint}", remedy=remedy)
    steps = [steps or 0] * flat.shape[1] if not isinstance(steps, list) else [step or 0 for step in steps]
    return columns.carry(flat, steps, np.array([0])).reshape(x.shape) if np.isnan(flat).any() else x


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


def _npz(entry: RecordingsFile, path: Path) -> Read:
    """The arrays x, y and, if need be, length, group and names, in letters of any size; none of Python objects."""
    with zipfile.ZipFile(path) as file:
        require_moderate(sum(member.file_size for member in file.infolist()), path, entry.file)
    with np.load(path, allow_pickle=False) as file:
        held, found = {name.lower(): file[name] for name in file.files if name.lower() in _KINDS}, ", ".join(file.files)

    def require(ok: bool, name: str, what: str, allowed: str) -> None:
        if not ok:
            raise ConfigError(f"{entry.file}: {name}: found {what}; allowed: {allowed}")

    for name in ("x", "y"):
        require(name in held, f"there is no array '{name}'", found, "x and y, and if need be length, group and names")
    for name, array in held.items():
        require(array.dtype.kind in _KINDS[name][0], name, str(array.dtype), _KINDS[name][1])
    x, count = held["x"], len(held["x"])
    form = "(images, height, width), or with channels" if entry.images else (
        "(recordings, time, channels), also of a single channel; images have `images: true` in their entry")
    require(x.ndim in ((3, 4) if entry.images else (3,)) and 0 < x.size <= MOST, "x", f"the shape {x.shape}",
            f"the shape {form}, at most {MOST} numbers")
    held = {"length": np.full(count, x.shape[1]), "group": np.full(count, None), **held}
    held["y"] = y = held["y"][:, 0] if held["y"].shape == (count, 1) else held["y"]
    for name in ("y", "length", "group"):
        require(held[name].shape == (count,), name, f"the shape {held[name].shape}", f"({count},), one for each recording")
    for at in np.flatnonzero((held["length"] < 1) | (held["length"] > x.shape[1]))[:1]:
        require(False, f"length of recording {at + 1}", held["length"][at], f"1 to {x.shape[1]}")
    for at in np.flatnonzero(y != y)[:1]:
        require(False, f"recording {at + 1}", "a missing target", "a target")
    x = _float32(x[..., None] if entry.images and x.ndim == 3 else x)
    read = _frame([one[:length] for one, length in zip(x, held["length"], strict=True)], [str(one) for one in y], held["group"])
    return read, [], [str(name) for name in held["names"].ravel()] if "names" in held else None, True


def _ts(entry: RecordingsFile, path: Path) -> Read:
    # Imported here because it is slow.
    from aeon.datasets import load_from_ts_file

    held, targets = load_from_ts_file(str(path), return_type="auto")
    x = [_float32(np.asarray(one).T) for one in held]
    return _frame(x, [str(target) for target in targets], [None] * len(x)), [], None, True


def _tables(entry: RecordingsFile, path: Path) -> Iterator[tuple[Rows, dict[str, str]]]:
    """The file, or each file of a folder, and what all its rows have instead of columns.

    A folder's file is a recording; without a column of targets, its target is the name of the folder that it stands in.
    """
    if not entry.file.endswith("/"):
        yield open_rows(entry, path), {}
        return
    for file in folder_files(path):
        fixed = {"recording": file.relative_to(path).as_posix(), "target": file.parent.name}
        yield open_rows(entry.model_copy(update={"file": file.as_posix()}), file), {
            key: value for key, value in fixed.items() if getattr(entry, key) is None}


def _long(entry: RecordingsFile, path: Path) -> Read:
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
    frame = frame.iloc[np.argsort(pd.factorize(frame["recording"])[0], kind="stable")]
    number = pd.factorize(frame["recording"])[0]
    starts = np.searchsorted(number, range(number[-1] + 1))
    for key, column in keys.items():
        cells = frame[key].to_numpy()
        for at in np.flatnonzero(cells != cells[starts][number])[:1]:
            raise ConfigError(f"{rows.place(int(frame.index[at]), column)}: found '{cells[at]}', but "
                              f"'{cells[starts][number[at]]}' in the first row of recording "
                              f"'{frame['recording'].iloc[at]}'; allowed: one for all rows of a recording")
    if times:
        times.check(frame, starts)
    first, x = frame.iloc[starts], np.split(frame[list(range(len(inputs)))].to_numpy(np.float32), starts[1:])
    groups = first["group"] if entry.group_by else [None] * len(first)
    places = [f"recording '{name}'" for name in first["recording"]]
    return _frame(x, list(first["target"]), groups, places), inputs, None, len(frame) == len(whole)
