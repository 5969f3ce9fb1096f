"""What several tests of this room share."""

import pytest

from pipeline.data.sources import SOURCES, make


@pytest.fixture(scope="session")
def made():
    """Every source's arrays at their default sizes, synthetic ones for the seeds 0, 1, 2."""
    return {source: make(source, range(3)) for source in SOURCES}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project folder, in which the test stands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
