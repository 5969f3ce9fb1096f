"""What was found of a change, and what to do: one row of the averages and its verdict, in other words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.book.study import NOT_MEASURED, Study
from pipeline.book.words import average as said
from pipeline.verdicts import words
from pipeline.verdicts.rule import Rule
from pipeline.config.claims import Claim
from pipeline.config.metrics import metric_of
from pipeline.tables.schemas import MEASURED


class Do(Enum):
    """What follows from a finding, in the order of the first page."""

    YES = "Better"
    NO = "Worse"
    DEPENDS = "It depends"
    NOTHING = "No effect that matters"
    OPEN = "Open"
    WAITING = "Being measured"
    NONE = "Not measured"


#: What a word for an average says where it is no reason to do anything.
NEUTRAL = {words.NO_DIFFERENCE: "Makes no difference", words.NONE_ON_AVERAGE: "Makes no difference on average",
           words.NO_BENEFIT: "No benefit that matters", words.NO_HARM: "No harm that matters"}
#: What is shown, by its region, of a claim that a little help or harm supports.
WITHIN = {"not_worse": words.NO_HARM, "not_better": words.NO_BENEFIT, "equivalent": words.NO_DIFFERENCE}
DEPENDS = "It depends on the data: proven to help on some, and to harm on others."


@dataclass(frozen=True)
class Finding:
    """What was found of a change, over a family, one of its strata, or named data sets.

    Attributes:
        claim: that it rests on.
        group: the stratum, where strata differ; else empty.
        instead: the two ways, what the claim tries first, where it is a choice between them, and not
            whether to add something; else empty.
        average: its row of the averages, with `scale`; None before anything is measured.
        verdict: its row of the verdicts.
        do: what follows.
        head: the same in a few words.
        units: what the average rests on, a row a unit, with `found` (better, worse or '').
        note: what a reader must know besides; may be empty.
    """

    claim: Claim
    group: str
    instead: tuple[str, ...]
    average: Mapping[str, Any] | None
    verdict: Mapping[str, Any]
    do: Do
    head: str
    units: pd.DataFrame
    note: str = ""

    @property
    def words(self) -> str:
        """The average in words; empty before anything is measured."""
        return said.finding(self.average) if self.average else ""

    @property
    def sentence(self) -> str:
        """What to do, and why, on one line."""
        text = f"{self.head}: {self.words}." if self.words else f"{self.head}."
        return f"{text} {self.note}".rstrip()


def findings(study: Study, claim: Claim, instead: Sequence[str] = ()) -> list[Finding]:
    """What was found of a claim: one, or where strata differ, one for each; none of an identity.

    Args:
        instead: see `Finding`.
    """
    if claim.checks:
        return []
    scales = study.claim_effects(claim)["scale"]
    found = []
    for verdict in study.verdict_rows(claim):
        row = study.average(claim, verdict["group"])
        row = row and row | {"scale": scales.iloc[0] if len(scales) else metric_of(claim.metric).scale,
                             "minus": any(one.minus for one in claim.contrasts)}
        do, head, note = conclude(claim, row, verdict, study.rule, instead)
        found.append(Finding(claim, verdict["group"], tuple(instead), row, verdict, do, head,
                             ways(_in_group(study.claim_units(claim), verdict["group"]), study.rule), note))
    return found


def _in_group(units: pd.DataFrame, group: str) -> pd.DataFrame:
    return units[units["group"] == group]


def ways(units: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Units with their own intervals: `low`, `high`, and `found`: better, worse, or '' if it holds zero."""
    half = (stats.t.isf(rule.tail, units["freedom"].astype(float)) * units["s"].astype(float))
    low, high = units["y"] - half, units["y"] + half
    found = np.select([low > 0, high < 0], ["better", "worse"], default="")
    return units.assign(low=low, high=high, found=found)


