"""Exact checks of what a layer does: identities that need no statistics."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from pipeline.mechanics import applications, old_code
from pipeline.network import no_advice
from pipeline.network.layers.squeeze_excite import SqueezeExcite
from pipeline.tables.stored import MECHANICS, building, write_table

COLUMNS = ["check", "statement", "expected", "found", "tolerance", "holds"]
SEED = 20


def _normal(shape, loc=0.0, scale=1.0) -> np.ndarray:
    return np.random.default_rng(SEED).normal(loc, scale, shape).astype(np.float32)


def _row(check: str, statement: str, difference: float, tolerance: float, above: bool = False) -> dict:
    """A check that a largest absolute difference is at most its tolerance, or above it."""
    return {"check": check, "statement": statement,
            "expected": f"largest difference {'above' if above else 'at most'} {tolerance:g}", "found": f"{difference:.2g}",
            "tolerance": tolerance, "holds": difference > tolerance if above else difference <= tolerance}


def _counted(check: str, statement: str, found: int, expected: int) -> dict:
    """A check that a count is the expected one."""
    return {"check": check, "statement": statement, "expected": str(expected), "found": str(found), "tolerance": 0.0,
            "holds": found == expected}


def _largest(a, b) -> float:
    return float(np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64)).max())


def _normalised(x, mean, variance, gamma, beta, epsilon):
    """Ioffe & Szegedy (2015), algorithm 1: `gamma * (x - mean) / sqrt(variance + epsilon) + beta`."""
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


def bn_by_hand() -> list[dict]:
    """B29: the formula and Keras' layer, in training and at inference."""
    x, gamma, beta = _normal((64, 5), 3.0, 2.0), _normal(5, 1.0), _normal(5)
    layer = keras.layers.BatchNormalization()
    layer.build(x.shape)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    mean, variance = x.mean(0, dtype=np.float64), x.var(0, dtype=np.float64)
    by_hand = _normalised(x, mean, variance, gamma, beta, layer.epsilon)
    trained = layer(x, training=True)
    moved = layer.momentum * np.array([0.0, 1.0])[:, None] + (1 - layer.momentum) * np.stack([mean, variance])
    later = _normal((8, 5), -1.0)
    inferred = _normalised(later, *moved, gamma, beta, layer.epsilon)
    without = gamma * (x - mean) / np.sqrt(variance) + beta
    return [
        _row("bn_by_hand_training", "gamma (x - batch mean) / sqrt(batch variance + epsilon) + beta is what the layer "
             "gives in training", _largest(trained, by_hand), 1e-5),
        _row("bn_by_hand_inference", "the same formula with the moving mean and variance is what it gives at "
             "inference", _largest(layer(later, training=False), inferred), 1e-5),
        _row("bn_divisor_is_the_deviation", "dividing by the batch deviation alone, without epsilon, is what it gives in "
             "training", _largest(trained, without), 1e-5)]


def bn_restores_identity() -> list[dict]:
    """B13: gamma = sqrt(variance + epsilon) and beta = mean undo the normalisation."""
    x = _normal((64, 5), 3.0, 2.0)
    layer = keras.layers.BatchNormalization()
    layer.build(x.shape)
    layer.gamma.assign(np.sqrt(x.var(0) + layer.epsilon))
    layer.beta.assign(x.mean(0))
    return [_row("bn_restores_identity", "with gamma = sqrt(batch variance + epsilon) and beta = "
                 "batch mean, the output is the input", _largest(layer(x, training=True), x), 1e-5)]


def bn_never_added() -> list[dict]:
    """B2: the question's code creates the layer in a statement of its own."""
    def network(create: bool):
        keras.utils.set_random_seed(SEED)
        model = keras.Sequential([keras.Input((14,)), keras.layers.Dense(64, activation="tanh")])
        if create:
            keras.layers.BatchNormalization(epsilon=1e-6, momentum=0.9)
        model.add(keras.layers.Dense(2, activation="softmax"))
        return model

    x = _normal((32, 14))
    without, created = network(False), network(True)
    same = [type(a) for a in without.layers] == [type(b) for b in created.layers]
    difference = max([_largest(without(x), created(x))] + [
        _largest(a, b) for a, b in zip(without.get_weights(), created.get_weights(), strict=True)])
    row = _row("bn_never_added", "a layer that is created but not added leaves the layers, the "
               "weights and the outputs as they are", difference, 0.0)
    return [row | {"holds": row["holds"] and same}]


def noise_shape() -> list[dict]:
    """A15: `Dropout(noise_shape=(batch, 1, channels))` and SpatialDropout1D."""
    x = np.ones((256, 21, 10), np.float32)
    mask = np.asarray(keras.layers.Dropout(0.3, noise_shape=(256, 1, 10), seed=SEED)(x, training=True))
    spatial = np.asarray(keras.layers.SpatialDropout1D(0.3, seed=SEED)(x, training=True))
    dropped = float((mask[:, 0] == 0).mean())
    # Five standard errors of a share of 2560 draws.
    slack = 5 * (0.3 * 0.7 / mask[:, 0].size) ** 0.5
    return [
        _row("noise_shape_mask", "the mask is constant over time", float(np.ptp(mask, axis=1).max()), 0.0),
        _row("noise_shape_rate", "it drops the asked share of (sample, channel) pairs",
             abs(dropped - 0.3), round(slack, 3)),
        _row("noise_shape_equals_spatial_dropout", "with the same seed it equals SpatialDropout1D",
             _largest(mask, spatial), 0.0)]


