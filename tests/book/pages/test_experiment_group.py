"""An experiment is shown with its exact lines, its change, and what came of it."""

from dataclasses import replace

import pytest

from pipeline.book.pages.experiment_group import entry, where, write
from pipeline.config.errors import read_yaml
from pipeline.config.schema import parse


def without(study, *tables):
    return replace(study, tables={**study.tables, **{name: study.tables[name].iloc[:0] for name in tables}})


def test_an_experiment_has_its_lines_its_change_and_its_average(study):
    text = entry(study, "before")
    assert text.startswith("(experiment-before)=\n## before\n")
    assert "```yaml\nbefore: {of: plain, data: sequences, before: {relu: bn}}  # a remark\n```" in text
    assert "Compared with [plain](#experiment-plain): `bn` before `relu`." in text
    average = study.experiment_averages("before").iloc[0]
    row = next(line for line in text.splitlines() if line.startswith("| sequences |"))
    assert f"| {average['word']} |" in row and "on 11 of 11" in row
    assert "On each data set (12)" in text
    assert "Claims: [Before helps](/claims/before_helps.md); [Order matters](/claims/order_matters.md)." in text
    assert "[Lab record: curves, scores and rates](/records/before.ipynb)" in text


def test_where_strata_differ_each_has_its_row(study):
    rows = [line.split(" | ")[0] for line in entry(study, "dropout").splitlines()
            if line.startswith(("| forecasts", "| classes"))]
    assert rows == ["| forecasts", "| classes"]


def test_the_rates_that_were_kept_are_counted_over_all_data_sets(study):
    # On each of 12 data sets 1, 6, 7 and 1 of 15 seeds: 24 of 180 at an edge.
    assert ("Learning rate kept: 0.001 by 12, 0.003 by 72, 0.01 by 84, 0.03 by 12 of 180 seeds; 13 % kept one at an "
            "edge of the grid.") in entry(study, "before")
    assert "Learning rate kept" not in entry(study, "mlp_bn")


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
    none = without(study, "effects", "averages", "places")
    assert ("No result is stored yet." in entry(none, name)) == missing


def test_places_stand_where_their_experiment_stands(study):
    text = entry(study, "anywhere")
    assert "**Where do I put `bn`?**" in text and "```{image} /figures/places-anywhere.svg" in text
    assert "`places-anywhere.csv </figures/places-anywhere.csv>`, SHA-256" in text
    assert "`bn` at every place, one at a time" in text and "figures/places-anywhere" in write(study)
    assert "Where do I put" not in entry(without(study, "places"), "anywhere")
