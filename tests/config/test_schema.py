"""`params.yaml` → frozen specs, and one readable message for each mistake."""

import textwrap

import pydantic
import pytest

from pipeline.config import schema as params_module
from pipeline.config.errors import ConfigError
from pipeline.config.read_yaml import read_yaml
from pipeline.config.schema import PARAMS, control_arms, study_seeds

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
      learning_rates: [0.01, 0.03]
    verdicts: {margin: 0.1, controls: [cnn]}
    probe: {seeds: 12, experiments: [mlp]}
    """)
TRAIN = "epochs, batch_size, optimizer, learning_rates, scaling, train_fraction, repetition, patience, loss, class_weight, schedule"
OVERRIDES = f"learning_rate, {TRAIN}"


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


def messages(call, *arguments):
    with pytest.raises(ConfigError) as error:
        call(*arguments)
    return [str(one) for one in error.value.each]


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


def test_seeds_are_none_that_were_looked_at_before(load):
    assert load(GOOD).seeds("table") == study_seeds(4) == [3000, 3001, 3002, 3003]


@pytest.mark.parametrize(("old", "new", "rates"), [
    ("epochs: 7", "learning_rate: 0.5", [0.5]), ("epochs: 7", "learning_rates: [0.5, 0.7]", [0.5, 0.7]),
    ("epochs: 5", "learning_rate: 0.5", [0.5]), ("epochs: 7", "epochs: 8", [0.01, 0.03])])
def test_a_fixed_rate_is_a_grid_of_one(load, old, new, rates):
    assert load(replaced(old, new)).training("cnn_bn", "waves").learning_rates == rates


def test_the_most_special_choice_of_rates_wins(load):
    text = replaced("epochs: 5", "learning_rate: 0.5").replace("epochs: 7", "learning_rates: [0.1, 0.2]")
    assert load(text).training("cnn", "waves").learning_rates == [0.5]
    assert load(text).training("cnn_bn", "waves").learning_rates == [0.1, 0.2]
    assert load(text).training("cnn_bn", "waves", learning_rate=3.0).learning_rates == [3.0]


def test_a_change_of_an_experiment_with_a_fixed_rate_may_have_a_grid(load):
    of = "\n  grid: {of: mlp, learning_rate: null, learning_rates: [0.1, 0.2]}"
    text = replaced("mlp: {data: tables, layers: [bn]}", "mlp: {data: tables, layers: [bn], learning_rate: 0.5}" + of)
    assert load(text).training("grid", "table").learning_rates == [0.1, 0.2]


def test_specs_are_frozen(load):
    params = load(GOOD)
    for spec, field in ((params, "train"), (params.train, "epochs"),
                        (params.data["waves"], "seeds"), (params.verdicts, "margin"),
                        (params.experiments["cnn"], "layers"),
                        (params.data["waves"].train, "epochs")):
        with pytest.raises(pydantic.ValidationError, match="frozen"):
            setattr(spec, field, 3)


@pytest.mark.parametrize("words", ["air", "road traffic", "PM2_5 of days", "Straßen-Verkehr", "3 winds", "x" * 100])
def test_a_unit_and_a_stratum_are_words(load, words):
    data = load(replaced("seeds: 4", f"seeds: 4, unit: '{words}', stratum: '{words}'")).data["table"]
    assert data.unit == data.stratum == words


@pytest.mark.parametrize("field", ["unit", "stratum"])
@pytest.mark.parametrize("words", [
    "{{ 7 * 7 }}", "<script>", "a `b`", "a  b", " a", "a ", "_a", "-a", "a|b", "a$b$", "a\\nb", "[a](b)", "x" * 101, "a\\u2028b", "a;b"])
def test_a_unit_and_a_stratum_are_nothing_else(load, field, words):
    given = f'seeds: 4, {field}: "{words}"' + (", unit: air" if field == "stratum" else "")
    found = message(load, replaced("seeds: 4", given))
    assert f"data.table.{field}: found " in found and "; allowed: words of letters, digits, _ and -" in found


def test_a_rate_may_be_written_with_an_exponent(load):
    assert load(replaced("[0.01, 0.03]", "[1e-3, 1]")).train.learning_rates == [0.001, 1.0]


# --- mistakes ----------------------------------------------------------------------------------

MISTAKES = [
    # unknown keys, at each level
    ("data:\n", "dta:\n", "unknown key 'dta'; allowed: data, layers, experiments, train, verdicts, "
                          "probe, being_measured, modules, ask; did you mean 'data'?"),
    ("seeds: 4", "seed: 4", "data.table: unknown key 'seed'; allowed: group, also, unit, stratum, seeds, first_seed, train, "
                            "title, of, own, experiments, source, arguments; did you mean 'seeds'?"),
    ("train: {epochs", "train: {epoch",
     f"data.waves.train: unknown key 'epoch'; allowed: {OVERRIDES}; did you mean 'epochs'?"),
    ("versus: cnn", "verses: cnn",
     f"experiments.cnn_bn: unknown key 'verses'; allowed: {OVERRIDES}, except, of, data, layers, "
     "without, replace, set, before, after, everywhere, versus, head, vary, quantiles, title, note; did you mean 'versus'?"),
    ("  epochs: 2", "  epoch: 2", f"train: unknown key 'epoch'; allowed: {TRAIN}; "
     "did you mean 'epochs'?"),
    ("margin", "margn", "verdicts: unknown key 'margn'; allowed: confidence, margin, controls; "
                        "did you mean 'margin'?"),
    # references
    ("data: waves", "data: wave",
     "experiments.cnn_bn.data: there is no group or data set 'wave'; groups: sequences, tables; did you mean 'waves'?"),
    ("data: tables", "data: [tables, wave]",
     "experiments.mlp.data: there is no group or data set 'wave'; groups: sequences, tables; did you mean 'waves'?"),
    ("versus: cnn", "versus: cn",
     "experiments.cnn_bn.versus: there is no experiment 'cn'; did you mean 'cnn'?"),
    ("versus: cnn", "versus: mlp",
     "experiments.cnn_bn.versus: 'mlp' runs on tables and shares no data set with 'cnn_bn', "
     "which runs on waves"),
    ("versus: cnn", "versus: cnn_bn",
     "experiments.cnn_bn.versus: an experiment cannot be its own control"),
    ("controls: [cnn]", "controls: [cn]",
     "verdicts.controls: there is no experiment 'cn'; did you mean 'cnn'?"),
    ("controls: [cnn]", "controls: [cnn, mlp, cnn]",
     "verdicts.controls: 'cnn' stands twice; a control may stand once"),
    ("controls: [cnn]", "controls: ['cnn[epochs=3]']",
     "verdicts.controls: found 'cnn[epochs=3]'; allowed: cnn"),
    ("experiments: [mlp]", "experiments: [mlpp]",
     "probe.experiments: there is no experiment 'mlpp'; did you mean 'mlp'?"),
    ("experiments: [mlp]", "experiments: [mlp, cnn, mlp]",
     "probe.experiments: 'mlp' stands twice; an experiment may stand once"),
    ("seeds: 12", "seed: 12",
     "probe: unknown key 'seed'; allowed: seeds, data, experiments; did you mean 'seeds'?"),
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
    ("controls: [cnn]", "controls: cnn", "verdicts.controls: found 'cnn'; allowed: a list"),
    ("[0.01, 0.03]", "[0.01, x]", "train.learning_rates[1]: found 'x'; allowed: a number"),
    # values
    ("layers: [bn]", "layers: []", "experiments.mlp.layers: found []; allowed: at least 1 entry"),
    ("seeds: 4", "seeds: 0", "data.table.seeds: found 0; allowed: a number of at least 1"),
    ("[0.01, 0.03]", "[-0.01]", "train.learning_rates[0]: found -0.01; allowed: a number above 0.0"),
    ("[0.01, 0.03]", "[]", "train.learning_rates: found []; allowed: at least 1 entry"),
    ("[0.01, 0.03]", "[0.1, 0.1]", "train: found learning_rates [0.1, 0.1]; allowed: each rate once"),
    ("epochs: 7", "learning_rate: -0.5",
     "experiments.cnn_bn.learning_rate: found -0.5; allowed: a number above 0.0"),
    ("epochs: 7", "learning_rate: 0.5, learning_rates: [0.5]",
     "experiments.cnn_bn: found learning_rate and learning_rates; allowed: one rate that is fixed, or a grid of "
     "them (and null for what `of` brings)"),
    ("epochs: 7", "patience: -1", "experiments.cnn_bn.patience: found -1; allowed: a number of at least 0"),
    ("epochs: 7", "scaling: standart", "experiments.cnn_bn.scaling: found 'standart'; allowed: "
                                       "'standard' or 'none'; did you mean 'standard'?"),
    ("epochs: 7", "train_fraction: 1.5",
     "experiments.cnn_bn.train_fraction: found 1.5; allowed: a number of at most 1.0"),
    ("epochs: 7", "repetition: 2",
     "experiments.cnn_bn.repetition: found 2; allowed: a number of at most 1"),
    ("epochs: 7", "vary: {}", "experiments.cnn_bn.vary: found {}; allowed: at least 1 entry"),
    ("epochs: 7", "epochs: 2000000000",
     "experiments.cnn_bn.epochs: found 2000000000; allowed: a number of at most 100000"),
    ("  batch_size: 8", "  batch_size: 2000000000",
     "train.batch_size: found 2000000000; allowed: a number of at most 100000"),
    ("seeds: 4", "seeds: 8001", "data.table.seeds: found 8001; allowed: a number of at most 8000"),
    ("[0.01, 0.03]", "[0.01, .inf]", "train.learning_rates[1]: found .inf; allowed: a finite number"),
    ("epochs: 7", "learning_rate: .nan",
     "experiments.cnn_bn.learning_rate: found .nan; allowed: a finite number"),
    ("margin: 0.1", "margin: .nan", "verdicts.margin: found .nan; allowed: a finite number"),
    ("noise: 0.1", "noise: .nan", "data.waves.arguments.noise: found .nan; allowed: a finite number"),
    ("optimizer: Adam", "optimizer: {SGD: {momentum: .nan}}",
     "train.optimizer.SGD.momentum: found .nan; allowed: a finite number"),
    ("filters: 3", "filters: .nan", "layers.conv: found .nan; allowed: a finite number"),
    ("filters: 3", "filters: 1000000000",
     "layers.conv: found 1000000000; allowed: a number of at most 1000000"),
    ("layers: [bn]", "layers: [{Dense: {units: [1, {a: 1000000000}]}}]",
     'experiments.mlp.layers[0]: found {"a": 1000000000} in a list; allowed: words and numbers'),
    ("layers: [bn]", "layers: [{Dense: {units: [1, 1000000000]}}]",
     "experiments.mlp.layers[0]: found 1000000000; allowed: a number of at most 1000000"),
    ("epochs: 7", "vary: {conv.filters: [3, .nan]}",
     "experiments.cnn_bn.vary.conv.filters[1]: found .nan; allowed: a finite number"),
    ("seeds: 12", "seeds: 9", "probe.seeds: found 9; allowed: a number of at least 10"),
    ("margin: 0.1", "margin: 2", "verdicts.margin: found 2; allowed: a number below 1.0"),
    # names
    ("  conv: {Conv1D", "  con.v: {Conv1D", "layers.con.v: a word may have letters, digits and _ only, at most 100"),
    ("  table:", "  my-table:",
     "data.my-table: a name may have lower-case letters, digits and _ only, at most 100"),
    ("  mlp: {", "  1: {", "experiments: found the key 1; allowed: words"),
    ("group: tables", "3: 4, group: tables", "data.table: found the key 3; allowed: of, group, also, unit, stratum, own, "
     "experiments, source, seeds, first_seed, arguments, train, title"),
    # what is not there
    ("group: tables, ", "", "data.table.group: missing; it is required"),
    ("  epochs: 2\n", "", "train.epochs: missing; it is required"),
    (", layers: [bn]", "", "experiments.mlp.layers: missing; it is required"),
    ("layers: [bn]", "layers: ", "experiments.mlp.layers: empty; it needs a list"),
    ("verdicts: {margin: 0.1, controls: [cnn]}", "verdicts:",
     "verdicts: empty; it needs a mapping"),
    ("probe: {seeds: 12, experiments: [mlp]}", "probe:", "probe: empty; it needs a mapping"),
    ("experiments: [mlp]", "experiments: ", "probe.experiments: empty; it needs a list"),
]


@pytest.mark.parametrize(("old", "new", "expected"), MISTAKES,
                         ids=[f"{old.strip()}-{new.strip()}" for old, new, _ in MISTAKES])
def test_a_mistake(load, old, new, expected):
    assert message(load, replaced(old, new)) == f"params.yaml: {expected}"


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("  mlp:", "  Mlp:", ["experiments.Mlp: a name may have lower-case letters, digits and _ only, at most 100",
                          "probe.experiments: there is no experiment 'mlp'; did you mean 'Mlp'?"]),
    ("group: tables", "group: waves", [
        "data: a group and a data set share the name 'waves'",
        "experiments.mlp.data: there is no group or data set 'tables'; groups: sequences, waves; did you mean 'table'?"])])
def test_a_name_that_cannot_be_and_what_refers_to_the_right_one(load, old, new, expected):
    assert messages(load, replaced(old, new)) == [f"params.yaml: {one}" for one in expected]


SECTION = GOOD[GOOD.index("experiments:"):GOOD.index("train:\n  epochs")]
ALLOWED = "data, layers, experiments, train, verdicts, probe, being_measured, modules, ask"


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
    ("data: *nothing\n", 1, 7, "not YAML: found undefined alias 'nothing'"),
    ("a: 1\n---\nb: 2\n", 2, 1,
     "not YAML: expected a single document in the stream, but found another document"),
], ids=["duplicate", "duplicate inside", "alias", "documents"])
def test_broken_yaml_names_line_and_column(load, text, line, column, expected):
    assert message(load, text) == f"params.yaml, line {line}, column {column}: {expected}"


def test_a_tag_runs_nothing(load):
    found = message(load, "data: !!python/object:os.system x\n")
    assert "could not determine a constructor" in found


def test_a_long_value_is_cut(load):
    found = message(load, replaced("optimizer: Adam", f"optimizer: [{', '.join(['word'] * 50)}]"))
    assert len(found) < 160 and "…; allowed:" in found


# --- an experiment as a change of another ------------------------------------------------------

def grammar(load, experiments, **sections):
    """The params whose experiments are `net` and those given, each as one line of YAML."""
    text = GOOD[:GOOD.index("experiments:")] + "experiments:\n"
    text += "  net: {data: sequences, layers: [conv, bn, conv], epochs: 4, head: relu, title: a, note: b}\n"
    text += "".join(f"  {name}: {entry}\n" for name, entry in experiments.items())
    text += GOOD[GOOD.index("train:\n  epochs"):GOOD.index("verdicts:")]
    return load(text + "".join(f"{name}: {entry}\n" for name, entry in sections.items()))


def test_a_change_is_written_out_and_kept(load):
    found = grammar(load, {"new": "{of: net, set: {conv_2.filters: 5}, before: {bn: relu}, after: "
                                  "{bn: [tanh, {Dropout: {rate: 0.1}}]}, without: conv_1}"}).experiments["new"]
    assert found.layers == ["relu", "bn", "tanh", {"Dropout": {"rate": 0.1}}, {"conv": {"filters": 5}}]
    assert [(change.kind, change.place, change.value) for change in found.changes] == [
        ("without", "conv_1", None), ("set", "conv_2.filters", 5), ("before", "bn", ["relu"]),
        ("after", "bn", ["tanh", {"Dropout": {"rate": 0.1}}])]
    assert found.of == "net"


def test_all_is_taken_over_but_title_note_and_versus(load):
    params = grammar(load, {"new": "{of: net, without: bn}"})
    base, found = params.experiments["net"], params.experiments["new"]
    assert (found.data, found.epochs, found.head) == (base.data, 4, "relu") == ("sequences", 4, "relu")
    assert (found.title, found.note, found.versus) == ("", "", "net")
    assert base.versus is None and base.of is None and base.changes == ()


def test_what_an_experiment_says_itself_goes_first_and_nothing_is_the_default(load):
    found = grammar(load, {"new": "{of: net, epochs: null, head: null, data: waves, versus: null, batch_size: 3}",
                           "other": "{of: new, versus: net}"})
    assert [(one.epochs, one.head, one.data, one.versus, one.batch_size) for one in (
        found.experiments["new"], found.experiments["other"])] == [
        (None, None, "waves", None, 3), (None, None, "waves", "net", 3)]
    assert found.training("other", "waves").epochs == 5


def test_a_chain_may_stand_in_any_order(load):
    found = grammar(load, {"c": "{of: b, after: {bn: tanh}}", "b": "{of: a, replace: {conv: relu}}",
                           "a": "{of: net, without: conv_2}"})
    assert found.experiments["c"].layers == ["relu", "bn", "tanh"]
    assert [found.experiments[name].versus for name in "abc"] == ["net", "a", "b"]
    assert list(found.experiments) == ["net", "c", "b", "a"]


def test_a_list_replaces_that_of_the_other_and_may_repeat(load):
    found = grammar(load, {"new": "{of: net, layers: [{2: [bn, tanh]}, flatten]}"}).experiments["new"]
    assert found.layers == ["bn", "tanh", "bn", "tanh", "flatten"]
    assert [(change.kind, change.place, change.value) for change in found.changes] == [
        ("layers", "", found.layers)]
    assert (found.epochs, found.versus) == (4, "net")
    found = grammar(load, {"new": "{data: waves, layers: [{3: [bn]}]}"}).experiments["new"]
    assert found.layers == ["bn"] * 3 and found.changes == ()


def test_a_repetition_may_stand_wherever_a_list_may(load):
    found = grammar(load, {"new": "{of: net, replace: {bn: {2: [tanh]}}, after: {conv_2: [relu, {2: [selu]}]}}"})
    assert found.experiments["new"].layers == ["conv", "tanh", "tanh", "conv", "relu", "selu", "selu"]


def test_a_sweep_is_taken_over_and_may_be_dropped(load):
    params = grammar(load, {"a": "{of: net, vary: {conv.filters: [2, 4]}}", "b": "{of: a, without: bn}",
                            "c": "{of: a, vary: null, versus: net}"})
    assert params.variants("b") == {"conv.filters=2": {"conv.filters": 2}, "conv.filters=4": {"conv.filters": 4}}
    assert params.variants("c") == params.variants("net") == {"": {}}


def test_everywhere_puts_its_layers_into_the_changed_list(load):
    params = grammar(load, {"new": "{of: net, without: conv_2, everywhere: [tanh, {Dropout: {rate: 0.1}}]}",
                            "next": "{of: new, versus: net}"})
    found = params.experiments["new"]
    assert found.layers == ["conv", "bn"] and found.everywhere == ["tanh", {"Dropout": {"rate": 0.1}}]
    assert params.variants("new") == {place: {"place": place} for place in ("first", "after conv_1", "after bn_1")}
    assert [one.layers for one in params.sweep("new")][1] == ["conv", "tanh", {"Dropout": {"rate": 0.1}}, "bn"]
    # It is a question about one list, and not taken over.
    assert params.experiments["next"].everywhere is None and params.variants("next") == {"": {}}


def test_nothing_that_a_change_makes_is_shared_with_what_it_changes(load):
    params = grammar(load, {"new": "{of: net, set: {conv.filters: 2}}"})
    assert params.experiments["net"].layers == ["conv", "bn", "conv"]
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        params.experiments["new"].changes[0].value = 3


GRAMMAR_MISTAKES = [
    ("{of: nett}", "new.of: there is no 'nett' in experiments; did you mean 'net'?"),
    ("{of: new}", "new.of: it leads back: new → new; allowed: a chain that ends at an entry without of"),
    ("{of: net, before: {bm: relu}}", "new.before: found 'bm'; allowed: conv, bn, conv_1, conv_2; "
                                      "did you mean 'bn'?"),
    ("{of: net, befor: {bn: relu}}", "new: unknown key 'befor'; allowed: " + OVERRIDES + ", except, of, data, layers, "
     "without, replace, set, before, after, everywhere, versus, head, vary, quantiles, title, note; did you mean 'before'?"),
    ("{of: net, before: relu}", "new.before: found 'relu'; allowed: a mapping"),
    ("{of: net, before: {}}", "new.before: found {}; allowed: at least 1 entry"),
    ("{of: net, before: {bn: }}", "new.before.bn: found nothing; allowed: a layer, or a list of layers"),
    ("{of: net, before: {bn: []}}", "new.before.bn: found []; allowed: a layer, or a list of layers"),
    ("{of: net, before: {bn: [relu, 3]}}", "new.before.bn: found 3; allowed: a word or a mapping"),
    ("{of: net, before: {1: relu}}", "new.before: found the key 1; allowed: words"),
    ("{of: net, without: 3}", "new.without: found 3; allowed: a word or a list"),
    ("{of: net, without: []}", "new.without: found []; allowed: at least 1 entry"),
    ("{of: net, without: [conv, bn]}", "new: the list has 0 layers; allowed: 1 to 1000"),
    ("{of: net, set: {conv.filters: .nan}}", "new.set: conv.filters: found .nan; allowed: a finite number"),
    ("{of: net, set: {conv.filters: 1000000000}}",
     "new.set: conv.filters: found 1000000000; allowed: a number of at most 1000000"),
    ("{of: net, set: [conv]}", 'new.set: found ["conv"]; allowed: a mapping'),
    ("{of: net, layers: [bn], before: {bn: relu}}", "new: found layers and before; allowed: a list of layers, or "
                                                    "changes of the list of 'net'"),
    ("{data: waves, layers: [bn], before: {bn: relu}}", "new: found before without of; allowed: of, with the "
                                                        "experiment whose list is changed"),
    ("{data: waves, before: {bn: relu}}", "new: found before without of; allowed: of, with the experiment whose "
                                          "list is changed"),
    ("{data: waves}", "new.layers: missing; it is required"),
    ("{layers: [bn]}", "new.data: missing; it is required"),
    ("{of: net, data: table}", "new.versus: 'net' runs on sequences and shares no data set with 'new', which runs "
                               "on table"),
    ("{of: net, everywhere: bn, vary: {epochs: [1]}}",
     "new: found vary and everywhere; an experiment sweeps values or places"),
    ("{of: net, everywhere: []}", "new.everywhere: found []; allowed: a layer, or a list of layers"),
    ("{of: net, vary: {epochs: [0]}}", "new.vary: epochs: found 0; allowed: a number of at least 1"),
    ("{of: net, vary: {epochs: [2, 2]}}", "new.vary.epochs: found 2 twice; a value may stand once"),
    ("{of: net, layers: [{0: [bn]}]}", "new.layers[0]: found 0 times; allowed: 1 to 100"),
    ("{of: net, layers: [{1000000: [bn]}]}", "new.layers[0]: found 1000000 times; allowed: 1 to 100"),
    ("{of: net, layers: [{2: []}]}", 'new.layers[0]: found {"2": []}; allowed: a list of layers to repeat, '
                                     "{2: [word, word]}"),
    ("{of: net, layers: [{2: bn}]}", 'new.layers[0]: found {"2": "bn"}; allowed: a list of layers to repeat, '
                                     "{2: [word, word]}"),
    ("{of: net, layers: [{2: [bn], 3: [bn]}]}",
     'new.layers[0]: found {"2": ["bn"], "3": ["bn"]}; allowed: at most 1 entry'),
    ("{of: net, layers: [{true: [bn]}]}", "new.layers[0]: found the key true; allowed: words"),
    ("{of: net, layers: [{2.5: [bn]}]}", "new.layers[0]: found the key 2.5; allowed: words"),
    ("{of: net, layers: [{}]}", "new.layers[0]: found {}; allowed: at least 1 entry"),
    ("{of: net, layers: [{bn: {1: 2}}]}", "new.layers[0]: found the key 1; allowed: words"),
    ("{of: net, layers: [{100: [bn, bn, bn, bn, bn, bn, bn, bn, bn, bn, bn]}]}",
     "new.layers: the list has 1100 layers; allowed: 1 to 1000"),
    ("{data: waves, layers: [{100: [bn, bn, bn, bn, bn, bn, bn, bn, bn, bn, bn]}]}",
     "new.layers: the list has 1100 layers; allowed: 1 to 1000"),
]


@pytest.mark.parametrize(("entry", "expected"), GRAMMAR_MISTAKES, ids=[e for e, _ in GRAMMAR_MISTAKES])
def test_a_mistake_in_a_change(load, entry, expected):
    assert message(grammar, load, {"new": entry}) == f"params.yaml: experiments.{expected}"


def test_a_circle_is_named(load):
    assert message(grammar, load, {"d": "{of: a}", "a": "{of: b}", "b": "{of: c}", "c": "{of: a}"}) == (
        "params.yaml: experiments.c.of: it leads back: a → b → c → a; allowed: a chain that ends at an entry "
        "without of")


def test_lists_that_grow_along_a_chain_stay_bounded(load):
    grown = {f"n{i}": f"{{of: {f'n{i - 1}' if i else 'net'}, replace: {{bn: {{100: [bn]}}}}}}" for i in range(9)}
    assert message(grammar, load, grown) == (
        "params.yaml: experiments.n1: the list has 10002 layers; allowed: 1 to 1000")


@pytest.mark.parametrize(("experiments", "expected"), [
    ({"a": "{of: net, vary: {epochs: [1, 2]}}", "b": "{of: net, everywhere: bn, versus: a}"},
     "b.versus: 'a' has no variant 'first'; it has: epochs=1, epochs=2; allowed: an experiment with the same "
     "variants, or without any"),
    ({"a": "{of: net, vary: {epochs: [1, 2]}}", "b": "{of: a, vary: {epochs: [1, 3]}}"},
     "b.versus: 'a' has no variant 'epochs=3'; it has: epochs=1, epochs=2; allowed: an experiment with the same "
     "variants, or without any"),
])
def test_a_sweep_is_compared_with_the_same_sweep_or_with_one_network(load, experiments, expected):
    assert message(grammar, load, experiments) == f"params.yaml: experiments.{expected}"


# --- data sets ---------------------------------------------------------------------------------

def data_sets(load, **entries):
    lines = "".join(f"  {name}: {entry}\n" for name, entry in entries.items())
    return load(GOOD.replace("layers:\n  conv", f"{lines}layers:\n  conv")).data


def test_a_data_set_may_be_a_change_of_another(load):
    found = data_sets(load, more="{of: waves, seeds: 9, title: more}", same="{of: more}")
    assert (found["more"].group, found["more"].source, found["more"].seeds) == ("sequences", "forecast", 9)
    assert found["more"].arguments == {"noise": 0.1} and found["more"].train.epochs == 5
    assert (found["same"].seeds, found["same"].title, found["same"].of) == (9, "", "more")


def test_arguments_and_training_values_are_changed_one_by_one(load):
    found = data_sets(load, more="{of: waves, arguments: {window: 5}, train: {batch_size: 3}}",
                      less="{of: more, arguments: {noise: null}, train: {epochs: null}}",
                      none="{of: more, arguments: null, train: null}")
    assert [found[name].arguments for name in ("more", "less", "none")] == [
        {"noise": 0.1, "window": 5}, {"window": 5}, {}]
    assert [(found[name].train.epochs, found[name].train.batch_size) for name in ("more", "less", "none")] == [
        (5, 3), (None, 3), (None, None)]


def test_arguments_belong_to_their_source(load):
    found = data_sets(load, other="{of: waves, source: noise}", same="{of: waves, source: forecast}",
                      own="{of: waves, source: noise, arguments: {steps: 3}}")
    assert [found[name].arguments for name in ("other", "same", "own")] == [{}, {"noise": 0.1}, {"steps": 3}]


def test_a_data_set_may_be_a_file_and_a_change_of_one(load):
    found = data_sets(load, mine="{group: own, file: a.csv, target: y, seeds: 3, train: {epochs: 4}}",
                      longer="{of: mine, window: 6, missing: drop}", shorter="{of: longer, window: 3, missing: null}",
                      other="{of: waves, file: b.npz}", back="{of: longer, source: noise}")
    assert [type(found[name]).__name__ for name in found if name not in ("waves", "table")] == [
        "TableFile", "SeriesFile", "SeriesFile", "RecordingsFile", "DataSet"]
    assert (found["shorter"].window, found["shorter"].carried("y")) == (3, None)
    assert found["longer"].train.epochs == 4 and found["longer"].carried("y") == 0
    assert found["other"].group == "sequences" and found["back"].source == "noise"
    assert [found[name].origin for name in ("mine", "other", "back")] == ["a.csv", "b.npz", "noise"]


@pytest.mark.parametrize(("entry", "expected"), [
    ("{of: wave}", "more.of: there is no 'wave' in data; did you mean 'waves'?"),
    ("{of: more}", "more.of: it leads back: more → more; allowed: a chain that ends at an entry without of"),
    ("{of: waves, group: null}", "more.group: missing; it is required"),
    ("{of: waves, seed: 3}", "more: unknown key 'seed'; allowed: group, also, unit, stratum, seeds, first_seed, train, title, "
                             "of, own, experiments, source, arguments; did you mean 'seeds'?"),
    ("{of: waves, file: a.csv, target: y, widow: 3}", "more: unknown key 'widow'; allowed: group, also, unit, stratum, "
     "seeds, first_seed, train, title, of, own, experiments, file, sha256, target, task, inputs, leave_out, group_by, missing, missing_as, separator, "
     "decimal, encoding, skip_lines, as_numbers, rows, "
     "split, equal_rows, categories; did you mean 'window'?"),
    ("{group: mine, seeds: 3, fil: a.csv}", "more: unknown key 'fil'; allowed: source or file, and what belongs to "
     "it; did you mean 'file'?"),
    ("{group: mine, seeds: 3, file: a.csv}", "more: target: missing; it is required: the column that is to be "
     "predicted"),
])
def test_a_mistake_in_a_data_set_of_another(load, entry, expected):
    with pytest.raises(ConfigError) as error:
        data_sets(load, more=entry)
    assert str(error.value) == f"params.yaml: data.{expected}"


def test_dvc_makes_a_data_set_again_when_what_it_is_a_change_of_changes():
    wanted = read_yaml(PARAMS.resolve().with_name("dvc.yaml"))["stages"]["data"]["params"]
    assert "data" in wanted


# --- controls ----------------------------------------------------------------------------------

def test_a_control_has_two_more_variants_that_are_listed_only_when_asked_for(load):
    params = grammar(load, {"a": "{of: net, vary: {epochs: [1, 2]}}"},
                     verdicts='{controls: [net, "a[epochs=2]"]}')
    assert params.controls == ["net", "a[epochs=2]"]
    assert params.variants("net") == {"": {}}
    assert params.variants("net", measuring=True) == {
        "": {}, "repetition=1": {"repetition": 1}, "train_fraction=0.5": {"train_fraction": 0.5}}
    assert params.variants("a") == {"epochs=1": {"epochs": 1}, "epochs=2": {"epochs": 2}}
    assert list(params.variants("a", measuring=True)) == [
        "epochs=1", "epochs=2", "epochs=2,repetition=1", "epochs=2,train_fraction=0.5"]
    last = params.sweep("a")[-1]
    assert last.measuring and last.training == {"epochs": 2, "train_fraction": 0.5}
    assert params.training("a", "waves", **last.training).train_fraction == 0.5


def test_the_arms_of_a_control_are_named():
    assert control_arms("cnn_lstm") == {"A/A": "cnn_lstm[repetition=1]",
                                        "half the data": "cnn_lstm[train_fraction=0.5]"}
    assert control_arms("raw[batch_size=32]") == {"A/A": "raw[batch_size=32,repetition=1]",
                                                  "half the data": "raw[batch_size=32,train_fraction=0.5]"}


@pytest.mark.parametrize(("control", "expected"), [
    ("a", "found 'a'; allowed: a[epochs=1], a[epochs=2]"),
    ("a[epochs=3]", "found 'a[epochs=3]'; allowed: a[epochs=1], a[epochs=2]; did you mean 'a[epochs=2]'?"),
    ("b", "'b' sets train_fraction itself; allowed: a network that is trained on all the data, and not a "
          "repetition"),
    ("c[repetition=0]", "'c[repetition=0]' sets repetition itself; allowed: a network that is trained on all "
                        "the data, and not a repetition"),
])
def test_a_control_is_one_network_on_all_the_data(load, control, expected):
    found = message(lambda: grammar(
        load, {"a": "{of: net, vary: {epochs: [1, 2]}}", "b": "{of: net, train_fraction: 0.25}",
               "c": "{of: net, vary: {repetition: [0, 1]}}"}, verdicts=f'{{controls: ["{control}"]}}'))
    assert found == f"params.yaml: verdicts.controls: {expected}"


# --- the study ---------------------------------------------------------------------------------

#: Lists of the study, written out by hand.
WRITTEN_OUT = {
    "bn_before_relu": ["conv", "bn", "relu", "lstm"],
    "bn_after_selu": ["conv", "selu", "bn", "lstm"],
    "dropout_around_lstm": ["conv", "relu", "dropout", "lstm", "dropout"],
    "recurrent_dropout": ["conv", "relu", {"lstm": {"recurrent_dropout": 0.2}}],
    "bn_then_dropout": ["conv", "relu", "bn", "dropout", "lstm"],
    "excite_each_step": ["conv", "relu", {"se": {"squeeze": False}}, "lstm"],
    "bn_before_dense": ["conv", "relu", "lstm", "bn", {"dense": {"units": 15}}, "relu"],
    "extra_conv_quarter_data": ["conv", "relu", "conv", "relu", "lstm"],
    "selu_recipe_glorot": ["conv", "selu", "alpha_dropout", "lstm"],
    "template_without_bn": [{"conv": {"kernel_initializer": "lecun_normal"}}, "selu", "alpha_dropout", "se",
                            {"lstm": {"units": 16, "recurrent_dropout": 0.2}}],
    "stacked_spatial_dropout_between": ["conv", "relu", "lstm_sequence", "spatial_dropout", "lstm"],
    "mlp_bn_before_tanh": ["dense", "bn", "tanh", "dropout_half", "dense", "bn", "tanh", "dropout_half"],
    "mlp_bn_first_only": ["dense", "bn", "tanh", "dropout_half", "dense", "tanh", "dropout_half"],
    "mlp_plain_bn_after": ["dense", "relu", "bn", "dense", "relu", "bn"],
    "mlp_bn_noise_before_tanh": ["dense", "bn", "batch_noise", "tanh", "dropout_half"] * 2,
    "question_bn_added_as_written": [
        "bn", {"dense": {"kernel_initializer": "random_uniform"}}, "tanh", "dropout_half",
        {"dense": {"kernel_initializer": "random_uniform"}}, "tanh", "dropout_half"],
    "mlp_bn_old_defaults": ["dense", {"bn": {"epsilon": 1e-6, "momentum": 0.9}}, "relu"] * 2,
    "many_class_mlp_without_bn": ["wide", "prelu", "dropout_half"] * 3,
    "mlp_bn_depth_8": ["dense", "bn", "tanh"] * 8,
    "cnn_bn_without_bias": [{"conv2d": {"use_bias": False}}, "bn", "relu", "pool2d",
                            {"conv2d": {"use_bias": False}}, "bn", "relu", "flatten"],
}
VERSUS = {"dropout_then_bn": "bn_then_dropout", "mlp_relu": "mlp_tanh", "cnn_relu": None, "template_adam": "template",
          "dropout_and_recurrent_dropout": "cnn_lstm", "mlp_bn_momentum": None, "relu_recipe": "cnn_lstm",
          "question_as_written": None, "mlp_bn_old_defaults": "mlp_bn_new_defaults", "bn_anywhere": "cnn_lstm"}


@pytest.mark.parametrize("name", WRITTEN_OUT)
def test_the_studys_changes_make_the_lists_that_are_meant(name):
    assert params_module.load(PARAMS.resolve()).experiments[name].layers == WRITTEN_OUT[name]


def test_the_studys_experiments_are_compared_with_what_is_meant():
    experiments = params_module.load(PARAMS.resolve()).experiments
    assert {name: experiments[name].versus for name in VERSUS} == VERSUS
    assert experiments["template_linear_head"].head is None and experiments["template_adam"].optimizer is None
    assert experiments["template_relu"].optimizer == "Nadam"
    assert experiments["mlp_bn_on_softmax"].head == ["bn", "Softmax"]
    assert experiments["bn_input"].scaling == "none" and experiments["bn_input"].vary == {"batch_size": [8, 32]}
