"""The ledger, and a page a claim."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

import pandas as pd

from pipeline.book.figures.forest import forest_alt
from pipeline.book.markdown import claim_link, experiment_link, image, record_link, table
from pipeline.book.study import Study
from pipeline.book.words import (
    capital, chain, change, prediction, sentence, short, signed, threads, verdict_sentence,
    verdict_words)
from pipeline.spec.claims import Claim
from pipeline.spec.tables import TRIVIAL


def ledger(study: Study) -> str:
    """All claims with their verdicts; a script adds search, filters and sorting to the table."""
    rows = []
    for claim in study.claims:
        row = study.verdict(claim)
        counts = f"{int(row['F'])} / {int(row['A'])} / {int(row['D'])}" if row["D"] else "–"
        letters = " ".join(dict.fromkeys(number[0] for number in claim.rows))
        rows.append((f'<span id="{claim.slug}"></span>{claim_link(claim)}', verdict_words(row),
                     f"[{short(claim.topic)}](/{claim.topic}.md)", letters, ", ".join(claim.rows),
                     claim.who, row["scope"] or "–", counts))
    return ":::{div} cards ledger\n" + table(
        ["claim", "verdict", "topic", "thread", "row", "who says it", "data sets",
         "as predicted / not / of"], rows) + ":::\n"


def others(study: Study, rows: Collection[str]) -> str:
    """What others found about rows of the ledger, with its source."""
    found = [e for e in study.evidence if set(e["rows"]) & set(rows)]
    if not found:
        return ""
    return "\n".join(["## What others found\n",
                      *(f"- {e['says']} {{cite:p}}`{e['cite']}`" for e in found), ""])


def claim_page(study: Study, claim: Claim) -> str:
    """The page of one claim."""
    row, cells = study.verdict(claim), study.claim_cells(claim)
    parts = [f"({claim.slug})=\n# {claim.says.rstrip('.')}\n",
             f":::{{admonition}} Verdict\n:class: tip\n{verdict_words(row)} "
             f"{verdict_sentence(claim, row)}\n:::\n",
             f"**Who says it.** {capital(claim.who)}; row {', '.join(claim.rows)} of the ledger, "
             f"from {threads(claim.rows)}.\n",
             f"**Prediction.** {prediction(claim)}\n"]
    if claim.because:
        parts.append(f"**Because.** {claim.because} The verdict is on the statement, not on its "
                     "reason.\n" if not claim.checks else f"**Note.** {claim.because}\n")
    if claim.analogue:
        parts.append("The setting of the thread is out of reach; this is our analogue of it.\n")
    if claim.checks:
        parts += ["## The checks\n", check_table(study, claim.checks) or "None is stored yet.\n",
                  "See [the exact checks](/mechanics.md).\n"]
    elif len(cells):
        parts += ["## What was measured\n",
                  image(study, f"claim-{claim.slug}", forest_alt(cells), cells),
                  cell_table(study, cells),
                  f"*Detectable*: the smallest true change that is found with a chance of "
                  f"{100 * study.rule.power:.0f} %.\n",
                  guards(cells), robustness_table(study, claim)]
    parts.append(others(study, claim.rows))
    names = claim.experiments
    if names:
        parts += ["## Where it comes from\n", table(["experiment", "layers", ""], [
            (experiment_link(study, name), chain(study.params.experiments[name]),
             record_link(study, name))
            for name in names if name in study.params.experiments])]
    parts.append("[All claims](/claims.md) · [How a verdict is reached](/method.md)\n")
    return "\n".join(part for part in parts if part is not None)


def cell_table(study: Study, cells: pd.DataFrame) -> str:
    """Every comparison in words, its label, and what a claim counts it as."""
    claimed = (cells["region"] != "").any()
    rows = []
    for cell in cells.to_dict("records"):
        versus = (f"{experiment_link(study, cell['treatment'])} against "
                  f"{experiment_link(study, cell['control'])}")
        if cell["minus_treatment"]:
            versus += (f", less {experiment_link(study, cell['minus_treatment'])} against "
                       f"{experiment_link(study, cell['minus_control'])}")
            versus += f" on {cell['minus_data']}" if cell["minus_data"] else ""
        grey = cell["position"] == "uninformative"
        detectable = cell["detectable"]
        metric = "error" if cell["control"] == TRIVIAL else cell["metric"]
        unit = " %" if cell["scale"] == "log ratio" else ""
        least = (signed(change(detectable, metric, cell["scale"]), unit)
                 if math.isfinite(detectable) else "–")
        rows.append((cell["data"], versus, sentence(cell, study.rule),
                     "–" if grey else cell["label"],
                     *([cell["position"]] if claimed else []), int(cell["seeds"]), least))
    header = ["data set", "comparison", "found", "label", *(["counts"] if claimed else []), "seeds",
              "detectable"]
    return table(header, rows)


def guards(cells: pd.DataFrame) -> str:
    """Why comparisons were left open or not counted."""
    reasons = cells[cells["why"] != ""]
    if not len(reasons):
        return ""
    rows = [f"- {cell['data']}, {cell['treatment'].replace('[', ' (').replace(']', ')')}: "
            f"{cell['why']} ({cell['position'] or 'undecided'})"
            for cell in reasons.to_dict("records")]
    return "**Why some do not count.**\n\n" + "\n".join(rows) + "\n"


def robustness_table(study: Study, claim: Claim) -> str:
    """The verdict again under other choices."""
    if claim.probe:
        return ("## Would other choices change it?\n\nA measure has no margin, and was taken at the "
                "chosen learning rate alone: there is no other choice to decide it by.\n")
    mine = study.robustness[study.robustness["claim"] == claim.slug]
    mine = mine[mine["verdict"] != ""]
    if not len(mine):
        return ""
    return ("## Would other choices change it?\n\n"
            + table(["as decided", *mine["change"]],
                    [[study.verdict(claim)["verdict"], *mine["verdict"]]]))


def check_table(study: Study, names: Iterable[str] | None = None) -> str:
    """Exact checks, all of them or those named."""
    checks = study.checks
    if names is not None:
        checks = checks[checks["check"].isin(list(names))]
    return table(["check", "statement", "expected", "found", "holds"], [
        (f"`{c['check']}`", capital(c["statement"]), c["expected"], c["found"],
         "yes" if c["holds"] else "**no**")
        for c in checks.to_dict("records")])
