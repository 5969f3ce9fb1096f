"""Layer classes of one's own become words; a file that gives none says why."""

import hashlib
import os
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.network import layers as ours
from pipeline.network import own
from pipeline.network.model import build
from pipeline.network.resolve import resolve
from pipeline.config.errors import ConfigError

GATE = """\
import keras


class Gate(keras.layers.Layer):
    def __init__(self, start=0.5, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), initializer=keras.initializers.Constant(self.start))

    def call(self, inputs):
        return inputs * self.factor


class _Hidden(keras.layers.Layer):
    pass
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project; what is registered in it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in list(own._FILES):
        delattr(ours, name)
    own._FILES.clear()
    own._READ.clear()


def message(call, *arguments):
    with pytest.raises(ConfigError) as error:
        call(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_class_of_ones_own_is_a_word_and_computes_what_it_says(project):
    Path("mine.py").write_text(GATE)
    own.register(["mine.py"])
    item = resolve({"Gate": {"start": 2.0}}, {}, "here")
    network = {"layers": [item], "head": []}
    model = build(network, (3,), 1)
    x = np.ones((2, 3), np.float32)
    gate = keras.Model(model.input, model.layers[1].output)
    np.testing.assert_array_equal(gate(x), 2 * x)
    assert own.file_of("Gate") == "mine.py" and own.file_of("Dense") is None
    assert own.files_of(["Gate", "Dense"]) == {"mine.py": hashlib.sha256(GATE.encode()).hexdigest()}
    assert "did you mean 'Gate'" in message(resolve, "Gates", {}, "here")
    assert "did you mean 'start'" in message(resolve, {"Gate": {"strat": 1.0}}, {}, "here")


def test_a_file_that_was_edited_is_read_again_and_one_that_was_not_is_not(project):
    path = Path("mine.py")
    path.write_text(GATE)
    own.register(["mine.py"])
    first = ours.Gate
    own.register(["mine.py"])
    assert ours.Gate is first
    path.write_text(GATE.replace("Gate", "Door"))
    own.register(["mine.py"])
    assert not hasattr(ours, "Gate") and ours.Door(name="a").start == 0.5


def test_a_plan_refuses_a_file_that_is_another_one_by_now(project):
    path = Path("mine.py")
    path.write_text(GATE)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    own.require({"mine.py": digest}, "plan/a.json")
    assert hasattr(ours, "Gate")
    path.write_text(GATE + "\n")
    for _ in range(2):
        found = message(own.require, {"mine.py": digest}, "plan/a.json")
        assert found.startswith("mine.py: is not as it was when plan/a.json was made")
        path.unlink(missing_ok=True)


@pytest.mark.parametrize(("content", "expected"), [
    ("class Gate(:\n", "mine.py, line 1: is not Python"),
    ("import keras\n", "modules[0]: 'mine.py' defines no layer"),
    ("from keras.layers import Dense\n", "modules[0]: 'mine.py' defines no layer"),
    ("import no_such_package\n", "mine.py: cannot be run: ModuleNotFoundError"),
    (GATE.replace("Gate", "Dense"), "mine.py: class 'Dense': keras.layers has a layer of that name"),
    (GATE.replace("Gate", "SqueezeExcite"), "mine.py: class 'SqueezeExcite': this project has a layer"),
    (GATE.replace("Gate", "TFSMLayer"), "mine.py: class 'TFSMLayer'"),
    (GATE.replace("call(self, inputs)", "call(self, inputs, others)"), "mine.py: class 'Gate': `call` needs several"),
    (GATE.replace("call(self", "compute(self"), "mine.py: class 'Gate' has no method `call`"),
    (GATE.replace("start=0.5, **kwargs", "start=0.5").replace("**kwargs", ""),
     "mine.py: class 'Gate': `__init__` takes no name"),
    ("import helper\n" + GATE, "mine.py, line 1: imports 'helper', a file of the project"),
    ("from . import helper\n" + GATE, "mine.py, line 1: imports '.', a file of the project"),
])
def test_a_file_that_gives_no_layer_says_why_and_changes_nothing(project, content, expected):
    Path("helper.py").write_text("")
    Path("mine.py").write_text(content)
    before = set(vars(ours))
    assert message(own.register, ["mine.py"]).startswith(expected)
    assert set(vars(ours)) == before and not own._READ


def test_two_files_may_not_have_a_class_of_one_name(project):
    Path("mine.py").write_text(GATE)
    Path("yours.py").write_text(GATE)
    assert message(own.register, ["mine.py", "yours.py"]).startswith(
        "yours.py: class 'Gate': mine.py has a layer of that name")
    assert message(own.register, ["nowhere.py"]) == "modules[0]: found 'nowhere.py'; there is no such file"
    assert os.getcwd() == str(project)
