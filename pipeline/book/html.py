"""An assembled source → HTML."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import quote

from pipeline.tables.stored import write_text

#: What a build leaves beside its pages, and what would differ from one build to the next.
LEFTOVERS = (".buildinfo.bak", "reports", "_static/scripts/fontawesome.js", "_static/scripts/fontawesome.js.map")
#: What a build keeps for the next one, beside what Sphinx read: what it was built from.
STATE, INFO = "state.json", ".buildinfo"
#: What Sphinx copies whenever it writes a page.
STYLES = "_static/basic.css"
#: What other pages may show of a page: its headings and labels, and what it cites.
SHARED = re.compile(r"""^[\s">]*(?:#{1,6} .*|\([\w-]+\)=.*)$|\{(?:cite|anchor)[^`]*`[^`]*`""", re.MULTILINE)


def build(root: Path, source: Path, html: Path) -> None:
    """Build the HTML of an assembled source; an old book survives a failed build.

    Pages whose source has not changed since the last build are kept, if nothing changed that any page could show of
    another, and if all pages are as they were built. Which sources changed their digests say, see
    `pipeline.book.fresh`.

    Raises:
        RuntimeError: the build failed; what was wrong stands in its output.
    """
    root, source, html = Path(root).resolve(), Path(source).resolve(), Path(html).resolve()
    html.parent.mkdir(parents=True, exist_ok=True)
    now = {"shape": shared(source), "pages": pages(html)}
    made = next((folder for folder in html.parent.glob("_build*") if _known(folder) == now), None)
    for left in set(html.parent.glob("_build*")) - {made}:
        shutil.rmtree(left, ignore_errors=True)
    if made:
        # Of a build that does not end nothing is known.
        (made / STATE).unlink()
        # Sphinx fills `_static` anew; what it finds there before changes the pages that it writes.
        shutil.copytree(html, made / "html", ignore=lambda folder, _: ["_static"] if folder == str(html) else [])
        (made / "html/_static").mkdir()
        (made / INFO).rename(made / "html" / INFO)
    else:
        # A folder of its own: a Sphinx whose build was killed may still write into the last one.
        made = Path(tempfile.mkdtemp(dir=html.parent, prefix="_build"))
    # Jupyter Book translates its settings; Sphinx alone lets every core read and write pages. While they are written,
    # one process resolves what the others write.
    _run(root, source, "jupyter-book", "config", "sphinx", str(source))
    _run(root, source, "sphinx-build", "-b", "html", "-d", str(made / "doctrees"), "-j", str(1 + (os.cpu_count() or 1)),
         "-W", "-n", "--keep-going", "-q", str(source), str(made / "html"))
    (made / "html" / INFO).rename(made / INFO)
    if (made / "html" / STYLES).exists():  # Else no page had changed, and Sphinx left all as it was.
        clean(made / "html")
        mend(made / "html")
        sweep(made / "html")
        forget_words(made / "html/searchindex.js")
        swap(made / "html", html)
    shutil.rmtree(made / "html", ignore_errors=True)
    write_text(made / STATE, json.dumps(now | {"pages": pages(html)}))


def shared(source: Path) -> str:
    """A digest of all that more than one page may show: settings, contents, styles, headings, the packages' versions."""
    found = hashlib.sha256(json.dumps([sys.version, *sorted(f"{one.name} {one.version}" for one in distributions())]).encode())
    for path in map(Path(__file__).with_name, ("html.py", "speed.py", "guard.py", "fresh.py", "escape.py")):
        found.update(path.read_bytes())
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        name = path.relative_to(source)
        if path.suffix in (".md", ".ipynb"):
            text = path.read_text(encoding="utf-8")
            found.update(json.dumps([str(name), SHARED.findall(text)]).encode())
        elif name.parts[0] == "_static" or name.name in ("_config.yml", "_toc.yml", "references.bib"):
            found.update(str(name).encode() + path.read_bytes())
    return found.hexdigest()


