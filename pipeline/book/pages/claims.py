"""The ledger: all claims with what the findings say of them; and which verdicts of the second rule turned."""

from collections.abc import Iterable

from pipeline.book.escape import role
from pipeline.book.markdown import changed, claim_link, finding_link, listed, table
from pipeline.book.study import Study
from pipeline.book.words.finding import prediction, reading
from pipeline.config.readings import Claim
from pipeline.tables.stored import records

#: What each verdict of the second rule would read; others said neither.
THEN = {"supported": "agrees", "contradicted": "disagrees", "no effect that matters": "disagrees", "true": "true",
        "false": "false", "undecided": "cannot tell"}
THREADS = {
    "A": ("Batch normalization layer for CNN-LSTM", None),
    "B": ("Where do I call the BatchNormalization function in Keras?",
          "https://stackoverflow.com/questions/34716454/"
          "where-do-i-call-the-batchnormalization-function-in-keras")}


def write(study: Study) -> dict[str, str]:
    """All claims with their readings; a script adds search, filters and sorting to the table."""
    return {"generated/claims.md": ":::{div} cards ledger list-of-claims\n" + table(
        ["claim", "it reads", "why", "findings", "predicted", "topic", "thread", "row", "who says it", "primary"],
        [_row(study, claim) for claim in study.claims]) + ":::\n",
        "generated/turned.md": turned(study)}


def _row(study: Study, claim: Claim) -> tuple:
    letters = " ".join(dict.fromkeys(number[0] for number in claim.rows))
    row = study.reading(claim)
    notes = [row["sentence"], f"Because: {claim.because}" if claim.because else "",
             "The thread's setting is out of reach; this is our analogue of it." if claim.analogue else "",
             *(f"Not as it stood when its runs were stored: {changed(one)}." for one in records(study.changes)
               if (one["kind"], one["name"]) == ("claim", claim.slug))]
    about = ", ".join(finding_link(study, one, str(number)) for number, one in enumerate(study.findings_of[claim.slug], 1))
    return (role("anchor", f"claim-{claim.slug}") + claim.says.rstrip("."), reading(row), " ".join(filter(None, notes)),
            about or ("[exact checks](/mechanics.md)" if claim.checks else "–"), prediction(claim),
            f"[{claim.topic.replace('_', ' ')}](/{claim.topic}.md)", letters, ", ".join(claim.rows), claim.who,
            "primary" if claim.primary else "")


def turned(study: Study) -> str:
    """The claims that read otherwise than their verdicts of the second rule said, and what was changed of them."""
    then: dict[str, list[dict]] = {}
    for row in records(study.second_rule):
        then.setdefault(row["slug"], []).append(row)
    why = {one["slug"]: one for one in study.reworded}
    rows = [(claim_link(claim), "; ".join(row["verdict"] + (f" ({row['group']})" if row["group"] else "") for row in said),
             reading(study.reading(claim)), why[claim.slug]["what"] if claim.slug in why else "the rule alone",
             why[claim.slug]["why"] if claim.slug in why else "–")
            for claim in study.claims if (said := then.get(claim.slug)) and _turned(said, study.reading(claim)["reading"])]
    later = [f"- {row['kind']} {row['name']}: {changed(row)}" for row in records(study.changes)]
    return (table(["claim", "second rule", "now it reads", "what was changed of it", "why"], rows) or "None turned.\n") + listed(
        "\n## What is not as it stood when this rule was first run\n", later)


def _turned(said: Iterable[dict], now: str) -> bool:
    """Whether verdicts, of several strata each its own, do not say what a claim reads now."""
    meant = {THEN.get(row["verdict"], "") for row in said}
    return meant != {now} and not (len(meant) > 1 and now == "mixed")
