"""The page of a claim."""

from __future__ import annotations

from pipeline.book.blocks import cell_table, check_table, claim_picture, guards, others
from pipeline.book.markdown import experiment_link, image, record_link, table
from pipeline.book.picture import Picture
from pipeline.book.study import Study
from pipeline.book.words.claim import prediction, threads, verdict_sentence, verdict_words
from pipeline.book.words.network import chain
from pipeline.book.words.numbers import capital
from pipeline.spec.claims import Claim


def write(study: Study) -> dict[str, str | Picture]:
    """Every claim's page and its figure."""
    files: dict[str, str | Picture] = {}
    for claim in study.claims:
        files[f"claims/{claim.slug}.md"] = page(study, claim)
        if picture := claim_picture(study, claim):
            files[f"figures/{picture.name}"] = picture
    return files


def page(study: Study, claim: Claim) -> str:
    """All that decides a claim: who says it, what it predicts, what was measured, where that comes from."""
    row = study.verdict(claim)
    return "\n".join([
        f"({claim.slug})=\n# {claim.says.rstrip('.')}\n",
        f":::{{admonition}} Verdict\n:class: tip\n{verdict_words(row)} {verdict_sentence(claim, row)}\n:::\n",
        f"**Who says it.** {capital(claim.who)}; row {', '.join(claim.rows)} of the ledger, "
        f"from {threads(claim.rows)}.\n",
        f"**Prediction.** {prediction(claim)}\n", *_reasons(claim), *_measured(study, claim),
        others(study, claim.rows), *_sources(study, claim),
        "[All claims](/claims.md) · [How a verdict is reached](/method.md)\n"])


def _reasons(claim: Claim) -> list[str]:
    parts = []
    if claim.because and claim.checks:
        parts.append(f"**Note.** {claim.because}\n")
    elif claim.because:
        parts.append(f"**Because.** {claim.because} The verdict is on the statement, not on its reason.\n")
    if claim.analogue:
        parts.append("The setting of the thread is out of reach; this is our analogue of it.\n")
    return parts


def _measured(study: Study, claim: Claim) -> list[str]:
    """The exact checks of an identity, else the comparisons."""
    if claim.checks:
        return ["## The checks\n", check_table(study, claim.checks) or "None is stored yet.\n",
                "See [the exact checks](/mechanics.md).\n"]
    picture, cells = claim_picture(study, claim), study.claim_cells(claim)
    if not picture:
        return []
    return ["## What was measured\n", image(study, picture), cell_table(study, cells),
            "*Detectable*: the smallest true change that is found with a chance of "
            f"{100 * study.rule.power:.0f} %.\n", guards(cells), robustness(study, claim)]


def robustness(study: Study, claim: Claim) -> str:
    """The verdict again under other choices."""
    if claim.probe:
        return ("## Would other choices change it?\n\nA measure has no margin, and was taken at the "
                "chosen learning rate alone: there is no other choice to decide it by.\n")
    mine = study.robustness[(study.robustness["claim"] == claim.slug) & (study.robustness["verdict"] != "")]
    if not len(mine):
        return ""
    return ("## Would other choices change it?\n\n"
            + table(["as decided", *mine["change"]], [[study.verdict(claim)["verdict"], *mine["verdict"]]]))


def _sources(study: Study, claim: Claim) -> list[str]:
    """The experiments that decide a claim, with their networks and records."""
    rows = [(experiment_link(study, name), chain(study.params.experiments[name]), record_link(study, name))
            for name in claim.experiments if name in study.params.experiments]
    return ["## Where it comes from\n", table(["experiment", "layers", ""], rows)] if claim.experiments else []
