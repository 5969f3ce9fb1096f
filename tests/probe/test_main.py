"""The stage watches the chosen runs of a plan, and stores what it measured."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pipeline.data.sources import make, write
from pipeline.data.split import load
from pipeline.plan.code import pins
from pipeline.probe.__main__ import COLUMNS, main, probe
from pipeline.probe.watch import MEASURES, Watched, watch
from pipeline.tables.stored import PROBES, RUNS, RUNS_TABLE, Damaged, read_table, write_tables
from pipeline.config.schema import study_seeds
from pipeline.train.arm import planned_seeds
from pipeline.config.task import Task
from pipeline.train.host import WrongVersion
from pipeline.train.trainer import batch_order
from pipeline.findings.arms import Arms
from tests.locked import lock
from tests.networks import TRAINING, network

SOFTMAX = {"Activation": "softmax"}
SEEDS = [100, 101, 102]


@pytest.fixture(scope="module")
def arrays():
    sizes = {"train": 24, "validation": 24, "test": 24}
    return {"table": make("tabular", SEEDS, features=4, **sizes),
            "waves": make("forecast", SEEDS, window=5, channels=2, **sizes)}


VERSIONS = pins()


def a_plan(seeds=2, arms=3):
    """A sweep of two on a table, and one of them on sequences."""
    listed = [{"variant": f"units={units}", "data": name, "shape": shape, "task": {"classes": classes, "targets": 1, "quantiles": []},
               "train": TRAINING, "network": network(
                   *(["GlobalAveragePooling1D"] if name == "waves" else []),
                   {"Dense": {"units": units}}, "BatchNormalization", head=[SOFTMAX] if classes else [])}
              for name, shape, classes, units in (("table", [4], 2, 2), ("table", [4], 2, 3), ("waves", [5, 2], 0, 3))]
    return {"experiment": "an_experiment", "arms": listed[:arms], "versions": VERSIONS,
            "data": {name: {"digest": "0", "seeds": seeds} for name in ("table", "waves")}}


def runs_of(spec, seeds, rate=0.03):
    """A table of runs: the chosen rate, and beside it what must not be taken."""
    rows = []
    for arm in spec["arms"]:
        for seed in seeds:
            for tried, chosen in ((rate, True), (0.01, False), (1e12, False)):
                rows.append({
                    "experiment": spec["experiment"], "variant": arm["variant"], "data": arm["data"],
                    "seed": seed, "learning_rate": tried, "chosen": chosen, "stopped": 3,
                    "hit_limit": False, "diverged": False, "best_error": seed / 1000,
                    "trivial_error": 0.5, "test_size": 24})
    return pd.DataFrame(rows)


@pytest.fixture(autouse=True, scope="module")
def few_seeds():
    """Seeds that are none of the study."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.probe.__main__.planned_seeds", lambda plan, data: SEEDS[:plan["data"][data]["seeds"]])
        yield


@pytest.fixture(scope="module")
def table(arrays, few_seeds):
    return probe(a_plan(), arrays, runs_of(a_plan(), SEEDS), 10)


@pytest.fixture
def looked(monkeypatch):
    """The epochs and the rate of each run that is watched, which is not trained."""
    found = []
    monkeypatch.setattr("pipeline.probe.__main__.watch", lambda trainer, start, split, order, rate: found.append(
        (order, rate)) or {"": {"constant": 0.0}})
    return found


def test_one_row_a_seed_and_layer_and_one_a_network(table):
    assert list(table.columns) == COLUMNS
    layers = {"waves": ["GlobalAveragePooling1D_1", "Dense_1", "BatchNormalization_1", "output_1"],
              "table": ["Dense_1", "BatchNormalization_1", "output_1", "Activation_1"]}
    expected = {(name, seed, variant) for seed in SEEDS[:2] for name, sweep in (
                    ("table", "units=2"), ("table", "units=3"), ("waves", "units=3"))
                for variant in (sweep, *(f"{sweep},{layer}" for layer in layers[name]))}
    found = list(zip(table["data"], table["seed"], table["variant"]))
    assert len(found) == len(expected) and set(found) == expected


