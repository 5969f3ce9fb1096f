"""The chapter about one's own data and networks: what it shows is valid as it stands there."""

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

import pipeline
from pipeline.data.__main__ import make_missing
from pipeline.network import own
from pipeline.plan import __main__ as plan
from pipeline.plan.check import check
from pipeline.plan.resolve import resolve
from pipeline.config.schema import load
from tests.own_layers import forget

ROOT = Path(pipeline.__file__).parents[1]
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "book/add_your_own.md").read_text(encoding="utf-8"), flags=re.S)
YAMLS = [text for language, text in BLOCKS if language == "yaml"]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The study, with all that the chapter adds to it, and tiny files of the names that it names."""
    monkeypatch.chdir(tmp_path)
    yaml = YAML(typ="safe", pure=True)
    content = yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for text in YAMLS:
        for section, added in yaml.load(text).items():
            if isinstance(added, dict):
                assert not added.keys() & content[section].keys()
                content[section] |= added
            else:
                content[section] = added
    with open("params.yaml", "w", encoding="utf-8") as file:
        YAML().dump(content, file)  # in its order
    (tmp_path / "book").mkdir()
    shutil.copy(ROOT / "book/readings.yaml", "book")
    shutil.copy(ROOT / "requirements.txt", ".")
    for folder in ("extracts", "plan"):
        shutil.copytree(ROOT / folder, folder)
    (text,) = [text for language, text in BLOCKS if language == "python"]
    Path("my_layers.py").write_text(text, encoding="utf-8")
    _files()
    yield tmp_path
    forget()


def _files():
    generator = np.random.default_rng(0)
    dates = pd.date_range("2024-01-01", periods=500, freq="h").astype(str)
    pd.DataFrame({"date": dates, "price": generator.normal(size=500).cumsum().round(3),
                  "volume": generator.normal(size=500).round(3)}).to_csv("prices.csv", index=False)
    pd.DataFrame({"number": range(300), "age": generator.normal(size=300).round(3), "district": np.arange(300) % 4,
                  "left": generator.choice(["yes", "no"], 300)}).to_csv("customers.csv", index=False)
    np.savez("gestures.npz", x=generator.normal(size=(300, 12, 3)).astype("f4"), y=np.arange(300) % 3)
    walks = np.repeat(np.arange(120), 8)
    pd.DataFrame({"walk": walks, "person": walks % 2, "day": walks // 2, "speed": generator.normal(size=960)}).to_csv(
        "walks.csv", index=False)


def test_what_it_shows_passes_the_check_that_make_book_begins_with(project, monkeypatch, capsys):
    assert len(YAMLS) == 6
    monkeypatch.setattr(sys, "argv", ["plan", "--check"])
    assert plan.main() == 0, capsys.readouterr().err
    params = load()
    assert params.own == ["prices", "customers", "gestures", "walks"]
    mine = [name for name in params.experiments if "prices" in params.data_sets(name)]
    assert mine == ["cnn_lstm", "bn_after_relu", "dropout_before_lstm", "gated_quantiles"]
    assert {"gestures", "walks"} <= set(params.data_sets("my_group_norm"))


@pytest.mark.slow
def test_its_files_are_read_as_it_says_and_its_networks_are_built(project):
    params = load()
    only = params.model_copy(update={"data": {name: params.data[name] for name in params.own}})
    assert make_missing(only) == params.own
    about = plan.describe(only)
    assert about["prices"]["shape"] == [24, 2] and about["customers"]["classes"] == 2
    assert about["customers"]["train_size"] == 150 and about["walks"]["shape"] == [8, 1]
    own.register(params.modules)
    for name in ("my_group_norm", "gate_before_lstm", "gated_quantiles"):
        found = resolve(only, name, about)
        assert check(found, name)
        assert ("modules" in found) == name.startswith("gate")
    assert found["arms"][0]["task"]["quantiles"] == [0.1, 0.5, 0.9]


def test_the_commands_that_it_shows_are_those_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for language, text in BLOCKS:
        for target in re.findall(r"^make (\w+)", text, flags=re.M) if language == "sh" else ():
            assert re.search(rf"^{target}:", makefile, flags=re.M), target
