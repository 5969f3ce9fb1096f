"""Sources by name: what they make, what they refuse, how arrays are written."""

import os
import zipfile

import numpy as np
import pytest

from pipeline.data.sources import SOURCES, check, make, read, write
from pipeline.data.split import load

SMALL = {"train": 64, "validation": 32, "test": 64}
SEQUENCES = ("noise", "forecast", "badly_scaled")


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_names_its_task_and_kind(made, source):
    arrays = made[source]
    assert str(arrays["kind"]) == ("pool" if source == "digits" else "synthetic")
    assert str(arrays["task"]) == ("regression" if source in SEQUENCES else "classes")


@pytest.mark.parametrize(
    ("source", "shape", "classes", "sizes"),
    [
        ("noise", (21, 20), 0, (480, 240, 960)),
        ("forecast", (21, 20), 0, (960, 480, 960)),
        ("badly_scaled", (21, 20), 0, (480, 480, 960)),
        ("tabular", (14,), 2, (640, 320, 1280)),
        ("many_classes", (40,), 9, (1200, 400, 1600)),
        ("tokens", (24,), 4, (480, 240, 960)),
        ("digits", (8, 8, 1), 10, (1079, 359, 359)),
    ],
)
def test_shapes_and_types_of_a_split(made, source, shape, classes, sizes):
    split = load(made[source], 1)
    assert split.classes == classes
    assert split.task == ("classes" if classes else "regression")
    parts = (
        (split.x_train, split.y_train),
        (split.x_validation, split.y_validation),
        (split.x_test, split.y_test),
    )
    for (x, y), size in zip(parts, sizes, strict=True):
        assert x.shape == (size, *shape) and x.dtype == np.float32
        assert np.isfinite(x).all()
        assert y.shape == ((size,) if classes else (size, 1))
        assert y.dtype == (np.int32 if classes else np.float32)
    if classes:
        assert set(split.y_train) == set(range(classes))


def test_file_is_byte_stable_and_complete(tmp_path, made):
    arrays = made["forecast"]
    write(arrays, tmp_path / "first" / "forecast.npz")
    again = dict(reversed(make("forecast", [2, 1, 0]).items()))
    write(again, tmp_path / "second.npz")
    first, second = tmp_path / "first" / "forecast.npz", tmp_path / "second.npz"
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in first.parent.iterdir()] == ["forecast.npz"]
    with zipfile.ZipFile(first) as file:
        assert {entry.date_time[0] for entry in file.infolist()} == {1980}
        assert {entry.compress_type for entry in file.infolist()} == {zipfile.ZIP_STORED}
    held = read(first)
    assert set(held) == set(arrays)
    for key in arrays:
        np.testing.assert_array_equal(held[key], arrays[key])
    np.testing.assert_array_equal(load(held, 1).x_test, load(arrays, 1).x_test)


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "small.npz"
    write({"x": np.arange(3)}, path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        write({"x": np.arange(4)}, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("source", "arguments", "words"),
    [
        ("forcast", {}, ["'forcast'", "did you mean 'forecast'", "digits"]),
        ("forecast", {"chanels": 3}, ["'forecast'", "'chanels'", "did you mean 'channels'"]),
        ("forecast", {"noise": 1.0}, ["arguments.noise:", "1.0", "below 1"]),
        ("forecast", {"noise": True}, ["arguments.noise:", "found true", "a number"]),
        ("forecast", {"noise": float("nan")}, ["arguments.noise:", "found .nan", "a number"]),
        ("forecast", {"window": 0}, ["arguments.window:", "found 0;", "at least 1"]),
        ("forecast", {"train": 9.5}, ["arguments.train:", "9.5", "whole number"]),
        ("forecast", {"train": "9"}, ["arguments.train:", "'9'", "whole number"]),
        ("forecast", {"targets": "postive"}, ["arguments.targets:", "did you mean 'positive'"]),
        ("tabular", {"minority": 0.6}, ["arguments.minority:", "found 0.6;", "at most 0.5"]),
        ("tabular", {"minority": 0}, ["arguments.minority:", "above 0"]),
        ("tabular", {"noise": -1}, ["arguments.noise:", "found -1;", "at least 0"]),
        ("many_classes", {"noise": -0.1}, ["arguments.noise:", "found -0.1;", "at least 0"]),
        ("many_classes", {"classes": 1}, ["arguments.classes:", "found 1;", "at least 2"]),
        ("many_classes", {"validation": 8}, ["arguments.validation:", "found 8,", "of class"]),
        ("many_classes", {"test": 2}, ["'many_classes'", "arguments.test:", "found 2,", "seed 0", "of class"]),
        ("forecast", {"channels": 0}, ["arguments.channels:", "found 0;", "at least 1"]),
        ("tokens", {"vocabulary": 19}, ["arguments.vocabulary:", "found 19", "at least 20"]),
        ("tokens", {"length": 3}, ["arguments.length:", "found 3", "at least 4"]),
        ("tokens", {"window": 24}, ["'tokens'", "'window'", "length"]),
        ("tokens", {"train": 3}, ["arguments.train:", "found 3,", "of class"]),
        ("digits", {"noise": 0.1}, ["'digits'", "arguments:", "unknown key 'noise'"]),
    ],
)
def test_errors_name_what_is_allowed(source, arguments, words):
    with pytest.raises(ValueError) as error:
        make(source, [0], **arguments)
    for word in words:
        assert word in str(error.value)


def test_seeds_are_no_argument_of_a_source():
    with pytest.raises(ValueError, match="arguments: unknown key 'seeds'; allowed: train"):
        check("forecast", seeds=3)
    check("forecast", noise=0, window=5)


@pytest.mark.parametrize(
    ("source", "arguments", "start"),
    [
        ("co3", {}, "params.yaml: data.air: source: found 'co3'; allowed: 'noise'"),
        ("noise", {"windows": 4}, "params.yaml: data.air: arguments: unknown key 'windows'; allowed: train"),
        ("noise", {"window": 0}, "params.yaml: data.air: arguments.window: found 0; allowed: a number of at least 1"),
    ],
)
def test_errors_name_the_place(source, arguments, start):
    with pytest.raises(ValueError) as error:
        check(source, "params.yaml: data.air", **arguments)
    assert str(error.value).startswith(start)


@pytest.mark.parametrize("seeds", [[], [-1], [1.5], [2**32]])
def test_seeds_are_checked(seeds):
    with pytest.raises(ValueError, match="seeds"):
        make("noise", seeds, **SMALL)
