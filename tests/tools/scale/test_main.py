"""Every step is measured at every size, in the order that measures what it says."""

import json

import pytest

from pipeline.tables.stored import SCALE, read_table
from tools.scale import __main__ as scale
from tools.scale.growth import MEASURED_COLUMNS, growth
from tools.scale.project import Spent
from tools.scale.study import Size
from pipeline.config.errors import ConfigError

STEPS = ["checking", "planning", "verdicts", "the ledger", "all pages", "the book", "nothing to do", "one change"]


class Planted:
    """A project whose verdicts take the square of the experiments, and all else their number."""

    def __init__(self):
        self.size, self.calls = None, []

    def grow(self, size):
        self.size = size
        self.calls = ["grow"]

    def write(self, size, edited=False):
        assert size == self.size and edited
        self.calls.append("edit")

    def forget(self, path):
        self.calls.append(f"forget {path}")

    def record(self):
        self.calls.append("record")

    def stage(self, *words):
        return self._spent(" ".join(words), 2 if words == ("verdicts",) else 1)

    def run(self, *words):
        return self._spent(" ".join(words), 1)

    def bytes(self, path):
        return 1000 * self.size.experiments

    def _spent(self, call, power):
        self.calls.append(call)
        seconds = 0.01 * self.size.experiments**power
        return Spent(2 * seconds, seconds)


@pytest.fixture
def found():
    project = Planted()
    return scale.table((size, *row) for size in scale.sizes([150, 300, 1000], [10, 20, 50])
                       for row in scale.measure(project, size))


def test_each_size_is_varied_from_the_smallest():
    assert scale.sizes([300, 150], [20, 10, 10]) == [Size(150, 10), Size(300, 10), Size(150, 20)]


def test_every_step_has_a_row_at_every_size(found):
    assert list(found.columns) == MEASURED_COLUMNS
    assert len(found) == 5 * len(STEPS) and (found["value"] > 0).all()
    for _, rows in found.groupby(["experiments", "sets"]):
        assert sorted(rows["step"]) == sorted(STEPS)
    seconds = found["unit"] == "seconds"
    assert found.loc[seconds, "work"].notna().all() and found.loc[~seconds, "work"].isna().all()


def test_the_step_that_was_planted_quadratic_is_told_from_all_others(found):
    rows = growth(found)
    faster = rows[rows["faster"]]
    assert faster[["step", "along"]].to_numpy().tolist() == [["verdicts", "experiments"]]
    assert faster["power"].item() == pytest.approx(2, abs=0.01)


def test_the_book_is_built_from_nothing_and_dvc_told_before_it_is_asked():
    project = Planted()
    list(scale.measure(project, Size(30, 4)))
    assert project.calls == ["grow", "plan --check", "plan", "verdicts", "forget build", "book", "record", "dvc repro",
                             "edit", "plan --check", "dvc repro"]


def test_limits_stand_where_they_hold(found):
    limits = found[found["limit"].notna()]
    assert set(limits["step"]) == {"nothing to do", "one change"} and set(limits["limit"]) == {30, 120}
    assert scale.table([(Size(2000, 10), "one change", "seconds", 1.0, 1.0)])["limit"].isna().all()


@pytest.mark.parametrize("text", ["", "many", "150,", "3", "150,999999999"])
def test_sizes_that_cannot_be_are_refused(text):
    with pytest.raises(ConfigError, match=f"EXPERIMENTS={text}: allowed: numbers from 30 on"):
        scale.numbers(text, "experiments")


def test_what_was_measured_is_stored_with_its_growth_and_its_place(found, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scale.store(found, growth(found))
    assert len(read_table(SCALE / "measured.csv")) == len(found)
    assert read_table(SCALE / "growth.csv")["faster"].sum() == 1
    assert {"processor", "cores", "python"} <= json.loads((SCALE / "place.json").read_text()).keys()
