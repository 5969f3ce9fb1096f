"""A data set: some of its samples, and how its targets are spread."""

import textwrap
from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from pipeline.findings.numbers import count
from pipeline.style import BAND, CONTROL, PANEL, QUIET, STYLE, TREATMENT

DIVERGING = LinearSegmentedColormap.from_list("values", [TREATMENT, "#f7f7f5", CONTROL])
#: So many channels share a field; more have a line each below each other; still more are rows of grey.
TOGETHER, LINES = 3, 8
#: Of the channels that share a field.
COLOURS = (TREATMENT, CONTROL, QUIET)
WIDTH = 6.6
#: A label has room for so many characters.
LABEL = 20


def data_set(rows: pd.DataFrame) -> Figure:
    """Some samples of a data set above, and below them how often each target occurs.

    A series: the target all along, and one window by channel with the target ahead of it. Recordings
    and images: some of each class. A table: the mean of each standardised input by class.

    Args:
        rows: as `pipeline.book.data_set.rows` makes them.
    """
    parts = dict(list(rows.groupby("part", sort=False)))
    draw, lines = _drawing(parts)
    below = min(len(parts["target"]), 5) * 0.06 + 1.0
    height = lines * 0.2 + below + 1.15
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height))

        def axes(bottom: float, tall: float, left: float = 0.17) -> Axes:
            found = figure.add_axes((left, bottom / height, 0.98 - left, tall / height))
            found.spines[["top", "right"]].set_visible(False)
            found.tick_params(labelsize=8)
            return found

        draw(axes, parts, below + 0.65, lines * 0.2)
        _spread(axes(0.42, below - 0.42), parts["target"])
        figure.text(0.005, 1 - 0.04 / height, textwrap.fill(data_set_finding(rows), 86), size=9.5, weight="bold", va="top")
    return figure


