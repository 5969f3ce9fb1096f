"""The guide averages over the data sets that are like a reader's, as scipy does."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from py_mini_racer import MiniRacer
from scipy import stats

from pipeline.book.pages.guide import FREEDOMS, dotted, write
from tests.book.invented import CLASSES, FORECASTS, PLANS, TABLES

SCRIPT = Path(__file__).parents[3] / "book/_static/guide.js"


@pytest.fixture
def known(study):
    """The invented study, where it is known what the data sets are like."""
    return replace(study, plans=PLANS, sizes={name: 500 if name in ("wine", "soil") else 2000
                                              for name in FORECASTS + CLASSES + TABLES})


def numbers(study):
    text = write(study)["generated/guide.md"]
    return json.loads(re.search(r"```\{numbers\} guide-numbers\n(.*?)\n```", text)[1])


def test_every_situation_stands_with_its_average_and_its_data_sets(known):
    text = write(known)["generated/guide.md"]
    assert [line for line in text.splitlines() if line.startswith("### ")] == [
        "### Conv1D → BN → activation → LSTM", "### BN before the activation rather than after it",
        "### SELU rather than ReLU", "### BN of badly scaled inputs instead of standardising them",
        "### Dropout → LSTM", "### MLP: dropout", "### MLP: BN before the activations",
        "### BN in an MLP, to train faster"]
    assert "{.advice .topic--where-does-batch-normalisation-go .network--conv1d-and-lstm .finding--before-helps}\n**Leave it out.** " in text
    assert "*Forecasts.* **Leave it out.** " in text and "*Classes.* **Put it in.** " in text
    assert "**Being measured.** [Claim](/claims/selu_helps.md): {bdg-light}`being measured`" in text
    assert text.count("On each data set (11)") == 3 and "| wind north, wind south |" in text


def test_a_reader_can_pick_what_there_is_numbers_in_their_order(known):
    text = write(known)["generated/guide.md"]
    assert "- It predicts: a number · a class\n" in text and "- Channels, or columns: 1 · 2 to 9 · 10 or more" in text
    assert "- Training samples: fewer than 1,000 · 1,000 to 3,000\n" in text
    assert dotted({"network": "text: embedding, Conv1D"}) == ".network--text-embedding-conv1d"


def test_what_the_script_sums_are_the_effects_of_each_set(known):
    stored = numbers(known)
    assert {name: len(one["effects"]) for name, one in stored["findings"].items()} == {
        "before-helps": 12, "order-matters": 12, "dropout-helps-forecasts": 6, "dropout-helps-classes": 6,
        "tables-bn-helps": 10, "tables-dropout-helps": 10, "selu-helps": 0, "bn-on-input-is-inferior": 1,
        "tables-bn-trains-faster": 10}
    # The page has each of them once, by that name.
    assert sorted(re.findall(r"\.finding--([a-z-]+)}", write(known)["generated/guide.md"])) == sorted(stored["findings"])
    assert stored["sets"]["wind_north"]["unit"] == "wind" and stored["sets"]["tides"]["like"] == {
        "target": "a-number", "channels": "1", "length": "up-to-24", "samples": "1-000-to-3-000"}
    # Two contrasts are averaged within a set.
    mine = known.effects[(known.effects["claim"] == "order_matters") & (known.effects["data"] == "tides")]["y"]
    assert len(mine) == 2 and stored["findings"]["order-matters"]["effects"]["tides"] == pytest.approx(mine.mean(), abs=1e-6)
    assert stored["quantiles"]["interval"][9] == pytest.approx(stats.t.ppf(0.975, 10), rel=1e-5)
    assert stored["quantiles"]["range"][9] == pytest.approx(stats.t.ppf(0.9, 10), rel=1e-5)
    assert len(stored["quantiles"]["interval"]) == FREEDOMS


@pytest.fixture(scope="module")
def script():
    """The page's script in an engine without a browser: a function that evaluates an expression with `guide`."""
    engine = MiniRacer()
    engine.eval(f"const module = {{}}; {SCRIPT.read_text(encoding='utf-8')}; 0")
    return lambda expression: json.loads(engine.eval(f"JSON.stringify({expression})"))


def asked(script, stored, name, fits):
    """What the script finds of a finding, and says."""
    return script("((stored, name, fits) => {"
                  "const {sets, quantiles, findings, few} = stored, finding = findings[name];"
                  "const found = guide.average(finding, (data) => fits.includes(data), sets, quantiles);"
                  "return {...found, words: guide.sentence(finding, found, few)};"
                  f"}})({json.dumps(stored)}, {json.dumps(name)}, {json.dumps(list(fits))})")


def test_the_script_averages_some_sets_as_scipy_does(known, script):
    stored = numbers(known)
    some = TABLES[:7]
    y = np.array([stored["findings"]["tables-bn-helps"]["effects"][name] for name in some])
    found = asked(script, stored, "tables-bn-helps", some)
    expected = stats.t.interval(0.95, 6, y.mean(), stats.sem(y))
    assert (found["count"], found["mean"]) == (7, pytest.approx(y.mean()))
    assert (found["low"], found["high"]) == pytest.approx(expected, rel=1e-4)
    reach = stats.t.ppf(0.9, 6) * y.std(ddof=1) * np.sqrt(1 + 1 / 7)
    assert (found["rangeLow"], found["rangeHigh"]) == pytest.approx((y.mean() - reach, y.mean() + reach), rel=1e-4)
    assert "too few" not in found["words"] and found["words"].startswith("Like yours: 7 sets, ")


def test_over_all_sets_the_script_finds_the_stored_average(known, script):
    stored = numbers(known)
    for slug in ("before_helps", "order_matters", "tables_bn_trains_faster"):
        row = known.averages[known.averages["claim"] == slug].iloc[0]
        found = asked(script, stored, slug.replace("_", "-"), FORECASTS + CLASSES + TABLES)
        # Two strata: the degrees of freedom lie between two stored quantiles.
        assert [found[name] for name in ("mean", "low", "high", "rangeLow", "rangeHigh")] == pytest.approx(
            [row[name] for name in ("mean", "low", "high", "range_low", "range_high")], rel=2e-3, abs=1e-5)


def test_few_sets_one_set_and_none(known, script):
    stored = numbers(known)
    assert asked(script, stored, "tables-bn-helps", TABLES[:3])["words"].endswith("Fewer than 5 sets: too few to lean on.")
    one = asked(script, stored, "tables-bn-helps", TABLES[:1])
    assert "low" not in one and one["words"].startswith("Like yours: 1 set, ") and "on average" not in one["words"]
    assert asked(script, stored, "tables-bn-helps", ())["words"] == "Like yours: none of its data sets."
    # The two sets of wind are one; a stratum of one unit is averaged with the other.
    wind = asked(script, stored, "before-helps", ("wind_north", "wind_south", "vowels", "steps"))
    assert wind["count"] == 3 and wind["low"] < wind["mean"] < wind["high"]


@pytest.mark.parametrize("freedom", [1, 1.3, 2.7, 9.45, 37.2])
def test_quantiles_between_those_stored(known, script, freedom):
    stored = numbers(known)["quantiles"]["interval"]
    found = script(f"guide.quantile({json.dumps(stored)}, {freedom})")
    assert found == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.03)


def test_a_guide_without_situations_says_so(study):
    assert write(replace(study, guide=()))["generated/guide.md"].startswith("No situation of the guide rests on")
