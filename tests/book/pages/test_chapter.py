"""A chapter: its findings, its places and sweeps, its claims, its limits."""

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.book.pages.chapter import about, applications, chapter, limits, old_code, places, write


def page(study, topic):
    files = write(study)
    return files.get(f"generated/{topic}.md") or files[f"{topic}.md"]


def test_a_chapter_opens_with_the_sentences_of_its_findings(study):
    text = page(study, "dropout")
    opening = text[:text.index("## ")]
    assert ":::{admonition} In short" in opening
    for row in study.strata("dropout_or_plain_sequences"):
        assert row["sentence"] in opening
    assert about(study, "dropout")[0] == "dropout_or_plain_sequences"  # Of a primary claim.


def test_every_finding_stands_in_the_table_of_one_chapter(study):
    tables = {topic: page(study, topic) for topic in study.topics}
    for name, topic in study.topic_of.items():
        assert f"](/findings/{name}.md) | " in tables[topic], name


def test_claims_stand_with_what_they_read(study):
    text = page(study, "dropout")
    assert "[Dropout before the LSTM lowers the error](#claim-dropout_helps)" in text and "`disagrees`" in text


def test_a_chapter_has_what_was_found_at_every_place(study):
    text = places(study, "sequences")
    assert "`bn` at every place, one at a time ([anywhere](#experiment-anywhere))" in text
    assert "[first](/findings/anywhere_first_or_plain_sequences.md) | forecasts" in text and text in page(study, "sequences")
    none = replace(study, tables={**study.tables, "places": study.places.iloc[:0]})
    assert places(none, "sequences") == "" == places(study, "mechanics")


def test_a_sweep_is_drawn_where_it_has_rows(study):
    files = write(study)
    assert not files["figures/sweep-dropout-1"].small and "## Value by value" in files["dropout.md" if "dropout.md" in files else
                                                                                       "generated/dropout.md"]
    one = replace(study, tables={**study.tables, "doses": study.doses[study.doses["data"] == "tides"]})
    assert write(one)["figures/sweep-dropout-1"].small
    assert "## Value by value" not in page(study, "sequences")


def test_a_chapter_without_a_page_gets_one(study):
    files = write(study)
    assert files["something_new.md"].startswith("# Something new\n\n")
    # Mechanics has a hand-written page, which includes what is generated.
    assert "mechanics.md" not in files and "generated/mechanics.md" in files
    assert chapter(study, "selu", ()) == "No claim of this chapter is declared.\n"


def test_the_limits_name_data_and_what_is_open_or_awaited(study):
    claims = [claim for claim in study.claims if claim.topic == "sequences"]
    text = limits(study, about(study, "sequences"), claims)
    assert "Measured on 13 data sets (tides, river, traffic, wind north" in text
    assert "Of 4 claims, 0 cannot be told, 1 is being measured." in text
    assert "Half the data makes no difference on storms" in limits(study, about(study, "tables"), [])
    assert limits(study, [], claims) == ""


@pytest.mark.parametrize(("block", "table", "row", "words"), [
    (applications, "applications", ("ResNet", "ResNet50", 53, 49, 0, 4, 0, 53), "| ResNet | ResNet50 | 53 | 49 | 0"),
    (old_code, "old_code", ("A", "momentum", False, "It fails.", "momentum=0.9"),
     "| A | `momentum` | **no** | It fails. | `momentum=0.9` |"),
    (old_code, "old_code", ("A", "momentum", True, "It works.", ""), "| yes | It works. | – |")])
def test_what_a_chapter_has_from_the_exact_checks(study, block, table, row, words):
    stored = pd.DataFrame([row], columns=list(getattr(study, table).columns))
    assert words in block(replace(study, tables={**study.tables, table: stored}))
    assert block(study) == ""
