"""Arrays and a seed → a split."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def _word(place: str, found, allowed: Iterable[str]) -> None:
    """Refuse a word that is not among the allowed ones, and name the nearest."""
    allowed = list(allowed)
    if found in allowed:
        return
    nearest = difflib.get_close_matches(str(found), allowed, n=1)
    hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
    raise ValueError(f"{place}: found {found!r}, allowed: {', '.join(allowed) or 'none'}{hint}")


PARTS = ("train", "validation", "test")
SCALINGS = ("standard", "none")


@dataclass(frozen=True, eq=False)
class Split:
    """Training, validation and test arrays of one seed.

    x: float32 ``(n, time, channels)`` for sequences, ``(n, features)`` for tables,
    ``(n, height, width, channels)`` for images. y: float32 ``(n, 1)`` for regression, int32
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


def load(
    arrays: Mapping[str, np.ndarray],
    seed: int,
    train_fraction: float = 1.0,
    scaling: str = "standard",
) -> Split:
    """One seed's training, validation and test arrays.

    Scaling 'standard' takes the mean off each channel (the last axis: also a table's feature, an
    image's channel over all its pixels) and divides by its deviation, both of the training part;
    a constant channel becomes 0. 'none' leaves the inputs as they are. Regression targets are
    standardised with the training part's statistics, whatever the scaling, unless the data set's
    `targets` says 'none'. Recordings of unequal length are scaled with statistics of real steps
    only, and then padded on the left with zeros.

    Args:
        arrays: what `make` returned or `read` read.
        seed: picks the draw (synthetic), the split (pool) or the origin (series).
        train_fraction: share of the training part that is kept; see `split`.
        scaling: 'standard' or 'none'.

    Raises:
        ValueError: the arrays do not hold this seed, or an argument is out of range.
    """
    _word("scaling", scaling, SCALINGS)
    parts = split(arrays, seed, train_fraction)
    x, y, real = _items(arrays, seed)
    train = parts[0]
    if scaling == "standard":
        scaler = StandardScaler().fit(x[train][real[train]].astype(np.float64))
        # Only real steps are scaled: padding stays 0.
        scaled = [_scaled(x[part], real[part], scaler) for part in parts]
    else:
        scaled = [x[part].astype(np.float32) for part in parts]
    task = str(arrays["task"])
    if task == "classes":
        targets = [y[part].astype(np.int32) for part in parts]
    else:
        targets = [y[part].astype(np.float64) for part in parts]
        if str(arrays["targets"]) == "standard":
            scaler = StandardScaler().fit(targets[0])
            targets = [scaler.transform(target) for target in targets]
        targets = [target.astype(np.float32) for target in targets]
    return Split(
        x_train=scaled[0],
        y_train=targets[0],
        x_validation=scaled[1],
        y_validation=targets[1],
        x_test=scaled[2],
        y_test=targets[2],
        task=task,
        classes=int(arrays["classes"]),
    )


