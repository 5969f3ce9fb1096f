"""A claim's page has all that decides it."""

import hashlib
from dataclasses import replace

import pandas as pd
import pytest

from pipeline.book.pages.claim import page, robustness, undecided, write


def claim(study, slug):
    return next(one for one in study.claims if one.slug == slug)


def test_a_claims_page_has_all_that_decides_it(study):
    files = write(study)
    text = files["claims/tables_bn_helps.md"]
    average = study.average(claim(study, "tables_bn_helps"))
    for part in ("(tables_bn_helps)=", "# Batch normalisation lowers the error of an MLP", "`supported`", "`fragile`",
                 "The thread's prediction: test error lower, on average over the 10 data sets of the family *tables*",
                 "figures/claim-tables_bn_helps.svg", ':alt: "Forest plot of the test error.',
                 f"In the rule's words, this *{average['word']}*.", "[mlp_bn](#experiment-mlp_bn)",
                 "| margin halved | supported |", "| signed-rank test | undecided |",
                 "Thread B, answer; row B3", "| 2 % / 0 % | 10 % / 0 % | 0 % / 0 % |", "The effects one by one (10)"):
        assert part in text, part
    assert "How far from a decision" not in text


def test_below_the_figure_stand_its_data_with_their_hash(study):
    files = write(study)
    picture = files["figures/claim-tables_bn_helps"]
    digest = hashlib.sha256(picture.files()["figures/claim-tables_bn_helps.csv"].encode()).hexdigest()
    assert f"SHA-256 `{digest[:12]}…`" in files["claims/tables_bn_helps.md"]
    rows = picture.rows[picture.rows["kind"] == "set"]
    assert list(rows["y"]) == sorted(study.claim_effects(claim(study, "tables_bn_helps"))["y"], reverse=True)


def test_where_strata_differ_each_has_its_verdict_and_its_average(study):
    text = write(study)["claims/dropout_helps.md"]
    assert "**Forecasts.** {bdg-warning}`contradicted`" in text and "**Classes.** {bdg-primary}`supported`" in text
    assert "The two kinds of data differ" in text and "no common advice" in text
    assert "| forecasts | 5 (6) |" in text and "| classes | 6 (6) |" in text


def test_an_undecided_claim_says_how_far_it_is_from_a_decision(study):
    text = write(study)["claims/tables_dropout_helps.md"]
    assert "## How far from a decision" in text and "more units would do it" in text
    some = claim(study, "tables_dropout_can_harm")
    assert undecided(study, some) == ""


def test_an_identity_shows_its_checks(study):
    one = claim(study, "exact_one")
    assert "| `never_added` | It does nothing | 0 | 0 | yes |" in page(study, one, None)
    none = replace(study, tables={**study.tables, "checks": study.checks.iloc[:0]})
    assert "None is stored yet." in page(none, one, None)


@pytest.mark.parametrize(("slug", "badge", "words"), [
    ("not_yet", "not measured", "No stored result decides"),
    ("selu_helps", "being measured", "is being measured; nothing is said before")])
def test_a_claim_without_a_result_says_so_and_nothing_else(study, slug, badge, words):
    text = write(study)[f"claims/{slug}.md"]
    assert f"`{badge}`" in text and words in text
    assert "## What was measured" not in text and "on average (" not in text


def test_an_experiment_that_is_being_measured_is_marked(study):
    assert "| [selu](#experiment-selu) | `conv → selu → lstm` | being measured |" in write(study)["claims/selu_helps.md"]


@pytest.mark.parametrize(("slug", "values", "words"), [
    ("before_helps", {"because": "It must."}, "**Because.** It must. The verdict is on the statement, not on its reason."),
    ("exact_one", {"because": "It must."}, "**Note.** It must."),
    ("before_helps", {"analogue": True}, "out of reach; this is our analogue of it.")])
def test_a_reason_and_an_analogue_are_told(study, slug, values, words):
    assert words in page(study, claim(study, slug).model_copy(update=values), None)


def test_of_units_left_out_those_without_which_the_verdict_is_another_are_named(study):
    rows = pd.DataFrame([("tables_bn_helps", "", f"without {unit}", "undecided" if unit == "spam" else "supported")
                         for unit in study.claim_units(claim(study, "tables_bn_helps"))["unit"]],
                        columns=["claim", "group", "change", "verdict"])
    text = robustness(replace(study, tables={**study.tables, "robustness": rows}), claim(study, "tables_bn_helps"))
    assert "| each of 10 units left out once | supported in 9; without spam: undecided |" in text
    none = replace(study, tables={**study.tables, "robustness": rows.iloc[:0]})
    assert robustness(none, claim(study, "tables_bn_helps")) == ""
