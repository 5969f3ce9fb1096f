"""A claim's verdict: what was found, against what was predicted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import pandas as pd

from pipeline.verdicts import average as averages
from pipeline.verdicts import words
from pipeline.verdicts.estimate import Estimate
from pipeline.verdicts.quantifiers import set_chances
from pipeline.verdicts.rule import Rule
from pipeline.verdicts.units import chances, depends

REGIONS = ("better", "positive", "worse", "equivalent", "not_worse", "not_better", "differs")
QUANTIFIERS = ("generally", "some", "always")
SUPPORTED, CONTRADICTED, NO_EFFECT, UNDECIDED = (
    "supported", "contradicted", "no effect that matters", "undecided")

_EQUAL = words.NOTHING | {words.HELPS_A_LITTLE, words.HARMS_A_LITTLE}
#: Region → the words that support it, that contradict it, and that decide it besides.
TABLE = {
    "better": (words.HELP, words.HARM, words.NOTHING | {words.NO_BENEFIT}),
    "worse": (words.HARM, words.HELP, words.NOTHING | {words.NO_HARM}),
    "equivalent": (_EQUAL, frozenset({words.CLEARLY_HELPS, words.CLEARLY_HARMS}), frozenset()),
    "not_worse": (words.HELP | words.NOTHING | {words.NO_HARM, words.HARMS_A_LITTLE},
                  frozenset({words.CLEARLY_HARMS}), frozenset()),
    "not_better": (words.HARM | words.NOTHING | {words.NO_BENEFIT, words.HELPS_A_LITTLE},
                   frozenset({words.CLEARLY_HELPS}), frozenset()),
    "differs": (words.HELP | words.HARM, frozenset({words.NO_DIFFERENCE}),
                frozenset({words.NONE_ON_AVERAGE})),
}
TABLE["positive"] = TABLE["better"]
#: How `no effect that matters` is printed.
PRINTED = {"better": "no benefit that matters", "positive": "no benefit that matters",
           "worse": "no harm that matters", "differs": "no difference on average"}


@dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    Attributes:
        verdict: supported, contradicted, no effect that matters, or undecided.
        reads: how it is printed.
        word: the word for the average (empty for `some` and `always`).
        depends: whether the effect depends on the data.
        p: the p value behind the verdict; of an undecided claim the least that it could have had.
        why: why it is undecided although a word was found, else empty.
    """

    verdict: str
    reads: str
    word: str
    depends: bool
    p: float
    why: str = ""


def verdict(region: str, quantifier: str, units: pd.DataFrame, delta: float, rule: Rule, *,
            family: bool, sensitive: Collection[str] | None = None,
            signed_rank: bool = False) -> Verdict:
    """The verdict on one group of units (see `average.groups`).

    Args:
        region: one of `REGIONS`, or its quantifier one of `QUANTIFIERS`.
        units: table of `units.units`.
        delta: the margin, see `rule.margin`.
        sensitive: the units on which half the data raises the control's error by more than the
            margin. Where the verdict says that nothing (that matters) happens, they alone must say
            so too, or it is undecided. None: not asked (metrics that measure no skill).
        family: whether the average is one over a family, or over the named sets.
        signed_rank: whether a family's interval comes from the signed-rank test instead of t.

    Raises:
        ValueError: unknown region or quantifier; no units.
    """
    found = _verdict(region, quantifier, units, delta, rule, family, signed_rank)
    if sensitive is None or not says_nothing_happens(found, region, quantifier):
        return found
    fewer = units[units["unit"].isin(list(sensitive))]
    again = (_verdict(region, quantifier, fewer, delta, rule, family, signed_rank)
             if averages.enough(fewer, units, family) else None)
    p = max(found.p, again.p if again and again.verdict in (found.verdict, UNDECIDED) else 1.0)
    if again and again.verdict == found.verdict:
        return replace(found, p=p)
    return replace(found, verdict=UNDECIDED, reads=UNDECIDED, p=p,
                   why="no effect that matters over all sets; but some do not even react to half of their data missing, and "
                       "on the others alone one is not ruled out")


