"""A Sphinx extension: what makes the build of many pages fast. The pages are the same without it."""

from __future__ import annotations

import functools
import gc
from typing import TYPE_CHECKING

import pybtex.plugin

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: How many more objects than were freed start a search for cycles, and how many searches a longer one. A page's tree
#: has many thousands, which all live until the page is written: Python's own 700 cost about a fifth of the time.
THRESHOLD = 200_000, 20, 50


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls when it loads the extension."""
    gc.set_threshold(*THRESHOLD)
    # Each citation looks up how citations are written, among all that is installed.
    pybtex.plugin.find_plugin = functools.cache(pybtex.plugin.find_plugin)
    # One extension that the table of contents brings along does not say whether several processes may read pages; it
    # numbers sections, which this book does not. Without its word Sphinx reads one page after the other.
    app.extensions["sphinx_multitoc_numbering"].parallel_read_safe = True
    return {"parallel_read_safe": True, "parallel_write_safe": True}
