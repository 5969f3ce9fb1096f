"""A claim in words: its prediction, its verdict, what that rests on, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from pipeline.book.words.comparison import better, counted, sentence, worse
from pipeline.book.words.numbers import capital, count, span
from pipeline.spec.claims import Claim
from pipeline.spec.metrics import COUNT, Metric, metric_of
from pipeline.spec.tables import TRIVIAL
from pipeline.verdicts.rule import Rule

THREADS = {
    "A": ("Batch normalization layer for CNN-LSTM", None),
    "B": ("Where do I call the BatchNormalization function in Keras?",
          "https://stackoverflow.com/questions/34716454/"
          "where-do-i-call-the-batchnormalization-function-in-keras")}
#: The colour of each verdict's badge.
BADGES = {"supported": "primary", "true": "primary", "contradicted": "warning", "false": "warning",
          "no effect that matters": "info", "undecided": "secondary", "being measured": "light",
          "not measured": "light"}
#: What a region predicts of a score that is higher or lower (`{by}`: by how much at least) …
OF_SIZE = {
    "better": "{name} {better}{by}", "worse": "{name} {worse}{by}",
    "equivalent": "{name} the same, within the margin",
    "not_worse": "{name} not {worse}{by}", "not_better": "{name} not {better}{by}",
    "differs": "{name} different{by}, in either direction",
    "positive": "{name} {better}, however little"}
#: … and of one that is more or fewer of something.
OF_NUMBER = {
    "better": "{better} {name}{by}", "worse": "{worse} {name}{by}",
    "equivalent": "as many {name}, within the margin",
    "not_worse": "not {worse} {name}{by}", "not_better": "not {better} {name}{by}",
    "differs": "{more} or {less} {name}{by}",
    "positive": "{better} {name}, however little the difference"}
QUANTIFIERS = {"generally": "in at least half of the comparisons (and in two, if there are), and against it in none",
               "some": "in at least one comparison", "always": "in every comparison"}
_NAMES = {name.lower(): name for name in (
    "BN", "LSTM", "Conv1D", "Conv2D", "MLP", "ReLU", "SELU", "SE")}


def region(metric: Metric, name: str, baseline: bool = False) -> str:
    """What a region predicts of a score, e.g. "test error lower by more than the margin".

    Args:
        metric: the score; one without a margin is predicted without it.
        name: of the region.
        baseline: whether the score is compared with the trivial predictor's.
    """
    number = metric.more == COUNT["more"]
    by = (f" than the {TRIVIAL} scores" if baseline else "" if metric.margin == "measure" else
          ", by more than the margin" if number else " by more than the margin")
    return (OF_NUMBER if number else OF_SIZE)[name].format(
        name=metric.name, by=by, better=better(metric), worse=worse(metric), more=metric.more,
        less=metric.less)


def prediction(claim: Claim) -> str:
    """What is predicted, how generally, and by whom."""
    if claim.predicts is None:
        return "An identity: it holds exactly, or it does not."
    predicted = region(metric_of(claim.metric), claim.predicts.region, bool(claim.baseline))
    who = ("The thread's prediction" if claim.predicts.by == "thread" else
           "Our prediction, as the thread makes none")
    text = f"{who}: {predicted}, {QUANTIFIERS[claim.predicts.quantifier]}."
    if claim.probe:
        text += " Measured inside the networks while they train, on a few seeds."
    return text + (f" Measured at the {claim.endpoint} epoch." if claim.endpoint != "best" else "")


def verdict_words(row: Mapping) -> str:
    """A verdict with its badge."""
    text = f"{{bdg-{BADGES[row['verdict']]}}}`{row['reads'] or row['verdict']}`"
    return text + (" {bdg-danger-line}`fragile`" if row["fragile"] else "")


def verdict_sentence(claim: Claim, row: Mapping) -> str:
    """How many comparisons the verdict rests on."""
    if row["verdict"] == "not measured":
        return "No stored result decides this claim yet."
    if claim.checks:
        number = len(claim.checks)
        return (f"{count(number, 'exact check')} {'decides' if number == 1 else 'decide'} it; "
                "no statistics are needed.")
    d, f, a = (int(row[k]) for k in "DFA")
    if d == 0:
        return "No comparison can show anything, so nothing is decided."
    sets = f" on {row['scope']}" if row["scope"] else ""
    return (f"{f} of {count(d, 'comparison')}{sets} came out as predicted, {a} did not, "
            f"{d - f - a} stayed open.")


def effect(claim: Claim, cells: pd.DataFrame, rule: Rule) -> str:
    """The best comparison of a claim and the worst, with their intervals, in plain words."""
    cells = counted(cells)
    if not len(cells):
        return "exact" if claim.checks else "–"
    ends = [cells.iloc[0], *([cells.iloc[-1]] if len(cells) > 1 else [])]
    lead = "between " if len(ends) > 1 else ""
    return lead + " and ".join(f"{sentence(cell, rule)} on {cell['data']}" for cell in ends)


def sureness(claim: Claim, row: Mapping, cells: pd.DataFrame) -> str:
    """How sure a verdict is: its words, what it rests on, and whether it is fragile."""
    text = verdict_words(row)
    if claim.checks or not row["D"]:
        return text
    return (f"{text} {int(row['F'])} of {count(int(row['D']), 'comparison')} as predicted, "
            f"{int(row['A'])} against; {span([int(n) for n in cells['seeds']])} seeds each")


def short(slug: str) -> str:
    """A slug as a few words, for lists of links."""
    return capital(" ".join(_NAMES.get(word, word) for word in slug.split("_")))


def threads(rows: Iterable[str]) -> str:
    """The threads that rows of the ledger come from, by name."""
    names = []
    for letter in dict.fromkeys(row[0] for row in rows):
        title, link = THREADS.get(letter, (letter, None))
        names.append(f"[“{title}”]({link})" if link else f"“{title}”")
    return " and ".join(names)
