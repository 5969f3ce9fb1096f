"""What of a long file is used: whole, different, drawn alike whatever the order of the rows."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from pipeline.data.samples import Drawn, Latest, identity, rank


def table(rows, values=50, seed=0):
    generator = np.random.default_rng(seed)
    return pd.DataFrame({"a": generator.integers(values, size=rows).astype(np.float32),
                         "b": generator.integers(values, size=rows).astype(str).astype(object)})


def drawn(frame, limit, piece):
    sample = Drawn(limit, once=True)
    for start in range(0, len(frame), piece):
        part = frame.iloc[start:start + piece]
        sample.add(part, identity(part))
    return sample.result(), sample.count, sample.repeats


@pytest.mark.parametrize("limit", [10, 700, 10_000])
def test_rows_are_different_counted_and_in_order(limit):
    frame = table(6_000)
    kept, count, duplicates = drawn(frame, limit, 100)
    first = frame.drop_duplicates()
    assert count == 6_000 and duplicates == 6_000 - len(first)
    assert len(kept) == min(limit, len(first)) and not kept.duplicated().any()
    # Of equal rows the first, and all as they are in the file.
    assert kept.index.is_monotonic_increasing and set(kept.index) <= set(first.index)
    pd.testing.assert_frame_equal(kept, frame.loc[kept.index])


def test_what_is_drawn_depends_on_no_piece_and_no_order():
    frame = table(3_000)
    wanted = set(map(tuple, drawn(frame, 200, 7)[0].to_numpy()))
    assert wanted == set(map(tuple, drawn(frame, 200, 3_000)[0].to_numpy()))
    turned = frame.iloc[::-1].reset_index(drop=True)
    assert wanted == set(map(tuple, drawn(turned, 200, 100)[0].to_numpy()))


def test_rows_are_drawn_evenly():
    frame = pd.DataFrame({"a": np.arange(40_000, dtype=np.float32)})
    kept = drawn(frame, 4_000, 1_000)[0]["a"]
    assert scipy.stats.kstest(kept / 40_000, "uniform").pvalue > 0.001
    # Neither neighbours nor a remainder are favoured.
    assert scipy.stats.chisquare(np.bincount(kept.astype(int) % 16)).pvalue > 0.001
    assert scipy.stats.chisquare(np.unpackbits(rank(np.arange(4_096, dtype=np.uint64)).view(np.uint8).reshape(
        -1, 8), axis=1).sum(axis=0)).pvalue > 0.001


@pytest.mark.parametrize("limit", [1, 17, 100, 1_000])
def test_the_latest_rows(limit):
    frame, sample = table(333), Latest(limit)
    for start in range(0, 333, 10):
        sample.add(frame.iloc[start:start + 10])
    pd.testing.assert_frame_equal(sample.result(), frame.iloc[-limit:])
    assert sample.count == 333
    turned = Latest(limit, newest_first=True)
    for start in range(0, 333, 10):
        turned.add(frame.iloc[start:start + 10])
    pd.testing.assert_frame_equal(turned.result(), frame.iloc[:limit][::-1])


@pytest.mark.parametrize("limit", [60, 200, 5_000])
@pytest.mark.parametrize("piece", [7, 2_000])
def test_groups_stay_whole(limit, piece):
    # Rows of the groups in turn, so that each piece has some of many.
    frame = pd.DataFrame({"who": [f"p{i % 40}" for i in range(2_000)], "x": np.arange(2_000)}).astype(
        {"who": object})
    sample = Drawn(limit)
    for start in range(0, 2_000, piece):
        part = frame.iloc[start:start + piece]
        sample.add(part, identity(part[["who"]]))
    kept = sample.result().sort_index()
    assert sample.count == 2_000 and len(kept) == min(limit // 50 * 50, 2_000)
    pd.testing.assert_frame_equal(kept, frame[frame["who"].isin(kept["who"])])


def test_a_group_that_is_too_long_gives_its_latest_rows():
    frame = pd.DataFrame({"who": ["p"] * 500, "x": range(500)}).astype({"who": object})
    for newest_first in (False, True):
        sample = Drawn(90, newest_first=newest_first)
        for start in range(0, 500, 30):
            part = frame.iloc[start:start + 30]
            sample.add(part, identity(part[["who"]]))
        pd.testing.assert_frame_equal(sample.result(), frame.iloc[:90][::-1] if newest_first else frame.iloc[-90:])
