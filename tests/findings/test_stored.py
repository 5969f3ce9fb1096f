"""The stored study: what earlier words hid must read as its runs say; effects by other code, from the tables of runs."""

import functools
import math
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.config.readings import read_claims
from pipeline.config.schema import load
from pipeline.findings import claims as reading
from pipeline.findings.__main__ import read
from pipeline.findings.finding import row
from pipeline.findings.rates import Own
from pipeline.findings.record import ask, finished, read_all
from pipeline.findings.regions import Reading
from pipeline.findings.rule import rule
from pipeline.tables.schemas import FOUND, STORED
from pipeline.tables.stored import read_table

PARAMS = load()
RULE = rule(PARAMS.verdicts)


@pytest.fixture(scope="module")
def found():
    checks = read_table(STORED["checks"].path())
    claims = read_claims()
    study = read(PARAMS, RULE)
    all_found = ask(study, claims)
    reads = {one.claim.slug: one for one in read_all(all_found, study, claims, dict(
        zip(checks["check"], checks["holds"], strict=True)))}
    table = finished([row(one, {}, study) for one in all_found.every()], RULE)
    return study, all_found, reads, table.set_index(["id", "stratum"])


def parts(found, slug):
    """What a claim's findings are called → the row of each."""
    one = found[2][slug]
    return {(part.called, part.stratum): found[3].loc[part.id, part.stratum] for part in one.parts}


def test_fewer_seeds_fail_with_bn_at_some_high_learning_rate(found):
    one = found[2]["bn_rescues_high_learning_rates"]
    assert one.reading == Reading.AGREES
    best = parts(found, "bn_rescues_high_learning_rates")["depth 8, rate 0.3", "tabular"]
    assert best.change == pytest.approx(-90) and best.word == "better"
    assert "depth 8, rate 0.3" in reading.sentence(one)


def test_bn_does_not_lower_the_largest_usable_rate_of_a_deep_network(found):
    assert parts(found, "bn_permits_higher_learning_rates")["depth 8", "tabular"].effect > 0


def test_nothing_explains_a_gain_that_is_none(found):
    one = found[2]["covariate_shift_explains_bn"]
    assert one.reading == Reading.CANNOT_TELL and "no gain is shown" in one.why


def test_bn_did_not_help_in_the_tuned_network(found):
    assert found[2]["bn_does_not_always_help"].reading == Reading.AGREES
    assert parts(found, "bn_does_not_always_help")["the tuned network", "tables"].word not in ("better", "a little better")


def test_dropout_on_bn_gains_with_few_data_and_loses_with_all(found):
    mine = parts(found, "bn_makes_dropout_unnecessary")
    assert [mine[f"{size} of the data", "tables"].effect > 0 for size in ("a quarter", "all")] == [True, False]
    one = found[2]["bn_makes_dropout_unnecessary"]
    assert one.reading == Reading.MIXED
    assert re.search(r"agrees on .*all of the data.* disagrees on .*a quarter of the data", reading.reads(one))


@pytest.mark.parametrize("slug", ["template_needs_each_part", "many_class_network_needs_each_part"])
def test_parts_of_opposite_effects_do_not_make_nothing(found, slug):
    one = found[2][slug]
    assert len(one.parts) == len(one.claim.findings) > 1 and one.reading != Reading.MIXED
    effects = [found[3].loc[part.id, part.stratum].effect for part in one.parts]
    assert max(effects) - min(effects) > RULE.margin("ratio") / 2


def test_what_is_more_is_not_said_to_be_as_much(found):
    table = found[3]
    for one in table[table["word"].isin(["higher", "lower"])].itertuples():
        assert "as much" not in one.sentence and "as many" not in one.sentence
        assert one.low > 0 or one.high < 0
    for slug in ("bn_before_relu_makes_it_sparser", "bn_after_relu_passes_on_unit_moments",
                 "spatial_dropout_reduces_correlation", "inference_lags_behind_training_mode"):
        assert len(found[2][slug].parts) > 1


# All of them, by other code

def test_no_sentence_is_unsound(found):
    for sentence in found[3]["sentence"]:
        assert not re.search(r"nan|inf\b|\be[-−]\d", sentence), sentence
        bounds = re.search(r"\(([^()]*?) to ([^()]*?)\)", sentence)
        assert not bounds or bounds[1] != bounds[2], sentence


