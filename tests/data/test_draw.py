"""What sources share: seeded draws, rounded; and data that come with an installed package."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from pipeline.data.draw import DECIMALS
from pipeline.data.sources import make
from pipeline.data.split import digest

SMALL = {"train": 64, "validation": 32, "test": 64}
SYNTHETIC = ("noise", "forecast", "badly_scaled", "tabular", "many_classes", "tokens")
# The rarest of nine classes needs more rows to occur in every part.
SMALLEST = dict.fromkeys(SYNTHETIC, SMALL) | {"many_classes": {"train": 400, "validation": 300, "test": 300}}
OTHER = {"noise": {"channels": 19}, "tokens": {"vocabulary": 40}}


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
    # Other seeds change nothing of what a seed's runs are told apart by; arguments do.
    assert digest(first, 3) == digest(second, 3) != digest(first, 5)
    assert digest(first, 3) != digest(make(source, [3], **SMALLEST[source], **OTHER.get(source, {"noise": 0.1})), 3)


@pytest.mark.parametrize("source", ["noise", "forecast", "tabular", "many_classes"])
def test_synthetic_inputs_are_rounded(made, source):
    x = made[source]["x_0"].astype(np.float64)
    np.testing.assert_array_equal(np.round(x, DECIMALS).astype(np.float32), x)


def test_images_are_those_of_scikit_learn(made):
    images = load_digits()
    np.testing.assert_array_equal(made["digits"]["x"][..., 0], images.images)
    np.testing.assert_array_equal(made["digits"]["y"], images.target)
