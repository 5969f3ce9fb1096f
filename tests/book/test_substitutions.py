"""The numbers of hand-written pages are those of the study, and every one that a page names is there."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.book.assemble import constants, substitutions
from pipeline.findings.rule import Rule

ROOT = Path(__file__).parents[2]


def test_numbers_count_what_is_stored(study):
    found = substitutions(study)
    assert (found["claims"], found["experiments"], found["runs"]) == (10, 13, 6)
    assert (found["data_sets"], found["real_sets"], found["synthetic_sets"]) == (24, 22, 2)
    readings = study.readings["reading"].value_counts()
    assert found["agrees"] == readings["agrees"] and found["disagrees"] == readings["disagrees"]
    assert (found["exactly_true"], found["being_measured"], found["not_measured"]) == (1, 1, 0)
    # Those that measure the rule are no finding of the study.
    assert found["findings"] == study.findings.loc[~study.findings["role"].isin(["A/A", "half the data"]), "id"].nunique()
    assert (found["patience"], found["rates"], found["probe_seeds"], found["first_seed"]) == (10, 4, 10, 3000)


def test_a_readers_own_data_count_as_nothing_of_the_study(study):
    one = next(iter(study.params.data.values()))
    params = study.params.model_copy(update={"data": study.params.data | {
        "mine": one.model_copy(update={"own": True, "family": None})}})
    mine = replace(study, params=params, trained={name: dict(found) | {("", "mine"): 20}
                                                  for name, found in study.trained.items()})
    assert mine.trained and substitutions(mine) == substitutions(study)


def test_constants_are_said_in_per_cent():
    found = constants(Rule(confidence=0.9, ratio_margin=1.07, share_margin=0.125))
    assert (found["confidence"], found["miss"]) == (90, 10)
    assert (found["margin"], found["share_margin"]) == (7, 12.5)
    assert constants(Rule(competent=1.075))["competent"] == 7.5
    assert constants(Rule())["target_factor"] == Rule().target_factor


def test_names_in_pages_are_known(study):
    known, named = set(substitutions(study)), set()
    for path in (ROOT / "book").glob("*.md"):
        named |= set(re.findall(r"\{\{(.+?)\}\}", path.read_text()))
    assert {name.strip() for name in named} <= known and len(named) > 5
    # What Jinja would read as a value is no name.
    assert not known & {"true", "false", "none"}


def prose(text):
    """A page without its head, code, directives' options, roles, numbers put in and addresses of links."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    text = re.sub(r"^:.*$", "", text, flags=re.M)
    text = re.sub(r"\{\{.+?\}\}|\{[\w:]+\}`[^`]*`|`[^`]*`", "", text)
    return re.sub(r"\]\([^)]*\)", "]", text)


@pytest.mark.parametrize("page", ["index", "order", "lstm", "output", "dropout",
                                  "selu", "squeeze_excite", "pooling", "learning_rate", "mechanics",
                                  "old_code", "claims", "records", "limits", "findings", "cite", "turned"])
def test_no_number_is_typed_where_results_are_reported(page):
    text = prose((ROOT / "book" / f"{page}.md").read_text())
    # A digit that belongs to a name, such as Conv2D, is no number.
    assert re.findall(r"(?<![A-Za-z])\d[\d.,]*", text) == []


def test_prose_keeps_a_typed_number_and_drops_one_that_is_put_in():
    text = prose("---\na: 1\n---\nIn 12 % of {{ runs }} runs of `3`.\n```\n3\n```\n")
    assert text.split() == ["In", "12", "%", "of", "runs", "of", "."]
