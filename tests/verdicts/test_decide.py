"""Cells become verdicts."""

import numpy as np
import pytest
from tests.verdicts.made_runs import RULE, arm, cells_of, claim, measured, together

from pipeline.spec.base import ConfigError
from pipeline.spec.tables import CELL_COLUMNS
from pipeline.verdicts.decide import CHANGES, decide, needed, robustness, verdicts


def by_hand(d, f, a, quantifier):
    """The table of quantifiers, written out once more."""
    if d == 0:
        return "undecided"
    if quantifier == "some":
        return "supported" if f else "contradicted" if a == d else "undecided"
    if quantifier == "always":
        return "contradicted" if a else "supported" if f == d else "undecided"
    k = {1: 1, 2: 2, 3: 2, 4: 2, 5: 3, 6: 3, 7: 4, 8: 4}[d]
    if f and a:
        return "mixed"
    return "supported" if f >= k else "contradicted" if a >= k else "undecided"


@pytest.mark.parametrize("quantifier", ["generally", "some", "always"])
def test_every_count_has_its_verdict(quantifier):
    for d in range(9):
        for f in range(d + 1):
            for a in range(d + 1 - f):
                assert decide(d, f, a, quantifier) == by_hand(d, f, a, quantifier), (
                    d, f, a)


@pytest.mark.parametrize("d, f, a, quantifier, verdict", [
    (3, 2, 0, "generally", "supported"), (3, 1, 0, "generally", "undecided"),
    (3, 2, 1, "generally", "mixed"), (3, 0, 2, "generally", "contradicted"),
    (1, 1, 0, "generally", "supported"), (5, 2, 0, "generally", "undecided"),
    (3, 1, 2, "some", "supported"), (3, 0, 2, "some", "undecided"),
    (3, 0, 3, "some", "contradicted"), (3, 3, 0, "always", "supported"),
    (3, 2, 0, "always", "undecided"), (3, 2, 1, "always", "contradicted"),
    (0, 0, 0, "some", "undecided"), (0, 0, 0, "always", "undecided"),
])
def test_verdicts_by_hand(d, f, a, quantifier, verdict):
    assert decide(d, f, a, quantifier) == verdict


def test_needed_cells():
    assert [needed(d) for d in range(9)] == [0, 1, 2, 2, 2, 3, 3, 4, 4]


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="F=2"):
        decide(2, 2, 1, "some")
    with pytest.raises(ValueError, match="Received: 'mostly'"):
        decide(2, 1, 1, "mostly")


def decided(spec, *levels, **options):
    runs = together(*(arm(name, f"d{i}", level) for i, new in enumerate(levels)
                      for name, level in (("old", 1.0), ("new", new))))
    table = cells_of([spec], runs, **options)
    return verdicts([spec], table).iloc[0]


@pytest.mark.parametrize("region, levels, verdict, way", [
    ("better", (0.7, 0.7), "supported", ""),
    ("better", (1.4, 1.4), "contradicted", "the opposite effect"),
    ("better", (1.0, 1.0), "contradicted", "no effect of that size"),
    ("better", (1.4, 1.0), "contradicted", "no effect of that size"),
    ("better", (0.7, 1.4), "mixed", ""),
    ("worse", (0.7, 0.7), "contradicted", "the opposite effect"),
    ("worse", (1.0, 1.0), "contradicted", "no effect of that size"),
    ("equivalent", (1.0, 1.0), "supported", ""),
    ("equivalent", (0.7, 1.4), "contradicted", "a difference"),
    ("differs", (0.7, 1.4), "supported", ""),
    ("differs", (1.0, 1.0), "contradicted", "no effect of that size"),
    ("not_worse", (1.0, 0.7), "supported", ""),
    ("not_worse", (1.4, 1.4), "contradicted", "the opposite effect"),
    ("not_better", (0.7, 0.7), "contradicted", "the opposite effect"),
    ("positive", (0.93, 0.93), "supported", ""),
    ("positive", (1.4, 1.4), "contradicted", "the opposite effect"),
])
def test_regions_end_in_verdicts(region, levels, verdict, way):
    row = decided(claim(region), *levels)
    assert (row["verdict"], row["way"]) == (verdict, way)
    assert (row["D"], row["k"], row["scope"]) == (2, 2, "d0, d1")


def test_an_analogue_is_replicated_or_not():
    spec = claim(analogue=True)
    assert decided(spec, 0.7, 0.7)["reads"] == "replicated in our analogue"
    assert decided(spec, 1.4, 1.4)["reads"] == "not replicated in our analogue"
    assert decided(spec, 0.7, 1.4)["reads"] == "mixed"


def test_identities_are_true_or_false():
    spec = claim(checks=["formula", "inference"])
    empty = cells_of([spec], together(arm("old", "a")))
    assert empty.empty and list(empty.columns) == CELL_COLUMNS
    for values, verdict in [((True, True), "true"), ((True, False), "false")]:
        checks = dict(zip(("formula", "inference"), values, strict=True))
        assert verdicts([spec], empty, checks=checks)["verdict"].item() == verdict
    with pytest.raises(ConfigError, match="checks.1.: found 'inference'.*did you mean 'inferenc'"):
        verdicts([spec], empty, checks={"formula": True, "inferenc": True})


def test_robustness_and_fragile():
    runs = together(
        *(arm("old", data) for data in "ab"),
        *(arm("new", data, 0.8, rate=0.1, default=False, last=1.3) for data in "ab"),
        *(arm("new", data, 1.0, chosen=False) for data in "ab"))
    spec = claim()
    table = robustness([spec], measured(runs), RULE)
    assert list(table["change"]) == list(CHANGES)
    # ln(1 / 0.8) = 0.22 is near twice the margin, 0.19.
    assert list(table["verdict"])[0] == "supported"
    assert list(table["verdict"])[2:] == ["contradicted", "contradicted"]
    cells = cells_of([spec], runs)
    row = verdicts([spec], cells, robustness=table).iloc[0]
    assert (row["verdict"], row["fragile"]) == ("supported", True)
    steady = table.assign(verdict=["supported", "undecided", "supported", "mixed"])
    assert not verdicts([spec], cells, robustness=steady)["fragile"].item()
    assert not verdicts([spec], cells)["fragile"].item()


def test_a_small_effect_turns_round_with_the_margin():
    runs = together(*(arm(name, data, level, noise=0.02) for data in "ab"
                      for name, level in (("old", 1.0), ("new", 0.93))))
    table = robustness([claim()], measured(runs), RULE)
    cells = cells_of([claim()], runs)
    row = verdicts([claim()], cells, robustness=table).iloc[0]
    assert (row["verdict"], row["way"]) == ("contradicted", "no effect of that size")
    assert table["verdict"][0] == "supported" and row["fragile"]


def test_changes_that_do_not_apply_are_empty():
    rng = np.random.default_rng(0)
    runs = together(*(arm(name, "a", zero_share=rng.normal(0.5, 0.02, 30))
                      for name in ("old", "new")))
    specs = [claim(metric="divergence", slug="one"), claim(metric="zero_share", slug="two"),
             claim(checks=["formula"], slug="three")]
    table = robustness(specs, measured(runs), RULE)
    empty = table["verdict"].eq("").groupby(table["claim"]).agg(list)
    assert empty["one"] == [False, False, False, True]
    assert empty["two"] == [True, True, False, True]
    assert empty["three"] == [True] * 4
