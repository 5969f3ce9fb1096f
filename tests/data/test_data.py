"""The sources of data, their files, and how a seed splits and scales them."""

import datetime
import os
import socket
import zipfile
from pathlib import Path

import aeon.datasets
import numpy as np
import pandas as pd
import pytest
import scipy.signal
import scipy.sparse
import scipy.stats
import statsmodels.datasets.co2
from aeon.datasets import load_japanese_vowels
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_selection import f_classif
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from pipeline.data import splits
from pipeline.data.draw import DECIMALS
from pipeline.data.sources import SOURCES, check, make, read, write
from pipeline.data.splits import SCALINGS, digest, load

SMALL = {"train": 64, "validation": 32, "test": 64}
SEQUENCES = ("noise", "forecast", "badly_scaled")
SYNTHETIC = (*SEQUENCES, "tabular", "many_classes", "eeg", "tokens")
POOLS = ("vowels", "power", "cancer", "digits")
# The rarest of nine classes needs more rows to occur in every part.
SMALLEST = dict.fromkeys(SYNTHETIC, SMALL) | {
    "many_classes": {"train": 400, "validation": 300, "test": 300}
}


@pytest.fixture(scope="module")
def made():
    """Every source's arrays at their default sizes, synthetic ones for the seeds 0, 1, 2."""
    return {source: make(source, range(3)) for source in SOURCES}


def counted_sequence(steps, **sizes):
    """A sequence whose input and target at a step are that step's number."""
    x = np.arange(steps, dtype=np.float32)[:, None]
    entries = {"task": "regression", "kind": "synthetic", "classes": 0, "targets": "none"}
    arrays = {key: np.array(value) for key, value in (entries | sizes).items()}
    return arrays | {"x_0": x, "y_0": x}


# --- sources ---------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_names_its_task_and_kind(made, source):
    arrays = made[source]
    kinds = {"co2": "series"} | dict.fromkeys(POOLS, "pool")
    assert str(arrays["kind"]) == kinds.get(source, "synthetic")
    regression = source in (*SEQUENCES, "co2")
    assert str(arrays["task"]) == ("regression" if regression else "classes")


@pytest.mark.parametrize(
    ("source", "shape", "classes", "sizes"),
    [
        ("noise", (21, 20), 0, (480, 240, 960)),
        ("forecast", (21, 20), 0, (960, 480, 960)),
        ("badly_scaled", (21, 20), 0, (480, 480, 960)),
        ("tabular", (14,), 2, (640, 320, 1280)),
        ("many_classes", (40,), 9, (1200, 400, 1600)),
        ("eeg", (48, 16), 3, (240, 120, 280)),
        ("tokens", (24,), 4, (480, 240, 960)),
        ("vowels", (29, 12), 9, (384, 128, 128)),
        ("power", (24, 1), 2, (658, 219, 219)),
        ("cancer", (30,), 2, (341, 114, 114)),
        ("digits", (8, 8, 1), 10, (1079, 359, 359)),
        ("co2", (21, 1), 0, (768, 192, 320)),
    ],
)
def test_shapes_and_types_of_a_split(made, source, shape, classes, sizes):
    split = load(made[source], 1)
    assert split.classes == classes
    assert split.task == ("classes" if classes else "regression")
    parts = (
        (split.x_train, split.y_train),
        (split.x_validation, split.y_validation),
        (split.x_test, split.y_test),
    )
    for (x, y), size in zip(parts, sizes, strict=True):
        assert x.shape == (size, *shape) and x.dtype == np.float32
        assert np.isfinite(x).all()
        assert y.shape == ((size,) if classes else (size, 1))
        assert y.dtype == (np.int32 if classes else np.float32)
    if classes:
        assert set(split.y_train) == set(range(classes))


@pytest.mark.parametrize("source", SYNTHETIC)
def test_seeds_are_reproducible_and_independent(source):
    first = make(source, [3, 5], **SMALLEST[source])
    second = make(source, iter([7, 5, 5, 3]), **SMALLEST[source])
    assert set(second) - set(first) == {"x_7", "y_7"}
    for key in first:
        np.testing.assert_array_equal(first[key], second[key])
        if np.ndim(first[key]):
            assert first[key].dtype == second[key].dtype
    assert not np.array_equal(first["x_3"], first["x_5"])
    correlation = np.corrcoef(first["x_3"].ravel(), first["x_5"].ravel())[0, 1]
    # Channels of their own scales are not comparable by one correlation.
    assert source == "badly_scaled" or abs(correlation) < 0.1


