"""Files with rows and columns: every format gives the same frames, every mistake its line."""

import gzip
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

from pipeline.data.user_data import rows as files
from pipeline.cli.ask.profile import unit_in
from pipeline.data.user_data.numbers import number_in
from pipeline.data.user_data.rows import require_columns
from pipeline.config.errors import ConfigError
from pipeline.config.file_kinds import TableFile
from tests.own_files import FORMATS, stored

TEXTS = ("csv", "tsv", "txt")
TEXT = "time,x,word,y\n2024-01-01,1,a,0.5\n2024-01-02,-2.5e3,\"b, c\",7\n2024-01-03,,,8\n"
FRAME = pd.DataFrame({
    "x": [1.0, -2500.0, np.nan], "y": [0.5, 7.0, 8.0], "time": ["2024-01-01", "2024-01-02", "2024-01-03"],
    "word": pd.Series(["a", "b, c", None], dtype=object)}).astype({"time": object})


def open_rows(path, **entry):
    return files.open_rows(TableFile(**{"file": path.name, "target": "y"} | entry), path)


def read(path, numbers=("x", "y"), words=("time", "word"), **entry):
    return open_rows(path, **entry).read(list(numbers), list(words))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_frame(tmp_path, name):
    path = stored(tmp_path / name, FRAME)
    pd.testing.assert_frame_equal(read(path), FRAME, check_dtype=False)
    rows = open_rows(path)
    assert set(rows.columns) == set(FRAME) and rows.name == name
    assert rows.words_only(["time", "x", "word"]) == ["time", "word"]
    place = "row 2" if name.endswith(("parquet", "feather")) else "line 3" if name[2:5].lower() in TEXTS else "row 3"
    assert rows.place(1, "x") == f"{name}, {place}, column 'x'"


def test_the_whole_does_not_depend_on_the_pieces_in_which_it_is_read(tmp_path, monkeypatch):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(2_500, 3)).round(3), columns=list("abc")).astype("f4")
    frame.to_csv(tmp_path / "a.csv", index=False)
    monkeypatch.setattr(files, "PIECE", 4)
    pd.testing.assert_frame_equal(open_rows(tmp_path / "a.csv").read(["c", "a"], []), frame[["c", "a"]])
    assert len(open_rows(tmp_path / "a.csv").read(["c"], [], rows=7)) == 7


