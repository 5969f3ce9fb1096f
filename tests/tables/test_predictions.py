"""What stood when runs were first stored is only added to, and what stands otherwise today is named."""

from pathlib import Path

import pytest

from pipeline.tables.lock import Damaged
from pipeline.tables.predictions import CLAIM, RULE, RUNS, SET, TABLE, as_text, changes, known, recorded, said
from pipeline.tables.stored import write_table
from tests.locked import lock

CLAIMS = {(CLAIM, "helps"): {"region": "better", "data": ["a", "b"], "arms": [{"treatment": "new"}]},
          (CLAIM, "waits"): {"region": "worse"}}
CONSTANTS = {(RULE, "margin"): 1.1, (RULE, "least"): 8, (SET, "a"): ["wind", ""]}


@pytest.fixture
def before(tmp_path, monkeypatch):
    """What stands of a claim that is decided, beside one that waits."""
    monkeypatch.chdir(tmp_path)
    rows = recorded(known(), CLAIMS | CONSTANTS, {"helps": {(RUNS, "new")}}, [(RUNS, "new"), (RUNS, "old")])
    write_table(rows, TABLE.path())
    return rows


def same(one, other):
    return one.to_dict("records") == other.to_dict("records")


def found(rows, stands):
    return [tuple(row) for row in changes(rows, stands).itertuples(index=False)]


def test_rows_are_added_and_stay(before):
    assert list(before["kind"] + " " + before["name"]) == ["claim helps", "rule margin", "rule least", "data set a", "runs new",
                                                          "runs old"]
    assert same(known(), before)
    other = CLAIMS | CONSTANTS | {(CLAIM, "helps"): {"region": "worse"}, (RULE, "margin"): 1.02, (RULE, "new"): 0.5}
    after = recorded(known(), other, {"helps": {(RUNS, "new")}, "waits": {(RUNS, "late")}}, [(RUNS, "late")])
    assert same(after[:6], before)
    assert list(after["name"][6:]) == ["waits", "new", "late"] and set(after["after_runs"]) == {""}


def test_a_claim_about_runs_that_were_all_stored_is_no_prediction(before):
    claims = {(CLAIM, name): {"region": "better"} for name in ("later", "partly")}
    after = recorded(before, claims, {"later": {(RUNS, "new"), (RUNS, "old")}, "partly": {(RUNS, "new"), (RUNS, "third")}},
                     [(RUNS, "third")])
    assert list(after["after_runs"][6:8]) == ["yes", ""]
    assert (CLAIM, "later", "written", "", "after its runs") in found(after, CLAIMS | CONSTANTS | claims)


@pytest.mark.parametrize(("key", "value", "expected"), [
    ((CLAIM, "helps"), {"region": "worse", "data": ["a", "b"], "arms": [{"treatment": "new"}]}, [("region", "better", "worse")]),
    ((CLAIM, "helps"), {"region": "better", "data": ["b", "c"], "arms": [{"treatment": "new"}]}, [("data", "a", "c")]),
    ((CLAIM, "helps"), {"region": "better", "data": ["b", "a"], "arms": [{"treatment": "new"}]}, []),
    ((CLAIM, "helps"), {"region": "better", "data": ["a", "b"], "arms": [{"treatment": "old"}]},
     [("arms", '{"treatment": "new"}', '{"treatment": "old"}')]),
    ((CLAIM, "helps"), {"region": "better", "data": ["a", "b"]}, [("arms", '{"treatment": "new"}', "")]),
    ((CLAIM, "helps"), None, [("", as_text(CLAIMS[CLAIM, "helps"]), "")]), ((RULE, "margin"), 1.02, [("", "1.1", "1.02")]),
    ((SET, "a"), ["water", ""], [("", "wind", "water")]), ((RULE, "another"), 3, [])])
def test_what_stands_otherwise_is_named(before, key, value, expected):
    today = {**CLAIMS, **CONSTANTS, key: value}
    assert found(before, {one: now for one, now in today.items() if now is not None}) == [(*key, *one) for one in expected]
    for change in changes(before, today).to_dict("records"):
        assert said(change).startswith(f"{key[0]} {key[1]}: ") and "\n" not in said(change)


def test_rows_that_the_lock_does_not_know_are_found_again_and_others_are_refused(before):
    lock(findings=([], [TABLE.path()]))
    first = TABLE.path().read_text()
    TABLE.path().write_text(first + "claim,another,{},\n")  # Of a run that was killed before DVC wrote its lock.
    assert same(known(), before)
    for damage in (lambda text: text.replace("better", "worse"), lambda text: "", lambda text: text.partition("\n")[2],
                   lambda text: text.replace("rule,margin,1.1,\n", ""), lambda text: text[:-1]):
        TABLE.path().write_text(damage(first))
        with pytest.raises(Damaged, match=f"^{TABLE.file}: its rows are not those that were stored .*`git checkout -- "):
            known()
    TABLE.path().unlink()
    with pytest.raises(Damaged):
        known()
    Path("dvc.lock").unlink()
    assert known().empty


def test_a_table_that_is_none_is_named(before):
    for text in ('"', "a,b\n1,2\n", "\0"):
        TABLE.path().write_text(text)
        with pytest.raises(Damaged, match="predictions.csv: it is no such table"):
            known()
