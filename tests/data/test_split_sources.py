"""How a seed splits and scales arrays, and their digest."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from pipeline.data import split as splits
from pipeline.data.sources import SOURCES, make
from pipeline.data.split import SCALINGS, digest, load

SMALL = {"train": 64, "validation": 32, "test": 64}
SYNTHETIC = ("noise", "forecast", "badly_scaled", "tabular", "many_classes", "tokens")
# The rarest of nine classes needs more rows to occur in every part.
SMALLEST = dict.fromkeys(SYNTHETIC, SMALL) | {
    "many_classes": {"train": 400, "validation": 300, "test": 300}
}


def counted_sequence(steps, **sizes):
    """A sequence whose input and target at a step are that step's number."""
    x = np.arange(steps, dtype=np.float32)[:, None]
    entries = {"task": "regression", "kind": "synthetic", "classes": 0, "targets": "none"}
    arrays = {key: np.array(value) for key, value in (entries | sizes).items()}
    return arrays | {"x_0": x, "y_0": x}


@pytest.mark.parametrize("source", SYNTHETIC)
def test_digest_ignores_other_seeds(source):
    few = make(source, [1, 2], **SMALLEST[source])
    more = make(source, [1, 2, 19], **SMALLEST[source])
    assert digest(few, 1) == digest(more, 1)
    assert digest(few, 1) != digest(few, 2)
    change = {"noise": {"channels": 19}, "tokens": {"vocabulary": 40}}
    other = make(source, [1, 2], **SMALLEST[source], **change.get(source, {"noise": 0.1}))
    assert digest(few, 1) != digest(other, 1)


def test_digest_sees_scalars_values_shapes_and_types(made):
    arrays = make("forecast", [1], **SMALL)
    digests = {
        digest(arrays | change, 1)
        for change in (
            {},
            {"validation": np.array(31)},
            {"targets": np.array("none")},
            {"x_1": arrays["x_1"] + 1},
            {"x_1": arrays["x_1"].reshape(20, -1)},
            {"y_1": arrays["y_1"].view(np.int32)},
        )
    }
    assert len(digests) == 6
    digits = made["digits"]
    assert digest(digits, 0) == digest(make("digits", []), 0)
    assert digest(digits, 0) != digest(digits | {"y": digits["y"][::-1]}, 0)


@pytest.mark.parametrize("source", SOURCES)
def test_same_seed_same_split_other_seed_another(made, source):
    first, again, other = (load(made[source], seed) for seed in (1, 1, 2))
    for part in ("x_train", "y_train", "x_validation", "y_validation", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(first, part), getattr(again, part))
    assert not np.array_equal(first.x_train, other.x_train)


@pytest.mark.parametrize("source", SOURCES)
def test_standard_scaling_is_that_of_scikit_learn(made, source):
    raw = load(made[source], 0, scaling="none")
    scaled = load(made[source], 0)
    channels = raw.x_train.shape[-1]
    scaler = StandardScaler().fit(raw.x_train.reshape(-1, channels).astype(np.float64))
    for part in ("x_train", "x_validation", "x_test"):
        x = getattr(raw, part)
        expected = scaler.transform(x.reshape(-1, channels).astype(np.float64)).reshape(x.shape)
        np.testing.assert_allclose(getattr(scaled, part), expected, atol=1e-5, rtol=1e-5)
    np.testing.assert_array_equal(scaled.y_train, raw.y_train)


@pytest.mark.parametrize("source", ["forecast", "badly_scaled"])
@pytest.mark.parametrize("scaling", SCALINGS)
def test_targets_are_standardised_with_training_statistics(made, source, scaling):
    arrays = made[source]
    split = load(arrays, 2, scaling=scaling)
    raw = load(arrays | {"targets": np.array("none")}, 2, scaling=scaling)
    mean, deviation = raw.y_train.mean(dtype=float), raw.y_train.std(dtype=float)
    np.testing.assert_allclose(split.y_train.mean(dtype=float), 0, atol=1e-6)
    np.testing.assert_allclose(split.y_train.std(dtype=float), 1, atol=1e-6)
    np.testing.assert_allclose(split.y_test, (raw.y_test - mean) / deviation, atol=1e-5)


