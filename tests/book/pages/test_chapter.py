"""A chapter: its answers, what to do, its claims, its places and sweeps, its limits."""

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.book.pages.chapter import advised, applications, chapter, limits, old_code, places, write
from tests.book.made import cell


def test_a_chapter_opens_with_its_answers_and_how_sure_they_are(study):
    text = chapter(study, "sequences")
    assert ":::{admonition} In short\n:class: tip\nPut it before. It does nothing.\n:::" in text
    assert "1 of 1 comparison as predicted, 0 against; 30 seeds each. 26 % lower test error" in text


def test_a_chapter_has_the_advice_of_its_topic(guided):
    text = advised(guided, "order")
    assert "- BN after a Conv1D. **Do it:** it helps. Better in 1 of 1 (1 beyond the margin), worse in 0." in text
    assert text in chapter(guided, "order") and advised(guided, "selu") == ""


def test_figures_of_answers_stand_and_those_of_other_claims_fold_open(study):
    assert "```{image} /figures/claim-before_is_better.svg" in chapter(study, "sequences")
    assert "The comparisons, drawn" not in chapter(study, "sequences")
    folded = chapter(replace(study, answers={}), "sequences")
    assert "::::{dropdown} The comparisons, drawn\n:::{div} scroll\n```{image} /figures/claim-before" in folded


def test_a_chapter_links_to_what_was_found_at_every_place(study):
    text = "\n".join(places(study, "sequences"))
    assert ("- Where do I put `bn`? [anywhere](#experiment-anywhere) tried every place:\n  - forecast: after "
            "lstm_1 is best, −33 % (−39 to −26 %); first is worst, +35 % (+22 to +49 %)\n  - vowels: ") in text
    assert text in chapter(study, "sequences")
    none = replace(study, tables={**study.tables, "places": study.places.iloc[:0]})
    assert places(none, "sequences") == [] == places(study, "mechanics")


def test_a_sweep_is_drawn_where_it_has_rows(study):
    doses = pd.DataFrame([("before", "batch_size", 4.0, "forecast", 30, 0.4, 0.3, 0.5)],
                         columns=list(study.doses.columns))
    swept = replace(study, tables={**study.tables, "doses": doses}, answers={
        "sequences": study.answers["sequences"] | {"sweeps": [["before"], ["after"]]}})
    files = write(swept)
    assert files["figures/sweep-sequences-1"].small and "figures/sweep-sequences-2" not in files
    assert "## Value by value" in files["sequences.md"]
    assert "## Value by value" not in chapter(study, "sequences")


def test_a_chapter_without_a_page_gets_one(study):
    files = write(study)
    assert files["something_new.md"].startswith("# Something new\n\n")
    # Mechanics has a hand-written page, which includes what is generated.
    assert "mechanics.md" not in files and "generated/mechanics.md" in files
    assert chapter(study, "selu") == "No claim of this chapter is declared.\n"


def test_the_limits_name_data_open_claims_and_blind_sets(study):
    text = limits(study, study.claims)
    # exp(-0.2) - 1 = -0.1813
    assert "Measured on forecast, with the networks named above" in text and "a change of −18 %" in text
    assert "0 of 3 claims stayed undecided" in text and "never concluded" not in text
    blind = pd.DataFrame({"data": ["forecast", "digits"], "blind": [True, True]})
    text = limits(replace(study, tables={**study.tables, "data_sets": blind}), study.claims)
    assert "On forecast, “no difference” is never concluded." in text
    assert limits(study, study.claims[2:]) == ""


def test_only_comparisons_of_errors_say_what_could_be_found(study):
    other = pd.DataFrame([cell(claim="before_is_better", metric="drift", scale="difference")])
    text = limits(replace(study, tables={**study.tables, "cells": other}), study.claims)
    assert "could have found" not in text


@pytest.mark.parametrize(("block", "table", "row", "words"), [
    (applications, "applications", ("ResNet", "ResNet50", 53, 49, 0, 4, 0, 53), "| ResNet | ResNet50 | 53 | 49 | 0"),
    (old_code, "old_code", ("A", "momentum", False, "It fails.", "momentum=0.9"),
     "| A | `momentum` | **no** | It fails. | `momentum=0.9` |"),
    (old_code, "old_code", ("A", "momentum", True, "It works.", ""), "| yes | It works. | – |")])
def test_what_a_chapter_has_from_the_exact_checks(study, block, table, row, words):
    stored = pd.DataFrame([row], columns=list(getattr(study, table).columns))
    assert words in block(replace(study, tables={**study.tables, table: stored}))
    assert block(study) == ""
