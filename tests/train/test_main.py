"""The stage: tables and record together, refused whole, and without TensorFlow if all is stored."""

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import nbformat
import pytest

import pipeline
from pipeline.config.schema import study_seeds
from pipeline.data.sources import make, write
from pipeline.tables.lock import Damaged
from pipeline.tables.news import NEW
from pipeline.tables.store import STORE, Store
from pipeline.tables.stored import COLUMNS, CURVES_TABLE, CURVE_COLUMNS, LAYERS_TABLE, RUNS, RUNS_TABLE, building, read_table
from pipeline.train import __main__ as stage_module
from tests.locked import lock
from tests.train.toy import FOLDER, InTurn, a_plan, another_bit, stage, with_own_data

ROOT = Path(pipeline.__file__).parent.parent


@pytest.fixture
def main(monkeypatch):
    """The command, run in this process with these arguments; by default, the stage of the experiment."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for the processes that it starts

    def main(*arguments):
        monkeypatch.setattr("sys.argv", ["train", *(arguments or ["an_experiment"])])
        return stage_module.main()

    return main


def files(folder=FOLDER):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


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
    assert record.cells[0].source.startswith("# Lab record: an_experiment\n")
    assert any("Dense" in str(cell.get("outputs")) for cell in record.cells)
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted([*kept, "record.ipynb"])
    # Nothing new was found.
    assert not NEW.exists()


def test_a_record_runs_where_it_lies_and_says_the_same(write_plan, counted, main):
    stage(STORE)
    assert main() == 0
    written = nbformat.read(FOLDER / "record.ipynb", 4)
    done = subprocess.run([sys.executable, "-m", "jupyter", "execute", "--inplace", "record.ipynb"], cwd=FOLDER, text=True,
                          capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    again = nbformat.read(FOLDER / "record.ipynb", 4)
    assert len(again.cells) == len(written.cells)
    for one, two in zip(written.cells, again.cells):
        assert [output.get("data") for output in one.get("outputs", [])] == [
            output.get("data") for output in two.get("outputs", [])]
    assert not any(path.name.startswith(".") for path in FOLDER.iterdir())


def test_new_results_are_noted_and_what_is_taken_back_is_no_news(write_plan, counted, main, monkeypatch):
    monkeypatch.setattr(stage_module, "report", lambda name, folder: (folder / "record.ipynb").write_text("{}"))
    stage(STORE)
    before = (FOLDER / RUNS_TABLE).read_bytes()
    assert main() == 0 and not NEW.exists()
    write_plan(learning_rates=[0.01, 0.03])
    assert main() == 0 and NEW.read_text().split()[0] == "an_experiment"
    write_plan()
    assert main() == 0 and (FOLDER / RUNS_TABLE).read_bytes() == before
    assert NEW.read_text() == "" and len(counted) == 6


def test_a_damaged_store_is_refused_in_one_message(write_plan, counted, main, capsys):
    stage(STORE)
    path, before = Store().path, files()
    path.write_bytes(b"x" * 2000)
    assert main() == 1
    assert capsys.readouterr().err == (
        f"error: {path}: it is not the database that was stored (file is not a database); `python -m "
        "pipeline.tables.mend` sets the damaged file aside and keeps what is readable\n")
    assert files() == before and not building(FOLDER).exists()


def test_a_failure_leaves_the_old_results(write_plan, counted, main, monkeypatch, capsys):
    def report(name, folder):
        raise RuntimeError("a cell failed")

    monkeypatch.setattr(stage_module, "report", report)
    monkeypatch.setattr(stage_module, "executor", lambda _: contextlib.nullcontext(InTurn()))
    assert main() == 1 and not FOLDER.exists()
    stage(STORE)
    before = files()
    assert main() == 1
    assert capsys.readouterr().err.endswith("error: a cell failed\n")
    assert files() == before


def test_of_what_is_being_measured_own_data_are_trained_and_nothing_else(write_plan, arrays, main):
    plan = a_plan() | {"being_measured": True}
    path = Path("plan/an_experiment.json")
    path.write_text(json.dumps(plan))
    assert main() == 0 and read_table(FOLDER / RUNS_TABLE).empty
    waiting = files()
    write(arrays["tables"], Path("data/mine.npz"))
    path.write_text(json.dumps(with_own_data(plan)))
    # Processes of their own train for real: three seeds at each rate.
    assert main() == 0
    runs, layers = read_table(FOLDER / RUNS_TABLE), read_table(FOLDER / LAYERS_TABLE)
    rates = plan["arms"][0]["train"]["learning_rates"]
    assert len(runs) == 3 * len(rates) and set(runs["data"]) == set(layers["data"]) == {"mine"}
    record = nbformat.read(FOLDER / "record.ipynb", 4)
    shown = "".join(str(cell.get("outputs")) for cell in record.cells)
    assert "mine: `Dense(" in shown and "tables" not in shown
    assert NEW.read_text().split()[0] == "an_experiment" and not Path("timings").exists()
    # Taken out again, nothing of it is left.
    path.write_text(json.dumps(plan))
    assert main() == 0
    assert files() == waiting


def test_a_missing_plan_is_named(write_plan, main, capsys):
    Path("plan/an_experiment.json").unlink()
    assert main() == 1
    assert capsys.readouterr().err == ("error: plan/an_experiment.json: there is no such file; `make book` writes it\n")
    assert not FOLDER.exists()


def test_runs_that_another_experiment_has_are_not_trained_again(write_plan, counted):
    stage("first")
    Path("plan/equal.json").write_text(json.dumps(a_plan() | {"experiment": "equal"}))
    stage("clone", "equal")
    assert len(counted) == 6
    runs, first = read_table(RUNS / "equal" / RUNS_TABLE), read_table(FOLDER / RUNS_TABLE)
    assert runs.drop(columns="experiment").equals(first.drop(columns="experiment"))
    # Runs of a table that was changed are not taken, and the experiment whose table it is says so.
    lock(train_at_an_experiment=(["plan/an_experiment.json"], [FOLDER]))
    another_bit(FOLDER / CURVES_TABLE)
    shutil.rmtree(RUNS / "equal")
    stage("another_clone", "equal")
    assert len(counted) == 12


# --- all missing runs --------------------------------------------------------------------------

def test_the_command_without_a_name_trains_what_is_missing_of_all(write_plan, counted, main, monkeypatch, capsys):
    monkeypatch.delenv("CLUSTER", raising=False)
    monkeypatch.setattr(stage_module, "executor", lambda _: contextlib.nullcontext(InTurn()))
    monkeypatch.setattr("sys.argv", ["train"])
    assert stage_module.main() == 0
    assert "6 runs trained; `make book` shows them" in capsys.readouterr().out
    assert not FOLDER.exists() and not Path("timings").exists()
    assert stage_module.main() == 0
    assert "no run is missing" in capsys.readouterr().out
    stage(STORE)
    assert len(counted) == 6
    # What the queue took is written with the tables.
    assert json.loads(Path("timings/an_experiment.json").read_text())["trained"] == 6
    Path("plan/an_experiment.json").unlink()
    assert stage_module.main() == 1
    assert "there is no plan to train" in capsys.readouterr().err


# --- an interrupt ------------------------------------------------------------------------------

def gone(pids):
    """Whether processes have ended."""
    return not any(Path(f"/proc/{pid}").exists() and "Z" != Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
                   for pid in pids)


def children(pid):
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*found, *(inner for child in found for inner in children(child))]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked up in /proc")
def test_an_interrupt_ends_in_a_line_with_all_processes_and_the_next_run_goes_on(write_plan, main):
    """As from a keyboard: the signal goes to all processes of the terminal."""
    write_plan(seeds=60, epochs=4000)
    write(make("tabular", study_seeds(60), train=24, validation=24, test=24, features=4), Path("data/tables.npz"))
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    done = subprocess.Popen([sys.executable, "-m", "pipeline.train", "an_experiment"], stdout=end, stderr=end,
                            stdin=end, start_new_session=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    os.close(end)
    waited = time.monotonic() + 300
    while Store().count() < 2:
        assert time.monotonic() < waited and done.poll() is None
        time.sleep(0.2)
    processes = children(done.pid)
    assert processes
    os.killpg(done.pid, signal.SIGINT)
    assert done.wait(timeout=60) == 130
    said = b""
    while True:
        try:
            more = os.read(terminal, 65536)
        except OSError:
            break
        if not more:
            break
        said += more
    os.close(terminal)
    last = said.decode().replace("\r", "\n").strip().splitlines()[-1]
    assert last == "interrupted: what has finished is kept, and the same command goes on from there"
    assert "Traceback" not in said.decode() and "an_experiment:" in said.decode()
    while not gone(processes):
        assert time.monotonic() < waited
        time.sleep(0.1)
    assert Store().count() >= 2
    assert {path.name for path in Path().iterdir()} <= {"plan", "data", ".runs"}


# --- a plan's tables ---------------------------------------------------------------------------

def test_stored_tables_count_as_finished_runs(write_plan, counted, monkeypatch):
    stage("first")
    assert len(counted) == 6
    runs = read_table(FOLDER / RUNS_TABLE)
    assert len(runs) == 6 and list(runs.columns) == COLUMNS
    assert list(read_table(FOLDER / CURVES_TABLE).columns) == CURVE_COLUMNS
    written = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    stage("clone")
    assert len(counted) == 6
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == written
    monkeypatch.setenv("RETRAIN", "1")
    stage("retrained")
    assert len(counted) == 12
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == written
    assert Path("timings/an_experiment.json").exists()


def another_digit(path):
    """A number of the table, changed by hand as an editor would."""
    text = path.read_text()
    changed = re.sub(r"\b0\.(\d)", lambda found: f"0.{(int(found[1]) + 1) % 10}", text, count=1)
    assert changed != text
    path.write_text(changed)


@pytest.mark.parametrize(("table", "damage"), [
    (RUNS_TABLE, another_digit), (CURVES_TABLE, another_bit), (LAYERS_TABLE, another_bit)])
def test_a_changed_table_is_refused_in_one_message_also_on_a_fresh_clone_and_stays(write_plan, counted, main, capsys, table, damage):
    stage(STORE)
    lock(train=(["plan/an_experiment.json"], [FOLDER]))
    damage(FOLDER / table)
    before, said = files(), (f"{FOLDER}: its content is not what was stored (dvc.lock); take it back with `git checkout -- {FOLDER}`, "
                             f"or remove {FOLDER}, and `make book` makes it anew")
    assert main() == 1 and capsys.readouterr().err.endswith(f"error: {said}\n")
    for train in (lambda: stage("clone"), lambda: stage_module.study(Store("clone"))):
        with pytest.raises(Damaged, match=f"^{re.escape(said)}$"):
            train()
    assert Store("clone").count() == 0 and files() == before and len(counted) == 6


def test_no_number_of_a_changed_table_comes_back_when_its_plan_changes(write_plan, counted):
    """From the store the right runs come, and without one they are trained; a fresh clone takes what the lock says."""
    stage("store")
    lock(train=(["plan/an_experiment.json"], [FOLDER]))
    right = (FOLDER / RUNS_TABLE).read_bytes()
    write_plan(seeds=3)
    stage("clone")
    assert len(counted) == 6 + 3
    more = (FOLDER / RUNS_TABLE).read_bytes()
    for store, trained in (("store", 3), ("empty", 9)):
        counted.clear()
        (FOLDER / RUNS_TABLE).write_bytes(right)
        another_digit(FOLDER / RUNS_TABLE)
        stage(store)
        assert len(counted) == trained and (FOLDER / RUNS_TABLE).read_bytes() == more
    # As after a kill before DVC wrote its lock: the folder is new, and the lock is not.
    counted.clear()
    stage("store")
    assert not counted and (FOLDER / RUNS_TABLE).read_bytes() == more