def pages(html: Path) -> str:
    """A digest of all files of a built book; empty without one."""
    found = hashlib.sha256()
    for path in sorted(path for path in html.rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(html)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest() if html.exists() else ""


def _known(made: Path) -> dict:
    """What the last build wrote down; nothing if it did not end, or that is not to be read."""
    try:
        return json.loads((made / STATE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def _run(root: Path, source: Path, program: str, *arguments: str) -> None:
    """Run a program of this environment; RuntimeError with its output if it fails."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")])),
        # The order of sets must not depend on the run.
        "PYTHONHASHSEED": "0", "MPLBACKEND": "agg"}
    done = subprocess.run([str(Path(sys.executable).with_name(program)), *arguments], cwd=root,
                          env=environment, check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode:
        raise RuntimeError(f"the book could not be built from {source} (exit code {done.returncode}):\n{done.stdout}")


def clean(html: Path) -> None:
    """Remove what is no page of the book."""
    for name in LEFTOVERS:
        path = html / name
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


#: What the theme leaves out for people who use a keyboard or a screen reader: boxes that scroll can
#: be reached, and the sidebar's toggles have a name.
MENDED = {
    '<div role="list" class="citation-list">': '<div class="citation-list">',
    '<summary><span class="toctree-toggle"': '<summary aria-label="pages below"><span class="toctree-toggle"',
    '<div class="pst-scrollable-table-container">':
        '<div class="pst-scrollable-table-container" tabindex="0" role="region" aria-label="table">',
    '<div class="scroll docutils">':
        '<div class="scroll docutils" tabindex="0" role="region" aria-label="figure">'}
#: A lab record's picture, which scrolls in the box of its output.
OUTPUT = re.compile(r'<div class="cell_output docutils container">(?=\s*<img [^>]*class="figure)')
#: Scripts that are most of a page's weight and change nothing: the style sheet has the icons, too,
#: and only the page of the search searches.
ICONS = re.compile(r'<script[^>]* src="[^"]*/fontawesome\.js[^"]*"></script>')
#: A picture or a download that a page names.
FILES = re.compile(r"""["'](?:\.\./)*(_(?:images|downloads)/[^"'#?]+)""")
INDEX = re.compile(r'<script[^>]* src="[^"]*searchindex\.js"></script>')
#: What stands in a header that is never shown; its buttons would be wired to the sidebars in place of
#: those that are.
HIDDEN = re.compile(r'(?<=<header id="pst-header")([^>]*>).*?(?=</header>)', re.DOTALL)


def mend(html: Path) -> None:
    """Mend what the theme leaves out, and leave out what is not needed, in every page."""
    for path in sorted(html.rglob("*.html")):
        before = text = path.read_text(encoding="utf-8")
        for old, new in MENDED.items():
            text = text.replace(old, new)
        text = OUTPUT.sub('<div class="cell_output docutils container" tabindex="0" role="region" aria-label="figure">', text)
        text = HIDDEN.sub(r"\1", ICONS.sub("", text))
        if path.name != "search.html":
            text = INDEX.sub("", text)
        if text != before:
            path.write_text(text, encoding="utf-8")


def sweep(html: Path) -> None:
    """Remove pictures and downloads that no page shows any more."""
    folders = [html / name for name in ("_images", "_downloads")]
    shown = {name for path in html.rglob("*.html") for name in FILES.findall(path.read_text(encoding="utf-8"))}
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        if quote(path.relative_to(html).as_posix()) not in shown:
            path.unlink()


def forget_words(index: Path) -> None:
    """Remove from the index of the search the words that no page has any more; Sphinx keeps them without a page."""
    before, bracket, text = index.read_text(encoding="utf-8").partition("(")
    found = json.loads(text.removesuffix(")"))
    words = {name: {word: pages for word, pages in found[name].items() if pages != []} for name in ("terms", "titleterms")}
    if any(words[name] != found[name] for name in words):
        index.write_text(f"{before}{bracket}{json.dumps(found | words, sort_keys=True)})", encoding="utf-8")


def swap(new: Path, old: Path) -> None:
    """Put a folder in another's place; at every moment one of them stands there, or beside it."""
    aside = old.with_name(old.name + ".old")
    shutil.rmtree(aside, ignore_errors=True)
    if old.exists():
        old.rename(aside)
    new.rename(old)
    shutil.rmtree(aside, ignore_errors=True)
