"""Watches runs of the study on a few seeds, and measures what their layers do while they train.

A run is trained again as `pipeline.train` trained it, at its chosen learning rate, but one epoch at
a time. Before the first step and after every epoch its layers are looked at on one fixed batch, the
first training samples: as many whole training batches as 256 samples hold, or one if it is larger.
Normalisation, and noise that belongs to it, works there as in training, so on the statistics of
this batch; all else, dropout too, works as at inference, so that a mask is not counted as zeros.
Looking changes nothing: moving averages and states of random numbers are put back.

A unit is an entry of an output's last axis; its mean and variance (divided by n) run over samples
and all axes between, padded steps included. A unit is constant if its values differ by at most
`TOLERANCE` of the largest of them. A measure is NaN where it is undefined.

Measures of a layer, at the end of training, and with the suffix `_at_start` before the first step:

- `mean`, `variance`: the mean over units of a unit's mean, of its variance.
- `moment_distance`: the mean over units of |mean| + |variance - 1|.
- `skewness`, `kurtosis`: the mean over units that vary of |E z^3|, and of |E z^4 - 3|, where z is
  the unit less its mean over its deviation.
- `zero_share`: the share of outputs that are exactly 0.
- `saturated_share`, `slope`, for `Activation` of sigmoid or tanh: the share of outputs at which the
  derivative is below a tenth of its maximum, and the mean derivative over that maximum.
- `correlation`: the mean over pairs of units that vary of |Pearson's correlation|.
- `gradient_norm`: the Euclidean norm of the gradient of the batch's loss, without the penalty of a
  regulariser, by all of the layer's kernels: its trained weights of two axes or more, not biases,
  gammas, betas, nor the slopes of a PReLU.
- `gradient_imbalance`: |ln(`gradient_norm` / `gradient_norm` of the layer `output_1`)|.
- `gradient_over_time`, for outputs `(batch, time, channels)`: ln(norm of the loss's gradient by the
  output at the first step / at the last step).
- `gamma`: the mean of |gamma| of a normalisation.

Measure of a layer over the whole of training:

- `drift`: the mean over epochs k of: the mean over units of |mean_k - mean_(k-1)| / s_(k-1), plus
  |ln(s_k / s_(k-1))|. s, the layer's scale, is the root of the mean variance over units: one number
  a layer, so that a dead unit divides nothing. k - 1 = 0 is the start. An epoch before or after
  which s is 0, because every unit is constant, is left out.

Measures of the network, at the end, and with the suffix `_at_first_epoch` after the first epoch:

- `constant`: 1 if every output is constant on the batch, by the rule for units, else 0.
- `inference_gap`, for classes: accuracy with normalisation on the batch's statistics, all else as
  at inference, less accuracy at inference. Both on the first validation samples that fill whole
  training batches, taken together as one batch.

All measures of a run that diverged are NaN.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

from pipeline import data, train  # before keras: it sets what XLA reads when it starts

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from pipeline.config import ConfigError, Train, complain, load, study_seeds
from pipeline.results import (MEASURES_TABLE, PROBES, RUNS, RUNS_TABLE, read_table, significant,
                              write_table)

#: The batch that layers are looked at on has at most so many samples, or one training batch.
SAMPLES = 256
#: Values that differ by at most this share of the largest of them are rounding.
TOLERANCE = 1e-6
AT_START, AT_FIRST_EPOCH = "_at_start", "_at_first_epoch"

LAYER_MEASURES = ["mean", "variance", "moment_distance", "skewness", "kurtosis", "zero_share",
                  "saturated_share", "slope", "correlation", "gradient_norm", "gradient_imbalance",
                  "gradient_over_time", "gamma"]
NETWORK_MEASURES = ["constant", "inference_gap"]
MEASURES = [*(name + when for name in LAYER_MEASURES for when in ("", AT_START)), "drift",
            *(name + when for name in NETWORK_MEASURES for when in ("", AT_FIRST_EPOCH))]
#: Copied from the table of runs, which makes the two tables alike.
COPIED = ["purpose", "learning_rate", "chosen", "default", "diverged", "best_error",
          "trivial_error", "test_size"]
COLUMNS = ["experiment", "variant", "data", "seed", *COPIED, *MEASURES]

#: Layers that are looked at as in training; besides Keras' BatchNormalization and its subclasses.
AS_IN_TRAINING = {"GhostBatchNormalization", "BatchNormLSTM", "LayerNormLSTM", "BatchNoise"}
#: How the names of weights begin that are no kernels, whatever their shape.
NO_KERNELS = ("bias", "gamma", "beta", "alpha")
#: The derivative, over its maximum, of an activation with bounds, from the activation's output.
SLOPES = {keras.activations.sigmoid: lambda y: 4 * y * (1 - y),
          keras.activations.tanh: lambda y: 1 - y**2}
#: An output is saturated where the derivative is below this share of its maximum.
SATURATED = 0.1


# Measures of arrays. `values` are `(samples, units)`, in double precision.

def by_unit(outputs: np.ndarray) -> np.ndarray:
    """`(batch, ..., units)` → `(samples, units)` in double precision."""
    return np.asarray(outputs, np.float64).reshape(-1, outputs.shape[-1])


def varies(values: np.ndarray) -> np.ndarray:
    """Which units are not constant, `(units,)`: their range exceeds `TOLERANCE` of the largest value."""
    return np.ptp(values, axis=0) > TOLERANCE * np.abs(values).max(axis=0)


def moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each unit, `(units,)` both; the variance of a constant unit is 0."""
    return values.mean(axis=0), np.where(varies(values), values.var(axis=0), 0.0)


