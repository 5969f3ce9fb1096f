"""Arrays of any kind and a seed → a split.

What decides the numbers of runs stands here. Kinds of arrays: 'synthetic' (drawn for each seed), 'pool' (of a source),
and of a file 'table', 'recordings' and 'windows'.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

PARTS = ("train", "validation", "test")
SCALINGS = ("standard", "none")
#: Orders of the groups that a seed draws, of which it takes the one that is most nearly stratified.
ORDERS = 64
Arrays = Mapping[str, np.ndarray]
Positions = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Split:
    """Training, validation and test arrays of one seed.

    x: float32 ``(n, time, channels)`` for sequences, ``(n, features)`` for tables,
    ``(n, height, width, channels)`` for images. y: float32 ``(n, targets)`` for regression, int32
    ``(n,)`` counting from 0 for classes. `classes` is 0 for regression.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    task: str
    classes: int


def load(arrays: Arrays, seed: int, train_fraction: float = 1.0, scaling: str = "standard") -> Split:
    """One seed's training, validation and test arrays.

    Scaling 'standard' takes the mean off each channel (the last axis: also a table's feature, an image's channel over
    all its pixels) and divides by its deviation, both of the training part; a channel that is constant there becomes 0.
    Regression targets are standardised likewise, whatever the scaling, unless the data set's `targets` says 'none'. A
    category is a 1 at its level and 0 elsewhere, never scaled; a level that no training row has is 0 everywhere.
    Recordings of unequal length are scaled by their real steps only, and then padded on the left with zeros.

    Args:
        arrays: what a source or a file made.
        seed: picks the draw (synthetic), the split or of a series the stretch.
        train_fraction: share of the training part that is kept; see `split`.
        scaling: 'standard' or 'none'.

    Raises:
        ValueError: the arrays do not hold this seed, or an argument is out of range.
    """
    if scaling not in SCALINGS:
        raise ValueError(f"scaling: found {scaling!r}, allowed: {', '.join(SCALINGS)}")
    parts = split(arrays, seed, train_fraction)
    x, real = zip(*(_inputs(arrays, seed, part) for part in parts), strict=True)
    if scaling == "standard" and x[0].shape[-1]:
        scaler = StandardScaler().fit(x[0][real[0]].astype(np.float64))
        x = [_scaled(scaler, values, steps) for values, steps in zip(x, real, strict=True)]
    if "codes" in arrays:
        x = [np.concatenate(both, axis=1) for both in zip(x, _one_hot(arrays, parts), strict=True)]
    y = [targets(arrays, seed)[part] for part in parts]
    if str(arrays["task"]) == "regression" and str(arrays.get("targets", "standard")) == "standard":
        scaler = StandardScaler().fit(y[0].astype(np.float64))
        y = [scaler.transform(values.astype(np.float64)) for values in y]
    kind = np.int32 if str(arrays["task"]) == "classes" else np.float32
    values = {f"x_{part}": each for part, each in zip(PARTS, x, strict=True)}
    values |= {f"y_{part}": each.astype(kind) for part, each in zip(PARTS, y, strict=True)}
    return Split(**values, task=str(arrays["task"]), classes=int(arrays["classes"]))


def split(arrays: Arrays, seed: int, train_fraction: float = 1.0) -> Positions:
    """Positions of the training, validation and test items: rows, recordings or windows.

    Synthetic items: three blocks that follow each other, and of which no two windows share a step. Rows and recordings:
    a random split, stratified by class. With groups: whole groups in each part, of several random orders the one whose
    parts have most nearly the classes' shares, and of each part as many items as it shall have. Windows: three blocks
    from a random origin, each in order of time, such that no row, be it an input's, a target's or one carried forward,
    belongs to two.

    `train_fraction` keeps part of the training items and leaves the others as they are: the latest windows, whole groups
    where there are groups, else a choice stratified by class.

    Raises:
        ValueError: the arrays do not hold this seed, `train_fraction` is not in (0, 1] or leaves nothing, or the items
            cannot be parted so.
    """
    if not 0 < train_fraction <= 1:
        raise ValueError(f"train_fraction: found {train_fraction!r}, allowed: a number above 0, at most 1")
    kind, sizes = str(arrays["kind"]), [int(arrays[part]) for part in PARTS]
    kept = round(train_fraction * sizes[0])
    if kept < 1:
        raise ValueError(f"train_fraction: {train_fraction!r} of {sizes[0]} items leaves none")
    if kind in ("synthetic", "pool"):
        return (_blocks if kind == "synthetic" else _stratified)(arrays, seed, sizes, kept)
    generator = np.random.default_rng(seed)
    if "groups" in arrays:
        return _by_group(arrays["groups"], _strata(arrays, seed), sizes, kept, generator)
    if kind == "windows":
        return _from_origin(arrays, sizes, kept, generator)
    order = _evenly(_strata(arrays, seed), generator)
    test, validation, train = np.split(order[: sum(sizes)], np.cumsum(sizes[:0:-1]))
    return train[:kept], validation, test


