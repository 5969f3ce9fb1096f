"""What a page may not do it does not do, and the build says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.book.guard import scheme
from pipeline.book.html import build
from tests.book.test_html import source

ROOT = Path(__file__).parents[2]
SECRET = "the content of a file beside the book"
#: What a page says, and what the build says of it.
REFUSED = {
    "include": ("```{include} /../secret.txt\n```", "Unknown directive type: 'include'"),
    "lines": ("```{literalinclude} /../secret.txt\n```", "Unknown directive type: 'literalinclude'"),
    "table": ("```{csv-table}\n:file: ../secret.txt\n```", "Unknown directive type: 'csv-table'"),
    "raw": ("```{raw} html\n<script>alert(1)</script>\n```", "Unknown directive type: 'raw'"),
    "rst": ("```{eval-rst}\n.. raw:: html\n\n   <script>alert(1)</script>\n```", "Unknown directive type: 'eval-rst'"),
    "only": ("```{only} html\nA\n```", "Unknown directive type: 'only'"),
    "glue": ("{glue}`x`", 'Unknown interpreted text role "glue"'),
    "eval": ("{eval}`1 + 1`", 'Unknown interpreted text role "eval"'),
    "button": ("{bdg-link-primary}`javascript:alert(1)`", 'Unknown interpreted text role "bdg-link-primary"'),
    "remote": ("![x](https://example.org/x.png)", "found the file 'https://example.org/x.png'"),
    "within": ("![x](data:image/png;base64,AAAA)", "found the file 'data:image/png;base64,AAAA'"),
    "picture": ("![x](/../secret.txt)", "found the file '/../secret.txt'"),
    "linked": ("[x](../secret.txt)", "found the file '../secret.txt'"),
    "cited": ("{cite:p}`one`\n\n```{bibliography}\n```", "found the link 'javascript:alert(1)'"),
    "download": ("{download}`x <../secret.txt>`", "found the file '../secret.txt'")}
#: Places to link to; and what a page shows as it is written.
ANCHORS = "{anchor}`one_two` and {anchor}`some text <three>`"
TEXTS = ("<script>alert(1)</script>", "A <b onclick=alert(1)>word</b>", "{{ 7 * 7 }}", "[x](javascript:alert(1))", "$x$")


@pytest.fixture
def pages(tmp_path):
    """A book of a page for each thing that is refused, and one of texts."""
    (tmp_path / "secret.txt").write_text(SECRET)
    source(tmp_path / "source", {"index.md": "# A book\n\n" + "\n\n".join([*TEXTS, ANCHORS]) + "\n",
                                 **{f"{name}.md": f"# A page\n\n{text}\n" for name, (text, _) in REFUSED.items()}})
    (tmp_path / "source/references.bib").write_text(
        "@misc{one, author={A. B}, title={T}, year=2001, url={javascript:alert(1)}}\n")
    return tmp_path


def test_what_is_refused_fails_the_build_and_reaches_no_page_even_without_that(pages):
    with pytest.raises(RuntimeError) as error:
        build(ROOT, pages / "source", pages / "html")
    for name, (_, message) in REFUSED.items():
        assert any(f"/{name}.md" in line and message in line for line in str(error.value).splitlines()), name
    assert "index.md" not in str(error.value) and not (pages / "html").exists()
    subprocess.run([str(Path(sys.executable).with_name("sphinx-build")), "-q", str(pages / "source"), str(pages / "html")],
                   check=True, capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    for path in (path for path in (pages / "html").rglob("*") if path.is_file()):
        assert SECRET.encode() not in path.read_bytes()
    for name in REFUSED:
        text = (pages / f"html/{name}.html").read_text()
        assert "<script>alert" not in text and 'example.org/x.png"' not in text and 'href="javascript' not in text
    text = (pages / "html/index.html").read_text()
    assert "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>" in text and "<p>A &lt;b onclick=alert(1)&gt;word&lt;/b&gt;</p>" in text
    assert "<p>{{ 7 * 7 }}</p>" in text and "<p>[x](javascript:alert(1))</p>" in text and "<p>$x$</p>" in text
    assert '<span id="one_two"></span> and <span id="three">some text</span>' in text


@pytest.mark.parametrize(("address", "found"), [
    ("a/b.html#c", ""), ("", ""), ("#top", ""), ("https://a.b/c:d", "https"), ("HTTP://a", "http"), ("mailto:a@b", "mailto"),
    ("javascript:alert(1)", "javascript"), (" Java\tScript\n:alert(1)", "javascript"), ("data:text/html,x", "data"), ("https://[", "https")])
def test_what_an_address_begins_with(address, found):
    assert scheme(address) == found
