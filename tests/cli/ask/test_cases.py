"""Small invented files, one kind of difficulty each: every one is read as a person means it, or refused with what to do."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from pipeline.data.__main__ import make_missing
from pipeline.data.sources import read
from pipeline.config.schema import load

FOLDER = Path(__file__).parents[2] / "data/cases"
CASES = YAML(typ="safe", pure=True).load(FOLDER.with_suffix(".yaml").read_text(encoding="utf-8"))
#: What the ranking of effects is tried on.
OTHERS = {"effects_two_controls.csv"}


def described(case):
    return " ".join([case["file"], *(f"{key}={value}" for key, value in case.get("given", {}).items())])


def test_every_file_has_a_case():
    assert {path.name for path in FOLDER.iterdir()} == {case["file"] for case in CASES} | OTHERS


@pytest.mark.parametrize("case", CASES, ids=described)
def test_a_file_is_read_as_it_is_meant(project, asked, monkeypatch, case):
    shutil.copy(FOLDER / case["file"], case["file"])
    for key, value in case.get("given", {}).items():
        monkeypatch.setenv(key, str(value))
    out, err, code = asked(case["file"], "--look")
    text = " ".join(out.split())
    for words in case.get("said", []):
        assert " ".join(words.split()) in text, out
    if "refused" in case:
        assert code == 1 and case["refused"] in err and err.count("\n") == 1 and load().own == []
        if "lines" in case:
            lines = YAML(typ="safe", pure=True).load(out[out.index(":\n") + 2:])
            (entry,) = lines.values()
            assert {key: entry.get(key) for key in case["lines"]} == case["lines"]
        return
    assert (err, code) == ("", 0), err
    (name,) = load().own
    assert name == case.get("name", name)
    written = YAML(typ="safe", pure=True).load(Path("params.yaml").read_text(encoding="utf-8"))["data"][name]
    for key, value in case.get("entry", {}).items():
        found = written.get(key)
        assert (sorted(found) == sorted(value) if isinstance(value, list) and key != "time" else found == value), (key, found)
    make_missing(load())
    _check_arrays(case, read(f"data/{name}.npz"))


def _check_arrays(case, arrays):
    used = len(arrays["last"] if "last" in arrays else arrays["y"])
    assert used == case.get("used", used)
    assert arrays["about_inputs"].tolist() == case.get("inputs", arrays["about_inputs"].tolist())
    assert arrays["about_classes"].tolist() == case.get("classes", arrays["about_classes"].tolist())
    if "x" in case:
        np.testing.assert_allclose(arrays["x"][0], case["x"], rtol=1e-6)
    for key, at in (("first", 0), ("last", -1)):
        if key in case:
            assert arrays["about_times"][at] == np.datetime64(case[key], "us").astype(int)
