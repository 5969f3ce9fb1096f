"""The heat map shows every comparison with its change and its letter."""

import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from pipeline.book.figures.heat_map import heat_map, heat_map_alt
from pipeline.style import PANEL, svg
from tests.book.made import cells


@pytest.fixture
def compared():
    return cells(
        {"treatment": "a", "data": "forecast", "effect": math.log(2), "label": "better"},
        {"treatment": "a", "data": "vowels", "effect": -math.log(1.25), "label": "worse"},
        {"treatment": "b", "data": "forecast", "effect": 0.0, "label": "equivalent"},
        {"treatment": "b", "data": "vowels", "effect": 0.1, "position": "uninformative"},
        {"treatment": "c", "control": "other", "data": "digits", "effect": -0.05})


def test_heat_map_draws_each_effect_in_its_cell(compared):
    figure = heat_map(compared)
    meshes = [axes.collections[0] for axes in figure.axes[:2]]
    # Panels: data sets that share experiments; lines: a heading, then its experiments.
    first = np.ma.filled(meshes[0].get_array().reshape(3, 2), np.nan)
    expected = [[np.nan, np.nan], [-math.log(2), math.log(1.25)], [0, np.nan]]
    np.testing.assert_allclose(first, expected)
    second = np.ma.filled(meshes[1].get_array().reshape(2, 1), np.nan)
    np.testing.assert_allclose(second, [[np.nan], [0.05]])
    names = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert names == ["against old", "a", "b"]
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["forecast", "vowels"]


def test_heat_map_writes_change_and_letter_and_greys_what_shows_nothing(compared):
    axes = heat_map(compared).axes[0]
    assert [text.get_text() for text in axes.texts] == ["−50 B", "+25 W", "0 E"]
    grey = [patch.get_xy() for patch in axes.patches]
    assert grey == [(1, 2)]


def test_heat_map_alternative_text_states_the_finding(compared):
    alt = heat_map_alt(compared)
    assert "3 experiments" in alt and "3 data sets" in alt
    assert "Of 4 comparisons, 1 better, 1 worse, 1 equivalent, 1 undecided" in alt
    assert "a on forecast: 50 % lower test error" in alt


def test_heat_map_refuses_other_scales():
    with pytest.raises(ValueError, match="log-ratio scale. Received: \\['difference'\\]"):
        heat_map(cells({"scale": "difference"}))


def test_the_bytes_are_the_same_each_time_carry_no_date_and_stand_on_a_light_panel(compared):
    one, two = svg(heat_map(compared)), svg(heat_map(compared))
    assert one == two and not re.search(r"<dc:date>|\d{4}-\d\d-\d\dT", one)
    panel = ElementTree.fromstring(one).find(".//{*}g[@id='patch_1']/{*}path").get("style")
    assert f"fill: {PANEL}" in panel and "opacity" not in panel
