"""The figure of learning curves."""

from __future__ import annotations

import base64
import textwrap

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from pipeline.style import CONTROL, STYLE, TREATMENT, need, png


class _Picture(Figure):
    """A figure that a notebook shows as PNG with its alternative text, whatever its backend."""

    alt = ""

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = base64.b64encode(png(self)).decode("ascii")
        return ({"image/png": data, "text/plain": self.alt}, {"image/png": {"alt": self.alt}})


def learning_curves(curves: pd.DataFrame) -> Figure:
    """Validation loss by epoch: a thin line per seed, the median of all seeds thick.

    One panel per data set and variant. The median training loss is dashed. In a notebook the
    figure shows itself, with its alternative text.

    Args:
        curves: columns `data`, `variant`, `seed`, `epoch`, `train_loss`, `validation_loss`;
            one line per variant, data set and seed.

    Raises:
        ValueError: no rows.
    """
    need(curves)
    panels = list(curves.groupby(["data", "variant"], sort=False))
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    with matplotlib.rc_context(STYLE):
        figure = _Picture(figsize=(0.4 + 3.3 * columns, 0.5 + 2.1 * rows), layout="constrained")
        figure.alt = learning_curves_alt(curves)
        grid = figure.subplots(rows, columns, squeeze=False).flat
        first = {}
        for axes, ((data, variant), mine) in zip(grid, panels, strict=False):
            # A diverged seed has no finite loss; it has no line from there on.
            mine = mine.replace([np.inf, -np.inf], np.nan)
            for _, seed in mine.groupby("seed"):
                axes.plot(seed["epoch"], seed["validation_loss"], color=TREATMENT, lw=0.5,
                          alpha=0.3, rasterized=True)
            median = mine.groupby("epoch")[["train_loss", "validation_loss"]].median()
            axes.plot(median.index, median["validation_loss"], color=TREATMENT, lw=2,
                      label="validation, median; thin: each seed")
            axes.plot(median.index, median["train_loss"], color=CONTROL, lw=1.4, ls="--",
                      label="training, median")
            if np.nanmin(mine[["train_loss", "validation_loss"]].to_numpy(), initial=np.inf) > 0:
                axes.set_yscale("log")
                axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
                axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
                axes.yaxis.set_minor_locator(NullLocator())
            if data in first:
                axes.sharey(first[data])
            first.setdefault(data, axes)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            best, heading = _best_epoch(median), f"{data}, {variant}" if variant else data
            title = f"{heading}: best at epoch {best}" if best else heading
            # The names of a sweep's variants may be longer than a panel is wide.
            axes.set_title(textwrap.fill(title.replace(",", ", ").replace(",  ", ", "), 44),
                           size=8 if variant else 9)
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(labelsize=8)
            axes.set_xlabel("epoch", size=8.5)
            axes.set_ylabel("loss", size=8.5)
        for axes in figure.axes[len(panels):]:
            axes.set_axis_off()
        handles, words = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, words, loc="outside lower left", ncols=2, frameon=False, fontsize=8)
    return figure


def learning_curves_alt(curves: pd.DataFrame) -> str:
    """Per data set and variant: where the median validation loss is least, and where it ends."""
    need(curves)
    parts = []
    for (data, variant), mine in curves.groupby(["data", "variant"], sort=False):
        mine = mine.replace([np.inf, -np.inf], np.nan)
        median = mine.groupby("epoch")[["train_loss", "validation_loss"]].median()
        best, where = _best_epoch(median), f"{data}, {variant}" if variant else data
        number = mine["seed"].nunique()
        seeds = f"{number} seed{'s' * (number != 1)}"
        parts.append(
            f"on {where} ({seeds}) the median validation loss is least at epoch {best} of "
            f"{median.index.max()} ({median['validation_loss'].loc[best]:.3g}) and ends at "
            f"{median['validation_loss'].iloc[-1]:.3g}" if best else
            f"on {where} ({seeds}) no loss is finite")
    return "Learning curves: " + "; ".join(parts) + "."


def _best_epoch(median: pd.DataFrame) -> int | None:
    losses = median["validation_loss"]
    return int(losses.idxmin()) if losses.notna().any() else None
