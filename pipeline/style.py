"""How every figure looks: colours, fonts, and pictures of fixed bytes."""

from __future__ import annotations

import io

import matplotlib
import pandas as pd
from PIL import Image
from matplotlib.figure import Figure

#: One colour per role (Okabe & Ito's palette, which colour-blind readers tell apart).
TREATMENT, CONTROL, BAND = "#0072b2", "#d55e00", "#dfe6dc"
BETTER, WORSE = TREATMENT, CONTROL
TEXT, QUIET, PANEL, GREY = "#1b1f24", "#5c6670", "#fcfcfa", "#c9ccd0"
STYLE = {"font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 9,
          "text.color": TEXT, "axes.labelcolor": TEXT, "xtick.color": TEXT, "ytick.color": TEXT,
          "axes.edgecolor": QUIET, "axes.facecolor": PANEL, "figure.facecolor": PANEL,
          "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
          "axes.unicode_minus": True, "svg.fonttype": "none", "svg.hashsalt": "layers"}


def svg(figure: Figure) -> str:
    """A figure as SVG text, the same text for the same figure."""
    buffer = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format="svg", facecolor=PANEL, bbox_inches="tight", pad_inches=0.12,
                       metadata={"Date": None, "Creator": None})
    # Trailing blanks would make differences between versions hard to read.
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def png(figure: Figure, dpi: int = 80) -> bytes:
    """A figure as PNG bytes, for pictures with more lines than an SVG should hold."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format="png", dpi=dpi, facecolor=PANEL, bbox_inches="tight",
                       pad_inches=0.12, metadata={"Software": None})
    # A palette of 48 colours is a quarter of the size, and thin lines look the same.
    small = io.BytesIO()
    Image.open(buffer).convert("RGB").quantize(48).save(small, format="png", optimize=True)
    return small.getvalue()


def need(table: pd.DataFrame) -> None:
    if not len(table):
        raise ValueError("a figure needs at least one row. Received: none")


def one(table: pd.DataFrame, column: str) -> str:
    values = list(dict.fromkeys(table[column]))
    if len(values) != 1:
        raise ValueError(f"a forest plot needs one {column}. Received: {', '.join(values)}")
    return values[0]
