"""Every core takes a part of the work, and what comes of it is in order."""

import os

import pytest

from pipeline.process.cores import on_every_core


def test_results_are_in_the_order_of_the_items_and_of_other_processes():
    held = {"factor": 3}
    found = on_every_core(lambda item: (held["factor"] * item, os.getpid()), range(20), together=3)
    assert [value for value, _ in found] == [3 * item for item in range(20)]
    assert os.getpid() not in {process for _, process in found}
    assert on_every_core(str, []) == []


def test_a_mistake_in_one_of_them_is_raised_here():
    with pytest.raises(ValueError, match="could not convert"):
        on_every_core(float, ["1", "two"])
