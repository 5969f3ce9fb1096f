"""A chapter: its findings, its sweeps, what the threads and others say, its limits."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from pipeline.book.escape import code
from pipeline.book.figures.intervals import intervals, intervals_alt
from pipeline.book.figures.sweep import dose_alt, dose_response
from pipeline.book.markdown import (
    check_table, claim_link, experiment_link, finding_link, findings_table, image, interval_rows, others, render, table)
from pipeline.book.picture import Picture
from pipeline.book.study import Study
from pipeline.book.words.finding import reading
from pipeline.book.words.network import put_in
from pipeline.config.metrics import metric_of
from pipeline.config.readings import Claim
from pipeline.findings.numbers import count, interval
from pipeline.findings.words import FAMILY
from pipeline.tables.stored import records

#: So many findings open a chapter, and so many rows are drawn.
LEAD, DRAWN = 5, 24


def write(study: Study) -> dict[str, str | Picture]:
    """Every chapter with its figures; one without a hand-written page gets a whole page."""
    files: dict[str, str | Picture] = {}
    for topic in study.topics:
        drawn = figure(study, topic)
        files |= {f"figures/{picture.name}": picture for picture in (*sweeps(study, topic), *drawn)}
        text = chapter(study, topic, drawn)
        if topic in study.written:
            files[f"generated/{topic}.md"] = text
        else:
            files[f"{topic}.md"] = f"# {topic.replace('_', ' ').capitalize()}\n\n{text}"
    return files


def chapter(study: Study, topic: str, drawn: Sequence[Picture]) -> str:
    """What a chapter says below its introduction."""
    claims, found = [claim for claim in study.claims if claim.topic == topic], about(study, topic)
    if not claims and not found:
        return "No claim of this chapter is declared.\n"
    checks, swept = [name for claim in claims for name in claim.checks], [image(study, one) for one in sweeps(study, topic)]
    return render(
        "chapter", lead=list(_lead(study, found)), table=findings_table(study, found),
        drawn="".join(image(study, one) for one in drawn), places=places(study, topic), swept="\n".join(swept),
        checks=f"## Exact checks\n\n{check_table(study, checks)}" if checks else "",
        more="".join(more(study) for more in MORE.get(topic, ())),
        claims=table(["claim", "who says it", "it reads", "why"], [
            (claim_link(one), one.who, reading(study.reading(one)), study.reading(one)["sentence"]) for one in claims]),
        others=others(study, {row for claim in claims for row in claim.rows}), limits=limits(study, found, claims))


def about(study: Study, topic: str) -> list[str]:
    """The findings of a chapter: those that primary claims are about first, then those of the others."""
    claims = sorted((one for one in study.claims if one.topic == topic), key=lambda one: not one.primary)
    asked = [name for claim in claims for name in study.findings_of[claim.slug]]
    return list(dict.fromkeys([*asked, *(name for name, other in study.topic_of.items() if other == topic)]))


def _lead(study: Study, found: Sequence[str]) -> Iterator[str]:
    """The sentences of the first findings, all strata of a finding together; those about families come first."""
    for name in sorted(found, key=lambda name: study.found[name][0]["scope"] != FAMILY)[:LEAD]:
        yield f"**{finding_link(study, name)}**: " + " ".join(row["sentence"] for row in study.strata(name))


def figure(study: Study, topic: str) -> list[Picture]:
    """The greatest effects of a chapter, drawn; nothing without any."""
    rows = interval_rows(row for name in about(study, topic) for row in study.strata(name))
    rows = rows[rows["metric"] == "error"]
    rows = rows.loc[rows["effect"].abs().sort_values(ascending=False, kind="stable").index[:DRAWN]]
    return [Picture(f"findings-{topic}", rows, intervals, intervals_alt)] if len(rows) else []


def places(study: Study, topic: str) -> str:
    """The experiments that try a layer at every place, and what was found there; nothing without a result."""
    parts = []
    for name in study.answers.get(topic, {}).get("places", ()):
        rows = records(study.places[study.places["experiment"] == name])
        if rows:
            parts += [f"{put_in(study.params.experiments[name])} at every place, one at a time "
                      f"({experiment_link(study, name)}):\n",
                      table(["place", "on", "change, with the interval for all places together", "it may be"], [
                          (finding_link(study, row["id"], row["place"]), row["stratum"],
                           interval([row[end] for end in ("effect", "low", "high")], metric_of("error")),
                           " and ".join(word for word in ("best", "worst") if row[f"may_be_{word}"]) or "neither")
                          for row in rows if math.isfinite(row["effect"])])]
    return "\n".join(["## Place by place\n", *parts, "*It may be* best as long as no other place is shown to be better, and "
                      "worst as long as none is shown to be worse.\n"]) if parts else ""


def sweeps(study: Study, topic: str) -> list[Picture]:
    """The sweeps that a chapter draws, one a list in `sweeps`."""
    found = []
    for number, names in enumerate(study.answers.get(topic, {}).get("sweeps", ()), 1):
        rows = study.doses[study.doses["experiment"].isin(names)]
        if len(rows):
            found.append(Picture(f"sweep-{topic}-{number}", rows, dose_response, dose_alt, small=rows["data"].nunique() == 1))
    return found


def applications(study: Study) -> str:
    """Where the networks that come with Keras put batch normalisation."""
    rows = [tuple(row) for row in study.applications.itertuples(index=False)]
    if not rows:
        return ""
    return ("## The networks that come with Keras\n\n"
            "Counted layer by layer: what stands directly before and after each batch normalisation, "
            "and whether the layer before it has a bias.\n\n"
            + table(["family", "counted in", "BN layers", "before an activation",
                     "after an activation", "neither", "after a layer without bias", "with bias"], rows))


def old_code(study: Study) -> str:
    """What becomes of each feature of the threads' code on today's Keras."""
    rows = [(row["thread"], code(row["feature"]), "yes" if row["works"] else "**no**",
             row["happens"], code(row["repair"]) if isinstance(row["repair"], str) and row["repair"] else "–")
            for row in records(study.old_code)]
    if not rows:
        return ""
    return ("## Feature by feature\n\nEach argument, name and path of the threads' code, tried on the "
            "version of Keras that this book uses.\n\n"
            + table(["thread", "feature", "does what it did", "what happens", "shortest repair"], rows))


#: What a chapter has besides its findings, from the exact checks.
MORE = {"order": (applications,), "old_code": (old_code,)}


def limits(study: Study, found: Sequence[str], claims: Sequence[Claim]) -> str:
    """What the findings of a chapter rest on, and what they cannot say."""
    sets = pd.concat([study.rows_of("sets", name) for name in found]) if found else study.sets.iloc[:0]
    if not len(sets):
        return ""
    measured = set(sets["data"])
    names = [name for name in study.params.data if name in measured]
    open_, waiting = (sum(study.reading(one)["reading"] == word for one in claims) for word in ("cannot tell", "being measured"))
    text = (f"Measured on {count(len(names), 'data set')} ({', '.join(name.replace('_', ' ') for name in names)}), with "
            f"the networks named above and no others. Of {count(len(claims), 'claim')}, {open_} cannot be told"
            + (f", {waiting} {'is' if waiting == 1 else 'are'} being measured." if waiting else "."))
    known = study.data_sets[study.data_sets["data"].isin(names)]
    if dull := sorted(set(known["data"]) - set(known.loc[known["reacts"].astype(bool), "data"])):
        text += f" Half the data makes no difference on {', '.join(name.replace('_', ' ') for name in dull)}."
    rows = [row for name in found for row in study.strata(name) if row["scope"] == FAMILY and row["metric"] == "error"]
    if rows:
        width = float(np.median([(row["high"] - row["low"]) / 2 for row in rows]))
        text += f" Half of the averages are known to within {100 * math.expm1(width):.1f}\u00a0% or less, either way."
    return f"## The limits of this chapter\n\n{text} See [the limits](/limits.md) of the whole.\n"
