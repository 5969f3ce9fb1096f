"""A source -> arrays on disk; then a seed -> split, scaled arrays.

The first half makes the arrays of a data set and knows nothing of how they are split. The second
half splits and scales arrays of any source and knows no source by name.

Entries of a data set's arrays (all plain numpy arrays, scalars of shape ``()``):

- ``task``: 'regression' or 'classes'; ``classes``: the number of classes, 0 for regression;
- ``kind``: 'synthetic' (an independent draw per seed, ``x_{seed}`` and ``y_{seed}``), 'pool'
  (``x`` and ``y``, split anew by each seed) or 'series' (``x``, ``y`` in order of time, each seed
  a random origin);
- ``train``, ``validation``, ``test``: how many windows, rows or recordings each part gets;
- ``targets`` (regression): 'standard' or 'none', whether loading standardises the targets;
- ``window`` (sequences cut on loading, and series): time steps of one input;
- ``lengths`` (recordings of unequal length): steps of each; ``x`` holds them end to end;
- ``week``, ``horizon`` (series): each window's last known week, and how far ahead its target is.
"""

import argparse
import difflib
import hashlib
import inspect
import io
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from pipeline import config
from pipeline.results import write_bytes

Arrays = dict[str, np.ndarray]

# Processors differ in the last bits of a sum; rounding gives all of them the same file.
DECIMALS = 4
BURN_IN = 200
CALIBRATION = 8192
# How many times the largest class of `many_classes` is as frequent as the smallest.
IMBALANCE = 8.0


# --- sources: arrays of one data set ---------------------------------------------------------


def noise(
    seeds: Iterable[int],
    train: int = 480,
    validation: int = 240,
    test: int = 960,
    window: int = 21,
    channels: int = 20,
) -> Arrays:
    """Inputs that say nothing about the target: x ~ N(0, 1), y ~ U(0, 2), independent.

    The toy data of the thread on CNN-LSTM networks. The best prediction is the mean, 1; its mean
    squared error, 1/3, is the least reachable, so the targets are not standardised.
    Per seed: x ``(length, channels)``, y ``(length, 1)``.
    """
    arrays = _sequences(train, validation, test, window, targets="none")
    length = _length(train, validation, test, window)
    for seed in seeds:
        inputs, target = _generators("noise", seed, 2)
        arrays[f"x_{seed}"] = _rounded(inputs.standard_normal((length, channels)))
        arrays[f"y_{seed}"] = _rounded(target.uniform(0, 2, (length, 1)))
    return arrays


def forecast(
    seeds: Iterable[int],
    train: int = 960,
    validation: int = 480,
    test: int = 960,
    window: int = 21,
    channels: int = 20,
    noise: float = 0.15,
    targets: str = "standard",
) -> Arrays:
    """Autoregressive, cross-correlated channels and a target with memory.

    The channels, each of variance 1, mix four autoregressive factors with an autoregressive part
    of their own. The target adds a non-linear function of the last three steps, a hidden state
    that a non-linear function of the inputs drives and that forgets over 5 to 12 steps, and
    observation noise. Every parameter of the problem is drawn per seed.
    Per seed: x ``(length, channels)``, y ``(length, 1)``.

    Args:
        noise: share of the target's variance that is observation noise, 0 <= noise < 1.
        targets: 'standard': standardised on loading; 'none': as drawn (mean 0, variance 1);
            'positive': as drawn through softplus, log(1 + exp(y)), hence above 0.
    """
    arrays = _sequences(
        train, validation, test, window, targets="standard" if targets == "standard" else "none"
    )
    length = _length(train, validation, test, window)
    for seed in seeds:
        x, y = _forecast_series(seed, length, channels, noise)
        arrays[f"x_{seed}"] = _rounded(x)
        arrays[f"y_{seed}"] = _rounded(np.logaddexp(0, y) if targets == "positive" else y)
    return arrays


