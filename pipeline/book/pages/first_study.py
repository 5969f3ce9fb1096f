"""The first study: its verdicts beside those of this one, and what the two differ in."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

import pandas as pd

from pipeline.book.first_study import COMMIT, PATIENCE, REAL
from pipeline.book.markdown import claim_link, table
from pipeline.book.rows import records
from pipeline.book.study import Study
from pipeline.book.words.numbers import count, signed
from pipeline.config.metrics import metric_of

SUPPORTED, CONTRADICTED, NO_EFFECT = "supported", "contradicted", "no effect that matters"
#: What the first study called contradicted by no effect of that size is a verdict of its own now.
WAY = "no effect of that size"
#: Verdicts that leave a claim open.
OPEN = frozenset({"undecided", "mixed"})
#: Verdicts of claims that have no result yet.
WAITING = frozenset({"being measured", "not measured"})
#: How a claim came out this time, in the order in which they are printed, and in a sentence.
SAME, TURNED, LOST, WON, SPLIT, GONE, LATER = (
    "as before", "turned", "open now", "decided now", "depends on the kind of data", "no longer asked",
    "being measured")
SAID = {SAME: "came out as before", TURNED: "turned: decided before, and now decided otherwise",
        LOST: "decided before, open now", WON: "open before, decided now",
        SPLIT: "with verdicts that differ between kinds of data", GONE: "no longer asked in this form",
        LATER: "being measured"}
#: Shares of runs further apart than this are called unlike.
UNLIKE = 0.2


def write(study: Study) -> dict[str, str]:
    """The pieces of the page on the first study."""
    pieces = {"source": source(), "rested": rested(study.first_study), "cut": cut(study.first_study),
              "beyond": beyond(study.first_study), "signs": signs(study.first_study),
              "counts": counts(study), "turned": changed(study, (TURNED, SPLIT)),
              "all": changed(study, tuple(SAID))}
    return {f"generated/first_study/{name}.md": text or "There is none.\n" for name, text in pieces.items()}


def source() -> str:
    """Where the first study's numbers come from."""
    return (f"Its results are in this book's history, at commit `{COMMIT[:12]}`; `python -m "
            "pipeline.book.first_study` takes {download}`the table </first_study.csv>` of this page from there.\n")


def rested(first: pd.DataFrame) -> str:
    """On how many data sets, real ones among them, and seeds the claims rested."""
    measured = first[first["sets"].notna()]
    if not len(measured):
        return ""
    few, unreal = int((measured["sets"] <= 2).sum()), int((measured["real"] == 0).sum())
    names = {name for names in measured["data"] for name in names.split(", ")}
    return (f"Of {count(len(measured), 'measured claim')}, {few} rested on one or two data sets, and {unreal} on "
            f"none that is real; {len(names)} data sets, {len(names & REAL)} of them real, served all. Behind each "
            "comparison stood "
            f"{int(measured['seeds'].min())} to {int(measured['seeds'].max())} seeds.\n")


def signs(first: pd.DataFrame) -> str:
    """How often a claim's own comparisons pointed both ways."""
    ratios = first[(first["scale"] == "log ratio") & (first["D"] > 1)]
    if not len(ratios):
        return ""
    both = int(((ratios["least"] < 0) & (ratios["greatest"] > 0)).sum())
    return (f"Of {count(len(ratios), 'claim')} with several comparisons of errors, losses or epochs, {both} had some "
            "that pointed one way and some that pointed the other.\n")


def cut(first: pd.DataFrame) -> str:
    """How many runs a fixed number of epochs cut short."""
    both = first[first["learning_treatment"].notna() & first["learning_control"].notna()]
    if not len(both):
        return ""
    treatment, control = (100 * both[f"learning_{arm}"].mean() for arm in ("treatment", "control"))
    apart = int(((both["learning_treatment"] - both["learning_control"]).abs() > UNLIKE).sum())
    return (f"On average over the claims, {treatment:.0f} % of the runs with the change and {control:.0f} % of those "
            f"without it found their best epoch among the last {PATIENCE}, and so were ended before it was clear that "
            f"they had stopped learning. In {count(apart, 'claim')} these two shares were more than "
            f"{100 * UNLIKE:.0f} points apart.\n")


def beyond(first: pd.DataFrame) -> str:
    """How many claims had finite errors beyond the trivial predictor's."""
    some = first[first["beyond_trivial"] > 0]
    return (f"{count(len(some), 'claim')} had runs whose error was finite and worse than the trivial predictor's.\n"
            if len(first) else "")


def then(row: Mapping) -> str:
    """The first study's verdict in this study's words."""
    return NO_EFFECT if row["verdict"] == CONTRADICTED and row["way"] == WAY else row["verdict"]


def change(before: str, now: Iterable[str]) -> str:
    """How a claim came out, by its verdict before and those of all its groups now; none: not asked."""
    now = set(now)
    if not now:
        return GONE
    if now & WAITING:
        return LATER
    if len(now) > 1:
        return SPLIT
    one = now.pop()
    if one in OPEN:
        return SAME if before in OPEN else LOST
    return WON if before in OPEN else SAME if before == one else TURNED


def compared(study: Study) -> list[dict]:
    """The first study's claims, each with its claim and verdicts now, and how it came out."""
    claims = {claim.slug: claim for claim in study.claims}
    found = []
    for row in records(study.first_study):
        claim = claims.get(row["slug"])
        now = study.verdict_rows(claim) if claim else []
        found.append(row | {"claim": claim, "now": now,
                            "change": change(then(row), (one["verdict"] for one in now))})
    return found


def counts(study: Study) -> str:
    """How many claims came out in which way."""
    found = Counter(row["change"] for row in compared(study))
    lines = [f"- {found[name]} {text}" for name, text in SAID.items() if found[name]]
    new = {claim.slug for claim in study.claims} - set(study.first_study["slug"])
    lines += [f"- {len(new)} that were not asked then"] if new else []
    return f"Of {count(len(study.first_study), 'claim')} of the first study:\n\n" + "\n".join(lines) + "\n"


def changed(study: Study, kinds: Iterable[str]) -> str:
    """The claims that came out in certain ways, with both verdicts."""
    return table(["claim", "first study", "its data sets", "its effects", "this study", "came out"], [
        (claim_link(row["claim"]) if row["claim"] else row["says"].rstrip("."),
         then(row) + (" (fragile)" if row["fragile"] else ""), _sets(row), effects(row),
         _now(row["now"]) or "–", row["change"])
        for row in compared(study) if row["change"] in kinds])


def _sets(row: Mapping) -> str:
    if not row["data"]:
        return "exact checks"
    return f"{row['data']} ({int(row['real'])} of {int(row['sets'])} real)"


def _now(rows: Iterable[Mapping]) -> str:
    """The verdicts now; of strata that differ, each with its name."""
    return "; ".join((f"{row['group']}: " if row["group"] else "") + (row["reads"] or row["verdict"])
                     for row in rows)


def effects(row: Mapping) -> str:
    """The least and the greatest change of the score that the first study found."""
    if not math.isfinite(row["least"]):
        return "–"
    metric = metric_of(row["metric"])
    ratio = row["scale"] in ("log ratio", "median")
    ends = sorted(100 * math.expm1(metric.turn * row[end]) if ratio else metric.turn * metric.factor * row[end]
                  for end in ("least", "greatest"))
    unit = " %" if ratio else f" {metric.unit}" if metric.unit else ""
    texts = list(dict.fromkeys(signed(end) for end in ends))
    return f"{metric.name}: {' to '.join(texts)}{unit}"
