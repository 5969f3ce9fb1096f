"""A ranking of hand-made findings: its order, its words, and when it warns."""

import math
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from pipeline.book.ranked import advice, beaten, elsewhere, in_study, ranked, simple, summary, warnings

MARGIN = math.log(1.1)
BASELINES = {"data": "mine", "seeds": 5, "key": "", "trivial": 1.0, "persistence": math.nan, "seasonal": math.nan, "linear": 0.8,
             "forest": 0.9, "boosted": 0.85}
TABLE, SERIES = SimpleNamespace(), SimpleNamespace(window=24)


def finding(treatment, percent, word="better", half=2.0, kind="mine", control="plain", **more):
    """A row of the findings; on the set `mine` it is an own one."""
    y = -math.log1p(percent / 100)
    return {"id": f"{treatment}_or_{control}_{kind}", "title": treatment, "q": math.nan, "treatment": treatment, "control": control, "stratum": kind, "kind": kind,
            "role": "versus", "metric": "error", "endpoint": "best", "effect": y, "low": y - half / 100, "high": y + half / 100,
            "range_low": y - 0.2, "range_high": y + 0.2, "minus_treatment": "", "slope": "", "word": word} | more


def on_set(treatment, percent, word, half=5.0, control="plain", **more):
    y = -math.log1p(percent / 100)
    return {"id": f"{treatment}_or_{control}_mine", "data": "mine", "own": True, "seeds": 5, "y": y, "low": y - half / 100,
            "high": y + half / 100, "margin": MARGIN, "word": word, "control_mean": 0.5,
            "treatment_mean": 0.5 * (1 + percent / 100)} | more


SETS = pd.DataFrame([
    on_set("worse", 20, "worse"), on_set("best", -20, "better"), on_set("same", 0, "no difference that matters"),
    on_set("open", -2, "unclear", half=30), on_set("good", -8, "a little better"), on_set("elsewhere", -50, "better", data="tides"),
    on_set("unknown", 0, "unclear", y=math.nan)])
NAMES = ("worse", "best", "same", "open", "good", "elsewhere", "unknown")
FINDINGS = pd.DataFrame([finding(name, 0) for name in NAMES] + [
    finding("best", -3, kind="forecasts"), finding("open", -4, "a little better", kind="forecasts"),
    finding("open", 4, "a little worse", kind="classes"), finding("best", 3, "worse", kind="forecasts", role="claim")])


def changes(sets=SETS, findings=FINDINGS, stratum="forecasts"):
    return ranked({"sets": sets, "findings": findings}, "mine", "plain", stratum)


def test_the_greatest_fall_of_the_error_comes_first_with_what_the_study_found():
    assert [one.name for one in changes()] == ["best", "good", "open", "same", "worse"]
    best = changes()[0]
    assert best.amount == "−20\u00a0% (−24 to −16\u00a0%)" and in_study(best).endswith(", better")
    assert elsewhere(best) == "between 21\u00a0% less and 18\u00a0% more" and in_study(changes()[3]) == "–" == elsewhere(changes()[3])


def two_controls():
    """Three networks beside the plain one, and one of them beside the one that it changes, which it beats."""
    rows = pd.read_csv(Path(__file__).parents[1] / "data/cases/effects_two_controls.csv")
    beside = rows.query("treatment == 'dropout_then_bn'").assign(control="plain", control_mean=0.2, y=-0.025, low=-0.1, high=0.05)
    rows = pd.concat([rows, beside], ignore_index=True)
    rows["id"] = rows["treatment"] + "_or_" + rows["control"] + "_mine"
    rows["word"], roles = ["worse", "better", "unclear", "unclear"], ["versus", "versus", "versus", "own"]
    found = [finding(row["treatment"], 0, control=row["control"], role=role)
             for row, role in zip(rows.to_dict("records"), roles, strict=True)]
    found.append(finding("dropout_then_bn", -5, control="bn_after", kind="forecasts"))
    return changes(rows.drop(columns=["treatment", "control"]).assign(data="mine", own=True, seeds=5), pd.DataFrame(found))


