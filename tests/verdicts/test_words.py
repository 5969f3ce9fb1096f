import numpy as np
import pytest

from pipeline.verdicts.rule import Rule
from pipeline.verdicts.words import WORDS, denied, everywhere_within, word

RULE = Rule()
MIRROR = {"helps clearly": "harms clearly", "helps a little": "harms a little", "helps": "harms",
          "no benefit that matters": "no harm that matters"}
MIRROR |= {to: one for one, to in MIRROR.items()}


@pytest.mark.parametrize("low,high,expected", [
    (1.1, 2, "helps clearly"), (0.1, 0.9, "helps a little"), (0.1, 1.2, "helps"),
    (-0.5, 0.5, "makes no difference on average"), (-1.5, 0.5, "no benefit that matters"),
    (-1.5, 1.5, "open"),
    # A bound on a line is not beyond it.
    (0.0, 0.5, "makes no difference on average"), (1.0, 2.0, "helps"),
    (-1.0, 0.5, "no benefit that matters"), (-1.0, 1.0, "open")])
def test_the_first_row_that_fits(low, high, expected):
    assert word(low, high, 1.0) == expected
    assert word(-high, -low, 1.0) == MIRROR.get(expected, expected)


def test_no_difference_on_average_or_everywhere():
    assert word(-0.5, 0.5, 1.0, True) == "makes no difference"
    assert word(0.1, 0.5, 1.0, True) == "helps a little"


def test_a_measure_has_no_margin_so_that_nothing_is_little():
    assert [word(*bounds, 0.0) for bounds in ((0.1, 0.2), (-0.2, -0.1), (-1, 1))] == [
        "helps clearly", "harms clearly", "open"]


def test_arrays_give_what_numbers_give():
    low, high = np.sort(np.random.default_rng(0).normal(0, 1.5, (2, 500)), axis=0)
    found = word(low, high, 1.0)
    assert found.tolist() == [word(a, b, 1.0) for a, b in zip(low, high, strict=True)]
    assert set(found) <= set(WORDS) and len(set(found)) == 10


def test_a_word_is_never_wrong_of_a_truth_inside_its_interval():
    rng = np.random.default_rng(1)
    for low, high in np.sort(rng.normal(0, 1.5, (500, 2)), axis=1):
        assert not denied(word(low, high, 1.0), rng.uniform(low, high), 1.0)


@pytest.mark.parametrize("found,truth,wrong", [
    ("helps", 0.0, True), ("helps clearly", 1.0, True), ("helps a little", 1.0, True),
    ("harms a little", -0.5, False), ("no benefit that matters", 1.0, True),
    ("makes no difference", -1.0, True), ("no harm that matters", -0.9, False), ("open", 9, False)])
def test_what_a_word_denies(found, truth, wrong):
    assert denied(found, truth, 1.0) is wrong


def test_everywhere_is_a_matter_of_the_range_or_of_each_named_set(table):
    near, spread = np.tile([-0.3, 0.3], 6), np.tile([-0.9, 0.9], 6)
    assert everywhere_within(table(near), 1.0, RULE, True)
    assert not everywhere_within(table(spread), 1.0, RULE, True)
    assert everywhere_within(table(spread[:4]), 1.0, RULE, False)
    assert not everywhere_within(table(spread[:4], 0.1), 1.0, RULE, False)
