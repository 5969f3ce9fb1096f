"""The guide says what the verdicts say, and where each was tried."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.book.advice import DO, _meaning, activations, advised, network
from pipeline.book.pages.chapter import chapter
from pipeline.book.pages.guide import FACETS, guide
from pipeline.book.pages.index import front, front_cells, front_figure
from pipeline.book.study import Study
from pipeline.spec.base import read_yaml
from pipeline.spec.claims import Claim, read_claims
from pipeline.spec.params import load
from pipeline.spec.tables import CELL_COLUMNS, TABLES, VERDICT_COLUMNS
from pipeline.verdicts.rule import Rule

ROOT = Path(__file__).parents[2]
PARAMS = """\
data:
  forecast: {group: sequences, source: forecast, seeds: 30}
  tabular:  {group: tables, source: tabular, seeds: 30}
layers:
  conv: {Conv1D: {filters: 10, kernel_size: 3}}
  dense: {Dense: {units: 8}}
  relu: {Activation: relu}
  lstm: {LSTM: {units: 15}}
experiments:
  plain:   {data: sequences, layers: [conv, relu, lstm]}
  bn:      {data: sequences, layers: [conv, BatchNormalization, {Activation: tanh}, lstm], versus: plain}
  stacked: {data: sequences, layers: [conv, PReLU, {lstm: {return_sequences: true}}, lstm]}
  mlp:     {data: tables, layers: [dense, relu], vary: {train_fraction: [0.25, 1.0]}}
  mlp_bn:  {data: tables, layers: [dense, BatchNormalization, relu], vary: {train_fraction: [0.25, 1.0]}}
train:
  epochs: 2
  batch_size: 8
  optimizer: Adam
  learning_rate: 0.01
  learning_rates: [0.01]
  tuning_seeds: 2
