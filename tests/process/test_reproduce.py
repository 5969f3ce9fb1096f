"""`dvc repro` in a few lines: the stages that run, what they print, and errors whole."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import zc.lockfile

import pipeline
from pipeline import STOPPED

ROOT = Path(pipeline.__file__).parents[1]
STAGES = """\
stages:
  first:  {cmd: "echo made >> one.txt; echo first says", outs: [one.txt: {cache: false}]}
  second: {cmd: "python three.py", deps: [one.txt, three.py], outs: [two.txt: {cache: false}]}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in (["git", "init", "--quiet"], ["dvc", "init", "--quiet"]):
        subprocess.run(command, check=True)
    Path("dvc.yaml").write_text(STAGES)
    write("print('second says'); open('two.txt', 'w').write('2')")


def write(code):
    Path("three.py").write_text(code)


def run(*stages, **more):
    done = subprocess.run([sys.executable, "-m", "pipeline.process.reproduce", *stages], capture_output=True, text=True,
                          env=environment(), **more)
    return done.returncode, done.stdout, done.stderr


def environment():
    return os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def test_the_stages_that_run_are_named_with_what_they_print_and_the_others_are_not(project):
    assert run("first") == (0, "first\nfirst says\n", "")
    assert run() == (0, "second\nsecond says\n", "")
    assert run() == (0, "", "")
    Path("two.txt").unlink()
    assert run() == (0, "second\nsecond says\n", "")


def test_a_stage_is_told_that_another_speaks_for_it(project):
    write("import os; print(os.environ['ANNOUNCED']); open('two.txt', 'w').write('2')")
    assert run()[1].endswith("second\n1\n")


def test_of_a_stage_that_fails_its_own_words_are_all(project):
    write("import sys; sys.exit('no room')")
    code, out, err = run()
    assert code and err == "no room\n" and "second" in out


def test_of_a_stage_that_is_killed_dvc_says_so(project):
    write("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    code, _, err = run()
    said = [line for line in err.splitlines() if line != "Killed"]           # which some shells say first
    assert code and len(said) == 1 and "failed to reproduce 'second'" in said[0]


def test_what_dvc_refuses_is_said_whole(project):
    code, out, err = run("firts")
    assert code and "'firts'" in err and err.count("\n") == 1 and out == ""
    lock = zc.lockfile.LockFile(".dvc/tmp/lock")
    code, _, err = run("first")
    assert code and "lock" in err
    lock.close()
    Path("dvc.yaml").write_text("stages: {first: {comd: x}}\n")
    code, _, err = run("first")
    assert code and "dvc.yaml" in err and "comd" in err


def test_a_folder_that_is_no_repository_says_what_to_do(project):
    subprocess.run(["rm", "-rf", ".git"])
    code, _, err = run("first")
    assert code and err.endswith("run `git init` there first\n")


def interrupted(command, mark):
    """What a command prints that Ctrl-C, which its whole group hears, stops once a file is there."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
                               start_new_session=True)
    while not Path(mark).exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_an_interrupt_ends_in_one_line_of_the_stage(project):
    write("import pipeline, time, pathlib; pathlib.Path('begun').touch(); time.sleep(100)")
    code, _, err = interrupted([sys.executable, "-m", "pipeline.process.reproduce"], "begun")
    assert code and err == f"{STOPPED}\n"


def test_an_interrupt_of_any_command_ends_in_one_line_even_while_it_is_loaded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("slow.py").write_text("import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(100)\n")
    code, out, err = interrupted([sys.executable, "-c", "import pipeline, slow"], "begun")
    assert (code, out, err) == (-signal.SIGINT, "", f"{STOPPED}\n")


def test_another_error_keeps_its_traceback(tmp_path):
    done = subprocess.run([sys.executable, "-c", "import pipeline; 1 / 0"], capture_output=True, text=True, env=environment())
    assert done.returncode == 1 and done.stderr.startswith("Traceback") and done.stderr.endswith("division by zero\n")
