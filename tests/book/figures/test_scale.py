"""The figure of growth draws every step on logarithmic axes, with what growth in proportion would be."""

import numpy as np
import pandas as pd
import pytest

from pipeline.book.figures.scale import amount, scale_alt, scale_curves


@pytest.fixture
def measured():
    return pd.DataFrame([
        (step, n, d, unit, value * n * d) for n, d in ((100, 10), (400, 10), (100, 30))
        for step, unit, value in (("planning", "seconds", 0.01), ("the ledger", "bytes", 1e3))],
        columns=["step", "experiments", "sets", "unit", "value"])


def test_a_panel_a_unit_and_a_size(measured):
    figure = scale_curves(measured)
    assert [axes.get_xlabel() for axes in figure.axes] == ["experiments", "data sets in each family"] * 2
    assert [figure.axes[i].get_ylabel() for i in (0, 2)] == ["seconds", "megabytes"]
    assert all(axes.get_xscale() == axes.get_yscale() == "log" for axes in figure.axes)
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xydata(), [[100, 10], [400, 40]])
    np.testing.assert_allclose(figure.axes[3].lines[0].get_xydata(), [[10, 1], [30, 3]])


def test_the_grey_line_grows_in_proportion_from_the_first_value(measured):
    steep = measured.assign(value=np.where(measured["experiments"] == 400, 7 * measured["value"], measured["value"]))
    drawn, grey = scale_curves(steep).axes[0].lines
    np.testing.assert_allclose(grey.get_ydata(), [10, 40])
    np.testing.assert_allclose(drawn.get_ydata(), [10, 280])


def test_the_text_says_both_ends_of_every_line(measured):
    text = scale_alt(measured)
    assert "planning: 10 s with 100 experiments, 40 s with 400" in text
    assert "the ledger: 1.0 MB with 10 data sets in each family, 3.0 MB with 30" in text


def test_amounts_have_the_digits_they_deserve():
    assert [amount(value, "seconds") for value in (0.034, 3.21, 9.96, 140.4)] == ["0.034 s", "3.2 s", "10.0 s", "140 s"]
    assert amount(1.42e6, "bytes") == "1.4 MB" and amount(0, "bytes") == "0 MB"


def test_no_rows_are_refused(measured):
    with pytest.raises(ValueError, match="at least one row"):
        scale_curves(measured.iloc[:0])
