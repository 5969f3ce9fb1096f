"""Plans: what stands in them, and so what is trained again after an edit."""

import copy
import json

import pytest

from pipeline.plan.code import NUMERICS
from pipeline.plan.resolve import check_optimizer, resolve
from pipeline.config.errors import ConfigError
from pipeline.config.schema import parse
from pipeline.config.task import Task

CONTENT = {
    "data": {
        "waves": {"group": "sequences", "source": "noise", "seeds": 3},
        "shapes": {"group": "sequences", "source": "noise", "seeds": 2, "train": {"epochs": 5}},
        "table": {"group": "tables", "source": "tabular", "seeds": 4},
    },
    "layers": {
        "conv": {"Conv1D": {"filters": 3, "kernel_size": 3, "padding": "causal"}},
        "lstm": {"LSTM": {"units": 3}},
        "bn": "BatchNormalization",
        "relu": {"Activation": "relu"},
        "dense": {"Dense": {"units": 4}},
        "se": {"SqueezeExcite": {"ratio": 2}},
    },
    "experiments": {
        "cnn": {"data": "sequences", "layers": ["conv", "relu", "lstm"]},
        "cnn_bn": {"data": "waves", "layers": ["conv", "bn", "relu", "lstm"], "versus": "cnn"},
        "mlp": {"data": "table", "layers": ["dense", "relu"]},
        "excite": {"data": "waves", "layers": ["conv", "se", "lstm"], "versus": "cnn"},
    },
    "train": {"epochs": 2, "batch_size": 8, "optimizer": "Adam", "learning_rates": [0.01]},
}
ABOUT = {
    "waves": {"digest": "1", "shape": [5, 4], "classes": 0, "targets": 1, "train_size": 40},
    "shapes": {"digest": "2", "shape": [7, 2], "classes": 3, "targets": 1, "train_size": 30},
    "table": {"digest": "3", "shape": [6], "classes": 2, "targets": 1, "train_size": 50},
}


def content(**changes):
    """The content with changes: `experiments__mlp__epochs=3` sets the entry of that path."""
    changed = copy.deepcopy(CONTENT)
    for path, value in changes.items():
        *way, last = path.split("__")
        place = changed
        for key in way:
            place = place[key]
        place[last] = value
    return changed


def plans(about=ABOUT, **changes):
    params = parse(content(**changes))
    return {name: resolve(params, name, about) for name in params.experiments}


def changed(about=ABOUT, **changes):
    """The experiments whose plans differ from those of the content as it stands."""
    before, after = plans(), plans(about, **changes)
    return {name for name in after if after[name] != before.get(name)}


def message(call, *arguments, **named):
    with pytest.raises(ConfigError) as error:
        call(*arguments, **named)
    return str(error.value)


# --- sweeps ------------------------------------------------------------------------------------

@pytest.mark.parametrize(("vary", "parts"), [
    ({"conv.filter": [1]}, ["layers[0]: layer 'Conv1D' has no argument 'filter'",
                            "did you mean 'filters'?"]),
    ({"learning_rate": [-0.5]}, ["vary", "learning_rate", "found -0.5", "allowed: a number above 0"]),
    ({"batch_size": ["many"]}, ["vary", "batch_size", "found 'many'", "allowed: a whole number"]),
    ({"epochs": [0]}, ["vary", "epochs", "found 0", "allowed: a number of at least 1"]),
])
def test_a_bad_value_of_a_sweep(vary, parts):
    found = message(plans, experiments__excite__vary=vary)
    assert found.startswith("params.yaml: experiments.excite.")
    assert "Value error" not in found
    for part in parts:
        assert part in found


# --- plans -------------------------------------------------------------------------------------

