"""A chapter: its answers, what to do, its claims, its places and sweeps, its limits."""

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.book.pages.chapter import advised, applications, chapter, limits, old_code, places, write


def test_a_chapter_opens_with_its_answers_and_their_verdicts(study):
    text = chapter(study, "dropout")
    opening = text[:text.index("## ")]
    assert ":::{admonition} In short\n:class: tip\n**Dropout before the LSTM, on forecasts: leave it out.** 23 %" in opening
    assert "{bdg-warning}`contradicted` (forecasts); {bdg-primary}`supported` (classes)" in opening


def test_a_chapter_has_the_advice_that_it_does_not_open_with(study):
    assert "- Dropout → LSTM (classes). **Put it in.** 12 % less error on average" in advised(study, "dropout")
    # Both of its situations are said already.
    assert advised(study, "dropout", {"dropout_helps", "tables_dropout_helps"}) == ""
    text = chapter(study, "sequences")
    assert "## What else to do" in text and "- SELU rather than ReLU. **Being measured.**\n" in text


def test_a_claim_whose_strata_differ_says_which_is_which(study):
    text = chapter(study, "dropout")
    assert "*Forecasts.* {bdg-warning}`contradicted` 23 % more error" in text
    assert "*Classes.* {bdg-primary}`supported` 12 % less error" in text


def test_figures_of_answers_stand_and_those_of_other_claims_fold_open(study):
    text = chapter(study, "dropout")
    assert "::::{dropdown} The data sets, drawn\n:::{div} scroll\n```{image} /figures/claim-tables_dropout_can" in text
    assert "drawn\n:::{div} scroll\n```{image} /figures/claim-dropout_helps.svg" not in text
    assert "/figures/claim-dropout_helps.svg" in text


def test_a_chapter_links_to_what_was_found_at_every_place(study):
    text = "\n".join(places(study, "sequences"))
    assert ("- Where do I put `bn`? [anywhere](#experiment-anywhere) tried every place:\n  - sequences: after "
            "lstm_1 is best, −33 % (−39 to −26 %); first is worst, +35 % (+22 to +49 %)") in text
    assert text in chapter(study, "sequences")
    none = replace(study, tables={**study.tables, "places": study.places.iloc[:0]})
    assert places(none, "sequences") == [] == places(study, "mechanics")


def test_a_sweep_is_drawn_where_it_has_rows(study):
    files = write(study)
    assert not files["figures/sweep-dropout-1"].small and "## Value by value" in files["generated/dropout.md"]
    one = replace(study, tables={**study.tables, "doses": study.doses[study.doses["data"] == "tides"]})
    assert write(one)["figures/sweep-dropout-1"].small
    assert "## Value by value" not in chapter(study, "sequences")


def test_a_chapter_without_a_page_gets_one(study):
    files = write(study)
    assert files["something_new.md"].startswith("# Something new\n\n")
    # Mechanics has a hand-written page, which includes what is generated.
    assert "mechanics.md" not in files and "generated/mechanics.md" in files
    assert chapter(study, "selu") == "No claim of this chapter is declared.\n"


def test_the_limits_name_data_and_what_is_open_or_awaited(study):
    text = limits(study, [claim for claim in study.claims if claim.topic == "sequences"])
    assert "Measured on 13 data sets (tides, river, traffic, wind north" in text
    assert "0 of 4 claims stayed undecided, 1 is being measured." in text
    blunt = sorted(set(study.data_sets["data"]) - study.sensitive - set(study.families["tables"][""]))
    assert f" On {', '.join(blunt).replace('_', ' ')}, half the data does not raise the error" in text
    assert limits(study, study.claims[-1:]) == ""


def test_the_limits_say_how_well_averages_of_errors_are_known(study):
    claim = next(one for one in study.claims if one.slug == "before_helps")
    row = study.averages[study.averages["claim"] == "before_helps"].iloc[0]
    half = 100 * (2.718281828459045 ** ((row["high"] - row["low"]) / 2) - 1)
    assert f"known to within {half:.1f} % or less" in limits(study, [claim])
    other = next(one for one in study.claims if one.slug == "tables_bn_trains_faster")
    assert "known to within" not in limits(study, [other])


@pytest.mark.parametrize(("block", "table", "row", "words"), [
    (applications, "applications", ("ResNet", "ResNet50", 53, 49, 0, 4, 0, 53), "| ResNet | ResNet50 | 53 | 49 | 0"),
    (old_code, "old_code", ("A", "momentum", False, "It fails.", "momentum=0.9"),
     "| A | `momentum` | **no** | It fails. | `momentum=0.9` |"),
    (old_code, "old_code", ("A", "momentum", True, "It works.", ""), "| yes | It works. | – |")])
def test_what_a_chapter_has_from_the_exact_checks(study, block, table, row, words):
    stored = pd.DataFrame([row], columns=list(getattr(study, table).columns))
    assert words in block(replace(study, tables={**study.tables, table: stored}))
    assert block(study) == ""
