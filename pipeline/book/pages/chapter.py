"""A chapter."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from pipeline.book.figures.forest import forest_alt
from pipeline.book.figures.sweep import dose_alt
from pipeline.book.markdown import claim_link, image, table
from pipeline.book.pages.claims import check_table, others
from pipeline.book.study import Study, answers, counted
from pipeline.book.words import (
    capital, count, effect, prediction, signed, sureness, verdict_sentence, verdict_words)
from pipeline.spec.claims import Claim
from pipeline.verdicts.error_rates import blind_sets


def chapter(study: Study, topic: str, advice: str = "") -> str:
    """A chapter: its answer, the claims at a glance and one by one, what others found, limits.

    Args:
        study: all that the book shows.
        topic: of the chapter.
        advice: Markdown that follows the answer.
    """
    claims = [claim for claim in study.claims if claim.topic == topic]
    if not claims:
        return "No claim of this chapter is declared.\n"
    lead = answers(study, topic)
    parts = [":::{admonition} In short\n:class: tip\n"
             + " ".join(found["sentence"] for found in lead) + "\n:::\n"] if lead else []
    for found in lead:
        parts.append(f"- {claim_link(found['claim'])}: {sureness(study, found)}"
                     + (f". {capital(effect(study, found))}." if len(counted(found["cells"])) else ""))
    parts += ["", advice, "## All claims of this chapter\n", table(["claim", "verdict"], [
        (claim_link(claim), verdict_words(study.verdict(claim))) for claim in claims])]
    for claim in claims:
        row = study.verdict(claim)
        cells = study.claim_cells(claim)
        parts += [f"## {claim.says.rstrip('.')}\n",
                  f"{verdict_words(row)} {verdict_sentence(claim, row)}\n",
                  f"{prediction(claim)}\n"]
        if claim.checks:
            parts.append(check_table(study, claim.checks))
        elif len(cells):
            drawn = image(study, f"claim-{claim.slug}", forest_alt(cells), cells)
            # A chapter shows the figures of its answers; those of its other claims fold open.
            parts.append(drawn if claim in [found["claim"] for found in lead] else
                         f"::::{{dropdown}} The comparisons, drawn\n{drawn}\n::::\n")
        parts.append(claim_link(claim, "All numbers of this claim") + "\n")
    rows = {row for claim in claims for row in claim.rows}
    swept = sweeps(study, topic)
    if swept:
        parts.append("## Value by value\n\nThe mean test error, with its interval, by the value of a sweep.\n")
    parts += [image(study, name, dose_alt(drawn), drawn, small=drawn["data"].nunique() == 1)
              for name, drawn in swept.items()]
    if topic == "order":
        parts.append(applications_table(study))
    if topic == "old_code":
        parts.append(old_code_table(study))
    return "\n".join([*parts, others(study, rows), limits(study, claims)])


def sweeps(study: Study, topic: str) -> dict[str, pd.DataFrame]:
    """The sweeps that a chapter draws, by the name of the figure: one a list in `sweeps`."""
    found = {}
    for number, names in enumerate(study.answers.get(topic, {}).get("sweeps", ()), 1):
        rows = study.doses[study.doses["experiment"].isin(names)]
        if len(rows):
            found[f"sweep-{topic}-{number}"] = rows
    return found


def applications_table(study: Study) -> str:
    """Where the networks that come with Keras put batch normalisation."""
    rows = [tuple(row) for row in study.applications.itertuples(index=False)]
    if not rows:
        return ""
    return ("## The networks that come with Keras\n\n"
            "Counted layer by layer: what stands directly before and after each batch normalisation, "
            "and whether the layer before it has a bias.\n\n"
            + table(["family", "counted in", "BN layers", "before an activation",
                     "after an activation", "neither", "after a layer without bias", "with bias"], rows))


def old_code_table(study: Study) -> str:
    """What becomes of each feature of the threads' code on today's Keras."""
    rows = [(row["thread"], f"`{row['feature']}`", "yes" if row["works"] else "**no**",
             row["happens"], f"`{row['repair']}`" if isinstance(row["repair"], str) and row["repair"] else "–")
            for row in study.old_code.to_dict("records")]
    if not rows:
        return ""
    return ("## Feature by feature\n\nEach argument, name and path of the threads' code, tried on the "
            "version of Keras that this book uses.\n\n"
            + table(["thread", "feature", "does what it did", "what happens", "shortest repair"], rows))


def limits(study: Study, claims: Sequence[Claim]) -> str:
    """What the answers of a chapter rest on, and what they cannot say."""
    cells = study.cells[study.cells["claim"].isin([claim.slug for claim in claims])]
    if not len(cells):
        return ""
    sets = [name for name in study.params.data if name in set(cells["data"])]
    opened = [claim for claim in claims if study.verdict(claim)["verdict"] == "undecided"]
    text = (f"Measured on {', '.join(sets)}, with the networks named above and no others. "
            f"{len(opened)} of {count(len(claims), 'claim')} stayed undecided.")
    blind = sorted(blind_sets(study.arms) & set(sets)) if len(study.arms) else []
    if blind:
        text += f" On {', '.join(blind)}, “no difference” is never concluded."
    errors = cells[(cells["scale"] == "log ratio") & (cells["metric"] == "error")
                   & (cells["position"] != "uninformative")]
    if len(errors):
        middle = signed(100 * math.expm1(-errors["detectable"].median()), " %")
        text += (f" Half of the comparisons of errors could have found a change of {middle}, or a "
                 "smaller one.")
    return f"## The limits of this answer\n\n{text} See [the limits](/limits.md) of the whole.\n"
