"""Whatever a data file holds, it is a data set or gets one message."""

import contextlib
import gzip
import io
import lzma
import os
import resource
import socket
import zipfile
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data import sources
from pipeline.data.__main__ import origin
from pipeline.data.split import load
from pipeline.data.user_data import read as reader
from pipeline.data.user_data import rows as files
from pipeline.data.user_data import location as unpack
from pipeline.data.user_data.read import changed, from_file
from pipeline.tables.stored import Damaged
from pipeline.config.errors import ConfigError, validate
from pipeline.config.file_kinds import KINDS, kind
from tests.hostile import TEXTS, answer, changed_bytes, counted, mutated

PLACE = "params.yaml: data.a"
ROWS = 60


def entry(**given):
    return KINDS[kind(given)](**given)


def rows(lines=ROWS):
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
     "split": {"train": 2, "validation": 1, "test": 1}},
]


def made(given):
    """The arrays of an entry, and its first split, whose numbers are finite."""
    arrays = from_file(entry(**given), [0], PLACE)
    split = load(arrays, 0)
    for part in ("train", "validation", "test"):
        assert len(getattr(split, f"x_{part}")) == len(getattr(split, f"y_{part}")) > 0
        assert np.isfinite(getattr(split, f"x_{part}")).all() and np.isfinite(getattr(split, f"y_{part}")).all()
    return arrays


def checked_entry(given):
    """An entry as params.yaml gives it: a mistake in it is a mistake of params.yaml."""
    if not isinstance(given, dict) or not all(isinstance(key, str) for key in given):
        raise ConfigError("params.yaml: data.a: found a key that is no word")
    validate("params.yaml", KINDS.get(kind(given), KINDS["table"]), given)
    return made(given)


def packed(suffix, content):
    """A file's content, packed as its name says."""
    if suffix == ".zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("a.csv", content)
        return buffer.getvalue()
    return {".gz": gzip.compress, ".xz": lzma.compress}[suffix](content)


def arrays_file(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def test_any_rows_are_a_data_set_or_one_message(project):
    @counted(360)
    @given(st.sampled_from(ENTRIES), changed_bytes(rows().encode()))
    def check(given, content):
        (project / "a.csv").write_bytes(content)
        answer(made, given)

    check()


def test_any_entry_is_a_data_set_or_one_message(project):
    (project / "a.csv").write_text(rows())

    @counted(240)
    @given(st.sampled_from(ENTRIES).flatmap(mutated))
    def check(given):
        answer(checked_entry, given)

    check()


def ts_file():
    """A `.ts` file of 60 recordings."""
    values = np.random.default_rng(0).normal(size=(60, 2, 5)).round(3)
    return ("@problemName a\n@timestamps false\n@missing false\n@univariate false\n@dimension 2\n@equalLength true\n"
            "@seriesLength 5\n@classLabel true 0 1\n@data\n" + "".join(
                ":".join(",".join(map(str, channel)) for channel in one) + f":{n % 2}\n" for n, one in enumerate(values)))


def written(suffix):
    """The same rows, or recordings, as a file of any format has them."""
    frame = pd.read_csv(io.StringIO(rows()))
    buffer = io.BytesIO()
    if suffix in (".gz", ".xz", ".zip"):
        return packed(suffix, rows().encode())
    if suffix == ".ts":
        return ts_file().encode()
    if suffix == ".npy":
        np.save(buffer, frame[["a", "b", "group", "y"]].to_records(index=False))
    elif suffix in (".json", ".jsonl"):
        return frame.to_json(orient="records", lines=suffix == ".jsonl").encode()
    elif suffix == ".tsv":
        return rows().replace(",", "\t").encode()
    else:
        {".parquet": frame.to_parquet, ".feather": frame.to_feather, ".xlsx": lambda to: frame.to_excel(to, index=False)}[
            suffix](buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zip", ".tsv", ".parquet", ".feather", ".xlsx", ".json", ".jsonl", ".npy",
                                    ".ts"])
