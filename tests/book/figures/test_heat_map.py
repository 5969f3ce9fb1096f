"""The heat map shows every comparison with its change, and the averages behind them."""

import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from pipeline.book.figures.heat_map import AVERAGE, heat_map, heat_map_alt
from pipeline.style import PANEL, svg


def rows(*given):
    plain = {"treatment": "a", "control": "old", "family": "tables", "scale": "log ratio", "y": 0.0, "low": -0.1,
             "high": 0.1, "found": ""}
    return pd.DataFrame([plain | one for one in given])


@pytest.fixture
def compared():
    return rows({"data": "wages", "y": math.log(2), "found": "better"},
                {"data": "wine", "y": -math.log(1.25), "found": "worse"},
                {"treatment": "b", "data": "wages"},
                {"treatment": "a", "data": AVERAGE, "y": math.log(1.25), "found": "better"},
                {"treatment": "c", "control": "other", "family": "", "data": "noise", "y": -0.05})


def test_each_effect_stands_in_its_field_and_families_apart(compared):
    first, second = (axes.collections[0].get_array() for axes in heat_map(compared).axes[:2])
    # A heading, then its experiments.
    expected = [[np.nan, np.nan], [-math.log(2), math.log(1.25)], [0, np.nan]]
    np.testing.assert_allclose(np.ma.filled(first.reshape(3, 2), np.nan), expected)
    np.testing.assert_allclose(np.ma.filled(second.reshape(2, 1), np.nan), [[np.nan], [0.05]])
    axes = heat_map(compared).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["against old", "a", "b"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["wages", "wine"]


def test_dots_mark_what_is_clear_and_numbers_the_average(compared):
    axes = heat_map(compared).axes[0]
    (dots,) = axes.lines
    assert list(zip(dots.get_xdata(), dots.get_ydata(), strict=True)) == [(0.5, 1.5), (1.5, 1.5)]
    # exp(-log 1.25) - 1 = -0.2
    numbers = [(text.get_text(), text.get_weight()) for text in axes.texts if text.get_text() != AVERAGE]
    assert numbers == [("−20", "bold")]


def test_sets_without_a_family_share_a_panel_if_they_share_an_experiment():
    shared = rows({"family": "", "data": "noise"}, {"family": "", "treatment": "b", "data": "eeg"},
                  {"family": "", "treatment": "c", "data": "noise"}, {"family": "", "treatment": "c", "data": "eeg"},
                  {"family": "", "treatment": "d", "data": "tokens"})
    panels = heat_map(shared).axes[:-1]
    assert [len(axes.get_xticklabels()) for axes in panels] == [2, 1]


def test_the_alternative_text_states_the_finding(compared):
    alt = heat_map_alt(compared)
    assert "3 experiments" in alt and "3 data sets" in alt
    assert "Of 4 comparisons, 1 better, 1 worse, 2 neither" in alt and "a on wages: 50 % lower test error" in alt


def test_other_scales_and_no_rows_are_refused(compared):
    with pytest.raises(ValueError, match="log-ratio scale. Received: \\['difference'\\]"):
        heat_map(compared.assign(scale="difference"))
    with pytest.raises(ValueError, match="at least one row"):
        heat_map(compared.iloc[:0])


def test_the_bytes_are_the_same_each_time_carry_no_date_and_stand_on_a_light_panel(compared):
    one, two = svg(heat_map(compared)), svg(heat_map(compared))
    assert one == two and not re.search(r"<dc:date>|\d{4}-\d\d-\d\dT", one)
    panel = ElementTree.fromstring(one).find(".//{*}g[@id='patch_1']/{*}path").get("style")
    assert f"fill: {PANEL}" in panel and "opacity" not in panel
