"""Words of a person are shown on pages as they are: no markup in them counts, nothing in them runs."""

import math
import re
from dataclasses import dataclass
from html.parser import HTMLParser

import docutils.core
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from myst_parser.docutils_ import Parser

from pipeline.book.assemble import PAGES
from pipeline.book.escape import code, fenced, inert, option, plain, raw
from pipeline.book.markdown import table
from pipeline.book.pages.data_set import linked
from pipeline.book.study import read
from pipeline.config.errors import Spec
from pipeline.config.read_yaml import read_yaml
from tests.hostile import SCRIPT, TEXTS, counted


@dataclass(frozen=True)
class Point:
    label: str
    y: float


#: What Markdown, MyST, HTML and the substitutions of a page would make of words.
MARKUP = [SCRIPT, "<img src=x onerror=alert(1)>", "<!-- gone", "&lt;b&gt;", "{{ 7 * 7 }}", "{{ env.config }}",
          "{raw}`x`", "```{raw} html", ":::{raw} html", "```{include} /etc/passwd", "[a](javascript:alert(1))",
          "![a](x)", "<http://a.b>", "`x`", "**b**", "_i_", "lecun_normal", "# x", "1. x", "12) x", "- x", "+ x", "* x",
          "> x", "% gone", "(x)=", "+++", "---", "===", "~~~", "$x$", "[a]: b", "[^1]: x", "a | b", "\\", "\\\\*", ": x",
          "{.class}", "a  \n\n# b", "term\n: text"]


