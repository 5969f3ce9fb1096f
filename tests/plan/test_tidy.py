"""What `make` puts in order before DVC: what was taken out is gone, what a kill left is mended, and it says so."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.lock import make_lock
from ruamel.yaml import YAML

import pipeline
from pipeline.data import sources
from pipeline.data.__main__ import arrays_of
from pipeline.config.schema import load
from pipeline.plan.tidy import BUSY, COPY, beginning, mend, tidy, without
from pipeline.tables.lock import HEAD, Damaged, entries
from tests.locked import lock, text
from tests.plan.test_main import PARAMS, edit

NAMES = ("data", "plan", "train@cnn", "train@cnn_old", "probe@cnn", "train@gone", "verdicts")
LOCK = text({name: (["params.yaml"], [f"results/{name}"]) for name in NAMES})


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small project with what stages and DVC leave of its experiments `mlp`, `wide` and `same`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RETRAIN", raising=False)
    Path("params.yaml").write_text(PARAMS)
    for name in ("mlp", "wide", "same"):
        for folder in ("results/runs", "results/probe"):
            Path(folder, name).mkdir(parents=True)
            Path(folder, name, "runs.csv").write_text("a\n")
        Path("timings").mkdir(exist_ok=True)
        Path(f"timings/{name}.json").write_text("{}")
    BUSY.parent.mkdir(parents=True)
    locked()
    return tmp_path


def locked():
    lock(data=([], ["data"]), plan=([], ["plan"]), verdicts=([], ["results/verdicts"]),
         **{f"{stage}_at_{name}": ([], [f"results/{folder}/{name}"]) for stage, folder in (("train", "runs"), ("probe", "probe"))
            for name in ("mlp", "wide", "same")})


def files(folder="."):
    return {str(path): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def test_entries_of_what_is_gone_are_taken_out_and_the_rest_stays_to_the_byte():
    kept = without(LOCK, {"train@cnn_old", "train@gone", "train"})
    before, after = (YAML(typ="safe", pure=True).load(one) for one in (LOCK, kept))
    assert after == before | {"stages": {name: one for name, one in before["stages"].items()
                                         if name not in ("train@cnn_old", "train@gone")}}
    assert len(LOCK) - len(kept) == sum(len(f"  {name}:\n{entries(LOCK)[name]}") for name in ("train@cnn_old", "train@gone"))
    assert without(LOCK, set()) == LOCK and without("", {"plan"}) == ""


def test_what_was_taken_out_leaves_nothing_behind_and_is_told(project, capsys):
    before = files()
    tidy(load())  # The probe watches `wide` alone.
    assert {*before} - {*files()} == {f"results/probe/{name}/runs.csv" for name in ("mlp", "same")}
    capsys.readouterr()
    edit("params.yaml", "  same: {of: mlp, versus: null}\n", "")
    tidy(load())
    gone = ("results/runs/same", "timings/same.json")
    assert not any(Path(path).exists() for path in gone)
    assert capsys.readouterr().out == "".join(f"{path}: removed; params.yaml does not ask for it any more\n" for path in gone)
    assert list(entries(Path("dvc.lock").read_text())) == ["data", "plan", "verdicts", "train@mlp", "train@wide", "probe@wide"]
    before = files()
    tidy(load())
    assert files() == before and not capsys.readouterr().out


def test_a_link_in_the_place_of_results_is_removed_and_not_followed(project):
    Path("elsewhere").mkdir()
    Path("elsewhere/runs.csv").write_text("a\n")
    Path("results/runs/gone").symlink_to(Path("elsewhere").absolute())
    Path("results/runs/lost").symlink_to("nowhere")
    Path("results/runs/note.txt").write_text("")
    tidy(load())
    assert {path.name for path in Path("results/runs").iterdir()} == {"mlp", "wide", "same", "note.txt"}
    assert Path("elsewhere/runs.csv").exists()


def test_runs_of_what_is_removed_stay_in_the_store_unless_they_were_changed(project, monkeypatch):
    filled = []
    monkeypatch.setattr("pipeline.plan.tidy.Store.fill", lambda self, folders: filled.extend(folder.name for folder in folders))
    edit("params.yaml", "  wide: {of: mlp, set: {dense.units: 3}}\n  same: {of: mlp, versus: null}\n", "")
    edit("params.yaml", "[wide]", "[]")
    Path("results/runs/wide/runs.csv").write_text("b\n")
    tidy(load())
    assert filled == ["same"]
    Path("results/runs/more").mkdir()
    monkeypatch.setenv("RETRAIN", "1")
    tidy(load())
    assert filled == ["same"]


def test_a_reader_s_file_that_has_changed_is_told_to_dvc(project, capsys):
    rows = "".join(f"{i % 7},{i},{i % 2}\n" for i in range(120))
    Path("mine.csv").write_text("a,b,y\n" + rows)
    edit("params.yaml", "layers:\n  dense", "  mine: {group: tables, file: mine.csv, target: y, seeds: 2}\n"
         "layers:\n  dense")
    params = load()
    tidy(params)
    sources.write(arrays_of(params, "mine"), Path("data/mine.npz"))
    locked()
    tidy(params)
    assert "data" in entries(Path("dvc.lock").read_text())
    capsys.readouterr()
    for change in (lambda: Path("mine.csv").write_text("a,b,y\n" + rows.replace("3,", "4,")),
                   lambda: Path("data/mine.npz").write_bytes(b"PK")):
        locked()
        arrays = Path("data/mine.npz").read_bytes()
        change()
        tidy(params)
        assert capsys.readouterr().out == "mine.csv has changed: the data are made again\n"
        assert "data" not in entries(Path("dvc.lock").read_text())
        assert Path("data/mine.npz").read_bytes() in (arrays, b"PK")  # It is not for this to remove.


# --- after a kill of DVC -----------------------------------------------------------------------

def test_a_lock_that_was_cut_anywhere_keeps_its_whole_entries():
    """At every length: what is kept is a beginning of the lock, and has all entries that are whole."""
    ends = [0] + [LOCK.index(f"  {name}:") for name in NAMES[1:]] + [len(LOCK)]
    for length in range(len(LOCK) + 1):
        kept, number = beginning(LOCK[:length]), sum(0 < end <= length for end in ends)
        # Of an entry, all but the size of its output is enough.
        assert kept in (LOCK[:ends[number]], LOCK[:(ends + [0])[number + 1]].removesuffix("      size: 1\n"))
        assert list(entries(kept)) in (list(NAMES[:number]), list(NAMES[:number + 1]))


def test_what_dvc_left_half_written_is_mended_and_the_rest_is_left_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    mend()
    assert not list(tmp_path.iterdir())
    BUSY.parent.mkdir(parents=True)
    for content in ("", '{"write": {"/a": {"pid"', "[]"):
        BUSY.write_text(content)
        mend()
        assert not BUSY.exists()
    BUSY.write_text("{}")
    Path("dvc.lock").write_text(LOCK)
    mend()
    assert BUSY.exists() and Path("dvc.lock").read_text() == LOCK and not capsys.readouterr().out
    Path("dvc.lock").write_text(LOCK[:-40])
    mend()
    assert Path("dvc.lock").read_text() == LOCK[:LOCK.index("  verdicts:")]
    assert capsys.readouterr().out == "dvc.lock: its end was missing; DVC runs its stages again\n"
    Path("dvc.lock").write_text("schema: '2.0'\nstag")
    mend()
    assert not Path("dvc.lock").exists()


@pytest.mark.parametrize("length", [0, 10, len(HEAD), 500, -40])
def test_what_is_missing_of_a_lock_comes_back_from_its_copy(project, capsys, length):
    """On a fresh clone nothing else says that its results are what was stored."""
    tidy(load())
    whole = Path("dvc.lock").read_text()
    assert COPY.read_text() == whole
    capsys.readouterr()
    Path("dvc.lock").write_text(whole[:length])
    tidy(load())
    assert entries(Path("dvc.lock").read_text()) == entries(whole)
    assert capsys.readouterr().out == "dvc.lock: its end was missing; it is taken from the last run\n"


@pytest.mark.parametrize(("content", "said"), [
    (LOCK.replace("  verdicts:\n", "<<<<<<< HEAD\n  verdicts:\n"), "line 75: found <<<<<<<, the mark of a merge"),
    (LOCK.replace("    cmd: python -m pipeline.train@gone\n", ""), "it is not as DVC writes it"),
    (HEAD + "  train@gone: {cmd: a}\n  train@old:\n    cmd: b\n", "it is not as DVC writes it"), ("a: b\n" * 9, "it is not as")])
def test_what_is_no_beginning_of_a_lock_is_refused_and_nothing_is_removed(project, content, said):
    Path("dvc.lock").write_text(content)
    edit("params.yaml", "  same: {of: mlp, versus: null}\n", "")
    before = files()
    with pytest.raises(Damaged) as error:
        tidy(load())
    assert str(error.value).startswith(f"dvc.lock: {said}") and "git checkout" in str(error.value)
    assert {path: content for path, content in files().items() if ".dvc/" not in path} == {
        path: content for path, content in before.items() if ".dvc/" not in path}


def test_what_another_dvc_is_writing_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    BUSY.parent.mkdir(parents=True)
    Path("dvc.lock").write_text(LOCK[:-40])
    BUSY.write_text("{")
    with make_lock(".dvc/tmp/lock"), make_lock(".dvc/tmp/rwlock.lock"):
        mend()
        assert Path("dvc.lock").read_text() == LOCK[:-40] and BUSY.read_text() == "{"
    mend()
    assert Path("dvc.lock").read_text() != LOCK[:-40] and not BUSY.exists()


# --- with DVC itself ---------------------------------------------------------------------------

DVC_YAML = """stages:
  plan:
    cmd: %(python)s plan.py
    deps: [params.yaml]
    outs: [{plan: {cache: false, persist: true}}]
  train:
    foreach: ${experiments}
    do:
      cmd: mkdir -p results/runs/${key} && echo ${key} >> results/runs/${key}/runs.csv
      deps: ["plan/${key}.json"]
      outs: [{"results/runs/${key}": {cache: false, persist: true}}]