def _random_bn(shape, gamma=None, axis=-1):
    """A BatchNormalization with drawn weights and statistics; `gamma` replaces its scale."""
    layer = keras.layers.BatchNormalization(axis=axis)
    layer.build(shape)
    size = layer.gamma.shape
    layer.gamma.assign(_normal(size, 1.0) if gamma is None else gamma)
    layer.beta.assign(_normal(size, 0.5))
    layer.moving_mean.assign(_normal(size, -0.5))
    layer.moving_variance.assign(_normal(size) ** 2 + 0.5)
    return layer


def pooling() -> list[dict]:
    """A21: batch normalisation before pooling over time, and after it."""
    x = _normal((64, 20, 10), 1.0, 2.0)
    positive = np.linspace(0.1, 2.0, 10, dtype=np.float32)
    signs = positive * np.where(np.arange(10) % 2, -1, 1).astype(np.float32)

    def difference(pool, gamma, training):
        before, after = (_random_bn((64, None, 10), gamma) for _ in range(2))
        return _largest(pool(before(x, training=training)), after(pool(x), training=training))

    average, largest = keras.layers.AveragePooling1D(2), keras.layers.MaxPooling1D(2)
    return [
        _row("bn_and_average_pooling_commute", "at inference, batch normalisation and average pooling give the same in "
             "either order", difference(average, signs, False), 1e-5),
        _row("bn_and_average_pooling_commute_in_training", "in training, they give the same in either "
             "order", difference(average, signs, True), 1e-5),
        _row("bn_and_max_pooling_commute", "at inference, batch normalisation with every gamma positive and max pooling "
             "give the same in either order", difference(largest, positive, False), 1e-5),
        _row("bn_and_max_pooling_commute_for_any_gamma", "at inference, they give the same in either order, whatever the "
             "sign of gamma", difference(largest, signs, False), 1e-5)]


def squeeze_excite() -> list[dict]:
    """A23: what a change of the last step does to the steps before it, and the bottleneck's size."""
    keras.utils.set_random_seed(SEED)
    x = _normal((32, 21, 20))
    later = x.copy()
    later[:, -1] += 1
    convolution = keras.layers.Conv1D(10, 3, padding="causal")
    gate = SqueezeExcite(4)

    def earlier(network):
        return _largest(network(later)[:, :-1], network(x)[:, :-1])

    return [
        _row("causal_convolution_does_not_look_ahead", "after a causal convolution, a change of the last step changes no "
             "earlier step", earlier(convolution), 0.0),
        _row("squeeze_excite_looks_ahead", "after a causal convolution and squeeze-and-excite, a change of the last step "
             "changes earlier steps", earlier(lambda inputs: gate(convolution(inputs))), 1e-5, above=True),
        _counted("squeeze_excite_bottleneck", "a ratio of 4 on 10 channels leaves 2 units", gate.reduce.shape[1], 2)]


def softmax_cross_entropies(classes: int = 2) -> list[dict]:
    """B4: the two cross-entropies of a softmax, for one-hot targets, and what Keras makes of it.

    Keras remembers the input of a softmax with its output. Its binary cross-entropy takes that
    input for the input of a sigmoid.
    """
    # Moderate ones: Keras keeps probabilities 1e-7 away from 0, which shows where they are small.
    logits = tf.constant(_normal((64, classes)))
    targets = np.eye(classes, dtype=np.float32)[np.arange(64) % classes]
    binary, categorical = keras.losses.binary_crossentropy, keras.losses.categorical_crossentropy
    losses, gradients = [], []
    for loss in (binary, categorical):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            # The same numbers, without the memory of where they come from.
            losses.append(loss(targets, tf.identity(keras.ops.softmax(logits))))
        gradients.append(tape.gradient(losses[-1], logits))
    in_keras = binary(targets, keras.layers.Softmax()(logits))
    z = np.asarray(logits, np.float64)
    sigmoids = (np.logaddexp(0, z) - targets * z).mean(-1)
    return [
        _row("two_way_softmax_binary_cross_entropy", "for one-hot pairs and the probabilities of a two-way softmax, "
             "binary cross-entropy is categorical cross-entropy", _largest(*losses), 1e-5),
        _row("two_way_softmax_binary_cross_entropy_gradient", "their gradients are the same too",
             _largest(*gradients), 1e-5),
        _row("two_way_softmax_binary_cross_entropy_in_keras", "for the output of a softmax layer, Keras' binary "
             "cross-entropy is the binary cross-entropy of its probabilities", _largest(in_keras, losses[0]), 1e-5),
        _row("two_way_softmax_trains_as_two_sigmoids", "for the output of a softmax layer, Keras' binary cross-entropy is "
             "that of a sigmoid for each output, the softmax left out", _largest(in_keras, sigmoids), 1e-5)]


