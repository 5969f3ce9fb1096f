"""What is compared, and its effect on each data set."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.config.errors import ConfigError, nearest
from pipeline.config.claims import CLAIMS, Claim, arm_name, base, data_sets, family
from pipeline.config.metrics import metric_of
from pipeline.config.schema import PARAMS, AnyDataSet, Params
from pipeline.tables.schemas import TRIVIAL
from pipeline.verdicts import one_set
from pipeline.verdicts.arms import Arm, Arms, Measured
from pipeline.verdicts.one_set import Effect
from pipeline.verdicts.rule import Rule, margin
from pipeline.verdicts.scores import LOGARITHMS, events, scores_of


@dataclass(frozen=True)
class Contrast:
    """A treatment and its control, by name.

    Attributes:
        names: treatment and control; then those of a second pair, whose effect is taken off. A
            treatment alone is compared with the trivial predictor.
        where: the place in a file, for messages.
        other: the data set of the second pair, if it is another one.
    """

    names: tuple[str, ...]
    where: str
    other: str = ""


@dataclass(frozen=True)
class Comparison:
    """What is averaged: contrasts, seed by seed within each data set, over data sets.

    Attributes:
        contrasts: at least one.
        data: the data sets.
        family: that of all the data sets, or '' where they stand for themselves.
        claim: '' without one.
        probe: whether the probe measured it.
        identity: whether the arms may give the same on every seed.
    """

    contrasts: tuple[Contrast, ...]
    data: tuple[str, ...]
    family: str = ""
    claim: str = ""
    metric: str = "error"
    endpoint: str = "best"
    probe: bool = False
    identity: bool = True

    @property
    def labels(self) -> tuple[str, str]:
        """Treatment and control; empty where several contrasts are averaged."""
        if len(self.contrasts) > 1:
            return "", ""
        names = self.contrasts[0].names
        return names[0], names[1] if len(names) > 1 else TRIVIAL


@dataclass(frozen=True, eq=False)
class Found:
    """A contrast's effect on a data set, and what is stored beside it."""

    contrast: Contrast
    data: str
    effect: Effect
    row: dict


def arms_of(comparison: Comparison, measured: Measured, middle: bool = False) -> Arms:
    """The arms that a comparison is about.

    Raises:
        ConfigError: the probe's, and nothing that it measured is stored.
    """
    arms = measured.inside if comparison.probe else measured.middle if middle else measured.chosen
    if arms is None:
        raise ConfigError(f"{comparison.contrasts[0].where}: nothing that the probe measured is stored")
    return arms


def found(comparison: Comparison, arms: Arms, rule: Rule) -> list[Found]:
    """The effect of each contrast on each data set that has the metric.

    Raises:
        ConfigError: an arm or a metric that does not exist.
        ValueError: unequal or too few seeds, values that are not finite, arms of a claim that do
            not differ on any seed.
    """
    rows = []
    for data in comparison.data:
        parts = [_scores(comparison, contrast, data, arms, rule) for contrast in comparison.contrasts]
        if not metric_of(comparison.metric).judged:
            # A measure may be missing: seeds count that have it in every arm.
            kept = np.isfinite([s for part in parts for pair in part.pairs for s in pair]).all(axis=0)
            if kept.sum() < rule.fewest_seeds:
                continue
            parts = [part.of(kept) for part in parts]
        if all(np.isfinite(s).all() for part in parts for pair in part.pairs for s in pair):
            rows += [Found(part.contrast, data, part.effect(comparison.metric),
                           part.row(comparison.metric, data)) for part in parts]
    return rows


def combined(rows: Sequence[Found]) -> dict[str, Effect]:
    """Data set → its effect: the mean of its contrasts', seed by seed."""
    effects: dict[str, list[Effect]] = {}
    for one in rows:
        effects.setdefault(one.data, []).append(one.effect)
    return {data: one_set.mean(some) if len(some) > 1 else some[0] for data, some in effects.items()}


@dataclass(frozen=True, eq=False)
class _Scores:
    """Of a contrast on a data set: `(control, treatment)` of each pair, each `(seeds,)`."""

    contrast: Contrast
    pairs: tuple[tuple[np.ndarray, np.ndarray], ...]
    seeds: np.ndarray
    row_of_arms: dict

    def of(self, kept: np.ndarray) -> _Scores:
        return replace(self, seeds=self.seeds[kept],
                       pairs=tuple((c[kept], t[kept]) for c, t in self.pairs))

    def effect(self, metric: str) -> Effect:
        try:
            effects = [replace(_effect(metric, *pair), seeds=self.seeds) for pair in self.pairs]
        except ValueError as error:
            raise ValueError(f"{self.contrast.where}: {error}") from None
        return one_set.minus(*effects) if len(effects) > 1 else effects[0]

    def row(self, metric: str, data: str) -> dict:
        means = [float(np.mean(s)) for s in self.pairs[0]]
        if metric in LOGARITHMS:
            means = np.exp(means).tolist()
        return self.row_of_arms | dict(zip(("control_mean", "treatment_mean"), means, strict=True))


