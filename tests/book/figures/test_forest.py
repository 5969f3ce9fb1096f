"""A forest plot draws what the table holds, and says it in words."""

import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from pipeline.book.figures.forest import NAME, forest, forest_alt, forest_finding
from pipeline.style import PANEL, svg
from tests.book.invented import lines


def rows(*given):
    plain = {"heading": "", "label": "a set", "kind": "set", "treatment": "new", "control": "old", "minus_treatment": "",
             "minus_control": "", "metric": "error", "scale": "log ratio", "y": 0.0, "low": -0.1, "high": 0.1,
             "range_low": math.nan, "range_high": math.nan, "margin": math.log(1.1), "found": ""}
    return pd.DataFrame([plain | one for one in given])


@pytest.fixture
def found():
    return rows({"label": "wages", "y": 0.4, "low": 0.3, "high": 0.5, "found": "better"},
                {"label": "wine"}, {"label": "soil", "y": -0.4, "low": -0.5, "high": -0.3, "found": "worse"},
                {"label": "average of 3 units", "kind": "average", "y": 0.01, "low": -0.05, "high": 0.07,
                 "range_low": -0.6, "range_high": 0.6})


def test_intervals_effects_bands_and_the_range_stand_where_the_table_has_them(found):
    axes = forest(found).axes[0]
    level = [line for line in lines(axes, 2) if len(set(line.get_ydata())) == 1 and line.get_xdata()[0] != 0]
    drawn = {(line.get_ydata()[0], round(line.get_xdata()[0], 6), round(line.get_xdata()[1], 6)) for line in level}
    # A lower error lies to the left: the axis shows ln(treatment / control) = -effect.
    assert {(0, -0.5, -0.3), (1, -0.1, 0.1), (2, 0.3, 0.5), (3, -0.07, 0.05), (3, -0.6, 0.6)} <= drawn
    assert [line.get_xdata()[0] for line in lines(axes, 1)] == pytest.approx(list(-found["y"]))
    bands = [band.get_extents() for band in axes.collections[0].get_paths()]
    np.testing.assert_allclose([(*band.intervalx, band.intervaly.mean()) for band in bands],
                               [(-m, m, y) for y, m in enumerate(found["margin"])])
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(found["label"])


def test_rows_are_marked_by_what_was_found(found):
    marks = [(line.get_marker(), line.get_mfc() == line.get_mec()) for line in lines(forest(found).axes[0], 1)]
    assert marks == [("o", True), ("o", False), ("X", True), ("D", True)]


def test_a_heading_stands_above_its_rows_and_long_names_are_cut(found):
    axes = forest(found.assign(heading=["forecasts", "classes", "classes", "classes"],
                               label=["x" * 60, *found["label"][1:]])).axes[0]
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels[0] == "forecasts" and labels[2] == "classes" and len(labels) == 6
    assert len(labels[1]) == NAME and labels[1].endswith("…")


def test_title_and_alternative_text_state_the_finding(found):
    # exp(-0.01) - 1 = -0.00995, exp(-0.07) - 1 = -0.0676, exp(0.05) - 1 = 0.0513
    finding = "Better on 1 of 3 sets, worse on 1; average of 3 units: −1 % (−6.8 to +5.1 %)"
    assert forest_finding(found) == finding
    assert finding in " ".join(forest(found).texts[0].get_text().split())
    # exp(-0.4) - 1 = -0.3297
    assert finding in forest_alt(found) and "wages −33 % (−39 to −26 %)" in forest_alt(found)


def test_points_are_shown_and_calibration_is_turned_so_that_lower_is_left():
    recall = rows({"metric": "minority_recall", "scale": "difference", "y": 0.2, "low": 0.1, "high": 0.3})
    axes = forest(recall).axes[0]
    assert lines(axes, 1)[0].get_xdata()[0] == pytest.approx(20)
    assert "points" in axes.get_xlabel() and "better →" in axes.get_xlabel()
    axes = forest(recall.assign(metric="calibration_error")).axes[0]
    assert lines(axes, 1)[0].get_xdata()[0] == pytest.approx(-20) and "← better" in axes.get_xlabel()


def test_a_measure_is_larger_or_smaller_and_a_missing_effect_is_said():
    measure = {"metric": "saturated_share", "scale": "difference", "margin": 0.0}
    found = rows(measure | {"y": 0.2, "low": 0.1, "high": 0.3, "found": "better"},
                 measure | {"label": "digits", "y": np.nan, "low": np.nan, "high": np.nan})
    axes = forest(found).axes[0]
    assert not axes.collections[0].get_paths() and [text.get_text() for text in axes.texts] == ["no effect can be computed"]
    assert "digits: no effect can be computed" in forest_alt(found)
    assert forest_finding(found) == "Larger on 1 of 2 sets, smaller on 0"


def test_two_metrics_and_no_rows_are_refused(found):
    with pytest.raises(ValueError, match="one metric. Received: error, loss"):
        forest(rows({}, {"metric": "loss"}))
    with pytest.raises(ValueError, match="at least one row"):
        forest(found.iloc[:0])


def test_the_bytes_are_the_same_each_time_carry_no_date_and_stand_on_a_light_panel(found):
    one, two = svg(forest(found)), svg(forest(found))
    assert one == two and not re.search(r"<dc:date>|\d{4}-\d\d-\d\dT", one)
    panel = ElementTree.fromstring(one).find(".//{*}g[@id='patch_1']/{*}path").get("style")
    assert f"fill: {PANEL}" in panel and "opacity" not in panel
