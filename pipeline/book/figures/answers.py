"""The first page's figure: every comparison of a situation."""

from __future__ import annotations

import math
from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.book.words.comparison import direction, directions, interval
from pipeline.book.words.numbers import count, signed
from pipeline.style import BAND, DIRECTIONS, PANEL, QUIET, STYLE, need

#: The ends of the axis; what leaves it ends there.
REACH = (math.log(0.4), math.log(2.5))


def answers(cells: pd.DataFrame) -> Figure:
    """Every comparison of every answer with its interval, the best first, below the answer's name.

    Narrow enough for a telephone. What leaves the axis ends at its edge.

    Args:
        cells: rows of a table of cells, effects as log ratios of errors, with one column more:
            `answer`, its name.

    Raises:
        ValueError: no rows, or an effect that is no log ratio.
    """
    need(cells)
    if set(cells["scale"]) != {"log ratio"}:
        raise ValueError("this figure needs effects on the log-ratio scale. "
                         f"Received: {sorted(set(cells['scale']))}")
    names, y, used = list(dict.fromkeys(cells["answer"])), 0.0, {}
    # In lines: a name takes three, a comparison one.
    height = len(cells) + 3.2 * len(names)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.5, 0.068 * height + 1.55), layout="constrained")
        axes = figure.add_subplot()
        for name in names:
            mine = cells[cells["answer"] == name].sort_values("effect", ascending=False)
            axes.text(0, y + 2.1, name, transform=axes.get_yaxis_transform(), size=8.5, va="bottom")
            y += 2.9
            # A line of zero for each answer, so that none runs through a name.
            axes.plot([0, 0], [y - 0.5, y + len(mine) - 0.5], color=QUIET, lw=0.8, zorder=1)
            for cell in mine.to_dict("records"):
                _row(axes, y, cell, used)
                y += 1
            y += 0.3
        _axis(axes, y + 0.4)
        figure.suptitle(answers_finding(cells), x=0.01, ha="left", size=9.5, weight="bold")
        shown = [kind for kind in DIRECTIONS if kind in used]
        figure.legend([*(used[kind] for kind in shown), matplotlib.patches.Patch(color=BAND)],
                      [*(DIRECTIONS[kind][3] for kind in shown), "margin: too small to matter"],
                      loc="outside lower left", ncols=2, frameon=False, fontsize=7.5,
                      handletextpad=0.5, columnspacing=1.2)
    return figure


def _row(axes: Axes, y: float, cell: Mapping, used: dict) -> None:
    """One comparison with its interval and its margin."""
    kind = (str(direction(cell)), cell["label"] in ("better", "worse"))
    marker, filled, colour, _ = DIRECTIONS[kind]
    axes.barh(y, 2 * cell["margin"], left=-cell["margin"], height=1, color=BAND, zorder=0)
    middle, *ends = np.clip([-cell["effect"], -cell["high"], -cell["low"]], *REACH)
    axes.plot(ends, [y, y], color=colour, lw=1.1, solid_capstyle="butt", zorder=2)
    used[kind] = axes.plot(
        [middle], [y], marker, color=colour, ms=3.8, zorder=3, mew=0.9,
        mfc=colour if filled else PANEL, mec=colour, ls="none")[0]


def _axis(axes: Axes, height: float) -> None:
    low, high = REACH
    axes.set_xlim(low - 0.03, high + 0.03)
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    axes.spines[["top", "right", "left"]].set_visible(False)
    ticks = [-60, -40, -20, 0, 25, 60, 150]
    axes.set_xticks([math.log1p(t / 100) for t in ticks], [signed(t, " %") for t in ticks], size=8)
    axes.tick_params(top=True, labeltop=True)
    axes.set_xlabel("change of the test error   (← better)", size=8.5)


def answers_finding(cells: pd.DataFrame) -> str:
    """How many of the answers' changes lower errors, raise them, do both, or neither."""
    need(cells)
    found = cells.assign(way=directions(cells)).groupby("answer", sort=False)["way"].agg(set)
    better, worse = (found.map(lambda ways, way=way: way in ways) for way in ("better", "worse"))
    return (f"Of {count(len(found), 'change')}, {int((better & ~worse).sum())} only lowered the error, "
            f"{int((worse & ~better).sum())} only raised it,\n{int((better & worse).sum())} did both and "
            f"{int((~better & ~worse).sum())} neither")


def answers_alt(cells: pd.DataFrame) -> str:
    """The finding, and every answer's best and worst change with its interval."""
    rows = []
    for name, mine in cells.groupby("answer", sort=False):
        ends = [mine.loc[mine["effect"].idxmax()], mine.loc[mine["effect"].idxmin()]]
        rows.append(f"{name}: {count(len(mine), 'comparison')}, from " + " to ".join(
            f"{interval(cell)} on {cell['data']}" for cell in ends))
    finding = answers_finding(cells).replace("\n", " ")
    return f"Forest plot of the test error. {finding}. " + "; ".join(rows) + "."
