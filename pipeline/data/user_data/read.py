"""A file of a reader → arrays."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pipeline.config.data_files import FileSource
from pipeline.config.file_kinds import RecordingsFile, SeriesFile
from pipeline.config.errors import ConfigError
from pipeline.data.draw import Arrays
from pipeline.data.split import PARTS, split, targets
from pipeline.data.user_data.columns import are_numbers
from pipeline.data.user_data.location import digest, located, regular
from pipeline.data.user_data.recordings import recordings
from pipeline.data.user_data.rows import open_rows
from pipeline.data.user_data.series import series
from pipeline.data.user_data.table import table

#: Bytes of memory that reading a file may take, beside those that are taken already.
MEMORY = 8_000_000_000


def from_file(entry: FileSource, seeds: Iterable[int], place: str, **options) -> Arrays:
    """The arrays of an entry's file (their entries: see table, series, recordings).

    Every seed's split is tried, so that none fails while networks train.

    Args:
        place: the file and the path inside it that an error begins with: `params.yaml: data.air`.
        options: of `located`.

    Raises:
        ConfigError: names the entry, the file, the line and the column, what was found and what is allowed.
    """
    try:
        path = located(entry.file, entry.sha256, **options)
        if not entry.file.endswith("/"):
            path = regular(path, entry.file, outside="://" in entry.file)
        found = digest(entry.file, path)
        if entry.sha256 not in (None, found):
            raise ConfigError(f"{entry.file}: found the SHA-256 {found}; allowed: {entry.sha256}, which its "
                              "entry names; the file is another one than it was")
        with bounded_memory():
            arrays = recordings(entry, path, found) if isinstance(entry, RecordingsFile) else (
                series if isinstance(entry, SeriesFile) else table)(entry, open_rows(entry, path), found)
            for seed in seeds:
                _try_split(entry, arrays, seed)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}", remedy=error.remedy) from None
    except MemoryError:
        raise ConfigError(f"{place}: {entry.file}: needs more than {MEMORY} bytes of memory; allowed: fewer rows or "
                          "columns") from None
    return arrays


def changed(entry: FileSource, arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether the entry's file is another one than that which arrays were made from, or gone."""
    try:
        return "://" not in entry.file and digest(entry.file, Path(entry.file)) != str(arrays["about_sha256"])
    except ConfigError:
        return True


@contextmanager
def bounded_memory():
    """Ends what asks for more than `MEMORY` in a MemoryError, where the system knows such a limit."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    try:
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, before[1]))
    except (OSError, ValueError):
        pass
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _try_split(entry: FileSource, arrays: Arrays, seed: int) -> None:
    """Refuse a data set of which a seed's split leaves a part without a class; of a single series, with but one."""
    try:
        parts = split(arrays, seed)
    except ValueError as error:
        raise ConfigError(f"{entry.file}: split: {error}") from None
    names, y = arrays["about_classes"].tolist(), targets(arrays, seed)
    for name, part in zip(PARTS, parts, strict=True) if names else ():
        held = np.bincount(y[part], minlength=len(names)) > 0
        if held.all() or ("last" in arrays and "groups" not in arrays and held.sum() > 1):
            continue
        rare, counts = int(np.flatnonzero(~held)[0]), np.bincount(y, minlength=len(names))
        numbers = are_numbers(names) and len(names) > 2
        raise ConfigError(
            f"{entry.file}, {f'column {entry.target!r}' if entry.target else 'the target'}: found {counts[rare]} of class "
            f"'{names[rare]}' among {len(y)}, and with seed {seed} none of the {len(part)} of {name}; allowed: each class in "
            f"each part; a larger split.{name}, or a file without that class"
            + ("; for numbers its entry says task: regression" if numbers else ""),
            remedy=("task", "regression") if numbers else ("split", {name: -(-len(y) // max(3, int(counts[rare])))}))
