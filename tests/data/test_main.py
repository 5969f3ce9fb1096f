"""The stage makes what is missing or changed, and nothing else."""

import json
import os

import pytest

from pipeline.data.__main__ import MADE, make_missing, origin
from pipeline.data.sources import read
from pipeline.config.errors import ConfigError
from pipeline.config.schema import parse

WRITTEN = {
    "data": {"waves": {"group": "sequences", "source": "noise", "seeds": 1, "arguments": {"train": 16}},
             "calm": {"of": "waves", "arguments": {"test": 16}}},
    "layers": {}, "experiments": {"one": {"data": ["waves"], "layers": ["Flatten"]}},
    "train": {"epochs": 1, "batch_size": 8, "optimizer": "SGD", "learning_rates": [0.1]}}


def params(**changes):
    data = {name: entry | changes.get(name, {}) for name, entry in WRITTEN["data"].items()
            if changes.get(name, {}) is not None}
    return parse(WRITTEN | {"data": data})


@pytest.fixture
def folder(tmp_path):
    assert make_missing(params(), tmp_path) == ["waves", "calm"]
    return tmp_path


def test_what_is_there_is_not_made_again(folder):
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.glob("*.npz")}
    assert make_missing(params(), folder) == []
    assert before == {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.glob("*.npz")}


def test_words_that_make_no_array_make_nothing_again(folder):
    assert make_missing(params(waves={"title": "a title", "train": {"epochs": 3}}), folder) == []


def test_a_change_reaches_the_data_sets_that_are_changes_of_it(folder):
    assert make_missing(params(waves={"arguments": {"train": 24}}), folder) == ["waves", "calm"]
    assert int(read(folder / "calm.npz")["train"]) == 24
    assert make_missing(params(calm={"arguments": {"test": 24}}), folder) == ["waves", "calm"]


@pytest.mark.parametrize("spoil", [os.unlink, lambda path: path.write_bytes(b"spoilt")])
def test_a_file_that_is_gone_or_was_changed_is_made_again(folder, spoil):
    whole = (folder / "calm.npz").read_bytes()
    spoil(folder / "calm.npz")
    assert make_missing(params(), folder) == ["calm"]
    assert (folder / "calm.npz").read_bytes() == whole


def test_a_data_set_that_was_taken_out_leaves_nothing_behind(folder):
    assert make_missing(params(calm=None), folder) == []
    assert {path.name for path in folder.iterdir()} == {"waves.npz", MADE}
    assert list(json.loads((folder / MADE).read_text())) == ["waves"]


def test_a_mistake_keeps_what_was_made_before_it(tmp_path):
    with pytest.raises(ConfigError, match="data.calm: arguments: unknown key 'tests'"):
        make_missing(params(calm={"arguments": {"tests": 3}}), tmp_path)
    assert list(json.loads((tmp_path / MADE).read_text())) == ["waves"]
    assert make_missing(params(), tmp_path) == ["calm"]


def test_an_origin_follows_seeds_and_arguments_alone():
    one = origin(params(), "waves")
    assert one == origin(params(waves={"group": "others"}), "waves")
    assert len({one, origin(params(waves={"seeds": 2}), "waves"),
                origin(params(waves={"arguments": {"train": 24}}), "waves")}) == 3
