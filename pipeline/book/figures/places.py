"""A network as a chain of boxes, and what a layer does at every place between them."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.book.rows import records
from pipeline.book.words.comparison import direction
from pipeline.book.words.numbers import signed
from pipeline.book.words.places import finding, place_change, where
from pipeline.style import (
    BAND, DIRECTIONS, GREY, PANEL, QUIET, STYLE, TEXT, need, one, ratio_axis, ratio_ticks)

#: The height of a box in lines; a comparison takes one.
BOX = 1.5
#: Effects are drawn from a third to three times the error; what leaves the axis ends at its edge.
REACH = math.log(3)


def places(rows: pd.DataFrame) -> Figure:
    """The chain from the input to the output; beside each place, the average of its effects.

    Narrow enough for a telephone.

    Args:
        rows: of the table `places`, one experiment, effects as log ratios of errors.

    Raises:
        ValueError: no rows, or more than one experiment.
    """
    need(rows)
    one(rows, "experiment")
    rows = rows.sort_values("number", kind="stable")
    names, title = list(dict.fromkeys(rows["place"])), _title(rows)
    height = len(rows) + (len(names) + 1) * (BOX + 0.5)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.5, 0.17 * height + 1.2 + 0.15 * len(title.splitlines())),
                        layout="constrained")
        chain, axes = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1.9))
        y, used, ticks = 0.0, {}, []
        for name, box in zip([None, *names], _boxes(names), strict=True):
            mine = records(rows[rows["place"] == name])
            _place(chain, y, len(mine), name)
            for line, row in enumerate(mine):
                _effect(axes, y + line + 0.5, row, used)
                ticks.append((y + line + 0.5, where(row["family"])))
            _box(chain, y + len(mine) + 0.25, box)
            y += len(mine) + BOX + 0.5
        _finish(chain, axes, y, ticks, rows)
        figure.suptitle(title, x=0.01, ha="left", size=9, weight="bold")
        shown = [kind for kind in DIRECTIONS if kind in used]
        figure.legend([*(used[kind] for kind in shown), matplotlib.patches.Patch(color=BAND)],
                      [*(DIRECTIONS[kind][3] for kind in shown), "margin: too small to matter"],
                      loc="outside lower left", ncols=2, frameon=False, fontsize=7.5,
                      handletextpad=0.5, columnspacing=1.2)
    return figure


def _title(rows: pd.DataFrame) -> str:
    return "\n".join(textwrap.fill(line, 62) for line in finding(rows))


def _boxes(names: Sequence[str]) -> list[str]:
    """What stands before, between and after the places: input, each layer, output.

    A number is left out where it tells no two layers apart.
    """
    layers = [name.removeprefix("after ") for name in names[1:]]
    words = Counter(name.rpartition("_")[0] for name in layers)
    return ["input", *(word if words[word := name.rpartition("_")[0]] == 1 and word else name
                       for name in layers), "output"]


def _place(axes: Axes, y: float, lines: int, name: str | None) -> None:
    """The line from one box to the next, with a dot and the name of the place."""
    if name:
        axes.plot([0.14, 0.14], [y - 0.25, y + lines + 0.25], color=QUIET, lw=1.2, zorder=1)
        axes.plot([0.14], [y + lines / 2], "o", color=PANEL, mec=TEXT, ms=6, zorder=3)
        axes.text(0.24, y + lines / 2, name, va="center", size=8, color=TEXT)


def _box(axes: Axes, y: float, name: str) -> None:
    end = name in ("input", "output")
    axes.add_patch(matplotlib.patches.Rectangle(
        (0, y), 1, BOX, fc=PANEL if end else GREY, ec=QUIET, lw=0.8, zorder=2))
    axes.text(0.5, y + BOX / 2, name, ha="center", va="center", size=8.5, zorder=3,
              weight="normal" if end else "bold")


def _effect(axes: Axes, y: float, row: Mapping, used: dict) -> None:
    """One effect with its interval, its margin, and whether it stands best or worst."""
    axes.barh(y, 2 * row["margin"], left=-row["margin"], height=1, color=BAND, zorder=0)
    if not math.isfinite(row["effect"]):
        axes.text(0, y, "no effect can be computed", color=QUIET, size=7, va="center", ha="center")
        return
    kind = str(direction(row)), row["low"] > row["margin"] or row["high"] < -row["margin"]
    marker, filled, colour, _ = DIRECTIONS[kind]
    middle, *ends = np.clip([-row["effect"], -row["high"], -row["low"]], -REACH, REACH)
    axes.plot(ends, [y, y], color=colour, lw=1.5, solid_capstyle="butt", zorder=2)
    used[kind] = axes.plot([middle], [y], marker, color=colour, ms=5, zorder=3, mew=1,
                           mfc=colour if filled else PANEL, mec=colour, ls="none")[0]
    if row["stands"]:
        # What may be so by chance is asked.
        axes.text(1.02, y, row["stands"] + ("" if row["apart"] else "?"), va="center", size=7.5,
                  weight="bold", color=TEXT, transform=axes.get_yaxis_transform())


def _finish(chain: Axes, axes: Axes, height: float, ticks: Sequence[tuple[float, str]],
            rows: pd.DataFrame) -> None:
    """Axes, ticks and the line of zero."""
    axes.axvline(0, color=QUIET, lw=0.8, zorder=1)
    found = rows[np.isfinite(rows["effect"])]
    ends = np.clip([*-found["low"], *-found["high"], *rows["margin"], *-rows["margin"], 0], -REACH, REACH)
    edge = 0.05 * (ends.max() - ends.min())
    axes.set_xlim(ends.min() - edge, ends.max() + edge)
    axes.set_ylim(height, 0)
    axes.set_yticks([place for place, _ in ticks], [data for _, data in ticks], size=7.5)
    axes.tick_params(axis="y", length=0, labelleft=True)
    axes.tick_params(axis="x", labelsize=8)
    ratio_axis(axes.xaxis, _thinned(ratio_ticks(*axes.get_xlim())), lambda v: signed(100 * math.expm1(v), " %"))
    axes.set_xlabel("change of the test error\n(← better)", size=8.5)
    axes.spines[["top", "right", "left"]].set_visible(False)
    chain.set_xlim(-0.02, 1.02)
    chain.set_axis_off()


def _thinned(places: Sequence[float]) -> list[float]:
    """Ticks that a narrow axis has room for: every other one, zero among them."""
    places = list(places)
    return places[places.index(0) % 2::2] if len(places) > 5 else places


def places_alt(rows: pd.DataFrame) -> str:
    """The finding, and every place's change with its interval, in the network's order."""
    need(rows)
    parts = [f"{name}: " + ", ".join(f"{place_change(row)} on {where(row['family'])}"
                                     for row in records(mine))
             for name, mine in rows.sort_values("number", kind="stable").groupby("place", sort=False)]
    return ("The network as a chain of layers, with the change of the test error at each place. "
            f"{'; '.join(finding(rows))}. " + "; ".join(parts) + ".")
