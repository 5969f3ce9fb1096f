"""The first study: its verdicts beside those of this one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from pipeline.book.markdown import claim_link, table
from pipeline.book.rows import records
from pipeline.book.study import Study
from pipeline.book.words.comparison import change
from pipeline.book.words.numbers import count, signed
from pipeline.config.metrics import metric_of

#: How a claim came out this time, in the order in which they are printed, and in a sentence.
SAID = {"as before": "came out as before", "turned": "turned: decided before, and now decided otherwise",
        "open now": "decided before, open now", "decided now": "open before, decided now",
        "depends on the kind of data": "with verdicts that differ between kinds of data",
        "no longer asked": "no longer asked in this form", "being measured": "being measured"}
#: Verdicts that leave a claim open.
OPEN = frozenset({"undecided", "mixed"})


def write(study: Study) -> dict[str, str]:
    """How many claims came out in which way; those that turned; all of them."""
    found = compared(study)
    pieces = {"counts": counts(study, found),
              "turned": rows(one for one in found if one["came out"] in ("turned", "depends on the kind of data")),
              "all": rows(sorted(found, key=lambda one: list(SAID).index(one["came out"])))}
    return {f"generated/first_study/{name}.md": text or "There is none.\n" for name, text in pieces.items()}


def compared(study: Study) -> list[dict]:
    """The first study's claims, each with its claim now, the verdicts of all its groups, and how it came out."""
    claims, found = {claim.slug: claim for claim in study.claims}, []
    for row in records(study.first_study):
        claim = claims.get(row["slug"])
        # A verdict of its own now.
        then = "no effect that matters" if row["way"] == "no effect of that size" else row["verdict"]
        now = study.verdict_rows(claim) if claim else []
        found.append(row | {"claim": claim, "then": then, "now": now, "came out": came_out(then, {one["verdict"] for one in now})})
    return found


def came_out(then: str, now: set[str]) -> str:
    """How a claim came out, by its verdict before and those of all its groups now; none: not asked."""
    if not now:
        return "no longer asked"
    if now & {"being measured", "not measured"}:
        return "being measured"
    if len(now) > 1:
        return "depends on the kind of data"
    if then in OPEN or now <= OPEN:
        return "as before" if then in OPEN and now <= OPEN else "open now" if now <= OPEN else "decided now"
    return "as before" if now == {then} else "turned"


def counts(study: Study, found: list[dict]) -> str:
    """How many claims came out in which way."""
    by_way = Counter(one["came out"] for one in found)
    new = len({claim.slug for claim in study.claims} - {one["slug"] for one in found})
    lines = [f"- {by_way[way]} {text}" for way, text in SAID.items() if by_way[way]]
    lines += [f"- {new} that were not asked then"] if new else []
    return f"Of {count(len(found), 'claim')} of the first study:\n\n" + "\n".join(lines) + "\n"


def rows(some: Iterable[Mapping]) -> str:
    """Claims with both verdicts."""
    return table(["claim", "first study", "its data sets", "its effects", "this study", "came out"], [
        (claim_link(one["claim"]) if one["claim"] else one["says"].rstrip("."), one["then"] + (" (fragile)" if one["fragile"] else ""),
         f"{one['data']} ({one['real']:.0f} of {one['sets']:.0f} real)" if one["data"] else "exact checks",
         effects(one) if one["data"] else "–",
         "; ".join((f"{now['group']}: " if now["group"] else "") + (now["reads"] or now["verdict"]) for now in one["now"]) or "–",
         one["came out"]) for one in some])


def effects(one: Mapping) -> str:
    """The least and the greatest change of the score that the first study found."""
    metric, ratio = metric_of(one["metric"]), one["scale"] in ("log ratio", "median")
    ends = sorted(change(one[end], one["metric"], "log ratio" if ratio else one["scale"]) for end in ("least", "greatest"))
    unit = " %" if ratio else f" {metric.unit}" if metric.unit else ""
    return f"{metric.name}: {' to '.join(dict.fromkeys(map(signed, ends)))}{unit}"
