"""The first page's figure: for each question what to do, and the data sets that say so."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pipeline.book.advice import Advice, Do
from pipeline.book.rows import records
from pipeline.book.words.comparison import RATIOS, change
from pipeline.book.words.numbers import count, signed
from pipeline.style import BAND, BETTER, PANEL, QUIET, STYLE, TEXT, WORSE, need, ratio_ticks

#: The axis reaches as far as this share of the findings, but at least and at most so far, either way;
#: what leaves it ends in an arrow at its edge, so that one large effect does not squeeze the others.
SHARE = 0.9
REACH = (math.log(1.25), math.log(2.5))
#: The colour of an average, and of the words beside it; others are as the text is.
COLOURS = {Do.YES.name: BETTER, Do.NO.name: WORSE}
#: The height of a line of text, in inches.
LINE = 0.158
COLUMNS = ["do", "situation", "head", "words", "note", "kind", "data", "found", "change", "low", "high",
           "range_low", "range_high", "margin"]


def answer_rows(found: Sequence[Advice]) -> pd.DataFrame:
    """What the figure draws: for each finding a row `average`, and a row `set` for each unit.

    Changes are those of the score on the log scale, above 0 more of it; NaN where the finding is on
    another scale, or not there. In the order of `Do`, and of the guide.

    """
    rows = []
    for do in Do:
        for one in found:
            for finding in one.found:
                if finding.do is do:
                    situation = one.situation + (f" ({finding.group})" if finding.group else "")
                    rows += _rows(situation, finding)
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(situation: str, finding) -> list[dict]:
    shared = dict.fromkeys(COLUMNS, math.nan) | {
        "do": finding.do.name, "situation": situation, "head": finding.head, "words": finding.words,
        "note": finding.note, "data": "", "found": ""}
    average = finding.average
    if average is None or average["scale"] not in RATIOS:
        return [shared | {"kind": "average"}]

    def turned(effect: float) -> float:
        return math.log1p(change(effect, average["metric"], average["scale"]) / 100)

    def ends(row: Mapping, low: str, high: str) -> tuple[float, float]:
        if not math.isfinite(row[low]):
            return math.nan, math.nan
        return tuple(sorted((turned(row[low]), turned(row[high]))))

    low, high = ends(average, "low", "high")
    range_low, range_high = ends(average, "range_low", "range_high") if average["family"] else (math.nan,) * 2
    drawn = [shared | {"kind": "average", "change": turned(average["mean"]), "low": low, "high": high,
                       "range_low": range_low, "range_high": range_high, "margin": average["margin"]}]
    for unit in records(finding.units):
        drawn.append(shared | {"kind": "set", "data": unit["unit"], "found": unit["found"],
                               "change": turned(unit["y"])})
    return drawn


@dataclass(frozen=True)
class Layout:
    """Where things stand, in inches and characters; `beside`: words beside the drawing, else above it."""

    width: float
    plot: tuple[float, float]
    words: float
    name: int
    wrap: int
    beside: bool
    size: float
    reach: float = REACH[1]


WIDE = Layout(10.3, (2.7, 6.0), 6.2, 34, 62, True, 8.8)
NARROW = Layout(3.75, (0.12, 3.63), 0.05, 46, 56, False, 8.3)


def answers(rows: pd.DataFrame) -> Figure:
    """A row for each finding: its data sets, their average with its interval, the range for another
    set, and the words beside them.

    Args:
        rows: of `answer_rows`.

    Raises:
        ValueError: no rows.
    """
    return _draw(rows, replace(WIDE, reach=_reach(rows)))


def answers_narrow(rows: pd.DataFrame) -> Figure:
    """The same for a narrow screen: the words stand above each drawing."""
    return _draw(rows, replace(NARROW, reach=_reach(rows)))


def _reach(rows: pd.DataFrame) -> float:
    """How far the axis goes on both sides: as far as most findings' intervals, ranges and sets."""
    shown = rows[["change", "low", "high", "range_low", "range_high"]].astype(float).abs().max(axis=1)
    # A set alone, far from the others of its finding, is an arrow too.
    far = shown.groupby([rows["situation"], rows["kind"]], sort=False).quantile(SHARE).groupby("situation").max()
    return min(max(REACH[0], 1.08 * far.quantile(SHARE, interpolation="lower")), REACH[1])


def _draw(rows: pd.DataFrame, layout: Layout) -> Figure:
    need(rows)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(layout.width, 1))
        axes = figure.add_axes([0, 0, 1, 1])
        axes.axis("off")
        y = _legend(axes, _title(axes, rows, layout) + 0.12, layout)
        for do in Do:
            mine = rows[rows["do"] == do.name]
            if not len(mine):
                continue
            y += 0.12
            axes.text(0.05, y, do.value, size=11, weight="bold", va="top",
                      color=COLOURS.get(do.name, TEXT))
            if do in (Do.WAITING, Do.NONE):
                y = _waiting(axes, y + 0.26, mine, layout)
                continue
            if layout.beside:
                _scale(axes, y + 0.2, layout)
            y += 0.3
            for _, some in mine.groupby("situation", sort=False):
                y = _answer(axes, y, some, layout)
        y += 0.05
        axes.set_xlim(0, layout.width)
        axes.set_ylim(y, 0)
        figure.set_size_inches(layout.width, y)
    return figure


