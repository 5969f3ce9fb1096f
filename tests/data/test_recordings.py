"""Synthetic recordings and texts."""

import numpy as np
import pytest
import scipy.signal
import scipy.sparse
import scipy.stats
from sklearn.feature_selection import f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline.data.sources import make
from pipeline.data.splits import load


@pytest.fixture(scope="module")
def recordings():
    """Recordings of three seeds' problems, in numbers that show small differences."""
    sizes = {"train": 1500, "validation": 30, "test": 1500}
    arrays = make("eeg", [0, 1, 2], **sizes)
    return {seed: load(arrays, seed, scaling="none") for seed in (0, 1, 2)}


def log_band_powers(x, low, high):
    """Logarithms ``(recordings, channels)`` of the power from `low` to `high` Hz."""
    frequency, density = scipy.signal.welch(x, fs=64, nperseg=48, axis=1)
    return np.log(density[:, (low <= frequency) & (frequency <= high)].mean(axis=1))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_eeg_classes_differ_in_power_of_the_faster_bands(recordings, seed):
    x, y = recordings[seed].x_train, recordings[seed].y_train

    def difference(low, high):
        # Variance between classes over variance within, 1 where there is no difference.
        return np.median(f_classif(log_band_powers(x, low, high), y)[0])

    # Below the slowest sources, where little of the tails of the faster ones is left.
    slow, alpha, beta = difference(1, 4), difference(8, 13), difference(16, 26)
    assert slow < 10
    assert min(alpha, beta) > max(30, 8 * slow)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_eeg_classes_have_the_same_mean(recordings, seed):
    x, y = recordings[seed].x_train.astype(float), recordings[seed].y_train
    for label in range(3):
        mine = x[y == label]
        score = mine.mean(axis=0) / (mine.std(axis=0) / np.sqrt(len(mine)))
        assert np.abs(score).max() < 5
        assert score.std() == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_eeg_needs_more_than_a_linear_rule_on_values(recordings, seed):
    split = recordings[seed]

    def error(features):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500, tol=1e-2))
        model.fit(features(split.x_train), split.y_train)
        return 1 - model.score(features(split.x_test), split.y_test)

    def powers(x):
        return np.concatenate([log_band_powers(x, 8, 13), log_band_powers(x, 16, 26)], axis=1)

    assert error(lambda x: x.reshape(len(x), -1)) > 0.6
    assert error(powers) < 0.4


def test_eeg_is_stationary_correlated_and_oscillates(recordings):
    for split in recordings.values():
        x = split.x_train.astype(float)
        variance = x.var(axis=(0, 2))
        assert variance.max() < 1.2 * variance.min()
        correlation = np.corrcoef(x.reshape(-1, 16).T)[np.triu_indices(16, 1)]
        assert 0.5 < np.abs(correlation).max() < 0.99
        # An autoregression and noise alone fall with frequency.
        bands = [np.exp(log_band_powers(x, *band)).mean() for band in ((8, 26), (29, 32))]
        assert bands[0] > 3 * bands[1]


def test_eeg_may_be_short_and_of_one_channel():
    arrays = make("eeg", [0], window=1, channels=1, classes=2)
    assert arrays["x_0"].shape == (640, 1, 1)
    assert "window" not in arrays
    # Amplitudes about 1, a background of deviation 0.5 and noise of deviation 0.3.
    assert 0.8 < arrays["x_0"].std() < 2


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_tokens_need_their_order(seed):
    split = load(make("tokens", [seed], train=3000), seed, scaling="none")
    generator = np.random.default_rng(0)

    def counts(codes, number):
        rows = np.repeat(np.arange(len(codes)), codes.shape[1])
        entries = np.ones(codes.size), (rows, codes.astype(int).ravel())
        return scipy.sparse.coo_array(entries, (len(codes), number)).tocsr()

    def bag(x):
        return counts(x, 60)

    def bigrams(x):
        return counts(60 * x[:, :-1] + x[:, 1:], 3600)

    def error(features):
        model = LogisticRegression(C=0.3, max_iter=500, tol=1e-2)
        model.fit(features(split.x_train), split.y_train)
        return 1 - model.score(features(split.x_test), split.y_test)

    words, order = error(bag), error(bigrams)
    # Words alone say something, their order much more, and nothing once it is destroyed.
    assert words < 0.7
    assert order < 0.65 * words
    assert error(lambda x: bigrams(generator.permuted(x, axis=1))) > 0.9 * words


def test_tokens_are_word_numbers(made):
    for seed in range(3):
        x = made["tokens"][f"x_{seed}"]
        assert x.dtype == np.int32 and x.shape == (1680, 24)
        assert set(np.unique(x)) == set(range(60))
        # Unequally frequent, as words are.
        counts = np.sort(np.bincount(x.ravel()))
        assert counts[-6:].sum() > 4 * counts[:6].sum()
        split = load(made["tokens"], seed, scaling="none")
        assert split.x_train.dtype == np.float32
        np.testing.assert_array_equal(split.x_train, x[:480])
        np.testing.assert_array_equal(split.x_test, x[720:])


def test_tokens_pairs_stand_at_every_place():
    arrays = make("tokens", [0], train=12000)
    x, y = arrays["x_0"], arrays["y_0"]
    together = scipy.stats.contingency.crosstab(x[:, :-1].ravel(), x[:, 1:].ravel()).count
    expected = np.outer(together.sum(axis=1), together.sum(axis=0)) / together.sum()
    surprise = (together - expected) / np.sqrt(expected)
    # Six pairs, each in both orders.
    found = np.argwhere(surprise > 20)
    assert len(found) == 12 and {tuple(p) for p in found} == {(b, a) for a, b in found}
    assert len(set(found.ravel())) == 12
    for first, second in found[found[:, 0] < found[:, 1]]:
        as_is = (x[:, :-1] == first) & (x[:, 1:] == second)
        turned = (x[:, :-1] == second) & (x[:, 1:] == first)
        either = (as_is | turned).sum(axis=0)
        # The ends, next to which no pair can begin or end halfway, have a few more.
        assert either.min() > 0.65 * either.max()
        # Every class has the pair, two classes in the one order and two in the other.
        share = [as_is[y == k].sum() / (as_is | turned)[y == k].sum() for k in range(4)]
        often = [(as_is | turned)[y == k].sum() / (y == k).sum() for k in range(4)]
        assert max(often) < 1.25 * min(often)
        assert sorted(np.round(share)) == [0, 0, 1, 1]
        assert all(min(s, 1 - s) < 0.25 for s in share)


def test_tokens_may_be_few():
    arrays = make("tokens", [0], length=4, vocabulary=20, classes=2)
    assert arrays["x_0"].shape == (1680, 4)
    assert arrays["x_0"].min() == 0 and arrays["x_0"].max() == 19
