"""How long each step takes, and how heavy the pages are, as a study grows."""

from __future__ import annotations

import math

import matplotlib
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from pipeline.style import GREY, STYLE, need

#: Along which size a panel goes, and how its axis is called.
ALONG = {"experiments": "experiments", "sets": "data sets in each family"}
#: Unit → what the axis says, and what a value is divided by.
UNITS = {"seconds": ("seconds", 1), "bytes": ("megabytes", 1e6)}


def line(measured: pd.DataFrame, along: str) -> pd.DataFrame:
    """The rows along a size, the other at its smallest."""
    other = next(name for name in ALONG if name != along)
    return measured[measured[other] == measured[other].min()].sort_values(along, kind="stable")


def scale_curves(measured: pd.DataFrame) -> Figure:
    """A row of panels a unit, a column a size, both axes logarithmic; grey lines grow in proportion.

    Args:
        measured: columns `step`, `experiments`, `sets`, `unit` (of `UNITS`), `value`.

    Raises:
        ValueError: no rows.
    """
    need(measured)
    units = [unit for unit in UNITS if unit in set(measured["unit"])]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.6 + 2.9 * len(units)), layout="constrained")
        for row, unit in zip(figure.subplots(len(units), len(ALONG), squeeze=False, sharey="row"), units, strict=True):
            mine = measured[measured["unit"] == unit]
            for axes, along in zip(row, ALONG, strict=True):
                _panel(axes, mine, along)
            row[0].set_ylabel(UNITS[unit][0], size=8.5)
            handles, labels = row[0].get_legend_handles_labels()
            row[-1].legend(handles, labels, loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=8)
    return figure


def _panel(axes: Axes, measured: pd.DataFrame, along: str) -> None:
    """A line a step, of one unit along one size."""
    rows = line(measured, along)
    steps, ticks = list(dict.fromkeys(measured["step"])), sorted(set(rows[along]))
    divided = UNITS[measured["unit"].iloc[0]][1]
    axes.set(xscale="log", yscale="log")
    for colour, marker, step in zip(sns.color_palette("colorblind", len(steps)), "os^Dv<>p" * len(steps), steps,
                                    strict=False):
        mine = rows[rows["step"] == step]
        values = mine["value"] / divided
        axes.plot(mine[along], values, color=colour, marker=marker, ms=4.5, lw=1.4, label=step)
        axes.plot(mine[along], values.iloc[0] * mine[along] / mine[along].iloc[0], color=GREY, lw=0.8, zorder=1)
    axes.set_xlabel(ALONG[along], size=8.5)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.spines[["top", "right"]].set_visible(False)


def scale_alt(measured: pd.DataFrame) -> str:
    """Every line in words, from its first value to its last."""
    parts = []
    for along, called in ALONG.items():
        for step, mine in line(measured, along).groupby("step", sort=False):
            first, last = mine.iloc[0], mine.iloc[-1]
            if first[along] < last[along]:
                parts.append(f"{step}: {amount(first['value'], first['unit'])} with {first[along]} {called}, "
                             f"{amount(last['value'], last['unit'])} with {last[along]}")
    return "Time and weight by the size of a study, on logarithmic axes. " + "; ".join(parts) + "."


def amount(value: float, unit: str) -> str:
    """A value with its unit, in no more digits than it deserves: `3.2 s`, `140 s`, `1.4 MB`."""
    name, divided = {"seconds": ("s", 1), "bytes": ("MB", 1e6)}[unit]
    value /= divided
    digits = max(0, 1 - math.floor(math.log10(value))) if 0 < value < 10 else 0
    return f"{value:.{digits}f} {name}"
