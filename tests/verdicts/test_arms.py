"""Arms: which runs a name means."""

import json
import math

import numpy as np
import pytest
from tests.verdicts.made_runs import arm, cells_of, claim, one, together

from pipeline.spec.base import ConfigError
from pipeline.verdicts.arms import Arms, classes_of


def test_missing_seeds_are_named():
    runs = together(arm("old", "a"), arm("new", "a"))
    runs = runs.drop(runs[(runs["experiment"] == "new") & runs["seed"].isin([4, 7])].index)
    with pytest.raises(ValueError, match="new on a lacks the seeds 4, 7"):
        one(claim(), runs)


def test_doubled_and_undefined_runs_are_named():
    runs = together(arm("old", "a"), arm("new", "a"))
    with pytest.raises(ValueError, match="new on a: more than one chosen run"):
        one(claim(), together(runs, runs[runs["experiment"] == "new"]))
    runs.loc[35, "best_error"] = np.nan
    with pytest.raises(ValueError, match="error is not finite for the seeds 5"):
        one(claim(), runs)
    with pytest.raises(ValueError, match="found 1 seed"):
        one(claim(), together(arm("old", "a", seeds=1), arm("new", "a", seeds=1)))


def sweep():
    return together(arm("old", "a"), arm("new", "a", 0.8, variant="batch_size=8"),
                    arm("new", "a", 1.2, variant="batch_size=32"))


def test_variants_and_a_control_without_them():
    found = one(claim(treatment="new[batch_size=8]", control="old[batch_size=8]"), sweep())
    assert (found["treatment"], found["control"]) == ("new[batch_size=8]", "old")


@pytest.mark.parametrize("treatment, control, message", [
    ("new", "old", r"contrasts\[0\]: found 'new'; allowed: new\[batch_size=8\], "),
    ("old[batch_size=8]", "new[batch_size=8]", r"found 'old\[batch_size=8\]'; allowed: old"),
    ("old", "new[batch_size=9]", r"did you mean 'new\[batch_size=8\]'"),
    ("nwe", "old", "there is no experiment 'nwe'; allowed: old, new.*did you mean 'new'"),
])
def test_unknown_arms_are_refused(treatment, control, message):
    with pytest.raises(ConfigError, match=message):
        one(claim(treatment=treatment, control=control), sweep())


def test_a_tuned_arm_is_the_variant_that_tuning_prefers_on_each_data_set():
    parts = [arm("old", data) for data in "ab"]
    for variant, level in (("rate=1", 0.5), ("rate=2", 0.9)):
        for data in "ab":
            parts.append(arm("new", data, level, variant=variant))
            # In tuning, the second is preferred on b, though its test error is the higher one.
            score = level if data == "a" else 1 - level
            parts.append(arm("new", data, variant=variant, seeds=5, purpose="tuning").assign(
                best_validation_loss=score))
    runs = together(*parts)
    table = cells_of([claim(treatment="new[tuned]")], runs)
    plain = cells_of([claim(treatment="new[rate=1]"), claim(treatment="new[rate=2]")], runs)
    assert list(table["treatment"]) == ["new[tuned]"] * 2
    assert table["effect"][0] == plain[(plain["data"] == "a")]["effect"].iloc[0]
    assert table["effect"][1] == plain[(plain["data"] == "b")]["effect"].iloc[1]


def test_a_sweep_of_rates_gives_the_largest_rate_that_works():
    def sweep(name, works):
        """Seed s works up to the rate number works[s]."""
        return [arm(name, "a", seeds=12, variant=f"learning_rate={rate}", rate=rate).assign(
            best_failure=[float(i > w) for w in works]) for i, rate in enumerate((0.1, 0.3, 1.0))]

    rates = {f"learning_rate={rate}": {"learning_rate": rate} for rate in (0.1, 0.3, 1.0)}
    runs = together(*sweep("old", [0] * 11 + [-1]), *sweep("new", [2] * 6 + [1] * 6))
    row = one(claim(treatment="new[rates]", control="old[rates]", metric="largest_rate"), runs,
              sweeps={name: rates for name in ("old", "new")})
    # Gains: five of ln 3, one of ln 9 (the seed that never worked counts 0.1 / 3), six of ln 10.
    assert row["effect"] == pytest.approx((math.log(9) + math.log(10)) / 2)
    assert row["low"] == pytest.approx(math.log(3)) and row["high"] == pytest.approx(math.log(10))
    assert row["position"] == "for" and row["scale"] == "median"


def test_a_sweep_has_rates_only_if_it_varies_them_alone():
    labels = [f"learning_rate={rate},batch_size=8" for rate in (0.1, 0.3)]
    runs = together(*(arm("new", "a", variant=label).assign(best_failure=0.0) for label in labels))
    two = {"new": {label: {"learning_rate": rate, "batch_size": 8}
                   for label, rate in zip(labels, (0.1, 0.3), strict=True)}}
    for sweeps in (two, None):
        with pytest.raises(ConfigError, match=r"found 'new\[rates\]'; allowed: new\[learning_rate=0.1,"):
            Arms(runs, sweeps=sweeps).find("new[rates]", "here")


def test_a_variant_that_is_no_part_of_its_sweep_is_found_by_name_alone():
    runs = together(arm("net", "a"), arm("net", "a", variant="repetition=1"))
    arms = Arms(runs, sweeps={"net": {"": {}}})
    assert list(arms.variants["net"]) == [""]
    assert arms.find("net[repetition=1]", "here") == ("net", "repetition=1")
    assert arms.find("net[units=8]", "here", fallback=True) == ("net", "")
    with pytest.raises(ConfigError, match="found 'net.repetition=2.'; allowed: net$"):
        arms.find("net[repetition=2]", "here")


def test_the_default_rate_of_an_arm_that_has_none_is_its_own():
    runs = together(arm("net", "a", rate=0.1, default=False), arm("net", "a", rate=0.01, chosen=False))
    fixed = runs[runs["chosen"]]
    rates = [Arms(table, rate=rate).runs["net", "", "a"]["learning_rate"].unique().tolist()
             for table, rate in ((runs, "chosen"), (runs, "default"), (fixed, "default"))]
    assert rates == [[0.1], [0.01], [0.1]]
    with pytest.raises(ValueError, match="rate must be chosen or default. Received: 'best'"):
        Arms(runs, rate="best")
    with pytest.raises(ValueError, match="the table of runs lacks the columns seed, test_size"):
        Arms(runs.drop(columns=["seed", "test_size"]))


def test_the_plans_say_which_targets_are_classes(tmp_path):
    for name, sets in {"one": {"a": 2, "b": 0}, "two": {"b": 0, "c": 9}}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(
            {"arms": [{"data": data, "task": {"classes": classes, "targets": 1, "quantiles": []}} for data, classes in sets.items()]}))
    assert classes_of(["one", "two"], tmp_path) == {"a", "c"}
    with pytest.raises(ConfigError, match="three.json: there is no such file; `python -m pipeline.plan`"):
        classes_of(["one", "three"], tmp_path)
