"""A project in which files are asked about."""

import contextlib
from pathlib import Path

import pytest

from pipeline.cli.ask import __main__ as ask, budget

PARAMS = """\
# A study, written by hand:  with   spaces of its own.
data:
  waves: {group: sequences, source: noise, seeds: 3}   # a remark
  table:
    {group: tables, source: tabular, seeds: 3, train: {batch_size: 4, optimizer: {SGD: {momentum: 0.9}}}}

# The words
layers: {lstm: {LSTM: {units: 2}}, dense: {Dense: {units: 2}}, relu: {Activation: 'relu'}}
experiments:
  plain: {data: sequences, layers: [relu, lstm]}
  after: {of: plain, after: {lstm: relu}}
  other: {of: plain, before: {lstm: relu}}
  mlp:   {data: tables, layers: [dense]}
  mlp_relu: {of: mlp, after: {dense: relu}}
train: {epochs: 1, batch_size: 8, optimizer: Adam, learning_rates: [0.01, 0.03]}
ask: {sequences: [after], tables: [mlp_relu]}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("params.yaml").write_text(PARAMS)
    return folder


@pytest.fixture
def asked(monkeypatch, capsys):
    """Runs the command: what it prints, its errors, and its exit code. Nothing is timed: all is said to take two minutes."""
    monkeypatch.setattr(budget, "fitted", lambda *_: 120.0)

    def run(file, *arguments, reproduce=lambda: 0):
        monkeypatch.setattr("sys.argv", ["ask", str(file), *map(str, arguments)])
        code = None
        with contextlib.suppress(SystemExit):
            code = ask.main(reproduce)
        return *capsys.readouterr(), code

    return run
