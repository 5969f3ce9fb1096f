"""All experiments at a glance, by group."""

from dataclasses import replace

import pytest

from pipeline.book.pages.experiments import entry, group_pages, groups, where, write
from pipeline.config.read_yaml import read_yaml
from pipeline.config.schema import parse


def test_every_experiment_is_in_the_group_of_its_first_data_set(study):
    found = groups(study)
    assert {name for names in found.values() for name in names} == set(study.params.experiments)
    assert found["tables"] == ["mlp", "mlp_bn", "mlp_dropout"]
    assert "- [Tables](/experiments/tables.md): 3 experiments" in write(study)["experiments.md"]


def test_a_large_group_stands_on_several_pages(study, monkeypatch):
    whole = groups(study)["sequences"]
    monkeypatch.setattr("pipeline.book.pages.experiments.MOST", 2)
    pages = {page: some for page, some in group_pages(study).items() if page.startswith("sequences")}
    assert len(whole) % 2 and [name for _, names in pages.values() for name in names] == whole
    assert list(pages)[:2] == ["sequences-1", "sequences-2"]
    assert pages["sequences-2"][0] == f"sequences, 3 to 4 of {len(whole)}" and len(pages["sequences-2"][1]) == 2
    assert f"- [Sequences, 3 to 4 of {len(whole)}](/experiments/sequences-2.md): 2 experiments" in write(study)["experiments.md"]
    written = write(study)
    assert written["experiments/sequences-2.md"].startswith(f"# Experiments on sequences, 3 to 4 of {len(whole)}\n")
    assert all(f"(experiment-{name})=" in written[f"experiments/{page}.md"] for page, (_, names) in pages.items() for name in names)


def test_what_is_being_measured_is_listed(study):
    assert "Being measured, and without a result yet: [selu](#experiment-selu)." in write(study)["experiments.md"]
    params = study.params.model_copy(update={"being_measured": []})
    assert "Being measured" not in write(replace(study, params=params))["experiments.md"]


def without(study, *tables):
    return replace(study, tables={**study.tables, **{name: study.tables[name].iloc[:0] for name in tables}})


def test_an_experiment_has_its_lines_its_change_and_its_average(study):
    text = entry(study, "before")
    assert text.startswith("(experiment-before)=\n## before\n")
    assert "```yaml\nbefore: {of: plain, data: sequences, before: {relu: bn}}  # a remark\n```" in text
    assert "Compared with [plain](#experiment-plain): `bn` before `relu`." in text
    assert "](/findings/before_or_plain_sequences.md) | forecasts | " in text
    assert "Claims: [Batch normalisation before the activation lowers the error](#claim-before_helps); [The order" in text
    assert "[Lab record: Keras code, curves, scores and rates](/records/before.ipynb)" in text


def test_rates_at_an_edge_are_counted(study):
    edges = study.edges.assign(edge=["least" if (row.experiment, row.data) in (("before", "tides"), ("before", "river")) else ""
                                     for row in study.edges.itertuples()])
    mine = replace(study, tables={**study.tables, "edges": edges})
    assert "Its learning rate lies at an edge of the grid on 2 of 12 data sets." in entry(mine, "before")


@pytest.mark.parametrize(("name", "words"), [
    ("plain", "the 12 data sets of the family [sequences](/data_sets.md), badly_scaled, noise"),
    ("bn_input", "badly_scaled"), ("mlp", "the 10 data sets of the family [tables](/data_sets.md)")])
def test_a_whole_family_is_named_as_one(study, name, words):
    assert where(study, name) == words


def test_a_list_is_shown_as_the_change_it_is(study):
    assert "`conv → relu → bn → lstm` instead of `conv → relu → lstm`" in entry(study, "after")


def test_what_is_being_measured_has_no_result_and_says_so(study):
    text = entry(study, "selu")
    assert "*Being measured*: it is not trained yet" in text and "No result" not in text and "| average |" not in text


def test_what_is_being_measured_names_the_pages_of_own_data(project, study):
    content = read_yaml(project / "params.yaml")
    content["data"]["mine"] = {"group": "sequences", "own": True, "file": "mine.csv", "target": "y", "window": 4, "seeds": 5}
    text = entry(replace(study, params=parse(content)), "selu")
    assert "On your own: [mine](#own-mine)." in text and "no result" not in text


@pytest.mark.parametrize(("name", "missing"), [("before", True), ("plain", False), ("anywhere", True)])
def test_an_experiment_without_a_result_says_so_if_it_has_a_control(study, name, missing):
    none = without(study, "findings")
    assert ("No result is stored yet." in entry(none, name)) == missing
