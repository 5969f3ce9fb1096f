"""A forest plot draws what the table holds, and says it in words."""

import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from pipeline.book.figures.forest import forest, forest_alt, forest_finding
from pipeline.style import PANEL, svg
from tests.book.made import cells, lines


@pytest.fixture
def claimed():
    return cells(
        {"data": "forecast", "effect": 0.4, "low": 0.3, "high": 0.5, "region": "better",
         "label": "better", "position": "for"},
        {"data": "vowels", "effect": -0.4, "low": -0.5, "high": -0.3, "region": "better",
         "label": "worse", "position": "against", "margin": 0.2},
        {"data": "co2", "effect": 0.0, "low": -0.3, "high": 0.3, "region": "better",
         "position": "open"},
        {"data": "noise", "effect": 0.1, "low": 0.0, "high": 0.2, "region": "better",
         "position": "uninformative"})


@pytest.fixture
def compared():
    return cells(
        {"treatment": "a", "data": "forecast", "effect": math.log(2), "label": "better"},
        {"treatment": "a", "data": "vowels", "effect": -math.log(1.25), "label": "worse"},
        {"treatment": "b", "data": "forecast", "effect": 0.0, "label": "equivalent"},
        {"treatment": "b", "data": "vowels", "effect": 0.1, "position": "uninformative"},
        {"treatment": "c", "control": "other", "data": "digits", "effect": -0.05})


def test_forest_draws_intervals_effects_and_bands_where_the_table_has_them(claimed):
    axes = forest(claimed).axes[0]
    # A lower error lies to the left: the axis shows ln(treatment / control) = -effect.
    drawn = [tuple(line.get_xdata()) for line in lines(axes, 2) if line.get_ydata()[0] >= 1]
    np.testing.assert_allclose(drawn, -claimed[["high", "low"]].to_numpy())
    points = [line.get_xdata()[0] for line in lines(axes, 1)]
    assert points == pytest.approx(list(-claimed["effect"]))
    bands = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    np.testing.assert_allclose(bands, [(-m, m) for m in claimed["margin"]])
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels == ["new against old", "forecast", "vowels", "co2", "noise"]


def test_forest_breaks_long_names_so_that_the_axis_keeps_its_width():
    long = cells({"treatment": "a_sweep[word.argument=relu,word.other_argument=0.2,learning_rate=0.01]",
                  "control": "a_sweep[word.argument=tanh,word.other_argument=0.2,learning_rate=0.01]"})
    axes = forest(long).axes[0]
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert max(map(len, labels)) <= 44 and labels[-1] == "vowels"
    assert "".join(labels[:-1]).replace(" ", "") == (
        long["treatment"][0] + "against" + long["control"][0])
    figure = axes.figure
    figure.draw_without_rendering()
    assert axes.get_position().width > 0.5


def test_forest_marks_rows_by_what_they_count_as(claimed):
    axes = forest(claimed).axes[0]
    marks = [(line.get_marker(), line.get_mfc() == line.get_mec()) for line in lines(axes, 1)]
    assert marks == [("o", True), ("X", True), ("o", False), ("D", False)]


def test_forest_title_and_alternative_text_state_the_finding(claimed):
    finding = "1 of 3 as predicted, 1 not, 1 open"
    assert forest_finding(claimed) == finding
    assert forest(claimed).get_suptitle() == finding
    alt = forest_alt(claimed)
    assert finding in alt
    # exp(-0.4) - 1 = -0.3297
    assert "new against old on forecast: −33 % (−39 to −26 %), as predicted" in alt


def test_forest_of_comparisons_counts_labels(compared):
    assert forest_finding(compared) == (
        "Of 4 comparisons: 1 better, 1 worse, 1 equivalent, 1 undecided")


def test_forest_shows_points_for_recall_and_turns_calibration_so_that_lower_is_left():
    recall = cells({"metric": "minority_recall", "scale": "difference", "effect": 0.2,
                    "low": 0.1, "high": 0.3, "margin": 0.1})
    axes = forest(recall).axes[0]
    assert lines(axes, 1)[0].get_xdata()[0] == pytest.approx(20)
    assert "points" in axes.get_xlabel() and "better →" in axes.get_xlabel()
    calibration = recall.assign(metric="calibration_error")
    axes = forest(calibration).axes[0]
    assert lines(axes, 1)[0].get_xdata()[0] == pytest.approx(-20)
    assert "← better" in axes.get_xlabel()


def test_forest_without_a_margin_has_no_band_and_a_missing_effect_is_said():
    measure = cells({"metric": "saturated_share", "scale": "difference", "margin": 0.0},
                    {"metric": "saturated_share", "scale": "difference", "margin": 0.0,
                     "data": "digits", "effect": np.nan, "low": np.nan, "high": np.nan})
    axes = forest(measure).axes[0]
    assert not axes.patches
    assert [text.get_text() for text in axes.texts] == ["no effect can be computed"]
    assert "digits: no effect can be computed" in forest_alt(measure)


def test_forest_refuses_two_metrics_and_no_rows(claimed):
    with pytest.raises(ValueError, match="one metric. Received: error, loss"):
        forest(cells({}, {"metric": "loss"}))
    with pytest.raises(ValueError, match="at least one row"):
        forest(claimed.iloc[:0])


def test_the_bytes_are_the_same_each_time_carry_no_date_and_stand_on_a_light_panel(claimed):
    one, two = svg(forest(claimed)), svg(forest(claimed))
    assert one == two and not re.search(r"<dc:date>|\d{4}-\d\d-\d\dT", one)
    panel = ElementTree.fromstring(one).find(".//{*}g[@id='patch_1']/{*}path").get("style")
    assert f"fill: {PANEL}" in panel and "opacity" not in panel
