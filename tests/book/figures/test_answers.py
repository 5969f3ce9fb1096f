"""The first page's figure draws every comparison below its situation."""

import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from pipeline.book.figures.answers import answers, answers_alt
from pipeline.style import PANEL, svg
from tests.book.made import cells, lines


@pytest.fixture
def answered():
    rows = cells(
        {"effect": 0.4, "low": 0.3, "high": 0.5, "label": "better", "sign": "+"},
        {"effect": -0.1, "data": "co2", "label": "undecided", "sign": ""},
        {"effect": -0.3, "low": -2.0, "high": -0.2, "label": "worse", "data": "digits", "sign": "-"})
    return rows.assign(answer=["first", "first", "second"])


def test_answers_draw_every_comparison_with_its_interval_the_best_first(answered):
    axes = answers(answered.iloc[[1, 0, 2]]).axes[0]
    # The upright lines are those of zero.
    level = [line for line in lines(axes, 2) if len(set(line.get_ydata())) == 1]
    heights = [line.get_ydata()[0] for line in level]
    assert heights == sorted(heights)
    expected = [tuple(sorted((-row["low"], -row["high"]))) for _, row in answered.iterrows()]
    # What leaves the axis, 150 % more, ends at its edge.
    expected[2] = (0.2, math.log(2.5))
    np.testing.assert_allclose([tuple(line.get_xdata()) for line in level], expected)
    marks = [(line.get_marker(), line.get_xdata()[0]) for line in lines(axes, 1)]
    np.testing.assert_allclose([place for _, place in marks], [-0.4, 0.1, 0.3])
    assert [mark for mark, _ in marks][::2] == ["o", "X"]
    assert [t.get_text() for t in axes.texts] == ["first", "second"]


def test_answers_say_their_finding_in_title_and_text(answered):
    finding = "Of 2 changes, 1 only lowered the error, 1 only raised it, 0 did both and 0 neither"
    assert answers(answered).get_suptitle().replace("\n", " ") == finding
    alt = answers_alt(answered)
    # exp(-0.4) - 1 = -0.3297, exp(0.1) - 1 = 0.1052
    assert finding in alt and "first: 2 comparisons, from −33 % (−39 to −26 %) on vowels to +11 %" in alt


def test_answers_refuse_other_scales(answered):
    with pytest.raises(ValueError, match="log-ratio scale. Received: \\['share'\\]"):
        answers(answered.assign(scale="share"))


def test_the_bytes_are_the_same_each_time_carry_no_date_and_stand_on_a_light_panel(answered):
    one, two = svg(answers(answered)), svg(answers(answered))
    assert one == two and not re.search(r"<dc:date>|\d{4}-\d\d-\d\dT", one)
    panel = ElementTree.fromstring(one).find(".//{*}g[@id='patch_1']/{*}path").get("style")
    assert f"fill: {PANEL}" in panel and "opacity" not in panel
