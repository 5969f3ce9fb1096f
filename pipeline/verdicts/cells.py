"""A cell: one contrast of a claim, or of an experiment with its control, on one data set."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.spec.base import ConfigError, nearest
from pipeline.spec.claims import CLAIMS, Claim, arm_name, base
from pipeline.spec.metrics import metric_of
from pipeline.spec.params import PARAMS, Params
from pipeline.spec.tables import CELL_COLUMNS, TRIVIAL
from pipeline.verdicts.arms import OTHER, Arms, Measured, classes_of
from pipeline.verdicts.effects import detectable, detectable_share, paired
from pipeline.verdicts.estimate import Estimate
from pipeline.verdicts.guards import Reason, Seen, Side, judge, judge_alone
from pipeline.verdicts.rule import Rule, label_of, margin, position_of, sign
from pipeline.verdicts.scores import epochs_to_target, events, scores_of
from pipeline.verdicts.sweeps import everywhere, sweeps


@dataclass(frozen=True)
class Question:
    """What a cell asks.

    Attributes:
        names: treatment and control; then those of a second contrast, which is taken off. A
            treatment alone is compared with the trivial predictor.
        data: the data set.
        m: how many cells share alpha.
        where: the place in a file, for messages.
        other: the data set of the second contrast, if it is another one.
        identity: whether the arms may give the same on every seed.
        claim, region: '' without a claim.
    """

    names: tuple[str, ...]
    data: str
    m: int
    where: str
    other: str = ""
    identity: bool = False
    metric: str = "error"
    endpoint: str = "best"
    claim: str = ""
    region: str = ""


def cell(question: Question, arms: Arms, rule: Rule, *, factor: float = 1.0,
         blind: Collection[str] = ()) -> dict:
    """One row of `cells`.

    Args:
        factor: of the margin.
        blind: data sets that cannot show that there is no difference.

    Raises:
        ConfigError: an arm or a metric that does not exist.
        ValueError: unequal or too few seeds, values that are not finite, arms that do not differ.
    """
    if len(question.names) == 1:
        return _baseline(question, arms, rule)
    found = [arms.find(name, question.where, fallback=i % 2 == 1)
             for i, name in enumerate(question.names)]
    sets = [question.data] * 2 + [question.other or question.data] * (len(found) - 2)
    sides = [Side(arm, data, runs, data in arms.classes) for arm, data, runs in
             zip(found, sets, arms.matched(found, sets, question.where), strict=True)]
    labels = [arm_name(*arm) for arm in found]
    where = f"{question.where}: {' vs '.join(labels[:2])} on {question.data}"
    scores, unreached = _scores(question, arms, sides, rule, where)
    delta = factor * _margin(question.metric, sides, scores, rule)
    towards_better = _oriented(question.metric, scores)
    seen = Seen(where, question.metric, question.endpoint, question.region, sides, towards_better,
                _estimate(question, towards_better, rule, where), delta, unreached,
                bool(set(sets) & set(blind)), question.identity)
    row = _row(question, labels, sides, seen, judge(seen, rule), rule)
    means = (float(np.mean(s)) if len(s) else math.nan for s in scores[0])
    return row | dict(zip(("control_mean", "treatment_mean"), means, strict=True))


def _scores(question: Question, arms: Arms, sides: Sequence[Side], rule: Rule, where: str
            ) -> tuple[list[tuple[np.ndarray, np.ndarray]], float]:
    """`(control, treatment)` of each contrast, and the largest share of seeds short of a target."""
    if question.metric == "epochs_to_target":
        parts = [epochs_to_target(arms, t.arm, c.arm, c.data, rule)
                 for t, c in zip(sides[::2], sides[1::2], strict=True)]
        return [pair for pair, _ in parts], max(unreached for _, unreached in parts)
    score = events if metric_of(question.metric).scale == "share" else scores_of
    scores = [tuple(score(side.runs, question.metric, question.endpoint, where) for side in (c, t))
              for t, c in zip(sides[::2], sides[1::2], strict=True)]
    if not metric_of(question.metric).judged:
        kept = np.isfinite(np.array(scores)).all(axis=(0, 1))
        scores = [(c[kept], t[kept]) for c, t in scores]
    return scores, 0.0


def _margin(metric: str, sides: Sequence[Side], scores, rule: Rule) -> float:
    """The least effect that matters: the largest of the contrasts'."""
    kinds = ["error rate" if metric == "error" and treatment.classes else metric_of(metric).margin
             for treatment in sides[::2]]
    return max(margin(kind, rule, float(np.mean(control)) if len(control) else math.nan)
               for kind, (control, _) in zip(kinds, scores, strict=True))


