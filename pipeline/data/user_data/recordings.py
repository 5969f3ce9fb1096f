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
import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data.user_data import columns
from pipeline.data.user_data.times import Clock
from pipeline.data.draw import Arrays, scalars
from pipeline.data.user_data.rows import MOST_UNPACKED, RATIO, Rows, most_unpacked, readable
from pipeline.data.user_data.table import require_rows_of_each_class
from pipeline.data.samples import Groups
from pipeline.data.samples import Rows as Drawn
from pipeline.data.sizes import pool_sizes
from pipeline.spec.base import ConfigError
from pipeline.spec.files import RecordingsFile

RECORDINGS = 20_000
#: Of a long table, whole recordings are drawn that have at most so many cells together.
CELLS = 20_000_000
#: Numbers that are read at once from an array.
PIECE = 4_000_000
#: What stands before the numbers of an array is no longer.
LONGEST_HEADER = 20_000
#: Types of the arrays that may stand beside x.
_KINDS = {"y": "biufSU", "length": "iu", "group": "biufSUO"}


@dataclass(frozen=True)
class _Read:
    """Recordings as a file has them: (place, x ``(time, channels)``, target, group) of each."""

    items: Iterator[tuple[str, np.ndarray, object, object]]
    #: Names of the channels, and of the classes where targets are their numbers.
    channels: list[str]
    classes: list[str] | None = None
    #: Whether all of the file was read.
    whole: bool = True


def recordings(entry: RecordingsFile, source: Rows | Path, digest: str) -> Arrays:
    """The arrays of recordings.

    Args:
        source: rows of a long table, or the path of an `.npz` or `.ts` file.

    Raises:
        ConfigError: names the file and the place in it, what was found and what is allowed.
    """
    if isinstance(source, Path):
        read = (_npz if source.suffix == ".npz" else _ts)(entry, source)
    else:
        read = _long(entry, source)
    steps = [entry.carried(name) for name in read.channels] or entry.carried("")
    drawn, missing, averaged = Drawn(entry.rows or RECORDINGS), 0, 0
    while batch := list(islice(read.items, 1_000)):
        filled = [(place, _filled(x, steps, f"{entry.file}, {place}"), y, group)
                  for place, x, y, group in batch]
        known = [(place, x, y, group) for place, x, y, group in filled if not (
            np.isnan(x).any() or y is None or (entry.group_by and group is None))]
        missing += len(filled) - len(known)
        if entry.length is not None:
            averaged += sum(len(x) > entry.length for _, x, _, _ in known)
            known = [(place, _averaged(x, entry.length), y, group) for place, x, y, group in known]
        frame = pd.DataFrame(known, columns=["place", "x", "y", "group"], dtype=object)
        frame.index += drawn.count
        drawn.add(frame, np.array([_identity(x, y) for _, x, y, _ in known], np.uint64))
    frame, count, duplicates = drawn.result()
    used = "all" if read.whole and len(frame) == count - duplicates else "drawn"
    return _arrays(entry, frame, read.classes, read.channels) | columns.about(
        entry.file, digest, used, recordings=count + missing, missing=missing, duplicates=duplicates,
        averaged=averaged, inputs=np.array(read.channels, str))


def _arrays(
    entry: RecordingsFile, frame: pd.DataFrame, classes: list[str] | None, channels: list[str]
) -> Arrays:
    if frame.empty:
        raise ConfigError(f"{entry.file}: found no recording without a missing value; allowed: one or more")

    def where(at):
        return entry.file + (f", {frame['place'][at]}" if at is not None else "") + ": the target"

    task, y, names = columns.target(entry, frame["y"], where)
    if names and classes is not None:
        names = _names(entry.file, names, classes)
    sizes = pool_sizes(entry.split, len(frame), entry.file, "recordings", _groups(frame))
    if names:
        require_rows_of_each_class(y, names, sizes, where(None))
    arrays = scalars(task, "recordings", *sizes, len(names)) | {
        "y": y if names else y[:, None], "about_classes": np.array(names, str)}
    lengths = np.array([len(x) for x in frame["x"]], np.int32)
    if (lengths == lengths[0]).all():
        arrays["x"] = np.stack(list(frame["x"]))
    else:
        arrays |= {"x": np.concatenate(list(frame["x"])), "lengths": lengths}
    flat = arrays["x"].reshape(-1, arrays["x"].shape[-1])
    columns.require_variety(entry.file, channels or [str(c + 1) for c in range(flat.shape[1])], flat)
    if _groups(frame) is not None:
        arrays["groups"] = _groups(frame)
    return arrays


