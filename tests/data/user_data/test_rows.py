"""Files with rows and columns: every format gives the same frames, every mistake its line."""

import gzip
import importlib.util
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest

from pipeline.data.user_data import rows as files
from pipeline.data.user_data.rows import open_rows, require_columns
from pipeline.spec.base import ConfigError

TEXT = "time,x,word,y\n2024-01-01,1,a,0.5\n2024-01-02,-2.5e3,\"b, c\",7\n2024-01-03,,,8\n"
FRAME = pd.DataFrame({
    "x": [1.0, -2500.0, np.nan], "y": [0.5, 7.0, 8.0], "time": ["2024-01-01", "2024-01-02", "2024-01-03"],
    "word": pd.Series(["a", "b, c", None], dtype=object)}).astype({"time": object})


def packed(path, text):
    """Write text into a file in the way that its name says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inside.csv", text)
    elif path.suffix == ".parquet":
        FRAME.to_parquet(path)
    else:
        path.write_bytes({".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)(text.encode()))
    return path


def read(path, numbers=("x", "y"), words=("time", "word"), **options):
    return pd.concat(open_rows(path, path.name).pieces(list(numbers), list(words), **options))


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.xz", "a.csv.zip", "a.parquet"])
def test_every_format_gives_the_same_frame(tmp_path, name):
    path = packed(tmp_path / name, TEXT)
    pd.testing.assert_frame_equal(read(path), FRAME, check_dtype=False)
    rows = open_rows(path, name)
    assert set(rows.columns) == set(FRAME) and rows.name == name
    assert rows.words_only(["time", "x", "word"]) == ["time", "word"]
    assert rows.place(1, "x") == f"{name}, {'row 2' if name.endswith('parquet') else 'line 3'}, column 'x'"


def test_pieces_follow_each_other_and_are_those_of_the_whole(tmp_path, monkeypatch):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(2_500, 3)).round(3), columns=list("abc"))
    frame.to_csv(tmp_path / "a.csv", index=False)
    monkeypatch.setattr(files, "PIECE", 3)
    pieces = list(open_rows(tmp_path / "a.csv", "a.csv").pieces(["c", "a"], []))
    assert [len(piece) for piece in pieces] == [1_000, 1_000, 500]
    pd.testing.assert_frame_equal(pd.concat(pieces), frame[["c", "a"]])


def test_a_byte_order_mark_and_spaces_are_no_part_of_a_name(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfx, y\r\n1, 2\r\n")
    assert read(tmp_path / "a.csv", words=()).to_numpy().tolist() == [[1, 2]]


def test_other_separators_and_words_for_missing_values(tmp_path):
    (tmp_path / "a.csv").write_text("x;w\n1,5;nil\n-;None\n".replace(",", "."))
    piece = next(open_rows(tmp_path / "a.csv", "a.csv", ";").pieces(["x"], ["w"], ["nil", "-"]))
    assert piece["x"].tolist()[0] == 1.5 and np.isnan(piece["x"][1])
    # In a column of words only what is said to be missing is: None may be a level.
    assert piece["w"].tolist() == [None, "None"]


@pytest.mark.parametrize("cell", ["", "NA", "NaN", "nan", "null"])
def test_what_means_a_missing_number(tmp_path, cell):
    (tmp_path / "a.csv").write_text(f"x,y\n1,2\n{cell},3\n")
    assert np.isnan(read(tmp_path / "a.csv", words=())["x"][1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y\n1,2\n3,four\n", "a.csv, line 3, column 'y': found 'four'; allowed: a number"),
        ("x,y\n1,2\n3,four\n", "its entry says missing_as: ['four']"),
        ("x,y\n\n1,2\n\n\n3,four\n", "a.csv, line 6, column 'y': found 'four'"),
        ('x,y,z\n1,2,"two\nlines"\n3,4,5\nfive,6,7\n', "a.csv, line 5, column 'x': found 'five'"),
        ("x,y\n1,2\n\"1,5\",3\n", "line 3, column 'x': found '1,5'; allowed: a number"),
        ("x,y\n1,inf\n", "a.csv, line 2, column 'y': found inf; allowed: a finite number"),
        ("x,y\n1,2\n1,-1e999\n", "a.csv, line 3, column 'y': found -inf; allowed: a finite number"),
        ("x,y\n1,1e39\n", "a.csv, line 2, column 'y': found 1e+39; allowed: a finite number"),
        ("x,y\n1,2\n3,4,5\n", "a.csv, line 3: found 3 cells; allowed: 2, as the first line has"),
        ("x,y\n1,2,3\n4,5,6\n", "a.csv, line 2: found 3 cells; allowed: 2"),
        ("", "a.csv, line 1: empty; allowed: a first line with the columns' names"),
        ("1,2\n3,4\n", "a.csv, line 1: found only numbers (1, 2, …); allowed: a first line with"),
        ("x,,y\n1,2,3\n", "a.csv, line 1: the name of column 2 is empty"),
        ("x,y,x\n1,2,3\n", "a.csv, line 1: the name 'x' stands twice"),
        ("x;y\n1;2\n", "a.csv, line 1: found one column, 'x;y'; if ';' separates columns, its entry must say "
         "separator: ';'"),
    ],
)
def test_a_mistake_is_answered_with_its_line(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ConfigError) as error:
        read(tmp_path / "a.csv", words=())
    assert message in str(error.value) and "\n" not in str(error.value)


def test_a_line_is_counted_from_the_beginning_of_the_file_not_of_a_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PIECE", 3)
    lines = [f"{i},{i}" for i in range(2_600)]
    lines[2_345] = "x,1"
    (tmp_path / "a.csv").write_text("x,y\n" + "\n".join(lines))
    with pytest.raises(ConfigError, match="line 2347, column 'x': found 'x'"):
        read(tmp_path / "a.csv", words=())


def test_an_empty_line_of_a_single_column_is_a_missing_value(tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n\n3\noops\n")
    with pytest.raises(ConfigError, match="line 5, column 'x': found 'oops'"):
        read(tmp_path / "a.csv", numbers=["x"], words=())
    (tmp_path / "a.csv").write_text("x\n1\n\n3\n")
    values = read(tmp_path / "a.csv", numbers=["x"], words=())["x"]
    np.testing.assert_array_equal(values, [1, np.nan, 3])


def test_a_file_that_is_not_there_or_damaged(tmp_path):
    with pytest.raises(ConfigError, match="^air.csv: there is no such file$"):
        open_rows(tmp_path / "a.csv", "air.csv")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(TEXT.encode() * 1_000)[:-2_0])
    with pytest.raises(ConfigError, match="^a.csv.gz: is damaged"):
        read(tmp_path / "a.csv.gz")
    (tmp_path / "a.csv.xz").write_bytes(b"no archive")
    with pytest.raises(ConfigError, match="^a.csv.xz: is damaged"):
        open_rows(tmp_path / "a.csv.xz", "a.csv.xz")
    (tmp_path / "a.csv.zip").write_bytes(b"no archive")
    with pytest.raises(ConfigError, match="^a.csv.zip: is damaged"):
        open_rows(tmp_path / "a.csv.zip", "a.csv.zip")
    (tmp_path / "a.csv").write_bytes("x,y\n1,2\n".encode("utf-16"))
    with pytest.raises(ConfigError, match="^a.csv: is not UTF-8 text"):
        open_rows(tmp_path / "a.csv", "a.csv")
    with zipfile.ZipFile(tmp_path / "b.csv.zip", "w") as archive:
        archive.writestr("a.csv", TEXT)
        archive.writestr("b.csv", TEXT)
    with pytest.raises(ConfigError, match="holds 2 files .a.csv, b.csv.; allowed: one"):
        open_rows(tmp_path / "b.csv.zip", "b.csv.zip")


def test_parquet_needs_a_package_and_says_which(tmp_path, monkeypatch):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="a.parquet: reading .parquet needs the package pyarrow"):
        open_rows(tmp_path / "a.parquet", "a.parquet")


def test_an_unknown_column_gets_the_nearest_name(tmp_path):
    (tmp_path / "a.csv").write_text(TEXT)
    rows = open_rows(tmp_path / "a.csv", "a.csv")
    with pytest.raises(ConfigError, match="^a.csv: inputs: there is no column 'wrod'; allowed: time, x, word, "
                                          "y; did you mean 'word'\\?$"):
        require_columns(rows, "inputs", ["x", "wrod"])


def test_a_column_of_words_has_no_number_at_all(tmp_path):
    (tmp_path / "a.csv").write_text("a,b,c,d\nx,1,,5+\ny,2,,7\n")
    assert open_rows(tmp_path / "a.csv", "a.csv").words_only(list("abcd")) == ["a"]
