"""What sources share: seeded draws, rounded."""

import numpy as np
import pytest

from pipeline.data.draw import DECIMALS
from pipeline.data.sources import make

SMALL = {"train": 64, "validation": 32, "test": 64}
SYNTHETIC = ("noise", "forecast", "badly_scaled", "tabular", "many_classes", "tokens")
# The rarest of nine classes needs more rows to occur in every part.
SMALLEST = dict.fromkeys(SYNTHETIC, SMALL) | {
    "many_classes": {"train": 400, "validation": 300, "test": 300}
}


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


@pytest.mark.parametrize("source", ["noise", "forecast", "tabular", "many_classes"])
def test_synthetic_inputs_are_rounded(made, source):
    x = made[source]["x_0"].astype(np.float64)
    np.testing.assert_array_equal(np.round(x, DECIMALS).astype(np.float32), x)
