"""Advice and verdict are one finding: what to do follows from the average's word, and needs its q."""

from dataclasses import replace

import pytest

from pipeline.book.advice import Do, advice, conclude, findings
from pipeline.config.claims import Claim
from pipeline.tables.schemas import MEASURED
from pipeline.verdicts.rule import Rule
from pipeline.verdicts.words import HARM, HELP, WORDS


def claim(region="better", quantifier="generally", **more):
    return Claim(**{"slug": "one", "rows": ["A1"], "who": "someone", "says": "It is so.", "topic": "order",
                    "predicts": {"by": "thread", "region": region, "quantifier": quantifier},
                    "contrasts": [{"treatment": "bn", "control": "plain"}]} | more)


def concluded(word, one=None, instead=(), depends=False, minus=False, **verdict):
    row = {"verdict": "supported", "reads": "supported", "q": 0.01, "why": "", "group": ""} | verdict
    return conclude(one or claim(), {"word": word, "depends": depends, "minus": minus}, row, Rule(), instead)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("region", ["better", "worse", "differs"])
def test_what_to_do_follows_the_word_whatever_was_predicted(word, region):
    do, head, _ = concluded(word, claim(region))
    assert (do is Do.YES) == (word in HELP) and (do is Do.NO) == (word in HARM)
    assert head == {Do.YES: "Put it in", Do.NO: "Leave it out"}.get(do, word[:1].upper() + word[1:]) + (
        f" ({word})" if word.endswith("a little") else "")


def test_between_two_ways_one_is_preferred():
    ways = ("SELU", "ReLU")
    assert concluded("helps", instead=ways)[1] == "Prefer SELU"
    assert concluded("harms clearly", instead=ways)[1] == "Prefer ReLU"
    assert concluded("harms a little", instead=ways)[1] == "Prefer ReLU (a little better)"


@pytest.mark.parametrize(("q", "do"), [(0.05, Do.YES), (0.0501, Do.OPEN), (float("nan"), Do.OPEN)])
def test_a_word_that_may_be_chance_among_so_many_is_no_advice(q, do):
    found, _, note = concluded("helps clearly", q=q)
    assert found is do and ("may be chance" in note) == (do is Do.OPEN)


def test_a_q_value_above_the_level_looks_so():
    assert "(q = 0.0501, above 0.05)" in concluded("helps clearly", q=0.0501)[2]
    assert "(q = 0.12, above 0.05)" in concluded("helps clearly", q=0.1234)[2]


def test_a_q_about_the_margin_is_none_about_the_direction():
    # “Not worse” is supported by an interval above −δ: that it is above 0, too, its q does not say.
    assert concluded("helps", claim("not_worse"))[:2] == (Do.NOTHING, "No harm that matters")
    assert concluded("harms a little", claim("equivalent"))[:2] == (Do.NOTHING, "Makes no difference")
    assert concluded("helps a little", claim("not_better"))[:2] == (Do.NOTHING, "No benefit that matters")
    assert concluded("harms clearly", claim("not_worse"), verdict="contradicted")[0] is Do.NO
    found, _, note = concluded("harms", claim("not_worse"), verdict="undecided", q=0.08)
    assert found is Do.OPEN and "by enough to matter" in note and "q = 0.08" in note


def test_what_is_not_shown_where_half_the_data_does_worse_stays_open_and_says_why():
    assert concluded("makes no difference", verdict="undecided", why="not shown on some sets") == (
        Do.OPEN, "Open", "Not shown on some sets.")


def test_a_claim_about_some_data_is_no_advice_for_all():
    one = claim("worse", "some")
    assert concluded("helps", one)[:2] == (Do.DEPENDS, "Harms on some data")
    assert concluded("helps", one, verdict="contradicted")[:2] == (Do.NOTHING, "On none of these sets")
    assert concluded("helps", one, q=0.2)[:2] == (Do.OPEN, "Open")
    assert concluded("harms", claim(), depends=True)[2].startswith("It depends on the data")


def test_an_interaction_says_where_it_helps_more():
    assert concluded("helps", minus=True)[:2] == (Do.DEPENDS, "Helps more there")


def test_of_a_measure_that_nobody_judges_only_the_direction_is_said():
    assert concluded("helps clearly", claim(metric="drift"))[:2] == (Do.NOTHING, "Larger")
    assert concluded("harms clearly", claim(metric="drift"), q=0.5)[0] is Do.OPEN


def test_what_is_being_measured_says_so_and_nothing_else():
    assert conclude(claim(), None, {"verdict": MEASURED}, Rule())[:2] == (Do.WAITING, "Being measured")
    assert conclude(claim(), None, {"verdict": "not measured"}, Rule())[0] is Do.NONE


def test_a_claim_has_a_finding_for_each_of_its_strata_with_their_units(study):
    by_slug = {one.slug: one for one in study.claims}
    forecasts, classes = findings(study, by_slug["dropout_helps"])
    assert (forecasts.group, forecasts.do, len(forecasts.units)) == ("forecasts", Do.NO, 5)
    assert (classes.group, classes.do, len(classes.units)) == ("classes", Do.YES, 6)
    assert forecasts.sentence.startswith("Leave it out: 23 % more error on average (+11 to +37 %), worse on 5 of 5")
    # Each unit's own interval: that of the effect it has alone.
    effects = study.effects[(study.effects["claim"] == "dropout_helps") & (study.effects["data"] == "tides")]
    unit = forecasts.units.set_index("unit").loc["tides"]
    assert (unit["low"], unit["high"], unit["found"]) == (
        pytest.approx(effects["low"].iloc[0]), pytest.approx(effects["high"].iloc[0]), effects["found"].iloc[0])
    assert findings(study, by_slug["exact_one"]) == []


def test_the_guide_lists_declared_claims_and_the_first_page_the_primary_ones(study):
    assert len(advice(study)) == 8 and "Not declared" not in [one.situation for one in advice(study)]
    assert [one.claim.slug for one in advice(study, primary=True)] == [
        "before_helps", "order_matters", "dropout_helps", "tables_bn_helps", "tables_dropout_helps", "selu_helps"]
    assert advice(replace(study, guide=())) == []
