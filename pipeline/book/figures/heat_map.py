"""Every comparison of the study as a field of colour."""

from __future__ import annotations

import math
from collections.abc import Iterator

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from pipeline.book.rows import records
from pipeline.book.words.numbers import count, percent, signed, whole
from pipeline.style import BETTER, GREY, PANEL, QUIET, STYLE, TEXT, WORSE, need

#: Lower errors are blue, higher ones are orange, no change is as light as the panel.
DIVERGING = LinearSegmentedColormap.from_list("error", [BETTER, "#f7f7f5", WORSE])
#: The heat map's colours end at half, and at twice, the control's error.
FULL_COLOUR = math.log(2)
#: The column that stands behind the data sets.
AVERAGE = "average"
#: In inches: a column, a row, the names of the rows, those of the columns, the averages.
WIDE, TALL, LABEL, TOP, LAST = 0.24, 0.19, 2.5, 1.05, 0.75


def heat_map(rows: pd.DataFrame) -> Figure:
    """Experiments (rows, under what each is compared with) by data sets (columns), and their average.

    Colour: the change of the test error. A dot: its interval leaves zero out. Numbers: the average's
    change in per cent.

    Args:
        rows: `treatment`, `control`, `family`, `data` (`AVERAGE` for that of a family), `y` (log ratio),
            `found`; one row per treatment, control and data set.

    Raises:
        ValueError: no rows, or an effect that is no log ratio.
    """
    need(rows)
    if set(rows["scale"]) != {"log ratio"}:
        raise ValueError("a heat map needs effects on the log-ratio scale. "
                         f"Received: {sorted(set(rows['scale']))}")
    panels = [_lines(panel) for panel in _panels(rows)]
    width = LABEL + WIDE * max(len(sets) for _, sets, *_ in panels) + LAST + 0.2
    height = sum(TALL * len(lines) + TOP for lines, *_ in panels) + 1.35
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(max(width, 6.6), height))
        width, top = figure.get_figwidth(), height - 0.4
        figure.text(0.02, 1 - 0.1 / height, _finding(rows), va="top", weight="bold", size=9.5)
        for lines, sets, *content in panels:
            top -= TOP + TALL * len(lines)
            _draw(figure.add_axes((LABEL / width, (top + 0.1) / height, WIDE * len(sets) / width,
                                   TALL * len(lines) / height)), lines, sets, *content)
        _scale(figure, figure.add_axes((LABEL / width, 0.62 / height, 2.6 / width, 0.1 / height)))
        figure.text(0.02, 0.67 / height, "change of the test error", size=8, va="center")
        figure.text(0.02, 0.12 / height, "A dot: the interval leaves zero out. Numbers: the average over the units of "
                    "the family, in per cent;\nbold where its interval leaves zero out.", size=7.5, color=QUIET)
    return figure


def _panels(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows of each family, then those of data sets without one that share experiments."""
    for family, mine in rows[rows["family"] != ""].groupby("family", sort=False):
        yield mine
    alone = rows[rows["family"] == ""]
    groups: list[tuple[set, set]] = []
    for treatment, mine in alone.groupby("treatment", sort=False):
        names, sets = {treatment}, set(mine["data"])
        for one in [one for one in groups if one[1] & sets]:
            groups.remove(one)
            names, sets = names | one[0], sets | one[1]
        groups.append((names, sets))
    for names, _ in groups:
        yield alone[alone["treatment"].isin(names)]


def _lines(rows: pd.DataFrame):
    """Lines (text, is it a heading), data sets; by line and data set: value and dot; by line: the average."""
    sets = [data for data in dict.fromkeys(rows["data"]) if data != AVERAGE]
    lines, values, dots, averages = [], [], [], []
    for control, group in rows.groupby("control", sort=False):
        for treatment, mine in [(None, None), *group.groupby("treatment", sort=False)]:
            lines.append((f"against {control}", True) if treatment is None else (treatment, False))
            known = {} if mine is None else {row["data"]: row for row in records(mine)}
            values.append([-known[data]["y"] if data in known else math.nan for data in sets])
            dots.append([data in known and known[data]["found"] != "" for data in sets])
            averages.append(known.get(AVERAGE))
    return lines, sets, np.array(values, float), np.array(dots), averages


def _draw(axes: Axes, lines, sets, values, dots, averages) -> None:
    """One panel; its parts are those of `_lines`."""
    axes.set_facecolor(PANEL)
    # Clipped, every cell would say so: an eighth of the file.
    axes.pcolormesh(np.ma.masked_invalid(values), cmap=DIVERGING, vmin=-FULL_COLOUR, vmax=FULL_COLOUR,
                    edgecolors=PANEL, lw=0.8, clip_on=False)
    down, along = np.nonzero(dots & np.isfinite(values))
    axes.plot(along + 0.5, down + 0.5, ".", color=TEXT, ms=2.6, ls="none")
    for line, average in enumerate(averages):
        if average is not None:
            axes.text(len(sets) + 0.4, line + 0.5, whole(100 * math.expm1(-average["y"])), size=7.5, va="center",
                      weight="bold" if average["found"] else "normal")
    if any(averages):
        axes.text(len(sets) + 0.4, -0.3, AVERAGE, size=7, rotation=60, ha="left", rotation_mode="anchor")
    axes.set_ylim(len(lines), 0)
    axes.set_xlim(0, len(sets))
    axes.xaxis.tick_top()
    axes.set_xticks(np.arange(len(sets)) + 0.5, sets, rotation=60, ha="left", size=7, rotation_mode="anchor")
    axes.set_yticks(np.arange(len(lines)) + 0.5, [text if len(text) < 42 else text[:40] + "…" for text, _ in lines],
                    size=7.5)
    for tick, (_, heading) in zip(axes.get_yticklabels(), lines, strict=True):
        tick.set(color=QUIET if heading else TEXT, style="italic" if heading else "normal")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _scale(figure: Figure, axes: Axes) -> None:
    """What the colours mean."""
    scale = figure.colorbar(
        matplotlib.cm.ScalarMappable(Normalize(-FULL_COLOUR, FULL_COLOUR), DIVERGING), cax=axes,
        orientation="horizontal")
    ticks = [-50, -25, 0, 33, 100]
    scale.set_ticks(np.log1p(np.array(ticks) / 100), labels=[signed(t, " %") for t in ticks], size=7.5)
    scale.outline.set(edgecolor=GREY, linewidth=0.5)


def heat_map_alt(rows: pd.DataFrame) -> str:
    """What the heat map shows, in a sentence or two."""
    need(rows)
    shown = rows[rows["data"] != AVERAGE]
    text = (f"Heat map of {count(shown['treatment'].nunique(), 'experiment')} against what "
            f"each is compared with, on {count(shown['data'].nunique(), 'data set')}. {_finding(rows)}.")
    clear = shown[shown["found"] != ""]
    if len(clear):
        largest = clear.loc[clear["y"].abs().idxmax()]
        text += (f" The largest change whose interval leaves zero out is that of {largest['treatment']} on "
                 f"{largest['data']}: {percent(largest['y'])} test error.")
    return text


def _finding(rows: pd.DataFrame) -> str:
    found = list(rows.loc[rows["data"] != AVERAGE, "found"])
    better, worse = found.count("better"), found.count("worse")
    return (f"Of {count(len(found), 'comparison')}, {better} better, {worse} worse, "
            f"{len(found) - better - worse} neither")
