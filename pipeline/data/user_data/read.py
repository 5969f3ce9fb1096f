"""A file of a reader → arrays."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pipeline.data.draw import Arrays
from pipeline.data.split import PARTS, split
from pipeline.data.user_data.location import digest, locate, regular
from pipeline.data.user_data.recordings import recordings
from pipeline.data.user_data.rows import open_rows
from pipeline.data.user_data.series import series
from pipeline.data.user_data.table import table
from pipeline.config.errors import ConfigError
from pipeline.config.data_files import FileSource, RecordingsFile, SeriesFile

#: Bytes of memory that reading a file may take, beside those that are taken already.
MEMORY = 8_000_000_000


def from_file(entry: FileSource, seeds: Iterable[int], place: str, **options) -> Arrays:
    """The arrays of an entry's file (their entries: see table, series, recordings).

    Every seed's split is tried, so that none fails while networks train.

    Args:
        place: the file and the path inside it that an error begins with: `params.yaml: data.air`.
        options: of `location.fetch`.

    Raises:
        ConfigError: names the entry, the file, the line and the column, what was found and what is
            allowed.
    """
    try:
        path, known = opened(entry, **options)
        with bounded_memory():
            if isinstance(entry, RecordingsFile):
                arrays = recordings(entry, path, known)
            else:
                arrays = (series if isinstance(entry, SeriesFile) else table)(entry, open_rows(entry, path), known)
            for seed in seeds:
                _try_split(entry, arrays, seed)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}", remedy=error.remedy) from None
    except MemoryError:
        raise ConfigError(f"{place}: {entry.file}: needs more than {MEMORY} bytes of memory; allowed: fewer rows or "
                          "columns") from None
    return arrays


def opened(entry: FileSource, **options) -> tuple[Path, str]:
    """An entry's file, or the folder of its files, on this machine, and its SHA-256.

    Raises:
        ConfigError: there is none, it cannot be read, or it is another one than the entry says.
    """
    path = locate(entry.file, entry.sha256, **options)
    if not entry.file.endswith("/"):
        path = regular(path, entry.file, outside="://" in entry.file)
    found = digest(entry.file, path)
    if entry.sha256 not in (None, found):
        raise ConfigError(f"{entry.file}: found the SHA-256 {found}; allowed: {entry.sha256}, which its "
                          "entry names; the file is another one than it was")
    return path, found


def changed(entry: FileSource, arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether the entry's file is another one than that which arrays were made from, or gone."""
    try:
        return "://" not in entry.file and digest(entry.file, Path(entry.file)) != str(arrays["about_sha256"])
    except ConfigError:
        return True


@contextmanager
def bounded_memory():
    """Ends what asks for more than `MEMORY` in a MemoryError, where the system knows such a limit."""
    try:
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        before = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, before[1]))
    except (OSError, ValueError):
        before = None
    try:
        yield
    finally:
        if before:
            resource.setrlimit(resource.RLIMIT_AS, before)


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
