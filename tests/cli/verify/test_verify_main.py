"""A tiny study, verified: its own bits pass, a falsified number does not, noise is told from a shift."""

import json
import math
import shutil
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.data.sources import make, write as write_data
from pipeline.tables.stored import CURVES_TABLE, RUNS, RUNS_TABLE, read_table, write_table, write_text
from pipeline.config.schema import study_seeds
from pipeline.tables.run_record import MEASURES
from pipeline.cli.verify import __main__ as verify_module, recompute
from tests.locked import lock
from tests.train.toy import a_plan, stage

SEEDS = 12
PARAMS = """
data: {{tables: {{group: rows, seeds: {seeds}, source: tabular, arguments: {{train: 24, validation: 24, test: 24, features: 4}}}}}}
layers: {{dense: Dense}}
train: {{epochs: 3, batch_size: 8, optimizer: Adam, learning_rates: [0.003, 0.01, 0.03]}}
experiments:
  one: {{data: tables, layers: [dense]}}
  two: {{data: tables, layers: [dense], versus: one}}
"""
#: Decides, of the study in its folder, whether the mean error of `two` is the smaller one.
STAND_IN = """
from pathlib import Path
import pandas as pd
from pipeline.tables.stored import read_table, write_tables
one, two = (read_table(Path(f"results/runs/{name}/runs.csv")).query("chosen")["best_loss"].mean() for name in ("one", "two"))
word = "supported" if two < one else "contradicted"
write_tables(Path("results/findings"), {"readings.csv": pd.DataFrame({"slug": ["two_is_better"], "reads": [word]})})
"""


def a_record(key, spread=0.2, turned=0.0):
    """A run's measures: of its key alone; `turned` moves them as another processor might."""
    generator = np.random.default_rng(int(key[:8], 16))
    noise = math.exp(generator.normal(0, spread) + turned)
    found = {name: round(float(0.5 * noise), 6) for name in MEASURES}
    found |= {"diverged": False, "parameters": 9, "test_size": 24, "best_epoch": 2, "last_epoch": 3}
    found |= {f"{endpoint}_{share}": 0.5 for endpoint in ("best", "last") for share in ("calibration_error", "minority_recall")}
    loss = found["best_validation_loss"]
    return found | {"train_curve": [0.5, 0.4, 0.3], "validation_curve": [round(2 * loss, 5), round(loss, 5), round(loss, 5)]}


class Again:
    """An executor whose machine gives a record for each key."""

    def __init__(self, record=a_record):
        self.record = record

    def __str__(self):
        return "training nowhere"

    def workers(self, jobs):
        return 1

    def results(self, jobs, data, store):
        for job in jobs:
            yield job, {"records": {key: self.record(key) for key, _, _ in job.runs}, "seconds": 1.0,
                        "layers": [{"layer": "dense"}], "host": {"processor": "a processor", "instructions": "avx2", "cores": 2}}


def trained_on(**kind):
    """Write down what kind of machine trained the stored runs."""
    for name in ("one", "two"):
        write_text(Path(f"timings/{name}.json"), json.dumps(kind))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study of two experiments, the first of which measures the noise, and its stored runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("study"))
        patch.delenv("RETRAIN", raising=False)
        Path("params.yaml").write_text(PARAMS.format(seeds=SEEDS))
        arrays = make("tabular", study_seeds(SEEDS), train=24, validation=24, test=24, features=4)
        write_data(arrays, Path("data/tables.npz"))
        patch.setattr("tests.train.toy.InTurn", Again)
        for name, batch in (("one", 8), ("two", 4)):
            plan = a_plan(seeds=SEEDS, variants=("", "repetition=1") if name == "one" else ("",), batch_size=batch)
            plan["experiment"] = name
            for arm in plan["arms"]:
                arm["train"] = arm["train"] | {"repetition": int(bool(arm["variant"]))}
            write_text(Path(f"plan/{name}.json"), json.dumps(plan))
            stage("store", name)
        trained_on(processor="a processor", instructions="avx2")
        Path("stand_in.py").write_text(STAND_IN)
        exec(STAND_IN, {})
        return Path.cwd()


