"""Comparisons → effects, averages and verdicts, as tables."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.config.errors import ConfigError, nearest
from pipeline.config.claims import CLAIMS, Claim
from pipeline.process.cores import on_every_core
from pipeline.config.metrics import metric_of
from pipeline.config.schema import Params
from pipeline.tables.schemas import (
    AVERAGE_COLUMNS, EFFECT_COLUMNS, MEASURED, STORED, UNIT_COLUMNS, VERDICT_COLUMNS)
from pipeline.verdicts import average as averages
from pipeline.verdicts import effects, words
from pipeline.verdicts.arms import Measured
from pipeline.verdicts.claims import UNDECIDED, Verdict, verdict
from pipeline.verdicts.effects import Comparison, Found
from pipeline.verdicts.many import q_values
from pipeline.verdicts.one_set import Effect
from pipeline.verdicts.robustness import MIDDLE_RATE, OTHER_ENDPOINT, fragile, robustness
from pipeline.verdicts.rule import Rule, margin
from pipeline.verdicts.scores import OTHER, derive
from pipeline.verdicts.sweeps import sweeps
from pipeline.verdicts.units import counts, unit_effects, units

#: What a claim about an analogue of a thread's finding reads.
ANALOGUE = {"supported": "replicated in our analogue", "contradicted": "not replicated in our analogue"}
#: So many claims are decided by every core; fewer take less time than processes to begin.
SHARED = 300


@dataclass(frozen=True, eq=False)
class Group:
    """Units that share an answer.

    Attributes:
        name: their stratum, if it has an answer of its own.
        units: table of `units.units`.
        family: whether their average is one over a family, or over the named sets.
        rule: the constants; two groups share the chance of a miss.
        groups: how many do.
        alone: the constants for a unit alone, whose own interval is the same whatever it is grouped with.
    """

    name: str
    units: pd.DataFrame
    family: bool
    rule: Rule
    groups: int
    alone: Rule


@dataclass(frozen=True, eq=False)
class Answer:
    """What was found of a comparison.

    Attributes:
        comparison: what was asked.
        found: the effect of each contrast on each data set.
        effects: data set → the mean of its contrasts' effects.
        units: table of `units.units`.
        delta: the margin.
        strata_p: p value of equal strata; NaN where there are not two.
    """

    comparison: Comparison
    found: list[Found]
    effects: dict[str, Effect]
    units: pd.DataFrame
    delta: float
    strata_p: float
    groups: list[Group]


def answer(comparison: Comparison, measured: Measured, params: Params, rule: Rule) -> Answer:
    """A comparison's effects, units and groups."""
    found = effects.found(comparison, effects.arms_of(comparison, measured), rule)
    combined = effects.combined(found)
    table = _units(combined, params)
    family = bool(comparison.family) and averages.of_a_family(table, rule)
    parts = averages.groups(table, family, rule) if len(table) else {}
    groups = [Group(name, part, averages.of_a_family(part, rule) if name else family,
                    rule.shared(len(parts)), len(parts), rule) for name, part in parts.items()]
    return Answer(comparison, found, combined, table, margin(metric_of(comparison.metric).margin, rule),
                  averages.strata_apart(table) if family else math.nan, groups)


def compare(name: str, params: Params, runs: pd.DataFrame, rule: Rule) -> list[Answer]:
    """One experiment, or every variant of its sweep, against its `versus`: an answer a family.

    Args:
        runs: the tables of the experiment and of its control, at least.

    Raises:
        ConfigError, ValueError: the arms cannot be compared.
    """
    measured = Measured(derive(runs, rule), sweeps=sweeps(params))
    return [answer(one, measured, params, rule) for one in
            effects.of_experiment(name, params.experiments[name].versus, params, measured.chosen)]


def units_of(params: Params) -> dict[str, str]:
    """Data set → its unit, of those that have one."""
    return {name: entry.unit for name, entry in params.data.items() if entry.unit}


def _units(combined: Mapping[str, Effect], params: Params) -> pd.DataFrame:
    """The units of data sets; those of one's own count in no average."""
    kept = {name: effect for name, effect in combined.items()
            if not params.data[name].own}
    return units(kept, units_of(params), {name: params.data[name].stratum for name in kept})


def contributions(answer: Answer, params: Params) -> dict[str, Effect]:
    """Unit → its effect with each seed's part in it."""
    return unit_effects(answer.effects, units_of(params))


# Tables

