"""The table of contents: the pages of `book/`, with those that are generated below them."""

from dataclasses import replace
from pathlib import Path

from pipeline.book.contents import contents, parts, sections
from pipeline.config.read_yaml import read_yaml

ROOT = Path(__file__).parents[2]
STATIC = {"format": "jb-book", "root": "index", "parts": [
    {"caption": "Answers", "chapters": [{"file": "question"}, {"file": "mechanics"}]},
    {"caption": "More", "chapters": [{"file": "data_sets"}, {"file": "records"}, {"file": "experiments"}]}]}


def test_pages_stand_below_the_page_that_lists_them(study):
    found = contents(STATIC, study)
    assert (found["format"], found["root"]) == ("jb-book", "index")
    first, second = (part["chapters"] for part in found["parts"])
    # Chapters without a page of their own follow the question.
    assert [chapter["file"] for chapter in first] == ["question", "sequences", "tables", "something_new", "mechanics"]
    assert "sections" not in first[1]
    kinds = sections(study)["findings"]
    assert [one["file"] for one in kinds] == ["parts/findings-sequences", "parts/findings-synthetic", "parts/findings-tables"]
    assert {page["file"] for one in kinds for page in one["sections"]} == {f"findings/{name}" for name in study.found}
    assert [entry["file"] for entry in second[0]["sections"]] == [f"data_sets/{name}" for name in study.real]
    assert second[0]["sections"][3]["title"] == "Wind north"
    assert STATIC["parts"][0]["chapters"][0] == {"file": "question"}


def test_lab_records_stand_below_the_group_of_their_experiment(study):
    found = contents(STATIC, study)["parts"][1]["chapters"]
    assert "sections" not in found[1]
    groups = {entry["file"]: [one["file"] for one in entry.get("sections", ())] for entry in found[2]["sections"]}
    assert groups == {"experiments/sequences": ["records/plain", "records/before"],
                      "experiments/badly_scaled_group": [], "experiments/tables": []}


def test_the_record_of_the_checks_stands_below_the_mechanics(study):
    recorded = replace(study, records=study.records | {"mechanics": Path("record.ipynb")})
    assert sections(recorded)["mechanics"] == [{"file": "records/mechanics", "title": "record of the checks"}]


def test_a_list_that_would_be_too_long_stands_in_parts_with_a_page_each(study, monkeypatch):
    whole = contents(STATIC, study)
    assert not parts(whole)
    files = [one["file"] for one in whole["parts"][1]["chapters"][0]["sections"]]
    monkeypatch.setattr("pipeline.book.contents.MOST", 5)
    found = contents(STATIC, study)
    some = found["parts"][1]["chapters"][0]["sections"]
    assert [len(part["sections"]) for part in some] == [5] * (len(files) // 5) + ([len(files) % 5] if len(files) % 5 else [])
    assert [one["file"] for part in some for one in part["sections"]] == files
    assert some[1]["title"] == f"6 to 10 of {len(files)}"
    pages = parts(found)
    assert set(pages) >= {f"{part['file']}.md" for part in some}
    for part in some:
        assert all(f"](/{one['file']})" in pages[f"{part['file']}.md"] for one in part["sections"])


def test_pages_of_the_book_exist():
    listed = read_yaml(ROOT / "book/_toc.yml")
    for page in [listed["root"], *(c["file"] for p in listed["parts"] for c in p["chapters"])]:
        assert page == "experiments" or (ROOT / "book" / f"{page}.md").exists()