def test_any_file_of_any_format_is_a_data_set_or_one_message(project, suffix):
    whole, name = written(suffix), f"a{'.csv' if suffix in ('.gz', '.xz', '.zip') else ''}{suffix}"
    given_entry = {"file": name} if suffix == ".ts" else {
        "file": name, "target": "y", "inputs": ["a", "b"], "missing": "drop"}
    (project / name).write_bytes(whole)
    made(given_entry)

    @counted(40 if suffix == ".xlsx" else 80)
    @given(changed_bytes(whole))
    def check(content):
        (project / name).write_bytes(content)
        answer(made, given_entry)

    check()


def test_more_rows_and_columns_than_a_file_may_have_are_refused_before_they_are_read(project):
    """681 kB may hold 50 million rows: a column that is always the same takes no room."""
    table = pa.table({"a": pa.array(np.zeros(3_000_000)), "y": pa.array(np.zeros(3_000_000))})
    pq.write_table(table, "a.parquet")
    pq.write_table(pa.table({f"c{n}": [1.0] for n in range(10_001)}), "wide.parquet")
    assert (project / "a.parquet").stat().st_size < 30_000
    with pytest.raises(ConfigError, match="wide.parquet: found 10001 columns; allowed: the columns' names"):
        made({"file": "wide.parquet", "target": "c0"})
    for suffix, write in ((".parquet", pq.write_table), (".feather", feather.write_feather)):
        write(pa.Table.from_arrays([pa.array([1.0]), pa.array([1.0])], names=["a", "a"]), f"twice{suffix}")
        with pytest.raises(ConfigError, match=f"twice{suffix}: found the name 'a' twice"):
            made({"file": f"twice{suffix}", "target": "a"})


def test_no_more_cells_are_read_than_are_allowed(project, monkeypatch):
    monkeypatch.setattr(files, "MOST_CELLS", 100_000)
    monkeypatch.setattr(files, "PIECE", 3_000)
    read = []
    words = files.Rows._words
    monkeypatch.setattr(files.Rows, "_words", lambda self, cells: read.append(len(cells)) or words(self, cells))
    pq.write_table(pa.table({"a": np.zeros(3_000_000), "y": np.zeros(3_000_000)}), "a.parquet")
    (project / "a.csv").write_text("a,y\n" + "1,2\n" * 200_000)
    for name in ("a.parquet", "a.csv"):
        with pytest.raises(ConfigError, match=f"{name}: found more than 100000 cells; allowed: fewer rows"):
            made({"file": name, "target": "y"})
        assert 0 < sum(read) < 200_000
        read.clear()


def test_what_needs_more_memory_than_a_file_may_is_refused(project, monkeypatch):
    monkeypatch.setattr(reader, "MEMORY", 60_000_000)
    np.savez("a.npz", x=np.zeros((30, 1000, 1000), np.float32), y=np.arange(30) % 2)
    with pytest.raises(ConfigError, match="a.npz: needs more (memory than a file may|than 60000000 bytes)"):
        made({"file": "a.npz"})
    before = resource.getrlimit(resource.RLIMIT_AS)
    (project / "a.csv").write_text(rows())
    made(ENTRIES[0])
    assert resource.getrlimit(resource.RLIMIT_AS) == before


@pytest.mark.parametrize(("content", "words"), [
    ("@problemName a\n@univariate true\n", "a.ts: "), ("@problemName a\n@univariate true\n@data\n", "a.ts: "), ("", "a.ts: "),
    ("@data\n1,2:x\n", "a.ts: "), ("\0" * 100, "a.ts: ")])
def test_a_file_of_recordings_without_any_names_the_file(project, content, words):
    (project / "a.ts").write_text(content)
    with pytest.raises(ConfigError) as error:
        made({"file": "a.ts"})
    assert str(error.value).startswith(f"{PLACE}: {words}") and "concatenate" not in str(error.value)


