"""A small study as a project in a folder."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.tables.schemas import STORED
from pipeline.tables.stored import write_tables
from tests.findings.made import arm, family, together

DATA = family(9, "tables")
PARAMS = """
data:
{data}
layers: {{}}
experiments:
  old: {{data: tables, layers: [Dense]}}
  new: {{of: old}}
  later: {{of: old}}
train: {{epochs: 1, batch_size: 8, optimizer: Adam, learning_rates: [0.01]}}
verdicts: {{controls: [old]}}
being_measured: [later]
"""
CLAIMS = """
- {slug: it_helps, rows: [A1], who: Q, says: It helps., topic: test, predicts: {by: ours, region: better}, data: [tables],
   findings: [{treatment: new, control: old}]}
- {slug: it_is_coming, rows: [A1], who: Q, says: It will help., topic: test, predicts: {by: ours, region: better},
   findings: [{treatment: later, control: old}]}
- {slug: it_holds, rows: [A1], who: Q, says: It holds., topic: test, checks: [it_holds]}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small study of which `later` waits."""
    monkeypatch.chdir(tmp_path)
    data = "\n".join(f"  {name}: {{group: tables, source: forecast, seeds: 15, unit: u{name}}}" for name in DATA)
    Path("params.yaml").write_text(PARAMS.format(data=data))
    Path("book").mkdir()
    Path("book/readings.yaml").write_text(CLAIMS)
    Path("book/claims_changes.yaml").write_text("- {slug: it_helps, what: nothing, why: for this test}\n")
    for name, level in (("old", 1.0), ("new", 0.8)):
        runs = [arm(name, one, level) for one in DATA] + (
            [arm(name, one, 1.5, variant=variant) for variant in ("train_fraction=0.5", "repetition=1") for one in DATA]
            if name == "old" else [])
        write_tables(STORED["runs"].path(name).parent, {"runs.csv": together(*runs)})
    write_tables(STORED["checks"].path().parent, {"checks.csv": pd.DataFrame(
        [["it_holds", "", "", "", "", True]], columns=STORED["checks"].columns)})
    write_tables(STORED["baselines"].path().parent, {"baselines.csv": pd.DataFrame(
        [[name, 15, 9.0, np.nan, np.nan, 2.0, 1.5, 3.0, ""] for name in DATA], columns=STORED["baselines"].columns)})
    return tmp_path
