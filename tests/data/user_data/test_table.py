"""Tables of files: what becomes of rows, categories and targets, and every mistake by its line."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import OneHotEncoder

from pipeline.data.split import load, split
from pipeline.config.errors import ConfigError
from tests import own_files


def rows(count=120, seed=0):
    """A table with numbers, words, a group and both kinds of target."""
    generator = np.random.default_rng(seed)
    return pd.DataFrame({
        "height": generator.normal(170, 9, count).round(2), "weight": generator.normal(70, 9, count).round(2),
        "colour": generator.choice(["red", "green", "blue"], count), "who": np.arange(count) // 4,
        "price": generator.normal(5, 2, count).round(3), "kind": generator.choice(["yes", "no"], count)})


def made(frame, **given):
    return own_files.made(frame, **{"target": "kind", "leave_out": ["price", "who"]} | given)


def refused(frame, *words, **given):
    own_files.refused(*words, call=made, frame=frame, **given)


def test_arrays_are_the_file(project):
    frame = rows()
    arrays = made(frame)
    np.testing.assert_array_equal(arrays["x"], frame[["height", "weight"]].astype("f4"))
    np.testing.assert_array_equal(np.array(["no", "yes"])[arrays["y"]], frame["kind"])
    np.testing.assert_array_equal(np.array(["blue", "green", "red"])[arrays["codes"][:, 0]], frame["colour"])
    assert arrays["x"].dtype == np.float32 and arrays["y"].dtype == arrays["codes"].dtype == np.int32
    assert (str(arrays["kind"]), str(arrays["task"]), int(arrays["classes"])) == ("table", "classes", 2)
    assert [int(arrays[part]) for part in ("train", "validation", "test")] == [60, 20, 40]
    assert arrays["row"].tolist() == list(range(120))
    assert arrays["about_inputs"].tolist() == ["height", "weight", "colour"]
    assert arrays["about_categories"].tolist() == ["colour=blue", "colour=green", "colour=red"]
    assert arrays["about_classes"].tolist() == ["no", "yes"]
    assert int(arrays["about_rows"]) == 120 and str(arrays["about_used"]) == "all"
    assert not any(array.dtype.hasobject for array in arrays.values())


@pytest.mark.parametrize("seed", range(8))
def test_categories_are_those_of_scikit_learn_with_levels_of_training_rows(project, seed):
    frame = rows(60)
    frame.loc[7, "colour"] = "violet"  # 0 everywhere, where it is no training row
    arrays = made(frame)
    part, levels = split(arrays, seed), ["blue", "green", "red", "violet"]
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore").fit(frame[["colour"]].iloc[part[0]])
    loaded = load(arrays, seed)
    for x, items in zip((loaded.x_train, loaded.x_validation, loaded.x_test), part, strict=True):
        assert x.shape[1] == 2 + len(levels)
        expected = pd.DataFrame(encoder.transform(frame[["colour"]].iloc[items]), columns=encoder.categories_[0])
        np.testing.assert_array_equal(x[:, 2:], expected.reindex(columns=levels, fill_value=0))


def test_numbers_may_be_categories(project):
    frame = rows()
    frame["floor"] = np.arange(120) % 3 + 9
    arrays = made(frame, categories=["floor"])
    assert arrays["about_categories"].tolist()[-3:] == ["floor=9", "floor=10", "floor=11"]
    assert arrays["x"].shape == (120, 2) and arrays["levels"].tolist() == [3, 3]


def test_a_table_of_categories_only(project):
    frame = rows().assign(shade=[f"s{i % 40}" for i in range(120)])
    arrays = made(frame, inputs=["colour", "shade"], leave_out=[])
    assert load(arrays, 0).x_train.shape == (int(arrays["train"]), 43)


@pytest.mark.parametrize(("target", "task", "expected"), [
    ("kind", None, "classes"), ("price", None, "regression"), ("few", None, "classes"),
    ("few", "regression", "regression"), ("many", None, "regression"), ("halves", None, "regression"),
    ("halves", "classes", "classes")])
def test_the_task_follows_from_the_target(project, target, task, expected):
    frame = rows()[["height", "weight", "kind", "price"]]
    frame = frame.assign(few=np.arange(120) % 4, many=np.arange(120), halves=np.arange(120) % 3 + 0.5)
    others = [c for c in ("kind", "price", "few", "many", "halves") if c != target]
    arrays = made(frame, target=target, task=task, leave_out=others)
    assert str(arrays["task"]) == expected
    if expected == "regression":
        np.testing.assert_array_equal(arrays["y"][:, 0], frame[target].astype("f4"))
        y = load(arrays, 0).y_train
        assert y.dtype == np.float32 and abs(y.mean()) < 1e-6 and y.std() == pytest.approx(1, abs=1e-5)


def test_classes_that_are_numbers_are_in_their_order(project):
    frame = rows().assign(kind=np.array([2, 10, 1])[np.arange(120) % 3])
    arrays = made(frame)
    assert arrays["about_classes"].tolist() == ["1", "2", "10"]
    assert arrays["y"][:3].tolist() == [1, 2, 0]


def test_equal_rows_count_once(project):
    frame = rows(80)
    # The same inputs and target, whatever stands in columns that are not used.
    again = frame.iloc[[3, 3, 9]].assign(price=1.0, who=99)
    arrays = made(pd.concat([frame, again]))
    assert int(arrays["about_duplicates"]) == 3 and len(arrays["x"]) == 80
    assert arrays["row"].tolist() == list(range(80))
    # Another target is another row; -0.0 is 0.0.
    other = frame.iloc[[3]].assign(kind=lambda f: f["kind"].map({"yes": "no", "no": "yes"}))
    zeros = frame.iloc[[5, 6]].assign(height=[0.0, -0.0], weight=1, colour="red", kind="yes")
    arrays = made(pd.concat([frame, other, zeros]))
    assert int(arrays["about_duplicates"]) == 1 and len(arrays["x"]) == 82


def test_rows_with_missing_values_are_left_out_where_the_entry_says_so(project):
    frame = rows().astype({"colour": object})
    frame.loc[4, "height"] = np.nan
    frame.loc[[4, 9], "colour"] = None
    frame.loc[11, "price"] = np.nan
    arrays = made(frame, missing={"height": "drop", "colour": "drop"})
    assert set(range(120)) - set(arrays["row"].tolist()) == {4, 9}
    assert int(arrays["about_missing"]) == 2 and int(arrays["about_rows"]) == 120
    refused(frame, "a.csv, line 6, column 'height': found a missing value; allowed: a value; or its entry says "
            "missing: {height: drop}")
    refused(frame, "a.csv, line 6, column 'colour': found a missing value", missing={"height": "drop"})
    assert "carry" not in str(pytest.raises(ConfigError, made, frame).value)


def test_a_large_table_is_drawn_from(project):
    frame = rows(1_500)
    arrays = made(frame, rows=400)
    assert len(arrays["x"]) == 400 and str(arrays["about_used"]) == "drawn" and int(arrays["about_rows"]) == 1_500
    np.testing.assert_array_equal(arrays["x"], frame[["height", "weight"]].iloc[arrays["row"]].astype("f4"))
    # Not the first ones, nor the last.
    assert 600 < arrays["row"].mean() < 900


def test_groups_are_kept(project):
    arrays = made(rows(), group_by="who", leave_out=["price"])
    np.testing.assert_array_equal(arrays["groups"], np.arange(120) // 4)
    assert "who" not in arrays["about_inputs"]


RARE = ["rare", *["yes", "no"] * 59, "yes"]
PRICE = {"target": "price", "leave_out": ["kind"]}


@pytest.mark.parametrize(("changes", "given", "words"), [
    ({"colour": ["5+", "7"] * 60}, {}, "a.csv, line 2, column 'colour': found '5+'; allowed: a number|categories"),
    ({"height": 3.5}, {}, "a.csv, column 'height': found 3.5 in every row that is used; allowed: values that vary; or its entry "
     "says leave_out: ['height']"),
    ({"colour": "red"}, {}, "column 'colour': found 1 different words (red); allowed of a category: 2 to 100"),
    ({"colour": [f"c{i}" for i in range(120)]}, {}, "column 'colour': found 120 different words (c0, c1, c10, …)|leave_out: "
     "['colour']"),
    ({"copy": lambda f: f["kind"]}, {}, "a.csv, column 'copy': found the target 'kind' in every row; allowed: what is known "
     "before it"),
    ({"copy": lambda f: f["price"]}, PRICE, "column 'copy': found the target 'price'"),
    ({"kind": np.arange(120) % 3, "copy": np.arange(120) % 3.0}, {}, "column 'copy': found the target 'kind' in every row"),
    ({}, {"leave_out": ["prize"]}, "a.csv: leave_out: there is no column 'prize'; allowed: height|did you mean 'price'?"),
    ({}, {"target": "kid"}, "a.csv: target: there is no column 'kid'|did you mean 'kind'?"),
    ({}, {"missing": {"wight": "drop"}}, "a.csv: missing: there is no column 'wight'"),
    ({}, {"leave_out": ["price", "who", "height", "weight", "colour"]}, "a.csv: inputs: found none; allowed: one column or more "
     "beside colour"),
    ({"kind": "yes"}, {}, "column 'kind': found 1 classes (yes); allowed: 2 to 100"),
    ({"kind": [f"k{i}" for i in range(120)]}, {}, "found 120 classes (k0, k1, k10, …); allowed: 2 to 100"),
    ({"kind": range(120)}, {"task": "classes"}, "found 120 classes (0, 1, 2, …)|for numbers its entry says task: regression"),
    ({"price": 2.0}, PRICE | {"task": "regression"}, "column 'price': found 2 in every row; allowed: a target that varies"),
    *(({"price": lambda f: ["n.a.", *f["price"][1:]]}, PRICE | {"task": task}, "a.csv, line 2, column 'price': found 'n.a.'; "
       "allowed: a number") for task in (None, "regression")),
    ({"kind": RARE}, {}, "column 'kind': found 1 of class 'rare' among 120, and with seed 0 none of the |allowed: each class in "
     "each part; a larger split."),
    ({}, {"group_by": "who", "leave_out": ["price"], "split": {"train": 60, "validation": 30, "test": 30}},
     "a.csv: split:|groups"),
    ({"who": np.arange(120) // 60}, {"group_by": "who", "leave_out": ["price"]}, "the rows of a.csv in 2 groups, which are never "
     "cut")])
def test_a_table_that_cannot_be_used_is_refused(project, changes, given, words):
    refused(rows().assign(**changes), *words.split("|"), **given)


def test_a_table_that_is_too_short_is_refused(project):
    refused(rows().iloc[:2], "split: found", "allowed: at most 2 together, the rows of a.csv")
    refused(rows().iloc[:0], "a.csv: found no row")