def effect_table(answers: Sequence[Answer], params: Params, rule: Rule) -> pd.DataFrame:
    """`EFFECT_COLUMNS`, one row a contrast and data set."""
    rows = [effects.row(one, found.comparison, params.data.get(one.data), rule)
            for found in answers for one in found.found]
    return pd.DataFrame(rows, columns=EFFECT_COLUMNS)


def unit_table(answers: Sequence[Answer]) -> pd.DataFrame:
    """`UNIT_COLUMNS`, one row a unit of each group."""
    tables = [group.units.assign(group=group.name, **_about(found.comparison))
              for found in answers for group in found.groups]
    return (pd.concat(tables, ignore_index=True)[UNIT_COLUMNS] if tables else
            pd.DataFrame(columns=UNIT_COLUMNS))


def average_table(answers: Sequence[Answer]) -> pd.DataFrame:
    """`AVERAGE_COLUMNS`, one row a group."""
    rows = [_about(found.comparison) | averaged(group, found.delta) | {
        "family": found.comparison.family if group.family else "", "strata_p": found.strata_p}
        for found in answers for group in found.groups]
    return pd.DataFrame(rows, columns=AVERAGE_COLUMNS)


def _about(comparison: Comparison) -> dict:
    treatment, control = comparison.labels
    ends = metric_of(comparison.metric).endpoint
    return {"claim": comparison.claim, "treatment": treatment, "control": control,
            "metric": comparison.metric, "endpoint": comparison.endpoint if ends else ""}


def averaged(group: Group, delta: float) -> dict:
    """The average of a group, its range for another set, its counts and its word."""
    units, rule = group.units, group.rule
    mu = averages.average(units, group.family)
    low, high = (float(bound) for bound in mu.bounds(rule.tail))
    counted = counts(units, delta, rule, group.alone)
    both = bool(counted["proven_above"] and counted["proven_below"])
    range_low, range_high = averages.another_set(units, rule) if group.family else (math.nan, math.nan)
    everywhere = not both and words.everywhere_within(units, delta, rule, group.family)
    return {"group": group.name, "units": len(units),
            "sets": sum(len(sets.split(", ")) for sets in units["sets"]), "mean": mu.value,
            "error": mu.error, "freedom": mu.freedom, "low": low, "high": high,
            "range_low": range_low, "range_high": range_high,
            "caught": averages.caught(units, rule) if group.family else math.nan, **counted,
            "margin": delta, "word": words.word(low, high, delta, everywhere), "depends": both}


# Verdicts

def being_measured(claim: Claim, missing: Collection[str], unwatched: Collection[str]) -> bool:
    """Whether an experiment that decides a claim is not trained, or for the probe not watched, yet."""
    return bool({*missing, *(unwatched if claim.probe else ())} & set(claim.experiments))


def verdict_tables(claims: Sequence[Claim], answers: Mapping[str, Answer], data_sets: pd.DataFrame,
                   measured: Measured, params: Params, rule: Rule, checks: Mapping[str, bool]
                   ) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The verdict on each claim and group, and each decided one again under other choices.

    Args:
        claims: in the order of the rows.
        answers: slug → its answer; a claim of comparisons that has none is being measured.
        data_sets: their table, see `controls.data_sets`.
        checks: whether each exact check holds, by name.

    Returns:
        The tables `verdicts` and `robustness`.

    Raises:
        ConfigError: a claim names an exact check that does not exist.
    """
    known = data_sets.groupby("data").agg(marked=("marked", "any"), sensitive=("sensitive", "all"))

    def decided(claim: Claim) -> tuple[list[dict], list[tuple]]:
        return _rows(claim, answers, known, measured, params, rule, checks)

    found = list(map(decided, claims)) if len(claims) < SHARED else on_every_core(decided, claims, together=10)
    table = pd.DataFrame([row for rows, _ in found for row in rows], columns=VERDICT_COLUMNS)
    table["q"] = q_values(table["p"])
    return table, pd.DataFrame([row for _, turned in found for row in turned],
                               columns=list(STORED["robustness"].columns))


def _rows(claim: Claim, answers: Mapping[str, Answer], known: pd.DataFrame, measured: Measured, params: Params,
          rule: Rule, checks: Mapping[str, bool]) -> tuple[list[dict], list[tuple]]:
    """A claim's rows of the tables `verdicts` and `robustness`."""
    plain = {"slug": claim.slug, "group": "", "word": "", "p": math.nan, "fragile": False, "why": "",
             "primary": claim.primary}
    if claim.checks:
        return [plain | _said(_identity(claim, checks))], []
    if claim.slug not in answers:
        return [plain | _said(MEASURED)], []
    mine = answers[claim.slug]
    if not mine.groups:
        return [plain | _said(UNDECIDED) | {"p": 1.0, "why": "no data set has the measure on enough seeds"}], []
    others, rows, turned = dict(_other_choices(mine, measured, params, rule)), [], []
    for group in mine.groups:
        found, again = _decided(claim, mine, group, known, others)
        turned += [(claim.slug, group.name, *row) for row in again.values.tolist()]
        rows.append(plain | {
            "group": group.name, "verdict": found.verdict, "reads": _reads(claim, found, group),
            "word": found.word, "p": min(1.0, group.groups * found.p), "why": found.why,
            "fragile": fragile(found.verdict, again)})
    return rows, turned


