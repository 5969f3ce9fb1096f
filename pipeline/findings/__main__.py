"""The stage `findings`: runs and claims in; findings, readings, their multiverse and error rates out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.findings import claims as reading
from pipeline.findings import controls, error_rates, multiverse, words
from pipeline.findings.asked import HALF, SAME, Asker, Question, of_claim, of_controls, of_experiments, of_premises
from pipeline.findings.claims import Read, Reader, Reading
from pipeline.findings.study import Study
from pipeline.findings.finding import (
    ALL, Average, Finding, advising, averages, find, finding_table, row, set_table, unit_table)
from pipeline.findings.multiplicity import false_discovery
from pipeline.findings.places import places
from pipeline.findings.posterior import reliability
from pipeline.findings.rates import edges
from pipeline.findings.rule import Rule, rule
from pipeline.findings.sweeps import doses
from pipeline.findings.words import FAMILY
from pipeline.tables.stored import COLUMNS, read_table, significant, write_tables
from pipeline.config.errors import ConfigError, complain
from pipeline.process.cores import on_every_core
from pipeline.process.cycles import search_seldom
from pipeline.config.schema import Params, load
from pipeline.config.readings import Claim, check_claims, read_changes, read_claims
from pipeline.process.stage import run
from pipeline.tables.schemas import FOUND, MULTIVERSE_COLUMNS, STORED

#: The tables of so many experiments are read by every core; fewer take less time than processes to begin.
SHARED = 300


def _stored(name: str, table: str) -> pd.DataFrame | None:
    """A stored table of an experiment; None if there is none, or it has no rows."""
    path = STORED[table].path(name)
    found = read_table(path) if path.exists() else None
    return None if found is None or found.empty else found


def trained(params: Params) -> dict[str, pd.DataFrame]:
    """Experiment → its stored runs; on the study's data sets, only where all of these are trained.

    Raises:
        ConfigError: a table of runs has other columns than training writes, or no experiment has any.
        Damaged: a table is not what was stored.
    """
    def runs_of(name: str) -> pd.DataFrame | None:
        return _stored(name, "runs")

    names, found = list(params.experiments), {}
    tables = map(runs_of, names) if len(names) < SHARED else on_every_core(runs_of, names, together=20)
    for name, runs in zip(names, tables, strict=True):
        if runs is None:
            continue
        if list(runs.columns) != COLUMNS:
            raise ConfigError(f"{STORED['runs'].path(name)}: its columns are not those that training writes; "
                              "`make book` trains it anew")
        # A reader's own data wait for nothing: they are part of no claim and of no average.
        if name in params.being_measured or not set(params.data_sets(name)) - set(params.own) <= set(runs["data"]):
            runs = runs[runs["data"].isin(params.own)]
        if len(runs):
            found[name] = runs
    return found


def read(params: Params, constants: Rule) -> Study:
    """All that was measured: all runs, the curves when they are asked for, and what the probe saw."""
    tables = trained(params)
    runs = pd.concat(tables.values(), ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)
    probed = _together(_stored(name, "measures") for name in params.probe.experiments if name in tables)
    return Study(runs, params, constants, lambda name: _stored(name, "curves"), probed)


def _together(tables: Iterable[pd.DataFrame | None]) -> pd.DataFrame | None:
    found = [table for table in tables if table is not None]
    return pd.concat(found, ignore_index=True) if found else None


@dataclass(frozen=True, eq=False)
class Found:
    """Everything that was asked, measured and averaged.

    Attributes:
        asked: who asked what.
        of_claims: slug → the questions of its findings, and of what it would explain; None: being measured.
        findings: by id.
        averages: by id, every stratum, and all together.
    """

    asked: pd.DataFrame
    of_claims: Mapping[str, tuple | None]
    findings: Mapping[str, Finding]
    averages: Mapping[str, list[Average]]

    def every(self, *roles: str) -> list[Average]:
        """All averages; those of the findings that measure the rule only if their role is named."""
        return [one for id_, some in self.averages.items() for one in some
                if (role := self.findings[id_].question.role) in roles or not roles and role not in (SAME, HALF)]


def ask(study: Study, claims: Sequence[Claim]) -> Found:
    """What the project asks, measured.

    Raises:
        ConfigError: a claim names what does not exist.
        ValueError: two findings of one name.
    """
    asker = Asker(study)
    of_experiments(asker)
    of_controls(asker)
    of_claims = {one.slug: None if _waits(one, study) else (of_claim(one, asker), of_premises(one, asker))
                 for one in claims if not one.checks}
    questions: list[Question] = list(asker.questions.values())
    if len({one.id for one in questions}) < len(questions):
        raise ValueError("two findings have one name")
    findings = {one.id: find(one, study) for one in questions}
    return Found(asker.table(), of_claims, findings, {id_: averages(one, study) for id_, one in findings.items()})


def _waits(claim: Claim, study: Study) -> bool:
    """Whether an experiment that a claim is about is not trained, or for the probe not watched, yet."""
    sets, own = study.arms.sets, set(study.params.own)
    there = {name for (name, _), some in sets.items() if set(some) - own}
    watched = set(study.inside.variants) if study.inside else set()
    return not set(claim.experiments) <= there or claim.probe and not {
        name for one in claim.findings for name in (one.treatment.partition("[")[0], one.control.partition("[")[0])} <= watched


def tables(study: Study, claims: Sequence[Claim], checks: Mapping[str, bool]) -> dict[str, pd.DataFrame]:
    """Every table of this stage, by name."""
    found, constants = ask(study, claims), study.rule
    halves = {finding.question.comparison.pairs[0][1].control: finding.effects
              for finding in found.findings.values() if finding.question.role == HALF}
    halves = {controls.arm_name(*arm): _joined(arm, found) for arm in halves}
    analysed = on_every_core(lambda one: _multiverse(one, found, study), list(found.findings), together=4)
    shares = {key: share for some, _ in analysed for key, share in some.items()}
    rows = [row(one, halves, study) | shares.get((one.finding.question.id, one.stratum), {})
            for one in (*found.every(), *found.every(SAME, HALF))]
    readings = read_all(found, study, claims, checks)
    sets = set_table(list(found.findings.values()), study)
    family = {(one.finding.question.id, one.stratum): one for one in found.every() if one.family and one.finding.delta}
    simulated = error_rates.simulated(family, readings, constants)
    measured = [one for role in (SAME, HALF) for one in error_rates.repetitions(
        sets[sets["id"].map(lambda id_, role=role: found.findings[id_].question.role == role)], role, constants)]
    return {
        "findings": finished(finding_table(rows), constants), "sets": sets,
        "units": unit_table([*found.every(), *found.every(SAME, HALF)], constants), "asked": found.asked,
        **reading.tables(readings), "multiverse": pd.concat([table for _, table in analysed], ignore_index=True),
        "reliability": reliability(_foretold(family), constants),
        "error_rates": pd.concat([simulated, pd.DataFrame(measured, columns=simulated.columns)], ignore_index=True),
        "edges": edges(study.arms, study.arms.sweeps), "data_sets": controls.data_sets(halves, study),
        "places": places(found.asked, found.averages, study), "doses": doses(study)}


def _joined(arm, found: Found) -> dict:
    """The effects of half the data of a control, of all kinds of data."""
    return {data: effect for one in found.findings.values() if one.question.role == HALF
            and one.question.comparison.pairs[0][1].control == arm for data, effect in one.effects.items()}


def _multiverse(id_: str, found: Found, study: Study) -> tuple[dict, pd.DataFrame]:
    """A finding's shares of other choices, by stratum, and its specification curves."""
    finding = found.findings[id_]
    if finding.question.role in (SAME, HALF) or not finding.effects:
        return {}, pd.DataFrame(columns=MULTIVERSE_COLUMNS)
    analysed, shares, parts = multiverse.analyse(finding, study), {}, []
    for one in found.averages[id_]:
        curve = multiverse.curve(one, analysed, study)
        shares[id_, one.stratum] = curve.shares(study)
        parts.append(curve.table())
    return shares, pd.concat(parts, ignore_index=True)