def _oriented(metric: str, scores):
    """Scores such that a difference is positive where the treatment is better."""
    spec = metric_of(metric)
    turned = spec.scale == "difference" and spec.lower
    return [(-c, -t) if turned else (c, t) for c, t in scores]


def _estimate(question: Question, scores, rule: Rule, where: str) -> Estimate | None:
    """Effect and interval; None where a measure has too few seeds."""
    spec, seeds = metric_of(question.metric), len(scores[0][0])
    if not spec.judged and seeds < rule.measure_seeds:
        return None
    if seeds < 2:
        raise ValueError(f"{where}: found {seeds} seed; an interval needs at least 2")
    minus = scores[1] if len(scores) == 2 else None
    return paired(*scores[0], spec.scale, rule.alpha, question.m, minus=minus)


def _detectable(question: Question, seen: Seen, rule: Rule) -> float:
    """The smallest effect that would have been found; NaN where that cannot be said."""
    if question.metric == "parameters":
        return 0.0
    if seen.estimate is None or seen.spec.scale == "median":
        return math.nan
    if seen.spec.scale == "share":
        return detectable_share(seen.seeds, seen.margin, rule, question.m) if (
            len(seen.scores) == 1) else math.nan
    return detectable(float(seen.estimate.spread), seen.seeds, seen.margin, rule, question.m)


def _row(question: Question, labels: Sequence[str], sides: Sequence[Side], seen: Seen,
         reason: Reason | None, rule: Rule) -> dict:
    """What is stored of a cell, but for its means."""
    arms = dict(zip(("treatment", "control", "minus_treatment", "minus_control"),
                    [*labels, "", ""][:4], strict=True))
    position = reason.position if reason else ""
    return {
        "claim": question.claim, **arms, "minus_data": question.other, "data": question.data,
        "metric": question.metric, "endpoint": question.endpoint if seen.spec.endpoint else "",
        "region": question.region, "m": question.m, "seeds": seen.seeds, "scale": seen.spec.scale,
        **dict(zip(("effect", "low", "high"), seen.bounds, strict=True)), "margin": seen.margin,
        "label": "undecided" if position == "open" else seen.label,
        "position": position or seen.stand, "why": reason.text(rule, seen.seeds) if reason else "",
        "sign": seen.sign, "diverged_treatment": sides[0].diverged,
        "diverged_control": sides[1].diverged, "detectable": _detectable(question, seen, rule)}


