"""`python -m pipeline.plan --check`, as it is called: a line a mistake, exit code 1, nothing written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline
from pipeline.network.resolve import resolve
from pipeline.config.errors import ConfigError

ROOT = Path(pipeline.__file__).parents[1]
PARAMS = """\
data:
  table: {group: tables, source: tabular, seeds: 2}
layers:
  dense: {Dense: {units: 2}}
experiments:
  mlp: {data: tables, layers: [dense]}
train: {epochs: 1, batch_size: 8, optimizer: Adam, learning_rates: [0.01]}
probe: {experiments: []}
"""
LAUGHS = "z0: &z0 [1, 1]\n" + "".join(f"z{i + 1}: &z{i + 1} [{', '.join([f'*z{i}'] * 10)}]\n" for i in range(12))


@pytest.mark.parametrize(("old", "new", "words"), [
    ("", "", None),
    ("data:\n", LAUGHS + "data:\n", "more than 200000 entries"),
    ("mlp:", "'mlp; touch hacked':", "a name may have lower-case letters, digits and _ only"),
    ("group: tables", "group: ../../hacked", "found '../../hacked'; a group may have lower-case letters"),
    ("[dense]", "[!!python/object/apply:os.system ['touch hacked']]", "could not determine a constructor"),
    ("epochs: 1", "epochs: 2000000000", "allowed: a number of at most 100000"),
])
def test_the_command_tells_what_is_wrong(tmp_path, old, new, words):
    (tmp_path / "book").mkdir()
    (tmp_path / "book/readings.yaml").write_text("[]\n")
    shutil.copy(ROOT / "requirements.txt", tmp_path)
    assert old in PARAMS
    (tmp_path / "params.yaml").write_text(PARAMS.replace(old, new, 1))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = subprocess.run([sys.executable, "-m", "pipeline.plan", "--check"], cwd=tmp_path, text=True,
                          capture_output=True, timeout=300, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    if words is None:
        assert (done.returncode, done.stderr) == (0, "") and "\nOK: " in done.stdout
    else:
        assert done.returncode == 1 and "OK" not in done.stdout
        lines = done.stderr.splitlines()
        assert all(line.startswith("error: params.yaml") for line in lines) and words in lines[0]


@pytest.mark.parametrize("item", [
    {"Lambda": {"function": "print"}}, "Lambda", "TFSMLayer", {"StringLookup": {"vocabulary": "/etc/passwd"}},
    "TextVectorization", "os.system", "keras.layers.Dense", "__class__", "Layer", "module",
    {"Dense": {"units": 2, "kernel_initializer": {"module": "os"}}}, {"TimeDistributed": {"layer": "Lambda"}},
    {"TimeDistributed": {"layer": {"Lambda": {"function": "print"}}}}, {"Dense": {"units": 2, "name": "a"}},
    {"Dense": {"units": 2, "__class__": 1}}, {"Dense": {"units": 2, "registered_name": "x"}},
])
def test_no_layer_and_no_argument_reaches_beyond_keras(item):
    with pytest.raises(ConfigError):
        resolve(item, {}, "params.yaml: experiments.a.layers[0]")
