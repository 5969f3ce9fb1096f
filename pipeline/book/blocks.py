"""Blocks that several pages show."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import pandas as pd

from pipeline.book.escape import code, role
from pipeline.book.figures.intervals import COLUMNS
from pipeline.book.markdown import finding_link, table
from pipeline.book.rows import records
from pipeline.book.study import Study
from pipeline.book.words.finding import another, change, clear, word
from pipeline.config.metrics import metric_of
from pipeline.findings.numbers import capital


def findings_table(study: Study, findings: Iterable[str]) -> str:
    """Findings, a row a stratum."""
    return table(["finding", "on", "change", "in a word", "clearly better / worse, of sources", "on another set"], [
        (finding_link(study, row["id"]) if number == 0 else "", row["stratum"], change(row), word(study, row), clear(row),
         another(row)) for one in findings for number, row in enumerate(study.strata(one))])


def interval_rows(rows: Iterable[dict]) -> pd.DataFrame:
    """What a figure of intervals draws of rows of the findings: those of errors whose effect is a ratio."""
    return pd.DataFrame([[row[name] for name in COLUMNS] for row in rows if _drawn(row)], columns=COLUMNS)


def _drawn(row: dict) -> bool:
    return (metric_of(row["metric"]).scale == "log ratio" and row["metric"] in ("error", "loss")
            and not row["minus_treatment"] and not row["slope"] and math.isfinite(row["effect"] + row["low"] + row["high"]))


def check_table(study: Study, names: Iterable[str]) -> str:
    """The named exact checks."""
    checks = study.checks[study.checks["check"].isin(list(names))]
    return table(["check", "statement", "expected", "found", "holds"], [
        (code(c["check"]), capital(c["statement"]), c["expected"], c["found"],
         "yes" if c["holds"] else "**no**")
        for c in records(checks)])


def others(study: Study, rows: Collection[str] = (), slugs: Collection[str] = ()) -> str:
    """What others found about rows of the ledger, or about the comparisons of claims, with its source."""
    found = [e for e in study.evidence if set(e["rows"]) & set(rows) or {*e["claims"], *e["turned"]} & set(slugs)]
    return listed("## What others found\n", [f"- {e['says']} {role('cite:p', e['cite'])}" for e in found])


def changed(row: Mapping) -> str:
    """What of a claim or of the rule stands otherwise than when runs were first stored."""
    if row["key"] == "written":
        return "written after its runs were stored, so no prediction"
    if row["kind"] == "claim" and not row["key"]:
        return "taken back after its runs were stored"
    return f"{row['key']} {row['stood'] or 'nothing'}, now {row['stands'] or 'nothing'}".strip()


def listed(title: str, lines: Sequence[str]) -> str:
    """A heading and a list; empty without lines."""
    return "\n".join([title, *lines, ""]) if lines else ""
