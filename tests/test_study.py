"""The stored study, recomputed from its tables by a few lines of scipy."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pipeline.config import load, study_seeds
from pipeline.results import RUNS, read_runs, read_table
from pipeline.verdicts import VERDICTS, read_claims

PARAMS = load()


@pytest.fixture(scope="module")
def runs():
    return read_runs(PARAMS.experiments)[0]


@pytest.fixture(scope="module")
def cells():
    return read_table(VERDICTS / "cells.csv")


def errors(runs, arm, data, column):
    """Test errors by seed of an arm at its chosen rate, a diverged seed's the trivial error."""
    name, _, variant = arm.rstrip("]").partition("[")
    rows = runs[(runs.experiment == name) & (runs.variant == variant) & (runs.data == data)
                & (runs.purpose == "study") & runs.chosen].sort_values("seed")
    return np.where(rows.diverged, rows.trivial_error, rows[column]), list(rows.seed)


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
        control, seeds = errors(runs, cell.control, cell.data, f"{cell.endpoint}_error")
        treatment, same = errors(runs, cell.treatment, cell.data, f"{cell.endpoint}_error")
        assert seeds == same
        effect = math.log(control.mean() / treatment.mean())
        share = control / control.mean() - treatment / treatment.mean()
        half = stats.t.ppf(1 - 0.05 / (2 * cell.m), len(share) - 1) * stats.sem(share)
        np.testing.assert_allclose([cell.effect, cell.low, cell.high],
                                   [effect, effect - half, effect + half], rtol=1e-4, atol=1e-6)
        margin = cell.margin
        expected = ("better" if effect - half > margin else "worse" if effect + half < -margin else
                    "equivalent" if -margin < effect - half and effect + half < margin else
                    "undecided")
        if not cell.why:
            assert cell.label == expected


def test_every_claim_has_a_verdict_from_its_cells(cells):
    verdicts = read_table(VERDICTS / "verdicts.csv").set_index("slug")
    assert list(verdicts.index) == [claim.slug for claim in read_claims()]
    for claim in read_claims():
        if claim.checks:
            continue
        mine = cells[(cells.claim == claim.slug) & (cells.position != "uninformative")]
        counts = mine.position.value_counts()
        row = verdicts.loc[claim.slug]
        assert (row.D, row.F, row.A) == (len(mine), counts.get("for", 0), counts.get("against", 0))


def test_the_repository_stays_small():
    files = [path for folder in ("results", "plan", "book") for path in Path(folder).rglob("*")
             if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 25e6
