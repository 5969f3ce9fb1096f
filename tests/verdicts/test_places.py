"""The places of a network: which may be the best, and which is told apart."""

import numpy as np
import pytest
from tests.verdicts.made_runs import RULE, arm, measured, together
from scipy import stats

from pipeline.spec.tables import PLACE_COLUMNS
from pipeline.verdicts.cells import comparisons
from pipeline.verdicts.places import contenders, places

PLACES = ["first", "after conv_1", "after relu_1", "after lstm_1"]


def ranked(*levels, trivial=10.0, data=("a",), blind=()):
    """The table of places of a network whose errors are so much of its control's."""
    runs = together(*(arm("old", d, trivial=trivial) for d in data),
                    *(arm("new", d, level, variant=place, trivial=trivial)
                      for place, level in zip(PLACES, levels, strict=False) for d in data))
    known = measured(runs, sweeps={"new": {p: {"place": p} for p in PLACES[:len(levels)]}, "old": {"": {}}})
    table = comparisons({"new": "old"}, known, RULE, blind=blind, everywhere=["new"])
    return places(["new"], table, known, RULE), table


def test_every_place_has_its_row_and_the_interval_of_its_comparison():
    found, table = ranked(1.0, 0.7, 1.3, 0.9, data="ab")
    assert list(found.columns) == PLACE_COLUMNS
    assert sorted(zip(found["data"], found["number"], found["place"], strict=True)) == [
        (d, i, place) for d in "ab" for i, place in enumerate(PLACES, 1)]
    for row in found.itertuples():
        same = table[(table["treatment"] == f"new[{row.place}]") & (table["data"] == row.data)].iloc[0]
        assert (row.effect, row.low, row.high, row.m, row.label) == (
            same["effect"], same["low"], same["high"], 4, same["label"])


def test_the_best_and_the_worst_are_told_apart_where_they_stand_out():
    found = ranked(1.0, 0.7, 1.3, 0.98)[0].set_index("place")
    assert found["stands"].to_dict() == {
        "first": "", "after conv_1": "best", "after relu_1": "worst", "after lstm_1": ""}
    assert found["apart"].to_dict() == dict.fromkeys(PLACES, False) | {
        "after conv_1": True, "after relu_1": True}
    assert list(found.index[found["may_be_best"]]) == ["after conv_1"]
    assert list(found.index[found["may_be_worst"]]) == ["after relu_1"]


def test_places_that_do_alike_may_all_be_the_best():
    found = ranked(0.7, 0.7, 1.3)[0].set_index("place")
    assert sorted(found["stands"]) == ["", "best", "worst"]
    assert list(found["may_be_best"]) == [True, True, False]
    assert list(found.index[found["apart"]]) == ["after relu_1"]


def test_nothing_stands_where_nothing_can_be_shown():
    for found in (ranked(1.0, 0.5, trivial=1.05)[0], ranked(0.5)[0]):
        assert set(found["stands"]) == {""}
        assert not found[["may_be_best", "may_be_worst", "apart"]].any(axis=None)
    empty = places([], ranked(1.0)[1], None, RULE)
    assert empty.empty and list(empty.columns) == PLACE_COLUMNS


def test_contenders_by_paired_tests():
    rng = np.random.default_rng(4)
    shared = rng.normal(0, 0.3, 30)
    scores = {name: np.exp(shared + rng.normal(level, 0.08, 30))
              for name, level in zip("abcdef", (0, 0.02, 0.06, 0.1, 0.3, 0.29), strict=True)}

    def better(one, other):
        w = scores[other] / scores[other].mean() - scores[one] / scores[one].mean()
        theta = np.log(scores[other].mean() / scores[one].mean())
        return theta - stats.sem(w) * stats.t.ppf(1 - 0.05 / (2 * 5), 29) > 0

    best, worst = contenders(scores, RULE)
    assert best == {one for one in scores if not any(better(other, one) for other in scores)}
    assert worst == {one for one in scores if not any(better(one, other) for other in scores)}
    assert "a" in best and {"e", "f"} == worst and 1 < len(best) < 5


@pytest.mark.parametrize("levels", [(0.0, 0.0, 0.0, 0.0), (0.0, 0.05, 0.05, 0.05), (0.0, 0.04, 0.08, 0.2)])
def test_the_true_best_and_worst_are_seldom_left_out(levels):
    rng, out, studies = np.random.default_rng(2), 0, 300
    for _ in range(studies):
        shared = rng.normal(0, 0.2, 30)
        scores = {i: np.exp(shared + rng.normal(level, 0.1, 30)) for i, level in enumerate(levels)}
        best, worst = contenders(scores, RULE)
        # Of equals, whichever is called the best: the first place is one in every setting.
        out += 0 not in best or len(levels) - 1 not in worst
    assert out / studies <= 0.05 + 2 * (0.05 * 0.95 / studies) ** 0.5
