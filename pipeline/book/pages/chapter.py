"""A chapter: its answer, what to do, its claims, its sweeps, what others found, its limits."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

from pipeline.book.advice import Do, advice
from pipeline.book.answers import Answer, answers
from pipeline.book.blocks import averages_with_scale, check_table, claim_picture, others, place_picture
from pipeline.book.figures.sweep import dose_alt, dose_response
from pipeline.book.markdown import claim_link, experiment_link, image, table
from pipeline.book.picture import Picture
from pipeline.book.rows import records
from pipeline.book.study import Study
from pipeline.book.words.claim import all_verdicts, prediction, verdict_sentence, verdict_words
from pipeline.book.words.network import put_in
from pipeline.book.words.numbers import capital, count, short
from pipeline.book.words.places import finding
from pipeline.config.claims import Claim
from pipeline.tables.schemas import MEASURED


def write(study: Study) -> dict[str, str | Picture]:
    """Every chapter with its figures; one without a hand-written page gets a whole page."""
    files: dict[str, str | Picture] = {}
    for topic in study.topics:
        files |= {f"figures/{picture.name}": picture for picture in sweeps(study, topic)}
        text = chapter(study, topic)
        if topic in study.written:
            files[f"generated/{topic}.md"] = text
        else:
            files[f"{topic}.md"] = f"# {topic.replace('_', ' ').capitalize()}\n\n{text}"
    return files


def chapter(study: Study, topic: str) -> str:
    """What a chapter says below its introduction."""
    claims = [claim for claim in study.claims if claim.topic == topic]
    if not claims:
        return "No claim of this chapter is declared.\n"
    lead = answers(study, topic)
    shown = {found.claim.slug for found in lead}
    rows = {row for claim in claims for row in claim.rows}
    return "\n".join([
        *_lead(study, lead), "", advised(study, topic, shown), *places(study, topic),
        "## All claims of this chapter\n",
        table(["claim", "verdict"], [(claim_link(claim), all_verdicts(study.verdict_rows(claim)))
                                     for claim in claims]),
        *(part for claim in claims for part in _claim(study, claim, claim.slug in shown)),
        *_swept(study, topic), *(more(study) for more in MORE.get(topic, ())),
        others(study, rows), limits(study, claims)])


def _lead(study: Study, lead: Sequence[Answer]) -> list[str]:
    if not lead:
        return []
    lines = [f"- {claim_link(one.claim)}: {all_verdicts(study.verdict_rows(one.claim))}" for one in lead]
    return [":::{admonition} In short\n:class: tip\n" + "\n\n".join(one.sentence for one in lead)
            + "\n:::\n", *lines]


def advised(study: Study, topic: str, said: Collection[str] = ()) -> str:
    """The advice of a topic in short, in the order of `Do`; empty if there is none.

    Args:
        said: claims that the chapter opens with; they are not said again.
    """
    found = [(one, finding) for one in advice(study, topic=topic) if one.claim.slug not in said
             for finding in one.found]
    lines = [" ".join(filter(None, [
        f"- {one.situation}" + (f" ({finding.group})" if finding.group else "") + f". **{finding.head}.**",
        capital(finding.words) + "." if finding.words else "", finding.note]))
             for do in Do for one, finding in found if finding.do is do]
    return "\n".join([f"## What {'else to' if said else 'to'} do\n", *lines, "",
                      "[The guide](/guide.md) averages over the data that are like yours.\n"]) if lines else ""


def _claim(study: Study, claim: Claim, answers: bool) -> list[str]:
    """A claim with its checks or its figure, which folds open unless the claim answers the chapter."""
    said = [(f"*{capital(row['group'])}.* " if row["group"] else "") + f"{verdict_words(row)} "
            + verdict_sentence(claim, row, _average(study, claim, row["group"])) + "\n"
            for row in study.verdict_rows(claim)]
    parts = [f"## {claim.says.rstrip('.')}\n", *said, f"{prediction(claim)}\n"]
    if claim.checks:
        parts.append(check_table(study, claim.checks))
    elif picture := claim_picture(study, claim):
        drawn = image(study, picture)
        parts.append(drawn if answers else f"::::{{dropdown}} The data sets, drawn\n{drawn}\n::::\n")
    return [*parts, claim_link(claim, "All numbers of this claim") + "\n"]


def _average(study: Study, claim: Claim, group: str) -> dict | None:
    """A claim's average in a group, as `verdict_sentence` reads it."""
    rows = averages_with_scale(study.claim_effects(claim), study.claim_averages(claim))
    return next((row for row in rows if row["group"] == group), None)


