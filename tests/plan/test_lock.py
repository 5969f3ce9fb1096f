"""What was taken out of params.yaml leaves `dvc.lock`, and nothing else there changes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.lock import make_lock
from ruamel.yaml import YAML

import pipeline
from pipeline.plan.lock import mend, prune, whole

LOCK = """schema: '2.0'
stages:
  data@old:
    cmd: python -m pipeline.data old
    params:
      params.yaml:
        data.old:
          title: 'a title with a colon: so long that it goes
            on, in another line'
  train@cnn:
    cmd: python -m pipeline.train cnn
    outs:
    - path: results/runs/cnn
      nfiles: 3
  train@cnn_old:
    cmd: python -m pipeline.train cnn_old
  plan:
    cmd: python -m pipeline.plan
  data@new:
    cmd: python -m pipeline.data new
  train@gone:
    cmd: python -m pipeline.train gone
    outs:
    - path: results/runs/gone
"""
KEPT = {"data": ["new"], "train": ["cnn"], "probe": []}


def test_entries_of_what_is_gone_are_taken_out_and_the_rest_stays_to_the_byte():
    lines = LOCK.splitlines(keepends=True)
    assert prune(LOCK, KEPT) == "".join(lines[:2] + lines[9:14] + lines[16:20])
    assert prune(LOCK, {"data": ["new", "old"], "train": ["cnn", "cnn_old", "gone"]}) == LOCK
    assert prune(LOCK, {}) == LOCK and prune("", KEPT) == ""


def test_what_is_left_is_the_lock_without_those_entries():
    yaml = YAML(typ="safe", pure=True)
    before, after = yaml.load(LOCK), yaml.load(prune(LOCK, KEPT))
    assert after == before | {"stages": {name: before["stages"][name] for name in ("train@cnn", "plan", "data@new")}}


@pytest.mark.parametrize("text", [
    LOCK.replace("    cmd: python -m pipeline.train gone\n", "    note: |\n      a\n\n      b\n"),
    "schema: '2.0'\nstages:\n  train@gone: {cmd: a}\n  train@old:\n    cmd: b\n",
    "schema: '2.0'\nstages:\n  train@gone:\n    cmd: b\n",
])
def test_a_lock_that_is_not_as_dvc_writes_it_is_refused_and_says_what_to_do(text):
    with pytest.raises(ValueError, match="dvc.lock: it is not as DVC writes it; `git checkout dvc.lock`"):
        prune(text, KEPT)


# --- after a kill of DVC -----------------------------------------------------------------------

def test_a_lock_that_was_cut_anywhere_keeps_its_whole_entries():
    """At every length: what is kept is a beginning of the lock, and has all entries but the last one."""
    starts = [LOCK.index(f"  {name}:") for name in YAML(typ="safe").load(LOCK)["stages"]]
    assert whole(LOCK) == LOCK
    for length in range(len(LOCK)):
        kept, begun = whole(LOCK[:length]), [start for start in starts if start + 2 < length]
        assert LOCK[:length].startswith(kept)
        assert len(kept) >= begun[-1] if len(begun) > 1 else True
        stages = YAML(typ="safe", pure=True).load(kept)["stages"] if kept else {}
        for about in stages.values():
            assert isinstance(about["cmd"], str) and None not in about.values()


def test_what_dvc_left_half_written_is_mended_and_the_rest_is_left_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    mend()
    assert not list(tmp_path.iterdir())
    busy = Path(".dvc/tmp/rwlock")
    busy.parent.mkdir(parents=True)
    for text in ("", '{"write": {"/a": {"pid"', "[]"):
        busy.write_text(text)
        mend()
        assert not busy.exists()
    busy.write_text("{}")
    Path("dvc.lock").write_text(LOCK)
    mend()
    assert busy.exists() and Path("dvc.lock").read_text() == LOCK and not capsys.readouterr().out
    Path("dvc.lock").write_text(LOCK[:-20])
    mend()
    assert Path("dvc.lock").read_text() == LOCK[:LOCK.index("  train@gone:")]
    assert capsys.readouterr().out.startswith("dvc.lock: its end was missing; DVC runs")
    Path("dvc.lock").write_text("schema: '2.0'\nstag")
    mend()
    assert not Path("dvc.lock").exists()


def test_what_another_dvc_is_writing_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    busy = Path(".dvc/tmp/rwlock")
    busy.parent.mkdir(parents=True)
    Path("dvc.lock").write_text(LOCK[:-20])
    busy.write_text("{")
    with make_lock(".dvc/tmp/lock"), make_lock(".dvc/tmp/rwlock.lock"):
        mend()
        assert Path("dvc.lock").read_text() == LOCK[:-20] and busy.read_text() == "{"
    mend()
    assert Path("dvc.lock").read_text() != LOCK[:-20] and not busy.exists()


# --- with DVC itself ---------------------------------------------------------------------------

DVC_YAML = """stages:
  data:
    foreach: ${data}
    do:
      cmd: mkdir -p data && echo ${key} > data/${key}.txt
      params: [data]
      outs: [{"data/${key}.txt": {cache: false}}]
  plan:
    cmd: %(python)s plan.py
    deps: [params.yaml, data]
    outs: [{plan: {cache: false, persist: true}}]
  train:
    foreach: ${experiments}
    do:
      cmd: mkdir -p runs && echo ${key} >> runs/${key}.txt
      deps: ["plan/${key}.json"]
      outs: [{"runs/${key}.txt": {cache: false, persist: true}}]
