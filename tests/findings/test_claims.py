"""Readings: regions against simulation, quantifiers by hand, and what a claim says of findings."""

import numpy as np
import pytest

from pipeline.config.errors import ConfigError
from pipeline.findings.asked import Asker, of_claim, of_premises
from pipeline.findings.claims import Reader, reads, sentence, tables
from pipeline.findings.estimate import Estimate
from pipeline.findings.finding import advising, averages, find
from pipeline.findings.regions import CODES, REGIONS, Reading, together
from tests.findings.made import RULE, arm, claim, family, params, study

DELTA, TAIL = RULE.margin("ratio"), RULE.tail
#: Region → readings of an effect of so many margins, when it is known exactly; None: either would do.
TRUTH = {
    "better": {-2: -1, -0.5: -1, 0.5: 1, 2: 1}, "worse": {-2: 1, -0.5: 1, 0.5: -1, 2: -1},
    "much_worse": {-2: 1, -0.5: -1, 0.5: -1, 2: -1}, "positive": {-2: -1, -0.5: -1, 0.5: 1, 2: 1},
    "useless": {-2: 1, -0.5: 1, 0.5: -1, 2: -1}, "not_worse": {-2: -1, -0.5: 1, 0.5: 1, 2: 1},
    "not_better": {-2: 1, -0.5: 1, 0.5: 1, 2: -1}, "equivalent": {-2: -1, -0.5: 1, 0.5: 1, 2: -1},
    "differs": {-2: 1, -0.5: 1, 0.5: 1, 2: 1}}


def code(region, estimate, delta=DELTA):
    yes, no = REGIONS[region].chances(estimate, delta, TAIL)
    return np.where(yes < TAIL, 1, np.where(no < TAIL, -1, 0))


@pytest.mark.parametrize("region", TRUTH)
def test_what_is_known_exactly_is_read_as_the_sentence_means(region):
    for margins, expected in TRUTH[region].items():
        assert code(region, Estimate(margins * DELTA, 1e-9, 9)) == expected, margins


def test_no_effect_at_all_denies_a_benefit_and_a_difference_and_proves_what_needs_none():
    nothing = Estimate(0.0, DELTA / 10, 9)
    assert {region: int(code(region, nothing)) for region in TRUTH} == {
        "better": -1, "worse": -1, "much_worse": -1, "positive": 0, "useless": 1, "not_worse": 1, "not_better": 1,
        "equivalent": 1, "differs": -1}


@pytest.mark.parametrize("region", TRUTH)
def test_a_wrong_reading_is_as_seldom_as_the_interval_promises(region):
    rng, k, about = np.random.default_rng(1), 9, REGIONS[region]
    for margins in (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5):
        for spread in (0.2, 1.0, 3.0):
            truth = margins * DELTA
            y = rng.normal(truth, spread * DELTA, (4000, k))
            found = code(region, Estimate(y.mean(axis=1), y.std(axis=1, ddof=1) / np.sqrt(k), k - 1))
            wrong = (found == 1) & (not about.right(truth, DELTA)) | (found == -1) & (not about.wrong(truth, DELTA))
            assert wrong.mean() < 0.05 + 0.012, (margins, spread)


@pytest.mark.parametrize("region", TRUTH)
def test_one_reading_at_a_time(region):
    rng = np.random.default_rng(2)
    some = Estimate(rng.normal(0, 0.1, 500), rng.uniform(0.001, 0.1, 500), 9)
    yes, no = REGIONS[region].chances(some, DELTA, TAIL)
    assert not ((yes < TAIL) & (no < TAIL)).any()


def test_to_be_useless_is_not_to_be_better():
    rng = np.random.default_rng(2)
    some = Estimate(rng.normal(0, 0.1, 500), rng.uniform(0.001, 0.1, 500), 9)
    np.testing.assert_array_equal(code("useless", some), -code("better", some))


@pytest.mark.parametrize(("quantifier", "yes", "no", "expected"), [
    ("one", [0.01, 0.02], [1, 1], 1), ("one", [1, 1], [0.01, 0.02], -1), ("one", [0.01, 1], [1, 0.01], 2),
    ("one", [0.01, 0.5], [1, 0.5], 2), ("one", [0.5, 0.5], [0.5, 0.5], 0),
    ("some", [0.01, 1], [1, 0.01], 1), ("some", [0.02, 1], [1, 1], 0),  # 2 × 0.02 is above the tail.
    ("some", [1, 1], [0.02, 0.01], -1), ("some", [1, 0.5], [0.01, 0.5], 0),
    ("each", [0.02, 0.02], [1, 1], 1), ("each", [0.02, 0.5], [1, 0.5], 0), ("each", [0.001, 1], [1, 0.01], -1),
    ("each", [0.001, 1], [1, 0.02], 0)])
def test_quantifiers(quantifier, yes, no, expected):
    assert together(quantifier, np.array(yes), np.array(no), TAIL) == expected
    both = together(quantifier, np.array([yes, yes]), np.array([no, no]), TAIL)
    assert both.tolist() == [expected] * 2


def test_some_and_each_keep_their_promise_over_many_parts():
    rng, k, parts = np.random.default_rng(5), 9, 6
    y = rng.normal(0, 0.3, (4000, parts, k))
    found = Estimate(y.mean(axis=2), y.std(axis=2, ddof=1) / 3, k - 1)
    yes, no = REGIONS["positive"].chances(found, DELTA, TAIL)
    assert (together("some", yes, no, TAIL) == 1).mean() < 0.03
    assert (together("each", yes, no, TAIL) == -1).mean() < 0.03


# Claims of small studies

DATA = family(8, "tables") | family(8, "waves", "forecasts") | family(8, "waves", "classes", first=8)
EXPERIMENTS = {name: {"data": ["tables", "waves"]} for name in ("old", "new", "bad", "same")}
LEVELS = {"old": 1.0, "new": 0.7, "bad": 1.4, "same": 1.0}


@pytest.fixture(scope="module")
def made():
    given = params(DATA, EXPERIMENTS)
    arms = [arm(name, data, level if data != "waves_9" or name != "new" else 1.6, noise=0.02)
            for name, level in LEVELS.items() for data in DATA]
    # On classes the new one is worse.
    for i, (name, data) in enumerate([(name, data) for name in LEVELS for data in DATA]):
        if name == "new" and data.startswith("waves") and int(data.split("_")[1]) >= 8:
            arms[i] = arm(name, data, 1.5, noise=0.02)
    return study(given, *arms)


def read(made, one, checks=()):
    asker = Asker(made)
    asked, premises = of_claim(one, asker), of_premises(one, asker)
    findings = {q.id: find(q, made) for q in asker.questions.values()}
    reader = Reader({id_: advising(averages(f, made)) for id_, f in findings.items()},
                    {(id_, data): e.estimate for id_, f in findings.items() for data, e in f.effects.items()},
                    dict(checks), list(made.params.experiments), RULE)
    return reader.read(one, asked, premises)


def test_one_comparison_agrees_or_disagrees(made):
    assert read(made, claim(data=["tables"])).reading == Reading.AGREES
    assert read(made, claim("worse", data=["tables"])).reading == Reading.DISAGREES
    assert read(made, claim("equivalent", findings=[("same", "old")], data=["tables"])).reading == Reading.AGREES
    assert reads(read(made, claim(data=["tables"]))) == "agrees"


def test_strata_that_differ_are_told_apart(made):
    found = read(made, claim(data=["waves"]))
    assert (found.reading, reads(found)) == (Reading.MIXED, "agrees on forecasts, disagrees on classes")
    assert read(made, claim(data=["forecasts"])).reading == Reading.AGREES
    assert reads(read(made, claim())) == "agrees on tables and forecasts, disagrees on classes"


def test_findings_of_a_claim_are_never_averaged(made):
    found = read(made, claim(findings=[("new", "old"), ("bad", "old")], data=["tables"]))
    assert reads(found) == "agrees on new against old, disagrees on bad against old"
    assert len({part.id for part in found.parts}) == 2


