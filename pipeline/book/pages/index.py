"""The first page."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from pipeline.book.advice import DO, advice, counts
from pipeline.book.figures.answers import answers_alt
from pipeline.book.markdown import claim_link, image, table
from pipeline.book.study import Study, counted
from pipeline.book.words import BADGES, count, direction, interval, verdict_words


def numbers(study: Study) -> dict[str, int]:
    """The counts that pages put into their sentences, by name."""
    found = Counter(study.verdict(claim)["verdict"] for claim in study.claims)
    section = study.params
    return {"claims": len(study.claims), "experiments": len(section.experiments),
            "data_sets": len(section.data), "runs": study.runs,
            "tuning_seeds": section.train.tuning_seeds,
            "confidence": round(100 * (1 - study.rule.alpha)),
            **{name.replace(" ", "_"): found.get(name, 0) for name in BADGES}}


def tally(study: Study) -> str:
    """How many claims came out which way."""
    found = Counter(study.verdict(claim)["verdict"] for claim in study.claims)
    if not found:
        return "No claim is declared.\n"
    whole = count(len(study.claims), "claim")
    parts = [[f"{found[k]} {k}" for k in names if found[k]] for names in (
        [k for k in BADGES if k not in ("true", "false")], ("true", "false"))]
    exact = f"; decided by exact checks: **{', '.join(parts[1])}**" if parts[1] else ""
    return f"Of {whole}: **{', '.join(parts[0]) or 'none'}**{exact}.\n"


def front(study: Study) -> str:
    """The answers in short, how to read them, and a table of them that stacks on a narrow screen.

    The table: situation, what to do, what was found, how sure that is, and what the threads claim.
    """
    found = advice(study, front=True)
    rows = [(f"[{one['situation']}](/{one['claim'].topic}.md)", one["do"], _ends(one["cells"]),
             counts(one["cells"]), f"{verdict_words(one['row'])} {claim_link(one['claim'])}")
            for one in found]
    if not rows:
        return "No situation of the guide rests on a claim that is declared.\n"
    return (_in_short(found) + _key(study, found) + ":::{div} cards answers\n" + table(
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
    cells = counted(pd.concat([one["cells"] for one in found]))
    known = int(cells.apply(direction, axis=1).isin(["better", "worse"]).sum())
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
    cells = counted(cells)
    if not len(cells):
        return "nothing yet"
    best, worst = (f"{interval(cell)}, {cell['data'].replace('_', ' ')}"
                   for cell in (cells.iloc[0], cells.iloc[-1]))
    return best if len(cells) == 1 else f"best: {best}<br>worst: {worst}"


def front_cells(study: Study) -> pd.DataFrame:
    """The comparisons of errors that the first page's figure shows; see `figures.answers`."""
    parts = []
    for found in advice(study, front=True):
        cells = counted(found["cells"])
        if len(cells) and set(cells["metric"]) == {"error"} and set(cells["scale"]) == {"log ratio"}:
            parts.append(cells.assign(answer=found["situation"]))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def front_figure(study: Study) -> str:
    """The figure of the first page."""
    cells = front_cells(study)
    return image(study, "answers", answers_alt(cells), cells, small=True) if len(
        cells) else ""
