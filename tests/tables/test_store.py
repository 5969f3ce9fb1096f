"""The store of runs: durable, exact, never overwritten, shared by many, and damage is named."""

import errno
import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest

from pipeline.tables import store as store_module
from pipeline.tables.mend import main, mend
from pipeline.tables.store import FILE, Store, holding
from pipeline.tables.lock import Damaged
from pipeline.tables.stored import CURVES_TABLE, RUNS_TABLE
from tests.tables.test_stored import record, tables, write


def text(value):
    """A record as text, in which NaN equals NaN."""
    return json.dumps(value, sort_keys=True)


def bare(found):
    return {name: value for name, value in found.items() if not name.endswith("_curve")}


def test_the_store_gives_back_what_was_put(tmp_path):
    store = Store(tmp_path)
    assert store.get("ab12") is None and store.count() == 0
    store.put("ab12", record(1))
    assert text(store.get("ab12")) == text(record(1))
    assert store.get("ab13") is None
    store.close()
    assert os.listdir(tmp_path) == [FILE] and text(store.get("ab12")) == text(record(1))
    assert text(Store(tmp_path).get("ab12")) == text(record(1)) and Store(tmp_path).keys() == {"ab12"}


def test_many_are_found_at_once_and_only_those_that_are_there(tmp_path):
    store = Store(tmp_path)
    for number in range(3):
        store.put(f"ab{number}", record(number))
    found = store.find([f"ab{number}" for number in range(1, 2000)])
    assert {key: text(one) for key, one in found.items()} == {f"ab{n}": text(record(n)) for n in (1, 2)}
    assert store.find([]) == {}


def test_a_stored_run_is_never_overwritten(tmp_path):
    store = Store(tmp_path)
    store.put("ab12", record(1))
    store.put("ab12", record(1))
    with pytest.raises(ValueError, match="another record of the run ab12 is stored, and is not overwritten"):
        store.put("ab12", record(2))
    for wrong in ({}, bare(record(1)), record(1) | {"best_error": "0.1"}):
        with pytest.raises(ValueError):
            store.put("ab13", wrong)
    assert text(store.get("ab12")) == text(record(1)) and store.count() == 1


# --- many at once, and kills -------------------------------------------------------------------

def _put(folder, numbers):
    store = Store(folder)
    for number in numbers:
        store.put(f"key{number}", record(number))


