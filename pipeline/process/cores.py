"""Work that every core takes a part of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from pipeline.process.stage import end_with_parent


def on_every_core(function: Callable, items: Sequence, together: int = 1) -> list:
    """`function(item)` of each item, in their order.

    Forked processes call it: they have what the function holds, which to send to each may take as long as
    the work. Only for what loads no TensorFlow, which does not survive a fork.

    Args:
        function: of one item, which gives something that can be sent back.
        together: how many items a process takes at a time.
    """
    with ProcessPoolExecutor(mp_context=get_context("fork"), initializer=_hold, initargs=(function,)) as pool:
        return list(pool.map(_call, items, chunksize=together))


def _hold(function: Callable) -> None:
    end_with_parent()
    _call.function = function


def _call(item):
    return _call.function(item)
