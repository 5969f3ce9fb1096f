"""The stage on a small study in a folder of its own: partly measured, and the same every time."""

import json
import shutil

import pandas as pd
import pytest
from ruamel.yaml import YAML
from tests.verdicts.made_runs import arm, curves, family, together

import numpy as np

from pipeline.tables.stored import CURVES_TABLE, CURVE_COLUMNS, RUNS, RUNS_TABLE, read_table, write_tables
from pipeline.tables.schemas import STORED
from pipeline.verdicts.__main__ import METRICS, main
from tests.locked import lock

DATA = family(9) | {"lone": {"group": "waves", "source": "forecast", "seeds": 15}}
EXPERIMENTS = {
    "old": {"data": ["tables", "waves"], "layers": ["LSTM"]},
    "new": {"data": ["tables", "waves"], "layers": ["LSTM"], "versus": "old"},
    "late": {"data": "tables", "layers": ["LSTM"], "versus": "old"},
    "lost": {"data": "tables", "layers": ["LSTM"], "versus": "old"}}
TEXT = {"rows": ["A1"], "who": "Q", "says": "It helps.", "topic": "test"}
CLAIMS = [
    {"slug": "new_helps", **TEXT, "predicts": {"by": "ours", "region": "better"}, "primary": True,
     "contrasts": [{"treatment": "new", "control": "old"}], "data": ["tables"]},
    {"slug": "new_is_quick", **TEXT, "predicts": {"by": "ours", "region": "better"}, "metric": "epochs_to_target",
     "contrasts": [{"treatment": "new", "control": "old"}], "data": ["lone"]},
    {"slug": "late_helps", **TEXT, "predicts": {"by": "ours", "region": "better"},
     "contrasts": [{"treatment": "late", "control": "old"}]},
    {"slug": "lost_helps", **TEXT, "predicts": {"by": "ours", "region": "better"},
     "contrasts": [{"treatment": "lost", "control": "old"}]},
    {"slug": "an_identity", **TEXT, "checks": ["it_holds"]}]


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A folder with a study of which two experiments are not trained: `late`, and `lost` partly."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book").mkdir()
    content = {"data": DATA, "layers": {}, "experiments": EXPERIMENTS, "being_measured": ["late"],
               "verdicts": {"controls": ["old"]},
               "train": {"epochs": 1, "batch_size": 8, "optimizer": "Adam", "learning_rates": [0.01]}}
    for name, value in (("params.yaml", content), ("book/claims.yaml", CLAIMS)):
        with open(tmp_path / name, "w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump(value, file)
    tables = {name: together(*(arm(name, d, level, variant=v) for d in DATA for v in variants))
              for name, level, variants in (("old", 1.0, ("", "repetition=1", "train_fraction=0.5")), ("new", 0.8, ("",)))}
    tables["late"] = tables["old"].head(0)
    tables["lost"] = arm("lost", "tables_0")
    lines = together(*(curves(name, d, np.linspace(2, 1, 20)[None, ::step].repeat(15, 0))
                       for d in DATA for name, step in (("old", 1), ("new", 2))))
    for name, table in tables.items():
        write_tables(RUNS / name, {RUNS_TABLE: table, CURVES_TABLE: lines[lines["experiment"] == name][CURVE_COLUMNS]})
    write_tables(STORED["checks"].path().parent, {STORED["checks"].path().name: pd.DataFrame(
        [["it_holds", "", "", "", "", True]], columns=STORED["checks"].columns)})
    return tmp_path


def stored():
    folder = STORED["verdicts"].path().parent
    return {name: read_table(table.path()) for name, table in STORED.items() if table.path().parent == folder}


def test_a_partly_measured_study_has_its_tables(study):
    assert main() == 0
    tables = stored()
    for name, table in tables.items():
        assert list(table.columns) == list(STORED[name].columns), name
    verdicts = tables["verdicts"].set_index("slug")
    assert verdicts["verdict"].to_dict() == {
        "new_helps": "supported", "new_is_quick": "supported", "late_helps": "being measured",
        "lost_helps": "being measured", "an_identity": "true"}
    assert verdicts["reads"]["new_is_quick"] == "supported on lone"
    assert verdicts["primary"].tolist() == [True] + [False] * 4
    # A family is averaged by itself, and so is what belongs to none.
    compared = tables["averages"][tables["averages"]["claim"].isna() | (tables["averages"]["claim"] == "")]
    assert sorted(zip(compared["treatment"], compared["family"], compared["units"], strict=True)) == [
        ("new", "", 1), ("new", "tables", 9)]
    assert set(tables["simulated"]["family"]) == {"tables"}
    assert json.loads(METRICS.read_text())["claims"] == {
        "supported": 2, "contradicted": 0, "no effect that matters": 0, "undecided": 0, "true": 1, "false": 0,
        "being measured": 2}


def test_own_data_are_compared_by_what_is_being_measured_and_decide_nothing(study):
    assert main() == 0
    before = stored()
    content = YAML(typ="safe", pure=True).load((study / "params.yaml").read_text())
    content["data"]["mine"] = {"own": True, "group": "tables", "file": "mine.csv", "target": "y", "seeds": 15,
                               "experiments": ["late"]}
    with open(study / "params.yaml", "w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(content, file)
    for name, level in (("old", 1.0), ("late", 0.5), ("lost", 1.0)):
        table = read_table(RUNS / name / RUNS_TABLE)
        # What is stored of an earlier plan counts as little as before: `late` on a set of the study.
        more = [arm("late", "tables_0", 0.1)] if name == "late" else []
        mine = arm(name, "mine", level)
        write_tables(RUNS / name, {RUNS_TABLE: together(*([table] if len(table) else []), *more, mine),
                                   CURVES_TABLE: read_table(RUNS / name / CURVES_TABLE)})
    assert main() == 0
    tables = stored()
    for name, table in tables.items():
        if name not in ("effects", "rates"):
            pd.testing.assert_frame_equal(table, before[name])
    found = tables["effects"]
    own = found[found["data"] == "mine"]
    pd.testing.assert_frame_equal(found.drop(index=own.index).reset_index(drop=True), before["effects"],
                                  check_dtype=False)
    assert dict(zip(own["treatment"], own["found"], strict=True))["late"] == "better"
    # `lost` has no run on most of the study's sets: of it, too, only the own data count.
    assert sorted(own["treatment"]) == ["late", "lost"] and set(own["control"]) == {"old"}


def test_an_experiment_that_shares_no_data_with_its_control_yet_is_not_compared(study):
    content = YAML(typ="safe", pure=True).load((study / "params.yaml").read_text())
    content["data"]["mine"] = {"own": True, "group": "tables", "file": "mine.csv", "target": "y", "seeds": 15}
    content["experiments"]["after_late"] = {"data": "lone", "layers": ["LSTM"]}
    content.setdefault("being_measured", []).append("after_late")
    content["experiments"]["new"]["versus"] = "late"
    with open(study / "params.yaml", "w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(content, file)
    late = arm("late", "mine")
    write_tables(RUNS / "late", {RUNS_TABLE: late, CURVES_TABLE: read_table(RUNS / "late" / CURVES_TABLE)})
    assert main() == 0
    effects = stored()["effects"]
    assert "new" not in set(effects.loc[effects["claim"] == "", "treatment"])


def test_the_same_runs_give_the_same_bytes(study):
    folder = STORED["verdicts"].path().parent
    found = []
    for _ in range(2):
        assert main() == 0
        found.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert found[0] == found[1] and len(found[0]) == len(stored()) + 1


def test_what_every_core_reads_and_decides_is_the_same(study, monkeypatch, capsys):
    assert main() == 0
    one = {path.name: path.read_bytes() for path in METRICS.parent.iterdir()}
    for module in ("decide", "__main__"):
        monkeypatch.setattr(f"pipeline.verdicts.{module}.SHARED", 1)
    assert main() == 0
    assert {path.name: path.read_bytes() for path in METRICS.parent.iterdir()} == one
    path = study / "book/claims.yaml"
    path.write_text(path.read_text().replace("it_holds", "it_hold"))
    capsys.readouterr()
    assert main() == 1 and "checks[0]: found 'it_hold'; allowed: it_holds" in capsys.readouterr().err


def test_runs_of_another_protocol_and_changed_ones_are_refused(study, capsys):
    table = read_table(RUNS / "new" / RUNS_TABLE)
    write_tables(RUNS / "new", {RUNS_TABLE: table.drop(columns=["hit_limit"])})
    assert main() == 1
    assert f"{RUNS / 'new' / RUNS_TABLE}: its columns are not those that training writes" in capsys.readouterr().err
    lock(train=([], [RUNS / "new"]))
    (RUNS / "new" / RUNS_TABLE).write_text("changed\n")
    assert main() == 1
    assert "its content is not what was stored" in capsys.readouterr().err


@pytest.mark.parametrize("path", [RUNS / "new" / RUNS_TABLE, STORED["checks"].path()])
@pytest.mark.parametrize("gone", [
    lambda path: path.unlink(), lambda path: (path.unlink(), path.symlink_to("nowhere")),
    lambda path: (path.unlink(), path.mkdir()), lambda path: path.write_text(path.read_text().partition("\n")[0] + "\n"),
    lambda path: shutil.rmtree(path.parent)])
def test_a_table_that_is_missing_or_empty_is_no_experiment_that_is_being_measured(study, capsys, path, gone):
    assert main() == 0
    before = {one.name: one.read_bytes() for one in METRICS.parent.iterdir()}
    gone(path)
    capsys.readouterr()
    assert main() == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {path}: ") and error.count("\n") == 1
    assert {one.name: one.read_bytes() for one in METRICS.parent.iterdir()} == before


def test_verdicts_that_were_changed_are_refused_and_made_anew_of_other_runs(study, capsys):
    assert main() == 0
    path = STORED["verdicts"].path()
    before = path.read_bytes()
    lock(verdicts=(["params.yaml", "book/claims.yaml", RUNS], [path.parent]))
    path.write_text(path.read_text().replace("supported", "contradicted"))
    changed = path.read_bytes()
    capsys.readouterr()
    assert changed != before and main() == 1
    assert capsys.readouterr().err.startswith(f"error: {path.parent}: its content is not what was stored")
    assert path.read_bytes() == changed
    with (study / "book/claims.yaml").open("a") as file:
        file.write("# another\n")
    assert main() == 0 and path.read_bytes() == before
