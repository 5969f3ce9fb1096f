"""A small project with invented results, and the study that it is read as."""

import shutil

import pytest

from pipeline.book.assemble import assemble
from pipeline.book.study import read
from tests.book.projects import make


@pytest.fixture(scope="session")
def one_project(tmp_path_factory):
    """The invented study as a project, which no test changes; two experiments have a lab record."""
    return make(tmp_path_factory.mktemp("project"))


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