@pytest.mark.parametrize("source", SEQUENCES)
def test_a_longer_series_begins_with_the_shorter(source):
    short = make(source, [1], **SMALL)
    longer = make(source, [1], **(SMALL | {"test": 96}))
    for key in ("x_1", "y_1"):
        np.testing.assert_array_equal(longer[key][: len(short[key])], short[key])


@pytest.mark.parametrize("source", ["noise", "forecast", "tabular", "many_classes", "eeg"])
def test_synthetic_inputs_are_rounded(made, source):
    x = made[source]["x_0"].astype(np.float64)
    np.testing.assert_array_equal(np.round(x, DECIMALS).astype(np.float32), x)


def test_noise_has_a_third_as_its_least_error(made):
    arrays = made["noise"]
    x, y = arrays["x_0"], arrays["y_0"]
    assert 0 <= y.min() and y.max() <= 2
    # Mean of (y - 1)**2 for y ~ U(0, 2): 1/3, its own variance 4/45.
    deviation = np.sqrt(4 / 45 / len(y))
    assert abs(np.mean((y - 1) ** 2) - 1 / 3) < 4 * deviation
    split = load(arrays, 0)
    np.testing.assert_array_equal(split.y_train, y[20:500])
    rows = split.x_train[:, -1], split.x_test[:, -1]
    fitted = LinearRegression().fit(rows[0], split.y_train)
    assert np.mean((fitted.predict(rows[1]) - split.y_test) ** 2) > 1 / 3 - 4 * deviation
    assert abs(x.mean()) < 0.02 and abs(x.std() - 1) < 0.02


def test_forecast_is_autoregressive_cross_correlated_and_standard():
    arrays = make("forecast", [0], train=8000, validation=32, test=32)
    x, y = arrays["x_0"], arrays["y_0"][:, 0]
    np.testing.assert_allclose(x.var(axis=0), 1, atol=0.25)
    frame = pd.DataFrame(x)
    assert frame.apply(lambda channel: channel.autocorr(1)).min() > 0.2
    correlations = frame.corr().to_numpy()[np.triu_indices(20, 1)]
    assert np.abs(correlations).max() > 0.4
    assert abs(y.mean()) < 0.15 and abs(y.var() - 1) < 0.2


def test_forecast_needs_memory_and_a_non_linear_rule():
    arrays = make("forecast", [0], train=6000, validation=32, test=2000, noise=0.0)
    split = load(arrays, 0)

    def error(features):
        train, test = features(split.x_train), features(split.x_test)
        fitted = LinearRegression().fit(train, split.y_train)
        error = np.mean((fitted.predict(test) - split.y_test) ** 2)
        return error / np.mean((split.y_test - split.y_train.mean()) ** 2)

    def squares(x):
        # All products of the four directions in which the channels vary most.
        directions = np.linalg.svd(split.x_train[:, -1], full_matrices=False)[2][:4]
        seen = x @ directions.T
        recent = np.concatenate([seen[:, -lag] for lag in (1, 2, 3)], axis=1)
        pairs = np.triu_indices(recent.shape[1])
        return (recent[:, :, None] * recent[:, None, :])[:, *pairs]

    def linear(x, steps=21):
        return x[:, -steps:].reshape(len(x), -1)

    def both(x, steps=21):
        return np.concatenate([linear(x, steps), squares(x)], axis=1)

    assert error(both) < 0.8 * error(lambda x: both(x, 3))
    assert error(both) < 0.8 * error(linear)


def test_forecast_noise_is_its_share_of_the_variance():
    without = make("forecast", [0], **SMALL, noise=0.0)["y_0"].astype(float)
    noisy = make("forecast", [0], **(SMALL | {"test": 4000}), noise=0.3)["y_0"].astype(float)
    clean = make("forecast", [0], **(SMALL | {"test": 4000}), noise=0.0)["y_0"].astype(float)
    np.testing.assert_array_equal(clean[: len(without)], without)
    # noisy = sqrt(0.7) clean + sqrt(0.3) e, e ~ N(0, 1) independent.
    rest = noisy - np.sqrt(0.7) * clean
    assert rest.var() == pytest.approx(0.3, rel=0.1)
    assert abs(np.corrcoef(rest[:, 0], clean[:, 0])[0, 1]) < 0.06