def badly_scaled(
    seeds: Iterable[int],
    train: int = 480,
    validation: int = 480,
    test: int = 960,
    window: int = 21,
    channels: int = 20,
    noise: float = 0.15,
) -> Arrays:
    """The draw of `forecast`, each channel in a unit and with an offset of its own.

    Channel c is scale_c (x_c + offset_c), scale 10**U(-2, 2), offset U(-5, 5).
    Per seed: x ``(length, channels)``, y ``(length, 1)``.
    """
    arrays = forecast(seeds, train, validation, test, window, channels, noise)
    for seed in _seeds_in(arrays):
        (generator,) = _generators("badly_scaled", seed, 1)
        exponent = generator.uniform(-2, 2, channels)
        scale = np.array([float(f"{10**e:.6g}") for e in exponent])
        offset = np.round(generator.uniform(-5, 5, channels), DECIMALS)
        # Products of rounded factors: rounding the product would erase the smallest scales.
        x = np.round(arrays[f"x_{seed}"].astype(np.float64), DECIMALS)
        arrays[f"x_{seed}"] = (scale * (x + offset)).astype(np.float32)
    return arrays


def tabular(
    seeds: Iterable[int],
    train: int = 640,
    validation: int = 320,
    test: int = 1280,
    features: int = 14,
    noise: float = 0.25,
    minority: float = 0.5,
) -> Arrays:
    """Independent rows of correlated features, two classes, a random network as the teacher.

    The shape of the thread on where to put batch normalisation. Class 1, the rarer one, is a
    teacher's score plus logistic noise above the threshold that leaves it the share `minority`.
    The teacher is a network of four units; it and the features' correlation are drawn per seed.
    Per seed: x ``(rows, features)``, y ``(rows,)``.

    Args:
        noise: deviation of the logistic noise relative to that of the score, >= 0.
        minority: share of class 1 in the population, 0 < minority <= 0.5.
    """
    arrays = _scalars("classes", "synthetic", train, validation, test, classes=2)
    for seed in seeds:
        parameters, calibration, rows = _generators("tabular", seed, 3)
        teacher = _teacher(parameters, features)
        _, scores = teacher(calibration, CALIBRATION)
        centre, deviation = scores.mean(), scores.std()

        def latent(scores, generator):
            disturbance = generator.logistic(0, np.sqrt(3) / np.pi, len(scores))
            return (scores - centre) / deviation + noise * disturbance

        threshold = np.quantile(latent(scores, calibration), 1 - minority)
        x, scores = teacher(rows, train + validation + test)
        arrays[f"x_{seed}"] = _rounded(x)
        arrays[f"y_{seed}"] = (latent(scores, rows) > threshold).astype(np.int32)
    return arrays


def many_classes(
    seeds: Iterable[int],
    train: int = 1200,
    validation: int = 400,
    test: int = 1600,
    features: int = 40,
    classes: int = 9,
    noise: float = 0.05,
) -> Arrays:
    """Independent rows of skewed counts, many unequal classes, a random network as the teacher.

    The shape of the Otto challenge. A feature is a log-normal number rounded down: whole, from 0,
    mostly small, and correlated with the others through five common factors. The teacher, a
    network of sixteen units, sees log(1 + count) along the factors' directions and gives each class
    a score; the class is that of the largest sum of score, Gumbel noise and a constant. The
    constants leave the classes shares that fall evenly on a logarithmic scale, the largest
    `IMBALANCE` times the smallest (25 % and 3 % for nine). Which class is how large, the features'
    distributions and the teacher are drawn per seed.
    Per seed: x ``(rows, features)``, y ``(rows,)``.

    Args:
        noise: deviation of the Gumbel noise relative to that of a score, >= 0.

    Raises:
        ValueError: a class does not occur in one of the parts.
    """
    arrays = _scalars("classes", "synthetic", train, validation, test, classes)
    for seed in seeds:
        parameters, calibration, rows = _generators("many_classes", seed, 3)
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
        _require_every_class("many_classes", arrays, seed)
    return arrays


