"""The ledger has a row a claim."""

import re
from pathlib import Path

from pipeline.book.pages.claims import write

ROOT = Path(__file__).parents[3]


def test_the_ledger_has_a_row_a_claim_with_its_anchor_topic_and_thread(study):
    text = write(study)["generated/claims.md"]
    rows = [line.split(" | ") for line in text.splitlines() if "<span" in line]
    assert [re.search(r'id="(\w+)"', row[0])[1] for row in rows] == [c.slug for c in study.claims]
    assert [row[3] for row in rows] == ["A", "B", "B"]
    assert "[Sequences](/sequences.md)" in rows[0] and rows[0][-1] == "1 / 0 / 1 |"
    header = text.splitlines()[1]
    script = (ROOT / "book/_static/ledger.js").read_text()
    for column in re.findall(r"^    (\w+): \(cell\) =>", script, flags=re.M):
        assert f"| {column} |" in header
