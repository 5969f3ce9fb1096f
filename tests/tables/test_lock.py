"""`dvc.lock` is the guard: what it names is what was stored, or is refused; its hashes are DVC's own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.tables.lock import Damaged, check, check_edited, digest, entries, lock_of, trusted
from pipeline.tables.store import Store
from pipeline.tables.stored import building, read_needed, read_table, replace_folder, write_table
from tests.locked import lock, text
from tests.tables.test_stored import tables, write

ONE = Path("results/runs/one")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose lock names an experiment's results, and what they are made from."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RETRAIN", raising=False)
    for name, content in (("plan/one.json", "{}\n"), ("params.yaml", "train: {epochs: 2}\n"), ("code/__init__.py", "")):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(content)
    runs, curves, _ = tables()
    write(ONE, runs, curves)
    (ONE / "record.ipynb").write_text("{}\n")
    lock(train_at_one=(["code", "plan/one.json"], [ONE]))
    return tmp_path


def in_git():
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run(["git", "add", "."], check=True)


def digit(path):
    content = path.read_text()
    assert "0.003" in content
    path.write_text(content.replace("0.003", "0.004", 1))


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = [
    ("runs.csv", digit, "its content is not what was stored"), ("curves.csv.gz", flip, "its content is not what was stored"),
    ("record.ipynb", flip, "its content is not what was stored"), ("curves.csv.gz", os.unlink, "it is missing, but was stored"),
    ("notes.csv", lambda path: path.write_text("a\n"), "it is not one of the stored files"),
    ("deep/notes.csv", lambda path: (path.parent.mkdir(), path.write_text("a\n")), "it is not one of the stored files")]


@pytest.mark.parametrize(("name", "damage", "said"), DAMAGES)
@pytest.mark.parametrize("git", [True, False])
def test_what_is_not_as_the_lock_says_is_refused_by_every_reader(project, name, damage, said, git):
    if git:
        in_git()
    check(ONE)
    damage(ONE / name)
    readers = [check, lambda f: check(f / "runs.csv"), lambda f: read_table(f / "runs.csv"), lambda f: read_needed(f / "runs.csv"),
               lambda f: Store("store").fill([f]), lambda f: check(f.absolute())]
    for read in readers:
        with pytest.raises(Damaged) as error:
            read(ONE)
        message = str(error.value)
        assert message.startswith(f"{ONE / name}: {said} (dvc.lock); " if git else f"{ONE}: its content is not what was stored (dvc.lock); ")
        assert "remove" in message and "\n" not in message
        assert f"`git checkout -- {ONE}`" in message or (git and "notes" in name)
    assert Store("store").count() == 0 and not trusted(ONE)


def test_a_change_that_git_holds_is_told(project):
    digit(ONE / "runs.csv")
    in_git()
    with pytest.raises(Damaged, match="^results/runs/one: .*and git holds it so; take results/runs/one and dvc.lock from one commit"):
        check(ONE)


def test_what_the_lock_does_not_name_is_accepted_and_not_used_as_a_cache(project):
    runs, curves, _ = tables(experiment="two")
    write(Path("results/runs/two"), runs, curves)
    assert len(read_table(Path("results/runs/two/runs.csv"))) == 4
    assert trusted(ONE) and not trusted(Path("results/runs/two"))
    Path("dvc.lock").unlink()
    digit(ONE / "runs.csv")
    check(ONE)
    assert trusted(ONE) and trusted(Path("results/runs/two")) and lock_of(ONE) is None


def test_nothing_is_trusted_where_stored_results_are_distrusted(project, monkeypatch):
    monkeypatch.setenv("RETRAIN", "1")
    assert not trusted(ONE)
    digit(ONE / "runs.csv")
    with replace_folder(ONE) as new:
        (new / "runs.csv").write_text("a\n")
    assert (ONE / "runs.csv").read_text() == "a\n"


@pytest.mark.parametrize("change", [
    lambda: Path("plan/one.json").write_text("[]\n"), lambda: Path("plan/one.json").unlink(),
    lambda: Path("code/more.py").write_text("x = 1\n")])
def test_a_stage_goes_on_over_another_output_only_where_what_it_is_made_from_is_another(project, change):
    write_table(tables(2)[0], ONE / "runs.csv")
    before = (ONE / "runs.csv").read_bytes()
    for _ in range(2):
        with pytest.raises(Damaged, match="results/runs/one: its content is not what was stored"), replace_folder(ONE):
            raise AssertionError
        assert (ONE / "runs.csv").read_bytes() == before and not building(ONE).exists()
        Path("code/__pycache__").mkdir(exist_ok=True)  # Left out by .dvcignore.
        Path(".dvcignore").write_text("# what\n/.ci/venv\n__pycache__\n")
        Path("code/__pycache__/one.pyc").write_text("")
    change()
    assert not trusted(ONE)
    with replace_folder(ONE) as new:
        (new / "runs.csv").write_text("a\n")
    assert (ONE / "runs.csv").read_text() == "a\n"


def test_params_count_as_what_an_output_is_made_from(project):
    entry = "    params:\n      params.yaml:\n        train:\n          epochs: 2\n        probe.seeds:\n    outs:\n"
    Path("params.yaml").write_text("train: {epochs: 2}\nprobe: {seeds:}\n")
    content = Path("dvc.lock").read_text()
    Path("dvc.lock").unlink()
    Path("dvc.lock").write_text(content.replace("    outs:\n", entry))
    digit(ONE / "runs.csv")
    with pytest.raises(Damaged):
        check_edited(ONE)
    for other in ("train: {epochs: 3}\n", "train: {epochs: 2}\nprobe: {seeds: 1}\n", "[]\n", "{\n"):
        Path("params.yaml").write_text(other)
        check_edited(ONE)


def test_an_output_that_was_removed_is_made_anew_and_missed_by_readers(project):
    shutil.rmtree(ONE)
    with pytest.raises(Damaged, match="results/runs/one: its content is not"):
        check(ONE)
    with replace_folder(ONE) as new:
        (new / "runs.csv").write_text("a\n")
    assert (ONE / "runs.csv").exists()


def test_what_is_being_made_inside_an_output_is_no_part_of_it(project):
    building(ONE).mkdir()
    write_table(tables()[0], building(ONE) / "runs.csv")
    check(ONE)
    digit(building(ONE) / "runs.csv")
    assert len(read_table(building(ONE) / "runs.csv")) == 4 and trusted(ONE)


@pytest.mark.parametrize("make", [
    lambda path: None, lambda path: path.symlink_to("nowhere"), lambda path: path.mkdir(), lambda path: path.write_text("")])
def test_a_table_that_is_missing_or_no_table_gets_one_message(project, make):
    path = Path("results/runs/new/runs.csv")
    path.parent.mkdir(parents=True)
    make(path)
    for read in (read_table, read_needed):
        with pytest.raises(Damaged, match="^results/runs/new/runs.csv: (there is no such file|it is no table)"):
            read(path)


def test_a_table_without_rows_is_none_where_rows_are_needed(project):
    path = Path("results/runs/new/runs.csv")
    write_table(tables()[0][:0], path)
    assert read_table(path).empty
    with pytest.raises(Damaged, match="^results/runs/new/runs.csv: it has no rows; "):
        read_needed(path)


# --- the lock itself ---------------------------------------------------------------------------

@pytest.mark.parametrize(("change", "said"), [
    (lambda text: text.replace("    cmd", "<<<<<<< HEAD\n    cmd", 1), "line 4: found <<<<<<<, the mark of a merge"),
    (lambda text: text + "=======\n", "line 15: found =======, the mark of a merge"),
    (lambda text: text[:-30], "it is not whole; `make book` mends what a kill left, `git checkout -- dvc.lock` takes it back"),
    (lambda text: text.partition("    outs:")[0], "it is not whole"), (lambda text: "stages: {}\n", "it is not whole"),
    (lambda text: text + "  train@two: {cmd: a}\n", "it is not whole")])
def test_a_lock_that_says_nothing_certain_is_refused_in_one_line(project, change, said):
    content = text({"train@one": (["plan/one.json"], [ONE])})
    Path("dvc.lock").unlink()
    Path("dvc.lock").write_text(change(content))
    for use in (check, trusted, check_edited, lambda path: read_table(path / "runs.csv")):
        with pytest.raises(Damaged) as error:
            use(ONE)
        assert str(error.value).startswith(f"dvc.lock: {said}") and "\n" not in str(error.value)


def test_an_empty_lock_names_nothing(project):
    Path("dvc.lock").unlink()
    Path("dvc.lock").write_text("")
    assert entries("") == {} and trusted(ONE)
    check(ONE)


def test_a_lock_that_was_removed_is_missed_where_git_has_it(project):
    """Else whoever removes it could have every changed result taken for what was stored."""
    Path("dvc.yaml").write_text("stages: {}\n")
    in_git()
    Path("dvc.lock").unlink()
    digit(ONE / "runs.csv")
    for use in (check, trusted, check_edited):
        with pytest.raises(Damaged, match="^dvc.lock: it is missing, .*`git checkout -- dvc.lock`"):
            use(ONE)


def test_a_project_inside_another_has_a_lock_of_its_own(project):
    inner = Path(".tiny/results/runs/one")
    shutil.copytree(ONE, inner)
    Path(".tiny/dvc.yaml").write_text("stages: {}\n")
    assert lock_of(inner) is None and trusted(inner) and lock_of(ONE).root == project


DVC_YAML = """stages:
  make:
    cmd: python make.py
    params: [title, "train.epochs"]
    deps: [make.py, code]
    outs: [{results/one: {cache: false, persist: true}}, {results/number.txt: {cache: false}}]
