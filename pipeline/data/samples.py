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


class Rows:
    """At most `limit` different rows of a stream of frames: those of the lowest rank.

    Ranks are a shuffle of what rows contain, so each set of different rows is as likely as any
    other. Equal rows have equal ranks, and only the first of them is kept.
    """

    def __init__(self, limit: int):
        self.limit, self.count = limit, 0
        self._frames: list[pd.DataFrame] = []
        self._identities: list[np.ndarray] = []
        self._held, self._highest = 0, np.uint64(2**64 - 1)

    def add(self, frame: pd.DataFrame, identities: np.ndarray) -> None:
        self.count += len(frame)
        ranks = rank(identities)
        low = ranks <= self._highest
        self._identities.append(identities)
        self._frames.append(frame[low].assign(rank=ranks[low]))
        self._held += int(low.sum())
        if self._held > 4 * self.limit:
            self._prune()

    def _prune(self) -> pd.DataFrame:
        frame = pd.concat(self._frames).drop_duplicates("rank")
        frame = frame.nsmallest(self.limit, "rank")
        if len(frame) == self.limit:
            self._highest = frame["rank"].max()
        self._frames, self._held = [frame.sort_index()], len(frame)
        return self._frames[0]

    def result(self) -> tuple[pd.DataFrame, int, int]:
        """The rows kept, in the file's order; how many there were; how many of these were repeats."""
        frame = self._prune().drop(columns="rank")
        identities = np.concatenate(self._identities)
        return frame, len(identities), len(identities) - len(np.unique(identities))


class Latest:
    """The `limit` latest rows of a stream of frames, in order of time: the last ones, or of `newest_first` the first."""

    def __init__(self, limit: int, newest_first: bool = False):
        self.limit, self.newest_first, self.count = limit, newest_first, 0
        self._frames: list[pd.DataFrame] = []

    def add(self, frame: pd.DataFrame) -> None:
        self.count += len(frame)
        if not self.newest_first or sum(map(len, self._frames)) < self.limit:
            self._frames.append(frame)
        while not self.newest_first and sum(map(len, self._frames[1:])) >= self.limit:
            del self._frames[0]

    def result(self) -> pd.DataFrame:
        return _latest(pd.concat(self._frames), self.limit, self.newest_first)


def _latest(frame: pd.DataFrame, limit: int, newest_first: bool) -> pd.DataFrame:
    return frame.iloc[:limit][::-1] if newest_first else frame.iloc[-limit:]


class Groups:
    """Whole groups of rows of a stream of frames, at most `limit` rows of them together.

    Groups are drawn by a seeded shuffle of their names. A single one that is longer gives its latest
    `limit` rows.
    """

    def __init__(self, limit: int, column: str, newest_first: bool = False):
        self.limit, self.column, self.newest_first, self.count = limit, column, newest_first, 0
        self._frames: list[pd.DataFrame] = []
        self._held, self._lowest_left_out = 0, None

    def add(self, frame: pd.DataFrame) -> None:
        ranks = rank(identity(frame[[self.column]].astype(object)))
        self.count += len(frame)
        if self._lowest_left_out is not None:
            kept = ranks < self._lowest_left_out
            frame, ranks = frame[kept], ranks[kept]
        self._frames.append(frame.assign(rank=ranks))
        self._held += len(frame)
        if self._held > 2 * self.limit:
            self._prune()

    def _prune(self) -> pd.DataFrame:
        frame = pd.concat(self._frames) if len(self._frames) > 1 else self._frames[0]
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
        return _latest(self._prune().drop(columns="rank"), self.limit, self.newest_first)
