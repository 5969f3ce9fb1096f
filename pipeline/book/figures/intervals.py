"""Findings with their intervals, one below the other."""

import math
import textwrap

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from pipeline.config.metrics import metric_of
from pipeline.findings.numbers import change, interval, plain, with_unit
from pipeline.findings.words import Word
from pipeline.style import BAND, BETTER, PANEL, QUIET, STYLE, TEXT, WORSE, ratio_axis, ratio_ticks
from pipeline.tables.stored import records

COLUMNS = ["id", "title", "stratum", "treatment", "control", "metric", "effect", "low", "high", "margin", "word"]
#: The colour of an interval, by its word.
COLOURS = {Word.BETTER: BETTER, Word.A_LITTLE_BETTER: BETTER, Word.WORSE: WORSE, Word.A_LITTLE_WORSE: WORSE}
#: What leaves the axis ends at its edge: from a third to three times the error.
REACH = math.log(3)
#: The longest line above an interval, in characters.
WIDE = 78


def intervals(rows: pd.DataFrame) -> Figure:
    """One line a finding: its name above, its interval below, over the band of what is too small to matter.

    Args:
        rows: `COLUMNS`; effects are logarithms of ratios.
    """
    names = [textwrap.wrap(f"{row['title']} ({row['stratum']})", WIDE) for row in records(rows)]
    height = sum(0.16 * len(name) + 0.24 for name in names)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.6, height + 0.6))
        axes = figure.add_axes((0.02, 0.55 / (height + 0.6), 0.96, height / (height + 0.6)))
        y = 0.0
        for row, name in zip(records(rows), names, strict=True):
            axes.text(0.005, y + 0.02, "\n".join(name), size=7.3, va="top", transform=axes.get_yaxis_transform(), zorder=5)
            _interval(axes, y + 0.16 * len(name) + 0.1, row)
            y += 0.16 * len(name) + 0.24
        axes.axvline(0, color=QUIET, lw=0.7, zorder=1)
        axes.set_ylim(y, 0)
        ends = [-value for name in ("low", "high") for value in rows[name]] + [
            side * margin for side in (1, -1) for margin in rows["margin"]]
        axes.set_xlim(max(1.06 * min(ends), -REACH), min(1.06 * max(ends), REACH))
        metric = metric_of("error")
        ratio_axis(axes.xaxis, ratio_ticks(*axes.get_xlim()),
                   lambda value: with_unit(plain(round(100 * math.expm1(value)), 0), "%"))
        axes.set_xlabel(f"change of the {metric.score}; left is less", size=8)
        axes.tick_params(labelsize=7.5)
        axes.set_yticks([])
        axes.spines[["top", "right", "left"]].set_visible(False)
    return figure


def _interval(axes, y: float, row: dict) -> None:
    """The band of the margin, the interval and its middle; less error is left."""
    colour = COLOURS.get(row["word"], TEXT)
    axes.barh(y, 2 * row["margin"], left=-row["margin"], height=0.2, color=BAND, zorder=0)
    low, middle, high = (min(max(-row[name], -REACH), REACH) for name in ("high", "effect", "low"))
    axes.plot([low, high], [y, y], color=colour, lw=2.2, solid_capstyle="butt", zorder=3)
    axes.plot([middle], [y], "D", color=colour, mec=PANEL, ms=5, zorder=4)


def intervals_alt(rows: pd.DataFrame) -> str:
    """Every finding in words."""
    return " ".join(f"{row['title']}, on {row['stratum']}: "
                    f"{interval([row['effect'], row['low'], row['high']], metric_of(row['metric']))}, {row['word']}."
                    for row in records(rows))