class Read(HTMLParser):
    """What a browser shows of HTML, and the tags that it finds."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, *attrs))

    def handle_data(self, data):
        self.text += data


def cleaned(text):
    """A text on one line, without what cannot be printed."""
    kept = "".join(c if c.isprintable() or c == "\u00a0" else " " for c in text)
    return re.sub(r"[^\S\u00a0]+", " ", kept).strip()


def texts():
    """Any texts, and such as Markdown would make something of."""
    return st.one_of(st.sampled_from(MARKUP), st.sampled_from(TEXTS), st.text(max_size=30),
                     st.lists(st.sampled_from([*MARKUP, "a", " ", "1"]), min_size=2, max_size=4).map("".join))


def shown(markdown, extensions):
    return Read(docutils.core.publish_parts(markdown, parser=Parser(), writer_name="html5", settings_overrides={
        "myst_enable_extensions": extensions, "report_level": 5, "doctitle_xform": False,
        "smart_quotes": False})["body"])


def test_any_words_are_shown_as_they_are():
    extensions = read_yaml("book/_config.yml")["parse"]["myst_enable_extensions"]

    @counted(240)
    @given(texts())
    def check(text):
        expected = cleaned(text).split()
        assert raw(plain(text)) == cleaned(text)
        found = shown(plain(text), extensions)
        assert found.text.split() == expected
        assert [tag for tag, *_ in found.tags] == (["p"] if expected else [])
        assert "{{" not in plain(text) and "\n" not in plain(text)
        beside = shown("**Because.** " + plain(text), extensions)
        assert beside.text.split() == ["Because.", *expected] and len(beside.tags) == 2
        cell = shown(table(["a", "b"], [[plain(text), "end"]]), extensions)
        assert [tag for tag, *_ in cell.tags].count("td") == 2 and "script" not in str(cell.tags)

    check()


def test_any_words_are_shown_as_code_and_stand_for_a_picture():
    @counted(240)
    @given(texts().map(cleaned).filter(bool))
    def check(text):
        found = shown("Found " + code(plain(text)) + ".", [])
        assert found.text.strip() == f"Found {text}." and {tag for tag, *_ in found.tags} == {"p", "span"}
        cell = shown(table(["a", "b"], [[code(plain(text)), "end"]]), [])
        assert [tag for tag, *_ in cell.tags].count("td") == 2 and text in cell.text
        picture = shown(f"```{{image}} x.svg\n:alt: {option(text)}\n:class: figure\n```", ["colon_fence"])
        assert [dict(attributes)["alt"] for tag, *attributes in picture.tags if tag == "img"] == [text]

    check()


def test_a_heading_of_any_words_is_they():
    @counted(120)
    @given(texts().map(cleaned).filter(bool))
    def check(text):
        found = shown(f"# A book\n\n## {plain(text)}\n\n- {plain(text)}\n", [])
        assert found.text.split() == ["A", "book", *text.split(), *text.split()]

    check()


def test_every_text_of_what_is_read_is_made_harmless_and_names_stay():
    class Entry(Spec):
        title: str
        layers: list[str]
        more: dict[str, list[str]] = {}

    hostile, harmless = "a <b> `c`", r"a \<b\> \`c\`"
    entry = Entry(title=hostile, layers=["relu"], more={hostile: [hostile, "_conv_1"]})
    frame = pd.DataFrame({"name": ["mlp[lr=0.1]", "mlp"], "text": [hostile, math.nan], "number": [1.5, 2.0]})
    point = Point(hostile, 0.5)
    found = inert({"entry": entry, "table": frame, "array": np.array([[hostile, "x"]]), "point": point, hostile: (1, None, b"<b>")})
    assert found["entry"] == Entry(title=harmless, layers=["relu"], more={harmless: [harmless, "_conv_1"]})
    assert list(found["table"]["name"]) == ["mlp[lr=0.1]", "mlp"] and found["table"]["text"][0] == harmless
    assert math.isnan(found["table"]["text"][1]) and found["table"]["number"].equals(frame["number"])
    assert found["array"].tolist() == [[harmless, "x"]] and found["point"] == Point(harmless, 0.5)
    assert found[harmless] == (1, None, r"b'\<b\>'") and entry.title == hostile
    assert raw(found["entry"].more) == entry.more and raw(found["table"]).equals(frame) and inert(frame["number"].to_frame()).equals(frame["number"].to_frame())


def test_a_number_keeps_its_unit_on_its_line():
    assert plain("On forecasts, 6.2\u00a0% more") == "On forecasts, 6.2\u00a0% more" and plain("a\u2003 b\n c") == "a b c"


@pytest.mark.parametrize(("text", "links", "words"), [
    ("Doe, https://doi.org/10.1/2, and http://a.b/c_d_(e).", ["https://doi.org/10.1/2", "http://a.b/c_d_(e"], "Doe, "),
    ("https://a.b/<script>alert(1)</script>", ["https://a.b/"], "<script>alert(1)</script>"),
    ("https://a.b/\\<b>", ["https://a.b/%5C"], "<b>"), ("[x](https://a.b/`c`*d*)", ["https://a.b/%60c%60*d*"], "[x]("),
    ("javascript:alert(1) httpsx://a", [], "javascript:alert(1)")])
def test_addresses_become_links_and_the_rest_stays_text(text, links, words):
    found = shown(linked(plain(text)), [])
    assert [dict(attributes)["href"] for tag, *attributes in found.tags if tag == "a"] == links
    assert found.text.strip() == text and words in found.text and {tag for tag, *_ in found.tags} <= {"p", "a", "span"}


def test_a_block_of_code_ends_where_it_ends():
    for text in ("```\n# out", "````` x", "~~~\nout", "a\n```\n```{raw} html\n" + SCRIPT + "\n```"):
        found = shown(fenced(text, "yaml"), [])
        assert found.text.strip() == text.strip() and "script" not in [tag for tag, *_ in found.tags]


def test_no_page_has_markup_of_what_a_person_wrote(project):
    """The source of every page, with a script in every text that params.yaml and readings.yaml have."""
    for name, old, new in (
            ("params.yaml", "title: tides by the hour", f"title: 'tides {SCRIPT}'"),
            ("params.yaml", "versus: plain\n", f"versus: plain\n    title: 'T {SCRIPT}'\n    note: 'N {SCRIPT}'\n"),
            ("book/readings.yaml", "says: Batch normalisation before the activation lowers the error.", f"says: 'Before {SCRIPT}'"),
            ("book/readings.yaml", "because: It is so.", f"because: 'B {SCRIPT}'"),
            ("book/readings.yaml", "who: 'thread A, answer'", f"who: 'thread A {SCRIPT}'")):
        path = project / name
        text = path.read_text()
        path.write_text(text.replace(old, new, 1))
        assert SCRIPT in path.read_text()
    pages = {path: content for page in PAGES for path, content in page.write(read(project)).items()
             if isinstance(content, str) and path.endswith(".md")}
    found = "\n".join(pages.values())
    assert found.count(r"\<script\>alert(1)\</script\>") >= 5
    for text in pages.values():
        # What stands in a block of code is the person's own lines.
        outside = "".join(part for number, part in enumerate(text.split("```")) if number % 2 == 0)
        assert "<script" not in outside.replace(r"\<script", "")
