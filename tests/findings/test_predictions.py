"""The stage keeps what stood when runs were first stored, and names what stands otherwise today."""

from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from pipeline.findings.__main__ import main
from pipeline.tables.schemas import FOUND, STORED
from pipeline.tables.stored import write_tables
from tests.findings.conftest import DATA
from tests.findings.made import arm, together
from tests.locked import lock

PATH, CHANGES = STORED["predictions"].path(), FOUND["changes"].path()


def dump(content, path):
    with open(path, "w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(content, file)


def edit(path, change):
    content = YAML(typ="safe", pure=True).load(Path(path).read_text())
    change(content)
    dump(content, path)


def claims(change):
    edit("book/readings.yaml", lambda content: change({one["slug"]: one for one in content}))


def read(path):
    return [tuple(row) for row in pd.read_csv(path, dtype=str, keep_default_na=False).itertuples(index=False)]


@pytest.fixture(autouse=True)
def found(project):
    """Its findings are stored."""
    assert main() == 0


def test_what_stands_is_kept_of_claims_that_are_decided_of_the_rule_and_of_the_data():
    kinds = pd.DataFrame(read(PATH), columns=STORED["predictions"].columns).groupby("kind")["name"].agg(set)
    assert kinds["claim"] == {"it_helps"} and kinds["runs"] == {"old", "new"} and kinds["group"] == {"tables"}
    assert {"ratio_margin", "least_units", "controls"} <= kinds["rule"] and kinds["data set"] == set(DATA)
    assert read(CHANGES) == []


@pytest.mark.parametrize(("change", "expected"), [
    (lambda: claims(lambda all: all["it_helps"]["predicts"].update(region="worse")),
     ("claim", "it_helps", "region", "better", "worse")),
    (lambda: claims(lambda all: all["it_helps"].update(metric="loss")), ("claim", "it_helps", "metric", "error", "loss")),
    (lambda: claims(lambda all: all["it_helps"].update(data=["tables_1"])), ("claim", "it_helps", "data", "tables", "tables_1")),
    (lambda: edit("params.yaml", lambda content: content["verdicts"].update(margin=0.02)),
     ("rule", "ratio_margin", "", "1.1", "1.02")),
    (lambda: edit("params.yaml", lambda content: content["data"]["tables_0"].update(unit="utables_1")),
     ("data set", "tables_0", "", "utables_0", "utables_1")),
    (lambda: edit("params.yaml", lambda content: content["data"]["tables_0"].update(group="others")),
     ("group", "tables", "", "tables_0", ""))])
def test_a_change_after_the_runs_is_named_and_what_stood_stays(capsys, change, expected):
    before = PATH.read_text()
    change()
    capsys.readouterr()
    assert main() == 0, capsys.readouterr().err
    assert expected in read(CHANGES) and PATH.read_text().startswith(before)
    assert f"not as it stood when its runs were first stored: {expected[0]} {expected[1]}: " in capsys.readouterr().out


def test_what_waits_may_change_and_what_comes_after_the_runs_is_no_prediction():
    claims(lambda all: all["it_is_coming"]["predicts"].update(region="worse"))
    claims(lambda all: all["it_helps"].update(says="In other words.", primary=True))
    edit("book/readings.yaml", lambda all: all.append(all[0] | {"slug": "renamed", "predicts": {"by": "ours", "region": "worse"}}))
    edit("params.yaml", lambda content: content.pop("being_measured"))
    write_tables(STORED["runs"].path("later").parent, {"runs.csv": together(*(arm("later", one) for one in DATA))})
    assert main() == 0
    assert read(CHANGES) == [("claim", "renamed", "written", "", "after its runs")]


def test_a_table_without_what_stood_is_refused(capsys):
    lock(findings=(["params.yaml", "book/readings.yaml"], [PATH, CHANGES.parent]))
    claims(lambda all: all["it_helps"]["predicts"].update(region="worse"))
    before = CHANGES.read_bytes()
    for text in (PATH.read_text().replace('""better""', '""worse""'), ""):
        PATH.write_text(text)
        capsys.readouterr()
        assert main() == 1
        assert capsys.readouterr().err.startswith("error: results/predictions.csv: its rows are not those that were stored")
        assert CHANGES.read_bytes() == before
