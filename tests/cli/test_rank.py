"""The terminal's ranking of own data: short lines, said once, and a mistake with its nearest word."""

import json

import pytest

from pipeline.cli import rank as ranking
from pipeline.cli.answer import WIDTH
from tests.book.test_ranked import FINDINGS, SETS

PARAMS = """\
data:
  waves: {group: sequences, source: noise, seeds: 3}
  mine: {group: sequences, own: true, file: mine.csv, target: y, window: 4, seeds: 2}
layers: {lstm: {LSTM: {units: 2}}}
experiments: {plain: {data: sequences, layers: [lstm]}}
train: {epochs: 1, batch_size: 8, optimizer: Adam, learning_rates: [0.01]}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(PARAMS)
    return tmp_path


def store(**tables):
    for name, table in tables.items():
        path = getattr(ranking, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(path, index=False, na_rep="NaN")


def said(capsys, monkeypatch, *names):
    monkeypatch.setattr("sys.argv", ["ranking", *names])
    code = ranking.main()
    found = capsys.readouterr()
    assert (code == 0) == (found.err == "")
    return found.out or found.err


def test_it_says_the_ranking_once_and_again_if_asked_or_if_it_changed(project, capsys, monkeypatch):
    assert "no result is stored yet" in said(capsys, monkeypatch)
    store(SETS=SETS, FINDINGS=FINDINGS)
    text = said(capsys, monkeypatch)
    lines = text.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert "  1  best   0.4     −20\u00a0% (−24 to −16\u00a0%)" in lines
    assert text.index(" best ") < text.index(" good ") < text.index(" worse ")
    assert "better; in the study –: take it" in text and "build/html/own/mine.html" in text
    assert said(capsys, monkeypatch) == ""
    assert said(capsys, monkeypatch, "mine") == text
    store(SETS=SETS.iloc[:3])
    assert "too few" not in said(capsys, monkeypatch).lower()


def test_of_a_set_that_is_gone_nothing_is_kept(project, capsys, monkeypatch):
    said(capsys, monkeypatch)
    (project / "params.yaml").write_text("".join(line for line in PARAMS.splitlines(keepends=True) if "mine" not in line))
    assert said(capsys, monkeypatch) == ""
    assert json.loads((ranking.STORE / ranking.SAID).read_text()) == {}


def test_a_mistake_is_named(project, capsys, monkeypatch):
    assert said(capsys, monkeypatch, "mime") == (
        "error: params.yaml, line 1: data: there is no own data set 'mime'; allowed: mine; did you mean 'mine'?\n")