def split(
    arrays: Mapping[str, np.ndarray], seed: int, train_fraction: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions of the training, validation and test items: windows, rows or recordings.

    Pool: a stratified random split by the seed. Synthetic rows: three blocks. Sequences: three
    blocks that follow each other in time and of which no two windows share a step. Series: the
    same from a random origin, and no training or validation target lies within a later part.

    `train_fraction` keeps part of the training items and leaves the others as they are: the most
    recent ones of sequences and series, so that they still adjoin validation; a stratified
    choice of pools and rows. Positions of windows and rows ascend.

    Raises:
        ValueError: the arrays do not hold this seed, they are too few for the parts, or
            `train_fraction` is not in (0, 1].
    """
    if not 0 < train_fraction <= 1:
        raise ValueError(
            f"train_fraction: found {train_fraction!r}, allowed: a number above 0, at most 1"
        )
    kind = str(arrays["kind"])
    sizes = [int(arrays[part]) for part in ("train", "validation", "test")]
    if kind == "pool":
        parts = _resplit(arrays["y"], sizes, seed)
    elif kind == "series":
        parts = _from_origin(arrays, sizes, seed)
    else:
        parts = _blocks(arrays, sizes, seed)
    return _part_of(arrays, seed, parts[0], train_fraction), parts[1], parts[2]


def digest(arrays: Mapping[str, np.ndarray], seed: int) -> str:
    """SHA-256 of all that a seed's split depends on in the arrays.

    Synthetic: that seed's arrays and the scalars, so that another seed changes nothing.
    Pools and series: everything.
    """
    keys = sorted(arrays)
    if str(arrays["kind"]) == "synthetic":
        _hold(arrays, seed)
        keys = [
            key for key in keys if arrays[key].ndim == 0 or key in (f"x_{seed}", f"y_{seed}")
        ]
    result = hashlib.sha256()
    for key in keys:
        values = np.ascontiguousarray(arrays[key])
        result.update(f"{key} {values.dtype.str} {arrays[key].shape}\n".encode())
        result.update(values.tobytes())
    return result.hexdigest()


def _seeds_in(arrays: Mapping[str, np.ndarray]) -> list[int]:
    return sorted(int(key[2:]) for key in arrays if key.startswith("x_"))


def _hold(arrays: Mapping[str, np.ndarray], seed: int) -> None:
    if f"x_{seed}" not in arrays:
        held = ", ".join(str(each) for each in _seeds_in(arrays))
        raise ValueError(f"seed: found {seed!r}, allowed (the data set's seeds): {held}")


def _items(
    arrays: Mapping[str, np.ndarray], seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All windows, rows or recordings x, their targets y, and where x is real, not padding.

    The third has the shape of x without its last axis.
    """
    if str(arrays["kind"]) == "synthetic":
        _hold(arrays, seed)
        x, y = arrays[f"x_{seed}"], arrays[f"y_{seed}"]
        if "window" in arrays:
            window = int(arrays["window"])
            # A window's target is that of its last step.
            x = np.lib.stride_tricks.sliding_window_view(x, window, axis=0).transpose(0, 2, 1)
            y = y[window - 1 :]
        return x, y, np.ones(x.shape[:-1], bool)
    x, y = arrays["x"], arrays["y"]
    if "lengths" not in arrays:
        return x, y, np.ones(x.shape[:-1], bool)
    lengths = arrays["lengths"]
    steps = lengths.max()
    real = np.arange(steps) >= steps - lengths[:, None]
    padded = np.zeros((*real.shape, x.shape[-1]), x.dtype)
    padded[real] = x
    return padded, y, real


def _scaled(x: np.ndarray, real: np.ndarray, scaler: StandardScaler) -> np.ndarray:
    scaled = np.zeros(x.shape, np.float32)
    scaled[real] = scaler.transform(x[real].astype(np.float64))
    return scaled


def _resplit(y: np.ndarray, sizes: list[int], seed: int) -> list[np.ndarray]:
    """A stratified random split of a pool."""
    train, validation, test = sizes
    rest, last = train_test_split(
        np.arange(len(y)), train_size=train + validation, test_size=test, stratify=y,
        random_state=seed,
    )
    first, middle = train_test_split(
        rest, train_size=train, test_size=validation, stratify=y[rest], random_state=seed
    )
    return [first, middle, last]


def _blocks(
    arrays: Mapping[str, np.ndarray], sizes: list[int], seed: int
) -> list[np.ndarray]:
    """Adjoining blocks; windows that would cross a boundary are left out."""
    x, _, _ = _items(arrays, seed)
    gap = int(arrays["window"]) - 1 if "window" in arrays else 0
    parts, start = [], 0
    for size in sizes:
        parts.append(np.arange(start, start + size))
        start += size + gap
    if start - gap > len(x):
        raise _too_few(sizes, len(x))
    return parts


def _from_origin(
    arrays: Mapping[str, np.ndarray], sizes: list[int], seed: int
) -> list[np.ndarray]:
    """Blocks from a random origin, each part's inputs later than the last target before them."""
    week = arrays["week"]
    reach = int(arrays["horizon"]) + int(arrays["window"]) - 1
    # The first window whose inputs all come after the target of each window.
    following = np.searchsorted(week, week + reach, side="right")
    starts = np.arange(len(week))
    firsts, ends = [], np.zeros(len(week), int)
    for position, size in enumerate(sizes):
        if position:
            starts = following[np.minimum(ends, len(week)) - 1]
        firsts.append(starts)
        ends = starts + size
    origins = np.flatnonzero(ends <= len(week))
    if len(origins) == 0:
        raise _too_few(sizes, len(week))
    origin = np.random.default_rng(seed).choice(origins)
    return [
        np.arange(first[origin], first[origin] + size)
        for first, size in zip(firsts, sizes, strict=True)
    ]


def _part_of(
    arrays: Mapping[str, np.ndarray], seed: int, train: np.ndarray, fraction: float
) -> np.ndarray:
    """Part of the training items: the most recent windows, or a stratified choice."""
    if fraction == 1:
        return train
    size = round(fraction * len(train))
    if size < 1:
        raise ValueError(f"train_fraction: {fraction!r} of {len(train)} items leaves none")
    if "window" in arrays:
        return train[-size:]
    pool = str(arrays["kind"]) == "pool"
    y = arrays["y" if pool else f"y_{seed}"][train]
    chosen, _ = train_test_split(train, train_size=size, stratify=y, random_state=seed)
    return chosen if pool else np.sort(chosen)


def _too_few(sizes: list[int], held: int) -> ValueError:
    counts = ", ".join(f"{part}={size}" for part, size in zip(PARTS, sizes, strict=True))
    return ValueError(
        f"{counts}: with the gaps between them, they do not fit into the data set's {held} items"
    )
