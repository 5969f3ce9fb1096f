"""An invented second study: its project, and stored tables that fit together.

Two families (`sequences`, of six forecasts and six classes; `tables`, of ten), two synthetic sets, and a
claim of every kind. What is averaged is computed here with scipy, so that pages meet numbers which agree.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.verdicts.words import word
from pipeline.tables.schemas import (
    AVERAGE_COLUMNS, EFFECT_COLUMNS, PLACE_COLUMNS, STORED, UNIT_COLUMNS, VERDICT_COLUMNS)

MARGIN = math.log(1.1)
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
CLAIMS = """\
- slug: before_helps
  rows: [A6]
  who: thread A, answer
  says: Batch normalisation before the activation lowers the error.
  topic: sequences
  predicts: {by: thread, region: better}
  contrasts: [{treatment: before, control: plain}]
  data: [sequences]
  primary: true
- slug: order_matters
  rows: [A6, B5]
  who: thread A, answer
  says: The order of batch normalisation and the activation matters.
  topic: sequences
  predicts: {by: ours, region: differs}
  contrasts: [{treatment: before, control: after}, {treatment: before_tanh, control: after_tanh}]
  data: [sequences]
  primary: true
- slug: dropout_helps
  rows: [A10]
  who: thread A, answer
  says: Dropout before the LSTM lowers the error.
  topic: dropout
  predicts: {by: thread, region: better}
  contrasts: [{treatment: dropout, control: plain}]
  data: [sequences]
  primary: true
- slug: tables_bn_helps
  rows: [B3]
  who: thread B, answer
  says: Batch normalisation lowers the error of an MLP.
  topic: tables
  predicts: {by: thread, region: better}
  contrasts: [{treatment: mlp_bn, control: mlp}]
  data: [tables]
  primary: true
- slug: tables_dropout_helps
  rows: [B27]
  who: thread B, comment
  says: Dropout lowers the error of an MLP.
  topic: dropout
  predicts: {by: thread, region: better}
  contrasts: [{treatment: mlp_dropout, control: mlp}]
  data: [tables]
  primary: true
- slug: tables_dropout_can_harm
  rows: [B28]
  who: thread B, comment
  says: Dropout can harm an MLP.
  topic: dropout
  predicts: {by: ours, region: worse, quantifier: some}
  contrasts: [{treatment: mlp_dropout, control: mlp}]
  data: [tables]
- slug: tables_bn_trains_faster
  rows: [B3]
  who: ours, from thread B
  says: Batch normalisation shortens the training of an MLP.
  topic: tables
  predicts: {by: ours, region: better}
  contrasts: [{treatment: mlp_bn, control: mlp}]
  data: [tables]
  metric: epochs_to_target
- slug: dropout_diverges
  rows: [A18]
  who: thread A, comment
  says: With dropout fewer runs diverge.
  topic: dropout
  predicts: {by: thread, region: not_worse}
  contrasts: [{treatment: dropout, control: plain}]
  data: [sequences]
  metric: divergence
- slug: selu_helps
  rows: [A24]
  who: thread A, answer
  says: SELU beats ReLU.
  topic: sequences
  predicts: {by: thread, region: better}
  contrasts: [{treatment: selu, control: plain}]
  data: [sequences]
  primary: true
- slug: bn_on_input_is_inferior
  rows: [A5]
  who: thread A, answer
  says: Batch normalisation of the input is the inferior way to standardise.
  topic: sequences
  predicts: {by: thread, region: worse}
  contrasts: [{treatment: bn_input, control: plain}]
  data: [badly_scaled]
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
  question: Where does batch normalisation go?
  places: [anywhere]
  answers:
    - {claim: before_helps, change: Batch normalisation before the activation}
    - {claim: order_matters, instead: [BN before it, BN after it],
       change: Batch normalisation before the activation rather than after it}
dropout:
  question: Dropout or none?
  sweeps:
    - [dropout_rate]
  answers:
    - {claim: dropout_helps, change: Dropout before the LSTM}
    - {claim: tables_dropout_helps, change: Dropout in an MLP}
tables:
  question: What helps an MLP?
  answers:
    - {claim: tables_bn_helps, change: Batch normalisation in an MLP}
mechanics:
  question: What does it do inside?
  answers:
    - {claim: exact_one, "true": It does nothing., "false": It does something.}
    - {claim: another_project, change: It is not declared here}