def digest(arrays: Arrays, seed: int) -> str:
    """SHA-256 of all that a seed's split depends on in the arrays.

    Synthetic: that seed's arrays and the scalars, so that another seed changes nothing. Others: all but what is only said.
    """
    keys = sorted(key for key in arrays if not key.startswith("about_"))
    if str(arrays["kind"]) == "synthetic":
        _hold(arrays, seed)
        keys = [key for key in keys if arrays[key].ndim == 0 or key in (f"x_{seed}", f"y_{seed}")]
    result = hashlib.sha256()
    for key in keys:
        values = np.ascontiguousarray(arrays[key])
        result.update(f"{key} {values.dtype.str} {arrays[key].shape}\n".encode())
        result.update(values.tobytes())
    return result.hexdigest()


def origins(last: np.ndarray, sizes, reach: int) -> np.ndarray:
    """First windows ``(origins, 3)`` of the parts, for each window that a stretch can begin with.

    Args:
        last: the row of the last known value of each window, ascending.
        reach: how far the last rows of windows in two parts are apart at least, less one.
    """
    count = len(last)
    # The first window whose rows all come after the last row that each window touches.
    following = np.searchsorted(last, last + reach, side="right")
    firsts = [np.arange(count)]
    for size in sizes[:-1]:
        ends = firsts[-1] + size - 1
        firsts.append(np.where(ends < count, following[np.minimum(ends, count - 1)], count))
    firsts = np.stack(firsts, axis=1)
    return firsts[firsts[:, -1] + sizes[-1] <= count]


# Items and their targets

def _hold(arrays: Arrays, seed: int) -> None:
    if f"x_{seed}" not in arrays:
        held = ", ".join(str(one) for one in sorted(int(key[2:]) for key in arrays if key.startswith("x_")))
        raise ValueError(f"seed: found {seed!r}, allowed (the data set's seeds): {held}")


def targets(arrays: Arrays, seed: int) -> np.ndarray:
    """The targets of all items; that of a synthetic window is that of its last step."""
    if str(arrays["kind"]) == "synthetic":
        _hold(arrays, seed)
        return arrays[f"y_{seed}"][int(arrays.get("window", 1)) - 1:]
    return arrays["y"][arrays["last"] + int(arrays["horizon"])] if "last" in arrays else arrays["y"]


