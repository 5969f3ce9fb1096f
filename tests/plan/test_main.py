"""The command `python -m pipeline.plan`: one message for a mistake, and nothing left behind."""

import contextlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline
from pipeline.data import sources
from pipeline.data.__main__ import arrays_of
from pipeline.plan.__main__ import PLAN, _read, main, remember, tidy, write
from pipeline.tables.stored import SUMS, seal
from pipeline.config.schema import load

ROOT = Path(pipeline.__file__).parents[1]
PARAMS = """\
data:
  table: {group: tables, source: tabular, seeds: 2, arguments: {train: 64, validation: 32, test: 32}}
layers:
  dense: {Dense: {units: 2}}
experiments:
  mlp: {data: tables, layers: [dense]}
  wide: {of: mlp, set: {dense.units: 3}}
  same: {of: mlp}
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
        Path("book/claims.yaml").write_text("[]\n")
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


def test_plans_are_written_and_sealed_and_made_once(planned, project, capsys):
    assert planned[1].splitlines() == ["checking the networks of mlp", "checking the networks of wide"]
    assert set(content("plan")) == {"mlp.json", "wide.json", "same.json", SUMS}
    done = subprocess.run(["sha256sum", "--check", "--strict", "--quiet", SUMS], cwd="plan")
    assert done.returncode == 0
    before = content("plan")
    assert main() == 0
    assert content("plan") == before and capsys.readouterr().out == ""


def test_an_edit_of_params_is_followed_and_an_edit_of_a_plan_is_refused(project, capsys):
    edit("params.yaml", "dense.units: 3", "dense.units: 4")
    assert main() == 0
    assert json.loads(Path("plan/wide.json").read_text())["arms"][0]["network"]["layers"][0]["arguments"] == {
        "units": 4}
    before, params = content("plan"), Path("params.yaml").read_text()
    Path("plan/mlp.json").write_text(Path("plan/mlp.json").read_text().replace('"units": 2', '"units": 9'))
    capsys.readouterr()
    for arguments in (["plan"], ["plan", "--check"]):
        sys.argv[:] = arguments
        assert main() == 1
        error = capsys.readouterr().err
        assert error.startswith("error: plan/mlp.json: ") and "git checkout" in error
        assert error.count("\n") == 1
    assert content("plan") == before | {"mlp.json": Path("plan/mlp.json").read_bytes()}
    assert Path("params.yaml").read_text() == params


def test_arrays_of_a_file_that_has_changed_are_made_again(project, capsys):
    rows = "".join(f"{i % 7},{i},{i % 2}\n" for i in range(120))
    Path("mine.csv").write_text("a,b,y\n" + rows)
    edit(Path("params.yaml"), "layers:\n  dense", "  mine: {group: tables, file: mine.csv, target: y, seeds: 2}\n"
         "layers:\n  dense")
    params = load()
    sources.write(arrays_of(params, "mine"), Path("data/mine.npz"))
    assert main() == 0
    plan = json.loads((PLAN / "mlp.json").read_text())
    assert set(plan["data"]) == {"table", "mine"}
    assert main() == 0 and Path("data/mine.npz").exists()
    Path("mine.csv").write_text("a,b,y\n" + rows.replace("3,", "4,"))
    capsys.readouterr()
    assert _read() and not Path("data/mine.npz").exists()
    assert capsys.readouterr().out == "mine.csv has changed: data/mine.npz is made again\n"


def test_what_was_taken_out_leaves_nothing_behind(project):
    for name in ("mlp", "wide", "same"):
        for folder in ("results/runs", "results/probe"):
            Path(folder, name).mkdir(parents=True)
        Path("timings").mkdir(exist_ok=True)
        Path(f"timings/{name}.json").write_text("{}")
    Path("dvc.lock").write_text("schema: '2.0'\nstages:\n" + "".join(
        f"  {name}:\n    cmd: x\n" for name in (
            "data", "plan", "train@mlp", "train@wide", "train@same", "probe@wide", "probe@mlp")))
    edit("params.yaml", "  same: {of: mlp}\n", "")
    assert main() == 0
    assert set(content("plan")) == {"mlp.json", "wide.json", SUMS}
    assert {path.name for path in Path("results/runs").iterdir()} == {"mlp", "wide"}
    assert {path.name for path in Path("results/probe").iterdir()} == {"wide"}
    assert set(content("timings")) == {"mlp.json", "wide.json"}
    assert Path("dvc.lock").read_text() == "schema: '2.0'\nstages:\n" + "".join(
        f"  {name}:\n    cmd: x\n" for name in ("data", "plan", "train@mlp", "train@wide", "probe@wide"))


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("units: 3", "units: .nan", "params.yaml: experiments.wide.set: dense.units: found .nan"),
    ("layers: [dense]", "layers: [dense, 3]", "params.yaml: experiments.mlp.layers[1]: found 3"),
    ("units: 3", "unit: 3", "params.yaml: experiments.wide.set: layer 'Dense' has no argument 'unit'"),
    ("layers: [dense]", "layers: [dense, rellu]",
     "params.yaml: experiments.mlp.layers[1]: unknown word or layer 'rellu'"),
    ("layers: [dense]", "layers: [dense, LSTM: {units: 2}]", "params.yaml: experiments.mlp.layers[1]: Keras cannot"),
    ("arguments: {train: 64", "arguments: {trian: 64", "params.yaml: data.table"),
])
def test_a_mistake_changes_no_file(project, capsys, old, new, expected):
    Path("dvc.lock").write_text("schema: '2.0'\nstages:\n  plan:\n    cmd: x\n  train@gone:\n    cmd: x\n")
    before = content("plan") | content(".")
    edit("params.yaml", old, new)
    capsys.readouterr()
    assert main() == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {expected}") and error.count("\n") == 1
    assert content("plan") | content(".") == before | {"params.yaml": Path("params.yaml").read_bytes()}


def test_a_kill_between_two_plans_leaves_plans_that_are_made_again(project, monkeypatch):
    def killed(path, text):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.plan.__main__.write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        write({"mlp": "{}\n", "wide": "[]\n"})
    monkeypatch.undo()
    monkeypatch.chdir(project)
    monkeypatch.setattr("sys.argv", ["plan"])
    assert not (PLAN / SUMS).exists()
    assert main() == 0
    assert json.loads(Path("plan/wide.json").read_text())["experiment"] == "wide"


def test_runs_of_what_is_removed_stay_in_the_store_unless_they_were_changed(project, monkeypatch):
    filled = []
    monkeypatch.setattr("pipeline.plan.__main__.Store", lambda: type("Store", (), {
        "fill": lambda self, folder: filled.append(folder.name)})())
    for name in ("mlp", "gone", "changed"):
        folder = Path("results/runs") / name
        folder.mkdir(parents=True)
        (folder / "runs.csv").write_text("a\n")
        seal(folder)
    Path("results/runs/changed/runs.csv").write_text("b\n")
    remember({"mlp"})
    assert filled == ["gone"]
    monkeypatch.setenv("RETRAIN", "1")
    remember(())
    assert filled == ["gone"]


def test_checking_writes_nothing_and_loads_no_tensorflow(project):
    code = ("import sys; sys.argv = ['plan', '--check']; from pipeline.plan.__main__ import main; "
            "assert main() == 0; assert not {'tensorflow', 'keras'} & set(sys.modules)")
    before = content(".") | content("plan")
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert content(".") | content("plan") == before


def test_the_command_reports_one_mistake_and_keeps_what_is_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["plan", "--check"])
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "old.json").write_text("{}")
    (tmp_path / "params.yaml").write_text("experiments: {}\n")
    assert main() == 1
    assert capsys.readouterr().err.startswith("error: params.yaml: ")
    assert (tmp_path / "plan" / "old.json").exists()


def test_the_list_that_dvc_reads_must_be_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["plan", "--check"])
    (tmp_path / "params.yaml").write_text(PARAMS.partition("\nprobe:")[0] + "\n")
    assert main() == 1
    assert "params.yaml: probe.experiments: missing; allowed: a list" in capsys.readouterr().err


def test_tidying_removes_what_is_not_kept(tmp_path):
    for name in ("cnn", "cnn_bn", "mlp"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "runs.csv").write_text("")
    (tmp_path / "note.txt").write_text("")
    tidy(tmp_path, {"cnn": {}, "other": {}})
    assert {path.name for path in tmp_path.iterdir()} == {"cnn", "note.txt"}
    assert (tmp_path / "cnn" / "runs.csv").exists()
    for name in ("cnn.json", "gone.json"):
        (tmp_path / name).write_text("{}")
    tidy(tmp_path, {"cnn", "other"})
    assert {path.name for path in tmp_path.iterdir()} == {"cnn", "cnn.json", "note.txt"}
    tidy(tmp_path / "absent", [])
