"""DVC as its users expect it: it writes a value that is set, sees a changed file, and takes no changed result for a stored one."""

import difflib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update

import pipeline
from pipeline.config.data_files import FileSource
from pipeline.config.read_yaml import read_yaml
from pipeline.config.schema import load

PARAMS = Path("params.yaml")


def test_params_stand_as_dvc_would_write_them():
    text = PARAMS.read_text()
    assert dumps_yaml(parse_yaml_for_update(text, PARAMS)) == text


@pytest.mark.parametrize(("setting", "line"), [
    ("train.epochs=150", "  epochs: 150 "), ("train.optimizer=SGD", "  optimizer: SGD"),
    ("verdicts.margin=0.05", "  margin: 0.05"), ("probe.seeds=12", "  seeds: 12"),
    ("layers.lstm.LSTM.units=30", "  lstm: {LSTM: {units: 30}}"),
    ("experiments.bn_after_tanh.after.tanh=ln", "  bn_after_tanh: {of: cnn_lstm_tanh, after: {tanh: ln}}"),
    ("experiments.bn_before_relu.before.relu=ln", "    before: {relu: ln}"),
    ("data.household_power.split.train=320", "    split: {train: 320, validation: 213, test: 1000}")])
def test_set_param_changes_one_line_of_params(tmp_path, setting, line):
    """As `dvc exp run --set-param` does it."""
    copy = tmp_path / PARAMS.name
    shutil.copy(PARAMS, copy)
    apply_overrides(copy, [setting])
    changes = [one for one in difflib.ndiff(PARAMS.read_text().splitlines(), copy.read_text().splitlines())
               if one[0] in "-+"]
    removed, added = changes
    assert removed.startswith("- ") and added.startswith(f"+ {line}")


def test_every_file_of_the_study_is_one_that_its_data_depend_on():
    deps = read_yaml(Path("dvc.yaml"))["stages"]["data"]["deps"]
    files = [Path(entry.file) for entry in load().data.values() if isinstance(entry, FileSource) and not entry.own]
    assert len(files) > 20
    assert all(file.exists() and any(file.is_relative_to(dep) for dep in deps) for file in files)


DVC_YAML = """stages:
  plan:
    cmd: python stage.py plan plan/one.json
    deps: [params.txt]
    outs: [{plan: {cache: false, persist: true}}]
  train:
    foreach: [one]
    do:
      cmd: python stage.py results/runs/${item} runs.csv
      deps: ["plan/${item}.json"]
      outs: [{"results/runs/${item}": {cache: false, persist: true}}]
  verdicts:
    cmd: python stage.py results/verdicts verdicts.csv results/runs/one/runs.csv
    deps: [results/runs]
    outs: [{results/verdicts: {cache: false, persist: true}}]
"""
#: Writes as stages do, of params.txt or of a table; and says that it ran.
STAGE = """
import sys
from pathlib import Path
import pandas as pd
from pipeline.config.errors import complain
from pipeline.tables.stored import read_table, replace_folder, write_table, write_text

folder, name, *read = sys.argv[1:]
try:
    with replace_folder(Path(folder)) as new:
        number = read_table(Path(read[0]))["number"][0] if read else int(Path("params.txt").read_text())
        write_table(pd.DataFrame({"number": [number]}), new / Path(name).name)
except ValueError as error:
    sys.exit(complain(error))
write_text(Path("ran") / Path(folder).name, "")
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A study of three stages that DVC ran, and DVC to run it again."""
    monkeypatch.chdir(tmp_path)
    for name, content in (("dvc.yaml", DVC_YAML), ("stage.py", STAGE), ("params.txt", "1\n"), (".dvcignore", "__pycache__\n")):
        Path(name).write_text(content)

    def dvc(*command):
        shutil.rmtree("ran", ignore_errors=True)
        done = subprocess.run([shutil.which("dvc") or Path(sys.executable).with_name("dvc"), *command], text=True,
                              capture_output=True, env=os.environ | {
                                  "PYTHONPATH": str(Path(pipeline.__file__).parents[1]), "DVC_NO_ANALYTICS": "1",
                                  "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
        return done.returncode, done.stderr, sorted(path.name for path in Path("ran").glob("*"))

    assert dvc("init", "--quiet", "--no-scm")[0] == 0
    assert dvc("repro", "--quiet") == (0, "", ["one", "plan", "verdicts"])
    return dvc


def tables():
    return {path: path.read_text() for path in Path("results").rglob("*.csv")}


def test_a_changed_result_comes_into_no_lock_however_dvc_is_called(project):
    lock, table = Path("dvc.lock").read_bytes(), Path("results/runs/one/runs.csv")
    for changed, told, commands in (
            (table, "results/runs/one", (["repro"], ["repro", "verdicts"], ["repro", "--single-item", "verdicts"],
                                         ["repro", "--force", "verdicts"])),
            (Path("results/verdicts/verdicts.csv"), "results/verdicts", (["repro"], ["repro", "--single-item", "verdicts"]))):
        before = changed.read_text()
        changed.write_text("number\n7\n")
        for command in commands:
            code, error, ran = project(*command, "--quiet")
            assert code and f"error: {told}: its content is not what was stored (dvc.lock)" in error
            assert not {"one", "verdicts"} & {*ran} or told == "results/verdicts"
            assert Path("dvc.lock").read_bytes() == lock and changed.read_text() == "number\n7\n"
        changed.write_text(before)
    assert project("repro", "--quiet") == (0, "", [])


def test_a_removed_result_and_one_that_a_killed_dvc_did_not_note_are_made_without_complaint(project):
    lock, before = Path("dvc.lock").read_bytes(), tables()
    shutil.rmtree("results/runs/one")
    assert project("repro", "--quiet") == (0, "", ["one"]) and tables() == before
    # Stages ended, and DVC was killed before it wrote its lock.
    Path("params.txt").write_text("2\n")
    assert project("repro", "--quiet") == (0, "", ["one", "plan", "verdicts"])
    after = tables()
    Path("dvc.lock").unlink()
    Path("dvc.lock").write_bytes(lock)
    assert project("repro", "--quiet")[:2] == (0, "") and tables() == after and after != before
