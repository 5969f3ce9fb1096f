"""Exact checks of what a layer does: identities that need no statistics."""

from __future__ import annotations

import sys

import keras
import numpy as np
import pandas as pd

from pipeline.results import write_table

COLUMNS = ["check", "statement", "expected", "found", "tolerance", "holds"]
SEED = 20


def _normal(shape, loc=0.0, scale=1.0) -> np.ndarray:
    return np.random.default_rng(SEED).normal(loc, scale, shape).astype(np.float32)


def _row(check: str, statement: str, difference: float, tolerance: float) -> dict:
    """A check that a largest absolute difference is at most its tolerance."""
    return {"check": check, "statement": statement,
            "expected": f"largest difference at most {tolerance:g}",
            "found": f"{difference:.2g}", "tolerance": tolerance, "holds": difference <= tolerance}


def _largest(a, b) -> float:
    return float(np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64)).max())


def _normalised(x, mean, variance, gamma, beta, epsilon):
    """Ioffe & Szegedy (2015), algorithm 1: `gamma * (x - mean) / sqrt(variance + epsilon) + beta`."""
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


def bn_by_hand() -> list[dict]:
    """B29: the formula and Keras' layer, in training and at inference."""
    x = _normal((64, 5), 3.0, 2.0)
    layer = keras.layers.BatchNormalization()
    layer.build(x.shape)
    gamma, beta = _normal(5, 1.0), _normal(5)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    mean, variance = x.mean(0, dtype=np.float64), x.var(0, dtype=np.float64)
    by_hand = _normalised(x, mean, variance, gamma, beta, layer.epsilon)
    trained = layer(x, training=True)
    moved = layer.momentum * np.array([0.0, 1.0])[:, None] + (1 - layer.momentum) * np.stack(
        [mean, variance])
    later = _normal((8, 5), -1.0)
    inferred = _normalised(later, *moved, gamma, beta, layer.epsilon)
    without = gamma * (x - mean) / np.sqrt(variance) + beta
    return [
        _row("bn_by_hand_training", "gamma (x - batch mean) / sqrt(batch variance + epsilon) + beta "
             "is what the layer gives in training", _largest(trained, by_hand), 1e-5),
        _row("bn_by_hand_inference", "the same formula with the moving mean and variance is what it "
             "gives at inference", _largest(layer(later, training=False), inferred), 1e-5),
        _row("bn_divisor_is_the_deviation", "dividing by the batch deviation alone, without epsilon, "
             "is what it gives in training", _largest(trained, without), 1e-5),
    ]


def bn_restores_identity() -> list[dict]:
    """B13: gamma = sqrt(variance + epsilon) and beta = mean undo the normalisation."""
    x = _normal((64, 5), 3.0, 2.0)
    layer = keras.layers.BatchNormalization()
    layer.build(x.shape)
    layer.gamma.assign(np.sqrt(x.var(0) + layer.epsilon))
    layer.beta.assign(x.mean(0))
    return [_row("bn_restores_identity", "with gamma = sqrt(batch variance + epsilon) and beta = "
                 "batch mean, the output is the input", _largest(layer(x, training=True), x), 1e-5)]


def bn_never_added() -> list[dict]:
    """B2: the question's code creates the layer in a statement of its own."""
    def network(create: bool):
        keras.utils.set_random_seed(SEED)
        model = keras.Sequential([keras.Input((14,)), keras.layers.Dense(64, activation="tanh")])
        if create:
            keras.layers.BatchNormalization(epsilon=1e-6, momentum=0.9)
        model.add(keras.layers.Dense(2, activation="softmax"))
        return model

    x = _normal((32, 14))
    without, created = network(False), network(True)
    same = [type(a) for a in without.layers] == [type(b) for b in created.layers]
    difference = max([_largest(without(x), created(x))] + [
        _largest(a, b) for a, b in zip(without.get_weights(), created.get_weights(), strict=True)])
    row = _row("bn_never_added", "a layer that is created but not added leaves the layers, the "
               "weights and the outputs as they are", difference, 0.0)
    return [row | {"holds": row["holds"] and same}]


def noise_shape() -> list[dict]:
    """A15: `Dropout(noise_shape=(batch, 1, channels))` and SpatialDropout1D."""
    x = np.ones((256, 21, 10), np.float32)
    mask = np.asarray(keras.layers.Dropout(0.3, noise_shape=(256, 1, 10), seed=SEED)(x, training=True))
    spatial = np.asarray(keras.layers.SpatialDropout1D(0.3, seed=SEED)(x, training=True))
    dropped = float((mask[:, 0] == 0).mean())
    # Five standard errors of a share of 2560 draws.
    slack = 5 * (0.3 * 0.7 / mask[:, 0].size) ** 0.5
    return [
        _row("noise_shape_mask", "the mask is constant over time", float(np.ptp(mask, axis=1).max()), 0.0),
        _row("noise_shape_rate", "it drops the asked share of (sample, channel) pairs",
             abs(dropped - 0.3), round(slack, 3)),
        _row("noise_shape_equals_spatial_dropout", "with the same seed it equals SpatialDropout1D",
             _largest(mask, spatial), 0.0),
    ]


def checks() -> pd.DataFrame:
    """All exact checks, one row each."""
    rows = [*bn_by_hand(), *bn_restores_identity(), *bn_never_added(), *noise_shape()]
    return pd.DataFrame(rows, columns=COLUMNS)


def measure(path: str = "results/mechanics/checks.csv") -> pd.DataFrame:
    """Run all checks and store the table; what the mechanics notebook calls."""
    table = checks()
    write_table(table, path)
    return table


if __name__ == "__main__":
    sys.exit(print(checks().to_string()))
