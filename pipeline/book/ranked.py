"""What was found on a reader's own data: every network, ranked beside one plain one, and what the study found."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.config.metrics import metric_of
from pipeline.findings import words
from pipeline.findings.numbers import count, interval, share
from pipeline.findings.words import ALL, Word
from pipeline.tables.stored import records

#: A plain network that is not below this share of the trivial predictor's error has learnt little; one below the other knows
#: too much.
LITTLE, NOTHING = 0.9, 0.02
#: The simple predictors, and how a sentence calls each.
SIMPLE = {"persistence": "the last known value", "seasonal": "the value of a season before", "linear": "a linear model",
          "forest": "a random forest", "boosted": "gradient boosting"}
#: What to do about a change, by the word for it on this data set.
DO = {Word.BETTER: "take it", Word.A_LITTLE_BETTER: "take it, if it costs nothing", Word.NOTHING: "as you like",
      Word.A_LITTLE_WORSE: "leave it out", Word.WORSE: "leave it out"}
#: The same, where it is unclear here, by the study's word.
ELSEWHERE = {Word.BETTER: "try it: it is better elsewhere", Word.A_LITTLE_BETTER: "try it: it is a little better elsewhere",
             Word.A_LITTLE_WORSE: "rather not: it is a little worse elsewhere", Word.WORSE: "rather not: it is worse elsewhere"}


@dataclass(frozen=True)
class Change:
    """A network on one data set, beside the plain one.

    Attributes:
        found: the row of their comparison on that set, with the finding's `treatment` and `control`.
        study: what the study found of the network against its own control, on data of this kind; None without any.
    """

    found: Mapping
    study: Mapping | None

    @property
    def name(self) -> str:
        return self.found["treatment"]

    @property
    def here(self) -> str:
        """The word for it on this data set."""
        return self.found["word"]

    @property
    def amount(self) -> str:
        """The change of the error on this data set, with its interval."""
        return interval([self.found[name] for name in ("y", "low", "high")], metric_of("error"))

    @property
    def beats(self) -> bool:
        """Whether its error is below the plain network's for certain, and by more than the margin."""
        return self.here == Word.BETTER and self.found["y"] > self.found["margin"]


def ranked(tables: Mapping[str, pd.DataFrame], data: str, plain: str | None, stratum: str) -> list[Change]:
    """The networks that were tried on a data set beside the plain one, the least error first.

    Args:
        tables: `findings` and `sets`, as stored.
        stratum: that of the study whose data are like these.
    """
    findings = tables["findings"]
    findings = findings[findings["role"].isin(["versus", "own"]) & (findings["metric"] == "error")
                        & (findings["endpoint"] == "best")]
    beside = findings.loc[findings["control"] == plain].drop_duplicates("id")[["id", "treatment", "control"]]
    mine = tables["sets"][(tables["sets"]["data"] == data) & tables["sets"]["y"].map(math.isfinite)].merge(beside, on="id")
    study = findings[(findings["role"] == "versus") & (findings["stratum"] == stratum) & (findings["stratum"] != ALL)]
    known = {row["treatment"]: row for row in records(study)}
    return [Change(row, known.get(row["treatment"])) for row in records(mine.sort_values("treatment_mean", kind="stable"))]


def like(data: str, classes: Mapping[str, bool], params) -> str:
    """The stratum of the study whose data are like an own set: that of a set of its group with the same task."""
    entry = params.data[data]
    return next((one.stratum or one.family for name, one in params.data.items() if one.family and one.group == entry.group
                 and classes.get(name) == classes.get(data)), "")


def in_study(change: Change) -> str:
    """What the study found of a change, and against what, if not the plain network; a dash where there is nothing."""
    row = change.study
    if row is None:
        return "–"
    against = f" against {row['control']}" if row["control"] != change.found["control"] else ""
    return f"{interval([row[name] for name in ('effect', 'low', 'high')], metric_of('error'))}{against}, {row['word']}"


def elsewhere(change: Change) -> str:
    """Where the study expects the change on another data set; a dash where it does not say."""
    return (words.elsewhere(change.study) if change.study else "").removeprefix("on yours, probably ") or "–"


