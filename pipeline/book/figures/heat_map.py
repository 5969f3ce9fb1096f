"""Every comparison of the study as a cell of colour."""

from __future__ import annotations

import math

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from pipeline.book.words.comparison import LETTERS
from pipeline.book.words.numbers import count, percent, signed, whole
from pipeline.style import BETTER, GREY, PANEL, QUIET, STYLE, TEXT, WORSE, need

#: Lower errors are blue, higher ones are orange, no change is as light as the panel.
DIVERGING = LinearSegmentedColormap.from_list("error", [BETTER, "#f7f7f5", WORSE])
#: The heat map's colours end at half, and at twice, the control's error.
FULL_COLOUR = math.log(2)


def heat_map(comparisons: pd.DataFrame) -> Figure:
    """Experiments (rows, under what each is compared with) by data sets (columns).

    Colour and number: the change of the test error in per cent. Letter: B better, W worse,
    E equivalent; none: undecided. Grey: the data set cannot show anything.

    Args:
        comparisons: columns `treatment`, `control`, `data`, `effect` (log ratio), `label`,
            `position`; one row per treatment and data set.

    Raises:
        ValueError: no rows, or an effect that is no log ratio.
    """
    need(comparisons)
    if set(comparisons["scale"]) != {"log ratio"}:
        raise ValueError("a heat map needs effects on the log-ratio scale. "
                         f"Received: {sorted(set(comparisons['scale']))}")
    panels = [_panel(comparisons, names, sets) for names, sets in _families(comparisons)]
    wide, row, label, gap = 0.72, 0.235, 2.55, 0.5
    heights = [row * len(lines) for lines, *_ in panels]
    width = label + wide * max(len(sets) for _, sets, *_ in panels) + 0.2
    height = sum(heights) + gap * len(panels) + 1.25
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        top = height - 0.5
        figure.text(0.02, 1 - 0.12 / height, _heat_finding(comparisons), va="top", weight="bold",
                    size=9.5)
        for panel, tall in zip(panels, heights, strict=True):
            top -= gap
            _draw(figure.add_axes((label / width, (top + 0.28 - tall) / height,
                                   wide * len(panel[1]) / width, tall / height)), *panel)
            top -= tall
        _scale(figure, figure.add_axes((label / width, 0.62 / height, min(2.6, width - label - 0.3) / width,
                                        0.1 / height)))
        figure.text(0.02, 0.67 / height, "change of the test error", size=8, va="center")
        figure.text(0.02, 0.12 / height, "Numbers in per cent. B better, W worse, E equivalent, no "
                    "letter undecided.\nGrey: cannot show anything.", size=7.5, color=QUIET)
    return figure


def _draw(axes: Axes, lines, sets, values, grey, notes) -> None:
    """One panel; its parts are those of `_panel`."""
    axes.set_facecolor(PANEL)
    sns.heatmap(values, ax=axes, cmap=DIVERGING, vmin=-FULL_COLOUR, vmax=FULL_COLOUR,
                annot=notes, fmt="", annot_kws={"size": 7.5}, cbar=False,
                xticklabels=False, yticklabels=False,
                mask=np.isnan(values), linewidths=1, linecolor=PANEL)
    for i, j in zip(*np.nonzero(grey), strict=True):
        axes.add_patch(matplotlib.patches.Rectangle((j, i), 1, 1, fc=GREY, ec=PANEL))
    axes.xaxis.tick_top()
    axes.set_xticks(np.arange(len(sets)) + 0.5, sets, rotation=0, size=8)
    axes.set_yticks(np.arange(len(lines)) + 0.5, [text for text, _ in lines], rotation=0, size=8)
    for tick, (_, heading) in zip(axes.get_yticklabels(), lines, strict=True):
        tick.set(color=QUIET if heading else TEXT, style="italic" if heading else "normal")
    axes.tick_params(length=0)


def _scale(figure: Figure, axes: Axes) -> None:
    """What the colours mean."""
    scale = figure.colorbar(
        matplotlib.cm.ScalarMappable(Normalize(-FULL_COLOUR, FULL_COLOUR), DIVERGING), cax=axes,
        orientation="horizontal")
    ticks = [-50, -25, 0, 33, 100]
    scale.set_ticks(np.log1p(np.array(ticks) / 100), labels=[signed(t, " %") for t in ticks], size=7.5)
    scale.outline.set_visible(False)


def heat_map_alt(comparisons: pd.DataFrame) -> str:
    """What the heat map shows, in a sentence or two."""
    need(comparisons)
    shown = comparisons[comparisons["position"] != "uninformative"]
    text = (f"Heat map of {count(comparisons['treatment'].nunique(), 'experiment')} against what "
            f"each is compared with, on {count(comparisons['data'].nunique(), 'data set')}. "
            f"{_heat_finding(comparisons)}.")
    decided = shown[shown["label"].isin(["better", "worse"])]
    if len(decided):
        largest = decided.loc[decided["effect"].abs().idxmax()]
        text += (f" The largest decided change is that of {largest['treatment']} on "
                 f"{largest['data']}: {percent(largest['effect'])} test error.")
    return text


def _heat_finding(table: pd.DataFrame) -> str:
    labels = table.loc[table["position"] != "uninformative", "label"].value_counts()
    better, worse, same = (int(labels.get(k, 0)) for k in ("better", "worse", "equivalent"))
    return (f"Of {count(int(labels.sum()), 'comparison')}, {better} better, {worse} worse, "
            f"{same} equivalent, {int(labels.get('undecided', 0))} undecided")


def _families(table: pd.DataFrame) -> list[tuple[list[str], list[str]]]:
    """Treatments that share a data set, directly or through others, with their data sets."""
    families: list[tuple[list[str], list[str]]] = []
    for treatment, rows in table.groupby("treatment", sort=False):
        names, sets = [treatment], list(rows["data"])
        apart = []
        for family in families:
            if set(family[1]) & set(sets):
                names, sets = family[0] + names, family[1] + sets
            else:
                apart.append(family)
        families = [*apart, (names, list(dict.fromkeys(sets)))]
    return families


def _panel(table: pd.DataFrame, names: list[str], sets: list[str]):
    """Lines (text, is it a heading), data sets, and per line and data set: value, grey, note."""
    mine = table[table["treatment"].isin(names)]
    lines, values, grey, notes = [], [], [], []
    for control, group in mine.groupby("control", sort=False):
        lines.append((f"against {control}", True))
        values.append([math.nan] * len(sets))
        grey.append([False] * len(sets))
        notes.append([""] * len(sets))
        for treatment, rows in group.groupby("treatment", sort=False):
            cells = rows.set_index("data")
            lines.append((treatment, False))
            line = [cells.loc[s] if s in cells.index else None for s in sets]
            grey.append([c is not None and (c["position"] == "uninformative"
                                            or not math.isfinite(c["effect"])) for c in line])
            values.append([math.nan if c is None or g else -c["effect"]
                           for c, g in zip(line, grey[-1], strict=True)])
            notes.append(["" if math.isnan(v) else
                          f"{whole(100 * math.expm1(v))} {LETTERS.get(c['label'], '')}".strip()
                          for c, v in zip(line, values[-1], strict=True)])
    return lines, sets, np.array(values), np.array(grey), np.array(notes)
