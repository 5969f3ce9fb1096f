"""Stored runs, a few of each kind of network, trained again: the same bits where the machine is of the same kind."""

import json
import math
from pathlib import Path

import pytest

import pipeline
from pipeline.cli.verify.certificate import alike
from pipeline.config.schema import load
from pipeline.data.__main__ import arrays_of
from pipeline.data.sources import read, write
from pipeline.plan.resolve import nested
from pipeline.tables.run_record import MEASURES
from pipeline.tables.stored import CURVES_TABLE, RUNS, RUNS_TABLE, read_table
from pipeline.train import executor
from pipeline.train.arm import Arm, DataSet, to_train
from pipeline.train.host import host
from pipeline.train.worker import Job

ROOT = Path(pipeline.__file__).parents[1]
PARAMS = load(ROOT / "params.yaml")
#: Experiment, data set, seed and learning rate of a short run that its seed kept. Together their networks have every
#: class of layer, and every kind of task and optimiser, of the study.
RUNS_OF_EACH_KIND = [
    ("accepted_answer_as_written", "segment", 3000, 0.1),
    ("pooled_body", "road_occupancy", 3013, 0.02),
    ("template", "noise", 3006, 0.06),
    ("cnn_prelu", "digits", 3003, 0.02),
    ("mlp_bn_noise_before_tanh", "storm_kinds", 3008, 0.03),
    ("token_spatial_dropout", "tokens", 3013, 0.006),
    ("average_pool_quarter_data", "word_stress", 3012, 0.06),
    ("ghost_bn_before_lstm[ghost_bn.size=32]", "word_stress", 3002, 0.06),
    ("ln_before_lstm_large_batch", "word_stress", 3013, 0.06),
    ("frozen_bn_after_lstm", "word_stress", 3013, 0.02),
    ("max_pool", "storm_trend", 3011, 0.02),
    ("ln_in_lstm", "word_stress", 3010, 0.02),
    ("bn_in_lstm", "word_stress", 3006, 0.06),
    ("mlp_8_residual[train_fraction=0.125]", "large_satimage", 6001, 0.003)]
#: How far losses may be from the stored ones where the machine is of another kind: relative, after the first epoch, in
#: which rounding has grown little; and the logarithm of the ratio of the test losses.
FIRST, FAR = 0.1, 0.5


def plan_of(name):
    return to_train(json.loads((ROOT / "plan" / f"{name}.json").read_text(encoding="utf-8")))


def split(name):
    experiment, _, variant = name.rstrip("]").partition("[")
    return experiment, variant


def kinds(arm):
    """What a network is made of, what it tells, and how it is trained."""
    optimizer = arm["train"]["optimizer"]
    return {item["class"] for part in arm["network"].values() for item in nested(part)} | {
        optimizer if isinstance(optimizer, str) else next(iter(optimizer)),
        "classes" if arm["task"]["classes"] else "quantiles" if arm["task"]["quantiles"] else "numbers"}


def arm_of(name, data):
    experiment, variant = split(name)
    plan = plan_of(experiment)
    return plan, next(arm for arm in plan["arms"] if (arm["variant"], arm["data"]) == (variant, data))


def test_the_runs_are_of_every_kind_that_the_study_trains():
    trained = set().union(*(kinds(arm) for name in PARAMS.experiments for arm in plan_of(name)["arms"]))
    assert trained == set().union(*(kinds(arm_of(name, data)[1]) for name, data, *_ in RUNS_OF_EACH_KIND))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Name → the record of its run, trained again by the processes that train a study, and its key."""
    folder, jobs = tmp_path_factory.mktemp("project"), {}
    for name, data_set, seed, rate in RUNS_OF_EACH_KIND:
        plan, arm = arm_of(name, data_set)
        if not (path := folder / "data" / f"{data_set}.npz").exists():
            write(arrays_of(PARAMS, data_set), path)
        key = Arm(plan, arm, DataSet(read(path))).key(seed, rate)
        jobs[name] = Job({k: v for k, v in plan.items() if k != "arms"}, arm, ((key, seed, rate),))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setattr(executor, "RUNS_A_PROCESS", 1)
        records = {}
        for _, done in executor.Processes(2).results(list(jobs.values()), {}, None):
            records |= done["records"]
    return {name: (key, records[key]) for name, job in jobs.items() for key, *_ in job.runs}


@pytest.fixture(scope="module")
def same_kind():
    """Whether this machine is of the kind that trained the stored runs; what is not known of it is not assumed."""
    known = [path.stem for path in (ROOT / "timings").glob("*.json")]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return bool(alike(known, host()))


def stored(name, data_set, seed, rate):
    """The stored row of a run, and its curves."""
    experiment, variant = split(name)
    found = []
    for table in (RUNS_TABLE, CURVES_TABLE):
        rows = read_table(ROOT / RUNS / experiment / table)
        found.append(rows[(rows["variant"] == variant) & (rows["data"] == data_set) & (rows["seed"] == seed)
                          & (rows["learning_rate"] == rate)])
    row, = found[0].to_dict("records")
    return row, {"train_curve": found[1]["train_loss"].tolist(), "validation_curve": found[1]["validation_loss"].tolist()}


@pytest.mark.parametrize(("name", "data_set", "seed", "rate"), RUNS_OF_EACH_KIND)
def test_a_stored_run_is_trained_again_to_the_bit(trained, same_kind, name, data_set, seed, rate):
    row, curves = stored(name, data_set, seed, rate)
    key, found = trained[name]
    assert key == row["key"] and row["chosen"]
    if same_kind:
        expected = {measure: row[measure] for measure in MEASURES} | curves
        assert json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)
        return
    assert found["parameters"] == row["parameters"] and found["test_size"] == row["test_size"]
    for measure in ("trivial_error", "trivial_loss", "trivial_validation_loss"):
        assert found[measure] == pytest.approx(row[measure], rel=1e-5)
    for curve, losses in curves.items():
        assert found[curve][0] == pytest.approx(losses[0], rel=FIRST)
    assert abs(math.log(found["best_loss"] / row["best_loss"])) < FAR