def _baseline(question: Question, arms: Arms, rule: Rule) -> dict:
    """An experiment against the trivial predictor: paired difference, one-sided, no margin."""
    name, = question.names
    arm = arms.find(name, question.where)
    runs = arms.runs[(*arm, question.data)]
    where = f"{question.where}: {name} vs {TRIVIAL} on {question.data}"
    scores = scores_of(runs, question.metric, question.endpoint, where)
    trivial = runs[f"trivial_{question.metric}"].to_numpy(float)
    share = float(runs["diverged"].mean())
    estimate = paired(-trivial, -scores, "difference", rule.alpha, question.m, sides=1)
    low, high = float(estimate.low), float(estimate.high)
    label = label_of(low, high, 0.0)
    reason = judge_alone(estimate, label, share, np.abs(trivial).max(), rule, where)
    return {
        "claim": question.claim, "treatment": arm_name(*arm), "control": TRIVIAL,
        "minus_treatment": "", "minus_control": "", "minus_data": "", "data": question.data,
        "metric": question.metric, "endpoint": question.endpoint, "region": question.region,
        "m": question.m, "seeds": estimate.seeds, "scale": "difference",
        "effect": float(estimate.effect), "low": low, "high": high, "margin": 0.0,
        "label": "undecided" if reason else label,
        "position": reason.position if reason else position_of(low, high, 0.0, question.region),
        "why": reason.text(rule) if reason else "", "sign": sign(low, high),
        "control_mean": float(trivial.mean()), "treatment_mean": float(scores.mean()),
        "diverged_treatment": share, "diverged_control": 0.0,
        "detectable": detectable(float(estimate.spread), estimate.seeds, 0.0, rule, question.m, 1)}


def _questions(claim: Claim, arms: Arms, endpoint: str) -> list[Question]:
    """The cells that a claim declares; their number is the m of each."""
    declared = []
    for where, names, other in _contrasts(claim):
        for data in _sets(claim, arms, where, names, other):
            declared.append((where, names, data, other))
    return [Question(names, data, len(declared), where, other, claim.identity, claim.metric, endpoint,
                     claim.slug, claim.predicts.region) for where, names, data, other in declared]


def _contrasts(claim: Claim) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """The claim's contrasts as (place, arms, the second contrast's data set)."""
    for i, name in enumerate(claim.baseline):
        yield f"{CLAIMS}: {claim.slug}.baseline[{i}]", (name,), ""
    for i, one in enumerate(claim.contrasts):
        names, other = (one.treatment, one.control), ""
        if one.minus:
            names += (one.minus.treatment, one.minus.control)
            other = one.minus.data or ""
        yield f"{CLAIMS}: {claim.slug}.contrasts[{i}]", names, other


def _sets(claim: Claim, arms: Arms, where: str, names: Sequence[str], other: str) -> list[str]:
    """The data sets of a contrast: those that the claim names, else all that its arms share."""
    found = [arms.find(name, where, fallback=i % 2 == 1) for i, name in enumerate(names)]
    if other and other not in arms.shared(found[2:]):
        raise ConfigError(f"{where}.minus.data: found '{other}'; allowed: "
                          f"{', '.join(arms.shared(found[2:]))}"
                          f"{nearest(other, arms.shared(found[2:]))}")
    shared = arms.shared(found[:2] if other else found)
    if not shared:
        raise ConfigError(f"{where}: {', '.join(names)} share no data set")
    place = where.rpartition(".")[2]
    for data in claim.data or []:
        if data not in shared:
            raise ConfigError(f"{CLAIMS}: {claim.slug}.data: found '{data}', which not every "
                              f"experiment of {place} has; allowed: {', '.join(shared)}"
                              f"{nearest(data, shared)}")
    return claim.data or shared