def _foretold(family: Mapping[tuple[str, str], Average]) -> list[tuple[pd.DataFrame, float]]:
    """The units of each finding in each stratum about errors, for the reliability of what is foretold."""
    return [(pd.DataFrame({"unit": one.units.names, "y": one.units.sample().y, "s": one.units.sample().s}),
             one.finding.delta) for one in family.values()
            if one.stratum != ALL and one.finding.question.comparison.metric == "error"]


def finished(table: pd.DataFrame, constants: Rule) -> pd.DataFrame:
    """Findings with q values over all that speak of data like these, and their sentences."""
    tested = (table["scope"] == FAMILY) & ~table["role"].isin([SAME, HALF])
    table["q"] = false_discovery(table["p"].where(tested))
    about = {"comparisons": int(tested.sum()), "q_level": constants.q_level}
    table["sentence"] = [words.sentence(one | about) for one in table.to_dict("records")]
    return table


def read_all(found: Found, study: Study, claims: Sequence[Claim], checks: Mapping[str, bool]) -> list[Read]:
    """Every claim, read."""
    reader = Reader({id_: advising(some) for id_, some in found.averages.items()},
                    {(id_, data): effect.estimate for id_, one in found.findings.items()
                     for data, effect in one.effects.items()}, checks, list(study.params.experiments), study.rule)
    return [reader.identity(one) if one.checks else
            Read(one, Reading.WAITING) if found.of_claims[one.slug] is None else
            reader.read(one, *found.of_claims[one.slug]) for one in claims]


def write(found: Mapping[str, pd.DataFrame]) -> None:
    """Store every table."""
    rounded = {FOUND[name].path().name: table.apply(lambda c: c.map(significant) if c.dtype.kind == "f" else c)
               for name, table in found.items()}
    write_tables(FOUND["findings"].path().parent, rounded)


# Words are compared one by one here, which takes four times as long where pyarrow holds them.
@pd.option_context("mode.string_storage", "python")
def main() -> int:
    """Find all that the project asks from the stored runs: results/findings/*.csv."""
    try:
        params, claims = load(), read_claims()
        check_claims(claims, params)
        read_changes()
        constants = rule(params.verdicts)
        checks = read_table(STORED["checks"].path())
        found = tables(read(params, constants), claims,
                       dict(zip(checks["check"], checks["holds"], strict=True)))
    except (ConfigError, ValueError) as error:
        return complain(error)
    write(found)
    return 0


if __name__ == "__main__":
    search_seldom()
    sys.exit(run(main))
