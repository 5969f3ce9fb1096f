"""What stands today of all that findings and readings depend on, but for the runs: see `tables.predictions`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import pandas as pd

from pipeline.config.readings import Claim
from pipeline.config.schema import Params
from pipeline.findings.arms import Arms
from pipeline.findings.regions import Reading
from pipeline.findings.rule import Rule
from pipeline.findings.study import Study
from pipeline.tables.predictions import CLAIM, GROUP, PROBE, RULE, RUNS, SET, Key


def stands(claims: Sequence[Claim], params: Params, rule: Rule) -> dict[Key, object]:
    """Kind and name → what a claim predicts, what a constant is, where a data set belongs, what a group consists of."""
    constants, study = asdict(rule) | {"controls": params.controls}, {
        name: entry for name, entry in params.data.items() if not entry.own}
    groups = dict.fromkeys(group for entry in study.values() for group in entry.groups)
    return {**{(CLAIM, claim.slug): _predicted(claim) for claim in claims if claim.predicts},
            **{(RULE, name): value for name, value in constants.items()},
            **{(SET, name): [entry.unit, entry.stratum] for name, entry in study.items()},
            **{(GROUP, group): [name for name, entry in study.items() if group in entry.groups] for group in groups}}


def _predicted(claim: Claim) -> dict:
    return {"region": claim.predicts.region, "quantifier": claim.predicts.quantifier,
            "findings": [one.model_dump(exclude_defaults=True) for one in claim.findings], "metric": claim.metric,
            "endpoint": claim.endpoint, "probe": claim.probe, "identity": claim.identity, "data": claim.data or []}


def decided(claims: Sequence[Claim], readings: pd.DataFrame) -> Mapping[str, set[Key]]:
    """The claims whose runs are stored, and what decides them: the runs, or what the probe saw of them."""
    waits = set(readings.loc[readings["reading"] == Reading.WAITING, "slug"])
    return {one.slug: {(PROBE if one.probe else RUNS, name) for name in one.experiments} for one in claims
            if one.slug not in waits}


def measured(study: Study) -> list[Key]:
    """The experiments of which runs on the study's data are stored, and of which the probe's measures are."""
    return [(kind, name) for kind, arms in ((RUNS, study.arms), (PROBE, study.inside)) if arms
            for name in _names(arms, set(study.params.own))]


def _names(arms: Arms, own: set[str]) -> list[str]:
    return list(dict.fromkeys(name for (name, _), sets in arms.sets.items() if set(sets) - own))
