"""Advice by situation: what to do follows from a claim's verdict and its comparisons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pandas as pd

from pipeline.book.study import Study
from pipeline.book.words.comparison import Way, counted, direction, directions
from pipeline.spec.claims import Claim, Contrast, base


class Meaning(Enum):
    """What was found of a change: by its claim's verdict, or by the comparisons if that is open."""

    BETTER = "better"
    ALL_BETTER = "all better"
    SOME_BETTER = "some better"
    BOTH = "both"
    DIFFERS = "differs"
    NOT_WORSE = "not worse"
    SAME = "same"
    OPEN = "open"
    NOT_BETTER = "not better"
    SOME_WORSE = "some worse"
    ALL_WORSE = "all worse"
    WORSE = "worse"


_M = Meaning
#: What a decided claim says of the change itself, by the predicted region and the verdict. A claim
#: of “some”, and one that is mixed or undecided, says it by its comparisons.
MEANS = {
    "better": {"supported": _M.BETTER, "opposite": _M.WORSE, "no_effect": _M.NOT_BETTER},
    "worse": {"supported": _M.WORSE, "opposite": _M.BETTER, "no_effect": _M.NOT_WORSE},
    "not_better": {"supported": _M.NOT_BETTER, "opposite": _M.BETTER, "no_effect": _M.BETTER},
    "not_worse": {"supported": _M.NOT_WORSE, "opposite": _M.WORSE, "no_effect": _M.WORSE},
    "equivalent": {"supported": _M.SAME, "opposite": _M.DIFFERS, "no_effect": _M.DIFFERS},
    "differs": {"supported": _M.DIFFERS, "opposite": _M.SAME, "no_effect": _M.SAME}}


@dataclass(frozen=True)
class Advice:
    """What to do in a situation.

    Attributes:
        situation: as book/guide.yaml words it.
        instead: whether it is a choice between two ways, and not whether to add something.
        claim, row, cells: what it rests on: the claim, its row of the verdicts, its comparisons.
        meaning: what was found, or None before anything was measured.
    """

    situation: str
    instead: bool
    claim: Claim
    row: Mapping[str, Any]
    cells: pd.DataFrame
    meaning: Meaning | None


def advice(study: Study, front: bool = False) -> list[Advice]:
    """What book/guide.yaml lists, with what the verdicts say to it; `front`: for the first page alone.

    An entry whose claim is not declared is left out.
    """
    claims = {claim.slug: claim for claim in study.claims}
    return [Advice(entry["situation"], entry.get("instead", False), claim, study.verdict(claim),
                   study.claim_cells(claim), meaning(study, claim))
            for entry in study.guide
            if (claim := claims.get(entry["claim"])) and (entry.get("front") or not front)]


def meaning(study: Study, claim: Claim) -> Meaning | None:
    """What the verdict says in general, else what the comparisons say; None without any of them."""
    came = study.outcome(claim)
    if came in ("supported", "opposite", "no_effect") and not (
            came == "supported" and claim.predicts.quantifier == "some"):
        return MEANS[claim.predicts.region][came]
    return _by_comparisons(directions(counted(study.claim_cells(claim))))


def _by_comparisons(found: Sequence[Way]) -> Meaning | None:
    if not found:
        return None
    ways = set(found)
    if ways in ({Way.BETTER}, {Way.WORSE}):
        return Meaning.ALL_BETTER if Way.BETTER in ways else Meaning.ALL_WORSE
    return {(True, True): Meaning.BOTH, (True, False): Meaning.SOME_BETTER,
            (False, True): Meaning.SOME_WORSE, (False, False): Meaning.OPEN}[
                Way.BETTER in ways, Way.WORSE in ways]


@dataclass(frozen=True)
class Tally:
    """How many comparisons went which way, and how many of them beyond the margin."""

    ways: Mapping[Way, int]
    beyond: Mapping[Way, int]

    @property
    def whole(self) -> int:
        return sum(self.ways.values())


def tally(cells: pd.DataFrame) -> Tally:
    """The comparisons that can show something, counted."""
    cells = counted(cells)
    labels = Counter(cells["label"])
    return Tally(Counter(directions(cells)), {way: labels[way] for way in (Way.BETTER, Way.WORSE)})


@dataclass(frozen=True)
class Compared:
    """One comparison that a claim declares.

    Attributes:
        treatment, control, data: what is compared, and where.
        cell: its row of the cells, or None before it is measured.
    """

    treatment: str
    control: str
    data: str
    cell: Mapping[str, Any] | None

    @property
    def shows(self) -> bool:
        """Whether it is measured on a data set that can show something."""
        return self.cell is not None and self.cell["position"] != "uninformative"

    @property
    def way(self) -> Way | None:
        """Its direction, or None where nothing is shown."""
        return direction(self.cell) if self.shows else None


def evidence(study: Study, claim: Claim) -> list[Compared]:
    """Each comparison that a claim declares, on each of its data sets."""
    cells = {(cell["treatment"], cell["control"], cell["data"]): cell
             for cell in reversed(study.claim_cells(claim).to_dict("records"))}
    return [Compared(one.treatment, one.control, data, cells.get((one.treatment, one.control, data)))
            for one in claim.contrasts for data in _data_sets(study, claim, one)]


def _data_sets(study: Study, claim: Claim, contrast: Contrast) -> list[str]:
    new, old = (study.params.data_sets(base(name)) for name in (contrast.treatment, contrast.control))
    shared = [name for name in new if name in old]
    return [name for name in claim.data or shared if name in shared]
