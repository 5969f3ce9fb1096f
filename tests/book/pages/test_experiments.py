"""All experiments at a glance, by group."""

from dataclasses import replace

from pipeline.book.pages.experiments import groups, write


def test_every_experiment_is_in_the_group_of_its_first_data_set(study):
    assert groups(study) == {"sequences": ["plain", "before", "after", "recurrent", "anywhere"]}
    text = write(study)["experiments.md"]
    assert "- [Sequences](/experiments/sequences.md): 5 experiments" in text


def test_the_map_shows_every_comparison(study):
    files = write(study)
    assert list(files["figures/heat_map"].rows["treatment"]) == list(study.comparisons["treatment"])
    assert "/figures/heat_map.svg" in files["experiments.md"]
    none = write(replace(study, tables={**study.tables, "comparisons": study.comparisons.iloc[:0]}))
    assert list(none) == ["experiments.md"] and "heat_map" not in none["experiments.md"]
