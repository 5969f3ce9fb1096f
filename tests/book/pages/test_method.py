"""The method's page prints the rule from the code, and tables of what is stored."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.book.pages.method import INTERVALS, constants, data_sets, edges, errors, families, half, itself, regions, write
from pipeline.findings.regions import REGIONS
from pipeline.findings.words import Word, choose

ROOT = Path(__file__).parents[3]
#: Of a margin of 1, an interval for each word.
EXAMPLES = {
    "above 0, below the margin": (0.1, 0.9), "above 0": (0.1, 2), "below 0, above minus the margin": (-0.9, -0.1),
    "below 0": (-2, -0.1), "within the margin on both sides": (-0.5, 0.5), "anywhere else; what it rules out is said": (-2, 0.5)}


def with_tables(study, **tables):
    return replace(study, tables={**study.tables, **tables})


def test_every_piece_is_on_the_page(study):
    text = (ROOT / "book/method.md").read_text()
    for path in write(study):
        if path.startswith("generated/"):
            assert text.count(f"```{{include}} {path}\n```") == 1, path


def test_constants_are_those_of_the_code(study):
    assert len(constants(study).splitlines()[2:]) == len(study.rule.table())
    assert f"| `ratio_margin` | {study.rule.ratio_margin:g} | Ratio of errors" in constants(study)
    assert "| `confidence` | 0.8 |" in constants(replace(study, rule=replace(study.rule, confidence=0.8)))


def test_what_is_said_of_every_word_is_when_the_code_says_it():
    assert set(INTERVALS) == set(Word) and set(INTERVALS.values()) == set(EXAMPLES)
    for word, lies in INTERVALS.items():
        assert choose(*EXAMPLES[lies], 1.0) == word


def test_every_region_is_told():
    assert all(f"| {name.replace('_', ' ')} | {region.says} |" in regions() for name, region in REGIONS.items())


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


def test_what_half_the_data_does_not_change_is_named(study):
    assert half(study) == "On these sets no difference of half the data was seen: storms.\n"
    assert half(with_tables(study, data_sets=study.data_sets.assign(reacts=True))).startswith("Half the data makes a difference")
    assert half(with_tables(study, data_sets=study.data_sets.iloc[:0])) == ""


def test_error_rates_are_the_tables_own(study):
    rates = study.error_rates
    text = errors(study)
    # The share of simulated studies whose word is wrong, of the first case.
    first = rates[rates["subject"] == "words"].iloc[0]
    case = rates[(rates["subject"] == "words") & (rates["stratum"] == first["stratum"]) & (rates["kind"] == first["kind"])
                 & (rates["truth"] == first["truth"]) & (rates["spread"] == first["spread"])]
    wrong = 100 * (case["share"] * case["wrong"]).sum()
    row = next(line for line in text.splitlines() if line.startswith(f"| {first['kind']} | {first['stratum']} | 0 | all alike"))
    assert row.endswith(f"| {wrong:.1f}\u00a0% |")
    same = rates[rates["subject"] == "A/A"].iloc[0]
    assert f"| A/A | {same['findings']:.0f} | {100 * same['share']:.0f}\u00a0% |" in itself(study)


def test_networks_at_an_edge_are_counted(study):
    at = study.edges["experiment"].eq("before")
    text = edges(with_tables(study, edges=study.edges.assign(edge=at.map({True: "greatest", False: ""}))))
    assert f"in 12 of {len(study.edges)} cases" in text and "| [before](#experiment-before) | greatest | 12 of 12 |" in text


def test_bins_that_are_off_are_named(study):
    rows = study.reliability.assign(off=False)
    number = rows.index[~rows["whole"].astype(bool)][0]
    text = write(with_tables(study, reliability=rows))["generated/method/reliability.md"]
    assert "No bin is off." in text and "/figures/reliability.svg" in text
    rows.loc[number, "off"] = True
    assert "Off are: *" in write(with_tables(study, reliability=rows))["generated/method/reliability.md"]
    none = write(with_tables(study, reliability=pd.DataFrame(columns=rows.columns)))
    assert none["generated/method/reliability.md"] == "Nothing is stored yet.\n" and "figures/reliability" not in none