def test_a_byte_order_mark_and_spaces_are_no_part_of_a_name(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfx, y\r\n1, 2\r\n")
    assert read(tmp_path / "a.csv", words=()).to_numpy().tolist() == [[1, 2]]


def test_other_separators_and_words_for_missing_values(tmp_path):
    (tmp_path / "a.csv").write_text("x;w\n1,5;nil\n-;None\n".replace(",", "."))
    piece = open_rows(tmp_path / "a.csv", separator=";", missing_as=["nil", "-"]).read(["x"], ["w"])
    assert piece["x"].tolist()[0] == 1.5 and np.isnan(piece["x"][1])
    # In a column of words only what is said to be missing is: None may be a level.
    assert piece["w"].tolist() == [None, "None"]


@pytest.mark.parametrize("cell", ["", "NA", "NaN", "nan", "null"])
def test_what_means_a_missing_number(tmp_path, cell):
    (tmp_path / "a.csv").write_text(f"x,y\n1,2\n{cell},3\n")
    assert np.isnan(read(tmp_path / "a.csv", words=())["x"][1])


@pytest.mark.parametrize(("text", "message"), [
    ("x,y\n1,2\n3,four\n", "a.csv, line 3, column 'y': found 'four'; allowed: a number"),
    ("x,y\n1,2\n3,four\n", "its entry says missing_as: ['four']"),
    ("x,y\n\n1,2\n\n\n3,four\n", "a.csv, line 6, column 'y': found 'four'"),
    ('x,y,z\n1,2,"two\nlines"\n3,4,5\nfive,6,7\n', "a.csv, line 5, column 'x': found 'five'"),
    ("x,y\n1,2\n\"1,5\",3\n", "line 3, column 'x': found '1,5'; allowed: a number"),
    ("x,y\n1,inf\n", "a.csv, line 2, column 'y': found inf; allowed: a finite number"),
    ("x,y\n1,2\n1,-1e999\n", "a.csv, line 3, column 'y': found -inf; allowed: a finite number"),
    ("x,y\n1,1e39\n", "a.csv, line 2, column 'y': found 1e+39; allowed: a finite number"),
    ("x,y\n1,2\n3,4,5\n", "a.csv, line 3: found 3 cells; allowed: 2, as the columns' names are"),
    ("x,y\n1,2,3\n4,5,6\n", "a.csv, line 2: found 3 cells; allowed: 2"),
    ("", "a.csv, line 1: found nothing; allowed: the columns' names"),
    ("1,2\n3,4\n", "a.csv, line 1: found only numbers (1, 2, …); allowed: a line with"),
    ("x,y,x\n1,2,3\n", "a.csv, line 1: found the name 'x' twice"),
    ("x;y\n1;2\n", "a.csv, line 1: found one column, 'x;y'; if ';' separates columns, its entry must say separator: "
     "';'")])
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


@pytest.mark.parametrize(("name", "content", "message"), [
    ("a.csv.gz", gzip.compress(TEXT.encode() * 1_000)[:-20], "a.csv.gz: is damaged"),
    ("a.csv.xz", b"no archive", "a.csv.xz: is damaged"), ("a.csv.zip", b"no archive", "a.csv.zip: is damaged"),
    ("a.csv", "x,größe\n1,2\n".encode("cp1252"), "a.csv: is not UTF-8 text: .*; its entry says encoding, such as cp1252")])
def test_a_file_that_is_damaged(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=f"^{message}"):
        read(tmp_path / name)


def test_an_archive_holds_one_file(tmp_path):
    with zipfile.ZipFile(tmp_path / "b.csv.zip", "w") as archive:
        archive.writestr("a.csv", TEXT)
        archive.writestr("b.csv", TEXT)
    with pytest.raises(ConfigError, match="holds 2 files .a.csv, b.csv.; allowed: one"):
        open_rows(tmp_path / "b.csv.zip")


@pytest.mark.parametrize(("name", "package"), [("a.parquet", "pyarrow.parquet"), ("a.xlsx", "openpyxl")])
def test_a_format_whose_package_is_missing_says_which(tmp_path, monkeypatch, name, package):
    stored(tmp_path / name, FRAME)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=f"{name}: reading it needs the package {package}, which is not installed"):
        open_rows(tmp_path / name)


@pytest.mark.parametrize(("encoding", "said"), [("utf-16", None), ("utf-8-sig", None), ("cp1252", "cp1252"), ("cp1251", "cp1251")])
def test_text_of_other_encodings(tmp_path, encoding, said):
    word = "größe" if encoding != "cp1251" else "размер"
    (tmp_path / "a.csv").write_bytes(f"{word},y\n1,{word}\n".encode(encoding))
    found = read(tmp_path / "a.csv", numbers=[word], words=["y"], encoding=said)
    assert found["y"].tolist() == [word] and found[word].tolist() == [1]


def test_lines_above_the_names_are_left_out_and_counted(tmp_path):
    (tmp_path / "a.csv").write_text('Station 12,,\nmade "2024,,\nx,y,z\n1,2,3\n1,oops,3\n')
    with pytest.raises(ConfigError, match="a.csv, line 5, column 'y': found 'oops'"):
        read(tmp_path / "a.csv", words=["z"], skip_lines=2)
    pd.DataFrame([["Station 12", None], ["x", "y"], [1, 2]]).to_excel(tmp_path / "a.xlsx", index=False, header=False)
    assert read(tmp_path / "a.xlsx", words=(), skip_lines=1).to_numpy().tolist() == [[1, 2]]


