"""Advice by situation: the table and the figure of the first page, and the guide.

book/guide.yaml names situations and the claims that decide them. What to do follows from a claim's
verdict, and where it was tried from its comparisons; nothing else is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from pipeline import figures, pages, verdicts
from pipeline.config import Params
from pipeline.pages import Study
from pipeline.verdicts import Claim

#: What a decided claim says of the change itself, by the predicted region and the verdict. A claim
#: of “some”, and one that is mixed or undecided, says it by its comparisons: see `_meaning`.
MEANS = {
    "better": {"supported": "better", "opposite": "worse", "no_effect": "not better"},
    "worse": {"supported": "worse", "opposite": "better", "no_effect": "not worse"},
    "not_better": {"supported": "not better", "opposite": "better", "no_effect": "better"},
    "not_worse": {"supported": "not worse", "opposite": "worse", "no_effect": "worse"},
    "equivalent": {"supported": "same", "opposite": "differs", "no_effect": "differs"},
    "differs": {"supported": "differs", "opposite": "same", "no_effect": "same"}}
#: What to do, in a word and a sentence: for an addition, and for a choice between two ways.
DO = {
    "better": ("**Do it:** it helps.", "**Yes:** it does better."),
    "all better": ("**Worth a try:** it helped in every case.", "**Worth a try:** it did better in every case."),
    "some better": ("**Worth a try:** it helped in some cases and harmed in none.",
                    "**Worth a try:** it did better in some cases and worse in none."),
    "both": ("**It depends:** it helped in some cases and harmed in others.",
             "**It depends:** it did better in some cases and worse in others."),
    "differs": ("**Compare both:** it makes a difference.", "**Compare both:** the choice matters."),
    "not worse": ("**Harmless:** it does no harm that matters.",
                  "**Harmless:** it is no worse by an amount that matters."),
    "same": ("**As you like:** it makes no difference that matters.",) * 2,
    "open": ("**Open:** no help or harm was seen.", "**Open:** neither was seen to be better."),
    "not better": ("**No need:** it gains nothing that matters.",
                   "**No need:** it is no better by an amount that matters."),
    "some worse": ("**Better not:** it harmed in some cases and helped in none.",
                   "**Better not:** it did worse in some cases and better in none."),
    "all worse": ("**Better not:** it harmed in every case.", "**Better not:** it did worse in every case."),
    "worse": ("**Don't:** it harms.", "**No:** it does worse.")}
#: What a reader picks from, by the name of the choice.
FACETS = {"network": "Your network", "activation": "Its activation", "target": "It predicts",
          "samples": "Training samples", "topic": "You ask about"}
SIZES = ((300, "fewer than 300"), (700, "300 to 700"), (float("inf"), "more than 700"))


def advice(study: Study, front: bool = False) -> list[dict]:
    """What book/guide.yaml lists, with what the verdicts say to it.

    Returns:
        One mapping a situation: `situation`, `claim`, its `row` of the verdicts, its `cells`, and
        `do`, a word and a sentence. An entry whose claim is not declared is left out.
    """
    claims, found = {claim.slug: claim for claim in study.claims}, []
    for entry in study.guide:
        claim = claims.get(entry["claim"])
        if claim is None or front and not entry.get("front"):
            continue
        row, cells = study.verdict(claim), study.claim_cells(claim)
        meaning = _meaning(claim, row, cells)
        found.append({"situation": entry["situation"], "claim": claim, "row": row, "cells": cells,
                      "do": DO[meaning][entry.get("instead", False)] if meaning else
                      "Not measured yet."})
    return found


def _meaning(claim: Claim, row: Mapping, cells: pd.DataFrame) -> str:
    """A key of `DO`: what the verdict says in general, else what the comparisons say; or nothing."""
    outcome = pages.outcome(row)
    if outcome in ("supported", "opposite", "no_effect") and not (
            outcome == "supported" and claim.predicts.quantifier == "some"):
        return MEANS[claim.predicts.region][outcome]
    found = pages.counted(cells)
    if not len(found):
        return ""
    ways = set(found.apply(figures.direction, axis=1))
    if ways in ({"better"}, {"worse"}):
        return f"all {ways.pop()}"
    return {(True, True): "both", (True, False): "some better", (False, True): "some worse",
            (False, False): "open"}["better" in ways, "worse" in ways]


# The first page

def front(study: Study) -> str:
    """The answers in short, how to read them, and a table of them that stacks on a narrow screen.

    The table: situation, what to do, what was found, how sure that is, and what the threads claim.
    """
    found = advice(study, front=True)
    rows = [(f"[{one['situation']}](/{one['claim'].topic}.md)", one["do"], _ends(one["cells"]),
             _counts(one["cells"]), f"{pages.verdict_words(one['row'])} {pages.claim_link(one['claim'])}")
            for one in found]
    if not rows:
        return "No situation of the guide rests on a claim that is declared.\n"
    return (_in_short(found) + _key(study, found) + ":::{div} cards answers\n" + pages.table(
        ["situation", "do this", "change of the test error", "how sure", "the threads' claim"], rows) + ":::\n")


def _in_short(found: list[dict]) -> str:
    """The situations by what to do, and how many of their comparisons are clear."""
    words = list(dict.fromkeys(text.partition(":**")[0] for pair in DO.values() for text in pair))
    groups: dict[str, list[str]] = {word: [] for word in words}
    for one in found:
        if (word := one["do"].partition(":**")[0]) in groups:
            groups[word].append(one["situation"])
    lines = [f"{word}:** " + "; ".join(mine) + ".\n" for word, mine in groups.items() if mine]
    if not lines:
        return ""
    cells = pages.counted(pd.concat([one["cells"] for one in found]))
    known = int(cells.apply(figures.direction, axis=1).isin(["better", "worse"]).sum())
    beyond = int(cells["label"].isin(["better", "worse"]).sum())
    sure = (f"**How sure?** Comparisons behind these lines: {len(cells)}; with a clear direction: {known}; "
            f"beyond the margin, below which a change hardly matters: {beyond}. All networks are small, on "
            f"{cells['data'].nunique()} [data sets](/method.md): compare on your own.\n")
    return ":::{admonition} In short\n:class: tip short\n" + "\n".join([*lines, sure]) + ":::\n\n"


def _key(study: Study, found: list[dict]) -> str:
    """How to read the table of the first page."""
    seeds = sorted({int(n) for one in found for n in one["cells"]["seeds"]})
    many = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}" if seeds else "several"
    return (f"A comparison is one network on one of the [data sets](/method.md), with and without the "
            f"change, {many} seeds each. In brackets: {100 * (1 - study.rule.alpha):.0f} % intervals, for all "
            "comparisons of a row together. *Better*, *worse*: the whole interval is on one side of zero; "
            "*the same*: it lies within the [margin](/method.md), "
            f"{100 * (study.rule.ratio_margin - 1):.0f} % or more where errors are few; *unclear*: neither. "
            "The badge judges what the threads claim, not this advice: undecided means that too few "
            "comparisons lie clearly beyond the margin, mixed that some are for the claim and some "
            "against.\n\n")


def _ends(cells: pd.DataFrame) -> str:
    """The best comparison and the worst, each with its interval and its data set."""
    cells = pages.counted(cells)
    if not len(cells):
        return "nothing yet"
    best, worst = (f"{figures.interval(cell)}, {cell['data'].replace('_', ' ')}"
                   for cell in (cells.iloc[0], cells.iloc[-1]))
    return best if len(cells) == 1 else f"best: {best}<br>worst: {worst}"


def _counts(cells: pd.DataFrame) -> str:
    """In how many comparisons the change was better and worse, and in how many beyond the margin."""
    cells = pages.counted(cells)
    if not len(cells):
        return "no comparison yet"
    ways = cells.apply(figures.direction, axis=1).value_counts()
    parts = []
    for way in ("better", "worse"):
        beyond = int((cells["label"] == way).sum())
        parts.append(f"{way} in {ways.get(way, 0)}" + (f" of {len(cells)}" if way == "better" else "")
                     + (f" ({beyond} beyond the margin)" if beyond else ""))
    return ", ".join(parts + [f"{words} in {ways[way]}" for way, words in (
        ("same", "the same"), ("unclear", "unclear")) if way in ways])


def front_cells(study: Study) -> pd.DataFrame:
    """The comparisons of errors that the first page's figure shows; see `figures.answers`."""
    parts = []
    for found in advice(study, front=True):
        cells = pages.counted(found["cells"])
        if len(cells) and set(cells["metric"]) == {"error"} and set(cells["scale"]) == {"log ratio"}:
            parts.append(cells.assign(answer=found["situation"]))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def front_figure(study: Study) -> str:
    """The figure of the first page."""
    cells = front_cells(study)
    return pages.image(study, "answers", figures.answers_alt(cells), cells, small=True) if len(
        cells) else ""


