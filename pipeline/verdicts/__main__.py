"""The stage `verdicts`: claims and runs in; effects, verdicts and error rates out."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from pathlib import Path

import pandas as pd

from pipeline.results import (
    read_measures, read_runs, read_table, significant, write_table, write_text)
from pipeline.spec.base import ConfigError, complain
from pipeline.spec.claims import check_claims, read_claims
from pipeline.spec.params import load
from pipeline.spec.tables import DECIDED
from pipeline.verdicts.arms import derive
from pipeline.verdicts.cells import cells, comparisons
from pipeline.verdicts.decide import robustness, verdicts
from pipeline.verdicts.error_rates import arms, blind_sets, decisive, simulated
from pipeline.verdicts.rule import rule
from pipeline.verdicts.sweeps import doses

CHECKS = Path("results/mechanics/checks.csv")
VERDICTS = Path("results/verdicts")


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


def main() -> int:
    """Decide all claims from the stored runs: results/verdicts/*.csv."""
    try:
        params, claims = load(), read_claims()
        check_claims(claims, params)
        constants = rule(params.verdicts)
        runs, curves = read_runs(params.experiments)
        runs = derive(runs, constants)
        probed = read_measures(params.probe.experiments)
        found = read_table(CHECKS)
        versus = {name: e.versus for name, e in params.experiments.items() if e.versus}
        section = params.verdicts
        measured = arms({n: versus[n] for n in section.repeated},
                        {n: versus[n] for n in section.half_data}, runs, constants)
        blind = blind_sets(measured)
        turned = robustness(claims, runs, curves, constants, blind=blind)
        table = cells(claims, runs, curves, constants, blind=blind, probed=probed)
        tables = {
            "arms": measured, "robustness": turned, "cells": table,
            "verdicts": verdicts(claims, table, constants, robustness=turned,
                                 checks=dict(zip(found["check"], found["holds"]))),
            "comparisons": comparisons(
                versus, runs, curves, constants, blind=blind, identities={
                    (c.treatment, c.control) for one in claims if one.identity for c in one.contrasts}),
            "doses": doses({n: next(iter(e.vary)) for n, e in params.experiments.items()
                            if e.vary and len(e.vary) == 1 and all(
                                isinstance(v, int | float) for v in next(iter(e.vary.values())))},
                           runs, constants),
            "simulated": simulated(constants, seed=1)}
    except (ConfigError, ValueError) as error:
        return complain(error)
    for name, table in tables.items():
        rounded = table.apply(lambda c: c.map(significant) if c.dtype.kind == "f" else c)
        write_table(rounded, VERDICTS / f"{name}.csv")
    numbers = metrics(tables["verdicts"], tables["arms"])
    write_text(VERDICTS / "metrics.json", json.dumps(numbers, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