def test_a_plan_substitutes_the_vocabulary_and_merges_training_values():
    found = plans(experiments__cnn__batch_size=4)["cnn"]
    assert found["experiment"] == "cnn"
    assert [(arm["data"], arm["shape"], arm["task"]["classes"]) for arm in found["arms"]] == [
        ("waves", [5, 4], 0), ("shapes", [7, 2], 3)]
    assert [(arm["train"]["epochs"], arm["train"]["batch_size"]) for arm in found["arms"]] == [
        (2, 4), (5, 4)]
    assert found["arms"][0]["network"]["layers"] == [
        {"word": "conv", "class": "Conv1D",
         "arguments": {"filters": 3, "kernel_size": 3, "padding": "causal"}},
        {"word": "relu", "class": "Activation", "arguments": {"activation": "relu"}},
        {"word": "lstm", "class": "LSTM", "arguments": {"units": 3}}]
    assert found["data"] == {"waves": {"digest": "1", "seeds": 3},
                             "shapes": {"digest": "2", "seeds": 2}}
    assert json.loads(json.dumps(found)) == found


def test_a_plan_says_what_is_asked_of_the_network():
    about = ABOUT | {"waves": ABOUT["waves"] | {"targets": 3}}
    found = plans(about, experiments__new={"of": "cnn", "data": "waves", "quantiles": [0.1, 0.9]})
    assert [arm["task"] for arm in found["cnn"]["arms"]] == [
        {"classes": 0, "targets": 3, "quantiles": []}, {"classes": 3, "targets": 1, "quantiles": []}]
    arm, = found["new"]["arms"]
    assert arm["task"] == {"classes": 0, "targets": 3, "quantiles": [0.1, 0.9]}
    assert (Task.of(arm), Task.of(arm).outputs) == (Task(0, 3, (0.1, 0.9)), 6)


@pytest.mark.parametrize(("quantiles", "data", "part"), [
    ([0.1, 0.9], "sequences", "quantiles: found [0.1, 0.9], but 'shapes' has classes"),
    ([0.9, 0.1], "waves", "quantiles: found [0.9, 0.1]; allowed: each once, from the least on"),
    ([0.5, 1.0], "waves", "quantiles[1]: found 1.0; allowed: a number below 1"), ([], "waves", "at least 1 entry")])
def test_quantiles_that_cannot_be_told(quantiles, data, part):
    assert part in message(plans, experiments__cnn__quantiles=quantiles, experiments__cnn__data=data)


def test_a_plan_is_deterministic():
    assert plans() == plans()


def test_a_sweep_has_an_arm_for_each_variant_and_data_set():
    arms = plans(experiments__new={"of": "cnn", "vary": {"lstm.units": [2, 4]}})["new"]["arms"]
    assert [(arm["variant"], arm["data"], arm["network"]["layers"][2]["arguments"]["units"])
            for arm in arms] == [("lstm.units=2", "waves", 2), ("lstm.units=2", "shapes", 2),
                                 ("lstm.units=4", "waves", 4), ("lstm.units=4", "shapes", 4)]


@pytest.mark.parametrize(("change", "experiments"), [
    ({"layers__conv": {"Conv1D": {"filters": 4, "kernel_size": 3}}}, {"cnn", "cnn_bn", "excite"}),
    ({"layers__bn": {"BatchNormalization": {"momentum": 0.9}}}, {"cnn_bn"}),
    ({"layers__dense": {"Dense": {"units": 5}}}, {"mlp"}),
    ({"layers__unused": "Flatten"}, set()),
    ({"experiments__mlp__note": "a note"}, set()),
    ({"experiments__mlp__title": "a title"}, set()),
    ({"experiments__excite__versus": "cnn_bn"}, set()),
    ({"data__table__title": "a title"}, set()),
    ({"verdicts": {"margin": 0.2}}, set()),
    ({"experiments__new": {"data": "table", "layers": ["dense"]}}, {"new"}),
    ({"experiments__mlp__epochs": 3}, {"mlp"}),
    ({"data__table__seeds": 5}, {"mlp"}),
    ({"data__shapes__train": {"epochs": 6}}, {"cnn"}),
    ({"train__epochs": 3}, {"cnn", "cnn_bn", "mlp", "excite"}),
])
def test_an_edit_changes_the_plans_it_concerns(change, experiments):
    assert changed(**change) == experiments


def test_another_file_of_data_changes_the_plans_that_use_it():
    about = ABOUT | {"shapes": ABOUT["shapes"] | {"digest": "9"}}
    assert changed(about) == {"cnn"}


def test_the_code_is_named_by_a_number_that_no_edit_of_the_code_changes():
    found = plans()
    assert {plan["numerics"] for plan in found.values()} == {NUMERICS}
    assert not any("custom_layers" in plan for plan in found.values())


def test_a_swept_argument_goes_first_where_the_list_gives_it_too():
    arms = plans(experiments__new={"of": "cnn", "set": {"lstm.units": 9}, "vary": {"lstm.units": [2, 4]}})["new"]["arms"]
    assert [arm["network"]["layers"][2]["arguments"] for arm in arms[::2]] == [{"units": 2}, {"units": 4}]


def test_everywhere_has_an_arm_for_each_place_and_data_set():
    found = plans(experiments__new={"of": "cnn", "everywhere": ["bn", "se"]})["new"]
    assert [(arm["variant"], arm["data"], [item["word"] for item in arm["network"]["layers"]])
            for arm in found["arms"]] == [
        (place, data, layers) for place, layers in (
            ("first", ["bn", "se", "conv", "relu", "lstm"]),
            ("after conv_1", ["conv", "bn", "se", "relu", "lstm"]),
            ("after relu_1", ["conv", "relu", "bn", "se", "lstm"]),
            ("after lstm_1", ["conv", "relu", "lstm", "bn", "se"])) for data in ("waves", "shapes")]
    assert not any("measuring" in arm for arm in found["arms"])


def test_a_control_is_trained_from_another_start_and_on_half_the_data_behind_its_own_arms():
    before, after = plans()["cnn"], plans(verdicts={"controls": ["cnn"]})["cnn"]
    own, more = after["arms"][:2], after["arms"][2:]
    assert own == before["arms"] and {**after, "arms": own} == before
    assert [(arm["variant"], arm["data"], arm["measuring"]) for arm in more] == [
        (variant, data, True) for variant in ("repetition=1", "train_fraction=0.5") for data in ("waves", "shapes")]
    for one, arm in zip(own * 2, more, strict=True):
        key = "repetition" if arm["variant"] == "repetition=1" else "train_fraction"
        value = {"repetition": 1, "train_fraction": 0.5}[key]
        assert arm == one | {"variant": arm["variant"], "measuring": True, "train": one["train"] | {key: value}}


def test_the_control_of_a_sweep_is_one_of_its_variants():
    found = plans(experiments__excite__vary={"batch_size": [4, 8]},
                  verdicts={"controls": ["excite[batch_size=8]"]})["excite"]
    assert [(arm["variant"], arm["train"]["batch_size"]) for arm in found["arms"]] == [
        ("batch_size=4", 4), ("batch_size=8", 8), ("batch_size=8,repetition=1", 8),
        ("batch_size=8,train_fraction=0.5", 8)]


def test_another_name_of_an_experiment_changes_nothing_but_the_name():
    found = plans(experiments__same={"of": "cnn"}, experiments__written_out={
        "data": "sequences", "layers": ["conv", "relu", "lstm"]})
    assert {**found["same"], "experiment": ""} == {**found["written_out"], "experiment": ""} == {
        **found["cnn"], "experiment": ""}


# --- heads -------------------------------------------------------------------------------------

def heads(**changes):
    return {arm["data"]: [(item["class"], item["arguments"]) for item in arm["network"]["head"]]
            for name in ("cnn", "mlp") for arm in plans(**changes)[name]["arms"]}


