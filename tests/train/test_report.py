"""What a lab record shows is what the tables and the network say."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.tables.stored import COLUMNS, LAYERS_TABLE, write_tables
from pipeline.train import report
from pipeline.train.report import chain

LAYERS = [{"word": "dense", "class": "Dense", "arguments": {"units": 3}},
          {"word": "bn", "class": "BatchNormalization", "arguments": {}}]


@pytest.fixture
def plan_file(tmp_path):
    arms = [{"variant": variant, "data": data, "shape": [4], "task": {"classes": 2, "targets": 1, "quantiles": []},
             "network": {"layers": LAYERS, "head": []}}
            for variant in ("rate=1", "rate=2") for data in ("one", "two")]
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"arms": arms}))
    return path


@pytest.fixture
def runs():
    """Four seeds at three rates; the last seed's run was ended by the limit."""
    rows = [{"seed": seed, "learning_rate": rate, "chosen": rate == kept, "best_error": seed * rate,
             "best_epoch": seed, "stopped": 10 * seed, "hit_limit": seed == 4}
            for seed, kept in ((1, 0.1), (2, 0.2), (3, 0.4), (4, 0.4)) for rate in (0.1, 0.2, 0.4)]
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
    summary = report.summary(tmp_path)
    assert list(summary.columns) == ["layer", "class", "output shape", "parameters"]
    assert list(summary["layer"]) == ["dense_1", "bn_1"] and list(summary["parameters"]) == [15, 12]


def test_curves_are_those_of_what_is_asked_with_the_best_epochs_of_their_runs(tmp_path, runs):
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"arms": [{"variant": ""}, {"variant": "repetition=1", "measuring": True}]}))
    rows = [{"variant": variant, "data": "one", "seed": seed, "learning_rate": rate, "epoch": epoch}
            for variant in ("", "repetition=1") for seed, rate in ((1, 0.1), (4, 0.4)) for epoch in (1, 2)]
    found = report.learning_curves_of(plan, runs, pd.DataFrame(rows))
    assert found[["variant", "seed", "epoch", "best_epoch"]].to_numpy().tolist() == [
        ["", 1, 1, 1], ["", 1, 2, 1], ["", 4, 1, 4], ["", 4, 2, 4]]


def test_variants_that_measure_the_rule_are_named_apart(tmp_path):
    network = {"layers": [{"word": "flatten", "class": "Flatten", "arguments": {}}], "head": []}
    arm = {"variant": "", "data": "one", "task": {"classes": 0, "targets": 1, "quantiles": []}, "network": network}
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"arms": [arm, arm | {"variant": "repetition=1", "measuring": True}]}))
    shown = report.chain(plan)
    assert "measure the rule, from another start and on half the data: `repetition=1`." in shown
    assert "The others change" not in shown


def test_scores_are_means_of_the_chosen_runs(runs):
    scores, = report.scores(runs).to_dict("records")
    assert scores["seeds"] == 4
    assert scores["test error, best epoch"] == f"{np.mean([1 * 0.1, 2 * 0.2, 3 * 0.4, 4 * 0.4]):.4f}"


def test_rates_are_counted_and_the_edges_share_is_said(runs):
    other = runs[runs["learning_rate"] == 0.2].assign(variant="fixed", chosen=True)
    wider = pd.concat([runs, runs[runs["learning_rate"] == 0.1].assign(learning_rate=0.05, chosen=False)])
    assert report.rates(pd.concat([runs, other])).to_dict("records") == [
        {"variant": "", "data": "one", "rate 0.1": "1", "rate 0.2": "1", "rate 0.4": "2", "at an edge": "75%"}]
    both = report.rates(pd.concat([runs, wider.assign(data="two")]))
    assert list(both.columns) == ["variant", "data", "rate 0.05", "rate 0.1", "rate 0.2", "rate 0.4", "at an edge"]
    assert list(both["rate 0.05"]) == ["", "0"] and list(both["at an edge"]) == ["75%", "50%"]


def test_how_long_runs_were_and_which_share_the_limit_ended(runs):
    assert report.epochs(runs).to_dict("records") == [{
        "variant": "", "data": "one", "best epoch, median": "2.5", "epochs, median": "25", "epochs, most": 40,
        "reached the limit": "25%"}]


def test_of_a_fixed_rate_it_is_said_that_none_was_chosen(runs):
    rates = report.rates(runs[runs["learning_rate"] == 0.1])
    assert rates.to_markdown(index=False).count("none was chosen") == 1
