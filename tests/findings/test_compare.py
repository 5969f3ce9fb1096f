"""Runs → scores → effects: the rate rule by a plain loop, effects by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from pipeline.config.errors import ConfigError
from pipeline.findings.arms import Arms, Comparison, GUESSING, Pair
from pipeline.findings.average import units
from pipeline.findings.compare import check_that_arms_differ, effect, effects, scored
from pipeline.findings.rates import ByOthers, CHOSEN, Middle, Own, Picked, RULES, Score, edges, largest_rates
from pipeline.findings.study import kind_of, stratum_of
from tests.findings.made import arm, curves, family, params, study, together

RATES = (0.01, 0.02, 0.04, 0.08)
ONE = {"one": {"group": "alone", "source": "forecast", "seeds": 15}}
GIVEN = params(ONE | {"two": {"of": "one"}}, {"old": {"data": "alone"}, "new": {"data": "alone"}})
PAIR = Pair(("new", ""), ("old", ""))


def plain(**about):
    return Comparison(((1.0, PAIR),), **about)


def noisy(experiment, seed, seeds=15, rates=RATES, data="one"):
    """Runs whose validation losses are noise, with errors that follow from seed and rate."""
    rng = np.random.default_rng(seed)
    table = arm(experiment, data, seeds=seeds, rates=rates)
    table["best_validation_loss"] = np.exp(rng.normal(0, 0.3, len(table)))
    table["best_error"] = rng.uniform(0.2, 0.5, len(table))
    return table


def test_each_seed_is_scored_at_the_rate_that_the_others_choose():
    table = noisy("new", 1)
    grid = Arms(table).grids["new", "", "one"]
    losses = table.pivot(index="seed", columns="learning_rate", values="best_validation_loss")
    for rule, average in ((CHOSEN, lambda some: np.log(some).mean()), (ByOthers(logarithms=False), lambda some: some.mean())):
        expected = []
        for seed in losses.index:
            others = losses.drop(index=seed)
            expected.append(min(RATES, key=lambda rate, others=others, average=average: average(others[rate])))
        assert grid.rates[rule(grid, grid.rates)].tolist() == expected


def test_the_score_of_a_seed_has_no_say_in_its_rate():
    table = noisy("new", 1)
    mine = table.seed == 3004
    other = table.assign(best_validation_loss=table.best_validation_loss.where(~mine, 1e-3))
    first, second = (Arms(some).grids["new", "", "one"] for some in (table, other))
    assert CHOSEN(first, RATES)[4] == CHOSEN(second, RATES)[4]


def test_each_seeds_own_rate_has_its_least_loss():
    table = noisy("new", 2)
    grid = Arms(table).grids["new", "", "one"]
    expected = table.loc[table.groupby("seed").best_validation_loss.idxmin()].learning_rate.tolist()
    assert grid.rates[Own()(grid, RATES)].tolist() == expected


def test_a_rate_that_diverged_counts_as_guessing():
    table = arm("new", "one", rates=RATES, others=1.1, best=1, trivial=3.0)
    table.loc[(table.learning_rate == 0.02) & (table.seed < 3012), ["diverged", "best_validation_loss"]] = True, np.nan
    grid = Arms(table).grids["new", "", "one"]
    assert 0.02 not in grid.rates[CHOSEN(grid, RATES)]
    assert 0.02 not in grid.rates[Own()(grid, RATES)][:12]


def test_the_middle_rate_is_one_that_both_arms_have():
    grid = Arms(noisy("new", 1, rates=(0.001, 0.003, *RATES))).grids["new", "", "one"]
    assert set(grid.rates[Middle()(grid, np.array(RATES))]) == {0.02}
    assert set(grid.rates[Middle()(grid, np.array([]))]) == {0.01}


def test_more_rates_just_work_and_an_edge_is_reported():
    wide = arm("new", "one", rates=(*RATES, 0.24), best=4, others=1.5)
    narrow = arm("old", "one", rates=RATES, best=1, others=1.5)
    table = edges(Arms(together(wide, narrow)), {}).set_index("experiment")
    assert table.loc["new", ["rates", "greatest", "rate", "share", "at_greatest", "edge"]].tolist() == [
        5, 0.24, 0.24, 1.0, 1.0, "greatest"]
    assert table.loc["old", ["rate", "at_least", "edge"]].tolist() == [0.02, 0.0, ""]
    made = study(GIVEN, wide, narrow)
    found = effect(plain(), "one", made)
    assert found.y == pytest.approx(math.log(narrow[narrow.learning_rate == 0.02].best_error.mean()
                                             / wide[wide.learning_rate == 0.24].best_error.mean()))
    assert edges(Arms(arm("new", "one")), {}).edge.tolist() == [""]


def test_a_seed_without_a_rate_is_refused():
    with pytest.raises(ValueError, match="each seed needs one at each"):
        Arms(noisy("new", 1).iloc[:-1])
    with pytest.raises(ValueError, match="each seed needs one at each"):
        Arms(together(arm("new", "one"), arm("new", "one", seeds=3)))


def test_networks_with_the_same_runs_are_one_arm_the_one_on_most_sets():
    given = params(ONE | {"two": {"of": "one"}}, {
        "whole": {"data": "alone"}, "swept": {"data": "one", "vary": {"epochs": [1, 2]}}})
    made = study(given, arm("whole", "one", key="k"), arm("whole", "two"), arm("swept", "one", variant="epochs=1", key="k"),
                 arm("swept", "one", variant="epochs=2"))
    assert made.arms.find("swept[epochs=1]", "") == ("whole", "")
    assert made.arms.find("swept[epochs=2]", "") == ("swept", "epochs=2")


def test_a_tuned_arm_is_chosen_by_the_other_seeds_over_values_and_rates():
    given = params(ONE, {"old": {"data": "alone"}, "swept": {"data": "alone", "vary": {"epochs": [1, 2]}}})
    first, second = (noisy("swept", seed).assign(variant=f"epochs={seed}") for seed in (1, 2))
    made = study(given, arm("old", "one"), first, second)
    tuned = made.arms.find("swept[tuned]", "")
    grid = made.arms.grids[(*tuned, "one")]
    losses = np.log(np.concatenate([t.pivot(index="seed", columns="learning_rate", values="best_validation_loss")
                                    for t in (first, second)], axis=1))
    expected = [np.delete(losses, i, axis=0).mean(axis=0).argmin() for i in range(15)]
    assert CHOSEN(grid, grid.rates).tolist() == expected


def test_an_unknown_arm_is_answered_with_the_nearest():
    made = study(GIVEN, arm("old", "one"), arm("new", "one"))
    with pytest.raises(ConfigError, match="no experiment 'newt'.*did you mean 'new'"):
        made.arms.find("newt", "here")
    with pytest.raises(ConfigError, match=r"here: found 'new\[x=1\]'; allowed: new"):
        made.arms.find("new[x=1]", "here")
    assert made.arms.find("new[x=1]", "", fallback=True) == ("new", "")


def test_what_diverged_or_ended_worse_than_guessing_scores_as_guessing():
    table = arm("new", "one", level=1.0, noise=0, diverged=[2], trivial=1.1)
    runs = Picked(Arms(table).grids["new", "", "one"], np.zeros(15, int))
    expected = np.minimum(table.best_error.fillna(1.1), 1.1)
    np.testing.assert_allclose(Score("error")(runs, ""), expected)
    np.testing.assert_allclose(Score("error", capped=False)(runs, "")[3:], table.best_error[3:])
    assert Score("divergence")(runs, "").tolist() == [i == 2 for i in range(15)]
    with pytest.raises(ConfigError, match="metric: found 'eror'.*did you mean 'error'"):
        Score("eror")(runs, "new on one")


def test_a_score_that_is_not_finite_is_refused_unless_none_is():
    table = arm("new", "one")
    runs = Picked(Arms(table.assign(best_error=[np.nan, *table.best_error[1:]])).grids["new", "", "one"], np.zeros(15, int))
    with pytest.raises(ValueError, match="not finite for the seeds 3000"):
        Score("error")(runs, "new on one")
    assert np.isnan(Score("calibration_error")(Picked(Arms(table).grids["new", "", "one"], np.zeros(15, int)), "")).all()


def test_no_error_on_any_seed_counts_as_half_a_one():
    runs = Picked(Arms(arm("new", "one").assign(best_error=0.0)).grids["new", "", "one"], np.zeros(15, int))
    assert Score("error")(runs, "").tolist() == pytest.approx([0.5 / 15_000] * 15)


def test_the_largest_usable_rate_keeps_half_of_what_is_gained():
    # Guessing has 1.0; the best rate 0.2: an error of up to 0.6 is usable.
    errors = {0.1: [0.2, 0.2, 0.9], 0.2: [0.3, 0.61, 0.9], 0.4: [0.59, 0.7, 0.9]}
    table = pd.concat([arm("new", "one", seeds=3, rates=(rate,), trivial=1.0).assign(best_error=some)
                       for rate, some in errors.items()])
    grid = Arms(table).grids["new", "", "one"]
    best = np.mean(errors[0.1])
    usable = 1 - 0.5 * (1 - best)
    assert usable == pytest.approx(0.7167, abs=1e-4)
    np.testing.assert_allclose(np.exp(largest_rates(grid, 0.5)), [0.4, 0.4, 0.05])


def test_an_effect_is_the_log_ratio_of_mean_errors():
    made = study(GIVEN, arm("old", "one", 1.0), arm("new", "one", 0.8))
    found = effect(plain(), "one", made)
    c, t = (made.arms.grids[name, "", "one"]["best_error"][:, 0] for name in ("old", "new"))
    assert found.y == pytest.approx(math.log(c.mean() / t.mean()))
    np.testing.assert_allclose(found.w, c / c.mean() - t / t.mean())
    best = effect(plain(), "one", study(GIVEN, arm("old", "one"), arm("new", "one")))
    last = effect(plain(endpoint="last"), "one", study(GIVEN, arm("old", "one"), arm("new", "one", last=2.0)))
    assert last.y == pytest.approx(best.y - math.log(2))


def test_interactions_and_slopes_are_weighted_sums_seed_by_seed():
    given = params(ONE, {name: {"data": "alone"} for name in "abcd"})
    made = study(given, *(arm(name, "one", level) for name, level in zip("abcd", (1.0, 0.8, 0.9, 0.9), strict=True)))
    first, second = Pair(("a", ""), ("b", "")), Pair(("c", ""), ("d", ""))
    parts = [effect(Comparison(((1.0, pair),)), "one", made) for pair in (first, second)]
    found = effect(Comparison(((1.0, first), (-1.0, second))), "one", made)
    assert found.y == pytest.approx(parts[0].y - parts[1].y)
    np.testing.assert_allclose(found.w, parts[0].w - parts[1].w)


def test_guessing_is_a_control_that_bounds_no_score():
    made = study(GIVEN, arm("new", "one", level=5.0, trivial=1.0), arm("old", "one"))
    found = scored(Pair(("new", ""), GUESSING), "one", plain(), made)
    assert found.control.tolist() == [1.0] * 15 and found.treatment.mean() > 2


def test_seeds_that_only_one_arm_has_are_refused():
    made = study(GIVEN, arm("old", "one"), arm("new", "one", seeds=14))
    with pytest.raises(ValueError, match="only one of the two has the seeds 3014"):
        effect(plain(), "one", made)


def test_another_scale_or_rate_is_another_analysis():
    made = study(GIVEN, noisy("old", 3), noisy("new", 4))
    found = {rule.name: effect(plain(), "one", made, rule).y for rule in RULES}
    assert len(set(found.values())) > 1
    assert set(found) == {"other seeds, mean log loss", "other seeds, mean loss", "own loss", "middle rate"}


def test_epochs_are_those_of_each_seeds_own_run():
    losses = {"old": [[1.0, 0.5]] * 2, "new": [[0.4, np.nan]] * 2}
    table = {name: curves(name, "one", np.array(some)) for name, some in losses.items()}
    made = study(GIVEN, arm("old", "one", seeds=2), arm("new", "one", seeds=2), curves=table.get)
    assert effect(plain(metric="epochs_to_target"), "one", made).y == pytest.approx(math.log(2))
    del table["new"]
    with pytest.raises(ValueError, match="no curves for the seeds 3000, 3001"):
        effect(plain(metric="epochs_to_target"), "one",
               study(GIVEN, arm("old", "one", seeds=2), arm("new", "one", seeds=2), curves=table.get))


def test_two_networks_that_are_said_to_differ_do_so():
    same = arm("new", "one").assign(best_validation_loss=arm("old", "one").best_validation_loss)
    made = study(GIVEN, arm("old", "one"), same)
    with pytest.raises(ConfigError, match="give the same on every seed of one; if they are one function"):
        check_that_arms_differ(plain(), "one", made, "here")
    check_that_arms_differ(plain(), "one", study(GIVEN, arm("old", "one"), arm("new", "one")), "here")


def test_a_measure_counts_on_enough_seeds_only():
    given = params(ONE, {"old": {"data": "alone"}, "new": {"data": "alone"}})
    probed = together(arm("old", "one"), arm("new", "one")).assign(drift=0.0)
    probed["drift"] = np.r_[np.arange(15.0), [np.nan] * 5, np.arange(5.0, 15)]
    made = study(given, arm("old", "one"), arm("new", "one"), probed=probed)
    assert len(effect(plain(metric="drift", probe=True), "one", made).w) == 10
    probed["drift"] = np.r_[np.arange(15.0), [np.nan] * 6, np.arange(6.0, 15)]
    made = study(given, arm("old", "one"), arm("new", "one"), probed=probed)
    assert effects(plain(metric="drift", probe=True), ["one"], made) == {}


def test_sets_of_a_unit_are_averaged_seed_by_seed():
    data = family(2, "tables") | {"more": {"of": "tables_0"}}
    given = params(data, {"old": {"data": "tables"}, "new": {"data": "tables"}})
    made = study(given, *(arm(name, one, level) for name, level in (("old", 1.0), ("new", 0.8)) for one in data))
    found = effects(plain(), data, made)
    grouped = units(found, given)
    assert grouped.names == ("utables_0", "utables_1") and grouped.sets == (("tables_0", "more"), ("tables_1",))
    assert grouped.effects[0].y == pytest.approx((found["tables_0"].y + found["more"].y) / 2)
    np.testing.assert_allclose(grouped.effects[0].w, (found["tables_0"].w + found["more"].w) / 2)
    assert (kind_of("more", given), stratum_of("more", given)) == ("tables", "tables")


def test_a_unit_in_two_strata_is_refused():
    data = family(1, "waves", "forecasts") | {"more": {"of": "waves_0", "stratum": "classes"}}
    given = params(data, {"old": {"data": "waves"}, "new": {"data": "waves"}})
    made = study(given, *(arm(name, one) for name in ("old", "new") for one in data))
    with pytest.raises(ValueError, match="lie in one stratum. Received: uwaves_0 in classes, forecasts"):
        units(effects(plain(), data, made), given)


def test_a_comparison_and_its_mirror_have_one_key_and_opposite_turns():
    there, back = plain(), Comparison(((1.0, Pair(("old", ""), ("new", ""))),))
    assert there.key == back.key and there.turn == -back.turn
    assert there.key != plain(metric="loss").key != plain(endpoint="last").key
    other = Pair(("c", ""), ("d", ""))
    one = Comparison(((1.0, PAIR), (-1.0, other)))
    assert one.key == Comparison(((1.0, other), (-1.0, PAIR))).key
    assert one.turn == -Comparison(((1.0, other), (-1.0, PAIR))).turn