def test_forecast_targets_can_be_positive_or_as_drawn():
    drawn = make("forecast", [0], **SMALL, targets="none")
    positive = make("forecast", [0], **SMALL, targets="positive")
    np.testing.assert_allclose(
        positive["y_0"], np.log1p(np.exp(drawn["y_0"].astype(float))), atol=2e-4
    )
    for arrays in (drawn, positive):
        np.testing.assert_array_equal(load(arrays, 0).y_train, arrays["y_0"][20:84])
    assert load(positive, 0).y_test.min() > 0


def test_badly_scaled_is_forecast_in_other_units(made):
    plain, scaled = made["forecast"], made["badly_scaled"]
    x = scaled["x_0"].astype(np.float64)
    steps = len(x)
    np.testing.assert_array_equal(scaled["y_0"], plain["y_0"][:steps])
    np.testing.assert_allclose(
        StandardScaler().fit_transform(x),
        StandardScaler().fit_transform(plain["x_0"][:steps].astype(np.float64)),
        atol=1e-4,
    )
    deviations = np.concatenate([scaled[f"x_{seed}"].std(axis=0) for seed in range(3)])
    assert deviations.min() < 0.1 and deviations.max() > 10
    offsets = np.abs(x.mean(axis=0)) / x.std(axis=0)
    assert 1 < offsets.max() < 10
    assert not np.allclose(scaled["x_0"].std(axis=0), scaled["x_1"].std(axis=0), rtol=0.5)


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
    trees = HistGradientBoostingClassifier(random_state=0).fit(split.x_train, split.y_train)
    accuracy = [model.score(split.x_test, split.y_test) for model in (linear, trees)]
    assert accuracy[1] > accuracy[0] + 0.03
    assert accuracy[1] > 0.75


@pytest.fixture(scope="module")
def many():
    """Every development seed of `many_classes`, and the parts' sizes by default."""
    return make("many_classes", range(21)), (1200, 400, 1600)


@pytest.mark.parametrize("seed", range(21))
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
    largest = {np.bincount(many[0][f"y_{seed}"]).argmax() for seed in range(21)}
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
    arrays = make("many_classes", [0], train=4000, noise=0.0)
    split = load(arrays, 0, scaling="none")
    steps = (StandardScaler(), PCA(5))
    train, test = np.log1p(split.x_train), np.log1p(split.x_test)
    linear = make_pipeline(*steps, LogisticRegression(max_iter=1000, tol=1e-2))
    cubic = make_pipeline(*steps, PolynomialFeatures(3), StandardScaler(),
                          LogisticRegression(max_iter=1000, tol=1e-2))
    error = [1 - m.fit(train, split.y_train).score(test, split.y_test) for m in (linear, cubic)]
    trivial = 1 - np.bincount(split.y_test).max() / len(split.y_test)
    assert error[1] < 0.8 * error[0] < 0.8 * trivial


def test_many_classes_noise_changes_classes_only():
    drawn = [make("many_classes", [0], noise=noise) for noise in (0.0, 0.05, 1.0)]
    for other in drawn[1:]:
        np.testing.assert_array_equal(drawn[0]["x_0"], other["x_0"])
    changed = [(drawn[0]["y_0"] != other["y_0"]).mean() for other in drawn[1:]]
    assert 0 < changed[0] < 0.1 and 0.3 < changed[1] < 0.8


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


def test_vowels_hold_all_recordings(made):
    arrays = made["vowels"]
    x, y = load_japanese_vowels()
    assert len(x) == len(arrays["y"]) == 640
    np.testing.assert_array_equal(arrays["lengths"], [recording.shape[1] for recording in x])
    np.testing.assert_array_equal(arrays["x"], np.concatenate(x, axis=1).T.astype(np.float32))
    np.testing.assert_array_equal(arrays["y"], np.asarray(y, int) - 1)


