"""A small project with invented results, and the study that it is read as."""

import shutil
from functools import cache
from pathlib import Path

import nbformat
import pytest

from pipeline.book.study import read
from pipeline.tables.stored import seal
from tests.book import invented

ROOT = Path(__file__).parents[2]
#: The tables are the same for every test.
_tables = cache(invented.tables)


@pytest.fixture
def project(tmp_path):
    """The invented study as a project; two experiments have a lab record."""
    (tmp_path / "params.yaml").write_text(invented.PARAMS)
    shutil.copytree(ROOT / "book", tmp_path / "book", ignore=shutil.ignore_patterns("_build"))
    for name in ("claims", "answers", "guide", "evidence"):
        (tmp_path / f"book/{name}.yaml").write_text(getattr(invented, name.upper()))
    invented.store(tmp_path, **_tables())
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
        seal(folder)
    return tmp_path


@pytest.fixture
def study(project):
    """What is read of the invented study."""
    return read(project)
