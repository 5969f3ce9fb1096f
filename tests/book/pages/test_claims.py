"""The ledger has a row a claim."""

import re
from pathlib import Path

from pipeline.book.pages.claims import write

ROOT = Path(__file__).parents[3]


def test_the_ledger_has_a_row_a_claim_with_its_anchor_topic_and_thread(study):
    text = write(study)["generated/claims.md"]
    rows = {found[1]: line.split(" | ") for line in text.splitlines() if (found := re.search(r"\{anchor\}`(\w+)`\[", line))}
    assert list(rows) == [claim.slug for claim in study.claims]
    assert "[Sequences](/sequences.md)" in rows["before_helps"] and rows["order_matters"][5] == "A B"
    assert [slug for slug, row in rows.items() if row[-1].strip(" |") == "primary"] == [
        claim.slug for claim in study.claims if claim.primary]
    assert rows["tables_bn_helps"][3] == "tables" and rows["bn_on_input_is_inferior"][3] == "badly_scaled"
    # A claim of two strata has two averages, one that is not measured none.
    assert rows["dropout_helps"][2].count("%)") == 2 and rows["selu_helps"][2] == rows["exact_one"][2] == "–"
    assert "being measured" in rows["selu_helps"][1]


def test_the_script_finds_the_columns_that_it_filters_by(study):
    header = write(study)["generated/claims.md"].splitlines()[1]
    script = (ROOT / "book/_static/ledger.js").read_text()
    columns = re.findall(r"^    (\w+): \(cell\) =>", script, flags=re.M)
    assert len(columns) >= 5
    for column in columns:
        assert f"| {column} |" in header or header.endswith(f"| {column} |")
