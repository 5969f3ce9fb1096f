"""The guide: advice that a reader picks from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pipeline.book.advice import advice, evidence
from pipeline.book.markdown import claim_link
from pipeline.book.pages.index import counts
from pipeline.book.study import Study, topics
from pipeline.book.words import effect, question, verdict_words

#: What a reader picks from, by the name of the choice.
FACETS = {"network": "Your network", "activation": "Its activation", "target": "It predicts",
          "samples": "Training samples", "topic": "You ask about"}


def guide(study: Study) -> str:
    """All advice, each with what it rests on; a script lets a reader pick, and nothing needs it."""
    parts, found = [choices(study)], advice(study)
    for topic in topics(study):
        mine = [one for one in found if one["claim"].topic == topic]
        if mine:
            parts += [f"## {question(study, topic)}\n", *(_entry(study, one) for one in mine)]
    return "\n".join(parts)


def _entry(study: Study, found: Mapping) -> str:
    claim, rows = found["claim"], evidence(study, found["claim"])
    topic = _dotted({"topic": question(study, claim.topic)})
    return "\n".join([
        f"### {found['situation']}\n", f"{{.advice {topic}}}",
        f"{found['do']} Measured: {effect(study, found)}. "
        f"{counts(found['cells']).capitalize()}. "
        f"{claim_link(claim, 'Claim')}: {verdict_words(found['row'])}\n",
        f":::{{dropdown}} What was compared ({len(rows)})",
        *(f"{{.compared {_dotted(facets)}}}\n{line}\n" for facets, line in rows), ":::\n"])


def _dotted(found: Mapping[str, str]) -> str:
    """Choices as attributes of a paragraph; book/_static/guide.js makes the same words."""
    return " ".join(f".{name}--" + re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")
                    for name, value in found.items())


def choices(study: Study) -> str:
    """What a reader can pick, as lists in the order of `FACETS`; a script turns them into menus."""
    found: dict[str, Iterable[str]] = {name: [] for name in FACETS}
    for one in advice(study):
        found["topic"].append(question(study, one["claim"].topic))
        for picked, _ in evidence(study, one["claim"]):
            for name in found.keys() & picked:
                found[name].append(picked[name])
    lines = [f"- {title}: " + " · ".join(dict.fromkeys(found[name]))
             for name, title in FACETS.items() if found[name]]
    return ":::{div} choices\n" + "\n".join(lines) + "\n:::\n" if lines else ""
