"""HTML: built whole or not at all, the same each time, and mended."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.book.html import build, mend, swap
from pipeline.spec.base import read_yaml

ROOT = Path(__file__).parents[2]


def test_boxes_that_scroll_can_be_reached_and_toggles_have_a_name(tmp_path):
    page = tmp_path / "claims/one.html"
    page.parent.mkdir()
    page.write_text('<summary><span class="toctree-toggle" role="x"></span></summary><div class="scroll '
                    'docutils"><p>a</p></div><div class="pst-scrollable-table-container"></div>')
    mend(tmp_path)
    text = page.read_text()
    assert text.count('tabindex="0"') == 2 and 'aria-label="pages below"' in text
    mend(tmp_path)
    assert page.read_text() == text


def test_a_records_picture_can_be_reached_and_other_outputs_are_left_alone(tmp_path):
    picture = '<div class="cell_output docutils container">\n<img alt="a" class="figure" src="b.png" />\n</div>'
    other = '<div class="cell_output docutils container"><p>text</p></div>'
    (tmp_path / "one.html").write_text(picture + other)
    mend(tmp_path)
    text = (tmp_path / "one.html").read_text()
    assert text.startswith('<div class="cell_output docutils container" tabindex="0" role="region"')
    assert text.count("tabindex") == 1 and text.endswith(other)


def test_scripts_that_nothing_needs_are_left_out_and_the_search_keeps_its_index(tmp_path):
    icons = '<script defer src="../_static/scripts/fontawesome.js?digest=0"></script>'
    index, other = '<script src="searchindex.js"></script>', '<script src="_static/book.js"></script>'
    for name in ("index.html", "search.html"):
        (tmp_path / name).write_text(icons + index + other)
    mend(tmp_path)
    assert (tmp_path / "index.html").read_text() == other
    assert (tmp_path / "search.html").read_text() == index + other


def test_the_first_button_of_a_page_is_the_one_that_is_shown(tmp_path):
    page = tmp_path / "index.html"
    page.write_text('<header id="pst-header" class="a">\n<button class="b"></button>\n</header>'
                    '<header><button class="c"></button></header>')
    mend(tmp_path)
    assert page.read_text() == ('<header id="pst-header" class="a"></header>'
                                '<header><button class="c"></button></header>')


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


def source(folder, pages):
    """The source of a small book with the project's own settings."""
    for name, text in {**pages, "references.bib": "", "_static/book.css": "/* none */"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    settings = read_yaml(ROOT / "book/_config.yml")
    settings["html"].pop("favicon")
    settings["sphinx"]["config"]["myst_substitutions"] = {"runs": 17}
    others = [{"file": name.rpartition(".")[0]} for name in pages if name not in ("index.md",)]
    with (folder / "_config.yml").open("w") as file:
        YAML().dump(settings, file)
    with (folder / "_toc.yml").open("w") as file:
        YAML().dump({"format": "jb-book", "root": "index", "chapters": others}, file)


def test_a_book_is_built_the_same_each_time_and_numbers_are_put_into_its_sentences(tmp_path):
    source(tmp_path / "source", {"index.md": "# A book\n\nOf {{ runs }} runs.\n",
                                 **{f"page_{n}.md": f"# Page {n}\n\nSee [it](/index.md).\n" for n in range(8)}})
    found = []
    for _ in range(2):
        build(ROOT, tmp_path / "source", tmp_path / "html")
        found.append({path.relative_to(tmp_path): path.read_bytes()
                      for path in sorted((tmp_path / "html").rglob("*")) if path.is_file()})
    assert found[0] == found[1]
    assert "<p>Of 17 runs.</p>" in (tmp_path / "html/index.html").read_text()
    assert not list((tmp_path / "html").rglob(".buildinfo")) and not (tmp_path / "_build").exists()


def test_what_sphinx_warns_of_fails_the_build(tmp_path):
    source(tmp_path / "source", {"index.md": "# A book\n\nSee [it](/nowhere.md), and {{ nothing }}.\n",
                                 "other.md": "# Another\n"})
    with pytest.raises(RuntimeError, match="(?s)nothing.*nowhere|nowhere.*nothing"):
        build(ROOT, tmp_path / "source", tmp_path / "html")
