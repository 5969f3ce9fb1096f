"""Effects with their intervals, one row a comparison."""

from __future__ import annotations

import math
import textwrap

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from pipeline.book.words import LETTERS, RATIOS, count, interval, signed
from pipeline.spec.metrics import SCORES
from pipeline.style import BAND, PANEL, QUIET, STYLE, TEXT, TREATMENT, need, one

#: The longest heading of a forest plot's rows, in characters.
NAME = 44
MARKERS = {  # position: marker, filled, words
    "for": ("o", True, "as predicted"), "against": ("X", True, "not as predicted"),
    "open": ("o", False, "open"), "uninformative": ("D", False, "cannot show anything"),
    "decided": ("o", True, "decided"), "undecided": ("o", False, "undecided")}


def forest(cells: pd.DataFrame) -> Figure:
    """One row per comparison and data set: effect, interval, and the band of equivalence.

    The axis shows the change of the score. The band is as wide as the row's own margin.

    Args:
        cells: rows of a table of cells or comparisons, all of one metric and scale.

    Raises:
        ValueError: no rows, or more than one metric or scale.
    """
    need(cells)
    metric, scale = one(cells, "metric"), one(cells, "scale")
    name, turn, factor, unit = SCORES.get(metric, (metric.replace("_", " "), 1, 1, ""))
    ratio = scale in RATIOS
    factor = 1 if ratio or (cells["control"] == "trivial predictor").any() else factor
    lines = _lines(cells)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.6, 0.27 * len(lines) + 1.35), layout="constrained")
        axes = figure.add_subplot()
        ends, used = [], {}
        for y, (_, cell) in enumerate(lines):
            if cell is None:
                continue
            margin = factor * float(cell["margin"])
            if margin > 0:
                axes.barh(y, 2 * margin, left=-margin, height=0.86, color=BAND, zorder=0)
                ends += [-margin, margin]
            place = turn * factor * float(cell["effect"])
            if not math.isfinite(place):
                axes.text(0, y, "no effect can be computed", color=QUIET, size=7.5, va="center")
                continue
            low, high = sorted(turn * factor * float(cell[k]) for k in ("low", "high"))
            kind = _kind(cell)
            marker, filled, _ = MARKERS[kind]
            colour = QUIET if kind == "uninformative" else TREATMENT
            axes.plot([low, high], [y, y], color=colour, lw=1.6, solid_capstyle="butt", zorder=2)
            used[kind] = axes.plot(
                [place], [y], marker, color=colour, mfc=colour if filled else PANEL, mec=colour,
                ms=6, zorder=3, ls="none")[0]
            ends += [low, high]
        axes.axvline(0, color=QUIET, lw=0.8, zorder=1)
        axes.set_ylim(len(lines) - 0.4, -0.6)
        axes.set_yticks(range(len(lines)), [text for text, _ in lines])
        for tick, (_, cell) in zip(axes.get_yticklabels(), lines, strict=True):
            tick.set(color=QUIET if cell is None else TEXT, size=7.5 if cell is None else 8.5,
                     style="italic" if cell is None else "normal")
        axes.tick_params(axis="y", length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        reach = [v for v in ends if math.isfinite(v)] or [-1, 1]
        edge = 0.06 * (max(reach) - min(reach) or 1)
        axes.set_xlim(min(0, *reach) - edge, max(0, *reach) + edge)
        interaction = (cells["minus_treatment"] != "").any()
        what = f"change of the {name}" if metric != "parameters" else "change of the parameters"
        if interaction:
            what = f"difference of two changes of the {name}"
        if ratio:
            axes.xaxis.set_major_locator(FixedLocator(_ticks(*axes.get_xlim())))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(
                FuncFormatter(lambda v, _: signed(100 * math.expm1(v), " %")))
        else:
            what += f", {unit}" if unit and factor != 1 else ""
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}".replace("-", "−")))
        better = {-1: "← better", 1: "better →"}[turn] if metric in SCORES else ""
        axes.set_xlabel(f"{what}   ({better})" if better else what, size=8.5)
        # Titles belong to the whole width, which row labels share.
        figure.suptitle(forest_finding(cells), x=0.01, ha="left", size=9.5, weight="bold")
        handles = [used[k] for k in MARKERS if k in used]
        words = [MARKERS[k][2] for k in MARKERS if k in used]
        if (cells["margin"] > 0).any():
            handles.append(matplotlib.patches.Patch(color=BAND))
            words.append("too small to matter")
        figure.legend(handles, words, loc="outside lower left", ncols=3, frameon=False, fontsize=8,
                      handletextpad=0.5, columnspacing=1.4)
    return figure


