"""The study's arrays and splits have the bits that its stored runs were trained on."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import pipeline
from pipeline.data.__main__ import arrays_of
from pipeline.data.sources import write
from pipeline.data.split import PARTS, SCALINGS, digest, load
from pipeline.config.schema import load as load_params

ROOT = Path(pipeline.__file__).parents[1]
PARAMS = load_params(ROOT / "params.yaml")
#: Data set → hash of what some of its seeds, counted from its first, give, with all, half and a quarter of the training part, in both scalings.
STORED = json.loads(Path(__file__).with_name("splits.json").read_text(encoding="utf-8"))
SEEDS, FRACTIONS = (0, 1, 4), (1.0, 0.5, 0.25)


def of_splits(arrays, first):
    known = hashlib.sha256()
    for seed in (first + number for number in SEEDS):
        known.update(digest(arrays, seed).encode())
        for fraction in FRACTIONS:
            for scaling in SCALINGS:
                split = load(arrays, seed, fraction, scaling)
                for part in PARTS:
                    for values in (getattr(split, f"x_{part}"), getattr(split, f"y_{part}")):
                        known.update(f"{values.dtype.str}{values.shape}".encode() + np.ascontiguousarray(values).tobytes())
    return known.hexdigest()[:16]


@pytest.fixture(scope="module")
def planned():
    """Data set → the hash of its file, as the stored plans name it."""
    plans = [json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "plan").glob("*.json")]
    return {name: one["digest"] for plan in plans for name, one in plan["data"].items()}


@pytest.mark.parametrize("name", [name for name in PARAMS.data if not PARAMS.data[name].own])
def test_arrays_and_splits_are_those_of_the_stored_runs(name, planned, tmp_path):
    arrays = arrays_of(PARAMS, name)
    write(arrays, tmp_path / "a.npz")
    assert hashlib.sha256((tmp_path / "a.npz").read_bytes()).hexdigest()[:16] == planned[name]
    # Seeds that every data set has.
    assert of_splits(arrays, PARAMS.data[name].first_seed) == STORED[name]
