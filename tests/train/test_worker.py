"""A worker gives its numbers only where they are those of the project that asks."""

from dataclasses import replace

import pytest

from pipeline.tables.store import Store
from pipeline.train import worker
from pipeline.train.host import WrongVersion
from pipeline.train.queue import jobs
from pipeline.train.worker import OtherCode, work
from tests.train.toy import a_plan


def test_a_worker_with_other_packages_or_other_code_is_refused(arrays, data, tmp_path):
    plan, store = a_plan(), Store(tmp_path)
    job = jobs([plan | {"versions": plan["versions"] | {"keras": "0.1"}}], data, store)[0]
    with pytest.raises(WrongVersion, match=r"pins keras 0\.1"):
        work(job, arrays["tables"])
    job = replace(jobs([plan], data, store)[0], code="other")
    with pytest.raises(OtherCode, match="check out the same commit"):
        work(job, arrays["tables"])


def test_the_code_of_a_worker_is_told_by_every_byte_of_it(tmp_path, monkeypatch):
    for name in ("data/load.py", "network/layers/own.py", "config/errors.py", "train/arm.py", "tables/stored.py", "book/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1\n")
    monkeypatch.setattr(worker, "PACKAGE", tmp_path)
    code = worker.code.__wrapped__
    before = code()
    (tmp_path / "book/x.py").write_text("2\n")
    assert code() == before
    seen = {before}
    for name in ("tables/stored.py", "network/layers/own.py"):
        (tmp_path / name).write_text("2\n")
        seen.add(code())
    assert len(seen) == 3


def test_a_file_that_is_changed_while_a_worker_runs_is_not_what_it_runs(tmp_path, monkeypatch):
    before = worker.code()
    for room in worker.ROOMS:
        (tmp_path / room).write_text("1\n")
    monkeypatch.setattr(worker, "PACKAGE", tmp_path)
    assert worker.code() == before != worker.code.__wrapped__()


def test_a_worker_stores_each_run_as_it_finishes_and_a_failure_ends_the_job(arrays, data, tmp_path, monkeypatch):
    store = Store(tmp_path)
    job = jobs([a_plan(seeds=4)], data, store)[0]
    put, count = Store.put, []

    def fails(self, key, record):
        count.append(key)
        if len(count) > 2:
            raise OSError(28, "No space left on device")
        put(self, key, record)

    monkeypatch.setattr(Store, "put", fails)
    with pytest.raises(OSError, match="No space left"):
        work(job, arrays["tables"], store=str(tmp_path))
    assert store.count() == 2 and len(count) < len(job.runs) == 12
