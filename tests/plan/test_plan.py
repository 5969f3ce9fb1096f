"""Plans: what stands in them, and so what is trained again after an edit."""

import copy
import json
import textwrap
from pathlib import Path

import pytest

import pipeline
from pipeline.plan.__main__ import main, tidy
from pipeline.plan.check import check
from pipeline.plan.code import LAYERS, PACKAGE, digest, pins
from pipeline.plan.resolve import check_optimizer, resolve, variants
from pipeline.spec.base import ConfigError, validate
from pipeline.spec.params import Experiment, Params

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
    "train": {"epochs": 2, "batch_size": 8, "optimizer": "Adam", "learning_rate": 0.01,
              "learning_rates": [0.01], "tuning_seeds": 2},
}
ABOUT = {
    "waves": {"digest": "1", "shape": [5, 4], "classes": 0, "train_size": 40},
    "shapes": {"digest": "2", "shape": [7, 2], "classes": 3, "train_size": 30},
    "table": {"digest": "3", "shape": [6], "classes": 2, "train_size": 50},
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
    params = validate("params.yaml", Params, content(**changes))
    return {name: resolve(params, name, about) for name in params.experiments}


def changed(about=ABOUT, **changes):
    """The experiments whose plans differ from those of the content as it stands."""
    before, after = plans(), plans(about, **changes)
    return {name for name in after if after[name] != before.get(name)}


def message(call, *arguments, **named):
    with pytest.raises(ConfigError) as error:
        call(*arguments, **named)
    return str(error.value)


# --- digests of code ---------------------------------------------------------------------------

MODULE = '''
"""A module."""
import math

FACTOR = 2
OTHER = 3
TYPED: int = 4


def helper(x):
    """Helps."""
    return FACTOR * x  # a comment


def decides(x):
    """Decides."""
    return helper(x) + math.pi


def unused(x):
    return OTHER * x


class Base:
    """A base."""

    def way(self):
        """A way."""
        return TYPED


class Kind(Base):
    """Only words."""
'''


@pytest.mark.parametrize(("old", "new", "same"), [
    ("  # a comment", "", True),
    ('"""Decides."""', '"""Decides,\n    at length."""', True),
    ('    """Decides."""\n', "", True),
    ('"""A module."""', '"""Another."""', True),
    ("\n\n\ndef unused", "\n\n\n\n\n\ndef unused", True),
    ("OTHER * x", "OTHER + x", True),
    ("OTHER = 3", "OTHER = 4", True),
    ("return helper(x) + math.pi", "return (helper(x)\n            + math.pi)", True),
    ("+ math.pi", "- math.pi", False),
    ("FACTOR * x", "FACTOR + x", False),
    ("FACTOR = 2", "FACTOR = 5", False),
    ('        """A way."""\n', "", True),
    ("return TYPED", "return -TYPED", False),
    ("TYPED: int = 4", "TYPED: int = 5", False),
])
def test_digest_follows_what_is_used(tmp_path, old, new, same):
    before, after = tmp_path / "before.py", tmp_path / "after.py"
    assert MODULE.count(old) == 1
    before.write_text(MODULE)
    after.write_text(MODULE.replace(old, new))
    names = ("decides", "Kind")
    assert (digest([before], names) == digest([after], names)) is same


def test_digest_of_different_definitions_differs(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(MODULE)
    found = [digest([path], names) for names in (("helper",), ("decides",), ("unused",))]
    assert len(set(found)) == 3
    assert digest([path], ("decides", "unused")) == digest([path], ("unused", "decides"))


def test_digest_of_no_definition_is_an_error(tmp_path):
    (tmp_path / "module.py").write_text(MODULE)
    with pytest.raises(KeyError):
        digest([tmp_path / "module.py"], ("gone",))


def test_pins_are_read_from_the_lock_file(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text(textwrap.dedent("""\
        keras==3.1 ; python_version >= '3.11'
            # via tensorflow
        numpy==2.0.1
        tensorflow==2.17
        tensorflow-extra==9
        """))
    assert pins(path) == {"tensorflow": "2.17", "keras": "3.1", "numpy": "2.0.1"}
    path.write_text("keras==3.1\n")
    assert message(pins, path) == f"{path}: no pinned version of tensorflow, numpy"


# --- sweeps ------------------------------------------------------------------------------------

def swept(vary, layers=("conv", "lstm", "BatchNormalization")):
    experiment = Experiment(data="waves", layers=list(layers), vary=vary)
    return variants(experiment, CONTENT["layers"], "here")


def test_no_sweep_is_one_variant():
    assert swept(None) == [("", {}, CONTENT["layers"])]


def test_a_training_value_is_swept():
    assert swept({"batch_size": [4, 8]}) == [
        ("batch_size=4", {"batch_size": 4}, CONTENT["layers"]),
        ("batch_size=8", {"batch_size": 8}, CONTENT["layers"])]


def test_an_argument_of_a_word_is_swept():
    found = swept({"lstm.units": [2, 4]})
    assert [(label, training) for label, training, _ in found] == [("lstm.units=2", {}),
                                                                   ("lstm.units=4", {})]
    for (_, _, words), units in zip(found, (2, 4), strict=True):
        assert words == CONTENT["layers"] | {"lstm": {"LSTM": {"units": units}}}
    assert CONTENT["layers"]["lstm"] == {"LSTM": {"units": 3}}


def test_an_argument_of_a_class_name_is_swept():
    [(_, _, words)] = swept({"BatchNormalization.momentum": [0.9]})
    assert words["BatchNormalization"] == {"BatchNormalization": {"momentum": 0.9}}


def test_several_keys_make_the_grid():
    found = swept({"batch_size": [4, 8], "lstm.units": [2, 5]})
    assert [(label, training, words["lstm"]["LSTM"]["units"])
            for label, training, words in found] == [
        ("batch_size=4,lstm.units=2", {"batch_size": 4}, 2),
        ("batch_size=4,lstm.units=5", {"batch_size": 4}, 5),
        ("batch_size=8,lstm.units=2", {"batch_size": 8}, 2),
        ("batch_size=8,lstm.units=5", {"batch_size": 8}, 5)]


def test_two_arguments_of_one_word_are_both_changed():
    found = swept({"lstm.units": [2, 5], "lstm.dropout": [0.0, 0.3]})
    assert [(label, words["lstm"]["LSTM"]) for label, _, words in found] == [
        (f"lstm.units={units},lstm.dropout={rate}", {"units": units, "dropout": rate})
        for units in (2, 5) for rate in (0.0, 0.3)]


@pytest.mark.parametrize(("key", "near"), [
    ("batchsize", "batch_size"), ("lstmm.units", None), ("dense.units", None), ("epoch", "epochs")])
def test_an_unknown_key_of_a_sweep(key, near):
    found = message(swept, {key: [1]})
    assert found.startswith(f"here.vary: unknown key '{key}'; allowed: epochs, batch_size, ")
    if near:
        assert found.endswith(f"did you mean '{near}'?")


@pytest.mark.parametrize(("vary", "parts"), [
    ({"conv.filter": [1]}, ["layers[0]: layer 'Conv1D' has no argument 'filter'",
                            "did you mean 'filters'?"]),
    ({"learning_rate": [-0.5]}, ["vary", "learning_rate", "found -0.5", "allowed: a number above 0"]),
    ({"batch_size": ["many"]}, ["vary", "batch_size", "found 'many'", "allowed: a whole number"]),
    ({"epochs": [0]}, ["vary", "epochs", "found 0", "allowed: a number of at least 1"]),
])
def test_a_bad_value_of_a_sweep(vary, parts):
    found = message(plans, experiments__cnn__vary=vary)
    assert found.startswith("params.yaml: experiments.cnn.")
    assert "Value error" not in found
    for part in parts:
        assert part in found


# --- plans -------------------------------------------------------------------------------------

def test_a_plan_substitutes_the_vocabulary_and_merges_training_values():
    found = plans(experiments__cnn__batch_size=4)["cnn"]
    assert found["experiment"] == "cnn"
    assert [(arm["data"], arm["shape"], arm["classes"]) for arm in found["arms"]] == [
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


def test_a_plan_is_deterministic():
    assert plans() == plans()


def test_a_sweep_has_an_arm_for_each_variant_and_data_set():
    arms = plans(experiments__cnn__vary={"lstm.units": [2, 4]})["cnn"]["arms"]
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
    ({"experiments__mlp__versus": "cnn"}, set()),
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


def test_a_layer_of_ours_stands_in_the_code_only_where_it_is_used():
    used = {name: set(found["code"]["layers"]) for name, found in plans().items()}
    assert used == {"cnn": {"Conv1D", "LSTM"}, "cnn_bn": {"Conv1D", "LSTM"}, "mlp": set(),
                    "excite": {"Conv1D", "LSTM", "SqueezeExcite"}}
    nested = plans(experiments__cnn__layers=[{"TimeDistributed": {"layer": "dense"}}, "lstm"],
                   layers__dense={"SqueezeExcite": {"ratio": 2}})
    assert set(nested["cnn"]["code"]["layers"]) == {"LSTM", "SqueezeExcite"}


def test_the_code_of_a_layer_is_followed_into_the_other_files(tmp_path):
    """Ours of Dropout draws its mask by a function of another file."""
    files = [PACKAGE / file for file in LAYERS]
    before = digest(files, ("Dropout",)), digest(files, ("Conv1D",))
    copies = [tmp_path / file.name for file in files]
    for file, copy in zip(files, copies, strict=True):
        copy.write_text(file.read_text())
    assert (digest(copies, ("Dropout",)), digest(copies, ("Conv1D",))) == before
    noise = next(copy for copy in copies if copy.name == "noise.py")
    noise.write_text(noise.read_text().replace("2**31 - 1", "2**30"))
    after = digest(copies, ("Dropout",)), digest(copies, ("Conv1D",))
    assert after[0] != before[0] and after[1] == before[1]


def test_how_a_rate_is_chosen_is_part_of_the_plan_but_of_no_run():
    found = plans()["mlp"]
    assert set(found["tables"]) == {"train", "config"}
    assert set(found["code"]) == {"data", "model", "train", "results", "layers"}


# --- heads -------------------------------------------------------------------------------------

def heads(**changes):
    return {arm["data"]: [(item["class"], item["arguments"]) for item in arm["network"]["head"]]
            for name in ("cnn", "mlp") for arm in plans(**changes)[name]["arms"]}


def test_the_head_follows_the_task():
    softmax = [("Activation", {"activation": "softmax"})]
    assert heads() == {"waves": [], "shapes": softmax, "table": softmax}


def test_an_experiment_may_say_its_head():
    assert heads(experiments__cnn__head="relu")["waves"] == [("Activation", {"activation": "relu"})]
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


def test_check_names_the_place_and_the_data_set():
    found = plans(experiments__cnn__layers=["conv"])["cnn"]
    text = message(check, found, "params.yaml: experiments.cnn")
    assert text.startswith("params.yaml: experiments.cnn.head: the output needs one vector a ")
    assert text.endswith("(on data set 'waves')")


def test_check_finds_a_network_that_fits_only_some_of_its_data_sets():
    found = plans(experiments__cnn__data=["waves", "table"],
                  experiments__cnn__layers=["conv", "Flatten"])["cnn"]
    text = message(check, found, "params.yaml: experiments.cnn")
    assert text.startswith("params.yaml: experiments.cnn.layers[0]: Keras cannot put 'conv' "
                           "(Conv1D) after shape (None, 6)")
    assert text.endswith("(on data set 'table')")


def test_an_unknown_optimizer_is_named_before_anything_is_built():
    text = message(plans, train__optimizer="Adamm")
    assert "unknown optimiser 'Adamm'" in text and "did you mean 'Adam'" in text


def test_check_runs_a_step_of_a_network_that_can_be_trained():
    check(plans()["mlp"], "params.yaml: experiments.mlp")


# --- the command -------------------------------------------------------------------------------

def test_the_command_reports_one_mistake_and_keeps_what_is_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["plan", "--check"])
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "old.json").write_text("{}")
    (tmp_path / "params.yaml").write_text("experiments: {}\n")
    assert main() == 1
    assert capsys.readouterr().err.startswith("error: params.yaml: ")
    assert (tmp_path / "plan" / "old.json").exists()


def test_the_list_that_dvc_reads_must_be_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["plan", "--check"])
    text = (Path(pipeline.__file__).parents[1] / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.partition("\nprobe:")[0] + "\n")
    assert main() == 1
    assert "params.yaml: probe.experiments: missing; allowed: a list" in capsys.readouterr().err


def test_tidying_removes_what_is_not_kept(tmp_path):
    for name in ("cnn", "cnn_bn", "mlp"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "runs.csv").write_text("")
    (tmp_path / "note.txt").write_text("")
    tidy(tmp_path, {"cnn": {}, "other": {}})
    assert {path.name for path in tmp_path.iterdir()} == {"cnn", "note.txt"}
    assert (tmp_path / "cnn" / "runs.csv").exists()
    for name in ("cnn.json", "gone.json"):
        (tmp_path / name).write_text("{}")
    tidy(tmp_path, {"cnn", "other"})
    assert {path.name for path in tmp_path.iterdir()} == {"cnn", "cnn.json", "note.txt"}
    tidy(tmp_path / "absent", [])


@pytest.mark.parametrize("spec, words", [
    ("Adm", ["unknown optimiser 'Adm'", "did you mean 'Adam'"]),
    ({"SGD": {"momentun": 0.9}}, ["no argument 'momentun'", "did you mean 'momentum'"]),
    ({"SGD": {"learning_rate": 0.9}}, ["no argument 'learning_rate'", "set by learning_rate"]),
])
def test_an_optimiser_that_keras_does_not_have_is_refused(spec, words):
    with pytest.raises(ConfigError) as caught:
        check_optimizer(spec, "params.yaml: train.optimizer")
    for word in ["params.yaml: train.optimizer", *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize("spec", ["adam", "Nadam", {"SGD": {"momentum": 0.9, "nesterov": True}}])
def test_an_optimiser_of_keras_is_accepted(spec):
    check_optimizer(spec, "params.yaml: train.optimizer")
