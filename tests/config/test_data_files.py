"""What an entry may say of a file, and how a mistake in it is answered."""

import pytest

from pipeline.config.errors import ConfigError, Spec, validate
from pipeline.config.data_files import FileSource
from pipeline.config.file_kinds import KINDS, kind, kinds


class Common(Spec):
    group: str = "mine"


def entry(**given):
    """An entry as params.yaml would hold it, with the fields that every data set has."""
    return validate("params.yaml", kinds(Common)[kind(given)], {"group": "mine"} | given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"file": "a.csv", "target": "y"}, "table"),
        ({"file": "a.csv.xz", "target": "y", "categories": ["c"], "missing": "drop"}, "table"),
        ({"file": "a.parquet", "target": "y", "rows": 10, "task": "regression"}, "table"),
        ({"file": "a.csv", "target": "y", "window": 3}, "series"),
        ({"file": "a.csv", "target": "y", "inputs": ["y"], "window": 3}, "series"),
        ({"file": "a.csv", "target": "y", "window": 3, "missing": {"carry": 2}}, "series"),
        ({"file": "a.csv", "target": "y", "window": 3, "time": "t", "resample": "1h"}, "series"),
        ({"file": "a.csv.gz", "target": "y", "recording": "id", "length": 9}, "recordings"),
        ({"file": "a.npz"}, "recordings"),
        ({"file": "a.ts", "length": 60}, "recordings"),
        ({"file": "a.npz", "images": True, "missing": "drop"}, "recordings"),
    ],
)
def test_an_entry_is_of_the_kind_that_its_words_belong_to(given, expected):
    made = entry(**given)
    assert isinstance(made, KINDS[expected]) and isinstance(made, Common)
    assert isinstance(made, FileSource) and made.group == "mine"


def test_an_entry_without_a_file_is_of_no_kind():
    assert kind({"source": "forecast"}) is None


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ({}, [None, None]),
        ("drop", [0, 0]),
        ({"carry": 4}, [4, 4]),
        ({"a": "drop"}, [0, None]),
        ({"a": {"carry": 3}, "b": "drop"}, [3, 0]),
    ],
)
def test_a_policy_is_that_of_a_column_or_of_all(missing, expected):
    made = entry(file="a.csv", target="y", window=2, missing=missing)
    assert [made.carried("a"), made.carried("b")] == expected


