"""How many items the parts of a split have."""

import numpy as np
import pytest

from pipeline.data.sizes import pool_sizes, series_sizes
from pipeline.config.errors import ConfigError
from pipeline.config.data_files import Sizes
from pipeline.config.experiments import FILES


def entry(own=False, **split):
    return FILES["table"](file="a.csv", target="y", group="tables", seeds=1, own=own, split=Sizes(**split))


@pytest.mark.parametrize(("held", "expected"), [
    (100_000, (640, 213, 2_500)), (3_353, (640, 213, 2_500)), (2_000, (640, 213, 1_147)), (1_153, (640, 213, 300)),
    (1_000, (525, 175, 300)), (900, (450, 150, 300)), (300, (150, 50, 100)), (60, (30, 10, 20))])
def test_sizes_of_a_pool_by_default(held, expected):
    assert pool_sizes(entry(), held) == expected


@pytest.mark.parametrize("held", range(60, 5_000, 53))
def test_default_sizes_fit_and_leave_enough_to_the_test(held):
    train, validation, test = pool_sizes(entry(), held)
    assert train + validation + test <= held and min(train, validation, test) >= 1
    assert test >= min(300, held // 3) and test <= 2_500
    assert 2.4 < train / validation < 3.6


def test_what_an_entry_says_stands():
    assert pool_sizes(entry(train=2_000), 9_000) == (2_000, 666, 2_500)
    assert pool_sizes(entry(validation=300), 9_000) == (900, 300, 2_500)
    assert pool_sizes(entry(test=5_000), 9_000) == (640, 213, 5_000)
    assert pool_sizes(entry(train=0.6, validation=0.2, test=0.2), 1_797) == (1_078, 359, 359)
    assert pool_sizes(entry(train=1, validation=1, test=1), 3) == (1, 1, 1)


@pytest.mark.parametrize(("sizes", "held", "message"), [
    (entry(train=600, validation=300, test=200), 1_000, "split: found {train: 600, validation: 300, test: "
     "200}; allowed: at most 1000 together, the rows of a.csv"),
    (entry(train=0.9, validation=0.2), 1_000, "train: 900, validation: 200"),
    (entry(), 40, "split: found {train: 21, validation: 6, test: 13}; allowed: at most 40 together, the rows of "
     "a.csv, and at least 10 each, unless its entry says less"),
    (entry(), 0, "allowed: at most 0 together")])
def test_parts_that_do_not_fit_a_pool(sizes, held, message):
    with pytest.raises(ConfigError) as error:
        pool_sizes(sizes, held)
    assert message in str(error.value)


def test_groups_leave_room_for_what_may_not_be_cut():
    groups = np.repeat(np.arange(5), 500)
    assert pool_sizes(entry(), 2_500, groups=groups) == (640, 213, 649)
    with pytest.raises(ConfigError, match="the rows of a.csv in 2 groups, which are never cut"):
        pool_sizes(entry(), 1_000, groups=np.repeat([0, 1], 500))


@pytest.mark.parametrize(("held", "split", "expected"), [
    (1_000, {}, (600, 200, 200)), (50, {}, (30, 10, 10)), (997, {}, (599, 199, 199)), (100_000, {}, (75_000, 20_000, 5_000)),
    (1_000, {"test": 500}, (300, 200, 500)), (9_000, {"train": 900}, (900, 300, 5_000))])
def test_of_a_readers_own_all_are_used(held, split, expected):
    assert pool_sizes(entry(own=True, **split), held) == expected


def test_of_a_readers_own_series_all_is_used_but_room_for_another_stretch():
    last = np.arange(23, 10_023)
    # 29 rows in each of two gaps, and nine tenths of the other windows.
    assert series_sizes(entry(own=True), last, 29) == (5_369, 1_789, 1_789)
    assert series_sizes(entry(own=True), last, 29, most=1_000) == (600, 200, 200)
    groups = np.repeat(np.arange(50), 40)
    assert sum(pool_sizes(entry(own=True), 2_000, "rows", groups)) == 2_000 - 2 * 39


def test_sizes_of_a_series():
    assert series_sizes(entry(), np.arange(23, 30_000), 29) == (1_280, 426, 1_000)
    sizes = series_sizes(entry(), np.arange(23, 1_000), 29)
    # Four fifths of the windows that are not in a gap, in the same proportions.
    assert sum(sizes) == pytest.approx(0.8 * (977 - 2 * 29), abs=3)
    assert np.divide(sizes, sum(sizes)) == pytest.approx(np.divide((1_280, 426, 1_000), 2_706), abs=0.005)
    assert series_sizes(entry(train=100, test=0.25), np.arange(100, 1_100), 10) == (100, 123, 245)


def test_windows_far_apart_need_fewer_of_them_in_a_gap():
    # Every tenth row begins a window: three of them are in a gap of 29 rows.
    sizes = series_sizes(entry(train=50, validation=20, test=24), np.arange(0, 1_000, 10), 29)
    assert sizes == (50, 20, 24)
    with pytest.raises(ConfigError, match="split: found .*test: 27.*; allowed: fewer; the 100 windows of a.csv"):
        series_sizes(entry(train=50, validation=20, test=27), np.arange(0, 1_000, 10), 29)


def test_a_series_without_room():
    with pytest.raises(ConfigError, match="allowed: at least 10 each, unless its entry says less; the 30 windows of a.csv"):
        series_sizes(entry(), np.arange(30), 29)
