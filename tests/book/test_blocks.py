"""Blocks that several pages show."""

from dataclasses import replace

import pandas as pd

from pipeline.book.blocks import cell_table, check_table, claim_picture, guards, others, place_picture
from pipeline.spec.tables import TRIVIAL
from tests.book.made import cells


def test_a_comparison_says_what_was_found_and_what_could_have_been(study):
    rows = cells({"treatment": "before", "control": "after", "effect": 0.3, "low": 0.2, "high": 0.4,
                  "label": "better", "detectable": float("inf")},
                 {"treatment": "before", "control": TRIVIAL, "scale": "difference", "position": "uninformative",
                  "effect": 0.2, "low": 0.1, "high": 0.3, "detectable": 0.1})
    first, second = cell_table(study, rows).splitlines()[2:]
    assert first == ("| vowels | [before](#experiment-before) against [after](#experiment-after) | 26 % lower test "
                     "error (95 % interval 18 % to 33 %) | better | 30 | – |")
    assert "against trivial predictor" in second and second.endswith("| – | 30 | −0.1 |")


def test_an_interaction_names_both_contrasts_and_a_claimed_row_its_place(study):
    rows = cells({"treatment": "before", "control": "plain", "minus_treatment": "after", "minus_control": "plain",
                  "minus_data": "digits", "region": "better", "position": "open"})
    text = cell_table(study, rows)
    assert "| label | counts | seeds |" in text and "| undecided | open | 30 |" in text
    assert "less [after](#experiment-after) against [plain](#experiment-plain) on digits" in text


def test_reasons_are_listed():
    rows = cells({}, {"treatment": "new[rate=1]", "why": "too few errors", "position": "uninformative"})
    assert guards(rows) == (
        "**Why some do not count.**\n\n- vowels, new (rate=1): too few errors (uninformative)\n")
    assert guards(rows.iloc[:1]) == ""


def test_only_the_named_checks_are_shown(study):
    assert "`never_added`" in check_table(study, ["never_added"]) and check_table(study, ["another"]) == ""
    failed = replace(study, tables={**study.tables, "checks": study.checks.assign(holds=False)})
    assert "| **no** |" in check_table(failed, ["never_added"])


def test_what_others_found_is_that_of_the_rows(study):
    text = others(replace(study, evidence=({"rows": ["B2", "A6"], "says": "They found.", "cite": "key2020"},)), ["A6"])
    assert text == "## What others found\n\n- They found. {cite:p}`key2020`\n"
    assert others(study, []) == ""


def test_pictures_are_there_where_there_are_rows(study):
    assert claim_picture(study, study.claims[0]).name == "claim-before_is_better"
    assert claim_picture(study, study.claims[2]) is None
    assert len(place_picture(study, "anywhere").rows) == 8 and place_picture(study, "before") is None
    assert isinstance(place_picture(study, "anywhere").rows, pd.DataFrame)
