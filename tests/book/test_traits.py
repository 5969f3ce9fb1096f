"""What distinguishes the data sets that gained from those that lost."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.book.traits import CONTROL, FEWEST, correlations, traits


@pytest.fixture
def known(study):
    """The tables of the invented study, with sizes that follow their effects on one claim."""
    effects = study.claim_effects(study.claims[3])
    order = list(effects.sort_values("y")["data"])
    arms = [{"data": data, "shape": [20, 10 - place]} for place, data in enumerate(order)]
    return replace(study, sizes={data: 100 * place for place, data in enumerate(order)},
                   plans={"mlp": {"arms": arms}}), effects


def test_ranks_alone_decide_a_correlation(known):
    study, effects = known
    found = {one.trait: one for one in correlations(study, effects)}
    assert found["training samples"].rho == pytest.approx(1) and found["training samples"].sets == len(effects)
    assert found["channels, or columns"].rho == pytest.approx(-1)
    # The steps are the same everywhere, and so is the control's error of the invented study.
    assert "steps of a sample" not in found and CONTROL not in found


def test_a_correlation_is_that_of_the_ranks_with_ties_shared(known):
    study, effects = known
    study = replace(study, sizes=dict(zip(effects["data"], [1, 1, 2, 3, 5, 8, 8, 2, 0, 4], strict=True)))
    ranks = pd.DataFrame({"y": effects["y"].to_numpy(), "x": list(study.sizes.values())}).rank()
    expected = np.corrcoef(ranks["x"], ranks["y"])[0, 1]
    assert correlations(study, effects)[0].rho == pytest.approx(expected)


def test_too_few_data_sets_and_unknown_traits_say_nothing(known):
    study, effects = known
    assert not correlations(study, effects.iloc[:FEWEST - 1])
    assert not correlations(replace(study, sizes={}, plans={}), effects)
    assert traits(replace(study, sizes={}, plans={}))["training samples"].isna().all()


def test_several_comparisons_on_a_data_set_are_one_point(known):
    study, effects = known
    twice = pd.concat([effects, effects.assign(y=effects["y"] + 1)])
    assert correlations(study, twice)[0].sets == len(effects)
