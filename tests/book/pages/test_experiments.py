"""All experiments at a glance, by group."""

from dataclasses import replace

from pipeline.book.pages import experiment_group
from pipeline.book.pages.experiments import group_pages, groups, write


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
    written = experiment_group.write(study)
    assert written["experiments/sequences-2.md"].startswith(f"# Experiments on sequences, 3 to 4 of {len(whole)}\n")
    assert all(f"(experiment-{name})=" in written[f"experiments/{page}.md"] for page, (_, names) in pages.items() for name in names)


def test_what_is_being_measured_is_listed(study):
    assert "Being measured, and without a result yet: [selu](#experiment-selu)." in write(study)["experiments.md"]
    params = study.params.model_copy(update={"being_measured": []})
    assert "Being measured" not in write(replace(study, params=params))["experiments.md"]
