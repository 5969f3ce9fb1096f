"""HTML: built whole or not at all, the same each time, and mended."""

import os
import re
import shutil
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.book.html import build, forget_words, mend, swap, sweep
from pipeline.config.read_yaml import read_yaml

ROOT = Path(__file__).parents[2]


BOX = ' tabindex="0" role="region" aria-label='
ICONS = '<script defer src="../_static/scripts/fontawesome.js?digest=0"></script>'
INDEX, OTHER = '<script src="searchindex.js"></script>', '<script src="_static/book.js"></script>'
CELL, TABLE = '<div class="cell_output docutils container"', '<div class="pst-scrollable-table-container"'
PICTURE = '>\n<img alt="a" class="figure" src="b.png" />\n</div>'


@pytest.mark.parametrize(("name", "before", "after"), [
    # Boxes that scroll can be reached, and toggles have a name.
    ("claims/one", '<div class="scroll docutils"><p>a</p></div>', f'<div class="scroll docutils"{BOX}"figure"><p>a</p></div>'),
    ("one", f"{TABLE}></div>", f'{TABLE}{BOX}"table"></div>'),
    ("one", '<summary><span class="toctree-toggle" role="x"></span></summary>',
     '<summary aria-label="pages below"><span class="toctree-toggle" role="x"></span></summary>'),
    # So can a record's picture, and its other outputs are left alone.
    ("one", CELL + PICTURE, f'{CELL}{BOX}"figure"{PICTURE}'), ("one", f"{CELL}><p>text</p></div>", f"{CELL}><p>text</p></div>"),
    # Scripts that nothing needs are left out, and the search keeps its index.
    ("index", ICONS + INDEX + OTHER, OTHER), ("search", ICONS + INDEX + OTHER, INDEX + OTHER),
    # The first button of a page is the one that is shown.
    ("one", '<header id="pst-header" class="a">\n<button class="b"></button>\n</header><header><button/></header>',
     '<header id="pst-header" class="a"></header><header><button/></header>')])
def test_a_page_is_mended_once(tmp_path, name, before, after):
    page = tmp_path / f"{name}.html"
    page.parent.mkdir(exist_ok=True)
    page.write_text(before)
    for _ in range(2):
        mend(tmp_path)
        assert page.read_text() == after


def test_swap_keeps_one_whole_book(tmp_path):
    new, old = tmp_path / "new", tmp_path / "html"
    for folder, text in ((new, "new"), (old, "old")):
        folder.mkdir()
        (folder / "index.html").write_text(text)
    swap(new, old)
    assert (old / "index.html").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["html"]


def test_a_failed_build_says_why_and_leaves_the_old_book(tmp_path, monkeypatch):
    html = tmp_path / "build/html"
    html.mkdir(parents=True)
    (html / "index.html").write_text("old")

    class Done:
        returncode, stdout = 1, "WARNING: a page is missing"

    monkeypatch.setattr("subprocess.run", lambda *a, **k: Done)
    with pytest.raises(RuntimeError, match="WARNING: a page is missing"):
        build(tmp_path, tmp_path / "build/source", html)
    assert (html / "index.html").read_text() == "old"


