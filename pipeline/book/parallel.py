"""A Sphinx extension: several processes read pages.

One extension that the table of contents brings along does not say whether it may be read in parallel;
it numbers sections, which this book does not. Without its word Sphinx reads one page after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls when it loads the extension."""
    app.extensions["sphinx_multitoc_numbering"].parallel_read_safe = True
    return {"parallel_read_safe": True, "parallel_write_safe": True}
