"""The table of contents: that of `book/`, with what is generated."""

from collections.abc import Iterator, Mapping, Sequence

from pipeline.book.escape import plain, raw
from pipeline.book.pages.experiments import group_pages
from pipeline.book.study import Study
from pipeline.book.words.finding import kind_of
from pipeline.findings.numbers import capital

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