def cells(claims: Sequence[Claim], measured: Measured, rule: Rule, *, rate: str = "chosen",
          endpoint: str | None = None, margin_factor: float = 1.0,
          blind: Collection[str] = ()) -> pd.DataFrame:
    """Every claim's effects: one row per claim, contrast and data set.

    Args:
        claims: those that exact checks decide have no cells.
        measured: the runs, and what the probe measured.
        rule: the constants.
        rate: `chosen` learning rate, or the study's `default` (an arm without one keeps its own).
        endpoint: None = each claim's own, `other` = the other one.
        margin_factor: factor of every margin.
        blind: data sets that cannot show that there is no difference, see `blind_sets`.

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
    if rate not in ("chosen", "default"):
        raise ValueError(f"rate must be chosen or default. Received: {rate!r}")
    rows = []
    for claim in claims:
        if claim.checks:
            continue
        arms = measured.inside if claim.probe else getattr(measured, rate)
        if arms is None:
            raise ConfigError(f"{CLAIMS}: {claim.slug}: nothing that the probe measured is stored")
        end = OTHER[claim.endpoint] if endpoint else claim.endpoint
        rows += [cell(question, arms, rule, factor=margin_factor, blind=blind)
                 for question in _questions(claim, arms, end)]
    return pd.DataFrame(rows, columns=CELL_COLUMNS)


def comparisons(versus: Mapping[str, str], measured: Measured, rule: Rule, *,
                blind: Collection[str] = (), identities: Collection[tuple[str, str]] = (),
                everywhere: Collection[str] = ()) -> pd.DataFrame:
    """Every experiment, and every variant of a sweep, against its `versus`, by the test error.

    Args:
        versus: the control's name by the treatment's. Each variant of an experiment meets the
            control's variant of the same name, or the control itself if that has no sweep; a
            treatment that is named as `name[variant]` meets the control that is named.
        measured: the runs.
        rule: the constants.
        blind: data sets that cannot show that there is no difference, see `blind_sets`.
        identities: pairs (treatment, control) that a claim says are one function.
        everywhere: experiments whose variants are places. On a data set their intervals hold for
            all places together; of any other, for all data sets of the comparison together.

    Returns:
        As `cells`, with empty `claim` and `region`; `position` is empty, `open` or
        `uninformative`.

    Raises:
        ConfigError: a control that does not exist, or shares no data set.
        ValueError: as `cells`.
    """
    arms, rows = measured.chosen, []
    for name, control in versus.items():
        where = f"{PARAMS}: experiments.{name}.versus"
        for treatment, other in _matches(name, control, arms):
            pair = [arms.find(treatment, where), arms.find(other, where, fallback=True)]
            if pair[0] == pair[1]:
                raise ConfigError(f"{where}: found '{control}'; an experiment cannot be its "
                                  "own control")
            shared = arms.shared(pair)
            if not shared:
                raise ConfigError(f"{where}: {name} and {control} share no data set")
            m = len(arms.variants[name]) if name in everywhere else len(shared)
            rows += [cell(Question((treatment, other), data, m, where,
                                   identity=(treatment, other) in identities), arms, rule, blind=blind)
                     for data in shared]
    return pd.DataFrame(rows, columns=CELL_COLUMNS)


def _matches(name: str, control: str, arms: Arms) -> list[tuple[str, str]]:
    """The arms that an experiment's `versus` means: (treatment, control)."""
    if base(name) != name:
        return [(name, control)]
    if name not in arms.variants:
        arms.find(name, f"{PARAMS}: experiments.{name}")
    variants = arms.variants[name]
    return [(arm_name(name, variant), control if base(control) != control else arm_name(control, variant))
            for variant in variants]


def compare(name: str, params: Params, runs: pd.DataFrame, curves: pd.DataFrame | None, rule: Rule, *,
            classes: Collection[str] | None = None, blind: Collection[str] = ()) -> pd.DataFrame:
    """One experiment, or every variant of its sweep, against its `versus`: its rows of `comparisons`.

    Args:
        name: an experiment of params.yaml.
        params: the whole of it.
        runs, curves: the tables of the experiment and of its control, at least.
        rule: the constants.
        classes: the data sets whose targets are classes; None = as the stored plan says.
        blind: the data sets of `data_sets.csv` that are blind.

    Returns:
        `CELL_COLUMNS`; no rows of an experiment without `versus`.

    Raises:
        ConfigError, ValueError: as `comparisons`; the experiment has no stored plan.
    """
    versus = params.experiments[name].versus
    if not versus:
        return pd.DataFrame(columns=CELL_COLUMNS)
    if classes is None:
        classes = classes_of([name])
    measured = Measured(runs, curves, classes, sweeps(params))
    return comparisons({name: versus}, measured, rule, blind=blind, everywhere=everywhere(params))