def _inputs(arrays: Arrays, seed: int, part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The inputs of some items, float32, and where they are real, not padding: their shape but for channels."""
    x = arrays[f"x_{seed}" if str(arrays["kind"]) == "synthetic" else "x"]
    if "window" in arrays:
        last = arrays["last"][part] if "last" in arrays else part + int(arrays["window"]) - 1
        x = x[last[:, None] + np.arange(1 - int(arrays["window"]), 1)]
    elif "lengths" in arrays:
        steps, mine = arrays["lengths"].max(), arrays["lengths"][part]
        row = np.cumsum(arrays["lengths"])[part][:, None] + np.arange(-steps, 0)
        real = np.arange(steps) >= steps - mine[:, None]
        return np.where(real[..., None], x[np.maximum(row, 0)], np.float32(0)), real
    else:
        x = x[part]
    return x.astype(np.float32, copy=False), np.ones(x.shape[:-1], bool)


def _scaled(scaler: StandardScaler, x: np.ndarray, real: np.ndarray) -> np.ndarray:
    scaled = np.zeros(x.shape, np.float32)
    scaled[real] = scaler.transform(x[real].astype(np.float64))
    return scaled


def _one_hot(arrays: Arrays, parts: Positions) -> list[np.ndarray]:
    """A column for each level of each category, in their order."""
    columns = [(code, np.arange(count), np.isin(np.arange(count), code[parts[0]]))
               for code, count in zip(arrays["codes"].T, arrays["levels"], strict=True)]
    return [np.concatenate([(code[part][:, None] == levels) & known for code, levels, known in columns],
                           axis=1).astype(np.float32) for part in parts]


# Ways to part items

def _blocks(arrays: Arrays, seed: int, sizes: list[int], kept: int) -> Positions:
    """Adjoining blocks; windows that would cross a boundary are left out."""
    gap, y = int(arrays.get("window", 1)) - 1, targets(arrays, seed)
    starts = [0, sizes[0] + gap, sizes[0] + sizes[1] + 2 * gap]
    if starts[-1] + sizes[-1] > len(y):
        counts = ", ".join(f"{part}={size}" for part, size in zip(PARTS, sizes, strict=True))
        raise ValueError(f"{counts}: with the gaps between them, they do not fit into the data set's {len(y)} items")
    train, *others = (np.arange(start, start + size) for start, size in zip(starts, sizes, strict=True))
    return train[-kept:] if "window" in arrays else np.sort(_some(train, y, kept, seed)), *others


def _stratified(arrays: Arrays, seed: int, sizes: list[int], kept: int) -> Positions:
    """A stratified random split of a pool."""
    y, (train, validation, test) = arrays["y"], sizes
    rest, last = train_test_split(np.arange(len(y)), train_size=train + validation, test_size=test, stratify=y,
                                  random_state=seed)
    first, middle = train_test_split(rest, train_size=train, test_size=validation, stratify=y[rest], random_state=seed)
    return _some(first, y, kept, seed), middle, last


def _some(train: np.ndarray, y: np.ndarray, kept: int, seed: int) -> np.ndarray:
    """A stratified choice of training items."""
    return train if kept == len(train) else train_test_split(
        train, train_size=kept, stratify=y[train], random_state=seed)[0]


def _from_origin(arrays: Arrays, sizes: list[int], kept: int, generator: np.random.Generator) -> Positions:
    reach = int(arrays["window"]) + int(arrays["horizon"]) - 1 + int(arrays["carried"])
    possible = origins(arrays["last"], sizes, reach)
    if len(possible) == 0:
        raise ValueError(f"{dict(zip(PARTS, sizes, strict=True))}: do not fit into the series")
    first = generator.choice(possible)
    train, validation, test = (np.arange(a, a + size) for a, size in zip(first, sizes, strict=True))
    return train[-kept:], validation, test


def _by_group(groups: np.ndarray, strata: np.ndarray, sizes: list[int], kept: int, generator: np.random.Generator,
              ) -> Positions:
    train, validation, test = sizes
    held = np.zeros((groups.max() + 1, strata.max() + 1), int)
    np.add.at(held, (groups, strata), 1)
    shares = held.sum(axis=0) / held.sum()
    best, least = None, np.inf
    # From all groups shared out in proportion to the parts, to as few as fill validation and test.
    for room in np.linspace(len(groups) / sum(sizes), 1, ORDERS):
        order = generator.permutation(len(held))
        sums = held[order].cumsum(axis=0)
        first = np.searchsorted(sums.sum(axis=1), room * test) + 1
        tested = sums[min(first, len(sums)) - 1]
        second = np.searchsorted(sums.sum(axis=1), tested.sum() + room * validation) + 1
        validated = sums[min(second, len(sums)) - 1] - tested
        parts = np.stack([sums[-1] - tested - validated, validated, tested])
        if (parts.sum(axis=1) < sizes).any():
            continue
        off = np.abs(parts / parts.sum(axis=1, keepdims=True) - shares).sum() + 10 * (parts == 0).sum()
        if off < least:
            best, least = np.split(order, [first, second]), off
    if best is None:
        raise ValueError(f"{dict(zip(PARTS, sizes, strict=True))}: whole groups do not fill these parts")
    items = [np.flatnonzero(np.isin(groups, part)) for part in best]
    test, validation, train = (part[_evenly(strata[part], generator)[:size]]
                               for part, size in zip(items, sizes[::-1], strict=True))
    if kept < len(train):
        place = generator.permutation(len(held))
        train = train[np.argsort(place[groups[train]], kind="stable")[:kept]]
    return train, validation, test


def _evenly(strata: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A random order in which each stretch holds the strata in about their shares of all."""
    order = generator.permutation(len(strata))
    offset = generator.random(strata.max() + 1)
    place = np.empty(len(strata))
    for stratum, count in enumerate(np.bincount(strata)):
        mine = order[strata[order] == stratum]
        place[mine] = (np.arange(count) + offset[stratum]) / max(1, count)
    return order[np.argsort(place[order], kind="stable")]


def _strata(arrays: Arrays, seed: int) -> np.ndarray:
    """Each item's class; one for all if targets are numbers."""
    y = targets(arrays, seed)
    return y if str(arrays["task"]) == "classes" else np.zeros(len(y), int)