def test_a_constant_feature_becomes_zero():
    arrays = make("tabular", [0], **SMALL)
    x = arrays["x_0"].copy()
    x[:, 3] = 0.1
    split = load(arrays | {"x_0": x}, 0)
    np.testing.assert_allclose(split.x_train[:, 3], 0, atol=1e-6)
    np.testing.assert_allclose(split.x_test[:, 3], 0, atol=1e-6)


def test_a_pool_is_split_whole_and_stratified(made):
    arrays = made["digits"]
    y = arrays["y"]
    parts = splits.split(arrays, 5)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(y)))
    shares = np.bincount(y) / len(y)
    for part, share in zip(parts, (0.6, 0.2, 0.2), strict=True):
        assert abs(len(part) - share * len(y)) <= 1
        assert np.abs(np.bincount(y[part]) - shares * len(part)).max() <= 1.5


@pytest.mark.parametrize("window", [1, 2, 21])
def test_no_step_is_shared_by_two_parts_of_a_sequence(window):
    sizes = {"train": 30, "validation": 10, "test": 20, "window": window}
    arrays = counted_sequence(60 + 3 * (window - 1), **sizes)
    split = load(arrays, 0, scaling="none")
    parts = [split.x_train, split.x_validation, split.x_test]
    steps = [set(x.ravel().astype(int)) for x in parts]
    assert max(steps[0]) < min(steps[1]) <= max(steps[1]) < min(steps[2])
    assert set.union(*steps) == set(range(60 + 3 * (window - 1)))
    assert [len(x) for x in parts] == [30, 10, 20]
    for x, y in zip(parts, (split.y_train, split.y_validation, split.y_test), strict=True):
        np.testing.assert_array_equal(x[:, -1], y)
        assert (np.diff(x[..., 0], axis=1) == 1).all() and (np.diff(y[:, 0]) == 1).all()


def test_rows_of_a_table_are_split_whole(made):
    parts = splits.split(made["tabular"], 0)
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(640 + 320 + 1280))


@pytest.mark.parametrize("source", SOURCES)
def test_half_the_training_part(made, source):
    arrays = made[source]
    whole, half = splits.split(arrays, 1), splits.split(arrays, 1, train_fraction=0.5)
    assert len(half[0]) == round(len(whole[0]) / 2)
    for part, same in zip(whole[1:], half[1:], strict=True):
        np.testing.assert_array_equal(part, same)
    if "window" in arrays:
        np.testing.assert_array_equal(half[0], whole[0][-len(half[0]) :])
    else:
        assert set(half[0]) < set(whole[0]) and len(set(half[0])) == len(half[0])
        y = arrays["y" if source == "digits" else "y_1"]
        counts = np.bincount(y[whole[0]]), np.bincount(y[half[0]])
        assert np.abs(counts[0] / 2 - counts[1]).max() <= 1.5
    split = load(arrays, 1, train_fraction=0.5)
    assert len(split.x_train) == len(split.y_train) == len(half[0])
    assert len(split.x_test) == len(whole[2])


def test_half_is_scaled_with_its_own_statistics(made):
    for source in ("forecast", "digits"):
        half = load(made[source], 0, train_fraction=0.5)
        x = half.x_train.reshape(-1, half.x_train.shape[-1]).astype(float)
        np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-5)


def test_loading_errors(made):
    arrays = make("noise", [4, 11], **SMALL)
    with pytest.raises(ValueError, match="found 5.*4, 11"):
        load(arrays, 5)
    with pytest.raises(ValueError, match="found 5.*4, 11"):
        digest(arrays, 5)
    with pytest.raises(ValueError, match="'standart', allowed: standard, none"):
        load(arrays, 4, scaling="standart")
    for fraction in (0, -0.5, 1.5, float("nan")):
        with pytest.raises(ValueError, match="train_fraction"):
            load(arrays, 4, train_fraction=fraction)
    with pytest.raises(ValueError, match="leaves none"):
        load(arrays, 4, train_fraction=0.001)
    with pytest.raises(ValueError, match="test=6000.*do not fit"):
        load(arrays | {"test": np.array(6000)}, 4)
