"""An invented study is a valid one of the size that was asked for, and each of its copies is whole."""

import pytest

from tools.scale.study import AFTER, BEFORE, EDITED, FAMILIES, Size, claimed, invented
from pipeline.config.errors import read_yaml
from pipeline.config.claims import CLAIMS, Claim, check_claims, read_claims
from pipeline.config.schema import PARAMS, load, parse

REAL, WRITTEN = load(), read_yaml(PARAMS)


@pytest.fixture(scope="module", params=[Size(30, 4), Size(70, 6)])
def size(request):
    return request.param


@pytest.fixture(scope="module")
def params(size):
    return parse(invented(REAL, WRITTEN, size))


def test_it_has_the_size_that_was_asked_for(size, params):
    assert len(params.experiments) == size.experiments
    for name in FAMILIES:
        sets = [data for data in params.data.values() if data.family == name]
        assert len(sets) == size.sets == len({data.unit for data in sets})
        # A family in strata, and one without.
        assert {data.stratum for data in sets} == {data.source for data in sets} == set(FAMILIES[name][1])


def test_a_copy_is_of_its_own_copy(params):
    for name, experiment in params.experiments.items():
        number = name.partition("_copy_")[2]
        for other in (experiment.of, experiment.versus):
            assert name == EDITED or other is None or other.partition("_copy_")[2] == number


def test_a_copy_is_the_network_that_the_real_study_has(params):
    for name, experiment in params.experiments.items():
        if name != EDITED:
            assert experiment.layers == REAL.experiments[name.partition("_copy_")[0]].layers


def test_every_experiment_runs_on_a_family_or_the_few_of_it(size, params):
    for name in params.experiments:
        count = len(params.data_sets(name))
        assert count == 1 if name == EDITED else size.sets // 2 <= count <= size.sets, name


def test_one_line_is_edited(params):
    assert {key for key in BEFORE if BEFORE[key] != AFTER[key]} == {"after"}
    assert params.experiments[EDITED].layers[-1] == BEFORE["after"]["lstm"]


def test_claims_are_the_real_ones_about_its_networks_and_are_multiplied_with_them(params):
    claims = [Claim(**entry) for entry in claimed(read_claims(), read_yaml(CLAIMS), params.experiments)]
    check_claims(claims, params)
    assert len({claim.slug for claim in claims}) == len(claims) > 15
    copies = {number: [c for c in claims if c.slug.partition("_copy_")[2] == number] for number in ("", "2")}
    whole = all(f"{name}_copy_2" in params.experiments for claim in copies[""] for name in claim.experiments)
    assert len(copies["2"]) == (len(copies[""]) if whole else 0)
    for claim in copies["2"]:
        assert all(name.endswith("_copy_2") for name in claim.experiments) and not claim.primary


def test_the_real_study_is_not_changed():
    before = read_yaml(PARAMS)
    invented(REAL, before, Size(40, 4))
    assert before == WRITTEN
