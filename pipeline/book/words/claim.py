"""A claim in words: its prediction, its verdict, and what that rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipeline.book.words.average import finding
from pipeline.book.words.comparison import better, worse
from pipeline.book.words.numbers import capital, count
from pipeline.config.claims import Claim
from pipeline.config.metrics import COUNT, Metric, metric_of
from pipeline.tables.schemas import MEASURED, TRIVIAL

THREADS = {
    "A": ("Batch normalization layer for CNN-LSTM", None),
    "B": ("Where do I call the BatchNormalization function in Keras?",
          "https://stackoverflow.com/questions/34716454/"
          "where-do-i-call-the-batchnormalization-function-in-keras")}
#: The colour of each verdict's badge.
BADGES = {"supported": "primary", "true": "primary", "contradicted": "warning", "false": "warning",
          "no effect that matters": "info", "undecided": "secondary", MEASURED: "light",
          "not measured": "light"}
#: What a region predicts of a score that is higher or lower (`{by}`: by how much at least) …
OF_SIZE = {
    "better": "{name} {better}{by}", "worse": "{name} {worse}{by}",
    "equivalent": "{name} the same, within the margin",
    "not_worse": "{name} not {worse}{beyond}", "not_better": "{name} not {better}{beyond}",
    "differs": "{name} different{by}, in either direction",
    "positive": "{name} {better}{by}"}
#: … and of one that is more or fewer of something.
OF_NUMBER = {
    "better": "{better} {name}{by}", "worse": "{worse} {name}{by}",
    "equivalent": "as many {name}, within the margin",
    "not_worse": "not {worse} {name}{beyond}", "not_better": "not {better} {name}{beyond}",
    "differs": "{more} or {less} {name}{by}",
    "positive": "{better} {name}{by}"}
QUANTIFIERS = {"generally": "on average over {where}", "some": "on at least one of {where}",
               "always": "on every one of {where}"}
_NAMES = {name.lower(): name for name in (
    "BN", "LSTM", "Conv1D", "Conv2D", "MLP", "ReLU", "SELU", "SE")}


def region(metric: Metric, name: str, some: bool = False, baseline: bool = False) -> str:
    """What a region predicts of a score, e.g. "test error not higher by more than the margin".

    Args:
        metric: the score; one without a margin is predicted without it.
        name: of the region.
        some: whether it is predicted of some data set, where it must be proven beyond the margin.
        baseline: whether the score is compared with the trivial predictor's.
    """
    number = metric.more == COUNT["more"]
    beyond = (f" than the {TRIVIAL} scores" if baseline else "" if metric.margin == "measure" else
              ", by more than the margin" if number else " by more than the margin")
    return (OF_NUMBER if number else OF_SIZE)[name].format(
        name=metric.name, by=beyond if some or baseline else "", beyond=beyond, better=better(metric),
        worse=worse(metric), more=metric.more, less=metric.less)


def prediction(claim: Claim, where: str = "", several: bool = True) -> str:
    """What is predicted, how generally, and by whom.

    Args:
        where: the data sets that the claim speaks of, in words.
        several: whether they are more than one.
    """
    if claim.predicts is None:
        return "An identity: it holds exactly, or it does not."
    quantifier = claim.predicts.quantifier
    predicted = region(metric_of(claim.metric), claim.predicts.region, quantifier == "some", bool(claim.baseline))
    who = ("The thread's prediction" if claim.predicts.by == "thread" else
           "Our prediction, as the thread makes none")
    general = QUANTIFIERS[quantifier] if several else "on {where}"
    text = f"{who}: {predicted}, {general.format(where=where or 'the data sets')}."
    if claim.probe:
        text += " Measured inside the networks while they train, on a few seeds."
    return text + (f" Measured at the {claim.endpoint} epoch." if claim.endpoint != "best" else "")


def verdict_words(row: Mapping) -> str:
    """A verdict with its badge."""
    text = f"{{bdg-{BADGES[row['verdict']]}}}`{row['reads'] or row['verdict']}`"
    return text + (" {bdg-danger-line}`fragile`" if row["fragile"] else "")


def all_verdicts(rows: Sequence[Mapping]) -> str:
    """A claim's verdict, or where strata differ, all of them."""
    return "; ".join(verdict_words(row) + (f" ({row['group']})" if row["group"] else "") for row in rows)


def verdict_sentence(claim: Claim, row: Mapping, average: Mapping | None) -> str:
    """What a verdict rests on.

    Args:
        row: of the verdicts.
        average: of the averages, with `scale`; None where there is none.
    """
    if row["verdict"] == MEASURED:
        return "An experiment that it needs is being measured; nothing is said before."
    if claim.checks and row["verdict"] in ("true", "false"):
        number = len(claim.checks)
        return (f"{count(number, 'exact check')} {'decides' if number == 1 else 'decide'} it; "
                "no statistics are needed.")
    if average is None:
        return "No stored result decides this claim yet."
    text = capital(finding(average)) + "."
    if row["word"]:
        text += f" In the rule's words, this {_verb(row['word'])}*{row['word']}*."
    elif metric_of(claim.metric).judged:
        text += (f" Beyond the margin it is proven to help on {int(average['proven_above'])}, and to harm on "
                 f"{int(average['proven_below'])}, of {count(int(average['units']), 'unit')}.")
    if average["depends"] and row["word"]:
        text += (" It depends on the data: on one set at least it is proven to help, and on one to harm, by more "
                 "than the margin.")
    return text + (f" Undecided, because it is {row['why']}." if row["why"] else "")


def _verb(word: str) -> str:
    """What stands before a word for an average, which may be a verb itself."""
    return "" if word.startswith(("helps", "harms", "makes")) else "is "


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