def says_nothing_happens(found: Verdict, region: str, quantifier: str) -> bool:
    """Whether a verdict rests on the absence of an effect (that matters)."""
    if region in ("better", "positive", "worse", "differs"):
        # "Always" is contradicted by an effect the other way; only for `differs` by none.
        absent = quantifier != "always" or region == "differs"
        return found.verdict == NO_EFFECT or (found.verdict == CONTRADICTED and absent and
                                              found.word not in words.HELP | words.HARM)
    shown = {"not_worse": words.HELP, "not_better": words.HARM}.get(region, frozenset())
    return found.verdict == SUPPORTED and found.word not in shown


def _verdict(region, quantifier, units, delta, rule, family, signed_rank) -> Verdict:
    _known(region, quantifier)
    both = depends(units, delta, rule)
    if quantifier != "generally":
        chances = set_chances(region, quantifier, units, delta)
        decided = (SUPPORTED if chances[0] < rule.tail else
                   CONTRADICTED if chances[1] < rule.tail else UNDECIDED)
        return Verdict(decided, decided, "", both, _p(decided, *chances, 1.0))
    mu = averages.average(units, family)
    bounds = (averages.signed_rank_bounds(units, rule.tail) if signed_rank and family
              else mu.bounds(rule.tail))
    # Two sets proven to go opposite ways are a difference, however seldom they are.
    everywhere = not both and words.everywhere_within(units, delta, rule, family)
    found = words.word(*bounds, delta, everywhere)
    decided = decide(region, found, both)
    return Verdict(decided, PRINTED[region] if decided == NO_EFFECT else decided,
                   found, both, _p(decided, *average_chances(region, mu, units, delta)))


def decide(region: str, word: str, depends: bool = False) -> str:
    """The table: a word and a region → supported, contradicted, no effect that matters, undecided."""
    _known(region)
    supports, contradicts, besides = TABLE[region]
    if word in supports or (region == "differs" and depends):
        return SUPPORTED
    return CONTRADICTED if word in contradicts else NO_EFFECT if word in besides else UNDECIDED


def table() -> pd.DataFrame:
    """The table as it decides, to print: columns `predicts` and what each word does."""
    rows = [(region, *("; ".join(word for word in words.WORDS if word in some)
                       for some in TABLE[region]), PRINTED.get(region, "")) for region in REGIONS]
    return pd.DataFrame(rows, columns=["predicts", SUPPORTED, CONTRADICTED, "decided besides",
                                       "printed as"])


def average_chances(region: str, mu: Estimate, units: pd.DataFrame,
                    delta: float) -> tuple[float, float, float]:
    """One-sided p values of `supported`, `contradicted`, `no effect that matters`; 1 = cannot be.

    Each is the largest that its word needs; where several words would do, the least of theirs.
    """
    above, below = (lambda x: float(mu.above(x))), (lambda x: float(mu.below(x)))
    inside, outside = max(above(-delta), below(delta)), min(above(delta), below(-delta))
    if region == "differs":
        p = chances(units, delta)
        both = len(units) * max(p["above"].min(), p["below_minus"].min())  # depends on the data
        return min(above(0), below(0), both), inside, inside
    return {"better": (above(0), below(0), below(delta)),
            "positive": (above(0), below(0), below(delta)),
            "worse": (below(0), above(0), above(-delta)),
            "equivalent": (inside, outside, 1.0),
            "not_worse": (above(-delta), below(-delta), 1.0),
            "not_better": (below(delta), above(delta), 1.0)}[region]


def _p(decided: str, supported: float, contradicted: float, no_effect: float) -> float:
    """Two-sided p of the verdict reached; of an undecided claim the least of what might have been."""
    one = {SUPPORTED: supported, CONTRADICTED: contradicted, NO_EFFECT: no_effect}.get(
        decided, min(supported, contradicted, no_effect))
    return min(1.0, 2 * one)


def _known(region: str, quantifier: str = "generally") -> None:
    for name, one, allowed in (("region", region, REGIONS), ("quantifier", quantifier, QUANTIFIERS)):
        if one not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}. Received: {one!r}")