def test_measures_are_numbers_where_they_are_defined(table):
    layer = table["variant"].str.contains(",")
    for name in ("mean", "variance_at_start", "drift", "zero_share", "moment_distance"):
        assert table.loc[layer, name].notna().all() and table.loc[~layer, name].isna().all()
    for name in ("constant", "constant_at_first_epoch"):
        assert table.loc[~layer, name].notna().all() and table.loc[layer, name].isna().all()
    gap = table.loc[~layer].groupby("data")["inference_gap"]
    assert gap.count().to_dict() == {"table": 4, "waves": 0}
    bn = table[table["variant"].str.endswith("BatchNormalization_1")]
    np.testing.assert_allclose(bn["mean_at_start"], 0, atol=1e-6)
    assert bn["gamma"].notna().all() and table["gamma"].notna().sum() == len(bn)
    numbers = table[MEASURES].to_numpy()
    numbers = numbers[np.isfinite(numbers)]
    assert all(float(f"{number:.6g}") == number for number in numbers)


def test_rows_are_of_the_chosen_run(table, arrays):
    assert set(table["learning_rate"]) == {0.03} and set(table["stopped"]) == {3}
    assert table["chosen"].all() and not table["diverged"].any()
    np.testing.assert_allclose(table["best_error"], table["seed"] / 1000)
    arm = a_plan()["arms"][0]
    split = load(arrays["table"], 100)
    trainer = Watched(arm["network"], (4,), Task(2), "Adam")
    found = watch(trainer, trainer.start(100, 0), split, batch_order(24, 8, 3, 100), 0.03)
    row = table[(table["data"] == "table") & (table["seed"] == 100) & (table["variant"] == "units=2,Dense_1")].iloc[0]
    assert row["drift"] == pytest.approx(found["Dense_1"]["drift"], rel=1e-4)


def test_the_rule_reads_the_table(table):
    arms = Arms(table, by_rate=False)
    grid = arms.grids[(*arms.find("an_experiment[units=3,Dense_1]", "here"), "table")]
    assert list(grid.seeds) == SEEDS[:2]
    np.testing.assert_array_equal(np.ravel(grid["drift"]), table.loc[
        (table["variant"] == "units=3,Dense_1") & (table["data"] == "table"), "drift"])


def test_variants_that_measure_the_rule_are_not_watched(arrays, looked):
    spec = a_plan()
    spec["arms"][0]["measuring"] = True
    assert set(probe(spec, arrays, runs_of(spec, SEEDS), 10)["variant"].str[:7]) == {"units=3"}


@pytest.mark.parametrize(("asked", "seeds"), [(2, [100, 101]), (10, [100, 101, 102])])
def test_as_many_seeds_as_are_asked_for_or_as_there_are(arrays, looked, asked, seeds):
    spec = a_plan(seeds=3, arms=1)
    assert list(probe(spec, arrays, runs_of(spec, SEEDS), asked)["seed"].unique()) == seeds


def test_a_run_is_watched_for_as_long_as_it_was(arrays, looked):
    spec = a_plan(arms=1)
    spec["arms"][0]["train"] = TRAINING | {"epochs": 9, "patience": 2}
    runs = runs_of(spec, SEEDS)
    runs.loc[runs["seed"] == 101, ["stopped", "learning_rate"]] = 5, 0.1
    probe(spec, arrays, runs, 2)
    assert [(len(order), rate) for order, rate in looked] == [(3, 0.03), (5, 0.1)]
    np.testing.assert_array_equal(looked[1][0], batch_order(24, 8, 9, 101)[:5])


def test_seeds_are_those_of_the_study(arrays, monkeypatch):
    monkeypatch.setattr("pipeline.probe.__main__.planned_seeds", planned_seeds)
    spec = a_plan(seeds=2, arms=1)
    with pytest.raises(ValueError, match=f"lacks the chosen runs of the seeds {study_seeds(2)[1]}$"):
        probe(spec, arrays, runs_of(spec, study_seeds(1)), 10)


def test_a_run_that_diverged_in_the_table_is_not_watched(arrays, looked):
    spec = a_plan(arms=1)
    runs = runs_of(spec, SEEDS)
    runs.loc[(runs["seed"] == 101) & runs["chosen"], "diverged"] = True
    table = probe(spec, arrays, runs, 2).set_index("seed")
    assert len(looked) == 1 == table["constant"].notna().sum()
    assert table.loc[101, "diverged"].all() and not table.loc[100, "diverged"].any()


def test_a_run_that_diverges_has_no_measures(arrays):
    spec = a_plan(arms=1)
    runs = runs_of(spec, SEEDS)
    runs.loc[(runs["seed"] == 101) & runs["chosen"], "learning_rate"] = 1e38
    table = probe(spec, arrays, runs, 2).set_index("seed")
    assert table.loc[101, "diverged"].all() and table.loc[101, MEASURES].isna().all(axis=None)
    assert len(table.loc[101]) == len(table.loc[100]) == 5
    assert not table.loc[100, "diverged"].any()
    assert table.loc[100, "drift"].notna().sum() == 4


