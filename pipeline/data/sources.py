"""Sources by name: their arguments checked, their arrays made, written and read."""

from __future__ import annotations

import inspect
import io
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from pipeline.data.archives import cancer, co2, digits, power, vowels
from pipeline.data.draw import Arrays
from pipeline.data.recordings import eeg, tokens
from pipeline.data.sequences import badly_scaled, forecast, noise
from pipeline.data.splits import _word
from pipeline.data.tables import many_classes, tabular
from pipeline.results import write_bytes

SOURCES: dict[str, Callable[..., Arrays]] = {
    source.__name__: source
    for source in (
        noise, forecast, badly_scaled, tabular, many_classes, eeg, tokens, vowels, power, cancer,
        digits, co2,
    )
}
# The least value of whole-number arguments that need more than 1.
LEAST = {"classes": 2, "length": 4, "vocabulary": 20}


def check(source: str, place: str = "", /, **arguments) -> None:
    """Refuse an unknown source, an unknown argument or a value out of range.

    Args:
        place: the file, and the path inside it, that an error names.

    Raises:
        ValueError: says where, what was found, what is allowed, and the nearest word.
    """
    _word(f"{place}.source" if place else "data source", source, SOURCES)
    parameters = dict(inspect.signature(SOURCES[source]).parameters)
    del parameters["seeds"]
    section = f"{place}.arguments" if place else f"data source '{source}', arguments"
    for name, value in arguments.items():
        _word(section, name, parameters)
        default = parameters[name].default
        if name == "targets":
            _word(f"{section}.{name}", value, ("standard", "none", "positive"))
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(default, int):
            least = LEAST.get(name, 1)
            allowed = f"a whole number from {least}"
            valid = isinstance(value, int) and number and value >= least
        elif name == "minority":
            allowed = "a number above 0, at most 0.5"
            valid = number and 0 < value <= 0.5
        elif source in ("tabular", "many_classes"):
            allowed = "a finite number from 0"
            valid = number and 0 <= value < np.inf
        else:
            allowed = "a number from 0, below 1"
            valid = number and 0 <= value < 1
        if not valid:
            raise ValueError(f"{section}.{name}: found {value!r}, allowed: {allowed}")


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
    check(source, **arguments)
    seeds = sorted(set(seeds))
    if not all(isinstance(seed, int | np.integer) and 0 <= seed < 2**32 for seed in seeds):
        raise ValueError(f"seeds: found {seeds}, allowed: whole numbers from 0, below 2**32")
    arrays = SOURCES[source]([int(seed) for seed in seeds], **arguments)
    if str(arrays["kind"]) == "synthetic" and not seeds:
        raise ValueError(f"data source '{source}': found no seeds, allowed: one or more")
    return arrays


def write(arrays: Mapping[str, np.ndarray], path: str | os.PathLike) -> None:
    """Write arrays as uncompressed `.npz`, whole or not at all; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{key: arrays[key] for key in sorted(arrays)})
    write_bytes(Path(path), buffer.getvalue())


def read(path: str | os.PathLike) -> Arrays:
    """Read what `write` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return dict(file)
