"""A finding: what was measured of a question, in each stratum and in all, as rows of tables."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.findings import controls, words
from pipeline.findings.arms import GUESSING
from pipeline.findings.asked import Question, names
from pipeline.findings.average import AnotherSet, Mean, Sample, Spread, Units, apart, share_of_spread, together, units
from pipeline.findings.compare import Scored, effects, scored
from pipeline.findings.estimate import Estimate
from pipeline.findings.numbers import change
from pipeline.findings.posterior import posterior
from pipeline.findings.rule import Rule
from pipeline.findings.scales import Effect
from pipeline.findings.study import Study, stratum_of
from pipeline.findings.titles import title
from pipeline.findings.words import ALL, FAMILY, THESE_SETS
from pipeline.tables.schemas import COMPETENT_COLUMNS, FINDING_COLUMNS, SET_COLUMNS, UNIT_OF_FINDING_COLUMNS


@dataclass(frozen=True, eq=False)
class Finding:
    """A question with what was measured.

    Attributes:
        effects: of each data set.
        units: of these.
        delta: the margin.
    """

    question: Question
    effects: Mapping[str, Effect]
    units: Units
    delta: float

    @property
    def strata(self) -> list[str]:
        return list(dict.fromkeys(self.units.strata))


@dataclass(frozen=True, eq=False)
class Average:
    """A finding in a stratum, or in all.

    Attributes:
        stratum: its name, or `ALL`.
        family: whether it speaks of data like these, or of the named sets.
        parts: the strata that it is the mean of.
        estimate: the mean.
    """

    finding: Finding
    stratum: str
    family: bool
    parts: tuple[Sample, ...]
    estimate: Estimate

    @property
    def units(self) -> Units:
        return self.finding.units if self.stratum == ALL else self.finding.units.of(self.stratum)


def find(question: Question, study: Study) -> Finding:
    """What was measured of a question."""
    found = effects(question.comparison, question.sets, study)
    return Finding(question, found, units(found, study.params), study.rule.margin(question.comparison.about.margin))


def averages(finding: Finding, study: Study) -> list[Average]:
    """A finding's strata, and all of them together where there are several."""
    real = bool(finding.effects) and all(study.params.data[data].family for data in finding.effects)
    samples = {name: finding.units.sample(name) for name in finding.strata}
    found = [_average(finding, name, (one,), real and len(one.y) >= study.rule.least_units) for name, one in samples.items()]
    if len(samples) > 1:
        sizes = [len(one.y) for one in samples.values()]
        found.append(_average(finding, ALL, tuple(samples.values()),
                              real and sum(sizes) >= study.rule.least_units and min(sizes) > 1))
    return found


def _average(finding: Finding, stratum: str, parts: tuple[Sample, ...], family: bool) -> Average:
    mean = Mean(family=family)
    return Average(finding, stratum, family, parts, together([_plain(mean(part)) for part in parts]))


def _plain(one: Estimate) -> Estimate:
    return Estimate(float(one.value), float(one.error), float(one.freedom))


def advising(found: list[Average]) -> list[Average]:
    """The averages that advice is given by, and claims are read from.

    They are the strata; but all together where these are too small to speak of data like theirs, and together are not.
    """
    strata, whole = [one for one in found if one.stratum != ALL], [one for one in found if one.stratum == ALL]
    if whole and whole[0].family and not any(one.family for one in strata):
        return whole
    return strata


# Tables

def row(one: Average, halves: controls.Halves, study: Study) -> dict:
    """One row of `FINDING_COLUMNS`, but for what rests on other rows: q, the multiverse and the sentence."""
    finding, rule = one.finding, study.rule
    comparison, question = finding.question.comparison, finding.question
    low, high = one.estimate.bounds(rule.tail)
    changes = change([one.estimate.value, low, high], comparison.about)
    mine = {data: finding.effects[data] for sets in one.units.sets for data in sets}
    return {
        "id": question.id, "title": title(comparison, study.params, question.kind), "kind": question.kind, "stratum": one.stratum,
        **dict(zip(("treatment", "control", "minus_treatment", "minus_control", "minus_data"), names(comparison),
                   strict=True)),
        "slope": comparison.slope, "metric": comparison.metric,
        "endpoint": comparison.endpoint if comparison.about.endpoint else "", "scale": comparison.about.scale,
        "probe": comparison.probe, "role": question.role, "scope": FAMILY if one.family else THESE_SETS,
        "units": len(one.units.names), "sets": len(mine), "effect": one.estimate.value, "error": one.estimate.error,
        "freedom": one.estimate.freedom, "low": low, "high": high, "margin": finding.delta,
        "change": changes[0], "change_low": min(changes[1:]), "change_high": max(changes[1:]),
        **_clear(one, rule), **_spread(one, finding.delta, rule), **_apart(one, rule),
        "p": min(1.0, 2 * float(min(one.estimate.above(), one.estimate.below()))),
        "of_half": controls.share_of_half(comparison, mine, halves, study.params),
        "word": words.said(words.choose(low, high, finding.delta), comparison.metric)}


def _clear(one: Average, rule: Rule) -> dict[str, int]:
    """On how many units the effect is clear by itself."""
    bounds = [effect.estimate.bounds(rule.tail) for effect in one.units.effects]
    return {"better": sum(low > 0 for low, _ in bounds), "worse": sum(high < 0 for _, high in bounds)}


