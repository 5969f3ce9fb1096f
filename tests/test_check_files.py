"""Every check of the built book's files finds what it is for, on a site made by hand."""

import importlib.util
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / ".ci/check_files.py"
GOOD = """<!DOCTYPE html><html lang="en"><head><title>A page</title>
<link rel="stylesheet" href="_static/book.css?v=1"><link rel="next" href="claims/one.html">
</head><body><h1 id="top">A page</h1><a name="old"></a>
<a href="claims/one.html#why">Why</a> <a href="#top">up</a> <a href="#">up</a> <a href="./">home</a>
<a href="https://keras.io/api/#layers">Keras</a> <a href="mailto:someone@example.org">mail</a>
<img src="figure.svg" alt="Test error by layer: after is lower."><img
src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt="one grey point only">
</body></html>"""
ONE = """<html><body><h2 id="why">Why</h2><a href="../index.html#old">back</a>
<script src="../_static/book.js"></script></body></html>"""


@pytest.fixture(scope="module")
def check():
    spec = importlib.util.spec_from_file_location("check_files", SOURCE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_files"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["check_files"]


@pytest.fixture
def site(tmp_path):
    for name, text in {
            "index.html": GOOD, "claims/one.html": ONE, "figure.svg": "<svg/>",
            "_static/book.css": "p { background: url(figure.png) }", "_static/book.js": "",
            "_static/macros.html": '<a href="{{ templates of the theme are no pages }}">'}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def complaints(check, site, body="", page="index.html"):
    """What is found once a piece of HTML stands at the end of a page."""
    file = site / page
    file.write_text(file.read_text().replace("</body>", f"{body}</body>"))
    found = list(check.findings(site))
    assert {name for name, _ in found} <= {page}
    return [text for _, text in found]


def test_a_good_site_has_no_findings(check, site):
    assert complaints(check, site) == []


@pytest.mark.parametrize(("body", "word"), [
    ("<td>nan % / 3 %</td>", "nan %"), ("<p>it is −inf</p>", "−inf"), ('<img src="figure.svg" alt="an error of nan here">', "nan")])
def test_a_number_that_is_missing_is_a_finding(check, site, body, word):
    assert complaints(check, site, body) == [f"says '{word}' where a number is missing"]


def test_words_that_look_like_a_missing_number_are_none(check, site):
    assert complaints(check, site, "<p>nano, NaN, .nan, info, inf.csv</p><script>nan</script><style>nan</style>") == []


def test_a_folder_without_a_page_is_a_finding(check, tmp_path):
    assert list(check.findings(tmp_path)) == [(".", "there is no page")]


@pytest.mark.parametrize(("address", "words"), [
    ("gone.html", "no such file"), ("claims/", "no such file"), ("gone.html#why", "no such file"),
    ("claims/one.html#top", "no such anchor"), ("#why", "no such anchor"),
    ("../elsewhere.html", "out of the book"), ("/index.html", "top of its host"),
    ("file:///tmp/index.html", "one machine")])
def test_a_broken_link_is_found(check, site, address, words):
    found, = complaints(check, site, f'<p><a href="{address}">there</a></p>')
    assert address in found and words in found


def test_an_anchor_in_a_folder_and_with_escapes_is_followed(check, site):
    body = '<p id="a b">x</p><a href="../index.html">x</a><a href="../claims/one.html#a%20b">x</a>'
    assert complaints(check, site, body, "claims/one.html") == []


@pytest.mark.parametrize("body", [
    '<img src="gone.svg" alt="Test error by layer">', '<script src="gone.js"></script>',
    '<link rel="stylesheet" href="gone.css">', '<p style="background: url(gone.png)">x</p>'])
def test_a_missing_file_that_a_page_loads_is_found(check, site, body):
    found, = complaints(check, site, body)
    assert "no such file" in found


@pytest.mark.parametrize("body", [
    '<script src="https://cdn.example.org/x.js"></script>',
    '<script async src="//cdn.example.org/x.js"></script>',
    '<link rel="preload stylesheet" href="https://cdn.example.org/x.css">',
    '<link rel="preconnect" href="https://cdn.example.org">',
    '<img src="https://cdn.example.org/x.svg" alt="Test error by layer">',
    '<img src="figure.svg" srcset="figure.svg 1x, https://cdn.example.org/x.svg 2x" alt="a b c">',
    '<iframe src="https://cdn.example.org/x.html"></iframe>',
    '<p style="background: url(https://cdn.example.org/x.png)">x</p>',
    '<style>@import "https://cdn.example.org/x.css";</style>'])
def test_whatever_is_loaded_from_another_host_is_found(check, site, body):
    found, = complaints(check, site, body)
    assert "cdn.example.org" in found and "another host" in found


@pytest.mark.parametrize("text", [
    "@font-face { src: url('https://cdn.example.org/x.woff2') }",
    '@import "https://cdn.example.org/x.css";'])
def test_a_style_sheet_that_loads_from_another_host_is_found(check, site, text):
    (site / "_static/book.css").write_text(text)
    (name, found), = check.findings(site)
    assert name == "_static/book.css" and "another host" in found


@pytest.mark.parametrize("alt", [
    "", 'alt', 'alt=""', 'alt="  "', 'alt="_images/of the heat map"', 'alt="figure"',
    'alt="the heat map.svg"'])
def test_an_image_that_does_not_say_what_it_shows_is_found(check, site, alt):
    found, = complaints(check, site, f'<img src="figure.svg" {alt}>')
    assert "figure.svg" in found and "alternative text" in found


def test_a_heavy_page_is_found(check, site):
    picture = site / "figure.svg"
    picture.write_bytes(bytes(1_400_000))
    assert complaints(check, site) == []
    picture.write_bytes(bytes(1_600_000))
    found, = complaints(check, site)
    assert found.startswith("weighs 1.6")


def test_equal_findings_are_printed_once_and_any_finding_fails(check, capsys):
    assert check.report([], "the site") == 0
    assert check.report([(f"{i}.html", "is wrong") for i in range(5)], "the site") == 1
    printed = capsys.readouterr().out
    assert printed.count("is wrong") == 1 and "and 2 more" in printed
