"""The stage: tables and record together, refused whole, and without TensorFlow if all is stored."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import pipeline
from pipeline.data.sources import write
from pipeline.tables.stored import (
    CURVES_TABLE, LAYERS_TABLE, NEW, RUNS_TABLE, STORE, building, read_table)
from pipeline.train import __main__ as stage_module
from tests.locked import lock
from tests.train.toy import FOLDER, a_plan, another_bit, stage, with_own_data

ROOT = Path(pipeline.__file__).parent.parent


@pytest.fixture
def main(monkeypatch):
    """The stage, run in this process."""
    monkeypatch.setattr("sys.argv", ["train", "an_experiment"])
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for the record's kernel
    return stage_module.main


def test_a_stage_whose_runs_are_stored_loads_no_tensorflow(write_plan, counted):
    stage(STORE)
    kept = {name: (FOLDER / name).read_bytes() for name in (RUNS_TABLE, CURVES_TABLE, LAYERS_TABLE)}
    # The record's kernel is a process of its own; there, too, these would be loaded first.
    for package in ("tensorflow", "keras"):
        Path(f"absent/{package}").mkdir(parents=True)
        Path(f"absent/{package}/__init__.py").write_text("raise ImportError('loaded')")
    done = subprocess.run([sys.executable, "-m", "pipeline.train", "an_experiment"], text=True,
                          capture_output=True, env=os.environ | {
                              "PYTHONPATH": f"{Path('absent').absolute()}:{ROOT}"})
    assert done.returncode == 0, done.stderr
    assert {name: (FOLDER / name).read_bytes() for name in kept} == kept
    record = nbformat.read(FOLDER / "record.ipynb", 4)
    assert any("Dense" in str(cell.get("outputs")) for cell in record.cells)
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted([*kept, "record.ipynb"])
    # Nothing new was found.
    assert not (STORE / NEW).exists()


def test_new_results_are_noted(write_plan, main, monkeypatch):
    def execute(source, target, parameters):
        target.with_name(RUNS_TABLE).write_text("new\n")

    monkeypatch.setattr(stage_module, "execute", execute)
    assert main() == 0 and main() == 0
    assert (STORE / NEW).read_text() == "an_experiment\n"


@pytest.mark.parametrize("table", [RUNS_TABLE, CURVES_TABLE, LAYERS_TABLE])
def test_a_flipped_bit_is_refused_in_one_message(write_plan, counted, main, capsys, table):
    stage(STORE)
    lock(train=(["plan/an_experiment.json"], [FOLDER]))
    another_bit(FOLDER / table)
    before = {path: path.read_bytes() for path in FOLDER.iterdir()}
    assert main() == 1
    assert capsys.readouterr().err == (
        f"error: {FOLDER}: its content is not what was stored (dvc.lock); take it back with "
        f"`git checkout -- {FOLDER}`, or remove {FOLDER}, and `make book` makes it anew\n")
    assert {path: path.read_bytes() for path in FOLDER.iterdir()} == before


def test_a_damaged_run_in_the_store_is_refused_in_one_message(write_plan, counted, main, capsys):
    stage(STORE)
    path = next(STORE.glob("*/*.json"))
    another_bit(path)
    before = {path: path.read_bytes() for path in FOLDER.iterdir()}
    assert main() == 1
    assert capsys.readouterr().err.startswith(f"error: {path}: its content is not what was stored; remove")
    assert {path: path.read_bytes() for path in FOLDER.iterdir()} == before
    assert not building(FOLDER).exists()


def test_a_failure_leaves_the_old_results(write_plan, counted, main, monkeypatch, capsys):
    def execute(source, target, parameters):
        target.with_name(RUNS_TABLE).write_text("half\n")
        raise RuntimeError("a cell failed")

    monkeypatch.setattr(stage_module, "execute", execute)
    assert main() == 1 and not FOLDER.exists()
    stage(STORE)
    before = {path: path.read_bytes() for path in FOLDER.iterdir()}
    assert main() == 1
    assert capsys.readouterr().err.endswith("error: a cell failed\n")
    assert {path: path.read_bytes() for path in FOLDER.iterdir()} == before


def test_of_what_is_being_measured_own_data_are_trained_and_nothing_else(write_plan, arrays, main):
    plan = a_plan() | {"being_measured": True}
    path = Path("plan/an_experiment.json")
    path.write_text(json.dumps(plan))
    assert main() == 0 and read_table(FOLDER / RUNS_TABLE).empty
    waiting = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    write(arrays["tables"], Path("data/mine.npz"))
    path.write_text(json.dumps(with_own_data(plan)))
    # The record's kernel is a process of its own, and trains for real: three seeds at each rate.
    assert main() == 0
    runs, layers = read_table(FOLDER / RUNS_TABLE), read_table(FOLDER / LAYERS_TABLE)
    rates = plan["arms"][0]["train"]["learning_rates"]
    assert len(runs) == 3 * len(rates) and set(runs["data"]) == set(layers["data"]) == {"mine"}
    record = nbformat.read(FOLDER / "record.ipynb", 4)
    shown = "".join(str(cell.get("outputs")) for cell in record.cells)
    assert "mine: `Dense(" in shown and "tables" not in shown
    assert (STORE / NEW).read_text() == "an_experiment\n" and not Path("timings").exists()
    # Taken out again, nothing of it is left.
    path.write_text(json.dumps(plan))
    assert main() == 0
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == waiting


def test_a_missing_plan_is_named(write_plan, main, capsys):
    Path("plan/an_experiment.json").unlink()
    assert main() == 1
    assert capsys.readouterr().err == (
        "error: plan/an_experiment.json: there is no such file; `make book` writes it\n")
    assert not FOLDER.exists()
