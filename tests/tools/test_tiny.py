"""The tiny profile is a valid study of its own, and a small one."""

import copy
from pathlib import Path

from pipeline.data.user_data.read import from_file
from pipeline.data.sources import check, make
from pipeline.config.read_yaml import read_yaml
from pipeline.config.readings import check_claims, read_claims
from pipeline.config.data_files import FileSource
from pipeline.config.schema import PARAMS, load, parse
from tools.tiny import COPIED, EXPERIMENTS, shrink


def test_the_tiny_profile_is_valid_and_small():
    content = read_yaml(PARAMS)
    params = parse(shrink(copy.deepcopy(content)))
    assert set(params.experiments) == set(EXPERIMENTS)
    for name in params.experiments:
        versus = params.experiments[name].versus
        assert versus is None or versus in params.experiments
        for data in params.data_sets(name):
            assert params.training(name, data).epochs <= 2
    assert max(d.seeds for d in params.data.values()) <= 3


def test_every_kind_of_network_and_every_guard_of_the_rule_is_in_it():
    params = parse(shrink(read_yaml(PARAMS)))
    groups = {params.data[d].group for n in params.experiments for d in params.data_sets(n)}
    assert groups == {d.group for d in params.data.values()}
    assert params.controls
    assert any(e.vary for e in params.experiments.values())
    assert any(e.everywhere for e in params.experiments.values())


def test_every_data_set_of_the_tiny_profile_can_be_made():
    params = parse(shrink(read_yaml(PARAMS)))
    for name, entry in params.data.items():
        if isinstance(entry, FileSource):
            from_file(entry, params.seeds(name), name)
            continue
        check(entry.source, name, **entry.arguments)
        make(entry.source, params.seeds(name), **entry.arguments)


def test_claims_are_kept_with_all_their_experiments():
    params = parse(shrink(read_yaml(PARAMS)))
    kept = [c for c in read_claims() if set(c.experiments) <= set(EXPERIMENTS)]
    check_claims(kept, params)
    assert any(c.findings for c in kept) and any(c.checks for c in kept)
    assert len(kept) < len(read_claims())


def test_shrinking_leaves_the_study_as_it_is():
    before = load()
    shrink(read_yaml(PARAMS))
    assert load() == before


def test_only_experiments_of_the_tiny_profile_are_probed():
    content = read_yaml(PARAMS)
    content["probe"] = {"seeds": 10, "experiments": ["cnn_lstm", "bn_before_tanh"]}
    assert parse(shrink(content)).probe.experiments == ["cnn_lstm"]


def test_all_that_no_stage_makes_is_copied():
    made, used = {str(PARAMS)}, set()
    for stage in read_yaml("dvc.yaml")["stages"].values():
        stage = stage.get("do", stage)
        made |= {name for out in stage["outs"] for name in out}
        used |= set(stage["deps"])
    # Training writes timings beside its results, which no stage may depend on as an output.
    folders = {Path(name).parts[0] for name in made} | {"timings"}
    assert {Path(name).parts[0] for name in used} - folders <= set(COPIED)