def _effect(metric: str, control: np.ndarray, treatment: np.ndarray) -> Effect:
    spec = metric_of(metric)
    if spec.scale == "share":
        return one_set.share(control, treatment)
    if spec.scale == "log ratio" and metric not in LOGARITHMS:
        return one_set.log_ratio(control, treatment)
    return one_set.difference(control, treatment, lower=spec.lower)


def _scores(comparison: Comparison, contrast: Contrast, data: str, arms: Arms, rule: Rule) -> _Scores:
    where, names = contrast.where, contrast.names
    if len(names) == 1:
        return _baseline(comparison, contrast, data, arms)
    found = [arms.find(name, where, fallback=i % 2 == 1) for i, name in enumerate(names)]
    sets = [data, data, contrast.other or data, contrast.other or data][:len(found)]
    for i in range(0, len(found), 2):
        arms.matched(found[i:i + 2], sets[i], where)
    runs = [arms.runs[(*arm, one)] for arm, one in zip(found, sets, strict=True)]
    seeds = runs[0]["seed"]
    if not (comparison.identity or comparison.probe):
        _differ(found[:2], runs[:2], where, data)
    pairs = [_pair(comparison, *found[i:i + 2], sets[i], arms, rule) for i in range(0, len(found), 2)]
    if len(pairs) > 1 and not np.array_equal(seeds, runs[2]["seed"]):
        # Another data set may have more seeds, or fewer.
        seeds = np.intersect1d(runs[0]["seed"], runs[2]["seed"])
        pairs = [tuple(s[np.isin(one["seed"], seeds)] for s in pair)
                 for pair, one in zip(pairs, runs[::2], strict=True)]
    labels = [*(arm_name(*arm) for arm in found), "", ""][:4]
    return _Scores(contrast, tuple(pairs), seeds, _about(labels, contrast.other, runs))


def _pair(comparison: Comparison, treatment: Arm, control: Arm, data: str, arms: Arms, rule: Rule
          ) -> tuple[np.ndarray, np.ndarray]:
    """`(control, treatment)` on a data set."""
    metric = comparison.metric
    if metric == "epochs_to_target":
        return one_set.epochs_to_target(
            arms.validation(control, data), arms.validation(treatment, data), rule.target_factor)
    score = events if metric_of(metric).scale == "share" else scores_of
    return tuple(score(arms, arm, data, metric, comparison.endpoint, f"{arm_name(*arm)} on {data}")
                 for arm in (control, treatment))


def _baseline(comparison: Comparison, contrast: Contrast, data: str, arms: Arms) -> _Scores:
    """An experiment against the trivial predictor, which bounds no score here."""
    arm = arms.find(contrast.names[0], contrast.where)
    runs = arms.runs[(*arm, data)]
    scores = scores_of(arms, arm, data, comparison.metric, comparison.endpoint,
                       f"{arm_name(*arm)} on {data}", capped=False)
    trivial = runs[f"trivial_{comparison.metric}"].astype(float)
    about = _about([arm_name(*arm), TRIVIAL, "", ""], "", [runs, runs])
    nothing = {f"{name}_control": np.nan for name in ("diverged", "limit", "edge")}
    return _Scores(contrast, ((trivial, scores),), runs["seed"], about | nothing)


def _about(labels: Sequence[str], other: str, runs) -> dict:
    sides = dict(zip(("treatment", "control"), runs[:2], strict=True))
    shares = {f"{name}_{side}": one.share(column) for name, column in
              (("diverged", "diverged"), ("limit", "hit_limit"), ("edge", "edge"))
              for side, one in sides.items()}
    return dict(zip(("treatment", "control", "minus_treatment", "minus_control"), labels, strict=True)
                ) | {"minus_data": other} | shares


def _differ(arms: Sequence[Arm], runs, where: str, data: str) -> None:
    """Two networks that are said to differ do so: their losses are not the same on every seed."""
    column = "best_validation_loss"
    if all(column in one.table for one in runs):
        first, second = (one[column] for one in runs)
        if np.isfinite(first).all() and np.array_equal(first, second):
            names = " and ".join(arm_name(*arm) for arm in arms)
            raise ValueError(f"{where}: {names} give the same on every seed of {data}; if they are one "
                             "function, the claim says `identity: true`")


