"""The stage `verdicts`: claims and runs in; effects, averages, verdicts and error rates out."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from pipeline.tables.stored import (
    COLUMNS, read_needed, read_table, replace_folder, significant, write_table, write_text)
from pipeline.config.errors import ConfigError, complain
from pipeline.config.claims import Claim, check_claims, read_claims
from pipeline.process.cores import on_every_core
from pipeline.process.cycles import search_seldom
from pipeline.config.schema import Params, load
from pipeline.process.stage import run
from pipeline.tables.schemas import DECIDED, MEASURED, STORED
from pipeline.verdicts import controls, effects, predictions
from pipeline.verdicts.arms import Measured
from pipeline.verdicts.decide import (
    Answer, answer, average_table, being_measured, contributions, effect_table, unit_table, verdict_tables)
from pipeline.verdicts.error_rates import Study, families
from pipeline.verdicts.places import places
from pipeline.verdicts.rule import Rule, margin, rule
from pipeline.verdicts.scores import derive
from pipeline.verdicts.sweeps import doses, everywhere, rates, sweeps

#: The tables of so many experiments are read by every core; fewer take less time than processes to begin.
SHARED = 300
METRICS = STORED["verdicts"].path().with_name("metrics.json")


def _stored(name: str, table: str, params: Params) -> pd.DataFrame | None:
    """A stored table of an experiment; None if it is being measured, and there is none, or one without rows.

    Raises:
        Damaged: the experiment is not being measured, and there is no table, or one without rows.
    """
    path = STORED[table].path(name)
    if name not in params.being_measured:
        return read_needed(path)
    found = read_table(path) if os.path.lexists(path) else None
    return None if found is None or found.empty else found


def trained(params: Params) -> dict[str, pd.DataFrame]:
    """Experiment → its stored runs; on the study's data sets, only where all of these are trained.

    Raises:
        ConfigError: a table of runs has other columns than training writes.
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
            raise ConfigError(f"{STORED['runs'].path(name)}: its columns are not those that training "
                              "writes; `make book` trains it anew")
        # A reader's own data wait for nothing: they are part of no claim and of no average.
        if name in params.being_measured or not set(params.data_sets(name)) - set(params.own) <= set(runs["data"]):
            runs = runs[runs["data"].isin(params.own)]
        if len(runs):
            found[name] = runs
    return found


def read(params: Params, claims: Sequence[Claim], constants: Rule) -> Measured:
    """What was measured: all runs, and the curves that a claim needs."""
    tables = trained(params)
    runs = pd.concat(tables.values(), ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)
    timed = {name for one in claims if one.metric == "epochs_to_target" for name in one.experiments}
    curves = _together(_stored(name, "curves", params) for name in params.experiments
                       if name in timed and name in tables)
    probed = _together(_stored(name, "measures", params) for name in params.probe.experiments
                       if name in tables and params.watched(name))
    return Measured(derive(runs, constants), curves, sweeps(params), probed)


def _together(tables: Iterable[pd.DataFrame | None]) -> pd.DataFrame | None:
    found = [table for table in tables if table is not None]
    return pd.concat(found, ignore_index=True) if found else None


