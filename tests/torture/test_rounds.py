"""Runs that are killed, starved and locked out go on, and end in the bytes of an undisturbed one."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.torture import disturb

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
