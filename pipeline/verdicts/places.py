"""Where to put a layer: the places of an `everywhere` experiment, ranked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from pipeline.config.claims import base
from pipeline.config.schema import Params
from pipeline.tables.schemas import PLACE_COLUMNS
from pipeline.verdicts import average as averages
from pipeline.verdicts import one_set, words
from pipeline.verdicts.arms import Measured
from pipeline.verdicts.decide import Answer, units_of
from pipeline.verdicts.one_set import Effect
from pipeline.verdicts.rule import Rule
from pipeline.verdicts.units import units


def places(everywhere: Collection[str], answers: Sequence[Answer], measured: Measured, params: Params,
           rule: Rule) -> pd.DataFrame:
    """Each place of a network, its average over a family, and whether it is the best one.

    The intervals of a family hold for all its places together (Bonferroni), whose strata are not told
    apart. The place of the largest average `stands` best and that of the least worst; whether that is
    more than chance, `apart` says, see `contenders`.

    Args:
        everywhere: experiments whose variants are places, in the network's order.
        answers: the comparisons of experiments with their controls.

    Returns:
        `PLACE_COLUMNS`; `number` is the place in the network's order, from 1; `stands` is `best`,
        `worst` or ''; `may_be_best` and `may_be_worst`: whether the place is among those that may be;
        `apart`: whether the best, or the worst, is the only one that may be.
    """
    rows = []
    for name in everywhere:
        variants = list(measured.chosen.variants.get(name, ()))
        mine = [one for one in answers if base(one.comparison.labels[0]) == name and len(one.units)]
        for family in dict.fromkeys(one.comparison.family for one in mine):
            found = {_variant(one): one for one in mine if one.comparison.family == family}
            rows += _ranked(name, family, {v: found[v] for v in variants if v in found}, variants, params, rule)
    return pd.DataFrame(rows, columns=PLACE_COLUMNS)


def _variant(answer: Answer) -> str:
    return answer.comparison.labels[0].partition("[")[2].removesuffix("]")


def _ranked(name: str, family: str, found: Mapping[str, Answer], variants: Sequence[str], params: Params,
            rule: Rule) -> list[dict]:
    """The rows of the places of a network in a family."""
    shared = rule.shared(len(found))
    some = next(iter(found.values()))
    of_family = bool(family) and averages.of_a_family(some.units, rule)
    means = {place: averages.average(one.units, of_family) for place, one in found.items()}
    order = sorted(means, key=lambda place: means[place].value)
    best, worst = contenders({place: one.effects for place, one in found.items()}, of_family, params, rule)
    rows = []
    for place, one in found.items():
        low, high = (float(bound) for bound in means[place].bounds(shared.tail))
        everywhere = words.everywhere_within(one.units, one.delta, shared, of_family)
        stands = "" if len(order) < 2 else {order[-1]: "best", order[0]: "worst"}.get(place, "")
        left = {"best": best, "worst": worst}.get(stands, ())
        rows.append({
            "experiment": name, "place": place, "number": variants.index(place) + 1,
            "family": family if of_family else "", "units": len(one.units),
            "effect": means[place].value, "low": low, "high": high, "margin": one.delta,
            "word": words.word(low, high, one.delta, everywhere), "stands": stands,
            "may_be_best": place in best, "may_be_worst": place in worst, "apart": len(left) == 1})
    return rows


def contenders(effects: Mapping[str, Mapping[str, Effect]], family: bool, params: Params, rule: Rule
               ) -> tuple[set[str], set[str]]:
    """The places that may be the best, and those that may be the worst; none where there is one only.

    A place is out of the best if another one is shown to be better than it by the average of their
    differences over the same units, whose intervals of one place share the chance of a miss (two-sided,
    so that the worst share it too). With a chance of `rule.confidence` the places that are truly best
    and worst are among those left (J. C. Hsu, Annals of Statistics 12, 1984: multiple comparisons with
    the best; Bonferroni's instead of Dunnett's quantile).

    Args:
        effects: place → data set → its effect against the control that all places share.
        family: whether averages are over a family, or over the named sets.
    """
    if len(effects) < 2:
        return set(), set()
    shared = rule.shared(len(effects) - 1)
    better = {(one, other): _difference(effects[one], effects[other], family, params).bounds(shared.tail)[0] > 0
              for one in effects for other in effects if one != other}
    best = {one for one in effects if not any(better.get((other, one)) for other in effects)}
    worst = {one for one in effects if not any(better.get((one, other)) for other in effects)}
    return best, worst


def _difference(one: Mapping[str, Effect], other: Mapping[str, Effect], family: bool, params: Params):
    """The average of one place's effect less another's."""
    stratum = {data: params.data[data].stratum for data in one}
    apart = {data: one_set.minus(one[data], other[data]) for data in one if data in other}
    return averages.average(units(apart, units_of(params), stratum), family)
