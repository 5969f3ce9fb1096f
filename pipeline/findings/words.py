"""The only place that chooses a word, and that makes a sentence of a finding."""

import math
from collections.abc import Mapping
from enum import StrEnum

import numpy as np

from pipeline.config.metrics import TRIVIAL, Metric, metric_of
from pipeline.findings.numbers import BLANK, capital, change, count, digits, interval, plain, unit_of, with_unit


class Word(StrEnum):
    """What an interval says."""

    BETTER = "better"
    A_LITTLE_BETTER = "a little better"
    NOTHING = "no difference that matters"
    A_LITTLE_WORSE = "a little worse"
    WORSE = "worse"
    UNCLEAR = "unclear"


#: The words that say which way.
DIRECTED = (Word.BETTER, Word.A_LITTLE_BETTER, Word.A_LITTLE_WORSE, Word.WORSE)
#: What a measure is that nobody judges.
HIGHER, LOWER = "higher", "lower"
SCOPES = ("family", "these sets")
FAMILY, THESE_SETS = SCOPES
#: The stratum of the row for all strata together.
ALL = "all"


def choose(low, high, delta):
    """The word for an interval, against 0 and ±δ: the first that fits.

    Above 0: better, or a little better where it lies below δ. Below 0 the same for worse. Inside ±δ: no difference
    that matters. Else unclear. A bound on a line is not beyond it.

    Args:
        low, high: bounds, numbers or arrays of one shape.
        delta: the margin; with 0 nothing can be little.

    Returns:
        A word, or an array of them.
    """
    low, high = np.asarray(low, float), np.asarray(high, float)
    fits = [(low > 0) & (high < delta), low > 0, (high < 0) & (low > -delta), high < 0, (low > -delta) & (high < delta)]
    found = np.select(fits, [str(one) for one in (
        Word.A_LITTLE_BETTER, Word.BETTER, Word.A_LITTLE_WORSE, Word.WORSE, Word.NOTHING)], default=str(Word.UNCLEAR))
    return found if found.ndim else Word(str(found))


def denied(word: str, truth: float, delta: float) -> bool:
    """Whether a word is wrong of an average whose true value is known; better by more than δ is better, too."""
    low, high = {Word.BETTER: (0, math.inf), Word.A_LITTLE_BETTER: (0, delta), Word.NOTHING: (-delta, delta),
                 Word.A_LITTLE_WORSE: (-delta, 0), Word.WORSE: (-math.inf, 0),
                 Word.UNCLEAR: (-math.inf, math.inf)}[Word(word)]
    return not low < truth < high


def said(word: str, metric: str) -> str:
    """A word as it is printed and stored: a measure that nobody judges is higher or lower, not better or worse."""
    if metric_of(metric).judged or word not in DIRECTED:
        return str(word)
    return HIGHER if word in (Word.BETTER, Word.A_LITTLE_BETTER) else LOWER


def directed(word: str) -> bool:
    """Whether a stored word says which way."""
    return word in DIRECTED or word in (HIGHER, LOWER)


def ruled_out(row: Mapping) -> str:
    """What an unclear finding rules out; empty if nothing."""
    metric = metric_of(row["metric"])
    if not row["margin"]:
        return ""
    parts = [(row["high"] < row["margin"], row["margin"], "better" if metric.judged else HIGHER),
             (row["low"] > -row["margin"], -row["margin"], "worse" if metric.judged else LOWER)]
    return next((f"not more than {_size(line, metric)} {way}" for known, line, way in parts if known), "")


def _size(effect: float, metric: Metric) -> str:
    value = abs(float(change(effect, metric)))
    return with_unit(plain(value, 0 if value >= 2.5 else digits([value])), unit_of(metric))


def sentence(row: Mapping) -> str:
    """A finding in one sentence.

    `On forecasts, 6.2 % more test error (2.8 to 9.7 % more): worse; clearly worse on 6 of 8 sources, better on none; on
    yours, probably between 1 % less and 14 % more.`

    Args:
        row: of the table of findings.
    """
    if not math.isfinite(row["effect"]):
        return "No effect can be computed."
    parts = [f"{_where(row)}{amount(row)}: {_word(row)}", counts(row), elsewhere(row), luck(row)]
    return capital("; ".join(part for part in parts if part)) + "."


def _where(row: Mapping) -> str:
    named, together = int(row["sets"]), row["stratum"] == ALL
    if row["scope"] == FAMILY or named == 1:
        return "on all kinds together, " if together else f"on {row['stratum']}, "
    which = "" if together else f"of {row['stratum']} "
    return f"on the {named} sets {which}that were tried, "


