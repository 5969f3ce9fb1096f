"""The stored study, recomputed from its tables by a few lines of scipy."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pipeline.results import RUNS, read_measures, read_runs, read_table
from pipeline.spec.claims import read_claims
from pipeline.spec.params import load, study_seeds
from pipeline.spec.tables import STORED

PARAMS = load()


@pytest.fixture(scope="module")
def runs():
    return read_runs(PARAMS.experiments)[0]


@pytest.fixture(scope="module")
def cells():
    return read_table(STORED["cells"].path())


def rows_of(runs, arm, data):
    """The study's runs of an arm at its chosen rate; `[tuned]` by the tuning seeds' validation loss."""
    name, _, variant = arm.removesuffix("]").partition("[")
    mine = runs[(runs.experiment == name) & (runs.data == data) & runs.chosen]
    if variant == "tuned":
        tuning = mine[mine.purpose == "tuning"]
        variant = tuning.groupby("variant").best_validation_loss.mean().idxmin()
    return mine[(mine.variant == variant) & (mine.purpose == "study")].sort_values("seed")


def errors(runs, arm, data, column):
    """Test errors by seed of an arm at its chosen rate, a diverged seed's the trivial error."""
    rows = rows_of(runs, arm, data)
    return np.where(rows.diverged, rows.trivial_error, rows[column]), list(rows.seed)


def log_ratio(runs, treatment, control, data, column):
    """The effect ln(mean control / mean treatment) and each seed's part in it."""
    (c, seeds), (t, same) = (errors(runs, arm, data, column) for arm in (control, treatment))
    assert seeds == same
    return math.log(c.mean() / t.mean()), c / c.mean() - t / t.mean()


def test_every_experiment_has_its_seeds_and_no_other(runs):
    for name in PARAMS.experiments:
        for data in PARAMS.data_sets(name):
            mine = runs[(runs.experiment == name) & (runs.data == data) & (runs.purpose == "study")]
            for _, rate in mine.groupby(["variant", "learning_rate"]):
                assert list(rate.seed) == study_seeds(PARAMS.data[data].seeds), (name, data)
    assert {path.name for path in RUNS.iterdir()} == set(PARAMS.experiments)


def test_a_key_stands_for_one_record(runs):
    numbers = runs.drop(columns=["experiment", "variant", "purpose", "chosen", "default"])
    assert not numbers.drop_duplicates().duplicated("key").any()


def test_effects_and_intervals_are_those_of_a_paired_t_interval(runs, cells):
    plain = cells[(cells.metric == "error") & (cells.scale == "log ratio")
                  & (cells.minus_treatment == "")]
    assert len(plain) > 100
    for cell in plain.itertuples():
        effect, share = log_ratio(runs, cell.treatment, cell.control, cell.data,
                                  f"{cell.endpoint}_error")
        half = stats.t.ppf(1 - 0.05 / (2 * cell.m), len(share) - 1) * stats.sem(share)
        np.testing.assert_allclose([cell.effect, cell.low, cell.high],
                                   [effect, effect - half, effect + half], rtol=1e-4, atol=1e-6)
        margin = cell.margin
        expected = ("better" if effect - half > margin else "worse" if effect + half < -margin else
                    "equivalent" if -margin < effect - half and effect + half < margin else
                    "undecided")
        if not cell.why:
            assert cell.label == expected


def test_interactions_are_differences_of_two_paired_effects(runs, cells):
    twice = cells[(cells.metric == "error") & (cells.minus_treatment != "")]
    assert len(twice) > 10
    for cell in twice.itertuples():
        column = f"{cell.endpoint}_error"
        effect, share = log_ratio(runs, cell.treatment, cell.control, cell.data, column)
        less, other = log_ratio(runs, cell.minus_treatment, cell.minus_control,
                                cell.minus_data or cell.data, column)
        half = stats.t.ppf(1 - 0.05 / (2 * cell.m), len(share) - 1) * stats.sem(share - other)
        np.testing.assert_allclose([cell.effect, cell.low, cell.high],
                                   [effect - less, effect - less - half, effect - less + half],
                                   rtol=1e-4, atol=1e-6)


