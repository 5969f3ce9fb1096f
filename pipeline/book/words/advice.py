"""Advice in words."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.book.advice import Advice, Meaning, Tally
from pipeline.book.words.comparison import Way


class Do(NamedTuple):
    """What to do, in a word or two, and why."""

    word: str
    why: str

    def __str__(self) -> str:
        return f"**{self.word}:** {self.why}"


#: For an addition, and for a choice between two ways.
DO = {
    Meaning.BETTER: (Do("Do it", "it helps."), Do("Yes", "it does better.")),
    Meaning.ALL_BETTER: (Do("Worth a try", "it helped in every case."),
                         Do("Worth a try", "it did better in every case.")),
    Meaning.SOME_BETTER: (Do("Worth a try", "it helped in some cases and harmed in none."),
                          Do("Worth a try", "it did better in some cases and worse in none.")),
    Meaning.BOTH: (Do("It depends", "it helped in some cases and harmed in others."),
                   Do("It depends", "it did better in some cases and worse in others.")),
    Meaning.DIFFERS: (Do("Compare both", "it makes a difference."),
                      Do("Compare both", "the choice matters.")),
    Meaning.NOT_WORSE: (Do("Harmless", "it does no harm that matters."),
                        Do("Harmless", "it is no worse by an amount that matters.")),
    Meaning.SAME: (Do("As you like", "it makes no difference that matters."),) * 2,
    Meaning.OPEN: (Do("Open", "no help or harm was seen."),
                   Do("Open", "neither was seen to be better.")),
    Meaning.NOT_BETTER: (Do("No need", "it gains nothing that matters."),
                         Do("No need", "it is no better by an amount that matters.")),
    Meaning.SOME_WORSE: (Do("Better not", "it harmed in some cases and helped in none."),
                         Do("Better not", "it did worse in some cases and better in none.")),
    Meaning.ALL_WORSE: (Do("Better not", "it harmed in every case."),
                        Do("Better not", "it did worse in every case.")),
    Meaning.WORSE: (Do("Don't", "it harms."), Do("No", "it does worse."))}


def do(one: Advice) -> Do | None:
    """What to do in a situation; nothing before it is measured."""
    return DO[one.meaning][one.instead] if one.meaning else None


def to_do(one: Advice) -> str:
    """What to do in a situation, as Markdown."""
    return str(do(one) or "Not measured yet.")


def tally_words(found: Tally) -> str:
    """In how many comparisons the change was better and worse, and in how many beyond the margin."""
    if not found.whole:
        return "no comparison yet"
    parts = [f"{way} in {found.ways.get(way, 0)}" + (f" of {found.whole}" if way == Way.BETTER else "")
             + (f" ({beyond} beyond the margin)" if (beyond := found.beyond[way]) else "")
             for way in (Way.BETTER, Way.WORSE)]
    return ", ".join(parts + [f"{words} in {found.ways[way]}" for way, words in (
        (Way.SAME, "the same"), (Way.UNCLEAR, "unclear")) if found.ways.get(way)])