def test_runs_that_are_missing_are_named_and_another_version_is_refused(arrays):
    with pytest.raises(ValueError, match="an_experiment, units=2, table: the table of runs lacks the chosen runs of the seeds "
                                         "101, 102"):
        probe(a_plan(seeds=3), arrays, runs_of(a_plan(), SEEDS[:1]), 3)
    wrong = a_plan() | {"versions": VERSIONS | {"numpy": "0.1"}}
    with pytest.raises(WrongVersion):
        probe(wrong, arrays, runs_of(wrong, SEEDS), 2)


# --- the command --------------------------------------------------------------------------------

@pytest.fixture
def project(table, arrays, tmp_path, monkeypatch):
    """A folder with a plan, its data and its runs; gives what the probe was asked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RETRAIN", raising=False)
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "an_experiment.json").write_text(json.dumps(a_plan()))
    for name, held in arrays.items():
        write(held, tmp_path / "data" / f"{name}.npz")
    write_tables(RUNS / "an_experiment", {RUNS_TABLE: runs_of(a_plan(), SEEDS)})
    asked = []
    params = SimpleNamespace(probe=SimpleNamespace(seeds=17), watched=lambda experiment: sorted(arrays))
    monkeypatch.setattr("pipeline.probe.__main__.load", lambda: params)
    monkeypatch.setattr("pipeline.probe.__main__.probe", lambda *given: asked.append(given) or table)
    monkeypatch.setattr("sys.argv", ["probe", "an_experiment"])
    return asked


MEASURED = PROBES / "an_experiment" / "measures.csv"


def test_the_command_writes_the_table(project, table, monkeypatch, capsys):
    assert main() == 0
    (given_plan, given_arrays, given_runs, seeds, watched), = project
    assert given_plan == a_plan() and set(given_arrays) == {"table", "waves"} and seeds == 17
    assert watched == ["table", "waves"]
    pd.testing.assert_frame_equal(given_runs, runs_of(a_plan(), SEEDS))
    pd.testing.assert_frame_equal(read_table(MEASURED), table)

    monkeypatch.setattr("sys.argv", ["probe", "an_experimnt"])
    assert main() == 1
    assert capsys.readouterr().err == "error: plan/an_experimnt.json: there is no such file; `make book` writes it\n"


def test_what_was_made_from_the_same_runs_is_not_measured_again(project, monkeypatch):
    runs = runs_of(a_plan(), SEEDS)
    assert main() == 0 == main() and len(project) == 1
    # Runs on data that are not watched change nothing; nor do rates that were not chosen. Other chosen runs do.
    more = pd.concat([runs, runs.assign(data="mine")])
    for rate, asked in ((None, 1), (0.01, 1), (0.03, 2)):
        changed = more.assign(learning_rate=more["learning_rate"].replace({rate: 0.02}))
        write_tables(RUNS / "an_experiment", {RUNS_TABLE: changed})
        assert main() == 0 and len(project) == asked
    # So does a study that is made anew.
    monkeypatch.setenv("RETRAIN", "1")
    assert main() == 0 and len(project) == 3


def test_what_was_made_from_the_same_is_measured_again_if_it_is_not_what_the_lock_says(project):
    assert main() == 0
    before = MEASURED.read_bytes()
    lock(probe=(["plan/an_experiment.json"], [MEASURED.parent]))
    assert main() == 0 and len(project) == 1
    MEASURED.write_text(MEASURED.read_text().replace("0.03", "0.04", 1))
    Path("plan/an_experiment.json").write_text(json.dumps(json.loads(Path("plan/an_experiment.json").read_text()), indent=1))
    assert main() == 0 and len(project) == 2 and MEASURED.read_bytes() == before


@pytest.mark.parametrize("path", [RUNS / "an_experiment" / RUNS_TABLE, MEASURED])
def test_a_table_that_was_changed_by_hand_is_refused(project, path, capsys):
    assert main() == 0
    project.clear()
    lock(train=([], [RUNS / "an_experiment"]), probe=(
        ["plan/an_experiment.json", RUNS / "an_experiment" / RUNS_TABLE], [MEASURED.parent]))
    text = path.read_text().replace("0.03", "0.04", 1)
    path.write_text(text)
    assert main() == 1
    assert capsys.readouterr().err.startswith(f"error: {path.parent}: its content is not what was stored")
    assert path.read_text() == text and not project and not (MEASURED.parent / ".building").exists()
    if path == MEASURED:
        with pytest.raises(Damaged):
            read_table(MEASURED)
