"""What was found on a reader's own data: every change, ranked, beside what the study found."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.config.metrics import metric_of
from pipeline.findings import words
from pipeline.findings.numbers import capital, count, interval, share
from pipeline.findings.words import ALL, Word
from pipeline.tables.stored import records

#: A control that is not below this share of the trivial predictor's error has learnt little.
LITTLE = 0.9
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
    """A change of a network on one data set.

    Attributes:
        found: its finding's row on that set, with the finding's `treatment` and `control`.
        study: the row of the same comparison on the study's data of this kind; None without any.
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


def ranked(tables: Mapping[str, pd.DataFrame], data: str, strata: Mapping[str, str]) -> list[Change]:
    """The networks that were tried on a data set, the least error first, whatever each is a change of.

    Args:
        tables: `findings` and `sets`, as stored.
        strata: data set → the stratum whose data are like it.
    """
    findings = tables["findings"]
    findings = findings[(findings["role"] == "versus") & (findings["metric"] == "error") & (findings["endpoint"] == "best")]
    plain = findings.drop_duplicates("id")[["id", "treatment", "control"]]
    mine = tables["sets"][(tables["sets"]["data"] == data) & tables["sets"]["y"].map(math.isfinite)].merge(plain, on="id")
    return [Change(row, _study(findings, row, strata.get(data, "")))
            for row in records(mine.sort_values("treatment_mean", kind="stable"))]


def _study(findings: pd.DataFrame, row: Mapping, stratum: str) -> Mapping | None:
    same = findings[(findings["treatment"] == row["treatment"]) & (findings["control"] == row["control"])
                    & (findings["id"] != row["id"]) & (findings["stratum"] == stratum) & (findings["stratum"] != ALL)]
    return records(same)[0] if len(same) else None


def like(data: str, classes: Mapping[str, bool], params) -> str:
    """The stratum of the study whose data are like an own set: that of a set of its group with the same task."""
    entry = params.data[data]
    return next((one.stratum or one.family for name, one in params.data.items() if one.family and one.group == entry.group
                 and classes.get(name) == classes.get(data)), "")


def in_study(change: Change) -> str:
    """What the study found of a change; a dash where there is nothing."""
    row = change.study
    if row is None:
        return "–"
    return f"{interval([row[name] for name in ('effect', 'low', 'high')], metric_of('error'))}, {row['word']}"


def elsewhere(change: Change) -> str:
    """Where the study expects the change on another data set; a dash where it does not say."""
    return (words.elsewhere(change.study) if change.study else "").removeprefix("on yours, probably ") or "–"


def plain(changes: list[Change]) -> tuple[str, float]:
    """The network that most others are compared with, and that is a change of none, and its mean test error."""
    found = controls(changes)
    return max(found.items(), key=lambda one: sum(change.found["control"] == one[0] for change in changes))


def beats(change: Change, changes: list[Change]) -> bool:
    """Whether a network that is better than what it is a change of is better than the plain one, too."""
    return change.found["treatment_mean"] < plain(changes)[1]


def advice(change: Change, changes: list[Change]) -> str:
    """What to do about a change on this data set, of all that were tried."""
    if change.here in (Word.BETTER, Word.A_LITTLE_BETTER) and not beats(change, changes):
        return f"better than {change.found['control']}, but not than {plain(changes)[0]}"
    return DO.get(change.here) or ELSEWHERE.get(change.study["word"] if change.study else "", "open")


def summary(changes: list[Change]) -> list[str]:
    """What to do with this data, in a few sentences."""
    if not changes:
        return []
    by = {word: [one for one in changes if one.here in (word, f"a little {word}")] for word in ("better", "worse")}
    by["better"] = [one for one in by["better"] if beats(one, changes)]
    said = []
    if by["better"]:
        said.append(f"Take what lowers the error: {_listed(by['better'])}.")
        if len(by["better"]) > 1:
            said.append("Each was tried alone; two together were not, and need not add up.")
    else:
        said.append(f"None of {count(len(changes), 'change')} lowers the error for certain: keep the plain network"
                    + (", or follow the study where it says something." if any(one.study for one in changes) else "."))
    if by["worse"]:
        said.append(f"Leave out what raises it: {_listed(by['worse'])}.")
    if by["better"] or by["worse"]:
        said.append(f"Of {count(len(changes), 'interval')} at {share(0.95)}, about {0.05 * len(changes):.1g} would leave out zero by "
                    "chance, and the best of many looks better than it is: what decides something for you deserves "
                    "more seeds.")
    return said


def _listed(changes: list[Change]) -> str:
    return "; ".join(f"{one.name}, {one.amount}" for one in changes)


def warnings(changes: list[Change], baselines: Mapping | None) -> list[str]:
    """Why these findings deserve less trust: too few data, or a control that learns little.

    Args:
        baselines: the data set's row of the baselines; None without any.
    """
    said = []
    wide = sum((one.found["high"] - one.found["low"]) / 2 > one.found["margin"] for one in changes)
    if changes and 2 * wide > len(changes):
        said.append(f"Too few data or seeds: {wide} of {len(changes)} intervals are wider than the margin "
                    f"({share(math.expm1(changes[0].found['margin']))}) on each side of their change. More seeds, a larger test "
                    "part (`split`) or more rows make them narrower.")
    for control, error in controls(changes).items():
        if baselines is None:
            continue
        if error > LITTLE * baselines["trivial"]:
            said.append(f"{control} has learnt little: its error, {error:.3g}, is {share(error / baselines['trivial'])} "
                        "of what guessing gives. Changes of a network that learns nothing mean nothing.")
        # By the digits that are shown: 0.211 against 0.211 would puzzle.
        less = {name: baselines[name] for name in SIMPLE if float(f"{baselines[name]:.3g}") < float(f"{error:.3g}")}
        if less:
            least = min(less, key=less.get)
            said.append(f"{capital(SIMPLE[least])} does better than {control}: {less[least]:.3g} against "
                        f"{error:.3g}. Nothing that is ranked here need be the best choice for these data.")
    return said


def controls(changes: list[Change]) -> dict[str, float]:
    """The networks that were changed and are no change of another one here, and their mean test errors."""
    tried = {one.name for one in changes}
    return {one.found["control"]: float(one.found["control_mean"]) for one in changes if one.found["control"] not in tried}