# The guide

def guide(study: Study) -> str:
    """All advice, each with what it rests on; a script lets a reader pick, and nothing needs it."""
    parts, found = [choices(study)], advice(study)
    for topic in pages.topics(study):
        mine = [one for one in found if one["claim"].topic == topic]
        if mine:
            parts += [f"## {pages.question(study, topic)}\n", *(_entry(study, one) for one in mine)]
    return "\n".join(parts)


def advised(study: Study, topic: str) -> str:
    """The advice of a topic in short, for its chapter; empty if there is none."""
    lines = [f"- {one['situation']}. {one['do']} {_counts(one['cells']).capitalize()}."
             for one in advice(study) if one["claim"].topic == topic]
    return "\n".join(["## What to do\n", *lines, "", "*Better* and *worse*: the whole interval is on one "
                      "side of zero. [The guide](/guide.md) has what each rests on.\n"]) if lines else ""


def _entry(study: Study, found: Mapping) -> str:
    claim, rows = found["claim"], evidence(study, found["claim"])
    topic = _dotted({"topic": pages.question(study, claim.topic)})
    return "\n".join([
        f"### {found['situation']}\n", f"{{.advice {topic}}}",
        f"{found['do']} Measured: {pages.effect(study, found)}. "
        f"{_counts(found['cells']).capitalize()}. "
        f"{pages.claim_link(claim, 'Claim')}: {pages.verdict_words(found['row'])}\n",
        f":::{{dropdown}} What was compared ({len(rows)})",
        *(f"{{.compared {_dotted(facets)}}}\n{line}\n" for facets, line in rows), ":::\n"])


