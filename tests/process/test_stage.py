"""A stage ends with the process that started it, and tells in a line what the disk refuses."""

import errno
import os
import subprocess
import sys
import time

import pytest

from pipeline.process import stage as stage_module
from pipeline.process.stage import run


@pytest.mark.parametrize(("code", "advice"), [
    (errno.ENOSPC, "make room"), (errno.EFBIG, "make room"), (errno.EROFS, "make it writable"),
    (errno.EACCES, "make it writable")])
def test_what_the_disk_refuses_is_told_with_the_file_and_what_to_do(monkeypatch, capsys, code, advice):
    monkeypatch.setattr(stage_module, "end_with_parent", lambda: None)

    def main():
        raise OSError(code, os.strerror(code), "results/a.csv")

    assert run(main) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: results/a.csv: it cannot be written: {os.strerror(code)}; {advice}")
    assert said.count("\n") == 1


def test_an_interrupt_is_told_in_a_line_with_the_code_of_a_shell(monkeypatch, capsys):
    monkeypatch.setattr(stage_module, "end_with_parent", lambda: None)

    def main():
        raise KeyboardInterrupt

    assert run(main) == 130
    assert capsys.readouterr().err == "interrupted: what has finished is kept, and the same command goes on from there\n"


def test_another_error_keeps_its_traceback_and_a_code_is_passed_on(monkeypatch):
    monkeypatch.setattr(stage_module, "end_with_parent", lambda: None)

    def main():
        raise FileNotFoundError(errno.ENOENT, "No such file", "a")

    with pytest.raises(FileNotFoundError):
        run(main)
    assert run(lambda: 3) == 3


def test_a_stage_ends_when_the_process_that_started_it_is_killed(tmp_path):
    mark = tmp_path / "alive"
    inner = f"import time; from pathlib import Path; from pipeline.process.stage import run\n" \
            f"def main():\n    while True:\n        Path({str(mark)!r}).write_text(str(time.time())); time.sleep(0.05)\nrun(main)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    parent = subprocess.Popen([sys.executable, "-c", outer], env=os.environ | {"PYTHONPATH": os.getcwd()})
    while not mark.exists():
        assert parent.poll() is None
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    end = time.monotonic() + 60
    before = None
    while before != (before := mark.read_text()):
        assert time.monotonic() < end
        time.sleep(1)
