"""What of a file is used, whatever the order of its rows, and how many of these the parts of a split have."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from pipeline.data.split import PARTS, origins
from pipeline.config.errors import ConfigError
from pipeline.config.data_files import LARGEST, FileSource

#: Fixes what is drawn; the seeds of a study split what was drawn once.
SEED = 20_240_901
#: Rows or recordings that train by default; a third as many validate.
TRAIN = 640
#: Rows or recordings that test by default: at most so many, and fewer train before fewer test.
MOST_TEST, LEAST_TEST = 2_500, 300
#: A part that an entry does not name is not smaller than this.
LEAST = 10
ENOUGH = f"at least {LEAST} each, unless its entry says less"
#: Windows by default, and the share of a series that a seed's stretch takes at most; of a reader's own, which is used whole.
WINDOWS = (1_280, 426, 1_000)
STRETCH, OWN_STRETCH = 0.8, 0.9
#: Of a reader's own data a fifth validates and a fifth tests, at most so many; so many numbers are read.
FIFTH, MOST_OWN_TEST, MOST_OWN = 5, 5_000, 20_000_000


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


def most_rows(entry: FileSource, usual: int, columns: int) -> int:
    """How many rows of a file are used at most: as many as its entry says; else of a reader's own nearly all."""
    return entry.rows or (max(1, MOST_OWN // columns) if entry.own else usual)


def everything(count: int) -> tuple[int, int, int]:
    """The sizes of the parts where all of so many are used."""
    validation = count // FIFTH
    test = min(MOST_OWN_TEST, validation)
    return count - validation - test, validation, test


def pool_sizes(entry: FileSource, held: int, unit: str = "rows", groups: np.ndarray | None = None) -> tuple[int, int, int]:
    """The sizes of a pool's parts.

    By default 640 train and 213 validate, and up to 2,500 of the others test. Of fewer than 1,153
    a third tests, at most 300, and the others are divided three to one. A reader's own are all used, see `everything`.
    With groups, which are never cut, two of the largest are left aside beforehand. What an entry says stands.

    Raises:
        ConfigError: the parts are more than there is.
    """
    train, validation, test = _said(entry, held)
    free, of, most = held, f"the {unit} of {entry.file}", MOST_OWN_TEST if entry.own else MOST_TEST
    if groups is not None:
        free = max(0, held - 2 * (int(np.bincount(groups).max()) - 1))
        of += f" in {len(np.unique(groups))} groups, which are never cut"
    if (train, validation) == (None, None) and entry.own:
        test = everything(free)[2] if test is None else test
        train, validation = free - free // FIFTH - test, free // FIFTH
    elif (train, validation) == (None, None):
        rest = free - (min(LEAST_TEST, free // 3) if test is None else test)
        train, validation = min(TRAIN, rest - rest // 4), min(TRAIN // 3, rest // 4)
    train = 3 * validation if train is None else train
    validation = max(1, train // 3) if validation is None else validation
    test = min(most, free - train - validation) if test is None else test
    sizes = train, validation, test
    return _enough(entry, sizes, sum(sizes) <= held, f"at most {held} together, {of}, and {ENOUGH}")


def series_sizes(entry: FileSource, last: np.ndarray, reach: int, most: int = LARGEST) -> tuple[int, int, int]:
    """The sizes, in windows, of the parts of a series.

    By default 1,280 train, 426 validate and 1,000 test, or as large a share of each as leaves a
    fifth of the windows for another seed's stretch. Of a reader's own, all but a tenth are used, see `everything`.
    Shares are of the windows without the gaps.

    Args:
        last: the row of the last known value of each window, ascending.
        reach: how far the last rows of windows in two parts are apart at least, less one.
        most: of a reader's own, by default no more windows are used.

    Raises:
        ConfigError: no stretch of the series holds the parts and the gaps between them.
    """
    gap = math.ceil(reach * len(last) / (int(last[-1] - last[0]) + 1)) if len(last) else 0
    usable = max(0, len(last) - 2 * gap)
    shrunk = min(1.0, STRETCH * usable / sum(WINDOWS))
    defaults = everything(min(most, math.floor(OWN_STRETCH * usable))) if entry.own else [
        math.floor(shrunk * default) for default in WINDOWS]
    sizes = tuple(default if said is None else said for said, default in zip(_said(entry, usable), defaults, strict=True))
    allowed = (f"the {len(last)} windows of {entry.file} hold the three parts and two gaps of {reach} rows, in "
               "which no window may begin; a longer file, a shorter window, or a smaller split")
    _enough(entry, sizes, True, f"{ENOUGH}; {allowed}")
    return _enough(entry, sizes, len(origins(last, sizes, reach)) > 0, f"fewer; {allowed}")


def _enough(entry: FileSource, sizes: tuple, fits: bool, allowed: str) -> tuple[int, int, int]:
    """The sizes; ConfigError, if they do not fit into a file, or a part is smaller than its entry says or than is of use."""
    if not fits or any(size < (LEAST if getattr(entry.split, part) is None else 1) for part, size in zip(PARTS, sizes, strict=True)):
        found = ", ".join(f"{part}: {size}" for part, size in zip(PARTS, sizes, strict=True))
        raise ConfigError(f"split: found {{{found}}}; allowed: {allowed}")
    return sizes


def _said(entry: FileSource, held: int) -> list[int | None]:
    """The sizes that an entry names; shares as numbers of what is held."""
    return [round(size * held) if isinstance(size, float) else size for size in (getattr(entry.split, part) for part in PARTS)]
