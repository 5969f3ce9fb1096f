"""A ranking of hand-made findings: its order, its words, and when it warns."""

import math
from pathlib import Path

import pandas as pd
import pytest

from pipeline.book.ranked import advice, controls, elsewhere, in_study, plain, ranked, summary, warnings

MARGIN = math.log(1.1)
BASELINES = {"trivial": 1.0, "persistence": math.nan, "seasonal": math.nan, "linear": 0.8, "forest": 0.9, "boosted": 0.85}


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
    finding("open", 4, "a little worse", kind="classes"), finding("best", 3, "worse", kind="forecasts", control="another")])


def changes(sets=SETS, findings=FINDINGS, stratum="forecasts"):
    return ranked({"sets": sets, "findings": findings}, "mine", {"mine": stratum})


def test_the_greatest_fall_of_the_error_comes_first_with_what_the_study_found():
    assert [one.name for one in changes()] == ["best", "good", "open", "same", "worse"]
    best = changes()[0]
    assert best.amount == "−20\u00a0% (−24 to −16\u00a0%)" and in_study(best).endswith(", better")
    assert elsewhere(best) == "between 21\u00a0% less and 18\u00a0% more" and in_study(changes()[3]) == "–" == elsewhere(changes()[3])


def two_controls():
    """A change of a change: better than what it changes, worse than the plain network."""
    rows = pd.read_csv(Path(__file__).parents[1] / "data/cases/effects_two_controls.csv")
    rows["id"] = rows["treatment"] + "_or_" + rows["control"] + "_mine"
    rows["word"] = ["worse", "better", "unclear"]
    sets = rows.drop(columns=["treatment", "control"]).assign(data="mine", own=True, seeds=5)
    return changes(sets, pd.DataFrame([finding(row["treatment"], 0, control=row["control"]) for row in rows.to_dict("records")]))


def test_networks_are_ranked_by_their_own_error_and_taken_only_where_they_beat_the_plain_one():
    found = two_controls()
    assert [one.name for one in found] == ["sigmoid", "dropout_then_bn", "bn_after"] and plain(found) == ("plain", 0.2)
    assert {one.name: advice(one, found) for one in found} == {
        "sigmoid": "open", "dropout_then_bn": "better than bn_after, but not than plain", "bn_after": "leave it out"}
    said = " ".join(summary(found))
    assert said.startswith("None of 3 changes lowers the error for certain: keep the plain network") and "Take" not in said


@pytest.mark.parametrize(("stratum", "todo"), [("forecasts", "try it: it is a little better elsewhere"),
                                               ("classes", "rather not: it is a little worse elsewhere"), ("", "open")])
def test_what_to_do_follows_the_word_here_and_only_then_the_study(stratum, todo):
    found = {one.name: advice(one, changes(stratum=stratum)) for one in changes(stratum=stratum)}
    assert found == {"best": "take it", "good": "take it, if it costs nothing", "same": "as you like", "worse": "leave it out",
                     "open": todo}


def test_the_summary_names_what_is_taken_and_left():
    said = " ".join(summary(changes()))
    assert said.startswith("Take what lowers the error: best, −20") and "Leave out what raises it: worse, +20" in said
    assert "Of 5 intervals" in said and summary([]) == []
    none = summary(changes(SETS[SETS["word"].isin(["unclear", "no difference that matters"])]))
    assert none[0].startswith("None of 2 changes lowers the error for certain") and len(none) == 1


def test_it_warns_of_wide_intervals_and_of_a_control_that_learns_little():
    assert warnings(changes(), BASELINES) == []
    wide = changes(SETS.assign(low=SETS["y"] - 0.15, high=SETS["y"] + 0.15))
    assert warnings(wide, None)[0].startswith("Too few data or seeds: 5 of 5 intervals are wider than the margin (10\u00a0%)")
    little, simpler = warnings(changes(SETS.assign(control_mean=0.95)), BASELINES)
    assert little.startswith("plain has learnt little: its error, 0.95, is 95\u00a0% of what guessing gives")
    assert simpler.startswith("A linear model does better than plain: 0.8 against 0.95")


def test_a_control_that_is_a_change_itself_is_not_named_beside_the_simple_predictors():
    sets = pd.DataFrame([on_set("a", 0, "unclear"), on_set("b", 0, "unclear", control="a", control_mean=0.4)])
    assert controls(changes(sets, pd.DataFrame([finding("a", 0), finding("b", 0, control="a")]))) == {"plain": 0.5}
