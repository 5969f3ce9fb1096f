"""The source of the book, put together outside `book/`: what is written by hand, and what each page adds."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML

from pipeline.book.contents import contents, parts
from pipeline.book.html import keep_times
from pipeline.book.pages import (
    certificates, chapter, cite, claim, claims, data_set, data_sets, experiment_group, experiments, first_study, guide,
    index, interruptions, limits, method, own, record, records, scale)
from pipeline.book.picture import Picture
from pipeline.book.study import Study, read
from pipeline.book.substitutions import substitutions
from pipeline.tables.stored import write_text
from pipeline.config.errors import read_yaml
from pipeline.process.cores import on_every_core

BOOK = Path("book")
#: Beside the source: the pictures of the last time. All code that may decide how one looks.
KEPT, CODE = "pictures", Path(__file__).parents[1]
#: Where a hand-written page names a number.
NUMBER = re.compile(r"\{\{ (\w+) \}\}")
#: Every module that writes pages, those that take longest first. `write(study)` gives files by their path in the
#: source, and pictures.
PAGES = (claim, chapter, experiment_group, record, data_set, guide, data_sets, claims, index, limits, method, first_study,
         experiments, records, cite, certificates, interruptions, own, scale)


# Pages look at one word after another, which takes twice the time where pyarrow holds them.
@pd.option_context("mode.string_storage", "python")
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
    before = target.with_name(f"{target.name}.old")
    shutil.rmtree(before, ignore_errors=True)
    if target.exists():
        target.rename(before)
    shutil.copytree(root / BOOK, target, ignore=shutil.ignore_patterns("_build", ".*"))
    _fill(target, substitutions(study))
    written = pages(study)
    pictures = [content for content in written.values() if isinstance(content, Picture)]
    written = {path: content for path, content in written.items() if not isinstance(content, Picture)}
    toc = contents(read_yaml(target / "_toc.yml"), study)
    for path, content in {**written, **parts(toc), **drawn(pictures, target.with_name(KEPT))}.items():
        # The folder was emptied, and is made anew after a failure: no file of it need be on the disk at once.
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    _rewrite(target / "_toc.yml", toc)
    keep_times(target, before)
    shutil.rmtree(before, ignore_errors=True)
    return study


def pages(study: Study) -> dict[str, str | bytes | Picture]:
    """What all modules of pages write; every core calls some of them."""
    found = on_every_core(lambda write: write(study), [page.write for page in PAGES])
    return {path: content for files in found for path, content in files.items()}


def drawn(pictures: Sequence[Picture], kept: Path) -> dict[str, str]:
    """The files of all pictures; every core draws some of those that are not kept from last time.

    A picture is drawn again when its rows change, or any code, or the package that draws.

    Args:
        kept: the folder of the pictures that were drawn last time, by what each was drawn from.
    """
    code = hashlib.sha256(version("matplotlib").encode())
    for path in sorted(CODE.rglob("*.py")):
        code.update(path.read_bytes())
    stored = {picture.name: kept / hashlib.sha256("\n".join(
        (code.hexdigest(), picture.name, picture.data)).encode()).hexdigest() for picture in pictures}
    kept.mkdir(parents=True, exist_ok=True)
    new = [picture for picture in pictures if not stored[picture.name].exists()]
    if new:
        with ProcessPoolExecutor() as pool:
            for picture, files in zip(new, pool.map(Picture.files, new, chunksize=8), strict=True):
                write_text(stored[picture.name], json.dumps(files))
    for path in set(kept.iterdir()) - set(stored.values()):
        path.unlink()
    return {path: text for one in stored.values()
            for path, text in json.loads(one.read_text(encoding="utf-8")).items()}


def _fill(target: Path, numbers: Mapping[str, int | float]) -> None:
    """Put numbers into the sentences of hand-written pages; a name that is not there is left for Sphinx to refuse.

    Not Sphinx's own settings: a number that changes there makes every page of the book anew.
    """
    for path in target.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        path.write_text(NUMBER.sub(lambda found: str(numbers.get(found[1], found[0])), text), encoding="utf-8")


def _rewrite(path: Path, content: dict) -> None:
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(content, file)
