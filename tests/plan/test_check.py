"""Every network is built and takes one step before anything trains, and once, whatever its name."""

import errno
import resource
import threading

import keras
import pytest

from pipeline.plan import check as check_module
from pipeline.plan.check import check, checked
from pipeline.plan.resolve import resolve
from pipeline.config.errors import ConfigError
from pipeline.config.schema import parse

ABOUT = {
    "waves": {"digest": "1", "shape": [5, 4], "classes": 0, "targets": 1, "train_size": 40},
    "shapes": {"digest": "2", "shape": [7, 2], "classes": 3, "targets": 1, "train_size": 30},
    "table": {"digest": "3", "shape": [6], "classes": 2, "targets": 1, "train_size": 50},
}
PLACE = "params.yaml: experiments.net"


def plans(layers=("dense", "relu"), data="table", **experiments):
    """The plans of `net` and of other experiments."""
    params = parse({
        "data": {"waves": {"group": "sequences", "source": "noise", "seeds": 3},
                 "shapes": {"group": "sequences", "source": "noise", "seeds": 2},
                 "table": {"group": "tables", "source": "tabular", "seeds": 4}},
        "layers": {"conv": {"Conv1D": {"filters": 3, "kernel_size": 3}}, "lstm": {"LSTM": {"units": 3}},
                   "dense": {"Dense": {"units": 4}}, "relu": {"Activation": "relu"}},
        "experiments": {"net": {"data": data, "layers": list(layers)}, **experiments},
        "train": {"epochs": 2, "batch_size": 8, "optimizer": "Adam", "learning_rates": [0.01]}})
    return {name: resolve(params, name, ABOUT) for name in params.experiments}


def message(*arguments):
    with pytest.raises(ConfigError) as error:
        check(*arguments)
    return str(error.value)


def test_a_full_disk_is_no_mistake_of_a_network(monkeypatch):
    class Full(check_module.Trainer):
        def run(self, *arguments, **named):
            try:
                raise OSError(errno.ENOSPC, "No space left on device")
            except OSError as error:
                raise RuntimeError("in user code: File, line 3") from error

    monkeypatch.setattr(check_module, "Trainer", Full)
    plan, = plans().values()
    with pytest.raises(OSError, match="No space left"):
        check(plan, PLACE, {})


@pytest.fixture
def counted(monkeypatch):
    """Counts networks that are built, two of them for a step, and networks that take a compiled step."""
    count = {"built": 0, "steps": 0}
    build, trainer = check_module.model.build, check_module.Trainer

    def counting_build(*arguments, **named):
        # In another thread, a network without weights is only measured.
        count["built"] += threading.current_thread() is threading.main_thread()
        return build(*arguments, **named)

    class CountingTrainer(trainer):
        def run(self, *arguments, **named):
            count["steps"] += 1
            return super().run(*arguments, **named)

    # The trainer builds its network through its own import, so that only the check's count.
    monkeypatch.setattr(check_module, "model", type("model", (), {
        "build": staticmethod(counting_build), "first_lines": staticmethod(check_module.first_lines)}))
    monkeypatch.setattr(check_module, "Trainer", CountingTrainer)
    return count


def test_a_network_is_checked_once_whatever_its_name(counted):
    found = plans(**{f"same_{i}": {"of": "net"} for i in range(300)},
                  note={"of": "net", "note": "another", "epochs": 7, "learning_rates": [0.01, 0.1]},
                  written={"data": "table", "layers": ["dense", "relu"]})
    known = set()
    for name, plan in found.items():
        known |= check(plan, name, known)
    assert counted == {"built": 2, "steps": 1}


def test_what_a_stored_plan_holds_is_known(counted):
    found = plans(other={"of": "net", "set": {"dense.units": 5}})
    known = checked(found["net"])
    assert check(found["net"], PLACE, known) == known and counted == {"built": 0, "steps": 0}
    check(found["other"], PLACE, known)
    assert counted == {"built": 2, "steps": 1}


def test_on_another_shape_a_network_is_built_but_takes_no_other_step(counted):
    found = plans(["conv", "lstm"], "sequences", batch={"of": "net", "batch_size": 4},
                  head={"of": "net", "data": "waves", "head": "relu"})
    known = check(found["net"], PLACE)
    assert counted == {"built": 3, "steps": 1}
    known |= check(found["head"], PLACE, known)
    assert counted == {"built": 4, "steps": 1}
    # A layer may ask for a multiple of something.
    check(found["batch"], PLACE, known)
    assert counted["steps"] == 2


