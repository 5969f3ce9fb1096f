"""Data of a reader's own: a kind alone, on which every network meets one plain one, and on which no claim rests."""

from pipeline.findings.asked import Asker, of_claim, of_experiments, of_own
from pipeline.findings.finding import find, set_table
from tests.findings.made import arm, claim, params, study
from tests.findings.test_finding import DATA, EXPERIMENTS, MINE, question


def test_data_of_ones_own_are_a_kind_alone():
    data = DATA | {"mine": MINE}
    given = params(data, EXPERIMENTS)
    made = study(given, *(arm(name, one) for name in EXPERIMENTS for one in data))
    asker = Asker(made)
    of_experiments(asker, asker.study.params.experiments)
    assert question(asker, "mine").sets == ("mine",) and "mine" not in question(asker, "waves").sets
    assert set_table([find(question(asker, "mine"), made)], made).own.tolist() == [True]
    # Nor does a claim rest on them that does not name its data.
    assert [one.kind for one, _ in of_claim(claim(), asker)[0]] == ["waves", "toy", "toy_2"]


def test_on_ones_own_data_every_network_meets_one_plain_one():
    given = params(DATA | {"mine": MINE, "untried": MINE}, EXPERIMENTS | {
        "alone": {"data": "waves"}, "alone_2": {"of": "alone"}, "newer": {"of": "new", "versus": "new"},
        "swept": {"data": "waves", "versus": "new", "vary": {"learning_rate": [0.1, 0.2]}}})
    assert given.plain("mine") == "old"  # `new`, `newer` and `swept` come from it, `alone` has but one change.
    tried = [("old", ""), ("new", ""), ("newer", ""), ("alone", ""), ("swept", "learning_rate=0.1"), ("swept", "learning_rate=0.2")]
    made = study(given, *(arm(name, one, variant=variant) for name, variant in tried for one in (*DATA, "mine")))
    asker = Asker(made)
    of_experiments(asker, given.experiments)
    before = set(asker.questions)
    of_own(asker)
    assert {one.id for key, one in asker.questions.items() if key not in before} == {
        "newer_or_old_mine", "alone_or_old_mine", "swept_learning_rate_0_1_or_old_mine", "swept_learning_rate_0_2_or_old_mine"}
    found = set_table([find(one, made) for one in asker.questions.values() if one.sets == ("mine",)], made)
    assert (found["own"] & (found["data"] == "mine")).all() and "new_or_old_mine" in set(found["id"])
