"""A quiet `dvc repro` still says why nothing was reproduced."""

import subprocess
import sys
from pathlib import Path

import pytest
import zc.lockfile

from pipeline.process.reproduce import FAILED, reproduce

STAGES = f"""\
stages:
  first:  {{cmd: "{sys.executable} -c 'print(1)' > one.txt", outs: [one.txt: {{cache: false}}]}}
  second: {{cmd: "{sys.executable} -c 'import sys; sys.exit(\\"no room\\")'", deps: [one.txt]}}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run(["dvc", "init", "--quiet"], check=True)
    Path("dvc.yaml").write_text(STAGES)


def test_stages_are_brought_up_to_date_without_a_word(project, capfd):
    assert reproduce("first") == 0 == reproduce("first", only=True)
    assert Path("one.txt").read_text() == "1\n" and capfd.readouterr() == ("", "")


def test_of_a_stage_that_fails_its_own_words_are_all(project, capfd):
    assert reproduce() == FAILED
    assert capfd.readouterr() == ("", "no room\n")


def test_what_dvc_refuses_is_said(project, capfd):
    lock = zc.lockfile.LockFile(".dvc/tmp/lock")
    assert reproduce("first") == FAILED and "error: " in (said := capfd.readouterr().err) and "lock" in said
    lock.close()
    assert reproduce("firts") == FAILED and "firts" in capfd.readouterr().err


def test_a_folder_that_is_no_repository_says_what_to_do(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("")
    (tmp_path / "dvc.yaml").write_text(STAGES)
    assert reproduce("first") == FAILED
    assert capfd.readouterr().err.endswith("is not a git repository; run `git init` there first\n")
