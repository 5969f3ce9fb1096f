"""The stage `verdicts`: claims and runs in; effects, verdicts and error rates out."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from pipeline.results import read_measures, read_runs, read_table, significant, write_tables
from pipeline.spec.base import ConfigError, complain
from pipeline.spec.claims import Claim, check_claims, read_claims
from pipeline.spec.params import Params, load
from pipeline.spec.tables import DECIDED, STORED
from pipeline.verdicts.arms import Measured, classes_of
from pipeline.verdicts.cells import cells, comparisons
from pipeline.verdicts.decide import robustness, verdicts
from pipeline.verdicts.error_rates import (
    arms, blind_sets, data_sets, decisive, label_counts, measuring, simulated)
from pipeline.verdicts.places import places
from pipeline.verdicts.rule import Rule, rule
from pipeline.verdicts.scores import derive
from pipeline.verdicts.sweeps import doses, everywhere, sweeps

METRICS = STORED["verdicts"].path().with_name("metrics.json")


def read(params: Params, constants: Rule) -> Measured:
    """What was measured of all experiments."""
    runs, curves = read_runs(params.experiments)
    return Measured(derive(runs, constants), curves, classes_of(params.experiments), sweeps(params),
                    read_measures(params.probe.experiments))


def decide(params: Params, claims: Sequence[Claim], measured: Measured, checks: Mapping[str, bool],
           constants: Rule) -> dict[str, pd.DataFrame]:
    """Every table of this stage, by name."""
    versus = {name: one.versus for name, one in params.experiments.items() if one.versus}
    identities = {(c.treatment, c.control) for one in claims if one.identity for c in one.contrasts}
    ranked = everywhere(params)
    same = arms(measuring(params), measured, constants)
    blind = blind_sets(same)
    turned = robustness(claims, measured, constants, blind=blind)
    table = cells(claims, measured, constants, blind=blind)
    compared = comparisons(versus, measured, constants, blind=blind, identities=identities,
                           everywhere=ranked)
    return {
        "arms": same, "decisive": label_counts(same), "data_sets": data_sets(same),
        "robustness": turned, "cells": table,
        "verdicts": verdicts(claims, table, constants, robustness=turned, checks=checks),
        "comparisons": compared, "places": places(ranked, compared, measured, constants),
        "doses": doses(measured, constants), "simulated": simulated(constants, seed=1)}


def metrics(verdicts: pd.DataFrame, arms: pd.DataFrame) -> dict:
    """The study in a few numbers, for `dvc metrics`.

    Args:
        verdicts, arms: their tables.

    Returns:
        `claims`: how many have each verdict; `fragile`: how many verdicts are; `decisive`: the
        share of A/A comparisons that were labelled better or worse, None without any.
    """
    share = decisive(arms)
    counts = Counter(verdicts["verdict"])
    return {"claims": {name: counts[name] for name in DECIDED},
            "fragile": int(verdicts["fragile"].sum()),
            "decisive": significant(share) if math.isfinite(share) else None}


def write(tables: Mapping[str, pd.DataFrame]) -> None:
    """Store every table, and the few numbers beside them."""
    rounded = {STORED[name].path().name: table.apply(
        lambda c: c.map(significant) if c.dtype.kind == "f" else c) for name, table in tables.items()}
    numbers = metrics(tables["verdicts"], tables["arms"])
    write_tables(METRICS.parent, rounded, {METRICS.name: json.dumps(numbers, indent=2) + "\n"})


def main() -> int:
    """Decide all claims from the stored runs: results/verdicts/*.csv."""
    try:
        params, claims = load(), read_claims()
        check_claims(claims, params)
        constants = rule(params.verdicts)
        checks = read_table(STORED["checks"].path())
        tables = decide(params, claims, read(params, constants),
                        dict(zip(checks["check"], checks["holds"], strict=True)), constants)
    except (ConfigError, ValueError) as error:
        return complain(error)
    write(tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
