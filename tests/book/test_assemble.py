"""The book's source follows params.yaml, the claims and the stored results, and nothing else."""

import pkgutil
import re
import shutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from pipeline.book import assemble as assembling, pages
from pipeline.book.assemble import PAGES, UNIT, assemble, contents, drawn, parts, sections
from pipeline.book.picture import Picture
from pipeline.config.errors import ConfigError
from pipeline.config.read_yaml import read_yaml
from pipeline.findings.numbers import BLANK

ROOT = Path(__file__).parents[2]


def listed(source):
    """Every page of an assembled table of contents, those below other pages too."""
    contents = read_yaml(source / "_toc.yml")
    found, waiting = [contents["root"]], [chapter for part in contents["parts"] for chapter in part["chapters"]]
    while waiting:
        entry = waiting.pop(0)
        found.append(entry["file"])
        waiting += entry.get("sections", [])
    return found


def test_every_module_of_pages_is_registered():
    found = {import_module(f"pipeline.book.pages.{module.name}") for module in pkgutil.iter_modules(pages.__path__)}
    assert set(PAGES) == found and len(PAGES) == len(found)


def test_a_page_is_written_by_one_module(study):
    written = [path for page in PAGES for path in page.write(study)]
    assert len(written) == len(set(written))


def test_every_page_of_the_table_of_contents_exists(source):
    for page in listed(source):
        assert any((source / f"{page}{end}").exists() for end in (".md", ".ipynb")), page


def test_params_and_claims_say_which_pages_there_are(source):
    found = set(listed(source))
    assert {"findings/before_or_plain_sequences", "experiments", "records/plain", "records/before", "something_new"} <= found
    # A folder that params.yaml does not name is not shown; an experiment without a record has none.
    assert "records/left_over" not in found and "records/after" not in found


def test_every_link_and_picture_leads_somewhere(source):
    text = "".join(path.read_text() for path in source.rglob("*.md"))
    anchors = {*re.findall(r"^\(([\w-]+)\)=$", text, flags=re.M), *re.findall(r"\{anchor\}`([\w-]+)`", text)}
    for link in re.findall(r"\]\((/[^)\s]+)\)", text):
        assert any((source / f"{link[1:]}{end}").exists() for end in ("", ".md", ".ipynb")), link
    for anchor in re.findall(r"\]\(#([^)]+)\)", text):
        assert anchor in anchors
    pictures = set(re.findall(r"\{image\} /(\S+)", text))
    assert {"figures/greatest.svg", "figures/findings-dropout.svg"} < pictures
    for picture in pictures | set(re.findall(r"\{download\}`\S+ </(\S+)>`", text)):
        assert (source / picture).exists(), picture


def test_what_pages_include_is_generated_and_what_is_generated_is_included(project, study, source):
    included = [name for path in (project / "book").glob("*.md") for name in re.findall(r"\{include\} (\S+)", path.read_text())]
    pieces = {path: content for page in PAGES for path, content in page.write(study).items() if path.startswith("generated/")}
    assert sorted(included) == sorted(pieces)
    text = "".join(path.read_text() for path in source.glob("*.md"))
    assert "{include}" not in text and not (source / "generated").exists()
    assert all(UNIT.sub(BLANK, content) in text for content in pieces.values())
    assert not UNIT.search(text)


@pytest.mark.parametrize(("line", "found"), [("{{ clams }}", "clams"), ("```{include} generated/clams.md\n```", "generated/clams.md"),
                                            ("```{include} /etc/passwd\n```", "/etc/passwd")])
def test_a_page_that_names_what_there_is_not_gets_one_message(project, line, found):
    (project / "book/limits.md").write_text(f"# Limits\n\n{line}\n")
    with pytest.raises(ConfigError, match=rf"^book/limits\.md: found '{found}'; allowed: .*(did you mean '.*claims.*'\?)?$"):
        assemble(project, project / "build/source")


def test_no_page_has_code_that_a_kernel_would_run(source):
    for path in source.rglob("*.md"):
        assert "{code-cell}" not in path.read_text() and "{glue" not in path.read_text(), path
        assert "kernelspec" not in path.read_text(), path
    assert read_yaml(source / "_config.yml")["execute"]["execute_notebooks"] == "off"


def test_numbers_stand_in_the_sentences_and_the_settings_stay_as_they_are_written(source):
    text = (source / "method.md").read_text()
    assert "validation loss has not fallen for 10 epochs" in text
    assert not [path for path in source.glob("*.md") if "{{" in path.read_text()]
    assert read_yaml(source / "_config.yml") == read_yaml(ROOT / "book/_config.yml")


def test_assembling_again_gives_the_same_bytes_and_drops_what_is_gone(one_project, source, tmp_path):
    def snapshot(folder):
        return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    again = shutil.copytree(source, tmp_path / "source")
    (again / "old.md").write_text("left over")
    assemble(one_project, again)
    assert snapshot(again) == snapshot(source)


def test_without_any_result_every_page_still_stands(project):
    shutil.rmtree(project / "results")
    study = assemble(project, project / "build/source")
    for page in listed(project / "build/source"):
        assert (project / f"build/source/{page}.md").exists()
    written = {path: content for page in PAGES for path, content in page.write(study).items()}
    assert not any(isinstance(content, Picture) for content in written.values())
    # An include of an empty file would be an empty place in a sentence; only tables may be empty.
    assert {path for path, content in written.items() if not content.strip()} <= {
        f"generated/method/{name}.md" for name in ("errors", "itself")}


def drawing(value, text="drawn"):
    return Picture("one", pd.DataFrame({"value": [value]}), lambda rows: Figure(), lambda rows: text)


def test_a_picture_is_drawn_again_when_its_rows_change_and_else_kept(tmp_path, monkeypatch):
    calls = []

    class Pool:
        def __init__(self, **_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def map(self, function, pictures, chunksize):
            calls.append([picture.name for picture in pictures])
            return map(function, pictures)

    monkeypatch.setattr(assembling, "ProcessPoolExecutor", Pool)
    first = drawn([drawing(1)], tmp_path / "pictures")
    assert drawn([drawing(1)], tmp_path / "pictures") == first and calls == [["one"]]
    other = drawn([drawing(2)], tmp_path / "pictures")
    assert other != first and len(calls) == 2
    # What is not shown any more is not kept.
    assert len(list((tmp_path / "pictures").iterdir())) == 1
    # Other code may draw otherwise.
    (tmp_path / "code").mkdir()
    (tmp_path / "code/style.py").write_text("RED = 1")
    monkeypatch.setattr(assembling, "CODE", tmp_path / "code")
    drawn([drawing(2)], tmp_path / "pictures")
    assert len(calls) == 3


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
    monkeypatch.setattr("pipeline.book.assemble.MOST", 5)
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
