"""How often came what was foretold for another set."""

import matplotlib
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from pipeline.findings.numbers import number
from pipeline.style import QUIET, STYLE
from pipeline.tables.stored import records


def reliability(rows: pd.DataFrame) -> Figure:
    """The share that happened over the probability that was foretold, with its interval; on the line is right."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 3.6), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=QUIET, lw=0.8)
        axes.vlines(rows["predicted"], rows["low"], rows["high"], color=QUIET, lw=1, zorder=1)
        sns.scatterplot(rows, x="predicted", y="happened", hue="event", style="event", palette="colorblind", ax=axes)
        axes.set_xlabel("foretold probability")
        axes.set_ylabel("share of sources on which it came so")
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def reliability_alt(rows: pd.DataFrame) -> str:
    """Every bin in words."""
    return "; ".join(f"{row['event']}: foretold {number(row['predicted'], '.2f')}, happened {number(row['happened'], '.2f')}"
                     for row in records(rows)) + "."
