"""What came of disturbed runs is told by kind, what failed by itself, and that there is no outcome."""

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.book.pages.interruptions import write
from pipeline.book.study import read
from pipeline.tables.stored import Damaged, write_tables
from pipeline.tables.schemas import STORED

ROW = {"round": 1, "kind": "full disk", "moment": 3.2, "stage": "plan", "message": "error: a.csv: `no` room", "clear": True,
       "whole": True, "went_on": True, "equal": True}
ROWS = pd.DataFrame([ROW, ROW | {"stage": "", "equal": False}, ROW | {"kind": "kill of DVC", "stage": "data"}])
ABOUT = {"processor": "A processor", "system": "linux", "python": "3.11.1", "versions": {"dvc": "3.0"}, "seed": 7,
         "files": 90, "left_out": ["read-only results"],
         "without": ["mechanics", "probe"]}


def text(study, rows=ROWS, about=ABOUT):
    changed = replace(study, tables={**study.tables, "disturbances": rows}, torture=about)
    return write(changed)["generated/interruptions.md"]


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def test_every_kind_is_a_row_with_its_counts(study):
    rows = {cells(line)[0]: cells(line)[1:] for line in text(study).splitlines() if line.startswith("|")}
    assert rows["full disk"] == ["2", "2", "2", "2", "1", "`plan`, the start"]
    assert rows["kill of DVC"] == ["1", "1", "1", "1", "1", "`data`"]
    assert rows["**all**"][:5] == ["3", "3", "3", "3", "2"]


def test_what_was_not_survived_is_named_and_where_it_was_is_told(study):
    found = text(study)
    assert found.count("Not so:") == 1
    assert "Not so: full disk during the start: same bytes: ``error: a.csv: `no` room``." in found
    assert "SEED=7" in found and "90 files" in found and "cannot: read-only results" in found
    assert "Not so" not in text(study, ROWS.assign(equal=True))


def test_without_an_outcome_that_is_said(study):
    for rows, about in ((ROWS[:0], ABOUT), (ROWS, {})):
        assert text(study, rows, about) == "No outcome is stored yet.\n"


def test_an_outcome_is_read_and_a_table_that_is_none_is_refused(project):
    path = project / STORED["disturbances"].path()
    write_tables(path.parent, {path.name: ROWS}, {"about.json": '{"seed": 7}'})
    found = read(project)
    assert found.torture == {"seed": 7} and found.disturbances["kind"].tolist() == ROWS["kind"].tolist()
    path.write_text('"')
    with pytest.raises(Damaged, match="disturbances.csv: it is no table"):
        read(project)
