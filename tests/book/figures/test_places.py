"""The chain of places: boxes in the network's order, and each place's effect beside it."""

import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from pipeline.book.figures.places import places, places_alt
from pipeline.style import PANEL, svg
from tests.book.invented import all_places, lines, place


@pytest.fixture
def rows():
    return all_places()


def test_the_chain_runs_from_the_input_to_the_output_with_every_place_between(rows):
    chain, _ = places(rows.sample(frac=1, random_state=3)).axes
    down = [text.get_text() for text in sorted(chain.texts, key=lambda text: text.get_position()[1])]
    assert down == ["input", "first", "conv", "after conv_1", "relu", "after relu_1", "lstm", "after lstm_1",
                    "output"]


def test_layers_of_one_word_keep_their_number(rows):
    rows["place"] = rows["place"].replace({"after relu_1": "after conv_2"})
    chain, _ = places(rows).axes
    assert {"conv_1", "conv_2", "lstm"} < {text.get_text() for text in chain.texts}


def test_every_effect_stands_with_its_interval_beside_its_place(rows):
    chain, axes = places(rows).axes
    points = sorted((line.get_ydata()[0], line.get_xdata()[0]) for line in lines(axes, 1))
    in_order = rows.sort_values("number", kind="stable")
    # A lower error lies to the left.
    np.testing.assert_allclose([x for _, x in points], -in_order["effect"])
    level = sorted((line for line in lines(axes, 2) if len(set(line.get_ydata())) == 1),
                   key=lambda line: line.get_ydata()[0])
    np.testing.assert_allclose([tuple(line.get_xdata()) for line in level],
                               -in_order[["high", "low"]].to_numpy())
    dots = [line.get_ydata()[0] for line in lines(chain, 1)]
    for number, (y, _) in enumerate(points):
        assert abs(dots[number // 2] - y) == pytest.approx(0.5)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["sequences", "tables"] * 4


def test_what_may_be_best_by_chance_is_asked(rows):
    _, axes = places(rows).axes
    named = [text.get_text() for text in sorted(axes.texts, key=lambda text: text.get_position()[1])]
    assert named == ["worst", "best?", "best", "worst?"]


def test_title_and_text_state_the_finding(rows):
    # A line is broken where the figure ends.
    assert " ".join(places(rows).get_suptitle().split()) == (
        "sequences: after lstm_1 is best, first is worst "
        "tables: after conv_1 may be best, after lstm_1 may be worst")
    alt = places_alt(rows)
    # exp(0.3) - 1 = 0.3499, exp(0.2) - 1 = 0.2214, exp(0.4) - 1 = 0.4918
    assert "sequences: after lstm_1 is best, first is worst; tables:" in alt
    assert "first: +35 % (+22 to +49 %) on sequences, −2 % (" in alt


def test_what_leaves_the_axis_ends_at_its_edge_and_what_shows_nothing_says_so(rows):
    rows.loc[0, ["effect", "low", "high"]] = [-2.0, -3.0, -1.5]
    rows.loc[1, ["effect", "low", "high"]] = math.nan
    figure = places(rows)
    axes = figure.axes[1]
    assert max(line.get_xdata()[-1] for line in lines(axes, 2)) == pytest.approx(math.log(3))
    assert "no effect can be computed" in [text.get_text() for text in axes.texts]
    assert "after conv_1: no effect can be computed on sequences" in places_alt(rows)


def test_it_fits_a_telephone_and_its_ticks_do_not_touch(rows):
    figure = places(rows)
    assert figure.get_size_inches()[0] <= 4.5
    figure.draw_without_rendering()
    boxes = [tick.get_window_extent() for tick in figure.axes[1].get_xticklabels() if tick.get_text()]
    assert all(left.x1 < right.x0 for left, right in zip(boxes, boxes[1:], strict=False))


def test_two_experiments_and_no_rows_are_refused(rows):
    with pytest.raises(ValueError, match="one experiment. Received: anywhere, other"):
        places(rows.assign(experiment=["anywhere", "other"] * 4))
    with pytest.raises(ValueError, match="at least one row"):
        places(rows.iloc[:0])


def test_a_place_alone_is_drawn():
    rows = all_places().iloc[:0]
    rows.loc[0] = place("first", 1, 0.2)
    chain, _ = places(rows).axes
    assert [text.get_text() for text in chain.texts] == ["input", "first", "output"]


def test_the_bytes_are_the_same_each_time_carry_no_date_and_stand_on_a_light_panel(rows):
    one, two = svg(places(rows)), svg(places(rows))
    assert one == two and not re.search(r"<dc:date>|\d{4}-\d\d-\d\dT", one)
    panel = ElementTree.fromstring(one).find(".//{*}g[@id='patch_1']/{*}path").get("style")
    assert f"fill: {PANEL}" in panel and "opacity" not in panel
