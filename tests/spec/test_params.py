"""`params.yaml` → frozen specs, and one readable message for each mistake."""

import textwrap

import pydantic
import pytest

from pipeline.spec import params as params_module
from pipeline.spec.base import ConfigError, complain, nearest, read_yaml
from pipeline.spec.params import PARAMS, study_seeds, tuning_seeds

GOOD = textwrap.dedent("""\
    data:
      waves: {group: sequences, source: forecast, seeds: 3,
        train: {epochs: 5}, arguments: {noise: 0.1}}
      table: {group: tables, source: tabular, seeds: 4}
    layers:
      conv: {Conv1D: {filters: 3}}
      bn: BatchNormalization
    experiments:
      cnn: {data: sequences, layers: [conv]}
      cnn_bn: {data: waves, layers: [conv, bn], versus: cnn, epochs: 7}
      mlp: {data: tables, layers: [bn]}
    train:
      epochs: 2
      batch_size: 8
      optimizer: Adam
      learning_rate: 0.01
      learning_rates: [0.01, 0.03]
      tuning_seeds: 2
    verdicts: {margin: 0.1, repeated: [cnn_bn]}
    probe: {seeds: 12, experiments: [mlp]}
    """)
TRAIN = "epochs, batch_size, optimizer, learning_rate, learning_rates"
OVERRIDES = f"{TRAIN}, scaling, train_fraction, repetition"


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def load_text(text):
        (tmp_path / "params.yaml").write_text(text)
        return params_module.load()

    return load_text


def replaced(old, new):
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def message(call, *arguments):
    with pytest.raises(ConfigError) as error:
        call(*arguments)
    text = str(error.value)
    assert "\n" not in text and len(text) < 350
    return text


# --- what a good file means --------------------------------------------------------------------

def test_a_good_file(load):
    params = load(GOOD)
    assert params.data["waves"].arguments == {"noise": 0.1}
    assert params.layers["conv"] == {"Conv1D": {"filters": 3}}
    assert params.experiments["cnn_bn"].versus == "cnn"
    assert params.verdicts.confidence == 0.95
    assert params.probe.seeds == 12 and params.probe.experiments == ["mlp"]


def test_probing_is_optional(load):
    params = load(replaced("probe: {seeds: 12, experiments: [mlp]}\n", ""))
    assert params.probe.seeds == 10 and params.probe.experiments == []


def test_the_project_has_a_good_file():
    assert params_module.load(PARAMS.resolve()).experiments


def test_data_sets_of_groups_and_names(load):
    params = load(replaced("mlp: {data: tables", "mlp: {data: [tables, waves]"))
    assert [params.data_sets(name) for name in params.experiments] == [
        ["waves"], ["waves"], ["waves", "table"]]


def test_the_most_special_training_value_wins(load):
    params = load(GOOD)
    assert [params.training(*which).epochs for which in
            (("cnn", "waves"), ("cnn_bn", "waves"), ("mlp", "table"))] == [5, 7, 2]
    assert params.training("cnn_bn", "waves", epochs=9).epochs == 9
    assert params.training("cnn_bn", "waves").batch_size == 8


def test_seeds_are_of_three_kinds_that_share_none(load):
    params = load(GOOD)
    seeds = params.seeds("table")
    assert len(set(seeds)) == len(seeds) == 4 + 2 + 2
    kinds = [set(study_seeds(900)), set(tuning_seeds(900, 0)),
             set(tuning_seeds(900, 1))]
    assert len(set.union(*kinds)) == 2700
    assert set(study_seeds(3)) < set(study_seeds(4))


def test_specs_are_frozen(load):
    params = load(GOOD)
    for spec, field in ((params, "train"), (params.train, "epochs"),
                        (params.data["waves"], "seeds"), (params.verdicts, "margin"),
                        (params.experiments["cnn"], "layers"),
                        (params.data["waves"].train, "epochs")):
        with pytest.raises(pydantic.ValidationError, match="frozen"):
            setattr(spec, field, 3)


def test_yaml_is_read_as_version_1_2(tmp_path):
    path = tmp_path / "file.yaml"
    path.write_text("switch: on\nanswer: no\nrate: 1e-3\noctal: 010\ntruth: true\ntime: 1:30\n")
    assert read_yaml(path) == {"switch": "on", "answer": "no", "rate": 0.001, "octal": 10,
                                      "truth": True, "time": "1:30"}


