"""Synthetic recordings and texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

import numpy as np
from pydantic import Field

from pipeline.data.draw import (
    Arrays, Count, autoregression, generators, require_every_class, rounded, scalars)


def eeg(
    seeds: Iterable[int],
    train: Count = 240,
    validation: Count = 120,
    test: Count = 280,
    window: Count = 48,
    channels: Count = 16,
    classes: Annotated[int, Field(ge=2)] = 3,
) -> Arrays:
    """Recordings of many correlated channels whose classes differ in power, not in the mean.

    Like the electroencephalogram of an imagined movement: hidden sources oscillate with random
    phase at 4 to 7, 8 to 13 and 16 to 26 Hz, at 64 steps a second, and each reaches every channel;
    a class has its own amplitude of each source of the two faster bands (Pfurtscheller and Lopes
    da Silva 1999), around which the amplitudes of each recording vary. Each channel adds a slow
    background, an autoregression of order 1, and white noise. A recording and its negative are
    equally likely in every class, so a linear rule on the values says next to nothing. The
    sources, how they reach the channels, and the classes' amplitudes are drawn per seed.
    Per seed: x ``(recordings, window, channels)``, y ``(recordings,)``.

    An oscillation is the real part of a rotated and damped state, z_t = r exp(i w) z_{t-1} +
    sqrt(1 - r**2) e_t (Matsuda and Komaki 2017).

    Raises:
        ValueError: a class does not occur in one of the parts.
    """
    arrays = scalars("classes", "synthetic", train, validation, test, classes)
    recordings = train + validation + test
    for seed in seeds:
        parameters, rows = generators("eeg", seed, 2)
        problem = _oscillations(parameters, channels, classes)
        y = rows.integers(classes, size=recordings)
        arrays[f"x_{seed}"] = rounded(problem(rows, y, window))
        arrays[f"y_{seed}"] = y.astype(np.int32)
        require_every_class("eeg", arrays, seed)
    return arrays


def tokens(
    seeds: Iterable[int],
    train: Count = 480,
    validation: Count = 240,
    test: Count = 960,
    length: Annotated[int, Field(ge=4)] = 24,
    vocabulary: Annotated[int, Field(ge=20)] = 60,
    classes: Annotated[int, Field(ge=2)] = 4,
) -> Arrays:
    """Short token sequences whose classes differ a little in their words, more in their order.

    Words are drawn independently, about as unequally as in Zipf's law, with frequencies that
    differ a little between the classes. Some pairs of neighbouring words are then put in at
    random places, every class the same pairs equally often: what differs is which word of a pair
    comes first, and one pair in ten goes against its class. All of this is drawn per seed.
    Per seed: x ``(sequences, length)``, whole numbers from 0, below `vocabulary`; y
    ``(sequences,)``. To be loaded with scaling 'none'.

    Args:
        length: words of a sequence; half of them belong to pairs.
        vocabulary: number of different words; one in five occurs in pairs.

    Raises:
        ValueError: a class does not occur in one of the parts.
    """
    arrays = scalars("classes", "synthetic", train, validation, test, classes)
    count = train + validation + test
    for seed in seeds:
        parameters, rows = generators("tokens", seed, 2)
        write_words = _language(parameters, vocabulary, classes)
        y = rows.integers(classes, size=count)
        arrays[f"x_{seed}"] = write_words(rows, y, length).astype(np.int32)
        arrays[f"y_{seed}"] = y.astype(np.int32)
        require_every_class("tokens", arrays, seed)
    return arrays


def _oscillations(parameters: np.random.Generator, channels: int, classes: int) -> Callable:
    """A random problem: (generator, y, steps) -> recordings ``(len(y), steps, channels)``."""
    each = 2
    bands = np.repeat([(4, 7), (8, 13), (16, 26)], each, axis=0)
    sources = len(bands)
    rotation = 2j * np.pi * parameters.uniform(*bands.T) / 64
    decay = parameters.uniform(0.85, 0.95, sources) * np.exp(rotation)
    mixing = parameters.standard_normal((sources, channels))
    mixing /= np.linalg.norm(mixing, axis=0)
    # Logarithms of the amplitudes, of the slowest band the same in all classes.
    levels = np.tile(np.linspace(-0.45, 0.45, classes), (sources, 1))
    levels = parameters.permuted(levels, axis=1)
    levels[:each] = 0

    def stationary(generator, decay, steps, count):
        shape = (steps, count, len(decay))
        innovations = generator.standard_normal(shape)
        if np.iscomplexobj(decay):
            innovations = innovations + 1j * generator.standard_normal(shape)
        # The first innovation has the variance of the state, which so starts as it goes on.
        innovations[1:] *= np.sqrt(1 - np.abs(decay) ** 2)
        states = autoregression(innovations.reshape(steps, -1), np.tile(decay, count))
        return states.real.reshape(shape)

    def draw(generator, y, steps):
        amplitude = np.exp(levels.T[y] + generator.normal(0, 0.3, (len(y), sources)))
        x = amplitude * stationary(generator, decay, steps, len(y)) @ mixing
        x += 0.5 * stationary(generator, np.full(channels, 0.9), steps, len(y))
        x += 0.3 * generator.standard_normal(x.shape)
        return x.transpose(1, 0, 2)

    return draw


def _language(parameters: np.random.Generator, vocabulary: int, classes: int) -> Callable:
    """A random problem: (generator, y, length) -> words ``(len(y), length)``."""
    frequency = parameters.permutation(1 / np.arange(3, 3 + vocabulary))
    frequency = frequency * np.exp(parameters.normal(0, 0.3, (classes, vocabulary)))
    cumulative = np.cumsum(frequency / frequency.sum(axis=1, keepdims=True), axis=1)
    pairs = vocabulary // 10
    pair = parameters.permutation(vocabulary)[: 2 * pairs].reshape(pairs, 2)
    # As many classes, nearly, have one order of a pair as the other.
    turned = parameters.permuted(np.tile(np.arange(classes) % 2, (pairs, 1)), axis=1).T

    def draw(generator, y, length):
        inserted = length // 4
        uniform = generator.random((len(y), length))
        words = np.empty((len(y), length), int)
        for label in range(classes):
            words[y == label] = np.searchsorted(cumulative[label, :-1], uniform[y == label])
        # Pairs of words and single words in random order; a pair takes two places.
        order = generator.random((len(y), length - inserted)).argsort(axis=1)
        place = np.sort(order[:, :inserted], axis=1) + np.arange(inserted)
        chosen = generator.integers(pairs, size=place.shape)
        against = generator.random(place.shape) < 0.1
        first = turned[y[:, None], chosen] ^ against
        row = np.arange(len(y))[:, None]
        words[row, place] = pair[chosen, first]
        words[row, place + 1] = pair[chosen, 1 - first]
        return words

    return draw
