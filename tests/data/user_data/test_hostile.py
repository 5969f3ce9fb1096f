"""Whatever a data file holds, it is a data set or gets one message."""

import io
import os
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data import sources
from pipeline.tables.stored import Damaged
from pipeline.config.errors import ConfigError, validate
from pipeline.config.file_kinds import KINDS, kind
from tests.hostile import TEXTS, answer, changed_bytes, counted, mutated
from tests.own_files import ENTRIES, FORMATS, PLACE, header, npz, refused, rows, stored, tried


def checked_entry(given):
    """An entry as params.yaml gives it: a mistake in it is a mistake of params.yaml."""
    if not isinstance(given, dict) or not all(isinstance(key, str) for key in given):
        raise ConfigError("params.yaml: data.a: found a key that is no word")
    validate("params.yaml", KINDS.get(kind(given), KINDS["table"]), given)
    return tried(**given)


def arrays_file(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


# --- changed at random ------------------------------------------------------------------------


def test_any_rows_are_a_data_set_or_one_message(project):
    @counted(300)
    @given(st.sampled_from(ENTRIES), changed_bytes(rows().encode()))
    def check(given, content):
        (project / "a.csv").write_bytes(content)
        answer(lambda: tried(**given))

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


ARRAYS = {"x": np.random.default_rng(0).normal(size=(60, 5, 2)), "y": np.arange(60) % 2}


@pytest.mark.parametrize("name", [*FORMATS[3:], "a.ts", "a.npz"])
def test_any_file_of_any_format_is_a_data_set_or_one_message(project, name):
    given_entry = {"file": name, "split": {"train": 20, "validation": 10, "test": 10}}
    if name == "a.ts":
        (project / name).write_text(ts_file())
    elif name == "a.npz":
        (project / name).write_bytes(arrays_file(**ARRAYS, group=np.arange(60) // 2, length=np.full(60, 4),
                                                 names=np.array(["no", "yes"])))
    else:
        stored(name, pd.read_csv(io.StringIO(rows())))
        given_entry |= {"target": "y", "inputs": ["a", "b"], "missing": "drop"}
    tried(**given_entry)

    @counted(40 if name == "a.xlsx" else 80)
    @given(changed_bytes((project / name).read_bytes()))
    def check(content):
        (project / name).write_bytes(content)
        answer(lambda: tried(**given_entry))

    check()


def test_any_stored_arrays_are_a_data_set_or_one_message(project):
    (project / "a.csv").write_text(rows())
    sources.write(tried(**ENTRIES[0]), project / "whole.npz")

    @counted(100)
    @given(changed_bytes((project / "whole.npz").read_bytes()))
    def check(content):
        (project / "a.npz").write_bytes(content)
        found = answer(sources.read, project / "a.npz")
        assert found is None or str(found["kind"])

    check()


@pytest.mark.parametrize("text", [text for text in TEXTS if text.isprintable() and "/" not in text and text.strip()])
def test_a_form_of_times_is_one_or_is_refused(project, text):
    (project / "a.csv").write_text(rows())
    answer(checked_entry, ENTRIES[3] | {"time_format": text})
    answer(checked_entry, ENTRIES[4] | {"resample": text})


# --- what is no data --------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["@problemName a\n@univariate true\n", "@problemName a\n@univariate true\n@data\n", "",
                                     "@data\n1,2:x\n", "\0" * 100, "@problemName a\n@data\n1,2,x:1\n"])
def test_a_file_of_recordings_without_any_names_the_file(project, content):
    (project / "a.ts").write_text(content)
    with pytest.raises(ConfigError) as error:
        tried(file="a.ts")
    assert str(error.value).startswith(f"{PLACE}: a.ts: ") and "concatenate" not in str(error.value)


@pytest.mark.parametrize("shape", ["(True, 5, 2)", "[" * 5000, "(-1, 5, 2)", "(5,) * 10**9", "(1e3, 5)", "__import__('os')"])
def test_a_header_of_an_array_that_is_none_gets_one_message(project, shape):
    array = header(shape) + bytes(80)
    npz("a.npz", x=array, y=array)
    (project / "a.npy").write_bytes(array)
    for given_entry in ({"file": "a.npz"}, {"file": "a.npy", "target": "1"}):
        refused(f"{PLACE}: {given_entry['file']}", **given_entry)


