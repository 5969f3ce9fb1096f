"""What was measured of the project itself is shown as it is stored, and that there is nothing."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from pipeline.book.pages.measured import write
from pipeline.book.study import read
from pipeline.tables.schemas import STORED
from pipeline.tables.stored import Damaged, write_tables

FOUND = {"processor": "A processor", "instructions": "avx2", "python": "3.11.1", "cores": 2,
         "settings": {"TRAIN_THREADS": "1"}, "versions": {"numpy": "1.0"}, "seed": 7, "stored_seeds": 400,
         "sampled_seeds": 50, "chance_of_one_in_a_hundred": 0.4141, "runs": 200, "identical": 199, "largest": 0.0123,
         "median": 0, "tests": [], "differing": ["one on digits, seed 3001, rate 0.01: best_loss"],
         "says": "not reproduced", "verdicts_changed": ["a_claim: supported → undecided"]}


def certified(study, **changes):
    return write(replace(study, certificates={"mine": FOUND | changes}))["generated/certificates.md"]


def test_a_certificate_is_a_row(study):
    row = next(line for line in certified(study).splitlines() if line.startswith("| mine"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "mine", "A processor (avx2)", "`TRAIN_THREADS=1`", "199 of 200 runs", "1.2\u00a0%, 0", "not reproduced",
        "a_claim: supported → undecided"]
    assert "50 of 400 seeds" in certified(study) and "with a chance of 41\u00a0%" in certified(study)
    assert ":::{dropdown} 1 run of mine" in certified(study) and "- one on digits, seed 3001, rate 0.01: best_loss" in certified(study)
    assert "| none |" in certified(study, verdicts_changed=[], differing=[])


def test_the_tests_of_other_bits_are_told(study):
    test = {"family": "images", "seeds": 12, "references": 90, "p_shift": 0.31, "p_excess": 0.92}
    found = certified(study, tests=[test])
    row = next(line for line in found.splitlines() if line.startswith("| images"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["images", "12", "0.31", "0.92", "90"]


def test_without_a_certificate_that_is_said(study):
    assert write(study)["generated/certificates.md"] == "No certificate is stored yet.\n"


def test_a_certificate_that_is_no_json_is_refused_by_name(project):
    folder = project / "results/certificates"
    folder.mkdir()
    (folder / "avx2.json").write_text(json.dumps(FOUND))
    assert read(project).certificates == {"avx2": FOUND}
    (folder / "avx2.json").write_text(json.dumps(FOUND)[:-1])
    with pytest.raises(Damaged, match="avx2.json: it is no JSON"):
        read(project)


ROW = {"round": 1, "kind": "full disk", "moment": 3.2, "stage": "plan", "message": "error: a.csv: `no` room", "clear": True,
       "whole": True, "went_on": True, "equal": True}
DISTURBED = pd.DataFrame([ROW, ROW | {"stage": "", "equal": False}, ROW | {"kind": "kill of DVC", "stage": "data"}])
TORTURE = {"processor": "A processor", "system": "linux", "python": "3.11.1", "versions": {"dvc": "3.0"}, "seed": 7,
         "files": 90, "left_out": ["read-only results"],
         "without": ["mechanics", "probe"]}


def disturbed(study, rows=DISTURBED, about=TORTURE):
    changed = replace(study, tables={**study.tables, "disturbances": rows}, torture=about)
    return write(changed)["generated/interruptions.md"]


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def test_every_kind_is_a_row_with_its_counts(study):
    rows = {cells(line)[0]: cells(line)[1:] for line in disturbed(study).splitlines() if line.startswith("|")}
    assert rows["full disk"] == ["2", "2", "2", "2", "1", "`plan`, the start"]
    assert rows["kill of DVC"] == ["1", "1", "1", "1", "1", "`data`"]
    assert rows["**all**"][:5] == ["3", "3", "3", "3", "2"]


def test_what_was_not_survived_is_named_and_where_it_was_is_told(study):
    found = disturbed(study)
    assert found.count("Not so:") == 1
    assert "Not so: full disk during the start: same bytes: ``error: a.csv: `no` room``." in found
    assert "SEED=7" in found and "90 files" in found and "cannot: read-only results" in found
    assert "Not so" not in disturbed(study, DISTURBED.assign(equal=True))


def test_without_an_outcome_that_is_said(study):
    for rows, about in ((DISTURBED[:0], TORTURE), (DISTURBED, {})):
        assert disturbed(study, rows, about) == "No outcome is stored yet.\n"


def test_an_outcome_is_read_and_a_table_that_is_none_is_refused(project):
    path = project / STORED["disturbances"].path()
    write_tables(path.parent, {path.name: DISTURBED}, {"about.json": '{"seed": 7}'})
    found = read(project)
    assert found.torture == {"seed": 7} and found.disturbances["kind"].tolist() == DISTURBED["kind"].tolist()
    path.write_text('"')
    with pytest.raises(Damaged, match="disturbances.csv: it is no table"):
        read(project)


PLACE = {"processor": "A processor", "python": "3.11.1", "cores": 2}
GROWN = pd.DataFrame([(step, n, d, unit, value, value, limit) for n, d in ((150, 10), (1000, 10), (150, 50))
                     for step, unit, value, limit in (("verdicts", "seconds", 0.0228 * n, float("nan")),
                                                      ("one change", "seconds", 90.04, 120.0),
                                                      ("the ledger", "bytes", 2000 * n, float("nan")))],
                    columns=STORED["scale"].columns)


def test_every_step_stands_in_the_table_with_every_size(study):
    found = write(replace(study, tables={**study.tables, "scale": GROWN}, scale_place=PLACE))["generated/scale.md"]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in found.splitlines() if line.startswith("|")]
    assert rows[0] == ["", "150 experiments, 10 sets", "1000 experiments, 10 sets", "150 experiments, 50 sets", "limit"]
    assert rows[2:] == [["Verdicts", "3.4 s", "23 s", "3.4 s", ""], ["One change", "90 s", "90 s", "90 s", "120 s"],
                        ["The ledger", "0.30 MB", "2.0 MB", "0.30 MB", ""]]
    assert "A processor, 2 cores, with Python 3.11.1" in found


def test_without_a_measurement_that_is_said(study):
    assert write(study)["generated/scale.md"] == "No measurement of it is stored yet.\n"
