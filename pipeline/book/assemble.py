"""The book: its source is put together outside `book/`, built, and swapped in whole.

Hand-written pages come from `book/`; lab records, the pages of claims and of experiments, and the
figures are added to them as params.yaml and book/claims.yaml say. Nothing is trained.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
from matplotlib.figure import Figure
from pandas import DataFrame
from ruamel.yaml import YAML

from pipeline.book.advice import advised
from pipeline.book.figures.answers import answers
from pipeline.book.figures.forest import forest
from pipeline.book.figures.heat_map import heat_map
from pipeline.book.figures.sweep import dose_response
from pipeline.book.markdown import data_text
from pipeline.book.pages.chapter import chapter, sweeps
from pipeline.book.pages.cite import citation
from pipeline.book.pages.claims import claim_page, ledger
from pipeline.book.pages.experiments import experiment_group, experiment_groups, experiments
from pipeline.book.pages.guide import guide
from pipeline.book.pages.index import front_cells
from pipeline.book.pages.records import framed_record, records
from pipeline.book.study import Study, read, topics
from pipeline.book.words import short
from pipeline.results import CURVES_TABLE, RUNS, write_text
from pipeline.spec.base import read_yaml
from pipeline.style import svg

BOOK = Path("book")


def assemble(root: Path, target: Path) -> Study:
    """Write the source of the book to `target`, which is emptied first.

    Args:
        root: the project's folder, with params.yaml, book and results.
        target: the folder of the source.

    Returns:
        The study that it shows.
    """
    root, target = Path(root), Path(target)
    study = read(root)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root / BOOK, target, ignore=shutil.ignore_patterns("_build", ".*"))
    static = read_yaml(target / "_toc.yml")
    chapters = topics(study)
    own = [topic for topic in chapters if not (target / f"{topic}.md").exists()]

    cells = front_cells(study)
    if len(cells):
        _draw(target, "answers", answers(cells), cells)
    if len(study.studied):
        _draw(target, "heat_map", heat_map(study.studied), study.studied)
    for claim in study.claims:
        write_text(target / f"claims/{claim.slug}.md", claim_page(study, claim))
        cells = study.claim_cells(claim)
        if len(cells):
            _draw(target, f"claim-{claim.slug}", forest(cells), cells)
    for topic in chapters:
        for name, rows in sweeps(study, topic).items():
            _draw(target, name, dose_response(rows), rows)
    for page in _pages(static):
        included = {"claims": ledger, "records": records, "guide": guide,
                    "cite": citation}.get(
                        page, lambda s, page=page: chapter(s, page, advised(s, page)))
        if page in chapters or page in _chapters(target):
            write_text(target / f"generated/{page}.md", included(study))
    for topic in own:
        title = topic.replace("_", " ").capitalize()
        write_text(target / f"{topic}.md", f"# {title}\n\n{chapter(study, topic, advised(study, topic))}")
    groups = experiment_groups(study)
    write_text(target / "experiments.md", experiments(study))
    for group, names in groups.items():
        write_text(target / f"experiments/{group}.md", experiment_group(study, group, names))
    for name in study.records:
        record = framed_record(study, root / RUNS / name / "record.ipynb", name)
        write_text(target / f"records/{name}.ipynb", nbformat.writes(record) + "\n")
        curves = root / RUNS / name / CURVES_TABLE
        if curves.exists():
            shutil.copy(curves, target / f"figures/curves-{name}.csv.gz")
    mechanics = root / "results/mechanics/record.ipynb"
    if mechanics.exists():
        record = framed_record(study, mechanics, "mechanics")
        write_text(target / "records/mechanics.ipynb", nbformat.writes(record) + "\n")

    # A claim's page stands below its chapter, so that no list of the sidebar is endless.
    sections = {topic: [{"file": f"claims/{claim.slug}", "title": short(claim.slug)}
                        for claim in study.claims if claim.topic == topic] for topic in chapters}
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
    write_text(target / f"figures/{name}.svg", svg(figure))
    write_text(target / f"figures/{name}.csv", data_text(rows))


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