"""


def claim(slug, region="better", **more):
    return Claim(**{"slug": slug, "rows": ["A1"], "who": "someone", "says": "It is so.", "topic": "order",
                    "predicts": {"by": "thread", "region": region,
                                 "quantifier": more.pop("quantifier", "generally")},
                    "contrasts": [{"treatment": "bn", "control": "plain"}]} | more)


def cell(**values):
    return dict.fromkeys(CELL_COLUMNS, "") | {
        "claim": "conv", "treatment": "bn", "control": "plain", "data": "forecast", "metric": "error",
        "endpoint": "best", "scale": "log ratio", "m": 1, "seeds": 30, "effect": 0.3, "low": 0.2,
        "high": 0.4, "margin": math.log(1.1), "label": "better", "position": "for", "sign": "+",
        "detectable": 0.1} | values


@pytest.fixture
def study(tmp_path):
    """Three situations: one supported, one undecided by samples, one that is not measured."""
    (tmp_path / "params.yaml").write_text(PARAMS)
    claims = [claim("conv"), claim("table", contrasts=[
        {"treatment": f"mlp_bn[train_fraction={f}]", "control": f"mlp[train_fraction={f}]"}
        for f in (0.25, 1.0)]), claim("open")]
    verdict = dict.fromkeys(VERDICT_COLUMNS, "") | {"fragile": False, "A": 0}
    tables = {name: pd.DataFrame(columns=columns) for name, columns in TABLES.items()} | {
        "cells": pd.DataFrame([cell(), cell(
            claim="table", treatment="mlp_bn[train_fraction=0.25]", effect=0.0, low=-0.3, high=0.3,
            control="mlp[train_fraction=0.25]", data="tabular", label="undecided", position="open", sign="")]),
        "verdicts": pd.DataFrame([
            verdict | {"slug": "conv", "verdict": "supported", "reads": "supported", "D": 1, "F": 1},
            verdict | {"slug": "table", "verdict": "undecided", "reads": "undecided", "D": 2, "F": 0}])}
    entries = ({"claim": "conv", "situation": "BN after a Conv1D", "front": True},
               {"claim": "table", "situation": "BN or none", "instead": True},
               {"claim": "open", "situation": "Nobody looked", "front": True},
               {"claim": "gone", "situation": "Not declared", "front": True})
    return Study(load(tmp_path / "params.yaml"), claims, Rule(), tables, guide=entries,
                       sizes={"forecast": 960, "tabular": 640})


def test_the_first_page_has_a_row_for_each_situation_of_its_own(study):
    rows = [line for line in front(study).splitlines() if line.startswith("| [")]
    assert len(rows) == 2
    assert "[BN after a Conv1D](/order.md) | **Do it:** it helps." in rows[0]
    # exp(-0.3) - 1 = -0.2592, exp(-0.4) - 1 = -0.3297, exp(-0.2) - 1 = -0.1813
    assert "| −26 % (−33 to −18 %), forecast |" in rows[0]
    assert "better in 1 of 1 (1 beyond the margin), worse in 0 |" in rows[0]
    assert "`supported` [It is so](/claims/conv.md) |" in rows[0]
    assert "Not measured yet. | nothing yet |" in rows[1] and "no comparison yet" in rows[1]


def test_the_first_page_says_the_best_comparison_and_the_worst(study):
    many = pd.DataFrame([cell(), cell(data="tabular", effect=-0.1, low=-0.2, high=-0.05, label="undecided", sign="-"),
                         cell(data="noise", effect=0.9, position="uninformative")])
    found = front(replace(study, tables={**study.tables, "cells": many}))
    assert "best: −26 % (−33 to −18 %), forecast<br>worst: +11 % (+5.1 to +22 %), tabular" in found
    assert "better in 1 of 2 (1 beyond the margin), worse in 1 |" in found


def test_a_first_page_without_situations_says_so(study):
    assert front(replace(study, guide=())).startswith("No situation")


def test_the_first_page_opens_with_the_situations_by_what_to_do(study):
    short = front(study).partition("| situation")[0]
    assert "**Do it:** BN after a Conv1D.\n" in short and "Nobody looked" not in short
    assert "behind these lines: 1; with a clear direction: 1; beyond the margin, below" in short
    assert "30 seeds each. In brackets: 95 % intervals" in short and "10 % or more where" in short


def test_the_first_pages_figure_has_the_cells_of_its_rows(study):
    cells = front_cells(study)
    assert list(cells["answer"]) == ["BN after a Conv1D"] and list(cells["data"]) == ["forecast"]
    assert "/figures/answers.svg" in front_figure(study)


def test_the_guide_shows_every_situation_with_what_was_compared(study):
    text = guide(study)
    assert [line for line in text.splitlines() if line.startswith("### ")] == [
        "### BN after a Conv1D", "### BN or none", "### Nobody looked"]
    assert "**Open:** neither was seen to be better." in text
    assert ("{.compared .network--conv1d-and-lstm .activation--tanh .samples--more-than-700 "
            ".way--better}") in text
    assert "[bn](#experiment-bn) against [plain](#experiment-plain) on forecast: 26 % lower" in text
    # 640 samples, a quarter of them: 160.
    assert ".network--dense-layers-mlp .activation--relu .samples--fewer-than-300 .way--unclear}" in text
    assert "(train_fraction=1.0)](#experiment-mlp) on tabular: not measured yet." in text
    assert "- Training samples: more than 700 · fewer than 300 · 300 to 700" in text


def test_a_chapter_has_the_advice_of_its_topic(study):
    text = advised(study, "order")
    assert "- BN after a Conv1D. **Do it:** it helps. Better in 1 of 1 (1 beyond the margin), worse in 0." in text
    assert text in chapter(study, "order", text) and advised(study, "selu") == ""


@pytest.mark.parametrize(("name", "kind", "words"), [
    ("plain", "Conv1D and LSTM", ["ReLU"]), ("stacked", "Conv1D and stacked LSTMs", ["PReLU"]),
    ("mlp_bn", "dense layers (MLP)", ["ReLU"]), ("bn", "Conv1D and LSTM", ["tanh"])])
def test_a_network_is_named_by_its_layers(study, name, kind, words):
    assert network(study.params, name) == kind
    assert activations(study.params, name) == words


def test_every_verdict_of_every_situation_has_words():
    claims = {claim.slug: claim for claim in read_claims(ROOT / "book/claims.yaml")}
    entries = read_yaml(ROOT / "book/guide.yaml")
    assert len({entry["situation"] for entry in entries}) == len(entries)
    assert sum(entry.get("front", False) for entry in entries) == 11
    for entry in entries:
        assert set(entry) <= {"claim", "situation", "front", "instead"}
        mine = claims[entry["claim"]]
        assert not any(contrast.minus for contrast in mine.contrasts), entry
        found = [pd.DataFrame([cell(label=label, sign=sign) for label, sign in signs]) for signs in (
            [("better", "+")], [("worse", "-")], [("undecided", "")], [("equivalent", "-")])]
        for verdict, way in (("supported", ""), ("mixed", ""), ("undecided", ""),
                             ("contradicted", "the opposite effect"),
                             ("contradicted", "no effect of that size")):
            for cells in found:
                meaning = _meaning(mine, {"verdict": verdict, "way": way}, cells)
                text = DO[meaning][entry.get("instead", False)]
                assert re.fullmatch(r"\*\*[A-Z][a-z' ]+:\*\* .+\.", text), (entry, verdict, text)


def meaning(region, verdict, way="", cells=(("better", "+"),), **more):
    table = pd.DataFrame([cell(label=label, sign=sign) for label, sign in cells])
    return _meaning(claim("a", region, **more), {"verdict": verdict, "way": way}, table)


def test_a_decided_claim_says_what_to_do_by_the_direction_of_its_prediction():
    opposite, none = "the opposite effect", "no effect of that size"
    assert meaning("better", "supported") == meaning("worse", "contradicted", opposite) == meaning(
        "not_better", "contradicted", opposite) == "better"
    assert meaning("better", "contradicted", opposite) == meaning(
        "not_worse", "contradicted", none) == meaning("worse", "supported") == "worse"
    assert meaning("better", "contradicted", none) == meaning("not_better", "supported") == "not better"
    assert meaning("worse", "contradicted", none) == meaning("not_worse", "supported") == "not worse"
    assert meaning("differs", "contradicted", none) == meaning("equivalent", "supported") == "same"


@pytest.mark.parametrize(("cells", "expected"), [
    ([("better", "+"), ("undecided", "+")], "all better"), ([("worse", "-")], "all worse"),
    ([("better", "+"), ("undecided", "")], "some better"),
    ([("undecided", "+"), ("undecided", "")], "some better"),  # of a size that may not matter
    ([("better", "+"), ("undecided", "-")], "both"),
    ([("better", "+"), ("equivalent", "-")], "some better"),  # harm that is known to be small
    ([("worse", "-"), ("undecided", "+")], "both"),
    ([("undecided", "-"), ("undecided", "")], "some worse"),
    ([("undecided", ""), ("equivalent", "+")], "open")])
def test_an_open_claim_says_what_to_do_by_its_comparisons(cells, expected):
    for verdict in ("mixed", "undecided"):
        assert meaning("better", verdict, cells=cells) == expected
    # That something can happen does not say in which way it mostly happens.
    assert meaning("worse", "supported", cells=cells, quantifier="some") == expected


def test_the_script_knows_every_choice_by_its_title():
    script = (ROOT / "book/_static/guide.js").read_text()
    found = dict(re.findall(r'"([a-z-]+)": "(\w+)"', script))
    assert found == {re.sub(r"[^a-z0-9]+", "-", title.lower()): name
                     for name, title in FACETS.items()}
