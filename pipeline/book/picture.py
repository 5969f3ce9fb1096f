"""A figure of the book: how it is drawn, what it is drawn from, and the text that stands in for it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from matplotlib.figure import Figure

from pipeline.book.escape import raw
from pipeline.style import need, svg


@dataclass(frozen=True)
class Picture:
    """A figure as SVG, and beside it the rows that it is drawn from as CSV; ValueError without rows.

    Attributes:
        name: of the figure and of its data, without an ending.
        rows: what it is drawn from; their texts are `inert`, and drawn as they were.
        draw, describe: rows → figure, rows → alternative text.
        small: whether it fits a narrow screen; a large one scrolls there in a box of its own.
    """

    name: str
    rows: pd.DataFrame
    draw: Callable[[pd.DataFrame], Figure]
    describe: Callable[[pd.DataFrame], str]
    small: bool = False

    def __post_init__(self):
        need(self.rows)

    @cached_property
    def _texts(self) -> pd.DataFrame:
        return raw(self.rows)

    @cached_property
    def alt(self) -> str:
        """The alternative text, on one line."""
        return " ".join(self.describe(self._texts).split())

    @cached_property
    def data(self) -> str:
        """The rows as CSV."""
        return self._texts.to_csv(index=False, lineterminator="\n", na_rep="NaN")

    @property
    def experiments(self) -> list[str]:
        """The experiments, or their variants, that the rows come from."""
        return [name for column in ("treatment", "control", "minus_treatment", "minus_control", "experiment")
                if column in self.rows for name in self.rows[column]]

    def files(self) -> dict[str, str]:
        """The figure and its data, by path."""
        return {f"figures/{self.name}.svg": svg(self.draw(self._texts)), f"figures/{self.name}.csv": self.data}


def sha256(data: bytes) -> str:
    """The start of a hash, as the line below a figure shows it."""
    return hashlib.sha256(data).hexdigest()[:12]
