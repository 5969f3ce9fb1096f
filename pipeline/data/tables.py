"""Synthetic tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

import numpy as np
from pydantic import Field

from pipeline.data.draw import (Arrays, CALIBRATION, Count, generators, require_every_class, rounded, scalars)

# How many times the largest class of `many_classes` is as frequent as the smallest.
IMBALANCE = 8.0


def tabular(seeds: Iterable[int], train: Count = 640, validation: Count = 320, test: Count = 1280,
            features: Count = 14, noise: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.25,
            minority: Annotated[float, Field(gt=0, le=0.5)] = 0.5) -> Arrays:
    """Independent rows of correlated features, two classes, a random network as the teacher.

    The shape of the thread on where to put batch normalisation. Class 1, the rarer one, is a teacher's score plus
    logistic noise above the threshold that leaves it the share `minority`. The teacher is a network of four units; it
    and the features' correlation are drawn per seed. Per seed: x ``(rows, features)``, y ``(rows,)``.

    Args:
        noise: deviation of the logistic noise relative to that of the score.
        minority: share of class 1 in the population.
    """
    arrays = scalars("classes", "synthetic", train, validation, test, classes=2)
    for seed in seeds:
        parameters, calibration, rows = generators("tabular", seed, 3)
        teacher = _teacher(parameters, features)
        _, scores = teacher(calibration, CALIBRATION)
        centre, deviation = scores.mean(), scores.std()

        def latent(scores, generator):
            disturbance = generator.logistic(0, np.sqrt(3) / np.pi, len(scores))
            return (scores - centre) / deviation + noise * disturbance

        threshold = np.quantile(latent(scores, calibration), 1 - minority)
        x, scores = teacher(rows, train + validation + test)
        arrays[f"x_{seed}"] = rounded(x)
        arrays[f"y_{seed}"] = (latent(scores, rows) > threshold).astype(np.int32)
    return arrays


def many_classes(seeds: Iterable[int], train: Count = 1200, validation: Count = 400, test: Count = 1600,
                 features: Count = 40, classes: Annotated[int, Field(ge=2)] = 9,
                 noise: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.05) -> Arrays:
    """Independent rows of skewed counts, many unequal classes, a random network as the teacher.

    The shape of the Otto challenge. A feature is a log-normal number rounded down: whole, from 0, mostly small, and
    correlated with the others through five common factors. The teacher, a network of sixteen units, sees log(1 + count)
    along the factors' directions and gives each class a score; the class is that of the largest sum of score, Gumbel
    noise and a constant. The constants leave the classes shares that fall evenly on a logarithmic scale, the largest
    `IMBALANCE` times the smallest (25 % and 3 % for nine). Which class is how large, the features' distributions and
    the teacher are drawn per seed. Per seed: x ``(rows, features)``, y ``(rows,)``.

    Args:
        noise: deviation of the Gumbel noise relative to that of a score.

    Raises:
        ValueError: a class does not occur in one of the parts.
    """
    arrays = scalars("classes", "synthetic", train, validation, test, classes)
    for seed in seeds:
        parameters, calibration, rows = generators("many_classes", seed, 3)
        shares = IMBALANCE ** -np.linspace(0, 1, classes)
        shares = parameters.permutation(shares / shares.sum())
        draw = _counts_and_scores(parameters, features, classes)
        _, scores = draw(calibration, CALIBRATION)
        centre, deviation = scores.mean(axis=0), scores.std(axis=0)

        def latent(scores, generator):
            disturbance = generator.gumbel(0, np.sqrt(6) / np.pi, scores.shape)
            return (scores - centre) / deviation + noise * disturbance

        constant = _constants_for(shares, latent(scores, calibration))
        x, scores = draw(rows, train + validation + test)
        arrays[f"x_{seed}"] = x.astype(np.float32)
        arrays[f"y_{seed}"] = (latent(scores, rows) + constant).argmax(axis=1).astype(np.int32)
        require_every_class("many_classes", arrays, seed)
    return arrays


def _teacher(parameters: np.random.Generator, features: int) -> Callable:
    """A random problem: (generator, rows) -> x ``(rows, features)``, scores ``(rows,)``.

    Two units rise along their direction, two have their least in the middle of theirs; no linear rule sees the latter.
    """
    mixing = np.eye(features) + parameters.normal(0, 0.5 / np.sqrt(features), (features, features))
    weights = parameters.standard_normal((features, 4))
    weights *= 2 / np.linalg.norm(mixing @ weights, axis=0)
    bias = parameters.uniform(-1, 1, 4)
    sign = parameters.choice([-1.0, 1.0], 4)

    def draw(generator, rows):
        x = generator.standard_normal((rows, features)) @ mixing
        units = x @ weights + bias
        rising, valley = np.tanh(units[:, :2]), 1.5 * np.tanh(np.abs(units[:, 2:]) - 1.3)
        return x, np.concatenate([rising, valley], axis=1) @ sign

    return draw


def _counts_and_scores(parameters: np.random.Generator, features: int, classes: int) -> Callable:
    """A random problem: (generator, rows) -> x ``(rows, features)``, scores ``(rows, classes)``."""
    factors, units, common = 5, 16, 0.6
    loadings = parameters.standard_normal((factors, features))
    loadings *= np.sqrt(common) / np.linalg.norm(loadings, axis=0)
    centre = parameters.uniform(-0.5, 1, features)
    spread = parameters.uniform(0.7, 1.2, features)

    def counts(generator, rows):
        level = generator.standard_normal((rows, factors)) @ loadings
        level += np.sqrt(1 - common) * generator.standard_normal((rows, features))
        return np.floor(np.exp(centre + spread * level))

    seen = np.log1p(counts(parameters, CALIBRATION))
    weights = loadings.T @ parameters.standard_normal((factors, units))
    weights *= 1.5 / (seen @ weights).std(axis=0)
    bias = parameters.uniform(-1, 1, units) - seen.mean(axis=0) @ weights
    readout = parameters.standard_normal((units, classes))

    def draw(generator, rows):
        x = counts(generator, rows)
        return x, np.tanh(np.log1p(x) @ weights + bias) @ readout

    return draw


def _constants_for(shares: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """What to add to each class's score for classes of largest score to have these shares."""
    # One row a class: finding the largest of each column is then fast.
    scores = np.ascontiguousarray(scores.T)
    constants = np.zeros(len(shares))
    for step in range(1, 201):
        sums = scores + constants[:, None]
        found = (sums == sums.max(axis=0)).mean(axis=1)
        # Smaller and smaller steps: equal ones may jump to and fro.
        constants += 0.5 / np.sqrt(step) * np.log(shares / np.maximum(found, 1 / scores.shape[1]))
    return constants