def source(folder, pages, chapters=None):
    """The source of a small book with the project's own settings; all pages are chapters, unless they are given."""
    for name, text in {**pages, "references.bib": "", "_static/book.css": "/* none */"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    settings = read_yaml(ROOT / "book/_config.yml")
    settings["html"].pop("favicon")
    others = [{"file": name.rpartition(".")[0]} for name in pages if name not in ("index.md",)]
    with (folder / "_config.yml").open("w") as file:
        YAML().dump(settings, file)
    with (folder / "_toc.yml").open("w") as file:
        YAML().dump({"format": "jb-book", "root": "index", "chapters": chapters or others}, file)


def test_what_makes_a_build_fast_changes_no_page(tmp_path):
    cited = {"index.md": "# A book\n\nOf {cite:t}`one`.\n\n```{bibliography}\n```\n",
             "page.md": "# Page\n\nAs {cite:p}`one,two` say.\n",
             **{f"{name}.md": f"# Below {name}\n\n## A section\n\nAs {{cite:p}}`two` says.\n"
                for name in ("some/first", "some/second", "more/first")}}
    # No more pages: without what is tested, Sphinx says of six that it reads them one after the other.
    chapters = [{"file": "page", "sections": [{"file": name} for name in ("some/first", "more/first", "some/second")]}]
    found = []
    for name in ("fast", "plain"):
        folder = tmp_path / name
        source(folder / "source", cited, chapters)
        (folder / "source/references.bib").write_text(
            "".join(f"@book{{{key}, author={{B. {key}}}, title={{T}}, year=2001, publisher={{P}}}}\n" for key in ("one", "two")))
        settings = (folder / "source/_config.yml").read_text()
        assert "- pipeline.book.speed\n" in settings
        if name == "plain":
            (folder / "source/_config.yml").write_text(re.sub(r" *- pipeline\.book\.speed\n", "", settings))
        build(ROOT, folder / "source", folder / "html")
        found.append({path.relative_to(folder): path.read_bytes()
                      for path in sorted((folder / "html").rglob("*")) if path.is_file()})
    assert found[0] == found[1]
    assert b"2001" in found[0][Path("html/page.html")]
    # A list of neighbours, in which the page itself has no link.
    beside = found[0][Path("html/some/second.html")].decode()
    assert 'href="../more/first.html">Below more/first' in beside and 'href="first.html">Below some/first' in beside
    assert '<a class="current reference internal" href="#">Below some/second' in beside


@pytest.fixture
def book(tmp_path):
    """A small book, and functions that change a source file as `assemble` does, and build.

    One page shows a picture.
    """
    drawn = "<svg xmlns='http://www.w3.org/2000/svg' width='{}' height='1'/>"

    class Book:
        html, source = tmp_path / "html", tmp_path / "source"
        pages = {"index.md": "# A book\n\nSee [one](/page_1.md).\n",
                 **{f"page_{n}.md": f"# Page {n}\n\nSee [it](/index.md).\n" for n in range(1, 5)},
                 "page_3.md": "# Page 3\n\n```{image} /figures/one.svg\n:alt: one\n```\n"}
        others = {"figures/one.svg": drawn.format(1)}

        def write(self, **changed):
            """Write the source anew."""
            shutil.rmtree(self.source, ignore_errors=True)
            self.source.mkdir()
            source(self.source, self.pages)
            for name, text in self.others.items():
                (self.source / name).parent.mkdir(exist_ok=True)
                (self.source / name).write_text(text)
            for name, text in changed.items():
                (self.source / name).write_text(text)
            for path in self.source.rglob("*"):
                os.utime(path, (0, 0))

        def build(self):
            build(ROOT, self.source, self.html)
            return self.files(self.html)

        def anew(self):
            """The same source, built where nothing was built before."""
            elsewhere = tmp_path / "elsewhere"
            shutil.rmtree(elsewhere, ignore_errors=True)
            shutil.copytree(self.source, elsewhere / "source")
            build(ROOT, elsewhere / "source", elsewhere / "html")
            return self.files(elsewhere / "html")

        def files(self, folder):
            return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

        def time(self, page):
            return (self.html / page).stat().st_mtime_ns

    return Book()


def test_a_book_that_is_built_again_is_that_which_is_built_from_nothing(book):
    book.write()
    first = book.build()
    assert first == book.anew() and not [name for name in first if ".buildinfo" in name]
    # A page and a picture.
    kept, changed = book.time("page_1.html"), book.time("page_4.html")
    book.write(**{"page_4.md": "# Page 4\n\nOther words.\n",
                  "figures/one.svg": book.others["figures/one.svg"].replace("'1'", "'2'", 1)})
    found = book.build()
    assert found == book.anew()
    assert b"Other words" in found["page_4.html"]
    assert book.time("page_1.html") == kept and book.time("page_4.html") > changed
    # What other pages show: a page's title stands on the pages before and behind it, and in their sidebars.
    book.write(**{"page_4.md": "# Renamed\n\nSee [it](/index.md).\n"})
    found = book.build()
    assert found == book.anew() and b"Renamed" in found["page_3.html"]
    # A page that was changed by hand.
    (book.html / "page_1.html").write_text("falsified")
    assert book.build() == found
    # After a build that failed.
    book.write(**{"page_4.md": "# Page 4\n\nSee [it](/nowhere.md).\n"})
    with pytest.raises(RuntimeError, match="nowhere"):
        book.build()
    assert book.files(book.html) == found
    book.write()
    assert book.build() == first


def test_a_clock_that_goes_back_leaves_no_old_page(tmp_path, monkeypatch):
    """The first build is a day ahead, in what it writes down and in the times of its files."""
    pages = {"index.md": "# A book\n\nOld words.\n", "page.md": "# Page\n\n```{image} /figures/one.svg\n:alt: one\n```\n"}
    chapters = [{"file": "page"}]
    drawn, day = "<svg xmlns='http://www.w3.org/2000/svg' width='{}' height='1'/>", 24 * 3600
    ahead = tmp_path / "ahead"
    ahead.mkdir()
    (ahead / "sitecustomize.py").write_text(
        f"import time\nnow, now_ns = time.time, time.time_ns\ntime.time = lambda: now() + {day}\n"
        f"time.time_ns = lambda: now_ns() + {day}_000_000_000\n")
    source(tmp_path / "source", pages | {"figures/one.svg": drawn.format(1)}, chapters)
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ahead))
        build(ROOT, tmp_path / "source", tmp_path / "html")
    for path in tmp_path.rglob("*"):
        os.utime(path, (time.time() + day,) * 2)
    source(tmp_path / "source", pages | {"index.md": "# A book\n\nNew words.\n", "figures/one.svg": drawn.format(2)}, chapters)
    build(ROOT, tmp_path / "source", tmp_path / "html")
    assert "New words" in (tmp_path / "html/index.html").read_text()
    assert (tmp_path / "html/_images/one.svg").read_text() == drawn.format(2)


def test_words_that_no_page_has_any_more_leave_the_search(tmp_path):
    index = tmp_path / "searchindex.js"
    index.write_text('Search.setIndex({"alltitles": {}, "terms": {"here": 0, "gone": [], "there": [0, 1]}, '
                     '"titleterms": {"old": []}, "titles": ["a (b)"]})')
    forget_words(index)
    assert index.read_text() == ('Search.setIndex({"alltitles": {}, "terms": {"here": 0, "there": [0, 1]}, '
                                 '"titles": ["a (b)"], "titleterms": {}})')


def test_pictures_that_no_page_shows_are_removed(tmp_path):
    for name in ("_images/kept one.png", "_images/old.png", "_downloads/ab/kept.csv", "_static/book.css"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims/one.html").write_text('<img src="../_images/kept%20one.png"/>'
                                              '<a href="../_downloads/ab/kept.csv#top">data</a>')
    sweep(tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"_images/kept one.png", "_downloads/ab/kept.csv", "_static/book.css", "claims/one.html"}


def test_what_sphinx_warns_of_fails_the_build(tmp_path):
    source(tmp_path / "source", {"index.md": "# A book\n\nSee [it](/nowhere.md).\n", "other.md": "# Another\n"})
    with pytest.raises(RuntimeError, match="nowhere"):
        build(ROOT, tmp_path / "source", tmp_path / "html")
