"""An assembled source → HTML."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

#: What a build leaves beside its pages, and what would differ from one build to the next.
LEFTOVERS = (".buildinfo", ".buildinfo.bak", "reports",
             "_static/scripts/fontawesome.js", "_static/scripts/fontawesome.js.map")


def build(root: Path, source: Path, html: Path) -> None:
    """Build the HTML of an assembled source; an old book survives a failed build.

    Raises:
        RuntimeError: the build failed; what was wrong stands in its output.
    """
    root, source, html = Path(root).resolve(), Path(source).resolve(), Path(html).resolve()
    # Each build has a folder of its own: a Sphinx whose build was killed may still write into the last one.
    html.parent.mkdir(parents=True, exist_ok=True)
    for left in html.parent.glob("_build*"):
        shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(dir=html.parent, prefix="_build"))
    # Jupyter Book translates its settings; Sphinx alone lets every core read and write pages.
    _run(root, source, "jupyter-book", "config", "sphinx", str(source))
    _run(root, source, "sphinx-build", "-b", "html", "-d", str(made / "doctrees"), "-j", "auto",
         "-W", "-n", "--keep-going", "-q", str(source), str(made / "html"))
    clean(made / "html")
    mend(made / "html")
    swap(made / "html", html)
    shutil.rmtree(made, ignore_errors=True)


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
        raise RuntimeError(f"the book could not be built from {source} (exit code "
                           f"{done.returncode}):\n{done.stdout}")


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
INDEX = re.compile(r'<script[^>]* src="[^"]*searchindex\.js"></script>')
#: What stands in a header that is never shown; its buttons would be wired to the sidebars in place of
#: those that are.
HIDDEN = re.compile(r'(?<=<header id="pst-header")([^>]*>).*?(?=</header>)', re.DOTALL)


def mend(html: Path) -> None:
    """Mend what the theme leaves out, and leave out what is not needed, in every page."""
    for path in sorted(html.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        for old, new in MENDED.items():
            text = text.replace(old, new)
        text = OUTPUT.sub('<div class="cell_output docutils container" tabindex="0" role="region" '
                          'aria-label="figure">', text)
        text = HIDDEN.sub(r"\1", ICONS.sub("", text))
        if path.name != "search.html":
            text = INDEX.sub("", text)
        path.write_text(text, encoding="utf-8")


def swap(new: Path, old: Path) -> None:
    """Put a folder in another's place; at every moment one of them stands there, or beside it."""
    aside = old.with_name(old.name + ".old")
    shutil.rmtree(aside, ignore_errors=True)
    if old.exists():
        old.rename(aside)
    new.rename(old)
    shutil.rmtree(aside, ignore_errors=True)
