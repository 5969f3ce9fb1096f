"""Hand-made rows of the stored tables, and a small project that has them."""

from __future__ import annotations

import math

import pandas as pd
from ruamel.yaml import YAML

from pipeline.book.study import TABLES, Study
from pipeline.spec.claims import Claim
from pipeline.spec.params import parse
from pipeline.spec.tables import CELL_COLUMNS, PLACE_COLUMNS, VERDICT_COLUMNS
from pipeline.verdicts.rule import Rule

PARAMS = """\
data:
  forecast: {group: sequences, source: forecast, seeds: 30, title: a forecast}
  digits:   {group: images, source: digits, seeds: 60}

layers:
  conv: {Conv1D: {filters: 10, kernel_size: 3}}
  bn: BatchNormalization
  relu: {Activation: relu}
  lstm: {LSTM: {units: 15}}

experiments:
  # The first network
  plain:  {data: [sequences, images], layers: [conv, relu, lstm]}
  before: {of: plain, data: sequences, before: {relu: bn}}  # a remark
  after:
    data: sequences
    layers: [conv, relu, bn, lstm]
    versus: plain

  recurrent:
    {of: plain, data: sequences, set: {lstm.recurrent_dropout: 0.2}}
  anywhere: {of: plain, data: sequences, everywhere: bn}

train:
  epochs: 2
  batch_size: 8
  optimizer: Adam
  learning_rates: [0.01]
"""
CLAIMS = """\
- slug: before_is_better
  rows: [A6]
  who: thread A, answer
  says: Before is better.
  topic: sequences
  predicts: {by: thread, region: better}
  contrasts: [{treatment: before, control: after}]
- slug: exact_one
  rows: [B2]
  who: thread B, question
  says: A layer that is never added does nothing.
  topic: mechanics
  checks: [never_added]
- slug: not_yet
  rows: [B9]
  who: thread B, comment
  says: It depends.
  topic: something_new
  predicts: {by: ours, region: differs, quantifier: some}
  contrasts: [{treatment: after, control: plain}]
"""
ANSWERS = """
sequences:
  question: Where does it go?
  places: [anywhere]
  answers:
    - claim: before_is_better
      supported: Put it before.
      opposite: Put it after.
      no_effect: Put it anywhere.
      undecided: Nobody knows.
    - claim: exact_one
      "true": It does nothing.
    - claim: another_project
      supported: It is not declared here.
"""


def cell(**values) -> dict:
    """A row of the cells: 26 % less error, better."""
    return dict.fromkeys(CELL_COLUMNS, "") | {
        "m": 1, "seeds": 30, "effect": 0.3, "low": 0.2, "high": 0.4, "margin": math.log(1.1),
        "control_mean": 1.0, "treatment_mean": 0.74, "diverged_treatment": 0.0, "diverged_control": 0.0,
        "detectable": 0.2, "control": "plain", "data": "forecast", "metric": "error", "endpoint": "best",
        "scale": "log ratio", "label": "better", "sign": "+"} | values


def cells(*rows: dict) -> pd.DataFrame:
    """Rows of the cells that say nothing but what is given."""
    plain = cell(claim="a_claim", treatment="new", control="old", data="vowels", effect=0.0, low=-0.1,
                 high=0.1, label="undecided", sign="")
    return pd.DataFrame([plain | row for row in rows], columns=CELL_COLUMNS)


def place(name: str, number: int, effect: float, **values) -> dict:
    """A row of the places: 0.1 on either side, and named as nothing."""
    return dict.fromkeys(PLACE_COLUMNS, "") | {
        "experiment": "anywhere", "place": name, "number": number, "data": "forecast", "m": 4, "seeds": 30,
        "effect": effect, "low": effect - 0.1, "high": effect + 0.1, "margin": math.log(1.1),
        "label": "undecided", "sign": "+" if effect > 0.1 else "-" if effect < -0.1 else "",
        "may_be_best": False, "may_be_worst": False, "apart": False} | values


def all_places() -> pd.DataFrame:
    """Two data sets: one on which the best place is told apart, one on which it is not."""
    best, worst = {"stands": "best", "may_be_best": True}, {"stands": "worst", "may_be_worst": True}
    return pd.DataFrame([
        place("first", 1, -0.3, label="worse", apart=True, **worst), place("after conv_1", 2, 0.0),
        place("after relu_1", 3, 0.05), place("after lstm_1", 4, 0.4, label="better", apart=True, **best),
        place("first", 1, 0.02, data="vowels", may_be_worst=True),
        place("after conv_1", 2, 0.2, data="vowels", **best),
        place("after relu_1", 3, 0.18, data="vowels", may_be_best=True),
        place("after lstm_1", 4, -0.05, data="vowels", **worst)], columns=PLACE_COLUMNS)


def lines(axes, points: int) -> list:
    """The lines of an axes that have so many points."""
    return [line for line in axes.lines if len(line.get_xdata()) == points]

GUIDED = """\
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
  mlp:     {data: tables, layers: [dense, relu], vary: {train_fraction: [0.25, 1.0]}}
  mlp_bn:  {data: tables, layers: [dense, BatchNormalization, relu], vary: {train_fraction: [0.25, 1.0]}}
train:
  epochs: 2
  batch_size: 8
  optimizer: Adam
  learning_rates: [0.01]
"""


def claim(slug: str, region: str = "better", quantifier: str = "generally", **more) -> Claim:
    """A claim on one pair of experiments."""
    return Claim(**{"slug": slug, "rows": ["A1"], "who": "someone", "says": "It is so.", "topic": "order",
                    "predicts": {"by": "thread", "region": region, "quantifier": quantifier},
                    "contrasts": [{"treatment": "bn", "control": "plain"}]} | more)


def guided_study() -> Study:
    """Three situations: one supported, one undecided by samples, one that is not measured."""
    claims = [claim("conv"), claim("table", contrasts=[
        {"treatment": f"mlp_bn[train_fraction={f}]", "control": f"mlp[train_fraction={f}]"}
        for f in (0.25, 1.0)]), claim("open")]
    row = dict.fromkeys(VERDICT_COLUMNS, "") | {"fragile": False, "A": 0}
    first = cell(claim="conv", treatment="bn", position="for", detectable=0.1)
    second = cell(claim="table", treatment="mlp_bn[train_fraction=0.25]", control="mlp[train_fraction=0.25]",
                  data="tabular", effect=0.0, low=-0.3, high=0.3, label="undecided", position="open", sign="")
    tables = {name: pd.DataFrame(columns=list(table.columns)) for name, table in TABLES.items()} | {
        "cells": pd.DataFrame([first, second]),
        "verdicts": pd.DataFrame([
            row | {"slug": "conv", "verdict": "supported", "reads": "supported", "D": 1, "F": 1},
            row | {"slug": "table", "verdict": "undecided", "reads": "undecided", "D": 2, "F": 0}])}
    entries = ({"claim": "conv", "situation": "BN after a Conv1D", "front": True},
               {"claim": "table", "situation": "BN or none", "instead": True},
               {"claim": "open", "situation": "Nobody looked", "front": True},
               {"claim": "gone", "situation": "Not declared", "front": True})
    return Study(parse(YAML(typ="safe").load(GUIDED)), claims, Rule(), tables, guide=entries,
                 sizes={"forecast": 960, "tabular": 640})