def _groups(frame: pd.DataFrame) -> np.ndarray | None:
    return columns.codes(frame["group"].map(str))[0] if frame["group"].notna().any() else None


def _names(file: str, labels: list[str], classes: list[str]) -> list[str]:
    """The names of classes that a file has by their numbers."""
    if not all(label.isdigit() and int(label) < len(classes) for label in labels):
        raise ConfigError(f"{file}: y: found {', '.join(labels[:5])}; allowed: whole numbers from 0, below "
                          f"the {len(classes)} of its `names`")
    return [classes[int(label)] for label in labels]


def _filled(x: np.ndarray, steps, place: str) -> np.ndarray:
    """x with what may be carried forward; a missing value that no policy is about is refused."""
    gap = np.isnan(x)
    if not gap.any():
        return x
    if steps is None:
        step, channel = np.argwhere(gap.reshape(len(x), -1))[0]
        raise ConfigError(f"{place}, step {step + 1}, channel {channel + 1}: found a missing value; allowed: "
                          "a value; or its entry says missing: drop, or {carry: 3}")
    steps = [steps] * x.shape[1] if isinstance(steps, int) else steps
    filled = columns.carry(x.reshape(len(x), -1), [step or 0 for step in steps], np.array([0]))
    return filled.reshape(x.shape)


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


# --- arrays ----------------------------------------------------------------------------------


def _npz(entry: RecordingsFile, path: Path) -> _Read:
    with readable(entry.file):
        try:
            with zipfile.ZipFile(path) as file:
                _require_moderate(file, path, entry.file)
                held = {name.removesuffix(".npy"): _header(file, name, entry.file)
                        for name in file.namelist()}
        except ConfigError:
            raise
        except (ValueError, TypeError, KeyError, SyntaxError, RecursionError) as error:
            raise ConfigError(f"{entry.file}: is no .npz file: {' '.join(str(error).split())[:200]}") from None
        for name in ("x", "y"):
            if name not in held:
                raise ConfigError(f"{entry.file}: there is no array '{name}'; found: {', '.join(held)}; "
                                  "allowed: x and y, and if need be length, group and names")
        _check_shape(entry, *held["x"])
        with np.load(path, allow_pickle=False) as file:
            beside = {name: file[name] for name in ("y", "length", "group", "names") if name in held}
    count, steps, *_ = held["x"][0]
    beside = {"length": np.full(count, steps), "group": np.full(count, None)} | beside
    _check_beside(entry, beside, count, steps)
    classes = [str(name) for name in beside["names"]] if "names" in beside else None
    return _Read(_from_array(entry, path, beside), [], classes)


def _check_shape(entry: RecordingsFile, shape: tuple, kind: np.dtype) -> None:
    if len(shape) in ((3, 4) if entry.images else (3,)) and kind.kind in "biuf" and min(shape) >= 1:
        return
    wanted = "(images, height, width), or with channels" if entry.images else (
        "(recordings, time, channels), also of a single channel; images have `images: true` in their entry")
    raise ConfigError(f"{entry.file}: x: found the shape {shape} of {kind}; allowed: numbers of the shape "
                      f"{wanted}")


