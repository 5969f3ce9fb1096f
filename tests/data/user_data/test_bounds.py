"""What is no file of the project, or more than a machine holds, is refused unread."""

import contextlib
import os
import resource
import socket
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from pipeline.data import sources
from pipeline.data.__main__ import origin
from pipeline.data.user_data import location, read as reader, rows as files
from pipeline.data.user_data.read import changed
from pipeline.config.errors import ConfigError
from tests.own_files import ENTRIES, PLACE, entry, header, npz, packed, refused, rows, tried


# --- more than a machine holds ----------------------------------------------------------------


def test_more_rows_and_columns_than_a_file_may_have_are_refused_before_they_are_read(project, monkeypatch):
    pq.write_table(pa.table({f"c{n}": [1.0] for n in range(10_001)}), "wide.parquet")
    refused("wide.parquet: found 10001 columns; allowed: the columns' names", file="wide.parquet", target="c0")
    for suffix, write in ((".parquet", pq.write_table), (".feather", feather.write_feather)):
        write(pa.Table.from_arrays([pa.array([1.0]), pa.array([1.0])], names=["a", "a"]), f"twice{suffix}")
        refused(f"twice{suffix}: found the name 'a' twice", file=f"twice{suffix}", target="a")
    # A column that is always the same takes no room.
    monkeypatch.setattr(files, "MOST_CELLS", 100_000)
    monkeypatch.setattr(files, "PIECE", 3_000)
    read, words = [], files.Rows._words
    monkeypatch.setattr(files.Rows, "_words", lambda self, cells: read.append(len(cells)) or words(self, cells))
    pq.write_table(pa.table({"a": np.zeros(3_000_000), "y": np.zeros(3_000_000)}), "a.parquet")
    (project / "a.csv").write_text("a,y\n" + "1,2\n" * 200_000)
    assert (project / "a.parquet").stat().st_size < 30_000
    for name in ("a.parquet", "a.csv"):
        refused(f"{name}: found more than 100000 cells; allowed: fewer rows", file=name, target="y")
        assert 0 < sum(read) < 200_000
        read.clear()


def test_what_needs_more_memory_than_a_file_may_is_refused(project, monkeypatch):
    monkeypatch.setattr(reader, "MEMORY", 60_000_000)
    np.savez("a.npz", x=np.zeros((30, 1000, 1000), np.float32), y=np.arange(30) % 2)
    with pytest.raises(ConfigError, match="a.npz: needs more (memory than a file may|than 60000000 bytes)"):
        tried(file="a.npz")
    before = resource.getrlimit(resource.RLIMIT_AS)
    (project / "a.csv").write_text(rows())
    tried(**ENTRIES[0])
    assert resource.getrlimit(resource.RLIMIT_AS) == before


@pytest.mark.parametrize("suffix", [".zip", ".gz", ".xz"])
@pytest.mark.parametrize("line", [b"1,2,x,2024-01-01,3,1\n", b"0"])
def test_what_unpacks_to_far_more_than_it_seems_is_read_in_bounds(project, monkeypatch, suffix, line):
    """As 10¹² bytes would be: refused as soon as more has come out than the bound allows."""
    monkeypatch.setattr(location, "MOST_UNPACKED", 3_000_000)
    monkeypatch.setattr(location, "RATIO", 20)
    (project / f"a.csv{suffix}").write_bytes(packed(suffix, rows().encode() + line * (12_000_000 // len(line))))
    blocks, require = [], location.require_moderate
    monkeypatch.setattr(location, "require_moderate", lambda held, *file: blocks.append(held) or require(held, *file))
    refused(f"a.csv{suffix}: holds more than it seems to; allowed: at most 3000000 bytes",
            **ENTRIES[0] | {"file": f"a.csv{suffix}"})
    assert max(blocks) < 2 * 3_000_000


def test_arrays_that_promise_or_hold_more_than_they_seem_are_refused_unread(project):
    npz("a.npz", x=header("(150, 1000, 1000)", "|u1") + bytes(150_000_000))
    refused("holds more than it seems to; allowed: at most 100000000 bytes", file="a.npz")
    npz("a.npz", x=header((10**12, 5, 2)) + bytes(80), y=header((10**12,)) + bytes(80))
    with pytest.raises(ConfigError, match="a.npz: (is damaged|needs more memory)"):
        tried(file="a.npz")


@pytest.mark.parametrize(("source", "arguments"), [
    ("noise", {"train": 10**9}), ("tabular", {"features": 10**6}), ("tokens", {"vocabulary": 10**9}),
    ("many_classes", {"classes": 10**9}), ("forecast", {"window": 10**6, "channels": 10**6}), ("noise", {"train": 10**4000})])
def test_a_source_draws_no_more_than_a_machine_holds(source, arguments):
    with pytest.raises(ConfigError, match="allowed: "):
        sources.check(source, "params.yaml: data.a", **arguments)
    with pytest.raises(ValueError, match="allowed: "):
        sources.make(source, [0], **arguments)


# --- what is no file --------------------------------------------------------------------------


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


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet", ".xlsx", ".json", ".npy", ".npz", ".ts", "/", "/one.csv"])
@pytest.mark.parametrize("kind", OBJECTS)
def test_what_is_no_file_of_the_project_is_refused_unread(project, kind, suffix):
    if (kind, suffix) == ("a folder", "/"):
        return
    name = "a/" if suffix == "/one.csv" else f"a{suffix}"
    (project / f"a{suffix}").parent.mkdir(exist_ok=True)
    OBJECTS[kind](project / f"a{suffix.rstrip('/')}")
    given_entry = {"file": name} | ({} if name.endswith((".npz", ".ts", "/")) else {"target": "y"})
    with pytest.raises(ConfigError) as error:
        tried(**given_entry)
    assert str(error.value).startswith(f"{PLACE}: {name}"), error.value
    assert "secret" not in str(error.value) and "root:x" not in str(error.value)
    assert changed(entry(**given_entry), {"about_sha256": np.array("")})
    assert origin(SimpleNamespace(data={"a": entry(**given_entry)}, seeds=lambda name: [0]), "a")


def test_a_link_inside_the_project_is_read_and_a_file_that_may_not_be_says_so(project, monkeypatch):
    (project / "b.csv").write_text(rows())
    (project / "a.csv").symlink_to("b.csv")
    tried(**ENTRIES[0])
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    refused("a.csv: cannot be read", **ENTRIES[0])


def test_a_locked_archive_is_refused(project):
    content = bytearray(packed("a.csv.zip", rows().encode()))
    for at, flag in ((0, 6), (content.index(b"PK\x01\x02"), 8)):
        content[at + flag] |= 1  # The flag of encryption, in the file's header and in the list of files.
    (project / "a.csv.zip").write_bytes(content)
    with pytest.raises(ConfigError, match="a.csv.zip: is damaged: .*encrypted"):
        tried(**ENTRIES[0] | {"file": "a.csv.zip"})
