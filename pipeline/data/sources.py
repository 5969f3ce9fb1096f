"""Sources by name: their arguments checked, their arrays made, written and read."""

from __future__ import annotations

import functools
import inspect
import io
import os
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pydantic

from pipeline.data.archives import cancer, co2, digits, power, vowels
from pipeline.data.draw import Arrays
from pipeline.data.recordings import eeg, tokens
from pipeline.data.sequences import badly_scaled, forecast, noise
from pipeline.data.tables import many_classes, tabular
from pipeline.results import write_bytes
from pipeline.spec.base import Spec, explain

SOURCES: dict[str, Callable[..., Arrays]] = {
    source.__name__: source
    for source in (
        noise, forecast, badly_scaled, tabular, many_classes, eeg, tokens, vowels, power, cancer,
        digits, co2,
    )
}


@functools.cache
def _entry(source: str) -> type[Spec]:
    """What an entry of params.yaml may say of a source: the source's own signature."""
    arguments = dict[str, Any]
    if source in SOURCES:
        hints = typing.get_type_hints(SOURCES[source], include_extras=True)
        parameters = inspect.signature(SOURCES[source]).parameters
        arguments = pydantic.create_model("Arguments", __base__=Spec, **{
            name: (hints[name], parameter.default)
            for name, parameter in parameters.items() if name != "seeds"})
    return pydantic.create_model(
        "Entry", __base__=Spec, source=Literal[tuple(SOURCES)], arguments=arguments)


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