def places(study: Study, topic: str) -> list[str]:
    """The experiments that try a layer at every place, with what they found; nothing without a result."""
    lines = []
    for name in study.answers.get(topic, {}).get("places", ()):
        if picture := place_picture(study, name):
            lines += [f"- Where do I put {put_in(study.params.experiments[name])}? "
                      f"{experiment_link(study, name)} tried every place:",
                      *(f"  - {line}" for line in finding(picture.rows, changes=True))]
    return ["## Place by place\n", *lines, "", "The change of the test error, with its interval for all places "
            "together. *May be*: no other place is shown to be better, or worse, than it.\n"] if lines else []


def sweeps(study: Study, topic: str) -> list[Picture]:
    """The sweeps that a chapter draws, one a list in `sweeps`."""
    found = []
    for number, names in enumerate(study.answers.get(topic, {}).get("sweeps", ()), 1):
        rows = study.doses[study.doses["experiment"].isin(names)]
        if len(rows):
            found.append(Picture(f"sweep-{topic}-{number}", rows, dose_response, dose_alt,
                                 small=rows["data"].nunique() == 1))
    return found


def _swept(study: Study, topic: str) -> list[str]:
    drawn = [image(study, picture) for picture in sweeps(study, topic)]
    return ["## Value by value\n\nThe mean test error, with its interval, by the value of a sweep.\n",
            *drawn] if drawn else []


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
    rows = [(row["thread"], f"`{row['feature']}`", "yes" if row["works"] else "**no**",
             row["happens"], f"`{row['repair']}`" if isinstance(row["repair"], str) and row["repair"] else "–")
            for row in records(study.old_code)]
    if not rows:
        return ""
    return ("## Feature by feature\n\nEach argument, name and path of the threads' code, tried on the "
            "version of Keras that this book uses.\n\n"
            + table(["thread", "feature", "does what it did", "what happens", "shortest repair"], rows))


#: What a chapter has besides its claims, from the exact checks.
MORE = {"order": (applications,), "old_code": (old_code,)}


def limits(study: Study, claims: Sequence[Claim]) -> str:
    """What the answers of a chapter rest on, and what they cannot say."""
    slugs = {claim.slug for claim in claims}
    effects = study.effects[study.effects["claim"].isin(slugs)]
    if not len(effects):
        return ""
    measured = set(effects["data"])
    sets = [name for name in study.params.data if name in measured]
    opened = sum(all(row["verdict"] == "undecided" for row in study.verdict_rows(claim)) for claim in claims)
    waiting = sum(study.verdict(claim)["verdict"] == MEASURED for claim in claims)
    text = (f"Measured on {count(len(sets), 'data set')} ({', '.join(name.replace('_', ' ') for name in sets)}), with "
            f"the networks named above and no others. {opened} of {count(len(claims), 'claim')} stayed undecided"
            + (f", {waiting} {'is' if waiting == 1 else 'are'} being measured." if waiting else "."))
    known = set(study.data_sets["data"]) & set(sets)
    if blunt := sorted(known - study.sensitive):
        text += (f" On {', '.join(name.replace('_', ' ') for name in blunt)}, half the data does not raise the error by "
                 "more than the margin: that nothing happens must be shown without them, too.")
    return (f"## The limits of this answer\n\n{text}{_width(study, slugs)} "
            "See [the limits](/limits.md) of the whole.\n")


def _width(study: Study, slugs: set[str]) -> str:
    """How far the averages' intervals reach, in the middle of them."""
    rows = study.averages[study.averages["claim"].isin(slugs) & (study.averages["metric"] == "error")
                          & (study.averages["family"] != "")]
    if not len(rows):
        return ""
    middle = float(np.median((rows["high"].astype(float) - rows["low"].astype(float)) / 2))
    return (f" Half of the averages of errors over a family are known to within {short(100 * math.expm1(middle))} % "
            "or less, either way.")
