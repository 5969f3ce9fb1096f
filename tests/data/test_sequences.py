"""Synthetic sequences."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.preprocessing import StandardScaler

from pipeline.data.sources import make
from pipeline.data.split import load

SMALL = {"train": 64, "validation": 32, "test": 64}
SEQUENCES = ("noise", "forecast", "badly_scaled")


@pytest.mark.parametrize("source", SEQUENCES)
def test_a_longer_series_begins_with_the_shorter(source):
    short = make(source, [1], **SMALL)
    longer = make(source, [1], **(SMALL | {"test": 96}))
    for key in ("x_1", "y_1"):
        np.testing.assert_array_equal(longer[key][: len(short[key])], short[key])


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
    arrays = make("forecast", [0], train=3000, validation=32, test=1000, noise=0.0)
    split = load(arrays, 0)

    def error(features):
        train, test = (features(x).astype(float) for x in (split.x_train, split.x_test))
        fitted = Ridge(1e-3, solver="cholesky").fit(train, split.y_train[:, 0])
        error = np.mean((fitted.predict(test) - split.y_test[:, 0]) ** 2)
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
    np.testing.assert_allclose(positive["y_0"], np.log1p(np.exp(drawn["y_0"].astype(float))), atol=2e-4)
    for arrays in (drawn, positive):
        np.testing.assert_array_equal(load(arrays, 0).y_train, arrays["y_0"][20:84])
    assert load(positive, 0).y_test.min() > 0


def test_badly_scaled_is_forecast_in_other_units(made):
    plain, scaled = made["forecast"], made["badly_scaled"]
    x = scaled["x_0"].astype(np.float64)
    steps = len(x)
    np.testing.assert_array_equal(scaled["y_0"], plain["y_0"][:steps])
    np.testing.assert_allclose(
        StandardScaler().fit_transform(x), StandardScaler().fit_transform(plain["x_0"][:steps].astype(np.float64)),
        atol=1e-4)
    deviations = np.concatenate([scaled[f"x_{seed}"].std(axis=0) for seed in range(3)])
    assert deviations.min() < 0.1 and deviations.max() > 10
    offsets = np.abs(x.mean(axis=0)) / x.std(axis=0)
    assert 1 < offsets.max() < 10
    assert not np.allclose(scaled["x_0"].std(axis=0), scaled["x_1"].std(axis=0), rtol=0.5)
