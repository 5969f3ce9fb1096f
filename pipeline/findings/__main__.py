"""The stage `findings`: runs and claims in; findings, readings, their multiverse and error rates out."""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipeline.config.errors import ConfigError, complain
from pipeline.config.readings import check_claims, read_changes, read_claims
from pipeline.config.schema import Params, load
from pipeline.findings import predictions
from pipeline.findings.asked import SAME
from pipeline.findings.controls import best_simple
from pipeline.findings.record import tables
from pipeline.findings.rule import Rule, rule
from pipeline.findings.study import Study
from pipeline.process.cores import on_every_core
from pipeline.process.cycles import search_seldom
from pipeline.process.stage import run
from pipeline.tables.predictions import changes, known, recorded, said
from pipeline.tables.schemas import FOUND, STORED
from pipeline.tables.stored import COLUMNS, read_measured, read_needed, replace_folder, significant, write_table, write_text

#: The tables of so many experiments are read by every core; fewer take less time than processes to begin.
SHARED = 300


def _stored(name: str, table: str, params: Params) -> pd.DataFrame | None:
    """A stored table of an experiment; None if it is being measured, and there is none, or one without rows."""
    return read_measured(STORED[table].path(name), name in params.being_measured)


def trained(params: Params) -> dict[str, pd.DataFrame]:
    """Experiment → its stored runs; on the study's data sets, only where all of these are trained.

    Raises:
        ConfigError: a table of runs has other columns than training writes, or no experiment has any.
        Damaged: a table that is needed is missing or empty, or one is not what was stored.
    """
    def runs_of(name: str) -> pd.DataFrame | None:
        return _stored(name, "runs", params)

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
    """All that was measured: all runs, the curves when they are asked for, what the probe saw, and simple predictors' errors."""
    tables = trained(params)
    runs = pd.concat(tables.values(), ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)
    probed = [found for name in params.probe.experiments if name in tables and params.watched(name)
              and (found := _stored(name, "measures", params)) is not None]
    return Study(runs, params, constants, lambda name: _stored(name, "curves", params),
                 pd.concat(probed, ignore_index=True) if probed else None, best_simple(read_needed(STORED["baselines"].path())))


def metrics(found: Mapping[str, pd.DataFrame]) -> dict:
    """The study in a few numbers, for `dvc metrics`.

    Returns:
        `claims`: how many read what; `words`: how many findings on data like these, by stratum, have which word; `A/A`:
        the share of data sets on which a difference was found where nothing was changed, None without any.
    """
    findings, rates = found["findings"], found["error_rates"]
    same = rates.loc[rates["subject"] == SAME, "share"]
    said = findings.loc[(findings["scope"] == "family") & findings["role"].isin(["versus", "claim"]), "word"]
    return {"claims": dict(sorted(Counter(found["readings"]["reading"]).items())),
            "words": dict(sorted(Counter(said).items())),
            "A/A": significant(same.iloc[0]) if len(same) else None}


def write(folder: Path, found: Mapping[str, pd.DataFrame]) -> None:
    """Write every table into a folder, and the few numbers beside them."""
    for name, table in found.items():
        write_table(table.apply(lambda c: c.map(significant) if c.dtype.kind == "f" else c), folder / FOUND[name].path().name)
    write_text(folder / "metrics.json", json.dumps(metrics(found), indent=2) + "\n")


# Words are compared one by one here, which takes four times as long where pyarrow holds them.
@pd.option_context("mode.string_storage", "python")
def main() -> int:
    """Find all that the project asks from the stored runs: results/findings/*.csv."""
    try:
        params, claims = load(), read_claims()
        check_claims(claims, params)
        read_changes()
        constants = rule(params.verdicts)
        with replace_folder(FOUND["findings"].path().parent) as new:
            before, checks = known(), read_needed(STORED["checks"].path())
            study, stands = read(params, constants), predictions.stands(claims, params, constants)
            found = tables(study, claims, dict(zip(checks["check"], checks["holds"], strict=True)))
            after = recorded(before, stands, predictions.decided(claims, found["readings"]), predictions.measured(study))
            changed = changes(after, stands)
            write(new, found | {"changes": changed})
            write_table(after, STORED["predictions"].path())
    except (ConfigError, ValueError) as error:
        return complain(error)
    for change in changed.to_dict("records"):
        print(f"not as it stood when its runs were first stored: {said(change)}")
    return 0


if __name__ == "__main__":
    search_seldom()
    sys.exit(run(main))
