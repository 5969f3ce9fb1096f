"""What a lab record shows is what the tables and the network say."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.results import COLUMNS, LAYERS_TABLE, write_tables
from pipeline.train import record
from pipeline.train.record import chain

LAYERS = [{"word": "dense", "class": "Dense", "arguments": {"units": 3}},
          {"word": "bn", "class": "BatchNormalization", "arguments": {}}]


@pytest.fixture
def plan_file(tmp_path):
    arms = [{"variant": variant, "data": data, "shape": [4], "classes": 2,
             "network": {"layers": LAYERS, "head": []}}
            for variant in ("rate=1", "rate=2") for data in ("one", "two")]
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"arms": arms}))
    return path


@pytest.fixture
def runs():
    rows = []
    for rate, chosen in ((0.1, True), (0.2, False)):
        for seed in (1, 2):
            rows.append({"seed": seed, "purpose": "study", "learning_rate": rate, "chosen": chosen,
                         "best_error": seed * rate})
        rows += [{"seed": seed, "purpose": "tuning", "learning_rate": rate, "chosen": chosen,
                  "best_validation_loss": seed + rate} for seed in (8, 9)]
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return table.assign(experiment="x", variant="", data="one", diverged=False, parameters=7)


def test_the_chain_is_the_networks_order_and_names_the_variants(plan_file):
    network, variants = chain(plan_file).split("\n\n")
    assert network.startswith("one, two: ")
    places = [network.index(word) for word in ("units=3", "BatchNormalization", "units=2")]
    assert places == sorted(places)
    assert "variant `rate=1`" in variants and variants.endswith("`rate=2`.")


def test_the_summary_is_of_the_first_network(tmp_path):
    place = {"variant": "rate=1", "data": "one"}
    rows = [{"layer": "dense_1", "class": "Dense", "shape": "(batch, 3)", "parameters": 15},
            {"layer": "bn_1", "class": "BatchNormalization", "shape": "(batch, 3)", "parameters": 12}]
    table = pd.DataFrame([other | row for other in (place, place | {"data": "two"},
                                                    {"variant": "rate=2", "data": "one"}) for row in rows])
    write_tables(tmp_path, {LAYERS_TABLE: table})
    summary = record.summary(tmp_path)
    assert list(summary.columns) == ["layer", "class", "output shape", "parameters"]
    assert list(summary["layer"]) == ["dense_1", "bn_1"] and list(summary["parameters"]) == [15, 12]


def test_curves_are_those_at_the_chosen_rate_of_what_is_asked(runs, tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"arms": [{"variant": ""}, {"variant": "repetition=1", "measuring": True}]}))
    both = pd.concat([runs, runs.assign(variant="repetition=1")])
    curves = pd.DataFrame({"variant": ["", "", "repetition=1"], "data": "one", "seed": 1, "epoch": 1,
                           "learning_rate": [0.1, 0.2, 0.1], "train_loss": [1.0, 2.0, 3.0]})
    assert list(record.chosen(plan, both, curves)["train_loss"]) == [1.0]


def test_variants_that_measure_the_rule_are_named_apart(tmp_path):
    network = {"layers": [{"word": "flatten", "class": "Flatten", "arguments": {}}], "head": []}
    arm = {"variant": "", "data": "one", "classes": 0, "network": network}
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"arms": [arm, arm | {"variant": "repetition=1", "measuring": True}]}))
    shown = record.chain(plan)
    assert "measure the rule, from another start and on half the data: `repetition=1`." in shown
    assert "The others change" not in shown


def test_scores_and_rates_are_means_over_seeds(runs):
    scores = record.scores(runs)
    assert list(scores["learning rate"]) == ["0.1", "0.2"] and list(scores["chosen"]) == ["yes", ""]
    assert list(scores["test error, best epoch"]) == [f"{np.mean([r, 2 * r]):.4f}" for r in (0.1, 0.2)]
    rates = record.rates(runs)
    assert rates.loc[0, "rate 0.1"] == "8.6000" and rates.loc[0, "chosen"] == "0.1"


def test_without_tuning_runs_it_is_said_that_no_rate_was_chosen(runs):
    rates = record.rates(runs[runs["purpose"] == "study"])
    assert rates.to_markdown(index=False).count("none was chosen") == 1
