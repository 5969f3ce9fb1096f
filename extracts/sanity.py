"""One quick number a set: does anything beat the trivial predictor? ``python extracts/sanity.py``

One split, one seed, nothing tuned: a check of the sets, not a result. Writes sanity.csv:

- train, test: windows, rows or recordings; training on few, as the study does;
- trivial, linear, forest: R2 of persistence, ridge regression and a random forest on the last
  fifth of a series; error rates of the majority, logistic regression and a random forest for
  classes, with groups on one side of the split;
- of_trivial: the best error over the trivial one. For forecasts both are root mean squared
  errors, and the mean of the training part is trivial too;
- errors: how many the best makes in the test part (classes only).
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from ruamel.yaml import YAML
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDER = Path(__file__).resolve().parent
TRAIN, TEST = 1000, 2500


def main() -> int:
    sets = YAML(typ="safe").load((FOLDER / "sets.yaml").read_text(encoding="utf-8"))["sets"]
    rows = []
    for name, entry in sets.items():
        measure = forecast if entry["task"]["kind"] == "forecast" else classes
        row = {"name": name, "family": entry["family"], "kind": entry["task"]["kind"]}
        rows.append(row | {"unit": entry["unit"]} | measure(entry))
        print(rows[-1], flush=True)
    frame = pd.DataFrame(rows).astype({"errors": "Int64"})
    frame.to_csv(FOLDER / "sanity.csv", index=False, float_format="%.3f", lineterminator="\n")
    return 0


def forecast(entry: dict) -> dict:
    """A window of all columns, missing inputs interpolated; windows without a target are out."""
    task = entry["task"]
    frame = pd.read_csv(FOLDER / entry["file"]).drop(columns="time")
    frame.insert(0, task["target"], frame.pop(task["target"]))
    window, horizon = task["window"], task["horizon"]
    target = frame[task["target"]].to_numpy()
    last = frame[task["target"]].ffill().to_numpy()
    inputs = frame.interpolate(limit_direction="both").to_numpy()
    now = np.arange(window - 1, len(frame) - horizon)
    now = now[~np.isnan(target[now + horizon]) & ~np.isnan(last[now])][-12000:]
    first, test = np.split(now, [int(0.8 * len(now))])
    generator = np.random.default_rng(0)
    train = np.sort(generator.choice(first, min(3 * TRAIN, len(first)), replace=False))
    windows = np.lib.stride_tricks.sliding_window_view(inputs, window, axis=0)
    x_train, x_test = (windows[part - window + 1].reshape(len(part), -1) for part in (train, test))
    y_train, y_test = target[train + horizon], target[test + horizon]
    linear = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 4, 11)))
    forest = RandomForestRegressor(40, min_samples_leaf=3, max_features=0.4, random_state=0)
    mean = np.full(len(test), y_train.mean())
    guesses = [mean, last[test]]
    guesses += [model.fit(x_train, y_train).predict(x_test) for model in (linear, forest)]
    error = [np.mean((guess - y_test) ** 2) for guess in guesses]
    r2 = [1 - each / error[0] for each in error[1:]]
    return {
        "train": len(train),
        "test": len(test),
        **dict(zip(("trivial", "linear", "forest"), r2, strict=True)),
        "of_trivial": np.sqrt(min(error[2:]) / min(error[:2])),
    }


def classes(entry: dict) -> dict:
    x, y, group = pool(entry)
    train, test = split(y, group)
    trivial = np.mean(y[test] != np.bincount(y[train]).argmax())
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    forest = RandomForestClassifier(150, random_state=0)
    errors = [1 - model.fit(x[train], y[train]).score(x[test], y[test]) for model in (linear, forest)]
    return {
        "train": len(train),
        "test": len(test),
        "trivial": trivial,
        "linear": errors[0],
        "forest": errors[1],
        "of_trivial": min(errors) / trivial,
        "errors": round(min(errors) * len(test)),
    }


def split(y: np.ndarray, group: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """At most `TRAIN` for training, half at most, and the largest test part up to `TEST`."""
    if group is None:
        size = min(TRAIN, len(y) // 2)
        rest = min(TEST, len(y) - size)
        return train_test_split(
            np.arange(len(y)), train_size=size, test_size=rest, stratify=y, random_state=0
        )
    generator = np.random.default_rng(0)
    groups = generator.permutation(np.unique(group))
    first = np.isin(group, groups[: len(groups) // 2])
    parts = [generator.permutation(np.flatnonzero(side)) for side in (first, ~first)]
    return parts[0][:TRAIN], parts[1][:TEST]


def pool(entry: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Flat features, labels from 0, groups."""
    if entry["family"] == "tables":
        return *table(pd.read_csv(FOLDER / entry["file"])), None
    with np.load(FOLDER / entry["file"], allow_pickle=False) as file:
        arrays = dict(file)
    x = arrays["x"].astype(float)
    if np.isnan(x).any():
        x = stretched(x, arrays["length"])
    return x.reshape(len(x), -1), arrays["y"], arrays.get("group")


def table(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    x = pd.get_dummies(frame.drop(columns="class")).to_numpy(float)
    return x, pd.factorize(frame["class"], sort=True)[0]


def stretched(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Recordings of unequal length, each the same number of its steps."""
    steps = int(np.median(lengths))
    return np.stack([
        recording[np.linspace(0, length - 1, steps).round().astype(int)]
        for recording, length in zip(x, lengths, strict=True)
    ])


if __name__ == "__main__":
    sys.exit(main())
