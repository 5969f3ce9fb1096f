"""What figures share: their bytes, their ticks, and what they refuse."""

import io
import math
import re

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from pipeline.style import need, one, png, ratio_axis, ratio_ticks, svg


@pytest.fixture
def figure():
    figure = Figure(figsize=(3, 2))
    figure.add_subplot().plot([0, 1], [1, 0])
    return figure


def test_pictures_have_the_same_bytes_each_time_and_no_date(figure):
    assert svg(figure) == svg(figure) and "dc:date" not in svg(figure)
    assert png(figure) == png(figure)
    picture = Image.open(io.BytesIO(png(figure)))
    assert picture.mode == "P" and not picture.info.get("Software")


def test_texts_of_an_svg_are_texts(figure):
    figure.suptitle("a finding")
    assert ">a finding<" in svg(figure)


def test_a_picture_holds_all_that_is_drawn_and_a_margin(figure):
    def size(text):
        return [float(number) for number in re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', text).groups()]

    figure.axes[0].set_axis_off()
    figure.add_artist(Rectangle((0.5, 0.25), 1.0, 0.5, transform=figure.transFigure, lw=0))
    # From a third of the line before the middle to half the figure beyond its edge.
    left, right = figure.axes[0].get_position().x0, 1.5
    assert size(svg(figure)) == pytest.approx([72 * (3 * (right - left) + 0.24), 72 * (2 * 0.77 + 0.24)], abs=2)


@pytest.mark.parametrize(("low", "high"), [(-0.1, 0.15), (-0.4, 0.5), (-1.0, 1.0), (-3.0, 3.0)])
def test_ticks_of_ratios_are_round_changes_within_the_axis(low, high):
    places = ratio_ticks(low, high)
    changes = 100 * np.expm1(places)
    np.testing.assert_allclose(changes, np.round(changes), atol=1e-9)
    assert 0 in places and low <= min(places) and max(places) <= high and len(places) > 3


def test_an_axis_of_ratios_has_the_ticks_that_it_is_given_alone(figure):
    axis = figure.axes[0].xaxis
    ratio_axis(axis, [0.0, 0.5], lambda value: f"<{value:g}>")
    figure.draw_without_rendering()
    assert [tick.get_text() for tick in axis.get_majorticklabels()] == ["<0>", "<0.5>"]
    assert not len(axis.get_minorticklocs())


def test_what_a_figure_needs():
    table = pd.DataFrame({"a": ["x", "x"], "b": ["y", "z"]})
    need(table)
    assert one(table, "a") == "x"
    with pytest.raises(ValueError, match="one b. Received: y, z"):
        one(table, "b")
    with pytest.raises(ValueError, match="at least one row"):
        need(table.iloc[:0])


def test_nothing_of_the_style_leaks(figure):
    before = dict(matplotlib.rcParams)
    svg(figure)
    assert dict(matplotlib.rcParams) == before
    assert math.isfinite(matplotlib.rcParams["font.size"])
