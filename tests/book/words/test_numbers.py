"""Numbers in words."""

from pipeline.book.words.numbers import number, share, span


def test_a_number_has_a_true_minus_and_keeps_its_unit():
    assert number(-0.012, ".2g") == "−0.012" and share(0.0414, ".1f") == "4.1\u00a0%"


def test_spans_are_said_once():
    assert span([3, 1, 2]) == "1 to 3" and span([2, 2]) == "2"
