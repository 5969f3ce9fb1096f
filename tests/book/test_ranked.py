"""A ranking of hand-made effects: its order, its words, and when it warns."""

import math

import pandas as pd
import pytest

from pipeline.book.ranked import advice, controls, elsewhere, in_study, interval, ranked, shown, summary, warnings

MARGIN = math.log(1.1)


def effect(treatment, percent, half=5.0, **more):
    """An effect that changes the error by so many per cent, in an interval of half a width, in per cent."""
    y = -math.log1p(percent / 100)
    return {"claim": "", "treatment": treatment, "control": "plain", "data": "mine", "stratum": "", "metric": "error",
            "endpoint": "best", "seeds": 5, "y": y, "low": y - half / 100, "high": y + half / 100, "margin": MARGIN,
            "control_mean": 0.5} | more


def average(treatment, percent, half=2.0, group="", control="plain", family="sequences"):
    y = -math.log1p(percent / 100)
    return {"claim": "", "treatment": treatment, "control": control, "metric": "error", "endpoint": "best",
            "group": group, "family": family, "mean": y, "low": y - half / 100, "high": y + half / 100, "range_low": y - 0.2,
            "range_high": y + 0.2}


EFFECTS = pd.DataFrame([
    effect("worse", 20), effect("best", -20), effect("same", 0), effect("open", -2, half=30), effect("good", -8),
    effect("harmless", -8, half=12), effect("useless", 8, half=12), effect("elsewhere", -50, data="tides"),
    effect("best", -30, claim="a_claim"), effect("best", -40, endpoint="last"), effect("best", -50, metric="loss"),
    effect("unknown", 0, y=math.nan)])
AVERAGES = pd.DataFrame([average("best", -3), average("open", -4), average("worse", 5),
                         average("best", 3, control="another")])


def changes(effects=EFFECTS, averages=AVERAGES, classes=()):
    return ranked(effects, averages, "mine", dict(classes))


def test_the_greatest_fall_of_the_error_comes_first_and_other_tables_rows_do_not_count():
    assert [one.name for one in changes()] == ["best", "good", "harmless", "open", "same", "useless", "worse"]
    best = changes()[0]
    assert interval(best.found) == "−20 % (−24 to −16 %)"
    assert in_study(best) == "−3 % (−5 to −1 %)" and elsewhere(best) == "−21 to +18 %"
    assert in_study(changes()[4]) == "–" == elsewhere(changes()[4])


@pytest.mark.parametrize(("low", "high", "word"), [
    (0.01, 0.5, "better"), (-0.5, -0.01, "worse"), (-0.05, 0.05, "no difference that matters"),
    (-0.2, 0.05, "no benefit that matters"), (-0.05, 0.2, "no harm that matters"), (-0.2, 0.2, "too few to tell")])
def test_an_interval_says_one_thing(low, high, word):
    assert shown(low, high, MARGIN) == word


def test_what_to_do_follows_the_interval_here_and_only_then_the_study():
    found = {one.name: advice(one) for one in changes()}
    assert found["best"] == "take it" and found["worse"] == "leave it out" and found["useless"] == "leave it out"
    assert found["same"] == "as you like" and found["open"] == "try it: it helps on average elsewhere"
    turned = AVERAGES.assign(**{name: -AVERAGES[other] for name, other in (
        ("mean", "mean"), ("low", "high"), ("high", "low"))})
    assert {one.name: advice(one) for one in changes(averages=turned)}["open"].startswith("rather not")
    assert {one.name: advice(one) for one in changes(averages=AVERAGES.iloc[:0])}["open"] == "open"
    said = " ".join(summary(changes()))
    assert said.startswith("Take what lowers the error: best, −20 % (−24 to −16 %); good, −8 %")
    assert "Leave out what raises it: worse, +20 %" in said
    assert "Of 7 intervals at 95 %, about 0.4 would leave out zero by chance" in said
    none = summary(changes(EFFECTS[EFFECTS["treatment"].isin(["same", "open"])]))
    assert none[0].startswith("None of 2 changes lowers the error for certain") and len(none) == 1
    assert summary([]) == []


def test_the_average_over_a_family_counts_wherever_it_stands():
    synthetic = pd.DataFrame([average("best", 40, family=""), average("same", 7, family="")])
    for averages in (pd.concat([synthetic, AVERAGES]), pd.concat([AVERAGES, synthetic])):
        found = {one.name: in_study(one) for one in changes(averages=averages)}
        assert found["best"].startswith("−3 %") and found["same"].startswith("+7 %")


def test_of_two_strata_that_of_the_same_task_counts():
    effects = pd.concat([EFFECTS, pd.DataFrame([effect("best", 0, data="tides", stratum="forecasts"),
                                                effect("best", 0, data="vowels", stratum="classes")])])
    averages = pd.DataFrame([average("best", -9, group="forecasts"), average("best", 9, group="classes")])
    task = {"tides": False, "vowels": True}
    for mine, expected in ((False, "−9 %"), (True, "+9 %")):
        assert in_study(changes(effects, averages, task | {"mine": mine})[0]).startswith(expected)


BASELINES = {"trivial": 1.0, "persistence": math.nan, "linear": 0.8, "forest": 0.9}


def test_it_warns_of_wide_intervals_and_of_a_control_that_learns_little():
    assert warnings(changes(), BASELINES) == []
    wide = changes(pd.DataFrame([effect("a", 0, half=15), effect("b", 0, half=11), effect("c", 0)]))
    assert [line[:43] for line in warnings(wide, None)] == ["Too few data or seeds: 2 of 3 intervals are"]
    assert "(+10 %)" in warnings(wide, None)[0]
    weak = changes(EFFECTS.assign(control_mean=0.95))
    little, simpler = warnings(weak, BASELINES)
    assert little.startswith("plain has learnt little: its error, 0.95, is 95 % of what guessing gives")
    assert simpler.startswith("A linear model does better than plain: 0.8 against 0.95")
    assert warnings(changes(EFFECTS.assign(control_mean=0.85)), BASELINES) == [simpler.replace("0.95", "0.85")]


def test_a_control_that_is_a_change_itself_is_not_named_beside_the_simple_predictors():
    effects = pd.DataFrame([effect("a", 0), effect("b", 0, control="a", control_mean=0.4)])
    assert controls(changes(effects)) == {"plain": 0.5}