def _title(axes: Axes, rows: pd.DataFrame, layout: Layout) -> float:
    lines = textwrap.wrap(answers_finding(rows), 118 if layout.beside else 42)
    axes.text(0.05, 0.05, "\n".join(lines), size=9.5, weight="bold", va="top", linespacing=1.25)
    return 0.05 + 0.175 * len(lines)


def _waiting(axes: Axes, y: float, rows: pd.DataFrame, layout: Layout) -> float:
    """The questions without a result yet, one below the other."""
    for situation in dict.fromkeys(rows["situation"]):
        lines = textwrap.wrap(situation, layout.name + (60 if layout.beside else 4))
        axes.text(0.05, y, "\n".join(lines), size=layout.size, va="top", color=QUIET)
        y += LINE * len(lines) + 0.04
    return y


def _answer(axes: Axes, y: float, rows: pd.DataFrame, layout: Layout) -> float:
    """One finding; returns where the next begins."""
    first = rows.iloc[0]
    colour = COLOURS.get(first["do"], TEXT)
    names = textwrap.wrap(first["situation"], layout.name)
    # A number keeps its unit.
    words = textwrap.wrap(first["words"].replace(" %", "\N{NO-BREAK SPACE}%") + ".", layout.wrap)
    notes = textwrap.wrap(first["note"], layout.wrap)
    if layout.beside:
        axes.plot([0.05, layout.width - 0.05], [y - 0.03, y - 0.03], color="#e4e6e3", lw=0.6, zorder=0)
        axes.text(0.05, y + 0.02, "\n".join(names), size=layout.size, va="top", linespacing=1.25)
        top, lines = y + 0.02, 1 + len(words) + len(notes)
        height = max(LINE * max(lines, len(names)) + 0.1, 0.56)
        _strip(axes, y, height - 0.06, rows, layout, colour)
    else:
        axes.text(0.05, y, "\n".join(names), size=layout.size + 0.4, va="top", weight="bold", linespacing=1.25)
        top = y + 0.166 * len(names)
    axes.text(layout.words, top, first["head"], size=layout.size + 0.4, va="top", weight="bold", color=colour)
    axes.text(layout.words, top + LINE + 0.01, "\n".join(words), size=layout.size - 0.3, va="top", linespacing=1.25)
    below = top + LINE * (1 + len(words)) + 0.02
    if notes:
        axes.text(layout.words, below, "\n".join(notes), size=layout.size - 0.3, va="top", color=QUIET,
                  style="italic", linespacing=1.25)
        below += LINE * len(notes)
    if layout.beside:
        return y + height + 0.04
    drawn = _strip(axes, below + 0.05, 0.4, rows, layout, colour)
    if drawn:
        _scale(axes, below + 0.58, layout)
    return below + (0.82 if drawn else 0.2)


def _x(value: float, layout: Layout) -> float:
    """Where a change stands on the axis, in inches; what leaves it, at its edge."""
    (left, right), reach = layout.plot, layout.reach
    return left + (right - left) * (float(np.clip(value, -reach, reach)) + reach) / (2 * reach)


def _strip(axes: Axes, y: float, height: float, rows: pd.DataFrame, layout: Layout, colour: str) -> bool:
    """The sets above, the average with its interval and its range below; whether anything is drawn."""
    average = rows[rows["kind"] == "average"].iloc[0]
    if math.isnan(average["change"]):
        if layout.beside:
            axes.text(sum(layout.plot) / 2, y + height / 2, "not a ratio: see the words", size=7.5, color=QUIET,
                      ha="center", va="center")
        return False
    left, right = (_x(side * average["margin"], layout) for side in (-1, 1))
    axes.add_patch(Rectangle((left, y), right - left, height, color=BAND, lw=0, zorder=1))
    axes.plot([_x(0, layout)] * 2, [y, y + height], color=QUIET, lw=0.8, zorder=2)
    above, below = y + 0.3 * height, y + 0.7 * height
    # Those that are neither better nor worse lie below the others.
    for one in sorted(records(rows[rows["kind"] == "set"]), key=lambda one: one["found"] in ("better", "worse")):
        shade = {"better": BETTER, "worse": WORSE}.get(one["found"], QUIET)
        filled = one["found"] in ("better", "worse")
        axes.plot([_x(one["change"], layout)], [above], _marker(one["change"], "o", layout), ms=4.6, mew=0.8, mec=shade,
                  mfc=shade if filled else PANEL, alpha=0.75, zorder=4, ls="none")
    if not math.isnan(average["range_low"]):
        ends = [average[name] for name in ("range_low", "range_high")]
        axes.plot([_x(end, layout) for end in ends], [below] * 2, color=colour, lw=0.9, zorder=3)
        for end in ends:
            axes.plot([_x(end, layout)], [below], _marker(end, "|", layout), ms=6.5 if abs(end) <= layout.reach else 4.6,
                      color=colour, mew=0.9, zorder=3, ls="none")
    axes.plot([_x(average[name], layout) for name in ("low", "high")], [below] * 2, color=colour, lw=3.4,
              solid_capstyle="butt", zorder=4)
    axes.plot([_x(average["change"], layout)], [below], _marker(average["change"], "D", layout), ms=6.5, color=colour,
              mec=PANEL, mew=0.8, zorder=5, ls="none")
    return True


