"""Comparisons → an effect on each data set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.config.errors import ConfigError
from pipeline.config.metrics import metric_of
from pipeline.findings import scales
from pipeline.findings.arms import Comparison, GUESSING, Grid, LADDER, Pair
from pipeline.findings.rates import CHOSEN, Own, Picked, Score, largest_rates
from pipeline.findings.scales import Effect
from pipeline.findings.study import Study


@dataclass(frozen=True, eq=False)
class Scored:
    """A pair on a data set: the scores of both arms `(seeds,)`, and the runs behind them."""

    control: np.ndarray
    treatment: np.ndarray
    seeds: np.ndarray
    runs: tuple[Picked, Picked]


def scored(pair: Pair, data: str, comparison: Comparison, study: Study, rate=CHOSEN) -> Scored:
    """The scores of a pair on a data set, seed by seed. Raises ValueError: an arm lacks a seed that the other one has."""
    data, arms = pair.data or data, study.of(comparison)
    rate = Own() if comparison.metric == "epochs_to_target" else rate  # Only each seed's own run has a curve.
    places = [(*arm, data) for arm in (pair.control, pair.treatment) if arm != GUESSING]
    grids = [arms.grids[place] for place in places]
    shared = tuple(sorted(set(grids[0].rates.tolist()).intersection(*(grid.rates.tolist() for grid in grids))))
    runs = [study.picked(arms, place, rate, shared) for place in places]
    unpaired = set(runs[0].seeds.tolist()) ^ set(runs[-1].seeds.tolist())
    if unpaired:
        raise ValueError(f"{pair} on {data}: only one of the two has the seeds {', '.join(map(str, sorted(unpaired)))}")
    found = _special(pair, data, comparison, study, grids)
    if found is None:
        score = Score(comparison.metric, comparison.endpoint, capped=GUESSING != pair.control)
        found = [study.score(arms, place, (rate, shared), score) for place in places]
    if pair.control == GUESSING:
        found, runs = [runs[0][f"trivial_{comparison.metric}"].astype(float), *found], runs * 2
    return Scored(*found, runs[0].seeds, tuple(runs))


def _special(pair: Pair, data: str, comparison: Comparison, study: Study, grids: Sequence[Grid]):
    """Control's and treatment's scores of a metric that is no column of a run; else None."""
    if comparison.metric == "epochs_to_target":
        return scales.epochs_to_target(study.validation(pair.control, data), study.validation(pair.treatment, data),
                                       study.rule.target_factor)
    if comparison.metric == "largest_rate":
        if {pair.control[1], pair.treatment[1]} != {LADDER}:
            raise ConfigError(f"{pair}: the largest rate is one of `name[{LADDER}]`, a sweep of the learning rate")
        return [largest_rates(grid, study.rule.usable_share) for grid in grids]
    return None


def effect(comparison: Comparison, data: str, study: Study, rate=CHOSEN, scale=None) -> Effect | None:
    """A comparison's effect on a data set, on the metric's own scale or another; None without the measure on enough seeds.

    Raises:
        ConfigError: a metric that does not exist.
        ValueError: unequal seeds, values that are not finite.
    """
    parts = [scored(pair, data, comparison, study, rate) for _, pair in comparison.pairs]
    kept = [np.isfinite(part.control) & np.isfinite(part.treatment) for part in parts]
    if not all(some.all() for some in kept):
        # A measure may be missing: seeds count that have it in every arm.
        if comparison.about.judged or np.logical_and.reduce(kept).sum() < study.rule.fewest_seeds:
            return None
    scale = scale or scale_of(comparison.metric)
    try:
        effects = [scale(part.control[some], part.treatment[some]) for part, some in zip(parts, kept, strict=True)]
    except ValueError as error:
        raise ValueError(f"{comparison.pairs[0][1]} on {data}: {error}") from None
    effects = [Effect(one.y, one.w, part.seeds[some], one.added) for one, part, some in zip(effects, parts, kept, strict=True)]
    return scales.weighted(effects, [weight for weight, _ in comparison.pairs])


def check_that_arms_differ(comparison: Comparison, data: str, study: Study, where: str) -> None:
    """Two networks that are said to differ do so: their losses are not the same on every seed. Raises ConfigError: they are."""
    for _, pair in comparison.pairs:
        if GUESSING in (pair.treatment, pair.control):
            continue
        first, second = (runs["best_validation_loss"] for runs in scored(pair, data, comparison, study).runs)
        if np.isfinite(first).all() and np.array_equal(first, second):
            raise ConfigError(f"{where}: {pair} give the same on every seed of {pair.data or data}; if they are one "
                              "function, the claim says `identity: true`")


def scale_of(metric: str):
    """The scale on which scores of a metric are compared."""
    about = metric_of(metric)
    if about.scale == "share":
        return scales.Share()
    if about.scale == "log ratio" and metric != "largest_rate":  # Whose scores are logarithms already.
        return scales.RatioOfMeans()
    return scales.Difference(lower=about.lower)


def effects(comparison: Comparison, sets: Iterable[str], study: Study) -> dict[str, Effect]:
    """The effect on each data set that has the metric."""
    found = {data: effect(comparison, data, study) for data in sets}
    return {data: one for data, one in found.items() if one is not None}
