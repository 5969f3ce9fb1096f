"""The ledger has a row a claim, and says which verdicts turned."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.book.pages import finding
from pipeline.book.pages.claims import turned, write
from pipeline.book.pages.method import constants

ROOT = Path(__file__).parents[3]


def test_the_ledger_has_a_row_a_claim_with_its_anchor_reading_and_findings(study):
    text = write(study)["generated/claims.md"]
    rows = {found[1]: line.split(" | ") for line in text.splitlines() if (found := re.search(r"\{anchor\}`claim-(\w+)`", line))}
    assert list(rows) == [claim.slug for claim in study.claims]
    for claim in study.claims:
        assert f"`{study.reading(claim)['reading']}`" in rows[claim.slug][1]
    assert rows["order_matters"][3] == ("[1](/findings/before_or_after_sequences.md), [2](/findings/before_tanh_or_after_tanh_sequences.md)")
    assert "[exact checks]" in rows["exact_one"][3] and "Because: It is so." in rows["before_helps"][2]
    assert [slug for slug, row in rows.items() if row[-1].strip(" |") == "primary"] == [
        claim.slug for claim in study.claims if claim.primary]


def test_what_turned_is_told_with_the_reason(study):
    text = turned(study)
    # It was supported, and reads that findings disagree.
    assert "(#claim-before_helps) | supported | {bdg-warning}`disagrees` | two findings | Each is one. |" in text
    # That which reads as it did is none of them.
    assert "tables_bn_helps" not in text and "as it stood" not in text


def test_what_was_changed_after_the_runs_stands_beside_what_it_decides(study):
    rows = [("claim", "before_helps", "region", "worse", "better"), ("claim", "order_matters", "written", "", "after its runs"),
            ("claim", "gone", "", "{}", ""), ("rule", "ratio_margin", "", "1.1", "1.02")]
    found = replace(study, tables={**study.tables, "changes": pd.DataFrame(rows, columns=list(study.changes.columns))})
    ledger = {slug: line for line in write(found)["generated/claims.md"].splitlines() for slug in ("before_helps", "order_matters")
              if f"`claim-{slug}`" in line}
    assert "Not as it stood when its runs were stored: region worse, now better." in ledger["before_helps"]
    assert "Not as it stood when its runs were stored: written after its runs were stored, so no prediction." in ledger["order_matters"]
    assert "Not as it stood" not in write(study)["generated/claims.md"]
    text = turned(found)
    assert "- claim gone: taken back after its runs were stored" in text and "- rule ratio_margin: 1.1, now 1.02" in text
    assert "- rule `ratio_margin`: 1.1, now 1.02" in constants(found) and "gone" not in constants(found)
    assert "Changed after" not in constants(study)


def test_the_script_filters_by_columns_that_there_are(study):
    script = (ROOT / "book/_static/ledger.js").read_text()
    named = re.findall(r"(?:^|[,{] ?)\s*\"?([a-z ]+)\"?: (?:one|\(cell\))", script, flags=re.M)
    heads = {cell.strip() for text in (write(study)["generated/claims.md"], finding.overview(study)["generated/findings.md"])
             for cell in text.splitlines()[1].strip("|").split("|")}
    assert len(named) >= 6 and set(named) <= heads
