"""A data set's arrays → test errors of predictors that anyone would try first."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.preprocessing import StandardScaler

from pipeline.data.split import Split, load
from pipeline.data.split import split as positions

#: More rows are not learnt from: a baseline is to be cheap.
MOST = 2_000
TREES = 100


def errors(arrays: Mapping[str, np.ndarray], seeds: Iterable[int], scaling: str = "standard") -> dict[str, float]:
    """Test errors of simple predictors, each the mean over some seeds.

    Classes: error rates. Numbers: the root of the mean squared error of targets that are standardised
    with the training part, over samples and targets.

    - trivial: the most frequent class of the training part, or its mean;
    - persistence: the last known target stays; NaN where samples are no windows of a series;
    - linear: logistic regression (C = 1), or ridge regression whose penalty is chosen by
      leave-one-out on the training part;
    - forest: 100 trees, of numbers with a third of the inputs tried at each split (L. Breiman, Machine Learning 45, 2001).

    Linear and forest read the inputs flattened, of at most 2,000 training samples.
    """
    found = [_errors(arrays, seed, scaling) for seed in seeds]
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def _errors(arrays, seed: int, scaling: str) -> dict[str, float]:
    split = load(arrays, seed, scaling=scaling)
    rows = np.random.default_rng(seed).permutation(len(split.x_train))[:MOST]
    x, y = split.x_train[rows].reshape(len(rows), -1), split.y_train[rows]
    test = split.x_test.reshape(len(split.x_test), -1)
    return {"trivial": _error(split, _trivial(split)), "persistence": _error(split, _persistence(arrays, seed, split)),
            "linear": _error(split, _linear(split.classes, x, y, test)),
            "forest": _error(split, _forest(split.classes, x, y, test, seed))}


def _error(split: Split, prediction: np.ndarray | None) -> float:
    if prediction is None:
        return math.nan
    if split.classes:
        return float((prediction != split.y_test).mean())
    prediction = np.reshape(prediction, split.y_test.shape).astype(np.float64)
    return math.sqrt(np.mean((prediction - split.y_test) ** 2))


def _trivial(split: Split) -> np.ndarray:
    if split.classes:
        return np.full(len(split.y_test), np.bincount(split.y_train).argmax())
    return np.tile(split.y_train.mean(axis=0), (len(split.y_test), 1))


def _persistence(arrays, seed: int, split: Split) -> np.ndarray | None:
    """The target at each test window's last row, or the last one known before it in its group."""
    if "last" not in arrays or int(arrays["horizon"]) == 0:
        return None
    train, _, test = positions(arrays, seed)
    y = arrays["y"]
    known = y >= 0 if split.classes else np.isfinite(y).all(axis=1)
    place = np.maximum.accumulate(np.where(known, np.arange(len(y)), -1))[arrays["last"][test]]
    # Nothing is known before the first target, and a group knows nothing of another.
    reach = arrays["last"][test] - place >= int(arrays["window"])
    found = y[np.maximum(place, 0)]
    if split.classes:
        return np.where(reach | (place < 0), _trivial(split), found)
    scaler = StandardScaler().fit(y[arrays["last"][train] + int(arrays["horizon"])].astype(np.float64))
    return np.where((reach | (place < 0))[:, None], _trivial(split), scaler.transform(found.astype(np.float64)))


def _linear(classes: int, x, y, test) -> np.ndarray:
    if not classes:
        return RidgeCV(np.logspace(-3, 5, 17)).fit(x, y).predict(test)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(max_iter=200).fit(x, y).predict(test)


def _forest(classes: int, x, y, test, seed: int) -> np.ndarray:
    if classes:
        return RandomForestClassifier(TREES, random_state=seed, n_jobs=2).fit(x, y).predict(test)
    y = y[:, 0] if y.shape[1] == 1 else y
    return RandomForestRegressor(TREES, max_features=1 / 3, random_state=seed, n_jobs=2).fit(x, y).predict(test)
