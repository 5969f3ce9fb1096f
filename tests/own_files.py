"""Files of a reader, in every format, and what becomes of them."""

import gzip
import io
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.config.errors import ConfigError
from pipeline.config.file_kinds import KINDS, kind
from pipeline.data.split import PARTS, load
from pipeline.data.user_data.read import from_file

PLACE = "params.yaml: data.a"
#: A file of each format.
FORMATS = ("a.csv", "a.tsv", "a.txt", "a.csv.gz", "a.CSV.XZ", "a.csv.zip", "a.parquet", "a.feather", "a.xlsx", "a.json",
           "a.jsonl", "a.npy")


def entry(**given):
    """What params.yaml says of a file, as the kind of file that it is."""
    return KINDS[kind(given)](**given)


def made(frame=None, seeds=range(3), **given):
    """The arrays of an entry, of whose file the frame is the content."""
    given = {"file": "a.csv"} | given
    if frame is not None:
        frame.to_csv(given["file"], index=False)
    return from_file(entry(**given), seeds, PLACE)


def refused(*words, call=made, **given):
    """One message, which begins with the place and has these words."""
    with pytest.raises(ConfigError) as error:
        call(**given)
    assert str(error.value).startswith(f"{PLACE}: ") and "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)


def zipped(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.csv", content)
    return buffer.getvalue()


def packed(name, content):
    """A file's content, packed as its name says."""
    return {"gz": gzip.compress, "xz": lzma.compress, "zip": zipped}.get(name.rpartition(".")[2].lower(), bytes)(content)


def stored(path, frame, separator=",", encoding="utf-8"):
    """A frame in a file of the format that its name says."""
    path, end = Path(path), Path(path).suffix.lower()
    if end == ".npy":
        kinds = [(name, "f8" if pd.api.types.is_numeric_dtype(frame[name]) else "U10") for name in frame]
        np.save(path, np.array([tuple("" if one is None else one for one in row) for row in frame.to_numpy()], dtype=kinds))
    elif end in (".json", ".jsonl"):
        frame.to_json(path, orient="records", lines=end == ".jsonl", force_ascii=False)
    elif end == ".xlsx":
        frame.to_excel(path, index=False)
    elif end in (".parquet", ".feather"):
        getattr(frame, f"to_{end[1:]}")(path)
    else:
        text = frame.to_csv(index=False, sep="\t" if end == ".tsv" else separator, decimal="," if separator == ";" else ".")
        path.write_bytes(packed(path.name, text.encode(encoding)))
    return path


def rows(lines=60):
    """A CSV of numbers, a word, a time, a group and a target that they do not hold."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(lines, 2)).round(4)
    return "a,b,word,time,group,y\n" + "".join(
        f"{a},{b},{'xyz'[n % 3]},2024-01-{1 + n // 24:02d} {n % 24:02d}:00,{n // 6},{generator.integers(2)}\n"
        for n, (a, b) in enumerate(values))


ENTRIES = [
    {"file": "a.csv", "target": "y", "leave_out": ["time", "group"]},
    {"file": "a.csv", "target": "y", "inputs": ["a", "word"], "group_by": "group", "missing": "drop"},
    {"file": "a.csv", "target": "a", "task": "regression", "leave_out": ["time"], "categories": ["word"]},
    {"file": "a.csv", "target": "a", "window": 3, "time": "time", "leave_out": ["word", "group"], "missing": "drop"},
    {"file": "a.csv", "target": "b", "window": 2, "horizon": 2, "time": "time", "resample": "2h",
     "leave_out": ["word", "group"], "missing": {"carry": 2}, "split": {"train": 5, "validation": 3, "test": 3}},
    {"file": "a.csv", "target": "word", "recording": "group", "inputs": ["a", "b"],
     "split": {"train": 2, "validation": 1, "test": 1}}]


def tried(**given):
    """The arrays of an entry, and its first split, whose numbers are finite."""
    arrays = made(seeds=[0], **given)
    split = load(arrays, 0)
    for part in PARTS:
        assert len(getattr(split, f"x_{part}")) == len(getattr(split, f"y_{part}")) > 0
        assert np.isfinite(getattr(split, f"x_{part}")).all() and np.isfinite(getattr(split, f"y_{part}")).all()
    return arrays


def npz(path, **members):
    """An archive of arrays whose members have these bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)


def header(shape, descr="<f8"):
    """The beginning of an array's file that says such a shape."""
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
