"""Print the chapters of a built book as one PDF: `python .ci/print_book.py build/html`.

Chromium prints what stands in `build/html`, and nothing else: a title page with the contents and their page
numbers, then the chapters in the order of the sidebar. The pages of single claims, experiments, data sets and
records stay out; a link to one of them becomes plain text. Afterwards the page on citing the book links to the
PDF, `book.pdf` beside it; the next build of the book takes both away.
"""

from __future__ import annotations

import argparse
import html as escapes
import posixpath
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import chromium

PDF = "book.pdf"
#: Where the page on citing the book links to the PDF, once there is one.
CITE, PLACE = "cite.html", re.compile(r'<span id="pdf">.*?</span>')
CHAPTER = re.compile(r'<li class="toctree-l1[^"]*"><a class="[^"]*" href="([^"#]+)"')
ARTICLE = re.compile(r'<article class="bd-article"[^>]*>(.*)</article>', re.DOTALL)
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
HEADER_LINK = re.compile(r'<a class="headerlink".*?</a>', re.DOTALL)
SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
STYLE = re.compile(r'<link\b[^>]*\brel="stylesheet"[^>]*>|<link\b[^>]*\bstylesheet\b[^>]*>')
ATTRIBUTE = re.compile(r'\s(id|for|href|src)="([^"]*)"')
#: An object of a PDF, and a place in its dictionary of destinations.
OBJECT = re.compile(rb"^(\d+) 0 obj\s(.*?)\sendobj", re.DOTALL | re.MULTILINE)
PLACED = re.compile(rb"/([^\s\[/]+)\s*\[\s*(\d+) 0 R")
#: Longer than any book takes, in seconds.
TIMEOUT = 300
PRINTED = """
@page { size: A4; margin: 20mm 17mm 22mm; @bottom-center { content: counter(page); font: 9pt sans-serif; color: #555 } }
html, body { background: white !important; }
body { font-size: 10pt; }
section.chapter { break-before: page; }
main pre { white-space: pre-wrap !important; overflow: visible !important; }
main a:not([href]) { color: inherit !important; text-decoration: none !important; }
nav.contents { border: none !important; background: none !important; }
nav.contents ol { list-style: none; padding: 0; }
nav.contents li { display: flex; gap: 0.5em; padding: 0.15em 0; }
nav.contents li a { flex: 1; }
details > summary { display: none; }
"""


@dataclass(frozen=True)
class Chapter:
    """A chapter: its page's path within the book, its title, its HTML."""

    page: str
    title: str
    body: str


def chapters(html: Path) -> list[Chapter]:
    """The first page, then those that the sidebar lists, in its order.

    Raises:
        ValueError: the folder holds no book, or a page without a heading.
    """
    index = html / "index.html"
    if not index.is_file():
        raise ValueError(f"there is no book in {html}: `make book` builds it")
    pages = ["index.html", *(unquote(page) for page in CHAPTER.findall(index.read_text(encoding="utf-8")))]
    pages = list(dict.fromkeys(page for page in pages if not urlsplit(page).scheme))
    return [_chapter(html, page, pages) for page in pages]


def _chapter(html: Path, page: str, pages: Sequence[str]) -> Chapter:
    text = (html / page).read_text(encoding="utf-8")
    article = ARTICLE.search(text)
    heading = article and HEADING.search(article[1])
    if not heading:
        raise ValueError(f"{html / page}: found no article with a heading; a chapter needs one")
    body = SCRIPT.sub("", HEADER_LINK.sub("", article[1])).replace("<details", "<details open")
    return Chapter(page, plain(heading[1]), within(body, page, pages))


def plain(text: str) -> str:
    """The words of a piece of HTML."""
    return " ".join(escapes.unescape(re.sub(r"<[^>]+>", "", HEADER_LINK.sub("", text))).split())


def within(body: str, page: str, pages: Sequence[str]) -> str:
    """A chapter's HTML as a part of one document.

    Ids get the page's name in front, so that those of two pages differ; links to chapters lead there, and
    links to pages that are not printed lead nowhere.
    """
    def moved(found: re.Match) -> str:
        name, value = found.groups()
        if name in ("id", "for"):
            return f' {name}="{anchor(page, value)}"'
        address = urlsplit(escapes.unescape(value))
        if address.scheme or address.netloc:
            return found[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(address.path))) if (
            address.path) else page
        if name == "src":
            return f' src="{escapes.escape(target)}"'
        return f' href="#{anchor(target, unquote(address.fragment))}"' if target in pages else ""

    return ATTRIBUTE.sub(moved, body)


def anchor(page: str, name: str = "") -> str:
    """The id of a place of a page in the one document; without a name, of the page's beginning."""
    return f"{page.removesuffix('.html').replace('/', '-')}--{name}"


def document(html: Path, parts: Sequence[str]) -> str:
    """A printable document of some parts, with the style sheets of the book."""
    head = (html / "index.html").read_text(encoding="utf-8")
    styles = "\n".join(dict.fromkeys(STYLE.findall(head)))
    return (f'<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">'
            f"<title>{escapes.escape(plain(HEADING.search(head)[1]))}</title>{styles}<style>{PRINTED}</style></head>"
            f'<body><main class="bd-content bd-article">{"".join(parts)}</main></body></html>')


