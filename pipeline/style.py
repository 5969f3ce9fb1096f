"""How every figure looks: colours, fonts, and pictures of fixed bytes."""

import io
import math
from collections.abc import Callable, Sequence

import matplotlib
import numpy as np
import pandas as pd
from PIL import Image
from matplotlib.axis import XAxis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

#: One colour per role (Okabe & Ito's palette, which colour-blind readers tell apart).
TREATMENT, CONTROL, BAND = "#0072b2", "#d55e00", "#dfe6dc"
BETTER, WORSE = TREATMENT, CONTROL
TEXT, QUIET, PANEL = "#1b1f24", "#5c6670", "#fcfcfa"
STYLE = {"font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 9,
          "text.color": TEXT, "axes.labelcolor": TEXT, "xtick.color": TEXT, "ytick.color": TEXT,
          "axes.edgecolor": QUIET, "axes.facecolor": PANEL, "figure.facecolor": PANEL,
          "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
          "axes.unicode_minus": True, "text.parse_math": False, "svg.fonttype": "none", "svg.hashsalt": "layers"}
#: Around a figure, in inches.
PADDING = 0.12


def svg(figure: Figure) -> str:
    """A figure as SVG text, the same text for the same figure."""
    buffer = io.StringIO()
    with matplotlib.rc_context(STYLE):
        # As `bbox_inches="tight"` does, which draws the figure twice.
        box = figure.get_tightbbox().padded(PADDING)
        figure.savefig(buffer, format="svg", facecolor=PANEL, bbox_inches=box, metadata={"Date": None, "Creator": None})
    # Trailing blanks would make differences between versions hard to read.
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def png(figure: Figure, dpi: int = 80) -> bytes:
    """A figure as PNG bytes, for pictures with more lines than an SVG should hold."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format="png", dpi=dpi, facecolor=PANEL, bbox_inches="tight",
                       pad_inches=PADDING, metadata={"Software": None})
    # A palette of 48 colours is a quarter of the size, and thin lines look the same.
    small = io.BytesIO()
    Image.open(buffer).convert("RGB").quantize(48).save(small, format="png", optimize=True)
    return small.getvalue()


def need(table: pd.DataFrame) -> None:
    """Raises ValueError if a table has no rows."""
    if not len(table):
        raise ValueError("a figure needs at least one row. Received: none")


def one(table: pd.DataFrame, column: str) -> str:
    """The value that all rows share; raises ValueError if there are more."""
    values = list(dict.fromkeys(table[column]))
    if len(values) != 1:
        raise ValueError(f"this figure needs one {column}. Received: {', '.join(values)}")
    return values[0]


def ratio_ticks(low: float, high: float) -> list[float]:
    """Round per-cent changes between two logarithms of ratios."""
    grids = ([-20, -15, -10, -5, 0, 5, 10, 15, 20, 25],
             [-60, -50, -40, -30, -20, -10, 0, 10, 25, 50, 75, 100, 150],
             [-80, -60, -40, -20, 0, 30, 60, 100, 200, 300],
             [-99, -95, -80, -50, 0, 100, 400, 1900, 9900])
    grid = grids[int(np.searchsorted([0.4, 1.0, 2.2], high - low))]
    return [place for g in grid if low <= (place := math.log1p(g / 100)) <= high]


def ratio_axis(axis: XAxis, places: Sequence[float], words: Callable[[float], str]) -> None:
    """Ticks at the given places and nowhere else, each in words."""
    axis.set_major_locator(FixedLocator(places))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: words(value)))