def shift() -> list[dict]:
    """B10: the same number added to every pre-activation, with BN before relu and after it."""
    x = _normal((64, 5))
    bn, relu = keras.layers.BatchNormalization(), keras.layers.ReLU()

    def difference(network):
        return _largest(network(x - 1), network(x))

    return [
        _row("bn_before_ignores_a_shift", "with batch normalisation before relu, a shift of all pre-activations changes "
             "nothing in training", difference(lambda inputs: relu(bn(inputs, training=True))), 1e-5),
        _row("bn_after_ignores_a_shift", "with batch normalisation after relu, it changes nothing in training "
             "either", difference(lambda inputs: bn(relu(inputs), training=True)), 1e-5)]


def bias_before_bn() -> list[dict]:
    """B17, B30: what the bias of a layer does that batch normalisation follows."""
    x, weights = _normal((64, 14)), _normal((64, 64))
    keras.utils.set_random_seed(SEED)
    dense = keras.layers.Dense(64)
    bn = keras.layers.BatchNormalization()
    without = keras.layers.Dense(64, use_bias=False)
    for layer in (dense, without):
        layer.build(x.shape)
    without.kernel.assign(dense.kernel)
    dense.bias.assign(_normal(64, 1.0))
    with tf.GradientTape() as tape:
        outputs = bn(dense(x), training=True)
        # Any loss will do: here a drawn weight for every output.
        loss = keras.ops.sum(outputs * weights)
    kernel, bias = tape.gradient(loss, [dense.kernel.value, dense.bias.value])
    return [
        _row("bias_before_bn_changes_nothing", "with batch normalisation next, a bias changes no output "
             "in training", _largest(outputs, bn(without(x), training=True)), 1e-5),
        _row("bias_before_bn_has_no_gradient", "its gradient is zero (found: as a share of the kernel's "
             "largest)", _largest(bias, 0) / _largest(kernel, 0), 1e-5),
        _counted("bias_before_bn_weights", "leaving the bias of 64 units out saves 64 weights",
                 dense.count_params() - without.count_params(), 64)]


def bn_axis() -> list[dict]:
    """B18: the axis of batch normalisation for channels-last images."""
    # As many rows as channels, so that the same weights fit either axis.
    x = _normal((8, 3, 5, 3), 1.0, 2.0) * np.arange(1, 4, dtype=np.float32)

    def difference(axis):
        default, other = _random_bn(x.shape), _random_bn(x.shape, axis=axis)
        return max(_largest(default(x, training=t), other(x, training=t)) for t in (True, False))

    return [
        _row("bn_axis_last", "for channels-last images, axis 3 is the default, axis -1", difference(3), 0.0),
        _row("bn_axis_first", "for channels-last images, axis 1 is the same too", difference(1), 1e-5)]


def order_in_applications(counts: pd.DataFrame) -> list[dict]:
    """B19: the order in the networks that come with Keras; `counts` as `applications.table` gives."""
    total = counts[applications.COUNTS].sum()
    more = int((counts["after_activation"] > counts["before_activation"]).sum())
    return [{
        "check": "applications_bn_after_activation_is_the_habit",
        "statement": "in keras.applications, more batch normalisations stand directly after an activation than directly "
                     "before one", "expected": "more after than before",
        "found": f"{total['after_activation']} after, {total['before_activation']} before, "
                 f"{total['neither']} neither, of {total['bn_layers']}; more after in {more} of "
                 f"{int((counts['bn_layers'] > 0).sum())} families that have any",
        "tolerance": 0.0, "holds": bool(total["after_activation"] > total["before_activation"])}]


def checks(counts: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """All exact checks, one row each.

    Args:
        counts: what `applications.table` gives.
        features: what `old_code.table` gives.
    """
    rows = [*bn_by_hand(), *bn_restores_identity(), *bn_never_added(), *noise_shape(), *pooling(),
            *squeeze_excite(), *softmax_cross_entropies(), *shift(), *bias_before_bn(), *bn_axis(),
            *order_in_applications(counts), *old_code.checks(features)]
    return pd.DataFrame(rows, columns=COLUMNS)


def measure(folder: Path = building(MECHANICS)) -> dict[str, pd.DataFrame]:
    """Run all checks and write the tables into a folder; what the mechanics notebook calls.

    Returns the tables by the names of their files: `checks`, `applications`, `old_code`. The folder
    is the one that `replace_folder` puts in the place of `MECHANICS`.
    """
    with no_advice():
        counts, features = applications.table(), old_code.table()
        found = checks(counts, features)
    tables = {"checks": found, "applications": counts, "old_code": features}
    for name, table in tables.items():
        write_table(table, Path(folder) / f"{name}.csv")
    return tables
