"""Synthetic tables."""

import numpy as np
import pytest
import scipy.stats
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC

from pipeline.data.sources import make
from pipeline.data.split import load


@pytest.mark.parametrize("minority", [0.5, 0.1])
def test_tabular_minority_share(minority):
    arrays = make("tabular", [0, 1], train=640, validation=320, test=9040, minority=minority)
    for seed in (0, 1):
        share = arrays[f"y_{seed}"].mean()
        # The threshold and the rows are both samples.
        assert abs(share - minority) < 5 * np.sqrt(minority * (1 - minority) * 2 / 8192)


def test_tabular_teacher_is_not_linear():
    arrays = make("tabular", [0], train=3000, noise=0.1)
    split = load(arrays, 0)
    linear = LogisticRegression().fit(split.x_train, split.y_train)
    curved = SVC().fit(split.x_train, split.y_train)
    accuracy = [model.score(split.x_test, split.y_test) for model in (linear, curved)]
    assert accuracy[1] > accuracy[0] + 0.03
    assert accuracy[1] > 0.75


@pytest.fixture(scope="module")
def many():
    """Some seeds of `many_classes`, and the parts' sizes by default."""
    return make("many_classes", range(8)), (1200, 400, 1600)


@pytest.mark.parametrize("seed", range(8))
def test_many_classes_are_unequal_and_occur_in_every_part(many, seed):
    arrays, sizes = many
    y = arrays[f"y_{seed}"]
    assert y.dtype == np.int32
    for part in np.split(y, np.cumsum(sizes)[:-1]):
        assert set(part) == set(range(9))
    # Nine shares, each the same multiple of the next, the first eight times the last.
    expected = 8.0 ** (np.arange(9) / 8)
    expected /= expected.sum()
    found = np.sort(np.bincount(y)) / len(y)
    # The constants come from one sample, the rows are another.
    deviation = np.sqrt(expected * (1 - expected) * (1 / len(y) + 1 / 8192))
    assert (np.abs(found - expected) < 5 * deviation).all()
    assert 0.02 < found[0] < 0.05 and 0.22 < found[-1] < 0.3


def test_many_classes_sizes_belong_to_no_fixed_class(many):
    largest = {np.bincount(many[0][f"y_{seed}"]).argmax() for seed in range(8)}
    assert len(largest) > 3


def test_many_classes_features_are_skewed_counts(many):
    arrays, _ = many
    for seed in (0, 7):
        x = arrays[f"x_{seed}"].astype(float)
        assert (x == np.round(x)).all() and x.min() == 0
        assert scipy.stats.skew(x).min() > 1
        assert 0.2 < (x == 0).mean() < 0.7
        # Few common factors: features hang together, rows do not.
        correlation = np.abs(scipy.stats.spearmanr(x).statistic[np.triu_indices(40, 1)])
        assert correlation.max() > 0.4
        logs = StandardScaler().fit_transform(np.log1p(x))
        neighbours = (logs[1:] * logs[:-1]).mean(axis=0)
        assert np.abs(neighbours).max() < 5 / np.sqrt(len(x))


def test_many_classes_teacher_is_not_linear():
    arrays = make("many_classes", [0], train=2500, noise=0.0)
    split = load(arrays, 0, scaling="none")
    steps = (StandardScaler(), PCA(5))
    train, test = np.log1p(split.x_train), np.log1p(split.x_test)
    linear = make_pipeline(*steps, LogisticRegression(max_iter=1000, tol=1e-2))
    cubic = make_pipeline(*steps, PolynomialFeatures(3), StandardScaler(), LogisticRegression(max_iter=1000, tol=1e-2))
    error = [1 - m.fit(train, split.y_train).score(test, split.y_test) for m in (linear, cubic)]
    trivial = 1 - np.bincount(split.y_test).max() / len(split.y_test)
    assert error[1] < 0.8 * error[0] < 0.8 * trivial


def test_many_classes_noise_changes_classes_only():
    drawn = [make("many_classes", [0], noise=noise) for noise in (0.0, 0.05, 1.0)]
    for other in drawn[1:]:
        np.testing.assert_array_equal(drawn[0]["x_0"], other["x_0"])
    changed = [(drawn[0]["y_0"] != other["y_0"]).mean() for other in drawn[1:]]
    assert 0 < changed[0] < 0.1 and 0.3 < changed[1] < 0.8
