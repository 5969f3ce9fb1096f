"""Predictions and constants that are not as they stood when runs were first stored, beside what they decide."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.book.markdown import claim_link, table
from pipeline.book.plain import plain
from pipeline.book.rows import records
from pipeline.book.study import Study
from pipeline.book.words.numbers import capital, count
from pipeline.config.claims import Claim


def of_claim(study: Study, claim: Claim) -> list[str]:
    """What of a claim, and of the rule, was changed after the claim's runs were stored, as a warning."""
    mine = [_said(row) for row in records(study.changes) if (row["kind"], row["name"]) == ("claim", claim.slug)]
    rule = sum(row["kind"] != "claim" for row in records(study.changes))
    if rule and claim.predicts:
        mine.append(f"The rule: {count(rule, 'change')}, see [the method](/method.md).")
    return [":::{admonition} Changed after its runs were stored\n:class: warning\n" + "\n\n".join(mine) + "\n:::\n"] if mine else []


def of_rule(study: Study) -> str:
    """What of the rule was changed after runs were stored; empty if nothing was."""
    rows = [(capital(row["kind"]), f"`{row['name']}`", _value(row["stood"]), _value(row["stands"]))
            for row in records(study.changes) if row["kind"] != "claim"]
    return ("\n**Changed after runs were stored**, so that whoever changed it may have known what came of it:\n\n"
            + table(["what", "name", "it stood", "it stands"], rows)) if rows else ""


def of_all(study: Study) -> str:
    """The claims that were changed, taken back or written after their runs were stored, as a list; empty of none."""
    known = {claim.slug: claim_link(claim) for claim in study.claims}
    lines = [f"- {known.get(row['name'], '`' + row['name'] + '`')}: {_said(row)}" for row in records(study.changes)
             if row["kind"] == "claim"]
    return ("Predictions that are not as they stood when their runs were first stored:\n\n" + "\n".join(lines) + "\n\n"
            if lines else "")


def _said(row: Mapping) -> str:
    if row["key"] == "written":
        return "It was written after its runs were stored: no prediction."
    if not row["key"]:
        return "It was taken back after its runs were stored."
    return f"`{row['key']}` stood at {_value(row['stood'])}, and stands at {_value(row['stands'])}."


def _value(text: str) -> str:
    return plain(text) if text else "nothing"
