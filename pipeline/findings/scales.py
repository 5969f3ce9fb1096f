"""An effect on one data set: what a treatment does, and what each seed contributes to that.

Arrays are `(seeds,)`, and entry i of two arrays shares its split, its batches and its seed. A scale is called with the
control's scores and the treatment's; its effect is positive where the treatment is better.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.findings.estimate import Estimate


@dataclass(frozen=True, eq=False)
class Effect:
    """An effect on a data set, or on a unit of several.

    Attributes:
        y: the effect.
        w: what each seed contributes `(seeds,)`; only its spread counts.
        seeds: the seeds of w.
        added: for shares, the squares of the pairs that `Share` adds; else 0.
    """

    y: float
    w: np.ndarray
    seeds: np.ndarray | None = None
    added: float = 0.0

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


@dataclass(frozen=True)
class RatioOfMeans:
    """y = ln(mean c / mean t), wᵢ = cᵢ / mean c - tᵢ / mean t; lower scores are better.

    w are the first-order terms of y (delta method; G. Casella and R. L. Berger, Statistical Inference, 2002, section
    5.5.4).
    """

    def __call__(self, control, treatment) -> Effect:
        control, treatment = _pairs(control, treatment)
        c, t = control.mean(), treatment.mean()
        if min(control.min(), treatment.min()) < 0 or min(c, t) == 0:
            raise ValueError(f"a ratio needs scores of at least 0 with means above 0. Received means: {c:g} and {t:g}")
        return Effect(math.log(c / t), control / c - treatment / t)


@dataclass(frozen=True)
class MeanOfRatios:
    """y = mean ln(cᵢ / tᵢ); lower scores are better.

    Attributes:
        least: scores below this count as this much: half an error of a test split that had none.
    """

    least: float = 1e-12

    def __call__(self, control, treatment) -> Effect:
        control, treatment = (np.maximum(x, self.least) for x in _pairs(control, treatment))
        w = np.log(control / treatment)
        return Effect(float(w.mean()), w)


@dataclass(frozen=True)
class Difference:
    """y = (mean t - mean c) / unit; with `lower` (lower scores are better) the reverse."""

    lower: bool = False
    unit: float = 1.0

    def __call__(self, control, treatment) -> Effect:
        control, treatment = _pairs(control, treatment)
        w = (treatment - control) * (-1 if self.lower else 1) / self.unit
        return Effect(float(w.mean()), w)


@dataclass(frozen=True)
class Ranks:
    """y = the share of seeds on which the treatment is better less that on which it is worse, from -1 to 1.

    Its standard error is that of a difference of paired shares, see `Share`: never 0.
    """

    lower: bool = False

    def __call__(self, control, treatment) -> Effect:
        control, treatment = _pairs(control, treatment)
        w = np.sign(treatment - control) * (-1 if self.lower else 1)
        return Effect(float(w.mean()), w, added=1.0)


@dataclass(frozen=True)
class Share:
    """y = share of the control's events - share of the treatment's; fewer are better.

    Where no seed differs, or all do, sd(w) is 0 though fifteen seeds prove no such thing. So for the standard error
    alone half a pair is added to each of the four ways in which a pair may fall out (A. Agresti and Y. Min, Statistics
    in Medicine 24, 2005): one on each side, two between.
    """

    def __call__(self, control, treatment) -> Effect:
        effect = Difference(lower=True)(np.asarray(control, bool), np.asarray(treatment, bool))
        return replace(effect, added=1.0)


def weighted(effects: Sequence[Effect], weights: Sequence[float]) -> Effect:
    """A weighted sum of effects that were measured on the same seeds, seed by seed.

    So effects that share a control, or a source, need not be independent. Where a seed is missing in one, its
    contribution is left out of all.
    """
    effects = _of_shared_seeds(effects)
    return Effect(float(sum(a * e.y for a, e in zip(weights, effects, strict=True))),
                  sum(a * e.w for a, e in zip(weights, effects, strict=True)), effects[0].seeds,
                  sum(a**2 * e.added for a, e in zip(weights, effects, strict=True)))


def mean(effects: Sequence[Effect]) -> Effect:
    """The mean of effects: of the sets of a unit, say."""
    return weighted(effects, [1 / len(effects)] * len(effects)) if len(effects) > 1 else effects[0]


def epochs_to_target(control, treatment, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """The first epochs, from 1, at which both runs of a seed are down to one target.

    The target is the greater of the pair's least validation losses times `factor`, so both reach it, and the two arms
    may be exchanged. A target from the control alone is reached by the control by its choice: a network compared with
    itself would then need about a fifth more epochs.

    Args:
        control, treatment: validation losses `(seeds, epochs)`; NaN after a run has stopped, and NaN or infinite where
            it diverged.
        factor: at least 1.

    Returns:
        Epochs `(seeds,)` of both arms; one more than the longer of the two runs for one that has no finite loss at all.
    """
    curves = [np.where(np.isfinite(c), c, np.inf) for c in (np.asarray(control, float), np.asarray(treatment, float))]
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
        raise ValueError(f"pairs need equal seeds, at least two. Received: {control.shape} and {treatment.shape}")
    if not (np.isfinite(control).all() and np.isfinite(treatment).all()):
        raise ValueError("scores must be finite")
    return control, treatment


def _of_shared_seeds(effects: Sequence[Effect]) -> list[Effect]:
    """The effects, with the contributions of the seeds that all have."""
    if len({len(effect.w) for effect in effects}) == 1 and (
            any(e.seeds is None for e in effects) or all(np.array_equal(e.seeds, effects[0].seeds) for e in effects)):
        return list(effects)
    if any(effect.seeds is None for effect in effects):
        raise ValueError(f"effects need equal seeds. Received: {[len(effect.w) for effect in effects]}")
    shared = functools.reduce(np.intersect1d, [effect.seeds for effect in effects])
    return [replace(e, w=e.w[np.isin(e.seeds, shared)], seeds=shared) for e in effects]
