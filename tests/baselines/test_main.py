"""The table of baselines: a row a data set, and what did not change is not computed again."""

import numpy as np
import pandas as pd
import pytest

from pipeline.baselines import __main__ as stage
from pipeline.data.__main__ import make_missing
from pipeline.tables.stored import read_table, write_table
from pipeline.config.schema import load
from pipeline.tables.schemas import STORED
from tests.locked import lock

PARAMS = """\
data:
  table: {group: tables, source: tabular, seeds: 5, arguments: {train: 64, validation: 32, test: 32}}
  mine: {group: tables, own: true, file: mine.csv, target: y, seeds: 2, train: {scaling: none}}
layers: {dense: {Dense: {units: 2}}}
experiments: {mlp: {data: tables, layers: [dense]}}
train: {epochs: 1, batch_size: 8, optimizer: Adam, learning_rates: [0.01]}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(PARAMS)
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(120, 2)).round(3), columns=["a", "b"])
    frame.assign(y=(2 * frame["a"]).round(3)).to_csv("mine.csv", index=False)
    make_missing(load())
    return tmp_path


def test_rows_are_kept_while_their_data_are_and_go_with_them(project, capsys):
    assert stage.main() == 0
    assert capsys.readouterr().out == "baselines of table\nbaselines of mine\n"
    path = STORED["baselines"].path()
    before, first = read_table(path), path.read_bytes()
    assert list(before.columns) == list(STORED["baselines"].columns)
    assert before["data"].tolist() == ["table", "mine"] and before["seeds"].tolist() == [5, 2]  # as networks have
    assert before.loc[1, "linear"] < 0.05 < before.loc[1, "trivial"]  # y is a line in a
    assert stage.main() == 0
    assert capsys.readouterr().out == "" and path.read_bytes() == first
    (project / "mine.csv").write_text((project / "mine.csv").read_text() + "9,9,9\n")
    make_missing(load())
    assert stage.main() == 0
    assert capsys.readouterr().out == "baselines of mine\n"
    (project / "params.yaml").write_text("".join(line for line in PARAMS.splitlines(keepends=True) if "mine" not in line))
    assert stage.main() == 0
    assert capsys.readouterr().out == ""
    pd.testing.assert_frame_equal(read_table(path), before.iloc[:1])


def test_rows_are_not_taken_from_a_table_that_is_not_what_the_lock_says(project, capsys):
    assert stage.main() == 0
    path = STORED["baselines"].path()
    before = path.read_bytes()
    lock(baselines=(["params.yaml"], [path.parent]))
    table = read_table(path)
    write_table(table.assign(linear=0.5), path)
    capsys.readouterr()
    assert stage.main() == 1
    assert capsys.readouterr().err.startswith(f"error: {path.parent}: its content is not what was stored")
    (project / "params.yaml").write_text(PARAMS + "# another\n")
    assert stage.main() == 0
    assert capsys.readouterr().out == "baselines of table\nbaselines of mine\n" and path.read_bytes() == before


def test_a_data_set_without_arrays_is_named(project, capsys):
    (project / "data/mine.npz").unlink()
    assert stage.main() == 1
    assert "data/mine.npz" in capsys.readouterr().err
