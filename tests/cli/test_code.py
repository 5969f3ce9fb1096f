"""`make code`: the code of an experiment that is trained or not, and what is said of one that there is not."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import pipeline
from pipeline.book.keras_code import keras_code
from pipeline.cli import code
from pipeline.config.schema import load
from pipeline.tables.schemas import FOUND
from pipeline.tables.stored import read_table

ROOT = Path(pipeline.__file__).parents[1]
PARAMS = """\
data:
  table: {group: tables, source: tabular, seeds: 7, arguments: {train: 64, validation: 32, test: 64}}
  other: {of: table, arguments: {noise: 0.2}}
layers:
  dense: {Dense: {units: 2}}
experiments:
  mlp: {data: tables, layers: [dense, {residual: [LayerNormalization, {Dense: {units: 3}}]}]}
  swept: {of: mlp, vary: {dense.units: [3, 4]}}
train: {epochs: 3, batch_size: 8, optimizer: Adam, learning_rates: [0.01, 0.1]}
probe: {experiments: []}
verdicts: {controls: [mlp]}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipeline.plan.check._step", lambda *given: None)  # What others test.
    monkeypatch.setattr("sys.argv", ["code"])
    Path("params.yaml").write_text(PARAMS)
    shutil.copy(ROOT / "requirements.txt", ".")


def asked(monkeypatch, **given):
    for name in ("EXPERIMENT", "DATA", "FORM"):
        monkeypatch.setenv(name, given.get(name, ""))
    return code.main()


def test_the_code_of_an_experiment_that_is_not_trained(project, monkeypatch, capsys):
    assert asked(monkeypatch, EXPERIMENT="mlp") == 0
    out = capsys.readouterr().out
    assert out.startswith("# mlp on table\n") and "residual_1 = layers.Dense(3, use_bias=False)(residual_1)\n" in out
    assert "# no run is stored: the first of 0.01, 0.1\noptimizer = keras.optimizers.Adam(learning_rate=0.01)" in out


def test_a_variant_on_a_data_set_has_the_rate_that_is_stored(project, monkeypatch, capsys):
    row = {"experiment": "swept", "variant": "dense.units=4", "data": "other", "rate": 0.1}
    FOUND["edges"].path().parent.mkdir(parents=True)
    pd.DataFrame([row], columns=list(FOUND["edges"].columns)).to_csv(FOUND["edges"].path(), index=False)
    assert asked(monkeypatch, EXPERIMENT="swept[dense.units=4]", DATA="other") == 0
    out = capsys.readouterr().out
    assert out.startswith("# swept[dense.units=4] on other\n") and "layers.Dense(4)(inputs)" in out
    assert "Adam(learning_rate=0.1)" in out


@pytest.mark.parametrize(("given", "expected"), [
    ({}, "EXPERIMENT: missing"),
    ({"EXPERIMENT": "mlpp"}, "EXPERIMENT: there is no experiment 'mlpp'; did you mean 'mlp'?"),
    ({"EXPERIMENT": "swept[dense.units=5]"}, "EXPERIMENT: a variant of 'swept': found 'dense.units=5'; allowed: dense.units=3, "),
    ({"EXPERIMENT": "mlp", "DATA": "tabel"}, "DATA: found 'tabel'; allowed: table, other; did you mean 'table'?"),
    ({"EXPERIMENT": "mlp", "FORM": "Functional"}, "FORM: found 'Functional'; allowed: functional; did you mean 'functional'?")])
def test_what_there_is_not_is_said_with_the_nearest_word(project, monkeypatch, capsys, given, expected):
    assert asked(monkeypatch, **given) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"error: {expected}") and not said.out


def test_the_book_shows_the_same_code():
    plan, runs = json.loads(Path("plan/squeeze_excite.json").read_text()), Path("results/runs/squeeze_excite")
    shown = keras_code(plan | {"arms": plan["arms"][:1]}, read_table(runs / "layers.csv"), read_table(FOUND["edges"].path()))
    assert code.code("squeeze_excite", load()) == shown
