"""The method's tables are those of the rule, the data sets and the stored error rates."""

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.book.pages.method import arms, constants, data_sets, detectable, gaps, itself, simulated, write
from tests.book.made import cell


def with_tables(study, **tables):
    return replace(study, tables={**study.tables, **tables})


def test_every_piece_is_written(study):
    assert {path.rpartition("/")[2] for path in write(study)} == {
        "constants.md", "data_sets.md", "gaps.md", "detectable.md", "itself.md", "simulated.md"}


def test_constants_and_data_sets(study):
    assert "| `ratio_margin` | 1.1 | Ratio of mean squared errors" in constants(study)
    plans = {"plain": {"arms": [{"data": "forecast", "shape": [21, 20], "task": {"classes": 0, "targets": 1, "quantiles": []}},
                                {"data": "digits", "shape": [8, 8, 1], "task": {"classes": 10, "targets": 1, "quantiles": []}}]}}
    text = data_sets(replace(study, plans=plans))
    assert "| forecast | A forecast | 21 × 20 | a number | 30 | 2 | 8 |" in text
    assert "| digits | Digits | 8 × 8 × 1 | 10 classes | 60 | 2 | 8 |" in text
    assert "| forecast | A forecast | – | – | 30 |" in data_sets(study)


def test_gaps_are_said_in_a_sentence(study):
    found = replace(study, gaps={"co2": {"weeks": 9, "weeks_missing": 2, "windows_dropped": 3}})
    assert gaps(found) == ("In **co2**, 2 of 9 weeks are missing, and the 3 windows that touch one of them are "
                           "dropped.\n")


def test_what_would_have_been_found(study):
    rows = pd.DataFrame([cell(detectable=d) for d in (0.1, 0.2, 0.3)] + [
        cell(detectable=9.0, position="uninformative")])
    # exp(-d) - 1 = -0.0952, -0.1813, -0.2592
    assert "| forecast | 3 | −9.5 % | −18 % | −26 % |" in detectable(with_tables(study, comparisons=rows))


@pytest.mark.parametrize(("counts", "blind", "words"), [
    ([], [], "No such arm is stored yet."),
    ([("A/A", 8, 2)], [("forecast", False)],
     "Of 8 comparisons of a network with itself, 2 (25 %) were labelled better or worse. On every data set, a "
     "network trained on half the data was found worse."),
    ([("A/A", 1, 0)], [("noise", True), ("co2", True)],
     "Of 1 comparison of a network with itself, 0 (0 %) were labelled better or worse. On co2, noise, a network "
     "trained on half the data was not found worse: there, “no difference” is never concluded."),
    ([("A/A", 0, 0)], [], "No comparison of a network with itself can show anything.")])
def test_a_network_against_itself_is_what_the_verdicts_counted(study, counts, blind, words):
    found = with_tables(study, decisive=pd.DataFrame(counts, columns=["kind", "comparisons", "decisive"]),
                        data_sets=pd.DataFrame(blind, columns=["data", "blind"]))
    assert itself(found) == words + "\n"


def test_arms_and_simulations_are_tables(study):
    measured = pd.DataFrame([{"kind": "A/A", **cell(treatment="plain[repetition=1]")},
                             {"kind": "A/A", **cell(treatment="plain[repetition=1]", position="uninformative")}])
    first, second = arms(with_tables(study, arms=measured)).splitlines()[2:]
    assert first.startswith("| A/A | [plain (repetition=1)](#experiment-plain) | forecast | 26 % lower")
    assert first.endswith("| better |") and second.endswith("| – |")
    rows = pd.DataFrame([("no effect", "cell", "better", 0.0125, True)],
                        columns=["scenario", "unit", "outcome", "share", "wrong"])
    assert "| no effect | cell | better | 1.2 % | wrong |" in simulated(with_tables(study, simulated=rows))
