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


def pdf(pages):
    return b"%PDF-1.4\n<< /Type /Pages >>\n" + b"<< /Type /Page\n>>\n" * pages


class Printer:
    """Prints two pages for chapter a, one for all else, and remembers what it was given."""

    def __init__(self, extra=0):
        self.texts, self.extra = [], extra

    def __call__(self, text):
        self.texts.append(text)
        parts = re.findall(r'<section class="chapter" id="([^"]+)"', text)
        front = '<nav class="contents">' in text
        return pdf(sum(2 if part == "a--" else 1 for part in parts) + front + (self.extra if front and parts else 0))


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
    assert book.printed(site, printer) == pdf(5)
    whole = printer.texts[-1]
    numbers = re.findall(r'<li><a href="#(\w+)--">[^<]*</a><span>(\d+)</span>', whole)
    assert numbers == [("index", "2"), ("a", "3"), ("b", "5")]
    # Each chapter was printed alone, and the contents.
    assert len(printer.texts) == 5


def test_other_lengths_together_than_alone_are_refused(book, site):
    with pytest.raises(ValueError, match="5 pages alone and 6 together"):
        book.printed(site, Printer(extra=1))


def test_no_book_and_no_pdf_are_refused(book, tmp_path):
    with pytest.raises(ValueError, match="there is no book in"):
        book.chapters(tmp_path)
    (tmp_path / "index.html").write_text("<p>nothing</p>")
    with pytest.raises(ValueError, match=r"index\.html: found no article"):
        book.chapters(tmp_path)
    for content in (b"", b"<html>/Type /Page\n", b"%PDF-1.4 /Type /Pages"):
        with pytest.raises(ValueError, match="no PDF with pages"):
            book.count_pages(content)


def test_the_page_on_citing_links_to_the_pdf_again_and_again(book, tmp_path):
    book.link(tmp_path)  # A book without that page is left as it is.
    assert not list(tmp_path.iterdir())
    cite = tmp_path / "cite.html"
    cite.write_text('<p>here: <span id="pdf">not yet.</span> It</p>')
    for _ in range(2):
        book.link(tmp_path)
        assert cite.read_text() == '<p>here: <span id="pdf"><a href="book.pdf">book.pdf</a></span> It</p>'


def test_the_page_on_citing_has_the_place_of_the_link(book):
    assert book.PLACE.search((FOLDER.parent / "book/cite.md").read_text())