@pytest.mark.parametrize("change", [
    {"set": {"dense.units": 5}}, {"set": {"dense.use_bias": False}}, {"layers": ["relu", "dense"]},
    {"head": "sigmoid"}, {"optimizer": "SGD"}, {"optimizer": {"SGD": {"momentum": 0.5}}}, {"batch_size": 9}])
def test_whatever_building_or_a_step_depends_on_is_checked(change):
    found = plans(other={"of": "net", **change})
    assert not checked(found["other"]) <= checked(found["net"])


@pytest.mark.parametrize("change", [
    {"epochs": 3}, {"learning_rate": 0.1}, {"scaling": "none"},
    {"train_fraction": 0.5}, {"repetition": 1}, {"title": "a title"}])
def test_what_they_do_not_depend_on_is_not(change):
    found = plans(other={"of": "net", **change})
    assert checked(found["other"]) == checked(found["net"])


@pytest.mark.parametrize("edit", [
    lambda plan: plan["versions"].update(keras="0"), lambda plan: plan.update(numerics=0),
    lambda plan: plan.update(custom_layers={"Conv1D": "0"})])
def test_other_code_is_checked_again(edit):
    plan, other = plans(["conv", "lstm"], "waves")["net"], plans(["conv", "lstm"], "waves")["net"]
    edit(other)
    assert not checked(plan) & checked(other)


def test_the_place_and_the_data_set_are_named():
    text = message(plans(["conv"], "sequences")["net"], PLACE)
    assert text.startswith(f"{PLACE}.head: the output needs one vector a ")
    assert text.endswith("(on data set 'waves')")


def test_a_network_that_fits_only_some_of_its_data_sets_is_found():
    text = message(plans(["conv", "Flatten"], ["waves", "table"])["net"], PLACE)
    assert text.startswith(f"{PLACE}.layers[0]: Keras cannot put 'conv' (Conv1D) after shape (None, 6)")
    assert text.endswith("(on data set 'table')")


def test_a_place_that_a_layer_does_not_fit_is_named():
    found = plans(["conv", "lstm"], "waves", anywhere={"of": "net", "everywhere": "GlobalAveragePooling1D"})
    lines = message(found["anywhere"], PLACE).splitlines()
    assert [line.rpartition(" (")[2] for line in lines] == [
        f"variant '{place}', on data set 'waves')" for place in ("first", "after conv_1", "after lstm_1")]


def test_quantiles_of_several_numbers_can_be_trained(monkeypatch):
    monkeypatch.setitem(ABOUT["waves"], "targets", 2)
    plan = plans(["conv", "lstm"], "waves", told={"of": "net", "quantiles": [0.1, 0.5, 0.9]})["told"]
    assert check(plan, PLACE) == checked(plan)


def test_a_network_that_can_be_trained_passes():
    plan = plans()["net"]
    assert check(plan, PLACE) == checked(plan)


@pytest.mark.parametrize(("layers", "data", "words"), [
    ([{"Dense": {"units": 1_000_000}}, {"Dense": {"units": 1_000_000}}], "table",
     "the network has 1000010000002 parameters; allowed: at most 20000000"),
    ([{"RepeatVector": {"n": 1_000_000}}, {"UpSampling1D": {"size": 1_000_000}}, "GlobalAveragePooling1D"], "table",
     "the layers give a batch of 8 samples 48000048000128 numbers; allowed: at most 50000000"),
])
def test_a_network_that_no_machine_holds_is_refused_before_it_has_weights(counted, layers, data, words):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (plan,) = plans(layers, data).values()
    assert words in message(plan, PLACE)
    assert counted == {"built": 0, "steps": 0}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


def test_what_a_measured_network_would_have_needed_is_not_made_later(counted):
    (plan,) = plans([{"Dense": {"units": 1_000_000}}, {"Dense": {"units": 1_000_000}}]).values()
    message(plan, PLACE)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with keras.StatelessScope():
        pass  # When it ends, Keras gives values to all variables that it remembers as without.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes
