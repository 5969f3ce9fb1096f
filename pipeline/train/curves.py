"""The figure of learning curves."""

import base64
import textwrap
from dataclasses import dataclass

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
    """Validation loss by epoch: a thin line per seed, their median thick.

    One panel per data set and variant. The median training loss is dashed. Medians end where fewer
    than half of the seeds still train: later they would be those of a few seeds. In a notebook the
    figure shows itself, with its alternative text.

    Args:
        curves: columns `data`, `variant`, `seed`, `epoch`, `train_loss`, `validation_loss`, and
            `best_epoch` of the run; one line per variant, data set and seed.

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
                axes.plot(seed["epoch"], seed["validation_loss"], color=TREATMENT, lw=0.5, alpha=0.3, rasterized=True)
            summary = _Summary.of(mine)
            axes.plot(summary.median.index, summary.median["validation_loss"], color=TREATMENT, lw=2,
                      label="validation, median while half of the seeds train; thin: each seed")
            axes.plot(summary.median.index, summary.median["train_loss"], color=CONTROL, lw=1.4, ls="--",
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
            title = f"{_where(data, variant)}: {summary.title()}"
            # The names of a sweep's variants may be longer than a panel is wide.
            axes.set_title(textwrap.fill(title.replace(",", ", ").replace(",  ", ", "), 44), size=8 if variant else 9)
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(labelsize=8)
            axes.set_xlabel("epoch", size=8.5)
            axes.set_ylabel("loss", size=8.5)
        for axes in figure.axes[len(panels):]:
            axes.set_axis_off()
        handles, words = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, words, loc="outside lower left", ncols=min(2, columns), frameon=False, fontsize=8)
    return figure


def learning_curves_alt(curves: pd.DataFrame) -> str:
    """Per data set and variant: the median best epoch, how long the seeds train, and how far the loss falls."""
    need(curves)
    parts = []
    for (data, variant), mine in curves.groupby(["data", "variant"], sort=False):
        summary = _Summary.of(mine.replace([np.inf, -np.inf], np.nan))
        parts.append(f"on {_where(data, variant)} {summary.words()}")
    return "Learning curves: " + "; ".join(parts) + "."


def _where(data: str, variant: str) -> str:
    return f"{data}, {variant}" if variant else data


@dataclass(frozen=True)
class _Summary:
    """What the curves of one network on one data set show.

    Attributes:
        best: the median over seeds of the epoch of the least validation loss.
        half, last: until which epoch half of the seeds train, and the last one.
        median: of the losses over seeds, by epoch, as long as half of the seeds train; no rows if no loss is finite.
    """

    seeds: int
    best: float
    half: int
    last: int
    median: pd.DataFrame

    @classmethod
    def of(cls, curves: pd.DataFrame) -> "_Summary":
        by_epoch, seeds = curves.groupby("epoch"), curves["seed"].nunique()
        training = by_epoch["validation_loss"].count()
        training = training[2 * training >= seeds]
        half = int(training.index.max()) if len(training) else 0
        return cls(seeds, float(curves.groupby("seed")["best_epoch"].first().median()), half,
                   int(curves["epoch"].max()), by_epoch[["train_loss", "validation_loss"]].median().loc[:half])

    def title(self) -> str:
        if not self.half:
            return "no loss is finite"
        return f"best epoch {self.best:g}, median of {_seeds(self.seeds)}; half train until epoch {self.half}"

    def words(self) -> str:
        if not self.half:
            return f"({_seeds(self.seeds)}) no loss is finite"
        losses = self.median["validation_loss"]
        return (f"({_seeds(self.seeds)}) the median best epoch is {self.best:g}; half of the seeds train until epoch "
                f"{self.half}, the last until {self.last}; until {self.half} the median validation loss falls to "
                f"{losses.min():.3g} and ends at {losses.iloc[-1]:.3g}")


def _seeds(number: int) -> str:
    return f"{number} seed{'s' * (number != 1)}"
