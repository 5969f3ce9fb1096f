"""Effects with their intervals, one row a data set, and the average below them."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from pipeline.book.rows import records
from pipeline.book.words.comparison import RATIOS, change, interval
from pipeline.book.words.numbers import count, signed
from pipeline.config.metrics import metric_of
from pipeline.tables.schemas import TRIVIAL
from pipeline.style import (
    BAND, BETTER, GREY, OTHERS, PANEL, QUIET, STYLE, TEXT, WORSE, need, one, ratio_axis, ratio_ticks)

#: The longest label of a row, in characters.
NAME = 38
#: What was found on a data set: marker, filled, colour, words.
MARKERS = {"better": ("o", True, BETTER, "better"), "worse": ("X", True, WORSE, "worse"),
           "larger": ("o", True, BETTER, "larger"), "smaller": ("X", True, WORSE, "smaller"),
           "": ("o", False, QUIET, "neither"), "average": ("D", True, TEXT, "the average"),
           "others": ("^", True, OTHERS, "by others, not averaged")}


def forest(rows: pd.DataFrame) -> Figure:
    """One row a data set, or unit: effect, interval, and the band of what is too small to matter.

    Below them the average, on the line of its own interval and the wider one that another data set
    falls in. The axis shows the change of the score.

    Args:
        rows: of one metric and scale, in the order of the picture: `heading` (empty for none, above the
            first of the rows that share it), `label`, `kind` (`set`, `average`, or `others`: what others found,
            without an interval, and never averaged), `y`, `low`, `high`,
            `range_low` and `range_high` (of an average; NaN without), `margin`, `found`.

    Raises:
        ValueError: no rows, or more than one metric or scale.
    """
    need(rows)
    metric, scale = metric_of(one(rows, "metric")), one(rows, "scale")
    times = metric.turn * (1 if scale in RATIOS or (rows["control"] == TRIVIAL).any() else metric.factor)
    lines = _lines(rows)
    with matplotlib.rc_context(STYLE):
        height = 0.2 * len(lines) + 1.4
        figure = Figure(figsize=(6.6, height))
        left = 0.03 + 0.0115 * max(len(text) for text, _ in lines)
        axes = figure.add_axes((left, 0.92 / height, 0.97 - left, 0.2 * len(lines) / height))
        ends, used = _bands(axes, lines, times), {}
        for y, (_, row) in enumerate(lines):
            if row is not None:
                ends += _row(axes, y, row, times, used)
        axes.axvline(0, color=QUIET, lw=0.8, zorder=1)
        _rows_axis(axes, lines)
        _reach(axes, ends)
        _score_axis(axes, rows, abs(times) != 1)
        figure.text(0.01, 1 - 0.08 / height, textwrap.fill(forest_finding(rows), 90), size=9.5, weight="bold", va="top")
        _legend(figure, used, bool((rows["margin"] > 0).any()), bool(np.isfinite(rows["range_low"].astype(float)).any()))
    return figure


def _bands(axes: Axes, lines: Sequence[tuple], times: int) -> list[float]:
    """Draw behind each row what is too small to matter, all in one go. Returns what the bands reach."""
    margins = {y: abs(times) * float(row["margin"]) for y, (_, row) in enumerate(lines) if row is not None}
    margins = {y: margin for y, margin in margins.items() if margin > 0}
    axes.add_collection(PolyCollection([[(-m, y - 0.45), (m, y - 0.45), (m, y + 0.45), (-m, y + 0.45)]
                                        for y, m in margins.items()], facecolor=BAND, edgecolor="none", zorder=0))
    return [end for margin in margins.values() for end in (-margin, margin)]


def _row(axes: Axes, y: int, row: Mapping, times: int, used: dict) -> list[float]:
    """Draw a row; `times` turns an effect into what the axis shows. Returns what it reaches."""
    ends: list[float] = []
    place = times * float(row["y"])
    if not math.isfinite(place):
        axes.text(0, y, "no effect can be computed", color=QUIET, size=7.5, va="center")
        return ends
    kind = row["kind"] if row["kind"] in MARKERS else _found(row)
    marker, filled, colour, _ = MARKERS[kind]
    if kind == "average" and math.isfinite(float(row["range_low"])):
        wide = sorted(times * float(row[k]) for k in ("range_low", "range_high"))
        axes.plot(wide, [y, y], color=GREY, lw=5, solid_capstyle="butt", zorder=1)
        ends += wide
    if math.isfinite(float(row["low"])):
        span = sorted(times * float(row[k]) for k in ("low", "high"))
        axes.plot(span, [y, y], color=colour, lw=1.5, solid_capstyle="butt", zorder=2)
        ends += span
    used[kind] = axes.plot([place], [y], marker, color=colour, mfc=colour if filled else PANEL, mec=colour,
                           ms=5, zorder=3, ls="none")[0]
    return [*ends, place]


def _found(row: Mapping) -> str:
    """What was found on a data set, in a word; of a measure that nobody judges, which way it went."""
    if metric_of(row["metric"]).judged or not row["found"]:
        return row["found"]
    return "larger" if row["y"] > 0 else "smaller"


def _rows_axis(axes: Axes, lines: Sequence[tuple]) -> None:
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_yticks(range(len(lines)), [text for text, _ in lines])
    for tick, (_, row) in zip(axes.get_yticklabels(), lines, strict=True):
        average = row is not None and row["kind"] == "average"
        tick.set(color=QUIET if row is None else TEXT, size=7.5 if row is None else 8.2,
                 style="italic" if row is None else "normal", weight="bold" if average else "normal")
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _reach(axes: Axes, ends: Sequence[float]) -> None:
    """The axis holds zero and all that is drawn."""
    reach = [v for v in ends if math.isfinite(v)] or [-1, 1]
    edge = 0.06 * (max(reach) - min(reach) or 1)
    axes.set_xlim(min(0, *reach) - edge, max(0, *reach) + edge)


def _score_axis(axes: Axes, rows: pd.DataFrame, in_units: bool) -> None:
    """The ticks and the name of the axis: the change of the score, and on which side it is better."""
    metric = metric_of(rows["metric"].iloc[0])
    what = f"change of the {metric.score}"
    if (rows["minus_treatment"] != "").any():
        what = f"difference of two changes of the {metric.score}"
    if rows["scale"].iloc[0] in RATIOS:
        ratio_axis(axes.xaxis, ratio_ticks(*axes.get_xlim()), lambda v: signed(100 * math.expm1(v), " %"))
    else:
        what += f", {metric.unit}" if metric.unit and in_units else ""
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}".replace("-", "−")))
    better = ("← better" if metric.lower else "better →") if metric.judged else ""
    axes.set_xlabel(f"{what}   ({better})" if better else what, size=8.5)


def _legend(figure: Figure, used: Mapping, band: bool, wide: bool) -> None:
    shown = [kind for kind in MARKERS if kind in used]
    handles, words = [used[kind] for kind in shown], [MARKERS[kind][3] for kind in shown]
    if wide:
        handles.append(matplotlib.lines.Line2D([], [], color=GREY, lw=5))
        words.append("another data set, four in five")
    if band:
        handles.append(matplotlib.patches.Patch(color=BAND))
        words.append("too small to matter")
    figure.legend(handles, words, loc="lower left", ncols=len(words) if len(words) <= 6 else 4, frameon=False,
                  fontsize=7.5, handletextpad=0.4, columnspacing=1.0, bbox_to_anchor=(0, 0))


def forest_finding(rows: pd.DataFrame) -> str:
    """The finding of a forest plot in a few words: on how many rows which way, and the averages."""
    need(rows)
    sets = rows[rows["kind"] == "set"]
    found = [_found(row) for row in records(sets)]
    words = ("better", "worse") if metric_of(one(rows, "metric")).judged else ("larger", "smaller")
    parts = [f"{words[0].capitalize()} on {found.count(words[0])} of {count(len(found), 'set')}, "
             f"{words[1]} on {found.count(words[1])}"] if found else []
    # A single set is its own average.
    averages = rows[rows["kind"] == "average"] if len(sets) != 1 else rows.iloc[:0]
    for row in records(averages):
        place = f"{row['heading']}, " if row["heading"] else ""
        parts.append(f"{place}{row['label']}: {interval(row)}")
    return "; ".join(parts)


def forest_alt(rows: pd.DataFrame) -> str:
    """The finding, and every row's change with its interval."""
    need(rows)
    metric = metric_of(one(rows, "metric"))
    words = "; ".join(_row_words(row) for row in records(rows) if row["kind"] != "average")
    return f"Forest plot of the {metric.score}. {forest_finding(rows)}. {words}."


def _row_words(row: Mapping) -> str:
    where = f"{row['heading']}: {row['label']}" if row["heading"] else row["label"]
    if not math.isfinite(row["y"]):
        return f"{where}: no effect can be computed"
    if row["kind"] == "others":
        return f"others, {where} {signed(change(row['y'], row['metric'], row['scale']), ' %')}"
    return f"{where} {interval(row)}"


def _lines(rows: pd.DataFrame) -> list[tuple[str, Mapping | None]]:
    """Lines of a forest plot: (text, row), or (heading, None) above the rows that share it."""
    lines, last = [], ""
    for row in records(rows):
        if row["heading"] != last and row["heading"]:
            lines += [(text, None) for text in textwrap.wrap(row["heading"].replace("[", " ["), NAME)]
        last = row["heading"]
        label = row["label"]
        lines.append((label if len(label) <= NAME else label[:NAME - 1] + "…", row))
    return lines
