"""A reader's own data set in a plan: new arms, and every run of the study keeps its key."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.data import sources
from pipeline.data.__main__ import make_missing
from pipeline.plan.__main__ import main
from pipeline.tables.store import STORE, Store
from pipeline.tables.stored import RUNS_TABLE, read_table
from pipeline.config.schema import load
from tests.train.toy import stage
from tests.plan.test_main import PARAMS, content, edit, planned, project  # noqa: F401

OWN = "  mine: {group: tables, own: true, experiments: [wide], file: mine.csv, target: y, seeds: 2}\n"


@pytest.fixture
def study(project):  # noqa: F811
    """The small project with a control that measures the rule, and a file of a reader's own."""
    edit("params.yaml", "probe:", "verdicts: {controls: [mlp]}\nprobe:")
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(generator.normal(size=(120, 3)).round(3), columns=list("abc"))
    frame.assign(y=np.where(frame["a"] > 0, "yes", "no")).to_csv("mine.csv", index=False)
    return project


def run():
    """The stages data, plan and train; how many runs were trained."""
    held = Store().keys()
    make_missing(load())
    assert main() == 0
    for path in sorted(Path("plan").glob("*.json")):
        stage(STORE, path.stem)
    return len(Store().keys() - held)


def stored():
    """Every file of the study that is kept with it."""
    return {path: file.read_bytes() for folder in ("plan", "results", "timings")
            for file in Path(folder).rglob("*") if file.is_file() and (path := str(file))}


def keys(name):
    table = read_table(Path("results/runs") / name / RUNS_TABLE)
    return {data: set(rows["key"]) for data, rows in table.groupby("data")}


def test_only_new_runs_are_trained_and_taking_it_out_leaves_no_trace(study):
    run()
    before, known = stored(), {name: keys(name) for name in ("mlp", "wide", "same")}
    edit("params.yaml", "layers:\n", OWN + "layers:\n")
    # Two experiments with two seeds at one rate; their other runs, and `same`, are not trained again.
    assert run() == 4
    for name, mine in (("mlp", True), ("wide", True), ("same", False)):
        found = keys(name)
        assert found.pop("mine", None) is not None if mine else "mine" not in found
        assert found == known[name]
    plan = json.loads(Path("plan/mlp.json").read_text())
    assert plan["data"]["mine"]["own"] is True and "own" not in plan["data"]["table"]
    # The rule is measured on the study's data alone.
    assert {arm["data"] for arm in plan["arms"] if arm.get("measuring")} == {"table"}
    assert {path: content for path, content in stored().items() if path.startswith("timings")} == {
        path: content for path, content in before.items() if path.startswith("timings")}
    assert run() == 0
    edit("params.yaml", OWN, "")
    assert run() == 0
    assert stored() == before
    assert not Path("data/mine.npz").exists() and sources.read("data/table.npz")["task"] == "classes"
    edit("params.yaml", "layers:\n", OWN + "layers:\n")
    assert run() == 0  # asked a second time, all is known


def test_what_is_only_said_of_an_own_entry_does_not_make_its_arrays_anew(study):
    make_missing(load())
    edit("params.yaml", "layers:\n", OWN + "layers:\n")
    assert make_missing(load()) == ["mine"]
    edit("params.yaml", "experiments: [wide], ", "")
    assert make_missing(load()) == []
