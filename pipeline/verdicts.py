"""Claims and runs in; effects per cell, verdicts per claim, and the rule's own error rates out.

A cell is one contrast of a claim on one data set. Tables of runs and curves hold one row per
trained run and one per epoch; every function here is pure.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import pydantic
from pydantic import Field

from pipeline import stats
from pipeline.config import ConfigError, Params, Spec, Verdicts, complain, load, nearest, read_yaml
from pipeline.results import (
    read_measures,
    read_runs,
    read_table,
    significant,
    write_table,
    write_text,
)
from pipeline.stats import Rule

CLAIMS = Path("book/claims.yaml")
CHECKS = Path("results/mechanics/checks.csv")
VERDICTS = Path("results/verdicts")
TRIVIAL = "trivial predictor"
OPPOSITE, NO_EFFECT, DIFFERENCE = (
    "the opposite effect", "no effect of that size", "a difference")
DECIDED = ("supported", "contradicted", "mixed", "undecided", "true", "false")
CHANGES = ("margin halved", "margin doubled", "default learning rate", "other endpoint")
OTHER = {"best": "last", "last": "best"}

CELL_COLUMNS = [
    "claim", "treatment", "control", "minus_treatment", "minus_control", "minus_data", "data", "metric",
    "endpoint", "region", "m", "seeds", "scale", "effect", "low", "high", "margin", "label",
    "position", "why", "sign", "control_mean", "treatment_mean", "diverged_treatment",
    "diverged_control", "detectable"]
VERDICT_COLUMNS = [
    "slug", "verdict", "way", "reads", "D", "F", "A", "k", "scope", "fragile"]

_ARM = re.compile(r"([a-z0-9_]+)(?:\[(.+)\])?\Z")


# Claims

class Pair(Spec):
    """A treatment and its control: experiments, or variants of a sweep as `name[value=8]`.

    `name[tuned]` is the variant of least validation loss over the tuning seeds, chosen for each
    data set; `name[rates]` is a sweep of the learning rate as a whole; in a claim that the probe
    decides, `name[layer]` is a layer of the network.
    """

    treatment: str
    control: str

    @pydantic.model_validator(mode="after")
    def _two_arms(self):
        for name in (self.treatment, self.control):
            if not _ARM.match(name):
                raise ValueError(f"found '{name}'; allowed: name, or name[variant]")
        if self.treatment == self.control:
            raise ValueError(f"found '{self.treatment}' twice; a contrast needs two arms")
        return self


class Other(Pair):
    """The pair that an interaction takes off, on the same data set or on another."""

    data: str | None = None


class Contrast(Pair):
    """A pair, or with `minus` an interaction: the pair's effect less that of another."""

    minus: Other | None = None


class Prediction(Spec):
    """What a claim predicts, fixed before training, and who predicts it."""

    by: Literal["thread", "ours"]
    region: Literal["better", "worse", "equivalent", "not_worse", "not_better", "differs",
                    "positive"]
    quantifier: Literal["generally", "some", "always"] = "generally"


class Claim(Spec):
    """One claim: what is said, what would decide it, and on which data sets."""

    slug: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    rows: Annotated[list[str], Field(min_length=1)]
    who: str
    says: str
    topic: str
    #: Required unless the claim is an identity.
    predicts: Prediction | None = None
    contrasts: list[Contrast] = []
    #: Experiments compared with the trivial predictor, one-sided.
    baseline: list[str] = []
    #: Names of exact checks: the claim is true if all of them hold.
    checks: list[str] = []
    #: Default: all data sets that every experiment of a contrast has.
    data: Annotated[list[str], Field(min_length=1)] | None = None
    metric: str = "error"
    endpoint: Literal["best", "last"] = "best"
    #: Whether the probe measured what is compared, instead of the study's runs.
    probe: bool = False
    #: Whether the arms are said to be one function, so that no difference on any seed is a finding.
    identity: bool = False
    because: str | None = None
    analogue: bool = False

    @property
    def experiments(self) -> list[str]:
        """The experiments that decide the claim, each once."""
        pairs = [pair for c in self.contrasts for pair in (c, c.minus) if pair]
        names = self.baseline + [n for p in pairs for n in (p.treatment, p.control)]
        return list(dict.fromkeys(name.partition("[")[0] for name in names))

    @pydantic.model_validator(mode="after")
    def _one_way_to_decide(self):
        ways = [w for w in ("contrasts", "baseline", "checks") if getattr(self, w)]
        if len(ways) != 1:
            raise ValueError(f"found {', '.join(ways) or 'none'}; exactly one of contrasts, "
                             "baseline, checks decides a claim")
        if self.checks:
            return self
        if self.predicts is None:
            raise ValueError("predicts is missing; a comparison needs a predicted region")
        if self.baseline and self.metric not in ("error", "loss"):
            raise ValueError(f"metric: found '{self.metric}'; allowed with baseline: error, loss")
        if self.predicts.region == "equivalent" and (
                self.baseline or _metric(self.metric).margin == "measure"):
            raise ValueError("predicts.region: found 'equivalent'; a comparison without a margin "
                             "cannot show it; allowed: better, worse, differs, positive, "
                             "not_worse, not_better")
        if self.data and len(set(self.data)) < len(self.data):
            raise ValueError(f"data: found {self.data}; a data set may stand once")
        return self


def read_claims(path: Path = CLAIMS) -> list[Claim]:
    """The claims of a YAML file, a list with one entry a claim.

    Raises:
        ConfigError: names the file, the claim and the place of the first mistake.
    """
    content = read_yaml(path)
    if not isinstance(content, list):
        raise ConfigError(f"{path}: found {type(content).__name__}; allowed: a list of claims")
    claims = []
    for index, entry in enumerate(content):
        if not isinstance(entry, dict):
            raise ConfigError(f"{path}: claim {index + 1}: found {entry!r}; allowed: a mapping "
                              f"with {', '.join(Claim.model_fields)}")
        try:
            claims.append(Claim(**{str(key): value for key, value in entry.items()}))
        except pydantic.ValidationError as error:
            place = str(entry.get("slug", f"claim {index + 1}"))
            # An unknown key first: a missing one is often its right spelling.
            first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
            raise ConfigError(f"{path}: {place}{_explain(first)}") from None
    twice = [slug for slug, count in Counter(c.slug for c in claims).items() if count > 1]
    if twice:
        raise ConfigError(f"{path}: the slug '{twice[0]}' stands twice; a slug may stand once")
    return claims


def _explain(error) -> str:
    place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        names = {p for p in error["loc"][:-1] if isinstance(p, str)}
        spec = (Other if "minus" in names else Contrast if "contrasts" in names
                else Prediction if "predicts" in names else Claim)
        return (f"{place}: unknown key; allowed: {', '.join(spec.model_fields)}"
                f"{nearest(error['loc'][-1], spec.model_fields)}")
    if error["type"] == "missing":
        return f"{place}: missing; it is required"
    if error["type"] == "value_error":
        return f"{place}: {message}"
    guess = (nearest(error["input"], re.findall(r"'(\w+)'", message))
             if error["type"] == "literal_error" else "")
    return f"{place}: found {error['input']!r}; {message[0].lower()}{message[1:]}{guess}"


