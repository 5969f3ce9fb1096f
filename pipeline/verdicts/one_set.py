"""One data set: the effect of a treatment, and what each seed contributes to it.

Arrays are `(seeds,)`, and entry i of two arrays shares its split, its batches and its seed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.verdicts.estimate import Estimate


@dataclass(frozen=True, eq=False)
class Effect:
    """An effect on one data set (or one unit of several).

    Attributes:
        y: the effect; positive = the treatment is better (measures: larger).
        w: what each seed contributes `(seeds,)`; only its spread counts.
        added: for shares, the squares of the pairs that `share` adds; else 0.
        seeds: the seeds of w; None: 0, 1, 2, …
    """

    y: float
    w: np.ndarray
    added: float = 0.0
    seeds: np.ndarray | None = None

    @property
    def s(self) -> float:
        """Standard error of y: sd(w) / sqrt(n).

        For shares with the added pairs: sqrt((Σw² + added) - (Σw)² / (n + 2)) / (n + 2).
        """
        n = len(self.w)
        if not self.added:
            return float(np.std(self.w, ddof=1) / math.sqrt(n))
        squares = (self.w**2).sum() + self.added - self.w.sum() ** 2 / (n + 2)
        return math.sqrt(squares) / (n + 2)

    @property
    def estimate(self) -> Estimate:
        """y with s and n - 1 degrees of freedom."""
        return Estimate(self.y, self.s, len(self.w) - 1)


def log_ratio(control, treatment) -> Effect:
    """y = ln(mean c / mean t), wᵢ = cᵢ / mean c - tᵢ / mean t; lower scores are better.

    w are the first-order terms of y (delta method; G. Casella and R. L. Berger, Statistical
    Inference, 2002, section 5.5.4).

    Raises:
        ValueError: unequal or fewer than two seeds, a value that is not finite, a mean of 0.
    """
    control, treatment = _pairs(control, treatment)
    c, t = control.mean(), treatment.mean()
    if min(control.min(), treatment.min()) < 0 or min(c, t) == 0:
        raise ValueError("a ratio needs scores of at least 0 with means above 0. "
                         f"Received means: {c:g} and {t:g}")
    return Effect(math.log(c / t), control / c - treatment / t)


def difference(control, treatment, *, lower: bool = False) -> Effect:
    """y = mean t - mean c, wᵢ = tᵢ - cᵢ; with `lower` (lower scores are better) the reverse."""
    control, treatment = _pairs(control, treatment)
    w = (treatment - control) * (-1 if lower else 1)
    return Effect(float(w.mean()), w)


def share(control, treatment) -> Effect:
    """y = share of control's events - share of treatment's; w = -1, 0 or 1; fewer are better.

    Where no seed differs, or all do, sd(w) is 0 though fifteen seeds prove no such thing. So for
    the standard error alone half a pair is added to each of the four ways in which a pair may fall
    out (A. Agresti and Y. Min, Statistics in Medicine 24, 2005): one on each side, two between.

    Args:
        control, treatment: booleans, true = the event (a seed diverged or failed).
    """
    effect = difference(np.asarray(control, bool), np.asarray(treatment, bool), lower=True)
    return Effect(effect.y, effect.w, added=1.0)


def minus(first: Effect, second: Effect) -> Effect:
    """An interaction on one data set: y₁ - y₂, with w₁ - w₂ seed by seed."""
    _same_seeds((first, second))
    return Effect(first.y - second.y, first.w - second.w, first.added + second.added, first.seeds)


def mean(effects: Sequence[Effect]) -> Effect:
    """The mean of effects measured on the same seeds: of the sets of a unit, say.

    Their contributions are averaged seed by seed, so that effects which share a source, or a
    control, need not be independent. Where a seed is missing in one, only its spread is left out.
    """
    effects = _of_shared_seeds(effects)
    _same_seeds(effects)
    k = len(effects)
    return Effect(float(np.mean([e.y for e in effects])), np.mean([e.w for e in effects], axis=0),
                  sum(e.added for e in effects) / k**2, effects[0].seeds)


def score(values, diverged, trivial, *, capped: bool = False) -> np.ndarray:
    """Scores in which a diverged run has what the trivial predictor has.

    Args:
        values: `(seeds,)`; those of diverged runs may be anything.
        diverged: booleans.
        trivial: the trivial predictor's scores.
        capped: whether a run that ended worse than the trivial predictor scores as it does too
            (errors): else a run that blew up without an infinite number outweighs all others,
            and counts for worse than one that diverged.

    Raises:
        ValueError: a run that did not diverge has no finite score.
    """
    trivial = np.broadcast_to(np.asarray(trivial, float), np.shape(values))
    found = np.where(diverged, trivial, np.asarray(values, float))
    if not np.isfinite(found).all():
        raise ValueError("a run that did not diverge must have a finite score. "
                         f"Received: {found[~np.isfinite(found)][0]} at entry "
                         f"{np.flatnonzero(~np.isfinite(found))[0]}")
    return np.minimum(found, trivial) if capped else found


def epochs_to_target(control, treatment, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """The first epochs, from 1, at which both runs of a seed are down to one target.

    The target is the greater of the pair's least validation losses times `factor`, so both reach
    it, and the two arms may be exchanged. A target from the control alone is reached by the control
    by its choice: a network compared with itself would then need about a fifth more epochs.

    Args:
        control, treatment: validation losses `(seeds, epochs)`; NaN after a run has stopped, and
            NaN or infinite where it diverged.
        factor: at least 1.

    Returns:
        Epochs `(seeds,)` of both arms; one more than the longer of the two runs for one that has no
        finite loss at all.
    """
    curves = [np.asarray(c, float) for c in (control, treatment)]
    curves = [np.where(np.isfinite(c), c, np.inf) for c in curves]
    least = np.stack([c.min(axis=1) for c in curves])
    target = np.where(np.isfinite(least), least, -np.inf).max(axis=0) * factor
    length = np.max([np.isfinite(c).sum(axis=1) for c in curves], axis=0)
    found = []
    for curve in curves:
        below = curve <= target[:, None]
        found.append(np.where(below.any(axis=1), below.argmax(axis=1), length) + 1.0)
    return found[0], found[1]


def _pairs(control, treatment):
    control, treatment = np.asarray(control, float), np.asarray(treatment, float)
    if control.shape != treatment.shape or control.ndim != 1 or len(control) < 2:
        raise ValueError("pairs need equal seeds, at least two. "
                         f"Received: {control.shape} and {treatment.shape}")
    if not (np.isfinite(control).all() and np.isfinite(treatment).all()):
        raise ValueError("scores must be finite")
    return control, treatment


def _of_shared_seeds(effects: Sequence[Effect]) -> Sequence[Effect]:
    """The effects, with the contributions of the seeds that all have."""
    if any(effect.seeds is None for effect in effects):
        return effects
    shared = functools.reduce(np.intersect1d, [effect.seeds for effect in effects])
    return [effect if len(effect.w) == len(shared) else
            replace(effect, w=effect.w[np.isin(effect.seeds, shared)], seeds=shared) for effect in effects]


def _same_seeds(effects: Sequence[Effect]) -> None:
    seeds = [len(effect.w) for effect in effects]
    if not seeds or len(set(seeds)) > 1:
        raise ValueError(f"effects need equal seeds. Received: {seeds}")
