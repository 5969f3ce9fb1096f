"""An invented study is valid, of the size that was asked for, and its steps run on results that nobody trained."""

import pytest

from pipeline.config.errors import ConfigError
from pipeline.config.schema import load, parse
from tools.scale import measure, numbers, study


def test_it_has_the_size_that_was_asked_for_and_its_copies_are_whole():
    real, params = load(), parse(study(70, 6))
    assert len(params.experiments) == 70 and len(params.data) == 12
    for name, one in params.experiments.items():
        original, copy = (name.rpartition("_")[0], name.rpartition("_")[2]) if name not in real.experiments else (name, "")
        assert one.layers == real.experiments[original].layers
        for other in filter(None, (one.of, one.versus)):
            assert other.endswith(f"_{copy}") if copy else other in real.experiments
        assert 3 <= len(params.data_sets(name)) <= 12
    assert load() == real


@pytest.mark.parametrize("text", ["", "many", "150,", "3", "150,999999999"])
def test_sizes_that_cannot_be_are_refused(text):
    with pytest.raises(ConfigError, match=f"EXPERIMENTS={text}: allowed: numbers from 30 on"):
        numbers(text, "EXPERIMENTS", 30)


@pytest.mark.slow
def test_every_step_is_timed_on_a_study_that_nobody_trained(tmp_path):
    rows = list(measure(tmp_path / "scale", 5, 4))
    assert [row[0] for row in rows] == ["checking", "planning", "findings", "the book", "all pages", "nothing to do", "one change"]
    assert all(row[4] > 0 for row in rows)
