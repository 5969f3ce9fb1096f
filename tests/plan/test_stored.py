"""The study's plans name the runs that are stored, whatever file and name they were written under."""

import csv
from pathlib import Path

import pytest

import pipeline
from pipeline.data.__main__ import arrays_of
from pipeline.data.split import load as load_split
from pipeline.plan.resolve import resolve
from pipeline.tables.stored import RUNS_TABLE
from pipeline.config.schema import load
from pipeline.train.arm import Arm, DataSet

ROOT = Path(pipeline.__file__).parents[1]
PARAMS = load(ROOT / "params.yaml")
SEED = 3000
#: Changes of every kind, and controls; on data sets that are made in a moment.
SAMPLE = {
    "cnn_lstm": "word_stress", "bn_before_relu": "word_stress", "recurrent_dropout": "word_stress",
    "stacked_lstm": "word_stress", "selu_recipe_glorot": "word_stress", "extra_conv": "word_stress",
    "mlp_plain": "vehicle", "mlp_tanh": "vehicle", "mlp_bn_before_tanh": "vehicle", "mlp_bn_on_softmax": "vehicle",
    "mlp_plain_bn_after": "vehicle", "mlp_imbalanced": "imbalanced",
    "many_class_mlp": "many_classes", "many_class_mlp_without_bn": "many_classes", "cnn_relu": "digits",
    "token_cnn_lstm": "tokens", "standardised_input": "badly_scaled", "bn_input": "badly_scaled",
    "template_without_bn": "positive_forecast", "mlp_bn_depth_8": "tabular"}
MEASURED = [name for name in SAMPLE if name not in PARAMS.being_measured]


@pytest.fixture(scope="module")
def stored():
    """The key of every stored run."""
    keys = set()
    for path in (ROOT / "results/runs").glob(f"*/{RUNS_TABLE}"):
        with path.open(encoding="utf-8", newline="") as file:
            keys |= {row["key"] for row in csv.DictReader(file)}
    return keys


@pytest.fixture(scope="module")
def arrays():
    return {data: arrays_of(PARAMS, data) for data in {*SAMPLE.values()}}


def arms(name, data, arrays):
    """The arms of an experiment's plan on one data set."""
    split = load_split(arrays[data], SEED)
    about = {data: {"digest": "", "shape": list(split.x_train.shape[1:]), "classes": split.classes, "targets": 1,
                    "train_size": len(split.x_train)}}
    experiment = PARAMS.experiments[name].model_copy(update={"data": data})
    only = PARAMS.model_copy(update={"experiments": {name: experiment}})
    plan = resolve(only, name, about)
    return plan["arms"], [Arm(plan, arm, DataSet(arrays[data])) for arm in plan["arms"]]


@pytest.mark.parametrize("name", MEASURED)
def test_every_variant_of_an_experiment_has_its_run_in_the_tables(name, stored, arrays):
    # Arms that measure the rule among them: every arm has a run of every seed at every rate.
    _, found = arms(name, SAMPLE[name], arrays)
    assert [arm.place["variant"] for arm in found] == list(PARAMS.variants(name, measuring=True))
    for arm in found:
        for rate, key in arm.keys(SEED).items():
            assert key in stored, (arm.place["variant"], rate)


def test_what_is_being_measured_has_no_runs():
    for name in PARAMS.being_measured:
        table = (ROOT / "results/runs" / name / RUNS_TABLE).read_text(encoding="utf-8")
        assert len(table.splitlines()) == 1, name


def test_every_control_has_two_measuring_arms_of_other_runs(arrays):
    for control in PARAMS.controls:
        name = control.partition("[")[0]
        planned, found = arms(name, SAMPLE[name], arrays)
        assert sum(bool(arm.get("measuring")) for arm in planned) == 2
        keys = {key for arm in found for key in arm.keys(SEED).values()}
        assert len(keys) == sum(len(arm.rates) for arm in found)
