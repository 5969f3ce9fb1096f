"""The first page's figure: every finding with its sets, its average, its range and its words."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from pipeline.book.advice import advice
from pipeline.book.figures.answers import NARROW, WIDE, answer_rows, answers, answers_alt, answers_finding, answers_narrow
from pipeline.style import PANEL, svg


@pytest.fixture
def rows(study):
    return answer_rows(advice(study, primary=True))


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_answers_stand_by_what_to_do_and_none_is_left_out(study, rows):
    averages = rows[rows["kind"] == "average"]
    assert list(averages["do"]) == ["YES", "YES", "NO", "NO", "NOTHING", "OPEN", "WAITING"]
    # Six primary questions, one of them with two strata.
    assert set(averages["situation"]) == {one.situation for one in advice(study, primary=True)
                                          if one.situation != "Dropout → LSTM"} | {
        "Dropout → LSTM (forecasts)", "Dropout → LSTM (classes)"}


def test_changes_are_those_of_the_error(study, rows):
    stored = study.averages[study.averages["claim"] == "before_helps"].iloc[0]
    drawn = rows[(rows["kind"] == "average") & rows["situation"].str.startswith("Conv1D → BN")].iloc[0]
    assert drawn["change"] == pytest.approx(-stored["mean"])
    assert (drawn["low"], drawn["high"]) == pytest.approx((-stored["high"], -stored["low"]))
    assert (drawn["range_low"], drawn["range_high"]) == pytest.approx((-stored["range_high"], -stored["range_low"]))
    units = study.units[study.units["claim"] == "before_helps"]
    sets = rows[(rows["kind"] == "set") & (rows["situation"] == drawn["situation"])]
    np.testing.assert_allclose(sorted(sets["change"].astype(float)), sorted(-units["y"]))


@pytest.mark.parametrize(("draw", "layout"), [(answers, WIDE), (answers_narrow, NARROW)])
def test_every_answer_is_drawn_with_its_words(rows, draw, layout):
    figure = draw(rows)
    said = " ".join(" ".join(texts(figure)).split()).replace("\N{NO-BREAK SPACE}", " ")
    for row in rows[rows["kind"] == "average"].to_dict("records"):
        assert row["situation"] in said and (not row["words"] or row["words"] in said)
    assert "Being measured SELU rather than ReLU" in said
    assert figure.get_size_inches()[0] == layout.width
    # A dot for each unit, and the three that explain the marks.
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o" and len(line.get_xdata()) == 1]
    assert len(dots) == (rows["kind"] == "set").sum() + 3


@pytest.mark.parametrize(("draw", "layout"), [(answers, WIDE), (answers_narrow, NARROW)])
def test_marks_stand_where_the_axis_says(rows, draw, layout):
    figure = draw(rows)
    axes = figure.axes[0]
    ticks = {text.get_text(): text.get_position()[0] for text in axes.texts if text.get_text() in ("0", "+25 %")}
    # The first one explains the mark.
    diamond = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "D"][1]
    first = rows[rows["kind"] == "average"].iloc[0]["change"]
    scale = (ticks["+25 %"] - ticks["0"]) / math.log(1.25)
    assert diamond == pytest.approx(ticks["0"] + scale * first, abs=1e-6)
    assert layout.plot[0] <= diamond <= layout.plot[1]


@pytest.mark.parametrize("draw", [answers, answers_narrow])
def test_no_text_leaves_the_figure_or_lies_on_another(rows, draw):
    figure = draw(rows)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text().strip()]
    edge = figure.bbox
    assert all(box.x0 >= edge.x0 and box.x1 <= edge.x1 and box.y0 >= edge.y0 for box in boxes)
    # A line of text is a little higher than its letters.
    boxes = [box.padded(-1.5) for box in boxes]
    assert not [(i, j) for i, one in enumerate(boxes) for j, other in enumerate(boxes[:i]) if one.overlaps(other)]


def test_what_leaves_the_axis_is_an_arrow_at_its_edge(rows):
    far = rows.copy()
    far.loc[far.index[far["kind"] == "set"][0], "change"] = -3.0
    lines = [line for line in answers(far).axes[0].lines if line.get_marker() == "<"]
    # The first one explains the mark.
    assert [line.get_xdata()[0] for line in lines[1:]] == [WIDE.plot[0]]


def test_what_is_neither_better_nor_worse_hides_nothing(rows):
    sets = rows.index[(rows["kind"] == "set") & (rows["situation"] == rows["situation"].iloc[0])]
    rows.loc[sets, "found"] = ["better"] * (len(sets) - 1) + [""]
    filled = [line.get_mfc() != PANEL for line in answers(rows).axes[0].lines
              if line.get_marker() == "o" and line.get_zorder() == 4]
    assert filled[:len(sets)] == [False] + [True] * (len(sets) - 1) and len(sets) > 1


def test_an_average_that_is_no_ratio_has_its_words_alone(study):
    claims = [claim.model_copy(update={"primary": claim.slug == "dropout_diverges"}) for claim in study.claims]
    other = replace(study, claims=claims, guide=({"claim": "dropout_diverges", "situation": "Diverged"},))
    rows = answer_rows(advice(other, primary=True))
    assert len(rows) == 1 and math.isnan(rows["change"].iloc[0])
    assert "not a ratio: see the words" in texts(answers(rows)) and "Diverged" in texts(answers_narrow(rows))


def test_the_finding_counts_the_answers_and_the_text_says_each(rows):
    assert answers_finding(rows) == (
        "7 questions: 2 better, 2 worse, 1 no effect that matters, 1 open, 1 being measured")
    alt = answers_alt(rows)
    assert "Dropout → LSTM (classes): Put it in, 12 % less error on average (−16 to −8.3 %)" in alt
    assert alt.endswith("SELU rather than ReLU: Being measured.")


def test_the_bytes_are_the_same_each_time_and_no_rows_are_refused(rows):
    one, two = svg(answers(rows)), svg(answers(rows))
    assert one == two and not re.search(r"<dc:date>|\d{4}-\d\d-\d\dT", one)
    with pytest.raises(ValueError, match="at least one row"):
        answers(rows.iloc[:0])
