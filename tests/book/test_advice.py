"""Advice says what the verdicts say, and else what the comparisons say."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.book.advice import MEANS, Meaning, advice, evidence, meaning, tally
from pipeline.book.words.advice import DO
from pipeline.spec.base import read_yaml
from pipeline.spec.claims import read_claims
from tests.book.made import cell, claim, cells as table_of

ROOT = Path(__file__).parents[2]


def test_every_situation_of_a_declared_claim_has_its_meaning(guided):
    assert [(one.situation, one.instead, one.meaning) for one in advice(guided)] == [
        ("BN after a Conv1D", False, Meaning.BETTER), ("BN or none", True, Meaning.OPEN),
        ("Nobody looked", False, None)]
    assert [one.situation for one in advice(guided, front=True)] == ["BN after a Conv1D", "Nobody looked"]


def test_each_comparison_that_a_claim_declares_is_evidence(guided):
    conv, table, _ = guided.claims
    one, = evidence(guided, conv)
    assert (one.treatment, one.control, one.data, one.shows, one.way) == (
        "bn", "plain", "forecast", True, "better")
    found, missing = evidence(guided, table)
    assert (found.cell["effect"], found.way) == (0.0, "unclear")
    assert (missing.treatment, missing.cell, missing.way) == ("mlp_bn[train_fraction=1.0]", None, None)


def test_a_comparison_that_can_show_nothing_has_no_way(guided):
    blind = pd.DataFrame([cell(claim="conv", treatment="bn", position="uninformative")])
    one, = evidence(replace(guided, tables={**guided.tables, "cells": blind}), guided.claims[0])
    assert one.cell is not None and not one.shows and one.way is None


def test_evidence_stays_on_the_data_that_a_claim_names(guided):
    elsewhere = claim("conv", data=["tabular"])
    assert evidence(guided, elsewhere) == []


def test_a_tally_counts_directions_and_what_lies_beyond_the_margin():
    found = tally(table_of({"sign": "+", "label": "better"}, {"sign": "+"}, {"sign": "-", "label": "worse"}, {},
                           {"sign": "-", "label": "equivalent"}, {"sign": "+", "position": "uninformative"}))
    assert found.whole == 5 and dict(found.ways) == {"better": 2, "worse": 1, "unclear": 1, "same": 1}
    assert found.beyond == {"better": 1, "worse": 1}


def mean(guided, region, verdict, way="", signs=(("better", "+"),), quantifier="generally"):
    one = claim("a", region, quantifier)
    rows = pd.DataFrame([cell(claim="a", treatment="bn", label=label, sign=sign) for label, sign in signs])
    verdicts = pd.DataFrame([{"slug": "a", "verdict": verdict, "way": way}])
    return meaning(replace(guided, tables={**guided.tables, "cells": rows, "verdicts": verdicts}), one)


def test_a_decided_claim_says_what_to_do_by_the_direction_of_its_prediction(guided):
    opposite, none = "the opposite effect", "no effect of that size"
    for found, expected in (
            (("better", "supported"), "better"), (("worse", "contradicted", opposite), "better"),
            (("not_better", "contradicted", opposite), "better"),
            (("better", "contradicted", opposite), "worse"), (("not_worse", "contradicted", none), "worse"),
            (("worse", "supported"), "worse"), (("better", "contradicted", none), "not better"),
            (("not_better", "supported"), "not better"), (("worse", "contradicted", none), "not worse"),
            (("not_worse", "supported"), "not worse"), (("differs", "contradicted", none), "same"),
            (("equivalent", "supported"), "same")):
        assert mean(guided, *found) == Meaning(expected), found


@pytest.mark.parametrize(("signs", "expected"), [
    ([("better", "+"), ("undecided", "+")], "all better"), ([("worse", "-")], "all worse"),
    ([("better", "+"), ("undecided", "")], "some better"),
    ([("undecided", "+"), ("undecided", "")], "some better"),  # of a size that may not matter
    ([("better", "+"), ("undecided", "-")], "both"),
    ([("better", "+"), ("equivalent", "-")], "some better"),  # harm that is known to be small
    ([("worse", "-"), ("undecided", "+")], "both"),
    ([("undecided", "-"), ("undecided", "")], "some worse"),
    ([("undecided", ""), ("equivalent", "+")], "open")])
def test_an_open_claim_says_what_to_do_by_its_comparisons(guided, signs, expected):
    for verdict in ("mixed", "undecided"):
        assert mean(guided, "better", verdict, signs=signs) == Meaning(expected)
    # That something can happen does not say in which way it mostly happens.
    assert mean(guided, "worse", "supported", signs=signs, quantifier="some") == Meaning(expected)


def test_nothing_measured_means_nothing(guided):
    assert mean(guided, "better", "undecided", signs=[("better", "+")]) is Meaning.ALL_BETTER
    assert meaning(guided, guided.claims[2]) is None


def test_the_guide_names_declared_claims_and_every_outcome_has_a_meaning():
    claims = {claim.slug: claim for claim in read_claims(ROOT / "book/claims.yaml")}
    entries = read_yaml(ROOT / "book/guide.yaml")
    assert len({entry["situation"] for entry in entries}) == len(entries)
    assert sum(entry.get("front", False) for entry in entries) == 11
    for entry in entries:
        assert set(entry) <= {"claim", "situation", "front", "instead"}
        mine = claims[entry["claim"]]
        assert not any(contrast.minus for contrast in mine.contrasts), entry
        assert set(MEANS[mine.predicts.region]) == {"supported", "opposite", "no_effect"}
    assert {one for means in MEANS.values() for one in means.values()} <= set(DO)
