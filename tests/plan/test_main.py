"""The command `python -m pipeline.plan`: one message for a mistake, and nothing left behind."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline
from pipeline.data import sources
from pipeline.plan.__main__ import main, write
from pipeline.config.schema import load
from tests.locked import lock

ROOT = Path(pipeline.__file__).parents[1]
PARAMS = """\
data:
  table: {group: tables, source: tabular, seeds: 2, arguments: {train: 64, validation: 32, test: 32}}
layers:
  dense: {Dense: {units: 2}}
experiments:
  mlp: {data: tables, layers: [dense]}
  wide: {of: mlp, set: {dense.units: 3}}
  same: {of: mlp, versus: null}
train: {epochs: 1, batch_size: 8, optimizer: Adam, learning_rates: [0.01]}
probe: {experiments: [wide]}
"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A small project with its data and plans, and what making the plans printed."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as printed:
        patch.chdir(folder)
        patch.setattr("sys.argv", ["plan"])
        Path("params.yaml").write_text(PARAMS)
        Path("book").mkdir()
        Path("book/readings.yaml").write_text("[]\n")
        shutil.copy(ROOT / "requirements.txt", folder)
        params = load()
        for name, entry in params.data.items():
            sources.write(sources.make(entry.source, params.seeds(name), **entry.arguments),
                          Path(f"data/{name}.npz"))
        assert main() == 0
    return folder, printed.getvalue()


@pytest.fixture
def project(planned, tmp_path, monkeypatch):
    """A copy of that project, to work in."""
    shutil.copytree(planned[0], tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["plan"])
    monkeypatch.delenv("RETRAIN", raising=False)
    return tmp_path


def content(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}


def edit(path, old, new):
    text = Path(path).read_text()
    assert text.count(old) == 1
    Path(path).write_text(text.replace(old, new))


def test_plans_are_written_and_made_once(planned, project, capsys):
    # `same` needs no run of its own.
    assert planned[1].splitlines() == [
        "checking the networks of mlp", "checking the networks of wide",
        f"to train: 2 experiments, 4 new runs, about 1 minute ({os.cpu_count()} cores); Ctrl-C keeps what is done"]
    assert set(content("plan")) == {"mlp.json", "wide.json", "same.json"}
    before = content("plan")
    assert main() == 0
    assert content("plan") == before and capsys.readouterr().out.startswith("to train: 2 experiments, 4 new runs")


def test_an_edit_of_params_is_followed_and_an_edit_of_a_plan_is_refused(project, capsys):
    edit("params.yaml", "dense.units: 3", "dense.units: 4")
    assert main() == 0
    assert json.loads(Path("plan/wide.json").read_text())["arms"][0]["network"]["layers"][0]["arguments"] == {
        "units": 4}
    lock(plan=(["params.yaml"], ["plan"]))
    before, params = content("plan"), Path("params.yaml").read_text()
    Path("plan/mlp.json").write_text(Path("plan/mlp.json").read_text().replace('"units": 2', '"units": 9'))
    capsys.readouterr()
    for arguments in (["plan"], ["plan", "--check"], ["plan", "--tidy"]):
        sys.argv[:] = arguments
        assert main() == 1
        error = capsys.readouterr().err
        assert error.startswith("error: plan: its content is not what was stored (dvc.lock)") and "git checkout" in error
        assert error.count("\n") == 1
    assert content("plan") == before | {"mlp.json": Path("plan/mlp.json").read_bytes()}
    assert Path("params.yaml").read_text() == params
    sys.argv[:] = ["plan"]
    edit("params.yaml", "dense.units: 4", "dense.units: 5")
    assert main() == 0 and content("plan")["mlp.json"] == before["mlp.json"]


