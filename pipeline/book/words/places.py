"""What a layer does at every place of a network, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from pipeline.book.rows import records
from pipeline.book.words.comparison import Way, direction, interval
from pipeline.book.words.numbers import short, span
from pipeline.verdicts.rule import Rule

#: What the interval at a place says, against the network without the layer.
AGAINST_NONE = {Way.BETTER: "better than without it", Way.WORSE: "worse than without it",
                Way.SAME: "as good as without it, within the margin",
                Way.UNCLEAR: "not told apart from the network without it"}
ALIKE = "no place is told apart from another"
NONE = "there are too few places to compare"


def place_words(layers: str, rows: pd.DataFrame, rule: Rule) -> str:
    """The best and the worst place on average, and how far that can be trusted, as Markdown.

    Args:
        layers: what was put there, in words.
        rows: of the table `places`, one experiment.
        rule: for the confidence.
    """
    lines = [f"- **{where(family)}**: {_ends(mine.to_dict('records'))}"
             for family, mine in rows.groupby("family", sort=False)]
    return "\n".join([
        f"**Where do I put {layers}?** Every place of the network was tried, one at a time, against the "
        "network without it. The places that may be the best and the worst, and the average change of the test "
        "error there:\n",
        *lines,
        f"\n**How sure?** In brackets: {short(100 * rule.confidence)} % intervals, for all "
        f"{span(rows.groupby('family', sort=False).size())} places together. The data picked the best place and "
        "the worst, so one that looks best may be so by chance: a place *may be* the best as long as no other "
        "is shown to be better than it, and it *is* the best once every other one is shown to be worse.\n"])


def _ends(rows: Sequence[Mapping]) -> str:
    """What stands best and worst, what it does, and what else may be."""
    named = _named(rows)
    if not named:
        return NONE
    if _alike(rows):
        (best, worst) = (f"*{row['place']}*, {place_change(row)}" for row in named)
        return f"{ALIKE}, from {best}, to {worst}."
    return ". ".join(f"{_claim(row)}, {place_change(row)}, {AGAINST_NONE[direction(row)]}{_rivals(row, rows)}"
                     for row in named) + "."


def _named(rows: Sequence[Mapping]) -> list[Mapping]:
    """The places that stand best and worst, or none."""
    return [row for stands in ("best", "worst") for row in rows if row["stands"] == stands]


def _alike(rows: Sequence[Mapping]) -> bool:
    """Whether every place may be the best, and the worst."""
    return all(row["may_be_best"] and row["may_be_worst"] for row in rows)


def _claim(row: Mapping, mark: str = "*") -> str:
    """`after relu_1` is best, or may be."""
    return f"{mark}{row['place']}{mark} {'is' if row['apart'] else 'may be'} {row['stands']}"


def best_and_worst(rows: Sequence[Mapping]) -> str:
    """The places that are, or may be, the best and the worst, in plain words."""
    named = _named(rows)
    return NONE if not named else ", ".join(_claim(row).replace("*", "") for row in named) + (
        f" ({ALIKE})" if _alike(rows) else "")


def _rivals(row: Mapping, rows: Sequence[Mapping]) -> str:
    """The other places that may be best, or worst, too."""
    others = [f"*{one['place']}*" for one in rows
              if one[f"may_be_{row['stands']}"] and one["place"] != row["place"]]
    if not others:
        return ""
    return f" (so may {' and '.join(filter(None, [', '.join(others[:-1]), others[-1]]))})"


def place_change(row: Mapping) -> str:
    """The average change of the test error at a place, with its interval."""
    if not math.isfinite(row["effect"]):
        return "no effect can be computed"
    return interval({**row, "metric": "error", "scale": "log ratio"}, "effect")


def finding(rows: pd.DataFrame, changes: bool = False) -> list[str]:
    """Per family, which place is, or may be, the best and the worst; with its change, if asked."""
    lines = []
    for family, mine in rows.groupby("family", sort=False):
        mine = records(mine)
        parts = [_claim(row, mark="") + (f", {place_change(row)}" if changes else "")
                 for row in _named(mine)]
        words = ("; " if changes else ", ").join(parts) if parts and not _alike(mine) else (
            ALIKE if parts else NONE)
        lines.append(f"{where(family)}: {words}")
    return lines


def where(family: str) -> str:
    """What an average is over: a family, or the sets that are named."""
    return family or "these sets"