"""
PLAN = """
import json
from pathlib import Path
from pipeline.config.schema import load
from pipeline.tables.stored import replace_folder
with replace_folder(Path("plan")) as new:
    for name, entry in load().experiments.items():
        (new / f"{name}.json").write_text(json.dumps(entry.model_dump(mode="json")))
"""


def test_dvc_runs_only_what_changed_and_its_lock_has_only_what_there_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dvc = shutil.which("dvc") or str(Path(sys.executable).with_name("dvc"))

    def run(*command):
        done = subprocess.run([dvc, *command], text=True, capture_output=True, env=os.environ | {
            "PYTHONPATH": str(Path(pipeline.__file__).parents[1]), "DVC_NO_ANALYTICS": "1"})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    Path("dvc.yaml").write_text(DVC_YAML % {"python": sys.executable})
    Path("plan.py").write_text(PLAN)
    Path("params.yaml").write_text(PARAMS)
    run("init", "--quiet", "--no-scm")
    run("repro")
    assert set(entries(Path("dvc.lock").read_text())) == {"plan", "train@mlp", "train@wide", "train@same"}
    kept = entries(Path("dvc.lock").read_text())["train@mlp"]

    edit("params.yaml", "  same: {of: mlp, versus: null}\n", "")
    edit("params.yaml", "dense.units: 3", "dense.units: 4")
    tidy(load())
    run("repro")
    assert Path("results/runs/wide/runs.csv").read_text() == "wide\nwide\n"
    assert Path("results/runs/mlp/runs.csv").read_text() == "mlp\n" and not Path("results/runs/same").exists()
    after = entries(Path("dvc.lock").read_text())
    assert set(after) == {"plan", "train@mlp", "train@wide"} and after["train@mlp"] == kept
    assert "up to date" in run("status")
