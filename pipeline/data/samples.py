"""What of a long file is used; what is drawn does not depend on the order of its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Fixes what is drawn; the seeds of a study split what was drawn once.
SEED = 20_240_901


def identity(frame: pd.DataFrame) -> np.ndarray:
    """A 64-bit number of each row's content: equal rows have equal ones."""
    return pd.util.hash_pandas_object(frame, index=False).to_numpy(np.uint64)


def rank(identities: np.ndarray) -> np.ndarray:
    """A seeded shuffle of 64-bit numbers (the finaliser of splitmix64, Steele et al. 2014)."""
    mixed = identities.astype(np.uint64) ^ np.uint64(SEED)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def drawn(identities: np.ndarray, limit: int) -> np.ndarray:
    """Which rows are drawn: whole groups of the same identity, those of the lowest ranks, at most `limit` rows together.

    Ranks are a shuffle of identities, so that each set of groups is as likely as any other. A single group that is
    longer is drawn whole.
    """
    ranks = rank(identities)
    lengths = pd.Series(ranks).value_counts().sort_index()
    fit = np.array(lengths.cumsum() <= limit)
    fit[:1] = True
    return np.isin(ranks, lengths.index[fit])
