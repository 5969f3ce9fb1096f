"""A cell: one contrast of a claim on one data set."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from pipeline.spec.base import ConfigError, nearest
from pipeline.spec.claims import ARM, CLAIMS, Claim, arm_name
from pipeline.spec.metrics import METRICS, metric_of
from pipeline.spec.tables import CELL_COLUMNS, TRIVIAL
from pipeline.verdicts.arms import OTHER, Study, epochs, frame, scores_of
from pipeline.verdicts.effects import detectable, detectable_share, paired
from pipeline.verdicts.guards import is_constant, same_runs, uninformative
from pipeline.verdicts.rule import Rule, label_of, margin, position_of, sign


def _blank(**values) -> dict:
    row = dict.fromkeys(CELL_COLUMNS, "")
    for name in ("effect", "low", "high", "margin", "control_mean", "treatment_mean",
                 "diverged_treatment", "diverged_control", "detectable"):
        row[name] = math.nan
    return row | {"label": "undecided"} | values


def _cell(study: Study, names: Sequence[str], data: str, metric: str, endpoint: str,
          rule: Rule, m: int, where: str, *, claim: str = "", region: str = "",
          factor: float = 1.0, blind: Collection[str] = (), other: str = "",
          identity: bool = False) -> dict:
    """One row of `cells`: arms `treatment, control[, minus treatment, minus control]`.

    `other` is the data set of the last two, if it is another one; with `identity` the arms may give
    the same on every seed.
    """
    spec = metric_of(metric)
    found = [study.find(name, where, fallback=i % 2 == 1) for i, name in enumerate(names)]
    sets = [data, data, other or data, other or data][:len(found)]
    frames = study.paired(found, sets, where)
    pairs = [(found[i], found[i + 1], frames[i], frames[i + 1])
             for i in range(0, len(found), 2)]
    labels = [arm_name(*arm) for arm in found] + ["", ""]
    shares = [float(frame["diverged"].mean()) for frame in frames]
    row = _blank(claim=claim, treatment=labels[0], control=labels[1], minus_treatment=labels[2],
                 minus_control=labels[3], minus_data=other, data=data, metric=metric, region=region, m=m,
                 endpoint=endpoint if spec.endpoint else "", scale=spec.scale,
                 diverged_treatment=shares[0], diverged_control=shares[1])
    here = f"{where}: {' vs '.join(labels[:2])} on {data}"

    # Scores, as (control, treatment) per pair.
    unreached = 0.0
    if metric == "failure":
        scores = [tuple(scores_of(frame, metric, endpoint, here) > 0.5 for frame in (c, t))
                  for *_, t, c in pairs]
    elif metric == "divergence":
        scores = [(c["diverged"].to_numpy(), t["diverged"].to_numpy()) for *_, t, c in pairs]
    elif metric == "epochs_to_target":
        scores = []
        for treatment, control, *_ in pairs:
            (c, c_reached), (t, t_reached) = epochs(study, treatment, control, data, rule)
            unreached = max(unreached, 1 - c_reached.mean(), 1 - t_reached.mean())
            scores.append((c, t))
    else:
        scores = [(scores_of(c, metric, endpoint, here), scores_of(t, metric, endpoint, here))
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
    delta = factor * max(margin(kind, rule, float(np.mean(c)) if seeds else math.nan)
                         for kind, (c, _) in zip(kinds, scores, strict=True))
    row["margin"] = delta

    # Guards that need no interval.
    why, position = "", ""
    if spec.skill:
        why = uninformative(frames, endpoint, [each in study.classes for each in sets], rule, here)
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
    estimate = paired(*oriented[0], spec.scale, rule.alpha, m, minus=minus)
    row |= {"effect": float(estimate.effect), "low": float(estimate.low),
            "high": float(estimate.high)}
    if spec.scale == "share":
        row["detectable"] = detectable_share(seeds, delta, rule, m) if not minus else math.nan
    elif metric == "parameters":
        row["detectable"] = 0.0
    elif spec.scale != "median":
        row["detectable"] = detectable(float(estimate.spread), seeds, delta, rule, m)
        constant = is_constant(oriented, estimate, spec)
        identical = identity and constant and float(estimate.effect) == 0
        if identical:
            why = why or "the same on every seed: one function"
        elif constant and not all_diverged and not (position and not np.isfinite(row["effect"])):
            # Counts and shares may truly be constant; identical runs are a mistake.
            if metric in ("error", "loss", "calibration_error") or metric in METRICS and any(
                    same_runs(c, t) for *_, t, c in pairs):
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
    row["sign"] = sign(low, high)
    row["label"] = label_of(low, high, delta)
    stand = position_of(low, high, delta, region) if region else ""

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


def _baseline_cell(study: Study, name: str, data: str, metric: str, endpoint: str, rule: Rule,
                   m: int, where: str, *, claim: str, region: str) -> dict:
    """An experiment against the trivial predictor: paired difference, one-sided, no margin."""
    arm = study.find(name, where)
    frame = study.arms[(*arm, data)]
    here = f"{where}: {name} vs {TRIVIAL} on {data}"
    scores = scores_of(frame, metric, endpoint, here)
    trivial = frame[f"trivial_{metric}"].to_numpy(float)
    share = float(frame["diverged"].mean())
    estimate = paired(-trivial, -scores, "difference", rule.alpha, m, sides=1)
    low, high = float(estimate.low), float(estimate.high)
    why, position = "", position_of(low, high, 0.0, region)
    label = label_of(low, high, 0.0)
    if not estimate.spread > 1e-12 * np.abs(trivial).max():
        if share < 1:
            raise ValueError(f"{here}: the difference is the same on every seed")
        why, position, label = "every seed diverged", "open", "undecided"
    elif share > rule.diverged_share and label != "worse":
        why = f"over {100 * rule.diverged_share:.0f} % diverged, so it may only count as worse"
        position, label = "open", "undecided"
    return _blank(
        claim=claim, treatment=arm_name(*arm), control=TRIVIAL, data=data, metric=metric,
        endpoint=endpoint, region=region, m=m, seeds=estimate.seeds, scale="difference",
        effect=float(estimate.effect), low=low, high=high, margin=0.0, label=label,
        position=position, why=why, sign=sign(low, high),
        control_mean=float(trivial.mean()), treatment_mean=float(scores.mean()),
        diverged_treatment=share, diverged_control=0.0,
        detectable=detectable(float(estimate.spread), estimate.seeds, 0.0, rule, m, 1))


def _declared(claim: Claim, study: Study) -> list[tuple[str, list[str], str, str]]:
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
    studies, rows = {False: Study(runs, curves, rate)}, []
    if probed is not None and len(probed):
        studies[True] = Study(probed, None, rate)
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
    return frame(rows, CELL_COLUMNS)


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
    study = Study(runs, curves, rate)
    rows = []
    for name, control in versus.items():
        where = f"params.yaml: experiments.{name}.versus"
        experiment = ARM.match(name)[1] if ARM.match(name) else name
        if experiment == name and name in study.variants:
            arms = list(study.variants[name])
        else:
            arms = [study.find(name, f"params.yaml: experiments.{name}")[1]]
        for variant in arms:
            treatment = arm_name(experiment, variant)
            other = arm_name(control, variant) if "[" not in control else control
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
    return frame(rows, CELL_COLUMNS)
