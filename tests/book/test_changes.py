"""What was changed after its runs were stored stands beside what it decides."""

from dataclasses import replace

import pandas as pd

from pipeline.book import changes
from pipeline.book.pages import claim as claim_page, claims as ledger, method
from pipeline.tables.schemas import STORED

ROWS = [("claim", "tables_bn_helps", "region", "worse", "better"), ("claim", "before_helps", "written", "", "after its runs"),
        ("claim", "gone", "", "{}", ""), ("rule", "ratio_margin", "", "1.1", "1.02"),
        ("data set", "tides", "", "<b>, forecasts", "water, forecasts")]


def changed(study, rows):
    return replace(study, tables={**study.tables, "changes": pd.DataFrame(rows, columns=list(STORED["changes"].columns))})


def test_nothing_is_said_where_nothing_was_changed(study):
    assert study.changes.empty and changes.of_rule(study) == changes.of_all(study) == ""
    assert all(changes.of_claim(study, claim) == [] for claim in study.claims)


def test_a_changed_prediction_stands_on_its_page_and_in_the_ledger(study):
    found = changed(study, ROWS[:3])
    pages = claim_page.write(found)
    mine = pages["claims/tables_bn_helps.md"]
    assert ("Changed after its runs were stored\n:class: warning\n`region` stood at worse, and stands at better.\n:::" in mine)
    assert mine.index("**Prediction.**") < mine.index("Changed after")
    assert "It was written after its runs were stored" in pages["claims/before_helps.md"]
    assert "Changed after" not in pages["claims/dropout_helps.md"]
    listed = ledger.write(found)["generated/claims.md"]
    assert "`gone`: It was taken back after its runs were stored." in listed
    assert "/claims/tables_bn_helps.md): `region` stood at worse" in listed


def test_a_changed_rule_stands_beside_its_constants_and_on_every_claim(study):
    found = changed(study, ROWS[3:])
    text = method.write(found)["generated/method/constants.md"]
    assert "| Rule | `ratio_margin` | 1\\.1 | 1\\.02 |" in text
    assert "| Data set | `tides` | \\<b\\>, forecasts | water, forecasts |" in text  # What a person wrote is text.
    pages = claim_page.write(found)
    assert "The rule: 2 changes, see [the method](/method.md)." in pages["claims/dropout_helps.md"]
    assert "Changed after" not in pages["claims/exact_one.md"]
