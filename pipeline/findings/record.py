"""Everything that the project asks, measured, averaged and read, as tables."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.config.claims import arm_name, base
from pipeline.config.readings import Claim
from pipeline.config.schema import Params
from pipeline.findings import claims as reading, controls, error_rates, multiverse, words
from pipeline.findings.asked import (
    Asker, HALF, Question, SAME, of_claim, of_controls, of_experiments, of_own, of_premises)
from pipeline.findings.claims import Read, Reader, Reading
from pipeline.findings.estimate import false_discovery
from pipeline.findings.finding import ALL, Average, Finding, advising, averages, competent_table, find, row, set_table, unit_table
from pipeline.findings.places import doses, places
from pipeline.findings.posterior import reliability
from pipeline.findings.rates import edges
from pipeline.findings.rule import Rule
from pipeline.findings.study import Study
from pipeline.findings.words import FAMILY
from pipeline.process.cores import on_every_core
from pipeline.tables.schemas import FINDING_COLUMNS, MULTIVERSE_COLUMNS


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


def ask(study: Study, claims: Sequence[Claim], experiments: Collection[str] | None = None) -> Found:
    """What the project asks, measured.

    Args:
        experiments: those whose `versus` is asked; None: all, and every network on a reader's own data.

    Raises:
        ConfigError: a claim names what does not exist.
        ValueError: two findings of one name.
    """
    asker = Asker(study)
    of_experiments(asker, study.params.experiments if experiments is None else experiments)
    if experiments is None:
        of_own(asker)
    of_controls(asker)
    of_claims = {one.slug: None if _waits(one, study) else (of_claim(one, asker), of_premises(one, asker))
                 for one in claims if not one.checks}
    questions: list[Question] = list(asker.questions.values())
    if len({one.id for one in questions}) < len(questions):
        raise ValueError("two findings have one name")
    findings = {one.id: find(one, study) for one in questions}
    return Found(asker.table(), of_claims, findings, {id_: averages(one, study) for id_, one in findings.items()})


def of_experiment(name: str, params: Params, runs: pd.DataFrame, constants: Rule) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One experiment, or every variant of its sweep, against its `versus`: its findings, and their data sets.

    There are no q values, which need all findings, and nothing of the multiverse.

    Args:
        runs: the tables of the experiment and of its control, at least.
    """
    study = Study(runs, params, constants)
    found = ask(study, (), [name])
    halves, mine = halves_of(found), found.every("versus")
    rows = [row(one, halves, study) for one in mine]
    return finished(rows, constants, tested=False), set_table(
        list({one.finding.question.id: one.finding for one in mine}.values()), study)


def _waits(claim: Claim, study: Study) -> bool:
    """Whether an experiment that a claim is about is not trained, or for the probe not watched, yet."""
    sets, own = study.arms.sets, set(study.params.own)
    there = {name for (name, _), some in sets.items() if set(some) - own}
    watched = set(study.inside.variants) if study.inside else set()
    probed = {base(name) for one in claim.findings for name in (one.treatment, one.control)} if claim.probe else set()
    return not (set(claim.experiments) <= there and probed <= watched)


def tables(study: Study, claims: Sequence[Claim], checks: Mapping[str, bool]) -> dict[str, pd.DataFrame]:
    """Every table of this stage, by name."""
    found, constants = ask(study, claims), study.rule
    halves = halves_of(found)
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
        "findings": finished(rows, constants), "sets": sets,
        "units": unit_table([*found.every(), *found.every(SAME, HALF)], constants), "asked": found.asked,
        "competent": competent_table(found.every(), study),
        **reading.tables(readings), "multiverse": pd.concat([table for _, table in analysed], ignore_index=True),
        "reliability": reliability(_foretold(family), constants),
        "error_rates": pd.concat([simulated, pd.DataFrame(measured, columns=simulated.columns)], ignore_index=True),
        "edges": edges(study.arms, study.arms.sweeps), "data_sets": controls.data_sets(halves, study),
        "places": places(found.asked, found.averages, study), "doses": doses(study)}


def halves_of(found: Found) -> dict[str, dict]:
    """Control → data set → the effect of half the data there, over all kinds of data."""
    halves: dict[str, dict] = {}
    for one in found.findings.values():
        if one.question.role == HALF:
            halves.setdefault(arm_name(*one.question.comparison.pairs[0][1].control), {}).update(one.effects)
    return halves


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


def finished(rows: list[dict], constants: Rule, tested: bool = True) -> pd.DataFrame:
    """`FINDING_COLUMNS`, each finding with a title of its own, its sentence, and if `tested` its q among those on data like these."""
    table = pd.DataFrame(rows, columns=FINDING_COLUMNS)
    # Two may differ in their data alone, or in what no title says, such as a layer of one's own.
    for more in ("on " + table["kind"], table["treatment"]):
        shared = table.drop_duplicates("id").set_index("id")["title"].duplicated(keep=False)
        named = table["title"] + " (" + more.str.replace("_", " ") + ")"
        table["title"] = table["title"].mask(table["id"].map(shared).astype(bool), named)
    tested = (table["scope"] == FAMILY) & ~table["role"].isin([SAME, HALF]) & tested
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