def test_a_rate_may_be_written_with_an_exponent(load):
    text = replaced("learning_rate: 0.01", "learning_rate: 1e-3")
    assert load(text.replace("[0.01, 0.03]", "[1e-3, 1]")).train.learning_rates == [0.001, 1.0]


def test_nearest():
    assert nearest("epoch", ["epochs", "batch_size"]) == "; did you mean 'epochs'?"
    assert nearest("zzz", ["epochs", "batch_size"]) == ""


# --- mistakes ----------------------------------------------------------------------------------

MISTAKES = [
    # unknown keys, at each level
    ("data:\n", "dta:\n", "unknown key 'dta'; allowed: data, layers, experiments, train, verdicts, "
                          "probe; did you mean 'data'?"),
    ("seeds: 4", "seed: 4", "data.table: unknown key 'seed'; allowed: group, source, seeds, "
                            "arguments, train, title; did you mean 'seeds'?"),
    ("train: {epochs", "train: {epoch",
     f"data.waves.train: unknown key 'epoch'; allowed: {OVERRIDES}; did you mean 'epochs'?"),
    ("versus: cnn", "verses: cnn",
     f"experiments.cnn_bn: unknown key 'verses'; allowed: {OVERRIDES}, data, layers, versus, "
     "head, vary, title, note; did you mean 'versus'?"),
    ("  epochs: 2", "  epoch: 2", f"train: unknown key 'epoch'; allowed: {TRAIN}, tuning_seeds, "
     "scaling, train_fraction, repetition; did you mean 'epochs'?"),
    ("margin", "margn", "verdicts: unknown key 'margn'; allowed: confidence, margin, repeated, "
                        "half_data; did you mean 'margin'?"),
    # references
    ("data: waves", "data: wave",
     "experiments.cnn_bn.data: unknown group or data set 'wave'; groups: sequences, tables; "
     "data sets: waves, table; did you mean 'waves'?"),
    ("data: tables", "data: [tables, wave]",
     "experiments.mlp.data: unknown group or data set 'wave'; groups: sequences, tables; data "
     "sets: waves, table; did you mean 'waves'?"),
    ("versus: cnn", "versus: cn",
     "experiments.cnn_bn.versus: there is no experiment 'cn'; allowed: any other experiment; "
     "did you mean 'cnn'?"),
    ("versus: cnn", "versus: mlp",
     "experiments.cnn_bn.versus: 'mlp' runs on table and shares no data set with 'cnn_bn', "
     "which runs on waves"),
    ("versus: cnn", "versus: cnn_bn",
     "experiments.cnn_bn.versus: an experiment cannot be its own control"),
    ("repeated: [cnn_bn]", "repeated: [cnn_b]",
     "verdicts.repeated: there is no experiment 'cnn_b'; did you mean 'cnn_bn'?"),
    ("repeated: [cnn_bn]", "half_data: [mlp]",
     "verdicts.half_data: experiment 'mlp' has no versus"),
    ("experiments: [mlp]", "experiments: [mlpp]",
     "probe.experiments: there is no experiment 'mlpp'; did you mean 'mlp'?"),
    ("experiments: [mlp]", "experiments: [mlp, cnn, mlp]",
     "probe.experiments: 'mlp' stands twice; an experiment may stand once"),
    ("seeds: 12", "seed: 12",
     "probe: unknown key 'seed'; allowed: seeds, experiments; did you mean 'seeds'?"),
    # types
    ("experiments: [mlp]", "experiments: mlp", "probe.experiments: found 'mlp'; allowed: a list"),
    ("  epochs: 2", "  epochs: many", "train.epochs: found 'many'; allowed: a whole number"),
    ("epochs: 7", "epochs: many",
     "experiments.cnn_bn.epochs: found 'many'; allowed: a whole number"),
    ("epochs: 5", "epochs: many", "data.waves.train.epochs: found 'many'; allowed: a whole number"),
    ("  epochs: 2", "  epochs: 2.5", "train.epochs: found 2.5; allowed: a whole number"),
    ("  epochs: 2", "  epochs: true", "train.epochs: found true; allowed: a whole number"),
    ("data: tables", "data: 3", "experiments.mlp.data: found 3; allowed: a word or a list"),
    ("layers: [bn]", "layers: bn", "experiments.mlp.layers: found 'bn'; allowed: a list"),
    ("layers: [bn]", "layers: [bn, 3]",
     "experiments.mlp.layers[1]: found 3; allowed: a word or a mapping"),
    ("layers: [bn]", "layers: [{Dense: {}, Flatten: {}}]", "experiments.mlp.layers[0]: found "
     '{"Dense": {}, "Flatten": {}}; allowed: at most 1 entry'),
    ("bn: BatchNormalization", "bn: 3", "layers.bn: found 3; allowed: a word or a mapping"),
    ("optimizer: Adam", "optimizer: [Adam]",
     'train.optimizer: found ["Adam"]; allowed: a word or a mapping'),
    ("optimizer: Adam", "optimizer: {SGD: 3}", "train.optimizer.SGD: found 3; allowed: a mapping"),
    ("epochs: 7", "vary: {epochs: 3}", "experiments.cnn_bn.vary.epochs: found 3; allowed: a list"),
    ("epochs: 7", "head: 3", "experiments.cnn_bn.head: found 3; allowed: a word or a list"),
    ("repeated: [cnn_bn]", "repeated: cnn_bn",
     "verdicts.repeated: found 'cnn_bn'; allowed: a list"),
    ("[0.01, 0.03]", "[0.01, x]", "train.learning_rates[1]: found 'x'; allowed: a number"),
    # values
    ("layers: [bn]", "layers: []", "experiments.mlp.layers: found []; allowed: at least 1 entry"),
    ("seeds: 4", "seeds: 0", "data.table.seeds: found 0; allowed: a number of at least 1"),
    ("tuning_seeds: 2", "tuning_seeds: 1",
     "train.tuning_seeds: found 1; allowed: a number of at least 2"),
    ("learning_rate: 0.01", "learning_rate: -0.01",
     "train.learning_rate: found -0.01; allowed: a number above 0.0"),
    ("learning_rate: 0.01", "learning_rate: 0.02",
     "train: learning_rate 0.02 is not one of learning_rates [0.01, 0.03]"),
    ("epochs: 7", "learning_rate: 0.5",
     "experiments.cnn_bn: on data set 'waves': learning_rate 0.5 is not one of learning_rates "
     "[0.01, 0.03]"),
    ("epochs: 7", "learning_rates: [0.5]", "experiments.cnn_bn: on data set 'waves': learning_rate "
                                           "0.01 is not one of learning_rates [0.5]"),
    ("epochs: 5", "learning_rate: 0.5",
     "data.waves.train: learning_rate 0.5 is not one of learning_rates [0.01, 0.03]"),
    ("epochs: 7", "scaling: standart", "experiments.cnn_bn.scaling: found 'standart'; allowed: "
                                       "'standard' or 'none'; did you mean 'standard'?"),
    ("epochs: 7", "train_fraction: 1.5",
     "experiments.cnn_bn.train_fraction: found 1.5; allowed: a number of at most 1.0"),
    ("epochs: 7", "repetition: 2",
     "experiments.cnn_bn.repetition: found 2; allowed: a number of at most 1"),
    ("epochs: 7", "vary: {}", "experiments.cnn_bn.vary: found {}; allowed: at least 1 entry"),
    ("seeds: 12", "seeds: 9", "probe.seeds: found 9; allowed: a number of at least 10"),
    ("margin: 0.1", "margin: 2", "verdicts.margin: found 2; allowed: a number below 1.0"),
    # names
    ("  mlp:", "  Mlp:", "experiments.Mlp: a name may have lower-case letters, digits and _ only"),
    ("  table:", "  my-table:",
     "data.my-table: a name may have lower-case letters, digits and _ only"),
    ("group: tables", "group: waves", "data: a group and a data set share the name 'waves'"),
    ("  mlp: {", "  1: {", "experiments: found the key 1; allowed: words"),
    ("group: tables", "3: 4, group: tables", "data.table: found the key 3; allowed: words"),
    # what is not there
    ("group: tables, ", "", "data.table.group: missing; it is required"),
    ("  epochs: 2\n", "", "train.epochs: missing; it is required"),
    (", layers: [bn]", "", "experiments.mlp.layers: missing; it is required"),
    ("layers: [bn]", "layers: ", "experiments.mlp.layers: empty; it needs a list"),
    ("verdicts: {margin: 0.1, repeated: [cnn_bn]}", "verdicts:",
     "verdicts: empty; it needs a mapping"),
    ("probe: {seeds: 12, experiments: [mlp]}", "probe:", "probe: empty; it needs a mapping"),
    ("experiments: [mlp]", "experiments: ", "probe.experiments: empty; it needs a list"),
]


