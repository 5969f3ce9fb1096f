"""Blocks that several pages show."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pipeline.book.blocks import (
    averages_with_scale, check_table, claim_picture, compared, effect_table, endings, forest_rows, others, place_picture)


def claim(study, slug):
    return next(one for one in study.claims if one.slug == slug)


def picture_rows(study, slug):
    one = claim(study, slug)
    return forest_rows(study.claim_effects(one), study.claim_units(one), study.claim_averages(one), 0.95)


def test_one_comparison_is_drawn_by_data_set_the_best_first_and_the_average_last(study):
    rows = picture_rows(study, "tables_bn_helps")
    effects = study.claim_effects(claim(study, "tables_bn_helps"))
    assert list(rows["kind"]) == ["set"] * 10 + ["average"]
    assert list(rows["label"][:-1]) == list(effects.sort_values("y", ascending=False)["data"])
    average = study.average(claim(study, "tables_bn_helps"))
    assert (rows["y"].iloc[-1], rows["low"].iloc[-1]) == (average["mean"], average["low"])


def test_of_several_comparisons_the_units_are_drawn_with_their_own_intervals(study):
    rows = picture_rows(study, "order_matters")
    units = study.claim_units(claim(study, "order_matters")).set_index("sets")
    shown = rows[rows["kind"] == "set"].set_index("label")
    assert set(shown.index) == set(units.index) and "wind_north, wind_south" in shown.index
    for label, row in shown.iterrows():
        unit = units.loc[label]
        expected = stats.t(unit["freedom"], unit["y"], unit["s"]).interval(0.95)
        assert (row["low"], row["high"]) == pytest.approx(expected)
        assert row["found"] == ("better" if expected[0] > 0 else "worse" if expected[1] < 0 else "")


def test_where_strata_differ_each_has_its_rows_and_its_average(study):
    rows = picture_rows(study, "dropout_helps")
    assert list(rows["heading"]) == ["forecasts"] * 7 + ["classes"] * 7
    assert list(np.flatnonzero(rows["kind"] == "average")) == [6, 13]


def test_a_single_data_set_is_its_own_average(study):
    assert list(picture_rows(study, "bn_on_input_is_inferior")["kind"]) == ["set"]


def test_effects_are_told_the_best_first_and_linked(study):
    effects = study.claim_effects(claim(study, "tables_bn_helps"))
    lines = effect_table(study, effects).splitlines()
    assert lines[0] == "| data set | change | found | seeds |" and len(lines) == 12
    best = effects.loc[effects["y"].idxmax()]
    assert lines[2].startswith(f"| [{best['data']}](/data_sets/{best['data']}.md) | ") and "| better | 15 |" in lines[2]
    several = effect_table(study, study.claim_effects(claim(study, "order_matters")))
    assert "| data set | comparison |" in several and "[before](#experiment-before) against [after]" in several
    # A synthetic data set has no page.
    assert "| badly_scaled | " in effect_table(study, study.claim_effects(claim(study, "bn_on_input_is_inferior")))


def test_an_interaction_names_both_contrasts(study):
    text = compared(study, {"treatment": "before", "control": "plain", "minus_treatment": "after",
                            "minus_control": "plain", "minus_data": "noise"})
    assert text.endswith("less [after](#experiment-after) against [plain](#experiment-plain) on noise")


def test_how_runs_ended_is_averaged_over_the_data_sets(study):
    effects = study.claim_effects(claim(study, "tables_bn_helps")).copy()
    effects["limit_treatment"] = [0.5] + [0.0] * 9
    row = endings(study, effects).splitlines()[2]
    assert row == "| [mlp_bn](#experiment-mlp_bn) against [mlp](#experiment-mlp) | 5 % / 0 % | 10 % / 0 % | 0 % / 0 % |"


def test_an_average_has_the_scale_of_its_effects(study):
    one = claim(study, "dropout_diverges")
    rows = averages_with_scale(study.claim_effects(one), study.claim_averages(one))
    assert [row["scale"] for row in rows] == [study.claim_effects(one)["scale"].iloc[0]]


def test_only_the_named_checks_are_shown(study):
    assert "`never_added`" in check_table(study, ["never_added"]) and check_table(study, ["another"]) == ""
    failed = replace(study, tables={**study.tables, "checks": study.checks.assign(holds=False)})
    assert "| **no** |" in check_table(failed, ["never_added"])


def test_what_others_found_is_that_of_the_rows(study):
    found = replace(study, evidence=({"rows": ["B2", "A6"], "says": "They found.", "cite": "key2020"},))
    assert "- They found. {cite:p}`key2020`" in others(found, ["A6"])
    assert others(study, []) == ""


def test_pictures_are_there_where_there_are_rows(study):
    assert claim_picture(study, claim(study, "before_helps")).name == "claim-before_helps"
    assert claim_picture(study, claim(study, "selu_helps")) is None
    assert place_picture(study, "anywhere").name == "places-anywhere" and place_picture(study, "before") is None