def row(one: Found, comparison: Comparison, about: AnyDataSet | None, rule: Rule) -> dict:
    """One row of the table of effects."""
    spec, estimate = metric_of(comparison.metric), one.effect.estimate
    low, high = (float(bound) for bound in estimate.bounds(rule.tail))
    return {
        "claim": comparison.claim, **one.row, "data": one.data,
        "unit": unit_of(one.data, about), "stratum": about.stratum if about else "",
        "family": about.family if about else "", "metric": comparison.metric,
        "endpoint": comparison.endpoint if spec.endpoint else "", "scale": spec.scale,
        "seeds": len(one.effect.w), "y": one.effect.y, "s": estimate.error,
        "freedom": estimate.freedom, "low": low, "high": high, "margin": margin(spec.margin, rule),
        "found": "better" if low > 0 else "worse" if high < 0 else ""}


def unit_of(data: str, about: AnyDataSet | None) -> str:
    """The unit of a data set: a set without one stands for itself."""
    return about.unit if about and about.unit else data


# What is compared

def of_claim(claim: Claim, params: Params, arms: Arms) -> Comparison:
    """The comparison that decides a claim."""
    contrasts = tuple(_contrasts(claim))
    here = functools.cache(lambda contrast: set(arms.shared(_here(contrast, arms))))
    sets = [name for name in data_sets(claim, params) if all(name in here(contrast) for contrast in contrasts)]
    for contrast in contrasts:
        if contrast.other:
            shared = arms.shared([arms.find(n, contrast.where, fallback=i % 2 == 1)
                                  for i, n in enumerate(contrast.names[2:])])
            if contrast.other not in shared:
                raise ConfigError(f"{contrast.where}.minus.data: found '{contrast.other}'; allowed: "
                                  f"{', '.join(shared)}{nearest(contrast.other, shared)}")
    return Comparison(contrasts, tuple(sets), family(sets, params), claim.slug, claim.metric,
                      claim.endpoint, claim.probe, claim.identity)


def _here(contrast: Contrast, arms: Arms) -> list[Arm]:
    """The arms of a contrast that are compared on the comparison's own data sets."""
    names = contrast.names[:2] if contrast.other else contrast.names
    return [arms.find(name, contrast.where, fallback=i % 2 == 1) for i, name in enumerate(names)]


def _contrasts(claim: Claim) -> Iterator[Contrast]:
    for i, name in enumerate(claim.baseline):
        yield Contrast((name,), f"{CLAIMS}: {claim.slug}.baseline[{i}]")
    for i, one in enumerate(claim.contrasts):
        names = (one.treatment, one.control)
        if one.minus:
            names += (one.minus.treatment, one.minus.control)
        yield Contrast(names, f"{CLAIMS}: {claim.slug}.contrasts[{i}]",
                       (one.minus.data or "") if one.minus else "")


def of_experiment(name: str, control: str, params: Params, arms: Arms) -> list[Comparison]:
    """An experiment, and every variant of its sweep, against a control: one for each family, and at last
    one for the data sets of none.

    Each variant meets the control's variant of the same name, or the control itself if that has no
    sweep; a treatment that is named as `name[variant]` meets the control that is named. Data sets
    that belong to no family stand for themselves, together, wherever they stand in params.yaml.

    Raises:
        ConfigError: a control that does not exist, or shares no data set.
    """
    where, rows = f"{PARAMS}: experiments.{name}.versus", []
    for treatment, other in _matches(name, control, arms):
        pair = [arms.find(treatment, where), arms.find(other, where, fallback=True)]
        if pair[0] == pair[1]:
            raise ConfigError(f"{where}: found '{control}'; an experiment cannot be its own control")
        shared = set(arms.shared(pair))
        if not shared:
            raise ConfigError(f"{where}: {name} and {control} share no data set")
        contrast = Contrast((treatment, arm_name(*pair[1])), where)
        families: dict[str, list[str]] = {}
        for data in (data for data in params.data if data in shared):
            families.setdefault(params.data[data].family, []).append(data)
        rows += [Comparison((contrast,), tuple(families[family]), family)
                 for family in sorted(families, key=lambda family: family == "")]
    return rows


def _matches(name: str, control: str, arms: Arms) -> list[tuple[str, str]]:
    """The arms that an experiment's `versus` means: (treatment, control)."""
    if base(name) != name:
        return [(name, control)]
    if name not in arms.variants:
        arms.find(name, f"{PARAMS}: experiments.{name}")
    return [(arm_name(name, variant), control if base(control) != control else arm_name(control, variant))
            for variant in arms.variants[name]]
