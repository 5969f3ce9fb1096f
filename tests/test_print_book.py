"""The chapters of a built book become one document, whose contents name the pages that a printer makes."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / ".ci"
PAGE = """<!DOCTYPE html><html><head><title>x</title>
<link href="_static/theme.css" rel="stylesheet" /><link rel="next" href="a.html"></head><body>
<li class="toctree-l1"><a class="reference internal" href="a.html">A</a></li>
<li class="toctree-l1 has-children"><a class="reference internal" href="b.html">B</a></li>
<li class="toctree-l2"><a class="reference internal" href="claims/one.html">One</a></li>
<article class="bd-article"><section id="top"><h1>{title}<a class="headerlink" href="#top">#</a></h1>
{body}</section></article><script>never();</script></body></html>"""
BODIES = {
    "index.html": '<p>Read <a class="internal" href="b.html#why">why</a>.</p>',
    "a.html": '<details><summary>more</summary><img src="_images/a.svg" alt="a"></details><script>never();</script>'
              '<a href="claims/one.html">one</a><a href="https://keras.io/#top">Keras</a><a href="#top">up</a>',
    "b.html": '<h2 id="why">Why?</h2><a href="index.html">first</a>'}


@pytest.fixture(scope="module")
def book():
    sys.path.insert(0, str(FOLDER))
    spec = importlib.util.spec_from_file_location("print_book", FOLDER / "print_book.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["print_book"] = module
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(FOLDER))
    del sys.modules["print_book"], sys.modules["chromium"]


@pytest.fixture
def site(tmp_path):
    for name, body in BODIES.items():
        (tmp_path / name).write_text(PAGE.format(title=f"On {name[0]} &amp; more", body=body))
    return tmp_path


def pdf(names, lengths):
    """A PDF as Chromium writes it: the first page, then as many for each name; pages in two branches."""
    total = 1 + sum(lengths)
    pages = [10 + i for i in range(total)]
    starts = [pages[1 + sum(lengths[:i])] for i in range(len(lengths))]
    places = "".join(f"/{name} [{page} 0 R /XYZ 48 700 0]\n" for name, page in zip(names, starts, strict=True))
    kids = [" ".join(f"{page} 0 R" for page in some) for some in (pages[:2], pages[2:])]
    objects = {1: "<</Type /Catalog\n/Pages 2 0 R\n/Dests 5 0 R>>", 2: "<</Type /Pages\n/Kids [3 0 R 4 0 R]>>",
               3: f"<</Type /Pages\n/Kids [{kids[0]}]>>", 4: f"<</Type /Pages\n/Kids [{kids[1]}]>>",
               5: f"<<{places}>>", 6: "<</Length 9>> stream\n\xff 7 0 obj\nendstream",
               **{page: "<</Type /Page\n/Contents 6 0 R>>" for page in pages}}
    # Not in the order of their numbers.
    return "%PDF-1.4\n".encode() + b"".join(f"{n} 0 obj\n{text}\nendobj\n".encode("latin-1")
                                            for n, text in sorted(objects.items(), reverse=True))


class Printer:
    """Prints two pages for chapter a, one for all else, and remembers what it was given."""

    def __init__(self, grows=0):
        self.texts, self.grows = [], grows

    def __call__(self, text):
        self.texts.append(text)
        parts = re.findall(r'<section class="chapter" id="([^"]+)"', text)
        lengths = [2 if part == "a--" else 1 for part in parts]
        lengths[0] += self.grows * (len(self.texts) - 1)
        return pdf(parts, lengths)


def test_chapters_are_those_of_the_sidebar_in_its_order(book, site):
    found = book.chapters(site)
    assert [one.page for one in found] == ["index.html", "a.html", "b.html"]
    assert [one.title for one in found] == ["On i & more", "On a & more", "On b & more"]


def test_links_lead_within_the_document_out_of_it_or_nowhere(book, site):
    index, a, b = (one.body for one in book.chapters(site))
    assert '<a class="internal" href="#b--why">why</a>' in index and 'id="b--why"' in b
    assert 'href="#index--"' in b and '<section id="a--top">' in a and 'href="#a--top">up' in a
    # A claim's page is not printed; another host is as it was.
    assert "<a>one</a>" in a and 'href="https://keras.io/#top"' in a


def test_what_is_folded_is_open_and_nothing_runs(book, site):
    text = book.document(site, [book.section(one) for one in book.chapters(site)])
    assert "<details open>" in text and "script" not in text and "headerlink" not in text
    assert text.count("theme.css") == 1 and 'rel="next"' not in text
    assert 'src="_images/a.svg"' in text and "<title>On i &amp; more</title>" in text
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids)) and set(re.findall(r'href="#([^"]+)"', text)) <= set(ids)


def test_a_file_in_a_folder_is_found_from_the_books_own(book):
    moved = book.within('<img src="../_images/x.svg"><a href="../a.html">a</a>', "parts/one.html", ["a.html"])
    assert moved == '<img src="_images/x.svg"><a href="#a--">a</a>'


def test_contents_name_the_page_on_which_a_chapter_begins(book, site):
    printer = Printer()
    # The contents, then 1, 2 and 1 pages.
    assert book.printed(site, printer) == pdf(["index--", "a--", "b--"], [1, 2, 1])
    first, second = (re.findall(r'<li><a href="#(\w+)--">[^<]*</a><span>(\d*)</span>', text) for text in printer.texts)
    assert first == [("index", ""), ("a", ""), ("b", "")]
    assert second == [("index", "2"), ("a", "3"), ("b", "5")]


def test_contents_that_would_be_wrong_are_refused(book, site):
    with pytest.raises(ValueError, match=r"a\.html begins on page 4, and the contents say 3"):
        book.printed(site, Printer(grows=1))


def test_no_book_and_no_pdf_are_refused(book, tmp_path):
    with pytest.raises(ValueError, match="there is no book in"):
        book.chapters(tmp_path)
    (tmp_path / "index.html").write_text("<p>nothing</p>")
    with pytest.raises(ValueError, match=r"index\.html: found no article"):
        book.chapters(tmp_path)
    for content in (b"", b"<html>", b"%PDF-1.4\n1 0 obj\n<</Type /Catalog>>\nendobj\n"):
        with pytest.raises(ValueError, match="no PDF with pages and places"):
            book.destinations(content)


def test_the_page_on_citing_links_to_the_pdf_again_and_again(book, tmp_path):
    book.link(tmp_path)  # A book without that page is left as it is.
    assert not list(tmp_path.iterdir())
    cite = tmp_path / "cite.html"
    cite.write_text('<p>here: <span id="pdf">not yet.</span> It</p>')
    for _ in range(2):
        book.link(tmp_path)
        assert cite.read_text() == '<p>here: <span id="pdf"><a href="book.pdf">book.pdf</a></span> It</p>'


def test_the_page_on_citing_has_the_place_of_the_link(book):
    text = (FOLDER.parent / "book/cite.md").read_text()
    # What Sphinx makes of it, see `pipeline.book.guard`.
    assert book.PLACE.search(re.sub(r"\{anchor\}`([^`<]*) <(\w+)>`", r'<span id="\2">\1</span>', text))