def _spread(one: Average, delta: float, rule: Rule) -> dict[str, float]:
    """The spread between units, and what it means for another set; only of an average that speaks of those."""
    columns = ("tau", "i2", "range_low", "range_high", "caught", "p_mean", "p_better", "p_within", "p_worse")
    if not one.family:
        return dict.fromkeys(columns, math.nan)
    sample = one.units.sample()
    tau2, another = Spread()(sample), AnotherSet(rule.range_share)
    found = [math.sqrt(tau2), float(share_of_spread(sample, tau2)), *another(sample.y), another.caught(sample.y)]
    if delta:
        belief = posterior(delta, rule)(sample.y, sample.s)
        found += [belief.mean_above(), *belief.another(delta)]
    return dict(zip(columns, found + [math.nan] * (len(columns) - len(found)), strict=True))


def _apart(one: Average, rule: Rule) -> dict[str, float]:
    """The first stratum less the second, with its interval."""
    if len(one.parts) != 2:
        return dict.fromkeys(("apart", "apart_low", "apart_high"), math.nan)
    gap = apart(*(_plain(Mean(family=one.family)(part)) for part in one.parts))
    return dict(zip(("apart", "apart_low", "apart_high"), (gap.value, *gap.bounds(rule.tail)), strict=True))


def set_table(findings: list[Finding], study: Study) -> pd.DataFrame:
    """`SET_COLUMNS`: one row a finding and data set, with the word for that set alone."""
    rows = [_set_row(finding, data, effect, study) for finding in findings for data, effect in finding.effects.items()]
    return pd.DataFrame(rows, columns=SET_COLUMNS)


def _set_row(finding: Finding, data: str, effect: Effect, study: Study) -> dict:
    comparison, entry = finding.question.comparison, study.params.data[data]
    pair = comparison.pairs[0][1]
    parts = scored(pair, data, comparison, study)
    low, high = effect.estimate.bounds(study.rule.tail)
    return {"id": finding.question.id, "data": data, "unit": entry.unit or data, "stratum": stratum_of(data, study.params),
            "own": entry.own, "seeds": len(effect.w), "y": effect.y, "s": effect.s, "freedom": len(effect.w) - 1,
            "low": low, "high": high, "margin": finding.delta,
            "word": words.said(words.choose(low, high, finding.delta), comparison.metric),
            "competent": controls.has_competent_controls(comparison, data, study),
            **_levels(parts, comparison.metric), **_behind(parts, guessing=pair.control == GUESSING)}


def _levels(parts: Scored, metric: str) -> dict[str, float]:
    """The mean scores of both arms, of the first pair."""
    known = np.isfinite(parts.control) & np.isfinite(parts.treatment)
    means = [float(np.mean(score[known])) for score in (parts.control, parts.treatment)]
    if metric == "largest_rate":  # Whose scores are logarithms.
        means = [math.exp(value) for value in means]
    return {"control_mean": means[0], "treatment_mean": means[1], "trivial_error": parts.runs[0].share("trivial_error")}


def _behind(parts: Scored, guessing: bool) -> dict[str, float]:
    """The shares of seeds that diverged, that the limit of epochs ended, and that ended at an edge of the grid."""
    found = {}
    for side, runs in zip(("control", "treatment"), parts.runs, strict=True):
        known = {"diverged": runs.share("diverged"), "limit": runs.share("hit_limit"), "edge": runs.at_edge}
        found |= {f"{name}_{side}": math.nan if guessing and side == "control" else value for name, value in known.items()}
    return found


def unit_table(found: list[Average], rule: Rule) -> pd.DataFrame:
    """`UNIT_OF_FINDING_COLUMNS`, one row a unit of a finding in a stratum."""
    return pd.DataFrame([
        (one.finding.question.id, one.stratum, name, ", ".join(sets), len(effect.w), effect.y, effect.s, len(effect.w) - 1,
         *effect.estimate.bounds(rule.tail)) for one in found if one.stratum != ALL
        for name, sets, effect in zip(one.units.names, one.units.sets, one.units.effects, strict=True)],
        columns=UNIT_OF_FINDING_COLUMNS)


def competent_table(found: list[Average], study: Study) -> pd.DataFrame:
    """`COMPETENT_COLUMNS`: the averages of strata over the data sets alone whose controls are competent, of two units or more.

    Each speaks of the same data as the average over all sets, and has an interval of the same kind.
    """
    rows = []
    for one in found:
        finding, sets = one.finding, [data for some in one.units.sets for data in some]
        kept = {data: finding.effects[data] for data in sets
                if controls.has_competent_controls(finding.question.comparison, data, study)}
        some = replace(finding, effects=kept, units=units(kept, study.params))
        if one.stratum != ALL and len(some.units.names) > 1:
            mean = _average(some, one.stratum, (some.units.sample(),), one.family).estimate
            rows.append((finding.question.id, one.stratum, len(some.units.names), len(kept), mean.value, mean.error,
                         mean.freedom, *mean.bounds(study.rule.tail)))
    return pd.DataFrame(rows, columns=COMPETENT_COLUMNS)
