"""The figure of a sweep draws every mean with its interval."""

import numpy as np
import pandas as pd
import pytest

from pipeline.book.figures.sweep import dose_alt, dose_finding, dose_response

COLUMNS = ["experiment", "key", "dose", "data", "mean", "low", "high"]


@pytest.fixture
def doses():
    return pd.DataFrame([
        ("one", "dropout.rate", 0.1, "forecast", 0.5, 0.4, 0.6),
        ("one", "dropout.rate", 0.5, "forecast", 0.3, 0.2, 0.45),
        ("two", "dropout.rate", 0.1, "forecast", 0.2, 0.1, 0.3),
        ("one", "dropout.rate", 0.1, "vowels", 0.7, 0.6, 0.8)], columns=COLUMNS)


def test_a_panel_a_data_set_a_line_an_experiment(doses):
    figure = dose_response(doses)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["forecast", "vowels"]
    one, two = figure.axes[0].containers
    np.testing.assert_allclose(one[0].get_xydata(), [[0.1, 0.5], [0.5, 0.3]])
    ends = [segment[:, 1] for segment in one[2][0].get_segments()]
    np.testing.assert_allclose(ends, [[0.4, 0.6], [0.2, 0.45]])
    np.testing.assert_allclose(two[0].get_xydata(), [[0.1, 0.2]])
    assert {axes.get_xlabel() for axes in figure.axes} == {"rate"}


def test_a_wide_range_has_a_logarithmic_axis(doses):
    assert dose_response(doses).axes[0].get_xscale() == "log"
    near = doses.assign(dose=[1, 2, 1, 1])
    assert dose_response(near).axes[0].get_xscale() == "linear"


def test_the_finding_names_the_least_error_of_each_data_set(doses):
    finding = "Least error: two at 0.1 (forecast); one at 0.1 (vowels)"
    assert dose_finding(doses) == finding
    assert finding in dose_alt(doses) and "one on forecast at 0.5: 0.3 (0.2 to 0.45)" in dose_alt(doses)
    assert dose_response(doses).get_suptitle().replace("\n", " ") == finding


def test_two_keys_are_refused(doses):
    with pytest.raises(ValueError, match="one key. Received: dropout.rate, se.ratio"):
        dose_response(doses.assign(key=["dropout.rate", "se.ratio"] * 2))