@pytest.mark.parametrize("text", [",x,y\n0,1,2\n1,3,4\n", "x,y,,\n1,2,,\n3,4,,\n", "x,y\n1,1,2\n2,3,4\n"])
def test_columns_without_a_name_are_none(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    assert open_rows(tmp_path / "a.csv").columns == ["x", "y"]
    assert read(tmp_path / "a.csv", words=()).to_numpy().tolist() == [[1, 2], [3, 4]]


def test_an_index_that_pandas_stored_is_a_column(tmp_path):
    FRAME.set_index("time").to_parquet(tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet")["time"].tolist() == FRAME["time"].tolist()
    FRAME.iloc[1:].to_parquet(tmp_path / "a.parquet")
    assert "__index_level_0__" not in open_rows(tmp_path / "a.parquet").columns


@pytest.mark.parametrize(("text", "number", "unit"), [
    ("98.3%", 98.3, "%"), ("30,340", 30340, ""), ("61.8 kg", 61.8, "kg"), ("$2,469.76", 2469.76, ""), ("-0.63%", -0.63, "%"),
    ("7.35M", 7.35e6, ""), ("(1,234)", -1234, ""), ("€ 12", 12, ""), ("12 €", 12, "€"), ("1 234 567", 1234567, ""), ("-5", -5, ""),
    ("−5", -5, ""), ("1.5e3", 1500, ""), ("20 °C", 20, "°C"), ("-$3", -3, ""), ("1'000", 1000, ""), ("+4.0", 4, ""), ("3bn", 3e9, "")])
def test_a_number_with_signs(text, number, unit):
    assert number_in(text) == pytest.approx(number, rel=1e-12) and unit_in(text) == unit


@pytest.mark.parametrize(("text", "number"), [("20,5", 20.5), ("1.234,56", 1234.56), ("50,941", 50.941), ("12 %", 12), ("1.000", 1000)])
def test_a_number_with_a_decimal_comma(text, number):
    assert number_in(text, ",") == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize("text", ["", "p00", "2024-01-01", "13:00", "1.2.3", "12,34,5", "1,5", "x", "kg", "3-4", "1 2", "--1", "5 7 kg"])
def test_what_is_no_number_with_signs(text):
    assert np.isnan(number_in(text))


def test_numbers_with_signs_and_decimal_commas_are_read_where_the_entry_says_so(tmp_path):
    (tmp_path / "a.csv").write_text('x;y;z\n1.204,50 €;0,5;10\n-3 €;1,25;20\n')
    found = read(tmp_path / "a.csv", ["x", "y", "z"], [], separator=";", decimal=",", as_numbers=["x"])
    assert found.to_numpy().tolist() == [[1204.5, 0.5, 10], [-3, 1.25, 20]]
    with pytest.raises(ConfigError, match="line 2, column 'x': found '1.204,50 €'; allowed: a number; .* as_numbers"):
        read(tmp_path / "a.csv", ["x"], [], separator=";", decimal=",")


def test_words_are_read_without_spaces_and_a_class_of_na_is_missing(tmp_path):
    (tmp_path / "a.csv").write_text("w,y\nNA,NA\nYES ,big \n")
    found = read(tmp_path / "a.csv", [], ["w", "y"])
    assert found.to_numpy().tolist() == [["NA", None], ["YES", "big"]]


def test_an_unknown_column_gets_the_nearest_name(tmp_path):
    (tmp_path / "a.csv").write_text(TEXT)
    rows = open_rows(tmp_path / "a.csv")
    with pytest.raises(ConfigError, match="^a.csv: inputs: there is no column 'wrod'; allowed: time, x, word, "
                                          "y; did you mean 'word'\\?$"):
        require_columns(rows, "inputs", ["x", "wrod"])


def test_a_column_of_words_has_no_number_at_all(tmp_path):
    (tmp_path / "a.csv").write_text("a,b,c,d\nx,1,,5+\ny,2,,7\n")
    assert open_rows(tmp_path / "a.csv").words_only(list("abcd")) == ["a"]