def _check_beside(entry: RecordingsFile, beside: dict, count: int, steps: int) -> None:
    for name in ("y", "length", "group"):
        if np.shape(beside[name]) != (count,):
            raise ConfigError(f"{entry.file}: {name}: found the shape {np.shape(beside[name])}; allowed: "
                              f"({count},), one for each recording")
        if beside[name].dtype.kind not in _KINDS[name]:
            raise ConfigError(f"{entry.file}: {name}: found {beside[name].dtype}; allowed: "
                              f"{'whole numbers' if name == 'length' else 'numbers or text'}")
    if "names" in beside and (beside["names"].ndim != 1 or beside["names"].dtype.kind not in "SU"):
        raise ConfigError(f"{entry.file}: names: found the shape {beside['names'].shape} of "
                          f"{beside['names'].dtype}; allowed: a list of text")
    wrong = np.flatnonzero((beside["length"] < 1) | (beside["length"] > steps))
    if len(wrong):
        raise ConfigError(f"{entry.file}: length of recording {wrong[0] + 1}: found "
                          f"{beside['length'][wrong[0]]}; allowed: 1 to {steps}")


def _header(file: zipfile.ZipFile, name: str, shown: str) -> tuple[tuple, np.dtype]:
    """The shape and type of an array, of which nothing else is read."""
    with file.open(name) as content:
        shape, by_columns, kind = _read_header(content)
    if kind.hasobject:
        raise ConfigError(f"{shown}: {name.removesuffix('.npy')}: found Python objects, which are pickled "
                          "and could run code; allowed: numbers or text")
    begin = _length_of_header(file.getinfo(name), shape, kind)
    if not 0 < begin <= LONGEST_HEADER:
        raise ConfigError(f"{shown}: {name.removesuffix('.npy')}: is damaged: it does not hold an array of the shape "
                          f"{shape}")
    if by_columns and name == "x.npy" and len(shape) > 1:
        raise ConfigError(f"{shown}: x: found the order of columns; allowed: np.ascontiguousarray(x)")
    return shape, kind


def _length_of_header(member: zipfile.ZipInfo, shape: tuple, kind: np.dtype) -> int:
    """How many bytes of a member are not the numbers that its header names."""
    return member.file_size - math.prod(shape) * kind.itemsize


def _require_moderate(file: zipfile.ZipFile, path: Path, shown: str) -> None:
    """Refuse a packed file that holds far more than it seems to."""
    held = sum(member.file_size for member in file.infolist())
    if held > most_unpacked(path):
        raise ConfigError(f"{shown}: holds {held} bytes; allowed: at most {MOST_UNPACKED}, or {RATIO} times the "
                          "size of the packed file")


def _read_header(content) -> tuple[tuple, bool, np.dtype]:
    """The shape, whether columns come first, and the type of the array that a file begins with."""
    version = np.lib.format.read_magic(content)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(content)
    return np.lib.format.read_array_header_2_0(content)


