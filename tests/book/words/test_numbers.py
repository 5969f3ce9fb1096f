"""Numbers in words."""

import math

import pytest

from pipeline.book.words.numbers import capital, count, factor, percent, short, signed, span, whole


def test_signed_numbers_have_a_sign_and_few_digits():
    assert [signed(v) for v in (12.34, -3.21, 3.0, 0.0, -0.012)] == ["+12", "−3.2", "+3", "0", "−0.012"]
    assert signed(5, " %") == "+5 %"


def test_whole_and_short_numbers():
    assert [whole(v) for v in (0.4, -0.4, 0.6, -12.4)] == ["0", "0", "+1", "−12"]
    assert [short(v) for v in (95.0, 9.94, 0.25, 9.96)] == ["95", "9.9", "0.2", "10"]


@pytest.mark.parametrize(("ratio", "words"), [(2, "50 % lower"), (0.5, "100 % higher")])
def test_a_log_ratio_of_control_over_treatment_in_per_cent(ratio, words):
    assert percent(math.log(ratio)) == words and factor(math.log(ratio)) == f"{ratio:.2f}"


def test_things_are_counted_and_spans_said_once():
    assert count(1, "seed") == "1 seed" and count(0, "seed") == "0 seeds"
    assert span([3, 1, 2]) == "1 to 3" and span([2, 2]) == "2"
    assert capital("bN") == "BN" and capital("") == ""
