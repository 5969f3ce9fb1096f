"""Synthetic sequences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from pipeline.data.draw import (Arrays, BURN_IN, CALIBRATION, Count, DECIMALS, autoregression, generators, rounded, scalars)


def noise(seeds: Iterable[int], train: Count = 480, validation: Count = 240, test: Count = 960, window: Count = 21,
          channels: Count = 20) -> Arrays:
    """Inputs that say nothing about the target: x ~ N(0, 1), y ~ U(0, 2), independent.

    The toy data of the thread on CNN-LSTM networks. The best prediction is the mean, 1; its mean squared error, 1/3, is
    the least reachable, so the targets are not standardised. Per seed: x ``(length, channels)``, y ``(length, 1)``.
    """
    arrays, length = _sequences(train, validation, test, window, targets="none")
    for seed in seeds:
        inputs, target = generators("noise", seed, 2)
        arrays[f"x_{seed}"] = rounded(inputs.standard_normal((length, channels)))
        arrays[f"y_{seed}"] = rounded(target.uniform(0, 2, (length, 1)))
    return arrays


def forecast(seeds: Iterable[int], train: Count = 960, validation: Count = 480, test: Count = 960, window: Count = 21,
             channels: Count = 20, noise: Annotated[float, Field(ge=0, lt=1)] = 0.15,
             targets: Literal["standard", "none", "positive"] = "standard") -> Arrays:
    """Autoregressive, cross-correlated channels and a target with memory.

    The channels, each of variance 1, mix four autoregressive factors with an autoregressive part of their own. The
    target adds a non-linear function of the last three steps, a hidden state that a non-linear function of the inputs
    drives and that forgets over 5 to 12 steps, and observation noise. Every parameter of the problem is drawn per seed.
    Per seed: x ``(length, channels)``, y ``(length, 1)``.

    Args:
        noise: share of the target's variance that is observation noise, 0 <= noise < 1.
        targets: 'standard': standardised on loading; 'none': as drawn (mean 0, variance 1);
            'positive': as drawn through softplus, log(1 + exp(y)), hence above 0.
    """
    arrays, length = _sequences(train, validation, test, window, "standard" if targets == "standard" else "none")
    for seed in seeds:
        x, y = _forecast_series(seed, length, channels, noise)
        arrays[f"x_{seed}"] = rounded(x)
        arrays[f"y_{seed}"] = rounded(np.logaddexp(0, y) if targets == "positive" else y)
    return arrays


def badly_scaled(seeds: Iterable[int], train: Count = 480, validation: Count = 480, test: Count = 960,
                 window: Count = 21, channels: Count = 20, noise: Annotated[float, Field(ge=0, lt=1)] = 0.15) -> Arrays:
    """The draw of `forecast`, each channel in a unit and with an offset of its own.

    Channel c is scale_c (x_c + offset_c), scale 10**U(-2, 2), offset U(-5, 5).
    Per seed: x ``(length, channels)``, y ``(length, 1)``.
    """
    seeds = list(seeds)
    arrays = forecast(seeds, train, validation, test, window, channels, noise)
    for seed in seeds:
        (generator,) = generators("badly_scaled", seed, 1)
        exponent = generator.uniform(-2, 2, channels)
        scale = np.array([float(f"{10**e:.6g}") for e in exponent])
        offset = np.round(generator.uniform(-5, 5, channels), DECIMALS)
        # Products of rounded factors: rounding the product would erase the smallest scales.
        x = np.round(arrays[f"x_{seed}"].astype(np.float64), DECIMALS)
        arrays[f"x_{seed}"] = (scale * (x + offset)).astype(np.float32)
    return arrays


def _sequences(train: int, validation: int, test: int, window: int, targets: str) -> tuple[Arrays, int]:
    """What all sequences hold, and the steps of three adjoining blocks, each of so many windows."""
    arrays = scalars("regression", "synthetic", train, validation, test)
    return arrays | {"window": np.array(window), "targets": np.array(targets)}, train + validation + test + 3 * (window - 1)


def _forecast_series(seed, length, channels, noise) -> tuple[np.ndarray, np.ndarray]:
    """x ``(length, channels)`` and y ``(length, 1)``; y has mean 0, variance 1."""
    parameters, calibration, inputs, observation = generators("forecast", seed, 4)
    factors, lags, local_units, memory_units = 4, 3, 3, 3
    factor_decay = parameters.uniform(0.5, 0.9, factors)
    own_decay = parameters.uniform(0.2, 0.8, channels)
    mixing = parameters.standard_normal((factors, channels))
    mixing *= np.sqrt(0.7) / np.linalg.norm(mixing, axis=0)
    readout = np.linalg.pinv(mixing)
    local_weights = parameters.standard_normal((lags, factors, local_units))
    local_weights *= 1.5 / np.linalg.norm(local_weights, axis=(0, 1))
    local_bias = parameters.uniform(-0.5, 0.5, local_units)
    memory_weights = parameters.standard_normal((factors, memory_units))
    memory_weights *= 1.5 / np.linalg.norm(memory_weights, axis=0)
    memory_bias = parameters.uniform(-0.5, 0.5, memory_units)
    memory_decay = np.exp(-1 / parameters.uniform(5, 12, memory_units))
    local_sign, memory_sign = parameters.choice([-1.0, 1.0], (2, 3))

    def run(generator, steps):
        innovations = generator.standard_normal((BURN_IN + steps, factors + channels))
        decay = np.concatenate([factor_decay, own_decay])
        # Innovations of variance 1 - decay**2 give a state of variance 1.
        states = autoregression(np.sqrt(1 - decay**2) * innovations, decay)
        x = states[:, :factors] @ mixing + np.sqrt(0.3) * states[:, factors:]
        seen = x @ readout
        recent = sum(np.roll(seen, lag, axis=0) @ local_weights[lag] for lag in range(lags))
        local = np.abs(recent + local_bias) @ local_sign
        drive = np.maximum(seen @ memory_weights + memory_bias, 0)
        memory = autoregression(drive, memory_decay) @ memory_sign
        return x[BURN_IN:], np.stack([local, memory], axis=1)[BURN_IN:]

    _, terms = run(calibration, CALIBRATION)
    centre, spread = terms.mean(axis=0), terms.std(axis=0)
    deviation = ((terms - centre) / spread).sum(axis=1).std()
    x, terms = run(inputs, length)
    y = np.sqrt(1 - noise) * ((terms - centre) / spread).sum(axis=1) / deviation
    return x, (y + np.sqrt(noise) * observation.standard_normal(length))[:, None]
