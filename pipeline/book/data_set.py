"""What a data set's arrays say of it, and the rows that its picture is drawn from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.book.escape import inert

Arrays = Mapping[str, np.ndarray]
#: Columns of the rows of a picture: the part of the picture, what is drawn there, which sample of it,
#: where, and how high. Of an image, `value` is a line of its pixels, two hexadecimal digits each.
COLUMNS = ["part", "name", "sample", "step", "value"]
#: No more of these are drawn.
CHANNELS, INPUTS, CLASSES, LINES, IMAGES = 8, 24, 26, 3, 4
#: Of a whole series the least and the greatest value of so many stretches are drawn.
STRETCHES = 300
BINS = 30


@dataclass(frozen=True)
class Shape:
    """What a data set is made of.

    Attributes:
        kind: `series`, `recordings`, `images` or `table`.
        train, validation, test: samples of each part of a split.
        steps: the least and the greatest length of a sample; 1 of a table; of images, height and width.
        channels: of a step or a pixel; columns of a table, with one for each level of a category.
        classes: 0 where a number is predicted.
    """

    kind: str
    train: int
    validation: int
    test: int
    steps: tuple[int, int]
    channels: int
    classes: int


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a data file, with `inert` texts."""
    with np.load(path, allow_pickle=False) as arrays:
        return {name: inert(arrays[name]) for name in arrays}


def shape(arrays: Arrays) -> Shape:
    """The shape of a data set of which every seed takes a split."""
    kind, x = _kind(arrays), arrays["x"]
    channels = x.shape[-1] + (int(arrays["levels"].sum()) if "levels" in arrays else 0)
    steps = {"table": (1, 1), "series": (int(arrays.get("window", 0)),) * 2, "images": x.shape[1:3]}.get(kind)
    if steps is None:
        lengths = arrays.get("lengths", x.shape[1:2])
        steps = int(min(lengths)), int(max(lengths))
    return Shape(kind, *(int(arrays[part]) for part in ("train", "validation", "test")), steps, channels, int(arrays["classes"]))


def _kind(arrays: Arrays) -> str:
    if "window" in arrays:
        return "series"
    if "lengths" in arrays:
        return "recordings"
    return {2: "table", 3: "recordings", 4: "images"}[arrays["x"].ndim]


def class_names(arrays: Arrays) -> list[str]:
    """The names of the classes, their numbers where they have none."""
    names = [str(name) for name in arrays.get("about_classes", ())]
    return names or [str(number) for number in range(int(arrays["classes"]))]


def rows(arrays: Arrays) -> pd.DataFrame:
    """What the picture of a data set is drawn from, with the columns `COLUMNS`."""
    make = {"series": _series, "recordings": _recordings, "images": _images, "table": _table}[_kind(arrays)]
    return pd.DataFrame([*make(arrays), *_targets(arrays)], columns=COLUMNS)


def targets(arrays: Arrays) -> np.ndarray:
    """The targets of all samples."""
    y = arrays["y"]
    if "last" in arrays:
        y = y[arrays["last"] + int(arrays["horizon"])]
    return y.reshape(-1)


def _targets(arrays: Arrays) -> Iterator[tuple]:
    """How many samples each class has; of numbers, each of `BINS` stretches from the least to the greatest."""
    y = targets(arrays)
    if int(arrays["classes"]):
        for name, count in zip(class_names(arrays), np.bincount(y), strict=True):
            yield "target", name, 0, 0, int(count)
    else:
        counts, edges = np.histogram(y, BINS)
        for count, left, right in zip(counts, edges[:-1], edges[1:], strict=True):
            yield "target", f"to {right:.6g}", 0, float(f"{left:.6g}"), int(count)


def _inputs(arrays: Arrays, count: int) -> list[str]:
    names = [str(name) for name in arrays.get("about_inputs", ())]
    return names if len(names) == count else [f"channel {number}" for number in range(1, count + 1)]


def _rounded(value) -> float:
    return float(f"{value:.5g}")


