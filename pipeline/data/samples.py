"""Files of any length → what of them is used; what is drawn does not depend on the rows' order."""

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


class Drawn:
    """Whole groups of the rows of a stream of frames, at most `limit` rows together: those of the lowest ranks.

    Rows of one identity are a group. Ranks are a shuffle of identities, so that each set of groups is as likely as any
    other, and what is drawn depends on no order. A single group that is longer gives its latest rows.

    Args:
        once: rows of one identity are repeats of each other, of which only the first is kept.
        newest_first: whether the latest rows come first.
    """

    def __init__(self, limit: int, once: bool = False, newest_first: bool = False):
        self.limit, self.once, self.newest_first, self.count = limit, once, newest_first, 0
        self._frames: list[pd.DataFrame] = []
        self._identities: list[np.ndarray] = []
        self._held, self._lowest_left_out = 0, None

    def add(self, frame: pd.DataFrame, identities: np.ndarray) -> None:
        """Add rows that follow those before them; their identities are 64-bit numbers."""
        self.count += len(frame)
        self._identities += [identities] if self.once else []
        frame = frame.assign(rank=rank(identities))
        self._frames.append(frame if self._lowest_left_out is None else frame[frame["rank"] < self._lowest_left_out])
        self._held += len(self._frames[-1])
        if self._held > 4 * self.limit:
            self._prune()

    def _prune(self) -> pd.DataFrame:
        frame = pd.concat(self._frames)
        frame = frame.drop_duplicates("rank") if self.once else frame
        lengths = frame["rank"].value_counts().sort_index()
        fit = lengths.cumsum() <= self.limit
        fit.iloc[:1] = True
        if not fit.all():
            self._lowest_left_out = lengths.index[~fit][0]
            frame = frame[frame["rank"] < self._lowest_left_out]
        self._frames = [frame.iloc[:self.limit] if self.newest_first else frame.iloc[-self.limit:]]
        self._held = len(self._frames[0])
        return self._frames[0]

    def result(self) -> pd.DataFrame:
        """The rows that are kept, in the order in which they came, or in that of time."""
        frame = self._prune().drop(columns="rank")
        return frame[::-1] if self.newest_first else frame

    @property
    def repeats(self) -> int:
        """How many rows were repeats of others."""
        return self.count - len(np.unique(np.concatenate(self._identities)))


class Latest:
    """The `limit` latest rows of a stream of frames, in order of time: the last ones, or of `newest_first` the first."""

    def __init__(self, limit: int, newest_first: bool = False):
        self.limit, self.newest_first, self.count = limit, newest_first, 0
        self._frames: list[pd.DataFrame] = []

    def add(self, frame: pd.DataFrame) -> None:
        """Add rows that follow those before them."""
        self.count += len(frame)
        if not self.newest_first or sum(map(len, self._frames)) < self.limit:
            self._frames.append(frame)
        while not self.newest_first and sum(map(len, self._frames[1:])) >= self.limit:
            del self._frames[0]

    def result(self) -> pd.DataFrame:
        """The rows that are kept."""
        frame = pd.concat(self._frames)
        return frame.iloc[:self.limit][::-1] if self.newest_first else frame.iloc[-self.limit:]
