"""Arms: which runs a name means."""

import numpy as np
import pytest
from tests.verdicts.made_runs import RULE, arm, curves, together

from pipeline.config.errors import ConfigError
from pipeline.verdicts.arms import Arms
from pipeline.verdicts.scores import derive


def test_runs_are_those_that_seeds_keep_in_the_order_of_the_seeds():
    keep = np.arange(15) % 3
    runs = arm("net", "a", rates=(0.1, 0.2, 0.3), keep=keep).sample(frac=1, random_state=3)
    found = Arms(runs).runs["net", "", "a"]
    assert found["seed"].tolist() == list(range(3000, 3015))
    assert found["learning_rate"].tolist() == np.array([0.1, 0.2, 0.3])[keep].tolist()
    expected = runs[runs["chosen"]].sort_values("seed")["best_error"].tolist()
    assert found["best_error"].tolist() == expected and len(found) == 15


@pytest.mark.parametrize("rates,middle", [((0.1,), 0.1), ((0.1, 0.2), 0.1), ((0.1, 0.2, 0.3), 0.2),
                                          ((0.1, 0.2, 0.3, 0.4), 0.2)])
def test_the_middle_rate_is_the_lower_one_of_two(rates, middle):
    runs = derive(together(arm("net", "a", rates=rates[::-1]), arm("net", "b", rates=(0.7,))), RULE)
    arms = Arms(runs, rate="middle")
    assert set(arms.runs["net", "", "a"]["learning_rate"]) == {middle}
    assert set(arms.runs["net", "", "b"]["learning_rate"]) == {0.7}


def test_doubled_runs_and_missing_columns_are_named():
    runs = arm("net", "a")
    with pytest.raises(ValueError, match="net on a: more than one chosen run for the seeds 3000, 3001"):
        Arms(together(runs, runs))
    with pytest.raises(ValueError, match="the table of runs lacks the columns seed, chosen"):
        Arms(runs.drop(columns=["seed", "chosen"]))


def swept():
    return Arms(together(arm("old", "a"), arm("new", "a", variant="batch_size=8"),
                         arm("new", "a", variant="batch_size=32")))


def test_variants_and_a_control_without_them():
    arms = swept()
    assert arms.find("new[batch_size=8]", "here") == ("new", "batch_size=8")
    assert arms.find("old[batch_size=8]", "here", fallback=True) == ("old", "")
    assert list(arms.variants["new"]) == ["batch_size=8", "batch_size=32"]


@pytest.mark.parametrize("name, message", [
    ("new", r"here: found 'new'; allowed: new\[batch_size=8\], new\[batch_size=32\]"),
    ("old[batch_size=8]", r"found 'old\[batch_size=8\]'; allowed: old"),
    ("new[batch_size=9]", r"did you mean 'new\[batch_size=8\]'"),
    ("nwe", "there is no experiment 'nwe'; allowed: old, new.*did you mean 'new'")])
def test_unknown_arms_are_refused(name, message):
    with pytest.raises(ConfigError, match=message):
        swept().find(name, "here")


def test_a_variant_that_is_no_part_of_its_sweep_is_found_by_name_alone():
    runs = together(arm("net", "a"), arm("net", "a", variant="repetition=1"))
    arms = Arms(runs, sweeps={"net": {"": {}}})
    assert list(arms.variants["net"]) == [""]
    assert arms.find("net[repetition=1]", "here") == ("net", "repetition=1")
    assert arms.find("net[units=8]", "here", fallback=True) == ("net", "")
    with pytest.raises(ConfigError, match="found 'net.repetition=2.'; allowed: net$"):
        arms.find("net[repetition=2]", "here")


def test_a_sweep_has_rates_only_if_it_varies_them_alone():
    labels = [f"learning_rate={rate},batch_size=8" for rate in (0.1, 0.3)]
    runs = derive(together(*(arm("new", "a", variant=label) for label in labels)), RULE)
    two = {"new": {label: {"learning_rate": rate, "batch_size": 8}
                   for label, rate in zip(labels, (0.1, 0.3), strict=True)}}
    for sweeps in (two, None):
        with pytest.raises(ConfigError, match=r"found 'new\[rates\]'; allowed: new\[learning_rate=0.1,"):
            Arms(runs, sweeps=sweeps).find("new[rates]", "here")


def test_a_tuned_arm_keeps_of_each_seed_the_variant_that_validation_prefers():
    first, second = (arm("net", "a", variant=f"units={n}") for n in (4, 8))
    first["best_validation_loss"], second["best_validation_loss"] = 1.0, np.arange(15) / 7.0
    second.loc[0, "diverged"] = True
    found = Arms(together(first, second))
    assert found.find("net[tuned]", "here") == ("net", "tuned")
    # The second on the seeds 1 to 6, whose losses are below 1; at 7 they are equal.
    expected = first["best_error"].where(~np.isin(np.arange(15), range(1, 7)), second["best_error"])
    assert found.runs["net", "tuned", "a"]["best_error"].tolist() == expected.tolist()
    assert list(found.variants["net"]) == ["units=4", "units=8"]
    with pytest.raises(ConfigError, match=r"found 'net\[tuned\]'; allowed: net"):
        Arms(arm("net", "a")).find("net[tuned]", "here")


def test_curves_are_by_seed_and_epoch_and_end_where_runs_stopped():
    losses = np.random.default_rng(0).uniform(size=(15, 6))
    losses[3, 4:] = np.nan
    table = curves("net", "a", losses).sample(frac=1, random_state=1)
    found = Arms(arm("net", "a"), table).validation(("net", ""), "a")
    np.testing.assert_array_equal(found, losses)


def test_missing_curves_are_named():
    short = curves("net", "a", np.ones((14, 3)))
    arms = Arms(together(arm("net", "a"), arm("net", "b")), short)
    with pytest.raises(ValueError, match="net on a: no curves for the seeds 3014"):
        arms.validation(("net", ""), "a")
    with pytest.raises(ValueError, match="net on b: no curves"):
        arms.validation(("net", ""), "b")
