"""What a layer does at every place of a network, in words."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pipeline.book.words.comparison import Way, direction, interval
from pipeline.book.words.numbers import short, span
from pipeline.verdicts.rule import Rule

#: What the interval at a place says, against the network without the layer.
AGAINST_NONE = {Way.BETTER: "better than without it", Way.WORSE: "worse than without it",
                Way.SAME: "the same as without it, within the margin",
                Way.UNCLEAR: "not told apart from the network without it"}


def place_words(rows: pd.DataFrame, rule: Rule) -> str:
    """The best and the worst place on each data set, and how far that can be trusted, as Markdown.

    Args:
        rows: of the table `places`, one experiment.
        rule: for the confidence.
    """
    lines = [f"- **{data}**: {_ends(mine)}" for data, mine in rows.groupby("data", sort=False)]
    together = span([int(m) for m in rows["m"]])
    return "\n".join([
        "**Where do I put it?** Each place of the network was tried, one at a time, against the network "
        "without it. The change of the test error there:\n", *lines,
        f"\n**How sure?** In brackets: {short(100 * (1 - rule.alpha))} % intervals, for all {together} places "
        "of a data set together, so that the best and the worst may be picked from among them. Places whose "
        "intervals overlap are not told apart: which of those comes first may be chance.\n"])


def _ends(rows: pd.DataFrame) -> str:
    """The places that the table calls best and worst."""
    named = {row["stands"]: row for row in rows.to_dict("records") if row["stands"]}
    if not named:
        return "no place is named."
    return "; ".join(f"{stands} *{row['place']}*, {place_change(row)}: {AGAINST_NONE[direction(row)]}"
                     for stands in ("best", "worst") if (row := named.get(stands))) + "."


def place_change(row: Mapping) -> str:
    """The change of the test error at a place, with its interval."""
    return interval({**row, "metric": "error", "scale": "log ratio"})


def finding(rows: pd.DataFrame) -> str:
    """Per data set, the place that helps most and the one that harms most, where the interval says so."""
    lines = []
    for data, mine in rows.groupby("data", sort=False):
        best, worst = (next((row["place"] for row in mine.to_dict("records") if row["stands"] == stands
                             and direction(row) == way), None)
                       for stands, way in (("best", Way.BETTER), ("worst", Way.WORSE)))
        helps = f"{best} helps most" if best else "no place clearly helps"
        lines.append(f"{data}: {helps}, " + (f"{worst} harms most" if worst else
                                             "none clearly harms" if not best else "no place clearly harms"))
    return "\n".join(lines)
