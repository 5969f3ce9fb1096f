"""What deserves a look before anything trains: leaks, rare classes, values that may mean a missing one."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from pipeline.cli.ask.profile import Column
from pipeline.cli.ask.question import Guess
from pipeline.config.data_files import listed

#: A class of a smaller share is rare; a target of a larger skewness is skewed.
RARE, SKEWED = 0.05, 3.0
#: What leaves this share of the trivial error, or of the target's variance, gives the target away.
LEFT = 0.02
#: So many samples are looked at.
SAMPLES = 2_000
POSTCODE = re.compile(r"zip|postal|post_?code|plz|phone", re.I)


def of_columns(guess: Guess, columns: dict[str, Column]) -> None:
    """Cautions about what the columns hold."""
    entry, mind = guess.entry, guess.mind
    targets = listed(entry["target"])
    for one in columns.values():
        if one.name in entry.get("leave_out", []) and one.name not in targets:
            continue
        held = one.numbers.dropna()
        if one.kind == "numbers" and len(held) > 20:
            for value in (held.min(), held.max()):
                rest, times = held[held != value], int((held == value).sum())
                is_far = rest.nunique() > 10 and min(abs(rest - value)) > 3 * (rest.max() - rest.min())
                if is_far and times >= max(3, len(held) / 200):
                    cell = one.cells[one.numbers == value].iloc[0]
                    mind.append(f"{cell} stands {times} times in '{one.name}', far from all other numbers: if it means a missing "
                                f"value, add missing_as: [{cell!r}] and missing: drop")
        if one.name not in guess.no_inputs and one.kind == "numbers" and POSTCODE.search(one.name):
            mind.append(f"'{one.name}' is read as a number; if it is a name, say categories: [{one.name}] or leave it out")
        if one.kind == "words" and one.name not in entry.get("leave_out", []):
            words = one.cells.dropna().unique()
            same = pd.Series(words).groupby([str(word).casefold() for word in words]).agg(list)
            some = " and ".join(", ".join(map(repr, sorted(group))) for group in same[same.map(len) > 1])
            mind += [f"'{one.name}' has {some}, which differ by the size of letters only and count as different"] if some else []
    _emptiness(guess, columns, targets)
    steps = [name for name in columns if re.search(r"\D*\d+\Z", name)]
    if "window" not in entry and len(steps) > 8 and len({re.sub(r"\d+\Z", "", name) for name in steps}) == 1:
        mind.append(f"{steps[0]} to {steps[-1]} may be steps of a recording: a table knows nothing of their order; an .npz file "
                    "with x (recordings, steps, channels) and y does")


def _emptiness(guess: Guess, columns: dict[str, Column], targets: list[str]) -> None:
    """Say which columns are empty just where the target has one value."""
    y = columns[targets[0]].cells
    for one in columns.values():
        if one.name in targets or one.kind == "empty" or not 0.02 < one.missing.mean() < 0.98 or y.nunique() > 20:
            continue
        told = y.groupby(one.missing.to_numpy()).agg(lambda cells: cells.value_counts().max() if len(cells) else 0).sum()
        if len(y) - told <= LEFT * (len(y) - y.value_counts().max()):
            guess.mind.append(f"whether '{one.name}' is empty tells '{targets[0]}': it is known only afterwards, and no input")
            guess.add("leave_out", one.name, "whether it is empty tells the target")


def of_arrays(guess: Guess, arrays: Mapping[str, Any]) -> None:
    """Cautions about what networks will see."""
    kind, classes = str(arrays["kind"]), arrays["about_classes"].tolist()
    y = arrays["y"][arrays["last"] + int(arrays["horizon"])] if "last" in arrays else arrays["y"]
    if classes:
        share = np.bincount(y, minlength=len(classes)) / len(y)
        rare = int(share.argmin())
        if share[rare] < RARE:
            count = f"{share[rare] * int(arrays['train']):.0f}"
            guess.mind.append(f"class '{classes[rare]}' has {100 * share[rare]:.2g} % of all, {count} that train: an error "
                              "rate says little of it; see minority_recall in results/runs")
    elif y.shape[1] == 1 and abs(pd.Series(y[:, 0]).skew()) > SKEWED:
        guess.mind.append("the target is skewed: a few large values decide the error; its logarithm may be easier to predict")
    if kind == "recordings" and "lengths" not in arrays and arrays["x"].ndim == 3 and arrays["x"].shape[1] < arrays["x"].shape[2]:
        _, steps, channels = arrays["x"].shape
        guess.mind.append(f"x has {steps} steps of {channels} channels: if it is the other way round, store "
                          "x.transpose(0, 2, 1)")
    guess.mind += _leaks_of_a_table(arrays, y, bool(classes)) if kind == "table" else (
        _leaks_of_a_series(guess, arrays) if kind == "windows" and not classes else [])


def _leaks_of_a_table(arrays: Mapping, y: np.ndarray, is_class: bool) -> list[str]:
    some = np.random.default_rng(0).permutation(len(y))[:SAMPLES]
    names, x = arrays["about_inputs"].tolist(), arrays["x"][some].astype(float)
    x = np.concatenate([x, arrays["codes"][some]], axis=1) if "codes" in arrays else x
    y = y[some] if is_class else y[some, 0]
    found = [name for name, values in zip(names, x.T, strict=True) if _left(values[:, None], y, is_class) < LEFT]
    if found:
        names = ", ".join(map(repr, found[:8])) + (", …" if len(found) > 8 else "")
        return [f"{names} alone tell{'s' * (len(found) == 1)} the target: if not known beforehand, leave it out"]
    if len(names) > 1 and _left((x - x.mean(axis=0)) / x.std(axis=0), y, is_class, together=True) < LEFT:
        return ["a linear model of the inputs tells the target nearly without an error: is one made from it?"]
    return []


def _left(x: np.ndarray, y: np.ndarray, is_class: bool, together: bool = False) -> float:
    """The share of the trivial error, or of the variance, that is left once x is known."""
    with warnings.catch_warnings(action="ignore"):
        if is_class:
            model = LogisticRegression(max_iter=200) if together else DecisionTreeClassifier(max_depth=4)
            trivial = 1 - np.bincount(y).max() / len(y)
            return float((cross_val_predict(model, x, y, cv=3) != y).mean() / max(trivial, 1e-9))
        if together:
            return float(1 - LinearRegression().fit(x, y).score(x, y))
        return float(1 - abs(pd.Series(x[:, 0]).corr(pd.Series(y), method="spearman")))


def _leaks_of_a_series(guess: Guess, arrays: Mapping) -> list[str]:
    """Inputs that nearly are the target of later, which its own past is not."""
    x, y, horizon, said = arrays["x"], arrays["y"][:, 0], int(arrays["horizon"]), []
    own = _unexplained(y[:-horizon], y[horizon:]) if horizon else 1.0
    for name, values in zip(arrays["about_inputs"].tolist(), x.T, strict=True):
        if name in listed(guess.entry.get("target")):
            continue
        for lag in range(1, horizon + 1) if horizon else [0]:
            left = _unexplained(values[:len(values) - lag], y[lag:])
            if left < LEFT and left < 0.1 * own:
                said.append(f"'{name}' nearly is the target of {lag} rows later: if it is not known at the time, leave it out")
                break
    return said


def _unexplained(one: np.ndarray, other: np.ndarray) -> float:
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < 10 or not one[known].std() or not other[known].std():
        return 1.0
    return 1 - float(np.corrcoef(one[known], other[known])[0, 1]) ** 2
