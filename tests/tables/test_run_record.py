"""What no run can have measured is refused by the name of its field."""

import csv
import math
import random
from pathlib import Path

import pytest

import pipeline
from pipeline.tables.run_record import CURVES, MEASURES, check
from tests.tables.test_stored import record

NAN, INF = math.nan, math.inf


def test_what_runs_measure_is_allowed():
    for seed in range(20):
        check(record(seed))
    check(record(2) | {"validation_curve": [NAN, record(2)["best_validation_loss"], INF], "best_error": NAN})


@pytest.mark.parametrize(("change", "said"), [
    ({"best_error": "0.1"}, "best_error: found '0.1'; allowed: a number from 0 on"), ({"best_error": None}, "best_error"),
    ({"best_error": -1.0}, "best_error"), ({"trivial_loss": NAN}, "trivial_loss: found 'nan'; allowed: a number from 0 on"),
    ({"diverged": 1}, "diverged: found '1'; allowed: true or false"), ({"parameters": 0}, "parameters: found '0'"),
    ({"parameters": 17.0}, "parameters"), ({"parameters": True}, "parameters"), ({"test_size": -3}, "test_size"),
    ({"last_minority_recall": 1.1}, "last_minority_recall: found '1.1'; allowed: a number from 0 to 1, or NaN"),
    ({"last_epoch": 4}, "train_curve: found .*; allowed: 4 numbers"), ({"train_curve": [0.1, 0.1]}, "train_curve"),
    ({"train_curve": "abc"}, "train_curve"), ({"train_curve": [0.1, "x", 0.1]}, "train_curve: found 'x'"),
    ({"validation_curve": [0.7, NAN, 0.7]}, "validation_curve: found 'nan'"), ({"train_curve": [0.1, -2.0, 0.1]}, "train_curve"),
    ({"best_epoch": 1}, "best_epoch"), ({"best_epoch": 4}, "best_epoch"), ({"best_validation_loss": 0.7}, "best_validation_loss"),
    ({"more": 1}, "'more' is no measure of a run")])
def test_what_no_run_measures_is_refused_by_the_name_of_its_field(change, said):
    with pytest.raises(ValueError, match=said):
        check(record(1) | change)


@pytest.mark.parametrize("name", [*MEASURES, *CURVES])
def test_every_field_is_required(name):
    found = record(1)
    del found[name]
    with pytest.raises(ValueError, match=f"'{name}' is missing"):
        check(found)


@pytest.mark.parametrize("found", [None, [], "record", 1])
def test_something_else_is_refused(found):
    with pytest.raises(ValueError, match="allowed: the measures of a run"):
        check(found)


def test_every_stored_run_of_a_sample_is_allowed():
    """The stored rows, with a curve that their best epoch and its loss can be of."""
    tables = sorted((Path(pipeline.__file__).parents[1] / "results/runs").glob("*/runs.csv"))
    for path in random.Random(0).sample(tables, 20):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in random.Random(1).sample(rows, min(40, len(rows))):
            found = {name: float(row[name]) if name.endswith(("error", "loss", "recall")) else int(row[name])
                     for name in MEASURES if name != "diverged"} | {"diverged": row["diverged"] == "True"}
            best = found["best_validation_loss"]
            curve = [2 * abs(best) + 1] * found["last_epoch"]
            curve[found["best_epoch"] - 1] = best
            check(found | {"train_curve": [1.0] * len(curve), "validation_curve": curve})
