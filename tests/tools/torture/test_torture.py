"""Runs that are killed, starved and locked out go on, and end in the bytes of an undisturbed one; what does not is found."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.torture.__main__ import differing, files, partial, until_done
from tools.torture.disturb import Run, with_mounts

MINI = Path(__file__).with_name("mini.py")


@pytest.fixture
def project(tmp_path):
    for name in ("data/a.npz", "data/made.json", "plan/one.json", "results/runs/one/runs.csv", "build/html/index.html",
                 "build/source/index.md", "timings/one.json", "dvc.lock"):
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_text(f"content of {name}\n")
    return (tmp_path / "project").resolve()


def test_all_that_is_written_is_compared_but_for_what_is_measured_or_passing(project):
    assert set(files(project)) == {"data/a.npz", "data/made.json", "plan/one.json", "results/runs/one/runs.csv",
                                   "build/html/index.html", "dvc.lock"}
    assert not partial(project, files(project)) and not differing(project, files(project))


@pytest.mark.parametrize("name", ["data/a.npz", "results/runs/one/runs.csv", "build/html/index.html"])
def test_a_half_written_file_is_found_at_once_and_at_the_end(project, name):
    reference = files(project)
    path = project / name
    path.write_bytes(path.read_bytes()[:-5])
    assert partial(project, reference) == differing(project, reference) == [name]
    path.unlink()
    assert not partial(project, reference) and differing(project, reference) == [name]


@pytest.mark.parametrize("name", ["dvc.lock", "data/.a.npz.x8_k3abc"])
def test_what_grows_and_what_a_killed_write_left_is_found_at_the_end_alone(project, name):
    reference = files(project)
    (project / name).write_text("stages:\n")
    assert not partial(project, reference) and differing(project, reference) == [name]


def test_a_run_that_fails_by_itself_after_a_disturbance_did_not_go_on(project):
    begun = "if test -e begun; then echo 'error: no'; false; else touch begun; echo \"Running stage 'data':\"; sleep 100; fi"
    row, = until_done(project, begun, [("kill of all at once", 0.0)], files(project))
    assert row["stage"] == "data" and row["whole"] and row["clear"]
    assert not row["went_on"] and row["message"] == "then: error: no"
    (project / "begun").unlink()
    row, = until_done(project, begun.replace("false", "true"), [("kill of all at once", 0.0)], files(project))
    assert row["went_on"]


def test_of_a_traceback_it_is_said_that_it_is_no_clear_message(project):
    for line, clear in (("error: a.csv: it cannot be written", True), ("Killed", False),
                        ("Traceback (most recent call last):", False)):
        (project / "said").write_text(line + "\n")
        run = Run(project, "cat said; exit 1")
        assert run.wait() == 1 and run.clear() == clear and run.message() == line
    # The bar of a process that was killed ends without a line of its own.
    (project / "said").write_text("one:  12%|█▎        | 1/8 [00:11<01:17, 11.02s/run]ERROR: failed\n")
    run = Run(project, "cat said; exit 1")
    assert run.wait() == 1 and run.clear() and run.message() == "ERROR: failed"


@pytest.mark.slow
def test_every_kind_of_disturbance_is_survived_to_the_byte_and_told_in_a_line():
    done = subprocess.run(with_mounts([sys.executable, str(MINI), "20"]), text=True, capture_output=True,
                          env=os.environ | {"PYTHONPATH": os.getcwd()})
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert len(outcome["rows"]) == len(outcome["kinds"]) >= 5
    for row in outcome["rows"]:
        assert row["whole"] and row["went_on"] and row["equal"] and row["clear"], (row, done.stdout)
    said = {row["kind"]: row["message"] for row in outcome["rows"]}
    for kind, words in (("read-only results", ("Read-only", "Permission")), ("two at once", ("lock", "busy", "up to date")),
                        ("full disk", ("No space left", "File too large", "disk is full"))):
        assert kind not in said or any(word in said[kind] for word in words), said[kind]
