"""Layer classes of one's own in a plan: an edit of a class makes the runs that use it stale, and no others."""

import contextlib
import hashlib
import json
import sys
from pathlib import Path

import pytest

from pipeline.plan.__main__ import main
from pipeline.plan.tidy import PLAN
from pipeline.tables.lock import entries
from pipeline.config.errors import ConfigError
from pipeline.config.schema import load
from tests.train.toy import stage
from tests.locked import lock
from tests.own_layers import forget
from tests.plan.test_main import PARAMS, edit, planned, project  # noqa: F401

LAYERS = """\
from keras import layers, ops as K

SLOPE = 0.5


class Bend(layers.Layer):
    def call(self, inputs):
        return K.maximum(inputs, SLOPE * inputs)


class Double(layers.Layer):
    def call(self, inputs):
        return 2 * inputs
"""


@pytest.fixture
def mine(project):  # noqa: F811
    """The small project with layers of its own: `bent` uses one, `doubled` the other."""
    Path("my_layers.py").write_text(LAYERS)
    edit("params.yaml", "  same: {of: mlp, versus: null}\n",
         "  bent: {of: mlp, after: {dense: Bend}}\n  doubled: {of: mlp, after: {dense: Double}}\n")
    edit("params.yaml", "experiments:\n  mlp", "modules: [my_layers.py]\nexperiments:\n  mlp")
    yield project
    forget()


def plans():
    return {path.stem: json.loads(path.read_text()) for path in PLAN.glob("*.json")}


def run(*arguments):
    sys.argv[:] = ["plan", *arguments]
    return main()


def test_a_plan_names_the_class_and_the_file_and_others_stay_as_they_are(mine):
    before = plans()
    assert run() == 0
    after = plans()
    assert {name: after[name] for name in ("mlp", "wide")} == {name: before[name] for name in ("mlp", "wide")}
    digest = hashlib.sha256(LAYERS.encode()).hexdigest()
    assert after["bent"]["modules"] == after["doubled"]["modules"] == {"my_layers.py": digest}
    assert set(after["bent"]["custom_layers"]) == {"Bend"} and "custom_layers" not in after["mlp"]


EDITS = [("return 2 * inputs", "return 3 * inputs", {"doubled"}), ("SLOPE = 0.5", "SLOPE = 0.2", {"bent"}),
         ("ops as K", "ops as K, activations", {"bent", "doubled"}),  # what is imported may be another thing by now
         ("class Double", "# a comment\nclass Double", set()),
         ("class Double", "class Third(layers.Layer):\n    def call(self, inputs):\n        return inputs\n\n\nclass Double",
          set())]


def test_an_edit_makes_the_runs_that_use_it_stale_and_no_others(mine, capsys):
    assert run() == 0
    for old, new, stale in EDITS:
        before = plans()
        lock(plan=(["params.yaml"], ["plan"]), data=([], ["data"]))
        edit("my_layers.py", old, new)
        capsys.readouterr()
        # DVC is told to make the plans again; then it is seen no more.
        assert run("--tidy") == 0
        assert capsys.readouterr().out == "my_layers.py has changed: the plans are made again\n"
        assert list(entries(Path("dvc.lock").read_text())) == ["data"]
        assert run() == 0
        lock(plan=(["params.yaml"], ["plan"]), data=([], ["data"]))
        assert run("--tidy") == 0 and "has changed" not in capsys.readouterr().out
        assert list(entries(Path("dvc.lock").read_text())) == ["plan", "data"]
        after = plans()
        assert {name for name in after if after[name].get("custom_layers") != before[name].get("custom_layers")} == stale, old


def test_its_network_is_trained_and_an_edit_after_the_plan_is_refused(mine):
    assert run() == 0
    Path("results/runs/bent").mkdir(parents=True)
    stage(".runs", "bent")
    assert "bent" in (Path("results/runs/bent/runs.csv")).read_text()
    assert "Bend" in Path("results/runs/bent/layers.csv").read_text()
    edit("my_layers.py", "SLOPE = 0.5", "SLOPE = 0.1")
    with pytest.raises(ConfigError, match="my_layers.py: is not as it was when plan/bent.json was made"):
        stage(".runs", "bent")


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("[my_layers.py]", "[my_layer.py]", "modules[0]: found 'my_layer.py'; there is no such file; did you mean "
     "'my_layers.py'?"),
    ("[my_layers.py]", "[../my_layers.py]", "modules[0]: found '../my_layers.py'; allowed: a path inside the project"),
    ("[my_layers.py]", "[/tmp/my_layers.py]", "modules[0]: found '/tmp/my_layers.py'; allowed: a path inside"),
    ("[my_layers.py]", "[my_layers]", "modules[0]: found 'my_layers'; allowed: a file that ends in .py"),
    ("[my_layers.py]", "[my_layers.py, my_layers.py]", "modules: 'my_layers.py' stands twice"),
    ("dense: Bend", "dense: Bendd", "experiments.bent.after.dense: unknown word or layer 'Bendd'; allowed: the words "
     "of 'layers', the classes of keras.layers and those of 'modules'; did you mean 'Bend'?")])
def test_a_mistake_is_named(mine, capsys, old, new, expected):
    edit("params.yaml", old, new)
    assert run() == 1
    assert capsys.readouterr().err.splitlines()[-1].partition(": ")[2].partition(": ")[2].startswith(expected)


def test_weights_that_do_not_begin_at_the_seed_are_refused(mine, capsys):
    edit("my_layers.py", "class Double(layers.Layer):\n", "class Double(layers.Layer):\n    def build(self, shape):\n"
         "        self.w = self.add_weight(shape=shape[-1:], initializer=lambda shape, dtype: K.cast(next(STARTS), dtype))\n\n")
    edit("my_layers.py", "SLOPE = 0.5\n", "import itertools\nSLOPE = 0.5\nSTARTS = itertools.count()\n")
    with contextlib.suppress(SystemExit):
        assert run() == 1
    found = capsys.readouterr().err.splitlines()[-1]
    assert found.startswith("error: my_layers.py: class 'Double': its weight") and "add_weight(initializer='glorot_uniform')" in found
    assert load().modules == ["my_layers.py"]
