"""Advice by situation: what to do follows from a claim's verdict and its comparisons."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from pipeline.book.markdown import experiment_link
from pipeline.book.study import Study, counted, outcome
from pipeline.book.words import direction, sentence
from pipeline.spec.claims import Claim, base
from pipeline.spec.layers import classes
from pipeline.spec.params import Params

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
    came = outcome(row)
    if came in ("supported", "opposite", "no_effect") and not (
            came == "supported" and claim.predicts.quantifier == "some"):
        return MEANS[claim.predicts.region][came]
    found = counted(cells)
    if not len(found):
        return ""
    ways = set(found.apply(direction, axis=1))
    if ways in ({"better"}, {"worse"}):
        return f"all {ways.pop()}"
    return {(True, True): "both", (True, False): "some better", (False, True): "some worse",
            (False, False): "open"}["better" in ways, "worse" in ways]


def counts(cells: pd.DataFrame) -> str:
    """In how many comparisons the change was better and worse, and in how many beyond the margin."""
    cells = counted(cells)
    if not len(cells):
        return "no comparison yet"
    ways = cells.apply(direction, axis=1).value_counts()
    parts = []
    for way in ("better", "worse"):
        beyond = int((cells["label"] == way).sum())
        parts.append(f"{way} in {ways.get(way, 0)}" + (f" of {len(cells)}" if way == "better" else "")
                     + (f" ({beyond} beyond the margin)" if beyond else ""))
    return ", ".join(parts + [f"{words} in {ways[way]}" for way, words in (
        ("same", "the same"), ("unclear", "unclear")) if way in ways])


def advised(study: Study, topic: str) -> str:
    """The advice of a topic in short, for its chapter; empty if there is none."""
    lines = [f"- {one['situation']}. {one['do']} {counts(one['cells']).capitalize()}."
             for one in advice(study) if one["claim"].topic == topic]
    return "\n".join(["## What to do\n", *lines, "", "*Better* and *worse*: the whole interval is on one "
                      "side of zero. [The guide](/guide.md) has what each rests on.\n"]) if lines else ""


def evidence(study: Study, claim: Claim) -> list[tuple[dict[str, str], str]]:
    """Each comparison that a claim declares: what a reader picks it by, and what was found.

    Its direction, `way`, is among the choices, so that a script can count; "none" where nothing can
    be shown.
    """
    params, cells, rows = study.params, study.claim_cells(claim), []
    for contrast in claim.contrasts:
        new, old = (base(name) for name in (contrast.treatment, contrast.control))
        shared = [d for d in params.data_sets(new) if d in params.data_sets(old)]
        for data in [d for d in claim.data or shared if d in shared]:
            cell = cells[(cells["treatment"] == contrast.treatment)
                         & (cells["control"] == contrast.control) & (cells["data"] == data)]
            line = (f"{experiment_link(study, contrast.treatment)} against "
                    f"{experiment_link(study, contrast.control)} on {data}: ")
            if not len(cell):
                line += "not measured yet"
            elif cell.iloc[0]["position"] == "uninformative":
                line += "cannot show anything"
            else:
                line += f"{sentence(cell.iloc[0], study.rule)}, **{cell.iloc[0]['label']}**"
            way = direction(cell.iloc[0]) if line.endswith("**") else "none"
            rows.append((facets(study, contrast.treatment, data) | {"way": way}, line + "."))
    return rows


def facets(study: Study, name: str, data: str) -> dict[str, str]:
    """What a reader picks an experiment's, or a variant's, comparison on a data set by."""
    experiment = study.params.experiments[base(name)]
    found = {"network": network(study.params, base(name))}
    for activation in activations(study.params, base(name))[:1]:
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


def network(params: Params, name: str) -> str:
    """What kind of network an experiment has, by its layers."""
    found = [cls for cls, _ in classes(params.experiments[name].layers, params.layers)]
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
             for cls, arguments in classes(params.experiments[name].layers, params.layers) if cls in ("Activation", "PReLU")]
    return list(dict.fromkeys(named.get(word, word) for word in found))