def test_vowels_are_padded_on_the_left_after_scaling(made):
    arrays = made["vowels"]
    ends = np.cumsum(arrays["lengths"])
    recordings = np.split(arrays["x"].astype(np.float64), ends[:-1])
    train, validation, _ = splits.split(arrays, 4)
    scaler = StandardScaler().fit(np.concatenate([recordings[item] for item in train]))
    split, raw = load(arrays, 4), load(arrays, 4, scaling="none")
    for item, loaded, unscaled in zip(
        validation, split.x_validation, raw.x_validation, strict=True
    ):
        length = len(recordings[item])
        assert (loaded[: 29 - length] == 0).all() and (unscaled[: 29 - length] == 0).all()
        expected = scaler.transform(recordings[item])
        np.testing.assert_allclose(loaded[29 - length :], expected, atol=1e-5)
        np.testing.assert_array_equal(unscaled[29 - length :], recordings[item].astype("f4"))
    np.testing.assert_array_equal(split.y_validation, arrays["y"][validation])


def test_power_is_that_of_the_archive(made):
    folder = Path(aeon.datasets.__file__).parent / "data" / "ItalyPowerDemand"
    days, seasons = [], []
    for part in ("TRAIN", "TEST"):
        text = (folder / f"ItalyPowerDemand_{part}.ts").read_text()
        for line in text.split("@data")[1].split():
            day, season = line.split(":")
            days.append([float(value) for value in day.split(",")])
            seasons.append(int(season))
    x, y = made["power"]["x"], made["power"]["y"]
    assert x.shape == (1096, 24, 1)
    np.testing.assert_array_equal(x[..., 0], np.array(days, np.float32))
    np.testing.assert_array_equal(y, np.array(seasons) - 1)
    # As published: the first day's first hours.
    np.testing.assert_allclose(x[0, :3, 0], [-0.71051757, -1.1833204, -1.3724416])
    assert y[0] == 0


def test_power_has_three_years_of_two_seasons(made):
    x, y = made["power"]["x"][..., 0].astype(float), made["power"]["y"]
    # 1096 days are three years, one of them a leap year.
    first = datetime.date(1995, 1, 1)
    months = [(first + datetime.timedelta(day)).month for day in range(1096)]
    summer = sum(4 <= month <= 9 for month in months)
    assert list(np.bincount(y)) == [1096 - summer, summer] == [547, 549]
    np.testing.assert_allclose(x.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=1, ddof=1), 1, atol=1e-5)
    # It is dark at six in the evening from October to March.
    assert x[y == 0, 18].mean() > x[y == 1, 18].mean() + 0.5


def test_recordings_need_no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection was opened")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for source in ("power", "vowels"):
        assert len(make(source, [])["y"]) in (1096, 640)


def test_pools_of_scikit_learn(made):
    x, y = load_breast_cancer(return_X_y=True)
    np.testing.assert_array_equal(made["cancer"]["x"], x.astype(np.float32))
    np.testing.assert_array_equal(made["cancer"]["y"], y)
    images = load_digits()
    np.testing.assert_array_equal(made["digits"]["x"][..., 0], images.images)
    np.testing.assert_array_equal(made["digits"]["y"], images.target)


@pytest.mark.parametrize(("window", "horizon"), [(21, 8), (5, 1)])
def test_co2_windows_recomputed_with_pandas(window, horizon):
    arrays = make("co2", [0], window=window, horizon=horizon)
    level = statsmodels.datasets.co2.load_pandas().data["co2"]
    expected = pd.DataFrame(
        {
            f"before_{lag}": level.shift(lag) - level for lag in reversed(range(window))
        }
        | {"change": level.shift(-horizon) - level}
    )
    possible = expected.iloc[window - 1 : len(level) - horizon]
    kept = possible.dropna()
    weeks = level.index.get_indexer(kept.index)
    np.testing.assert_array_equal(arrays["week"], weeks)
    np.testing.assert_allclose(arrays["x"][..., 0], kept.iloc[:, :-1], atol=1e-4)
    np.testing.assert_allclose(arrays["y"][:, 0], kept["change"], atol=1e-4)
    assert arrays["windows_dropped"] == len(possible) - len(kept) > 0
    assert arrays["weeks"] == 2284 and arrays["weeks_missing"] == level.isna().sum() == 59
    missing = np.flatnonzero(level.isna())
    for week in arrays["week"]:
        assert not np.isin(missing, np.arange(week - window + 1, week + 1)).any()
        assert week + horizon not in missing


# --- files and digests -----------------------------------------------------------------------


