"""A small project with invented results, and the study that it is read as."""

import shutil
from pathlib import Path

import nbformat
import pytest

from pipeline.book.assemble import assemble
from pipeline.book.study import read
from tests.book import invented

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def one_project(tmp_path_factory):
    """The invented study as a project, which no test changes; two experiments have a lab record."""
    tmp_path = tmp_path_factory.mktemp("project")
    (tmp_path / "params.yaml").write_text(invented.PARAMS)
    shutil.copytree(ROOT / "book", tmp_path / "book", ignore=shutil.ignore_patterns("_build"))
    for name in ("claims", "answers", "guide", "evidence"):
        (tmp_path / f"book/{name}.yaml").write_text(getattr(invented, name.upper()))
    invented.store(tmp_path, **invented.tables())
    for name in ("plain", "before", "left_over"):
        folder = tmp_path / "results/runs" / name
        folder.mkdir(parents=True)
        record = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python"},
                                                    "language_info": {"name": "python"}})
        output = nbformat.v4.new_output("display_data", data={"image/png": "AAAA"},
                                        metadata={"image/png": {"alt": "what it shows"}})
        record.cells = [nbformat.v4.new_code_cell("curves", outputs=[output])]
        nbformat.write(record, folder / "record.ipynb")
        (folder / "runs.csv").write_text("experiment,variant,data,seed\n" + f"{name},,tides,1\n" * 3)
    return tmp_path


@pytest.fixture
def project(one_project, tmp_path):
    """A copy of it to change."""
    return shutil.copytree(one_project, tmp_path / "project")


@pytest.fixture(scope="session")
def study(one_project):
    """What is read of the invented study; pages change nothing of it."""
    return read(one_project)


@pytest.fixture(scope="session")
def source(one_project, tmp_path_factory):
    """The source of its book, which no test changes."""
    target = tmp_path_factory.mktemp("book") / "source"
    assemble(one_project, target)
    return target
