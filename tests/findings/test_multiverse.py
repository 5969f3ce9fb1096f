"""Every other choice, against a plain loop over them."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pipeline.findings import multiverse
from pipeline.findings.asked import Asker, of_experiments
from pipeline.findings.finding import averages, find
from pipeline.findings.multiverse import NO_HIGH, NO_LOW, analyse, choices, curve
from pipeline.tables.schemas import MULTIVERSE_COLUMNS
from tests.findings.made import RULE, arm, family, params, study
from tests.findings.test_compare import noisy

DATA = family(9, "tables")
GIVEN = params(DATA, {"old": {"data": "tables"}, "new": {"data": "tables", "versus": "old"}})


@pytest.fixture(scope="module")
def made():
    arms = []
    for i, data in enumerate(DATA):
        for j, name in enumerate(("old", "new")):
            table = noisy(name, 100 * i + j, data=data)
            table["best_error"] *= 0.8 if name == "new" else 1.0
            table["last_error"] = 1.2 * table["best_error"] ** (1.1 if name == "new" else 1.0)
            table["trivial_error"] = 0.4 if i == 1 else 1.0
            table["best_calibration_error"] = 0.1
            if i == 0:
                table["best_error"] = table["best_error"] * 0.1
            table["seed"] = 3000 + table.groupby("learning_rate").cumcount()
            arms.append(table)
    return study(GIVEN, *arms)


@pytest.fixture(scope="module")
def found(made):
    asker = Asker(made)
    of_experiments(asker, asker.study.params.experiments)
    one, = averages(find(next(iter(asker.questions.values())), made), made)
    return curve(one, analyse(one.finding, made), made)


def test_every_combination_is_there(found):
    assert len(found.analysed.choices) == 4 * 2 * 4
    assert found.mean.shape == (32, 2, 1 + 2 + 9) and np.isfinite(found.mean).all()
    assert found.sets[:3] == ["every set", NO_LOW, NO_HIGH]
    assert found.shares(study(GIVEN, *[arm(n, d) for n in ("old", "new") for d in DATA]))["analyses"] == 32 * 2 * 12 * 3


def test_the_first_is_the_one_that_was_made(found):
    assert (found.mean[0, 0, 0], found.low[0, 0, 0]) == pytest.approx(
        (found.average.estimate.value, found.average.estimate.bounds(RULE.tail)[0]))
    first = found.analysed.choices[0]
    assert (first.rate.name, first.comparison.endpoint) == ("other seeds, mean log loss", "best")
    assert first.scale == "ratio of means"


def scores(made, name, data, choice):
    """A seed's scores at each seed's own rate, or at the middle one."""
    grid = made.arms.grids[name, "", data]
    losses = grid["best_validation_loss"]
    pick = losses.argmin(axis=1) if choice.rate.name == "own loss" else np.full(15, 1)
    errors = grid[f"{choice.comparison.endpoint}_error"][np.arange(15), pick]
    return np.minimum(errors, grid["trivial_error"][:, 0])


@pytest.mark.parametrize("scale", ["ratio of means", "mean of ratios", "difference", "ranks"])
def test_each_choice_is_what_a_plain_loop_makes(made, found, scale):
    for i, choice in enumerate(found.analysed.choices):
        if choice.scale != scale or choice.rate.name not in ("own loss", "middle rate"):
            continue
        y = []
        for data in DATA:
            c, t = (scores(made, name, data, choice) for name in ("old", "new"))
            trivial = 0.4 if data == "tables_1" else 1.0
            y.append({"ratio of means": math.log(c.mean() / t.mean()), "mean of ratios": np.log(c / t).mean(),
                      "difference": (c.mean() - t.mean()) / trivial, "ranks": np.sign(c - t).mean()}[scale])
        expected = stats.ttest_1samp(y, 0).confidence_interval(0.95)
        assert found.mean[i, 0, 0] == pytest.approx(np.mean(y))
        assert (found.low[i, 0, 0], found.high[i, 0, 0]) == pytest.approx((expected.low, expected.high))
        without = found.sets.index("without utables_3")
        assert found.mean[i, 0, without] == pytest.approx(np.mean(np.delete(y, 3)))


def test_sets_of_low_errors_and_near_guessing_are_left_out(found):
    assert found.analysed.low.tolist() == [True] + [False] * 8
    assert found.analysed.high.tolist() == [False, True] + [False] * 7
    assert found.mean[0, 0, 1] == pytest.approx(found.mean[0, 0, found.sets.index("without utables_0")])


def test_shares_count_what_keeps_sign_and_word(made, found):
    shares = found.shares(made)
    signs = np.sign(found.mean) == np.sign(found.mean[0, 0, 0])
    assert shares["same_sign"] == pytest.approx(signs.mean()) and 0 <= shares["same_word"] <= 1
    everywhere = {"mean": 0.15, "low": 0.12, "high": 0.18}
    same = replace(found, **{name: np.full_like(found.mean, value) for name, value in everywhere.items()},
                   analysed=replace(found.analysed, margin=np.where(np.isfinite(found.analysed.margin), 0.1, np.nan)))
    assert same.shares(made) == {"analyses": found.mean.size * 3, "same_word": 1.0, "same_sign": 1.0}


def test_the_stored_curve_has_a_row_an_analysis(found):
    table = found.table()
    assert list(table.columns) == MULTIVERSE_COLUMNS and len(table) == found.mean.size
    one = table[(table.rate == "own loss") & (table.endpoint == "last") & (table.scale == "difference")
                & (table.weights == "precision") & (table.sets == NO_HIGH)].iloc[0]
    i = next(i for i, c in enumerate(found.analysed.choices)
             if (c.rate.name, c.comparison.endpoint, c.scale) == ("own loss", "last", "difference"))
    assert one["mean"] == pytest.approx(found.mean[i, 1, 2], abs=1e-4)
    assert one["margin"] == pytest.approx(found.analysed.margin[i], abs=1e-4)


def test_a_difference_matters_where_it_is_the_margin_of_the_controls_level(made, found):
    i = next(i for i, c in enumerate(found.analysed.choices) if c.scale == "difference" and c.rate.name == "middle rate")
    choice = found.analysed.choices[i]
    levels = [scores(made, "old", data, choice).mean() / (0.4 if data == "tables_1" else 1) for data in DATA]
    assert found.analysed.margin[i] == pytest.approx(0.1 * np.mean(levels))


def test_a_measure_has_no_ratios_and_the_probe_one_rate():
    from pipeline.findings.arms import Comparison, Pair
    pair = ((1.0, Pair(("new", ""), ("old", ""))),)
    assert len(choices(Comparison(pair, "calibration_error"))) == 4 * 2 * 2
    assert len(choices(Comparison(pair, "drift", probe=True))) == 2
    assert len(choices(Comparison(pair, "epochs_to_target"))) == 4
    assert len(choices(Comparison(pair, "divergence"))) == 4 * 2
    assert multiverse.RULES[0].name == "other seeds, mean log loss"