# Metrics

@dataclass(frozen=True)
class Metric:
    """How scores of one kind are compared.

    Attributes:
        scale: `log ratio`, `difference`, `share` or `median`.
        margin: kind of margin, see `stats.margin`.
        lower: whether lower scores are better.
        endpoint: whether the score depends on the endpoint.
        skill: whether it measures how well a network does its task, so that the guards for
            sets on which nothing can be shown apply.
        name: words for a sentence.
    """

    scale: str
    margin: str
    lower: bool
    endpoint: bool
    skill: bool
    name: str


METRICS = {
    "error": Metric("log ratio", "ratio", True, True, True, "test error"),
    "loss": Metric("log ratio", "ratio", True, True, True, "test loss"),
    "calibration_error": Metric(
        "difference", "calibration", True, True, True, "calibration error"),
    "minority_recall": Metric("difference", "recall", False, True, True, "minority recall"),
    "epochs_to_target": Metric("log ratio", "epochs", True, False, True, "epochs to the target"),
    "divergence": Metric("share", "divergence", True, False, False, "diverged seeds"),
    "failure": Metric("share", "divergence", True, True, False, "seeds that fail"),
    "largest_rate": Metric(
        "median", "measure", False, False, False, "largest usable learning rate"),
    "parameters": Metric("log ratio", "measure", True, False, False, "parameters"),
}


def _metric(name: str) -> Metric:
    """A named metric, else a measure: a numeric column, compared by its difference."""
    return METRICS.get(name) or Metric(
        "difference", "measure", False, True, False, name.replace("_", " "))


