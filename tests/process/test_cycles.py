"""Processes that make pages search for cycles seldom, and no other does."""

import gc
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

from pipeline.process.cycles import THRESHOLD, search_seldom


def test_a_process_that_is_told_to_searches_seldom_and_this_one_as_before():
    before = gc.get_threshold()
    with ProcessPoolExecutor(1, initializer=search_seldom) as pool:
        assert pool.submit(gc.get_threshold).result() == THRESHOLD
    assert gc.get_threshold() == before and before[0] < THRESHOLD[0]


def test_what_is_left_when_the_process_ends_is_not_searched():
    program = ("import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 1000)); "
               "from pipeline.process.cycles import search_seldom; search_seldom()")
    assert subprocess.run([sys.executable, "-c", program], check=True, text=True, capture_output=True).stdout == "True\n"
