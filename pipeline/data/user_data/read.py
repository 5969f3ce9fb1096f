"""A file of one's own → arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from pipeline.data.draw import Arrays
from pipeline.data.user_data.location import fetch, sha256
from pipeline.data.user_data.rows import open_rows
from pipeline.data.user_data.recordings import recordings
from pipeline.data.user_data.series import series
from pipeline.data.user_data.table import table
from pipeline.data.parts import split
from pipeline.data.splits import PARTS
from pipeline.spec.base import ConfigError
from pipeline.spec.files import ARRAYS, FileSource, RecordingsFile, SeriesFile


def from_file(entry: FileSource, seeds: Iterable[int], place: str, **options) -> Arrays:
    """The arrays of an entry's file (their entries: see table, series, recordings).

    Every seed's split is tried, so that none fails while networks train.

    Args:
        place: the file and the path inside it that an error begins with: `params.yaml: data.air`.
        options: of `fetch`.

    Raises:
        ConfigError: names the entry, the file, the line and the column, what was found and what is
            allowed.
    """
    try:
        path = locate(entry, **options)
        digest = _verified(entry, path)
        if entry.file.endswith(ARRAYS):
            arrays = recordings(entry, path, digest)
        else:
            make = {SeriesFile: series, RecordingsFile: recordings}
            kind = next((made for cls, made in make.items() if isinstance(entry, cls)), table)
            arrays = kind(entry, open_rows(path, entry.file, entry.separator), digest)
        for seed in seeds:
            _try_split(entry, arrays, seed)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None
    return arrays


def locate(entry: FileSource, **options) -> Path:
    """The entry's file on this machine; one at an address is fetched if it is not there yet."""
    return fetch(entry.file, entry.sha256, **options) if "://" in entry.file else Path(entry.file)


def changed(entry: FileSource, arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether the entry's file is another one than that which arrays were made from, or gone."""
    path = Path(entry.file)
    return "://" not in entry.file and not (
        path.is_file() and sha256(path) == str(arrays["about_sha256"]))


def _verified(entry: FileSource, path: Path) -> str:
    if not path.is_file():
        raise ConfigError(f"{entry.file}: there is no such file")
    found = sha256(path)
    if entry.sha256 not in (None, found):
        raise ConfigError(f"{entry.file}: found the SHA-256 {found}; allowed: {entry.sha256}, which its "
                          "entry names; the file is another one than it was")
    return found


def _try_split(entry: FileSource, arrays: Arrays, seed: int) -> None:
    """Refuse a data set of which a seed's split leaves a part without a class."""
    try:
        parts = split(arrays, seed)
    except ValueError as error:
        raise ConfigError(f"{entry.file}: split: {error}") from None
    if str(arrays["task"]) != "classes":
        return
    everywhere = "last" not in arrays or "groups" in arrays
    y = arrays["y"][arrays["last"] + int(arrays["horizon"])] if "last" in arrays else arrays["y"]
    for name, part in zip(PARTS, parts, strict=True):
        held = len(np.unique(y[part]))
        if held < (int(arrays["classes"]) if everywhere else 2):
            allowed = "all of them" if everywhere else "two or more"
            raise ConfigError(f"{entry.file}: with seed {seed}, {name} ({len(part)}) has {held} of "
                              f"{int(arrays['classes'])} classes; allowed: {allowed} in each part; a larger "
                              "split, or a file without the rarest class")
