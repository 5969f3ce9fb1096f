"""The page of a finding, the list of all, and that one finding has one word."""

import math
import re
from collections import defaultdict
from dataclasses import replace

import pytest

from pipeline.book.figures import specification
from pipeline.book.pages import finding
from pipeline.findings.finding import ALL
from pipeline.findings.words import HIGHER, LOWER, Word

NAME = "dropout_or_plain_sequences"
#: The longest first, as some are parts of others.
WORDS = sorted([*map(str, Word), HIGHER, LOWER], key=len, reverse=True)
ROW = re.compile(r"\]\(/findings/(\w+)\.md\)(?: \||$)")


def test_every_finding_has_a_page_with_its_sentences_and_a_curve(study):
    files = finding.write(study)
    assert {path for path in files if path.startswith("findings/")} == {f"findings/{name}.md" for name in study.found}
    assert not {name for name in study.found if "repetition" in name or "train_fraction" in name}
    text = files[f"findings/{NAME}.md"]
    for row in study.found[NAME]:
        assert row["sentence"] in text
    assert f"figures/curve-{NAME}.svg" in text and "What others found" not in text
    assert "[Dropout before the LSTM lowers the error](#claim-dropout_helps)" in text
    assert "0.20 with it and of 0.25" in files["findings/before_or_plain_sequences.md"]
    assert text.count("[tides]") == 1 and "3.3\u00a0% / 0\u00a0%" not in text


def test_what_holds_on_competent_controls_alone_is_a_line_a_stratum(study):
    text, near = finding.write(study)[f"findings/{NAME}.md"], study.rows_of("competent", NAME).set_index("stratum")
    assert len(near)
    for row in study.strata(NAME):
        line = f"data sets ({row['stratum']}) whose control is within 5\u00a0% of the best simple predictor: "
        assert (line in text) == (row["stratum"] in near.index)
    for stratum, one in near.iterrows():
        change = 100 * math.expm1(-one["effect"])
        assert re.search(rf"On the {one['sets']} of 6 data sets \({stratum}\) whose .*: [+−]{abs(change):.0f}", text)


def test_a_finding_of_no_family_says_its_data_and_titles_differ(study):
    titles = [rows[0]["title"] for rows in study.found.values()]
    assert len(set(titles)) == len(titles)
    assert study.found["bn_input_or_plain_badly_scaled"][0]["title"].endswith(" (on badly scaled)")


def test_a_curve_goes_from_the_least_analysis_to_the_greatest(study):
    rows = specification.rows(study.rows_of("multiverse", NAME), study.strata(NAME))
    curve = study.rows_of("multiverse", NAME)
    for stratum, mine in rows.groupby("stratum"):
        known = curve[(curve["stratum"] == stratum) & curve["margin"].notna()]
        ends = (known["mean"] / known["margin"]).agg(["min", "max"])
        assert mine["mean"].iloc[[0, -1]].tolist() == pytest.approx(ends.tolist(), rel=1e-3)
        assert mine["mean"].is_monotonic_increasing and len(mine) <= specification.DRAWN
    figure = specification.specification(rows)
    assert [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes] == ["forecasts", "classes"]


def words_in(text, study):
    """Finding and stratum → every word that rows of tables in a page have for them."""
    found, name = defaultdict(set), None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|"):
            name = None
            continue
        if link := ROW.search(line):
            name = link[1]
        strata = [row["stratum"] for row in study.found.get(name, ())]
        place = next((cell for cell in cells if cell in strata), None)
        said = [word for cell in cells for word in WORDS if cell.partition(";")[0] == word]
        if place and said:
            found[name, place].update(said)
    return found


def test_no_finding_has_two_words_anywhere(study, source):
    expected, found = {(name, row["stratum"]): row["word"] for name, rows in study.found.items() for row in rows}, defaultdict(set)
    for path in source.rglob("*.md"):
        for place, said in words_in(path.read_text(), study).items():
            found[place] |= said
    assert len(found) > 20
    assert {place: said for place, said in found.items() if said != {expected[place]}} == {}


def test_sentences_are_those_of_the_table(study, source):
    known = {row["sentence"] for rows in study.found.values() for row in rows}
    for path in (*source.glob("*.md"), *source.glob("findings/*.md")):
        for said in re.findall(r"On (?:forecasts|classes|tables|all kinds together|the \d+ sets)[^|]*?(?=\.(?: On |\n|$))", path.read_text()):
            if "test error (" in said:
                assert f"{said}." in known, (path, said)


def test_the_list_has_a_row_a_stratum_with_what_a_script_filters_by(study):
    text = finding.overview(study)["generated/findings.md"]
    rows = [line for line in text.splitlines() if "](/findings/" in line]
    assert len(rows) == sum(len(study.strata(name)) for name in study.found)
    assert "| synthetic, badly scaled |" in text and f"| {ALL} |" not in text
    assert finding.overview(replace(study, tables={**study.tables, "findings": study.findings.iloc[:0]}))[
        "generated/findings.md"] == "Nothing is stored yet.\n"
