"""What was found on a reader's own data: every change, ranked, beside what the study found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.book.rows import records
from pipeline.book.words.numbers import count, signed

#: A control that is not below this share of the trivial predictor's error has learnt little.
LITTLE = 0.9
#: The simple predictors, and how a sentence calls each.
SIMPLE = {"persistence": "the last known value", "linear": "a linear model", "forest": "a random forest"}


@dataclass(frozen=True)
class Change:
    """A change of a network on one data set.

    Attributes:
        found: its row of the effects.
        study: its row of the averages, of a family if it has one, and of the stratum that has the data
            set's task; None without any.
    """

    found: Mapping
    study: Mapping | None

    @property
    def name(self) -> str:
        return self.found["treatment"]

    @property
    def here(self) -> str:
        """What the interval on this data set shows."""
        return shown(self.found["low"], self.found["high"], self.found["margin"])


def ranked(effects: pd.DataFrame, averages: pd.DataFrame, data: str, classes: Mapping[str, bool]) -> list[Change]:
    """The changes that were tried on a data set, the greatest fall of the error first.

    Args:
        effects, averages: their stored tables.
        classes: data set → whether its targets are classes, which tells strata apart.
    """
    mine = _of_experiments(effects)
    mine = mine[(mine["data"] == data) & mine["y"].map(math.isfinite)]
    return [Change(row, _average(_of_experiments(averages), effects, row, data, classes))
            for row in records(mine.sort_values("y", ascending=False, kind="stable"))]


def _of_experiments(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of comparisons of errors that no claim asks for."""
    return table[(table["claim"] == "") & (table["metric"] == "error") & (table["endpoint"] == "best")]


def _average(averages: pd.DataFrame, effects: pd.DataFrame, row: Mapping, data: str,
             classes: Mapping[str, bool]) -> Mapping | None:
    found = averages[(averages["treatment"] == row["treatment"]) & (averages["control"] == row["control"])]
    for one in records(found.sort_values("family", key=lambda family: family == "", kind="stable")):
        sets = effects.loc[effects["stratum"] == one["group"], "data"]
        if one["group"] == "" or any(classes.get(other) == classes.get(data) for other in sets):
            return one
    return None


def shown(low: float, high: float, margin: float) -> str:
    """What an interval of an effect shows beside the margin."""
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    if -margin < low and high < margin:
        return "no difference that matters"
    if high < margin:
        return "no benefit that matters"
    return "no harm that matters" if low > -margin else "too few to tell"


def percent(effect: float) -> str:
    """An effect as the change of the error, to the per cent: `−12 %`."""
    return signed(float(round(100 * math.expm1(-effect))), " %") if math.isfinite(effect) else "–"


def interval(row: Mapping, middle: str = "y", low: str = "low", high: str = "high") -> str:
    """An effect as the change of the error, with its interval."""
    ends = [percent(row[end]).removesuffix(" %") for end in (high, low)]
    return f"{percent(row[middle])} ({ends[0]} to {ends[1]} %)"


def in_study(change: Change) -> str:
    """The study's average of a change, with its interval; a dash where there is none."""
    return interval(change.study, "mean") if change.study else "–"


def elsewhere(change: Change) -> str:
    """Where the study expects the change on another data set; a dash where it does not say."""
    row = change.study
    if not row or not math.isfinite(row["range_low"]) or not math.isfinite(row["range_high"]):
        return "–"
    return f"{percent(row['range_high']).removesuffix(' %')} to {percent(row['range_low'])}"


def advice(change: Change) -> str:
    """What to do about a change on this data set."""
    here = change.here
    if here in ("better", "worse"):
        return "take it" if here == "better" else "leave it out"
    if here == "no difference that matters":
        return "as you like"
    if here == "no benefit that matters":
        return "leave it out"
    if here == "no harm that matters":
        return "may be worth it: more data would tell"
    if change.study and change.study["low"] > 0:
        return "try it: it helps on average elsewhere"
    if change.study and change.study["high"] < 0:
        return "rather not: it harms on average elsewhere"
    return "open"


def summary(changes: list[Change]) -> list[str]:
    """What to do with this data, in a few sentences."""
    if not changes:
        return []
    by = {word: [one for one in changes if one.here == word] for word in ("better", "worse")}
    said = []
    if by["better"]:
        said.append(f"Take what lowers the error: {_listed(by['better'])}.")
        if len(by["better"]) > 1:
            said.append("Each was tried alone; two together were not, and need not add up.")
    else:
        said.append(f"None of {count(len(changes), 'change')} lowers the error for certain: keep the plain network"
                    + (", or follow the study's averages where they say something." if any(
                        one.study for one in changes) else "."))
    if by["worse"]:
        said.append(f"Leave out what raises it: {_listed(by['worse'])}.")
    chance = 0.05 * len(changes)
    if by["better"] or by["worse"]:
        said.append(f"Of {count(len(changes), 'interval')} at 95 %, about {chance:.1g} would leave out zero by chance, "
                    "and the best of many looks better than it is: what decides something for you deserves "
                    "more seeds.")
    return said


def _listed(changes: list[Change]) -> str:
    return "; ".join(f"{one.name}, {interval(one.found)}" for one in changes)


def warnings(changes: list[Change], baselines: Mapping | None) -> list[str]:
    """Why these findings deserve less trust: too few data, or a control that learns little.

    Args:
        baselines: the data set's row of the baselines; None without any.
    """
    said = []
    halves = [(one.found["high"] - one.found["low"]) / 2 for one in changes]
    wide = sum(half > one.found["margin"] for half, one in zip(halves, changes, strict=True))
    if changes and 2 * wide > len(changes):
        margin = percent(-changes[0].found["margin"])
        said.append(f"Too few data or seeds: {wide} of {len(changes)} intervals are wider than the margin "
                    f"({margin}) on each side of their change. More seeds, a larger test part (`split`) or more "
                    "rows make them narrower.")
    for control, error in controls(changes).items():
        if baselines is None:
            continue
        if error > LITTLE * baselines["trivial"]:
            said.append(f"{control} has learnt little: its error, {error:.3g}, is {100 * error / baselines['trivial']:.0f} % "
                        "of what guessing gives. Changes of a network that learns nothing mean nothing.")
        # By the digits that are shown: 0.211 against 0.211 would puzzle.
        less = {name: baselines[name] for name in SIMPLE if float(f"{baselines[name]:.3g}") < float(f"{error:.3g}")}
        if less:
            least = min(less, key=less.get)
            said.append(f"{SIMPLE[least].capitalize()} does better than {control}: {less[least]:.3g} against "
                        f"{error:.3g}. Nothing that is ranked here need be the best choice for these data.")
    return said


def controls(changes: list[Change]) -> dict[str, float]:
    """The networks that were changed and are no change of another one here, and their mean test errors."""
    tried = {one.name for one in changes}
    return {one.found["control"]: float(one.found["control_mean"]) for one in changes
            if one.found["control"] not in tried}
