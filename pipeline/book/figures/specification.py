"""A finding under every other choice: its specification curve."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.findings.numbers import number
from pipeline.style import BAND, BETTER, PANEL, QUIET, STYLE, TEXT

#: So many of the analyses are drawn of a curve.
DRAWN = 60
COLUMNS = ["id", "stratum", "title", "share", "mean", "low", "high", "effect"]


def rows(curve: pd.DataFrame, finding: list[dict]) -> pd.DataFrame:
    """Points of the curves of a finding, one a stratum, in margins, or without one as they are; ranks are left out.

    Args:
        curve: the finding's rows of the multiverse.
        finding: its rows, a stratum each.
    """
    found = []
    for row in finding:
        mine = curve[(curve["stratum"] == row["stratum"]) & curve["margin"].notna()]
        scale = mine["margin"].where(mine["margin"] > 0, 1.0)
        mine = mine[["mean", "low", "high"]].div(scale, axis=0).dropna().sort_values("mean", kind="stable")
        chosen = np.unique(np.linspace(0, len(mine) - 1, min(DRAWN, len(mine))).round().astype(int))
        for number in chosen if len(mine) else ():
            found.append((row["id"], row["stratum"], row["title"], number / max(len(mine) - 1, 1),
                          *(float(f"{value:.4g}") for value in mine.iloc[number]), row["effect"] / (row["margin"] or 1)))
    return pd.DataFrame(found, columns=COLUMNS)


def specification(points: pd.DataFrame) -> Figure:
    """A panel a stratum: the effects of all other analyses from the least to the greatest, with their intervals.

    Args:
        points: as `rows` gives them.
    """
    panels = list(points.groupby("stratum", sort=False))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(2.6 * len(panels) + 0.6, 1.7))
        for number, (stratum, mine) in enumerate(panels):
            width = 0.94 / len(panels)
            axes = figure.add_axes((0.07 + number * width, 0.2, width - 0.06, 0.66))
            axes.axhspan(-1, 1, color=BAND, lw=0, zorder=0)
            axes.axhline(0, color=QUIET, lw=0.7, zorder=1)
            axes.fill_between(mine["share"], mine["low"], mine["high"], color=BETTER, alpha=0.25, lw=0, zorder=2)
            axes.plot(mine["share"], mine["mean"], color=BETTER, lw=1.4, zorder=3)
            axes.plot([0.5], mine["effect"].iloc[:1], "D", color=TEXT, mec=PANEL, ms=5, zorder=4)
            reach = 1.1 * max(1.2, float(mine[["mean", "effect"]].abs().max().max()), min(
                float(mine[["low", "high"]].abs().max().max()), 2 * float(mine["mean"].abs().max())))
            axes.set_ylim(-reach, reach)
            axes.set_xticks([])
            axes.tick_params(labelsize=7)
            axes.set_title(stratum, size=8)
            axes.set_xlabel("analyses, the least effect first", size=7)
            axes.spines[["top", "right"]].set_visible(False)
    return figure


def specification_alt(points: pd.DataFrame) -> str:
    """From where to where the effects of all analyses go."""
    parts = [f"on {stratum} from {number(mine['mean'].iloc[0], '.2g')} to {number(mine['mean'].iloc[-1], '.2g')}, and the rule's own "
             f"{number(mine['effect'].iloc[0], '.2g')}" for stratum, mine in points.groupby("stratum", sort=False)]
    return f"{points['title'].iloc[0]}: the effect in margins under other choices, better above 0: " + "; ".join(parts) + "."
