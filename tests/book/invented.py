"""An invented study: its project, and the tables that the stage `findings` makes of invented runs.

Two families (`sequences`, of six forecasts and six classes; `tables`, of ten), two synthetic sets, and a claim of every kind.
"""

import functools
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML

from pipeline.config.readings import Claim
from pipeline.config.schema import parse
from pipeline.findings.record import tables as found_of
from pipeline.findings.rule import rule
from pipeline.findings.study import Study
from pipeline.tables.schemas import FOUND, STORED
from tests.findings.made import arm, together

SEEDS = 15
FORECASTS = ("tides", "river", "traffic", "wind_north", "wind_south", "sales")
CLASSES = ("vowels", "gestures", "steps", "birdsong", "heartbeats", "strokes")
TABLES = ("wages", "wine", "soil", "credit", "yeast", "letters", "storms", "pupils", "spam", "rodents")
SYNTHETIC = ("badly_scaled", "noise")
#: The two sets of wind are one unit.
UNITS = {"wind_north": "wind", "wind_south": "wind"}


def _data() -> str:
    lines = [f"  {name}: {{group: sequences, source: forecast, seeds: {SEEDS}, "
             f"stratum: {stratum}, unit: {UNITS.get(name, name)}, title: {name} by the hour}}"
             for stratum, names in (("forecasts", FORECASTS), ("classes", CLASSES)) for name in names]
    lines += [f"  {name}: {{group: tables, source: tabular, seeds: {SEEDS}, unit: {name}, title: a table of {name}}}"
              for name in TABLES]
    return "\n".join([*lines, *(f"  {name}: {{group: {name}_group, source: forecast, seeds: 30, title: {name}}}"
                                for name in SYNTHETIC)])


PARAMS = f"""\
data:
{_data()}

layers:
  conv: {{Conv1D: {{filters: 10, kernel_size: 3}}}}
  dense: {{Dense: {{units: 8}}}}
  bn: BatchNormalization
  dropout: {{Dropout: {{rate: 0.2}}}}
  relu: {{Activation: relu}}
  tanh: {{Activation: tanh}}
  selu: {{Activation: selu}}
  lstm: {{LSTM: {{units: 15}}}}

experiments:
  # The first network
  plain: {{data: [sequences, badly_scaled, noise], layers: [conv, relu, lstm]}}
  before: {{of: plain, data: sequences, before: {{relu: bn}}}}  # a remark
  after:
    data: sequences
    layers: [conv, relu, bn, lstm]
    versus: plain

  before_tanh: {{of: before, replace: {{relu: tanh}}, versus: null}}
  after_tanh: {{of: after, replace: {{relu: tanh}}, versus: null}}
  dropout: {{of: plain, data: sequences, before: {{lstm: dropout}}}}
  selu: {{of: plain, data: sequences, replace: {{relu: selu}}}}
  bn_input: {{of: plain, data: badly_scaled, before: {{conv: bn}}}}
  mlp: {{data: tables, layers: [dense, relu]}}
  mlp_bn: {{of: mlp, before: {{relu: bn}}}}
  mlp_dropout: {{of: mlp, after: {{relu: dropout}}}}
  dropout_rate: {{of: dropout, data: sequences, vary: {{dropout.rate: [0.1, 0.4]}}}}
  anywhere: {{of: plain, data: sequences, everywhere: bn}}

train:
  epochs: 60
  batch_size: 8
  optimizer: Adam
  learning_rates: [0.001, 0.003, 0.01, 0.03]
  patience: 10

verdicts: {{controls: [plain, mlp]}}
being_measured: [selu]
"""
READINGS = """\
- {slug: before_helps, rows: [A6], who: 'thread A, answer', says: Batch normalisation before the activation lowers the error.,
   topic: sequences, predicts: {by: thread, region: better}, findings: [{treatment: before, control: plain}], data: [sequences],
   primary: true, because: It is so.}
- {slug: order_matters, rows: [A6, B5], who: 'thread A, answer',
   says: The order of batch normalisation and the activation matters., topic: sequences,
   predicts: {by: ours, region: differs, quantifier: some},
   findings: [{treatment: before, control: after, called: with ReLU},
     {treatment: before_tanh, control: after_tanh, called: with tanh}],
   data: [sequences]}
- {slug: dropout_helps, rows: [A10], who: 'thread A, answer', says: Dropout before the LSTM lowers the error., topic: dropout,
   predicts: {by: thread, region: better}, findings: [{treatment: dropout, control: plain}], data: [sequences], primary: true}
- {slug: tables_bn_helps, rows: [B3], who: 'thread B, answer', says: Batch normalisation lowers the error of an MLP.,
   topic: tables, predicts: {by: thread, region: better}, findings: [{treatment: mlp_bn, control: mlp}], data: [tables],
   primary: true}
- {slug: tables_dropout_helps, rows: [B27], who: 'thread B, comment', says: Dropout lowers the error of an MLP., topic: dropout,
   predicts: {by: thread, region: better}, findings: [{treatment: mlp_dropout, control: mlp}], data: [tables]}
- {slug: dropout_diverges, rows: [A18], who: 'thread A, comment', says: With dropout fewer runs diverge., topic: dropout,
   predicts: {by: thread, region: not_worse}, findings: [{treatment: dropout, control: plain}], data: [sequences],
   metric: divergence}
- {slug: selu_helps, rows: [A24], who: 'thread A, answer', says: SELU beats ReLU., topic: sequences,
   predicts: {by: thread, region: better}, findings: [{treatment: selu, control: plain}], data: [sequences]}
- {slug: bn_on_input_is_inferior, rows: [A5], who: 'thread A, answer',
   says: Batch normalisation of the input is the inferior way to standardise., topic: sequences,
   predicts: {by: thread, region: worse}, findings: [{treatment: bn_input, control: plain}], data: [badly_scaled]}
- {slug: exact_one, rows: [B2], who: 'thread B, question', says: A layer that is never added does nothing., topic: mechanics,
   checks: [never_added]}
- {slug: not_yet, rows: [B9], who: 'thread B, comment', says: It depends., topic: something_new,
   predicts: {by: ours, region: differs, quantifier: some}, findings: [{treatment: after, control: plain}]}
"""
ANSWERS = """
cards:
  - title: A network for forecasts
    stratum: forecasts
    topic: sequences
    findings:
      - {id: before_or_plain_sequences, name: BN before it}
      - {id: dropout_or_plain_sequences, name: dropout}
      - {id: gone_or_plain_sequences, name: nothing that there is}
  - title: A network for tables
    stratum: tables
    topic: tables
    findings: [{id: mlp_bn_or_mlp_tables, name: BN}]
chapters:
  sequences:
    places: [anywhere]
  dropout:
    sweeps:
      - [dropout_rate]
  tables: {}
  mechanics: {}
"""
EVIDENCE = """
- rows: [A6]
  says: A network of others had an error of 0.20 with it and of 0.25 without it.
  cite: mishkin2017
  claims: [before_helps]
- rows: [B2]
  says: Nothing that a plot could show.
  cite: kim2023
"""
#: Experiment → its errors over those of the network that it changes: of the strata, in the order of `STRATA`.
LEVELS = {"before": (1.3, 1.12, 1), "after": (1.0, 1.0, 1), "before_tanh": (1.1, 1.1, 1), "after_tanh": (1.1, 1.1, 1),
          "dropout": (1.3, 0.8, 1), "bn_input": (1, 1, 1), "mlp_bn": (1, 1, 0.93), "mlp_dropout": (1, 1, 1.0)}
STRATA = (FORECASTS, CLASSES, TABLES)
CHANGES = """- {slug: before_helps, what: two findings, why: Each is one.}
"""
SECOND_RULE = "slug,group,verdict\nbefore_helps,,supported\ndropout_helps,forecasts,contradicted\ntables_bn_helps,,supported\n"


def _runs(params) -> pd.DataFrame:
    """Runs of every network that is not being measured."""
    made = []
    for name in params.experiments:
        if name in params.being_measured:
            continue
        for data in params.data_sets(name):
            stratum = next((number for number, sets in enumerate(STRATA) if data in sets), None)
            level = 1.5 if name == "bn_input" else 1.0 if stratum is None else LEVELS.get(name, (1, 1, 1))[stratum]
            for variant in params.variants(name) or [""]:
                made.append(_arm(name, data, level * {"first": 1.2}.get(variant, 1.0), variant=variant))
            if name in ("plain", "mlp") and stratum is not None:
                made += [_arm(name, data, 1.0, variant="repetition=1"), _arm(name, data, 1.0 if data == "storms" else 1.2,
                                                                             variant="train_fraction=0.5")]
    return together(*made)


def _arm(name: str, data: str, level: float, variant: str = "") -> pd.DataFrame:
    return arm(name, data, 0.3 * level, variant=variant, noise=0.08, trivial=0.6, diverged=(0,) if name == "dropout" else ())


@functools.cache
def _found() -> dict[str, pd.DataFrame]:
    yaml = YAML(typ="safe")
    params = parse(yaml.load(PARAMS))
    claims = [Claim(**entry) for entry in yaml.load(READINGS)]
    runs, simple = _runs(params), {name: ("linear", 0.29) for name in (*FORECASTS, *CLASSES)}
    return found_of(Study(runs, params, rule(params.verdicts), simple=simple), claims, {"never_added": True})


def tables() -> dict[str, pd.DataFrame]:
    """Every stored table of the invented study, by name."""
    checks = [("never_added", "it does nothing", "0", "0", 0.0, True)]
    return {name: table.copy() for name, table in _found().items()} | {
        "checks": pd.DataFrame(checks, columns=list(STORED["checks"].columns))}


def lines(axes, points: int) -> list:
    """The lines of an axes that have so many points."""
    return [line for line in axes.lines if len(line.get_xdata()) == points]


def store(folder: Path, **given) -> None:
    """Write rows as stored tables of a project, each under its name."""
    for name, rows in given.items():
        path = folder / {**STORED, **FOUND}[name].path()
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows, columns=list({**STORED, **FOUND}[name].columns)).to_csv(path, index=False, na_rep="NaN")
