"""How much trains in the minutes that are given: all, or what the timed runs say; and these are kept."""

import contextlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pipeline
from pipeline.cli.ask import budget
from pipeline.cli.ask.budget import costs, fitted
from pipeline.config.schema import load
from pipeline.data.sources import read
from pipeline.data.__main__ import make_missing
from pipeline.plan import announce
from pipeline.plan.study import Arrays, Facts, resolved, text
from pipeline.tables.store import Store


@pytest.fixture
def table(project):
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(generator.normal(size=(5_000, 3)).round(3), columns=["a", "b", "y"])
    frame.to_csv("t.csv", index=False)
    return frame


@pytest.fixture
def timed(asked, monkeypatch):
    """Asks about the table where a run takes so many seconds for each thousand training samples, and once as many more."""
    def run(*arguments, thousand, once=0.0):
        sizes = []

        def pace(name, params, arrays):
            sizes.append(int(arrays["train"]))
            return once, thousand * sizes[-1] / 1_000

        monkeypatch.setattr(budget, "timed", pace)
        monkeypatch.setattr(budget, "_simple", lambda *_: 0.0)
        monkeypatch.setattr(budget, "fitted", fitted)
        out, err, code = asked("t.csv", *arguments)
        assert (err, code) == ("", 0)
        return load().data["t"].split, " ".join(out.split()), sizes

    return run


# Two networks, five seeds and two rates are 20 runs, of which a thousand samples train in 60 seconds together here.
@pytest.mark.parametrize(("minutes", "once", "expected"), [
    (3, 0, (3_000, 1_000, 1_000)), (1, 0, (1_000, 334, 1_000)), (2, 0, (2_000, 667, 1_000)), (2, 60, (1_000, 334, 1_000)),
    (1, 600, (640, 214, 1_000))])
def test_the_training_part_is_cut_to_what_the_minutes_allow(table, timed, minutes, once, expected):
    split, out, sizes = timed("--target", "y", "--minutes", minutes, thousand=3.0, once=once)
    assert (split.train, split.validation, split.test) == expected and sizes[-1] == expected[0]
    assert f"split: {expected[0]:,} train, {expected[1]:,} validation, 1,000 test, of 5,000 rows" in out
    cut = f"3,000 could train, which takes longer than {minutes} minutes: with MINUTES={6 * minutes} more do"
    assert (cut in out) == (cut in Path("params.yaml").read_text(encoding="utf-8")) == (expected[0] < 3_000)
    assert f"about {round((once + 60 * expected[0] / 1_000) / 60 + 0.49)} minutes more" in out


def test_of_what_would_take_hours_few_samples_are_timed_first(table, timed):
    Path("timings").mkdir()
    Path("timings/mlp.json").write_text('{"seconds": 100, "trained": 10}')  # 10 seconds a run of 640 samples.
    split, _, sizes = timed("--target", "y", "--minutes", 1, thousand=3.0)
    assert sizes[0] == 640 and split.train == 1_000  # What is faster than it was gets more.


def test_a_class_that_a_smaller_validation_part_would_lack_keeps_it_whole(project, timed):
    frame = pd.DataFrame({"a": np.random.default_rng(0).permutation(5_000) + 0.5, "y": np.arange(5_000) % 1_000 == 0})
    frame.to_csv("t.csv", index=False)
    split, out, _ = timed("--target", "y", "--minutes", 1, thousand=3.0)
    assert (split.train, split.validation) == (1_000, 1_000)


def test_what_networks_cost_is_what_they_cost_in_the_study(table, asked):
    asked("t.csv", "--target", "y", "--look")
    Path("timings").mkdir()
    for name, seconds in (("mlp", 10), ("mlp_relu", 40)):
        Path(f"timings/{name}.json").write_text(f'{{"seconds": {seconds}, "trained": 20}}')
    assert costs("t", load()) == {"mlp": 10, "mlp_relu": 40}  # Five seeds at two rates.
    # Of what is being measured, nothing was written down yet: it is taken to train as its control does.
    Path("timings/mlp_relu.json").unlink()
    assert costs("t", load())["mlp_relu"] == 10


def test_the_runs_that_were_timed_are_kept(table, asked, monkeypatch):
    shutil.copy(Path(pipeline.__file__).parents[1] / "requirements.txt", ".")
    monkeypatch.setattr(budget, "fitted", fitted)
    out, err, code = asked("t.csv", "--target", "y")
    assert (err, code) == ("", 0) and "minutes more" in out
    with contextlib.closing(Store()) as store:
        assert store.count() == 6  # Two rates of three seeds.
    params = load()
    make_missing(params)
    plans, _ = resolved(params, Facts(params), [])
    missing = announce.missing({name: text(plans[name]) for name in ("mlp", "mlp_relu")}, Arrays(params))
    assert int(read("data/t.npz")["train"]) == 3_000 and {one.experiment: one.runs for one in missing}["mlp_relu"] == 10
    assert sum(one.runs for one in missing if one.experiment == "mlp") == 3 * 2 + 4  # Of the study's own set, and of two seeds.