"""
MAKE = """
from pathlib import Path
for name in ("results/one/b.csv", "results/one/a b.csv", "results/one/.hidden", "results/one/deep/ä.csv", "results/number.txt"):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(name)
"""


def test_hashes_are_those_of_dvc(tmp_path, monkeypatch):
    """DVC itself writes the lock: all that it names is read, and is as it says."""
    monkeypatch.chdir(tmp_path)
    dvc = shutil.which("dvc") or str(Path(sys.executable).with_name("dvc"))
    Path("dvc.yaml").write_text(DVC_YAML)
    Path("make.py").write_text(MAKE)
    Path("params.yaml").write_text('title: "two\\n\\nlines: one"\ntrain: {epochs: 2, rate: 1.0e-6}\n')
    for name in ("code/a.py", "code/__pycache__/a.pyc", "code/deep/__pycache__/b.pyc", "code/deep/B.py"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    for command in (["init", "--quiet", "--no-scm"], ["repro", "--quiet"]):
        Path(".dvcignore").write_text("# not these\n/.ci/venv\n__pycache__\n")
        subprocess.run([dvc, *command], check=True, env=os.environ | {
            "DVC_NO_ANALYTICS": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
    written = YAML(typ="safe").load(Path("dvc.lock"))["stages"]["make"]
    found = lock_of(Path("results"))
    assert found.outputs == {one["path"]: ("make", one["md5"]) for one in written["outs"]}
    for one in written["outs"] + written["deps"]:
        assert digest(Path(one["path"])) == one["md5"]
    for path in ("results/one", "results/number.txt"):
        check(Path(path))
        assert trusted(Path(path))
    Path("results/number.txt").write_text("2")
    with pytest.raises(Damaged, match="^results/number.txt: "):
        check_edited(Path("results/number.txt"))
    Path("params.yaml").write_text('title: "two\\n\\nlines: two"\ntrain: {epochs: 2, rate: 1.0e-6}\n')
    check_edited(Path("results/number.txt"))
