"""The table of contents: that of `book/`, with what is generated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.book.pages.experiments import groups
from pipeline.book.study import Study
from pipeline.book.words.claim import short
from pipeline.book.words.numbers import capital


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
    """The entries below a page, by the page's name.

    A claim's page stands below its chapter, so that no list of the sidebar is endless.
    """
    found = {topic: [{"file": f"claims/{claim.slug}", "title": short(claim.slug)}
                     for claim in study.claims if claim.topic == topic] for topic in study.topics}
    records = {name: {"file": f"records/{name}", "title": name} for name in study.records}
    if checks := records.pop("mechanics", None):
        found["mechanics"] = [checks | {"title": "record of the checks"}, *found.get("mechanics", [])]
    # Below their groups: one list of all would stand in the sidebar of each of them.
    experiments = [_below(f"experiments/{group}", [records[name] for name in names if name in records])
                   for group, names in groups(study).items()]
    data = [{"file": f"data_sets/{name}", "title": capital(name.replace("_", " "))} for name in study.real]
    return found | {"data_sets": data, "experiments": experiments}


def _entry(entry: Mapping, below: Mapping[str, list[dict]]) -> dict:
    return _below(entry["file"], below.get(entry["file"], ()), entry)


def _below(file: str, more: Sequence[dict], entry: Mapping | None = None) -> dict:
    """An entry with the ones below it, if there are any."""
    return {"file": file, **(entry or {})} | ({"sections": list(more)} if more else {})
