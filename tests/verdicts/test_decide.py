"""Averages, verdicts and their robustness, recomputed by hand with scipy."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from tests.verdicts.made_runs import RULE, arm, claim, curves, family, measured, study, together

from pipeline.config.errors import ConfigError
from pipeline.tables.schemas import MEASURED, STORED
from pipeline.verdicts.__main__ import decide

DELTA = math.log(1.1)


def decided(params, claims, *runs, checks=None, **more):
    """Every table of a study."""
    tables = decide(params, claims, measured(together(*runs), params, **more), checks or {}, RULE)
    for name, table in tables.items():
        assert list(table.columns) == list(STORED[name].columns), name
    return tables


def plain(levels=None, count=12, rates=(0.01,), seeds=15, **entry):
    """A family of tables on which `new` has so much of the error of `old`."""
    data = family(count, **entry)
    params = study(data, {"old": {"data": "tables"}, "new": {"data": "tables", "versus": "old"}})
    levels = np.broadcast_to(0.8 if levels is None else levels, count)
    runs = [arm(name, d, factor, seeds=seeds, rates=rates)
            for d, level in zip(data, levels, strict=True) for name, factor in (("old", 1.0), ("new", level))]
    return params, runs


def log_ratio(runs, treatment, control, data):
    """The effect ln(mean c / mean t) and its standard error, from the runs that were kept."""
    table = together(*runs)
    kept = table[table["chosen"] & (table["data"] == data)]
    c, t = (kept[kept["experiment"] == name]["best_error"].to_numpy() for name in (control, treatment))
    return math.log(c.mean() / t.mean()), stats.sem(c / c.mean() - t / t.mean())


LEVELS = np.exp(-np.random.default_rng(3).normal(0.08, 0.06, 12))


def test_effects_averages_and_ranges_by_hand():
    params, runs = plain(LEVELS)
    tables = decided(params, [claim()], *runs)
    effects = tables["effects"][tables["effects"]["claim"] == "a_claim"]
    y, s = np.transpose([log_ratio(runs, "new", "old", d) for d in params.data])
    half = stats.t.ppf(0.975, 14) * s
    np.testing.assert_allclose(effects[["y", "s", "low", "high"]].to_numpy(float),
                               np.transpose([y, s, y - half, y + half]))
    expected = ["better" if a > 0 else "worse" if b < 0 else "" for a, b in zip(y - half, y + half, strict=True)]
    assert effects["found"].tolist() == expected and len(set(expected)) > 1
    assert effects["unit"].tolist() == [f"utables_{i}" for i in range(12)]
    row = tables["averages"][tables["averages"]["claim"] == "a_claim"].iloc[0]
    bounds = stats.ttest_1samp(y, 0).confidence_interval(0.95)
    wide = stats.t.ppf(0.9, 11) * y.std(ddof=1) * math.sqrt(1 + 1 / 12)
    assert tuple(row[["mean", "low", "high", "range_low", "range_high"]]) == pytest.approx(
        (y.mean(), *bounds, y.mean() - wide, y.mean() + wide))
    inside = []
    for i in range(12):
        others = np.delete(y, i)
        reach = stats.t.ppf(0.9, 10) * others.std(ddof=1) * math.sqrt(1 + 1 / 11)
        inside.append(abs(y[i] - others.mean()) <= reach)
    assert row["caught"] == np.mean(inside)
    assert tuple(row[["units", "sets", "better", "worse", "above", "below"]]) == (
        12, 12, expected.count("better"), expected.count("worse"), (y > DELTA).sum(), (y < -DELTA).sum())
    proven = stats.t.sf((y - DELTA) / s, 14) < 0.05 / 24
    assert (row["proven_above"], row["family"], row["group"]) == (proven.sum(), "tables", "")
    # The comparison of the experiment with its `versus` is the same one.
    other = tables["averages"][tables["averages"]["claim"] == ""].iloc[0]
    assert (other["treatment"], other["control"], other["mean"], other["word"]) == (
        "new", "old", row["mean"], row["word"])
    assert tables["units"].groupby("claim")["y"].mean().tolist() == pytest.approx([y.mean()] * 2)


def test_verdicts_and_q_values_by_hand():
    params, runs = plain(LEVELS)
    claims = [claim("better", slug="one", primary=True), claim("equivalent", slug="two"),
              claim("worse", slug="three")]
    found = decided(params, claims, *runs)["verdicts"].set_index("slug")
    y = np.array([log_ratio(runs, "new", "old", d)[0] for d in params.data])
    assert stats.ttest_1samp(y, 0).confidence_interval(0.95).low > 0

    def p(point, side):
        return stats.ttest_1samp(y, point, alternative=side).pvalue

    inside = max(p(-DELTA, "greater"), p(DELTA, "less"))
    outside = min(p(DELTA, "greater"), p(-DELTA, "less"))
    expected = 2 * np.array([p(0, "greater"), min(inside, outside), p(0, "greater")])
    assert found["p"].tolist() == pytest.approx(expected.tolist())
    assert found["q"].tolist() == pytest.approx(multipletests(expected, method="fdr_bh")[1].tolist())
    assert found["verdict"].tolist() == ["supported", "undecided", "contradicted"]
    assert found["primary"].tolist() == [True, False, False]


def test_sets_of_one_unit_count_once_and_their_seeds_are_averaged():
    data = family(9) | {"again": {"group": "tables", "source": "forecast", "seeds": 15, "unit": "utables_0"}}
    params = study(data, {"old": {"data": "tables"}, "new": {"data": "tables", "versus": "old"}})
    runs = [arm(name, d, factor) for d in data for name, factor in (("old", 1), ("new", 0.9))]
    units = decided(params, [claim()], *runs)["units"]
    first = units[units["claim"] == "a_claim"].iloc[0]
    y = [log_ratio(runs, "new", "old", d)[0] for d in ("tables_0", "again")]
    assert (first["unit"], first["sets"], len(units)) == ("utables_0", "tables_0, again", 18)
    assert first["y"] == pytest.approx(np.mean(y))


def strata(shift):
    data = family(9, "seq", "forecasts") | family(9, "seq", "classes", 9)
    params = study(data, {"old": {"data": "seq"}, "new": {"data": "seq", "versus": "old"}})
    noise = np.random.default_rng(5).normal(0.05, 0.05, 18) + np.r_[np.full(9, shift), np.zeros(9)]
    runs = [arm(name, d, factor) for d, y in zip(data, noise, strict=True)
            for name, factor in (("old", 1.0), ("new", math.exp(-y)))]
    return params, runs


def test_strata_share_an_average_until_they_differ():
    params, runs = strata(0.0)
    tables = decided(params, [claim()], *runs)
    y = np.array([log_ratio(runs, "new", "old", d)[0] for d in params.data])
    row = tables["averages"].iloc[0]
    error = math.sqrt(y[:9].var(ddof=1) / 9 + y[9:].var(ddof=1) / 9) / 2
    assert (row["group"], row["mean"], row["error"]) == ("", pytest.approx(y.mean()), pytest.approx(error))
    assert row["strata_p"] == pytest.approx(stats.ttest_ind(y[:9], y[9:], equal_var=False).pvalue)

    params, runs = strata(0.3)
    tables = decided(params, [claim()], *runs)
    y, s = np.transpose([log_ratio(runs, "new", "old", d) for d in params.data])
    verdicts = tables["verdicts"].set_index("group")
    assert list(verdicts.index) == ["forecasts", "classes"]
    between = []
    for name, mine, errors in (("forecasts", y[:9], s[:9]), ("classes", y[9:], s[9:])):
        row = tables["averages"][(tables["averages"]["claim"] != "") & (tables["averages"]["group"] == name)].iloc[0]
        # Two groups share the chance of a miss.
        assert tuple(row[["low", "high"]]) == pytest.approx(tuple(
            stats.ttest_1samp(mine, 0).confidence_interval(0.975)))
        # What is said of one unit does not depend on how many groups there are.
        alone = stats.t.sf(mine / errors, 14)
        assert (row["better"], row["worse"]) == ((alone < 0.025).sum(), (alone > 0.975).sum())
        between.append((abs(np.minimum(alone, 1 - alone) - 0.01875) < 0.00625).sum())
        p = stats.ttest_1samp(mine, 0).pvalue
        if verdicts["verdict"][name] == "supported":
            assert verdicts["p"][name] == pytest.approx(2 * p)
    assert verdicts["verdict"]["forecasts"] == "supported" and sum(between) > 0


def test_contrasts_are_averaged_within_a_set_seed_by_seed():
    data = family(8)
    names = {"old": 1.0, "new": 0.8, "other": 1.1}
    params = study(data, {name: {"data": "tables"} for name in names})
    runs = [arm(name, d, level) for d in data for name, level in names.items()]
    both = claim(contrasts=[{"treatment": "new", "control": "old"}, {"treatment": "other", "control": "old"}])
    tables = decided(params, [both], *runs)
    assert len(tables["effects"]) == 16 and len(tables["units"]) == 8
    table = together(*runs)
    for row in tables["units"].itertuples():
        c, a, b = (table[(table["experiment"] == name) & (table["data"] == row.sets)]["best_error"].to_numpy()
                   for name in ("old", "new", "other"))
        w = c / c.mean() - (a / a.mean() + b / b.mean()) / 2
        assert (row.treatment, row.control) == ("", "")
        assert (row.y, row.s) == pytest.approx((
            (math.log(c.mean() / a.mean()) + math.log(c.mean() / b.mean())) / 2, stats.sem(w)))


def test_interactions_take_an_effect_off_here_or_on_another_set():
    data = family(8) | {"waves": {"group": "sea", "source": "forecast", "seeds": 30}}
    params = study(data, {name: {"data": ["tables", "sea"]} for name in ("old", "new")})
    runs = [arm(name, d, level, seeds=30 if d == "waves" else 15)
            for d in data for name, level in (("old", 1.0), ("new", 0.8))]
    one = {"treatment": "new", "control": "old", "minus": {"treatment": "new", "control": "old", "data": "waves"}}
    effects = decided(params, [claim(contrasts=[one], data=["tables"])], *runs)["effects"]
    assert effects["seeds"].tolist() == [15] * 8 and set(effects["minus_data"]) == {"waves"}
    table = together(*runs)
    kept = table[table["seed"] < 3015]

    def pair(name):
        return [kept[(kept["experiment"] == e) & (kept["data"] == name)]["best_error"].to_numpy()
                for e in ("old", "new")]

    (c, t), (a, b) = pair("tables_0"), pair("waves")
    w = c / c.mean() - t / t.mean() - a / a.mean() + b / b.mean()
    assert tuple(effects.iloc[0][["y", "s"]]) == pytest.approx(
        (math.log(c.mean() / t.mean()) - math.log(a.mean() / b.mean()), stats.sem(w)))


def test_fewer_than_eight_sets_are_named_sets():
    params, runs = plain([0.7, 0.9, 0.8], count=3)
    tables = decided(params, [claim()], *runs)
    y, s = np.transpose([log_ratio(runs, "new", "old", d) for d in params.data])
    row, said = tables["averages"].iloc[0], tables["verdicts"].iloc[0]
    error = math.sqrt((s**2).sum()) / 3
    assert (row["mean"], row["error"], row["family"]) == (pytest.approx(y.mean()), pytest.approx(error), "")
    assert row[["range_low", "range_high", "caught"]].isna().all()
    assert said["reads"] == "supported on these sets"
    params, runs = plain([0.7], count=1)
    assert decided(params, [claim()], *runs)["verdicts"]["reads"].tolist() == ["supported on tables_0"]


def test_a_family_comes_before_sets_of_none_wherever_they_stand():
    alone = {"made": {"group": "made_up", "source": "forecast", "seeds": 15}}
    for data in (family(9) | alone, alone | family(9)):
        params = study(data, {name: {"data": ["tables", "made"], **more}
                              for name, more in (("old", {}), ("new", {"versus": "old"}))})
        runs = [arm(name, d, 0.9 if name == "new" else 1.0) for d in data for name in ("old", "new")]
        found = decided(params, [], *runs)["averages"]
        assert found["family"].tolist() == ["tables", ""] and found["sets"].tolist() == [9, 1]


def test_diverged_and_ruined_runs_score_as_the_trivial_predictor():
    data = family(8)
    params = study(data, {"old": {"data": "tables"}, "new": {"data": "tables"}})
    runs = [arm("old", d, trivial=3.0) for d in data] + [arm("new", d, trivial=3.0, diverged=[0, 1]) for d in data]
    runs = together(*runs)
    runs.loc[(runs["experiment"] == "new") & (runs["seed"] == 3002), "best_error"] = 1e6
    row = decided(params, [claim()], runs)["effects"].iloc[0]
    mine = runs[(runs["experiment"] == "new") & (runs["data"] == row["data"]) & (runs["seed"] > 3002)]
    assert row["treatment_mean"] == pytest.approx((mine["best_error"].sum() + 3 * 3.0) / 15)
    assert row["diverged_treatment"] == pytest.approx(2 / 15)


def test_kept_rates_are_counted_and_the_middle_one_is_tried():
    data = family(8)
    params = study(data, {"old": {"data": "tables"}, "new": {"data": "tables", "versus": "old"}})
    rates = (0.001, 0.003, 0.01, 0.03)
    keep = np.arange(15) % 4
    # At the rate that it keeps `new` is better, at the others far worse.
    runs = [arm("old", d, rates=rates, others=1.1) for d in data] + [
        arm("new", d, 0.8, rates=rates, keep=keep, others=2.0) for d in data]
    tables = decided(params, [claim()], *runs)
    row = tables["effects"].iloc[0]
    assert (row["edge_treatment"], row["edge_control"]) == (pytest.approx(7 / 15), 0)
    kept = tables["rates"][(tables["rates"]["experiment"] == "new") & (tables["rates"]["data"] == "tables_0")]
    assert kept[["rate", "seeds", "edge"]].values.tolist() == [
        [0.001, 4, True], [0.003, 4, False], [0.01, 4, False], [0.03, 3, True]]
    changes = tables["robustness"].set_index("change")["verdict"]
    assert tables["verdicts"]["verdict"].tolist() == ["supported"]
    assert changes["middle learning rate"] == "contradicted" and bool(tables["verdicts"]["fragile"][0])


def test_the_other_endpoint_is_tried():
    data = family(8)
    params = study(data, {"old": {"data": "tables"}, "new": {"data": "tables"}})
    runs = [arm("old", d) for d in data] + [arm("new", d, 0.8, last=2.0) for d in data]
    changes = decided(params, [claim()], *runs)["robustness"].set_index("change")["verdict"]
    assert changes["other endpoint"] == "contradicted"
    # Every arm has one rate only: there is no other one to try.
    assert "middle learning rate" not in changes.index
    assert (changes[[f"without utables_{i}" for i in range(8)]] == "supported").all()


def test_epochs_to_a_target_that_both_arms_reach():
    params, runs = plain(count=8)
    tables = []
    for d in params.data:
        for name, start in (("old", 20), ("new", 10)):
            losses = np.full((15, 30), 5.0)
            for seed in range(15):
                losses[seed, start + seed % 3:] = 1.0
                losses[seed, 25:] = np.nan  # it has stopped
            tables.append(curves(name, d, losses))
    rows = decided(params, [claim(metric="epochs_to_target")], *runs, curves=pd.concat(tables))["effects"]
    row = rows[rows["claim"] != ""].iloc[0]
    assert (row["control_mean"], row["treatment_mean"], row["endpoint"]) == (22, 12, "")
    assert (row["y"], row["margin"]) == (pytest.approx(math.log(22 / 12)), math.log(1.25))


def test_what_only_some_sets_have_is_judged_on_those():
    data = family(8)
    params = study(data, {"old": {"data": "tables"}, "new": {"data": "tables"}})
    runs = [arm(name, d, level, classes=i < 3) for i, d in enumerate(data)
            for name, level in (("old", 1.0), ("new", 0.5))]
    found = decided(params, [claim(metric="calibration_error")], *runs)
    assert found["effects"]["data"].tolist() == ["tables_0", "tables_1", "tables_2"]
    assert found["effects"]["margin"].tolist() == [0.02] * 3


def test_a_sweep_of_rates_gives_the_largest_rate_that_works():
    data = {"waves": {"group": "sea", "source": "forecast", "seeds": 12}}
    vary = {"vary": {"learning_rate": [0.1, 0.3, 1.0]}}
    params = study(data, {name: {"data": "sea", **vary} for name in ("old", "new")})
    works = {"old": [0] * 11 + [-1], "new": [2] * 6 + [1] * 6}
    runs = together(*(arm(name, "waves", variant=f"learning_rate={rate}", rates=(rate,), seeds=12)
                      for name in works for rate in (0.1, 0.3, 1.0)))
    for name, largest in works.items():
        for i, rate in enumerate((0.1, 0.3, 1.0)):
            mine = (runs["experiment"] == name) & (runs["learning_rate"] == rate)
            runs.loc[mine, "best_error"] = np.where(i > np.array(largest), 9.9, 1.0)
    found = decided(params, [claim(treatment="new[rates]", control="old[rates]", metric="largest_rate")], runs)
    # A seed that never worked counts one step below the least rate: 0.1 / 3.
    gains = np.log([10] * 6 + [3] * 5 + [9])
    row = found["effects"].iloc[0]
    assert (row["y"], row["s"]) == pytest.approx((gains.mean(), stats.sem(gains)))
    assert found["verdicts"]["verdict"].tolist() == ["supported"]


def test_measures_of_the_probe_count_on_enough_seeds_only():
    data = family(8)
    params = study(data, {"old": {"data": "tables"}, "new": {"data": "tables"}},
                   probe={"experiments": ["old", "new"]})
    runs = [arm(name, d) for d in data for name in ("old", "new")]
    probed = together(*(arm(name, d, variant="dense", seeds=12).assign(drift=level + np.arange(12) / 100)
                        for d in data for name, level in (("old", 1.0), ("new", 2.0))))
    probed.loc[(probed["data"] == "tables_0") & (probed["seed"] < 3003), "drift"] = np.nan
    probed.loc[(probed["data"] == "tables_1") & (probed["seed"] < 3002), "drift"] = np.nan
    spec = claim("positive", treatment="new[dense]", control="old[dense]", metric="drift", probe=True)
    found = decided(params, [spec], *runs, probed=probed)
    assert found["effects"]["data"].tolist() == [f"tables_{i}" for i in range(1, 8)]
    assert found["effects"]["seeds"].tolist() == [10] + [12] * 6
    assert found["effects"]["y"].tolist() == pytest.approx([1.0] * 7)
    assert decided(params, [spec], *runs)["verdicts"]["verdict"].tolist() == [MEASURED]


def test_against_the_trivial_predictor_nothing_is_capped():
    data = family(8)
    params = study(data, {"net": {"data": "tables"}})
    runs = [arm("net", d, 1.3, trivial=1.0) for d in data]
    tables = decided(params, [claim("not_better", baseline=["net"])], *runs)
    table = together(*runs)
    means = table.groupby("data", sort=False)["best_error"].mean()
    assert tables["effects"]["y"].tolist() == pytest.approx((-np.log(means)).tolist())
    assert set(tables["effects"]["control"]) == {"trivial predictor"}
    assert tables["verdicts"]["verdict"].tolist() == ["supported"]


def test_what_is_being_measured_has_a_verdict_that_says_so_and_no_rows():
    data = family(8)
    params = study(data, {"old": {"data": "tables"}, "new": {"data": "tables", "versus": "old"},
                          "late": {"data": "tables", "versus": "old"}})
    runs = [arm(name, d) for d in data for name in ("old", "new")]
    late = claim(slug="late_claim", contrasts=[{"treatment": "new", "control": "old",
                                                "minus": {"treatment": "late", "control": "old"}}])
    tables = decided(params, [late, claim()], *runs)
    assert tables["verdicts"]["verdict"].tolist()[0] == MEASURED
    assert tables["verdicts"]["reads"].tolist()[0] == MEASURED and math.isnan(tables["verdicts"]["q"][0])
    assert set(tables["effects"]["claim"]) == {"a_claim", ""}
    assert "late" not in set(tables["effects"]["treatment"]) | set(tables["averages"]["treatment"])


def test_a_study_without_any_run_has_empty_tables():
    params, runs = plain(count=8)
    tables = decided(params, [claim()], together(*runs).head(0))
    assert tables["verdicts"]["verdict"].tolist() == [MEASURED]
    assert all(table.empty for name, table in tables.items() if name != "verdicts")


def test_identities_are_true_if_all_of_their_checks_hold():
    params, runs = plain(count=8)
    both = claim(slug="both", checks=["a", "b"])
    for second, expected in ((True, "true"), (False, "false")):
        found = decided(params, [both], *runs, checks={"a": True, "b": second})["verdicts"]
        assert found["verdict"].tolist() == [expected] and found["p"].isna().all()
    with pytest.raises(ConfigError, match=r"both.checks\[1\]: found 'b'; allowed: a"):
        decided(params, [both], *runs, checks={"a": True})


def test_two_names_for_one_network_are_refused_unless_the_claim_says_so():
    params, runs = plain(count=8)
    table = together(*runs)
    scores = [name for name in table.columns if name.startswith(("best_", "last_"))]
    table.loc[table["experiment"] == "new", scores] = table.loc[table["experiment"] == "old", scores].to_numpy()
    with pytest.raises(ValueError, match="new and old give the same on every seed of tables_0"):
        decided(params, [claim()], table)
    found = decided(params, [claim("equivalent", identity=True)], table)
    assert found["verdicts"]["word"].tolist() == ["makes no difference"]


def test_an_analogue_is_replicated_or_not():
    params, runs = plain(count=8)
    assert decided(params, [claim(analogue=True)], *runs)["verdicts"]["reads"].tolist() == [
        "replicated in our analogue"]


def test_missing_seeds_are_named():
    params, runs = plain(count=8)
    table = together(*runs)
    table = table.drop(table[(table["experiment"] == "new") & table["seed"].isin([3004, 3007])].index)
    with pytest.raises(ValueError, match="new on tables_0 lacks the seeds 3004, 3007"):
        decided(params, [claim()], table)