"""
GUIDE = """
- {claim: before_helps, situation: Conv1D → BN → activation → LSTM}
- {claim: order_matters, situation: BN before the activation rather than after it, instead: [BN before it, BN after it]}
- {claim: dropout_helps, situation: Dropout → LSTM}
- {claim: tables_bn_helps, situation: "MLP: BN before the activations"}
- {claim: tables_dropout_helps, situation: "MLP: dropout"}
- {claim: selu_helps, situation: SELU rather than ReLU, instead: [SELU, ReLU]}
- {claim: bn_on_input_is_inferior, situation: BN of badly scaled inputs instead of standardising them, instead: [BN, standardising]}
- {claim: tables_bn_trains_faster, situation: "BN in an MLP, to train faster"}
- {claim: gone, situation: Not declared}
"""
EVIDENCE = """
- rows: [A6]
  says: A network of others had an error of 0.20 with it and of 0.25 without it.
  cite: mishkin2017
  claims: [before_helps]
  comparison: before the activation, against none
  treatment_error: 0.20
  control_error: 0.25
- rows: [B2]
  says: Nothing that a plot could show.
  cite: kim2023
"""
#: Experiment -> its plan, with what the book reads of it: what a sample of each set is like.
PLANS = {
    "plain": {"arms": [
        {"data": name, "variant": "", "shape": [24 if name == "tides" else 48, 1 if name in ("tides", "sales") else 6],
         "task": {"classes": 9 * (name in CLASSES), "targets": 1, "quantiles": []}} for name in FORECASTS + CLASSES]},
    "mlp": {"arms": [{"data": name, "variant": "", "shape": [12], "task": {"classes": 2, "targets": 1, "quantiles": []}}
                     for name in TABLES]}}
#: Claim -> its true average, and the spread of data sets around it; of strata that differ, one for each.
TRUTHS = {
    "before_helps": (-0.16, 0.07), "order_matters": (0.0, 0.09),
    "dropout_helps": {"forecasts": (-0.22, 0.08), "classes": (0.15, 0.05)},
    "tables_bn_helps": (0.03, 0.035), "tables_dropout_helps": (0.01, 0.30),
    "tables_bn_trains_faster": (0.5, 0.2),
    "dropout_diverges": (-0.003, 0.02), "bn_on_input_is_inferior": (-0.4, 0.0)}
#: Claim -> its metric and scale, where these are not the error's.
SCORES = {"tables_bn_trains_faster": ("epochs_to_target", "log ratio", math.log(1.25)),
          "dropout_diverges": ("divergence", "share", 0.1)}
#: Claim -> contrasts; '' is what an experiment shows against its `versus`.
PAIRS = {
    "before_helps": [("before", "plain")],
    "order_matters": [("before", "after"), ("before_tanh", "after_tanh")],
    "dropout_helps": [("dropout", "plain")], "dropout_diverges": [("dropout", "plain")],
    "tables_bn_helps": [("mlp_bn", "mlp")], "tables_bn_trains_faster": [("mlp_bn", "mlp")],
    "tables_dropout_helps": [("mlp_dropout", "mlp")], "tables_dropout_can_harm": [("mlp_dropout", "mlp")],
    "bn_on_input_is_inferior": [("bn_input", "plain")]}
#: Experiment against its `versus` -> the claim whose numbers it has, too.
ALONE = {("before", "plain"): "before_helps", ("dropout", "plain"): "dropout_helps",
         ("mlp_bn", "mlp"): "tables_bn_helps", ("mlp_dropout", "mlp"): "tables_dropout_helps",
         ("bn_input", "plain"): "bn_on_input_is_inferior"}
#: Claim (and group) -> verdict, what it reads, q, why.
DECIDED = {
    ("before_helps", ""): ("contradicted", "contradicted", 0.0004, ""),
    ("order_matters", ""): ("no effect that matters", "no difference on average", 0.01, ""),
    ("dropout_helps", "forecasts"): ("contradicted", "contradicted", 0.003, ""),
    ("dropout_helps", "classes"): ("supported", "supported", 0.002, ""),
    ("tables_bn_helps", ""): ("supported", "supported", 0.02, ""),
    ("tables_dropout_helps", ""): ("undecided", "undecided", 0.9, ""),
    ("tables_dropout_can_harm", ""): ("supported", "supported", 0.001, ""),
    ("tables_bn_trains_faster", ""): ("supported", "supported", 0.001, ""),
    ("dropout_diverges", ""): ("undecided", "undecided", 0.03,
                               "no effect that matters over all sets; but some do not even react to half of their data missing, "
                               "and on the others alone one is not ruled out"),
    ("bn_on_input_is_inferior", ""): ("supported", "supported", 0.001, "")}


def sets_of(claim: str) -> list[str]:
    """The data sets that a claim is measured on."""
    if claim == "bn_on_input_is_inferior":
        return ["badly_scaled"]
    return list(TABLES) if claim.startswith("tables") else [*FORECASTS, *CLASSES]


def _place(data: str) -> tuple[str, str, str]:
    """The unit, stratum and family of a data set."""
    stratum = "forecasts" if data in FORECASTS else "classes" if data in CLASSES else ""
    return (UNITS.get(data, data), stratum,
            "" if data in SYNTHETIC else "tables" if data in TABLES else "sequences")


def _noise(*names: str) -> float:
    """A number between −1 and 1 that only the names decide."""
    return float(np.random.default_rng(zlib.crc32("; ".join(names).encode())).uniform(-1, 1))


def effect(claim: str, treatment: str, control: str, data: str, source: str = "", **more) -> dict:
    """A row of the effects; `source`: the claim whose truth it has."""
    unit, stratum, family = _place(data)
    source = source or ("tables_dropout_helps" if claim == "tables_dropout_can_harm" else claim)
    truth = TRUTHS[source]
    mean, spread = truth[stratum] if isinstance(truth, dict) else truth
    metric, scale, margin = SCORES.get(claim, ("error", "log ratio", MARGIN))
    y = mean + 1.7 * spread * _noise(source, data) + 0.01 * _noise(treatment, data)
    s = 0.02 if metric == "error" else 0.05
    seeds = 30 if data in SYNTHETIC else SEEDS
    half = stats.t.ppf(0.975, seeds - 1) * s
    found = "better" if y - half > 0 else "worse" if y + half < 0 else ""
    level = 0.3 + 0.2 * _noise(data, "level")
    return dict.fromkeys(EFFECT_COLUMNS, "") | {
        "claim": claim, "treatment": treatment, "control": control, "data": data, "unit": unit,
        "stratum": stratum, "family": family, "metric": metric, "endpoint": "best", "scale": scale,
        "seeds": seeds, "y": y, "s": s, "freedom": seeds - 1, "low": y - half, "high": y + half,
        "margin": margin, "found": found, "control_mean": level, "treatment_mean": level * math.exp(-y),
        "diverged_treatment": 0.0, "diverged_control": 0.0, "limit_treatment": 0.02, "limit_control": 0.0,
        "edge_treatment": 0.1, "edge_control": 0.0} | more


def effects() -> pd.DataFrame:
    rows = [effect(claim, *pair, data) for claim, pairs in PAIRS.items() for pair in pairs
            for data in sets_of(claim)]
    rows += [effect("", *pair, data, source=claim) for pair, claim in ALONE.items()
             for data in sets_of(claim)]
    return pd.DataFrame(rows, columns=EFFECT_COLUMNS)


def _subjects(rows: pd.DataFrame):
    """What is averaged: claim, treatment, control, rows; of several contrasts, the names are empty."""
    for claim, mine in rows[rows["claim"] != ""].groupby("claim", sort=False):
        pairs = mine[["treatment", "control"]].drop_duplicates()
        yield claim, *(("", "") if len(pairs) > 1 else tuple(pairs.iloc[0])), mine
    for (treatment, control), mine in rows[rows["claim"] == ""].groupby(["treatment", "control"], sort=False):
        yield "", treatment, control, mine


def units(rows: pd.DataFrame) -> pd.DataFrame:
    """The effects averaged over contrasts and over the sets of a unit."""
    found = []
    for claim, treatment, control, mine in _subjects(rows):
        for unit, own in mine.groupby("unit", sort=False):
            found.append(dict.fromkeys(UNIT_COLUMNS, "") | {
                "claim": claim, "treatment": treatment, "control": control, "metric": own["metric"].iloc[0],
                "endpoint": "best", "group": own["stratum"].iloc[0] if claim == "dropout_helps" or (
                    treatment, claim) == ("dropout", "") else "",
                "unit": unit, "stratum": own["stratum"].iloc[0],
                "sets": ", ".join(dict.fromkeys(own["data"])), "seeds": own["seeds"].iloc[0],
                "y": own["y"].mean(), "s": own["s"].iloc[0], "freedom": own["freedom"].iloc[0]})
    return pd.DataFrame(found, columns=UNIT_COLUMNS)


def average(mine: pd.DataFrame, margin: float, family: str) -> dict:
    """The average of a group of units, with all that its row has besides its names."""
    y, count = mine["y"].to_numpy(), len(mine)
    strata = [part["y"].to_numpy() for _, part in mine.groupby("stratum", sort=False)]
    if not family:
        mean, error, freedom = y.mean(), math.sqrt((mine["s"]**2).sum()) / count, mine["freedom"].iloc[0]
        range_low, range_high = -math.inf, math.inf
    else:
        parts = np.array([part.var(ddof=1) / len(part) for part in strata]) / len(strata)**2
        mean, error = np.mean([part.mean() for part in strata]), math.sqrt(parts.sum())
        freedom = parts.sum()**2 / sum(p**2 / (len(s) - 1) for p, s in zip(parts, strata, strict=True))
        reach = stats.t.ppf(0.9, count - 1) * y.std(ddof=1) * math.sqrt(1 + 1 / count)
        range_low, range_high = y.mean() - reach, y.mean() + reach
    low, high = (mean + sign * stats.t.ppf(0.975, freedom) * error for sign in (-1, 1))
    half = stats.t.ppf(0.975, mine["freedom"]) * mine["s"]
    proven = stats.t.ppf(1 - 0.025 / count, mine["freedom"]) * mine["s"]
    within = bool(range_low > -margin and range_high < margin)
    apart = stats.ttest_ind(*strata, equal_var=False).pvalue if len(strata) == 2 else math.nan
    counts = {"better": (y - half > 0).sum(), "worse": (y + half < 0).sum(), "above": (y > margin).sum(),
              "below": (y < -margin).sum(), "proven_above": (y - proven > margin).sum(),
              "proven_below": (y + proven < -margin).sum()}
    return {"units": count, "sets": sum(len(names.split(", ")) for names in mine["sets"]), "mean": mean,
            "error": error, "freedom": freedom, "low": low, "high": high, "range_low": range_low,
            "range_high": range_high, "caught": 0.8 if family else math.nan, "margin": margin,
            **{name: int(number) for name, number in counts.items()}, "word": word(low, high, margin, within),
            "depends": bool(counts["proven_above"] and counts["proven_below"]), "strata_p": apart}


def averages(rows: pd.DataFrame, of_units: pd.DataFrame) -> pd.DataFrame:
    margins = rows.groupby("claim", sort=False)["margin"].first()
    found = []
    for names, mine in of_units.groupby(["claim", "treatment", "control", "metric", "endpoint", "group"],
                                        sort=False):
        family = _place(mine["sets"].iloc[0].split(", ")[0])[2]
        found.append(dict(zip(AVERAGE_COLUMNS[:6], names, strict=True)) | {"family": family}
                     | average(mine, margins[names[0]], family))
    return pd.DataFrame(found, columns=AVERAGE_COLUMNS)


def verdicts(of_averages: pd.DataFrame) -> pd.DataFrame:
    words = {(row["claim"], row["group"]): row["word"] for row in of_averages.to_dict("records")}
    primary = {"before_helps", "order_matters", "dropout_helps", "tables_bn_helps", "tables_dropout_helps",
               "selu_helps"}
    rows = [dict.fromkeys(VERDICT_COLUMNS, "") | {
        "slug": slug, "group": group, "verdict": verdict, "reads": reads, "p": q / 2, "q": q, "why": why,
        "word": "" if slug == "tables_dropout_can_harm" else words[slug, group],
        "fragile": slug == "tables_bn_helps", "primary": slug in primary}
        for (slug, group), (verdict, reads, q, why) in DECIDED.items()]
    rows += [dict.fromkeys(VERDICT_COLUMNS, "") | {
        "slug": slug, "verdict": said, "reads": said, "p": math.nan, "q": math.nan, "fragile": False,
        "primary": slug in primary}
        for slug, said in (("selu_helps", "being measured"), ("exact_one", "true"))]
    return pd.DataFrame(rows, columns=VERDICT_COLUMNS)


def place(name: str, number: int, y: float, **more) -> dict:
    """A row of the places: 0.1 on either side, and named as nothing."""
    return dict.fromkeys(PLACE_COLUMNS, "") | {
        "experiment": "anywhere", "place": name, "number": number, "family": "sequences", "units": 11, "effect": y,
        "low": y - 0.1, "high": y + 0.1, "margin": MARGIN, "word": word(y - 0.1, y + 0.1, MARGIN),
        "may_be_best": False, "may_be_worst": False, "apart": False} | more


def all_places() -> pd.DataFrame:
    """Two families: one on which the best place is told apart, one on which it is not."""
    best, worst = {"stands": "best", "may_be_best": True}, {"stands": "worst", "may_be_worst": True}
    return pd.DataFrame([
        place("first", 1, -0.3, apart=True, **worst), place("after conv_1", 2, 0.0), place("after relu_1", 3, 0.05),
        place("after lstm_1", 4, 0.4, apart=True, **best),
        place("first", 1, 0.02, family="tables", may_be_worst=True),
        place("after conv_1", 2, 0.2, family="tables", **best),
        place("after relu_1", 3, 0.18, family="tables", may_be_best=True),
        place("after lstm_1", 4, -0.05, family="tables", **worst)], columns=PLACE_COLUMNS)


def lines(axes, points: int) -> list:
    """The lines of an axes that have so many points."""
    return [line for line in axes.lines if len(line.get_xdata()) == points]


def tables() -> dict[str, pd.DataFrame]:
    """Every stored table of the invented study, by name."""
    rows = effects()
    of_units = units(rows)
    of_averages = averages(rows, of_units)
    control = {name: "mlp" if name in TABLES else "plain" for name in (*FORECASTS, *CLASSES, *TABLES)}
    arms = [{"kind": kind} | effect("", f"{one}[{change}]", one, data, source="before_helps", y=y, low=y - 0.04,
                                   high=y + 0.04, found="worse" if y < -0.04 else "")
            for data, one in control.items()
            for kind, change, y in (("A/A", "repetition=1", 0.02 * _noise(data, "A/A")),
                                    ("half the data", "train_fraction=0.5", -0.15 + 0.14 * _noise(data, "half")))]
    halves = {row["data"]: row for row in arms if row["kind"] == "half the data"}
    data_sets = [(name, _place(name)[2], _place(name)[1], _place(name)[0], one, 0.3, 0.6, 0.5,
                  name == "storms", halves[name]["y"], halves[name]["low"], halves[name]["high"],
                  halves[name]["y"] < -MARGIN) for name, one in control.items()]
    rates = [("before", "", data, rate, seeds, rate in (0.001, 0.03)) for data in (*FORECASTS, *CLASSES)
             for rate, seeds in ((0.001, 1), (0.003, 6), (0.01, 7), (0.03, 1))]
    doses = [("dropout_rate", "dropout.rate", rate, data, SEEDS, mean, mean - 0.02, mean + 0.02)
             for data in FORECASTS[:2] for rate, mean in ((0.1, 0.3), (0.4, 0.35))]
    robustness = [("tables_bn_helps", "", "margin halved", "supported"),
                  ("tables_bn_helps", "", "signed-rank test", "undecided"),
                  ("before_helps", "", "margin doubled", "contradicted"),
                  ("dropout_helps", "classes", "margin halved", "supported")]
    checks = [("never_added", "it does nothing", "0", "0", 0.0, True)]
    made = {"arms": arms, "data_sets": data_sets, "rates": rates, "doses": doses, "places": all_places().iloc[:4],
            "robustness": robustness, "checks": checks}
    return {"effects": rows, "units": of_units, "averages": of_averages, "verdicts": verdicts(of_averages),
            **{name: pd.DataFrame(some, columns=list(STORED[name].columns)) for name, some in made.items()}}


def store(folder: Path, **given) -> None:
    """Write rows as stored tables of a project, each under its name."""
    for name, rows in given.items():
        path = folder / STORED[name].path()
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows, columns=list(STORED[name].columns)).to_csv(path, index=False, na_rep="NaN")