@pytest.mark.parametrize("shape", ["(True, 5, 2)", "[" * 5000, "(-1, 5, 2)", "(5,) * 10**9", "(1e3, 5)", "__import__('os')"])
def test_a_header_of_an_array_that_is_none_gets_one_message(project, shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(80)
    with zipfile.ZipFile(project / "a.npz", "w") as file:
        for name in ("x.npy", "y.npy"):
            file.writestr(name, array)
    (project / "a.npy").write_bytes(array)
    for given_entry in ({"file": "a.npz"}, {"file": "a.npy", "target": "1"}):
        with pytest.raises(ConfigError, match=f"^{PLACE}: {given_entry['file']}"):
            made(given_entry)


# --- what is no file ------------------------------------------------------------------------------


def _socket(path):
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as one:
        one.bind(str(path))


def _outside(path):
    (path.parent.parent / "secret.csv").write_text("root:x:0:0\n")
    path.symlink_to(path.parent.parent / "secret.csv")


OBJECTS = {
    "a pipe": os.mkfifo, "a folder": os.mkdir, "a socket": _socket,
    "an endless device": lambda path: path.symlink_to("/dev/zero"), "a terminal": lambda path: path.symlink_to("/dev/tty"),
    "a link to itself": lambda path: path.symlink_to(path), "a link to nothing": lambda path: path.symlink_to("nowhere.csv"),
    "a link out of the project": _outside, "a link to a folder": lambda path: path.symlink_to("/proc"),
    "a file as folder": lambda path: path.parent.joinpath("sub").mkdir() or path.symlink_to("sub/../other.csv/x")}


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet", ".xlsx", ".json", ".npy", ".npz", ".ts", "/"])
@pytest.mark.parametrize("kind", OBJECTS)
def test_what_is_no_file_of_the_project_is_refused_unread(project, kind, suffix):
    if (kind, suffix) in (("a folder", "/"),):
        return
    OBJECTS[kind](project / f"a{suffix.rstrip('/')}")
    given_entry = {"file": f"a{suffix}"} | ({} if suffix in (".npz", ".ts", "/") else {"target": "y"})
    with pytest.raises(ConfigError) as error:
        made(given_entry)
    assert str(error.value).startswith(f"{PLACE}: a{suffix}"), error.value
    assert "secret" not in str(error.value) and "root:x" not in str(error.value)
    assert changed(entry(**given_entry), {"about_sha256": np.array("")})
    params = SimpleNamespace(data={"a": entry(**given_entry)}, seeds=lambda name: [0])
    assert origin(params, "a")


@pytest.mark.parametrize("kind", OBJECTS)
def test_what_is_no_file_inside_a_folder_is_refused_unread(project, kind):
    (project / "a").mkdir()
    OBJECTS[kind](project / "a/one.csv")
    with pytest.raises(ConfigError, match=f"^{PLACE}: a/"):
        made({"file": "a/"})


def test_a_file_that_may_not_be_read_says_so(project, monkeypatch):
    (project / "a.csv").write_text(rows())
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ConfigError, match="a.csv: cannot be read"):
        made(ENTRIES[0])


def test_a_link_inside_the_project_is_read(project):
    (project / "b.csv").write_text(rows())
    (project / "a.csv").symlink_to("b.csv")
    made(ENTRIES[0])


def test_any_arrays_are_a_data_set_or_one_message(project):
    generator = np.random.default_rng(0)
    whole = arrays_file(x=generator.normal(size=(60, 5, 2)), y=np.arange(60) % 2, group=np.arange(60) // 2,
                        length=np.full(60, 4), names=np.array(["no", "yes"]))

    @counted(160)
    @given(changed_bytes(whole))
    def check(content):
        (project / "a.npz").write_bytes(content)
        answer(made, {"file": "a.npz"})

    check()


@pytest.mark.parametrize("arrays", [
    {"x": np.zeros((0, 5, 2)), "y": np.zeros(0)}, {"x": np.zeros((5, 0, 2)), "y": np.zeros(5)},
    {"x": np.zeros((5, 2, 0)), "y": np.zeros(5)}, {"x": np.zeros(()), "y": np.zeros(())},
    {"x": np.zeros((60, 5, 2), complex), "y": np.arange(60) % 2}, {"x": np.full((60, 5, 2), 1e300), "y": np.arange(60) % 2},
    {"x": np.ones((60, 5, 2)), "y": np.arange(60) % 2},
    {"x": np.random.default_rng(0).normal(size=(60, 5, 2)), "y": np.full(60, np.inf)},
    {"x": np.random.default_rng(0).normal(size=(60, 5, 2)), "y": np.arange(60) * 1e300},
    {"x": np.random.default_rng(0).normal(size=(60, 5, 2)), "y": np.arange(60) % 2, "length": np.full(60, "a")},
    {"x": np.random.default_rng(0).normal(size=(60, 5, 2)), "y": np.arange(60) % 2, "length": np.full(60, np.nan)},
    {"x": np.random.default_rng(0).normal(size=(60, 5, 2)), "y": np.arange(60) % 2, "names": np.zeros((2, 2))},
    {"x": np.random.default_rng(0).normal(size=(60, 5, 2)), "y": np.zeros(60, "M8[s]")},
    {"x": np.full((60, 5, 2), "<script>"), "y": np.arange(60) % 2},
])
def test_arrays_that_are_no_recordings_are_refused(project, arrays):
    (project / "a.npz").write_bytes(arrays_file(**arrays))
    with pytest.raises(ConfigError, match=r"^params.yaml: data.a: .*a\.npz"):
        made({"file": "a.npz"})


