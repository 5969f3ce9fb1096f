"""A task's loss, its measures, and what a network that knows nothing would say."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from pipeline.data.split import Split
from pipeline.config.task import Task
from pipeline.network.losses import loss_of_samples

CALIBRATION_BINS = 15


def task_of(split: Split, quantiles: tuple[float, ...] = ()) -> Task:
    """The task that a split's targets set: int `(n,)` are classes, float `(n, targets)` numbers."""
    return Task(split.classes) if split.classes else Task(0, split.y_train.shape[1], tuple(quantiles))


def loss_function(task: Task, loss=None) -> Callable:
    """(y, prediction) → one value a batch: cross-entropy, mean squared error or pinball loss.

    Args:
        loss: another one, as params.yaml names it.

    The pinball loss of a quantile q is max(q (y - p), (q - 1)(y - p)), averaged over samples,
    targets and quantiles: least in expectation where y falls below p with probability q.

    Source: Koenker & Bassett, "Regression Quantiles" (1978).
    """
    if loss:
        of_samples = loss_of_samples(loss, task)
        return lambda y, p: tf.reduce_mean(of_samples(y, p))
    if task.classes:
        return lambda y, p: tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, p))
    if not task.quantiles:
        return lambda y, p: tf.reduce_mean(keras.losses.mean_squared_error(y, p))
    quantiles = tf.constant(task.quantiles, tf.float32)

    def pinball(y, p):
        above = y[..., None] - tf.reshape(p, [-1, task.targets, len(task.quantiles)])
        return tf.reduce_mean(tf.maximum(quantiles * above, (quantiles - 1) * above))

    return pinball


def balanced(y, task: Task):
    """The weight of each sample that gives every class the same sum: n / (classes · samples of its class).

    Source: King & Zeng, "Logistic Regression in Rare Events Data" (2001); as scikit-learn's `class_weight="balanced"`.
    """
    counts = tf.reduce_sum(tf.one_hot(y, task.classes), axis=0)
    return tf.gather(tf.math.divide_no_nan(float(y.shape[0]), task.classes * counts), y)


def probabilities(outputs, task: Task, head: list[dict]):
    """What a network says of samples, `(samples, outputs)`; of classes, the probabilities that the loss takes it for.

    Keras' cross-entropy normalises: of a sigmoid it takes the logits as those of a softmax, of
    other outputs their shares in their sum, each at least 1e-7. So the probability of a class is
    exp(-loss) if the sample were of that class. A softmax is one already.

    Args:
        head: the resolved layers behind the output.
    """
    if not task.classes or head and "softmax" in (head[-1]["class"].lower(), head[-1]["arguments"].get("activation")):
        return outputs
    losses = [keras.losses.sparse_categorical_crossentropy(tf.fill(tf.shape(outputs)[:1], one), outputs)
              for one in range(task.classes)]
    return tf.exp(-tf.stack(losses, axis=1))


def trivial_prediction(split: Split, size: int, task: Task) -> np.ndarray:
    """`size` times the best constant: the training means, quantiles, or frequencies of the classes."""
    if task.classes:
        counts = np.bincount(split.y_train, minlength=task.classes)
        constant = counts / counts.sum()
    elif task.quantiles:
        constant = np.quantile(split.y_train, task.quantiles, axis=0).T.ravel()
    else:
        constant = split.y_train.mean(axis=0)
    return np.tile(constant, (size, 1))


def measures(y: np.ndarray, prediction: np.ndarray, split: Split, task: Task) -> dict[str, float]:
    """Measures of a prediction `(samples, outputs)` of the targets `y`.

    Numbers: error and loss are the mean squared error over samples and targets. Quantiles: both are
    the pinball loss (see `loss_function`), and the calibration error is the mean difference between
    a quantile and the share of targets at or below its prediction. Classes: error rate, log-loss,
    expected calibration error (Guo et al. 2017, equation 3, 15 bins of equal width), recall of the
    class that is rarest in training. Each in 0..1 but the loss, and the error of numbers.
    """
    prediction = prediction.astype(np.float64)
    if task.classes:
        return _measures_of_classes(y, prediction, split, task)
    found = {"calibration_error": math.nan, "minority_recall": math.nan}
    if task.quantiles:
        quantiles = np.array(task.quantiles)
        above = y[..., None] - prediction.reshape(len(y), task.targets, len(quantiles))
        error = float(np.maximum(quantiles * above, (quantiles - 1) * above).mean())
        below = (above <= 0).mean(axis=0)
        found["calibration_error"] = float(np.abs(below - quantiles).mean())
    else:
        error = float(np.mean((prediction - y) ** 2))
    return {"error": error, "loss": error} | found


def _measures_of_classes(y, prediction, split: Split, task: Task) -> dict[str, float]:
    if not np.isfinite(prediction).all():
        return dict.fromkeys(("error", "loss", "calibration_error", "minority_recall"), math.nan)
    guess, confidence = prediction.argmax(axis=1), prediction.max(axis=1)
    right = guess == y
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = [abs(right[bins == b].sum() - confidence[bins == b].sum()) for b in np.unique(bins)]
    rarest = np.bincount(split.y_train, minlength=task.classes).argmin()
    chosen = np.clip(prediction[np.arange(len(y)), y], 1e-7, 1.0)
    return {"error": float(1 - right.mean()), "loss": float(-np.log(chosen).mean()),
            "calibration_error": float(sum(gaps) / len(y)),
            "minority_recall": float(right[y == rarest].mean()) if (y == rarest).any() else math.nan}