def _series(arrays: Arrays) -> Iterator[tuple]:
    """The target all along, and one window by channel with the target that is to be predicted."""
    x, y, last = arrays["x"], arrays["y"].reshape(-1).astype(float), arrays["last"]
    if int(arrays["classes"]):
        y = np.where(y < 0, np.nan, y)
    width = -(-len(y) // STRETCHES)
    for start in range(0, len(y), width):
        stretch = y[start:start + width]
        stretch = stretch[np.isfinite(stretch)]
        for number, value in enumerate((stretch.min(), stretch.max()) if len(stretch) else ()):
            yield "whole", _time(arrays, start), number, start, _rounded(value)
    middle, window, horizon = int(last[len(last) // 2]), int(arrays["window"]), int(arrays["horizon"])
    for number, name in enumerate(_inputs(arrays, x.shape[1])[:CHANNELS]):
        for step in range(1 - window, 1):
            yield "window", name, 0, step, _rounded(x[middle + step, number])
    yield "ahead", _time(arrays, middle), 0, horizon, _rounded(y[middle + horizon])


def _time(arrays: Arrays, row: int) -> str:
    """The day of a row; its number where no time is known."""
    times = arrays.get("about_times")
    # A series without times has the numbers of its rows; the first days of 1970 would be meant by none.
    if times is None or times[-1] < 1e12:
        return str(row)
    return str(times[row].astype("datetime64[us]").astype("datetime64[D]"))


def _recordings(arrays: Arrays) -> Iterator[tuple]:
    """Some recordings of each class, by channel, from the whole file."""
    x, y = arrays["x"], arrays["y"].reshape(-1)
    if "lengths" in arrays:
        ends = np.cumsum(arrays["lengths"])
        cut = [x[end - length:end] for end, length in zip(ends, arrays["lengths"], strict=True)]
    else:
        cut = x
    channels = x.shape[-1]
    names = _inputs(arrays, channels)
    for label, name in enumerate(class_names(arrays)[:CLASSES]):
        for sample, at in enumerate(_some(y == label, LINES if channels == 1 else 1), 1):
            for step, values in enumerate(cut[at], 1):
                for channel, value in zip(names, values, strict=True):
                    yield "recording", name, f"{sample}, {channel}", step, _rounded(value)


def _some(chosen: np.ndarray, count: int) -> np.ndarray:
    """The positions of some of what is chosen, evenly from the first to the last."""
    places = np.flatnonzero(chosen)
    return places[np.linspace(0, len(places) - 1, min(count, len(places))).astype(int)]


def _images(arrays: Arrays) -> Iterator[tuple]:
    """Some images of each class, from the whole file, line by line."""
    x = arrays["x"].reshape(*arrays["x"].shape[:3])
    grey = np.round(255 * x / x.max()).astype(np.uint8)
    for label, name in enumerate(class_names(arrays)[:CLASSES]):
        for sample, at in enumerate(_some(arrays["y"] == label, IMAGES), 1):
            for step, line in enumerate(grey[at], 1):
                yield "image", name, sample, step, line.tobytes().hex()


def _table(arrays: Arrays) -> Iterator[tuple]:
    """The mean of each standardised input by class, of the inputs whose means differ most.

    Where a number is predicted, of its quarters.
    """
    x, names = arrays["x"].astype(float), _inputs(arrays, arrays["x"].shape[1])
    if "codes" in arrays:
        inputs = [str(name) for name in arrays["about_inputs"]]
        levels = [codes[:, None] == np.arange(count) for codes, count in zip(arrays["codes"].T, arrays["levels"], strict=True)]
        x = np.concatenate([x, *levels], axis=1).astype(float)
        names = [*inputs[:arrays["x"].shape[1]], *map(str, arrays["about_categories"])]
    spread = x.std(axis=0)
    x = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)
    y = targets(arrays)
    if int(arrays["classes"]):
        groups = class_names(arrays)[:CLASSES]
    else:
        groups = ["least quarter", "second", "third", "greatest quarter"]
        y = np.searchsorted(np.quantile(y, [0.25, 0.5, 0.75]), y)
    means = np.stack([x[y == label].mean(axis=0) for label in range(len(groups))])
    for column in np.sort(np.argsort(-means.std(axis=0), kind="stable")[:INPUTS]):
        for label, group in enumerate(groups):
            yield "mean", names[column], group, 0, _rounded(means[label, column])