def eeg(
    seeds: Iterable[int],
    train: int = 240,
    validation: int = 120,
    test: int = 280,
    window: int = 48,
    channels: int = 16,
    classes: int = 3,
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
    arrays = _scalars("classes", "synthetic", train, validation, test, classes)
    recordings = train + validation + test
    for seed in seeds:
        parameters, rows = _generators("eeg", seed, 2)
        problem = _oscillations(parameters, channels, classes)
        y = rows.integers(classes, size=recordings)
        arrays[f"x_{seed}"] = _rounded(problem(rows, y, window))
        arrays[f"y_{seed}"] = y.astype(np.int32)
        _require_every_class("eeg", arrays, seed)
    return arrays


def tokens(
    seeds: Iterable[int],
    train: int = 480,
    validation: int = 240,
    test: int = 960,
    length: int = 24,
    vocabulary: int = 60,
    classes: int = 4,
) -> Arrays:
    """Short token sequences whose classes differ a little in their words, more in their order.

    Words are drawn independently, about as unequally as in Zipf's law, with frequencies that
    differ a little between the classes. Some pairs of neighbouring words are then put in at
    random places, every class the same pairs equally often: what differs is which word of a pair
    comes first, and one pair in ten goes against its class. All of this is drawn per seed.
    Per seed: x ``(sequences, length)``, whole numbers from 0, below `vocabulary`; y
    ``(sequences,)``. To be loaded with scaling 'none'.

    Args:
        length: words of a sequence, at least 4; half of them belong to pairs.
        vocabulary: number of different words, at least 20; one in five occurs in pairs.

    Raises:
        ValueError: a class does not occur in one of the parts.
    """
    arrays = _scalars("classes", "synthetic", train, validation, test, classes)
    count = train + validation + test
    for seed in seeds:
        parameters, rows = _generators("tokens", seed, 2)
        write_words = _language(parameters, vocabulary, classes)
        y = rows.integers(classes, size=count)
        arrays[f"x_{seed}"] = write_words(rows, y, length).astype(np.int32)
        arrays[f"y_{seed}"] = y.astype(np.int32)
        _require_every_class("tokens", arrays, seed)
    return arrays


def vowels(seeds: Iterable[int] = ()) -> Arrays:
    """Japanese Vowels: 640 recordings of nine speakers, 12 channels, 7 to 29 steps.

    The archive's training and test files are pooled. `x` holds the recordings end to end,
    ``(steps of all recordings, 12)``, and `lengths` how long each is; `y` ``(640,)``.
    Loading scales them with the statistics of real steps only, and then pads each on the left
    with zeros to the longest, 29 steps: a padded step is no measurement, and after scaling zero
    is the mean of the measured ones.

    Source: Kudo, Toyama and Shimbo 1999, as distributed by aeon.
    """
    # Imported here because it is slow, and whoever only loads arrays needs none of it.
    from aeon.datasets import load_japanese_vowels

    recordings, speakers = [], []
    for part in ("train", "test"):
        x, y = load_japanese_vowels(split=part)
        recordings += [recording.T for recording in x]
        speakers += [int(speaker) - 1 for speaker in y]
    return _pool(np.concatenate(recordings), speakers) | {
        "lengths": np.array([len(recording) for recording in recordings], np.int32)
    }


def power(seeds: Iterable[int] = ()) -> Arrays:
    """Italy Power Demand: x ``(1096, 24, 1)``, y ``(1096,)``, two classes.

    The hourly demand of 1096 days, each day standardised by those who published it. Class 0: a
    day from October to March, class 1: from April to September. The archive's training and test
    files are pooled, in this order.

    Source: Keogh et al. 2006 ("Intelligent Icons"), as distributed by aeon.
    """
    from aeon.datasets import load_italy_power_demand

    parts = [load_italy_power_demand(split=part) for part in ("train", "test")]
    x = np.concatenate([days for days, _ in parts])
    season = np.concatenate([labels for _, labels in parts])
    return _pool(x.transpose(0, 2, 1), season.astype(np.int32) - 1)


def cancer(seeds: Iterable[int] = ()) -> Arrays:
    """Breast Cancer Wisconsin: x ``(569, 30)``, y ``(569,)``, two classes, 37 % malignant (0)."""
    return _pool(*load_breast_cancer(return_X_y=True))


def digits(seeds: Iterable[int] = ()) -> Arrays:
    """Optical digits: x ``(1797, 8, 8, 1)``, grey levels 0 to 16, y ``(1797,)``, ten classes."""
    x, y = load_digits(return_X_y=True)
    return _pool(x.reshape(-1, 8, 8, 1), y)


def co2(
    seeds: Iterable[int] = (),
    train: int = 768,
    validation: int = 192,
    test: int = 320,
    window: int = 21,
    horizon: int = 8,
) -> Arrays:
    """Weekly CO2 at Mauna Loa, 1958 to 2001: forecast the change over `horizon` weeks.

    Inputs x ``(windows, window, 1)``: the last `window` weeks, each as its difference from the
    last known week (ppm). Target y ``(windows, 1)``: the level `horizon` weeks after the last
    known week less the level then (ppm). No date is among the inputs. A window of which an input
    week or the target week is missing is dropped, nothing is filled.

    Beside these: `week` ``(windows,)``, the position of each window's last known week in the
    record; `weeks` and `weeks_missing`, counts of the record's weeks; `windows_dropped`.

    Source: Keeling and Whorf 2004, as distributed by statsmodels.
    """
    import statsmodels.datasets.co2

    level = statsmodels.datasets.co2.load_pandas().data["co2"].to_numpy(np.float64)
    last = np.arange(window - 1, len(level) - horizon)
    if len(last) == 0:
        raise ValueError(
            f"data source 'co2': a window of {window} weeks and a horizon of {horizon} weeks "
            f"do not fit into {len(level)} weeks"
        )
    inputs = np.lib.stride_tricks.sliding_window_view(level, window)[: len(last)]
    x = inputs - level[last, None]
    y = level[last + horizon] - level[last]
    whole = np.isfinite(x).all(axis=1) & np.isfinite(y)
    return _scalars("regression", "series", train, validation, test) | {
        "targets": np.array("standard"),
        "window": np.array(window),
        "horizon": np.array(horizon),
        "weeks": np.array(len(level)),
        "weeks_missing": np.array(int(np.isnan(level).sum())),
        "windows_dropped": np.array(int((~whole).sum())),
        "week": last[whole].astype(np.int32),
        "x": _rounded(x[whole, :, None]),
        "y": _rounded(y[whole, None]),
    }


SOURCES: dict[str, Callable[..., Arrays]] = {
    source.__name__: source
    for source in (
        noise, forecast, badly_scaled, tabular, many_classes, eeg, tokens, vowels, power, cancer,
        digits, co2,
    )
}

# The least value of whole-number arguments that need more than 1.
LEAST = {"classes": 2, "length": 4, "vocabulary": 20}


def check(source: str, place: str = "", /, **arguments) -> None:
    """Refuse an unknown source, an unknown argument or a value out of range.

    Args:
        place: the file, and the path inside it, that an error names.

    Raises:
        ValueError: says where, what was found, what is allowed, and the nearest word.
    """
    _word(f"{place}.source" if place else "data source", source, SOURCES)
    parameters = dict(inspect.signature(SOURCES[source]).parameters)
    del parameters["seeds"]
    section = f"{place}.arguments" if place else f"data source '{source}', arguments"
    for name, value in arguments.items():
        _word(section, name, parameters)
        default = parameters[name].default
        if name == "targets":
            _word(f"{section}.{name}", value, ("standard", "none", "positive"))
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(default, int):
            least = LEAST.get(name, 1)
            allowed = f"a whole number from {least}"
            valid = isinstance(value, int) and number and value >= least
        elif name == "minority":
            allowed = "a number above 0, at most 0.5"
            valid = number and 0 < value <= 0.5
        elif source in ("tabular", "many_classes"):
            allowed = "a finite number from 0"
            valid = number and 0 <= value < np.inf
        else:
            allowed = "a number from 0, below 1"
            valid = number and 0 <= value < 1
        if not valid:
            raise ValueError(f"{section}.{name}: found {value!r}, allowed: {allowed}")


def make(source: str, seeds: Iterable[int], **arguments) -> Arrays:
    """Make the arrays of one data set (their entries: see the module).

    Args:
        source: a key of `SOURCES`.
        seeds: the seeds for which a synthetic source draws; a seed's arrays do not depend on
            the others. Pools and the series hold the same arrays for all seeds.
        arguments: the source's own arguments.

    Raises:
        ValueError: unknown source or argument, a value out of range, or no valid seeds.
    """
    check(source, **arguments)
    seeds = sorted(set(seeds))
    if not all(isinstance(seed, int | np.integer) and 0 <= seed < 2**32 for seed in seeds):
        raise ValueError(f"seeds: found {seeds}, allowed: whole numbers from 0, below 2**32")
    arrays = SOURCES[source]([int(seed) for seed in seeds], **arguments)
    if str(arrays["kind"]) == "synthetic" and not seeds:
        raise ValueError(f"data source '{source}': found no seeds, allowed: one or more")
    return arrays


def write(arrays: Mapping[str, np.ndarray], path: str | os.PathLike) -> None:
    """Write arrays as uncompressed `.npz`, whole or not at all; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{key: arrays[key] for key in sorted(arrays)})
    write_bytes(Path(path), buffer.getvalue())


def read(path: str | os.PathLike) -> Arrays:
    """Read what `write` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


# --- what the sources share -------------------------------------------------------------------


def _generators(source: str, seed: int, count: int) -> list[np.random.Generator]:
    """Independent streams of one source and seed, so that a longer series begins the same."""
    name = int.from_bytes(hashlib.sha256(source.encode()).digest()[:8], "big")
    return [
        np.random.default_rng(child) for child in np.random.SeedSequence([name, seed]).spawn(count)
    ]


def _rounded(values: np.ndarray) -> np.ndarray:
    # Adding 0 turns a rounded -0.0 into 0.0.
    return (np.round(values, DECIMALS) + 0.0).astype(np.float32)


def _scalars(task, kind, train, validation, test, classes=0) -> Arrays:
    return {
        "task": np.array(task),
        "kind": np.array(kind),
        "classes": np.array(classes),
        "train": np.array(train),
        "validation": np.array(validation),
        "test": np.array(test),
    }


def _sequences(train, validation, test, window, targets) -> Arrays:
    return _scalars("regression", "synthetic", train, validation, test) | {
        "window": np.array(window),
        "targets": np.array(targets),
    }


def _length(train: int, validation: int, test: int, window: int) -> int:
    """Steps of three adjoining blocks, each of so many windows."""
    return train + validation + test + 3 * (window - 1)


def _pool(x, y) -> Arrays:
    """60 % training, 20 % validation, 20 % test."""
    y = np.asarray(y, np.int32)
    validation = test = round(0.2 * len(y))
    classes = len(np.unique(y))
    return _scalars("classes", "pool", len(y) - validation - test, validation, test, classes) | {
        "x": np.asarray(x, np.float32),
        "y": y,
    }


def _autoregression(innovations: np.ndarray, decay: np.ndarray) -> np.ndarray:
    """s_t = decay s_{t-1} + innovation_t along the first axis, from 0."""
    states = np.empty_like(innovations)
    state = np.zeros(innovations.shape[1])
    for step, innovation in enumerate(innovations):
        state = decay * state + innovation
        states[step] = state
    return states


def _forecast_series(seed, length, channels, noise) -> tuple[np.ndarray, np.ndarray]:
    """x ``(length, channels)`` and y ``(length, 1)``; y has mean 0, variance 1."""
    parameters, calibration, inputs, observation = _generators("forecast", seed, 4)
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
        states = _autoregression(np.sqrt(1 - decay**2) * innovations, decay)
        x = states[:, :factors] @ mixing + np.sqrt(0.3) * states[:, factors:]
        seen = x @ readout
        recent = sum(np.roll(seen, lag, axis=0) @ local_weights[lag] for lag in range(lags))
        local = np.abs(recent + local_bias) @ local_sign
        drive = np.maximum(seen @ memory_weights + memory_bias, 0)
        memory = _autoregression(drive, memory_decay) @ memory_sign
        return x[BURN_IN:], np.stack([local, memory], axis=1)[BURN_IN:]

    _, terms = run(calibration, CALIBRATION)
    terms_centre, terms_deviation = terms.mean(axis=0), terms.std(axis=0)

    def signal(terms):
        return ((terms - terms_centre) / terms_deviation).sum(axis=1)

    deviation = signal(terms).std()
    x, terms = run(inputs, length)
    y = np.sqrt(1 - noise) * signal(terms) / deviation
    y = y + np.sqrt(noise) * observation.standard_normal(length)
    return x, y[:, None]


def _teacher(parameters: np.random.Generator, features: int) -> Callable:
    """A random problem: (generator, rows) -> x ``(rows, features)``, scores ``(rows,)``.

    Two units rise along their direction, two have their least in the middle of theirs; no linear
    rule sees the latter.
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


def _require_every_class(source: str, arrays: Arrays, seed: int) -> None:
    """Refuse a draw that leaves one of its parts without a class."""
    start = 0
    for part in PARTS:
        size = int(arrays[part])
        held = np.unique(arrays[f"y_{seed}"][start : start + size])
        missing = sorted(set(range(int(arrays["classes"]))) - set(held.tolist()))
        if missing:
            raise ValueError(
                f"data source '{source}', arguments.{part}: found {size}, allowed: more; with seed "
                f"{seed} it leaves no item of class {', '.join(map(str, missing))}"
            )
        start += size


def _counts_and_scores(
    parameters: np.random.Generator, features: int, classes: int
) -> Callable:
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
        states = _autoregression(innovations.reshape(steps, -1), np.tile(decay, count))
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


def _word(place: str, found, allowed: Iterable[str]) -> None:
    """Refuse a word that is not among the allowed ones, and name the nearest."""
    allowed = list(allowed)
    if found in allowed:
        return
    nearest = difflib.get_close_matches(str(found), allowed, n=1)
    hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
    raise ValueError(f"{place}: found {found!r}, allowed: {', '.join(allowed) or 'none'}{hint}")


# --- from arrays and a seed to a split --------------------------------------------------------

PARTS = ("train", "validation", "test")
SCALINGS = ("standard", "none")


@dataclass(frozen=True, eq=False)
class Split:
    """Training, validation and test arrays of one seed.

    x: float32 ``(n, time, channels)`` for sequences, ``(n, features)`` for tables,
    ``(n, height, width, channels)`` for images. y: float32 ``(n, 1)`` for regression, int32
    ``(n,)`` counting from 0 for classes. `classes` is 0 for regression.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    task: str
    classes: int


def load(
    arrays: Mapping[str, np.ndarray],
    seed: int,
    train_fraction: float = 1.0,
    scaling: str = "standard",
) -> Split:
    """One seed's training, validation and test arrays.

    Scaling 'standard' takes the mean off each channel (the last axis: also a table's feature, an
    image's channel over all its pixels) and divides by its deviation, both of the training part;
    a constant channel becomes 0. 'none' leaves the inputs as they are. Regression targets are
    standardised with the training part's statistics, whatever the scaling, unless the data set's
    `targets` says 'none'. Recordings of unequal length are scaled with statistics of real steps
    only, and then padded on the left with zeros.

    Args:
        arrays: what `make` returned or `read` read.
        seed: picks the draw (synthetic), the split (pool) or the origin (series).
        train_fraction: share of the training part that is kept; see `split`.
        scaling: 'standard' or 'none'.

    Raises:
        ValueError: the arrays do not hold this seed, or an argument is out of range.
    """
    _word("scaling", scaling, SCALINGS)
    parts = split(arrays, seed, train_fraction)
    x, y, real = _items(arrays, seed)
    train = parts[0]
    if scaling == "standard":
        scaler = StandardScaler().fit(x[train][real[train]].astype(np.float64))
        # Only real steps are scaled: padding stays 0.
        scaled = [_scaled(x[part], real[part], scaler) for part in parts]
    else:
        scaled = [x[part].astype(np.float32) for part in parts]
    task = str(arrays["task"])
    if task == "classes":
        targets = [y[part].astype(np.int32) for part in parts]
    else:
        targets = [y[part].astype(np.float64) for part in parts]
        if str(arrays["targets"]) == "standard":
            scaler = StandardScaler().fit(targets[0])
            targets = [scaler.transform(target) for target in targets]
        targets = [target.astype(np.float32) for target in targets]
    return Split(
        x_train=scaled[0],
        y_train=targets[0],
        x_validation=scaled[1],
        y_validation=targets[1],
        x_test=scaled[2],
        y_test=targets[2],
        task=task,
        classes=int(arrays["classes"]),
    )


def split(
    arrays: Mapping[str, np.ndarray], seed: int, train_fraction: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions of the training, validation and test items: windows, rows or recordings.

    Pool: a stratified random split by the seed. Synthetic rows: three blocks. Sequences: three
    blocks that follow each other in time and of which no two windows share a step. Series: the
    same from a random origin, and no training or validation target lies within a later part.

    `train_fraction` keeps part of the training items and leaves the others as they are: the most
    recent ones of sequences and series, so that they still adjoin validation; a stratified
    choice of pools and rows. Positions of windows and rows ascend.

    Raises:
        ValueError: the arrays do not hold this seed, they are too few for the parts, or
            `train_fraction` is not in (0, 1].
    """
    if not 0 < train_fraction <= 1:
        raise ValueError(
            f"train_fraction: found {train_fraction!r}, allowed: a number above 0, at most 1"
        )
    kind = str(arrays["kind"])
    sizes = [int(arrays[part]) for part in ("train", "validation", "test")]
    if kind == "pool":
        parts = _resplit(arrays["y"], sizes, seed)
    elif kind == "series":
        parts = _from_origin(arrays, sizes, seed)
    else:
        parts = _blocks(arrays, sizes, seed)
    return _part_of(arrays, seed, parts[0], train_fraction), parts[1], parts[2]


def digest(arrays: Mapping[str, np.ndarray], seed: int) -> str:
    """SHA-256 of all that a seed's split depends on in the arrays.

    Synthetic: that seed's arrays and the scalars, so that another seed changes nothing.
    Pools and series: everything.
    """
    keys = sorted(arrays)
    if str(arrays["kind"]) == "synthetic":
        _hold(arrays, seed)
        keys = [
            key for key in keys if arrays[key].ndim == 0 or key in (f"x_{seed}", f"y_{seed}")
        ]
    result = hashlib.sha256()
    for key in keys:
        values = np.ascontiguousarray(arrays[key])
        result.update(f"{key} {values.dtype.str} {arrays[key].shape}\n".encode())
        result.update(values.tobytes())
    return result.hexdigest()


def _seeds_in(arrays: Mapping[str, np.ndarray]) -> list[int]:
    return sorted(int(key[2:]) for key in arrays if key.startswith("x_"))


def _hold(arrays: Mapping[str, np.ndarray], seed: int) -> None:
    if f"x_{seed}" not in arrays:
        held = ", ".join(str(each) for each in _seeds_in(arrays))
        raise ValueError(f"seed: found {seed!r}, allowed (the data set's seeds): {held}")


def _items(
    arrays: Mapping[str, np.ndarray], seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All windows, rows or recordings x, their targets y, and where x is real, not padding.

    The third has the shape of x without its last axis.
    """
    if str(arrays["kind"]) == "synthetic":
        _hold(arrays, seed)
        x, y = arrays[f"x_{seed}"], arrays[f"y_{seed}"]
        if "window" in arrays:
            window = int(arrays["window"])
            # A window's target is that of its last step.
            x = np.lib.stride_tricks.sliding_window_view(x, window, axis=0).transpose(0, 2, 1)
            y = y[window - 1 :]
        return x, y, np.ones(x.shape[:-1], bool)
    x, y = arrays["x"], arrays["y"]
    if "lengths" not in arrays:
        return x, y, np.ones(x.shape[:-1], bool)
    lengths = arrays["lengths"]
    steps = lengths.max()
    real = np.arange(steps) >= steps - lengths[:, None]
    padded = np.zeros((*real.shape, x.shape[-1]), x.dtype)
    padded[real] = x
    return padded, y, real


def _scaled(x: np.ndarray, real: np.ndarray, scaler: StandardScaler) -> np.ndarray:
    scaled = np.zeros(x.shape, np.float32)
    scaled[real] = scaler.transform(x[real].astype(np.float64))
    return scaled


def _resplit(y: np.ndarray, sizes: list[int], seed: int) -> list[np.ndarray]:
    """A stratified random split of a pool."""
    train, validation, test = sizes
    rest, last = train_test_split(
        np.arange(len(y)), train_size=train + validation, test_size=test, stratify=y,
        random_state=seed,
    )
    first, middle = train_test_split(
        rest, train_size=train, test_size=validation, stratify=y[rest], random_state=seed
    )
    return [first, middle, last]


def _blocks(
    arrays: Mapping[str, np.ndarray], sizes: list[int], seed: int
) -> list[np.ndarray]:
    """Adjoining blocks; windows that would cross a boundary are left out."""
    x, _, _ = _items(arrays, seed)
    gap = int(arrays["window"]) - 1 if "window" in arrays else 0
    parts, start = [], 0
    for size in sizes:
        parts.append(np.arange(start, start + size))
        start += size + gap
    if start - gap > len(x):
        raise _too_few(sizes, len(x))
    return parts


def _from_origin(
    arrays: Mapping[str, np.ndarray], sizes: list[int], seed: int
) -> list[np.ndarray]:
    """Blocks from a random origin, each part's inputs later than the last target before them."""
    week = arrays["week"]
    reach = int(arrays["horizon"]) + int(arrays["window"]) - 1
    # The first window whose inputs all come after the target of each window.
    following = np.searchsorted(week, week + reach, side="right")
    starts = np.arange(len(week))
    firsts, ends = [], np.zeros(len(week), int)
    for position, size in enumerate(sizes):
        if position:
            starts = following[np.minimum(ends, len(week)) - 1]
        firsts.append(starts)
        ends = starts + size
    origins = np.flatnonzero(ends <= len(week))
    if len(origins) == 0:
        raise _too_few(sizes, len(week))
    origin = np.random.default_rng(seed).choice(origins)
    return [
        np.arange(first[origin], first[origin] + size)
        for first, size in zip(firsts, sizes, strict=True)
    ]


def _part_of(
    arrays: Mapping[str, np.ndarray], seed: int, train: np.ndarray, fraction: float
) -> np.ndarray:
    """Part of the training items: the most recent windows, or a stratified choice."""
    if fraction == 1:
        return train
    size = round(fraction * len(train))
    if size < 1:
        raise ValueError(f"train_fraction: {fraction!r} of {len(train)} items leaves none")
    if "window" in arrays:
        return train[-size:]
    pool = str(arrays["kind"]) == "pool"
    y = arrays["y" if pool else f"y_{seed}"][train]
    chosen, _ = train_test_split(train, train_size=size, stratify=y, random_state=seed)
    return chosen if pool else np.sort(chosen)


def _too_few(sizes: list[int], held: int) -> ValueError:
    counts = ", ".join(f"{part}={size}" for part, size in zip(PARTS, sizes, strict=True))
    return ValueError(
        f"{counts}: with the gaps between them, they do not fit into the data set's {held} items"
    )


def main() -> int:
    """Write `data/<name>.npz` of one data set of params.yaml."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.data", description=main.__doc__)
    parser.add_argument("name")
    name = parser.parse_args().name
    try:
        params = config.load()
        entry = params.data[name]
        check(entry.source, f"params.yaml: data.{name}", **entry.arguments)
        write(make(entry.source, params.seeds(name), **entry.arguments), f"data/{name}.npz")
    except (config.ConfigError, ValueError) as error:
        return config.complain(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
