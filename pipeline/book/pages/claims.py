"""The ledger: all claims with their verdicts."""

from __future__ import annotations

from pipeline.book.markdown import claim_link, table
from pipeline.book.study import Study
from pipeline.book.words.claim import short, verdict_words
from pipeline.spec.claims import Claim


def write(study: Study) -> dict[str, str]:
    """All claims with their verdicts; a script adds search, filters and sorting to the table."""
    rows = [_row(claim, study.verdict(claim)) for claim in study.claims]
    return {"generated/claims.md": ":::{div} cards ledger\n" + table(
        ["claim", "verdict", "topic", "thread", "row", "who says it", "data sets",
         "as predicted / not / of"], rows) + ":::\n"}


def _row(claim: Claim, row: dict) -> tuple:
    counts = f"{int(row['F'])} / {int(row['A'])} / {int(row['D'])}" if row["D"] else "–"
    letters = " ".join(dict.fromkeys(number[0] for number in claim.rows))
    return (f'<span id="{claim.slug}"></span>{claim_link(claim)}', verdict_words(row),
            f"[{short(claim.topic)}](/{claim.topic}.md)", letters, ", ".join(claim.rows),
            claim.who, row["scope"] or "–", counts)
