"""Effects with their intervals, one row a comparison."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from pipeline.book.words.comparison import LETTERS, RATIOS, interval
from pipeline.book.words.numbers import count, signed
from pipeline.spec.metrics import metric_of
from pipeline.spec.tables import TRIVIAL
from pipeline.style import BAND, PANEL, QUIET, STYLE, TEXT, TREATMENT, need, one, ratio_axis, ratio_ticks

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
    metric, scale = metric_of(one(cells, "metric")), one(cells, "scale")
    factor = 1 if scale in RATIOS or (cells["control"] == TRIVIAL).any() else metric.factor
    lines = _lines(cells)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.6, 0.27 * len(lines) + 1.35), layout="constrained")
        axes = figure.add_subplot()
        ends, used = [], {}
        for y, (_, cell) in enumerate(lines):
            if cell is not None:
                ends += _row(axes, y, cell, metric.turn * factor, used)
        axes.axvline(0, color=QUIET, lw=0.8, zorder=1)
        _rows_axis(axes, lines)
        _reach(axes, ends)
        _score_axis(axes, cells, factor)
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


def _row(axes: Axes, y: int, cell: Mapping, times: int, used: dict) -> list[float]:
    """Draw a comparison; `times` turns an effect into what the axis shows. Returns what it reaches."""
    ends, margin = [], abs(times) * float(cell["margin"])
    if margin > 0:
        axes.barh(y, 2 * margin, left=-margin, height=0.86, color=BAND, zorder=0)
        ends += [-margin, margin]
    place = times * float(cell["effect"])
    if not math.isfinite(place):
        axes.text(0, y, "no effect can be computed", color=QUIET, size=7.5, va="center")
        return ends
    low, high = sorted(times * float(cell[k]) for k in ("low", "high"))
    kind = _kind(cell)
    marker, filled, _ = MARKERS[kind]
    colour = QUIET if kind == "uninformative" else TREATMENT
    axes.plot([low, high], [y, y], color=colour, lw=1.6, solid_capstyle="butt", zorder=2)
    used[kind] = axes.plot(
        [place], [y], marker, color=colour, mfc=colour if filled else PANEL, mec=colour,
        ms=6, zorder=3, ls="none")[0]
    return [*ends, low, high]


def _rows_axis(axes: Axes, lines: Sequence[tuple]) -> None:
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_yticks(range(len(lines)), [text for text, _ in lines])
    for tick, (_, cell) in zip(axes.get_yticklabels(), lines, strict=True):
        tick.set(color=QUIET if cell is None else TEXT, size=7.5 if cell is None else 8.5,
                 style="italic" if cell is None else "normal")
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _reach(axes: Axes, ends: Sequence[float]) -> None:
    """The axis holds zero and all that is drawn."""
    reach = [v for v in ends if math.isfinite(v)] or [-1, 1]
    edge = 0.06 * (max(reach) - min(reach) or 1)
    axes.set_xlim(min(0, *reach) - edge, max(0, *reach) + edge)


def _score_axis(axes: Axes, cells: pd.DataFrame, factor: int) -> None:
    """The ticks and the name of the axis: the change of the score, and on which side it is better."""
    metric = metric_of(cells["metric"].iloc[0])
    what = f"change of the {metric.score}"
    if (cells["minus_treatment"] != "").any():
        what = f"difference of two changes of the {metric.score}"
    if cells["scale"].iloc[0] in RATIOS:
        ratio_axis(axes.xaxis, ratio_ticks(*axes.get_xlim()), lambda v: signed(100 * math.expm1(v), " %"))
    else:
        what += f", {metric.unit}" if metric.unit and factor != 1 else ""
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}".replace("-", "−")))
    better = ("← better" if metric.lower else "better →") if metric.judged else ""
    axes.set_xlabel(f"{what}   ({better})" if better else what, size=8.5)


def forest_finding(cells: pd.DataFrame) -> str:
    """The finding of a forest plot in a few words."""
    need(cells)
    counted = cells[cells["position"] != "uninformative"]
    if not len(counted):
        return f"None of {count(len(cells), 'comparison')} can show anything"
    if (counted["region"] != "").all():
        found = counted["position"].value_counts()
        return (f"{int(found.get('for', 0))} of {len(counted)} as predicted, "
                f"{int(found.get('against', 0))} not, {int(found.get('open', 0))} open")
    found = counted["label"].value_counts()
    parts = [f"{int(found[k])} {k}" for k in ("better", "worse", "equivalent", "undecided")
             if found.get(k, 0)]
    return f"Of {count(len(counted), 'comparison')}: " + ", ".join(parts)


def forest_alt(cells: pd.DataFrame) -> str:
    """The finding, and every row's change with its interval."""
    need(cells)
    metric = metric_of(one(cells, "metric"))
    rows = "; ".join(_row_words(cell) for cell in cells.to_dict("records"))
    return f"Forest plot of the {metric.score}. {forest_finding(cells)}. {rows}."


def _row_words(cell: Mapping) -> str:
    where = f"{cell['treatment']} against {cell['control']} on {cell['data']}"
    if not math.isfinite(cell["effect"]):
        return f"{where}: no effect can be computed"
    shown = {**cell, "metric": "error"} if cell["control"] == TRIVIAL else cell
    kind = _kind(cell)
    words = cell["label"] if kind in ("decided", "undecided") else MARKERS[kind][2]
    return f"{where}: {interval(shown)}, {words}"


def _lines(cells: pd.DataFrame) -> list[tuple[str, Mapping | None]]:
    """Lines of a forest plot: (text, cell), or (heading, None) above each comparison."""
    lines = []
    keys = ["treatment", "control", "minus_treatment", "minus_control", "minus_data"]
    for names, rows in cells.groupby(keys, sort=False):
        lines += [(text, None) for text in _heading(*names)]
        lines += [(cell["data"], cell) for cell in rows.to_dict("records")]
    return lines


def _heading(treatment: str, control: str, less: str, less_control: str, other: str) -> list[str]:
    """The names of a comparison; they may take two fifths of the width, longer ones get several lines."""
    parts = [treatment, f"against {control}"]
    if less:
        parts += [f"less {less}", f"against {less_control}" + (f" on {other}" if other else "")]
    if len(" ".join(parts)) <= NAME:
        return [" ".join(parts)]
    return [line for part in parts for line in textwrap.wrap(
        part.replace("[", " [").replace(",", ", "), NAME)]


def _kind(cell: Mapping) -> str:
    """A key of `MARKERS`."""
    if cell["position"] in ("for", "against", "uninformative"):
        return cell["position"]
    if cell["region"]:
        return "open"
    return "decided" if cell["label"] in LETTERS else "undecided"
