"""The invented study as a project in a folder."""

import shutil
from pathlib import Path

import nbformat
from ruamel.yaml import YAML

from pipeline.config.read_yaml import read_yaml
from tests.book import invented

ROOT = Path(__file__).parents[2]


def make(project, chapters=()):
    """Write the invented study into a folder, which is returned; it has its own chapters, and others that are named."""
    (project / "params.yaml").write_text(invented.PARAMS)
    shutil.copytree(ROOT / "book", project / "book", ignore=shutil.ignore_patterns("_build"))
    _without_other_chapters(project / "book", set(chapters))
    for name in ("readings", "answers", "evidence"):
        (project / f"book/{name}.yaml").write_text(getattr(invented, name.upper()))
    (project / "book/claims_changes.yaml").write_text(invented.CHANGES)
    (project / "book/second_rule.csv").write_text(invented.SECOND_RULE)
    invented.store(project, **invented.tables())
    for name in ("plain", "before", "left_over"):
        folder = project / "results/runs" / name
        folder.mkdir(parents=True)
        record = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python"},
                                                    "language_info": {"name": "python"}})
        output = nbformat.v4.new_output("display_data", data={"image/png": "AAAA"},
                                        metadata={"image/png": {"alt": "what it shows"}})
        record.cells = [nbformat.v4.new_code_cell("curves", outputs=[output])]
        nbformat.write(record, folder / "record.ipynb")
        (folder / "runs.csv").write_text("experiment,variant,data,seed\n" + f"{name},,tides,1\n" * 3)
    return project


def _without_other_chapters(book, kept):
    """Take the hand-written chapters away that the invented study does not have."""
    toc = read_yaml(book / "_toc.yml")
    others = set(read_yaml(book / "answers.yaml")["chapters"]) - set(YAML(typ="safe").load(invented.ANSWERS)["chapters"]) - kept
    for part in toc["parts"]:
        part["chapters"] = [one for one in part["chapters"] if one["file"] not in others]
    for name in others:
        (book / f"{name}.md").unlink()
    with (book / "_toc.yml").open("w") as file:
        YAML().dump(toc, file)