def test_the_stage_removes_its_own_plans_and_touches_nothing_else(project):
    for path in ("results/runs/same/runs.csv", "results/probe/mlp/measures.csv", "timings/same.json", "data/gone.npz"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text("a\n")
    lock(plan=(["params.yaml"], ["plan"]), train_at_same=([], ["results/runs/same"]))
    edit("params.yaml", "  same: {of: mlp, versus: null}\n", "")
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert main() == 0
    after = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert before.keys() - after.keys() == {Path("plan/same.json")}
    assert all(path.parent == Path("plan") for path, content in after.items() if before.get(path) != content)


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("units: 3", "units: .nan", "params.yaml, line 7: experiments.wide.set: dense.units: found .nan"),
    ("layers: [dense]", "layers: [dense, 3]", "params.yaml, line 6: experiments.mlp.layers[1]: found 3"),
    ("units: 3", "unit: 3", "params.yaml, line 7: experiments.wide.set: layer 'Dense' has no argument 'unit'"),
    ("layers: [dense]", "layers: [dense, rellu]",
     "params.yaml, line 6: experiments.mlp.layers[1]: unknown word or layer 'rellu'"),
    ("layers: [dense]", "layers: [dense, LSTM: {units: 2}]", "params.yaml, line 6: experiments.mlp.layers[1]: Keras cannot"),
    ("arguments: {train: 64", "arguments: {trian: 64", "params.yaml, line 2: data.table"),
])
def test_a_mistake_changes_no_file(project, capsys, old, new, expected):
    lock(plan=([], ["plan"]), train_at_gone=([], ["results/runs/gone"]))
    before = content("plan") | content(".")
    edit("params.yaml", old, new)
    capsys.readouterr()
    assert main() == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {expected}") and error.count("\n") == 1
    assert content("plan") | content(".") == before | {"params.yaml": Path("params.yaml").read_bytes()}


