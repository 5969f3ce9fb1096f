"""The method's page prints the rule from the code, and tables of what is stored."""

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.book.pages.method import (
    INTERVALS, claim_table, constants, data_sets, detectable, families, half, interval_words, itself, simulated,
    write, wrong)
from pipeline.verdicts import words
from pipeline.verdicts.claims import REGIONS, decide

ROOT = Path(__file__).parents[3]
SIMULATED = ["family", "comparisons", "units", "truth", "spread", "word", "share", "wrong", "smallest"]
#: Of a margin of 1, an interval (and whether the range for another set lies within the margin) for each word.
EXAMPLES = {
    "above the margin": (1.1, 2, False), "above 0, below the margin": (0.1, 0.9, False),
    "above 0, and the margin lies inside": (0.1, 2, False), "below minus the margin": (-2, -1.1, False),
    "below 0, above minus the margin": (-0.9, -0.1, True), "below 0, and minus the margin lies inside": (-2, -0.1, False),
    "within the margin on both sides, and so does the range for another data set": (-0.5, 0.5, True),
    "within the margin on both sides": (-0.5, 0.5, False), "below the margin": (-2, 0.5, False),
    "above minus the margin": (-0.5, 2, False), "anywhere else": (-2, 2, False)}


def with_tables(study, **tables):
    return replace(study, tables={**study.tables, **tables})


def cases(*rows):
    return pd.DataFrame([("tables", 5, 18, *row, math.log(1.25)) for row in rows], columns=SIMULATED)


def test_every_piece_is_on_the_page(study):
    text = (ROOT / "book/method.md").read_text()
    for path in write(study):
        assert text.count(f"```{{include}} {path}\n```") == 1


def test_constants_are_those_of_the_code(study):
    rows = constants(study).splitlines()[2:]
    assert len(rows) == len(study.rule.table())
    assert f"| `ratio_margin` | {study.rule.ratio_margin:g} | Ratio of errors" in constants(study)
    assert "| `confidence` | 0.8 |" in constants(replace(study, rule=replace(study.rule, confidence=0.8)))


def test_what_is_said_of_every_word_is_when_the_code_says_it():
    assert list(INTERVALS) == list(words.WORDS) and set(INTERVALS.values()) == set(EXAMPLES)
    for word, lies in INTERVALS.items():
        low, high, everywhere = EXAMPLES[lies]
        assert words.word(low, high, 1.0, everywhere) == word
    # Whatever fits above a row is said first.
    assert interval_words().index("above the margin") < interval_words().index("above 0, and")


def test_the_table_of_claims_decides_as_the_code_does():
    header, _, *rows = claim_table().splitlines()
    assert header == "| predicts | supported | contradicted | decided besides | printed as |"
    assert len(rows) == len(REGIONS)
    for row in rows:
        region, supports, contradicts, *_ = (cell.strip() for cell in row.strip("|").split("|"))
        for some, verdict in ((supports, "supported"), (contradicts, "contradicted")):
            assert {decide(region.replace(" ", "_"), word) for word in some.split("; ")} == {verdict}


def test_families_count_sets_units_and_seeds(study):
    # The two sets of wind are one unit.
    assert families(study) == ("- **sequences**: 6 forecasts in 5 units and 6 classes, 15 seeds each\n"
                               "- **tables**: 10 data sets, 15 seeds each\n")


def test_data_sets_say_their_family(study):
    plans = {"plain": {"arms": [
        {"data": "tides", "shape": [21, 20], "task": {"classes": 0, "targets": 1, "quantiles": []}},
        {"data": "wages", "shape": [8], "task": {"classes": 10, "targets": 1, "quantiles": []}}]}}
    text = data_sets(replace(study, plans=plans))
    assert "| tides | sequences, forecasts | Tides by the hour | 21 × 20 | a number | 15 | 60 | 8 |" in text
    assert "| wages | tables | A table of wages | 8 | 10 classes | 15 |" in text
    assert "| wind_north | sequences, forecasts, unit wind | " in text
    assert "| noise | – | Noise | – | – | 30 |" in text


def test_wrong_words_are_at_most_a_share_of_the_claims(study):
    claims = study.verdicts.loc[study.verdicts["p"].notna(), "slug"].nunique()
    assert claims == 9  # Ten rows, of which two are one claim's.
    plain = with_tables(study, simulated=cases())
    assert f"9 claims have a word or a verdict by intervals. At most {0.05 * claims:.1f} of" in wrong(plain)
    assert "simulated" not in wrong(plain)
    found = cases((0.0, False, "helps", 0.02, True), (0.0, False, "harms", 0.01, True), (0.0, False, "open", 0.97, False),
                  (1.0, True, "open", 1.0, False))
    # 3 % and 0 % of cases.
    assert ("was wrong in 1.5 % of cases on average, and in 3.0 % in the worst one (tables, a true average of 0, all "
            "alike)") in wrong(with_tables(study, simulated=found))
    assert wrong(with_tables(study, verdicts=study.verdicts.iloc[:0])) == ""


def test_simulated_studies_say_what_they_say_most(study):
    found = cases((0.0, False, "helps", 0.02, True), (0.0, False, "harms", 0.01, True),
                  (0.0, False, "makes no difference", 0.6, False), (0.0, False, "open", 0.37, False),
                  (2.0, True, "helps clearly", 1.0, False))
    first, second = simulated(with_tables(study, simulated=found)).splitlines()[2:]
    assert first == "| tables | 0 | all alike | makes no difference 60 %, open 37 %, helps 2 % | 3.0 % |"
    assert second == "| tables | 2 margins | spread as measured | helps clearly 100 % | 0.0 % |"
    # An error 1.25 times smaller is 20 % less.
    assert "| tables | 5 | 18 | −20 % |" in detectable(with_tables(study, simulated=found))


def test_arms_that_measure_the_rule(study):
    rows = pd.DataFrame([("A/A", "plain", "sequences", 12, 1, 1 / 12, 0.002, 0.385, 0.021, 0.02, "open"),
                         ("half the data", "mlp", "", 1, 1, 1.0, 0.025, 1.0, math.nan, 0.03, "")],
                        columns=["kind", "control", "family", "comparisons", "decisive", "share", "low", "high", "noise",
                                 "expected", "word"])
    first, second = itself(with_tables(study, decisive=rows)).splitlines()[2:]
    assert first == ("| A/A | [plain](#experiment-plain) | sequences | 12 | 1 (8 %) | 0 % to 38 % | 0.021 | 0.020 | open |")
    assert second.endswith("| – | 1 | 1 (100 %) | 2 % to 100 % | – | 0.030 | – |")


def sets(*rows):
    return pd.DataFrame(rows, columns=["data", "sensitive", "marked"])


@pytest.mark.parametrize(("rows", "said"), [
    ([], ""),
    ([("a", True, False)], "On every data set, half the data raises the control's error by more than the margin. No data "
     "set is marked: every control beats the trivial predictor clearly.\n"),
    ([("b", False, False), ("a", False, True), ("a", False, True)], "On a, b, half the data does not raise the control's error by more "
     "than the margin; what shows no effect there is not taken as a proof that there is none. Marked, as the control hardly "
     "beats the trivial predictor: a.\n")])
def test_what_half_the_data_says(study, rows, said):
    assert half(with_tables(study, data_sets=sets(*rows))) == said
