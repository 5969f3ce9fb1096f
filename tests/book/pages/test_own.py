"""A page for each own data set, and none without; its table, its advice, its warnings."""

import copy
import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.book.assemble import PAGES, contents
from pipeline.book.pages import own
from pipeline.config.read_yaml import read_yaml
from pipeline.config.schema import parse
from pipeline.tables.schemas import STORED
from tests.book.test_ranked import BASELINES, FINDINGS, SETS

MINE = {"group": "sequences", "own": True, "file": "my/prices.csv", "target": "y", "window": 4, "seeds": 5}


@pytest.fixture
def mine(project, study):
    """The hand-made study with an own data set, and what was found on it."""
    content = read_yaml(project / "params.yaml")
    content["data"]["mine"] = copy.deepcopy(MINE)
    baselines = pd.DataFrame([BASELINES])
    return dataclasses.replace(study, params=parse(content), tables={
        **study.tables, "findings": FINDINGS, "sets": SETS, "baselines": baselines},
        plans={"plain": {"arms": [{"data": name, "task": {"classes": 0}} for name in ("tides", "mine")]}})


def test_it_stands_in_the_book_and_in_its_contents_only_if_there_is_one(study, mine):
    assert own in PAGES and own.write(study) == {} and set(own.write(mine)) == {"own/mine.md"}
    static = {"parts": [{"caption": "a", "chapters": [{"file": "findings"}]}]}
    assert contents(static, study)["parts"][0]["caption"] == "a"
    first, second = contents(static, mine)["parts"]
    assert first == {"caption": "Your own data", "chapters": [{"file": "own/mine"}]} and second["caption"] == "a"


def test_every_change_is_a_row_beside_what_the_study_found(mine):
    text = own.write(mine)["own/mine.md"]
    assert text.startswith("(own-mine)=\n# Mine\n") and "`my/prices.csv`" in text
    assert "on the same 5 seeds" in text
    rows = [line for line in text.splitlines() if line.startswith("| ") and line[2].isdigit()]
    assert len(rows) == 5
    assert "beside the plain one, [plain](#experiment-plain)" in text
    assert rows[0] == ("| 1 | best | 0.4, −20\u00a0% (−24 to −16\u00a0%) | **better** | "
                       "−3\u00a0% (−4.9 to −1\u00a0%), better | between 21\u00a0% less and 18\u00a0% more | take it |")
    assert rows[-1].startswith("| 5 | worse |") and rows[-1].endswith("| leave it out |")
    assert "error: best, −20\u00a0%" in text and ":::{warning}" not in text


def test_it_says_what_was_read_before_what_was_tried(mine, tmp_path):
    np.savez(tmp_path / "mine.npz", x=np.zeros((20, 2), "f4"), y=np.zeros((20, 1), "f4"), last=np.arange(3, 19), window=4, horizon=1,
             classes=0, train=8, validation=3, test=4, about_inputs=["y", "wind | sun"], about_rows=21, about_used="latest",
             about_windows=17, about_windows_dropped=1)
    entry = mine.params.data["mine"].model_copy(update={"leave_out": ["sky"]})
    params = mine.params.model_copy(update={"data": mine.params.data | {"mine": entry}})
    text = own.write(dataclasses.replace(mine, params=params, files={"mine": tmp_path / "mine.npz"}))["own/mine.md"]
    read = text[text.index("## What was read"):text.index("## Beside simple predictors")]
    for words in ("4 steps × 2 channels", "The file has 21 rows; the latest of them are used; of 17 windows, the 1 that touch a "
                  "missing value are left out", "8 / 3 / 4 samples to train, to validate and to test on", "Inputs: `y`, `wind | sun`.",
                  "No inputs: `sky`."):
        assert words in read
    assert text.index("## Beside simple") < text.index("## What was tried") < text.index("## What to do")


def test_the_plain_network_stands_beside_simple_predictors_and_first_of_all_where_it_is_no_better(mine):
    text = own.write(mine)["own/mine.md"]
    rows = ["| [plain](#experiment-plain) | 0.5 | 50\u00a0% |", "| A linear model | 0.8 | 80\u00a0% |",
            "| Gradient boosting | 0.85 | 85\u00a0% |", "| A random forest | 0.9 | 90\u00a0% |", "| guessing | 1 | 100\u00a0% |"]
    assert [line for line in text.splitlines() if line in rows] == rows
    assert "known value" not in text  # where nothing persists, it has no row
    weak = dataclasses.replace(mine, tables={**mine.tables, "sets": SETS.assign(control_mean=0.95)})
    text = own.write(weak)["own/mine.md"]
    assert text.splitlines()[3].startswith("**The plain network, plain, is no better than a linear model: ")
    assert ":::{warning}\nplain has learnt little" in text


def test_what_is_not_measured_yet_says_so(mine):
    empty = dataclasses.replace(mine, tables={**mine.tables, "sets": SETS.iloc[:0], "baselines": mine.baselines.iloc[:0]})
    assert "No result is stored yet" in own.write(empty)["own/mine.md"]
    alone = dataclasses.replace(mine, tables={**mine.tables, "baselines": mine.baselines.iloc[:0]})
    assert "simple predictors" not in own.write(alone)["own/mine.md"]
    assert list(STORED["baselines"].columns) == list(mine.baselines[list(STORED["baselines"].columns)].columns)
