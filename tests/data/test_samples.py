"""What of a long file is used: whole, different, drawn alike whatever the order of the rows."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from pipeline.data.sizes import drawn, identity, rank


def table(rows, values=50, seed=0):
    generator = np.random.default_rng(seed)
    return pd.DataFrame({"a": generator.integers(values, size=rows).astype(np.float32),
                         "b": generator.integers(values, size=rows).astype(str).astype(object)})


def test_equal_rows_have_equal_identities_and_others_have_others():
    frame = table(6_000)
    assert len(np.unique(identity(frame))) == len(frame.drop_duplicates())
    assert (pd.Series(identity(frame)).duplicated() == frame.duplicated()).all()


def test_what_is_drawn_depends_on_no_order():
    frame = table(3_000).drop_duplicates()
    wanted = set(map(tuple, frame[drawn(identity(frame), 200)].to_numpy()))
    turned = frame.iloc[::-1]
    assert len(wanted) == 200 and wanted == set(map(tuple, turned[drawn(identity(turned), 200)].to_numpy()))


def test_rows_are_drawn_evenly():
    frame = pd.DataFrame({"a": np.arange(40_000, dtype=np.float32)})
    kept = frame["a"][drawn(identity(frame), 4_000)]
    assert len(kept) == 4_000 and scipy.stats.kstest(kept / 40_000, "uniform").pvalue > 0.001
    # Neither neighbours nor a remainder are favoured.
    assert scipy.stats.chisquare(np.bincount(kept.astype(int) % 16)).pvalue > 0.001
    assert scipy.stats.chisquare(np.unpackbits(rank(np.arange(4_096, dtype=np.uint64)).view(np.uint8).reshape(
        -1, 8), axis=1).sum(axis=0)).pvalue > 0.001


@pytest.mark.parametrize("limit", [60, 200, 5_000])
def test_groups_stay_whole(limit):
    # Rows of the groups in turn.
    who = pd.DataFrame({"who": [f"p{i % 40}" for i in range(2_000)]}).astype({"who": object})
    kept = who["who"][drawn(identity(who), limit)]
    assert len(kept) == min(limit // 50 * 50, 2_000) and (kept.value_counts() == 50).all()


def test_a_single_group_that_is_too_long_is_drawn_whole():
    assert drawn(np.zeros(500, np.uint64), 90).all()
    assert drawn(np.array([], np.uint64), 90).tolist() == []