def test_the_head_follows_the_task():
    softmax = [("Activation", {"activation": "softmax"})]
    assert heads() == {"waves": [], "shapes": softmax, "table": softmax}


def test_an_experiment_may_say_its_head():
    assert heads(experiments__cnn__head="sigmoid")["waves"] == [("Activation", {"activation": "sigmoid"})]
    assert heads(experiments__mlp__head=["bn", "Softmax"])["table"] == [
        ("BatchNormalization", {}), ("Softmax", {})]


def test_an_unknown_activation_of_a_head():
    found = message(plans, experiments__cnn__head="rellu")
    assert found.startswith("params.yaml: experiments.cnn.head: unknown activation 'rellu'; "
                            "allowed: ")
    assert "sigmoid" in found and "; did you mean 'relu'?" in found


# --- mistakes that only data or Keras show -----------------------------------------------------

def test_a_batch_larger_than_the_training_split():
    assert message(plans, experiments__mlp__batch_size=51) == (
        "params.yaml: experiments.mlp: batch_size 51 is more than the 50 training samples of "
        "'table'")
    found = message(plans, experiments__mlp__batch_size=26, experiments__mlp__train_fraction=0.5)
    assert "26 is more than the 25 training samples" in found
    # 0.55 of 50 is 27.5, of which loading keeps 28
    plans(experiments__mlp__batch_size=28, experiments__mlp__train_fraction=0.55)


def test_unknown_words_are_found_before_anything_is_built():
    found = message(plans, experiments__mlp__layers=["dense", "rellu"])
    assert found.startswith("params.yaml: experiments.mlp.layers[1]: unknown word or layer 'rellu'")
    assert found.endswith("did you mean 'relu'?")


@pytest.mark.parametrize(("change", "where"), [
    ({"before": {"relu": "rellu"}}, "before.relu"),
    ({"after": {"conv": ["bn", "rellu"]}}, "after.conv"),
    ({"replace": {"relu": "rellu"}}, "replace.relu"),
    ({"layers": ["rellu"]}, "layers[0]"),
    ({"layers": ["relu", {3: ["bn", "rellu"]}]}, "layers[1].3[1]"),
    ({"layers": ["relu", "rellu"], "everywhere": "bn"}, "layers[1]"),
    ({"everywhere": "rellu"}, "everywhere"),
])
def test_an_unknown_word_of_a_change_is_named_where_it_was_written(change, where):
    found = message(plans, experiments__new={"of": "cnn", **change})
    assert found.startswith(f"params.yaml: experiments.new.{where}: unknown word or layer 'rellu'; allowed: ")
    assert found.endswith("did you mean 'relu'?")


def test_an_unknown_argument_of_a_change_is_named_where_it_was_written():
    found = message(plans, experiments__new={"of": "cnn", "set": {"lstm.unit": 3}})
    assert found.startswith("params.yaml: experiments.new.set: layer 'LSTM' has no argument 'unit'; allowed: ")
    assert found.endswith("did you mean 'units'?")


@pytest.mark.parametrize("spec, words", [
    ("Adm", ["unknown optimiser 'Adm'", "did you mean 'Adam'"]),
    ({"SGD": {"momentun": 0.9}}, ["no argument 'momentun'", "did you mean 'momentum'"]),
    ({"SGD": {"learning_rate": 0.9}}, ["may not be given 'learning_rate'", "set by learning_rate"]),
])
def test_an_optimiser_that_keras_does_not_have_is_refused(spec, words):
    with pytest.raises(ConfigError) as caught:
        check_optimizer(spec, "params.yaml: train.optimizer")
    for word in ["params.yaml: train.optimizer", *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize("spec", ["adam", "Nadam", {"SGD": {"momentum": 0.9, "nesterov": True}}])
def test_an_optimiser_of_keras_is_accepted(spec):
    check_optimizer(spec, "params.yaml: train.optimizer")
