"""`make try`: stages in their order, what is asked first; and a quick look, which leaves nothing but runs."""

import contextlib
import json
import os
import shutil
from pathlib import Path

import pytest

import pipeline
from pipeline.cli import trial
from pipeline.config.schema import load
from pipeline.data.__main__ import make_missing
from pipeline.plan.announce import missing
from pipeline.plan.study import Facts, resolved, text
from pipeline.tables.store import Store
from tests.train.toy import InTurn

ROOT = Path(pipeline.__file__).parents[1]
PARAMS = """\
data:
  table: {group: tables, source: tabular, seeds: 7, arguments: {train: 64, validation: 32, test: 64}}
  other: {of: table, arguments: {noise: 0.2}}
layers:
  dense: {Dense: {units: 2}}
experiments:
  wide: {of: mlp, set: {dense.units: 3}}
  mlp: {data: tables, layers: [dense]}
  swept: {of: mlp, data: other, vary: {dense.units: [3, 4]}}
  same: {of: mlp}
train: {epochs: 3, batch_size: 8, optimizer: Adam, learning_rates: [0.01, 0.1]}
probe: {experiments: []}
verdicts: {controls: [mlp]}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS)
    shutil.copy(ROOT / "requirements.txt", ".")


@pytest.fixture
def stages(monkeypatch):
    """The stages that DVC is asked for; `data` is run, and what others give is 0."""
    asked = []

    def reproduce(*names, only=False):
        asked.append((names, only))
        make_missing(load())
        return 0

    monkeypatch.setattr(trial, "reproduce", reproduce)
    # Processes, and the step that a network of a plan takes, are what others test.
    monkeypatch.setattr("pipeline.plan.check._step", lambda *given: None)
    monkeypatch.setattr(trial, "executor", lambda: contextlib.nullcontext(InTurn()))
    return asked


def tried(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["trial", *arguments])
    return trial.main()


def test_a_quick_look_trains_few_seeds_on_one_data_set_and_leaves_nothing_but_runs(project, stages, monkeypatch, capsys):
    assert tried(monkeypatch, "wide", "--quick") == 0
    out = capsys.readouterr().out
    assert stages == [(("data",), True)]
    assert "5 seeds on table alone" in out and "no average and no verdict" in out and "table: on table:" in out
    assert "`make try EXPERIMENT=wide` trains every seed on every data set" in out
    with contextlib.closing(Store()) as store:
        # Two networks, five seeds, two rates; no repetition that measures the rule.
        assert store.count() == 2 * 5 * 2
    assert not [path for path in ("results", "plan", "timings", "dvc.lock") if Path(path).exists()]
    # A whole training finds them: two more seeds, and the other data set.
    plans, _ = resolved(load(), Facts(load()), [])
    new = missing({"wide": text(plans["wide"])})
    assert sum(one.runs for one in new) == 2 * 2 + 7 * 2


def test_a_quick_look_at_a_sweep_names_its_variants(project, stages, monkeypatch, capsys):
    assert tried(monkeypatch, "swept", "--quick") == 0
    out = capsys.readouterr().out
    assert "5 seeds on other alone" in out and "dense.units=3:" in out and "dense.units=4:" in out


@pytest.mark.parametrize(("name", "expected"), [
    ("wid", "EXPERIMENT: there is no experiment 'wid'; did you mean 'wide'?"),
    ("mlp", "params.yaml, line 8: experiments.mlp: it is compared with nothing"),
    ("same", "params.yaml, line 10: experiments.same: its networks are those of its control 'mlp'")])
def test_what_cannot_be_tried_is_said_and_nothing_trained(project, stages, monkeypatch, capsys, name, expected):
    assert tried(monkeypatch, name, "--quick") == 1
    assert capsys.readouterr().err.startswith(f"error: {expected}")
    assert not (Path(".runs") / "runs.sqlite").exists()


def test_a_whole_trial_asks_before_it_trains_and_trains_the_control_first(project, stages, monkeypatch, capsys):
    Path("plan").mkdir()
    for name in ("mlp", "wide"):
        Path(f"plan/{name}.json").write_text(json.dumps({"name": name}))
    seen = []
    monkeypatch.setattr(trial.announce, "missing", lambda texts: seen.append(list(texts)) or ["new"])
    monkeypatch.setattr(trial.answer, "of", lambda name, params: f"answer of {name}")
    monkeypatch.setattr(trial.announce, "agreed", lambda new: False)
    assert tried(monkeypatch, "wide") == 1 and stages == [(("data", "plan"), True)]
    assert "nothing was trained" in capsys.readouterr().err
    monkeypatch.setattr(trial.announce, "agreed", lambda new: True)
    assert tried(monkeypatch, "wide") == 0
    assert stages[1:] == [(("data", "plan"), True), (("train@mlp", "train@wide"), True)]
    assert seen == [["mlp", "wide"]] * 2 and "answer of wide" in capsys.readouterr().out


def test_the_exit_code_of_a_stage_that_fails_is_passed_on(project, monkeypatch):
    monkeypatch.setattr(trial, "reproduce", lambda *names, only=False: 255)
    assert tried(monkeypatch, "wide") == tried(monkeypatch, "wide", "--quick") == 255
    assert os.listdir() and not Path("results").exists()
