"""A file of one's own → arrays, whichever kind it is; and whether it is still the same file."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pipeline.data.__main__ import arrays_of
from pipeline.data.split import digest, load
from pipeline.data.user_data.read import changed, from_file
from pipeline.data.sources import read, write
from pipeline.config.errors import ConfigError
from pipeline.config.file_kinds import TableFile
from tests.own_files import PLACE, made

EXTRACTS = Path(__file__).parents[3] / "extracts"


@pytest.fixture
def table(project):
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(generator.normal(size=(200, 3)), columns=list("abc"))
    frame.assign(y=np.arange(200) % 2).to_csv("a.csv", index=False)
    return TableFile(file="a.csv", target="y")


def test_arrays_are_stored_and_read_as_those_of_any_data_set(table, project):
    arrays = from_file(table, range(5), PLACE)
    write(arrays, project / "a.npz")
    held = read(project / "a.npz")
    assert set(held) == set(arrays)
    for seed in range(5):
        np.testing.assert_array_equal(load(held, seed).x_test, load(arrays, seed).x_test)
        assert digest(held, seed) == digest(arrays, seed)
    write(from_file(table, range(5), PLACE), project / "b.npz")
    assert (project / "a.npz").read_bytes() == (project / "b.npz").read_bytes()


def test_the_stage_makes_arrays_of_a_file_or_of_a_source(table):
    sourced = SimpleNamespace(source="digits", arguments={})
    params = SimpleNamespace(data={"a": table, "b": sourced}, seeds=lambda name: [0, 1])
    assert str(arrays_of(params, "a")["kind"]) == "table" and len(arrays_of(params, "b")["x"]) == 1797
    params.data["a"] = table.model_copy(update={"target": "z"})
    with pytest.raises(ConfigError, match="^params.yaml: data.a: a.csv: target: there is no column 'z'"):
        arrays_of(params, "a")


def test_a_file_that_has_changed_is_told_from_one_that_was_only_touched(table, project):
    arrays = from_file(table, [0], PLACE)
    os.utime("a.csv", (1, 1))
    assert not changed(table, arrays)
    content = Path("a.csv").read_text()
    Path("a.csv").write_text(content.replace(",1\n", ",0\n", 1))
    assert changed(table, arrays)
    Path("a.csv").write_text(content)
    assert not changed(table, arrays)
    Path("a.csv").unlink()
    assert changed(table, arrays)


def test_a_hash_in_the_entry_is_held_against_the_file(table):
    found = str(from_file(table, [0], PLACE)["about_sha256"])
    from_file(table.model_copy(update={"sha256": found}), [0], PLACE)
    with pytest.raises(ConfigError, match=f"^params.yaml: data.a: a.csv: found the SHA-256 {found}; allowed: 0000"):
        from_file(table.model_copy(update={"sha256": "0" * 64}), [0], PLACE)


def test_a_seed_whose_part_lacks_a_class_is_refused_before_anything_trains(project):
    frame = pd.DataFrame({"x": np.sin(np.arange(600)), "y": np.where(np.arange(600) < 300, "up", "down")})
    with pytest.raises(ConfigError, match="found 29[79] of class '[a-z]+' among 597, and with seed [0-9]+ none of the 100 of "
                                          "train; allowed: "):
        made(frame, range(20), target="y", window=3, split={"train": 100, "validation": 40, "test": 40})


# --- real files -------------------------------------------------------------------------------

REAL = {
    "air_quality": {"target": "pm25", "time": "time", "window": 24, "horizon": 12, "missing": {"pm25": "drop"}},
    "client_load": {"target": "load", "time": "time", "window": 24, "horizon": 6},
    "glucose": {"target": "glucose", "time": "time", "window": 24, "horizon": 6, "missing": {"glucose": {"carry": 2}}},
    "letter": {"target": "class"}, "german_credit": {"target": "class", "task": "classes"}, "smartwatch": {},
    "spoken_digits": {"length": 40}, "mnist": {"images": True}}


@pytest.mark.parametrize("name", REAL)
def test_a_real_file(project, name):
    file = next(f"{name}{end}" for end in (".csv.xz", ".npz") if (EXTRACTS / f"{name}{end}").exists())
    shutil.copy(EXTRACTS / file, project / file)
    arrays = made(file=file, **REAL[name])
    loaded = load(arrays, 0)
    assert len(loaded.x_test) >= 300 and np.isfinite(loaded.x_train).all()
    if file.endswith(".xz"):
        count = len(pd.read_csv(file))
        assert int(arrays["about_rows"]) == count
        assert len(arrays["x"]) == count - int(arrays.get("about_duplicates", 0))
    else:
        with np.load(file, allow_pickle=False) as held:
            assert int(arrays["about_recordings"]) == len(held["y"])
            assert int(arrays["classes"]) == len(held["names"])
            if "group" in held:
                assert len(np.unique(arrays["groups"])) == len(np.unique(held["group"]))
