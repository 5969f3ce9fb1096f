"""Advice in words: every meaning has some, and they are sentences."""

import re

import pytest

from pipeline.book.advice import Meaning, Tally
from pipeline.book.words.advice import DO, tally_words


@pytest.mark.parametrize("meaning", Meaning)
def test_every_meaning_says_what_to_do_and_why(meaning):
    for one in DO[meaning]:
        assert re.fullmatch(r"\*\*[A-Z][a-z' ]+:\*\* [a-z].+\.", str(one))
    assert list(DO) == list(Meaning)


@pytest.mark.parametrize(("ways", "beyond", "words"), [
    ({}, {}, "no comparison yet"),
    ({"better": 2, "worse": 1}, {"better": 1}, "better in 2 of 3 (1 beyond the margin), worse in 1"),
    ({"same": 1, "unclear": 3}, {}, "better in 0 of 4, worse in 0, the same in 1, unclear in 3")])
def test_a_tally(ways, beyond, words):
    assert tally_words(Tally(ways, {"better": 0, "worse": 0} | beyond)) == words