def conclude(claim: Claim, average: Mapping | None, verdict: Mapping, rule: Rule,
             instead: Sequence[str] = ()) -> tuple[Do, str, str]:
    """What follows from an average and its verdict: what to do, the same in words, and a note.

    To do something, or not, takes a word that helps or harms and a q value, behind that same
    direction, of at most `rule.q_level`.
    """
    if verdict["verdict"] == MEASURED:
        return Do.WAITING, "Being measured", ""
    if average is None or verdict["verdict"] == NOT_MEASURED:
        return Do.NONE, "Not measured yet", ""
    note = DEPENDS if average["depends"] else ""
    word, sure = average["word"], verdict["q"] <= rule.q_level
    judged = metric_of(claim.metric).judged
    if claim.predicts.quantifier == "some":
        return *_some(claim, verdict, sure), note
    if word in words.HELP | words.HARM:
        helps = word in words.HELP
        if not judged:
            return (Do.NOTHING, "Larger" if helps else "Smaller", note) if sure else (
                Do.OPEN, "Open", _unsure(verdict, rule))
        if sure and average.get("minus"):
            return Do.DEPENDS, "Helps more there" if helps else "Helps less there", note
        if sure and _directed(claim, verdict):
            return Do.YES if helps else Do.NO, _head(word, instead), note
        if sure and verdict["verdict"] == "supported":
            return Do.NOTHING, NEUTRAL[WITHIN[claim.predicts.region]], note
        return Do.OPEN, "Open", " ".join(filter(None, [_unsure(verdict, rule, _directed(claim, verdict)), note]))
    if word in NEUTRAL and not verdict["why"]:
        return Do.NOTHING, NEUTRAL[word], note
    why = f"{verdict['why'][:1].upper()}{verdict['why'][1:]}." if verdict["why"] else ""
    return Do.OPEN, "Open", " ".join(filter(None, [why, note]))


def _directed(claim: Claim, verdict: Mapping) -> bool:
    """Whether the p value behind a verdict is that of the average's direction, and not of the margin."""
    return claim.predicts.region not in WITHIN or verdict["verdict"] == "contradicted"


def _head(word: str, instead: Sequence[str]) -> str:
    """What to do; what is below the margin says so, as it hardly matters."""
    helps = word in words.HELP
    little = word in (words.HELPS_A_LITTLE, words.HARMS_A_LITTLE)
    if instead:
        return f"Prefer {instead[0 if helps else 1]}{' (a little better)' if little else ''}"
    return ("Put it in" if helps else "Leave it out") + (f" ({word})" if little else "")


def _some(claim: Claim, verdict: Mapping, sure: bool) -> tuple[Do, str]:
    """What a claim about some set says; its q value is that of the set, not of the average."""
    region = claim.predicts.region
    if sure and verdict["verdict"] == "supported":
        said_of = {"better": "Helps", "positive": "Helps", "worse": "Harms", "differs": "Matters",
                   "not_worse": "No harm that matters", "not_better": "No benefit that matters",
                   "equivalent": "Makes no difference"}
        return Do.DEPENDS, f"{said_of[region]} on some data"
    if sure and verdict["verdict"] == "contradicted":
        return Do.NOTHING, "On none of these sets"
    return Do.OPEN, "Open"


def _unsure(verdict: Mapping, rule: Rule, directed: bool = True) -> str:
    """Why an interval that leaves zero out is no advice; `directed`: its q value is of that direction."""
    if verdict["why"]:
        return f"{verdict['why'][:1].upper()}{verdict['why'][1:]}."
    q = f"(q = {_above(verdict['q'], rule.q_level)}, above {rule.q_level:g})."
    if not directed:
        return f"The interval leaves zero out; whether by enough to matter, which the claim is about, is not decided {q}"
    return f"The interval alone leaves zero out; among so many claims that may be chance {q}"


def _above(q: float, level: float) -> str:
    """A q value with as many digits as show that it is above a level, and at least two."""
    return next((text for digits in range(2, 8) if float(text := f"{q:.{digits}g}") > level), f"{q:.2g}")


@dataclass(frozen=True)
class Advice:
    """A situation of the guide with what was found of it.

    Attributes:
        situation: as book/guide.yaml words it.
        claim: that it rests on.
        found: one finding, or where strata differ, one for each.
    """

    situation: str
    claim: Claim
    found: tuple[Finding, ...]


def advice(study: Study, primary: bool = False, topic: str | None = None) -> list[Advice]:
    """What book/guide.yaml lists, with what was found.

    An entry whose claim is not declared is left out.

    Args:
        primary: of the primary claims alone.
        topic: of one chapter alone.
    """
    claims = {claim.slug: claim for claim in study.claims}
    return [Advice(entry["situation"], claim, tuple(findings(study, claim, entry.get("instead", ()))))
            for entry in study.guide
            if (claim := claims.get(entry["claim"])) and (claim.primary or not primary) and topic in (None, claim.topic)]