def test_gaps_and_measures_inside_networks_are_differences_of_means(runs, cells):
    probed = read_measures(PARAMS.probe.experiments)
    inside = {claim.slug for claim in read_claims() if claim.probe}
    shown = cells[cells.claim.isin(inside) | (cells.metric == "gap")]
    assert len(shown) > 20
    for cell in shown.itertuples():
        if cell.metric == "gap":
            tables = [rows_of(runs, arm, cell.data) for arm in (cell.treatment, cell.control)]
            t, c = (x[f"{cell.endpoint}_loss"] - x[f"{cell.endpoint}_train_loss"] for x in tables)
        else:
            tables = [rows_of(probed, arm, cell.data) for arm in (cell.treatment, cell.control)]
            t, c = (x[cell.metric] for x in tables)
        w = t.to_numpy() - c.to_numpy()
        w = w[np.isfinite(w)]
        assert cell.seeds == len(w)
        if len(w) < 10:
            assert cell.position == "open"
            continue
        half = stats.t.ppf(1 - 0.05 / (2 * cell.m), len(w) - 1) * stats.sem(w)
        np.testing.assert_allclose([cell.effect, cell.low, cell.high],
                                   [w.mean(), w.mean() - half, w.mean() + half], rtol=1e-4, atol=1e-6)


def test_the_largest_usable_rates_are_compared_by_the_sign_test(runs, cells):
    for cell in cells[(cells.metric == "largest_rate") & (cells.minus_treatment == "")].itertuples():
        largest = []
        for arm in (cell.treatment, cell.control):
            name = arm.partition("[")[0]
            mine = runs[(runs.experiment == name) & (runs.data == cell.data) & (runs.purpose == "study")]
            works = mine[~(mine.diverged | (mine.best_error > 0.8 * mine.trivial_error))]
            found = works.groupby("seed").learning_rate.max()
            least, second = sorted(mine.learning_rate.unique())[:2]
            largest.append(found.reindex(sorted(mine.seed.unique())).fillna(least**2 / second))
        gain = np.log(largest[0]) - np.log(largest[1])
        assert cell.effect == pytest.approx(gain.median(), abs=1e-4)
        # A value below the interval is one that the sign test refuses, at this claim's level.
        below = stats.binomtest(int((gain > cell.low - 1e-3).sum()), len(gain))
        assert below.pvalue <= 0.05 / cell.m


def test_every_claim_has_a_verdict_from_its_cells(cells):
    verdicts = read_table(STORED["verdicts"].path()).set_index("slug")
    assert list(verdicts.index) == [claim.slug for claim in read_claims()]
    for claim in read_claims():
        if claim.checks:
            continue
        mine = cells[(cells.claim == claim.slug) & (cells.position != "uninformative")]
        counts = mine.position.value_counts()
        row = verdicts.loc[claim.slug]
        assert (row.D, row.F, row.A) == (len(mine), counts.get("for", 0), counts.get("against", 0))


def test_blind_sets_and_decisive_labels_are_counted_from_the_arms():
    arms = read_table(STORED["arms"].path())
    shown = arms[arms.position != "uninformative"]
    for row in read_table(STORED["decisive"].path()).itertuples():
        labels = list(shown.label[shown.kind == row.kind])
        assert (row.comparisons, row.decisive) == (
            len(labels), labels.count("better") + labels.count("worse"))
    halved = arms[arms.kind == "half the data"]
    stored = dict(read_table(STORED["data_sets"].path()).values)
    assert set(stored) == set(halved.data)
    for data, blind in stored.items():
        mine = halved[halved.data == data]
        assert blind == (not (mine.label.eq("worse") & mine.position.ne("uninformative")).all())


def test_the_places_of_a_network_have_one_best_and_one_worst_at_most():
    comparisons = read_table(STORED["comparisons"].path())
    found = read_table(STORED["places"].path())
    for (name, data), mine in found.groupby(["experiment", "data"]):
        assert (mine.m == len(mine)).all() and list(mine.number) == list(range(1, len(mine) + 1))
        shown = mine[mine.position != "uninformative"]
        if len(shown) > 1:
            assert mine.place[mine.stands == "best"].tolist() == [shown.place[shown.effect.idxmax()]]
            assert mine.place[mine.stands == "worst"].tolist() == [shown.place[shown.effect.idxmin()]]
        for row in mine.itertuples():
            same = comparisons[(comparisons.treatment == f"{name}[{row.place}]") & (comparisons.data == data)]
            assert (row.effect, row.low, row.high) == tuple(same[["effect", "low", "high"]].iloc[0])


def test_the_repository_stays_small():
    files = [path for folder in ("results", "plan", "book") for path in Path(folder).rglob("*")
             if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 25e6