def derive(runs: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Runs with what follows from their measures, at either endpoint.

    `gap`: test loss less training loss. `failure`: 1 for a seed whose error exceeds
    `rule.trivial_share` of the trivial predictor's, or that diverged, else 0.
    """
    added = {}
    for end in OTHER:
        added[f"{end}_gap"] = runs[f"{end}_loss"] - runs[f"{end}_train_loss"]
        lost = runs[f"{end}_error"] > rule.trivial_share * runs["trivial_error"]
        added[f"{end}_failure"] = (lost | runs["diverged"].astype(bool)).astype(float)
    return runs.assign(**added)


# Arms

class _Study:
    """The study runs of one choice of learning rate, one frame per arm and data set."""

    def __init__(self, runs: pd.DataFrame, curves: pd.DataFrame | None, rate: str):
        if rate not in ("chosen", "default"):
            raise ValueError(f"rate must be chosen or default. Received: {rate!r}")
        needed = ["experiment", "variant", "data", "seed", "purpose", "learning_rate", "chosen",
                  "default", "diverged", "best_error", "trivial_error", "test_size"]
        absent = [column for column in needed if column not in runs.columns]
        if absent:
            raise ValueError(f"the table of runs lacks the columns {', '.join(absent)}")
        study = runs[runs["purpose"] == "study"]
        study = study.assign(variant=study["variant"].fillna("").astype(str),
                             **{c: study[c].astype(bool) for c in ("chosen", "default",
                                                                   "diverged")})
        # Calibration is defined for classes alone, so it tells the two tasks apart.
        calibration = [c for c in study.columns if c.endswith("_calibration_error")]
        known = study[calibration].notna().any(axis=1)
        self.classes = frozenset(study.loc[known, "data"])
        self.arms, self.variants, self.sets = {}, {}, {}
        for key, arm in study.groupby(["experiment", "variant", "data"], sort=False):
            wanted = arm[arm[rate]]
            if wanted.empty and rate == "default":
                # An arm whose learning rate is fixed has no other one to compare.
                wanted = arm[arm["chosen"]]
            seeds = wanted["seed"]
            if seeds.duplicated().any():
                raise ValueError(f"{_arm_name(*key[:2])} on {key[2]}: more than one {rate} run "
                                 f"for the seeds {sorted(seeds[seeds.duplicated()].unique())}")
            if wanted.empty:
                raise ValueError(f"{_arm_name(*key[:2])} on {key[2]}: no {rate} run")
            self.arms[key] = wanted.set_index("seed").sort_index()
            self.variants.setdefault(key[0], {})[key[1]] = None
            self.sets.setdefault(key[:2], []).append(key[2])
        for experiment in list(self.variants):
            self._add_tuned(experiment, runs[runs["purpose"] == "tuning"], rate)
            self._add_rates(experiment)
        self.curves = {}
        if curves is not None and len(curves):
            curves = curves.assign(variant=curves["variant"].fillna("").astype(str))
            self.curves = dict(iter(curves.groupby(["experiment", "variant", "data"],
                                                   sort=False)))

    def _add(self, experiment: str, variant: str, data: str, frame: pd.DataFrame) -> None:
        self.arms[experiment, variant, data] = frame
        self.sets.setdefault((experiment, variant), []).append(data)

    def _add_tuned(self, experiment: str, tuning: pd.DataFrame, rate: str) -> None:
        """`[tuned]`: per data set, the variant with the least validation loss in tuning."""
        variants = list(self.variants[experiment])
        mine = tuning[(tuning["experiment"] == experiment) & tuning[rate].astype(bool)]
        if len(variants) < 2 or mine["variant"].nunique() < len(variants):
            return
        losses = mine.groupby(["data", "variant"])["best_validation_loss"].mean()
        for data in self.sets[experiment, variants[0]]:
            best = losses[data].reindex(variants).idxmin()
            self._add(experiment, "tuned", data, self.arms[experiment, best, data])

    def _add_rates(self, experiment: str) -> None:
        """`[rates]`: the logarithm of the largest learning rate at which a seed does not fail.

        A seed that fails at every rate counts one step below the least.
        """
        rates = {variant: float(variant.removeprefix("learning_rate="))
                 for variant in self.variants[experiment]
                 if re.fullmatch(r"learning_rate=[0-9.e-]+", variant)}
        some = next(iter(self.arms.values()))
        if len(rates) < max(2, len(self.variants[experiment])) or "best_failure" not in some:
            return
        order = sorted(rates, key=rates.get)
        for data in self.sets[experiment, order[0]]:
            failed = pd.concat({rates[v]: self.arms[experiment, v, data]["best_failure"]
                                for v in order}, axis=1)
            below = rates[order[0]] ** 2 / rates[order[1]]
            largest = failed.apply(lambda row: max(row.index[row == 0], default=below), axis=1)
            frame = pd.DataFrame({"diverged": False, "largest_rate": np.log(largest)})
            self._add(experiment, "rates", data, frame)

    def find(self, name: str, where: str, fallback: bool = False) -> tuple[str, str]:
        """The (experiment, variant) that `name` or `name[variant]` means."""
        match = _ARM.match(name)
        experiment, variant = (match[1], match[2] or "") if match else (name, "")
        if experiment not in self.variants:
            raise ConfigError(f"{where}: found '{name}'; there is no experiment '{experiment}'; "
                              f"allowed: {', '.join(self.variants)}"
                              f"{nearest(experiment, self.variants)}")
        variants = self.variants[experiment]
        if variant in variants or variant and (experiment, variant) in self.sets:
            return experiment, variant
        if fallback and list(variants) == [""]:
            return experiment, ""
        names = [_arm_name(experiment, v) for v in variants]
        raise ConfigError(f"{where}: found '{name}'; allowed: {', '.join(names)}"
                          f"{nearest(name, names)}")

    def shared(self, arms) -> list[str]:
        """The data sets that all arms have, in the order of the first."""
        return [data for data in self.sets[arms[0]]
                if all(data in self.sets[arm] for arm in arms)]

    def paired(self, arms, sets: Sequence[str], where: str) -> list[pd.DataFrame]:
        """The arms' runs, each on its data set; every arm must have the same seeds."""
        frames = [self.arms[(*arm, data)] for arm, data in zip(arms, sets, strict=True)]
        union = sorted(set().union(*(frame.index for frame in frames)))
        for arm, data, frame in zip(arms, sets, frames, strict=True):
            missing = [seed for seed in union if seed not in frame.index]
            if missing:
                raise ValueError(f"{where}: {_arm_name(*arm)} on {data} lacks the seeds "
                                 f"{', '.join(map(str, missing))}, which another arm has")
        return frames

    def validation(self, arm, data: str) -> pd.DataFrame:
        """Validation losses `(seeds, epochs)` of an arm; infinite where not finite."""
        frame, key = self.arms[(*arm, data)], (*arm, data)
        if key not in self.curves:
            raise ValueError(f"{_arm_name(*arm)} on {data}: no curves")
        curves = self.curves[key]
        rates = frame["learning_rate"].reindex(curves["seed"]).to_numpy()
        mine = curves[curves["learning_rate"].to_numpy() == rates]
        table = mine.pivot(index="seed", columns="epoch", values="validation_loss")
        missing = [seed for seed in frame.index if seed not in table.index]
        if missing:
            raise ValueError(f"{_arm_name(*arm)} on {data}: no curves for the seeds "
                             f"{', '.join(map(str, missing))}")
        table = table.loc[frame.index].sort_index(axis=1)
        return table.where(np.isfinite(table), np.inf)


def _arm_name(experiment: str, variant: str) -> str:
    return f"{experiment}[{variant}]" if variant else experiment


def _column(arm: pd.DataFrame, metric: str, endpoint: str, where: str) -> str:
    for name in (f"{endpoint}_{metric}", metric):
        if name in arm.columns:
            if not pd.api.types.is_numeric_dtype(arm[name]):
                break
            return name
    columns = [c for c in arm.columns if pd.api.types.is_numeric_dtype(arm[c])]
    bare = {c.removeprefix("best_").removeprefix("last_") for c in columns}
    allowed = sorted({*METRICS, *bare})
    raise ConfigError(f"{where}: metric: found '{metric}'; allowed: {', '.join(allowed)}"
                      f"{nearest(metric, allowed)}")


def _scores(arm: pd.DataFrame, metric: str, endpoint: str, where: str) -> np.ndarray:
    """One score per seed; a diverged seed scores what the trivial predictor scores."""
    values = arm[_column(arm, metric, endpoint, where)].astype(float)
    if metric in ("error", "loss", "calibration_error"):
        # Naming the larger class with certainty is miscalibrated by its error rate.
        trivial = arm["trivial_loss" if metric == "loss" else "trivial_error"]
        values = values.where(~arm["diverged"], trivial)
    elif metric == "minority_recall":
        values = values.where(~arm["diverged"], 0.0)
    if metric in METRICS and not np.isfinite(values).all():
        bad = values.index[~np.isfinite(values)]
        raise ValueError(f"{where}: {metric} is not finite for the seeds "
                         f"{', '.join(map(str, bad))}, which did not diverge")
    return values.to_numpy()


def _epochs(study: _Study, treatment, control, data: str, rule: Rule):
    """Epochs to target of both arms `(seeds,)`, and whether each seed reached it.

    The target is the control's median best validation loss times `rule.target_factor`; a seed
    that never reaches it, or diverges, counts the budget.
    """
    losses = {arm: study.validation(arm, data) for arm in (control, treatment)}
    target = float(np.median(losses[control].min(axis=1))) * rule.target_factor
    budget = max(int(table.columns.max()) for table in losses.values())
    result = []
    for arm in (control, treatment):
        below = (losses[arm] <= target).to_numpy()
        reached = below.any(axis=1) & ~study.arms[(*arm, data)]["diverged"].to_numpy()
        reached &= math.isfinite(target)
        first = losses[arm].columns.to_numpy()[below.argmax(axis=1)]
        result.append((np.where(reached, first, budget).astype(float), reached))
    return result


# Cells

def _blank(**values) -> dict:
    row = dict.fromkeys(CELL_COLUMNS, "")
    for name in ("effect", "low", "high", "margin", "control_mean", "treatment_mean",
                 "diverged_treatment", "diverged_control", "detectable"):
        row[name] = math.nan
    return row | {"label": "undecided"} | values


def _frame(rows: list[dict], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns)


def _same_runs(control: pd.DataFrame, treatment: pd.DataFrame) -> bool:
    columns = [c for c in ("best_error", "best_loss", "best_validation_loss", "last_loss")
               if c in control.columns]
    return all(np.array_equal(control[c].to_numpy(), treatment[c].to_numpy(), equal_nan=True)
               for c in columns)


def _cell(study: _Study, names: Sequence[str], data: str, metric: str, endpoint: str,
          rule: Rule, m: int, where: str, *, claim: str = "", region: str = "",
          factor: float = 1.0, blind: Collection[str] = (), other: str = "",
          identity: bool = False) -> dict:
    """One row of `cells`: arms `treatment, control[, minus treatment, minus control]`.

    `other` is the data set of the last two, if it is another one; with `identity` the arms may give
    the same on every seed.
    """
    spec = _metric(metric)
    found = [study.find(name, where, fallback=i % 2 == 1) for i, name in enumerate(names)]
    sets = [data, data, other or data, other or data][:len(found)]
    frames = study.paired(found, sets, where)
    pairs = [(found[i], found[i + 1], frames[i], frames[i + 1])
             for i in range(0, len(found), 2)]
    labels = [_arm_name(*arm) for arm in found] + ["", ""]
    shares = [float(frame["diverged"].mean()) for frame in frames]
    row = _blank(claim=claim, treatment=labels[0], control=labels[1], minus_treatment=labels[2],
                 minus_control=labels[3], minus_data=other, data=data, metric=metric, region=region, m=m,
                 endpoint=endpoint if spec.endpoint else "", scale=spec.scale,
                 diverged_treatment=shares[0], diverged_control=shares[1])
    here = f"{where}: {' vs '.join(labels[:2])} on {data}"

    # Scores, as (control, treatment) per pair.
    unreached = 0.0
    if metric == "failure":
        scores = [tuple(_scores(frame, metric, endpoint, here) > 0.5 for frame in (c, t))
                  for *_, t, c in pairs]
    elif metric == "divergence":
        scores = [(c["diverged"].to_numpy(), t["diverged"].to_numpy()) for *_, t, c in pairs]
    elif metric == "epochs_to_target":
        scores = []
        for treatment, control, *_ in pairs:
            (c, c_reached), (t, t_reached) = _epochs(study, treatment, control, data, rule)
            unreached = max(unreached, 1 - c_reached.mean(), 1 - t_reached.mean())
            scores.append((c, t))
    else:
        scores = [(_scores(c, metric, endpoint, here), _scores(t, metric, endpoint, here))
                  for *_, t, c in pairs]
    if metric not in METRICS:
        kept = np.isfinite(np.array(scores)).all(axis=(0, 1))
        scores = [(c[kept], t[kept]) for c, t in scores]
    seeds = len(scores[0][0])
    row["seeds"] = seeds
    row["control_mean"], row["treatment_mean"] = (
        (float(np.mean(s)) if seeds else math.nan) for s in scores[0])

    # Margin.
    kinds = ["error rate" if metric == "error" and each in study.classes else spec.margin
             for each in sets[::2]]
    delta = factor * max(stats.margin(kind, rule, float(np.mean(c)) if seeds else math.nan)
                         for kind, (c, _) in zip(kinds, scores, strict=True))
    row["margin"] = delta

    # Guards that need no interval.
    why, position = "", ""
    if spec.skill:
        why = _uninformative(frames, endpoint, [each in study.classes for each in sets], rule, here)
        position = "uninformative" if why else ""

    # Effect and interval.
    all_diverged = all(share == 1 for share in shares)
    if metric not in METRICS and seeds < rule.measure_seeds:
        return row | {"position": position or "open", "why": why or
                      f"{seeds} seeds have the measure; it needs {rule.measure_seeds}"}
    oriented = [(-c, -t) if spec.scale == "difference" and spec.lower else (c, t)
                for c, t in scores]
    if seeds < 2:
        raise ValueError(f"{here}: found {seeds} seed; an interval needs at least 2")
    minus = oriented[1] if len(pairs) == 2 else None
    estimate = stats.paired(*oriented[0], spec.scale, rule.alpha, m, minus=minus)
    row |= {"effect": float(estimate.effect), "low": float(estimate.low),
            "high": float(estimate.high)}
    if spec.scale == "share":
        row["detectable"] = stats.detectable_share(seeds, delta, rule, m) if not minus else math.nan
    elif metric == "parameters":
        row["detectable"] = 0.0
    elif spec.scale != "median":
        row["detectable"] = stats.detectable(float(estimate.spread), seeds, delta, rule, m)
        constant = _constant(oriented, estimate, spec)
        identical = identity and constant and float(estimate.effect) == 0
        if identical:
            why = why or "the same on every seed: one function"
        elif constant and not all_diverged and not (position and not np.isfinite(row["effect"])):
            # Counts and shares may truly be constant; identical runs are a mistake.
            if metric in ("error", "loss", "calibration_error") or metric in METRICS and any(
                    _same_runs(c, t) for *_, t, c in pairs):
                raise ValueError(f"{here}: {metric} does not vary between the arms over "
                                 f"{seeds} seeds; the arms are one network, or it is an identity")
            if not unreached > rule.unreached_share:
                why = why or "the difference is the same on every seed"
                position = position or "open"
        if constant and all_diverged and not identical:
            position, why = position or "open", why or "every seed of every arm diverged"
    if not np.isfinite(row["effect"]):
        return row | {"position": position or "open",
                      "why": why or "a mean of 0 has no ratio"}

    low, high = row["low"], row["high"]
    row["sign"] = stats.sign(low, high)
    row["label"] = stats.label(low, high, delta)
    stand = stats.position(low, high, delta, region) if region else ""

    # Guards on what the interval may show.
    if position == "open":  # nothing varies, so the interval has no width to trust
        row["label"] = "undecided"
    elif not position and unreached > rule.unreached_share:
        why = f"over {100 * rule.unreached_share:.0f} % of an arm never reached the target"
        position, row["label"] = "open", "undecided"
    elif not position and spec.margin != "divergence" and metric != "parameters" and (
            max(shares) > rule.diverged_share):
        worse_counts = (row["label"] == "worse" and metric in METRICS
                        and max(shares[2:], default=0) <= rule.diverged_share)
        if not worse_counts:
            why = (f"over {100 * rule.diverged_share:.0f} % of an arm diverged, so it may "
                   "only count as worse")
            position, row["label"] = "open", "undecided"
    elif not position and spec.skill and set(sets) & set(blind) and not why.startswith("the same on"):
        # A difference that was found stands; only its absence proves nothing here.
        shown = row["label"] in ("better", "worse") or (region == "positive" and row["sign"])
        if not shown and (row["label"] == "equivalent" or stand in ("for", "against")):
            why = "half the data did no worse, so the set cannot show that there is no difference"
            position, row["label"] = "open", "undecided"
    return row | {"position": position or stand, "why": why}


def _constant(scores, estimate: stats.Estimate, spec: Metric) -> bool:
    """Whether the contributions of a pair, or their difference, do not vary over the seeds."""
    spreads = [float(estimate.spread)]
    for c, t in scores:
        effect, w = (stats.log_ratio if spec.scale == "log ratio" else stats.difference)(c, t)
        scale = 1.0 if spec.scale == "log ratio" else max(np.abs(c).max(), np.abs(t).max(), 1e-300)
        spreads.append(float(w.std(ddof=1) / scale))
    return any(not spread > 1e-12 for spread in spreads)


def _uninformative(frames, endpoint: str, classes: Sequence[bool], rule: Rule, where: str) -> str:
    """Why a cell can show nothing, or ''."""
    for control in frames[1::2]:
        mean = _scores(control, "error", endpoint, where).mean()
        if mean > rule.trivial_share * control["trivial_error"].mean():
            return (f"the control's error exceeds {rule.trivial_share:g} of the "
                    "trivial predictor's")
    for arm, counts in zip(frames, classes, strict=True):
        if counts:
            wrong = _scores(arm, "error", endpoint, where) * arm["test_size"].to_numpy()
            if round(float(wrong.sum())) < rule.test_errors:
                return f"an arm made under {rule.test_errors} test errors in total"
    return ""


def _baseline_cell(study: _Study, name: str, data: str, metric: str, endpoint: str, rule: Rule,
                   m: int, where: str, *, claim: str, region: str) -> dict:
    """An experiment against the trivial predictor: paired difference, one-sided, no margin."""
    arm = study.find(name, where)
    frame = study.arms[(*arm, data)]
    here = f"{where}: {name} vs {TRIVIAL} on {data}"
    scores = _scores(frame, metric, endpoint, here)
    trivial = frame[f"trivial_{metric}"].to_numpy(float)
    share = float(frame["diverged"].mean())
    estimate = stats.paired(-trivial, -scores, "difference", rule.alpha, m, sides=1)
    low, high = float(estimate.low), float(estimate.high)
    why, position = "", stats.position(low, high, 0.0, region)
    label = stats.label(low, high, 0.0)
    if not estimate.spread > 1e-12 * np.abs(trivial).max():
        if share < 1:
            raise ValueError(f"{here}: the difference is the same on every seed")
        why, position, label = "every seed diverged", "open", "undecided"
    elif share > rule.diverged_share and label != "worse":
        why = f"over {100 * rule.diverged_share:.0f} % diverged, so it may only count as worse"
        position, label = "open", "undecided"
    return _blank(
        claim=claim, treatment=_arm_name(*arm), control=TRIVIAL, data=data, metric=metric,
        endpoint=endpoint, region=region, m=m, seeds=estimate.seeds, scale="difference",
        effect=float(estimate.effect), low=low, high=high, margin=0.0, label=label,
        position=position, why=why, sign=stats.sign(low, high),
        control_mean=float(trivial.mean()), treatment_mean=float(scores.mean()),
        diverged_treatment=share, diverged_control=0.0,
        detectable=stats.detectable(float(estimate.spread), estimate.seeds, 0.0, rule, m, 1))


def _declared(claim: Claim, study: _Study) -> list[tuple[str, list[str], str, str]]:
    """The claim's cells as (place, arms, data set, other data set); their number is its m."""
    places = [(f"baseline[{i}]", [name], "") for i, name in enumerate(claim.baseline)]
    for i, contrast in enumerate(claim.contrasts):
        names = [contrast.treatment, contrast.control]
        if contrast.minus:
            names += [contrast.minus.treatment, contrast.minus.control]
        places.append((f"contrasts[{i}]", names, contrast.minus and contrast.minus.data or ""))
    declared = []
    for place, names, other in places:
        where = f"{CLAIMS}: {claim.slug}.{place}"
        arms = [study.find(name, where, fallback=j % 2 == 1) for j, name in enumerate(names)]
        if other and other not in study.shared(arms[2:]):
            raise ConfigError(f"{where}.minus.data: found '{other}'; allowed: "
                              f"{', '.join(study.shared(arms[2:]))}"
                              f"{nearest(other, study.shared(arms[2:]))}")
        shared = study.shared(arms[:2] if other else arms)
        if not shared:
            raise ConfigError(f"{where}: {', '.join(names)} share no data set")
        for data in claim.data or []:
            if data not in shared:
                raise ConfigError(f"{CLAIMS}: {claim.slug}.data: found '{data}', which not every "
                                  f"experiment of {place} has; allowed: {', '.join(shared)}"
                                  f"{nearest(data, shared)}")
        declared += [(where, names, data, other) for data in claim.data or shared]
    return declared


def cells(claims: Sequence[Claim], runs: pd.DataFrame, curves: pd.DataFrame | None, rule: Rule,
          *, rate: str = "chosen", endpoint: str | None = None, margin_factor: float = 1.0,
          blind: Collection[str] = (), probed: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every claim's effects: one row per claim, contrast and data set.

    Args:
        claims: identities among them have no cells.
        runs: one row per trained run; study rows count alone.
        curves: one row per epoch of a study run; needed for epochs to target.
        rule: the constants.
        rate: `chosen` learning rate, or the study's `default` (an arm without one keeps its own).
        endpoint: None = each claim's own, `other` = the other one.
        margin_factor: factor of every margin.
        blind: data sets that cannot show a difference, see `blind_sets`.
        probed: what the probe measured, a layer a variant; for the claims that it decides.

    Returns:
        `CELL_COLUMNS`. `effect`, `low`, `high` and `margin` share a scale: natural logarithm
        of a ratio, or a difference; positive = treatment better (measures: larger).
        `diverged_*` are shares 0..1, `m` is the number of cells that share alpha. For an
        interaction the means and shares are those of its first pair.

    Raises:
        ConfigError: a claim names something that does not exist.
        ValueError: unequal seeds, values that are not finite, or arms that do not differ.
    """
    if endpoint not in (None, "other"):
        raise ValueError(f"endpoint must be None or 'other'. Received: {endpoint!r}")
    studies, rows = {False: _Study(runs, curves, rate)}, []
    if probed is not None and len(probed):
        studies[True] = _Study(probed, None, rate)
    for claim in claims:
        if claim.checks:
            continue
        if claim.probe not in studies:
            raise ConfigError(f"{CLAIMS}: {claim.slug}: nothing that the probe measured is stored")
        study = studies[claim.probe]
        end = OTHER[claim.endpoint] if endpoint else claim.endpoint
        declared = _declared(claim, study)
        region = claim.predicts.region
        for where, names, data, other in declared:
            if claim.baseline:
                rows.append(_baseline_cell(
                    study, names[0], data, claim.metric, end, rule, len(declared), where,
                    claim=claim.slug, region=region))
            else:
                rows.append(_cell(
                    study, names, data, claim.metric, end, rule, len(declared), where,
                    claim=claim.slug, region=region, factor=margin_factor, blind=blind, other=other,
                    identity=claim.identity))
    return _frame(rows, CELL_COLUMNS)


# Verdicts

def needed(informative: int, rule: Rule = Rule()) -> int:
    """k = max(ceil(D / 2), min(2, D)): the cells that `generally` asks for."""
    # Rounded first: 0.55 * 100 is a little more than 55 and must not need a 56th cell.
    return max(math.ceil(round(informative * rule.majority, 9)),
               min(rule.least_cells, informative))


def decide(informative: int, favour: int, against: int, quantifier: str,
           rule: Rule = Rule()) -> str:
    """The verdict of D informative cells, F of them for and A against a claim.

    Raises:
        ValueError: impossible counts or an unknown quantifier.
    """
    if min(informative, favour, against) < 0 or favour + against > informative:
        raise ValueError("counts must not be negative, and F + A at most D. "
                         f"Received: D={informative}, F={favour}, A={against}")
    k = needed(informative, rule)
    tests = {"generally": (against == 0 and favour >= k, favour == 0 and against >= k,
                           favour >= 1 and against >= 1),
             "some": (favour >= 1, against == informative, False),
             "always": (favour == informative, against >= 1, False)}
    if quantifier not in tests:
        raise ValueError(f"quantifier must be one of {', '.join(tests)}. Received: {quantifier!r}")
    if informative:
        for verdict, holds in zip(("supported", "contradicted", "mixed"), tests[quantifier],
                                  strict=True):
            if holds:
                return verdict
    return "undecided"


def _way(region: str, against: pd.DataFrame) -> str:
    """Which way a claim is contradicted, by most of the cells against it."""
    if region == "equivalent":
        return DIFFERENCE
    if region == "differs":
        return NO_EFFECT
    if region == "positive":
        # The whole interval lies at or below 0.
        return OPPOSITE
    reverse = "better" if region in ("worse", "not_better") else "worse"
    return OPPOSITE if 2 * (against["label"] == reverse).sum() > len(against) else NO_EFFECT


def verdicts(claims: Sequence[Claim], cells: pd.DataFrame, rule: Rule = Rule(), *,
             checks: Mapping[str, bool] | None = None,
             robustness: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per claim: its verdict and what it rests on.

    Args:
        claims: in the order of the rows.
        cells: their table from `cells`.
        rule: the constants.
        checks: whether each exact check holds, by name.
        robustness: table from `robustness`; without it nothing is marked fragile.

    Returns:
        `VERDICT_COLUMNS`. `verdict` is supported, contradicted, mixed, undecided, true or
        false; `reads` is how to print it; D, F, A and k count cells (0 for an identity);
        `scope` names the informative data sets; `fragile`: some robustness verdict turned round.

    Raises:
        ConfigError: a claim names an exact check that does not exist.
    """
    rows = []
    for claim in claims:
        row = dict.fromkeys(VERDICT_COLUMNS, "") | {
            "slug": claim.slug, "D": 0, "F": 0, "A": 0, "k": 0, "fragile": False}
        if claim.checks:
            known = dict(checks or {})
            for i, check in enumerate(claim.checks):
                if check not in known:
                    raise ConfigError(
                        f"{CLAIMS}: {claim.slug}.checks[{i}]: found '{check}'; allowed: "
                        f"{', '.join(known) or 'none was stored'}{nearest(check, known)}")
            holds = all(bool(known[check]) for check in claim.checks)
            row["verdict"] = row["reads"] = "true" if holds else "false"
            rows.append(row)
            continue
        mine = cells[cells["claim"] == claim.slug]
        counted = mine[mine["position"] != "uninformative"]
        against = counted[counted["position"] == "against"]
        d, f, a = len(counted), int((counted["position"] == "for").sum()), len(against)
        verdict = decide(d, f, a, claim.predicts.quantifier, rule)
        sets = list(dict.fromkeys(counted["data"]))
        row |= {"verdict": verdict, "D": d, "F": f, "A": a, "k": needed(d, rule),
                "scope": ", ".join(sets)}
        if verdict == "contradicted":
            row["way"] = _way(claim.predicts.region, against)
        row["reads"] = _reads(claim, verdict, sets if d == 1 else [])
        turned = {"supported": "contradicted", "contradicted": "supported"}.get(verdict)
        if robustness is not None and turned:
            changed = robustness.loc[robustness["claim"] == claim.slug, "verdict"]
            row["fragile"] = bool((changed == turned).any())
        rows.append(row)
    return _frame(rows, VERDICT_COLUMNS)


def _reads(claim: Claim, verdict: str, only: list[str]) -> str:
    if claim.analogue:
        verdict = {"supported": "replicated in our analogue",
                   "contradicted": "not replicated in our analogue"}.get(verdict, verdict)
    return f"{verdict} on {only[0]}" if only else verdict


def robustness(claims: Sequence[Claim], runs: pd.DataFrame, curves: pd.DataFrame | None,
               rule: Rule, *, blind: Collection[str] = ()) -> pd.DataFrame:
    """Every claim decided again under each of `CHANGES`.

    Returns:
        Columns `claim`, `change`, `verdict`; '' where a change does not apply: an identity, a
        claim without a margin, a metric without endpoints, the probe's claims.
    """
    compared = [claim for claim in claims if not claim.checks and not claim.probe]
    margin = [claim for claim in compared
              if not claim.baseline and _metric(claim.metric).margin != "measure"]
    ends = [claim for claim in compared if _metric(claim.metric).endpoint
            and {f"best_{claim.metric}", f"last_{claim.metric}"} <= set(runs.columns)]
    settings = dict(zip(CHANGES, (
        (margin, {"margin_factor": rule.margin_halved}),
        (margin, {"margin_factor": rule.margin_doubled}),
        (compared, {"rate": "default"}), (ends, {"endpoint": "other"})), strict=True))
    found = {}
    for change, (some, setting) in settings.items():
        table = verdicts(some, cells(some, runs, curves, rule, blind=blind, **setting), rule)
        found |= {(slug, change): verdict for slug, verdict in
                  zip(table["slug"], table["verdict"], strict=True)}
    return _frame([{"claim": claim.slug, "change": change,
                    "verdict": found.get((claim.slug, change), "")}
                   for claim in claims for change in CHANGES], ["claim", "change", "verdict"])


# Comparisons without a claim, and the arms that measure the rule

def comparisons(versus: Mapping[str, str], runs: pd.DataFrame, curves: pd.DataFrame | None,
                rule: Rule, *, metric: str = "error", endpoint: str = "best",
                rate: str = "chosen", margin_factor: float = 1.0,
                blind: Collection[str] = (),
                identities: Collection[tuple[str, str]] = ()) -> pd.DataFrame:
    """Every experiment, and every variant of a sweep, against its `versus`.

    Args:
        versus: the control's name by the treatment's; a variant meets the control's variant of
            the same name, or the control itself if that has no variants.
        metric, endpoint: of all comparisons. m is the number of data sets of a comparison.
        identities: pairs (treatment, control) that a claim says are one function.

    Returns:
        As `cells`, with empty `claim` and `region`; `position` is empty, `open` or
        `uninformative`.
    """
    study = _Study(runs, curves, rate)
    rows = []
    for name, control in versus.items():
        where = f"params.yaml: experiments.{name}.versus"
        experiment = _ARM.match(name)[1] if _ARM.match(name) else name
        if experiment == name and name in study.variants:
            arms = list(study.variants[name])
        else:
            arms = [study.find(name, f"params.yaml: experiments.{name}")[1]]
        for variant in arms:
            treatment = _arm_name(experiment, variant)
            other = _arm_name(control, variant) if "[" not in control else control
            pair = [study.find(treatment, where), study.find(other, where, fallback=True)]
            if pair[0] == pair[1]:
                raise ConfigError(f"{where}: found '{control}'; an experiment cannot be its "
                                  "own control")
            shared = study.shared(pair)
            if not shared:
                raise ConfigError(f"{where}: {name} and {control} share no data set")
            rows += [_cell(study, [treatment, other], data, metric, endpoint, rule, len(shared),
                           where, factor=margin_factor, blind=blind,
                           identity=(treatment, other) in identities) for data in shared]
    return _frame(rows, CELL_COLUMNS)


def arms(repeated: Mapping[str, str], half_data: Mapping[str, str], runs: pd.DataFrame,
         rule: Rule, *, rate: str = "chosen") -> pd.DataFrame:
    """The arms that measure the rule itself, by test error at the best epoch.

    Args:
        repeated: A/A arms: the same network with other initial, batch and tuning seeds, by
            name, and what each repeats.
        half_data: arms trained on half the data, and the network each of them trains.

    Returns:
        As `comparisons`, after a column `kind`: `A/A` or `half the data`.
    """
    tables = [comparisons(pairs, runs, None, rule, rate=rate).assign(kind=kind)
              for kind, pairs in (("A/A", repeated), ("half the data", half_data))]
    tables = [table for table in tables if len(table)]
    if not tables:
        return _frame([], ["kind", *CELL_COLUMNS])
    return pd.concat(tables, ignore_index=True)[["kind", *CELL_COLUMNS]]


def decisive(arms: pd.DataFrame) -> float:
    """The share of informative A/A cells labelled better or worse, 0..1; NaN without any."""
    same = arms[(arms["kind"] == "A/A") & (arms["position"] != "uninformative")]
    return float(same["label"].isin(["better", "worse"]).mean()) if len(same) else math.nan


def metrics(verdicts: pd.DataFrame, arms: pd.DataFrame) -> dict:
    """The study in a few numbers, for `dvc metrics`.

    Args:
        verdicts, arms: their tables.

    Returns:
        `claims`: how many have each verdict; `fragile`: how many verdicts are; `decisive`: the
        share of A/A comparisons that were labelled better or worse, None without any.
    """
    share = decisive(arms)
    counts = Counter(verdicts["verdict"])
    return {"claims": {name: counts[name] for name in DECIDED},
            "fragile": int(verdicts["fragile"].sum()),
            "decisive": significant(share) if math.isfinite(share) else None}


def blind_sets(arms: pd.DataFrame) -> frozenset[str]:
    """The data sets on which some network trained on half the data is not found worse."""
    half = arms[arms["kind"] == "half the data"]
    found = (half["label"] == "worse") & (half["position"] != "uninformative")
    return frozenset(half.loc[~found, "data"])


# Sweeps

DOSE_COLUMNS = ["experiment", "key", "dose", "data", "seeds", "mean", "low", "high"]


def doses(sweeps: Mapping[str, str], runs: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Mean test error, best epoch, by the value of a sweep, each with a t interval of its own.

    Args:
        sweeps: experiment -> the one key that it varies, with numbers.
        runs: as for `cells`; a diverged seed scores what the trivial predictor scores.

    Returns:
        `DOSE_COLUMNS`. The intervals show the spread of seeds; differences between experiments
        are paired, and narrower.
    """
    study, rows = _Study(runs, None, "chosen"), []
    for name, key in sweeps.items():
        for variant in study.variants.get(name, ()):
            for data in study.sets[name, variant]:
                scores = _scores(study.arms[name, variant, data], "error", "best", name)
                one = stats.interval(scores.mean(), scores, rule.alpha)
                rows.append((name, key, float(variant.partition("=")[2]), data, len(scores),
                             float(one.effect), float(one.low), float(one.high)))
    return _frame(rows, DOSE_COLUMNS)


# Simulated studies

#: True effects per data set, as multiples of the margin ln(ratio_margin).
SCENARIOS = {"no effect": (0.0, 0.0, 0.0, 0.0),
             "an effect at the margin": (1.0, 1.0, 1.0, 1.0),
             "a real effect": (2.5, 2.5, 2.5, 2.5),
             "opposite effects": (2.5, 2.5, -2.5, -2.5)}


def simulated(rule: Rule, seed: int, *, studies: int = 1000, seeds: int = 30) -> pd.DataFrame:
    """Error rates of the rule where the truth is known: four scenarios on four data sets.

    The simulated claim predicts `better`, `generally`. An outcome is wrong if it denies the
    scenario's truth; undecided never is.

    Args:
        rule: the constants.
        seed: of the only source of randomness.
        studies: number of simulated claims per scenario.
        seeds: number of seeds per cell.

    Returns:
        Columns `scenario`, `unit` (`interval`, `cell` or `claim`), `outcome`, `share` 0..1 and
        `wrong`; the shares of a scenario's unit sum to 1. `interval`: one interval of the four.
    """
    rows = []
    delta = math.log(rule.ratio_margin)
    for (scenario, multiples), child in zip(
            SCENARIOS.items(), np.random.SeedSequence(seed).spawn(len(SCENARIOS)), strict=True):
        truth = delta * np.array(multiples)
        control, treatment = stats.draw_errors(
            truth, studies, seeds, np.random.default_rng(child))
        estimate = stats.paired(control, treatment, "log ratio", rule.alpha, len(truth))
        missed = (estimate.low > truth) | (estimate.high < truth)
        rows += [(scenario, "interval", "missed", float(missed.mean()), True),
                 (scenario, "interval", "covered", float(1 - missed.mean()), False)]
        labels, wrong, outcomes = Counter(), Counter(), Counter()
        for lows, highs in zip(estimate.low, estimate.high, strict=True):
            positions = Counter()
            for low, high, true in zip(lows, highs, truth, strict=True):
                found = stats.label(low, high, delta)
                labels[found] += 1
                wrong[found] += not _allows(found, true, delta)
                positions[stats.position(low, high, delta, "better")] += 1
            outcomes[decide(len(truth), positions["for"], positions["against"], "generally",
                            rule)] += 1
        for found in stats.LABELS:
            share, bad = labels[found] / missed.size, wrong[found] / missed.size
            # Opposite effects make a label right on some data sets and wrong on others.
            rows += [(scenario, "cell", found, share - bad, False)] if share > bad else []
            rows += [(scenario, "cell", found, bad, True)] if bad else []
        right = {"a real effect": "supported", "opposite effects": "mixed"}.get(
            scenario, "contradicted")
        rows += [(scenario, "claim", verdict, count / studies,
                  verdict not in (right, "undecided"))
                 for verdict, count in sorted(outcomes.items())]
    return pd.DataFrame(rows, columns=["scenario", "unit", "outcome", "share", "wrong"])


def _allows(found: str, true: float, delta: float) -> bool:
    """Whether a label is compatible with a true effect."""
    return {"better": true > delta, "worse": true < -delta, "equivalent": abs(true) < delta,
            "undecided": True}[found]


# Words

def sentence(cell: Mapping, rule: Rule = Rule()) -> str:
    """A cell in words, e.g. "12 % lower test error (95 % interval 8 % to 16 %)".

    Args:
        cell: a row of `cells` or `comparisons`.
        rule: for the confidence; the interval holds for all cells of the claim together.
    """
    effect, low, high = (float(cell[name]) for name in ("effect", "low", "high"))
    if not math.isfinite(effect):
        return f"no effect can be computed: {cell['why']}"
    spec = _metric(cell["metric"])
    one_sided = cell["control"] == TRIVIAL
    interval = (f"{_number(100 * (1 - rule.alpha))} % "
                + ("one-sided bounds" if one_sided else "interval"))
    name = spec.name
    if spec.scale == "median":
        than = "that of the other contrast" if cell["minus_treatment"] else "the control's"
        gain = "the gain in the " if cell["minus_treatment"] else ""
        return (f"{gain}{name} is {_factor(effect)} times {than} (median; {interval} "
                f"{_factor(low)} to {_factor(high)})")
    if cell["minus_treatment"]:
        if spec.scale == "log ratio":
            return (f"{name}: the ratio of control to treatment is {_factor(effect)} times that "
                    f"of the other contrast ({interval} {_factor(low)} to {_factor(high)})")
        unit, times = ("points", 100) if _in_points(cell["metric"]) else ("", 1)
        values = [f"{times * v:+.3g}".replace("-", "−") for v in (effect, low, high)]
        unit = f" {unit}" if unit else ""
        gain = "gain" if cell["metric"] in METRICS else "change"
        return (f"{name}: the {gain} differs from that of the other contrast by "
                f"{values[0]}{unit} ({interval} {values[1]} to {values[2]}{unit})")
    if cell["scale"] == "log ratio":
        # ln(control / treatment): the treatment's score is exp(-effect) of the control's.
        low, high = sorted(-math.expm1(-v) for v in (low, high))
        effect, unit, times = -math.expm1(-effect), " %", 100
    elif _in_points(cell["metric"]) and not one_sided:
        unit, times = " points", 100
    else:
        unit, times = "", 1
    more, less = ("higher", "lower")
    if cell["metric"] in ("epochs_to_target", "divergence", "failure", "parameters"):
        more, less = ("more", "fewer")
    up, down = (less, more) if spec.lower else (more, less)
    name += f" than the {TRIVIAL}" if one_sided else ""
    number = _number if times == 100 else "{:.3g}".format

    def part(value, word=False):
        amount = f"{number(abs(times * value))}{unit}"
        amount = "1 point" if amount == "1 points" else amount
        return f"{amount} {up if value >= 0 else down}" if word else amount

    if cell["metric"] == "parameters":
        return "as many parameters" if effect == 0 else f"{part(effect, True)} {name}"
    if low < 0 < high:
        bounds = f"{part(low, True)} to {part(high, True)}"
    elif effect >= 0:
        bounds = f"{part(low)} to {part(high)}"
    else:
        bounds = f"{part(high)} to {part(low)}"
    return f"{part(effect, True)} {name} ({interval} {bounds})"


def _in_points(metric: str) -> bool:
    return metric in ("divergence", "failure", "minority_recall", "calibration_error")


def _number(value: float) -> str:
    """At most one decimal below 10, none above."""
    text = f"{value:.0f}" if abs(value) >= 9.95 else f"{value:.1f}"
    return text.removesuffix(".0")


def _factor(value: float) -> str:
    return f"{math.exp(value):.2f}"


# The stage

def rule(section: Verdicts) -> Rule:
    """The constants of the rule, with those that params.yaml sets."""
    return Rule(alpha=round(1 - section.confidence, 12), ratio_margin=round(1 + section.margin, 12))


def check_claims(claims: Sequence[Claim], params: Params) -> None:
    """Every experiment and data set that a claim names exists in params.yaml.

    Raises:
        ConfigError: names the claim, what was found and the nearest existing name.
    """
    for claim in claims:
        pairs = [(f"contrasts[{i}]", p) for i, c in enumerate(claim.contrasts) for p in
                 (c, *([c.minus] if c.minus else []))]
        names = [(f"{place}.{side}", getattr(p, side)) for place, p in pairs
                 for side in ("treatment", "control")]
        names += [(f"baseline[{i}]", name) for i, name in enumerate(claim.baseline)]
        for place, name in names:
            if (experiment := name.partition("[")[0]) not in params.experiments:
                raise ConfigError(f"{CLAIMS}: {claim.slug}.{place}: there is no experiment "
                                  f"'{experiment}'{nearest(experiment, params.experiments)}")
            if claim.probe and experiment not in params.probe.experiments:
                raise ConfigError(f"{CLAIMS}: {claim.slug}.{place}: the probe does not watch "
                                  f"'{experiment}'; allowed: {', '.join(params.probe.experiments)}"
                                  f"{nearest(experiment, params.probe.experiments)}")
        others = [(f"contrasts[{i}].minus.data", c.minus.data)
                  for i, c in enumerate(claim.contrasts) if c.minus and c.minus.data]
        for place, data in [("data", data) for data in claim.data or []] + others:
            if data not in params.data:
                raise ConfigError(f"{CLAIMS}: {claim.slug}.{place}: there is no data set '{data}'"
                                  f"{nearest(data, params.data)}")


def main() -> int:
    """Decide all claims from the stored runs: results/verdicts/*.csv."""
    try:
        params, claims = load(), read_claims()
        check_claims(claims, params)
        constants = rule(params.verdicts)
        runs, curves = read_runs(params.experiments)
        runs = derive(runs, constants)
        probed = read_measures(params.probe.experiments)
        found = read_table(CHECKS)
        versus = {name: e.versus for name, e in params.experiments.items() if e.versus}
        section = params.verdicts
        measured = arms({n: versus[n] for n in section.repeated},
                        {n: versus[n] for n in section.half_data}, runs, constants)
        blind = blind_sets(measured)
        turned = robustness(claims, runs, curves, constants, blind=blind)
        table = cells(claims, runs, curves, constants, blind=blind, probed=probed)
        tables = {
            "arms": measured, "robustness": turned, "cells": table,
            "verdicts": verdicts(claims, table, constants, robustness=turned,
                                 checks=dict(zip(found["check"], found["holds"]))),
            "comparisons": comparisons(
                versus, runs, curves, constants, blind=blind, identities={
                    (c.treatment, c.control) for one in claims if one.identity for c in one.contrasts}),
            "doses": doses({n: next(iter(e.vary)) for n, e in params.experiments.items()
                            if e.vary and len(e.vary) == 1 and all(
                                isinstance(v, int | float) for v in next(iter(e.vary.values())))},
                           runs, constants),
            "simulated": simulated(constants, seed=1)}
    except (ConfigError, ValueError) as error:
        return complain(error)
    for name, table in tables.items():
        rounded = table.apply(lambda c: c.map(significant) if c.dtype.kind == "f" else c)
        write_table(rounded, VERDICTS / f"{name}.csv")
    numbers = metrics(tables["verdicts"], tables["arms"])
    write_text(VERDICTS / "metrics.json", json.dumps(numbers, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
