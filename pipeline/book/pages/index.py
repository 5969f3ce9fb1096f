"""The first page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from pipeline.book.advice import Advice, advice, tally
from pipeline.book.figures.answers import answers, answers_alt
from pipeline.book.markdown import claim_link, image, table
from pipeline.book.picture import Picture
from pipeline.book.study import Study
from pipeline.book.words.advice import DO, do, tally_words, to_do
from pipeline.book.words.claim import BADGES, verdict_words
from pipeline.book.words.comparison import Way, counted, interval
from pipeline.book.words.numbers import count, span


def write(study: Study) -> dict[str, str | Picture]:
    """What the first page includes: the answers, their figure, and how many claims came out which way."""
    found = advice(study, front=True)
    cells = drawn(found)
    picture = Picture("answers", cells, answers, answers_alt, small=True)
    shown = {"figures/answers": picture} if len(cells) else {}
    return shown | {
        "generated/index/answers.md": front(study, found),
        "generated/index/figure.md": (image(study, picture) if shown else "") + "\n" + verdicts(study)}


def front(study: Study, found: Sequence[Advice]) -> str:
    """The answers in short, how to read them, and a table of them that stacks on a narrow screen.

    The table: situation, what to do, what was found, how sure that is, and what the threads claim.
    """
    rows = [(f"[{one.situation}](/{one.claim.topic}.md)", to_do(one), ends(one.cells),
             tally_words(tally(one.cells)), f"{verdict_words(one.row)} {claim_link(one.claim)}")
            for one in found]
    if not rows:
        return "No situation of the guide rests on a claim that is declared.\n"
    return (in_short(found) + _key(study, found) + ":::{div} cards answers\n" + table(
        ["situation", "do this", "change of the test error", "how sure", "the threads' claim"], rows) + ":::\n")


def in_short(found: Sequence[Advice]) -> str:
    """The situations by what to do, and how many of their comparisons are clear."""
    groups: dict[str, list[str]] = {one.word: [] for pair in DO.values() for one in pair}
    for one in found:
        if what := do(one):
            groups[what.word].append(one.situation)
    lines = [f"**{word}:** " + "; ".join(mine) + ".\n" for word, mine in groups.items() if mine]
    if not lines:
        return ""
    cells = counted(pd.concat([one.cells for one in found]))
    counts = tally(cells)
    known, beyond = (sum(number[way] for way in (Way.BETTER, Way.WORSE))
                     for number in (counts.ways, counts.beyond))
    sure = (f"**How sure?** Comparisons behind these lines: {counts.whole}; with a clear direction: {known}; "
            f"beyond the margin, below which a change hardly matters: {beyond}. All networks are small, on "
            f"{cells['data'].nunique()} [data sets](/method.md): compare on your own.\n")
    return ":::{admonition} In short\n:class: tip short\n" + "\n".join([*lines, sure]) + ":::\n\n"


def _key(study: Study, found: Sequence[Advice]) -> str:
    """How to read the table of the first page."""
    seeds = [int(n) for one in found for n in one.cells["seeds"]]
    return (f"A comparison is one network on one of the [data sets](/method.md), with and without the "
            f"change, {span(seeds) if seeds else 'several'} seeds each. In brackets: "
            f"{100 * (1 - study.rule.alpha):.0f} % intervals, for all "
            "comparisons of a row together. *Better*, *worse*: the whole interval is on one side of zero; "
            "*the same*: it lies within the [margin](/method.md), "
            f"{100 * (study.rule.ratio_margin - 1):.0f} % or more where errors are few; *unclear*: neither. "
            "The badge judges what the threads claim, not this advice: undecided means that too few "
            "comparisons lie clearly beyond the margin, mixed that some are for the claim and some "
            "against.\n\n")


def ends(cells: pd.DataFrame) -> str:
    """The best comparison and the worst, each with its interval and its data set."""
    cells = counted(cells)
    if not len(cells):
        return "nothing yet"
    best, worst = (f"{interval(cell)}, {cell['data'].replace('_', ' ')}"
                   for cell in (cells.iloc[0], cells.iloc[-1]))
    return best if len(cells) == 1 else f"best: {best}<br>worst: {worst}"


def drawn(found: Sequence[Advice]) -> pd.DataFrame:
    """The comparisons of errors that the first page's figure shows; see `figures.answers`."""
    parts = [cells.assign(answer=one.situation) for one in found
             if len(cells := counted(one.cells)) and set(cells["metric"]) == {"error"}
             and set(cells["scale"]) == {"log ratio"}]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def verdicts(study: Study) -> str:
    """How many claims came out which way."""
    found = Counter(study.verdict(claim)["verdict"] for claim in study.claims)
    if not found:
        return "No claim is declared.\n"
    parts = [[f"{found[k]} {k}" for k in names if found[k]] for names in (
        [k for k in BADGES if k not in ("true", "false")], ("true", "false"))]
    exact = f"; decided by exact checks: **{', '.join(parts[1])}**" if parts[1] else ""
    return f"Of {count(len(study.claims), 'claim')}: **{', '.join(parts[0]) or 'none'}**{exact}.\n"
