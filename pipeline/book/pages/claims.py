"""The ledger: all claims with their verdicts."""

from __future__ import annotations

from pipeline.book import changes
from pipeline.book.blocks import averages_with_scale
from pipeline.book.markdown import claim_link, table
from pipeline.book.study import Study
from pipeline.book.words.claim import all_verdicts, short
from pipeline.book.words.comparison import interval
from pipeline.config.claims import Claim, data_sets, family


def write(study: Study) -> dict[str, str]:
    """All claims with their verdicts; a script adds search, filters and sorting to the table."""
    rows = [_row(study, claim) for claim in study.claims]
    return {"generated/claims.md": changes.of_all(study) + ":::{div} cards ledger\n" + table(
        ["claim", "verdict", "average", "on", "topic", "thread", "row", "who says it", "primary"], rows) + ":::\n"}


def _row(study: Study, claim: Claim) -> tuple:
    letters = " ".join(dict.fromkeys(number[0] for number in claim.rows))
    return (f'<span id="{claim.slug}"></span>{claim_link(claim)}', all_verdicts(study.verdict_rows(claim)),
            _averages(study, claim), _where(study, claim), f"[{short(claim.topic)}](/{claim.topic}.md)", letters,
            ", ".join(claim.rows), claim.who, "primary" if claim.primary else "")


def _averages(study: Study, claim: Claim) -> str:
    rows = averages_with_scale(study.claim_effects(claim), study.claim_averages(claim))
    return "; ".join(interval(row, "mean") + (f" ({row['group']})" if row["group"] else "") for row in rows) or "–"


def _where(study: Study, claim: Claim) -> str:
    """The family, or the names of the data sets, that a claim is decided on."""
    if claim.checks:
        return "–"
    names = data_sets(claim, study.params)
    return family(names, study.params) or ", ".join(names)
