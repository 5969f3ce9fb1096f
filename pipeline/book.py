"""The book: its source is put together outside `book/`, built, and swapped in whole.

Hand-written pages come from `book/`; lab records, the pages of claims and of experiments, and the
figures are added to them as params.yaml and book/claims.yaml say. Nothing is trained.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from matplotlib.figure import Figure
from pandas import DataFrame
from ruamel.yaml import YAML

from pipeline import figures, guide, pages
from pipeline.config import ConfigError, complain, read_yaml
from pipeline.pages import Study
from pipeline.results import CURVES_TABLE, RUNS, write_text

BOOK = Path("book")
SOURCE = Path("build/source")
HTML = Path("build/html")
FIGURE = Path("results/answers.svg")
NO_FIGURE = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>\n'
#: What a build leaves beside its pages, and what would differ from one build to the next.
LEFTOVERS = (".buildinfo", ".buildinfo.bak", ".doctrees", ".jupyter_cache", "reports",
             "_static/scripts/fontawesome.js", "_static/scripts/fontawesome.js.map")


def assemble(root: Path, target: Path) -> Study:
    """Write the source of the book to `target`, which is emptied first.

    Args:
        root: the project's folder, with params.yaml, book and results.
        target: the folder of the source.

    Returns:
        The study that it shows.
    """
    root, target = Path(root), Path(target)
    study = pages.read(root)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root / BOOK, target, ignore=shutil.ignore_patterns("_build", ".*"))
    static = read_yaml(target / "_toc.yml")
    topics = pages.topics(study)
    own = [topic for topic in topics if not (target / f"{topic}.md").exists()]

    cells = guide.front_cells(study)
    if len(cells):
        _draw(target, "answers", figures.answers(cells), cells)
    if len(study.studied):
        _draw(target, "heat_map", figures.heat_map(study.studied), study.studied)
    for claim in study.claims:
        write_text(target / f"claims/{claim.slug}.md", pages.claim_page(study, claim))
        cells = study.claim_cells(claim)
        if len(cells):
            _draw(target, f"claim-{claim.slug}", figures.forest(cells), cells)
    for topic in topics:
        for name, rows in pages.sweeps(study, topic).items():
            _draw(target, name, figures.dose_response(rows), rows)
    for page in _pages(static):
        included = {"claims": pages.ledger, "records": pages.records, "guide": guide.guide,
                    "cite": pages.citation}.get(
                        page, lambda s, page=page: pages.chapter(s, page, guide.advised(s, page)))
        if page in topics or page in _chapters(target):
            write_text(target / f"generated/{page}.md", included(study))
    for topic in own:
        title = topic.replace("_", " ").capitalize()
        write_text(target / f"{topic}.md", f"# {title}\n\n{pages.chapter(study, topic, guide.advised(study, topic))}")
    groups = pages.experiment_groups(study)
    write_text(target / "experiments.md", pages.experiments(study))
    for group, names in groups.items():
        write_text(target / f"experiments/{group}.md", pages.experiment_group(study, group, names))
    for name in study.records:
        record = _record(study, root / RUNS / name / "record.ipynb", name)
        write_text(target / f"records/{name}.ipynb", nbformat.writes(record) + "\n")
        curves = root / RUNS / name / CURVES_TABLE
        if curves.exists():
            shutil.copy(curves, target / f"figures/curves-{name}.csv.gz")
    mechanics = root / "results/mechanics/record.ipynb"
    if mechanics.exists():
        record = _record(study, mechanics, "mechanics")
        write_text(target / "records/mechanics.ipynb", nbformat.writes(record) + "\n")

    # A claim's page stands below its chapter, so that no list of the sidebar is endless.
    sections = {topic: [{"file": f"claims/{claim.slug}", "title": pages.short(claim.slug)}
                        for claim in study.claims if claim.topic == topic] for topic in topics}
    sections |= {"records": [{"file": f"records/{name}", "title": name} for name in study.records]}
    sections["experiments"] = [{"file": f"experiments/{group}"} for group in groups]
    if mechanics.exists():
        sections["mechanics"] = [{"file": "records/mechanics", "title": "record of the checks"},
                                 *sections.get("mechanics", [])]
    with (target / "_toc.yml").open("w", encoding="utf-8") as file:
        YAML().dump(toc(static, sections, own), file)
    return study


def _draw(target: Path, name: str, figure: Figure, rows: DataFrame) -> None:
    """Write a figure, and beside it the rows that it was drawn from."""
    write_text(target / f"figures/{name}.svg", figures.svg(figure))
    write_text(target / f"figures/{name}.csv", pages.data_text(rows))


def toc(static: dict, sections: dict[str, list[dict]], topics: list[str]) -> dict:
    """The table of contents: that of `book/`, with what is generated.

    Args:
        static: of `book/_toc.yml`, in parts.
        sections: entries below a page, by the page's name.
        topics: chapters without a page in `book/`; they follow the question.
    """
    parts = []
    for part in static["parts"]:
        chapters = []
        for entry in part["chapters"]:
            more = sections.get(entry["file"])
            chapters.append(entry | ({"sections": more} if more else {}))
            if entry["file"] == "question":
                chapters += [{"file": topic} | (
                    {"sections": sections[topic]} if sections.get(topic) else {})
                    for topic in topics]
        parts.append(part | {"chapters": chapters})
    return static | {"parts": parts}


def _pages(static: dict) -> list[str]:
    """The names of the pages that a table of contents lists."""
    return [static["root"], *(c["file"] for p in static["parts"] for c in p["chapters"])]


def _chapters(target: Path) -> list[str]:
    """The pages that include a generated part of their own name."""
    return [path.stem for path in sorted(target.glob("*.md"))
            if f"generated/{path.stem}.md" in path.read_text(encoding="utf-8")]


def _record(study: Study, path: Path, name: str) -> nbformat.NotebookNode:
    """A lab record with a title, links back, and its pictures' alternative texts."""
    notebook = nbformat.read(path, as_version=4)
    if name in study.params.experiments:
        used = [c for c in study.claims if name in c.experiments]
        back = (f"The record of training [{name}](#experiment-{name}), "
                f"{pages.chain(study.params.experiments[name])}, as it was written by the run. "
                "It is shown, not executed again. " + pages.timing(study, name)).rstrip()
        if used:
            back += " Claims that rest on it: " + "; ".join(
                pages.claim_link(c, pages.short(c.slug)) for c in used) + "."
        title = f"# Lab record: {name}"
    else:
        title, back = "# Lab record: the exact checks", "See [the exact checks](/mechanics.md)."
    cells, curves = [nbformat.v4.new_markdown_cell(f"{title}\n\n{back}")], path.with_name(CURVES_TABLE)
    for cell in notebook.cells:
        cells.append(cell)
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                cell["metadata"]["mystnb"] = {"image": {"alt": alt, "classes": "figure"}}
            if alt and curves.exists():
                cells.append(nbformat.v4.new_markdown_cell(pages.source(
                    study, f"curves-{name}.csv.gz", curves.read_bytes(), [name])))
    notebook.cells = cells
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    return notebook


