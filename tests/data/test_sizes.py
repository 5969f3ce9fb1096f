"""How many items the parts of a split have."""

import numpy as np
import pytest

from pipeline.data.sizes import pool_sizes, series_sizes
from pipeline.config.errors import ConfigError
from pipeline.config.data_files import Sizes


@pytest.mark.parametrize(("held", "expected"), [
    (100_000, (640, 213, 2_500)), (3_353, (640, 213, 2_500)), (2_000, (640, 213, 1_147)), (1_153, (640, 213, 300)),
    (1_000, (525, 175, 300)), (900, (450, 150, 300)), (300, (150, 50, 100)), (60, (30, 10, 20))])
def test_sizes_of_a_pool_by_default(held, expected):
    assert pool_sizes(Sizes(), held, "a.csv") == expected


@pytest.mark.parametrize("held", range(60, 5_000, 53))
def test_default_sizes_fit_and_leave_enough_to_the_test(held):
    train, validation, test = pool_sizes(Sizes(), held, "a.csv")
    assert train + validation + test <= held and min(train, validation, test) >= 1
    assert test >= min(300, held // 3) and test <= 2_500
    assert 2.4 < train / validation < 3.6


def test_what_an_entry_says_stands():
    assert pool_sizes(Sizes(train=2_000), 9_000, "a.csv") == (2_000, 666, 2_500)
    assert pool_sizes(Sizes(validation=300), 9_000, "a.csv") == (900, 300, 2_500)
    assert pool_sizes(Sizes(test=5_000), 9_000, "a.csv") == (640, 213, 5_000)
    assert pool_sizes(Sizes(train=0.6, validation=0.2, test=0.2), 1_797, "a.csv") == (1_078, 359, 359)
    assert pool_sizes(Sizes(train=1, validation=1, test=1), 3, "a.csv") == (1, 1, 1)


@pytest.mark.parametrize(("sizes", "held", "message"), [
    (Sizes(train=600, validation=300, test=200), 1_000, "split: found {train: 600, validation: 300, test: "
     "200}; allowed: at most 1000 together, the rows of a.csv"),
    (Sizes(train=0.9, validation=0.2), 1_000, "train: 900, validation: 200"),
    (Sizes(), 40, "split: found {train: 21, validation: 6, test: 13}; allowed: at most 40 together, the rows of "
     "a.csv, and at least 10 each, unless its entry says less"),
    (Sizes(), 0, "allowed: at most 0 together")])
def test_parts_that_do_not_fit_a_pool(sizes, held, message):
    with pytest.raises(ConfigError) as error:
        pool_sizes(sizes, held, "a.csv")
    assert message in str(error.value)


def test_groups_leave_room_for_what_may_not_be_cut():
    groups = np.repeat(np.arange(5), 500)
    assert pool_sizes(Sizes(), 2_500, "a.csv", groups=groups) == (640, 213, 649)
    with pytest.raises(ConfigError, match="the rows of a.csv in 2 groups, which are never cut"):
        pool_sizes(Sizes(), 1_000, "a.csv", groups=np.repeat([0, 1], 500))


def test_sizes_of_a_series():
    assert series_sizes(Sizes(), np.arange(23, 30_000), 29, "a.csv") == (1_280, 426, 1_000)
    sizes = series_sizes(Sizes(), np.arange(23, 1_000), 29, "a.csv")
    # Four fifths of the windows that are not in a gap, in the same proportions.
    assert sum(sizes) == pytest.approx(0.8 * (977 - 2 * 29), abs=3)
    assert np.divide(sizes, sum(sizes)) == pytest.approx(np.divide((1_280, 426, 1_000), 2_706), abs=0.005)
    assert series_sizes(Sizes(train=100, test=0.25), np.arange(100, 1_100), 10, "a.csv") == (100, 123, 245)


def test_windows_far_apart_need_fewer_of_them_in_a_gap():
    # Every tenth row begins a window: three of them are in a gap of 29 rows.
    sizes = series_sizes(Sizes(train=50, validation=20, test=24), np.arange(0, 1_000, 10), 29, "a.csv")
    assert sizes == (50, 20, 24)
    with pytest.raises(ConfigError, match="split: found .*test: 27.*; allowed: fewer; the 100 windows of a.csv"):
        series_sizes(Sizes(train=50, validation=20, test=27), np.arange(0, 1_000, 10), 29, "a.csv")


def test_a_series_without_room():
    with pytest.raises(ConfigError, match="allowed: at least 10 each, unless its entry says less; the 30 windows of a.csv"):
        series_sizes(Sizes(), np.arange(30), 29, "a.csv")
