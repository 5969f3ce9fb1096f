"""Simulated studies: what is drawn together, and rates that are known."""

import numpy as np
import pandas as pd
import pytest

from pipeline.findings.asked import Asker, of_claim, of_experiments
from pipeline.findings.claims import Reader
from pipeline.findings.error_rates import Simulation, repetitions, simulated
from pipeline.findings.finding import advising, averages, find
from pipeline.tables.schemas import ERROR_RATE_COLUMNS
from tests.findings.made import RULE, arm, claim, family, params, study

DATA = family(12, "tables")
NAMES = ("old", "new", "other", "far")
GIVEN = params(DATA, {"old": {"data": "tables"}, **{name: {"data": "tables", "versus": "old"} for name in NAMES[1:]}})


@pytest.fixture(scope="module")
def made():
    # The control is noisy, so that all three treatments err with it.
    return study(GIVEN, *(arm(name, data, noise=0.3 if name == "old" else 0.03 if name != "far" else 0.2)
                          for name in NAMES for data in DATA))


@pytest.fixture(scope="module")
def asked(made):
    asker = Asker(made)
    of_experiments(asker, asker.study.params.experiments)
    claims = [claim(), claim("equivalent", slug="b"), claim("better", "some", [("new", "old"), ("far", "old")], slug="c"),
              claim("better", "each", [("new", "old"), ("old", "far")], slug="d")]
    questions = [of_claim(one, asker) for one in claims]
    found = {q.id: averages(find(q, made), made) for q in asker.questions.values()}
    reader = Reader({id_: advising(some) for id_, some in found.items()}, {}, {}, [], RULE)
    reads = [reader.read(one, q) for one, q in zip(claims, questions, strict=True)]
    return {(id_, one.stratum): one for id_, some in found.items() for one in some}, reads


def test_findings_that_share_a_control_err_together(made, asked):
    family_, _ = asked
    drawn = Simulation(3000)(family_, spread=False)
    new, other, far = (drawn[f"{name}_or_old_tables", "tables"][0].y.mean(axis=1) for name in ("new", "other", "far"))
    assert np.corrcoef(new, other)[0, 1] > 0.9 > np.corrcoef(new, far)[0, 1] > 0.5


def test_the_noise_that_is_drawn_is_that_of_the_study(asked):
    family_, _ = asked
    for key, parts in Simulation(4000)(family_, spread=False).items():
        measured = family_[key].units.sample()
        np.testing.assert_allclose(parts[0].y.std(axis=0), measured.s, rtol=0.08)
        assert abs(parts[0].y.mean()) < 0.01


def test_the_spread_that_is_drawn_is_that_between_units(made):
    data = family(12, "tables")
    arms = [arm("old", one, noise=0.01) for one in data] + [
        arm("new", one, np.exp(0.1 * (i % 4)), noise=0.01) for i, one in enumerate(data)]
    made = study(params(data, {"old": {"data": "tables"}, "new": {"data": "tables", "versus": "old"}}), *arms)
    asker = Asker(made)
    of_experiments(asker, asker.study.params.experiments)
    one, = averages(find(next(iter(asker.questions.values())), made), made)
    y = Simulation(4000)({("x", "tables"): one}, spread=True)["x", "tables"][0].y
    assert y.std() == pytest.approx(one.units.sample().y.std(), rel=0.1) and abs(y.mean()) < 0.01


def test_shares_sum_to_one_and_wrong_words_are_as_seldom_as_promised(asked):
    family_, reads = asked
    table = simulated(family_, reads, RULE, Simulation(1500))
    assert set(table.columns) <= set(ERROR_RATE_COLUMNS)
    words = table[table.subject == "words"]
    np.testing.assert_allclose(words.groupby(["truth", "spread"]).share.sum(), 1)
    wrong = (words.share * words.wrong).groupby([words.truth, words.spread]).sum()
    assert wrong.max() < 0.09
    # With no true effect a direction is found in 1 of 20, and hardly ever with a q value up to the level.
    none = words[(words.truth == 0) & words.says.isin(["better", "worse", "a little better", "a little worse"])]
    assert none.groupby("spread").share.sum().max() < 0.09 and none.groupby("spread").q.sum().max() < 0.02
    claims = table[table.subject == "claims"]
    np.testing.assert_allclose(claims.groupby(["truth", "spread", "kind"]).share.sum(), 1)
    assert claims.groupby(["truth", "spread", "kind"]).wrong.sum().max() < 0.1
    assert set(claims.kind) == {"one", "some", "each"}


def test_what_is_true_is_found(asked):
    family_, reads = asked
    table = simulated(family_, reads, RULE, Simulation(500))
    two = table[(table.truth == 2) & (table.subject == "words") & ~table.spread]
    assert two.share[two.says == "better"].sum() > 0.9


def test_the_same_seed_gives_the_same_table(asked):
    family_, reads = asked
    first, second = (simulated(family_, reads, RULE, Simulation(50, seed=3)) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert not simulated(family_, reads, RULE, Simulation(50, seed=4)).equals(first)


def test_repetitions_count_how_often_a_difference_is_found():
    sets = pd.DataFrame({"y": [0.1, -0.1, 0.0, 0.02], "s": [0.02] * 4, "low": [0.05, -0.2, -0.1, -0.1],
                         "high": [0.2, -0.05, 0.1, 0.1]})
    one, = repetitions(sets, "A/A", RULE)
    assert (one["share"], one["findings"]) == (0.5, 4)
    assert (one["low"], one["high"]) == pytest.approx((0.0676, 0.9324), abs=1e-4)  # binom.test(2, 4) in R.
    assert one["expected"] == pytest.approx(0.02) and one["noise"] == pytest.approx(np.std(sets.y, ddof=1))
    assert repetitions(sets.iloc[:0], "A/A", RULE) == []


def test_a_study_that_speaks_of_no_family_has_no_rates():
    assert simulated({}, [], RULE).columns.tolist() == ERROR_RATE_COLUMNS and simulated({}, [], RULE).empty