def forest_finding(cells: pd.DataFrame) -> str:
    """The finding of a forest plot in a few words."""
    need(cells)
    counted = cells[cells["position"] != "uninformative"]
    if not len(counted):
        return f"None of {count(len(cells), 'comparison')} can show anything"
    whole = f"{len(counted)}"
    if (counted["region"] != "").all():
        found = counted["position"].value_counts()
        return (f"{int(found.get('for', 0))} of {whole} as predicted, "
                f"{int(found.get('against', 0))} not, {int(found.get('open', 0))} open")
    found = counted["label"].value_counts()
    parts = [f"{int(found[k])} {k}" for k in ("better", "worse", "equivalent", "undecided")
             if found.get(k, 0)]
    return f"Of {count(len(counted), 'comparison')}: " + ", ".join(parts)


def forest_alt(cells: pd.DataFrame) -> str:
    """The finding, and every row's change with its interval."""
    need(cells)
    metric, scale = one(cells, "metric"), one(cells, "scale")
    name = SCORES.get(metric, (metric.replace("_", " "),))[0]
    rows = []
    for _, cell in cells.iterrows():
        where = f"{cell['treatment']} against {cell['control']} on {cell['data']}"
        if not math.isfinite(cell["effect"]):
            rows.append(f"{where}: no effect can be computed")
            continue
        trivial = cell["control"] == "trivial predictor"
        rows.append(f"{where}: {interval({**cell, 'metric': 'error'} if trivial else cell)}, "
                    f"{_kind_words(cell)}")
    return f"Forest plot of the {name}. {forest_finding(cells)}. " + "; ".join(rows) + "."


def _lines(cells: pd.DataFrame):
    """Lines of a forest plot: (text, cell), or (heading, None) above each comparison."""
    lines = []
    keys = ["treatment", "control", "minus_treatment", "minus_control", "minus_data"]
    for (treatment, control, less, less_control, other), rows in cells.groupby(keys, sort=False):
        parts = [treatment, f"against {control}"]
        if less:
            parts += [f"less {less}", f"against {less_control}" + (f" on {other}" if other else "")]
        # Names may take two fifths of the width; longer ones get lines of their own.
        whole = " ".join(parts)
        lines += [(text, None) for text in ([whole] if len(whole) <= NAME else [
            line for part in parts for line in textwrap.wrap(
                part.replace("[", " [").replace(",", ", "), NAME)])]
        lines += [(cell["data"], cell) for _, cell in rows.iterrows()]
    return lines


def _kind(cell) -> str:
    if cell["position"] in ("for", "against", "uninformative"):
        return cell["position"]
    if cell["region"]:
        return "open"
    return "decided" if cell["label"] in LETTERS else "undecided"


def _kind_words(cell) -> str:
    kind = _kind(cell)
    return cell["label"] if kind in ("decided", "undecided") else MARKERS[kind][2]


def _ticks(low: float, high: float) -> list[float]:
    """Round per-cent changes between two logarithms."""
    grids = ([-20, -15, -10, -5, 0, 5, 10, 15, 20, 25], 
             [-60, -50, -40, -30, -20, -10, 0, 10, 25, 50, 75, 100, 150],
             [-80, -60, -40, -20, 0, 30, 60, 100, 200, 300],
             [-99, -95, -80, -50, 0, 100, 400, 1900, 9900])
    grid = grids[int(np.searchsorted([0.4, 1.0, 2.2], high - low))]
    places = [math.log1p(g / 100) for g in grid]
    return [p for p in places if low <= p <= high]