@pytest.mark.parametrize(("old", "new", "expected"), MISTAKES,
                         ids=[f"{old.strip()}-{new.strip()}" for old, new, _ in MISTAKES])
def test_a_mistake(load, old, new, expected):
    assert message(load, replaced(old, new)) == f"params.yaml: {expected}"


SECTION = GOOD[GOOD.index("experiments:"):GOOD.index("train:\n  epochs")]
ALLOWED = "data, layers, experiments, train, verdicts, probe"


@pytest.mark.parametrize(("text", "expected"), [
    (GOOD.replace(SECTION, "experiments:\n"), "experiments: empty; it needs a mapping"),
    (GOOD.replace(SECTION, "experiments: {}\n"),
     "experiments: found {}; allowed: at least 1 entry"),
    (GOOD.replace(SECTION, ""), "experiments: missing; it is required"),
    ("", f"empty; it needs a mapping with: {ALLOWED}"),
    ("# only a comment\n", f"empty; it needs a mapping with: {ALLOWED}"),
    ("- a\n", f'found ["a"]; it needs a mapping with: {ALLOWED}'),
    (GOOD + "1: 2\n", f"found the key 1; allowed: {ALLOWED}"),
    (GOOD + "true: 2\n", f"found the key true; allowed: {ALLOWED}"),
], ids=["nothing", "{}", "no section", "empty file", "comment", "list", "1", "true"])
def test_a_section_or_a_file_that_is_not_there(load, text, expected):
    assert message(load, text) == f"params.yaml: {expected}"