def moment_distance(mean: np.ndarray, variance: np.ndarray) -> float:
    """How far units are from mean 0 and variance 1: the mean over units of |mean| + |variance - 1|."""
    return float((np.abs(mean) + np.abs(variance - 1)).mean())


def _standardised(values: np.ndarray) -> np.ndarray:
    """The units that vary, with mean 0 and variance 1."""
    values = values[:, varies(values)]
    return (values - values.mean(axis=0)) / values.std(axis=0)


def skewness(values: np.ndarray) -> float:
    """The mean over units that vary of |E z^3|; NaN if none does."""
    z = _standardised(values)
    return float(np.abs((z**3).mean(axis=0)).mean()) if z.size else math.nan


def kurtosis(values: np.ndarray) -> float:
    """The mean over units that vary of |E z^4 - 3|, 0 for a normal distribution; NaN if none does."""
    z = _standardised(values)
    return float(np.abs((z**4).mean(axis=0) - 3).mean()) if z.size else math.nan


def correlation(values: np.ndarray) -> float:
    """The mean |Pearson correlation| of pairs of units that vary, in 0..1; NaN without a pair."""
    z = _standardised(values)
    units = z.shape[1]
    if units < 2:
        return math.nan
    pairs = np.abs(z.T @ z / len(z))[np.triu_indices(units, 1)]
    return float(pairs.mean())


def zero_share(values: np.ndarray) -> float:
    """The share of exact zeros, in 0..1."""
    return float((values == 0).mean())


def saturation(activation, values: np.ndarray) -> tuple[float, float]:
    """`saturated_share` and `slope` of an activation's outputs, both in 0..1.

    The share of outputs at which the derivative is below a tenth of its maximum, and the mean
    derivative over its maximum; NaN but for sigmoid (y (1 - y), at most 1/4) and tanh (1 - y^2).
    """
    if activation not in SLOPES:
        return math.nan, math.nan
    slopes = SLOPES[activation](values)
    return float((slopes < SATURATED).mean()), float(slopes.mean())


def norm(arrays: list[np.ndarray]) -> float:
    """The Euclidean norm of all entries together; NaN without any array.

    In double precision: the square of a vanishing gradient is below the least single number.
    """
    if not arrays:
        return math.nan
    return math.sqrt(sum(float((np.asarray(a, np.float64)**2).sum()) for a in arrays))


