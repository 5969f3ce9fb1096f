"""A Sphinx extension: what makes the build of many pages fast. The pages are the same without it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pybtex.plugin
from pydata_sphinx_theme import toctree

from pipeline.process.cycles import search_seldom

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: A page's own entry in its sidebar; other pages have a link there.
OWN = re.compile(r'<li class="(toctree-l\d+) current active"><a class="current reference internal" href="#">')
#: The first sidebar below each page, from each folder, for each set of arguments, and the page that it is of.
_sidebars: dict[tuple, tuple[str, str]] = {}
_add_toctree_functions = toctree.add_toctree_functions


def _with_sidebar(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """What the theme calls before it writes a page, with `sidebar` in place of its own."""
    _add_toctree_functions(app, pagename, templatename, context, doctree)
    theirs = context["generate_toctree_html"]
    context["generate_toctree_html"] = functools.cache(lambda **given: sidebar(app, pagename, theirs, given))


def sidebar(app: Sphinx, page: str, theirs: Callable, given: dict) -> str:
    """The list of pages beside a page, as the theme makes it.

    A page with none below it has the list of its neighbours, but for which of them is its own. The theme resolves and
    parses all of it for each page, which is a fifth of a build's time. Pages at the top are in parts, and have their own.
    """
    above = [name for name, below in app.env.toctree_includes.items() if page in below]
    if len(above) != 1 or above[0] == app.config.root_doc or app.env.toctree_includes.get(page):
        return str(theirs(**given))
    place = above[0], page.rpartition("/")[0], *sorted(given.items())
    if place in _sidebars:
        neighbour, text = _sidebars[place]
        own, level = OWN.search(text).group(0, 1)
        mine, its = (f'<li class="{level}"><a class="reference internal" href="{app.builder.get_relative_uri(*pair)}">'
                     for pair in ((neighbour, page), (page, neighbour)))
        if text.count(mine) == 1:
            return text.replace(own, its).replace(mine, own)
    text = str(theirs(**given))
    if len(OWN.findall(text)) == 1:
        _sidebars[place] = page, text
    return text


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls when it loads the extension."""
    search_seldom()
    toctree.add_toctree_functions = _with_sidebar
    # Each citation looks up how citations are written, among all that is installed.
    pybtex.plugin.find_plugin = functools.cache(pybtex.plugin.find_plugin)
    app.connect("config-inited", _read_by_every_core)
    app.connect("doctree-read", _leave_out_of_search, priority=900)  # after Sphinx's own, which begins a page's metadata
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _read_by_every_core(app: Sphinx, config) -> None:
    # One extension that the table of contents brings along does not say whether several processes may read pages; it
    # numbers sections, which this book does not. Without its word Sphinx reads one page after the other.
    app.extensions["sphinx_multitoc_numbering"].parallel_read_safe = True


def _leave_out_of_search(app: Sphinx, doctree) -> None:
    # Records are half of the index, which a reader loads whole, and an experiment's page leads to its record.
    if app.env.docname.startswith("records/"):
        app.env.metadata[app.env.docname]["nosearch"] = ""
