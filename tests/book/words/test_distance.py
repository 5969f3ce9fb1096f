"""How far an undecided claim is from a decision."""

import math

import numpy as np
import pytest

from pipeline.book.words.distance import LINES, distance, missed
from pipeline.verdicts.claims import REGIONS, SUPPORTED, UNDECIDED, decide
from pipeline.verdicts.words import word

MARGIN = math.log(1.1)


def average(mean, half, units=20, **more):
    return {"mean": mean, "low": mean - half, "high": mean + half, "margin": MARGIN, "units": units,
            "metric": "error", "scale": "log ratio"} | more


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("mean", np.linspace(-0.2, 0.2, 9) + 0.003)
@pytest.mark.parametrize("half", [0.02, 0.1, 0.3])
def test_what_the_rule_left_open_misses_something_and_a_verdict_is_reached_beyond_it(region, mean, half):
    one = average(mean, half)
    decided = decide(region, word(one["low"], one["high"], MARGIN))
    found = missed(region, one)
    # What is missed is reached by so many units, as the rule itself decides.
    for miss in found:
        narrow = half * math.sqrt(one["units"] / (miss.units * 1.0001))
        reached = decide(region, word(mean - narrow, mean + narrow, MARGIN))
        assert reached != UNDECIDED
        wide = half * math.sqrt(one["units"] / (miss.units - 1.5)) if miss.units > 2 else half
        ends = next(ends for verdict, ends in LINES[region] if verdict == miss.verdict and miss.end in ends
                    and ends[miss.end] * MARGIN == miss.line)
        rooms = [(mean - wide - line * MARGIN) if end == "low" else (line * MARGIN - mean - wide)
                 for end, line in ends.items()]
        assert min(rooms) < 1e-3
    if decided == UNDECIDED:
        assert found


def test_the_number_of_units_follows_the_half_width():
    # From 0.10 to 0.05, the mean's distance from 0: a quarter of the square, four times the units.
    first = missed("better", average(0.05, 0.10))[0]
    support = next(one for one in missed("better", average(0.05, 0.10)) if one.verdict == SUPPORTED)
    assert support.units == 80 and support.by == pytest.approx(0.05) and support.line == 0
    assert first.units <= support.units


def test_what_the_average_itself_speaks_against_is_left_out():
    assert {one.verdict for one in missed("worse", average(0.05, 0.3))} == {"contradicted", "no effect that matters"}


def test_in_words_ends_and_lines_are_changes_of_the_score():
    text = distance("better", average(0.05, 0.10))
    # exp(0.05) - 1 = 5.13 %: the interval's worse end lies above no change.
    assert "*supported*: the interval's upper end, +5.1 %, would have to lie beyond 0 %; it misses that by 5.1 " in text
    assert "about 60 more units would do it" in text
    far = distance("better", average(0.001, 0.10))
    assert "not even 10 times as many units" in far
    points = distance("not_worse", average(0.0, 0.2, metric="divergence", scale="share", margin=0.1))
    assert "+20 points, would have to lie beyond +10 points; it misses that by 10 points" in points
