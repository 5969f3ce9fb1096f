"""Runs that are killed, starved and locked out go on, and end in the bytes of an undisturbed one."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tools.torture import disturb
from tools.torture.project import Leg, files
from tools.torture.rounds import Disturbance, Round, Undisturbed

MINI = Path(__file__).with_name("mini.py")


@pytest.fixture(scope="module")
def outcome():
    """What came of each kind of disturbance, at moments that are drawn anew each time; the seed is printed."""
    seed = random.SystemRandom().randrange(2 ** 32)
    print(f"seed {seed}")
    command = [sys.executable, str(MINI), str(seed), "7"]
    mounted = disturb.with_mounts(command)
    done = subprocess.run(mounted or command, text=True, capture_output=True, env=os.environ | {
        "PYTHONPATH": os.getcwd(), "TORTURE_MOUNTS": "1" if mounted else "0"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) | {"said": done.stdout}


def disturbance(**changes):
    return Disturbance(1, "kill of DVC", 0.5, "data", "Killed", True, True, went_on=True, **changes)


def test_a_single_other_byte_is_counted_against_every_disturbance_of_its_round(tmp_path, capsys):
    path = tmp_path / "results/one/runs.csv"
    path.parent.mkdir(parents=True)
    path.write_text("a,b\n1,2\n")
    this = Round(3, tmp_path, Undisturbed(files(tmp_path), (1.0,), tmp_path / "timings"), random.Random(1), print)
    this.done = [disturbance(), disturbance()]
    assert this.end() == [disturbance(equal=True)] * 2 and not capsys.readouterr().out
    path.write_text("a,b\n1,3\n")
    assert this.end() == [disturbance()] * 2
    assert capsys.readouterr().out == "round 3: not as in the undisturbed run: results/one/runs.csv\n"


def test_a_run_that_fails_by_itself_after_a_disturbance_did_not_go_on(tmp_path):
    this = Round(1, tmp_path, Undisturbed({}, (1.0,), tmp_path / "timings"), random.Random(1), print)
    (tmp_path / "project").mkdir()
    this.folder = (tmp_path / "project").resolve()
    this.done = [disturbance()]
    assert not this.leg(Leg("echo 'error: no' >&2; false", 1, False), 1.0, [])
    assert not this.done[0].went_on and this.done[0].message == "then: error: no"
    this.done = [disturbance()]
    assert this.leg(Leg("true", 1, False), 1.0, []) and this.done == [disturbance()]


def test_of_a_traceback_it_is_said_that_it_is_no_clear_message(tmp_path):
    for line, clear in (("error: a.csv: it cannot be written", True), ("Killed", False),
                        ("Traceback (most recent call last):", False)):
        (tmp_path / "said").write_text(line + "\n")
        run = disturb.Run(tmp_path, "cat said; exit 1")
        assert run.wait() == 1 and run.clear() == clear and run.message() == line
    # The bar of a process that was killed ends without a line of its own.
    (tmp_path / "said").write_text("one:  12%|█▎        | 1/8 [00:11<01:17, 11.02s/run]ERROR: failed\n")
    run = disturb.Run(tmp_path, "cat said; exit 1")
    assert run.wait() == 1 and run.clear() and run.message() == "ERROR: failed"


def test_every_kind_of_disturbance_is_survived_to_the_byte(outcome):
    assert len(outcome["rows"]) == 7
    for row in outcome["rows"]:
        assert row["whole"] and row["went_on"] and row["equal"] and row["clear"], (row, outcome["said"])


def test_a_disk_that_refuses_and_a_second_run_are_told_in_a_line(outcome):
    said = {row["kind"]: row["message"] for row in outcome["rows"]}
    for kind, words in (("read-only results", ("Read-only", "Permission")), ("two at once", ("lock", "busy", "up to date")),
                        ("full disk", ("No space left", "File too large", "disk is full"))):
        if kind in said:
            assert any(word in said[kind] for word in words), said[kind]