TABLE = {"file": "a.csv", "target": "y"}
SERIES = TABLE | {"window": 3}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (TABLE | {"file": "a.cvs"}, "params.yaml: file: found 'a.cvs', which ends in .cvs; allowed: a file "
         "that ends in .csv, .tsv, .txt, .parquet, .feather, .xlsx, .json, .jsonl, .npy, text also in .gz, .xz, .zip; did "
         "you mean '.csv'?"),
        (TABLE | {"file": "a.pdf"}, "file: found 'a.pdf', which ends in .pdf; allowed:"),
        (TABLE | {"file": "a"}, "file: found 'a', which ends in nothing"),
        (TABLE | {"file": "/etc/a.csv"}, "file: found '/etc/a.csv'; allowed: a path inside the project"),
        (TABLE | {"file": "x/../../a.csv"}, "allowed: a path inside the project"),
        (TABLE | {"file": 3}, "file: found 3; allowed: a word"),
        (TABLE | {"file": "https://a.org/a.csv"}, "it needs its sha256"),
        (TABLE | {"sha256": "ABC"}, "sha256: found 'ABC'; allowed: 64 digits"),
        ({"file": "a.csv"}, "target: missing; it is required"),
        (TABLE | {"taget": "z"}, "unknown key 'taget'; allowed: group, file, sha256, target"),
        (TABLE | {"taget": "z"}, "did you mean 'target'?"),
        (TABLE | {"time": "t"}, "unknown key 'time'; allowed: "),
        (TABLE | {"time": "t"}, "; 'time' belongs to a series, which has a `window`"),
        (TABLE | {"widow": 3}, "unknown key 'widow'; allowed: "),
        (TABLE | {"widow": 3}, "did you mean 'window'?"),
        (TABLE | {"horizon": 2}, "window: missing; it is required"),
        (SERIES | {"categories": ["c"]}, "'categories' belongs to a table"),
        (TABLE | {"task": "forecast"}, "task: found 'forecast'; allowed: 'classes' or 'regression'"),
        (TABLE | {"inputs": []}, "inputs: found []; allowed: at least 1 entry"),
        (TABLE | {"inputs": ["a", "a"]}, "inputs: 'a' stands twice"),
        (TABLE | {"inputs": ["a", "y"]}, "inputs: 'y' is the target, and cannot be an input"),
        (TABLE | {"inputs": ["a"], "group_by": "a"}, "inputs: 'a' is what rows are grouped by"),
        (TABLE | {"inputs": ["a"], "leave_out": ["b"]}, "leave_out: found beside inputs"),
        (TABLE | {"inputs": ["age"], "categories": ["aeg"]}, "categories: 'aeg' is not one of the inputs; "
         "did you mean 'age'?"),
        (TABLE | {"categories": ["y"]}, "categories: 'y' is the target"),
        (TABLE | {"missing": "fill"}, "missing: found 'fill'; allowed: drop, or {carry: 3}"),
        (TABLE | {"missing": {"a": "drp"}}, "missing: a: found 'drp'; allowed: drop"),
        (TABLE | {"missing": {"a": {"carry": 2}}}, "missing.a: found carry; allowed: drop"),
        (TABLE | {"missing": {"carry": 2}}, "missing: found carry; allowed: drop"),
        (SERIES | {"missing": {"carry": 0}}, "missing: carry: found 0; allowed: drop"),
        (SERIES | {"missing": {"a": {"carry": True}}}, "missing"),
        (TABLE | {"split": {"train": 1.5}}, "split.train: found 1.5; allowed: a whole number from 1, or a "
         "share between 0 and 1"),
        (TABLE | {"split": {"test": 0}}, "split.test: found 0; allowed: a whole number from 1"),
        (TABLE | {"split": {"tests": 5}}, "split: unknown key 'tests'"),
        (TABLE | {"rows": 0}, "rows: found 0; allowed: a number of at least 1"),
        (TABLE | {"separator": ":"}, "separator: found ':'; allowed: ',', ';', "),
        (SERIES | {"window": 0}, "window: found 0; allowed: a number of at least 1"),
        (SERIES | {"horizon": -1}, "horizon: found -1; allowed: a number of at least 0"),
        (SERIES | {"horizon": 0, "inputs": ["y"]}, "inputs: 'y' is the target, and cannot be an input"),
        (SERIES | {"resample": "1h"}, "resample: needs `time`"),
        (SERIES | {"inputs": ["t"], "time": "t"}, "inputs: 't' is the time, and cannot be an input"),
        (SERIES | {"file": "a.npz"}, "file: found 'a.npz', which ends in .npz; allowed: a file that ends in "
         ".csv"),
        (TABLE | {"length": 5}, "recording: missing; it is required"),
        ({"file": "a.npz", "target": "y"}, "target: 'a.npz' has no columns; an .npz file holds x, y"),
        ({"file": "a.npz", "missing": {"x": "drop"}}, "missing: 'a.npz' has no columns"),
        ({"file": "a.npz", "length": 1}, "length: found 1; allowed: a number of at least 2"),
        ({"file": "a.ts", "images": True}, "images: only arrays of an .npz file"),
        (TABLE | {"recording": "id", "images": True}, "images: only arrays of an .npz file"),
    ],
)
def test_a_mistake_gets_one_message(given, message):
    with pytest.raises(ConfigError) as error:
        entry(**given)
    assert message in str(error.value)
    assert str(error.value).startswith("params.yaml: ") and "\n" not in str(error.value)
