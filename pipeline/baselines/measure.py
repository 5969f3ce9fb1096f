"""A data set's arrays → test errors of predictors that anyone would try first."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from pipeline.data.split import Split, load
from pipeline.data.split import split as positions
from pipeline.process.cores import on_every_core

#: More rows are not learnt from: a baseline is to be cheap.
MOST = 20_000
TREES = 100
DAY = 86_400_000_000
#: A season lasts so many days: the shortest that has two steps.
SEASONS = (1, 7, 365.25)


def errors(arrays: Mapping[str, np.ndarray], seeds: Sequence[int], scaling: str = "standard") -> dict[str, float]:
    """Test errors of simple predictors, each the mean over some seeds.

    Classes: error rates. Numbers: the root of the mean squared error of targets that are standardised
    with the training part, over samples and targets.

    - trivial: the most frequent class of the training part, or its mean;
    - persistence: the last known target stays; NaN where samples are no windows of a series;
    - seasonal: the target a season before comes again, or as many seasons before as it takes to be known; the last
      known one where there is none. A season is a day of steps below a day, a week of days, and a year of weeks and
      months; NaN where steps have no dates, or the series is shorter;
    - linear: logistic regression (C = 1), or ridge regression whose penalty is chosen by
      leave-one-out on the training part;
    - forest: 100 trees, of numbers with a third of the inputs tried at each split (L. Breiman, Machine Learning 45, 2001);
    - boosted: scikit-learn's histogram gradient boosting as it comes, one model a target.

    The last three read the inputs flattened, of the whole training part, or of 20,000 samples of it.
    """
    found = on_every_core(lambda seed: _errors(arrays, seed, scaling), seeds)
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


# Every seed has a core; and sums by one thread have the same last digits wherever they are made.
@threadpool_limits.wrap(limits=1)
def _errors(arrays, seed: int, scaling: str) -> dict[str, float]:
    split = load(arrays, seed, scaling=scaling)
    rows = np.random.default_rng(seed).permutation(len(split.x_train))[:MOST]
    x, y = split.x_train[rows].reshape(len(rows), -1), split.y_train[rows]
    test, again = split.x_test.reshape(len(split.x_test), -1), _again(arrays, seed, split)
    found = {"trivial": _trivial(split), "persistence": again.get("persistence"), "seasonal": again.get("seasonal"),
             "linear": _linear(split.classes, x, y, test), "forest": _forest(split.classes, x, y, test, seed),
             "boosted": _boosted(split.classes, x, y, test, seed)}
    return {name: _error(split, prediction) for name, prediction in found.items()}


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


def _again(arrays, seed: int, split: Split) -> dict[str, np.ndarray]:
    """The predictions that a known target comes again; none where samples are no windows of a series."""
    if "last" not in arrays or int(arrays["horizon"]) == 0:
        return {}
    train, _, test = positions(arrays, seed)
    y, ahead = arrays["y"], arrays["last"] + int(arrays["horizon"])
    known = y >= 0 if split.classes else np.isfinite(y).all(axis=1)
    latest, before = _latest(arrays, test, known), _a_season_before(arrays, test, known)
    places = {"persistence": latest} | ({"seasonal": np.where(before < 0, latest, before)} if (before >= 0).any() else {})
    if not split.classes:
        y = StandardScaler().fit(y[ahead[train]].astype(np.float64)).transform(y.astype(np.float64))
    return {name: np.where(np.expand_dims(place < 0, tuple(range(1, y.ndim))), _trivial(split), y[np.maximum(place, 0)])
            for name, place in places.items()}


def _latest(arrays, test: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The row of the last known target up to each test window's last row, in its group; -1 without any."""
    place = np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))[arrays["last"][test]]
    # Nothing is known before the first target, and a group knows nothing of another.
    return np.where(arrays["last"][test] - place >= int(arrays["window"]), -1, place)


def _a_season_before(arrays, test: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The row of the known target whole seasons before that of each test window, and not after its last row; -1 without any."""
    times, last, horizon = arrays["about_times"], arrays["last"][test], int(arrays["horizon"])
    steps = np.diff(times)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else math.inf
    season = next((DAY * days for days in SEASONS if 2 * step <= DAY * days), 0)
    place = np.full(len(test), -1)
    # A series without dates has the numbers of its rows; the first days of 1970 would be meant by none.
    if not season or np.abs(times).max() < 1e12:
        return place
    ahead = times[last + horizon] - times[last]
    wanted = times[last + horizon] - season * np.maximum(1, np.ceil((ahead - step / 2) / season))
    groups = arrays["groups"] if "groups" in arrays else np.zeros(len(arrays["last"]), int)
    for group in np.unique(groups[test]):
        mine, rows = groups[test] == group, arrays["last"][groups == group]
        first = rows.min() + 1 - int(arrays["window"]) if "groups" in arrays else 0
        nearest = np.searchsorted(times[first:rows.max() + 1], wanted[mine] + step / 2, side="right") - 1
        place[mine] = np.where(nearest < 0, -1, np.minimum(first + nearest, last[mine]))
    return np.where((place >= 0) & (wanted - times[place] <= step / 2) & known[place], place, -1)


def _linear(classes: int, x, y, test) -> np.ndarray:
    if not classes:
        return RidgeCV(np.logspace(-3, 5, 17)).fit(x, y).predict(test)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(max_iter=200).fit(x, y).predict(test)


def _forest(classes: int, x, y, test, seed: int) -> np.ndarray:
    if classes:
        return RandomForestClassifier(TREES, random_state=seed).fit(x, y).predict(test)
    y = y[:, 0] if y.shape[1] == 1 else y
    return RandomForestRegressor(TREES, max_features=1 / 3, random_state=seed).fit(x, y).predict(test)


def _boosted(classes: int, x, y, test, seed: int) -> np.ndarray:
    if classes:
        # Its own rule for when to stop parts the rows class by class, which takes two of each.
        stop = "auto" if np.bincount(y)[np.unique(y)].min() > 1 else False
        return HistGradientBoostingClassifier(early_stopping=stop, random_state=seed).fit(x, y).predict(test)
    return MultiOutputRegressor(HistGradientBoostingRegressor(random_state=seed)).fit(x, y).predict(test)
