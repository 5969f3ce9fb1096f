"""The page shows every step that is stored, what grows too fast, and that nothing is stored."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from pipeline.book.pages.scale import write
from pipeline.book.study import read
from pipeline.tables.stored import Damaged, write_tables
from tools.scale.growth import MEASURED_COLUMNS, growth

PLACE = {"processor": "A processor", "instructions": "avx2", "machine": "x86_64", "python": "3.11.1", "cores": 2}
SIZES = [(150, 10), (300, 10), (1000, 10), (150, 20), (150, 50)]


@pytest.fixture
def measured():
    """Verdicts that grow as the square of the experiments; an edit that takes 90 s with a thousand."""
    rows = [row for n, d in SIZES for row in (
        ("verdicts", n, d, "seconds", 1e-3 * n**2, 1e-3 * n**2, float("nan")),
        ("one change", n, d, "seconds", 0.09 * n, 0.09 * n, 120.0),
        ("the ledger", n, d, "bytes", 2000.0 * n, float("nan"), float("nan")))]
    return pd.DataFrame(rows, columns=MEASURED_COLUMNS)


@pytest.fixture
def shown(project):
    """A function that stores what was measured, and reads the study."""
    def put(measured):
        write_tables(project / "results/scale", {"measured.csv": measured, "growth.csv": growth(measured)},
                     {"place.json": json.dumps(PLACE)})
        return read(project)
    return put


def text(study):
    return write(study)["generated/scale.md"]


def cells(text, first):
    """The rows of all tables that begin with a word."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()
            if line.startswith(f"| {first} ")]


def test_every_step_stands_in_the_tables_with_every_size(shown, measured):
    found = text(shown(measured))
    by_experiments, by_sets, *powers = cells(found, "Verdicts")
    assert by_experiments == ["Verdicts", "22 s", "90 s", "1000 s"] and by_sets == ["Verdicts", "22 s", "22 s", "22 s"]
    assert powers == [["Verdicts", "the experiments", "150", "1000", "2.00", "2.00"],
                      ["Verdicts", "the data sets in each family", "10", "50", "0.00", "0.00"]]
    assert cells(found, "The ledger")[0] == ["The ledger", "0.30 MB", "0.60 MB", "2.0 MB"]
    assert "A processor, 2 cores, with Python 3.11.1" in found


def test_what_grows_too_fast_is_named_and_else_that_nothing_does(shown, measured):
    assert "**Faster than in proportion** grows verdicts with the number of experiments." in text(shown(measured))
    calm = measured[measured["step"] != "verdicts"]
    assert "Nothing grows faster than in proportion" in text(shown(calm))


def test_a_limit_is_told_and_whether_it_holds(shown, measured):
    assert "- One change takes 90 s with 1000 experiments (the limit is 120 s).\n" in text(shown(measured))
    slow = measured.assign(value=measured["value"] * 2)
    assert "180 s with 1000 experiments (the limit is 120 s), **which is too much**." in text(shown(slow))


def test_the_curves_are_drawn_from_the_stored_rows(shown, measured):
    files = write(shown(measured))
    assert files["figures/scale"].rows["value"].tolist() == measured["value"].tolist()
    assert "verdicts: 22 s with 150 experiments, 1000 s with 1000" in files["figures/scale"].alt


def test_without_a_measurement_that_is_said(study):
    assert study.scale is None
    assert write(study)["generated/scale.md"] == "No measurement of it is stored yet.\n"


def test_a_table_that_was_changed_is_refused(shown, measured, project):
    shown(measured)
    path = project / "results/scale/measured.csv"
    path.write_text(path.read_text().replace("1000.0", "10.0"))
    with pytest.raises(Damaged, match="measured.csv: its content is not what was stored"):
        read(project)


def test_a_size_that_did_not_vary_has_no_table(study, shown, measured):
    found = shown(measured[measured["sets"] == 10]).scale
    assert "data sets in each family |" not in text(replace(study, scale=found))