def test_an_array_of_objects_is_never_unpickled(project):
    class Runs:
        def __reduce__(self):
            return os.mkdir, ("hacked",)

    for name in ("x", "y", "names"):
        arrays = {"x": np.zeros((4, 3, 2)), "y": np.arange(4), "names": np.array(["a"])}
        (project / "a.npz").write_bytes(arrays_file(**arrays | {name: np.array([Runs()] * 4, object)}))
        with pytest.raises(ConfigError, match="Object arrays cannot be loaded when allow_pickle=False"):
            made({"file": "a.npz"})
        with pytest.raises(Damaged):
            sources.read(project / "a.npz")
    assert not (project / "hacked").exists()


def test_a_header_that_promises_more_than_there_is_is_refused_unread(project):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 5, 2)})
    with zipfile.ZipFile(project / "a.npz", "w") as file:
        file.writestr("x.npy", header.getvalue() + bytes(80))
        file.writestr("y.npy", header.getvalue().replace(b"5, 2)", b"   )") + bytes(80))
    with pytest.raises(ConfigError, match="a.npz: (is damaged|needs more memory)"):
        answer(made, {"file": "a.npz"}) or made({"file": "a.npz"})


@pytest.mark.parametrize("suffix", [".zip", ".gz", ".xz"])
@pytest.mark.parametrize("line", [b"1,2,x,2024-01-01,3,1\n", b"0"])
def test_what_unpacks_to_far_more_than_it_seems_is_read_in_bounds(project, monkeypatch, suffix, line):
    """As 10¹² bytes would be: refused as soon as more has come out than the bound allows."""
    monkeypatch.setattr(unpack, "MOST_UNPACKED", 3_000_000)
    monkeypatch.setattr(unpack, "RATIO", 20)
    content = packed(suffix, rows().encode() + line * (12_000_000 // len(line)))
    (project / f"a.csv{suffix}").write_bytes(content)
    blocks = []
    require = unpack.require_moderate
    monkeypatch.setattr(unpack, "require_moderate", lambda held, *file: blocks.append(held) or require(held, *file))
    with pytest.raises(ConfigError, match=f"a.csv{suffix}: holds more than it seems to; allowed: at most 3000000 bytes"):
        made(ENTRIES[0] | {"file": f"a.csv{suffix}"})
    assert max(blocks) < 2 * 3_000_000


def test_arrays_that_unpack_to_far_more_than_they_seem_are_refused_unread(project):
    with zipfile.ZipFile(project / "a.npz", "w", zipfile.ZIP_DEFLATED) as file:
        with file.open("x.npy", "w", force_zip64=True) as content:
            np.lib.format.write_array_header_1_0(content, {"descr": "|u1", "fortran_order": False,
                                                           "shape": (150, 1000, 1000)})
            for _ in range(150):
                content.write(bytes(1_000_000))
    with pytest.raises(ConfigError, match="holds more than it seems to; allowed: at most 100000000 bytes"):
        made({"file": "a.npz"})


@pytest.mark.parametrize(("content", "words"), [
    ("a,y\n" + "9" * 10_000_000 + ",1\n", "field larger than field limit"),
    (",".join(f"c{n}" for n in range(100_000)) + "\n", "found 100000 columns; allowed: the columns' names"),
    ('a,y\n"' + "x\n" * 100_000, "field larger than field limit"),
    ("a,y\n" + '"' * 1_001 + ",1\n", "EOF inside string starting at row 1"),
    ("a,y\n1,1\n\0,0\n", "found"),
    ("a,y\n" + "".join(f"=cmd|' /C calc'!A{n},{n % 2}\n" for n in range(200)), "found 200 different words"),
    ("", "line 1: found nothing"), ("\n\n\n", "line 1: found nothing"), ("a,y\n", "found no row"),
])
def test_a_strange_table_gets_its_own_message(project, content, words):
    (project / "a.csv").write_text(content)
    with pytest.raises(ConfigError) as error:
        made({"file": "a.csv", "target": "y"})
    assert str(error.value).startswith(PLACE) and words in str(error.value)


def test_formulas_and_markup_stay_the_words_that_they_are(project):
    words = ["=1+1", "@SUM(A1)", "<script>alert(1)</script>"]
    (project / "a.csv").write_text("word,a,y\n" + "".join(f"{words[n % 3]},{n * n % 89},{n % 2}\n" for n in range(120)))
    arrays = made({"file": "a.csv", "target": "y"})
    assert list(arrays["about_categories"]) == [f"word={word}" for word in sorted(words)]


@pytest.mark.parametrize("text", [text for text in TEXTS if text.isprintable() and "/" not in text and text.strip()])
def test_a_form_of_times_is_one_or_is_refused(project, text):
    (project / "a.csv").write_text(rows())
    answer(checked_entry, ENTRIES[3] | {"time_format": text})
    answer(checked_entry, ENTRIES[4] | {"resample": text})


def test_a_locked_archive_is_refused(project):
    content = bytearray(packed(".zip", rows().encode()))
    for at, flag in ((0, 6), (content.index(b"PK\x01\x02"), 8)):
        content[at + flag] |= 1  # The flag of encryption, in the file's header and in the list of files.
    (project / "a.csv.zip").write_bytes(content)
    with pytest.raises(ConfigError, match="a.csv.zip: is damaged: .*encrypted"):
        made(ENTRIES[0] | {"file": "a.csv.zip"})


@pytest.mark.parametrize(("source", "arguments"), [
    ("noise", {"train": 10**9}), ("tabular", {"features": 10**6}), ("tokens", {"vocabulary": 10**9}),
    ("many_classes", {"classes": 10**9}), ("forecast", {"window": 10**6, "channels": 10**6}), ("noise", {"train": 10**4000})])
def test_a_source_draws_no_more_than_a_machine_holds(source, arguments):
    with pytest.raises(ConfigError, match="allowed: "):
        sources.check(source, "params.yaml: data.a", **arguments)
    with pytest.raises(ValueError, match="allowed: "):
        sources.make(source, [0], **arguments)


def test_any_stored_arrays_are_a_data_set_or_one_message(project):
    (project / "a.csv").write_text(rows())
    sources.write(from_file(entry(**ENTRIES[0]), [0], PLACE), project / "whole.npz")
    content = (project / "whole.npz").read_bytes()

    @counted(120)
    @given(changed_bytes(content))
    def check(content):
        (project / "a.npz").write_bytes(content)
        found = answer(sources.read, project / "a.npz")
        assert found is None or str(found["kind"])

    check()


@pytest.mark.parametrize(("content", "words"), [
    ("a,b,y\n1,2,1\n", "found 1 classes"),
    ("a,b,y\n" + "".join(f"{n},7,{n % 2}\n" for n in range(200)), "column 'b': found 7 in every row"),
    ("a,b,y\n" + "".join(f"{n},{n * n % 89},{int(n == 5)}\n" for n in range(200)), "found 1 of class '1' among 200"),
    ("a,b,y\n" + "".join(f"{n},inf,{n % 2}\n" for n in range(200)), "found inf; allowed: a finite number"),
    ("a,b,y\n" + "".join(f"{n},{n * n % 89},{n}e300\n" for n in range(200)), "allowed: a finite number"),
    ("a,b,y\n" + "".join(f"{n},{n * n % 89},\n" for n in range(200)), "line 2, column 'y': found a missing value"),
])
def test_numbers_that_no_network_can_learn_from_are_refused(project, content, words):
    (project / "a.csv").write_text(content)
    with pytest.raises(ConfigError) as error:
        made({"file": "a.csv", "target": "y"})
    assert str(error.value).startswith(PLACE) and words in str(error.value)
