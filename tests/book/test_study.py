"""What is stored is read once; what is not stored is empty."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from pipeline.book.study import TABLES, experiment_lines, read
from pipeline.tables.stored import Damaged
from tests.locked import lock


def test_a_table_that_is_not_stored_has_its_columns_and_no_rows(project):
    shutil.rmtree(project / "results")
    study = read(project)
    for name, table in TABLES.items():
        assert not len(getattr(study, name)) and list(getattr(study, name).columns) == list(table.columns)
    assert (study.runs, study.found, dict(study.records)) == (0, {}, {})
    with pytest.raises(AttributeError, match="no_table"):
        study.no_table  # noqa: B018


def test_runs_and_records_are_those_of_declared_experiments(study):
    # Three rows in each of two experiments; a folder that params.yaml does not name is not read.
    assert study.runs == 6 and list(study.records) == ["plain", "before"]
    assert study.trained["plain"] == {("", "tides"): 3}


def named(study, slug):
    return next(claim for claim in study.claims if claim.slug == slug)


def test_rows_are_found_by_finding_by_claim_and_by_experiment(study):
    assert [row["stratum"] for row in study.found["before_or_plain_sequences"]] == ["forecasts", "classes", "all"]
    assert len(study.rows_of("sets", "before_or_plain_sequences")) == 12
    # The two sets of wind are one unit.
    assert len(study.rows_of("units", "before_or_plain_sequences")) == 11 and not len(study.rows_of("units", "none"))
    order = named(study, "order_matters")
    assert study.findings_of[order.slug] == ["before_or_after_sequences", "before_tanh_or_after_tanh_sequences"]
    assert order in study.claims_about("before_or_after_sequences") and study.findings_of["exact_one"] == []
    assert study.asked_by["before"] == ["before_or_plain_sequences"] and study.asked_by["plain"] == []
    assert len(study.asked_by["anywhere"]) == 4
    assert study.topic_of["dropout_or_plain_sequences"] == "dropout"
    # Nobody claims anything of it, but of its experiment.
    assert study.topic_of["bn_input_or_plain_badly_scaled"] == "sequences"


def test_a_claim_without_a_row_is_not_measured(study):
    assert study.reading(named(study, "selu_helps"))["reading"] == "being measured"
    bare = replace(study, tables={**study.tables, "readings": study.readings.iloc[:0]})
    assert bare.reading(named(study, "before_helps"))["reading"] == "not measured"
    assert study.being_measured == {"selu"}


def test_among_how_many_a_direction_could_be_luck(study):
    assert study.comparisons == study.findings["q"].notna().sum() > 10


def test_families_have_their_data_sets_by_stratum(study):
    assert list(study.families) == ["sequences", "tables"]
    assert list(study.families["sequences"]) == ["forecasts", "classes"]
    assert study.families["sequences"]["forecasts"][0] == "tides" and len(study.families["tables"][""]) == 10
    assert not {"noise", "badly_scaled"} & {name for strata in study.families.values()
                                            for sets in strata.values() for name in sets}


def test_topics_are_those_of_the_answers_then_those_of_claims(study):
    assert study.topics == ["sequences", "dropout", "tables", "mechanics", "something_new"]
    assert "mechanics" in study.written and "sequences" not in study.written


@pytest.mark.parametrize("name", ["results/runs/plain/runs.csv", "results/runs/before/record.ipynb",
                                  "results/findings/sets.csv", "results/mechanics/checks.csv"])
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
    plans = {"plain": {"arms": [{"data": "forecast", "shape": [1]}, {"data": "digits", "shape": [2]}]},
             "before": {"arms": [{"data": "forecast", "shape": [3]}]}}
    assert replace(study, plans=plans).arms_of_data == {
        "forecast": {"data": "forecast", "shape": [1]}, "digits": {"data": "digits", "shape": [2]}}


#: An entry of one line with a remark, one of several, and one behind a blank line.
PARAMS = """\
experiments:
  # The first network
  plain:  {data: [sequences, images], layers: [conv, relu, lstm]}
  before: {of: plain, data: sequences, before: {relu: bn}}  # a remark
  after:
    data: sequences
    layers: [conv, relu, bn, lstm]
    versus: plain

  recurrent:
    {of: plain, data: sequences, set: {lstm.recurrent_dropout: 0.2}}
  anywhere: {of: plain, data: sequences, everywhere: bn}

train:
  epochs: 2
"""


def test_the_exact_lines_of_each_experiment():
    found = experiment_lines(PARAMS)
    assert list(found) == ["plain", "before", "after", "recurrent", "anywhere"]
    assert found["before"] == "before: {of: plain, data: sequences, before: {relu: bn}}  # a remark"
    assert found["after"] == "after:\n  data: sequences\n  layers: [conv, relu, bn, lstm]\n  versus: plain"
    assert found["recurrent"] == ("recurrent:\n  {of: plain, data: sequences, set: {lstm.recurrent_dropout: 0.2}}")


def test_a_comment_of_the_next_experiment_is_not_taken_along():
    text = "experiments:\n    one:\n        data: a\n\n    # about two\n    two: {data: b}\n\ntrain: {}\n"
    assert experiment_lines(text) == {"one": "one:\n    data: a", "two": "two: {data: b}"}
