"""Rows are those of pandas, of plain values."""

import math

import pandas as pd

from pipeline.book.rows import records


def test_rows_are_those_of_pandas_of_plain_values():
    table = pd.DataFrame({"name": ["a", None], "count": [1, 2], "y": [0.5, math.nan], "found": [True, False],
                          "of": [[1, 2], {"b": 3}]}, index=[7, 7])
    found, theirs = records(table), table.to_dict("records")
    assert repr(found) == repr(theirs)
    assert [type(value) for value in found[0].values()] == [str, int, float, bool, list]


def test_rows_of_an_empty_table_and_of_one_kind_of_numbers():
    table = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    assert records(table) == [{"a": 1, "b": 3}, {"a": 2, "b": 4}] and type(records(table)[0]["a"]) is int
    assert records(table.iloc[:0]) == []