def advice(change: Change) -> str:
    """What to do about a network on this data set."""
    if change.here == Word.BETTER and not change.beats:
        return DO[Word.A_LITTLE_BETTER]
    same = change.study is not None and change.study["control"] == change.found["control"]
    return DO.get(change.here) or ELSEWHERE.get(change.study["word"] if same else "", "open")


def simple(baselines: Mapping | None) -> dict[str, float]:
    """Simple predictor, in words → its test error, the least first; nothing of one that is not for such data."""
    known = {words: float((baselines or {}).get(name, math.nan)) for name, words in SIMPLE.items()}
    return {words: known[words] for words in sorted(known, key=known.get) if math.isfinite(known[words])}


def beaten(changes: list[Change], baselines: Mapping | None, entry) -> str:
    """That the plain network is no better than the best simple predictor, and what to try first; else nothing.

    Args:
        entry: of the data set.
    """
    least = next(iter(simple(baselines).items()), None)
    # By the digits that are shown: 0.211 against 0.211 would puzzle.
    if not changes or least is None or float(f"{plain_error(changes):.3g}") < float(f"{least[1]:.3g}"):
        return ""
    first = ["more rows"]
    if hasattr(entry, "window"):
        first = [f"a longer window than {entry.window} rows", *first]
        first.insert(0 if least[0] in (SIMPLE["persistence"], SIMPLE["seasonal"]) else 2, "the target's differences instead of its values")
    return (f"The plain network, {changes[0].found['control']}, is no better than {least[0]}: its error is "
            f"{plain_error(changes):.3g} against {least[1]:.3g}. Before any change of it, try {', or '.join(first)}.")


def plain_error(changes: list[Change]) -> float:
    """The mean test error of the plain network."""
    return float(changes[0].found["control_mean"])


def summary(changes: list[Change]) -> list[str]:
    """What to do with this data, in a few sentences."""
    if not changes:
        return []
    better = [one for one in changes if one.beats]
    worse = [one for one in changes if one.here in (Word.WORSE, Word.A_LITTLE_WORSE)]
    if better:
        said = [f"Take what lowers the error: {_listed(better)}."]
        said += ["Each was tried alone; two together were not, and need not add up."] * (len(better) > 1)
    else:
        said = [f"None of {count(len(changes), 'change')} lowers the error for certain by more than the margin, "
                f"{share(math.expm1(changes[0].found['margin']))}: keep the plain network"
                + (", or follow the study where it says something." if any(one.study for one in changes) else ".")]
    if worse:
        said.append(f"Leave out what raises it: {_listed(worse)}.")
    if better or worse:
        said.append(f"Of {count(len(changes), 'interval')} at {share(0.95)}, about {0.05 * len(changes):.1g} would leave out zero by "
                    "chance, and the best of many looks better than it is: what decides something for you deserves "
                    "more seeds.")
    return said


def _listed(changes: list[Change]) -> str:
    return "; ".join(f"{one.name}, {one.amount}" for one in changes)


def warnings(changes: list[Change], baselines: Mapping | None) -> list[str]:
    """Why these findings deserve less trust: too few data, or a plain network that learns little.

    Args:
        baselines: the data set's row of the baselines; None without any.
    """
    if not changes:
        return []
    said, error, control = [], plain_error(changes), changes[0].found["control"]
    of_trivial = error / baselines["trivial"] if baselines is not None else LITTLE
    wide = sum((one.found["high"] - one.found["low"]) / 2 > one.found["margin"] for one in changes)
    if 2 * wide > len(changes):
        said.append(f"Too few data or seeds: {wide} of {len(changes)} intervals are wider than the margin "
                    f"({share(math.expm1(changes[0].found['margin']))}) on each side of their change. More seeds, a larger test "
                    "part (`split`) or more rows make them narrower.")
    if of_trivial < NOTHING:
        said.append(f"The error of {control}, {error:.3g}, is nearly 0: does an input tell the target, and is it known beforehand?")
    if of_trivial > LITTLE:
        said.append(f"{control} has learnt little: its error, {error:.3g}, is {share(of_trivial)} of what guessing gives. Changes "
                    "of a network that learns nothing mean nothing.")
    return said
