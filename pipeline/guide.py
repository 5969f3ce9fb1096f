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

#: What to do, by the predicted region and the verdict. A claim of “some” has words of its own.
DO = {
    "better": {
        "supported": "**Use it:** it lowers the error.",
        "opposite": "**Leave it out:** it raises the error.",
        "no_effect": "**Leave it out:** it gains nothing that matters.",
        "mixed": "**Try it:** it helps some networks and data, not others.",
        "undecided": "**Optional:** that it helps in general is not shown."},
    "not_better": {
        "supported": "**Leave it out:** it gains nothing that matters.",
        "opposite": "**Use it:** it lowers the error.",
        "no_effect": "**Use it:** it lowers the error.",
        "mixed": "**Try it:** it helps some networks and data, not others.",
        "undecided": "**Optional:** whether it gains anything is open."},
    "not_worse": {
        "supported": "**Allowed:** it does no harm that matters.",
        "opposite": "**Leave it out:** it raises the error.",
        "no_effect": "**Leave it out:** it raises the error.",
        "mixed": "**Careful:** it harms some networks or data, not others.",
        "undecided": "**Open:** that it is harmless in general is not shown."},
    "worse": {
        "supported": "**Avoid it:** it raises the error.",
        "opposite": "**Use it:** it lowers the error.",
        "no_effect": "**Allowed:** it does no harm that matters.",
        "mixed": "**Careful:** it harms some networks or data, not others.",
        "undecided": "**Open:** that it harms in general is not shown."},
    "equivalent": {
        "supported": "**Your choice:** it makes no difference that matters.",
        "opposite": "**Choose with care:** it makes a difference.",
        "no_effect": "**Choose with care:** it makes a difference.",
        "mixed": "**Choose with care:** it makes a difference in some networks or data.",
        "undecided": "**Open:** that it makes no difference is not shown."},
    "differs": {
        "supported": "**Try both:** the choice matters.",
        "opposite": "**Your choice:** it makes no difference that matters.",
        "no_effect": "**Your choice:** it makes no difference that matters.",
        "mixed": "**Try both:** the choice matters in some networks or data.",
        "undecided": "**Open:** that the choice matters is not shown."}}
SOME = {
    "better": {"supported": "**Try it:** it can lower the error."},
    "worse": {"supported": "**Careful:** it can raise the error.",
              "undecided": "**Open:** that it can harm is not shown."},
    "not_worse": {"supported": "**Allowed:** it can do no harm."},
    "not_better": {"supported": "**Optional:** it can gain nothing."},
    "differs": {"supported": "**Try both:** the choice can matter.",
                "undecided": "**Open:** that the choice can matter is not shown."}}
#: The same for a choice between two ways, where these words differ.
INSTEAD = {
    "better": {
        "supported": "**Yes:** it does better.", "opposite": "**No:** it does worse.",
        "no_effect": "**No need:** it does no better by an amount that matters.",
        "mixed": "**Try both:** it does better in some networks and data, not in others.",
        "undecided": "**Either:** that it does better is not shown."},
    "not_worse": {
        "supported": "**Allowed:** it does no worse.", "opposite": "**No:** it does worse.",
        "no_effect": "**No:** it does worse.",
        "mixed": "**Careful:** it does worse in some networks or data, not in others.",
        "undecided": "**Open:** that it does no worse is not shown."},
    "worse": {
        "supported": "**No:** it does worse.", "opposite": "**Yes:** it does better.",
        "no_effect": "**Allowed:** it does no worse by an amount that matters.",
        "mixed": "**Careful:** it does worse in some networks or data, not in others.",
        "undecided": "**Either:** that it does worse is not shown."}}
#: What a reader picks from, by the name of the choice.
FACETS = {"network": "Your network", "activation": "Its activation", "target": "It predicts",
          "samples": "Training samples", "topic": "You ask about"}
SIZES = ((300, "fewer than 300"), (700, "300 to 700"), (float("inf"), "more than 700"))


