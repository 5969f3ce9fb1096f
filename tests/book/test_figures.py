"""Figures draw what the table holds, say it in words, and have the same bytes each time."""

import json
import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from pipeline.book.figures.answers import answers, answers_alt
from pipeline.book.figures.forest import forest, forest_alt, forest_finding
from pipeline.book.figures.heat_map import heat_map, heat_map_alt
from pipeline.book.words import change, direction, signed
from pipeline.style import PANEL, png, svg
from pipeline.train.curves import learning_curves, learning_curves_alt

DEFAULTS = {
    "claim": "a_claim", "treatment": "new", "control": "old", "minus_treatment": "",
    "minus_control": "", "minus_data": "", "data": "vowels", "metric": "error", "endpoint": "best", "region": "",
    "scale": "log ratio", "seeds": 30, "effect": 0.0, "low": -0.1, "high": 0.1,
    "margin": math.log(1.1), "label": "undecided", "position": "", "why": "", "sign": ""}


def cells(*rows):
    return pd.DataFrame([DEFAULTS | row for row in rows])


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


@pytest.fixture
def curves():
    epochs, rows = np.arange(1, 7), []
    for data, best in (("forecast", 4), ("digits", 6)):
        for seed in range(3):
            for epoch in epochs:
                loss = 1 + seed + abs(int(epoch) - best)
                rows.append((data, "", seed, int(epoch), 0.5 * loss, float(loss)))
    return pd.DataFrame(
        rows, columns=["data", "variant", "seed", "epoch", "train_loss", "validation_loss"])


def lines(axes, points):
    return [line for line in axes.lines if len(line.get_xdata()) == points]


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


@pytest.mark.parametrize(("label", "sign", "expected"), [
    ("better", "+", "better"), ("undecided", "+", "better"), ("undecided", "", "unclear"),
    ("equivalent", "+", "same"), ("undecided", "-", "worse"), ("worse", "-", "worse")])
def test_a_direction_is_clear_where_the_interval_leaves_zero_out(label, sign, expected):
    assert direction({"label": label, "sign": sign}) == expected


def test_answers_refuse_other_scales(answered):
    with pytest.raises(ValueError, match="log-ratio scale. Received: \\['share'\\]"):
        answers(answered.assign(scale="share"))


def test_learning_curves_draw_every_seed_and_the_median(curves):
    figure = learning_curves(curves)
    for axes, data in zip(figure.axes, ["forecast", "digits"], strict=False):
        mine = curves[curves["data"] == data]
        wide = mine.pivot(index="epoch", columns="seed", values="validation_loss")
        for line, seed in zip(axes.lines, wide.columns, strict=False):
            np.testing.assert_allclose(line.get_ydata(), wide[seed])
        np.testing.assert_allclose(axes.lines[3].get_ydata(), np.median(wide, axis=1))
        train = mine.pivot(index="epoch", columns="seed", values="train_loss")
        np.testing.assert_allclose(axes.lines[4].get_ydata(), np.median(train, axis=1))
    assert figure.axes[0].get_title(loc="left") == "forecast: best at epoch 4"


def test_learning_curves_of_a_diverged_seed_leave_a_gap(curves):
    curves.loc[(curves["seed"] == 0) & (curves["epoch"] > 2), "validation_loss"] = np.inf
    figure = learning_curves(curves)
    assert np.isnan(figure.axes[0].lines[0].get_ydata()[2:]).all()
    gone = curves.assign(validation_loss=np.inf)
    assert "no loss is finite" in learning_curves_alt(gone)


def test_learning_curves_alternative_text_names_the_best_epoch(curves):
    alt = learning_curves_alt(curves)
    assert "on forecast (3 seeds) the median validation loss is least at epoch 4 of 6 (2)" in alt
    assert "ends at 4" in alt


def test_learning_curves_show_themselves_in_a_notebook_with_their_text(curves):
    figure = learning_curves(curves)
    data, metadata = figure._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == learning_curves_alt(curves)
    assert json.dumps(data)


def test_bytes_are_the_same_each_time_and_carry_no_date(claimed, compared, curves, answered):
    for make, table in ((forest, claimed), (heat_map, compared),
                        (answers, answered)):
        one, two = svg(make(table)), svg(make(table))
        assert one == two
        assert not re.search(r"<dc:date>|\d{4}-\d\d-\d\dT", one)
    one, two = (png(learning_curves(curves)) for _ in range(2))
    assert one == two


def test_figures_stand_on_an_opaque_light_panel(claimed, compared, answered):
    for make, table in ((forest, claimed), (heat_map, compared),
                        (answers, answered)):
        root = ElementTree.fromstring(svg(make(table)))
        panel = root.find(".//{*}g[@id='patch_1']/{*}path").get("style")
        assert f"fill: {PANEL}" in panel and "opacity" not in panel


@pytest.mark.parametrize("effect, metric, scale, expected", [
    (math.log(2), "error", "log ratio", -50),
    (-math.log(2), "loss", "log ratio", 100),
    (0.1, "minority_recall", "difference", 10),
    (0.1, "divergence", "share", -10),
    (0.1, "some_measure", "difference", 0.1)])
def test_change_is_that_of_the_score(effect, metric, scale, expected):
    assert change(effect, metric, scale) == pytest.approx(expected)


def test_signed_numbers_have_a_sign_and_few_digits():
    assert [signed(v) for v in (12.34, -3.21, 3.0, 0.0, -0.012)] == [
        "+12", "−3.2", "+3", "0", "−0.012"]


def test_the_headings_of_a_sweeps_curves_stay_within_their_panels():
    long = "lstm.activation=tanh,lstm.recurrent_dropout=0.2,learning_rate=0.01"
    rows = [{"data": "forecast", "variant": variant, "seed": 1, "epoch": epoch, "train_loss": 1.0,
             "validation_loss": 2.0} for variant in (long, long + "1") for epoch in (1, 2)]
    figure = learning_curves(pd.DataFrame(rows))
    figure.draw_without_rendering()
    left, right = (axes.title.get_window_extent() for axes in figure.axes[:2])
    assert left.x1 < right.x0