@pytest.mark.parametrize(("text", "line", "column", "expected"), [
    (replaced("bn: Bat", "conv: Bat"), 7, 3, 'found duplicate key "conv"; a key may stand once'),
    (replaced("seeds: 4", "seeds: 4, seeds: 5"), 4, 53,
     'found duplicate key "seeds"; a key may stand once'),
    (replaced("layers: [bn]", "layers: [bn"), 11, 34,
     "not YAML: while parsing a flow sequence, expected ',' or ']', but got '}'"),
    (replaced("  table:", "\ttable:"), 4, 1, "not YAML: while scanning for the next token, found "
     "character '\\t' that cannot start any token"),
    ("data: *nothing\n", 1, 7, "not YAML: found undefined alias 'nothing'"),
    ("a: 1\n---\nb: 2\n", 2, 1,
     "not YAML: expected a single document in the stream, but found another document"),
], ids=["duplicate", "duplicate inside", "bracket", "tab", "alias", "documents"])
def test_broken_yaml_names_line_and_column(load, text, line, column, expected):
    assert message(load, text) == f"params.yaml, line {line}, column {column}: {expected}"


def test_a_tag_runs_nothing(load):
    found = message(load, "data: !!python/object:os.system x\n")
    assert "could not determine a constructor" in found


def test_a_file_that_cannot_be_read(tmp_path):
    missing, folder, bytes_ = (tmp_path / name for name in ("missing", "folder", "bytes"))
    folder.mkdir()
    bytes_.write_bytes(b"data: \xff\n")
    assert message(params_module.load, missing) == f"{missing}: there is no such file"
    assert message(params_module.load, folder).startswith(f"{folder}: cannot be read: ")
    assert message(params_module.load, bytes_).startswith(f"{bytes_}: not YAML: ")


def test_a_long_value_is_cut(load):
    found = message(load, replaced("optimizer: Adam", f"optimizer: [{', '.join(['word'] * 50)}]"))
    assert len(found) < 160 and "…; allowed:" in found


def test_complain(capsys):
    assert complain(ConfigError("params.yaml: a mistake")) == 1
    assert capsys.readouterr() == ("", "error: params.yaml: a mistake\n")