def _from_array(entry: RecordingsFile, path: Path, beside: dict):
    """The recordings of an `.npz` file, of which a piece is in memory at a time."""
    y = beside["y"]
    targets = [None if y.dtype.kind == "f" and np.isnan(value) else str(value) for value in y]
    with readable(entry.file), zipfile.ZipFile(path) as file, file.open("x.npy") as content:
        (count, *shape), _, kind = _read_header(content)
        size = int(np.prod(shape))
        at_once = max(1, PIECE // size)
        for start in range(0, count, at_once):
            number = min(at_once, count - start)
            piece = np.frombuffer(content.read(number * size * kind.itemsize), kind)
            # A number beyond the largest float32 becomes infinite, and is refused.
            with np.errstate(over="ignore"):
                piece = piece.reshape(number, *shape).astype(np.float32)
            if entry.images and piece.ndim == 3:
                piece = piece[..., None]
            for position, x in enumerate(piece, start):
                place = f"recording {position + 1}"
                x = x[:beside["length"][position]]
                _require_finite(x, f"{entry.file}, {place}")
                if targets[position] is None:
                    raise ConfigError(f"{entry.file}, {place}: found a missing target; allowed: a target")
                yield place, x, targets[position], beside["group"][position]


def _require_finite(x: np.ndarray, place: str) -> None:
    if np.isinf(x).any():
        step, *_ = np.argwhere(np.isinf(x))[0]
        raise ConfigError(f"{place}, step {step + 1}: found an infinite number; allowed: finite numbers")


def _ts(entry: RecordingsFile, path: Path) -> _Read:
    # Imported here because it is slow.
    from aeon.datasets import load_from_ts_file

    try:
        held, targets = load_from_ts_file(str(path), return_type="auto")
    except Exception as error:  # Whatever the reader of another project ends in.
        raise ConfigError(f"{entry.file}: cannot be read as a .ts file: {' '.join(str(error).split())[:200]}"
                          ) from None

    def items():
        for number, (x, target) in enumerate(zip(held, targets, strict=True), 1):
            place = f"recording {number}"
            x = np.ascontiguousarray(np.asarray(x, np.float32).T)
            _require_finite(x, f"{entry.file}, {place}")
            yield place, x, str(target), None

    return _Read(items(), [])


# --- long tables -----------------------------------------------------------------------------


def _long(entry: RecordingsFile, rows: Rows) -> _Read:
    """The recordings of a long table: rows with the same word in the column `recording`."""
    inputs = columns.inputs(entry, rows, "recording", "time")
    words_only = rows.words_only(inputs, entry.missing_as)
    if entry.inputs is None:
        inputs = [name for name in inputs if name not in words_only]
    keys = {"recording": entry.recording, "target": entry.target}
    keys |= {"group": entry.group_by} if entry.group_by else {}
    named = [*keys.values(), entry.time] if entry.time else [*keys.values()]
    clock = Clock(rows, entry.time, entry.time_format, entry.recording) if entry.time else None
    drawn = Groups(max(1, CELLS // len(inputs)), "recording")
    for piece in rows.pieces(inputs, list(dict.fromkeys(named)), entry.missing_as):
        columns.gaps(entry, rows, piece)
        # Inputs by their numbers, so that a column of the file may have any name.
        found = piece[inputs].astype(np.float32).set_axis(range(len(inputs)), axis=1)
        for key, column in keys.items():
            found[key] = piece[column]
        if clock:
            found["time"] = clock.read(piece)
        # A row without its recording is none of any; the entry says that it may be left out.
        drawn.add(found[found["recording"].notna()])
    frame = drawn.result()
    if frame.empty:
        raise ConfigError(f"{rows.name}: found no rows; allowed: some of each recording")
    number = pd.factorize(frame["recording"])[0]
    order = np.argsort(number, kind="stable")
    frame, number = frame.iloc[order], number[order]
    starts = np.flatnonzero(np.concatenate([[True], number[1:] != number[:-1]]))
    for key in keys:
        _require_one_each(rows, frame, starts, number, key, keys[key])
    if clock:
        clock.require_even(frame, starts)
    x, first = frame[list(range(len(inputs)))].to_numpy(), frame.iloc[starts]
    groups = first["group"] if entry.group_by else [None] * len(first)
    items = ((f"recording '{name}'", part, target, group) for name, part, target, group in zip(
        first["recording"], np.split(x, starts[1:]), first["target"], groups, strict=True))
    return _Read(items, inputs, whole=len(frame) == drawn.count)


def _require_one_each(rows: Rows, frame: pd.DataFrame, starts, number, key: str, column: str) -> None:
    """Refuse a column that changes inside a recording."""
    cells = frame[key].to_numpy()
    other = np.flatnonzero(cells != cells[starts][number])
    if len(other):
        at = other[0]
        raise ConfigError(f"{rows.place(int(frame.index[at]), column)}: found '{cells[at]}', but "
                          f"'{cells[starts][number[at]]}' in the first row of recording "
                          f"'{frame['recording'].iloc[at]}'; allowed: one for all rows of a recording")
