"""Pieces of MyST Markdown: tables, images, links."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import pandas as pd

from pipeline.book.study import Study
from pipeline.spec.claims import Claim, base


def table(header: Sequence[str], rows: Iterable[Sequence]) -> str:
    """A Markdown table in a box that scrolls by itself; empty without rows."""
    rows = [[str(value).replace("|", "\\|").replace("\n", " ") for value in row] for row in rows]
    if not rows:
        return ""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def data_text(rows: pd.DataFrame) -> str:
    """The rows that a figure is drawn from, as CSV."""
    return rows.to_csv(index=False, lineterminator="\n", na_rep="NaN")


def image(study: Study, name: str, alt: str, rows: pd.DataFrame, small: bool = False) -> str:
    """A figure of the folder `figures`, and below it the line that says what it was drawn from.

    Args:
        study: for the links to experiments and records.
        name: of the figure and of its data, without an ending.
        alt: the text that stands in for it.
        rows: what it was drawn from.
        small: whether it fits a narrow screen; a large one scrolls there in a box of its own.
    """
    alt = " ".join(alt.split())
    names = [name for column in ("treatment", "control", "minus_treatment", "minus_control",
                                 "experiment") if column in rows for name in rows[column]]
    return (f":::{{div}} scroll\n```{{image}} /figures/{name}.svg\n:alt: {alt}\n"
            f":class: figure{' small' if small else ''}\n```\n:::\n\n"
            + source(study, f"{name}.csv", data_text(rows).encode(), names))


def source(study: Study, name: str, data: bytes, names: Iterable[str]) -> str:
    """The line below a figure: its data with the start of their SHA-256, experiments and records.

    Args:
        study: for the links.
        name: of the data's file in the folder `figures`.
        data: what that file holds.
        names: of the experiments, or of their variants, that the data come from.
    """
    digest, found = hashlib.sha256(data).hexdigest()[:12], {base(str(name)) for name in names}
    used = [name for name in study.params.experiments if name in found]
    links = [experiment_link(study, name) + (f" ({record})" if (record := record_link(
        study, name, "record")) else "") for name in used]
    text = ", ".join(links) if len(links) <= 24 else f"[{len(links)} of these](/experiments.md)"
    return (f":::{{div}} source\nDrawn from {{download}}`{name} </figures/{name}>`, SHA-256 "
            f"`{digest}…`" + (f". Experiments: {text}." if links else ".") + "\n:::\n")


def claim_link(claim: Claim, text: str | None = None) -> str:
    return f"[{text or claim.says.rstrip('.')}](/claims/{claim.slug}.md)"


def experiment_link(study: Study, name: str) -> str:
    """An experiment's, or its variant's, name, linked to its entry in the list of experiments."""
    if base(name) not in study.params.experiments:
        return name
    return f"[{name.replace('[', ' (').replace(']', ')')}](#experiment-{base(name)})"


def record_link(study: Study, name: str, text: str = "lab record") -> str:
    return f"[{text}](/records/{name}.ipynb)" if name in study.records else ""