def test_file_is_byte_stable_and_complete(tmp_path, made):
    arrays = made["forecast"]
    write(arrays, tmp_path / "first" / "forecast.npz")
    again = dict(reversed(make("forecast", [2, 1, 0]).items()))
    write(again, tmp_path / "second.npz")
    first, second = tmp_path / "first" / "forecast.npz", tmp_path / "second.npz"
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in first.parent.iterdir()] == ["forecast.npz"]
    with zipfile.ZipFile(first) as file:
        assert {entry.date_time[0] for entry in file.infolist()} == {1980}
        assert {entry.compress_type for entry in file.infolist()} == {zipfile.ZIP_STORED}
    held = read(first)
    assert set(held) == set(arrays)
    for key in arrays:
        np.testing.assert_array_equal(held[key], arrays[key])
    np.testing.assert_array_equal(load(held, 1).x_test, load(arrays, 1).x_test)


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "small.npz"
    write({"x": np.arange(3)}, path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        write({"x": np.arange(4)}, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("source", SYNTHETIC)
def test_digest_ignores_other_seeds(source):
    few = make(source, [1, 2], **SMALLEST[source])
    more = make(source, [1, 2, 19], **SMALLEST[source])
    assert digest(few, 1) == digest(more, 1)
    assert digest(few, 1) != digest(few, 2)
    change = {"noise": {"channels": 19}, "eeg": {"channels": 12}, "tokens": {"vocabulary": 40}}
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
    vowels = made["vowels"]
    assert digest(vowels, 0) == digest(make("vowels", []), 0)
    assert digest(vowels, 0) != digest(vowels | {"lengths": vowels["lengths"][::-1]}, 0)


# --- splits and scaling ----------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_same_seed_same_split_other_seed_another(made, source):
    first, again, other = (load(made[source], seed) for seed in (1, 1, 2))
    for part in ("x_train", "y_train", "x_validation", "y_validation", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(first, part), getattr(again, part))
    assert not np.array_equal(first.x_train, other.x_train)


@pytest.mark.parametrize("source", [each for each in SOURCES if each != "vowels"])
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


@pytest.mark.parametrize("source", ["forecast", "badly_scaled", "co2"])
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


@pytest.mark.parametrize("source", POOLS)
def test_pools_are_split_whole_and_stratified(made, source):
    arrays = made[source]
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


@pytest.mark.parametrize("horizon", [1, 8])
def test_parts_of_a_series_follow_each_other_without_overlap(horizon):
    arrays = make("co2", [], horizon=horizon)
    week, window = arrays["week"], int(arrays["window"])
    origins = set()
    for seed in range(40):
        train, validation, test = splits.split(arrays, seed)
        origins.add(int(train[0]))
        for earlier, later in ((train, validation), (validation, test)):
            last_target = week[earlier].max() + horizon
            first_input = week[later].min() - window + 1
            assert last_target < first_input
            # Nothing is wasted: the window before the later part would touch the earlier one.
            assert week[later[0] - 1] - window + 1 <= last_target
        for part, size in ((train, 768), (validation, 192), (test, 320)):
            np.testing.assert_array_equal(part, np.arange(part[0], part[0] + size))
    assert len(origins) > 30
    assert min(origins) < 100 and max(origins) > 400


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
        y = arrays["y" if source in POOLS else "y_1"]
        counts = np.bincount(y[whole[0]]), np.bincount(y[half[0]])
        assert np.abs(counts[0] / 2 - counts[1]).max() <= 1.5
    split = load(arrays, 1, train_fraction=0.5)
    assert len(split.x_train) == len(split.y_train) == len(half[0])
    assert len(split.x_test) == len(whole[2])


def test_half_is_scaled_with_its_own_statistics(made):
    for source in ("forecast", "cancer"):
        half = load(made[source], 0, train_fraction=0.5)
        x = half.x_train.reshape(-1, half.x_train.shape[-1]).astype(float)
        np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-5)


# --- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "arguments", "words"),
    [
        ("forcast", {}, ["'forcast'", "did you mean 'forecast'", "digits"]),
        ("forecast", {"chanels": 3}, ["'forecast'", "'chanels'", "did you mean 'channels'"]),
        ("forecast", {"noise": 1.0}, ["arguments.noise:", "1.0", "below 1"]),
        ("forecast", {"noise": True}, ["arguments.noise:", "True"]),
        ("forecast", {"noise": float("nan")}, ["arguments.noise:", "nan"]),
        ("forecast", {"window": 0}, ["arguments.window:", "found 0", "whole number"]),
        ("forecast", {"train": 9.5}, ["arguments.train:", "9.5", "whole number"]),
        ("forecast", {"train": "9"}, ["arguments.train:", "'9'", "whole number"]),
        ("forecast", {"targets": "postive"}, ["arguments.targets:", "did you mean 'positive'"]),
        ("tabular", {"minority": 0.6}, ["arguments.minority:", "0.6", "at most 0.5"]),
        ("tabular", {"minority": 0}, ["arguments.minority:", "above 0"]),
        ("tabular", {"noise": -1}, ["arguments.noise:", "-1", "from 0"]),
        ("many_classes", {"noise": -0.1}, ["arguments.noise:", "-0.1", "from 0"]),
        ("many_classes", {"noise": float("inf")}, ["arguments.noise:", "inf", "finite"]),
        ("many_classes", {"classes": 1}, ["arguments.classes:", "found 1", "number from 2"]),
        ("many_classes", {"validation": 8}, ["arguments.validation:", "found 8,", "of class"]),
        ("eeg", {"classes": 1}, ["arguments.classes:", "found 1", "number from 2"]),
        ("eeg", {"test": 2}, ["'eeg'", "arguments.test:", "found 2,", "seed 0", "of class"]),
        ("eeg", {"noise": 0.1}, ["'eeg'", "'noise'", "channels"]),
        ("eeg", {"channels": 0}, ["arguments.channels:", "found 0", "number from 1"]),
        ("tokens", {"vocabulary": 19}, ["arguments.vocabulary:", "found 19", "number from 20"]),
        ("tokens", {"length": 3}, ["arguments.length:", "found 3", "number from 4"]),
        ("tokens", {"window": 24}, ["'tokens'", "'window'", "length"]),
        ("tokens", {"train": 3}, ["arguments.train:", "found 3,", "of class"]),
        ("power", {"train": 5}, ["'power'", "'train'", "allowed: none"]),
        ("vowels", {"train": 5}, ["'vowels'", "'train'", "allowed: none"]),
        ("co2", {"horizon": 4000}, ["'co2'", "4000", "2284"]),
    ],
)
def test_errors_name_what_is_allowed(source, arguments, words):
    with pytest.raises(ValueError) as error:
        make(source, [0], **arguments)
    for word in words:
        assert word in str(error.value)


