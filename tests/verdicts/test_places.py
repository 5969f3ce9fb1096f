"""The places of a network: which may be the best, and which is told apart."""

import math

import numpy as np
import pytest
from scipy import stats
from tests.verdicts.made_runs import RULE, arm, family, measured, study, together

from pipeline.tables.schemas import PLACE_COLUMNS
from pipeline.verdicts.__main__ import decide
from pipeline.verdicts.one_set import Effect
from pipeline.verdicts.places import contenders

BN = "BatchNormalization"


def ranked(*levels, count=8, spread=0.0):
    """The table of places of a network whose errors are so much of its control's."""
    data = family(count)
    params = study(data, {"old": {"data": "tables"},
                          "new": {"data": "tables", "versus": "old", "layers": ["LSTM", "Flatten"], "everywhere": BN}})
    labels = list(params.variants("new"))[:len(levels)]
    rng = np.random.default_rng(1)
    runs = together(*(arm("old", d) for d in data),
                    *(arm("new", d, level * math.exp(rng.normal(0, spread)), variant=place)
                      for place, level in zip(labels, levels, strict=True) for d in data))
    found = decide(params, [], measured(runs, params), {}, RULE)
    return found["places"], found["averages"]


def test_every_place_has_its_average_and_all_intervals_hold_together():
    found, averages = ranked(1.0, 0.7, 1.3, spread=0.1)
    assert list(found.columns) == PLACE_COLUMNS
    assert found["number"].tolist() == [1, 2, 3] and set(found["family"]) == {"tables"}
    for row in found.itertuples():
        same = averages[averages["treatment"] == f"new[{row.place}]"].iloc[0]
        half = stats.t.ppf(1 - 0.05 / 6, 7) * same["error"]
        assert (row.effect, row.low, row.high) == pytest.approx(
            (same["mean"], same["mean"] - half, same["mean"] + half))


@pytest.mark.parametrize("count", [8, 3])
def test_the_best_and_the_worst_are_told_apart_where_they_stand_out(count):
    found = ranked(1.0, 0.7, 1.3, count=count)[0]
    assert found["stands"].tolist() == ["", "best", "worst"]
    assert found["apart"].tolist() == [False, True, True]
    assert found["may_be_best"].tolist() == [False, True, False]
    assert found["may_be_worst"].tolist() == [False, False, True]


def test_places_that_do_alike_may_all_be_the_best():
    found = ranked(0.7, 0.7, 1.3, spread=0.02)[0]
    assert sorted(found["stands"]) == ["", "best", "worst"]
    assert found["may_be_best"].tolist() == [True, True, False]
    assert found["apart"].tolist() == [False, False, True]


def test_one_place_alone_stands_nowhere():
    found = ranked(0.7)[0]
    assert found["stands"].tolist() == [""]
    assert not found[["may_be_best", "may_be_worst", "apart"]].any(axis=None)


@pytest.mark.parametrize("levels", [(0.0, 0.0, 0.0, 0.0), (0.05, 0.0, 0.0, -0.05), (0.2, 0.08, 0.04, 0.0)])
def test_the_true_best_and_worst_are_seldom_left_out(levels):
    rng, out, studies = np.random.default_rng(2), 0, 200
    params = study(family(10), {"old": {"data": "tables"}})
    for _ in range(studies):
        w = rng.normal(0, 0.1, (4, 10, 15))
        effects = {i: {d: Effect(level + rng.normal(0, 0.05), w[i, j]) for j, d in enumerate(params.data)}
                   for i, level in enumerate(levels)}
        best, worst = contenders(effects, True, params, RULE)
        # Of equals, whichever is called the best: the first place is one in every setting.
        out += 0 not in best or len(levels) - 1 not in worst
    assert out / studies < 0.09
