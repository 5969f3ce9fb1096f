"""What is asked once, titled neutrally, averaged by stratum, and stored as rows."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.config.errors import ConfigError
from pipeline.config.schema import load
from pipeline.findings import controls, words
from pipeline.findings.arms import Comparison, Pair
from pipeline.findings.asked import Asker, of_claim, of_controls, of_experiments
from pipeline.findings.finding import ALL, advising, averages, competent_table, find, row, set_table, unit_table
from pipeline.findings.places import doses, places
from pipeline.findings.posterior import posterior
from pipeline.findings.record import finished
from pipeline.findings.scales import Effect
from pipeline.findings.titles import chain, title
from pipeline.tables.schemas import BASELINE_COLUMNS, FINDING_COLUMNS, FINDING_PLACE_COLUMNS, FOUND, SET_COLUMNS
from pipeline.tables.stored import read_table
from tests.findings.made import RULE, arm, claim, family, params, study

DATA = family(9, "waves", "forecasts") | family(8, "waves", "classes", first=9) | {
    "extra": {"of": "waves_0"}, "toy": {"group": "toys", "source": "forecast", "seeds": 15},
    "toy_2": {"group": "toys", "source": "forecast", "seeds": 15}}
MINE = {"group": "waves", "file": "extracts/letter.csv.xz", "target": "class", "seeds": 15, "own": True}
EXPERIMENTS = {"old": {"data": ["waves", "toys"]}, "new": {"data": ["waves", "toys"], "versus": "old"}}
GIVEN = params(DATA, EXPERIMENTS, verdicts={"controls": ["old"]})


def arms(level=0.95, **more):
    return [arm(name, data, 1.0 if name == "old" else level * (1 + 0.02 * (i % 5)), **more)
            for name in EXPERIMENTS for i, data in enumerate(DATA)]


@pytest.fixture(scope="module")
def made():
    halves = [arm("old", data, 1.3, variant="train_fraction=0.5") for data in DATA]
    return study(GIVEN, *arms(), *halves)


@pytest.fixture(scope="module")
def asker(made):
    asker = Asker(made)
    of_experiments(asker, asker.study.params.experiments)
    of_controls(asker)
    return asker


def question(asker, kind, role="versus"):
    return next(one for one in asker.questions.values() if one.kind == kind and one.role == role)


def test_a_kind_of_data_is_a_question_and_an_invented_set_one_of_its_own(asker):
    assert {one.kind for one in asker.questions.values() if one.role == "versus"} == {"waves", "toy", "toy_2"}
    assert question(asker, "waves").id == "new_or_old_waves"
    assert len(question(asker, "waves").sets) == 18


def test_what_is_asked_again_or_the_other_way_round_is_the_same_question(made, asker):
    before = len(asker.questions)
    (again, turn), = of_claim(claim(findings=[("old", "new")], data=["waves"]), asker)[0]
    assert (again.id, turn, len(asker.questions)) == ("new_or_old_waves", -1, before)
    table = asker.table()
    mine = table[(table.by == "a_claim") & (table.id == again.id)]
    assert mine.turn.tolist() == [-1] and mine.treatment.tolist() == ["old"]
    with pytest.raises(ConfigError, match="share none of the data sets"):
        of_claim(claim(data=["tables"]), asker)


def test_names_of_findings_are_names_of_pages():
    made = study(GIVEN, *arms())
    long = "x" * 80
    for pair in (Pair((long, ""), (long + "y", "")), Pair((long, "a=0.5,b=1e-06"), (long + "y", ""))):
        asker = Asker(made)
        asker._shared = lambda comparison: ["toy"]
        (one, _), = asker.ask(Comparison(((1.0, pair),)), "versus", "", "")
        assert len(one.id) <= 100 and one.id.replace("_", "").isalnum() and one.id == one.id.lower()


def test_strata_are_always_there_and_all_together_beside_them(made, asker):
    found = {one.stratum: one for one in averages(find(question(asker, "waves"), made), made)}
    assert list(found) == ["forecasts", "classes", ALL]
    y = found["forecasts"].units.sample().y
    assert len(y) == 9  # The extra set belongs to a unit.
    expected = stats.ttest_1samp(y, 0).confidence_interval(0.95)
    assert found["forecasts"].estimate.bounds(RULE.tail) == pytest.approx((expected.low, expected.high))
    parts = [found[name].estimate.value for name in ("forecasts", "classes")]
    assert found[ALL].estimate.value == pytest.approx(np.mean(parts))
    assert all(one.family for one in found.values())
    assert [one.stratum for one in advising(list(found.values()))] == ["forecasts", "classes"]


def test_an_invented_set_stands_for_itself(made, asker):
    one, = averages(find(question(asker, "toy"), made), made)
    assert (one.stratum, one.family) == ("toy", False)
    effect = one.finding.effects["toy"]
    assert one.estimate.bounds(RULE.tail) == pytest.approx(effect.estimate.bounds(RULE.tail))


def test_strata_too_small_for_themselves_are_read_together():
    data = family(4, "waves", "forecasts") | family(4, "waves", "classes", first=4)
    given = params(data, {name: {**one, "data": "waves"} for name, one in EXPERIMENTS.items()})
    made = study(given, *(arm(name, one) for name in EXPERIMENTS for one in data))
    asker = Asker(made)
    of_experiments(asker, asker.study.params.experiments)
    found = averages(find(question(asker, "waves"), made), made)
    assert [one.family for one in found] == [False, False, True]
    assert [one.stratum for one in advising(found)] == [ALL]


def rows(made, asker, kind="waves"):
    half = find(question(asker, "waves", "half the data"), made)
    halves = {"old": half.effects}
    return {one.stratum: row(one, halves, made) for one in averages(find(question(asker, kind), made), made)}


def test_a_row_holds_all_that_is_said_of_a_finding(made, asker):
    found = rows(made, asker)
    assert set(FINDING_COLUMNS) - set(found["forecasts"]) == {"q", "analyses", "same_sign", "same_word", "sentence"}
    forecasts, together = found["forecasts"], found[ALL]
    assert forecasts["word"] == words.choose(forecasts["low"], forecasts["high"], forecasts["margin"])
    assert forecasts["change"] == pytest.approx(100 * math.expm1(-forecasts["effect"]))
    assert forecasts["change_low"] < forecasts["change"] < forecasts["change_high"]
    y, s = (getattr(find(question(asker, "waves"), made).units.sample("forecasts"), name) for name in "ys")
    belief = posterior(forecasts["margin"], RULE)(y, s)
    assert (forecasts["p_better"], forecasts["p_within"], forecasts["p_worse"]) == pytest.approx(
        belief.another(forecasts["margin"]))
    assert forecasts["p"] == pytest.approx(stats.ttest_1samp(y, 0).pvalue)
    assert together["apart"] == pytest.approx(forecasts["effect"] - found["classes"]["effect"])
    assert math.isnan(forecasts["apart"])


def test_an_effect_stands_beside_that_of_half_the_data(made, asker):
    found = rows(made, asker)["forecasts"]
    half = find(question(asker, "waves", "half the data"), made)
    mine = find(question(asker, "waves"), made).effects
    # Two sets are of one unit, which counts once.
    units = [("extra", "waves_0"), *((f"waves_{i}",) for i in range(1, 9))]
    gain, cost = (np.mean([np.mean([effects[data].y for data in unit]) for unit in units]) for effects in (mine, half.effects))
    assert found["of_half"] == pytest.approx(gain / -cost)
    assert math.isnan(rows(made, asker, "toy")["toy"]["of_half"])


def test_the_nearest_control_is_an_ancestor_or_the_most_alike():
    given = load()
    halves = {name: dict.fromkeys(given.data_sets(name)) for name in ("cnn_lstm", "mlp_tanh", "mlp_plain")}
    for arm_, data, expected in ((("mlp_bn_before_tanh", ""), "letter", "mlp_tanh"),
                                 (("mlp_deep", ""), "letter", "mlp_plain"),
                                 (("mlp_plain_bn_before", ""), "letter", "mlp_plain"),
                                 (("bn_after_lstm", ""), "glucose", "cnn_lstm"), (("mlp_depth_2", "x"), "tabular", "")):
        assert controls.nearest_control(arm_, data, halves, given) == expected


def test_a_network_of_a_fixed_rate_is_not_set_beside_half_the_data():
    given = load()
    pair = Pair(("question_bn_added_as_written", ""), ("question_as_written", ""))
    some = {"letter": Effect(0.1, np.ones(3))}
    halves = {"mlp_tanh": {"letter": Effect(-0.2, np.ones(3))}}
    assert math.isnan(controls.share_of_half(Comparison(((1.0, pair),)), some, halves, given))
    pair = Pair(("mlp_bn_before_tanh", ""), ("mlp_tanh", ""))
    assert controls.share_of_half(Comparison(((1.0, pair),)), some, halves, given) == pytest.approx(0.5)
    nothing = {"mlp_tanh": {"letter": Effect(-0.005, np.ones(3))}}
    assert math.isnan(controls.share_of_half(Comparison(((1.0, pair),)), some, nothing, given))


def test_tables_of_sets_and_units_have_their_own_intervals(made, asker):
    finding = find(question(asker, "waves"), made)
    sets = set_table([finding], made)
    assert list(sets.columns) == SET_COLUMNS and len(sets) == 18
    for one in sets.itertuples():
        assert (one.low, one.high) == pytest.approx(finding.effects[one.data].estimate.bounds(RULE.tail))
        assert one.word == words.choose(one.low, one.high, one.margin)
    found = unit_table(averages(finding, made), RULE)
    assert len(found) == 17 and found.sets[0] == "waves_0, extra"


def test_a_control_is_competent_up_to_a_twentieth_above_the_best_simple_predictor(made):
    table = pd.DataFrame([("waves_0", 15, 2.0, np.nan, 0.5, 0.4, 0.6, 0.7, "k"), ("toy", 15, 2.0, *[np.nan] * 5, "k"),
                          ("waves_1", 15, 2.0, 0.3, np.nan, 0.4, 0.6, 0.7, "k")], columns=BASELINE_COLUMNS)
    assert controls.best_simple(table) == {"waves_0": ("linear", 0.4), "waves_1": ("persistence", 0.3)}
    errors = {data: made.arms.grids["old", "", data]["best_error"].mean() for data in DATA}
    near = {"waves_0": errors["waves_0"] / 1.0499, "waves_1": errors["waves_1"] / 1.0501, "toy": errors["toy"] / 0.5}
    some = study(GIVEN, *arms(), simple={data: ("forest", error) for data, error in near.items()})
    assert [data for data in DATA if controls.is_competent(("old", ""), data, some)] == ["waves_0", "toy"]
    exact = study(GIVEN, arm("old", "toy", seeds=2).assign(best_error=1.05), simple={"toy": ("forest", 1.0)})
    assert controls.is_competent(("old", ""), "toy", exact)
    halves = {"old": {data: Effect(-0.2, np.ones(3)) for data in ("waves_0", "waves_1", "waves_2")}}
    found = controls.data_sets(halves, some)
    assert found.competent.tolist() == [True, False, False] and found.best_simple.tolist() == ["forest", "forest", ""]
    assert found.simple_error[0] == near["waves_0"] and found.error[0] == pytest.approx(errors["waves_0"])


def test_a_finding_is_averaged_over_the_sets_alone_whose_control_is_competent(made, asker):
    errors = {data: made.arms.grids["old", "", data]["best_error"].mean() for data in DATA}
    # Of the forecasts three units, one by one of its two sets; of the classes one, which is no average.
    kept = ("extra", "waves_3", "waves_7", "waves_12")
    some = study(GIVEN, *arms(), simple={data: ("linear", errors[data] * (1.0 if data in kept else 0.9)) for data in DATA})
    finding = find(question(asker, "waves"), some)
    only, = competent_table(averages(finding, some), some).itertuples(index=False)
    assert (only.id, only.stratum, only.units, only.sets) == ("new_or_old_waves", "forecasts", 3, 3)
    expected = stats.ttest_1samp([finding.effects[data].y for data in kept[:3]], 0).confidence_interval(0.95)
    assert (only.low, only.high) == pytest.approx((expected.low, expected.high))
    sets = set_table([finding], some).set_index("data").competent
    assert set(sets.index[sets]) == set(kept)
    assert competent_table(averages(find(question(asker, "waves"), made), made), made).empty


def test_every_control_of_a_comparison_is_to_be_competent(made):
    errors = {name: made.arms.grids[name, "", "toy"]["best_error"].mean() for name in EXPERIMENTS}
    strong, weak = sorted(errors, key=errors.get)
    some = study(GIVEN, *arms(), simple={"toy": ("linear", errors[weak] / 1.051)})

    def found(*pairs, **more):
        return controls.has_competent_controls(Comparison(tuple((1.0, Pair(("x", ""), one)) for one in pairs), **more), "toy", some)

    assert found((strong, "")) and not found((strong, ""), (weak, "")) and not found(("trivial predictor", ""))
    assert found((strong, "LSTM_1"), probe=True) and not found((strong, "LSTM_1"))


def test_places_are_ranked_in_each_stratum():
    data = family(9, "waves", "forecasts") | family(9, "waves", "classes", first=9) | {"mine": MINE}
    given = params(data, {"old": {"data": "waves"}, "put": {"of": "old", "everywhere": "Dropout"}})
    level = {"first": 0.7, "after LSTM_1": 1.3}
    runs = [arm("old", one, noise=0.01) for one in data] + [
        arm("put", one, level[place], variant=place, noise=0.01) for place in level for one in data]
    made = study(given, *runs)
    asker = Asker(made)
    of_experiments(asker, asker.study.params.experiments)
    found = {q.id: averages(find(q, made), made) for q in asker.questions.values()}
    table = places(asker.table(), found, made)
    assert list(table.columns) == FINDING_PLACE_COLUMNS and len(table) == 4
    assert table.groupby("stratum").stands.apply(list).tolist() == [["best", "worst"]] * 2
    assert (table.may_be_best == (table.place == "first")).all() and (table.may_be_worst != table.may_be_best).all()


def test_sweeps_have_a_mean_a_value():
    given = params(DATA, {"swept": {"data": "toys", "vary": {"epochs": [1, 2]}}})
    made = study(given, *(arm("swept", "toy", 1.0 / epochs, variant=f"epochs={epochs}") for epochs in (1, 2)))
    found = doses(made)
    assert found.dose.tolist() == [1.0, 2.0]
    errors = made.arms.grids["swept", "epochs=2", "toy"]["best_error"][:, 0]
    expected = stats.ttest_1samp(errors, 0).confidence_interval(0.95)
    assert found.iloc[1][["mean", "low", "high"]].tolist() == pytest.approx([errors.mean(), expected.low, expected.high])


@pytest.mark.parametrize(("treatment", "control", "about", "text"), [
    (("bn_before_relu", ""), ("cnn_lstm", ""), {}, "Conv1D → ReLU → LSTM: BN before ReLU, or none"),
    (("bn_before_relu", ""), ("bn_after_relu", ""), {}, "Conv1D → ReLU → LSTM: BN before ReLU, or BN after ReLU"),
    (("mlp_bn_before_tanh", ""), ("mlp_tanh", ""), {"metric": "loss"},
     "2 × (Dense → tanh → dropout 0.5): BN before tanh, or none, by test loss"),
    (("mlp_plain_bn_after", ""), ("mlp_plain_bn_before", ""), {}, "2 × (Dense → ReLU): BN after ReLU, or BN before ReLU"),
    (("spatial_dropout_rate", "spatial_dropout.rate=0.4"), ("dropout_rate", "dropout.rate=0.4"), {},
     "Conv1D → ReLU → LSTM: spatial dropout before LSTM, rate of spatial dropout 0.4, or dropout before LSTM, "
     "rate of dropout 0.4"),
    (("cnn_lstm_selu", ""), ("cnn_lstm", ""), {}, "Conv1D → ReLU → LSTM: SELU instead of ReLU, or as it is"),
    (("mlp_bn_first_only", ""), ("mlp_bn_before_tanh", ""), {},
     "2 × (Dense → tanh → dropout 0.5): BN before the first tanh, or BN before tanh"),
    (("bn_anywhere", "first"), ("cnn_lstm", ""), {}, "Conv1D → ReLU → LSTM: BN first, or none"),
    (("cnn_lstm", "repetition=1"), ("cnn_lstm", ""), {}, "Conv1D → ReLU → LSTM: from another start, or as it is"),
    (("bn_after_lstm", ""), ("trivial predictor", ""), {}, "Conv1D → ReLU → LSTM → BN, or guessing"),
    (("mlp_bn_before_tanh", "tanh_1"), ("mlp_tanh", "tanh_1"), {"metric": "drift"},
     "2 × (Dense → tanh → dropout 0.5), at tanh_1: BN before tanh, or none, by drift")])
def test_titles_say_what_is_compared_and_not_what_was_found(treatment, control, about, text):
    assert title(Comparison(((1.0, Pair(treatment, control)),), **about), load()) == text


def test_a_title_says_what_the_networks_see_and_of_no_family_its_data():
    pair = Pair(("average_pool_quarter_data", ""), ("cnn_lstm_quarter_data", ""))
    assert title(Comparison(((1.0, pair),)), load(), "long_forecast") == (
        "Conv1D → ReLU → LSTM, 25 % of the data: average pooling before LSTM, or none (on long forecast)")


def test_what_a_list_repeats_stands_once_inside_of_it_from_the_third_time_on():
    block = ["residual [", "relu", "dense", "] residual add"]
    assert chain(["dense", *block * 3, "tanh"]) == "Dense → 3 × residual [ ReLU → Dense ] → tanh"
    assert chain([*["dense", "relu"] * 4, "lstm"]) == "4 × (Dense → ReLU) → LSTM"
    assert chain([*["conv", "relu"] * 2, "lstm"]) == "Conv1D → ReLU → Conv1D → ReLU → LSTM"
    assert chain(["dense", "relu"] * 2) == "2 × (Dense → ReLU)" and chain(["dense"]) == "Dense"


def test_two_findings_of_one_title_are_told_apart_by_their_data_or_their_treatments(made, asker):
    rows = [row(one, {}, made) for kind in ("waves", "toy") for one in averages(find(question(asker, kind), made), made)]
    rows = [one | {"title": "one", "treatment": {"waves": "new", "toy": "new_too"}[one["kind"]]} for one in rows]
    assert set(finished(rows, RULE)["title"]) == {"one (on waves)", "one (on toy)"}
    alike = finished([one | {"kind": "my_waves"} for one in rows], RULE)
    assert set(alike["title"]) == {"one (on my waves) (new)", "one (on my waves) (new too)"}


def test_every_stored_finding_has_a_title_of_its_own_that_says_nothing_of_what_was_found():
    titles = read_table(FOUND["findings"].path()).drop_duplicates("id")["title"]
    assert titles.is_unique and len(titles) > 300
    assert not titles.str.contains("better|worse|helps|None").any()