def test_a_kill_between_two_plans_leaves_the_old_ones(project, monkeypatch):
    def killed(path, text):
        raise KeyboardInterrupt

    before = content("plan")
    monkeypatch.setattr("pipeline.plan.__main__.write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        write({"mlp": "{}\n", "wide": "[]\n"})
    assert content("plan") == before


def test_putting_in_order_loads_no_tensorflow(project):
    code = ("import sys; sys.argv = ['plan', '--tidy']; from pipeline.plan.__main__ import main; "
            "assert main() == 0; assert not {'tensorflow', 'keras'} & set(sys.modules)")
    before = content(".") | content("plan")
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert content(".") | content("plan") == before


def test_checking_writes_nothing(project):
    Path("mine.csv").write_text("a,b,y\n" + "".join(f"{i % 7},{i},{i % 2}\n" for i in range(120)))
    edit("params.yaml", "layers:\n  dense", "  mine: {group: tables, file: mine.csv, target: y, seeds: 2}\n"
         "layers:\n  dense")
    Path("data/mine.npz").write_bytes(b"another file's")
    Path(".dvc/tmp").mkdir(parents=True)
    Path(".dvc/tmp/rwlock").write_text("{")
    lock(plan=([], ["plan"]), train_at_gone=([], ["results/runs/gone"]))
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    sys.argv[:] = ["plan", "--check"]
    assert main() == 0
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(("change", "said"), [
    (lambda text: text[:-20], "it is not whole; `make book` mends"), (lambda text: text + ">>>>>>> main\n", "line 10: found >>>>>>>")])
def test_a_lock_that_is_not_whole_is_told_in_one_line(project, capsys, change, said):
    lock(plan=([], ["plan"]))
    text = change(Path("dvc.lock").read_text())
    Path("dvc.lock").unlink()
    Path("dvc.lock").write_text(text)
    for arguments in (["plan", "--check"], ["plan"]):
        sys.argv[:] = arguments
        assert main() == 1
        error = capsys.readouterr().err
        assert error.startswith(f"error: dvc.lock: {said}") and error.count("\n") == 1
    assert Path("dvc.lock").read_text() == text


def everything():
    return {path: path.read_bytes() for path in Path(".").rglob("*") if path.is_file()}


@pytest.mark.parametrize("data", [True, False])
def test_a_check_builds_what_is_new_says_so_and_writes_nothing(project, capsys, data):
    edit("params.yaml", "dense.units: 3", "dense.units: 4")
    if not data:
        shutil.rmtree("data")
    before = everything()
    sys.argv[:] = ["plan", "--check"]
    assert main() == 0
    assert capsys.readouterr().out.splitlines() == [
        "checking the networks of wide",
        "OK: params.yaml and book/readings.yaml: 1 data sets, 3 experiments, the claims on them; the networks of wide can be "
        "trained"]
    sys.argv[:] = ["plan", "--dry"]
    assert main() == 0
    assert capsys.readouterr().out.splitlines()[2].startswith("to train: 2 experiments, 4 new runs, about 1 minute")
    assert everything() == before


def test_all_mistakes_are_told_at_once_each_on_its_line_but_not_what_follows_from_them(project, capsys):
    Path("book/readings.yaml").write_text("- {slug: one, rows: [A1], who: Q, says: x, topic: y, checks: [z], sure: 1}\n")
    Path("dvc.lock").write_text("<<<<<<< ours\n")
    edit("params.yaml", "  dense: {Dense: {units: 2}}\n", "  dense: {Dense: {units: 2}}\n  bad: {Dens: {units: 2}}\n")
    edit("params.yaml", "train: {epochs", """\
  a: {of: mlp, epoch: 3}
  b: {of: a, set: {dense.units: 5}}
  c: {of: mlp, after: {dense: LSTM}}
  d: {of: c, epochs: 3}
  e: {of: mlp, after: {dense: bad}}
  f: {of: mlp, after: {dense: [rellu, Embed]}}
  g: {of: mlp, title: nothing else}
train: {epochs""")
    before = everything()
    for option in ("--check", "--dry"):
        sys.argv[:] = ["plan", option]
        assert main() == 1
        out, err = capsys.readouterr()
        assert "OK" not in out and everything() == before
        assert [line.split(": ")[1:3] for line in err.splitlines()] == [
            ["dvc.lock", "line 1"],
            ["params.yaml, line 5", "layers.bad"], ["params.yaml, line 10", "experiments.a"],
            ["params.yaml, line 12", "experiments.c.after.dense"], ["params.yaml, line 15", "experiments.f.after.dense"],
            ["params.yaml, line 15", "experiments.f.after.dense"], ["params.yaml, line 16", "experiments.g"],
            ["book/readings.yaml, line 1", "one"]]
    assert "its networks are those of its control 'mlp', and trained alike" in err


def test_a_plan_that_takes_long_is_asked_for_and_no_changes_nothing(project, monkeypatch, capsys):
    monkeypatch.setattr("pipeline.plan.announce.LONG", 1)
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    edit("params.yaml", "dense.units: 3", "dense.units: 4")
    before = everything()
    monkeypatch.setattr("builtins.input", lambda text: "")
    assert main() == 1 and everything() == before
    assert "nothing was trained, and nothing was changed" in capsys.readouterr().err
    monkeypatch.setenv("ANNOUNCED", "1")
    assert main() == 0 and everything() != before
    assert "to train" not in capsys.readouterr().out


def test_the_command_reports_mistakes_and_keeps_what_is_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["plan", "--check"])
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "old.json").write_text("{}")
    (tmp_path / "params.yaml").write_text("experiments: {}\n")
    assert main() == 1
    assert "error: params.yaml, line 1: experiments: found {}; allowed: at least 1 entry" in capsys.readouterr().err
    assert (tmp_path / "plan" / "old.json").exists()


def test_the_list_that_dvc_reads_must_be_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["plan", "--check"])
    (tmp_path / "params.yaml").write_text(PARAMS.partition("\nprobe:")[0] + "\n")
    shutil.copy(ROOT / "requirements.txt", tmp_path)
    assert main() == 1
    assert "params.yaml: probe.experiments: missing; allowed: a list" in capsys.readouterr().err
