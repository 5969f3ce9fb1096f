"""The source of the book, put together outside `book/`: what is written by hand, and what each page adds."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from ruamel.yaml import YAML

from pipeline.book.contents import contents
from pipeline.book.pages import (
    certificates, chapter, cite, claim, claims, experiment_group, experiments, guide, index, method, record, records)
from pipeline.book.picture import Picture
from pipeline.book.study import Study, read
from pipeline.book.substitutions import substitutions
from pipeline.results import write_bytes
from pipeline.spec.base import read_yaml

BOOK = Path("book")
#: Every module that writes pages. `write(study)` gives files by their path in the source, and pictures.
PAGES = (index, guide, chapter, method, claims, claim, experiments, experiment_group, records, record, cite,
         certificates)


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
    written = {path: content for page in PAGES for path, content in page.write(study).items()}
    pictures = [content for content in written.values() if isinstance(content, Picture)]
    written = {path: content for path, content in written.items() if not isinstance(content, Picture)}
    for path, content in {**written, **_drawn(pictures)}.items():
        write_bytes(target / path, content if isinstance(content, bytes) else content.encode())
    _rewrite(target / "_toc.yml", contents(read_yaml(target / "_toc.yml"), study))
    _rewrite(target / "_config.yml", _config(read_yaml(target / "_config.yml"), study))
    return study


def _drawn(pictures: Iterable[Picture]) -> dict[str, str]:
    """The files of all pictures; every core draws some of them."""
    with ProcessPoolExecutor() as pool:
        return {path: text for files in pool.map(Picture.files, pictures, chunksize=8)
                for path, text in files.items()}


def _config(static: dict, study: Study) -> dict:
    """book/_config.yml, with the numbers that hand-written pages name."""
    sphinx = static["sphinx"]
    return static | {"sphinx": sphinx | {"config": sphinx["config"] | {
        "myst_substitutions": substitutions(study)}}}


def _rewrite(path: Path, content: dict) -> None:
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(content, file)
