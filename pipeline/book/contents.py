"""The table of contents: that of `book/`, with what is generated."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.book.pages.experiments import groups
from pipeline.book.study import Study
from pipeline.book.words.claim import short


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
    return found | {"records": list(records.values()),
                    "experiments": [{"file": f"experiments/{group}"} for group in groups(study)]}


def _entry(entry: Mapping, below: Mapping[str, list[dict]]) -> dict:
    more = below.get(entry["file"])
    return {**entry, "sections": more} if more else dict(entry)
