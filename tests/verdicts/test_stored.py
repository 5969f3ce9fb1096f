"""The stored study, recomputed from its tables by a few lines of scipy. What is not trained is not there."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from pipeline.tables.stored import RUNS, read_table
from pipeline.config.claims import read_claims
from pipeline.config.schema import load, study_seeds
from pipeline.tables.schemas import STORED

PARAMS = load()
DELTA = math.log(1 + PARAMS.verdicts.margin)
#: The data sets whose plans ask for numbers.
NUMBERS = {arm["data"] for path in Path("plan").glob("*.json") for arm in json.loads(path.read_text())["arms"]
           if not arm["task"]["classes"]}
TAIL = (1 - PARAMS.verdicts.confidence) / 2


@pytest.fixture(scope="module")
def runs():
    tables = [read_table(STORED["runs"].path(name)) for name in PARAMS.experiments]
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


@pytest.fixture(scope="module")
def scores(runs):
    """Scores by seed of the runs of an arm on a data set that are kept, at most those of the trivial predictor.

    The error of numbers is the root of the mean squared one, which is stored. `name[tuned]`: of a sweep, each seed
    keeps the value that is best on its validation data.
    """
    kept = runs[runs.chosen].sort_values("seed")
    ranked = kept.assign(loss=kept.best_validation_loss.where(~kept.diverged)).sort_values("loss", kind="stable")
    best = ranked.drop_duplicates(["experiment", "data", "seed"]).assign(variant="tuned").sort_values("seed")
    arms = dict(list(pd.concat([kept, best]).groupby(["experiment", "variant", "data"])))

    def of(arm, data, column, trivial):
        name, _, variant = arm.removesuffix("]").partition("[")
        rows = arms[name, variant, data]
        found = np.minimum(rows[column].where(~rows.diverged, rows[trivial]), rows[trivial]).to_numpy()
        return np.sqrt(found) if column.endswith("_error") and data in NUMBERS else found

    return of


def stored(name):
    return read_table(STORED[name].path())


def test_every_trained_experiment_has_its_seeds_at_every_rate_and_keeps_one(runs):
    assert {path.name for path in RUNS.iterdir()} == set(PARAMS.experiments)
    for (name, variant, data), mine in runs.groupby(["experiment", "variant", "data"]):
        assert data in PARAMS.data_sets(name)
        for _, rate in mine.groupby("learning_rate"):
            assert list(rate.seed) == study_seeds(PARAMS.data[data].seeds), (name, data)
        assert (mine.groupby("seed").chosen.sum() == 1).all()


def test_a_kept_rate_has_the_least_validation_loss(runs):
    well = runs[~runs.diverged]
    least = well.groupby(["experiment", "variant", "data", "seed"]).best_validation_loss.transform("min")
    kept = well.chosen
    np.testing.assert_array_equal(well.best_validation_loss[kept], least[kept])


def test_a_key_stands_for_one_record(runs):
    numbers = runs.drop(columns=["experiment", "variant", "chosen"])
    assert not numbers.drop_duplicates().duplicated("key").any()


def test_effects_are_those_of_paired_log_ratios(runs, scores):
    effects = stored("effects")
    plain = effects[effects.metric.isin(["error", "loss"]) & (effects.control != "trivial predictor")]
    trained = set(runs.experiment)
    pairs = [name for name, one in PARAMS.experiments.items() if one.versus and {name, one.versus} <= trained]
    assert set(effects.treatment[effects.claim == ""].str.partition("[")[0]) == set(pairs)
    for row in plain.drop_duplicates(["treatment", "control", "minus_treatment", "data", "metric", "endpoint"]).itertuples():
        column, trivial = f"{row.endpoint}_{row.metric}", f"trivial_{row.metric}"
        y, w = 0.0, 0.0
        for sign, t, c, data in ((1, row.treatment, row.control, row.data),
                                 (-1, row.minus_treatment, row.minus_control, row.minus_data or row.data)):
            if t:
                c, t = (scores(arm, data, column, trivial)[:row.seeds] for arm in (c, t))
                y, w = y + sign * math.log(c.mean() / t.mean()), w + sign * (c / c.mean() - t / t.mean())
        half = stats.t.ppf(1 - TAIL, row.seeds - 1) * stats.sem(w)
        np.testing.assert_allclose([row.y, row.low, row.high], [y, y - half, y + half], rtol=1e-4, atol=1e-5)
        assert row.found == ("better" if row.low > 0 else "worse" if row.high < 0 else "")


def test_averages_are_those_of_their_units():
    averages, units = stored("averages"), stored("units")
    place = ["claim", "treatment", "control", "metric", "endpoint", "group"]
    families = {name: entry.family for name, entry in PARAMS.data.items()}
    units["family"] = units.sets.map(lambda sets: families[sets.split(", ")[0]])
    for row in averages.itertuples():
        mine = units[np.logical_and.reduce([units[name] == getattr(row, name) for name in place])]
        mine = mine[mine.family == row.family] if row.family else mine
        if len(mine) != row.units:  # Of a comparison, some sets of a family, and others beside them.
            mine = next(part for _, part in mine.groupby("family", sort=False) if len(part) == row.units)
        strata = [part.y for _, part in mine.groupby("stratum", sort=False)] if row.family else [mine.y]
        mean = np.mean([y.mean() for y in strata])
        if not row.family:
            error, freedom = math.sqrt((mine.s**2).sum()) / len(mine), row.freedom
        else:
            parts = np.array([y.var() / len(y) / len(strata) ** 2 for y in strata])
            error = math.sqrt(parts.sum())
            welch = sum(p**2 / (len(y) - 1) for p, y in zip(parts, strata, strict=True))
            freedom = error**4 / welch if error else row.freedom
        half = stats.t.ppf(1 - TAIL / (2 if row.group else 1), freedom) * error
        np.testing.assert_allclose([row.mean, row.low, row.high], [mean, mean - half, mean + half],
                                   rtol=1e-4, atol=1e-5)


#: Word → whether an interval (low, high) and a margin allow it.
ALLOWED = {
    "helps clearly": lambda low, high, d: low > d, "helps": lambda low, high, d: 0 < low <= d <= high,
    "helps a little": lambda low, high, d: 0 < low and high < d,
    "harms clearly": lambda low, high, d: high < -d, "harms": lambda low, high, d: low <= -d <= high < 0,
    "harms a little": lambda low, high, d: -d < low and high < 0,
    "makes no difference": lambda low, high, d: -d < low <= 0 <= high < d,
    "makes no difference on average": lambda low, high, d: -d < low <= 0 <= high < d,
    "no benefit that matters": lambda low, high, d: low <= -d and 0 <= high < d,
    "no harm that matters": lambda low, high, d: -d < low <= 0 and d <= high,
    "open": lambda low, high, d: low <= min(0, -d) and high >= max(0, d)}


def test_words_are_those_of_their_intervals():
    for row in stored("averages").itertuples():
        assert ALLOWED[row.word](row.low, row.high, row.margin), row


def test_every_claim_has_its_verdict_and_its_q_value(runs):
    verdicts, averages = stored("verdicts"), stored("averages")
    claims = {claim.slug: claim for claim in read_claims()}
    assert list(dict.fromkeys(verdicts.slug)) == list(claims)
    trained = set(runs.experiment)
    for row in verdicts.itertuples():
        claim = claims[row.slug]
        assert row.primary == claim.primary
        if claim.checks:
            assert row.verdict in ("true", "false")
        elif not set(claim.experiments) <= trained:
            assert row.verdict == "being measured" and row.slug not in set(averages.claim)
        elif row.verdict != "being measured":
            # Decided exactly where the chance of this is below 1 - confidence.
            assert (row.verdict == "undecided") == (row.p >= 2 * TAIL)
    known = verdicts.p.notna()
    expected = multipletests(verdicts.p[known], method="fdr_bh")[1] if known.any() else []
    np.testing.assert_allclose(verdicts.q[known], expected, rtol=1e-4)


def test_what_is_fragile_loses_its_verdict_under_some_change():
    turned = stored("robustness")
    for row in stored("verdicts").itertuples():
        mine = turned[(turned.claim == row.slug) & (turned.group == row.group) & (turned.verdict != "")]
        assert row.fragile == bool((mine.verdict != row.verdict).any())


def test_marked_and_sensitive_sets_are_those_of_the_controls(scores):
    arms = stored("arms")
    half = arms[arms.kind == "half the data"].set_index(["control", "data"])
    sets = stored("data_sets")
    assert len(sets) == len(half)
    for row in sets.itertuples():
        control = scores(row.control, row.data, "best_error", "trivial_error").mean()
        assert row.control_error == pytest.approx(control, rel=1e-4)
        assert row.marked == (row.of_trivial > 0.9)
        assert row.sensitive == (half.y[row.control, row.data] < -DELTA)


def test_shares_of_simulated_words_sum_to_one():
    sums = stored("simulated").groupby(["family", "truth", "spread"]).share.sum()
    np.testing.assert_allclose(sums, 1, atol=1e-4)


def test_the_places_of_a_network_have_one_best_and_one_worst_at_most():
    for _, mine in stored("places").groupby(["experiment", "family"]):
        assert mine.number.is_unique and mine.number.is_monotonic_increasing
        if len(mine) > 1:
            assert mine.place[mine.stands == "best"].tolist() == [mine.place[mine.effect.idxmax()]]
            assert mine.place[mine.stands == "worst"].tolist() == [mine.place[mine.effect.idxmin()]]


def test_the_repository_stays_small():
    files = [path for folder in ("results", "plan", "book") for path in Path(folder).rglob("*")
             if path.is_file()]
    # The tables of ninety thousand runs, of which git packs three bytes into one.
    assert sum(path.stat().st_size for path in files) < 75e6
