"""What a reader picks by follows from the network and the data."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.book.facets import FACETS, facets

ROOT = Path(__file__).parents[2]


def test_network_activation_and_samples(guided):
    assert facets(guided, "bn", "forecast") == {
        "network": "Conv1D and LSTM", "activation": "tanh", "samples": "more than 700"}


@pytest.mark.parametrize(("fraction", "samples"), [(0.25, "fewer than 300"), (1.0, "300 to 700")])
def test_a_variant_on_fewer_samples_has_fewer(guided, fraction, samples):
    # 640 samples, and a quarter of them: 160.
    found = facets(guided, f"mlp_bn[train_fraction={fraction}]", "tabular")
    assert found == {"network": "dense layers (MLP)", "activation": "ReLU", "samples": samples}


@pytest.mark.parametrize(("classes", "target"), [(0, "a number"), (9, "a class")])
def test_the_target_is_that_of_the_plans(guided, classes, target):
    planned = replace(guided, plans={"plain": {"arms": [{"data": "forecast", "task": {"classes": classes, "targets": 1, "quantiles": []}}]}})
    assert facets(planned, "bn", "forecast")["target"] == target


def test_the_script_knows_every_choice_by_its_title():
    script = (ROOT / "book/_static/guide.js").read_text()
    found = dict(re.findall(r'"([a-z-]+)": "(\w+)"', script))
    assert found == {re.sub(r"[^a-z0-9]+", "-", title.lower()): name for name, title in FACETS.items()}
