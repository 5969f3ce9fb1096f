"""Pieces of MyST Markdown: tables, images, links."""

import math
from collections.abc import Iterable, Sequence

from pipeline.book.escape import option, plain
from pipeline.book.picture import Picture, sha256
from pipeline.book.study import Study
from pipeline.book.words.numbers import MISSING
from pipeline.config.claims import base
from pipeline.config.readings import Claim


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
    return (framed(picture, "scroll", "figure small" if picture.small else "figure") + "\n"
            + source(study, f"{picture.name}.csv", picture.data.encode(), picture.experiments))


def framed(picture: Picture, frame: str, classes: str) -> str:
    """A figure in a box of the class `frame`."""
    return (f":::{{div}} {frame}\n```{{image}} /figures/{picture.name}.svg\n:alt: {option(picture.alt)}\n"
            f":class: {classes}\n```\n:::\n")


def source(study: Study, name: str, data: bytes, names: Iterable[str]) -> str:
    """The line below a figure: its data with the start of their SHA-256, experiments and records.

    Args:
        study: for the links.
        name: of the data's file in the folder `figures`.
        data: what that file holds.
        names: of the experiments, or of their variants, that the data come from.
    """
    found = {base(str(name)) for name in names}
    links = [experiment_link(study, name) + (f" ({record})" if (record := record_link(
        study, name, "record")) else "") for name in study.params.experiments if name in found]
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
