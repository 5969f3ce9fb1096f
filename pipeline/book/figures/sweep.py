"""The test error by the value of a sweep."""

import textwrap
from collections.abc import Sequence

import matplotlib
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from pipeline.findings.numbers import number
from pipeline.style import STYLE, one


def dose_response(doses: pd.DataFrame) -> Figure:
    """Mean test errors by the value of a sweep: a panel per data set, a line per experiment.

    Args:
        doses: columns `experiment`, `key`, `dose` (a number), `data`, `mean`, `low`, `high`.

    Raises:
        ValueError: more than one key.
    """
    key = one(doses, "key")
    names, sets = list(dict.fromkeys(doses["experiment"])), list(dict.fromkeys(doses["data"]))
    columns = min(2, len(sets))
    rows = -(-len(sets) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(0.5 + 3.1 * columns, 0.7 + 2.4 * rows), layout="constrained")
        for axes, data in zip(figure.subplots(rows, columns, squeeze=False).flat, sets, strict=False):
            _panel(axes, doses[doses["data"] == data], names, sorted(set(doses["dose"])))
            axes.set_title(data, size=9)
            axes.set_xlabel(key.rpartition(".")[2].replace("_", " "), size=8.5)
        for axes in figure.axes[len(sets):]:
            axes.remove()
        for axes in figure.axes[::columns]:
            axes.set_ylabel("mean test error", size=8.5)
        handles = {label: handle for axes in figure.axes for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        figure.suptitle(textwrap.fill(dose_finding(doses), 42 * columns), x=0.01, ha="left", size=9.5, weight="bold")
        figure.legend(handles.values(), handles, loc="outside lower left", ncols=2, frameon=False, fontsize=8)
    return figure


def _panel(axes: Axes, doses: pd.DataFrame, names: Sequence[str], values: Sequence[float]) -> None:
    """The lines of one data set; every panel has the same values on its axis."""
    colours = sns.color_palette("colorblind", len(names))
    for colour, marker, name in zip(colours, "os^Dv<>p" * len(names), names, strict=False):
        mine = doses[doses["experiment"] == name].sort_values("dose")
        if len(mine):
            axes.errorbar(mine["dose"], mine["mean"], [mine["mean"] - mine["low"],
                          mine["high"] - mine["mean"]], color=colour, marker=marker, ms=4.5,
                          lw=1.4, capsize=2, label=name)
    if values[0] > 0 and values[-1] / values[0] > 3:
        axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(values))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes.spines[["top", "right"]].set_visible(False)


def dose_finding(doses: pd.DataFrame) -> str:
    """Per data set, at which dose which experiment has the least error."""
    best = doses.loc[doses.groupby("data", sort=False)["mean"].idxmin()]
    return "Least error: " + "; ".join(
        f"{row['experiment']} at {number(row['dose'], 'g')} ({row['data']})" for _, row in best.iterrows())


def dose_alt(doses: pd.DataFrame) -> str:
    """The finding, and every mean with its interval."""
    key = one(doses, "key")
    rows = [f"{r['experiment']} on {r['data']} at {number(r['dose'], 'g')}: {number(r['mean'], '.3g')} ({number(r['low'], '.3g')} to "
            f"{number(r['high'], '.3g')})" for _, r in doses.iterrows()]
    return f"Mean test error by {key}. {dose_finding(doses)}. " + "; ".join(rows) + "."
