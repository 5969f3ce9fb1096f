"""How often Python searches for objects that hold one another."""

import atexit
import gc

#: How many more objects than were freed start a search for cycles, and how many searches a longer one. Plans, tables and
#: trees of pages have millions that live until they are written: Python's own 700 cost up to a third of the time, and
#: this takes a few megabytes more.
THRESHOLD = 2_000_000, 20, 50


def search_seldom() -> None:
    """Search for cycles seldom in this process, and not once more among all that is left when it ends."""
    gc.set_threshold(*THRESHOLD)
    atexit.register(gc.freeze)
