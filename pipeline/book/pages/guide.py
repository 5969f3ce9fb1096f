"""The guide: advice that a reader picks from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipeline.book.advice import Advice, Compared, advice, evidence, tally
from pipeline.book.facets import FACETS, facets
from pipeline.book.markdown import claim_link, experiment_link
from pipeline.book.study import Study
from pipeline.book.words.advice import tally_words, to_do
from pipeline.book.words.claim import effect, verdict_words
from pipeline.book.words.comparison import sentence


def write(study: Study) -> dict[str, str]:
    """All advice, each with what it rests on; a script lets a reader pick, and nothing needs it."""
    found = [(one, [(compared, facets(study, compared.treatment, compared.data))
                    for compared in evidence(study, one.claim)]) for one in advice(study)]
    parts = [choices(study, found)]
    for topic in study.topics:
        mine = [entry(study, *one) for one in found if one[0].claim.topic == topic]
        parts += [f"## {study.question(topic)}\n", *mine] if mine else []
    if not found:
        parts = ["No situation of the guide rests on a claim that is declared.\n"]
    return {"generated/guide.md": "\n".join(parts)}


def entry(study: Study, one: Advice, rows: Sequence[tuple[Compared, Mapping[str, str]]]) -> str:
    """A piece of advice and, folded, the comparisons that it rests on with what each is picked by."""
    topic = dotted({"topic": study.question(one.claim.topic)})
    return "\n".join([
        f"### {one.situation}\n", f"{{.advice {topic}}}",
        f"{to_do(one)} Measured: {effect(one.claim, one.cells, study.rule)}. "
        f"{tally_words(tally(one.cells)).capitalize()}. "
        f"{claim_link(one.claim, 'Claim')}: {verdict_words(one.row)}\n",
        f":::{{dropdown}} What was compared ({len(rows)})",
        *(f"{{.compared {dotted(found | {'way': compared.way or 'none'})}}}\n{line(study, compared)}\n"
          for compared, found in rows), ":::\n"])


def line(study: Study, compared: Compared) -> str:
    """A comparison and what was found."""
    if compared.cell is None:
        found = "not measured yet"
    elif not compared.shows:
        found = "cannot show anything"
    else:
        found = f"{sentence(compared.cell, study.rule)}, **{compared.cell['label']}**"
    return (f"{experiment_link(study, compared.treatment)} against "
            f"{experiment_link(study, compared.control)} on {compared.data}: {found}.")


def dotted(found: Mapping[str, str]) -> str:
    """Choices as attributes of a paragraph; book/_static/guide.js makes the same words."""
    return " ".join(f".{name}--" + re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")
                    for name, value in found.items())


def choices(study: Study, found: Sequence[tuple[Advice, Sequence]]) -> str:
    """What a reader can pick, as lists in the order of `FACETS`; a script turns them into menus."""
    values = {name: [] for name in FACETS}
    for one, rows in found:
        values["topic"].append(study.question(one.claim.topic))
        for _, picked in rows:
            for name, value in picked.items():
                values[name].append(value)
    lines = [f"- {title}: " + " · ".join(dict.fromkeys(values[name]))
             for name, title in FACETS.items() if values[name]]
    return ":::{div} choices\n" + "\n".join(lines) + "\n:::\n" if lines else ""
