"""What sources share: seeded generators, rounding, processes that several draw from."""

from __future__ import annotations

import hashlib
from typing import Annotated

import numpy as np
from pydantic import Field

from pipeline.data.split import PARTS

Arrays = dict[str, np.ndarray]
Count = Annotated[int, Field(ge=1)]
# Processors differ in the last bits of a sum; rounding gives all of them the same file.
DECIMALS = 4
BURN_IN = 200
CALIBRATION = 8192


def generators(source: str, seed: int, count: int) -> list[np.random.Generator]:
    """Independent streams of one source and seed, so that a longer series begins the same."""
    name = int.from_bytes(hashlib.sha256(source.encode()).digest()[:8], "big")
    return [np.random.default_rng(child) for child in np.random.SeedSequence([name, seed]).spawn(count)]


def rounded(values: np.ndarray) -> np.ndarray:
    # Adding 0 turns a rounded -0.0 into 0.0.
    return (np.round(values, DECIMALS) + 0.0).astype(np.float32)


def scalars(task, kind, train, validation, test, classes=0) -> Arrays:
    """What all arrays hold: the task, their kind, and the sizes of the parts."""
    return {key: np.array(value) for key, value in locals().items()}


def autoregression(innovations: np.ndarray, decay: np.ndarray) -> np.ndarray:
    """s_t = decay s_{t-1} + innovation_t along the first axis, from 0."""
    states, state = np.empty_like(innovations), np.zeros(innovations.shape[1])
    for step, innovation in enumerate(innovations):
        state = decay * state + innovation
        states[step] = state
    return states


def require_every_class(source: str, arrays: Arrays, seed: int) -> None:
    """Refuse a draw that leaves one of its parts without a class."""
    sizes = [int(arrays[part]) for part in PARTS]
    for part, y in zip(PARTS, np.split(arrays[f"y_{seed}"], np.cumsum(sizes)[:-1]), strict=True):
        missing = sorted(set(range(int(arrays["classes"]))) - set(y.tolist()))
        if missing:
            raise ValueError(f"data source '{source}', arguments.{part}: found {len(y)}, allowed: more; with seed {seed} it "
                             f"leaves no item of class {', '.join(map(str, missing))}")
