"""What stands today of all that a verdict depends on, but for the runs: see `tables.predictions`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from pipeline.config.claims import Claim, data_sets
from pipeline.config.schema import Params
from pipeline.tables.predictions import CLAIM, PROBE, RULE, RUNS, SET, Key
from pipeline.verdicts import claims as decisions
from pipeline.verdicts.rule import Rule


def stands(claims: Sequence[Claim], params: Params, rule: Rule) -> dict[Key, object]:
    """Kind and name → what a claim predicts, what a constant is, to which unit and stratum a data set belongs."""
    constants = asdict(rule) | {"controls": params.controls} | {
        f"words_for_{region}": list(map(sorted, words)) for region, words in decisions.TABLE.items()}
    return {**{(CLAIM, claim.slug): _predicted(claim, params) for claim in claims if claim.predicts},
            **{(RULE, name): value for name, value in constants.items()},
            **{(SET, name): [entry.unit, entry.stratum] for name, entry in params.data.items() if not entry.own}}


def _predicted(claim: Claim, params: Params) -> dict:
    return {"region": claim.predicts.region, "quantifier": claim.predicts.quantifier,
            "contrasts": [contrast.model_dump(exclude_none=True) for contrast in claim.contrasts],
            "baseline": claim.baseline, "metric": claim.metric, "endpoint": claim.endpoint, "probe": claim.probe,
            "identity": claim.identity, "data": data_sets(claim, params)}


def rests_on(claim: Claim) -> set[Key]:
    """The runs, or what the probe saw of them, that decide a claim."""
    return {(PROBE if claim.probe else RUNS, name) for name in claim.experiments}
