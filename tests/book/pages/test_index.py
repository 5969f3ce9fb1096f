"""The first page: what to do on each kind of network, the greatest effects, the threads, three limits."""

from dataclasses import replace

import pytest

from pipeline.book.pages.index import DO, LINES, beaten, card, greatest, threads, write
from pipeline.findings.words import Word

GIVEN = {"title": "A", "stratum": "forecasts", "topic": "t", "findings": [{"id": "before_or_plain_sequences", "name": "BN"}]}


@pytest.mark.parametrize("word", list(Word))
def test_what_to_do_follows_from_the_findings_word_alone(study, word):
    """Whatever the numbers are, the sentence is the table's, and what stands before it is that of the word."""
    rows = [row | {"word": str(word)} for row in study.found["before_or_plain_sequences"]]
    study = replace(study)
    study.__dict__["found"] = {"before_or_plain_sequences": rows}
    line, = card(study, GIVEN)["lines"]
    if word in DO:
        assert line == f"**{DO[word]}: [BN](/findings/before_or_plain_sequences.md).** {rows[0]['sentence']}"
    else:
        assert line == f"**{LINES[word]}:** [BN](/findings/before_or_plain_sequences.md)."
    name = "before" if word in (Word.BETTER, Word.A_LITTLE_BETTER) else "plain"
    assert card(study, GIVEN)["code"] == f"[{name}](/records/{name}.ipynb)"


def test_the_greatest_effect_of_a_card_comes_first_and_what_there_is_not_is_left_out(study):
    found = card(study, study.cards[0])["lines"]
    changes = {name: abs(study.strata(name)[0]["change"]) for name in ("before_or_plain_sequences", "dropout_or_plain_sequences")}
    assert len(found) == 2 and max(changes, key=changes.get) in found[0]
    assert card(study, GIVEN | {"findings": [{"id": "gone", "name": "x"}]})["lines"] == ["Nothing is stored yet."]


def test_each_great_effect_is_drawn_once_and_has_a_direction(study):
    rows = greatest(study)[0].rows
    assert rows["id"].is_unique and 0 < len(rows) <= 8
    assert list(rows["effect"].abs()) == sorted(rows["effect"].abs(), reverse=True)


def test_each_thread_is_said_with_what_its_own_predictions_read(study):
    first, second = threads(study)
    assert "makes 5 predictions: findings agree with 2" in first and "#claim-bn_on_input_is_inferior" in first
    assert "makes 2 predictions: findings agree with 1 ([Batch normalisation lowers the error of an MLP]" in second


def test_networks_that_lose_to_a_simple_predictor_are_counted(study):
    # The invented study has simple predictors on sequences alone.
    real = study.data_sets[study.data_sets["kind"] == "sequences"]
    loses, weak = (real["error"] > factor * 0.29 for factor in (1, 1.05))
    assert f"in {loses.sum()} of 12 pairs" in beaten(study) and f"in {weak.sum()}, the network's error is more than 5" in beaten(study)
    assert 0 < weak.sum() < loses.sum() < 12 and beaten(study).startswith("The last known value, the value of a season before")
    none = study.data_sets.assign(simple_error=float("nan"))
    assert beaten(replace(study, tables={**study.tables, "data_sets": none})) == "Simple predictors are not measured yet."


def test_without_a_result_the_page_stands(study):
    bare = replace(study, tables={name: table.iloc[:0] for name, table in study.tables.items()})
    assert list(write(bare)) == ["generated/index.md"] and "Nothing is stored yet." in write(bare)["generated/index.md"]