@pytest.fixture
def tiny(made, tmp_path, monkeypatch):
    """The study, to be changed."""
    folder = shutil.copytree(made, tmp_path / "study")
    monkeypatch.chdir(folder)
    for name in ("RETRAIN", "CLUSTER", "XLA_FLAGS", "TF_XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS", "TRAIN_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr(recompute, "STAGE", "stand_in")


@pytest.fixture
def verify(tiny, monkeypatch, capsys):
    """Runs the command on a machine; its exit code, its certificate and what it said."""
    def run(*arguments, record=a_record):
        monkeypatch.setattr("sys.argv", ["verify", *arguments])
        monkeypatch.setattr(verify_module, "executor", lambda cluster: nullcontext(Again(record)))
        code, path = verify_module.main(), Path("results/certificates/this_machine.json")
        said = capsys.readouterr()
        return code, json.loads(path.read_text()) if path.exists() else None, said.out + said.err
    return run


def falsify(experiment, table, change):
    """A stored table changed as if it had always been so, and the verdicts with it."""
    path = RUNS / experiment / table
    found = read_table(path)
    changed = change(found)
    write_table(found if changed is None else changed, path)
    exec(STAND_IN, {})


def test_the_stored_bits_are_certified(verify):
    code, found, said = verify("--runs", "all", "--seed", "7")
    assert code == 0 and found["says"] == "the same bits"
    assert found["runs"] == found["identical"] == 3 * SEEDS * 3 and found["stored_seeds"] == found["sampled_seeds"] == 3 * SEEDS
    assert found["verdicts_changed"] == [] and found["largest"] == found["median"] == 0
    assert found["seed"] == 7 and found["processor"] == "a processor" and "numpy" in found["versions"]
    assert "108 of 108 runs have the same bits" in said and "SEED=7" in said and "no reading changes" in said
    assert "every row of 108 is a plan's, and the findings are what they give" in said


def test_a_number_of_runs_is_drawn_by_the_seed(verify, tiny):
    seen = []
    def record(key):
        seen.append(key)
        return a_record(key)
    samples = []
    for seed in ("1", "1", "2"):
        seen.clear()
        assert verify("--runs", "10", "--seed", seed, record=record)[1]["runs"] == 12  # whole seeds
        samples.append({*seen})
    assert samples[0] == samples[1] != samples[2]
    assert verify()[1]["runs"] == 108  # all fit the time


@pytest.mark.parametrize(("table", "column", "value"), [
    (RUNS_TABLE, "best_error", 0.123), (RUNS_TABLE, "test_size", 25), (CURVES_TABLE, "train_loss", 0.9)])
def test_a_falsified_number_is_caught_and_named(verify, table, column, value):
    def change(found):
        found.loc[5, column] = value
    falsify("two", table, change)
    code, found, said = verify("--runs", "all")
    assert code == 1 and found["says"] == "not reproduced"
    named, = found["differing"]
    assert named.startswith("two on tables, seed 30") and ("curves" if table == CURVES_TABLE else column) in named
    assert named in said and found["identical"] == found["runs"] - 1


def at(row, **values):
    def change(found):
        found.loc[row, list(values)] = list(values.values())
    return change


def other_choice(found):
    mine = found["seed"] == 3004
    found.loc[mine, "chosen"] = found.loc[mine, "chosen"].to_numpy()[[1, 2, 0]]


def other_arm(found):
    """The rows of one seed under the keys of another."""
    found.loc[found["seed"] == 3004, "key"] = found.loc[found["seed"] == 3005, "key"].to_numpy()


def twice(*row):
    return lambda found: pd.concat([found, found.iloc[list(row)]], ignore_index=True)


@pytest.mark.parametrize(("table", "change", "said"), [
    (RUNS_TABLE, other_choice, "two on tables, seed 3004: another rate is chosen than that of the least validation loss"),
    (RUNS_TABLE, at(5, stopped=2), "where it stopped is not what its epochs say"),
    (RUNS_TABLE, at(5, hit_limit=True), "where it stopped is not what its epochs say"),
    (RUNS_TABLE, twice(4), "two on tables, seed 3001, rate 0.01: it stands 2 times"),
    (RUNS_TABLE, lambda found: twice(4)(found).assign(best_error=lambda all: all["best_error"].where(all.index != 36, 0.1)),
     "it stands 2 times"),
    (RUNS_TABLE, lambda found: found.drop(index=4), "two on tables, seed 3001, rate 0.01: it is missing"),
    (RUNS_TABLE, lambda found: found.assign(seed=found["seed"].where(found.index != 4, 2999)),
     "two on tables, seed 2999, rate 0.01: the plan asks for no such run"),
    (RUNS_TABLE, other_arm, "two on tables, seed 3004, rate 0.003: its key is that of another run"),
    (CURVES_TABLE, at(5, validation_loss=0.123), "its losses are not those of its curve"),
    (CURVES_TABLE, twice(5), "its curve has other epochs"), (CURVES_TABLE, at(5, seed=2999), "seed 2999, ")])
def test_tables_that_contradict_themselves_are_named_whatever_is_drawn(verify, table, change, said):
    falsify("two", table, change)
    code, found, printed = verify("--runs", "1")
    assert code == 1 and found is None and printed.count("\n") == 1
    assert printed.startswith("error: the stored tables are not what training and findings give: two") and said in printed


def test_a_run_that_two_experiments_share_has_the_same_numbers(verify, tiny):
    plan = json.loads(Path("plan/two.json").read_text()) | {"experiment": "three"}
    write_text(Path("plan/three.json"), json.dumps(plan))
    shutil.copytree(RUNS / "two", RUNS / "three")
    for table in (RUNS_TABLE, CURVES_TABLE):
        falsify("three", table, lambda found: found.assign(experiment="three"))
    assert verify("--runs", "1")[0] == 0
    falsify("three", RUNS_TABLE, at(5, best_error=0.123))
    assert "two on tables, seed 3001, rate 0.03: another experiment has other numbers of the same run" in verify("--runs", "1")[2]


def test_a_verdict_that_was_changed_with_all_that_guards_it_is_found(verify):
    path = Path("results/findings/readings.csv")
    word = read_table(path)["reads"][0]
    write_table(read_table(path).assign(reads="no effect that matters"), path)
    code, found, said = verify("--runs", "1")
    assert code == 1 and found is None
    assert f"{path}: line 2: reads: found no effect that matters; the stored runs give {word}" in said
    assert f"two_is_better: no effect that matters → {word}" in said


def test_falsified_results_that_turn_a_verdict_are_caught_with_the_verdict(verify, tiny):
    """Numbers that make the worse network the better one: what is trained again turns it back."""
    before = read_table(Path("results/findings/readings.csv"))["reads"][0]
    factor = 4 if before == "supported" else 0.25
    def change(found):
        found.loc[found["seed"] < 3005, ["best_loss", "last_loss"]] *= factor
    falsify("two", RUNS_TABLE, change)
    exec(STAND_IN, {})
    after = read_table(Path("results/findings/readings.csv"))["reads"][0]
    assert after != before
    # The lock says nothing of what is decided in its place.
    lock(train_at_one=([], [RUNS / "one"]), train_at_two=([], [RUNS / "two"]), findings=([], ["results/findings"]))
    code, found, said = verify("--runs", "all")
    assert code == 1 and found["verdicts_changed"] == [f"two_is_better: {after} → {before}"]
    assert found["verdicts_changed"][0] in said


def test_another_machine_whose_differences_are_chance_passes(verify):
    trained_on(processor="another one", instructions="avx2")
    def record(key):
        return a_record(key, turned=np.random.default_rng(int(key[8:16], 16)).normal(0, 0.05))
    code, found, said = verify("--runs", "all", record=record)
    assert found["says"] == "other bits, as chance makes them" and code == 0
    assert found["identical"] < found["runs"] / 2 and 0 < found["median"] < found["largest"]
    row, = found["tests"]
    assert row["family"] == "rows" and row["references"] == SEEDS and row["p"] > found["false_alarms"]


def test_a_machine_of_the_same_kind_must_give_the_same_bits_and_another_one_need_not(verify, monkeypatch):
    def record(key):  # less than half differ
        few = int(key[16:24], 16) % 3 == 0
        return a_record(key, turned=few * np.random.default_rng(int(key[8:16], 16)).normal(0, 0.05))
    kinds = {"same": {"processor": "a processor", "instructions": "avx2"},
             "other": {"processor": "a processor", "instructions": "avx512f"}, "unknown": {}}
    for kind, says in (("same", "not reproduced"), ("unknown", "not reproduced"),
                       ("other", "other bits, as chance makes them")):
        trained_on(**kinds[kind])
        code, found, _ = verify("--runs", "all", record=record)
        assert found["says"] == says and found["differing"] and code == (kind != "other")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    trained_on(**kinds["same"])
    found = verify("--runs", "all", record=record)[1]
    assert (found["settings"], found["says"]) == ({"TF_ENABLE_ONEDNN_OPTS": "0"}, "other bits, as chance makes them")


def test_another_machine_whose_losses_are_all_lower_fails(verify):
    trained_on(processor="another one", instructions="avx2")
    code, found, _ = verify("--runs", "all", record=lambda key: a_record(key, turned=-0.15))
    assert code == 1 and found["says"] == "other bits, more than chance makes"
    assert found["tests"][0]["p_shift"] < 0.001


@pytest.mark.parametrize(("arguments", "message"), [
    (["--runs", "some"], "RUNS=some: allowed: all, or a number from 1 on"),
    (["--runs", "0"], "RUNS=0: allowed"), (["--name", "../x"], "NAME=../x: allowed: up to 60")])
def test_a_mistake_is_named(verify, arguments, message):
    code, found, said = verify(*arguments)
    assert code == 1 and found is None and message in said


def test_runs_of_another_plan_are_not_verified(verify, tiny):
    plan = json.loads(Path("plan/two.json").read_text())
    plan["arms"][0]["train"]["epochs"] = 4
    Path("plan/two.json").write_text(json.dumps(plan))
    code, found, said = verify("--runs", "all")
    assert code == 1 and found is None and "two: its runs are not those of plan/two.json; `make book`" in said
    shutil.rmtree(RUNS / "two")
    assert "results/runs/two/runs.csv: there is no such file; `make book` makes it" in verify()[2]