def decide(params: Params, claims: Sequence[Claim], measured: Measured, checks: Mapping[str, bool],
           constants: Rule, *, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Every table of this stage, by name."""
    def answered(comparison: effects.Comparison) -> Answer:
        return answer(comparison, measured, params, constants)

    sets = {name: {one for variant in variants for one in measured.chosen.sets[name, variant]}
            for name, variants in measured.chosen.variants.items()}
    missing = {name for name in params.experiments if not sets.get(name, set()) - set(params.own)}
    unwatched = set(params.experiments) - set(measured.inside.variants if measured.inside else ())
    mine = {claim.slug: answered(effects.of_claim(claim, params, _arms(claim, measured)))
            for claim in claims if not claim.checks and not being_measured(claim, missing, unwatched)}
    compared = [answered(one) for name, spec in params.experiments.items()
                if sets.get(name, set()) & sets.get(spec.versus, set())
                for one in effects.of_experiment(name, spec.versus, params, measured.chosen)]
    found = controls.repetitions(params, measured, constants)
    data_sets = controls.data_sets(found, measured, params, constants)
    verdicts, robustness = verdict_tables(claims, mine, data_sets, measured, params, constants, checks)
    every = [*mine.values(), *compared]
    arms = [effect_table(answers, params, constants).assign(kind=kind) for kind, answers in found.items()]
    return {
        "effects": effect_table(every, params, constants), "units": unit_table(every),
        "averages": average_table(every), "verdicts": verdicts, "robustness": robustness,
        "arms": pd.concat([table for table in arms if len(table)] or arms[:1])[list(STORED["arms"].columns)],
        "data_sets": data_sets, "decisive": controls.decisive(found, constants),
        "rates": rates(measured.runs), "doses": doses(measured, constants),
        "places": places(everywhere(params), compared, measured, params, constants),
        "simulated": families(studies(compared, params), margin("ratio", constants), constants, seed)}


def _arms(claim: Claim, measured: Measured):
    return measured.inside if claim.probe else measured.chosen


def studies(compared: Sequence[Answer], params: Params) -> dict[str, list[Study]]:
    """Family → its comparisons, as they are simulated."""
    found: dict[str, list[Study]] = {}
    for one in compared:
        if any(group.family for group in one.groups):
            w = [effect.w for effect in contributions(one, params).values()]
            found.setdefault(one.comparison.family, []).append(
                Study(w, one.units["y"].to_numpy(float), one.units["stratum"].tolist()))
    return found


def metrics(verdicts: pd.DataFrame, decisive: pd.DataFrame) -> dict:
    """The study in a few numbers, for `dvc metrics`.

    Returns:
        `claims`: how many have each verdict (of strata that differ each counts); `fragile`: how many
        verdicts are; `decisive`: the share of A/A comparisons that were called better or worse, None
        without any.
    """
    every = decisive[(decisive["kind"] == controls.SAME) & (decisive["control"] == "")]
    counts = Counter(verdicts["verdict"])
    return {"claims": {name: counts[name] for name in DECIDED},
            "fragile": int(verdicts["fragile"].sum()),
            "decisive": significant(every["share"].iloc[0]) if len(every) else None}


def write(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write every table into a folder, and the few numbers beside them."""
    for name, table in tables.items():
        write_table(table.apply(lambda c: c.map(significant) if c.dtype.kind == "f" else c),
                    folder / STORED[name].path().name)
    write_text(folder / METRICS.name, json.dumps(metrics(tables["verdicts"], tables["decisive"]), indent=2) + "\n")


# Words are compared one by one here, which takes four times as long where pyarrow holds them.
@pd.option_context("mode.string_storage", "python")
def main() -> int:
    """Decide all claims from the stored runs: results/verdicts/*.csv."""
    try:
        params, claims = load(), read_claims()
        check_claims(claims, params)
        constants = rule(params.verdicts)
        with replace_folder(METRICS.parent) as new:
            before, checks = predictions.known(), read_needed(STORED["checks"].path())
            measured = read(params, claims, constants)
            tables = decide(params, claims, measured, dict(zip(checks["check"], checks["holds"], strict=True)), constants)
            after = predictions.recorded(before, claims, _decided(tables["verdicts"]), _measured(measured, params), params,
                                         constants)
            changes = predictions.changes(after, claims, params, constants)
            write(new, tables | {"changes": changes})
            write_table(after, predictions.TABLE.path())
    except (ConfigError, ValueError) as error:
        return complain(error)
    for change in changes.to_dict("records"):
        print(f"not as it stood when its runs were first stored: {predictions.said(change)}")
    return 0


def _decided(verdicts: pd.DataFrame) -> set[str]:
    """The claims whose runs are stored."""
    return set(verdicts.loc[verdicts["verdict"] != MEASURED, "slug"])


def _measured(measured: Measured, params: Params) -> dict[str, list[str]]:
    """The experiments of which runs on the study's data are stored, and of which the probe's measures are."""
    tables = {predictions.RUNS: measured.runs, predictions.PROBE: measured.probed}
    return {kind: [] if table is None else list(table.loc[~table["data"].isin(params.own), "experiment"].unique())
            for kind, table in tables.items()}


if __name__ == "__main__":
    search_seldom()
    sys.exit(run(main))
