"""What is stored is read once; what is not stored is empty."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.book.study import TABLES, read
from pipeline.results import Damaged
from tests.book.conftest import store


def test_a_table_that_is_not_stored_has_its_columns_and_no_rows(project):
    shutil.rmtree(project / "results")
    study = read(project)
    for name, table in TABLES.items():
        assert not len(getattr(study, name)) and list(getattr(study, name).columns) == list(table.columns)
    assert (study.runs, study.blind, dict(study.records)) == (0, set(), {})
    with pytest.raises(AttributeError, match="no_table"):
        study.no_table  # noqa: B018


def test_runs_and_records_are_those_of_declared_experiments(study):
    # Three rows in each of two experiments; a folder that params.yaml does not name is not read.
    assert study.runs == 6 and list(study.records) == ["plain", "before"]
    assert study.trained["plain"] == {("", "forecast"): 3}


def test_rows_are_found_by_claim_and_by_experiment(study):
    before, exact, _ = study.claims
    assert list(study.claim_cells(before)["treatment"]) == ["before"] and not len(study.claim_cells(exact))
    assert list(study.experiment_cells("anywhere")["treatment"]) == ["anywhere[first]"]
    assert not len(study.experiment_cells("plain"))
    assert list(study.claim_cells(exact).columns) == list(study.cells.columns)


@pytest.mark.parametrize(("verdict", "way", "outcome"), [
    ("supported", "", "supported"), ("undecided", "", "undecided"),
    ("contradicted", "the opposite effect", "opposite"), ("contradicted", "no effect of that size", "no_effect")])
def test_an_outcome_says_which_way_a_claim_is_contradicted(study, verdict, way, outcome):
    changed = study.verdicts.copy()
    changed.loc[0, ["verdict", "way"]] = [verdict, way]
    other = replace(study, tables={**study.tables, "verdicts": changed})
    assert other.outcome(other.claims[0]) == outcome


def test_a_claim_without_a_row_is_not_measured(study):
    row = study.verdict(study.claims[2])
    assert (row["verdict"], row["D"], row["slug"]) == ("not measured", 0, "not_yet")


def test_topics_are_those_of_the_answers_then_those_of_claims(study):
    assert study.topics == ["sequences", "mechanics", "something_new"]
    assert study.question("sequences") == "Where does it go?"
    assert study.question("something_new") == "Something new"
    assert "order" in study.written and "sequences" not in study.written


def test_blind_sets_are_those_that_the_verdicts_call_so(project):
    store(project, data_sets=[("forecast", True), ("digits", False)])
    assert read(project).blind == {"forecast"}


@pytest.mark.parametrize("name", ["results/runs/plain/runs.csv", "results/runs/before/record.ipynb",
                                  "results/verdicts/cells.csv", "results/mechanics/checks.csv"])
def test_a_result_that_was_changed_is_refused_by_name(project, name):
    (project / name).write_bytes((project / name).read_bytes() + b" ")
    with pytest.raises(Damaged, match=f"{name}: its content is not what was stored"):
        read(project)


def test_data_files_say_their_samples_and_gaps(project):
    (project / "data").mkdir()
    np.savez(project / "data/forecast.npz", train=np.array(640), weeks=9, weeks_missing=2, windows_dropped=3)
    np.savez(project / "data/digits.npz", train=np.array(100))
    study = read(project)
    assert study.sizes == {"forecast": 640, "digits": 100}
    assert study.gaps == {"forecast": {"train": 640, "weeks": 9, "weeks_missing": 2, "windows_dropped": 3}}


def test_the_arm_of_a_data_set_is_the_first_that_a_plan_has(study):
    plans = {"plain": {"arms": [{"data": "forecast", "task": {"classes": 0, "targets": 1, "quantiles": []}}, {"data": "digits", "task": {"classes": 10, "targets": 1, "quantiles": []}}]},
             "before": {"arms": [{"data": "forecast", "task": {"classes": 3, "targets": 1, "quantiles": []}}]}}
    assert replace(study, plans=plans).arms_of_data == {
        "forecast": {"data": "forecast", "task": {"classes": 0, "targets": 1, "quantiles": []}}, "digits": {"data": "digits", "task": {"classes": 10, "targets": 1, "quantiles": []}}}
    assert isinstance(study.comparisons, pd.DataFrame)
