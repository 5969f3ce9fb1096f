"""Sources by name: their arguments checked, their arrays made, written and read."""

from __future__ import annotations

import functools
import inspect
import io
import math
import os
import struct
import typing
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pydantic

from pipeline.data.draw import CALIBRATION, Arrays
from pipeline.data.sequences import badly_scaled, forecast, noise
from pipeline.data.split import PARTS
from pipeline.data.tables import many_classes, tabular
from pipeline.data.texts_and_images import digits, tokens
from pipeline.tables.stored import Damaged, write_bytes
from pipeline.config.errors import ConfigError, Spec, explain, shown

SOURCES: dict[str, Callable[..., Arrays]] = {
    source.__name__: source for source in (noise, forecast, badly_scaled, tabular, many_classes, tokens, digits)}
#: No window, number of channels or the like is larger; what a source draws for a seed, and what it keeps
#: for all of them, is not more than so many numbers.
WIDEST, MOST, MOST_OF_ALL = 5_000, 200_000_000, 300_000_000


@functools.cache
def _entry(source: str) -> type[Spec]:
    """What an entry of params.yaml may say of a source: the source's own signature."""
    arguments = dict[str, Any]
    if source in SOURCES:
        hints = typing.get_type_hints(SOURCES[source], include_extras=True)
        arguments = pydantic.create_model("Arguments", __base__=Spec, **{
            name: (hints[name], one.default) for name, one in inspect.signature(SOURCES[source]).parameters.items()
            if name != "seeds"})
    return pydantic.create_model("Entry", __base__=Spec, source=Literal[tuple(SOURCES)], arguments=arguments)


def check(source: str, place: str = "data source", /, **arguments) -> None:
    """Refuse an unknown source, an unknown argument or a value that the source's signature refuses.

    Args:
        place: the file, and the path inside it, that an error names.

    Raises:
        ConfigError: says where, what was found, what is allowed, and the nearest word.
    """
    model = _entry(source)
    try:
        model(source=source, arguments=arguments)
    except pydantic.ValidationError as error:
        raise explain(place, model, error) from None
    items, widths = _sizes(source, arguments)
    for name, width in widths.items():
        if width > WIDEST:
            raise ConfigError(f"{place}.arguments.{name}: found {shown(width)}; allowed: a number of at most {WIDEST}")
    numbers = (items + CALIBRATION) * math.prod(widths.values())
    if numbers > MOST:
        raise ConfigError(f"{place}.arguments: they ask for up to {shown(numbers)} numbers a seed; allowed: at most "
                          f"{MOST}; fewer samples, or narrower ones")


def _sizes(source: str, arguments: Mapping[str, Any]) -> tuple[int, dict[str, int]]:
    """How many samples the parts of a source have together, and its other whole numbers by their names."""
    given = {name: one.default for name, one in inspect.signature(SOURCES[source]).parameters.items()} | arguments
    # Of `horizon` depends only how far apart the rows of a sample are.
    whole = {name: value for name, value in given.items() if isinstance(value, int) and name != "horizon"}
    return sum(whole.pop(part, 0) for part in PARTS), whole


def make(source: str, seeds: Iterable[int], **arguments) -> Arrays:
    """Make the arrays of one data set (their entries: see the module).

    Args:
        source: a key of `SOURCES`.
        seeds: the seeds for which a synthetic source draws; a seed's arrays do not depend on
            the others. Pools and the series hold the same arrays for all seeds.
        arguments: the source's own arguments.

    Raises:
        ValueError: unknown source or argument, a value out of range, or no valid seeds.
    """
    check(source, f"data source '{source}'", **arguments)
    seeds = sorted(set(seeds))
    if not all(isinstance(seed, int | np.integer) and 0 <= seed < 2**32 for seed in seeds):
        raise ValueError(f"seeds: found {seeds}, allowed: whole numbers from 0, below 2**32")
    items, widths = _sizes(source, arguments)
    if items * max(widths.values(), default=1) * len(seeds) > MOST_OF_ALL:
        raise ValueError(f"data source '{source}': found {items} samples of each of {len(seeds)} seeds, allowed: "
                         f"at most {MOST_OF_ALL} numbers of all together; fewer samples, or fewer seeds")
    arrays = SOURCES[source]([int(seed) for seed in seeds], **arguments)
    if str(arrays["kind"]) == "synthetic" and not seeds:
        raise ValueError(f"data source '{source}': found no seeds, allowed: one or more")
    return arrays


def write(arrays: Mapping[str, np.ndarray], path: str | os.PathLike) -> None:
    """Write arrays as uncompressed `.npz`, whole or not at all."""
    write_bytes(Path(path), content(arrays))


def content(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as uncompressed `.npz`, as `numpy.savez` writes it; equal arrays give equal bytes, on every Python 3.11."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for key in sorted(arrays):
            with file.open(_Entry(f"{key}.npy"), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(arrays[key]), allow_pickle=False)
    return buffer.getvalue()


class _Entry(zipfile.ZipInfo):
    """An array of a file, with the header that Python writes since 3.11.4; before, it had other bytes."""

    def FileHeader(self, zip64=None) -> bytes:
        """The header of an entry whose sizes stand in 64 bits behind it, of the first day of 1980."""
        self.extract_version = self.create_version = zipfile.ZIP64_VERSION
        name, extra = self.filename.encode("ascii"), struct.pack("<HHQQ", 1, 16, self.file_size, self.compress_size)
        return struct.pack(zipfile.structFileHeader, zipfile.stringFileHeader, self.extract_version, 0, 0, self.compress_type, 0,
                           1 << 5 | 1, self.CRC, 2**32 - 1, 2**32 - 1, len(name), len(extra)) + name + extra


def read(path: str | os.PathLike) -> Arrays:
    """Read what `write` wrote; Damaged, if it is something else."""
    with open(path, "rb") as content:
        try:
            arrays = dict(np.load(content, allow_pickle=False))
        except Exception as error:  # A damaged archive ends in many ways.
            raise Damaged(f"{path}: its content is not what was stored ({' '.join(str(error).split())[:100]}); remove it, and "
                          "`make book` makes it anew") from None
    if "kind" not in arrays:
        raise Damaged(f"{path}: it holds no data set; remove it, and `make book` makes it anew")
    return arrays
