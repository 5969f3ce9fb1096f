"""The contract of the stored tables, against what is stored and against who writes it."""

import gzip
from pathlib import Path

import pytest

from pipeline.config.schema import load
from pipeline.tables.schemas import FOUND, STORED


@pytest.mark.parametrize("name", STORED)
def test_what_is_stored_has_the_columns_of_the_contract(name):
    params, table = load(), STORED[name]
    owners = params.probe.experiments if name == "measures" else params.experiments
    if name == "layers":  # Which training writes; nothing is trained of what is being measured.
        owners = [owner for owner in owners if owner not in params.being_measured]
    paths = {table.path(owner) for owner in owners}
    if name in ("disturbances", "scale"):  # Nothing is made from these, so a study may be without.
        paths = {path for path in paths if path.exists()}
    for path in paths:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
            assert file.readline().rstrip("\n").split(",") == list(table.columns), path


def test_every_stored_table_is_in_the_contract():
    known = {path for name in load().experiments for path in (one.path(name) for one in STORED.values())}
    stored = {path for kind in ("*.csv", "*.csv.gz") for path in Path("results").rglob(kind)}
    assert stored <= known | {table.path() for table in FOUND.values()}