def evidence(study: Study, claim: Claim) -> list[tuple[dict[str, str], str]]:
    """Each comparison that a claim declares: what a reader picks it by, and what was found.

    Its direction, `way`, is among the choices, so that a script can count; "none" where nothing can
    be shown.
    """
    params, cells, rows = study.params, study.claim_cells(claim), []
    for contrast in claim.contrasts:
        new, old = (pages.base(name) for name in (contrast.treatment, contrast.control))
        shared = [d for d in params.data_sets(new) if d in params.data_sets(old)]
        for data in [d for d in claim.data or shared if d in shared]:
            cell = cells[(cells["treatment"] == contrast.treatment)
                         & (cells["control"] == contrast.control) & (cells["data"] == data)]
            line = (f"{pages.experiment_link(study, contrast.treatment)} against "
                    f"{pages.experiment_link(study, contrast.control)} on {data}: ")
            if not len(cell):
                line += "not measured yet"
            elif cell.iloc[0]["position"] == "uninformative":
                line += "cannot show anything"
            else:
                line += f"{verdicts.sentence(cell.iloc[0], study.rule)}, **{cell.iloc[0]['label']}**"
            way = figures.direction(cell.iloc[0]) if line.endswith("**") else "none"
            rows.append((facets(study, contrast.treatment, data) | {"way": way}, line + "."))
    return rows


def facets(study: Study, name: str, data: str) -> dict[str, str]:
    """What a reader picks an experiment's, or a variant's, comparison on a data set by."""
    experiment = study.params.experiments[pages.base(name)]
    found = {"network": network(study.params, pages.base(name))}
    for activation in activations(study.params, pages.base(name))[:1]:
        found["activation"] = activation
    arm = next((arm for plan in study.plans.values() for arm in plan["arms"]
                if arm["data"] == data), None)
    if arm:
        found["target"] = "a class" if arm["classes"] else "a number"
    if data in study.sizes:
        swept = re.search(r"train_fraction=([\d.]+)", name)
        share = float(swept[1]) if swept else experiment.train_fraction or 1
        count = study.sizes[data] * share
        found["samples"] = next(words for limit, words in SIZES if count < limit)
    return found


def classes(params: Params, name: str) -> list[tuple[str, Mapping]]:
    """The Keras class of each layer of an experiment, with its arguments."""
    found = []
    for item in params.experiments[name].layers:
        word, given = (item, {}) if isinstance(item, str) else next(iter(item.items()))
        meant = params.layers.get(word, word)
        cls, own = (meant, {}) if isinstance(meant, str) else next(iter(meant.items()))
        own, given = (v if isinstance(v, dict) else {"activation": v} for v in (own, given))
        found.append((cls, {**own, **given}))
    return found


def network(params: Params, name: str) -> str:
    """What kind of network an experiment has, by its layers."""
    found = [cls for cls, _ in classes(params, name)]
    lstms = sum("LSTM" in cls for cls in found)
    if "Embedding" in found:
        return "text: embedding, Conv1D, LSTM"
    if lstms:
        return "Conv1D and LSTM" if lstms == 1 else "Conv1D and stacked LSTMs"
    return ("Conv2D" if "Conv2D" in found else "Conv1D without LSTM" if "Conv1D" in found else
            "dense layers (MLP)")


def activations(params: Params, name: str) -> list[str]:
    """The activations of an experiment's layers, each once."""
    named = {"relu": "ReLU", "selu": "SELU", "prelu": "PReLU"}
    found = [arguments.get("activation", "") if cls == "Activation" else cls.lower()
             for cls, arguments in classes(params, name) if cls in ("Activation", "PReLU")]
    return list(dict.fromkeys(named.get(word, word) for word in found))


def _dotted(found: Mapping[str, str]) -> str:
    """Choices as attributes of a paragraph; book/_static/guide.js makes the same words."""
    return " ".join(f".{name}--" + re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")
                    for name, value in found.items())


def choices(study: Study) -> str:
    """What a reader can pick, as lists in the order of `FACETS`; a script turns them into menus."""
    found: dict[str, Iterable[str]] = {name: [] for name in FACETS}
    for one in advice(study):
        found["topic"].append(pages.question(study, one["claim"].topic))
        for picked, _ in evidence(study, one["claim"]):
            for name in found.keys() & picked:
                found[name].append(picked[name])
    lines = [f"- {title}: " + " · ".join(dict.fromkeys(found[name]))
             for name, title in FACETS.items() if found[name]]
    return ":::{div} choices\n" + "\n".join(lines) + "\n:::\n" if lines else ""