def test_every_network_is_ranked_beside_the_plain_one_whatever_it_is_a_change_of():
    found = two_controls()
    assert [(one.name, one.found["control"], one.found["treatment_mean"]) for one in found] == [
        ("sigmoid", "plain", 0.19), ("dropout_then_bn", "plain", 0.205), ("bn_after", "plain", 0.22)]
    # What the study found of a change of another network is no advice here.
    assert [advice(one) for one in found] == ["open", "open", "leave it out"]
    assert in_study(found[1]).endswith(" against bn_after, better")
    said = " ".join(summary(found))
    assert said.startswith("None of 3 changes lowers the error for certain") and "keep the plain network" in said and "Take" not in said


@pytest.mark.parametrize(("percent", "half", "word", "todo"), [
    (-20, 5, "better", "take it"), (-8, 7, "better", "take it, if it costs nothing"), (-8, 1, "a little better", "take it, if it costs nothing")])
def test_only_what_beats_the_plain_network_by_more_than_the_margin_is_taken(percent, half, word, todo):
    found = changes(pd.DataFrame([on_set("best", percent, word, half=half)]))
    assert [advice(one) for one in found] == [todo]
    assert summary(found)[0].startswith("Take what" if todo == "take it" else "None of 1 change lowers")


@pytest.mark.parametrize(("error", "simple", "entry", "words"), [
    (0.79, {}, SERIES, ""), (0.8004, {}, TABLE, "The plain network, plain, is no better than a linear model: its error is 0.8 against 0.8. "
     "Before any change of it, try more rows."),
    (0.95, {}, SERIES, "try a longer window than 24 rows, or more rows, or the target's differences instead of its values."),
    (0.95, {"persistence": 0.7}, SERIES, "is no better than the last known value: its error is 0.95 against 0.7"),
    (0.95, {"persistence": 0.7}, SERIES, "try the target's differences instead of its values, or a longer window than 24 rows"),
    (0.95, {"seasonal": 0.7}, SERIES, "try the target's differences"),
    (0.95, {"boosted": 0.6}, TABLE, "is no better than gradient boosting: its error is 0.95 against 0.6")])
def test_a_plain_network_that_a_simple_predictor_equals_is_said_with_what_to_try(error, simple, entry, words):
    found = beaten(changes(SETS.assign(control_mean=error)), BASELINES | simple, entry)
    assert words in found if words else found == ""
    assert beaten(changes(), None, entry) == beaten([], BASELINES, entry) == ""


def test_simple_predictors_that_are_not_for_such_data_are_none():
    assert list(simple(BASELINES).items()) == [("a linear model", 0.8), ("gradient boosting", 0.85), ("a random forest", 0.9)]
    assert simple(None) == {}


@pytest.mark.parametrize(("stratum", "todo"), [("forecasts", "try it: it is a little better elsewhere"),
                                               ("classes", "rather not: it is a little worse elsewhere"), ("", "open")])
def test_what_to_do_follows_the_word_here_and_only_then_the_study(stratum, todo):
    found = {one.name: advice(one) for one in changes(stratum=stratum)}
    assert found == {"best": "take it", "good": "take it, if it costs nothing", "same": "as you like", "worse": "leave it out",
                     "open": todo}


def test_the_summary_names_what_is_taken_and_left():
    said = " ".join(summary(changes()))
    assert said.startswith("Take what lowers the error: best, −20") and "Leave out what raises it: worse, +20" in said
    assert "Of 5 intervals" in said and summary([]) == []
    none = summary(changes(SETS[SETS["word"].isin(["unclear", "no difference that matters"])]))
    assert none[0].startswith("None of 2 changes lowers the error for certain") and len(none) == 1


def test_it_warns_of_wide_intervals_and_of_a_plain_network_that_learns_little():
    assert warnings(changes(), BASELINES) == []
    wide = changes(SETS.assign(low=SETS["y"] - 0.15, high=SETS["y"] + 0.15))
    assert warnings(wide, None)[0].startswith("Too few data or seeds: 5 of 5 intervals are wider than the margin (10\u00a0%)")
    (little,) = warnings(changes(SETS.assign(control_mean=0.95)), BASELINES)
    assert little.startswith("plain has learnt little: its error, 0.95, is 95\u00a0% of what guessing gives")
    (much,) = warnings(changes(SETS.assign(control_mean=0.01)), BASELINES)
    assert much.startswith("The error of plain, 0.01, is nearly 0: does an input tell the target")
