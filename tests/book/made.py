"""Hand-made rows of the stored tables, and a small project that has them."""

from __future__ import annotations

import math

import pandas as pd

from pipeline.spec.tables import CELL_COLUMNS, PLACE_COLUMNS

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
  learning_rate: 0.01
  learning_rates: [0.01]
  tuning_seeds: 2
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