def test_some_needs_one_and_each_needs_all(made):
    pairs = [("new", "old"), ("bad", "old")]
    some = read(made, claim(quantifier="some", findings=pairs, data=["tables"]))
    each = read(made, claim(quantifier="each", findings=pairs, data=["tables"]))
    assert (some.reading, each.reading) == (Reading.AGREES, Reading.DISAGREES)
    assert sentence(some) == "Agrees: at least one of 2 is shown to be so, new against old."
    assert sentence(each) == "Disagrees: not so on bad against old."
    both = claim(quantifier="each", findings=[("new", "old"), ("new", "same")], data=["tables"])
    assert read(made, both).reading == Reading.AGREES and sentence(read(made, both)) == "Agrees: both are so."


def test_a_claim_put_the_other_way_round_reads_the_same_finding(made):
    asker = Asker(made)
    one, other = (of_claim(claim(findings=[pair], data=["tables"]), asker)[0][0] for pair in (("new", "old"), ("old", "new")))
    assert one[0] is other[0] and (one[1], other[1]) == (1, -1)
    found = read(made, claim(findings=[("new", "old"), ("old", "new")], data=["tables"]))
    assert [part.turn for part in found.parts] == [1, -1] and found.parts[0].word == found.parts[1].word == "better"
    assert found.says == [1, -1]


def test_sets_that_are_named_are_read_one_by_one(made):
    found = read(made, claim(quantifier="some", data=["tables_0", "tables_1"]))
    assert [(part.data, part.family) for part in found.parts] == [("tables_0", False), ("tables_1", False)]
    assert found.reading == Reading.AGREES and sentence(found).endswith(", on the sets that were tried.")


def test_where_there_is_no_gain_there_is_nothing_to_explain(made):
    why = {"treatment": "same", "control": "old", "region": "better"}
    found = read(made, claim("worse", findings=[("bad", "new")], data=["tables"], explains=[why]))
    assert (found.reading, found.why) == (Reading.CANNOT_TELL, "no gain is shown that it could explain")
    assert sentence(found) == "Cannot tell, because no gain is shown that it could explain."
    gain = {"treatment": "new", "control": "old", "region": "better"}
    assert read(made, claim("worse", findings=[("bad", "new")], data=["tables"], explains=[gain])).reading == "agrees"
    # On classes there is none.
    part = read(made, claim("worse", findings=[("bad", "same")], data=["waves"], explains=[gain]))
    assert [one.stratum for one in part.parts] == ["forecasts"] and part.reading == Reading.AGREES


def test_a_claim_waits_for_an_arm_that_was_not_tried(made):
    found = read(made, claim(data=["tables"], needs=["noise_alone"]))
    assert found.reading == Reading.CANNOT_TELL and "noise_alone, which was not tried" in found.why
    assert read(made, claim(data=["tables"], needs=["same"])).reading == Reading.AGREES


def test_exact_checks_make_a_claim_true_or_false():
    reader = Reader({}, {}, {"holds": True, "fails": False}, [], RULE)
    assert reader.identity(claim(checks=["holds"])).reading == Reading.TRUE
    assert reader.identity(claim(checks=["holds", "fails"])).reading == Reading.FALSE
    assert sentence(reader.identity(claim(checks=["holds"]))) == "True: 1 exact check decides it."
    with pytest.raises(ConfigError, match="did you mean 'holds'"):
        reader.identity(claim(checks=["hold"]))


def test_tables_have_a_row_a_claim_and_a_row_a_part(made):
    found = tables([read(made, claim(data=["waves"])), read(made, claim(data=["tables"]))])
    assert found["readings"].reads.tolist() == ["agrees on forecasts, disagrees on classes", "agrees"]
    assert found["parts"].stratum.tolist() == ["forecasts", "classes", "tables"]
    assert set(found["parts"].says) == {str(CODES[1]), str(CODES[-1])}
