"""Whatever is stored is what was stored, or gets one message; nothing outside its folder is touched."""

import json
import shutil

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.plan.tidy import beginning, without
from pipeline.tables import lock
from pipeline.tables.lock import entries
from pipeline.tables.mend import mend
from pipeline.tables.store import Store
from pipeline.tables.stored import (
    COLUMNS, CURVE_COLUMNS, CURVES_TABLE, RUNS_TABLE, Damaged, read_table, write_table, write_tables)
from tests import locked
from tests.hostile import SCRIPT, TEXTS, answer, changed_bytes, counted
from tests.tables.test_stored import record

KEY = "ab" + "0" * 62


def tables(key=KEY):
    row = dict.fromkeys(COLUMNS, 1.0) | {"experiment": "a", "variant": "", "data": "d", "seed": 3000, "chosen": True,
                                         "diverged": False, "key": key}
    curves = pd.DataFrame([["a", "", "d", 3000, 1.0, 1, 0.5, 0.25]], columns=CURVE_COLUMNS)
    return {RUNS_TABLE: pd.DataFrame([row])[COLUMNS], CURVES_TABLE: curves}


@pytest.fixture
def folder(tmp_path):
    """A result folder that a lock names."""
    write_tables(tmp_path / "runs/a", tables())
    locked.lock(tmp_path, train_at_a=([], ["runs/a"]))
    return tmp_path / "runs/a"


def everything(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", [RUNS_TABLE, CURVES_TABLE])
def test_a_changed_result_is_refused_or_the_same(folder, name):
    whole, stored = (folder / name).read_bytes(), read_table(folder / RUNS_TABLE)

    @counted(60)
    @given(changed_bytes(whole))
    def check(content):
        (folder / name).write_bytes(content)
        before = everything(folder)
        if answer(lambda: lock.check(folder) or True):
            assert read_table(folder / RUNS_TABLE).equals(stored)
            assert content == whole
        elif content != whole:
            with pytest.raises(Damaged):
                write_tables(folder, tables())
        if content != whole:
            # A damaged result is not overwritten, and reading it changes nothing.
            assert everything(folder) == before

    check()


@pytest.mark.parametrize("name", [RUNS_TABLE, CURVES_TABLE])
def test_a_table_that_no_lock_names_is_a_table_or_gets_one_message(folder, name):
    whole = (folder / name).read_bytes()
    (folder.parents[1] / "dvc.lock").unlink()
    outside = {path for path in folder.parents[1].iterdir()}

    @counted(80)
    @given(changed_bytes(whole))
    def check(content):
        (folder / name).write_bytes(content)
        found = answer(read_table, folder / name)
        assert found is None or isinstance(found, pd.DataFrame)
        answer(Store(folder.parent / "store").fill, [folder])
        assert {path for path in folder.parents[1].iterdir()} == outside

    check()


@pytest.mark.parametrize("key", ["../../hacked", "/tmp/hacked", "a/b", "", SCRIPT, "x" * 300, "a\0b"])
def test_the_key_of_a_run_names_no_other_file(tmp_path, key):
    store = Store(tmp_path / "store")
    for use in (store.get, lambda key: store.put(key, record(1))):
        with pytest.raises(Damaged, match="not the key of a run"):
            use(key)
    if "\0" in key:  # Which a table cannot hold.
        return
    folder = tmp_path / "runs/a"
    folder.mkdir(parents=True)
    for name, table in tables(key).items():
        write_table(table, folder / name)
    with pytest.raises(Damaged, match="not the key of a run"):
        store.fill([folder])
    assert store.count() == 0 and {path.name for path in tmp_path.iterdir()} <= {"store", "runs"}


def test_a_changed_store_is_refused_or_the_same_and_what_is_readable_of_it_is_kept(tmp_path):
    """Whatever bytes it has: no run comes out of it, nor out of what is mended, that was not put there."""
    records = {f"{number:02d}{KEY[2:]}": record(number) for number in range(12)}
    store = Store(tmp_path / "whole")
    for key, one in records.items():
        store.put(key, one)
    store.close()
    whole = store.path.read_bytes()

    def same(key, found):
        return found is None or json.dumps(found, sort_keys=True) == json.dumps(records[key], sort_keys=True)

    @counted(80)
    @given(st.one_of(changed_bytes(whole), st.sampled_from(TEXTS).map(str.encode)))
    def check(content):
        folder = tmp_path / "changed"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / store.path.name).write_bytes(content)
        changed = Store(folder)
        for key in records:
            assert same(key, said(changed.get, key))
        changed.close()
        kept, aside = mend(folder)
        assert aside.exists() and kept == Store(folder).count() <= len(records)
        assert all(same(key, Store(folder).get(key)) for key in records)

    def said(call, key):
        try:
            return answer(call, key)
        except RuntimeError as error:  # SQLite takes some damage for a disk that does not read.
            assert "the disk does not read" in str(error)

    check()


def test_a_changed_lock_is_read_or_refused_and_only_its_end_is_mended(folder):
    whole = locked.text({f"train@{name}": ([], ["runs/a"]) for name in "abc"}, folder.parents[1])

    @counted(200)
    @given(changed_bytes(whole.encode()))
    def check(content):
        text = content.decode("utf-8", "replace")
        try:
            assert {"train@a", "train@b"} & entries(text).keys() or not text
            found = without(text, {"train@b"})
        except Damaged as error:
            assert str(error).startswith("dvc.lock: ")
            found = answer(beginning, text) or ""
            assert text.startswith(found)
        assert "  train@b:\n" not in found or found in text

    check()
