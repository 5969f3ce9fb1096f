"""The list of lab records has every stored record of an experiment."""

from dataclasses import replace
from pathlib import Path

from pipeline.book.pages.records import write


def test_the_list_has_every_stored_record(study):
    recorded = replace(study, records=study.records | {"mechanics": Path("record.ipynb")})
    rows = [line for line in write(recorded)["generated/records.md"].splitlines() if "/records/" in line]
    family = "the 12 data sets of the family [sequences](/data_sets.md)"
    assert rows == [
        f"| [plain](/records/plain.ipynb) | `conv → relu → lstm` | {family}, badly_scaled, noise | "
        "[entry](#experiment-plain) |",
        f"| [before](/records/before.ipynb) | `conv → bn → relu → lstm` | {family} | [entry](#experiment-before) |"]


def test_without_a_record_that_is_said(study):
    assert write(replace(study, records={}))["generated/records.md"] == "No record is stored yet.\n"
