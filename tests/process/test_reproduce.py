"""A quiet `dvc repro` still says what runs, and why nothing was reproduced."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import zc.lockfile

import pipeline

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


def reproduced(*stages):
    """The exit code, and all that is said."""
    done = subprocess.run([sys.executable, "-m", "pipeline.process.reproduce", *stages], capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(Path(pipeline.__file__).parents[1])})
    return done.returncode, done.stdout, done.stderr


def test_stages_are_brought_up_to_date_in_a_line_each(project):
    assert reproduced("first") == (0, "first\n", "") and reproduced("first") == (0, "", "")
    assert Path("one.txt").read_text() == "1\n"


def test_of_a_stage_that_fails_its_own_words_are_all(project):
    code, out, err = reproduced()
    assert code and out.splitlines() == ["first", "second"] and err == "no room\n"


def test_what_dvc_refuses_is_said(project):
    lock = zc.lockfile.LockFile(".dvc/tmp/lock")
    code, _, err = reproduced("first")
    lock.close()
    assert code and "lock" in err
    code, _, err = reproduced("firts")
    assert code and "firts" in err


def test_a_folder_that_is_no_repository_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("")
    (tmp_path / "dvc.yaml").write_text(STAGES)
    code, _, err = reproduced("first")
    assert code and err.endswith("is not a git repository; run `git init` there first\n")
