"""The joint test is wrong as seldom as it says, and sees what is more than chance; tables are compared cell by cell."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.cli.verify import recompute
from pipeline.cli.verify.compare import FALSE_ALARMS, change, excess, explained, loss, noise, scaled, shift
from pipeline.tables.stored import write_table

FAMILIES = ("sequences", "tables", "images")


def a_run(**values):
    return {"diverged": False, "best_loss": 0.5, "trivial_loss": 0.7} | values


def test_a_run_that_diverged_counts_as_the_trivial_predictor():
    assert loss(a_run(diverged=True)) == loss(a_run(best_loss=float("nan"))) == 0.7
    assert change(a_run(best_loss=0.25), a_run()) == pytest.approx(np.log(0.5))


def test_a_shift_is_tested_like_a_permutation_of_signs():
    generator = np.random.default_rng(1)
    values = generator.normal(0.4, 1, 12)
    exact = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert shift(values) == pytest.approx(exact.pvalue, abs=4 * np.sqrt(0.25 / 4_000))
    assert shift(np.zeros(5)) == 1 and shift(np.append(values, 0.0)) == shift(values)


def test_larger_sizes_are_seen_and_smaller_ones_are_welcome():
    generator = np.random.default_rng(2)
    held = generator.normal(0, 1, 300)
    assert excess(3 * held[:100], held) < 1e-6 and excess(held[:100] / 3, held) > 0.999
    assert excess(held, np.zeros(0)) == 1


def test_false_alarms_are_as_rare_as_is_said():
    """Noise of heavy tails, the same on both sides, in three families, one of few seeds."""
    generator, studies = np.random.default_rng(3), 200
    alarms = 0
    for _ in range(studies):
        values = {name: generator.standard_t(4, size) for name, size in zip(FAMILIES, (60, 40, 6))}
        held = {name: generator.standard_t(4, size) for name, size in zip(FAMILIES, (240, 300, 45))}
        alarms += not explained(values, held)["explained"].all()
    # One-sided limit of a binomial count.
    assert alarms <= stats.binom(studies, FALSE_ALARMS).ppf(0.999)


@pytest.mark.parametrize("turned", [lambda v: v + 1.2, lambda v: 2.5 * v])
def test_one_family_that_is_off_is_found(turned):
    generator, studies = np.random.default_rng(4), 50
    found = 0
    for _ in range(studies):
        values = {name: generator.standard_t(4, 60) for name in FAMILIES}
        values["tables"] = turned(values["tables"])
        held = {name: generator.standard_t(4, 240) for name in FAMILIES}
        table = explained(values, held).set_index("family")
        found += not table.loc["tables", "explained"]
    assert found >= 45


def test_changes_are_read_on_the_scale_of_the_network_and_of_the_same_network_from_another_start():
    generator, rows = np.random.default_rng(5), []
    for variant, size in (("", 0.1), ("repetition=1", 0.1), ("wild", 1.0)):
        rows += [{"experiment": "e", "variant": variant, "data": "d", "seed": seed, "chosen": True, "diverged": False,
                  "trivial_loss": 9.0, "best_loss": np.exp(generator.normal(0, size))} for seed in range(200)]
    runs = pd.DataFrame(rows)
    found = scaled({("e", "", "d", 3): 0.1, ("e", "wild", "d", 3): 1.0}, runs)
    assert found["e", "", "d", 3] == pytest.approx(1, rel=0.15) and found["e", "wild", "d", 3] == pytest.approx(1, rel=0.15)
    train = {"repetition": 0, "train_fraction": 1.0}
    arms = [{"variant": "", "data": "d", "network": "n", "train": train}, {"variant": "wild", "data": "d", "network": "m", "train": train},
            {"variant": "repetition=1", "data": "d", "network": "n", "train": train | {"repetition": 1}}]
    held = noise([{"experiment": "e", "arms": arms}], runs)
    assert set(held) == {"d"} and len(held["d"]) == 200
    # Two independent starts: the difference is wider than one seed's spread by the root of two.
    assert held["d"].std() == pytest.approx(np.sqrt(2), rel=0.15)


def test_other_tables_of_verdicts_are_compared_but_for_their_last_digits(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    rows = pd.DataFrame({"slug": ["a", "b"], "y": [0.123456, math.nan], "n": [1, 2], "fragile": [True, False]})
    for folder in (one, other):
        write_table(rows, folder / "effects.csv")
    assert recompute.differing(one, other) == []
    for row, column, value, named in ((0, "y", 0.123457, ""), (1, "y", 0.0, "line 3: y: found nan; the stored runs give 0.0"),
                                      (0, "n", 2, "line 2: n: found 1; the stored runs give 2"),
                                      (1, "fragile", True, "line 3: fragile: found False; the stored runs give True"),
                                      (0, "slug", "c", "line 2: slug: found a; the stored runs give c")):
        changed = rows.copy()
        changed.loc[row, column] = value
        write_table(changed, other / "effects.csv")
        assert recompute.differing(one, other) == [f"{one / 'effects.csv'}: {named}"] * bool(named)
    write_table(rows[:1], other / "effects.csv")
    write_table(rows, other / "new.csv")
    assert recompute.differing(one, other) == [
        f"{one / 'effects.csv'}: found 2 rows of 4 columns; the stored runs give 1 of 4", f"{one / 'new.csv'}: it is missing"]
