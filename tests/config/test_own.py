"""A reader's own data set joins a group, or some of its experiments, and decides nothing of the study."""

import copy

import pytest

from pipeline.config.errors import ConfigError
from pipeline.config.readings import Claim, check_claims
from pipeline.config.schema import parse

CONTENT = {
    "data": {"noise": {"group": "sequences", "source": "noise", "seeds": 3},
             "table": {"group": "tables", "source": "tabular", "seeds": 3}},
    "layers": {"relu": {"Activation": "relu"}, "lstm": {"LSTM": {"units": 3}}, "bn": "BatchNormalization"},
    "experiments": {
        "base": {"data": "sequences", "layers": ["relu", "lstm"]},
        "with_bn": {"of": "base", "after": {"relu": "bn"}},
        "with_two": {"of": "with_bn", "after": {"lstm": "bn"}},
        "only_noise": {"of": "base", "data": "noise", "after": {"lstm": "bn"}},
        "mlp": {"data": "tables", "layers": ["relu"]}},
    "train": {"epochs": 1, "batch_size": 8, "optimizer": "Adam", "learning_rates": [0.01]},
    "verdicts": {"controls": ["base"]}}
MINE = {"group": "sequences", "own": True, "file": "mine.csv", "target": "y", "window": 4, "seeds": 2}


def content(**entry):
    found = copy.deepcopy(CONTENT)
    found["data"]["mine"] = {key: value for key, value in (MINE | entry).items() if value is not None}
    return found


def on_mine(**entry):
    params = parse(content(**entry))
    return [name for name in params.experiments if "mine" in params.data_sets(name)]


def test_it_gets_all_experiments_of_its_group_or_those_that_it_names_with_their_controls():
    assert on_mine() == ["base", "with_bn", "with_two"]
    assert on_mine(experiments=["with_bn"]) == ["base", "with_bn"]
    # What its control is compared with in turn answers another question.
    assert on_mine(experiments=["with_two"]) == ["with_bn", "with_two"]
    assert on_mine(experiments=["base"]) == ["base"]


def test_an_experiment_that_names_it_has_it_whatever_it_names():
    found = content(experiments=["base"])
    found["experiments"]["special"] = {"of": "base", "data": ["mine"], "before": {"lstm": "bn"}}
    assert "mine" in parse(found).data_sets("special")


def test_the_study_s_data_sets_stay_as_they_are():
    before, after = parse(CONTENT), parse(content())
    for name in before.experiments:
        assert after.data_sets(name) == before.data_sets(name) + (["mine"] if name in on_mine() else [])
    assert before.own == [] and after.own == ["mine"]


def test_no_claim_names_it():
    claim = {"slug": "a", "rows": ["A1"], "who": "me", "says": "b", "topic": "c", "metric": "error",
             "predicts": {"by": "ours", "region": "better"},
             "findings": [{"treatment": "with_bn", "control": "base"}]}
    params = parse(content())
    check_claims([Claim(**claim)], params)
    with pytest.raises(ConfigError, match="found 'mine', which is a reader's own; allowed: a data set of the study"):
        check_claims([Claim(**claim, data=["mine"])], params)


@pytest.mark.parametrize(("entry", "expected"), [
    ({"file": None, "target": None, "window": None, "source": "noise"}, "data.mine.own: found true without a file"),
    ({"own": None, "experiments": ["base"]}, "data.mine.experiments: found without own"),
    ({"unit": "u"}, "data.mine.unit: found 'u' beside own"),
    ({"group": "sequnces"}, "data.mine.group: unknown group 'sequnces'; groups: sequences, tables; did you mean "
     "'sequences'?"),
    ({"experiments": ["with_bm"]}, "data.mine.experiments[0]: there is no experiment 'with_bm'; allowed: those of its "
     "groups, base, with_bn, with_two; did you mean 'with_bn'?"),
    ({"experiments": ["mlp"]}, "data.mine.experiments[0]: 'mlp' does not run on the group 'sequences'"),
    ({"experiments": ["base", "base"]}, "data.mine.experiments: 'base' stands twice"),
    ({"experiments": []}, "data.mine.experiments: found []; allowed: at least 1 entry"),
    ({"experiment": ["base"]}, "data.mine: unknown key 'experiment'"),
    ({"own": "yes"}, "data.mine.own: found 'yes'; allowed: true or false")])
def test_a_mistake_is_named(entry, expected):
    with pytest.raises(ConfigError) as error:
        parse(content(**entry))
    assert str(error.value).startswith(f"params.yaml: {expected}")
