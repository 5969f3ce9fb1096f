"""Whatever a person or a table says, the built pages show it as text, and are else those of a harmless book."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup, Comment

from tests.book.hostile_book import whole

ROOT = Path(__file__).parents[2]
#: Two whole books are built.
pytestmark = pytest.mark.slow
#: What an address stands in.
ADDRESSES = {"href", "src", "srcset", "action", "formaction", "data", "poster", "background", "xlink:href"}
#: Some of the places whose texts pages show, one of each kind; numbers of entries are left out.
SHOWN = {
    "params.yaml: data.tides.title", "params.yaml: data.tides.target", "params.yaml: data.mine.title",
    "params.yaml: data.mine.file", "params.yaml: experiments.before.title", "params.yaml: experiments.before.note",
    "readings.yaml: before_helps.says", "readings.yaml: before_helps.who", "readings.yaml: before_helps.because",
    "claims_changes.yaml: [].what", "claims_changes.yaml: [].why", "evidence.yaml: [].says", "answers.yaml: cards[].title",
    "answers.yaml: cards[].findings.name", "findings.title", "findings.control", "findings.minus_treatment",
    "findings.slope", "findings.word", "findings.sentence", "sets.data",
    "sets.unit", "sets.word", "readings.reading", "readings.sentence", "error_rates.kind", "error_rates.says", "reliability.event",
    "edges.edge", "data_sets.control", "places.place", "places.stratum", "doses.data", "changes.kind", "changes.name",
    "changes.key", "changes.stood", "changes.stands", "second_rule.verdict", "checks.statement", "checks.found",
    "old_code.feature", "old_code.happens", "old_code.repair", "applications.network", "disturbances.kind",
    "disturbances.message", "scale.step", "results/certificates/mine.json: says",
    "results/certificates/mine.json: settings: a key", "results/certificates/mine.json: differing[]",
    "results/certificates/mine.json: verdicts_changed[]", "results/torture/about.json: left_out[]",
    "results/scale/place.json: processor", "timings/before.json: machine", "sets.yaml: origin", "sets.yaml: member",
    "sets.yaml: done", "sets.yaml: cautions[]", "sets.yaml: licence: name", "CITATION.cff: title", "CITATION.cff: url",
    "tides.npz: about_inputs", "wages.npz: about_classes"}


class Book:
    """A built project: its texts by the places that they stand in, and its pages."""

    def __init__(self, folder, hostile):
        self.folder, self.html, self.texts = folder, folder / "build/html", whole(folder, hostile)
        done = subprocess.run([sys.executable, "-m", "pipeline.book"], cwd=folder, check=False, capture_output=True,
                              text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
        assert not done.returncode, done.stdout + done.stderr
        self.pages = {path.relative_to(self.html).as_posix(): path.read_text(encoding="utf-8")
                      for path in sorted(self.html.rglob("*.html"))}
        self.parsed = {name: BeautifulSoup(text, "html.parser") for name, text in self.pages.items()}

    def tags(self):
        return [tag for page in self.parsed.values() for tag in page.find_all(True)]


@pytest.fixture(scope="module")
def harmless(tmp_path_factory):
    return Book(tmp_path_factory.mktemp("harmless"), False)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return Book(tmp_path_factory.mktemp("hostile"), True)


def letters(text):
    """A text without what typography, sentences and names of columns change: blanks, quotes, dashes, case."""
    for one, other in (("“", '"'), ("”", '"'), ("‘", "'"), ("’", "'"), ("–", "--"), ("—", "---"), ("…", "...")):
        text = text.replace(one, other)
    return re.sub(r"[\s_]+", "", text).casefold()


def shown(page):
    """The text of a parsed page, and the texts that stand for its pictures."""
    hidden = {id(text) for tag in page(["script", "style"]) for text in tag.descendants}
    found = [text for text in page.find_all(string=True) if id(text) not in hidden and not isinstance(text, Comment)]
    return letters(" ".join([*found, *(picture.get("alt", "") for picture in page("img"))]))


def test_every_text_on_a_page_is_the_whole_text(hostile):
    everything = " ".join(map(shown, hostile.parsed.values()))
    places = set()
    for text, place in hostile.texts.items():
        if letters(text.splitlines()[-1]) in everything:
            # A metric that there is not is called as it is written, with blanks.
            assert letters(text) in everything or place.endswith(".metric"), place
            places.add(re.sub(r"\[\d+\]", "[]", place))
    assert not SHOWN - places


def test_what_names_something_is_refused(hostile):
    refused = {place.removeprefix("refused: ") for place in hostile.texts.values() if place.startswith("refused: ")}
    assert {f"params.yaml: data.{name}.{field}" for name in ("tides", "wages", "gestures", "vowels")
            for field in ("unit", "stratum", "group", "also", "of")} <= refused
    assert {f"readings.yaml: before_helps.{field}" for field in ("slug", "topic", "rows", "data", "metric", "endpoint")} <= refused
    assert {f"params.yaml: experiments.before.{field}" for field in ("of", "layers", "head", "optimizer", "versus")} <= refused


def test_a_page_has_no_element_attribute_script_or_address_more(harmless, hostile):
    assert set(hostile.pages) == set(harmless.pages)
    assert {tag.name for tag in hostile.tags()} <= {tag.name for tag in harmless.tags()}
    attributes = [{(tag.name, name) for tag in book.tags() for name in tag.attrs} for book in (hostile, harmless)]
    assert attributes[0] <= attributes[1]
    calls = [{(tag.name, name, value) for tag in book.tags() for name, value in tag.attrs.items() if name.startswith("on")}
             for book in (hostile, harmless)]
    assert calls[0] <= calls[1]
    for name in hostile.pages:
        scripts = [Counter((one.get("src"), one.get("type"), one.string) for one in book.parsed[name]("script"))
                   for book in (hostile, harmless)]
        assert scripts[0] == scripts[1], name
    remote = [{value for tag in book.tags() for name, value in tag.attrs.items()
               if name in ADDRESSES and urlsplit(value).scheme} for book in (hostile, harmless)]
    assert remote[0] <= remote[1] and all(urlsplit(one).scheme in ("http", "https") for one in remote[0])
    pictures = [{tag["src"] for tag in book.tags() if tag.name == "img"} for book in (hostile, harmless)]
    assert pictures[0] <= pictures[1]


def test_no_text_stands_in_the_html_as_it_is(hostile):
    for name, page in hostile.pages.items():
        for text in ("<script>alert", "<img src=x", "<b onclick", "</script><script>"):
            assert text not in page, name
    headings = [page.select_one("#jb-print-docs-body h1") for page in hostile.parsed.values()]
    assert sum("<script>alert(1)</script>" in heading.get_text() for heading in headings if heading) > 5


def test_nothing_ran_and_no_file_was_read(hostile):
    assert not list(hostile.folder.rglob("ran"))
    first = Path("/etc/passwd").read_bytes().splitlines()[0]
    for path in (path for path in (hostile.folder / "build").rglob("*") if path.is_file()):
        assert first not in path.read_bytes(), path
    assert "{{ 7*7 }}" in hostile.parsed["cite.html"].get_text()


def test_figures_have_texts_alone(harmless, hostile):
    names = {path.name for path in (harmless.html / "_images").glob("*.svg")}
    found = sorted((hostile.html / "_images").glob("*.svg"))
    assert found and {path.name for path in found} <= names
    tags = [{tag.tag for path in (book.html / "_images").glob("*.svg") for tag in ElementTree.parse(path).iter()}
            for book in (hostile, harmless)]
    assert tags[0] <= tags[1]
    drawn = letters("".join("".join(ElementTree.parse(path).getroot().itertext()) for path in found))
    assert letters("<script>alert(1)</script>") in drawn and letters("$x$ $\\nope{1}$ ${1} ${2} \\(x\\)") in drawn


def test_the_search_shows_texts(harmless, hostile):
    def html_of(book):
        found = json.loads((book.html / "searchindex.js").read_text().partition("(")[2].removesuffix(")"))
        return [*found["titles"], *found["alltitles"]]

    # The page of the search takes these as HTML.
    tags = [{tag.name for text in html_of(book) for tag in BeautifulSoup(text, "html.parser").find_all(True)}
            for book in (hostile, harmless)]
    assert tags[0] <= tags[1] and "<script>alert(1)</script>" in unescape("".join(html_of(hostile)))


def test_a_missing_number_is_no_word(hostile, harmless):
    for book in (hostile, harmless):
        for name, page in book.parsed.items():
            assert not re.search(r"(?<![\w.])[+−-]?(nan|inf)(?![\w.])", page.get_text(" ")), name