"""
PLAN = """
from pathlib import Path
from ruamel.yaml import YAML
from pipeline.plan.__main__ import tidy
from pipeline.plan.lock import LOCK, prune
from pipeline.tables.stored import write_text
params = YAML(typ="safe").load(Path("params.yaml").read_text())
for name, entry in params["experiments"].items():
    write_text(Path("plan") / f"{name}.json", str(entry))
for folder, suffix, kept in (("plan", "json", params["experiments"]), ("data", "txt", params["data"])):
    for path in Path(folder).glob(f"*.{suffix}"):
        if path.stem not in kept:
            path.unlink()
if LOCK.exists():
    write_text(LOCK, prune(LOCK.read_text(), {"data": params["data"], "train": params["experiments"]}))
"""


def test_dvc_keeps_a_lock_that_a_stage_pruned_while_it_ran(tmp_path):
    dvc = shutil.which("dvc") or str(Path(sys.executable).with_name("dvc"))

    def run(*command):
        done = subprocess.run([dvc, *command], cwd=tmp_path, text=True, capture_output=True, env=os.environ | {
            "PYTHONPATH": str(Path(pipeline.__file__).parents[1]), "DVC_NO_ANALYTICS": "1"})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    (tmp_path / "dvc.yaml").write_text(DVC_YAML % {"python": sys.executable})
    (tmp_path / "plan.py").write_text(PLAN)
    params = "data: {new: 1, old: 2}\nexperiments: {cnn: {a: 1}, mlp: {a: 2}, gone: {a: 3}}\n"
    (tmp_path / "params.yaml").write_text(params)
    run("init", "--quiet", "--no-scm")
    run("repro")
    lock = tmp_path / "dvc.lock"
    names = set(YAML(typ="safe").load(lock.read_text())["stages"])
    assert names == {"data@new", "data@old", "plan", "train@cnn", "train@mlp", "train@gone"}
    kept = lock.read_text().partition("  train@cnn:")[2].partition("  train@")[0]

    (tmp_path / "params.yaml").write_text(params.replace(", old: 2", "").replace(", gone: {a: 3}", "").replace(
        "mlp: {a: 2}", "mlp: {a: 9}"))
    run("repro")
    # A stage ran after the pruning, and DVC wrote the lock again: what was pruned stays away.
    assert (tmp_path / "runs/mlp.txt").read_text() == "mlp\nmlp\n"
    assert (tmp_path / "runs/cnn.txt").read_text() == "cnn\n"
    names = set(YAML(typ="safe").load(lock.read_text())["stages"])
    assert names == {"data@new", "plan", "train@cnn", "train@mlp"}
    assert kept and kept in lock.read_text()
    assert "up to date" in run("status")