def _said(verdict: str) -> dict:
    return {"verdict": verdict, "reads": verdict}


def _identity(claim: Claim, checks: Mapping[str, bool]) -> str:
    """Whether a claim that exact checks decide is true."""
    for i, check in enumerate(claim.checks):
        if check not in checks:
            raise ConfigError(
                f"{CLAIMS}: {claim.slug}.checks[{i}]: found '{check}'; allowed: "
                f"{', '.join(checks) or 'none was stored'}{nearest(check, checks)}")
    return "true" if all(bool(checks[check]) for check in claim.checks) else "false"


def _decided(claim: Claim, answer: Answer, group: Group, known: pd.DataFrame,
             others: Mapping[str, pd.DataFrame]) -> tuple[Verdict, pd.DataFrame]:
    """The verdict on a group, and the table of what other choices make of it."""
    marked, sensitive = _named(group.units, known)
    asked = {"region": claim.predicts.region, "quantifier": claim.predicts.quantifier,
             "units": group.units, "delta": answer.delta, "rule": group.rule, "family": group.family,
             "sensitive": sensitive if metric_of(claim.metric).skill else None}
    found = verdict(**asked)
    if found.verdict == UNDECIDED:
        return found, pd.DataFrame(columns=["change", "verdict"])
    mine = {change: table[table["unit"].isin(group.units["unit"])] for change, table in others.items()}
    again = robustness(**asked, marked=marked, others=mine)
    return found, again


def _named(units: pd.DataFrame, known: pd.DataFrame) -> tuple[set[str], set[str] | None]:
    """The units that are marked, and those that are sensitive (None: half the data was not tried).

    One marked set, by one control, marks its unit. A unit is sensitive if all of its sets are, by
    every control.
    """
    marked, sensitive, tried = set(), set(), False
    for unit, sets in zip(units["unit"], units["sets"].str.split(", "), strict=True):
        mine = [name for name in sets if name in known.index]
        tried |= bool(mine)
        if any(known.at[name, "marked"] for name in mine):
            marked.add(unit)
        if len(mine) == len(sets) and all(known.at[name, "sensitive"] for name in mine):
            sensitive.add(unit)
    return marked, sensitive if tried else None


def _other_choices(answer: Answer, measured: Measured, params: Params, rule: Rule
                   ) -> Iterator[tuple[str, pd.DataFrame]]:
    """Change → the table of units that another choice gives, where there is another."""
    comparison = answer.comparison
    if comparison.probe:
        return
    if comparison.metric != "epochs_to_target" and "middle" in measured.runs:
        found = effects.found(comparison, effects.arms_of(comparison, measured, middle=True), rule)
        table = _units(effects.combined(found), params)
        if len(table) != len(answer.units) or not np.array_equal(table["y"], answer.units["y"]):
            yield MIDDLE_RATE, table
    both = {f"{end}_{comparison.metric}" for end in OTHER}
    if metric_of(comparison.metric).endpoint and both <= set(measured.runs.columns):
        turned = replace(comparison, endpoint=OTHER[comparison.endpoint])
        found = effects.found(turned, effects.arms_of(turned, measured), rule)
        yield OTHER_ENDPOINT, _units(effects.combined(found), params)


def _reads(claim: Claim, found: Verdict, group: Group) -> str:
    """How a verdict is printed."""
    if found.verdict == UNDECIDED:
        return found.reads
    reads = ANALOGUE.get(found.verdict, found.reads) if claim.analogue else found.reads
    if group.family:
        return reads
    sets = ", ".join(group.units["sets"])
    return f"{reads} on {sets}" if ", " not in sets else f"{reads} on these sets"