def test_effects_are_those_of_paired_log_ratios_at_the_rate_that_the_others_choose(found):
    study, all_found, _, _ = found
    runs = pd.concat([read_table(STORED["runs"].path(name)) for name in PARAMS.experiments], ignore_index=True)
    groups = dict(list(runs.groupby(["experiment", "variant", "data"], sort=False)))

    @functools.cache
    def scores(arm, data):
        """The error of each seed at the rate of the least mean log loss of the other seeds."""
        mine = groups[(*arm, data)]
        loss_ = np.log(np.minimum(mine.best_validation_loss.where(~mine.diverged, np.inf), mine.trivial_validation_loss))
        table = mine.assign(loss=loss_, error=np.minimum(mine.best_error.where(~mine.diverged, mine.trivial_error),
                                                        mine.trivial_error)).pivot(index="seed", columns="learning_rate")
        loss, error = table["loss"].to_numpy(), table["error"].to_numpy()
        found = np.array([error[i, np.delete(loss, i, axis=0).mean(axis=0).argmin()] for i in range(len(loss))])
        numbers = (mine.trivial_error == mine.trivial_loss).all() and mine.best_calibration_error.isna().all()
        return np.sqrt(found) if numbers else found

    checked = 0
    for finding in all_found.findings.values():
        comparison = finding.question.comparison
        if comparison.metric != "error" or comparison.endpoint != "best" or comparison.probe or len(comparison.pairs) > 1:
            continue
        pair = comparison.pairs[0][1]
        if not {(*arm, data) for arm in (pair.treatment, pair.control) for data in finding.effects} <= set(groups):
            continue
        for data, effect in list(finding.effects.items())[checked % 5::9]:
            c, t = scores(pair.control, data), scores(pair.treatment, data)
            if not c.any() or not t.any():
                continue
            assert effect.y == pytest.approx(math.log(c.mean() / t.mean()), abs=1e-9)
            assert effect.s == pytest.approx(stats.sem(c / c.mean() - t / t.mean()), abs=1e-9)
            checked += 1
    assert checked > 100


def test_a_network_under_two_names_has_one_finding(found):
    asked = found[1].asked
    ids = {by: set(mine.id) for by, mine in asked[asked.role == "versus"].groupby("by")}
    for name, other in (("spatial_dropout_rate[spatial_dropout.rate=0.2]", "spatial_dropout"),
                        ("dropout_rate[dropout.rate=0.2]", "dropout_before_lstm"),
                        ("bn_anywhere[after relu_1]", "bn_after_relu")):
        assert ids[name] == ids[other]
    assert asked[asked.by == "spatial_dropout_beats_dropout_at_equal_rate"].id.isin(
        asked[asked.by == "spatial_dropout_beats_dropout"].id).all()


def test_each_seeds_own_rate_is_the_one_that_training_kept(found):
    for grid in found[0].arms.grids.values():
        kept = grid["chosen"].argmax(axis=1) if grid["chosen"].sum() == len(grid.seeds) else None
        if kept is not None and not grid["diverged"].all(axis=1).any():
            assert Own()(grid, grid.rates).tolist() == kept.tolist()


def test_averages_are_t_intervals_over_units(found):
    _, all_found, _, table = found
    for one in all_found.every():
        stored = table.loc[one.finding.question.id, one.stratum]
        y = np.array([effect.y for effect in one.units.effects])
        if one.family and len(one.parts) == 1:
            expected = stats.ttest_1samp(y, 0).confidence_interval(RULE.confidence)
            assert (stored.low, stored.high) == pytest.approx((expected.low, expected.high))
        assert stored.low <= stored.effect <= stored.high
    assert (table["role"].isin(["versus", "claim"])).all() and table.index.is_unique


def test_a_control_is_competent_that_is_near_the_best_simple_predictor_on_the_same_seeds(found):
    baselines = read_table(STORED["baselines"].path()).set_index("data")
    controls = read_table(FOUND["data_sets"].path())
    assert baselines["seeds"].to_dict() == {name: entry.seeds for name, entry in PARAMS.data.items()}
    beside = baselines.loc[controls["data"]].reset_index(drop=True)
    # Another seed would have another split, of which guessing has another error.
    assert controls["trivial_error"].to_numpy() == pytest.approx(beside["trivial"].to_numpy(), rel=1e-4)
    simple = beside[["persistence", "seasonal", "linear", "forest", "boosted"]].astype(float)
    assert controls["best_simple"].tolist() == simple.idxmin(axis=1).tolist()
    assert (controls["competent"] == (controls["error"] <= 1.05 * simple.min(axis=1))).all()


def test_averages_over_competent_controls_are_those_of_the_sets_that_are_marked(found):
    findings, sets, only = (read_table(FOUND[name].path()) for name in ("findings", "sets", "competent"))
    scope = findings.set_index(["id", "stratum"])["scope"]
    marked = sets[sets["competent"] & ~sets["own"]].groupby(["id", "stratum"])
    assert len(only) > 100
    for one in only.itertuples():
        mine = marked.get_group((one.id, one.stratum))
        y = mine.groupby("unit")["y"].mean()
        assert (one.sets, one.units) == (len(mine), len(y)) and one.units > 1
        assert one.effect == pytest.approx(y.mean(), abs=1e-5)
        if scope[one.id, one.stratum] == "family":
            expected = stats.ttest_1samp(y, 0).confidence_interval(RULE.confidence)
            assert (one.low, one.high) == pytest.approx((expected.low, expected.high), abs=1e-4)


def test_every_claim_reads_something(found):
    assert set(found[2]) == {claim.slug for claim in read_claims()}
    for one in found[2].values():
        assert (one.reading in (Reading.TRUE, Reading.FALSE)) == bool(one.claim.checks)
        words = {(part.id, part.stratum): part.word for part in one.parts if not part.data}
        assert all(found[3].loc[key, "word"] == word for key, word in words.items())
