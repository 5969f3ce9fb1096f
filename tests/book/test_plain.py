"""Words of a person are shown on pages as they are: no markup in them counts, nothing in them runs."""

from html.parser import HTMLParser

import docutils.core
from hypothesis import given
from hypothesis import strategies as st
from myst_parser.docutils_ import Parser

from pipeline.book.assemble import PAGES
from pipeline.book.markdown import fenced, table
from pipeline.book.picture import Picture
from pipeline.book.plain import plain
from pipeline.book.study import read
from pipeline.config.errors import read_yaml
from tests.hostile import SCRIPT, TEXTS, counted

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


def shown(markdown, extensions):
    return Read(docutils.core.publish_parts(markdown, parser=Parser(), writer_name="html5", settings_overrides={
        "myst_enable_extensions": extensions, "report_level": 5, "doctitle_xform": False,
        "smart_quotes": False})["body"])


def test_any_words_are_shown_as_they_are():
    extensions = [name for name in read_yaml("book/_config.yml")["parse"]["myst_enable_extensions"]
                  if name != "substitution"]  # Which Sphinx alone has.

    @counted(240)
    @given(st.one_of(st.sampled_from(MARKUP), st.sampled_from(TEXTS), st.text(max_size=30),
                     st.lists(st.sampled_from([*MARKUP, "a", " ", "1"]), min_size=2, max_size=4).map("".join)))
    def check(text):
        expected = "".join(c if c.isprintable() else " " for c in text).split()
        found = shown(plain(text), extensions)
        assert found.text.split() == expected
        assert [tag for tag, *_ in found.tags] == (["p"] if expected else [])
        assert "{{" not in plain(text) and "\n" not in plain(text)
        beside = shown("**Because.** " + plain(text), extensions)
        assert beside.text.split() == ["Because.", *expected] and len(beside.tags) == 2
        cell = shown(table(["a", "b"], [[plain(text), "end"]]), extensions)
        assert [tag for tag, *_ in cell.tags].count("td") == 2 and "script" not in str(cell.tags)

    check()


def test_a_block_of_code_ends_where_it_ends():
    for text in ("```\n# out", "````` x", "~~~\nout", "a\n```\n```{raw} html\n" + SCRIPT + "\n```"):
        found = shown(fenced(text, "yaml"), [])
        assert found.text.strip() == text.strip() and "script" not in [tag for tag, *_ in found.tags]


def test_no_page_has_markup_of_what_a_person_wrote(project):
    """The source of every page, with a script in every text that params.yaml and claims.yaml have."""
    for name, old, new in (
            ("params.yaml", "title: tides by the hour", f"title: 'tides {SCRIPT}'"),
            ("params.yaml", "versus: plain\n", f"versus: plain\n    title: 'T {SCRIPT}'\n    note: 'N {SCRIPT}'\n"),
            ("book/claims.yaml", "says: Batch normalisation before the activation lowers the error.", f"says: 'Before {SCRIPT}'\n  because: 'B {SCRIPT}'"),
            ("book/claims.yaml", "who: thread A, answer", f"who: 'thread A {SCRIPT}'")):
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