def test_processes_put_at_the_same_time_and_begin_the_store_together(tmp_path):
    context = multiprocessing.get_context("spawn")
    # Each run is put by two of them.
    processes = [context.Process(target=_put, args=(tmp_path / "store", range(first, first + 40))) for first in (0, 20, 40, 0)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert Store(tmp_path / "store").keys() == {f"key{number}" for number in range(80)}


def test_threads_put_into_one_store_at_the_same_time(tmp_path):
    store = Store(tmp_path)
    threads = [threading.Thread(target=lambda first=first: [
        store.put(f"key{number}", record(number)) for number in range(first, first + 30)]) for first in (0, 15, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.count() == 60


def test_what_was_put_outlives_a_kill(tmp_path):
    code = ("import os, signal, sys; from pipeline.tables.store import Store; from tests.tables.test_stored import record\n"
            "store = Store(sys.argv[1]); store.put('ab12', record(1))\n"
            "with store._writing() as connection:\n"
            "    connection.execute('DELETE FROM runs'); os.kill(os.getpid(), signal.SIGKILL)")
    done = subprocess.run([sys.executable, "-c", code, tmp_path], env=os.environ | {"PYTHONPATH": os.getcwd()})
    assert done.returncode == -signal.SIGKILL
    assert text(Store(tmp_path).get("ab12")) == text(record(1))


def test_tables_fill_the_store_with_the_records_they_were_made_of(tmp_path):
    runs, curves, records = tables(6, chosen=(True, False))
    write(tmp_path / "tables", runs, curves)
    store = Store(tmp_path / "store")
    assert store.fill([tmp_path / "tables"]) == 6
    for key, expected in records.items():
        assert text(store.get(key)) == text(expected)


def test_tables_are_read_once_a_version(tmp_path, monkeypatch):
    runs, curves, _ = tables(4)
    write(tmp_path / "tables", runs.head(2), curves)
    store, read = Store(tmp_path / "store"), []
    read_table = store_module.read_table
    monkeypatch.setattr(store_module, "read_table", lambda path: read.append(path) or read_table(path))
    assert store.fill([tmp_path / "tables"]) == 2 and len(read) == 2
    assert Store(tmp_path / "store").fill([tmp_path / "tables"]) == 0 and len(read) == 2
    write(tmp_path / "tables", runs, curves)
    assert store.fill([tmp_path / "tables"]) == 2 and len(read) == 4


def test_filling_leaves_what_is_there(tmp_path):
    runs, curves, records = tables(3)
    write(tmp_path / "tables", runs, curves)
    store = Store(tmp_path / "store")
    there = next(iter(records))
    store.put(there, record(9))
    assert store.fill([tmp_path / "tables"]) == 2
    assert text(store.get(there)) == text(record(9))


def test_a_damaged_table_adds_nothing_of_any(tmp_path):
    for name, count in (("one", 2), ("two", 3)):
        write(tmp_path / name, *tables(count, experiment=name)[:2])
    (tmp_path / "two" / CURVES_TABLE).write_bytes(b"x")
    folders = [tmp_path / "one", tmp_path / "two"]
    store = Store(tmp_path / "store")
    with pytest.raises(Damaged, match="two/curves.csv.gz: it is no table"):
        store.fill(folders)
    assert store.count() == 0 and store.fill(folders[:1]) == 2


def test_filling_from_nothing_from_other_columns_or_from_a_chosen_run_without_its_curve_adds_nothing(tmp_path):
    store = Store(tmp_path / "store")
    assert store.fill([tmp_path / "missing"]) == 0
    runs, curves, _ = tables(4)
    write(tmp_path / "tables", runs.drop(columns="test_size"), curves)
    assert store.fill([tmp_path / "tables"]) == 0
    write(tmp_path / "tables", runs, curves[curves["seed"] != 1002])
    assert store.fill([tmp_path / "tables"]) == 3


def test_a_run_that_another_experiment_chose_gets_its_curve(tmp_path):
    """In either order: the store keeps what has curves."""
    runs, curves, records = tables(2)
    write(tmp_path / "chose", runs, curves)
    write(tmp_path / "did_not", runs.assign(chosen=False), curves[:0])
    for order in (("chose", "did_not"), ("did_not", "chose")):
        store = Store(tmp_path / "_".join(order))
        assert [store.fill([tmp_path / name]) for name in order] == [2, 0]
        for key, expected in records.items():
            assert text(store.get(key)) == text(expected)


def test_a_run_without_curves_takes_them_from_one_that_is_trained_again(tmp_path):
    """On another machine it has other bits; then it is that run as a whole."""
    runs, curves, records = tables(1)
    write(tmp_path / "did_not", runs.assign(chosen=False), curves[:0])
    (key, first), other = *records.items(), record(2)
    for trained in (first, other):
        store = Store(tmp_path / str(trained["best_loss"]))
        store.fill([tmp_path / "did_not"])
        assert text(store.get(key)) == text(bare(first))
        store.put(key, trained)
        assert text(store.get(key)) == text(trained)


def test_the_folders_that_hold_some_runs_are_found(tmp_path):
    for name, count in (("one", 2), ("two", 4)):
        write(tmp_path / name, *tables(count, experiment=name)[:2])
    keys = list(tables(4)[2])
    folders = [tmp_path / name for name in ("missing", "one", "two")]
    assert holding(keys[:1], folders) == folders[1:] and holding(keys[3:], folders) == folders[2:]
    assert holding([], folders) == holding(["0" * 64], folders) == []
    assert RUNS_TABLE in os.listdir(tmp_path / "one")


def test_what_a_run_took_is_no_part_of_its_record(tmp_path):
    store = Store(tmp_path)
    for number in range(3):
        store.put(f"ab{number}", record(number))
    store.note_timing(["ab0", "ab1", "unknown"], 0.5, {"cores": 2})
    assert store.timings(["ab1", "ab2"]) == {"ab1": (0.5, {"cores": 2})}
    assert text(store.get("ab1")) == text(record(1))
    store.put("ab1", record(1))
    assert store.timings(["ab1"])


def change(path, query, *values):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(query, values)
    connection.close()


MENDS = "; `python -m pipeline.tables.mend` sets the damaged file aside and keeps what is readable"


@pytest.mark.parametrize("query", [
    "UPDATE runs SET record = replace(record, '17', '18') WHERE key = 'ab1'", "UPDATE runs SET digest = '0' WHERE key = 'ab1'",
    "UPDATE runs SET record = '{' WHERE key = 'ab1'",
    "UPDATE runs SET (record, digest) = (SELECT record, digest FROM runs WHERE key = 'ab2') WHERE key = 'ab1'"])
def test_a_changed_run_is_refused_by_name_and_the_others_are_kept(tmp_path, query):
    store = Store(tmp_path)
    for number in range(3):
        store.put(f"ab{number}", record(number))
    change(store.path, query)
    with pytest.raises(Damaged) as error:
        store.find(["ab0", "ab1"])
    assert str(error.value) == f"{store.path}: the run ab1 is not what was stored{MENDS}"
    store.close()
    assert mend(tmp_path) == (2, tmp_path / "damaged-1.sqlite")
    assert Store(tmp_path).keys() == {"ab0", "ab2"} and text(Store(tmp_path).get("ab2")) == text(record(2))


@pytest.mark.parametrize("make", [
    lambda path: path.write_bytes(b"no database " * 500), lambda path: path.mkdir(),
    lambda path: change(path, "CREATE TABLE runs (other)")])
def test_what_is_no_store_is_refused_in_one_message_and_set_aside(tmp_path, make):
    make(tmp_path / FILE)
    for use in (lambda: Store(tmp_path).get("ab1"), lambda: Store(tmp_path).put("ab1", record(1))):
        with pytest.raises(Damaged) as error:
            use()
        assert str(error.value).startswith(f"{tmp_path / FILE}: it is ") and str(error.value).endswith(MENDS)
        assert "\n" not in str(error.value)
    assert mend(tmp_path)[0] == 0 and (tmp_path / "damaged-1.sqlite").exists()
    Store(tmp_path).put("ab1", record(1))


def test_of_a_file_with_a_broken_page_the_other_runs_are_kept(tmp_path):
    store = Store(tmp_path)
    keys = [f"key{number}" for number in range(200)]
    for number, key in enumerate(keys):
        store.put(key, record(number))
    store.note_timing(keys, 0.5, {"cores": 2})
    store.close()
    content = bytearray(store.path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle:middle + 4096] = b"\xff" * 4096
    store.path.write_bytes(content)
    kept, aside = mend(tmp_path)
    found = Store(tmp_path).find(keys)
    assert 150 < kept == len(found) < 200 and aside.read_bytes() == content
    assert all(text(one) == text(record(int(key[3:]))) for key, one in found.items())
    assert Store(tmp_path).timings(found).keys() == found.keys()


def test_after_mending_tables_are_filled_in_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "tables", *tables(3)[:2])
    store = Store()
    store.fill([tmp_path / "tables"])
    store.close()
    shutil.copy(store.path, "kept")
    store.path.write_bytes(b"x" * 3000)
    assert main() == 0
    assert capsys.readouterr().out == ".runs/runs.sqlite: 0 runs are kept; what was damaged is .runs/damaged-1.sqlite\n"
    assert Store().fill([tmp_path / "tables"]) == 3
    # Another time, nothing that was set aside is lost.
    shutil.copy("kept", store.path)
    assert main() == 0 and "3 runs are kept; what was damaged is .runs/damaged-2.sqlite" in capsys.readouterr().out


@pytest.mark.parametrize(("code", "number"), [
    (sqlite3.SQLITE_FULL, errno.ENOSPC), (sqlite3.SQLITE_READONLY, errno.EROFS), (sqlite3.SQLITE_CANTOPEN, errno.EACCES)])
def test_what_the_disk_refuses_is_told_with_the_file(tmp_path, code, number):
    store = Store(tmp_path)
    with pytest.raises(OSError) as error, store._explained():
        refusal = sqlite3.OperationalError("refused")
        refusal.sqlite_errorcode = code
        raise refusal
    assert (error.value.errno, error.value.filename) == (number, str(store.path))


def test_a_store_that_another_process_holds_is_waited_for_and_then_told(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "WAIT", 0.1)
    first, second = Store(tmp_path), Store(tmp_path)
    second.count()
    with first._writing():
        with pytest.raises(RuntimeError, match="another process has been writing for"):
            second.put("ab12", record(1))
    second.put("ab12", record(1))