def log_ratio(a: float, b: float) -> float:
    """ln(a / b); NaN unless both are above 0."""
    return math.log(a / b) if a > 0 and b > 0 else math.nan


def drift(history: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """How far a layer's distribution moves in an epoch.

    The mean over epochs k of mean over units |mean_k - mean_(k-1)| / s_(k-1) + |ln(s_k / s_(k-1))|,
    with s the root of the mean variance over units. An epoch before or after which s is 0 is left
    out; NaN if none is left.

    Args:
        history: what `moments` gave before the first step, then after each epoch.
    """
    steps = []
    for (mean, variance), (mean_after, variance_after) in zip(history, history[1:]):
        scale, after = math.sqrt(variance.mean()), math.sqrt(variance_after.mean())
        if scale > 0 and after > 0:
            steps.append(np.abs(mean_after - mean).mean() / scale + abs(math.log(after / scale)))
    return float(np.mean(steps)) if steps else math.nan


def constant(outputs: np.ndarray) -> float:
    """1.0 if no output varies, so that the network predicts the same for every sample, else 0.0."""
    return float(not varies(by_unit(outputs)).any())


def accuracy(y: np.ndarray, prediction: np.ndarray) -> float:
    """The share of samples whose likeliest class is theirs."""
    return float((prediction.argmax(axis=1) == y).mean())


# Networks

@dataclass(frozen=True, eq=False)
class Seen:
    """What was seen of one layer on a batch.

    Attributes:
        outputs: `(batch, ..., units)`.
        gradients: of the loss by each kernel.
        ends: of the loss by the output at the first and at the last step, `(batch, channels)`
            both; empty unless the output is `(batch, time, channels)`.
        gammas: of a normalisation, `(units,)` each.
    """

    outputs: np.ndarray
    gradients: list[np.ndarray]
    ends: list[np.ndarray]
    gammas: list[np.ndarray]


def _as_in_training(layer) -> bool:
    return any(isinstance(part, keras.layers.BatchNormalization)
               or type(part).__name__ in AS_IN_TRAINING for part in layer._flatten_layers())


def kernels(layer) -> list:
    """The trained weights of a layer but biases, gammas, betas and the slopes of a PReLU."""
    return [w for w in layer.trainable_variables
            if len(w.shape) >= 2 and not w.name.startswith(NO_KERNELS)]


class Watched(train.Trainer):
    """A trainer that stops after each epoch, so that its network can be looked at."""

    def __init__(self, network: dict, shape: tuple[int, ...], classes: int, optimizer):
        super().__init__(network, shape, classes, optimizer)
        #: In the network's order, which is a chain.
        self.layers = [layer for layer in self.model.layers
                       if not isinstance(layer, keras.layers.InputLayer)]
        self._look = tf.function(self._see, jit_compile=True)
        self._together = tf.function(lambda x: self._outputs(x)[-1], jit_compile=True)

    def _outputs(self, x) -> list:
        """What each layer gives. All variables are afterwards as they were."""
        before = [tf.identity(v.value) for v in self.model.variables]
        outputs = []
        for layer in self.layers:
            x = layer(x, training=_as_in_training(layer))
            outputs.append(x)
        for variable, value in zip(self.model.variables, before):
            variable.assign(value)
        return outputs

    def _see(self, x, y):
        weights = [kernels(layer) for layer in self.layers]
        with tf.GradientTape() as tape:
            tape.watch(x)  # A first layer that does nothing gives the input itself.
            outputs = self._outputs(x)
            loss = train.loss_function(self.classes)(y, outputs[-1])
        over_time = [[o] if len(o.shape) == 3 else [] for o in outputs]
        of_weights, of_outputs = tape.gradient(
            loss, ([[w.value for w in some] for some in weights], over_time),
            unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return outputs, of_weights, [[g[:, step] for g in one for step in (0, -1)] for one in of_outputs]

    def begin(self, start: list[np.ndarray], learning_rate: float) -> None:
        """Put everything at a run's start; `start` as `Trainer.start` gives it."""
        for variable, value in zip(self.model.variables, start, strict=True):
            variable.assign(value)
        for variable, value in zip(self.optimizer.variables, self._optimizer_start, strict=True):
            variable.assign(value)
        self.optimizer.learning_rate.assign(learning_rate)

    def epoch(self, split: data.Split, order: np.ndarray) -> np.ndarray:
        """Go on for one epoch; its training and validation loss, as in `Trainer.run`'s curves.

        Args:
            order: the epoch's row numbers `(batches, batch_size)`.
        """
        return self._run(*map(tf.constant, (split.x_train, split.y_train, split.x_validation,
                                            split.y_validation, order[None]))).numpy()[0]

    def look(self, x: np.ndarray, y: np.ndarray) -> list[Seen]:
        """What each layer does on a batch now. Changes nothing."""
        outputs, gradients, ends = self._look(tf.constant(x), tf.constant(y))
        return [Seen(output.numpy(), [g.numpy() for g in some],
                     [e.numpy() for e in end],
                     [w.numpy() for w in layer.weights if w.name.startswith("gamma")])
                for layer, output, some, end in zip(self.layers, outputs, gradients, ends)]

    def inference_gap(self, x: np.ndarray, y: np.ndarray) -> float:
        """Accuracy with the statistics of this batch less accuracy at inference, in -1..1."""
        together, inference = (f(tf.constant(x)).numpy() for f in (self._together, self._predict))
        return accuracy(y, together) - accuracy(y, inference)


def describe(layers: list, seen: list[Seen]) -> list[dict[str, float]]:
    """`LAYER_MEASURES` of each layer, from one look at them."""
    norms = [norm(one.gradients) for one in seen]
    reference = dict(zip((layer.name for layer in layers), norms)).get("output_1", math.nan)
    rows = []
    for layer, one, size in zip(layers, seen, norms, strict=True):
        values = by_unit(one.outputs)
        mean, variance = moments(values)
        activation = layer.activation if isinstance(layer, keras.layers.Activation) else None
        saturated, slope = saturation(activation, values)
        rows.append({
            "mean": mean.mean(), "variance": variance.mean(),
            "moment_distance": moment_distance(mean, variance),
            "skewness": skewness(values), "kurtosis": kurtosis(values),
            "zero_share": zero_share(values), "saturated_share": saturated, "slope": slope,
            "correlation": correlation(values), "gradient_norm": size,
            "gradient_imbalance": abs(log_ratio(size, reference)),
            "gradient_over_time": log_ratio(norm(one.ends[:1]), norm(one.ends[1:])),
            "gamma": float(np.abs(np.concatenate(one.gammas)).mean()) if one.gammas else math.nan})
    return rows


def whole_batches(size: int, batch_size: int) -> int:
    """How many of `size` samples fill whole batches; all of them if they fill none."""
    return size // batch_size * batch_size or size


def _finite(seen: list[Seen]) -> bool:
    return all(np.isfinite(one.outputs).all() for one in seen)


def watch(trainer: Watched, start: list[np.ndarray], split: data.Split, order: np.ndarray,
          learning_rate: float) -> dict[str, dict[str, float]] | None:
    """One run → its measures by layer name, the network's under the empty name; None if it diverges.

    Args:
        start: as `Trainer.start` gives it.
        order: the row numbers of all epochs, `(epochs, batches, batch_size)`.
    """
    batch_size = order.shape[2]
    count = whole_batches(min(max(SAMPLES, batch_size), len(split.x_train)), batch_size)
    x, y = split.x_train[:count], split.y_train[:count]
    held = slice(whole_batches(len(split.x_validation), batch_size))
    trainer.begin(start, learning_rate)
    seen = trainer.look(x, y)
    if not _finite(seen):
        return None
    history = [[moments(by_unit(one.outputs)) for one in seen]]
    at_start, network = describe(trainer.layers, seen), {}
    for number, rows in enumerate(order, 1):
        losses = trainer.epoch(split, rows)
        seen = trainer.look(x, y)
        if not (np.isfinite(losses).all() and _finite(seen)):
            return None
        history.append([moments(by_unit(one.outputs)) for one in seen])
        if number in (1, len(order)):
            gap = (trainer.inference_gap(split.x_validation[held], split.y_validation[held])
                   if split.classes else math.nan)
            now = {"constant": constant(seen[-1].outputs), "inference_gap": gap}
            for when in (AT_FIRST_EPOCH,) * (number == 1) + ("",) * (number == len(order)):
                network |= {name + when: value for name, value in now.items()}
    found = {"": network}
    for place, (layer, before, now) in enumerate(zip(
            trainer.layers, at_start, describe(trainer.layers, seen), strict=True)):
        found[layer.name] = now | {name + AT_START: value for name, value in before.items()} | {
            "drift": drift([moment[place] for moment in history])}
    return found


def probe(plan: dict, arrays: dict[str, dict], runs: pd.DataFrame, seeds: int) -> pd.DataFrame:
    """The measures of a plan's runs at their chosen learning rates, with the columns `COLUMNS`.

    One row a layer, whose `variant` is the layer's name (in a sweep `variant,layer`), and one for
    the network, whose `variant` is the variant's own.

    Args:
        plan: a resolved plan file.
        arrays: data set → its arrays.
        runs: the experiment's table of runs.
        seeds: how many study seeds are watched: the first ones, or all of a data set with fewer.

    Raises:
        ValueError: the table of runs lacks a run that would be watched.
        WrongVersion: the installed packages are not those of the plan.
    """
    train.check_versions(plan["versions"])
    rows = []
    for arm in plan["arms"]:
        place = {"experiment": plan["experiment"], "variant": arm["variant"], "data": arm["data"]}
        mine = runs[(runs["purpose"] == "study") & runs["chosen"]]
        for column, value in place.items():
            mine = mine[mine[column] == value]
        mine = mine.set_index("seed")
        values = Train(**arm["train"])
        wanted = study_seeds(min(seeds, plan["data"][arm["data"]]["seeds"]))
        missing = [str(seed) for seed in wanted if seed not in mine.index]
        if missing:
            raise ValueError(f"{', '.join(filter(None, place.values()))}: the table of runs lacks the "
                             f"chosen runs of the seeds {', '.join(missing)}")
        trainer = Watched(arm["network"], tuple(arm["shape"]), arm["classes"], values.optimizer)
        for seed in wanted:
            run = mine.loc[seed]
            copied = {name: run[name] for name in COPIED}
            split = data.load(arrays[arm["data"]], seed, train_fraction=values.train_fraction,
                              scaling=values.scaling)
            order = train.batch_order(len(split.x_train), values.batch_size, values.epochs, seed,
                                      values.repetition)
            found = None if run["diverged"] else watch(
                trainer, trainer.start(seed, values.repetition), split, order,
                float(run["learning_rate"]))
            copied["diverged"] = found is None
            for name in ("", *(layer.name for layer in trainer.layers)):
                variant = ",".join(filter(None, (arm["variant"], name)))
                measured = dict.fromkeys(MEASURES, math.nan) | {
                    k: significant(v) for k, v in (found or {}).get(name, {}).items()}
                rows.append(place | {"variant": variant, "seed": seed} | copied | measured)
    return pd.DataFrame(rows, columns=COLUMNS)


def main() -> int:
    """Watch an experiment's runs and write the table of measures."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.probe", description=main.__doc__)
    parser.add_argument("experiment")
    name = parser.parse_args().experiment
    try:
        seeds = load().probe.seeds
        path = Path("plan") / f"{name}.json"
        if not path.exists():
            raise ConfigError(f"{path}: there is no such file; `make book` writes it")
        plan = json.loads(path.read_text(encoding="utf-8"))
        arrays = {d: data.read(f"data/{d}.npz") for d in plan["data"]}
        table = probe(plan, arrays, read_table(RUNS / name / RUNS_TABLE), seeds)
    except (ConfigError, OSError, ValueError, train.WrongVersion) as error:
        return complain(error)
    write_table(table, PROBES / name / MEASURES_TABLE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
