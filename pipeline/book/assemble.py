"""The source of the book, put together outside `book/`: what is written by hand, its numbers, what each page adds, the contents."""

import hashlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML

from pipeline.book.escape import plain, raw
from pipeline.book.pages import chapter, claims, data_set, experiments, finding, index, measured, method, own, pieces, record
from pipeline.book.pages.experiments import group_pages
from pipeline.book.picture import Picture
from pipeline.book.study import Study, read
from pipeline.book.words.finding import BADGES, kind_of
from pipeline.config.errors import ConfigError, nearest
from pipeline.config.read_yaml import read_yaml
from pipeline.config.experiments import FIRST_SEED
from pipeline.findings.numbers import BLANK, capital
from pipeline.findings.rule import Rule
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


#: No list of the sidebar is longer: it stands on every page that it names.
MOST = 100


def contents(static: Mapping, study: Study) -> dict:
    """book/_toc.yml, with the pages below each chapter and the chapters that have no page in `book/`."""
    below = sections(study)
    own = [_entry({"file": topic}, below) for topic in study.topics if topic not in study.written]
    mine = [{"caption": "Your own data", "chapters": [
        {"file": f"own/{name}"} for name in study.params.own]}] if study.params.own else []
    return {**static, "parts": mine + [
        {**part, "chapters": [entry for chapter in part["chapters"] for entry in (
            _entry(chapter, below), *(own if chapter["file"] == "question" else []))]}
        for part in static["parts"]]}


def sections(study: Study) -> dict[str, list[dict]]:
    """The entries below a page, by the page's name."""
    kinds: dict[str, list[dict]] = {}
    for name, rows in study.found.items():
        kinds.setdefault(kind_of(study, rows[0]), []).append({"file": f"findings/{name}", "title": raw(rows[0]["title"])})
    found: dict[str, list[dict]] = {"findings": [
        _below(f"parts/findings-{kind}", pages, {"title": f"Findings on {kind.replace('_', ' ')}"})
        for kind, pages in kinds.items()]}
    records = {name: {"file": f"records/{name}", "title": name} for name in study.records}
    if checks := records.pop("mechanics", None):
        found["mechanics"] = [checks | {"title": "record of the checks"}]
    # Below their groups: one list of all would stand in the sidebar of each of them.
    experiments = [_below(f"experiments/{page}", [records[name] for name in names if name in records])
                   for page, (_, names) in group_pages(study).items()]
    data = [{"file": f"data_sets/{name}", "title": capital(name.replace("_", " "))} for name in study.real]
    return found | {"data_sets": data, "experiments": experiments}


def _entry(entry: Mapping, below: Mapping[str, list[dict]]) -> dict:
    return _below(entry["file"], below.get(entry["file"], ()), entry)


def _below(file: str, more: Sequence[dict], entry: Mapping | None = None) -> dict:
    """An entry with the ones below it, if there are any; of more than `MOST`, in parts with a page each."""
    more = list(more)
    if len(more) > MOST:
        more = [{"file": f"parts/{file.replace('/', '-')}-{number}", "title": title, "sections": some}
                for number, (title, some) in enumerate(_parts(more), 1)]
    return {"file": file, **(entry or {})} | ({"sections": more} if more else {})


def _parts(more: list[dict]) -> Iterator[tuple[str, list[dict]]]:
    """Parts of a long list, none longer than `MOST`, each with its title."""
    for start in range(0, len(more), MOST):
        some = more[start:start + MOST]
        yield f"{start + 1} to {start + len(some)} of {len(more)}", some


def parts(toc: Mapping) -> dict[str, str]:
    """The pages of the parts that a table of contents names, by path: each lists its own pages."""
    found, waiting = {}, [chapter for part in toc["parts"] for chapter in part["chapters"]]
    while waiting:
        entry = waiting.pop()
        below = entry.get("sections", [])
        if entry["file"].startswith("parts/"):
            lines = [f"- [{plain(one['title'])}](/{one['file']})" for one in below]
            found[f"{entry['file']}.md"] = "\n".join([f"# {entry['title']}\n", *lines, ""])
        waiting += below
    return found


def substitutions(study: Study) -> dict[str, int | float]:
    """What is counted, what is set, and the rule's constants, by name."""
    return counts(study) | settings(study) | constants(study.rule)


def counts(study: Study) -> dict[str, int]:
    """Claims by what they read; findings, experiments, data sets, runs."""
    found = Counter(study.reading(claim)["reading"] for claim in study.claims)
    theirs = [bool(data.family) for data in study.params.data.values() if not data.own]
    return {"claims": len(study.claims), "findings": len(study.found), "comparisons": study.comparisons,
            "experiments": len(study.params.experiments),
            "data_sets": len(theirs), "real_sets": sum(theirs), "synthetic_sets": theirs.count(False),
            "runs": study.runs,
            **{f"exactly_{name}" if name in ("true", "false") else name.replace(" ", "_"): found[name]
               for name in BADGES}}


def settings(study: Study) -> dict[str, int]:
    """What params.yaml and the code of the seeds set."""
    return {"patience": study.params.train.patience, "first_seed": FIRST_SEED,
            "rates": len(study.params.train.learning_rates), "probe_seeds": study.params.probe.seeds}


def constants(rule: Rule) -> dict[str, int | float]:
    """The rule's constants, in the units in which sentences say them: mostly per cent, or points."""
    percent = {"confidence": rule.confidence, "miss": 1 - rule.confidence, "margin": rule.ratio_margin - 1,
               "epochs_margin": rule.epochs_margin - 1, "share_margin": rule.share_margin, "calibration_margin": rule.calibration_margin,
               "range_share": rule.range_share, "failed_share": rule.failed_share, "usable_share": rule.usable_share,
               "competent": rule.competent - 1}
    return {name: _plain(100 * value) for name, value in percent.items()} | {
        "target_factor": rule.target_factor, "range_quantile": round((1 + rule.range_share) / 2, 3),
        "least_units": rule.least_units, "q_level": rule.q_level}


def _plain(value: float) -> int | float:
    """A number without the digits that counting in binary adds."""
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded
