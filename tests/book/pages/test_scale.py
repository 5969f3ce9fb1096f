"""The page shows every step that was measured at every size, in units that a person reads."""

from dataclasses import replace

import pandas as pd

from pipeline.book.pages.scale import write
from pipeline.tables.schemas import STORED

PLACE = {"processor": "A processor", "python": "3.11.1", "cores": 2}
ROWS = pd.DataFrame([(step, n, d, unit, value, value, limit) for n, d in ((150, 10), (1000, 10), (150, 50))
                     for step, unit, value, limit in (("verdicts", "seconds", 0.0228 * n, float("nan")),
                                                      ("one change", "seconds", 90.04, 120.0),
                                                      ("the ledger", "bytes", 2000 * n, float("nan")))],
                    columns=STORED["scale"].columns)


def test_every_step_stands_in_the_table_with_every_size(study):
    found = write(replace(study, tables={**study.tables, "scale": ROWS}, scale_place=PLACE))["generated/scale.md"]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in found.splitlines() if line.startswith("|")]
    assert rows[0] == ["", "150 experiments, 10 sets", "1000 experiments, 10 sets", "150 experiments, 50 sets", "limit"]
    assert rows[2:] == [["Verdicts", "3.4 s", "23 s", "3.4 s", ""], ["One change", "90 s", "90 s", "90 s", "120 s"],
                        ["The ledger", "0.30 MB", "2.0 MB", "0.30 MB", ""]]
    assert "A processor, 2 cores, with Python 3.11.1" in found


def test_without_a_measurement_that_is_said(study):
    assert write(study)["generated/scale.md"] == "No measurement of it is stored yet.\n"
