"""A Sphinx extension: what a page may do, whatever its text says.

Texts of a person or of a table are escaped before they stand in a page, see `pipeline.book.escape`. This is the
second wall: no page, and no stored record, has HTML of its own, reads a file, or runs anything.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from myst_parser.mdit_to_docutils.base import DocutilsRenderer, token_line
from myst_parser.warnings_ import MystWarnings
from sphinx import addnodes
from sphinx.search import IndexBuilder
from sphinx.util import logging
from sphinx.util.docutils import ReferenceRole, sphinx_domains

if TYPE_CHECKING:
    from sphinx.application import Sphinx

logger = logging.getLogger(__name__)
#: What pages may use; Sphinx knows no other directive and no other role. None of these reads a file but a picture's or a
#: download's, or takes HTML.
DIRECTIVES = frozenset({
    "admonition", "bibliography", "card", "caution", "div", "dropdown", "figure", "grid", "grid-item-card", "hint", "image",
    "important", "note", "seealso", "tip", "warning"})
ROLES = re.compile(r"(abbr|anchor|bdg-(?!link|ref)[a-z]+(-line)?|cite(:[a-z]+)?|doc|download|ref|sub|sup)\Z")


class Anchor(ReferenceRole):
    """A place to link to from any page, by its `id`; with `text <id>` around a text."""

    def run(self) -> tuple[list[nodes.Node], list]:
        self.env.get_domain("std").note_hyperlink_target(self.target, self.env.docname, self.target, self.title)
        return [nodes.inline("", self.title if self.has_explicit_title else "", ids=[self.target])], []


def _allowed(lookup, known):
    """A lookup of a directive or a role that finds none but the known ones."""
    def find(self, name, *arguments):
        return lookup(self, name, *arguments) if known(name.lower()) else (None, [])
    return find


def refuse(app: Sphinx, document: nodes.document) -> None:
    """What Sphinx calls with each page that it has read: what no page may have is taken out, and warned of.

    That is HTML of its own, a picture of another host, and a file from outside the book.
    """
    for node in list(document.findall(lambda node: isinstance(node, nodes.raw | nodes.image | addnodes.download_reference))):
        if found := _refused(app, node):
            logger.warning("found %s; allowed: neither HTML nor files from outside the book", found, location=node)
            node.replace_self([])


def _refused(app: Sphinx, node: nodes.Element) -> str:
    """What is wrong with a node; empty if nothing is."""
    if isinstance(node, nodes.raw):
        return f"raw text: {node.astext()[:80]!r}"
    name = node["uri"] if isinstance(node, nodes.image) else node["reftarget"]
    path = Path(app.env.relfn2path(name, app.env.docname)[1]).resolve()
    # Pictures of a record stand beside the pages while they are built.
    folders = Path(app.srcdir).resolve(), Path(app.outdir).resolve().parent / "jupyter_execute"
    return f"the file {name!r}" if scheme(name) or not any(map(path.is_relative_to, folders)) else ""


def refuse_links(app: Sphinx, document: nodes.document, page: str) -> None:
    """What Sphinx calls with each page whose links it knows: those that are neither pages nor hosts become text."""
    for node in list(document.findall(nodes.reference)):
        address = node.get("refuri", "")
        if scheme(address) not in ("", "http", "https"):
            logger.warning("found the link %r; allowed: pages, and http or https", address, location=page)
            node.replace_self(list(node.children))


def scheme(address: str) -> str:
    """What stands before the colon of an address, as browsers read it; empty if it is a path."""
    found = re.match(r"([a-z][a-z0-9+.-]*):", re.sub(r"[\x00-\x20]", "", address).lower())
    return found[1] if found else ""


def as_text(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """What Sphinx calls before it writes a page: the theme puts these into HTML as they are."""
    for name in ("pagetitle", "root_title"):
        if name in context:
            context[name] = html.escape(context[name], quote=False)


_feed = IndexBuilder.feed


def _feed_text(self: IndexBuilder, docname: str, *arguments) -> None:
    """The page of the search shows titles as HTML; those of pages are, and those of sections are texts."""
    _feed(self, docname, *arguments)
    self._all_titles[docname] = [(html.escape(title), place) for title, place in self._all_titles[docname]]


def _no_rst(self: DocutilsRenderer, token) -> None:
    """Another language has other links and other HTML; MyST looks it up nowhere."""
    self.create_warning("Unknown directive type: 'eval-rst'", MystWarnings.UNKNOWN_DIRECTIVE, line=token_line(token, 0))


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls when it loads the extension."""
    sphinx_domains.directive = _allowed(sphinx_domains.directive, DIRECTIVES.__contains__)
    sphinx_domains.role = _allowed(sphinx_domains.role, ROLES.match)
    DocutilsRenderer.render_restructuredtext = _no_rst
    IndexBuilder.feed = _feed_text
    app.add_role("anchor", Anchor())
    app.connect("builder-inited", lambda app: app.env.settings.update(raw_enabled=False, file_insertion_enabled=False))
    # Before pictures are collected, after all links are known, and after what the theme does.
    app.connect("doctree-read", refuse, priority=100)
    app.connect("doctree-resolved", refuse_links, priority=900)
    app.connect("html-page-context", as_text, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