def _drawing(parts: dict[str, pd.DataFrame]):
    """How the samples are drawn, and how many lines of text that needs in height."""
    if "whole" in parts:
        return _series, 5 + 2.2 * parts["window"]["name"].nunique() + 4
    if "recording" in parts:
        rows = -(-parts["recording"]["name"].nunique() // _columns(parts["recording"]))
        channels = len(_channels(parts["recording"]))
        return _recordings, rows * (5 if channels <= TOGETHER else 2.5 + 0.85 * min(channels, LINES))
    if "image" in parts:
        return _images, 2.6 * parts["image"]["sample"].nunique() + 1
    return _table, 0.85 * parts["mean"]["name"].nunique() + 1.5


def _short(text: str, most: int = LABEL) -> str:
    return text if len(text) <= most else text[:most - 1] + "…"


def _series(axes, parts, bottom: float, tall: float) -> None:
    """The target all along; below it one window, a line a channel, and the target ahead."""
    whole = parts["whole"].pivot(index="step", columns="sample", values="value").astype(float)
    one = axes(bottom + tall - 0.85, 0.85)
    one.fill_between(whole.index, whole[0], whole[1], color=TREATMENT, lw=0.6)
    ends = parts["whole"].iloc[[0, -1]]
    one.set_xticks(list(ends["step"]), list(ends["name"]))
    one.get_xticklabels()[0].set_ha("left")
    one.get_xticklabels()[1].set_ha("right")
    one.set_ylabel("the target", size=8.5)
    one.margins(x=0)
    window, (_, ahead) = parts["window"], next(parts["ahead"].iterrows())
    names = list(dict.fromkeys(window["name"]))
    below = axes(bottom, tall - 1.35)
    below.axvspan(window["step"].min(), 0, color=BAND, lw=0, zorder=0)
    for place, name in enumerate(names):
        mine = window[window["name"] == name]
        values = _scaled(mine["value"].to_numpy(float))
        below.plot(mine["step"], -place + 0.8 * values, color=TREATMENT, lw=1.3)
    below.axvline(ahead["step"], color=CONTROL, lw=1.2, ls=":")
    below.text(ahead["step"], 0.95, "the target is here ", color=CONTROL, size=8, ha="right", va="bottom")
    below.set_ylim(-len(names) + 0.9, 1.25)
    below.set_yticks([0.4 - place for place in range(len(names))], [_short(name) for name in names])
    below.tick_params(axis="y", length=0)
    below.set_xlabel(f"steps after the last one that is known (0), here on {ahead['name']}", size=8.5)


def _scaled(values: np.ndarray) -> np.ndarray:
    """Values from 0 to 1; the middle where all are equal."""
    low, high = np.nanmin(values), np.nanmax(values)
    return (values - low) / (high - low) if high > low else np.full(len(values), 0.5)


def _channels(rows: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(rows["sample"].str.partition(", ")[2]))


def _grey(rows: pd.DataFrame) -> bool:
    """Whether there are too many channels for lines, or only zeros and ones."""
    channels = len(_channels(rows))
    return channels > LINES or (channels > 1 and rows["value"].astype(float).isin([0, 1]).all())


def _columns(rows: pd.DataFrame) -> int:
    return min(5 if len(_channels(rows)) <= TOGETHER else 3, rows["name"].nunique())


def _recordings(axes, parts, bottom: float, tall: float) -> None:
    """A field a class."""
    rows, one = parts["recording"], axes(bottom, tall, 0.02)
    one.set_axis_off()
    classes, columns = list(dict.fromkeys(rows["name"])), _columns(rows)
    rows = rows.assign(channel=rows["sample"].str.partition(", ")[2], value=_by_channel(rows),
                       across=0.94 * (rows["step"] - 0.5) / rows["step"].max())
    draw = _rows_of_grey if _grey(parts["recording"]) else _lines
    for number, name in enumerate(classes):
        left, top = number % columns + 0.02, -(number // columns) + 0.05
        one.text(left, top + 0.84, _short(name, 100 // columns), size=8.5, va="bottom")
        draw(one, left, top, rows[rows["name"] == name], _channels(rows))
    one.set_xlim(0, columns)
    one.set_ylim(-((len(classes) - 1) // columns), 1.1)


def _by_channel(rows: pd.DataFrame) -> pd.Series:
    """Values from 0 to 1; a channel has one scale in all fields."""
    values, channel = rows["value"].astype(float), rows["sample"].str.partition(", ")[2]
    least, most = (values.groupby(channel).transform(name) for name in ("min", "max"))
    return (values - least) / (most - least).where(most > least, 1)


def _rows_of_grey(axes: Axes, left: float, top: float, rows: pd.DataFrame, channels: Sequence[str]) -> None:
    """A recording, its channels downwards; dark is high."""
    grid = np.stack([rows.loc[rows["channel"] == channel, "value"].to_numpy() for channel in channels])
    width = rows["across"].max() + rows["across"].min()
    axes.imshow(grid, extent=(left, left + width, top, top + 0.81), cmap="Greys", vmin=0, vmax=1, aspect="auto",
                interpolation="nearest", zorder=2)


def _lines(axes: Axes, left: float, top: float, rows: pd.DataFrame, channels: Sequence[str]) -> None:
    """Recordings as lines, a colour a channel; many channels below each other."""
    axes.add_patch(matplotlib.patches.Rectangle((left, top), 0.94, 0.81, fc="none", ec=BAND, lw=0.8))
    stacked = len(channels) > TOGETHER
    high = 0.78 / len(channels) if stacked else 0.78
    for _, part in rows.groupby("sample", sort=False):
        number = channels.index(part["channel"].iloc[0])
        base = top + 0.015 + (0.78 - high * (number + 1) if stacked else 0)
        colour = TREATMENT if stacked else COLOURS[number]
        points = np.column_stack([left + part["across"], base + 0.92 * high * part["value"]])
        axes.add_collection(LineCollection([points], colors=[colour], lw=1.0))


def _images(axes, parts, bottom: float, tall: float) -> None:
    """A column a class, a line a sample."""
    rows = parts["image"]
    one = axes(bottom, tall, 0.02)
    one.set_axis_off()
    classes = list(dict.fromkeys(rows["name"]))
    for number, name in enumerate(classes):
        one.text(number + 0.5, 0.05, _short(name, 8), ha="center", va="bottom", size=8.5)
        for sample, part in rows[rows["name"] == name].groupby("sample"):
            grey = np.stack([np.frombuffer(bytes.fromhex(line), np.uint8) for line in part["value"]])
            one.imshow(grey, extent=(number + 0.04, number + 0.96, -sample + 0.04, -sample + 0.96), cmap="Greys",
                       vmin=0, vmax=255, interpolation="nearest", aspect="auto")
    one.set_xlim(0, len(classes))
    one.set_ylim(-rows["sample"].max(), 0.4)


def _table(axes, parts, bottom: float, tall: float) -> None:
    """Inputs downwards, classes to the right; orange above the mean of all, blue below it."""
    means = parts["mean"].pivot(index="name", columns="sample", values="value").astype(float)
    names, classes = (list(dict.fromkeys(parts["mean"][key])) for key in ("name", "sample"))
    means = means.loc[names, classes]
    one = axes(bottom, tall, 0.27)
    reach = max(np.abs(means.to_numpy()).max(), 0.1)
    drawn = one.imshow(means, cmap=DIVERGING, vmin=-reach, vmax=reach, aspect="auto", interpolation="nearest")
    one.set_yticks(range(len(names)), [_short(name, 26) for name in names], size=7.5)
    few = len(classes) <= 8
    one.set_xticks(range(len(classes)), [_short(name, 60 // len(classes) if few else 3) for name in classes])
    one.tick_params(length=0)
    one.spines[["left", "bottom"]].set_visible(False)
    bar = one.figure.colorbar(drawn, ax=one, fraction=0.04, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7.5, length=0)
    bar.set_label("deviations from the mean of all", size=8)


def _spread(axes: Axes, rows: pd.DataFrame) -> None:
    """How many samples have each class, or a number of each size."""
    numbers = rows["name"].str.startswith("to ").all() and len(rows) > 1
    values = rows["value"].astype(float)
    if numbers:
        left = rows["step"].astype(float).to_numpy()
        right = np.array([float(name.removeprefix("to ")) for name in rows["name"]])
        axes.bar(left, values, right - left, align="edge", color=QUIET, ec=PANEL, lw=0.4)
        axes.set_xlabel("the target", size=8.5)
    else:
        axes.bar(range(len(rows)), values, 0.7, color=QUIET)
        room = max(3, 84 // len(rows))
        axes.set_xticks(range(len(rows)), [_short(name, room) for name in rows["name"]])
        axes.set_xlabel("classes", size=8.5)
    axes.locator_params(axis="y", nbins=4)
    axes.set_ylabel("samples", size=8.5)


def data_set_finding(rows: pd.DataFrame) -> str:
    """What the picture shows, in a sentence."""
    parts = set(rows["part"])
    if "whole" in parts:
        window = rows[rows["part"] == "window"]
        ahead = int(rows.loc[rows["part"] == "ahead", "step"].iloc[0])
        return (f"Above, the target all along; below, one window of {window['step'].nunique()} steps, and the "
                f"target {count(ahead, 'step')} later")
    classes = count(int((rows["part"] == "target").sum()), "class").replace("classs", "classes")
    if "recording" in parts:
        samples = rows.loc[rows["part"] == "recording", "sample"]
        each = samples.str.partition(", ")[0].nunique()
        channels = samples.str.partition(", ")[2].nunique()
        how = "" if channels == 1 else ", a line a channel" if not _grey(rows[rows["part"] == "recording"]) else (
            ", a row of grey a channel (dark is high)")
        return f"{'One recording' if each == 1 else f'{each} recordings'} of each class{how}, of {classes}"
    if "image" in parts:
        return f"Some images of each of {classes}"
    return "The mean of each input by class: the inputs whose means differ most"


def data_set_alt(rows: pd.DataFrame) -> str:
    """What the picture shows, and how the targets are spread."""
    found = rows[rows["part"] == "target"]
    values = found["value"].astype(int)
    names = [f"from {step:g} {name}" if name.startswith("to ") else name
             for name, step in zip(found["name"], found["step"].astype(float), strict=True)]
    spread = ", ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True))
    return f"{data_set_finding(rows)}. Samples by target: {spread}."