@pytest.mark.parametrize("arrays", [
    {"x": np.zeros((0, 5, 2)), "y": np.zeros(0)}, {"x": np.zeros((5, 0, 2)), "y": np.zeros(5)},
    {"x": np.zeros((5, 2, 0)), "y": np.zeros(5)}, {"x": np.zeros(()), "y": np.zeros(())}, {"x": np.zeros((60, 5, 2), complex)},
    {"x": np.full((60, 5, 2), 1e300)}, {"x": np.ones((60, 5, 2))}, {"y": np.full(60, np.inf)}, {"y": np.arange(60) * 1e300},
    {"length": np.full(60, "a")}, {"length": np.full(60, np.nan)}, {"names": np.zeros((2, 2))}, {"y": np.zeros(60, "M8[s]")},
    {"x": np.full((60, 5, 2), "<script>")}])
def test_arrays_that_are_no_recordings_are_refused(project, arrays):
    np.savez("a.npz", **ARRAYS | arrays)
    with pytest.raises(ConfigError, match=r"^params.yaml: data.a: .*a\.npz"):
        tried(file="a.npz")


def test_an_array_of_objects_is_never_unpickled(project):
    class Runs:
        def __reduce__(self):
            return os.mkdir, ("hacked",)

    for name in ("x", "y", "names"):
        arrays = {"x": np.zeros((4, 3, 2)), "y": np.arange(4), "names": np.array(["a"])}
        np.savez("a.npz", **arrays | {name: np.array([Runs()] * 4, object)})
        refused("Object arrays cannot be loaded when allow_pickle=False", file="a.npz")
        with pytest.raises(Damaged):
            sources.read(project / "a.npz")
    assert not (project / "hacked").exists()


def lines(line, count=200):
    return "a,b,y\n" + "".join(line(n) + "\n" for n in range(count))


@pytest.mark.parametrize(("content", "words"), [
    ("a,y\n" + "9" * 10_000_000 + ",1\n", "field larger than field limit"),
    (",".join(f"c{n}" for n in range(100_000)) + "\n", "found 100000 columns; allowed: the columns' names"),
    ('a,y\n"' + "x\n" * 100_000, "field larger than field limit"),
    ("a,y\n" + '"' * 1_001 + ",1\n", "EOF inside string starting at row 1"), ("a,y\n1,1\n\0,0\n", "found"),
    (lines(lambda n: f"=cmd|' /C calc'!A{n},{n},{n % 2}"), "found 200 different words"),
    ("", "line 1: found nothing"), ("\n\n\n", "line 1: found nothing"), ("a,y\n", "found no row"),
    ("a,b,y\n1,2,1\n", "found 1 classes"), (lines(lambda n: f"{n},7,{n % 2}"), "column 'b': found 7 in every row"),
    (lines(lambda n: f"{n},{n * n % 89},{int(n == 5)}"), "found 1 of class '1' among 200"),
    (lines(lambda n: f"{n},inf,{n % 2}"), "found inf; allowed: a finite number"),
    (lines(lambda n: f"{n},{n * n % 89},{n}e300"), "allowed: a finite number"),
    (lines(lambda n: f"{n},{n * n % 89},"), "line 2, column 'y': found a missing value")])
def test_a_strange_table_gets_its_own_message(project, content, words):
    (project / "a.csv").write_text(content)
    with pytest.raises(ConfigError) as error:
        tried(target="y")
    assert str(error.value).startswith(PLACE) and words in str(error.value)


def test_formulas_and_markup_stay_the_words_that_they_are(project):
    words = ["=1+1", "@SUM(A1)", "<script>alert(1)</script>"]
    (project / "a.csv").write_text(lines(lambda n: f"{words[n % 3]},{n * n % 89},{n % 2}", 120))
    assert list(tried(target="y")["about_categories"]) == [f"a={word}" for word in sorted(words)]
