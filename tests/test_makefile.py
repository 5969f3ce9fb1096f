"""What is typed after `NAME=` reaches Python as it is, and no shell nor make runs any of it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

MAKEFILE = Path("Makefile").read_text(encoding="utf-8")
#: Each target that is given something, and what.
TARGETS = {"ask": ["FILE", "TARGET", "WINDOW", "HORIZON", "RECORDING", "TASK", "GROUP_BY", "TIME", "MINUTES"],
           "try": ["EXPERIMENT", "QUICK"], "code": ["EXPERIMENT", "DATA", "FORM"], "runs": ["CLUSTER"],
           "verify": ["NAME", "RUNS", "SEED", "CLUSTER"], "torture": ["MOMENTS", "SEED"],
           "scale": ["EXPERIMENTS", "SETS"]}
TEXTS = ["a b.csv", "it's \"here\".csv", "`touch hacked`.csv", "$(touch hacked).csv", "$$(touch hacked)", "$(shell touch hacked)",
         "${HOME}$HOME", "; touch hacked", "x && touch hacked", "a#b%c\\d", "größe €.csv", "--look", "-n", "*", "a\nb",
         "$(error hacked)", "$(if a,b", "'", "\\", "$"]
#: Stands for Python: writes down what it is given.
STUB = """#!{python}
import json, os, sys
with open("calls.jsonl", "a") as file:
    print(json.dumps([sys.argv[1:], dict(os.environ)]), file=file)
"""


@pytest.fixture
def project(tmp_path):
    """A folder with the Makefile, in which all is installed and Python only writes down what it is given."""
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name in ("python", "dvc"):
        (tmp_path / ".venv/bin" / name).write_text(STUB.format(python=sys.executable))
        (tmp_path / ".venv/bin" / name).chmod(0o755)
    for name in ("requirements.txt", "requirements-cluster.txt", ".venv/installed", ".venv/installed-cluster"):
        (tmp_path / name).touch()
    (tmp_path / "Makefile").write_text(MAKEFILE)
    return tmp_path


def made(project, *arguments, **more):
    """The calls of Python that `make` makes: arguments and environment of each."""
    (project / "calls.jsonl").unlink(missing_ok=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(["make", *arguments], cwd=project, env=environment | more, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (project / "calls.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_given_is_what_python_gets(project, text):
    for target, names in TARGETS.items():
        found = made(project, target, *(f"{name}={text}" for name in names))
        assert {name: found[-1][1].get(name) for name in names} == dict.fromkeys(names, text)
        assert all(text not in call[0] for call in found) or text in ("-n",)
        # The same from the environment.
        assert made(project, target, **dict.fromkeys(names, text))[-1][1].items() >= dict.fromkeys(names, text).items()
    assert not (project / "hacked").exists()


def test_without_anything_nothing_is_given(project):
    for target, names in TARGETS.items():
        for _, environment in made(project, target):
            assert not environment.keys() & set(names) - set(os.environ)


def test_no_recipe_holds_what_was_given():
    given = re.search(r"^GIVEN := ((?:.*\\\n)*.*)$", MAKEFILE, flags=re.M)[1].replace("\\\n", " ").split()
    assert {name for names in TARGETS.values() for name in names} | {"PYTHON"} == set(given)
    recipes = "".join(line for line in MAKEFILE.splitlines() if line.startswith("\t"))
    assert not [name for name in given if f"$({name})" in recipes or f"${{{name}}}" in recipes]
