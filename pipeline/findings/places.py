"""Sweeps: over places, which are ranked in each stratum, and over values, each with its mean test error."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.config.claims import arm_name, base
from pipeline.findings.average import Mean, units
from pipeline.findings.finding import ALL, Average
from pipeline.findings.rates import CHOSEN, Score
from pipeline.findings.rule import Rule
from pipeline.findings.scales import weighted
from pipeline.findings.study import Study
from pipeline.tables.schemas import DOSE_COLUMNS, FINDING_PLACE_COLUMNS


def places(asked: pd.DataFrame, averages: Mapping[str, Sequence[Average]], study: Study) -> pd.DataFrame:
    """Each place of a network with its finding, and whether it is the best one; a reader's own data have none.

    Args:
        asked: who asked what, see `Asker.table`.
        averages: by id of the finding.

    Returns:
        `FINDING_PLACE_COLUMNS`; `number` is the place in the network's order, from 1; `low` to `high` hold for all
        places together (Bonferroni); `stands` is `best`, `worst` or ''; `may_be_best` and `may_be_worst`: see
        `contenders`.
    """
    rows, asked = [], asked[~asked["kind"].isin(study.params.own)]
    for name, spec in study.params.experiments.items():
        mine = asked[(asked["by"].map(base) == name) & (asked["role"] == "versus")]
        if not spec.everywhere or mine.empty:
            continue
        for _, kind in mine.groupby("kind", sort=False):
            ids = {row.by.partition("[")[2].removesuffix("]"): row.id for row in kind.itertuples()}
            rows += _ranked(name, ids, averages, study)
    return pd.DataFrame(rows, columns=FINDING_PLACE_COLUMNS)


def _ranked(name: str, ids: Mapping[str, str], averages: Mapping[str, Sequence[Average]], study: Study) -> Iterator[dict]:
    """The rows of the places of a network, of one kind."""
    order = list(study.params.variants(name))
    strata = [one.stratum for one in averages[next(iter(ids.values()))] if one.stratum != ALL]
    for stratum in strata:
        found = {place: one for place, id_ in ids.items() for one in averages[id_] if one.stratum == stratum}
        shared, ranks = study.rule.shared(len(found)), sorted(found, key=lambda place: found[place].estimate.value)
        best, worst = contenders(found, study)
        for place, one in found.items():
            low, high = one.estimate.bounds(shared.tail)
            yield {"experiment": name, "place": place, "number": order.index(place) + 1, "id": ids[place],
                   "stratum": stratum, "effect": one.estimate.value, "low": float(low), "high": float(high),
                   "stands": "" if len(ranks) < 2 else {ranks[-1]: "best", ranks[0]: "worst"}.get(place, ""),
                   "may_be_best": place in best, "may_be_worst": place in worst}


def contenders(found: Mapping[str, Average], study: Study) -> tuple[set[str], set[str]]:
    """The places that may be the best, and those that may be the worst; none where there is one only.

    A place is out of the best if another one is shown to be better than it by the average of their differences over
    the same units, whose intervals of one place share the chance of a miss (two-sided, so that the worst share it too).
    With a chance of `rule.confidence` the places that are truly best and worst are among those left (J. C. Hsu, Annals
    of Statistics 12, 1984: multiple comparisons with the best; Bonferroni's instead of Dunnett's quantile).
    """
    if len(found) < 2:
        return set(), set()
    rule: Rule = study.rule.shared(len(found) - 1)
    better = {(one, other): _lead(found[one], found[other], study, rule) > 0 for one in found for other in found if one != other}
    best = {one for one in found if not any(better.get((other, one)) for other in found)}
    worst = {one for one in found if not any(better.get((one, other)) for other in found)}
    return best, worst


def _lead(one: Average, other: Average, study: Study, rule: Rule) -> float:
    """The lower bound of one place's average less another's."""
    mine, others = one.finding.effects, other.finding.effects
    apart = {data: weighted([mine[data], others[data]], [1, -1]) for sets in one.units.sets for data in sets if data in others}
    return float(Mean(family=one.family)(units(apart, study.params).sample()).bounds(rule.tail)[0])


def doses(study: Study) -> pd.DataFrame:
    """Mean test error, best epoch, by the value of a sweep, each with a t interval of its own.

    Returns:
        `DOSE_COLUMNS`, of the sweeps of one key with numbers. The intervals show the spread of seeds; differences
        between experiments are paired, and narrower.
    """
    rows, arms = [], study.arms
    for name, variants in arms.sweeps.items():
        keys = {key for values in variants.values() for key in values}
        if len(keys) != 1 or not {type(v) for values in variants.values() for v in values.values()} <= {int, float}:
            continue
        key, = keys
        for variant in (one for one in variants if one in arms.variants.get(name, ())):
            for data in arms.sets[name, variant]:
                scores = Score("error")(study.picked(arms, (name, variant, data), CHOSEN), arm_name(name, variant))
                half = stats.t.isf(study.rule.tail, len(scores) - 1) * stats.sem(scores) if len(scores) > 1 else np.nan
                rows.append((name, key, float(variants[variant][key]), data, len(scores), scores.mean(),
                             scores.mean() - half, scores.mean() + half))
    return pd.DataFrame(rows, columns=DOSE_COLUMNS)