def test_seeds_are_no_argument_of_a_source():
    with pytest.raises(ValueError, match="arguments: found 'seeds', allowed: train"):
        check("forecast", seeds=3)
    check("forecast", noise=0, window=5)


@pytest.mark.parametrize(
    ("source", "arguments", "start"),
    [
        ("co3", {}, "params.yaml: data.air.source: found 'co3'"),
        ("co2", {"horizons": 4}, "params.yaml: data.air.arguments: found 'horizons'"),
        ("co2", {"horizon": 0}, "params.yaml: data.air.arguments.horizon: found 0"),
    ],
)
def test_errors_name_the_place(source, arguments, start):
    with pytest.raises(ValueError) as error:
        check(source, "params.yaml: data.air", **arguments)
    assert str(error.value).startswith(start)


@pytest.mark.parametrize("seeds", [[], [-1], [1.5], [2**32]])
def test_seeds_are_checked(seeds):
    with pytest.raises(ValueError, match="seeds"):
        make("noise", seeds, **SMALL)


def test_loading_errors(made):
    arrays = make("noise", [4, 11], **SMALL)
    with pytest.raises(ValueError, match="found 5.*4, 11"):
        load(arrays, 5)
    with pytest.raises(ValueError, match="found 5.*4, 11"):
        digest(arrays, 5)
    with pytest.raises(ValueError, match="'standart'.*did you mean 'standard'"):
        load(arrays, 4, scaling="standart")
    for fraction in (0, -0.5, 1.5, float("nan")):
        with pytest.raises(ValueError, match="train_fraction"):
            load(arrays, 4, train_fraction=fraction)
    with pytest.raises(ValueError, match="leaves none"):
        load(arrays, 4, train_fraction=0.001)
    with pytest.raises(ValueError, match="test=6000.*do not fit"):
        load(arrays | {"test": np.array(6000)}, 4)
    for part in ("train", "test"):
        with pytest.raises(ValueError, match=f"{part}=1900.*1940 items"):
            load(made["co2"] | {part: np.array(1900)}, 0)