def build(root: Path, source: Path, html: Path) -> None:
    """Build the HTML of an assembled source; an old book survives a failed build.

    Raises:
        RuntimeError: the build failed; what was wrong stands in its output.
    """
    root, source, html = Path(root).resolve(), Path(source).resolve(), Path(html).resolve()
    made = html.parent / "_build"
    shutil.rmtree(made, ignore_errors=True)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")])),
        # The order of sets must not depend on the run.
        "PYTHONHASHSEED": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1", "MPLBACKEND": "agg"}
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(source),
               "--path-output", str(html.parent), "--all", "-W", "-n", "--keep-going", "-q"]
    done = subprocess.run(command, cwd=root, env=environment, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise RuntimeError(f"the book could not be built from {source} (exit code "
                           f"{done.returncode}):\n{done.stdout}")
    clean(made / "html")
    mend(made / "html")
    swap(made / "html", html)
    shutil.rmtree(made, ignore_errors=True)


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


def main() -> int:
    """Assemble and build the book of the folder that this is called in."""
    root = Path.cwd()
    try:
        assemble(root, SOURCE)
        build(root, SOURCE, HTML)
        # The README shows the first page's figure.
        drawn = SOURCE / "figures/answers.svg"
        write_text(FIGURE, drawn.read_text(encoding="utf-8") if drawn.exists() else NO_FIGURE)
    except (ConfigError, ValueError, RuntimeError) as error:
        return complain(error)
    print(f"the book is at {HTML / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
