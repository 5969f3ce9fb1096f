"""The guide: averages over the data sets that are like a reader's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from scipy import stats

from pipeline.book.advice import Advice, Finding, advice
from pipeline.book.facets import FACETS, asked, choices, facets
from pipeline.book.markdown import claim_link, table
from pipeline.book.rows import records
from pipeline.book.study import Study
from pipeline.book.words.average import unit_of
from pipeline.book.words.claim import verdict_words
from pipeline.book.words.comparison import RATIOS, change
from pipeline.book.words.numbers import capital, signed
from pipeline.tables.stored import significant
from pipeline.config.metrics import metric_of

#: Degrees of freedom of which the page knows the quantiles of the t distribution.
FREEDOMS = 60
#: Fewer sets than these are too few to lean on, and the page says so.
FEW = 5


def write(study: Study) -> dict[str, str]:
    """All advice with the average over all sets; a script averages over those that a reader picks."""
    found = advice(study)
    if not found:
        return {"generated/guide.md": "No situation of the guide rests on a claim that is declared.\n"}
    parts = [menus(study, found), numbers(study, found)]
    for topic in study.topics:
        mine = [entry(study, one) for one in found if one.claim.topic == topic]
        parts += [f"## {study.question(topic)}\n", *mine] if mine else []
    return {"generated/guide.md": "\n".join(parts)}


def entry(study: Study, one: Advice) -> str:
    """A situation: what was found over all sets and, folded, what was found on each."""
    parts = [f"### {one.situation}\n"]
    for finding in one.found:
        where = f"*{finding.group.capitalize()}.* " if finding.group else ""
        parts.append(f"{{.advice {dotted(asked(study, one.claim) | {'finding': key(finding)})}}}\n{where}**{finding.head}.** "
                     + (f"{capital(finding.words)}. " if finding.words else "") + f"{finding.note} ".lstrip()
                     + f"{claim_link(one.claim, 'Claim')}: {verdict_words(finding.verdict)}\n")
    rows = [row for finding in one.found for row in _rows(study, finding)]
    if not rows:
        return "\n".join(parts)
    return "\n".join([*parts, f":::{{dropdown}} On each data set ({len(rows)})\n",
                      table(["data set", "change", "what it is like"], rows) + ":::\n"])


def _rows(study: Study, finding: Finding) -> list[tuple[str, ...]]:
    """The units of a finding: its sets, the change with its interval, what the sets are like."""
    units = finding.units.sort_values("y", ascending=False, kind="stable")
    return [(unit["sets"].replace("_", " "), _interval(finding, unit),
             ", ".join(f"{FACETS[name].lower()}: {value}" for name, value in
                       facets(study, unit["sets"].split(", ")[0]).items()) or "–")
            for unit in records(units)]


def _interval(finding: Finding, unit: Mapping) -> str:
    average = finding.average
    middle, *ends = (change(unit[name], average["metric"], average["scale"]) for name in ("y", "low", "high"))
    low, high = sorted(ends)
    return f"{signed(middle, unit_of(average))} ({signed(low)} to {signed(high, unit_of(average))})"


def dotted(found: Mapping[str, str]) -> str:
    """Choices as attributes of a paragraph; book/_static/guide.js makes the same words."""
    return " ".join(f".{name}--{word(value)}" for name, value in found.items())


def key(finding: Finding) -> str:
    """What the script finds a finding's numbers by."""
    return word(f"{finding.claim.slug} {finding.group}")


def word(value: str) -> str:
    """A choice as a word that a style sheet can name."""
    return re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")


def menus(study: Study, found: Sequence[Advice]) -> str:
    """What a reader can pick, as lists in the order of `FACETS`; a script turns them into menus."""
    values: dict[str, list[str]] = {name: [] for name in FACETS}
    for one in found:
        for name, value in asked(study, one.claim).items():
            values[name].append(value)
        for data in _data(one):
            for name, value in facets(study, data).items():
                values[name].append(value)
    ordered = {name: sorted(set(some), key=choices()[name].index) if name in choices() else list(dict.fromkeys(some))
               for name, some in values.items()}
    lines = [f"- {title}: " + " · ".join(ordered[name]) for name, title in FACETS.items() if ordered[name]]
    return ":::{div} choices\n" + "\n".join(lines) + "\n:::\n"


def _data(one: Advice) -> list[str]:
    return list(dict.fromkeys(name for finding in one.found for sets in finding.units["sets"]
                              for name in sets.split(", ")))


def numbers(study: Study, found: Sequence[Advice]) -> str:
    """What the script averages, as JSON: quantiles, what sets are like, and the effects of each finding.

    A finding's effects are averaged within each data set over its contrasts; the script averages the
    sets of a unit, then the units.
    """
    rule = study.rule
    quantiles = {name: [significant(float(stats.t.isf(tail, freedom))) for freedom in range(1, FREEDOMS + 1)]
                 for name, tail in (("interval", rule.tail), ("range", (1 - rule.range_share) / 2))}
    sets = {data: {"like": {name: word(value) for name, value in facets(study, data).items()},
                   "unit": study.params.data[data].unit or data, "stratum": study.params.data[data].stratum}
            for one in found for data in _data(one)}
    content = {"few": FEW, "quantiles": quantiles, "sets": sets,
               "findings": {
                   key(finding): _numbers(study, finding) for one in found for finding in one.found}}
    # No text of it may end the script.
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f"```{{raw}} html\n<script type=\"application/json\" id=\"guide-numbers\">{text}</script>\n```\n"


def _numbers(study: Study, finding: Finding) -> dict:
    if finding.average is None:
        return {"effects": {}}
    average = finding.average
    metric = metric_of(average["metric"])
    effects = study.claim_effects(finding.claim)
    effects = effects[effects["unit"].isin(list(finding.units["unit"]))]
    return {"family": bool(average["family"]), "ratio": average["scale"] in RATIOS, "turn": metric.turn,
            "factor": metric.factor, "unit": unit_of(average),
            "name": "error" if average["metric"] == "error" else metric.score, "effects": {
                data: significant(float(y)) for data, y in effects.groupby("data", sort=False)["y"].mean().items()}}
