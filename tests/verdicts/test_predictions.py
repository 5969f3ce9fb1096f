"""A prediction or a constant that is changed after its runs are stored is named; what stood is never rewritten."""

from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from pipeline.tables.stored import RUNS, RUNS_TABLE, CURVES_TABLE, read_table, write_tables
from pipeline.tables.schemas import STORED
from pipeline.verdicts.__main__ import main
from tests.locked import lock
from tests.verdicts.made_runs import arm
from tests.verdicts.test_main import CLAIMS, DATA, study  # noqa: F401

PATH, CHANGES = STORED["predictions"].path(), STORED["changes"].path()


def edit(file, change):
    """Change the content of a YAML file."""
    yaml = YAML(typ="safe", pure=True)
    content = yaml.load(Path(file).read_text())
    change(content)
    with open(file, "w", encoding="utf-8") as stream:
        yaml.dump(content, stream)


def claims(change):
    edit("book/claims.yaml", lambda content: change({one["slug"]: one for one in content}))


def changes():
    return [tuple(row) for row in pd.read_csv(CHANGES, dtype=str, keep_default_na=False).itertuples(index=False)]


def rows(kind):
    table = pd.read_csv(PATH, dtype=str, keep_default_na=False)
    return dict(table.loc[table["kind"] == kind, ["name", "stood"]].itertuples(index=False, name=None))


def test_what_stands_is_kept_once_runs_are_stored(study):  # noqa: F811
    assert main() == 0 and changes() == []
    # `late` and `lost` are not measured, and an identity predicts nothing.
    assert set(rows("claim")) == {"new_helps", "new_is_quick"} and set(rows("runs")) == {"old", "new"}
    assert rows("rule")["ratio_margin"] == "1.1" and rows("rule")["words_for_better"].startswith('[["helps", "helps a little"')
    assert rows("data set")["tables_0"] == '["utables_0", ""]' and set(rows("data set")) == set(DATA)
    before = PATH.read_bytes()
    assert main() == 0 and PATH.read_bytes() == before


@pytest.mark.parametrize(("change", "expected"), [
    (lambda: claims(lambda all: all["new_helps"]["predicts"].update(region="worse")),
     [("claim", "new_helps", "region", "better", "worse")]),
    (lambda: claims(lambda all: all["new_helps"]["predicts"].update(quantifier="some")),
     [("claim", "new_helps", "quantifier", "generally", "some")]),
    (lambda: claims(lambda all: all["new_helps"].update(metric="loss")), [("claim", "new_helps", "metric", "error", "loss")]),
    (lambda: claims(lambda all: all["new_helps"].update(data=["tables_1", "tables_2"])),
     [("claim", "new_helps", "data", ", ".join(f"tables_{i}" for i in (0, *range(3, 9))), "")]),
    (lambda: claims(lambda all: all["new_helps"]["contrasts"][0].update(treatment="old", control="new")),
     [("claim", "new_helps", "contrasts", '{"control": "old", "treatment": "new"}', '{"control": "new", "treatment": "old"}')]),
    (lambda: edit("book/claims.yaml", lambda all: all.pop(0)), [
        ("claim", "new_helps", "", None, "")]),
    (lambda: edit("params.yaml", lambda content: content["verdicts"].update(margin=0.02)), [
        ("rule", "ratio_margin", "", "1.1", "1.02")]),
    (lambda: edit("params.yaml", lambda content: content["data"]["tables_0"].update(unit="tables_1")), [
        ("data set", "tables_0", "", "utables_0", "tables_1")])])
def test_a_change_after_the_runs_is_named_and_what_stood_stays(study, capsys, change, expected):  # noqa: F811
    assert main() == 0
    before = PATH.read_bytes()
    change()
    capsys.readouterr()
    for _ in range(2):
        assert main() == 0
        found = changes()
        assert [(*row[:3], row[3] if one[3] is not None else None, row[4]) for row, one in zip(found, expected, strict=True)] == expected
        assert PATH.read_bytes() == before
    said = capsys.readouterr().out
    assert said.count("not as it stood when its runs were first stored: ") == 2 and expected[0][1] in said


def test_words_are_no_prediction(study):  # noqa: F811
    assert main() == 0
    claims(lambda all: all["new_helps"].update(says="In other words.", who="someone", primary=False))
    assert main() == 0 and changes() == []


def test_a_claim_that_waits_may_change_and_one_about_stored_runs_comes_late(study):  # noqa: F811
    assert main() == 0
    claims(lambda all: all["late_helps"]["predicts"].update(region="worse"))
    edit("params.yaml", lambda content: content.pop("being_measured"))
    # `late` is measured now; whoever adds a claim about `new` knows what came of it.
    for data in DATA:
        table = read_table(RUNS / "late" / RUNS_TABLE)
        write_tables(RUNS / "late", {RUNS_TABLE: pd.concat([*([table] if len(table) else []), arm("late", data)]),
                                     CURVES_TABLE: read_table(RUNS / "new" / CURVES_TABLE).assign(experiment="late")})
    renamed = {**CLAIMS[0], "slug": "new_harms", "predicts": {"by": "ours", "region": "worse"}}
    edit("book/claims.yaml", lambda all: all.append(renamed))
    assert main() == 0
    assert changes() == [("claim", "new_harms", "written", "", "after its runs")]
    assert '"region": "worse"' in rows("claim")["late_helps"]


def test_rows_are_only_added_and_others_are_refused(study, capsys):  # noqa: F811
    assert main() == 0
    stage = {"verdicts": (["params.yaml", "book/claims.yaml", RUNS], [PATH, CHANGES.parent])}
    lock(**stage)
    first = PATH.read_text()
    # After a kill before DVC wrote its lock, rows are there that it does not know: they are found again.
    PATH.write_text(first + "claim,another,{},\n")
    assert main() == 0 and PATH.read_text() == first
    claims(lambda all: all["new_helps"]["predicts"].update(region="worse"))
    for damage in (lambda text: text.replace('""region"": ""better""', '""region"": ""worse""'), lambda text: "",
                   lambda text: text.replace("rule,ratio_margin,1.1,\n", ""), lambda text: text.partition("\n")[2], None):
        if damage:
            PATH.write_text(damage(first))
        else:
            PATH.unlink()
        before = CHANGES.read_bytes()
        capsys.readouterr()
        assert main() == 1
        error = capsys.readouterr().err
        assert error.startswith("error: results/predictions.csv: its rows are not those that were stored (dvc.lock)")
        assert "git checkout -- results/predictions.csv" in error and error.count("\n") == 1
        assert CHANGES.read_bytes() == before
    PATH.write_text(first)
    assert main() == 0 and changes()


def test_what_is_stored_of_the_study_is_what_its_claims_and_its_rule_say_today():
    """Of the real study: none of its predictions and constants was changed since they were first stored."""
    assert changes() == [] and len(rows("claim")) > 100 and "" not in rows("rule").values()
