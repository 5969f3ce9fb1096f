"""The source of the book, put together outside `book/`: what is written by hand, and what each page adds."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML

from pipeline.book.contents import contents, parts
from pipeline.book.pages import chapter, claims, data_set, experiments, finding, index, measured, method, own, pieces, record
from pipeline.book.picture import Picture
from pipeline.book.study import Study, read
from pipeline.book.substitutions import substitutions
from pipeline.config.errors import ConfigError, nearest
from pipeline.config.read_yaml import read_yaml
from pipeline.findings.numbers import BLANK
from pipeline.process.cores import on_every_core
from pipeline.tables.stored import write_text

BOOK = Path("book")
#: Beside the source: the pictures of the last time. All code that may decide how one looks.
KEPT, CODE = "pictures", Path(__file__).parents[1]
#: Where a hand-written page names a number, and where it includes a generated piece.
NUMBER, PIECE = re.compile(r"\{\{ (\w+) \}\}"), re.compile(r"^```\{include\} (\S+)\n```$", re.MULTILINE)
PIECES = "generated/"
#: The blank between a number and its unit.
UNIT = re.compile(r"(?<=\d) (?=(?:%|points?\b)(?!\w))")
#: Every module that writes pages, those that take longest first. `write(study)` gives files by their path in the
#: source, and pictures.
PAGES = (finding, chapter, experiments, record, data_set, claims, index, method, measured, pieces, own)


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
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root / BOOK, target, ignore=shutil.ignore_patterns("_build", ".*"))
    written = pages(study)
    pictures = [content for content in written.values() if isinstance(content, Picture)]
    pieces = {path: content for path, content in written.items() if path.startswith(PIECES)}
    written = {path: content for path, content in written.items() if path not in pieces and not isinstance(content, Picture)}
    _fill(target, substitutions(study), pieces)
    toc = contents(read_yaml(target / "_toc.yml"), study)
    for path, content in {**written, **parts(toc), **drawn(pictures, target.with_name(KEPT))}.items():
        # The folder was emptied, and is made anew after a failure: no file of it need be on the disk at once.
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(content if isinstance(content, bytes) else _joined(path, content).encode())
    with (target / "_toc.yml").open("w", encoding="utf-8") as file:
        YAML().dump(toc, file)
    # When a file was written says nothing: what it says counts, see `pipeline.book.fresh`.
    for path in target.rglob("*"):
        os.utime(path, (0, 0))
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
    return {path: text for one in stored.values() for path, text in json.loads(one.read_text(encoding="utf-8")).items()}


def _fill(target: Path, numbers: Mapping[str, int | float], pieces: Mapping[str, str]) -> None:
    """Put numbers into the sentences of hand-written pages, and generated pieces where they are included.

    Neither is left to Sphinx: a template is code, and an include reads any file.

    Raises:
        ConfigError: a page names what there is not.
    """
    for path in target.glob("*.md"):
        def put(found: re.Match, given: Mapping = numbers, page: str = path.name) -> str:
            if found[1] not in given:
                raise ConfigError(f"{BOOK / page}: found '{found[1]}'; allowed: {', '.join(given)}{nearest(found[1], given)}")
            return str(given[found[1]])

        text = NUMBER.sub(put, path.read_text(encoding="utf-8"))
        path.write_text(_joined(path.name, PIECE.sub(partial(put, given=pieces), text)), encoding="utf-8")


def _joined(path: str, text: str) -> str:
    """A page with every number on the line of its unit."""
    return UNIT.sub(BLANK, text) if path.endswith(".md") else text