def _marker(value: float, inside: str, layout: Layout) -> str:
    """A marker, or an arrow for what lies beyond the axis."""
    return inside if abs(value) <= layout.reach else "<" if value < 0 else ">"


def _scale(axes: Axes, y: float, layout: Layout) -> None:
    """The labels of the axis; the middle of the text is at y."""
    ticks = [round(100 * math.expm1(place)) for place in ratio_ticks(-0.88 * layout.reach, 0.88 * layout.reach)]
    # Every other one, zero among them, where they would touch.
    for tick in ticks[ticks.index(0) % 2::2] if len(ticks) > 5 else ticks:
        axes.text(_x(math.log1p(tick / 100), layout), y, signed(tick, " %") if tick else "0", size=7, color=QUIET,
                  ha="center", va="center")
    low, high = (_x(side * layout.reach, layout) for side in (-1, 1))
    above = 0.15 if layout.beside else 0
    axes.text(low, y - above, "← less" if layout.beside else "←", size=7, color=QUIET, ha="left", va="center")
    axes.text(high, y - above, "more →" if layout.beside else "→", size=7, color=QUIET, ha="right", va="center")


def _legend(axes: Axes, y: float, layout: Layout) -> float:
    """What each mark means."""
    marks = [("o", BETTER, "a data set or unit: better"), ("o", WORSE, "worse"), ("open", QUIET, "neither"),
             ("<", QUIET, "beyond the scale"), ("D", TEXT, "average, 95 % interval"),
             ("range", TEXT, "where four of five other sets fall"), ("band", BAND, "too small to matter")]
    places = [(x, 0) for x in (0.15, 1.9, 2.55, 3.25, 4.65, 6.25, 8.4)]
    if not layout.beside:
        places = [(0.15, 0), (2.1, 0), (2.75, 0), (0.15, 1), (2.1, 1), (0.15, 2), (2.3, 2)]
    axes.text(0.05, y, "Change of the test error, or of what a row names; left is less.", size=7.5, va="top", color=QUIET)
    y += 0.28
    for (kind, colour, words), (x, line) in zip(marks, places, strict=True):
        level = y + 0.19 * line
        if kind == "band":
            axes.add_patch(Rectangle((x - 0.09, level - 0.06), 0.2, 0.12, color=colour, lw=0))
        elif kind == "range":
            axes.plot([x - 0.1, x + 0.1], [level] * 2, color=colour, lw=0.9)
            for end in (x - 0.1, x + 0.1):
                axes.plot([end] * 2, [level - 0.04, level + 0.04], color=colour, lw=0.9)
        else:
            if kind == "D":
                axes.plot([x - 0.1, x + 0.1], [level] * 2, color=colour, lw=3.4, solid_capstyle="butt")
            axes.plot([x], [level], "o" if kind == "open" else kind, color=colour, mec=colour if kind != "D" else PANEL,
                      mfc=PANEL if kind == "open" else colour, ms=6 if kind == "D" else 4.6, mew=0.8)
        axes.text(x + 0.17, level, words, size=7.5, va="center")
    return y + 0.15 + (0 if layout.beside else 0.38)


def answers_finding(rows: pd.DataFrame) -> str:
    """Of how many questions the answer says what."""
    need(rows)
    found = rows.drop_duplicates("situation")["do"].value_counts()
    words = {Do.YES: "better", Do.NO: "worse", Do.DEPENDS: "it depends", Do.NOTHING: "no effect that matters",
             Do.OPEN: "open", Do.WAITING: "being measured", Do.NONE: "not measured"}
    return (f"{count(int(found.sum()), 'question')}: "
            + ", ".join(f"{found[do.name]} {said}" for do, said in words.items() if do.name in found))


def answers_alt(rows: pd.DataFrame) -> str:
    """The finding, and every answer in words."""
    said = [f"{row['situation']}: {row['head']}" + (f", {row['words']}" if row["words"] else "")
            for row in records(rows[rows["kind"] == "average"])]
    return f"{answers_finding(rows)}. " + ". ".join(said) + "."
