"""What is stored is read once; what is not stored is empty."""

import math
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.book.study import TABLES, read
from pipeline.tables.stored import Damaged
from tests.locked import lock


def test_a_table_that_is_not_stored_has_its_columns_and_no_rows(project):
    shutil.rmtree(project / "results")
    study = read(project)
    for name, table in TABLES.items():
        assert not len(getattr(study, name)) and list(getattr(study, name).columns) == list(table.columns)
    assert (study.runs, study.sensitive, study.marked, dict(study.records)) == (0, set(), set(), {})
    with pytest.raises(AttributeError, match="no_table"):
        study.no_table  # noqa: B018


def test_runs_and_records_are_those_of_declared_experiments(study):
    # Three rows in each of two experiments; a folder that params.yaml does not name is not read.
    assert study.runs == 6 and list(study.records) == ["plain", "before"]
    assert study.trained["plain"] == {("", "tides"): 3}


def named(study, slug):
    return next(claim for claim in study.claims if claim.slug == slug)


def test_rows_are_found_by_claim_and_by_experiment(study):
    order, exact = named(study, "order_matters"), named(study, "exact_one")
    # Two contrasts on twelve sets, averaged within each; the two sets of wind are one unit.
    assert len(study.claim_effects(order)) == 24 and len(study.claim_units(order)) == 11
    assert study.average(order)["sets"] == 12 and study.average(exact) is None
    assert not len(study.claim_effects(exact))
    assert list(study.claim_effects(exact).columns) == list(study.effects.columns)
    assert set(study.experiment_effects("before")["claim"]) == {""}
    assert len(study.experiment_averages("before")) == 1
    assert not len(study.experiment_effects("plain"))


def test_a_claim_whose_strata_differ_has_a_verdict_and_an_average_for_each(study):
    dropout = named(study, "dropout_helps")
    assert [row["group"] for row in study.verdict_rows(dropout)] == ["forecasts", "classes"]
    assert study.verdict(dropout)["verdict"] == "contradicted"
    assert study.verdict(dropout, "classes")["verdict"] == "supported"
    assert study.average(dropout, "classes")["mean"] > 0 > study.average(dropout, "forecasts")["mean"]
    assert study.average(dropout, "tables") is None
    with pytest.raises(KeyError):
        study.verdict(dropout, "tables")


def test_a_claim_without_a_row_is_not_measured_or_being_measured(study):
    assert study.verdict(named(study, "not_yet"))["verdict"] == "not measured"
    assert study.verdict(named(study, "selu_helps"))["verdict"] == "being measured"
    bare = replace(study, tables={**study.tables, "verdicts": study.verdicts.iloc[:0]})
    assert bare.verdict(named(study, "selu_helps"))["verdict"] == "being measured"
    assert bare.verdict(named(study, "before_helps"))["verdict"] == "not measured"
    assert study.being_measured == {"selu"}


def test_families_have_their_data_sets_by_stratum(study):
    assert list(study.families) == ["sequences", "tables"]
    assert list(study.families["sequences"]) == ["forecasts", "classes"]
    assert study.families["sequences"]["forecasts"][0] == "tides" and len(study.families["tables"][""]) == 10
    assert not {"noise", "badly_scaled"} & {name for strata in study.families.values()
                                            for sets in strata.values() for name in sets}


def test_topics_are_those_of_the_answers_then_those_of_claims(study):
    assert study.topics == ["sequences", "dropout", "tables", "mechanics", "something_new"]
    assert study.question("tables") == "What helps an MLP?"
    assert study.question("something_new") == "Something new"
    assert "order" in study.written and "sequences" not in study.written


def test_marked_and_sensitive_sets_are_those_that_the_table_calls_so(study):
    assert study.marked == {"storms"}
    halves = study.data_sets.set_index("data")["half_effect"]
    assert study.sensitive == set(halves.index[halves < -math.log(1.1)]) and 0 < len(study.sensitive) < 22


@pytest.mark.parametrize("name", ["results/runs/plain/runs.csv", "results/runs/before/record.ipynb",
                                  "results/verdicts/effects.csv", "results/mechanics/checks.csv"])
def test_a_result_that_was_changed_is_refused_by_name(project, name):
    folder = name.rpartition("/")[0]
    lock(project, one=([], [folder]))
    read(project)
    (project / name).write_bytes((project / name).read_bytes() + b" ")
    with pytest.raises(Damaged, match=f"{folder}: its content is not what was stored"):
        read(project)


@pytest.mark.parametrize("gone", [lambda path: path.unlink(), lambda path: (path.unlink(), path.symlink_to("nowhere")),
                                  lambda path: (path.unlink(), path.mkdir())])
def test_runs_that_a_plan_needs_are_missed_but_for_what_is_being_measured(project, gone):
    (project / "plan").mkdir()
    (project / "plan/plain.json").write_text('{"arms": []}')
    read(project)
    gone(project / "results/runs/plain/runs.csv")
    with pytest.raises(Damaged, match="results/runs/plain/runs.csv: there is no such file"):
        read(project)


def test_data_files_say_their_samples(project):
    (project / "data").mkdir()
    np.savez(project / "data/tides.npz", train=np.array(640))
    assert read(project).sizes == {"tides": 640}


def test_the_arm_of_a_data_set_is_the_first_that_a_plan_has(study):
    plans = {"plain": {"arms": [{"data": "forecast", "task": {"classes": 0, "targets": 1, "quantiles": []}}, {"data": "digits", "task": {"classes": 10, "targets": 1, "quantiles": []}}]},
             "before": {"arms": [{"data": "forecast", "task": {"classes": 3, "targets": 1, "quantiles": []}}]}}
    assert replace(study, plans=plans).arms_of_data == {
        "forecast": {"data": "forecast", "task": {"classes": 0, "targets": 1, "quantiles": []}}, "digits": {"data": "digits", "task": {"classes": 10, "targets": 1, "quantiles": []}}}
    assert isinstance(study.effects, pd.DataFrame)
