"""A small project with hand-made results, and the study that it is read as."""

import shutil
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from pipeline.book.study import read
from pipeline.results import seal
from pipeline.spec.tables import STORED, VERDICT_COLUMNS
from tests.book.made import ANSWERS, CLAIMS, PARAMS, all_places, cell, guided_study

ROOT = Path(__file__).parents[2]


def store(folder: Path, **tables) -> None:
    """Write rows as stored tables of a project, each under its name, and seal their folders."""
    for name, rows in tables.items():
        path = folder / STORED[name].path()
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows, columns=list(STORED[name].columns)).to_csv(path, index=False)
        seal(path.parent)


@pytest.fixture
def project(tmp_path):
    """A project of five experiments and three claims, one of them without a result."""
    (tmp_path / "params.yaml").write_text(PARAMS)
    shutil.copytree(ROOT / "book", tmp_path / "book", ignore=shutil.ignore_patterns("_build"))
    (tmp_path / "book/claims.yaml").write_text(CLAIMS)
    verdict = dict.fromkeys(VERDICT_COLUMNS, "") | {"D": 0, "F": 0, "A": 0, "k": 0, "fragile": False}
    store(
        tmp_path,
        cells=[cell(claim="before_is_better", treatment="before", control="after", region="better",
                    position="for", why="only a hand-made reason")],
        comparisons=[cell(treatment="before"),
                     cell(treatment="after", effect=-0.3, low=-0.4, high=-0.2, label="worse", sign="-"),
                     cell(treatment="recurrent", effect=0.0, low=-0.02, high=0.02, label="equivalent"),
                     cell(treatment="anywhere[first]")],
        verdicts=[verdict | {"slug": "before_is_better", "verdict": "supported", "reads": "supported on forecast",
                             "D": 1, "F": 1, "k": 1, "scope": "forecast", "fragile": True},
                  verdict | {"slug": "exact_one", "verdict": "true", "reads": "true"}],
        robustness=[("before_is_better", "margin halved", "supported"),
                    ("before_is_better", "margin doubled", "contradicted")],
        checks=[("never_added", "it does nothing", "0", "0", 0.0, True)], places=all_places())
    for name in ("plain", "before", "left_over"):
        folder = tmp_path / "results/runs" / name
        folder.mkdir(parents=True)
        record = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python"},
                                                    "language_info": {"name": "python"}})
        output = nbformat.v4.new_output("display_data", data={"image/png": "AAAA"},
                                        metadata={"image/png": {"alt": "what it shows"}})
        record.cells = [nbformat.v4.new_code_cell("curves", outputs=[output])]
        nbformat.write(record, folder / "record.ipynb")
        (folder / "runs.csv").write_text("experiment,variant,data,seed\n" + f"{name},,forecast,1\n" * 3)
        seal(folder)
    return tmp_path


@pytest.fixture
def study(project):
    """What is read of the small project, with answers of its own."""
    (project / "book/answers.yaml").write_text(ANSWERS)
    return read(project)


@pytest.fixture
def guided():
    """A study of three situations; see `made.guided_study`."""
    return guided_study()
