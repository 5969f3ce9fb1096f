"""Torture finds what it looks for: half-written files, other bytes, what is missing and what is left."""

import pytest

from tools.torture.project import differing, files, partial


@pytest.fixture
def project(tmp_path):
    for name in ("data/a.npz", "data/made.json", "plan/one.json", "results/runs/one/runs.csv", "build/html/index.html",
                 "build/source/index.md", "timings/one.json", "dvc.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"content of {name}\n")
    return tmp_path


def test_all_that_is_written_is_compared_but_for_what_is_measured_or_passing(project):
    assert set(files(project)) == {"data/a.npz", "data/made.json", "plan/one.json", "results/runs/one/runs.csv",
                                   "build/html/index.html", "dvc.lock"}
    assert not partial(project, files(project)) and not differing(project, files(project))


@pytest.mark.parametrize("name", ["data/a.npz", "plan/one.json", "results/runs/one/runs.csv", "build/html/index.html"])
def test_a_half_written_file_is_found_at_once_and_at_the_end(project, name):
    reference = files(project)
    path = project / name
    path.write_bytes(path.read_bytes()[:-5])
    assert partial(project, reference) == differing(project, reference) == [name]
    path.unlink()
    assert not partial(project, reference) and differing(project, reference) == [name]


def test_a_list_that_grows_may_be_short_meanwhile_and_not_at_the_end(project):
    reference = files(project)
    (project / "dvc.lock").write_text("stages:\n")
    assert not partial(project, reference) and differing(project, reference) == ["dvc.lock"]


def test_what_a_killed_write_leaves_is_no_whole_file_and_is_found_at_the_end(project):
    reference = files(project)
    (project / "data/.a.npz.x8_k3abc").write_text("half")
    assert not partial(project, reference) and differing(project, reference) == ["data/.a.npz.x8_k3abc"]
