"""An experiment is shown with its exact lines, its change, and what came of it."""

from dataclasses import replace

from pipeline.book.pages.experiment_group import entry, write


def test_an_experiment_has_its_lines_its_change_and_its_result(study):
    text = entry(study, "before")
    assert text.startswith("(experiment-before)=\n## before\n")
    assert "```yaml\nbefore: {of: plain, data: sequences, before: {relu: bn}}  # a remark\n```" in text
    assert "Compared with [plain](#experiment-plain): `bn` before `relu`." in text
    assert "26 % lower test error (95 % interval 18 % to 33 %) | better | 30 | −18 % |" in text
    assert "Claims: [Before is better](/claims/before_is_better.md)." in text
    assert "[Lab record: curves, scores and rates](/records/before.ipynb)" in text


def test_a_list_and_an_argument_are_shown_as_the_change_they_are(study):
    assert "`conv → relu → bn → lstm` instead of `conv → relu → lstm`" in entry(study, "after")
    assert "`lstm.recurrent_dropout: 0.2`" in entry(study, "recurrent")


def test_an_experiment_without_a_result_says_so_if_it_has_a_control(study):
    none = replace(study, tables={**study.tables, "comparisons": study.comparisons.iloc[:0],
                                  "places": study.places.iloc[:0]})
    for name, missing in (("before", True), ("plain", False), ("anywhere", True)):
        assert ("No result is stored yet." in entry(none, name)) == missing


def test_places_stand_where_their_experiment_stands(study):
    text = entry(study, "anywhere")
    assert "**Where do I put `bn`?**" in text and "```{image} /figures/places-anywhere.svg" in text
    assert ":class: figure small" in text and "`places-anywhere.csv </figures/places-anywhere.csv>`, SHA-256" in text
    assert "`bn` at every place, one at a time" in text
    # The table of numbers folds open below it.
    assert ":::{dropdown} All numbers, each place by itself\n| data set" in text
    assert "figures/places-anywhere" in write(study)


def test_without_places_an_experiment_shows_its_table(study):
    none = replace(study, tables={**study.tables, "places": study.places.iloc[:0]})
    assert "Where do I put" not in entry(none, "anywhere") and "| data set |" in entry(none, "anywhere")
    assert "figures/places-anywhere" not in write(none)