def section(chapter: Chapter) -> str:
    """A chapter, which begins on a page of its own."""
    return f'<section class="chapter" id="{anchor(chapter.page)}">{chapter.body}</section>'


def front(found: Sequence[Chapter], starts: Mapping[str, int]) -> str:
    """The title, and the contents with the number of the page on which each chapter begins."""
    lines = "".join(f'<li><a href="#{anchor(one.page)}">{escapes.escape(one.title)}</a>'
                    f"<span>{starts.get(one.page, '')}</span></li>" for one in found)
    return f'<h1>{escapes.escape(found[0].title)}</h1><nav class="contents"><h2>Contents</h2><ol>{lines}</ol></nav>'


def destinations(pdf: bytes) -> dict[str, int]:
    """The page on which each place that the document links to stands, as Chromium writes it.

    Objects of its PDFs are plain text, their streams apart: the catalogue names the tree of pages and the
    dictionary of destinations, an entry of which is `/name [page 0 R /XYZ left top zoom]`.

    Raises:
        ValueError: it is no such PDF.
    """
    objects = {int(number): content for number, content in OBJECT.findall(pdf)}
    catalogue = next((content for content in objects.values() if b"/Catalog" in content), b"")
    tree, places = (re.search(rb"/%s (\d+) 0 R" % name, catalogue) for name in (b"Pages", b"Dests"))
    if not pdf.startswith(b"%PDF-") or not tree or not places:
        raise ValueError(f"found {len(pdf)} bytes that are no PDF with pages and places; is it Chromium's?")
    number = {page: i for i, page in enumerate(_pages(objects, int(tree[1])), start=1)}
    return {name.decode(): number[int(page)] for name, page in PLACED.findall(objects[int(places[1])])}


def _pages(objects: Mapping[int, bytes], node: int) -> Iterator[int]:
    """The pages below a node of the tree, in order."""
    below = re.search(rb"/Kids\s*\[(.*?)\]", objects[node], re.DOTALL)
    if not below:
        yield node
        return
    for child in re.findall(rb"(\d+) 0 R", below[1]):
        yield from _pages(objects, int(child))


def printed(html: Path, printer: Callable[[str], bytes]) -> bytes:
    """The book as a PDF.

    It is printed twice: HTML cannot ask on which page a chapter begins, but a PDF says where its links lead.

    Args:
        html: the folder of the built book.
        printer: gives the PDF of a document whose addresses are those of the folder.

    Raises:
        ValueError: no book, or the chapters begin elsewhere once the contents name their pages.
    """
    found, starts = chapters(html), {}
    parts = [section(one) for one in found]
    for _ in range(2):
        pdf = printer(document(html, [front(found, starts), *parts]))
        places = destinations(pdf)
        before, starts = starts, {one.page: places[anchor(one.page)] for one in found}
    if before != starts:
        moved = next(page for page in starts if before[page] != starts[page])
        raise ValueError(f"{moved} begins on page {starts[moved]}, and the contents say {before[moved]}")
    return pdf


def link(html: Path) -> None:
    """Let the page on citing the book link to the PDF; nothing where it has no place for that."""
    if (path := html / CITE).is_file():
        text = path.read_text(encoding="utf-8")
        path.write_text(PLACE.sub(f'<span id="pdf"><a href="{PDF}">{PDF}</a></span>', text), encoding="utf-8")


def with_chromium(program: str, html: Path, folder: Path) -> Callable[[str], bytes]:
    """A printer that uses a folder of its own, beside links to all that the book has."""
    for entry in html.iterdir():
        (folder / entry.name).symlink_to(entry, target_is_directory=entry.is_dir())

    def printer(text: str) -> bytes:
        page, pdf = folder / "printed-book.html", folder / "printed-book.pdf"
        page.write_text(text, encoding="utf-8")
        pdf.unlink(missing_ok=True)
        done = subprocess.run(
            [program, "--headless", "--disable-gpu", *chromium.ARGUMENTS, f"--user-data-dir={folder / 'profile'}",
             "--no-pdf-header-footer", "--generate-pdf-document-outline", f"--print-to-pdf={pdf}", page.as_uri()],
            check=False, capture_output=True, text=True, timeout=TIMEOUT)
        if done.returncode or not pdf.is_file():
            raise ValueError(f"Chromium did not print (exit code {done.returncode}):\n{done.stderr}")
        return pdf.read_bytes()

    return printer


def main() -> int:
    """Print the book in the folder that is named."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("html", type=Path)
    html = parser.parse_args().html.resolve()
    program = chromium.find()
    if not program:
        print(chromium.missing(), file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory() as folder:
            pdf = printed(html, with_chromium(program, html, Path(folder)))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    (html / PDF).write_bytes(pdf)
    link(html)
    print(f"the chapters are at {html / PDF}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
