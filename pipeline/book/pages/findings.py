"""The list of all findings."""

from collections.abc import Mapping

from pipeline.book.markdown import finding_link, table
from pipeline.book.study import Study
from pipeline.book.words.finding import another, change, word
from pipeline.book.words.network import kind
from pipeline.config.claims import base

#: The data of a stratum that is no family's.
SYNTHETIC = "synthetic"


def write(study: Study) -> dict[str, str]:
    """All findings, a row a stratum; a script adds search, filters and sorting to the table."""
    rows = [_row(study, row) for name in study.found for row in study.strata(name)]
    return {"generated/findings.md": ":::{div} cards ledger list-of-findings\n" + table(
        ["finding", "data", "change", "in a word", "on another set", "network", "topic"], rows) + ":::\n"
        if rows else "Nothing is stored yet.\n"}


def _row(study: Study, row: Mapping) -> tuple:
    topic = study.topic_of[row["id"]]
    data = row["stratum"] if row["kind"] in study.families else f"{SYNTHETIC}, {row['kind'].replace('_', ' ')}"
    return (finding_link(study, row["id"]), data, change(row), word(study, row), another(row),
            kind(study.params, base(row["treatment"])), f"[{topic.replace('_', ' ')}](/{topic}.md)" if topic else "–")