def _word(row: Mapping) -> str:
    if row["word"] != Word.UNCLEAR:
        return row["word"] if row["scope"] == FAMILY or int(row["sets"]) == 1 else f"{row['word']} on these"
    out = ruled_out(row)
    return f"unclear, but {out}" if out else "unclear"


def amount(row: Mapping) -> str:
    """The change of the score with its interval: `6.2 % more test error (2.8 to 9.7 % more)`."""
    metric = metric_of(row["metric"])
    if row["slope"] or row["minus_treatment"]:
        text = interval([row["effect"], row["low"], row["high"]], metric)
        return (f"from the least to the greatest {row['slope']} the effect on the {metric.score} changes by {text}"
                if row["slope"] else f"the effect on the {metric.score} differs from the other one by {text}")
    middle, *ends = (float(one) for one in change([row["effect"], row["low"], row["high"]], metric))
    low, high = sorted(ends)
    decimals = digits([low, high])
    than = f" than the {TRIVIAL}" if row["control"] == TRIVIAL else ""
    text = f"{_more(middle, decimals, metric, metric.name)}{than}"
    return f"exactly {text}" if low == high else f"{text} ({_span(low, high, decimals, metric)})"


def _more(value: float, decimals: int, metric: Metric, name: str = "") -> str:
    """`6.2 % more test error`; without a name `6.2 % more`."""
    more, less = ("more", "less") if metric.name == metric_of("error").name else (metric.more, metric.less)
    size = plain(abs(value), decimals)
    if size == "0" and name:
        alike = f"as many {name}" if metric.more == "more" else f"the same {name}"
        return f"practically {alike}" if value else alike
    size = with_unit(size, unit_of(metric))
    return f"{size} {more if value > 0 else less} {name}".rstrip()


def _span(low: float, high: float, decimals: int, metric: Metric, joint: str = "to") -> str:
    """Two bounds: `2.8 to 9.7 % more`, or `3 % less to 12 % more`."""
    if low < 0 < high:
        return f"{_more(low, decimals, metric)} {joint} {_more(high, decimals, metric)}"
    near, far = sorted((low, high), key=abs)
    return f"{plain(abs(near), decimals)} {joint} {_more(far, decimals, metric)}"


def counts(row: Mapping) -> str:
    """On how many sources the change is clear by itself."""
    total, better, worse = (int(row[name]) for name in ("units", "better", "worse"))
    if total < 2:
        return ""
    names = ("better", "worse") if metric_of(row["metric"]).judged else (HIGHER, LOWER)
    (first, many), (second, few) = sorted(zip(names, (better, worse), strict=True), key=lambda one: -one[1])
    if not many:
        return f"not clearly {first} or {second} on any of {total} sources"
    return f"clearly {first} on {many} of {count(total, 'source')}, {second} on {few or 'none'}"


def elsewhere(row: Mapping) -> str:
    """Where the change falls on another set, in about four of five; empty where nothing says so."""
    metric = metric_of(row["metric"])
    low, high = sorted(float(one) for one in change([row["range_low"], row["range_high"]], metric))
    if not (math.isfinite(low) and math.isfinite(high)) or row["minus_treatment"] or row["slope"]:
        return ""
    return f"on yours, probably between {_span(low, high, digits([low, high]), metric, 'and')}"


def luck(row: Mapping) -> str:
    """Whether a direction could be luck, as so many were looked for; `comparisons` and `q_level` are of the rule."""
    q, level = row.get("q", math.nan), row.get("q_level", 0.05)
    if not directed(row["word"]) or not math.isfinite(q) or q <= level:
        return ""
    return f"could be luck among {int(row['comparisons'])} comparisons"


def of_half(row: Mapping) -> str:
    """The effect beside that of half the data: `costs 60 % of what halving the data costs`; empty if unknown."""
    share = row["of_half"]
    if not math.isfinite(share):
        return ""
    return f"{'gains' if share > 0 else 'costs'} {abs(100 * share):.0f}{BLANK}% of what halving the data costs"


def strata(row: Mapping) -> str:
    """How far the first stratum of a finding is from the second, from the row for both; else empty."""
    if not math.isfinite(row["apart"]):
        return ""
    metric = metric_of(row["metric"])
    return f"the two differ by {interval([row['apart'], row['apart_low'], row['apart_high']], metric)}"
