"""Real data that come with installed packages."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pipeline.data.draw import Arrays, Count, rounded, scalars


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
    from sklearn.datasets import load_breast_cancer

    return _pool(*load_breast_cancer(return_X_y=True))


def digits(
    seeds: Iterable[int] = (), train: Count = 1079, validation: Count = 359, test: Count = 359
) -> Arrays:
    """Optical digits: x ``(1797, 8, 8, 1)``, grey levels 0 to 16, y ``(1797,)``, ten classes."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    sizes = {"train": train, "validation": validation, "test": test}
    return _pool(x.reshape(-1, 8, 8, 1), y) | {part: np.array(size) for part, size in sizes.items()}


def co2(
    seeds: Iterable[int] = (),
    train: Count = 768,
    validation: Count = 192,
    test: Count = 320,
    window: Count = 21,
    horizon: Count = 8,
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
    return scalars("regression", "series", train, validation, test) | {
        "targets": np.array("standard"),
        "window": np.array(window),
        "horizon": np.array(horizon),
        "weeks": np.array(len(level)),
        "weeks_missing": np.array(int(np.isnan(level).sum())),
        "windows_dropped": np.array(int((~whole).sum())),
        "week": last[whole].astype(np.int32),
        "x": rounded(x[whole, :, None]),
        "y": rounded(y[whole, None]),
    }


def _pool(x, y) -> Arrays:
    """60 % training, 20 % validation, 20 % test."""
    y = np.asarray(y, np.int32)
    validation = test = round(0.2 * len(y))
    classes = len(np.unique(y))
    return scalars("classes", "pool", len(y) - validation - test, validation, test, classes) | {
        "x": np.asarray(x, np.float32),
        "y": y,
    }