def advice(study: Study, front: bool = False) -> list[dict]:
    """What book/guide.yaml lists, with what the verdicts say to it.

    Returns:
        One mapping a situation: `situation`, `claim`, its `row` of the verdicts, `do` (a sentence),
        and `cell`, the comparison that tells most (None without results). An entry whose claim is
        not declared is left out.
    """
    claims, found = {claim.slug: claim for claim in study.claims}, []
    for entry in study.guide:
        claim = claims.get(entry["claim"])
        if claim is None or front and not entry.get("front"):
            continue
        row = study.verdict(claim)
        found.append({"situation": entry["situation"], "claim": claim, "row": row,
                      "do": _do(claim, row, entry.get("instead", False)),
                      "cell": pages.telling(study.claim_cells(claim))})
    return found


def _do(claim: Claim, row: Mapping, instead: bool) -> str:
    key, region = pages.outcome(row), claim.predicts.region
    words = DO[region]
    if claim.predicts.quantifier == "some":
        words = words | SOME.get(region, {})
    if instead and not (key == "supported" and claim.predicts.quantifier == "some"):
        words = words | INSTEAD.get(region, {})
    return words.get(key, "Not measured yet.")


# The first page

def front(study: Study) -> str:
    """Situation, what to do, what was found, how sure: a table that stacks on a narrow screen."""
    rows = [(f"[{found['situation']}](/{found['claim'].topic}.md)", found["do"],
             _found(study, found), f"{pages.claim_link(found['claim'], 'claim')}: "
             + pages.sureness(study, found)) for found in advice(study, front=True)]
    return ":::{div} cards answers\n" + pages.table(
        ["situation", "do this", "what was found", "how sure"], rows) + ":::\n" if rows else ""


def _found(study: Study, found: Mapping) -> str:
    """The effect with its interval, in few words."""
    cell = found["cell"]
    if cell is None:
        return "nothing yet"
    interval = f"{100 * (1 - study.rule.alpha):.0f} % interval "
    text = verdicts.sentence(cell, study.rule).replace(interval, "")
    one = found["row"]["D"] == 1
    lead = "" if one else "up to " if cell["position"] in ("for", "against") else "in the middle "
    return f"{lead}{text}, on {cell['data'].replace('_', ' ')}"


def front_cells(study: Study) -> pd.DataFrame:
    """The comparisons of errors that the first page's figure shows; see `figures.answers`."""
    parts = []
    for found in advice(study, front=True):
        cells, cell = study.claim_cells(found["claim"]), found["cell"]
        if cell is None or cell["metric"] != "error" or cell["scale"] != "log ratio":
            continue
        cells = cells[(cells["position"] != "uninformative") & cells["effect"].notna()]
        place = ["treatment", "control", "data"]
        telling = (cells[place] == pd.Series({k: cell[k] for k in place})).all(axis=1)
        parts.append(cells.assign(answer=found["situation"], telling=telling))
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


def _entry(study: Study, found: Mapping) -> str:
    claim, rows = found["claim"], evidence(study, found["claim"])
    topic = _dotted({"topic": pages.question(study, claim.topic)})
    return "\n".join([
        f"### {found['situation']}\n", f"{{.advice {topic}}}",
        f"{found['do']} Found: {_found(study, found)}. {pages.claim_link(claim, 'Claim')}: "
        f"{pages.sureness(study, found)}.\n",
        f":::{{dropdown}} What was compared ({len(rows)})",
        *(f"{{.compared {_dotted(facets)}}}\n{line}\n" for facets, line in rows), ":::\n"])


def evidence(study: Study, claim: Claim) -> list[tuple[dict[str, str], str]]:
    """Each comparison that a claim declares: what a reader picks it by, and what was found."""
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
            rows.append((facets(study, contrast.treatment, data), line + "."))
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
            for name, value in picked.items():
                found[name].append(value)
    lines = [f"- {title}: " + " · ".join(dict.fromkeys(found[name]))
             for name, title in FACETS.items() if found[name]]
    return ":::{div} choices\n" + "\n".join(lines) + "\n:::\n" if lines else ""
