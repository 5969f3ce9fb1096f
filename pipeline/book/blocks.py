"""Blocks that several pages show."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

import pandas as pd

from pipeline.book.figures.forest import forest, forest_alt
from pipeline.book.figures.places import places, places_alt
from pipeline.book.markdown import experiment_link, table
from pipeline.book.picture import Picture
from pipeline.book.study import Study
from pipeline.book.words.comparison import change, sentence
from pipeline.book.words.numbers import capital, signed
from pipeline.spec.claims import Claim
from pipeline.spec.tables import TRIVIAL


def claim_picture(study: Study, claim: Claim) -> Picture | None:
    """A claim's comparisons, drawn; nothing without any."""
    cells = study.claim_cells(claim)
    return Picture(f"claim-{claim.slug}", cells, forest, forest_alt) if len(cells) else None


def place_picture(study: Study, name: str) -> Picture | None:
    """What a layer does at every place of a network, drawn; nothing without a stored result."""
    rows = study.places[study.places["experiment"] == name]
    return Picture(f"places-{name}", rows, places, places_alt, small=True) if len(rows) else None


def cell_table(study: Study, cells: pd.DataFrame) -> str:
    """Every comparison in words, its label, and what a claim counts it as."""
    claimed = (cells["region"] != "").any()
    header = ["data set", "comparison", "found", "label", *(["counts"] if claimed else []), "seeds",
              "detectable"]
    return table(header, [_cell_row(study, cell, claimed) for cell in cells.to_dict("records")])


def _cell_row(study: Study, cell: dict, claimed: bool) -> tuple:
    versus = (f"{experiment_link(study, cell['treatment'])} against "
              f"{experiment_link(study, cell['control'])}")
    if cell["minus_treatment"]:
        versus += (f", less {experiment_link(study, cell['minus_treatment'])} against "
                   f"{experiment_link(study, cell['minus_control'])}")
        versus += f" on {cell['minus_data']}" if cell["minus_data"] else ""
    metric = "error" if cell["control"] == TRIVIAL else cell["metric"]
    unit = " %" if cell["scale"] == "log ratio" else ""
    least = (signed(change(cell["detectable"], metric, cell["scale"]), unit)
             if math.isfinite(cell["detectable"]) else "–")
    return (cell["data"], versus, sentence(cell, study.rule),
            "–" if cell["position"] == "uninformative" else cell["label"],
            *([cell["position"]] if claimed else []), int(cell["seeds"]), least)


def guards(cells: pd.DataFrame) -> str:
    """Why comparisons were left open or not counted."""
    reasons = cells[cells["why"] != ""]
    if not len(reasons):
        return ""
    rows = [f"- {cell['data']}, {cell['treatment'].replace('[', ' (').replace(']', ')')}: "
            f"{cell['why']} ({cell['position'] or 'undecided'})"
            for cell in reasons.to_dict("records")]
    return "**Why some do not count.**\n\n" + "\n".join(rows) + "\n"


def check_table(study: Study, names: Iterable[str]) -> str:
    """The named exact checks."""
    checks = study.checks[study.checks["check"].isin(list(names))]
    return table(["check", "statement", "expected", "found", "holds"], [
        (f"`{c['check']}`", capital(c["statement"]), c["expected"], c["found"],
         "yes" if c["holds"] else "**no**")
        for c in checks.to_dict("records")])


def others(study: Study, rows: Collection[str]) -> str:
    """What others found about rows of the ledger, with its source."""
    found = [e for e in study.evidence if set(e["rows"]) & set(rows)]
    if not found:
        return ""
    return "\n".join(["## What others found\n",
                      *(f"- {e['says']} {{cite:p}}`{e['cite']}`" for e in found), ""])
