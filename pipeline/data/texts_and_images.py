"""Synthetic texts; images that come with an installed package."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

import numpy as np
from pydantic import Field

from pipeline.data.draw import Arrays, Count, generators, require_every_class, scalars


def tokens(seeds: Iterable[int], train: Count = 480, validation: Count = 240, test: Count = 960,
           length: Annotated[int, Field(ge=4)] = 24, vocabulary: Annotated[int, Field(ge=20)] = 60,
           classes: Annotated[int, Field(ge=2)] = 4) -> Arrays:
    """Short token sequences whose classes differ a little in their words, more in their order.

    Words are drawn independently, about as unequally as in Zipf's law, with frequencies that differ a little between
    the classes. Some pairs of neighbouring words are then put in at random places, every class the same pairs equally
    often: what differs is which word of a pair comes first, and one pair in ten goes against its class. All of this is
    drawn per seed. Per seed: x ``(sequences, length)``, whole numbers from 0, below `vocabulary`; y ``(sequences,)``.
    To be loaded with scaling 'none'.

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


def digits(seeds: Iterable[int] = (), train: Count = 1079, validation: Count = 359, test: Count = 359) -> Arrays:
    """Optical digits: x ``(1797, 8, 8, 1)``, grey levels 0 to 16, y ``(1797,)``, ten classes."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return scalars("classes", "pool", train, validation, test, classes=10) | {
        "x": x.reshape(-1, 8, 8, 1).astype(np.float32), "y": y.astype(np.int32)}


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
