"""The extracts are what sets.yaml says: complete, small, readable without a pickle; and all are used."""

import hashlib
import io
import lzma
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from pipeline.config.schema import load

FOLDER = Path(__file__).resolve().parents[2] / "extracts"
DESCRIBED = YAML(typ="safe").load((FOLDER / "sets.yaml").read_text(encoding="utf-8"))
SETS = DESCRIBED["sets"]
USED = {name: entry for name, entry in load(FOLDER.parent / "params.yaml").data.items()
        if (getattr(entry, "file", None) or "").startswith("extracts/")}
FAMILIES = {"sequences", "tables", "images"}


def content_of(name):
    path = FOLDER / SETS[name]["file"]
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        return b"".join(archive.read(member) for member in archive.namelist())


def frame_of(name):
    return pd.read_csv(io.BytesIO(content_of(name)), keep_default_na=False, na_values=[""])


def arrays_of(name):
    with np.load(FOLDER / SETS[name]["file"], allow_pickle=False) as file:
        return dict(file)


CSV = [name for name, entry in SETS.items() if entry["file"].endswith(".csv.xz")]
NPZ = [name for name, entry in SETS.items() if entry["file"].endswith(".npz")]
SERIES = [name for name in CSV if SETS[name]["task"]["kind"] == "forecast"]


@pytest.mark.parametrize("name", SETS)
def test_every_set_says_where_it_is_from_and_may_be_passed_on_and_has_its_hash(name):
    entry, licence = SETS[name], SETS[name]["licence"]
    assert entry["family"] in FAMILIES and entry["task"]["kind"] in ("forecast", "classes") and entry["cautions"] is not None
    for key in ("unit", "title", "origin", "package", "citation", "done", "member"):
        assert entry[key].strip(), key
    assert licence["name"] and licence["source"] and licence["how"] in ("seen", "quoted", "law")
    assert len(DESCRIBED["packages"][entry["package"]]["sha256"]) == 64
    assert hashlib.sha256(content_of(name)).hexdigest() == entry["sha256"]


def test_every_file_is_small_described_and_used():
    files = {path.name for path in FOLDER.iterdir() if path.suffix in (".xz", ".npz")}
    assert files == {entry["file"] for entry in SETS.values()} and set(USED) >= set(SETS)
    assert {entry.file for entry in USED.values()} == {f"extracts/{file}" for file in files}
    sizes = [(FOLDER / file).stat().st_size for file in files]
    assert max(sizes) < 2_000_000 and sum(sizes) < 15_000_000


@pytest.mark.parametrize("name", sorted(set(USED) - set(SETS)))
def test_a_file_that_is_used_again_is_of_one_unit(name):
    assert USED[name].unit == next(entry["unit"] for entry in SETS.values() if f"extracts/{entry['file']}" == USED[name].file)


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_described_as_it_is_used(name):
    used, entry = USED[name], SETS[name]
    assert f"extracts/{entry['file']}" == used.file
    for key in ("family", "unit", "title"):
        assert entry[key] == getattr(used, key), key
    assert (entry["family"] == "images") == getattr(used, "images", False)
    assert (entry["task"]["kind"] == "forecast") == (used.stratum == "forecasts")
    # Of recordings nothing but their classes is predicted.
    for key in {"target", "window", "horizon"} & entry["task"].keys():
        assert entry["task"][key] == getattr(used, key), key


def test_every_wheel_is_needed_and_there_are_the_notices_that_licences_ask_for_and_no_others():
    assert {entry["package"] for entry in SETS.values()} == set(DESCRIBED["packages"])
    sources = "\n".join(entry["licence"]["source"] for entry in SETS.values())
    assert set(re.findall("see licences/([^;\n]*)", sources)) == {path.name for path in (FOLDER / "licences").iterdir()}


@pytest.mark.parametrize("name", CSV)
def test_a_frame_has_the_rows_the_columns_and_the_empty_cells_it_should_have(name):
    frame, entry = frame_of(name), SETS[name]
    assert len(frame) == entry["rows"]
    assert list(frame) == [column.lower().replace(" ", "_") for column in frame]
    empty = {column: int(count) for column, count in frame.isna().sum().items() if count}
    assert empty == entry.get("missing", {})
    assert entry["task"]["target"] in frame


@pytest.mark.parametrize("name", SERIES)
def test_a_series_has_a_regular_step(name):
    frame, task = frame_of(name), SETS[name]["task"]
    assert list(frame)[0] == "time"
    steps = pd.to_datetime(frame["time"]).diff().dropna()
    assert set(steps) == {pd.Timedelta(task["step"])}
    assert all(pd.api.types.is_numeric_dtype(frame[column]) for column in frame if column != "time")
    assert task["window"] + task["horizon"] < len(frame)


@pytest.mark.parametrize("name", sorted(set(CSV) - set(SERIES)))
def test_a_table_ends_with_its_class(name):
    frame = frame_of(name)
    assert list(frame)[-1] == "class"
    assert 2 <= frame["class"].nunique() <= 26
    assert frame["class"].value_counts().min() >= 50


@pytest.mark.parametrize("name", NPZ)
def test_recordings_and_images_are_plain_arrays(name):
    arrays, entry = arrays_of(name), SETS[name]
    x, y = arrays["x"], arrays["y"]
    assert len(x) == len(y) == entry["rows"]
    assert y.dtype == np.int32
    assert arrays["names"].dtype.kind == "U"
    assert sorted(set(y)) == list(range(len(arrays["names"])))
    assert ("group" in arrays) == ("group" in entry["task"])
    if entry["family"] == "images":
        assert x.dtype == np.uint8 and x.ndim == 3
        return
    assert x.dtype == np.float32 and x.ndim == 3
    real = np.arange(x.shape[1]) < arrays["length"][:, None]
    assert not np.isnan(x[real]).any()
    assert np.isnan(x[~real]).all()
    assert arrays["length"].max() == x.shape[1]


def test_every_set_was_tried():
    tried = pd.read_csv(FOLDER / "sanity.csv")
    assert list(tried["name"]) == list(SETS)
    # The other sets are marked in their cautions.
    poor = tried[(tried["of_trivial"] > 0.85) | (tried["errors"] < 60)]["name"]
    assert all("Borderline" in " ".join(SETS[name]["cautions"]) for name in poor)
    assert list(tried["unit"]) == [entry["unit"] for entry in SETS.values()]
    # A family's trivial predictor of a number is the mean, of which R2 is counted; persistence is beside it.
    forecasts = tried["kind"] == "forecast"
    of_mean = (1 - tried[["linear", "forest"]].max(axis=1)) ** 0.5
    assert tried["of_trivial"].where(~forecasts, of_mean).max() < 0.9


def test_an_average_has_enough_units():
    # Of fewer than eight units nothing is averaged.
    units = pd.DataFrame([(entry["family"], entry["task"]["kind"], entry["unit"]) for entry in SETS.values()],
                         columns=["family", "kind", "unit"]).groupby(["family", "kind"])["unit"].nunique()
    for family in (("sequences", "forecast"), ("sequences", "classes"), ("tables", "classes")):
        assert units[family] >= 8, family


def test_what_was_left_out_has_a_reason():
    assert all(reason.endswith(".") for reason in DESCRIBED["left_out"].values())
    left_out = [name for names in DESCRIBED["left_out"] for name in names.split(", ")]
    assert len(left_out) == len(set(left_out)) and not set(left_out) & set(SETS)
