"""Pieces of MyST Markdown that several pages show: templates, tables, images, links."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import jinja2
import pandas as pd

from pipeline.book.escape import code, option, plain, role
from pipeline.book.figures.intervals import COLUMNS
from pipeline.book.picture import Picture, sha256
from pipeline.book.study import Study
from pipeline.book.words.finding import another, change, clear, word
from pipeline.config.claims import base
from pipeline.config.metrics import metric_of
from pipeline.config.readings import Claim
from pipeline.findings.numbers import MISSING, capital
from pipeline.tables.stored import records

#: Every text of the study is made harmless as it is read, see `pipeline.book.escape`: a template escapes nothing again.
TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")), autoescape=False, trim_blocks=True,
    lstrip_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined)


def table(header: Sequence[str], rows: Iterable[Sequence]) -> str:
    """A Markdown table in a box that scrolls by itself; empty without rows."""
    rows = [[_cell(value) for value in row] for row in rows]
    if not rows:
        return ""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def _cell(value) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return MISSING
    return str(value).replace("|", "\\|").replace("\n", " ")


def image(study: Study, picture: Picture) -> str:
    """A figure, and below it the line that says what it was drawn from."""
    drawn_from = source(study, f"{picture.name}.csv", picture.data.encode(), picture.experiments)
    return (f":::{{div}} scroll\n```{{image}} /figures/{picture.name}.svg\n:alt: {option(picture.alt)}\n"
            f":class: {'figure small' if picture.small else 'figure'}\n```\n:::\n\n{drawn_from}")


def source(study: Study, name: str, data: bytes, names: Iterable[str]) -> str:
    """The line below a figure: its data with the start of their SHA-256, experiments and records.

    Args:
        study: for the links.
        name: of the data's file in the folder `figures`.
        data: what that file holds.
        names: of the experiments, or of their variants, that the data come from.
    """
    found = {base(str(name)) for name in names}
    links = [experiment_link(study, name) + f" ({record_link(study, name, 'record')})" * (name in study.records)
             for name in study.params.experiments if name in found]
    text = ", ".join(links) if len(links) <= 24 else f"[{len(links)} of these](/experiments.md)"
    return (f":::{{div}} source\nDrawn from {{download}}`{name} </figures/{name}>`, SHA-256 "
            f"`{sha256(data)}…`" + (f". Experiments: {text}." if links else ".") + "\n:::\n")


def claim_link(claim: Claim, text: str | None = None) -> str:
    """A link to a claim's row of the ledger."""
    return f"[{text or claim.says.rstrip('.')}](#claim-{claim.slug})"


def finding_link(study: Study, name: str, text: str | None = None) -> str:
    """A link to a finding's page, by its title."""
    return f"[{text or study.found[name][0]['title']}](/findings/{name}.md)"


def data_link(study: Study, name: str) -> str:
    """A data set's name, linked to its page; of one without a page, its name."""
    return f"[{plain(name)}](/data_sets/{name}.md)" if name in study.real else name


def experiment_link(study: Study, name: str) -> str:
    """An experiment's, or its variant's, name, linked to its entry in the list of experiments."""
    if base(name) not in study.params.experiments:
        return name
    return f"[{plain(name.replace('[', ' (').replace(']', ')'))}](#experiment-{base(name)})"


def record_link(study: Study, name: str, text: str = "lab record") -> str:
    """A link to a lab record; empty if none is stored."""
    return f"[{text}](/records/{name}.ipynb)" if name in study.records else ""


def render(name: str, /, **content) -> str:
    """A page, or a piece of one, from its template `templates/{name}.md.j2`."""
    return TEMPLATES.get_template(f"{name}.md.j2").render(content)


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
        (code(row["check"]), capital(row["statement"]), row["expected"], row["found"], "yes" if row["holds"] else "**no**")
        for row in records(checks)])


def others(study: Study, rows: Collection[str] = (), slugs: Collection[str] = ()) -> str:
    """What others found about rows of the ledger, or about the comparisons of claims, with its source."""
    found = [e for e in study.evidence if set(e["rows"]) & set(rows) or {*e["claims"]} & set(slugs)]
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
